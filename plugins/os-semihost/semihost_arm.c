/* Arm's semihosting (its specification, version 3): operation in r0 or x0, a block of words in memory at r1 or x1, the result in r0.
 * M profile: BKPT 0xAB. A32: SVC 0x123456, HLT 0xF000; T32: SVC 0xAB, HLT 0x3C; A64: HLT 0xF000. SVC asks the host only where the
 * guest has no vector for it: at user level.
 *
 * Called by plugin.c with the lock held. Invariant: a served request leaves pc behind the instruction that made it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "semihost.h"

enum { SYS_OPEN = 1, SYS_CLOSE, SYS_WRITEC, SYS_WRITE0, SYS_WRITE, SYS_READ, SYS_READC, SYS_ISERROR, SYS_ISTTY, SYS_SEEK, SYS_FLEN = 0xc,
       SYS_TMPNAM, SYS_REMOVE, SYS_RENAME, SYS_CLOCK, SYS_TIME, SYS_SYSTEM, SYS_ERRNO, SYS_GET_CMDLINE = 0x15, SYS_HEAPINFO,
       SYS_ENTER_SVC, SYS_EXIT, SYS_EXIT_EXTENDED = 0x20, SYS_ELAPSED = 0x30, SYS_TICKFREQ };

#define APPLICATION_EXIT 0x20026u
#define PIECE 65536u

typedef struct call {
    semihost *s;
    oryx_vcpu *v;
    uint32_t wide;      /* A64: words of 8 bytes */
    uint64_t block, arg[4];
} call;

/* --- Registers and memory ------------------------------------------------------------------------------------------- */

static uint64_t get(const call *c, const char *name)
{
    oryx_machine *m = c->s->machine;
    uint8_t b[16] = { 0 };
    uint64_t v = 0;
    int32_t r = c->s->host->reg_find(m, name);
    if (r >= 0)
        c->s->host->reg_read(c->v, r, b, c->s->host->reg_row(m, r)->size);
    memcpy(&v, b, sizeof v);
    return v;
}

static void set(const call *c, const char *name, uint64_t v)
{
    oryx_machine *m = c->s->machine;
    int32_t r = c->s->host->reg_find(m, name);
    if (r >= 0)
        c->s->host->reg_write(c->v, r, &v, c->s->host->reg_row(m, r)->size);
}

static int64_t failed(const call *c, int error)
{
    c->s->error = error;
    return -1;
}

static int words(call *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        c->arg[i] = 0;
        if (c->s->host->vcpu_read(c->v, c->block + i * (c->wide ? 8u : 4u), &c->arg[i], c->wide ? 8 : 4))
            return (int)failed(c, EFAULT);
    }
    return 0;
}

/* A string of the guest: up to its zero, or of n bytes; malloc'ed, NULL with the error set. */
static char *string(const call *c, uint64_t addr, uint64_t n)
{
    uint64_t most = n == UINT64_MAX ? PIECE * 16u : n, at = 0;
    char *text = n != UINT64_MAX && n > PIECE ? NULL : malloc((size_t)most + 1);
    if (!text) {
        failed(c, ENAMETOOLONG);
        return NULL;
    }
    for (; at < most; at++) {
        if (c->s->host->vcpu_read(c->v, addr + at, text + at, 1)) {
            free(text);
            failed(c, EFAULT);
            return NULL;
        }
        if (!text[at] && n == UINT64_MAX)
            break;
    }
    text[at] = 0;
    return text;
}

/* Bytes between guest and handle in pieces; the result is how many were not transferred. */
static int64_t transfer(const call *c, int write)
{
    uint64_t addr = c->arg[1], left = c->arg[2];
    char *piece = malloc(PIECE);
    int64_t st = 0;
    if (!piece)
        return failed(c, ENOMEM);
    while (left && st >= 0) {
        size_t n = left < PIECE ? (size_t)left : PIECE;
        if (write) {
            if (c->s->host->vcpu_read(c->v, addr, piece, n))
                st = failed(c, EFAULT);
            else
                st = files_write(c->s, c->arg[0], piece, n);
        } else {
            st = files_read(c->s, c->arg[0], piece, n);
            if (st > 0 && c->s->host->vcpu_write(c->v, addr, piece, (uint64_t)st))
                st = failed(c, EFAULT);
        }
        if (st <= 0)
            break;
        addr += (uint64_t)st;
        left -= (uint64_t)st;
        if ((size_t)st < n)
            break;
    }
    free(piece);
    return st < 0 && left == c->arg[2] && !write ? -1 : (int64_t)left;
}

/* --- Calls -------------------------------------------------------------------------------------------------------------- */

static int64_t do_open(call *c)
{
    static const int flags[3] = { O_RDONLY, O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_CREAT | O_APPEND };
    if (words(c, 3))
        return -1;
    uint64_t mode = c->arg[1];
    if (mode > 11)
        return failed(c, EINVAL);
    char *name = string(c, c->arg[0], c->arg[2]);
    int64_t r;
    if (!name)
        return -1;
    if (!strcmp(name, ":tt"))
        r = files_console(c->s, (int)(mode / 4)); /* r: stdin, w: stdout, a: stderr */
    else if (!strcmp(name, ":semihosting-features"))
        r = mode < 4 ? files_features(c->s) : failed(c, EACCES);
    else
        r = files_open(c->s, name, mode & 2 ? (flags[mode / 4] & ~O_WRONLY) | O_RDWR : flags[mode / 4], 0666);
    free(name);
    return r;
}

static int64_t do_text(const call *c, int one)
{
    char *text = string(c, c->block, one ? 1 : UINT64_MAX);
    if (!text)
        return -1;
    size_t n = one ? 1 : strlen(text);
    for (size_t at = 0; at < n;) {
        ssize_t put = write(1, text + at, n - at);
        if (put < 0 && errno != EINTR)
            break;
        at += put > 0 ? (size_t)put : 0;
    }
    free(text);
    return 0;
}

static int64_t do_tmpnam(call *c)
{
    char name[32];
    if (words(c, 3))
        return -1;
    int n = snprintf(name, sizeof name, "oryx%02x.%u", (unsigned)(c->arg[1] & 255), ++c->s->temporary) + 1;
    if ((uint64_t)n > c->arg[2])
        return failed(c, ENAMETOOLONG);
    return c->s->host->vcpu_write(c->v, c->arg[0], name, (uint64_t)n) ? failed(c, EFAULT) : 0;
}

static int64_t do_names(call *c, int rename)
{
    if (words(c, rename ? 4 : 2))
        return -1;
    char *a = string(c, c->arg[0], c->arg[1]), *b = rename && a ? string(c, c->arg[2], c->arg[3]) : NULL;
    int64_t r = !a || (rename && !b) ? -1 : rename ? files_rename(c->s, a, b) : files_remove(c->s, a);
    free(a);
    free(b);
    return r;
}

static int64_t do_system(call *c)
{
    if (words(c, 2))
        return -1;
    if (!c->s->system)
        return failed(c, EPERM);
    char *command = string(c, c->arg[0], c->arg[1]);
    int64_t r = command ? system(command) : -1;
    free(command);
    return r;
}

static int64_t put_word(const call *c, uint64_t addr, uint64_t v)
{
    return c->s->host->vcpu_write(c->v, addr, &v, c->wide ? 8 : 4) ? failed(c, EFAULT) : 0;
}

static int64_t do_cmdline(call *c)
{
    const char *line = c->s->cmdline ? c->s->cmdline : "";
    size_t n = strlen(line);
    if (words(c, 2))
        return -1;
    if (n + 1 > c->arg[1])
        return failed(c, ENAMETOOLONG);
    if (c->s->host->vcpu_write(c->v, c->arg[0], line, n + 1))
        return failed(c, EFAULT);
    return put_word(c, c->block + (c->wide ? 8 : 4), n);
}

/* The block is one word: where the four go. */
static int64_t do_heapinfo(call *c)
{
    int64_t r = words(c, 1);
    for (unsigned i = 0; i < 4 && !r; i++)
        r = put_word(c, c->arg[0] + i * (c->wide ? 8u : 4u), c->s->heap[i]);
    return r;
}

static int64_t do_elapsed(const call *c)
{
    uint64_t now = c->s->host->machine_vtime(c->s->machine);
    return c->s->host->vcpu_write(c->v, c->block, &now, 8) ? failed(c, EFAULT) : 0;
}

static int64_t do_time(const call *c)
{
    return c->s->time < 0 ? (int64_t)time(NULL) : c->s->time + (int64_t)(c->s->host->machine_vtime(c->s->machine) / 1000000000u);
}

static int64_t do_readc(const call *c)
{
    uint8_t b;
    ssize_t n;
    do
        n = read(0, &b, 1);
    while (n < 0 && errno == EINTR && !c->s->stop);
    return n == 1 ? b : -1;
}

static oryx_status end(call *c, uint32_t op, oryx_os_status *status)
{
    uint64_t reason = c->block, code = 0;
    if (op == SYS_EXIT_EXTENDED || c->wide) {
        if (words(c, 2))
            return ORYX_E_NOTFOUND;
        reason = c->arg[0];
        code = c->arg[1];
    }
    *status = (oryx_os_status){ .hdr = ORYX_HDR(oryx_os_status), .code = reason == APPLICATION_EXIT ? (int32_t)code : 1 };
    return ORYX_E_STATE;
}

static int64_t operate(call *c, uint32_t op)
{
    semihost *s = c->s;
    switch (op) {
    case SYS_OPEN: return do_open(c);
    case SYS_CLOSE: return words(c, 1) ? -1 : files_close(s, c->arg[0]);
    case SYS_WRITEC: return do_text(c, 1);
    case SYS_WRITE0: return do_text(c, 0);
    case SYS_WRITE:
    case SYS_READ: return words(c, 3) ? -1 : transfer(c, op == SYS_WRITE);
    case SYS_READC: return do_readc(c);
    case SYS_ISERROR: return words(c, 1) ? -1 : (c->wide ? (int64_t)c->arg[0] : (int32_t)c->arg[0]) < 0;
    case SYS_ISTTY: return words(c, 1) ? -1 : files_is_terminal(s, c->arg[0]);
    case SYS_SEEK: return words(c, 2) ? -1 : files_seek(s, c->arg[0], c->arg[1]);
    case SYS_FLEN: return words(c, 1) ? -1 : files_length(s, c->arg[0]);
    case SYS_TMPNAM: return do_tmpnam(c);
    case SYS_REMOVE: return do_names(c, 0);
    case SYS_RENAME: return do_names(c, 1);
    case SYS_CLOCK: return (int64_t)(s->host->machine_vtime(s->machine) / 10000000u);
    case SYS_TIME: return do_time(c);
    case SYS_SYSTEM: return do_system(c);
    case SYS_ERRNO: return s->error;
    case SYS_GET_CMDLINE: return do_cmdline(c);
    case SYS_HEAPINFO: return do_heapinfo(c);
    case SYS_ELAPSED: return do_elapsed(c);
    case SYS_TICKFREQ: return 1000000000;
    default: return failed(c, ENOSYS);
    }
}

/* Bytes of the requesting instruction that pc still stands at; -1: no request. */
static int request(const semihost *s, const oryx_exit *e)
{
    const char *arch = s->host->machine_arch(s->machine)->name;
    if (e->reason == ORYX_EXIT_EXCEPTION && e->exc.kind == ORYX_EXC_SEMIHOST)
        return strcmp(arch, "armm") && e->exc.syndrome != 0x3c ? 4 : 2;
    return e->reason == ORYX_EXIT_SYSCALL && !strcmp(arch, "arm") && (e->exc.syndrome == 0x123456 || e->exc.syndrome == 0xab) ? 0 : -1;
}

static oryx_status serve(semihost *s, oryx_vcpu *v, const oryx_exit *exit, oryx_os_status *status)
{
    int behind = request(s, exit);
    if (behind < 0)
        return ORYX_E_NOTFOUND;
    call c = { .s = s, .v = v, .wide = !strcmp(s->host->machine_arch(s->machine)->name, "arm64") };
    uint32_t op = (uint32_t)get(&c, c.wide ? "x0" : "r0");
    c.block = get(&c, c.wide ? "x1" : "r1");
    if (op == SYS_EXIT || op == SYS_EXIT_EXTENDED)
        return end(&c, op, status);
    if (op != SYS_ENTER_SVC) /* of monitors of the past: the guest goes on as it is */
        set(&c, c.wide ? "x0" : "r0", (uint64_t)operate(&c, op));
    s->host->vcpu_set_pc(v, s->host->vcpu_pc(v) + (uint64_t)behind);
    return ORYX_OK;
}

const semihost_abi semihost_arm = { .archs = { "arm64", "arm", "armm", NULL }, .serve = serve };
