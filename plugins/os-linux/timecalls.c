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
    if (u_struct_in(o, LX_S_timespec, &ts, req))
        return -EFAULT;
    int64_t r = SYS4(t, SYS_clock_nanosleep, clock, flags, &ts, &left);
    if (r == -EINTR && rem && !(flags & TIMER_ABSTIME) &&
        u_struct_out(o, LX_S_timespec, &left, rem))
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
    if (a[1] && u_in(o, &ev, a[1], 64))
        return -EFAULT;
    if (a[1] && ev.sigev_signo == LX_SIG_KICK)
        return -EINVAL;
    int64_t r = SYS3(t, SYS_timer_create, (int)a[0], a[1] ? &ev : NULL, &id);
    if (r < 0)
        return r;
    return u_out(o, a[2], &id, 4);
}
