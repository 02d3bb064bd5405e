/* Guest memory: one reserved window of host addresses in which the guest's mappings are made with
 * MAP_FIXED, and the MMU function that tells the core what each page allows. Called by the memory
 * system calls, the loader and TLB fills.
 *
 * Invariant: what the guest never had is PROT_NONE on the host. With mm.exact the host's protections
 * are the guest's, because compiled code goes there directly, and no page is both writable directly
 * and executable. Without, the core checks every access, and where the guest has any the host may
 * read and (but for shared read-only files) write. */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "linux.h"

#define LOW_LIMIT 0x10000u /* as vm.mmap_min_addr */

#define FRESH (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

static void *reserve(void *at, uint64_t size)
{
    return mmap(at, size, PROT_NONE, FRESH | (at ? MAP_FIXED : 0), -1, 0);
}

/* Pages that were the guest's are so no more. Another thread may be between its look-up and its
 * access: with a handler of host faults that is the guest's fault, without it must not be ours. */
static void *give_back(const lx_mm *mm, uint64_t addr, uint64_t size)
{
    uint8_t *at = mm->base + addr;
    void *p = mm->exact ? MAP_FAILED
                        : mmap(at, size, PROT_READ | PROT_WRITE, FRESH | MAP_FIXED, -1, 0);
    return p != MAP_FAILED ? p : reserve(at, size);
}

oryx_status mm_create(os *o, uint64_t want, oryx_error *err)
{
    lx_mm *mm = &o->mm;
    for (mm->size = want; mm->size >= 1ull << 28; mm->size /= 2) {
        mm->reserved_size = mm->size + 2ull * ORYX_WINDOW_GUARD;
        void *p = reserve(NULL, mm->reserved_size);
        if (p != MAP_FAILED) {
            mm->reserved = p;
            mm->base = mm->reserved + ORYX_WINDOW_GUARD;
            mm->limit = mm->size;
            madvise(p, mm->reserved_size, MADV_DONTDUMP); /* cores would list the whole window */
            pthread_rwlock_init(&mm->lock, NULL);
            return ORYX_OK;
        }
    }
    return o->host->error_set(
        err, ORYX_E_NOMEM,
        "cannot reserve 256 MiB of address space for the guest: the limit on virtual "
        "memory is too low; raise it with 'ulimit -v unlimited'");
}

void mm_destroy(os *o)
{
    lx_mm *mm = &o->mm;
    if (!mm->base)
        return;
    munmap(mm->reserved, mm->reserved_size);
    for (size_t i = 0; i < mm->n; i++)
        lx_file_unref(mm->v[i].file);
    free(mm->v);
    pthread_rwlock_destroy(&mm->lock);
    mm->base = NULL;
}

oryx_status mm_window(os *o, oryx_error *err)
{
    oryx_window w = {.hdr = ORYX_HDR(oryx_window),
                     .host = o->mm.base,
                     .size = o->mm.size,
                     .mmu = mm_translate,
                     .opaque = o,
                     .prot = ORYX_PROT_READ | ORYX_PROT_WRITE};
    oryx_status st = o->host->space_set_window(o->space, &w, err);
    o->mm.exact = st == ORYX_OK;
    return st == ORYX_E_UNSUPPORTED ? ORYX_OK : st;
}

/* A page that can be written and executed at once: stores must be noticed from now on. */
static void no_direct_writes(os *o)
{
    oryx_window w = {.hdr = ORYX_HDR(oryx_window),
                     .host = o->mm.base,
                     .size = o->mm.size,
                     .mmu = mm_translate,
                     .opaque = o,
                     .prot = ORYX_PROT_READ};
    if (o->mm.exact == 1 && o->host->space_set_window(o->space, &w, NULL) == ORYX_OK)
        o->mm.exact = 2;
}

void mm_changed(os *o, uint64_t addr, uint64_t len)
{
    uint64_t size = o->mm.tags_seen ? 0 : len;
    for (size_t i = 0; i < sizeof(o->mm.probed) / sizeof(o->mm.probed[0]); i++)
        atomic_store_explicit(&o->mm.probed[i], 0, memory_order_relaxed);
    pthread_mutex_lock(&o->lock);
    for (task *t = o->tasks; t; t = t->next)
        o->host->vcpu_tlb_flush(t->v, size ? addr : 0, size);
    pthread_mutex_unlock(&o->lock);
}

/* Mapped pages of a file that was cut are gone: the guest's next touch must come back here. */
void mm_truncated(os *o, int fd)
{
    struct stat st;
    int hit = 0;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        return;
    pthread_rwlock_rdlock(&o->mm.lock);
    for (size_t i = 0; i < o->mm.n && !hit; i++)
        hit = o->mm.v[i].file && o->mm.v[i].file->ino == st.st_ino &&
              o->mm.v[i].file->dev == st.st_dev;
    pthread_rwlock_unlock(&o->mm.lock);
    if (hit)
        mm_changed(o, 0, 0);
}

void mm_clear(os *o)
{
    lx_mm *mm = &o->mm;
    pthread_rwlock_wrlock(&mm->lock);
    for (size_t i = 0; i < mm->n; i++) {
        reserve(mm->base + mm->v[i].start, mm->v[i].end - mm->v[i].start);
        if (mm->v[i].prot & ORYX_PROT_EXEC)
            o->host->space_written(o->space, mm->v[i].start, mm->v[i].end - mm->v[i].start);
        lx_file_unref(mm->v[i].file);
    }
    mm->n = 0;
    mm->brk = mm->brk_start = mm->tramp = 0;
    mm->limit = mm->size;
    pthread_rwlock_unlock(&mm->lock);
    mm_changed(o, 0, mm->size);
    if (mm->exact == 2) /* the next image may have nothing that is writable and executable */
        mm_window(o, NULL);
}

/* A page of a file mapping that lies beyond the file's end would kill this process when touched. */
static int page_exists(os *o, uint64_t page)
{
    _Atomic uint64_t *cached =
        &o->mm.probed[page / LX_PAGE % (sizeof(o->mm.probed) / sizeof(o->mm.probed[0]))];
    char byte;
    if (atomic_load_explicit(cached, memory_order_relaxed) == page)
        return 1;
    struct iovec to = {&byte, 1}, from = {o->mm.base + page, 1};
    if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1) {
        atomic_store_explicit(cached, page, memory_order_relaxed);
        return 1;
    }
    if (errno == EFAULT)
        return 0;
    return madvise(o->mm.base + page, LX_PAGE, MADV_WILLNEED) ==
           0; /* no such call here: trust the mapping */
}

oryx_status mm_translate(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access,
                         oryx_mmu_result *out)
{
    /* What may be executed may be read, on all CPUs that Linux programs meet here. */
    static const uint32_t need[] = {ORYX_PROT_READ | ORYX_PROT_EXEC, ORYX_PROT_WRITE,
                                    ORYX_PROT_EXEC};
    os *o = opaque;
    lx_mm *mm = &o->mm;
    oryx_status st = ORYX_OK;
    (void)cpu;
    uint64_t va = addr;
    if (access != ORYX_ACCESS_FETCH && (addr & ~o->abi->tag_mask)) {
        va = addr & o->abi->tag_mask;
        mm->tags_seen = 1;
    }
    pthread_rwlock_rdlock(&mm->lock);
    vma *v = vma_find(mm, va);
    if (!v)
        st = ORYX_FAULT_TRANSLATE;
    else if (!(v->prot & need[access]))
        st = ORYX_FAULT_PROT;
    else if ((v->flags & VMA_FILE) && !page_exists(o, va & LX_PAGE_MASK))
        st = ORYX_FAULT_DEVICE;
    if (st == ORYX_OK) {
        out->phys = va;
        out->page_size = LX_PAGE;
        out->prot = v->prot & ORYX_PROT_EXEC ? v->prot | ORYX_PROT_READ : v->prot;
        out->attrs = ORYX_ATTR_USER;
    }
    pthread_rwlock_unlock(&mm->lock);
    return st;
}

static lx_file *file_of(int fd)
{
    struct stat st;
    char link[40], path[PATH_MAX];
    if (fstat(fd, &st))
        return NULL;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    if (n < 0)
        n = 0;
    lx_file *f = malloc(sizeof(*f) + (size_t)n + 1);
    if (!f)
        return NULL;
    f->refs = 1;
    f->dev = st.st_dev;
    f->ino = st.st_ino;
    memcpy(f->path, path, (size_t)n);
    f->path[n] = 0;
    return f;
}

static int host_prot(const os *o, uint32_t guest_prot, uint32_t flags)
{
    if (!guest_prot)
        return PROT_NONE;
    if (o->mm.exact && !(guest_prot & ORYX_PROT_WRITE))
        return PROT_READ;
    return flags & VMA_NOWRITE ? PROT_READ : PROT_READ | PROT_WRITE;
}

/* Writable implies readable on every CPU that Linux gives such a mapping on here. */
static uint32_t guest_prot(uint32_t prot)
{
    prot &= ORYX_PROT_ALL;
    return prot & ORYX_PROT_WRITE ? prot | ORYX_PROT_READ : prot;
}

void mm_put(os *o, uint64_t addr, const void *src, uint64_t n)
{
    vma *v = vma_find(&o->mm, addr);
    uint8_t *page = o->mm.base + (addr & LX_PAGE_MASK);
    size_t pages = LX_PAGE_UP(addr + n) - (addr & LX_PAGE_MASK);
    int usual = v ? host_prot(o, v->prot, v->flags) : PROT_NONE;
    if (usual == PROT_READ)
        mprotect(page, pages, PROT_READ | PROT_WRITE);
    if (src)
        memcpy(o->mm.base + addr, src, n);
    else
        memset(o->mm.base + addr, 0, n);
    if (usual == PROT_READ)
        mprotect(page, pages, usual);
}

/* Drop vmas and code of a range whose contents go away. Lock held for writing. */
static int forget(os *o, uint64_t start, uint64_t end)
{
    lx_mm *mm = &o->mm;
    for (size_t i = vma_lower(mm, start); i < mm->n && mm->v[i].start < end; i++)
        if (mm->v[i].prot & ORYX_PROT_EXEC) {
            o->host->space_written(o->space, start, end - start);
            break;
        }
    return vma_carve(mm, start, end);
}

static int64_t map_at(os *o, uint64_t at, uint64_t len, vma *v, int flags, int fd)
{
    lx_mm *mm = &o->mm;
    int host_flags = (flags & ~(MAP_FIXED_NOREPLACE | MAP_32BIT | MAP_GROWSDOWN | MAP_HUGETLB)) |
                     MAP_FIXED | MAP_NORESERVE;
    int want = host_prot(o, v->prot, v->flags);
    void *p = mmap(mm->base + at, len, want, host_flags, fd, (off_t)v->offset);
    if (p == MAP_FAILED && errno == EACCES && (v->flags & VMA_SHARED) &&
        !(v->prot & ORYX_PROT_WRITE)) {
        v->flags |= VMA_NOWRITE;
        p = mmap(mm->base + at, len, host_prot(o, v->prot, v->flags), host_flags, fd,
                 (off_t)v->offset);
    }
    if (p == MAP_FAILED)
        return -errno;
    if (forget(o, at, at + len))
        return -ENOMEM;
    v->start = at;
    v->end = at + len;
    return vma_insert(mm, v);
}

int64_t mm_map(os *o, uint64_t addr, uint64_t len, uint32_t prot, int flags, int fd, uint64_t off,
               const char *tag)
{
    lx_mm *mm = &o->mm;
    vma v = {.prot = guest_prot(prot), .offset = off, .tag = tag};
    int64_t r;
    if (!len || (off & (LX_PAGE - 1)))
        return -EINVAL;
    if (len > mm->size)
        return -ENOMEM;
    len = LX_PAGE_UP(len);
    if ((flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE)
        v.flags |= VMA_SHARED;
    else if ((flags & MAP_TYPE) != MAP_PRIVATE)
        return -EINVAL;
    if (flags & MAP_ANONYMOUS) {
        fd = -1;
        v.offset = 0;
    } else {
        v.flags |= VMA_FILE;
        v.file = file_of(fd);
        if (!v.file)
            return -EBADF;
    }
    if ((v.prot & ORYX_PROT_WRITE) && (v.prot & ORYX_PROT_EXEC))
        no_direct_writes(o);
    pthread_rwlock_wrlock(&mm->lock);
    if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        if (addr & (LX_PAGE - 1))
            r = -EINVAL;
        else if (addr > mm->limit || len > mm->limit - addr)
            r = -ENOMEM;
        else if ((flags & MAP_FIXED_NOREPLACE) && !(flags & MAP_FIXED) &&
                 vma_lower(mm, addr) < mm->n && mm->v[vma_lower(mm, addr)].start < addr + len)
            r = -EEXIST;
        else
            r = 0;
    } else {
        uint64_t hint = addr & LX_PAGE_MASK;
        size_t i = vma_lower(mm, hint);
        if (hint < LOW_LIMIT || hint > mm->limit || len > mm->limit - hint ||
            (i < mm->n && mm->v[i].start < hint + len))
            hint = vma_gap(mm, len, LOW_LIMIT, mm->map_top);
        addr = hint;
        r = addr ? 0 : -ENOMEM;
    }
    if (!r)
        r = map_at(o, addr, len, &v, flags, fd);
    pthread_rwlock_unlock(&mm->lock);
    lx_file_unref(v.file);
    if (r)
        return r;
    mm_changed(o, addr, len);
    return (int64_t)addr;
}

static int bad_range(lx_mm *mm, uint64_t addr, uint64_t len)
{
    return (addr & (LX_PAGE - 1)) || addr > mm->limit || len > mm->limit - addr;
}

int64_t mm_unmap(os *o, uint64_t addr, uint64_t len)
{
    lx_mm *mm = &o->mm;
    if (!len || bad_range(mm, addr, len))
        return -EINVAL;
    len = LX_PAGE_UP(len);
    pthread_rwlock_wrlock(&mm->lock);
    int64_t r = give_back(mm, addr, len) == MAP_FAILED ? -errno : forget(o, addr, addr + len);
    pthread_rwlock_unlock(&mm->lock);
    mm_changed(o, addr, len);
    return r;
}

int64_t mm_protect(os *o, uint64_t addr, uint64_t len, uint32_t prot)
{
    lx_mm *mm = &o->mm;
    if (addr & (LX_PAGE - 1))
        return -EINVAL;
    if (!len)
        return 0;
    if (bad_range(mm, addr, len))
        return -ENOMEM;
    uint64_t end = addr + LX_PAGE_UP(len);
    prot = guest_prot(prot);
    if ((prot & ORYX_PROT_WRITE) && (prot & ORYX_PROT_EXEC))
        no_direct_writes(o);
    pthread_rwlock_wrlock(&mm->lock);
    int64_t r = 0;
    if (!vma_covers(mm, addr, end))
        r = -ENOMEM;
    for (size_t i = vma_lower(mm, addr); !r && i < mm->n && mm->v[i].start < end; i++)
        if ((prot & ORYX_PROT_WRITE) && (mm->v[i].flags & VMA_NOWRITE))
            r = -EACCES;
    for (size_t i = vma_lower(mm, addr); !r && i < mm->n && mm->v[i].start < end; i++) {
        vma *v = &mm->v[i];
        uint64_t from = v->start > addr ? v->start : addr, to = v->end < end ? v->end : end;
        int host = host_prot(o, prot, v->flags);
        /* Code was translated while stores were noticed; soon they are not. */
        if (mm->exact && (v->prot & ORYX_PROT_EXEC) && (prot & ORYX_PROT_WRITE))
            o->host->space_written(o->space, from, to - from);
        /* As in give_back: without a handler what was accessible stays so. */
        if (host != host_prot(o, v->prot, v->flags) && (prot || mm->exact) && mprotect(mm->base + from, to - from, host))
            r = -errno;
    }
    if (!r)
        r = vma_set_prot(mm, addr, end, prot);
    pthread_rwlock_unlock(&mm->lock);
    mm_changed(o, addr, end - addr);
    return r;
}

/* The part of mremap after checks; lock held for writing. */
static int64_t remap_locked(os *o, uint64_t old, uint64_t old_len, uint64_t new_len, int flags,
                            uint64_t to)
{
    lx_mm *mm = &o->mm;
    vma *found = vma_find(mm, old), v;
    if (!found || found->end < old + old_len)
        return -EFAULT;
    v = *found;
    v.offset += v.flags & VMA_FILE ? old - v.start : 0;
    if (!(flags & MREMAP_FIXED)) {
        if (new_len <= old_len) {
            if (new_len < old_len) {
                give_back(mm, old + new_len, old_len - new_len);
                forget(o, old + new_len, old + old_len);
            }
            return (int64_t)old;
        }
        size_t next = vma_lower(mm, old + old_len);
        uint64_t limit = next < mm->n ? mm->v[next].start : mm->limit;
        if (found->end == old + old_len && limit - old >= new_len && !v.file &&
            !(v.flags & VMA_SHARED)) {
            void *p = mmap(mm->base + old + old_len, new_len - old_len, host_prot(o, v.prot, v.flags),
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
            if (p == MAP_FAILED)
                return -errno;
            v.start = old + old_len;
            v.end = old + new_len;
            return vma_insert(mm, &v) ? -ENOMEM : (int64_t)old;
        }
        if (!(flags & MREMAP_MAYMOVE))
            return -ENOMEM;
        to = vma_gap(mm, new_len, LOW_LIMIT, mm->map_top);
        if (!to)
            return -ENOMEM;
    } else {
        reserve(mm->base + to, new_len);
        forget(o, to, to + new_len);
    }
    if (old_len > new_len) {
        give_back(mm, old + new_len, old_len - new_len);
        forget(o, old + new_len, old + old_len);
        old_len = new_len;
    }
    lx_file_ref(v.file);
    int64_t r = 0;
    if (mremap(mm->base + old, old_len, new_len, MREMAP_MAYMOVE | MREMAP_FIXED, mm->base + to) ==
        MAP_FAILED)
        r = -errno;
    if (!r) {
        give_back(mm, old, old_len); /* the hole must stay ours */
        forget(o, old, old + old_len);
        v.start = to;
        v.end = to + new_len;
        r = vma_insert(mm, &v) ? -ENOMEM : (int64_t)to;
    } else {
        reserve(mm->base + to, new_len);
    }
    lx_file_unref(v.file);
    return r;
}

int64_t mm_remap(os *o, uint64_t old, uint64_t old_len, uint64_t new_len, int flags,
                 uint64_t new_addr)
{
    lx_mm *mm = &o->mm;
    old_len = LX_PAGE_UP(old_len);
    new_len = LX_PAGE_UP(new_len);
    if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) || !new_len || !old_len ||
        bad_range(mm, old, old_len) || new_len > mm->size)
        return -EINVAL;
    if (flags & MREMAP_FIXED) {
        if (!(flags & MREMAP_MAYMOVE) || bad_range(mm, new_addr, new_len) ||
            (new_addr < old + old_len && old < new_addr + new_len))
            return -EINVAL;
    }
    pthread_rwlock_wrlock(&mm->lock);
    int64_t r = remap_locked(o, old, old_len, new_len, flags, new_addr);
    pthread_rwlock_unlock(&mm->lock);
    mm_changed(o, old, old_len);
    if (r > 0)
        mm_changed(o, (uint64_t)r, new_len);
    return r;
}

int64_t mm_brk(os *o, uint64_t addr)
{
    lx_mm *mm = &o->mm;
    if (addr < mm->brk_start || addr >= mm->map_top)
        return (int64_t)mm->brk;
    uint64_t from = LX_PAGE_UP(mm->brk), to = LX_PAGE_UP(addr);
    if (to > from) {
        int64_t r = mm_map(o, from, to - from, ORYX_PROT_READ | ORYX_PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0, "[heap]");
        if (r < 0)
            return (int64_t)mm->brk;
    } else if (to < from) {
        mm_unmap(o, to, from - to);
    }
    mm->brk = addr;
    return (int64_t)addr;
}

int mm_is_mapped(os *o, uint64_t addr, uint64_t len)
{
    pthread_rwlock_rdlock(&o->mm.lock);
    int r = addr < o->mm.size && len <= o->mm.size - addr && vma_covers(&o->mm, addr, addr + len);
    pthread_rwlock_unlock(&o->mm.lock);
    return r;
}

int mm_maps_fd(os *o)
{
    lx_mm *mm = &o->mm;
    int fd = memfd_create("maps", 0);
    if (fd < 0)
        return -errno;
    pthread_rwlock_rdlock(&mm->lock);
    for (size_t i = 0; i < mm->n; i++) {
        vma *v = &mm->v[i];
        char path[PATH_MAX] = "", line[PATH_MAX + 128];
        uint64_t dev = v->file ? v->file->dev : 0;
        if (v->file) {
            snprintf(path, sizeof(path), "%s", v->file->path);
            path_to_guest(o, path);
        } else if (v->tag) {
            snprintf(path, sizeof(path), "%s", v->tag);
        }
        int n = snprintf(line, sizeof(line), "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
                         (unsigned long long)v->start, (unsigned long long)v->end,
                         v->prot & 1 ? 'r' : '-', v->prot & 2 ? 'w' : '-', v->prot & 4 ? 'x' : '-',
                         v->flags & VMA_SHARED ? 's' : 'p', (unsigned long long)v->offset,
                         major(dev), minor(dev), (unsigned long long)(v->file ? v->file->ino : 0));
        n = path[0] ? snprintf(line + n, sizeof(line) - (size_t)n, "%*s%s", n < 73 ? 73 - n : 0, "",
                               path) +
                          n
                    : n;
        line[n++] = '\n';
        if (write(fd, line, (size_t)n) != n)
            break;
    }
    pthread_rwlock_unlock(&mm->lock);
    lseek(fd, 0, SEEK_SET);
    return fd;
}
