/* System calls about the process and the system that fit no other file: names, ids, prctl,
 * scheduling. Invariant: what the guest is told of its machine is the guest's architecture,
 * everything else the host's. */
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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
    if ((a[0] && u_out(t->o, a[0], &cpu, 4)) || (a[1] && u_out(t->o, a[1], &node, 4)))
        return -EFAULT;
    return 0;
}

static int64_t three_ids(task *t, long nr, const uint64_t *a)
{
    uint32_t id[3];
    int64_t r = SYS3(t, nr, &id[0], &id[1], &id[2]);
    for (int i = 0; r >= 0 && i < 3; i++)
        if (u_out(t->o, a[i], &id[i], 4))
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

CALL(getgroups)
{
    int n = (int)a[0];
    void *p = n > 0 ? u_ptr(t->o, a[1], (uint64_t)n * 4, 1) : NULL;
    if (n > 0 && !p)
        return -EFAULT;
    return SYS2(t, SYS_getgroups, n, p);
}

CALL(setgroups)
{
    int n = (int)a[0];
    void *p = n > 0 ? u_ptr(t->o, a[1], (uint64_t)(unsigned)n * 4, 0) : NULL;
    if (n > 0 && !p)
        return -EFAULT;
    return SYS2(t, SYS_setgroups, n, p);
}

static int64_t sched_param(task *t, long nr, int pid, long policy, uint64_t addr, int write)
{
    void *p = u_ptr(t->o, addr, 4, write);
    if (!p)
        return -EFAULT;
    return policy < 0 ? SYS2(t, nr, pid, p) : SYS3(t, nr, pid, policy, p);
}

CALL(sched_getparam)
{
    return sched_param(t, SYS_sched_getparam, (int)a[0], -1, a[1], 1);
}

CALL(sched_setparam)
{
    return sched_param(t, SYS_sched_setparam, (int)a[0], -1, a[1], 0);
}

CALL(sched_setscheduler)
{
    return sched_param(t, SYS_sched_setscheduler, (int)a[0], (int)a[1] & 0x7fffffff, a[2], 0);
}

CALL(sched_getaffinity)
{
    void *p = u_ptr(t->o, a[2], a[1], 1);
    return p ? SYS3(t, SYS_sched_getaffinity, (int)a[0], a[1], p) : -EFAULT;
}

CALL(sched_setaffinity)
{
    void *p = u_ptr(t->o, a[2], a[1], 0);
    return p ? SYS3(t, SYS_sched_setaffinity, (int)a[0], a[1], p) : -EFAULT;
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
        return r < 0 ? r : u_out(o, a[1], &value, 4);
    case PR_SET_PDEATHSIG:
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
