/* Guest memory as system calls touch it: checked copies, strings, words, and structs converted by
 * the ABI's layouts. Invariant: no access here can fault this process; a bad guest address is
 * -EFAULT, and code that was overwritten is dropped by the core before the call returns. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>
#include <utime.h>

#include "linux.h"

/* Lock held. 0: refused; 1: plain memory; 2: pages of files, that may not exist. */
static int check(os *o, uint64_t addr, uint64_t n, uint32_t need)
{
    lx_mm *mm = &o->mm;
    int kind = 1;
    if (n > mm->size || addr > mm->size - n)
        return 0;
    uint64_t end = addr + n;
    for (size_t i = vma_lower(mm, addr); addr < end; i++) {
        if (i >= mm->n || mm->v[i].start > addr || !(mm->v[i].prot & need))
            return 0;
        if (mm->v[i].flags & VMA_FILE)
            kind = 2;
        addr = mm->v[i].end;
    }
    return kind;
}

void *u_ptr(os *o, uint64_t addr, uint64_t n, int write)
{
    addr &= o->abi->tag_mask;
    pthread_rwlock_rdlock(&o->mm.lock);
    int ok = check(o, addr, n, write ? ORYX_PROT_WRITE : ORYX_PROT_READ | ORYX_PROT_EXEC);
    pthread_rwlock_unlock(&o->mm.lock);
    return ok ? o->mm.base + addr : NULL;
}

void *u_arg(os *o, uint64_t addr, uint64_t n, int write)
{
    void *p = n ? u_ptr(o, addr, n, write) : o->mm.base;
    return p ? p : (void *)LX_PAGE_MASK; /* the last page: never the process's */
}

static int probed_copy(void *local, void *guest, uint64_t n, int write)
{
    struct iovec mine = {local, n}, theirs = {guest, n};
    ssize_t r = write ? process_vm_writev(getpid(), &mine, 1, &theirs, 1, 0)
                      : process_vm_readv(getpid(), &mine, 1, &theirs, 1, 0);
    if (r < 0 && errno != EFAULT) { /* the call is forbidden here */
        memcpy(write ? guest : local, write ? local : guest, n);
        return 0;
    }
    return r == (ssize_t)n ? 0 : -EFAULT;
}

static int copy(os *o, uint64_t addr, void *local, uint64_t n, int write)
{
    if (!n)
        return 0;
    addr &= o->abi->tag_mask;
    pthread_rwlock_rdlock(&o->mm.lock);
    int kind = check(o, addr, n, write ? ORYX_PROT_WRITE : ORYX_PROT_READ | ORYX_PROT_EXEC), r = kind ? 0 : -EFAULT;
    uint8_t *guest = o->mm.base + addr;
    if (kind == 2)
        r = probed_copy(local, guest, n, write);
    else if (kind == 1)
        memcpy(write ? (void *)guest : local, write ? local : (void *)guest, n);
    pthread_rwlock_unlock(&o->mm.lock);
    if (write && !r)
        o->host->space_written(o->space, addr, n);
    return r;
}

int u_in(os *o, void *dst, uint64_t addr, uint64_t n)
{
    return copy(o, addr, dst, n, 0);
}

int u_out(os *o, uint64_t addr, const void *src, uint64_t n)
{
    return copy(o, addr, (void *)(uintptr_t)src, n, 1);
}

void u_written(os *o, uint64_t addr, uint64_t n)
{
    if (n)
        o->host->space_written(o->space, addr & o->abi->tag_mask, n);
}

int64_t u_str(os *o, uint64_t addr, char *buf, size_t cap)
{
    size_t got = 0;
    while (got < cap) {
        uint64_t at = (addr & o->abi->tag_mask) + got;
        size_t part = LX_PAGE - (at & (LX_PAGE - 1));
        if (part > cap - got)
            part = cap - got;
        if (u_in(o, buf + got, at, part))
            return -EFAULT;
        char *nul = memchr(buf + got, 0, part);
        if (nul)
            return nul - buf;
        got += part;
    }
    return -ENAMETOOLONG;
}

/* --- structs
 * ------------------------------------------------------------------------------------------------------------
 */

static uint64_t get_bytes(const uint8_t *p, unsigned n, int swap)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t)p[swap ? n - 1 - i : i] << (8 * i);
    return v;
}

static void put_bytes(uint8_t *p, unsigned n, int swap, uint64_t v)
{
    for (unsigned i = 0; i < n; i++)
        p[swap ? n - 1 - i : i] = (uint8_t)(v >> (8 * i));
}

static uint64_t sign_extend(uint64_t v, unsigned n)
{
    return n >= 8 ? v : (uint64_t)((int64_t)(v << (64 - 8 * n)) >> (64 - 8 * n));
}

int u_big(os *o)
{
    return o->abi->elf_data == 2;
}

static int int_in(os *o, uint64_t addr, uint64_t *v, uint32_t size)
{
    uint8_t b[8];
    if (u_in(o, b, addr, size))
        return -EFAULT;
    *v = get_bytes(b, size, u_big(o));
    return 0;
}

static int int_out(os *o, uint64_t addr, uint64_t v, uint32_t size)
{
    uint8_t b[8];
    put_bytes(b, size, u_big(o), v);
    return u_out(o, addr, b, size);
}

int u_word_in(os *o, uint64_t addr, uint64_t *word)
{
    return int_in(o, addr, word, o->abi->word);
}

int u_word_out(os *o, uint64_t addr, uint64_t word)
{
    return int_out(o, addr, word, o->abi->word);
}

int u_u64_in(os *o, uint64_t addr, uint64_t *v)
{
    return int_in(o, addr, v, 8);
}

int u_u64_out(os *o, uint64_t addr, uint64_t v)
{
    return int_out(o, addr, v, 8);
}

int u_u32_in(os *o, uint64_t addr, uint32_t *v)
{
    uint64_t wide;
    int r = int_in(o, addr, &wide, 4);
    if (!r)
        *v = (uint32_t)wide;
    return r;
}

int u_u32_out(os *o, uint64_t addr, uint32_t v)
{
    return int_out(o, addr, v, 4);
}

int u_u32s_in(os *o, uint64_t addr, uint32_t *v, uint32_t n)
{
    if (u_in(o, v, addr, 4ull * n))
        return -EFAULT;
    for (uint32_t i = 0; u_big(o) && i < n; i++)
        v[i] = __builtin_bswap32(v[i]);
    return 0;
}

int u_u32s_out(os *o, uint64_t addr, const uint32_t *v, uint32_t n)
{
    if (!u_big(o))
        return u_out(o, addr, v, 4ull * n);
    for (uint32_t i = 0; i < n; i++)
        if (u_u32_out(o, addr + 4ull * i, v[i]))
            return -EFAULT;
    return 0;
}

static const uint16_t host_sizes[LX_S_COUNT] = {
#define STRUCT(id, letter, type) [LX_S_##id] = sizeof(type),
#define FIELD(id, member)
#include "structs.def"
};
static const char letters[LX_S_COUNT] = {
#define STRUCT(id, letter, type) [LX_S_##id] = #letter[0],
#define FIELD(id, member)
#include "structs.def"
};

int lx_struct_by_letter(char letter)
{
    for (int i = 1; i < LX_S_COUNT; i++)
        if (letters[i] == letter)
            return i;
    return LX_S_NONE;
}

uint32_t u_struct_size(os *o, int id)
{
    return o->abi->sizes[id];
}

static const lx_field *fields_of(os *o, int id)
{
    return &o->abi->fields[o->field_first[id]];
}

void lx_struct_get(os *o, int id, void *host, const uint8_t *raw)
{
    for (const lx_field *f = fields_of(o, id); f->strct == id; f++) {
        uint64_t v = get_bytes(raw + f->guest, f->guest_size, u_big(o));
        if (f->is_signed)
            v = sign_extend(v, f->guest_size);
        put_bytes((uint8_t *)host + f->host, f->host_size, 0, v);
    }
}

void lx_struct_put(os *o, int id, const void *host, uint8_t *raw)
{
    for (const lx_field *f = fields_of(o, id); f->strct == id; f++) {
        uint64_t v = get_bytes((const uint8_t *)host + f->host, f->host_size, 0);
        if (f->is_signed)
            v = sign_extend(v, f->host_size);
        put_bytes(raw + f->guest, f->guest_size, u_big(o), v);
    }
}

int u_struct_in(os *o, int id, void *host, uint64_t addr)
{
    uint8_t raw[LX_STRUCT_MAX];
    if (u_in(o, raw, addr, o->abi->sizes[id]))
        return -EFAULT;
    memset(host, 0, host_sizes[id]);
    lx_struct_get(o, id, host, raw);
    return 0;
}

int u_struct_out(os *o, int id, const void *host, uint64_t addr)
{
    uint8_t raw[LX_STRUCT_MAX] = {0};
    lx_struct_put(o, id, host, raw);
    return u_out(o, addr, raw, o->abi->sizes[id]);
}
