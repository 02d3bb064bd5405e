/* The list of guest mappings: a sorted array of disjoint ranges, neighbours that could be one are
 * one. mm.c and uaccess.c call it with the lock held; it knows nothing of host memory. Invariant:
 * v[i].end <= v[i+1].start, starts page-aligned. */
#include "linux.h"

lx_file *lx_file_ref(lx_file *f)
{
    if (f)
        __atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
    return f;
}

void lx_file_unref(lx_file *f)
{
    if (f && __atomic_fetch_sub(&f->refs, 1, __ATOMIC_ACQ_REL) == 1)
        free(f);
}

size_t vma_lower(lx_mm *mm, uint64_t addr)
{
    size_t lo = 0, hi = mm->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (mm->v[mid].end <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

vma *vma_find(lx_mm *mm, uint64_t addr)
{
    size_t i = vma_lower(mm, addr);
    return i < mm->n && mm->v[i].start <= addr ? &mm->v[i] : NULL;
}

/* Room for k more at index i. */
static int make_room(lx_mm *mm, size_t i, size_t k)
{
    if (mm->n + k > mm->cap) {
        size_t cap = mm->cap ? mm->cap * 2 : 64;
        vma *v = realloc(mm->v, cap * sizeof(*v));
        if (!v)
            return -ENOMEM;
        mm->v = v;
        mm->cap = cap;
    }
    memmove(&mm->v[i + k], &mm->v[i], (mm->n - i) * sizeof(vma));
    mm->n += k;
    return 0;
}

static void drop(lx_mm *mm, size_t i, size_t k)
{
    if (!k)
        return;
    for (size_t j = i; j < i + k; j++)
        lx_file_unref(mm->v[j].file);
    memmove(&mm->v[i], &mm->v[i + k], (mm->n - i - k) * sizeof(vma));
    mm->n -= k;
}

static int joins(const vma *a, const vma *b)
{
    return a->end == b->start && a->prot == b->prot && a->flags == b->flags && a->file == b->file &&
           a->tag == b->tag &&
           (!(a->flags & VMA_FILE) || a->offset + (a->end - a->start) == b->offset);
}

/* Join index i with its neighbours. */
static void merge_at(lx_mm *mm, size_t i)
{
    if (i + 1 < mm->n && joins(&mm->v[i], &mm->v[i + 1])) {
        mm->v[i].end = mm->v[i + 1].end;
        drop(mm, i + 1, 1);
    }
    if (i > 0 && i < mm->n && joins(&mm->v[i - 1], &mm->v[i])) {
        mm->v[i - 1].end = mm->v[i].end;
        drop(mm, i, 1);
    }
}

int vma_insert(lx_mm *mm, const vma *v)
{
    size_t i = vma_lower(mm, v->start);
    if (make_room(mm, i, 1))
        return -ENOMEM;
    mm->v[i] = *v;
    lx_file_ref(v->file);
    merge_at(mm, i);
    return 0;
}

/* Make addr a border of whatever mapping contains it. */
static int split_at(lx_mm *mm, uint64_t addr)
{
    size_t i = vma_lower(mm, addr);
    if (i >= mm->n || mm->v[i].start >= addr)
        return 0;
    if (make_room(mm, i, 1))
        return -ENOMEM;
    mm->v[i] = mm->v[i + 1];
    lx_file_ref(mm->v[i].file);
    mm->v[i].end = addr;
    mm->v[i + 1].offset += addr - mm->v[i + 1].start;
    mm->v[i + 1].start = addr;
    return 0;
}

int vma_carve(lx_mm *mm, uint64_t start, uint64_t end)
{
    if (split_at(mm, start) || split_at(mm, end))
        return -ENOMEM;
    size_t i = vma_lower(mm, start), j = i;
    while (j < mm->n && mm->v[j].start < end)
        j++;
    drop(mm, i, j - i);
    return 0;
}

int vma_set_prot(lx_mm *mm, uint64_t start, uint64_t end, uint32_t prot)
{
    if (split_at(mm, start) || split_at(mm, end))
        return -ENOMEM;
    for (size_t i = vma_lower(mm, start); i < mm->n && mm->v[i].start < end; i++)
        mm->v[i].prot = prot;
    /* Joining shifts what follows, so it walks by address. */
    for (uint64_t at = start; at <= end;) {
        size_t i = vma_lower(mm, at);
        if (i >= mm->n || mm->v[i].start > end)
            break;
        uint64_t next = mm->v[i].end;
        merge_at(mm, i);
        at = next;
    }
    return 0;
}

int vma_covers(lx_mm *mm, uint64_t start, uint64_t end)
{
    for (size_t i = vma_lower(mm, start); start < end; i++) {
        if (i >= mm->n || mm->v[i].start > start)
            return 0;
        start = mm->v[i].end;
    }
    return 1;
}

uint64_t vma_gap(lx_mm *mm, uint64_t len, uint64_t low, uint64_t high)
{
    uint64_t top = high;
    size_t i = vma_lower(mm, high > 0 ? high - 1 : 0);
    if (i < mm->n && mm->v[i].start < top)
        top = mm->v[i].start;
    for (;;) {
        uint64_t bottom = i > 0 ? mm->v[i - 1].end : 0;
        if (bottom < low)
            bottom = low;
        if (top > bottom && top - bottom >= len)
            return top - len;
        if (i == 0)
            return 0;
        top = mm->v[--i].start;
    }
}
