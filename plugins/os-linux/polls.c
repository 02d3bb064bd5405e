/* Waiting for descriptors: ppoll, pselect6, epoll. The mask argument goes to the host's call, which
 * makes the change of mask and the wait one step; the signal that ends it is delivered with the old
 * mask saved (task.saved_mask). */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux.h"

/* Read a mask argument. *set is the host's mask or NULL. */
static int mask_in(task *t, uint64_t addr, uint64_t size, uint64_t *host, uint64_t **set)
{
    uint64_t guest;
    *set = NULL;
    if (!addr)
        return 0;
    if (size != 8)
        return -EINVAL;
    if (u_in(t->o, &guest, addr, 8))
        return -EFAULT;
    t->saved_mask = t->sigmask;
    t->has_saved = 1;
    t->sigmask = guest & ~(LX_SIGBIT(SIGKILL) | LX_SIGBIT(SIGSTOP));
    *host = signal_host_mask(t->o, guest);
    *set = host;
    return 0;
}

/* After the wait: without a captured signal the old mask is in force again. */
static void mask_out(task *t)
{
    if (t->has_saved && !t->captured) {
        t->sigmask = t->saved_mask;
        t->has_saved = 0;
    }
}

static int64_t interrupted(int64_t r)
{
    return r == -LX_RESTART ? -EINTR : r;
}

/* Time left of a relative wait, for the calls that write it back. */
static void time_left(os *o, uint64_t addr, const struct timespec *ts)
{
    if (addr)
        u_struct_out(o, LX_S_timespec, ts, addr);
}

CALL(ppoll)
{
    os *o = t->o;
    struct timespec ts;
    uint64_t host, *set, bytes = a[1] * sizeof(struct pollfd);
    if (a[1] > 1 << 20)
        return -EINVAL;
    struct pollfd *fds = u_ptr(o, a[0], bytes, 1);
    if ((!fds && a[1]) || (a[2] && u_struct_in(o, LX_S_timespec, &ts, a[2])))
        return -EFAULT;
    int r0 = mask_in(t, a[3], a[4], &host, &set);
    if (r0)
        return r0;
    int64_t r = interrupted(SYS5(t, SYS_ppoll, fds, a[1], a[2] ? &ts : NULL, set, 8));
    mask_out(t);
    if (a[2])
        time_left(o, a[2], &ts);
    u_written(o, a[0], bytes);
    return r;
}

CALL(pselect6)
{
    os *o = t->o;
    struct timespec ts;
    uint64_t host, *set = NULL, sig[2];
    long sets[3] = {0, 0, 0};
    uint64_t bytes = ((uint64_t)(uint32_t)a[0] + 63) / 64 * 8;
    if ((int)a[0] < 0)
        return -EINVAL;
    for (int i = 0; i < 3; i++)
        if (a[1 + i]) {
            sets[i] = (long)u_ptr(o, a[1 + i], bytes, 1);
            if (!sets[i])
                return -EFAULT;
        }
    if (a[4] && u_struct_in(o, LX_S_timespec, &ts, a[4]))
        return -EFAULT;
    if (a[5]) {
        if (u_word_in(o, a[5], &sig[0]) || u_word_in(o, a[5] + o->abi->word, &sig[1]))
            return -EFAULT;
        int r0 = mask_in(t, sig[0], sig[1], &host, &set);
        if (r0)
            return r0;
    }
    struct {
        const void *set;
        uint64_t size;
    } pack = {set, 8};
    int64_t r = interrupted(
        SYS6(t, SYS_pselect6, (int)a[0], sets[0], sets[1], sets[2], a[4] ? &ts : NULL, &pack));
    mask_out(t);
    if (a[4])
        time_left(o, a[4], &ts);
    for (int i = 0; i < 3; i++)
        if (a[1 + i])
            u_written(o, a[1 + i], bytes);
    return r;
}

CALL(epoll_create1)
{
    return SYS1(t, SYS_epoll_create1, lx_open_flags_in(t->o, (uint32_t)a[0]));
}

CALL(epoll_ctl)
{
    struct epoll_event ev;
    memset(&ev, 0, sizeof(ev));
    if ((int)a[1] != EPOLL_CTL_DEL && u_struct_in(t->o, LX_S_epoll_event, &ev, a[3]))
        return -EFAULT;
    return SYS4(t, SYS_epoll_ctl, (int)a[0], (int)a[1], (int)a[2], &ev);
}

static int64_t epoll_wait_on(task *t, int epfd, uint64_t events, int max, int ms, uint64_t *set)
{
    os *o = t->o;
    uint32_t size = u_struct_size(o, LX_S_epoll_event);
    if (max <= 0 || max > 1 << 16)
        return -EINVAL;
    if (!u_ptr(o, events, (uint64_t)max * size, 1))
        return -EFAULT;
    struct epoll_event *ev = calloc((size_t)max, sizeof(*ev));
    if (!ev)
        return -ENOMEM;
    int64_t r = interrupted(SYS6(t, SYS_epoll_pwait, epfd, ev, max, ms, set, 8));
    for (int64_t i = 0; i < r; i++)
        if (u_struct_out(o, LX_S_epoll_event, &ev[i], events + (uint64_t)i * size))
            r = -EFAULT;
    free(ev);
    return r;
}

CALL(epoll_pwait)
{
    uint64_t host, *set;
    int r0 = mask_in(t, a[4], a[5], &host, &set);
    if (r0)
        return r0;
    int64_t r = epoll_wait_on(t, (int)a[0], a[1], (int)a[2], (int)a[3], set);
    mask_out(t);
    return r;
}

CALL(epoll_pwait2)
{
    struct timespec ts;
    uint64_t host, *set;
    int ms = -1;
    if (a[3]) {
        if (u_struct_in(t->o, LX_S_timespec, &ts, a[3]))
            return -EFAULT;
        ms = ts.tv_sec > INT_MAX / 1000 - 1
                 ? INT_MAX
                 : (int)(ts.tv_sec * 1000 + (ts.tv_nsec + 999999) / 1000000);
    }
    int r0 = mask_in(t, a[4], a[5], &host, &set);
    if (r0)
        return r0;
    int64_t r = epoll_wait_on(t, (int)a[0], a[1], (int)a[2], ms, set);
    mask_out(t);
    return r;
}
