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
    int r = u_sigset_in(t->o, addr, size, &guest);
    if (r)
        return r;
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

static int64_t poll_on(task *t, uint64_t addr, uint64_t n, struct timespec *ts, uint64_t *set)
{
    os *o = t->o;
    uint32_t size = u_struct_size(o, LX_S_pollfd);
    struct pollfd *fds = calloc(n ? n : 1, sizeof(*fds));
    int64_t r = fds ? 0 : -ENOMEM;
    for (uint64_t i = 0; !r && i < n; i++)
        r = u_struct_in(o, LX_S_pollfd, &fds[i], addr + i * size);
    if (!r)
        r = interrupted(SYS5(t, SYS_ppoll, fds, n, ts, set, 8));
    for (uint64_t i = 0; r >= 0 && i < n; i++)
        if (u_struct_out(o, LX_S_pollfd, &fds[i], addr + i * size))
            r = -EFAULT;
    free(fds);
    return r;
}

CALL(ppoll)
{
    os *o = t->o;
    struct timespec ts;
    uint64_t host, *set;
    if (a[1] > 1 << 20)
        return -EINVAL;
    if (a[2] && u_struct_in(o, LX_TIMESPEC(t), &ts, a[2]))
        return -EFAULT;
    int r0 = mask_in(t, a[3], a[4], &host, &set);
    if (r0)
        return r0;
    int64_t r = poll_on(t, a[0], a[1], a[2] ? &ts : NULL, set);
    mask_out(t);
    if (a[2])
        u_struct_out(o, LX_TIMESPEC(t), &ts, a[2]); /* the time that is left */
    return r;
}

CALL(poll)
{
    struct timespec ts = {(int32_t)a[2] / 1000, (int32_t)a[2] % 1000 * 1000000l};
    if (a[1] > 1 << 20)
        return -EINVAL;
    return poll_on(t, a[0], a[1], (int32_t)a[2] < 0 ? NULL : &ts, NULL);
}

/* Sets of descriptors: longs, the first bits first. */
static int set_in(os *o, uint64_t addr, uint32_t n, uint64_t *set)
{
    uint32_t word = o->abi->word;
    uint64_t v;
    for (uint32_t at = 0; at < (n + 8 * word - 1) / (8 * word) * word; at += word) {
        if (u_word_in(o, addr + at, &v))
            return -EFAULT;
        set[at / 8] |= v << (8 * (at % 8));
    }
    return 0;
}

static int set_out(os *o, uint64_t addr, uint32_t n, const uint64_t *set)
{
    uint32_t word = o->abi->word;
    for (uint32_t at = 0; at < (n + 8 * word - 1) / (8 * word) * word; at += word)
        if (u_word_out(o, addr + at, set[at / 8] >> (8 * (at % 8))))
            return -EFAULT;
    return 0;
}

#define MOST_FDS 65536u

static int64_t select_on(task *t, const uint64_t *a, struct timespec *ts, uint64_t *mask)
{
    os *o = t->o;
    uint32_t n = (uint32_t)a[0] > MOST_FDS ? MOST_FDS : (uint32_t)a[0];
    uint64_t words = (n + 63) / 64 + 1, *sets = calloc(3 * words, 8);
    int64_t r = sets ? 0 : -ENOMEM;
    for (int i = 0; !r && i < 3; i++)
        if (a[1 + i])
            r = set_in(o, a[1 + i], n, &sets[(uint64_t)i * words]);
    struct {
        const void *set;
        uint64_t size;
    } pack = {mask, 8};
    if (!r)
        r = interrupted(SYS6(t, SYS_pselect6, n, a[1] ? &sets[0] : NULL, a[2] ? &sets[words] : NULL,
                             a[3] ? &sets[2 * words] : NULL, ts, &pack));
    for (int i = 0; r >= 0 && i < 3; i++)
        if (a[1 + i] && set_out(o, a[1 + i], n, &sets[(uint64_t)i * words]))
            r = -EFAULT;
    free(sets);
    return r;
}

CALL(pselect6)
{
    os *o = t->o;
    struct timespec ts;
    uint64_t host, *set = NULL, sig[2];
    if ((int)a[0] < 0)
        return -EINVAL;
    if (a[4] && u_struct_in(o, LX_TIMESPEC(t), &ts, a[4]))
        return -EFAULT;
    if (a[5]) {
        if (u_word_in(o, a[5], &sig[0]) || u_word_in(o, a[5] + o->abi->word, &sig[1]))
            return -EFAULT;
        int r0 = mask_in(t, sig[0], sig[1], &host, &set);
        if (r0)
            return r0;
    }
    int64_t r = select_on(t, a, a[4] ? &ts : NULL, set);
    mask_out(t);
    if (a[4])
        u_struct_out(o, LX_TIMESPEC(t), &ts, a[4]);
    return r;
}

CALL(select)
{
    os *o = t->o;
    struct timeval tv;
    struct timespec ts;
    if ((int)a[0] < 0)
        return -EINVAL;
    if (a[4]) {
        if (u_struct_in(o, LX_S_timeval, &tv, a[4]))
            return -EFAULT;
        if (tv.tv_sec < 0 || tv.tv_usec < 0)
            return -EINVAL;
        ts.tv_sec = tv.tv_sec + tv.tv_usec / 1000000;
        ts.tv_nsec = tv.tv_usec % 1000000 * 1000;
    }
    int64_t r = select_on(t, a, a[4] ? &ts : NULL, NULL);
    if (a[4]) {
        tv.tv_sec = ts.tv_sec;
        tv.tv_usec = ts.tv_nsec / 1000;
        u_struct_out(o, LX_S_timeval, &tv, a[4]);
    }
    return r;
}

CALL(epoll_create)
{
    return SYS1(t, SYS_epoll_create, (int)a[0]);
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

CALL(epoll_wait)
{
    return epoll_wait_on(t, (int)a[0], a[1], (int)a[2], (int)a[3], NULL);
}

CALL(epoll_pwait2)
{
    struct timespec ts;
    uint64_t host, *set;
    int ms = -1;
    if (a[3]) {
        if (u_struct_in(t->o, LX_S_timespec64, &ts, a[3]))
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
