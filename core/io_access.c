/* Accesses to regions: widths, limits, byte order, and memory whose access width is part of its
 * meaning.
 * Owns: the split and widen rules. Called by: access.c and address_space.c with pieces of one
 * row; quirks and devices through oryx_region_access.
 * Invariant: bytes are carried in memory order, so splitting and widening are the same for both
 * endiannesses; only the number handed to a callback is put together by the device's declared
 * order.
 *
 * A guest access of 1, 2, 4 or 8 bytes must satisfy `valid`; 16 bytes are two of 8 in address
 * order; a part that a region border cut off is taken in naturally aligned powers of two. Each of
 * those is then made of `impl` accesses: larger ones are split in address order, smaller ones use
 * the aligned unit of impl.min around them. A write that is widened takes the bytes around it from
 * `peek`, so that it reads without side effects (a device without peek gets zeros there). */
#include <string.h>

#include "host_memory.h"
#include "mem_internal.h"

/* --- host memory of exact width --------------------------------------------------------------- */

/* Size of the next piece of an access of n bytes of which `done` are done: the access itself when
 * the host or the guest has it as one, 8 bytes of a longer one, else naturally aligned powers of
 * two. */
static uint32_t whole_piece(uint32_t n, uint64_t offset, uint32_t left)
{
    if (n == 1 || n == 2 || n == 4 || n == 8)
        return n;
    if (n == 16)
        return 8;
    uint32_t k = 8;
    while (k > left || (offset & (k - 1)))
        k /= 2;
    return k;
}

/* bulk: merging is allowed, so odd sizes are copied. Otherwise every piece is one host access of
 * its width. */
void oryx__host_read(const uint8_t *host, uint8_t *buf, uint32_t n, uint64_t align, int bulk)
{
    if (bulk && (n & (n - 1))) {
        memcpy(buf, host, n);
        return;
    }
    for (uint32_t i = 0; i < n;) {
        uint32_t k = whole_piece(n, align + i, n - i);
        uint64_t v = oryx__load8(host + i, k);
        memcpy(buf + i, &v, k);
        i += k;
    }
}

void oryx__host_write(uint8_t *host, const uint8_t *buf, uint32_t n, uint64_t align, int bulk)
{
    if (bulk && (n & (n - 1))) {
        memcpy(host, buf, n);
        return;
    }
    for (uint32_t i = 0; i < n;) {
        uint32_t k = whole_piece(n, align + i, n - i);
        uint64_t v = 0;
        memcpy(&v, buf + i, k);
        oryx__store8(host + i, k, v);
        i += k;
    }
}

/* --- callbacks -------------------------------------------------------------------------------- */

static uint64_t to_number(const uint8_t *bytes, uint32_t n, uint32_t endian)
{
    uint64_t v = 0;
    for (uint32_t i = 0; i < n; i++)
        v |= (uint64_t)bytes[i] << 8 * (endian == ORYX_ENDIAN_BIG ? n - 1 - i : i);
    return v;
}

static void from_number(uint64_t v, uint8_t *bytes, uint32_t n, uint32_t endian)
{
    for (uint32_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(v >> 8 * (endian == ORYX_ENDIAN_BIG ? n - 1 - i : i));
}

static oryx_status call(oryx_region *r, uint64_t offset, uint8_t *bytes, uint32_t n, int write,
                        oryx_access *a)
{
    a->offset = offset;
    a->size = n;
    a->write = (uint32_t)write;
    a->value = write ? to_number(bytes, n, r->endian) : 0;
    oryx_status st = r->ops->access(r->self, a);
    if (!st && !write)
        from_number(a->value, bytes, n, r->endian);
    return st;
}

/* One access that `valid` allows, by accesses that `impl` allows. */
static oryx_status adapt(oryx_region *r, uint64_t offset, uint8_t *buf, uint32_t n, int write,
                         oryx_access *a)
{
    oryx_status st = ORYX_OK, one;
    for (uint32_t i = 0; i < n;) {
        uint64_t at = offset + i;
        uint32_t k = 8;
        while (k > n - i || k > r->impl.max || (!r->impl.unaligned && (at & (k - 1))))
            k /= 2;
        if (k >= r->impl.min) {
            one = call(r, at, buf + i, k, write, a);
        } else {
            uint8_t unit[8] = {0};
            uint64_t base = at & ~(uint64_t)(r->impl.min - 1);
            uint32_t skip = (uint32_t)(at - base);
            k = MIN(n - i, r->impl.min - skip);
            if (write) {
                uint32_t attrs = a->attrs;
                a->attrs |= ORYX_ATTR_DEBUG;
                if (call(r, base, unit, r->impl.min, 0, a))
                    memset(unit, 0, sizeof(unit));
                a->attrs = attrs;
                memcpy(unit + skip, buf + i, k);
                one = call(r, base, unit, r->impl.min, 1, a);
            } else {
                one = call(r, base, unit, r->impl.min, 0, a);
                memcpy(buf + i, unit + skip, k);
            }
        }
        st = st ? st : one;
        i += k;
    }
    return st;
}

static int allowed(const oryx_limits *valid, uint64_t offset, uint32_t n)
{
    return n >= valid->min && n <= valid->max && (valid->unaligned || !(offset & (n - 1)));
}

static oryx_status backend_check(const oryx_region *r, uint64_t offset, uint32_t n)
{
    for (uint32_t i = 0; i < n;) {
        uint32_t k = whole_piece(n, offset + i, n - i);
        if (!allowed(&r->valid, offset + i, k))
            return ORYX_FAULT_DEVICE;
        i += k;
    }
    return ORYX_OK;
}

static oryx_status backend_access(oryx_region *r, uint64_t offset, uint8_t *buf, uint32_t n,
                                  int write, oryx_access *a)
{
    oryx_status st = backend_check(r, offset, n);
    for (uint32_t i = 0; i < n && !st;) {
        uint32_t k = whole_piece(n, offset + i, n - i);
        st = adapt(r, offset + i, buf + i, k, write, a);
        i += k;
    }
    return st;
}

/* --- rows ------------------------------------------------------------------------------------- */

static uint8_t *row_host(const oryx__row *row, uint64_t addr, uint32_t n, int write)
{
    if (!row->host || addr + (n - 1) > row->host_last ||
        !(row->dprot & (write ? ORYX_PROT_WRITE : ORYX_PROT_READ)))
        return NULL;
    return row->host + (addr - row->first);
}

oryx_status oryx__row_check(const oryx__row *row, uint64_t addr, uint32_t n, uint32_t need)
{
    if (!row)
        return ORYX_FAULT_DECODE;
    if ((row->prot & need) != need)
        return ORYX_FAULT_PROT;
    if (((need & ORYX_PROT_WRITE) && !row_host(row, addr, n, 1)) ||
        ((need & ~ORYX_PROT_WRITE) && !row_host(row, addr, n, 0)))
        return backend_check(row->region, row->offset + (addr - row->first), n);
    return ORYX_OK;
}

oryx_status oryx__row_access(const oryx__row *row, uint64_t addr, uint8_t *buf, uint32_t n,
                             int write, const oryx__who *who)
{
    uint64_t offset = row->offset + (addr - row->first);
    uint8_t *host = row_host(row, addr, n, write);
    /* What a debugger's look at a real device does is the backend's to say. */
    if ((who->attrs & ORYX_ATTR_DEBUG) && !(row->flags & ORYX_DIRECT_BULK))
        host = NULL;
    if (host && write) {
        oryx__host_write(host, buf, n, offset, row->flags & ORYX_DIRECT_BULK);
        return ORYX_OK;
    }
    if (host) {
        oryx__host_read(host, buf, n, offset, row->flags & ORYX_DIRECT_BULK);
        return ORYX_OK;
    }
    oryx_machine *m = row->region->machine;
    oryx_access a = {.hdr = ORYX_HDR(oryx_access),
                     .attrs = who->attrs,
                     .requester = who->requester,
                     .mmu_index = who->mmu_index,
                     .vcpu = who->vcpu,
                     .vtime = oryx_machine_vtime(m)};
    if (who->vcpu && who->vcpu->cpu->host_fp)
        who->vcpu->cpu->host_fp(who->vcpu->cpu);
    return backend_access(row->region, offset, buf, n, write, &a);
}

/* --- region API: what quirks and devices call ------------------------------------------------- */

/* The leaf below r at *offset. Containers and aliases are walked, which control functions may be
 * changing. */
static oryx_region *leaf_of(oryx_region *r, uint64_t *offset, uint32_t *prot)
{
    *prot = ORYX_PROT_ALL;
    if (r->ops && !r->children) {
        *prot = r->prot;
        return *offset <= r->last ? r : NULL;
    }
    pthread_mutex_lock(&r->machine->lock);
    oryx_region *leaf = oryx__region_resolve(r, offset, prot);
    pthread_mutex_unlock(&r->machine->lock);
    return leaf;
}

/* Over the border of a leaf below r: two halves, each of which goes to its own. */
static oryx_status in_halves(oryx_region *r, oryx_access *a, uint32_t endian)
{
    uint8_t bytes[8] = {0};
    uint32_t n = a->size / 2;
    oryx_status st = ORYX_OK;
    if (a->write)
        from_number(a->value, bytes, a->size, endian);
    for (uint32_t i = 0; i < a->size && !st; i += n) {
        oryx_access half = *a;
        half.offset = a->offset + i;
        half.size = n;
        half.value = a->write ? to_number(bytes + i, n, endian) : 0;
        st = oryx_region_access(r, &half);
        if (!a->write)
            from_number(half.value, bytes + i, n, endian);
    }
    if (!st && !a->write)
        a->value = to_number(bytes, a->size, endian);
    return st;
}

oryx_status oryx_region_access(oryx_region *r, oryx_access *a)
{
    uint64_t offset = a->offset;
    uint32_t prot, n = a->size;
    if (n != 1 && n != 2 && n != 4 && n != 8)
        return ORYX_E_INVALID;
    oryx_region *leaf = leaf_of(r, &offset, &prot);
    if (leaf && leaf != r && n > 1 && n - 1 > leaf->last - offset)
        return in_halves(r, a, leaf->endian);
    if (!leaf || offset + (n - 1) < offset || offset + (n - 1) > leaf->last)
        return ORYX_FAULT_DECODE;
    if (!(prot & (a->write ? ORYX_PROT_WRITE : ORYX_PROT_READ)) && !(a->attrs & ORYX_ATTR_DEBUG))
        return ORYX_FAULT_PROT;
    oryx_access part = {.hdr = ORYX_HDR(oryx_access),
                        .attrs = a->attrs,
                        .requester = a->requester,
                        .mmu_index = ORYX_HAS(a, mmu_index) ? a->mmu_index : 0,
                        .vtime = a->vtime,
                        .vcpu = a->vcpu};
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    uint8_t bytes[8] = {0};
    oryx_status st = ORYX_OK;
    if (a->write)
        from_number(a->value, bytes, n, leaf->endian);
    if (a->write)
        oryx__region_writing(leaf, offset, n);
    if (!oryx_region_direct(leaf, offset, &d) && d.last >= n - 1 &&
        ((d.flags & ORYX_DIRECT_BULK) || !(a->attrs & ORYX_ATTR_DEBUG)) &&
        (d.prot & (a->write ? ORYX_PROT_WRITE : ORYX_PROT_READ))) {
        if (a->write)
            oryx__host_write(d.host, bytes, n, offset, d.flags & ORYX_DIRECT_BULK);
        else
            oryx__host_read(d.host, bytes, n, offset, d.flags & ORYX_DIRECT_BULK);
    } else {
        st = backend_access(leaf, offset, bytes, n, (int)a->write, &part);
    }
    if (a->write)
        oryx__region_touch(leaf, offset, n);
    if (!st && !a->write)
        a->value = to_number(bytes, n, leaf->endian);
    return st;
}

oryx_status oryx_region_direct(oryx_region *r, uint64_t offset, oryx_direct *out)
{
    uint32_t prot;
    uint64_t at = offset;
    oryx_region *leaf = leaf_of(r, &at, &prot);
    if (!leaf || !ORYX_HAS(leaf->ops, direct) || !leaf->ops->direct)
        return ORYX_E_UNSUPPORTED;
    return leaf->ops->direct(leaf->self, at, out);
}
