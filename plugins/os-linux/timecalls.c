/* Time system calls that are more than a converted struct. Invariant: a remaining time is written
 * only when a sleep was cut short, as the kernel does. */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "linux.h"

static int64_t sleep_on(task *t, int clock, int flags, uint64_t req, uint64_t rem)
{
    os *o = t->o;
    struct timespec ts, left = {0, 0};
    if (u_struct_in(o, LX_TIMESPEC(t), &ts, req))
        return -EFAULT;
    int64_t r = SYS4(t, SYS_clock_nanosleep, clock, flags, &ts, &left);
    if (r == -EINTR && rem && !(flags & TIMER_ABSTIME) && u_struct_out(o, LX_TIMESPEC(t), &left, rem))
        return -EFAULT;
    return r;
}

CALL(nanosleep)
{
    return sleep_on(t, CLOCK_MONOTONIC, 0, a[0], a[1]);
}

CALL(clock_nanosleep)
{
    return sleep_on(t, (int)a[0], (int)a[1], a[2], a[3]);
}

CALL(timerfd_create)
{
    return SYS2(t, SYS_timerfd_create, (int)a[0], lx_open_flags_in(t->o, (uint32_t)a[1]));
}

CALL(timer_create)
{
    os *o = t->o;
    struct sigevent ev;
    int id;
    memset(&ev, 0, sizeof(ev));
    if (a[1]) {
        if (u_struct_in(o, LX_S_sigevent, &ev, a[1]))
            return -EFAULT;
        ev.sigev_signo = lx_sig_in(o, ev.sigev_signo);
        if (ev.sigev_signo == LX_SIG_KICK)
            return -EINVAL;
    }
    int64_t r = SYS3(t, SYS_timer_create, (int)a[0], a[1] ? &ev : NULL, &id);
    return r < 0 ? r : u_u32_out(o, a[2], (uint32_t)id);
}

/* clock_t, time_t and the results of these are longs of the guest. */
CALL(time)
{
    int64_t now = (int64_t)time(NULL);
    return a[0] && u_word_out(t->o, a[0], (uint64_t)now) ? -EFAULT : now;
}

CALL(stime)
{
    struct timespec ts = {0, 0};
    uint64_t v;
    if (u_word_in(t->o, a[0], &v))
        return -EFAULT;
    ts.tv_sec = t->o->abi->word == 4 ? (int32_t)v : (int64_t)v;
    return SYS2(t, SYS_clock_settime, CLOCK_REALTIME, &ts);
}

CALL(alarm)
{
    return SYS1(t, SYS_alarm, (uint32_t)a[0]);
}
