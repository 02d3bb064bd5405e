/* Memory system calls: arguments checked and turned into mm.c's operations. Invariant: flags that
 * the host does not get are those that mean nothing in a guest window (MAP_32BIT, MAP_GROWSDOWN,
 * MAP_HUGETLB). */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux.h"

CALL(mmap)
{
    os *o = t->o;
    int flags = (int)lx_flags_in(o, LX_M_mmap, (uint32_t)a[3]);
    int64_t r = mm_map(o, a[0], a[1], (uint32_t)a[2], flags, (int)a[4], a[5], NULL);
    if (r >= 0 && (a[2] & PROT_EXEC) && !(flags & MAP_ANONYMOUS))
        loader_symbols_of_map(o, (int)a[4], (uint64_t)r, a[5]);
    return r;
}

CALL(munmap)
{
    return mm_unmap(t->o, a[0] & t->o->abi->tag_mask, a[1]);
}

CALL(mprotect)
{
    return mm_protect(t->o, a[0] & t->o->abi->tag_mask, a[1], (uint32_t)a[2]);
}

CALL(mremap)
{
    return mm_remap(t->o, a[0], a[1], a[2], (int)a[3], a[4]);
}

CALL(brk)
{
    return mm_brk(t->o, a[0]);
}

/* Advice that drops pages changes what they hold; hints are the host's as they are. */
CALL(madvise)
{
    os *o = t->o;
    uint64_t addr = a[0] & o->abi->tag_mask, len = LX_PAGE_UP(a[1]);
    if (addr & (LX_PAGE - 1))
        return -EINVAL;
    if (!len)
        return 0;
    if (!mm_is_mapped(o, addr, len))
        return -ENOMEM;
    switch ((int)a[2]) {
    case MADV_DONTNEED:
    case MADV_REMOVE:
    case MADV_FREE:
        if (madvise(o->mm.base + addr, len, (int)a[2]))
            return -errno;
        u_written(o, addr, len);
        return 0;
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_MERGEABLE:
    case MADV_UNMERGEABLE:
    case MADV_COLD:
    case MADV_PAGEOUT:
    case MADV_WIPEONFORK:
    case MADV_KEEPONFORK:
        return madvise(o->mm.base + addr, len, (int)a[2]) ? -errno : 0;
    }
    return -EINVAL;
}

static int64_t on_range(task *t, long nr, const uint64_t *a, long c)
{
    os *o = t->o;
    uint64_t addr = a[0] & o->abi->tag_mask;
    if (a[1] &&
        !mm_is_mapped(o, addr & LX_PAGE_MASK, LX_PAGE_UP(addr + a[1]) - (addr & LX_PAGE_MASK)))
        return -ENOMEM;
    return SYS3(t, nr, o->mm.base + addr, a[1], c);
}

CALL(msync)
{
    return on_range(t, SYS_msync, a, (int)a[2]);
}

CALL(mlock)
{
    return on_range(t, SYS_mlock, a, 0);
}

CALL(munlock)
{
    return on_range(t, SYS_munlock, a, 0);
}

CALL(mincore)
{
    os *o = t->o;
    void *vec = u_ptr(o, a[2], LX_PAGE_UP(a[1]) / LX_PAGE, 1);
    if (!vec)
        return -EFAULT;
    return on_range(t, SYS_mincore, a, (long)vec);
}
