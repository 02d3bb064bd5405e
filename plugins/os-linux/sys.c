/* System calls about the process and the system that fit no other file: names, ids, prctl,
 * scheduling. Invariant: what the guest is told of its machine is the guest's architecture,
 * everything else the host's. */
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "linux.h"

CALL(uname)
{
    struct utsname u;
    if (uname(&u))
        return -errno;
    memset(u.machine, 0, sizeof(u.machine));
    snprintf(u.machine, sizeof(u.machine), "%s", t->o->abi->machine);
    return u_out(t->o, a[0], &u, sizeof(u));
}

CALL(getcpu)
{
    unsigned cpu = 0, node = 0;
    int64_t r = SYS3(t, SYS_getcpu, &cpu, &node, NULL);
    if (r < 0)
        return r;
    if ((a[0] && u_u32_out(t->o, a[0], cpu)) || (a[1] && u_u32_out(t->o, a[1], node)))
        return -EFAULT;
    return 0;
}

static int64_t three_ids(task *t, long nr, const uint64_t *a)
{
    uint32_t id[3];
    int64_t r = SYS3(t, nr, &id[0], &id[1], &id[2]);
    for (int i = 0; r >= 0 && i < 3; i++)
        if (u_u32_out(t->o, a[i], id[i]))
            r = -EFAULT;
    return r;
}

CALL(getresuid)
{
    return three_ids(t, SYS_getresuid, a);
}

CALL(getresgid)
{
    return three_ids(t, SYS_getresgid, a);
}

#define MOST_GROUPS 65536

/* bits: 16 or 32, the size of a group in memory. */
static int64_t groups_in(task *t, const uint64_t *a, unsigned bits)
{
    uint32_t n = (uint32_t)a[0], *g;
    int64_t r = 0;
    if (n > MOST_GROUPS)
        return -EINVAL;
    g = calloc(n + 1, sizeof(*g));
    if (!g)
        return -ENOMEM;
    for (uint32_t i = 0; !r && i < n; i++) {
        uint8_t b[2];
        if (bits == 32 ? u_u32_in(t->o, a[1] + 4ull * i, &g[i]) : u_in(t->o, b, a[1] + 2ull * i, 2))
            r = -EFAULT;
        else if (bits == 16)
            g[i] = u_big(t->o) ? (uint32_t)b[0] << 8 | b[1] : (uint32_t)b[1] << 8 | b[0];
    }
    if (!r)
        r = SYS2(t, SYS_setgroups, n, g);
    free(g);
    return r;
}

static int put_id(os *o, uint64_t addr, uint32_t id, unsigned bits)
{
    if (bits == 32)
        return u_u32_out(o, addr, id);
    uint16_t v = id > 0xffff ? 65534 : (uint16_t)id; /* the overflow id */
    if (u_big(o))
        v = __builtin_bswap16(v);
    return u_out(o, addr, &v, 2);
}

static int64_t groups_out(task *t, const uint64_t *a, unsigned bits)
{
    int32_t n = (int32_t)a[0];
    if (n <= 0)
        return SYS2(t, SYS_getgroups, n, NULL);
    if (n > MOST_GROUPS)
        n = MOST_GROUPS;
    uint32_t *g = calloc((size_t)n, sizeof(*g));
    if (!g)
        return -ENOMEM;
    int64_t r = SYS2(t, SYS_getgroups, n, g);
    for (int64_t i = 0; i < r; i++)
        if (put_id(t->o, a[1] + bits / 8 * (uint64_t)i, g[i], bits))
            r = -EFAULT;
    free(g);
    return r;
}

CALL(getgroups)
{
    return groups_out(t, a, 32);
}

CALL(setgroups)
{
    return groups_in(t, a, 32);
}

CALL(getgroups16)
{
    return groups_out(t, a, 16);
}

CALL(setgroups16)
{
    return groups_in(t, a, 16);
}

static int64_t short_id(int64_t id)
{
    return id > 0xffff ? 65534 : id;
}

CALL(getuid16)
{
    (void)a;
    return short_id(SYS1(t, SYS_getuid, 0));
}

CALL(geteuid16)
{
    (void)a;
    return short_id(SYS1(t, SYS_geteuid, 0));
}

CALL(getgid16)
{
    (void)a;
    return short_id(SYS1(t, SYS_getgid, 0));
}

CALL(getegid16)
{
    (void)a;
    return short_id(SYS1(t, SYS_getegid, 0));
}

static int64_t three_short(task *t, long nr, const uint64_t *a)
{
    uint32_t id[3];
    int64_t r = SYS3(t, nr, &id[0], &id[1], &id[2]);
    for (int i = 0; r >= 0 && i < 3; i++)
        if (put_id(t->o, a[i], id[i], 16))
            r = -EFAULT;
    return r;
}

CALL(getresuid16)
{
    return three_short(t, SYS_getresuid, a);
}

CALL(getresgid16)
{
    return three_short(t, SYS_getresgid, a);
}

/* Limits. A 32-bit ABI's infinity is 32 ones, and what does not fit is infinite too. */
static uint64_t limit_in(os *o, uint64_t v)
{
    return o->abi->word == 4 && v == 0xffffffffu ? RLIM_INFINITY : v;
}

static uint64_t limit_out(os *o, uint64_t v)
{
    return o->abi->word == 4 && v > 0xfffffffeu ? 0xffffffffu : v;
}

CALL(getrlimit)
{
    os *o = t->o;
    struct rlimit lim;
    int64_t r = SYS2(t, SYS_getrlimit, lx_value_in(o, LX_M_rlimit, (uint32_t)a[0]), &lim);
    lim.rlim_cur = limit_out(o, lim.rlim_cur);
    lim.rlim_max = limit_out(o, lim.rlim_max);
    return r < 0 ? r : u_struct_out(o, LX_S_rlimit, &lim, a[1]);
}

CALL(setrlimit)
{
    os *o = t->o;
    struct rlimit lim;
    if (u_struct_in(o, LX_S_rlimit, &lim, a[1]))
        return -EFAULT;
    lim.rlim_cur = limit_in(o, lim.rlim_cur);
    lim.rlim_max = limit_in(o, lim.rlim_max);
    return SYS2(t, SYS_setrlimit, lx_value_in(o, LX_M_rlimit, (uint32_t)a[0]), &lim);
}

CALL(prlimit64)
{
    os *o = t->o;
    struct rlimit new, old;
    if (a[2] && u_struct_in(o, LX_S_rlimit64, &new, a[2]))
        return -EFAULT;
    int64_t r = SYS4(t, SYS_prlimit64, (int)a[0], lx_value_in(o, LX_M_rlimit, (uint32_t)a[1]), a[2] ? &new : NULL,
                     a[3] ? &old : NULL);
    return r >= 0 && a[3] && u_struct_out(o, LX_S_rlimit64, &old, a[3]) ? -EFAULT : r;
}

/* Sizes are in units of mem_unit, so that they fit a long. */
CALL(sysinfo)
{
    os *o = t->o;
    struct sysinfo si;
    int64_t r = SYS1(t, SYS_sysinfo, &si);
    if (r < 0)
        return r;
    unsigned long *sizes[] = {&si.totalram, &si.freeram, &si.sharedram, &si.bufferram, &si.totalswap, &si.freeswap,
                              &si.totalhigh, &si.freehigh};
    unsigned shift = 0;
    while (o->abi->word == 4 && (si.totalram >> shift > 0xffffffffu || si.totalswap >> shift > 0xffffffffu))
        shift++;
    if (shift && shift < 12)
        shift = 12; /* pages, as the kernel does */
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        *sizes[i] >>= shift;
    si.mem_unit <<= shift;
    return u_struct_out(o, LX_S_sysinfo, &si, a[0]);
}

CALL(sched_getparam)
{
    uint32_t priority;
    int64_t r = SYS2(t, SYS_sched_getparam, (int)a[0], &priority);
    return r < 0 ? r : u_u32_out(t->o, a[1], priority);
}

CALL(sched_setparam)
{
    uint32_t priority;
    return u_u32_in(t->o, a[1], &priority) ? -EFAULT : SYS2(t, SYS_sched_setparam, (int)a[0], &priority);
}

CALL(sched_setscheduler)
{
    uint32_t priority;
    return u_u32_in(t->o, a[2], &priority)
               ? -EFAULT
               : SYS3(t, SYS_sched_setscheduler, (int)a[0], (int)a[1] & 0x7fffffff, &priority);
}

/* Sets of CPUs are longs, as many as the caller has room for. */
CALL(sched_getaffinity)
{
    os *o = t->o;
    uint64_t set[128] = {0};
    uint32_t word = o->abi->word;
    if (a[1] % word)
        return -EINVAL;
    uint64_t room = a[1] < sizeof(set) ? a[1] : sizeof(set);
    int64_t r = SYS3(t, SYS_sched_getaffinity, (int)a[0], (room + 7) & ~7ull, set);
    if (r < 0)
        return r;
    r = (uint64_t)r < room ? r : (int64_t)room;
    for (int64_t at = 0; at < r; at += word)
        if (u_word_out(o, a[2] + (uint64_t)at, set[at / 8] >> (8 * (at % 8))))
            return -EFAULT;
    return r;
}

CALL(sched_setaffinity)
{
    os *o = t->o;
    uint64_t set[128] = {0}, v;
    uint32_t word = o->abi->word;
    uint64_t size = a[1] < sizeof(set) ? a[1] / word * word : sizeof(set);
    for (uint64_t at = 0; at < size; at += word) {
        if (u_word_in(o, a[2] + at, &v))
            return -EFAULT;
        set[at / 8] |= v << (8 * (at % 8));
    }
    return SYS3(t, SYS_sched_setaffinity, (int)a[0], (size + 7) & ~7ull, set);
}

CALL(pidfd_open)
{
    return SYS2(t, SYS_pidfd_open, (int)a[0], (uint32_t)a[1]);
}

/* Only what has the same meaning for the host process that carries the guest. */
CALL(prctl)
{
    os *o = t->o;
    char name[16];
    int value;
    int64_t r;
    switch ((int)a[0]) {
    case PR_SET_NAME:
        memset(name, 0, sizeof(name));
        r = u_str(o, a[1], name, sizeof(name) - 1);
        if (r == -EFAULT)
            return r;
        name[15] = 0;
        return SYS2(t, SYS_prctl, PR_SET_NAME, name);
    case PR_GET_NAME:
        r = SYS2(t, SYS_prctl, PR_GET_NAME, name);
        return r < 0 ? r : u_out(o, a[1], name, sizeof(name));
    case PR_GET_PDEATHSIG:
    case PR_GET_CHILD_SUBREAPER:
        r = SYS2(t, SYS_prctl, (int)a[0], &value);
        if ((int)a[0] == PR_GET_PDEATHSIG)
            value = lx_sig_out(o, value);
        return r < 0 ? r : u_u32_out(o, a[1], (uint32_t)value);
    case PR_SET_PDEATHSIG:
        return SYS2(t, SYS_prctl, PR_SET_PDEATHSIG, lx_sig_in(o, (int)a[1]));
    case PR_SET_CHILD_SUBREAPER:
    case PR_GET_DUMPABLE:
    case PR_SET_DUMPABLE:
    case PR_GET_KEEPCAPS:
    case PR_SET_KEEPCAPS:
    case PR_GET_NO_NEW_PRIVS:
    case PR_SET_NO_NEW_PRIVS:
    case PR_GET_TIMERSLACK:
    case PR_SET_TIMERSLACK:
    case PR_CAPBSET_READ:
    case PR_GET_SECUREBITS:
    case PR_GET_THP_DISABLE:
    case PR_SET_THP_DISABLE:
        return SYS5(t, SYS_prctl, (int)a[0], a[1], a[2], a[3], a[4]);
    }
    return -EINVAL;
}
