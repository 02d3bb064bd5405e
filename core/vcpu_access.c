/* Instruction fetch, and virtual memory of a vCPU for host code.
 * Owns: nothing. Called by: translate.c and tb_cache.c (oryx__fetch), OS personalities, probes
 * and tools (oryx_vcpu_read, _write).
 * Invariant: fetch returns only bytes that the mapping and every region on the way allow to be
 * executed. */
#include <string.h>

#include "window.h"

static oryx_status fetch_fault(oryx_cpu *cpu, uint64_t addr, uint64_t phys, uint32_t size,
                               oryx_status st)
{
    oryx_exc *e = &cpu->exc;
    e->hdr = (oryx_hdr)ORYX_HDR(oryx_exc);
    e->kind = ORYX_EXC_FETCH;
    e->access = ORYX_ACCESS_FETCH;
    e->syndrome = 0;
    e->addr = addr;
    e->phys = phys;
    e->size = size;
    e->status = st;
    return st;
}

oryx_status oryx__fetch(oryx_vcpu *v, uint64_t addr, uint8_t *buf, uint32_t n, uint32_t *got,
                        uint64_t *phys, oryx_space **space)
{
    oryx_mmu_result t;
    *got = 0;
    oryx_status st = oryx__translate(v, addr, ORYX_ACCESS_FETCH, ORYX_MMU_CURRENT, &t);
    if (st) {
        fetch_fault(v->cpu, addr, UINT64_MAX, n, st);
        v->cpu->exc.syndrome = t.syndrome;
        return st;
    }
    *phys = t.phys;
    uint64_t unit = MIN(t.page_size, ORYX_PAGE_SIZE);
    n = (uint32_t)MIN(n, unit - (addr & (unit - 1)));
    oryx__who who = {.vcpu = v, .attrs = t.attrs | ORYX_ATTR_FETCH};
    const oryx__view *view = oryx__vcpu_begin(v);
    *space = oryx__space_of(v->space, t.attrs);
    if (*space != v->space)
        view = atomic_load_explicit(&(*space)->view, memory_order_seq_cst);
    while (*got < n) {
        uint64_t pa = t.phys + *got;
        const oryx__row *row = oryx__view_find(view, pa, &v->tlbs->row);
        uint32_t k = row ? (uint32_t)(MIN(n - *got - 1, row->last - pa) + 1) : 0;
        if (!row) {
            st = ORYX_FAULT_DECODE;
        } else if (!(row->prot & ORYX_PROT_EXEC)) {
            st = ORYX_FAULT_PROT;
        } else if (row->host && (row->flags & ORYX_DIRECT_BULK) && (row->dprot & ORYX_PROT_EXEC) &&
                   pa + (k - 1) <= row->host_last) {
            uint8_t *host = row->host + (pa - row->first);
            if (!oryx__window_has(v->space, host))
                memcpy(buf + *got, host, k);
            else if (!oryx__window_copy(v->space, host, buf + *got, k, 0))
                st = ORYX_FAULT_DEVICE;
        } else {
            /* A device: words, and no more of them than asked for. */
            k = MIN(k, 4 - (uint32_t)(pa & 3));
            while (k & (k - 1) || pa % k)
                k--;
            st = oryx__row_check(row, pa, k, ORYX_PROT_EXEC);
            if (!st)
                st = oryx__row_access(row, pa, buf + *got, k, 0, &who);
        }
        if (st)
            break;
        *got += k;
    }
    oryx__vcpu_end(v);
    if (*got)
        return ORYX_OK;
    return st ? fetch_fault(v->cpu, addr, t.phys, n, st) : ORYX_OK;
}

enum { ORDINARY, DEBUGGER };

/* A debugger reads and writes what can be reached by any access at all. */
static oryx_status vcpu_rw(oryx_vcpu *v, uint64_t addr, uint8_t *buf, uint64_t size, int write, int who)
{
    while (size) {
        oryx_mmu_result t;
        uint64_t n = MIN(size, ORYX_PAGE_SIZE - (addr & ORYX__PAGE_MASK));
        uint32_t access = write && who == ORDINARY ? ORYX_ACCESS_WRITE : ORYX_ACCESS_READ;
        oryx_status st = oryx__translate(v, addr, access, ORYX_MMU_CURRENT, &t);
        if (st && who == DEBUGGER)
            st = oryx__translate(v, addr, ORYX_ACCESS_FETCH, ORYX_MMU_CURRENT, &t);
        if (st)
            return st;
        n = MIN(n, t.page_size - (addr & (t.page_size - 1)));
        uint32_t attrs = t.attrs | (who == DEBUGGER ? ORYX_ATTR_DEBUG : 0);
        st = write ? oryx_space_write(v->space, t.phys, buf, n, attrs) : oryx_space_read(v->space, t.phys, buf, n, attrs);
        if (st)
            return st;
        addr += n;
        buf += n;
        size -= n;
    }
    return ORYX_OK;
}

oryx_status oryx_vcpu_read(oryx_vcpu *v, uint64_t addr, void *buf, uint64_t size)
{
    return vcpu_rw(v, addr, buf, size, 0, ORDINARY);
}

oryx_status oryx_vcpu_write(oryx_vcpu *v, uint64_t addr, const void *buf, uint64_t size)
{
    return vcpu_rw(v, addr, (uint8_t *)(uintptr_t)buf, size, 1, ORDINARY);
}

oryx_status oryx_vcpu_peek(oryx_vcpu *v, uint64_t addr, void *buf, uint64_t size)
{
    return vcpu_rw(v, addr, buf, size, 0, DEBUGGER);
}

oryx_status oryx_vcpu_poke(oryx_vcpu *v, uint64_t addr, const void *buf, uint64_t size)
{
    return vcpu_rw(v, addr, (uint8_t *)(uintptr_t)buf, size, 1, DEBUGGER);
}
