/* Compares what two engines made of the same instructions: registers, flags, FP environment,
 * exception, counts, mode; and puts a difference into words. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockstep.h"

void add(story *t, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    n = n < (int)sizeof line ? n : (int)sizeof line - 1;
    if (t->n + (size_t)n + 1 > t->cap) {
        size_t cap = t->cap * 2 + (size_t)n + 256;
        char *grown = realloc(t->s, cap);
        if (!grown)
            return;
        t->s = grown;
        t->cap = cap;
    }
    memcpy(t->s + t->n, line, (size_t)n + 1);
    t->n += (size_t)n;
}

static void hex(char out[36], const uint8_t *p, uint32_t size)
{
    strcpy(out, "0x");
    for (uint32_t i = 0; i < size && i < 16; i++)
        snprintf(out + 2 + 2 * i, 3, "%02x", p[size - 1 - i]);
}

/* Registers with a slot of their own that differ; bytes that no register row names come last. */
static void registers(const lockstep *l, const vcpu_side *s, story *t)
{
    const oryx_reg *row;
    const uint8_t *a = s->after[REFERENCE].state, *b = s->after[OTHER].state,
                  *was = s->before.state;
    for (int32_t r = 0; (row = l->host->reg_row(l->machine, r)) != NULL; r++) {
        if (row->flags & (ORYX_REG_COMPUTED | ORYX_REG_ALIAS) ||
            !memcmp(a + row->offset, b + row->offset, row->size))
            continue;
        char x[36], y[36], z[36];
        hex(x, a + row->offset, row->size);
        hex(y, b + row->offset, row->size);
        hex(z, was + row->offset, row->size);
        add(t, "  %-8s before %s, %s %s, %s %s\n", row->name, z, l->name[REFERENCE], x,
            l->name[OTHER], y);
    }
    for (uint32_t i = 0; i < l->state_size; i++)
        if (a[i] != b[i]) {
            add(t, "  state byte %u: before %02x, %s %02x, %s %02x\n", i, was[i],
                l->name[REFERENCE], a[i], l->name[OTHER], b[i]);
            return;
        }
}

/* Instructions [skip, n) of the block at pc. */
void insn_text(const lockstep *l, uint64_t pc, uint64_t phys, uint64_t mode, uint32_t skip,
               uint32_t n, story *t)
{
    const oryx_arch_ops *arch = l->host->machine_arch(l->machine);
    uint8_t bytes[16];
    uint64_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t got = arch->insn_max < sizeof bytes ? arch->insn_max : (uint32_t)sizeof bytes;
        oryx_disasm d = {.hdr = ORYX_HDR(oryx_disasm)};
        while (got && l->host->space_read(l->host->space_get(l->machine, "system"), phys + at,
                                          bytes, got, ORYX_ATTR_DEBUG))
            got--;
        if (!got)
            return;
        arch->disasm(pc + at, mode, bytes, got, &d);
        if (i >= skip)
            add(t, "  0x%llx: %s\n", (unsigned long long)(pc + at), d.text);
        at += d.len ? d.len : arch->insn_align;
    }
}

bool equal(const entry *e)
{
    const lockstep *l = e->l;
    const vcpu_side *s = e->s;
    const picture *a = &s->after[REFERENCE], *b = &s->after[OTHER];
    bool region = e->p->n_blocks != 0;
    /* After a SETMODE one engine may look the next block up where the other asks for a link; and a
     * region may leave anywhere. */
    bool goes_on =
        a->reason <= ORYX_LEAVE_LOOKUP &&
        b->reason <= (region ? (uint32_t)ORYX_LEAVE_BUDGET : (uint32_t)ORYX_LEAVE_LOOKUP);
    bool links = !region && a->reason == ORYX_LEAVE_LINK && b->reason == ORYX_LEAVE_LINK;
    return !s->differs && (s->window || s->at == s->n) &&
           !memcmp(a->state, b->state, l->state_size) && (a->reason == b->reason || goes_on) &&
           a->count == b->count && a->mode == b->mode && !memcmp(&a->fp, &b->fp, sizeof a->fp) &&
           (!links || a->slot == b->slot) &&
           (b->reason != ORYX_LEAVE_EXC ||
            (a->exc.kind == b->exc.kind && a->exc.pc == b->exc.pc &&
             a->exc.syndrome == b->exc.syndrome && a->exc.addr == b->exc.addr &&
             a->exc.status == b->exc.status));
}

void describe(const entry *e, story *t)
{
    const lockstep *l = e->l;
    const vcpu_side *s = e->s;
    const picture *a = &s->after[REFERENCE], *b = &s->after[OTHER];
    if (s->differs)
        add(t, "  %s\n", s->text);
    else if (!s->window && s->at != s->n)
        add(t, "  accesses: %s %u, %s %u\n", l->name[s->writer], s->n, l->name[!s->writer], s->at);
    if (a->reason != b->reason || a->slot != b->slot || a->count != b->count)
        add(t, "  leave reason, slot, instructions: %s %u %u %u, %s %u %u %u\n", l->name[REFERENCE],
            a->reason, a->slot, a->count, l->name[OTHER], b->reason, b->slot, b->count);
    if (a->reason == ORYX_LEAVE_EXC && b->reason == ORYX_LEAVE_EXC)
        add(t, "  exception kind, pc, addr: %s %u 0x%llx 0x%llx, %s %u 0x%llx 0x%llx\n",
            l->name[REFERENCE], a->exc.kind, (unsigned long long)a->exc.pc,
            (unsigned long long)a->exc.addr, l->name[OTHER], b->exc.kind,
            (unsigned long long)b->exc.pc, (unsigned long long)b->exc.addr);
    if (a->fp.flags != b->fp.flags)
        add(t, "  FP flags: %s 0x%x, %s 0x%x\n", l->name[REFERENCE], a->fp.flags, l->name[OTHER],
            b->fp.flags);
    if (memcmp(a->state, b->state, l->state_size))
        registers(l, s, t);
}
