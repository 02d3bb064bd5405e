/* Numbers and records that differ between ABIs, converted by the ABI's tables: flags, values, sets of signals, wait status,
 * siginfo. Called by the system calls and the ABIs' frames. Invariant: what an ABI's table does not list passes unchanged. */
#include <sys/wait.h>

#include "linux.h"

static const lx_map *rows(os *o, int kind, uint32_t *n)
{
    *n = o->map_n[kind];
    return &o->abi->maps[o->map_first[kind]];
}

uint32_t lx_flags_in(os *o, int kind, uint32_t guest)
{
    uint32_t n, host = guest;
    const lx_map *m = rows(o, kind, &n);
    for (uint32_t i = 0; i < n; i++)
        host &= ~m[i].guest;
    for (uint32_t i = 0; i < n; i++)
        if ((guest & m[i].guest) == m[i].guest)
            host |= m[i].host;
    return host;
}

uint32_t lx_flags_out(os *o, int kind, uint32_t host)
{
    uint32_t n, guest = host;
    const lx_map *m = rows(o, kind, &n);
    for (uint32_t i = 0; i < n; i++)
        guest &= ~m[i].host;
    for (uint32_t i = 0; i < n; i++)
        if (m[i].host && (host & m[i].host) == m[i].host)
            guest |= m[i].guest;
    return guest;
}

uint32_t lx_value_in(os *o, int kind, uint32_t guest)
{
    uint32_t n;
    const lx_map *m = rows(o, kind, &n);
    for (uint32_t i = 0; i < n; i++)
        if (m[i].guest == guest)
            return m[i].host;
    return guest;
}

uint32_t lx_value_out(os *o, int kind, uint32_t host)
{
    uint32_t n;
    const lx_map *m = rows(o, kind, &n);
    for (uint32_t i = 0; i < n; i++)
        if (m[i].host == host)
            return m[i].guest;
    return host;
}

/* --- signals ------------------------------------------------------------------------------------------------------ */

int lx_sig_in(os *o, int64_t guest)
{
    int sig = (int)guest;
    if (sig <= 0)
        return sig;
    sig = (int)lx_value_in(o, LX_M_signal, (uint32_t)sig);
    return sig ? sig : -1; /* a row's host number 0: there is none */
}

int lx_sig_out(os *o, int host)
{
    return host > 0 ? (int)lx_value_out(o, LX_M_signal, (uint32_t)host) : host;
}

uint64_t lx_mask_in(os *o, uint64_t guest)
{
    uint64_t host = 0;
    if (!o->map_n[LX_M_signal])
        return guest;
    for (int n = 1; n <= 64; n++) {
        int sig = guest & LX_SIGBIT(n) ? lx_sig_in(o, n) : 0;
        if (sig > 0 && sig <= 64)
            host |= LX_SIGBIT(sig);
    }
    return host;
}

uint64_t lx_mask_out(os *o, uint64_t host)
{
    uint64_t guest = 0;
    if (!o->map_n[LX_M_signal])
        return host;
    for (int n = 1; n <= 64; n++) {
        int sig = host & LX_SIGBIT(n) ? lx_sig_out(o, n) : 0;
        if (sig > 0 && sig <= 64)
            guest |= LX_SIGBIT(sig);
    }
    return guest;
}

uint32_t lx_status_out(os *o, uint32_t status)
{
    if (WIFSIGNALED(status))
        return (status & ~0x7fu) | (uint32_t)lx_sig_out(o, WTERMSIG(status));
    if (WIFSTOPPED(status))
        return (status & ~0xff00u) | (uint32_t)lx_sig_out(o, WSTOPSIG(status)) << 8;
    return status;
}

/* Which member of siginfo's union is meant: the kernel's own rule. */
static int layout(int sig, int code)
{
    switch (code) {
    case SI_USER:
    case SI_TKILL:
    case SI_KERNEL:
        return LX_S_siginfo_kill;
    case SI_TIMER:
        return LX_S_siginfo_timer;
    case SI_SIGIO:
        return LX_S_siginfo_poll;
    }
    if (code < 0)
        return LX_S_siginfo_rt;
    switch (sig) {
    case SIGILL:
    case SIGFPE:
    case SIGSEGV:
    case SIGBUS:
    case SIGTRAP:
        return LX_S_siginfo_fault;
    case SIGCHLD:
        return LX_S_siginfo_chld;
    case SIGPOLL:
        return LX_S_siginfo_poll;
    case SIGSYS:
        return LX_S_siginfo_sys;
    }
    return LX_S_siginfo_kill;
}

void lx_siginfo_put(os *o, const siginfo_t *info, uint8_t raw[128])
{
    siginfo_t guest = *info;
    guest.si_signo = lx_sig_out(o, info->si_signo);
    guest.si_errno = (int)lx_value_out(o, LX_M_errno, (uint32_t)info->si_errno);
    if (layout(info->si_signo, info->si_code) == LX_S_siginfo_chld)
        guest.si_status = info->si_code == CLD_EXITED ? info->si_status : lx_sig_out(o, info->si_status);
    memset(raw, 0, 128);
    lx_struct_put(o, layout(info->si_signo, info->si_code), &guest, raw);
}

void lx_siginfo_get(os *o, siginfo_t *info, const uint8_t raw[128])
{
    memset(info, 0, sizeof(*info));
    lx_struct_get(o, LX_S_siginfo_rt, info, raw);
    int sig = lx_sig_in(o, info->si_signo);
    lx_struct_get(o, layout(sig, info->si_code), info, raw);
    info->si_signo = sig;
}

int u_siginfo_out(os *o, uint64_t addr, const siginfo_t *info)
{
    uint8_t raw[128];
    lx_siginfo_put(o, info, raw);
    return u_out(o, addr, raw, sizeof(raw));
}

int u_siginfo_in(os *o, uint64_t addr, siginfo_t *info)
{
    uint8_t raw[128];
    if (u_in(o, raw, addr, sizeof(raw)))
        return -EFAULT;
    lx_siginfo_get(o, info, raw);
    return 0;
}

/* --- sets of signals in memory: longs, the first with signals from 1 on -------------------------------------------- */

int u_sigset_in(os *o, uint64_t addr, uint64_t size, uint64_t *mask)
{
    uint32_t word = o->abi->word;
    uint64_t v, set = 0;
    if (size != o->abi->sigset_size)
        return -EINVAL;
    for (uint32_t at = 0; at < 8; at += word) {
        if (u_word_in(o, addr + at, &v))
            return -EFAULT;
        set |= v << (8 * at);
    }
    *mask = lx_mask_in(o, set);
    return 0;
}

int u_sigset_out(os *o, uint64_t addr, uint64_t mask)
{
    uint32_t word = o->abi->word;
    mask = lx_mask_out(o, mask);
    for (uint32_t at = 0; at < o->abi->sigset_size; at += word)
        if (u_word_out(o, addr + at, at < 8 ? mask >> (8 * at) : 0))
            return -EFAULT;
    return 0;
}
