/* System call dispatch: binds an ABI's numbers to the rows of syscalls.def, serves one call of a
 * task, and hands to the host those whose rows need nothing but converted arguments. Called by
 * run.c. Invariant: when syscall_serve returns the guest's registers hold either the result, the
 * call to be made again, or what the call itself (exec, sigreturn) put there. */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <unistd.h>

#include "linux.h"

static const lx_call rows[] = {
#define SYS(name, sig)         {#name, sys_##name, 0, sig},
#define PASS(name, sig)        {#name, NULL, SYS_##name, sig},
#define AS(name, handler, sig) {#name, sys_##handler, 0, sig},
#include "syscalls.def"
#undef SYS
#undef PASS
#undef AS
};

static const lx_call *find(const char *name)
{
    size_t lo = 0, hi = sizeof(rows) / sizeof(rows[0]);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = strcmp(rows[mid].name, name);
        if (!c)
            return &rows[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

int syscalls_bind(os *o, oryx_error *err)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i < o->abi->n_nrs; i++)
        if (o->abi->nrs[i].number > last)
            last = o->abi->nrs[i].number;
    o->n_calls = last + 1;
    o->calls = calloc(o->n_calls, sizeof(*o->calls));
    o->names = calloc(o->n_calls, sizeof(*o->names));
    if (!o->calls || !o->names)
        return o->host->error_set(err, ORYX_E_NOMEM, "no memory for the system call table");
    for (uint32_t i = 0; i < o->abi->n_nrs; i++) {
        o->calls[o->abi->nrs[i].number] = find(o->abi->nrs[i].name);
        o->names[o->abi->nrs[i].number] = o->abi->nrs[i].name;
    }
    return 0;
}

/* --- handing a call to the host
 * -------------------------------------------------------------------------------------- */

typedef struct passing {
    lx_path path;
    union {
        uint8_t bytes[LX_STRUCT_MAX];
        uint64_t align;
    } structs[3];
    char pathbuf[PATH_MAX + 64];
    char text[2][PATH_MAX];
    uint64_t out[3], out_buf;
    uint8_t out_id[3];
    int n_structs, n_out, n_text, has_path;
} passing;

/* Converts one argument. letter: its place in the signature. */
static int64_t pass_arg(task *t, passing *p, const char *letter, uint64_t v, uint64_t next,
                        int prev_dir, long *host)
{
    os *o = t->o;
    int id;
    int64_t r;
    switch (*letter) {
    case 'i':
    case 'f':
    case 'd':
    case 'b':
    case 'c':
    case 'W':
        *host = (int32_t)v;
        return 0;
    case 'u':
    case 'x':
    case 'm':
        *host = (long)(uint32_t)v;
        return 0;
    case 'o':
        *host = (long)lx_open_flags_in(o, (uint32_t)v);
        return 0;
    case 's':
        r = u_str(o, v, p->text[p->n_text], PATH_MAX);
        *host = (long)p->text[p->n_text++];
        return r < 0 ? r : 0;
    case 'a':
    case 'n':
        r = path_get(o, prev_dir, v, *letter == 'a' ? PATH_FOLLOW : 0, &p->path);
        if (r)
            return r;
        p->has_path = 1;
        *host = (long)path_string(&p->path, p->pathbuf, sizeof(p->pathbuf));
        return 0;
    case 'r':
    case 'w':
        *host = (long)u_arg(o, v, next, *letter == 'w');
        if (*letter == 'w')
            p->out_buf = v;
        return 0;
    case '<':
    case '>':
        *host = 0;
        if (!v)
            return 0;
        id = lx_struct_by_letter(letter[1]);
        *host = (long)p->structs[p->n_structs].bytes;
        if (*letter == '<' && u_struct_in(o, id, p->structs[p->n_structs].bytes, v))
            return -EFAULT;
        if (*letter == '>') {
            p->out[p->n_out] = v;
            p->out_id[p->n_out++] = (uint8_t)(id | p->n_structs << 6);
        }
        p->n_structs++;
        return 0;
    }
    *host = (long)v;
    return 0;
}

int64_t syscall_pass(task *t, const lx_call *c, const uint64_t *a)
{
    passing p;
    long h[6] = {0};
    int64_t r = 0;
    p.n_structs = p.n_out = p.n_text = p.has_path = 0;
    p.out_buf = 0;
    int i = 0;
    for (const char *s = c->sig; *s && i < 6 && !r; s++, i++) {
        r = pass_arg(t, &p, s, a[i], i < 5 ? a[i + 1] : 0, AT_FDCWD, &h[i]);
        if (*s == '<' || *s == '>')
            s++;
    }
    if (!r)
        r = SYS6(t, c->host_nr, h[0], h[1], h[2], h[3], h[4], h[5]);
    if (p.has_path)
        path_done(&p.path);
    if (r < 0)
        return r;
    for (i = 0; i < p.n_out; i++)
        if (u_struct_out(t->o, p.out_id[i] & 63, p.structs[p.out_id[i] >> 6].bytes, p.out[i]))
            return -EFAULT;
    if (p.out_buf)
        u_written(t->o, p.out_buf, (uint64_t)r);
    return r;
}

/* --- serving
 * ---------------------------------------------------------------------------------------------------------------
 */

void syscall_serve(task *t)
{
    os *o = t->o;
    o->abi->args(t, &t->nr, t->args);
    const lx_call *c = t->nr < o->n_calls ? o->calls[t->nr] : NULL;
    lx_line line;
    uint64_t a[6];
    memcpy(a, t->args, sizeof(a));
    line.n = 0;
    if (o->strace) {
        char unknown[32];
        snprintf(unknown, sizeof(unknown), "syscall_%#llx", (unsigned long long)t->nr);
        strace_enter(t, &line, t->nr < o->n_calls && o->names[t->nr] ? o->names[t->nr] : unknown, c,
                     a);
    }
    int64_t r = !c ? -ENOSYS : c->fn ? c->fn(t, a) : syscall_pass(t, c, a);
    if (o->strace)
        strace_leave(t, &line, c, a, r);
    if (r != -LX_NORESULT && r != -LX_RESTART)
        o->abi->set_result(t, r);
    if (t->captured)
        signal_deliver(t, &r);
    else if (r == -LX_RESTART)
        o->abi->restart(t);
}

void lx_tell(os *o, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n >= (int)sizeof(text))
        n = sizeof(text) - 1;
    ssize_t w = write(o->strace_fd, text, (size_t)n);
    (void)w;
}
