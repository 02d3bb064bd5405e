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
#define SYS(name, sig)           {#name, sys_##name, 0, 0, sig},
#define PASS(name, sig)          {#name, NULL, SYS_##name, 0, sig},
#define PASS_AS(name, host, sig) {#name, NULL, SYS_##host, 0, sig},
#define AS(name, handler, sig)   {#name, sys_##handler, 0, 0, sig},
#define WIDE(name, handler, sig) {#name, sys_##handler, 0, 1, sig},
#include "syscalls.def"
#undef SYS
#undef PASS
#undef PASS_AS
#undef AS
#undef WIDE
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

/* Numbers from here on are few and far apart (Arm's private calls): looked for one by one. */
#define SPARSE 8192u

/* Where each struct's and each kind's rows begin. */
static void index_tables(os *o)
{
    const lx_abi *abi = o->abi;
    uint16_t end = 0;
    while (abi->fields[end].strct)
        end++;
    for (int i = 0; i < LX_S_COUNT; i++)
        o->field_first[i] = end;
    while (end-- > 0)
        o->field_first[abi->fields[end].strct] = end;
    for (uint32_t i = abi->n_maps; i-- > 0;) {
        o->map_first[abi->maps[i].kind] = (uint16_t)i;
        o->map_n[abi->maps[i].kind]++;
    }
}

int syscalls_bind(os *o, oryx_error *err)
{
    uint32_t last = 0;
    index_tables(o);
    for (uint32_t i = 0; i < o->abi->n_nrs; i++)
        if (o->abi->nrs[i].number > last && o->abi->nrs[i].number < SPARSE)
            last = o->abi->nrs[i].number;
    o->n_calls = last + 1;
    o->calls = calloc(o->n_calls, sizeof(*o->calls));
    o->names = calloc(o->n_calls, sizeof(*o->names));
    if (!o->calls || !o->names)
        return o->host->error_set(err, ORYX_E_NOMEM, "no memory for the system call table");
    for (uint32_t i = 0; i < o->abi->n_nrs; i++) {
        const lx_nr *nr = &o->abi->nrs[i];
        if (nr->number >= SPARSE)
            continue;
        o->calls[nr->number] = find(nr->row);
        o->names[nr->number] = nr->name;
    }
    return 0;
}

static const lx_call *call_of(os *o, uint64_t nr, const char **name)
{
    *name = NULL;
    if (nr < o->n_calls) {
        *name = o->names[nr];
        return o->calls[nr];
    }
    for (uint32_t i = 0; nr >= SPARSE && i < o->abi->n_nrs; i++)
        if (o->abi->nrs[i].number == nr) {
            *name = o->abi->nrs[i].name;
            return find(o->abi->nrs[i].row);
        }
    return NULL;
}

/* Registers to arguments: on a 32-bit ABI a 'q' takes two of them and a long has a sign; where its registers have 64 bits
 * (N32) one holds either. */
static void arguments(os *o, const char *sig, const uint64_t *raw, uint64_t *a)
{
    int r = 0, n = 0;
    memset(a, 0, 8 * sizeof(*a));
    for (const char *s = sig; *s && n < 6 && r < 8; s++, n++) {
        if (*s == 'j') { /* two longs on every ABI; a long holds it all on a 64-bit one */
            a[n] = raw[r];
            if (o->abi->word == 4 && o->abi->pairs && r < 7)
                a[n] |= raw[r + 1] << 32;
            r += 2;
        } else if (*s == 'q' && o->abi->word == 4 && o->abi->pairs) {
            if (o->abi->pairs == 2)
                r += r & 1;
            if (r < 7)
                a[n] = u_big(o) ? raw[r] << 32 | raw[r + 1] : raw[r + 1] << 32 | raw[r];
            r += 2;
        } else {
            a[n] = raw[r++];
            if (*s == 'l' && o->abi->word == 4 && o->abi->pairs)
                a[n] = (uint64_t)(int32_t)a[n];
            else if (o->abi->word == 4 && *s != 'q' && *s != 'l')
                a[n] = (uint32_t)a[n];
            if (*s == '<' || *s == '>')
                s++;
        }
    }
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
    case 'e': /* a 16-bit user or group, -1 for none */
        *host = (uint16_t)v == 0xffff ? -1 : (long)(uint16_t)v;
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
    for (const char *s = c->sig; *s && i < 6 && !r; s++, i++) { /* the host's calls take six */
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
    o->abi->args(t, &t->nr, t->raw);
    const char *name;
    const lx_call *c = call_of(o, t->nr, &name);
    lx_line line;
    uint64_t a[8];
    t->call = c;
    arguments(o, c ? c->sig : "uuuuuu", t->raw, a);
    line.n = 0;
    if (o->strace) {
        char unknown[32];
        snprintf(unknown, sizeof(unknown), "syscall_%#llx", (unsigned long long)t->nr);
        strace_enter(t, &line, name ? name : unknown, c, a);
    }
    int64_t r = !c ? -ENOSYS : c->fn ? c->fn(t, a) : syscall_pass(t, c, a);
    if (o->strace)
        strace_leave(t, &line, c, a, r);
    if (r < 0 && r > -4096 && r != -LX_RESTART && r != -LX_NORESULT)
        r = -(int64_t)lx_value_out(o, LX_M_errno, (uint32_t)-r);
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
