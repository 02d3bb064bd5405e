/* Blocks that jump to themselves: the guest slots they use most stay in fixed host registers around the loop.
 *
 * A block that ends in a jump to its own start gets two ways in. The entry from outside checks the slice and loads the pinned
 * registers; the loop's way in checks the slice and nothing else. Everything that leaves the block (faults, exits, an
 * exhausted slice) writes the pinned slots that the block ever writes, through the same snapshots as other dirty slots. The
 * back edge is a link like any other: it goes to the core until the core links the block to itself, and is cut when code
 * changes, so stale code never loops. Called by compile.c and control.c. */
#include "x64.h"

#define MAX_PINS 32
#define PIN_GPR 6 /* an op that needs more than the four left makes the block compile without pins */
#define PIN_XMM 8

typedef struct pin {
    uint32_t offset, count;
    uint8_t type, size, cls;
    bool written, bad;
} pin;

static bool overlaps(const pin *p, uint32_t offset, uint32_t size)
{
    return p->offset < offset + size && offset < p->offset + p->size;
}

/* Note one GET or PUT. A slot that is also reached in another shape stays in memory. */
static unsigned note(pin *pins, unsigned n, const oryx_ir_op *o)
{
    uint32_t offset = (uint32_t)o->imm, size = oryx_type_size(o->type);
    bool put = o->op == ORYX_OP_PUT, found = false;
    unsigned cls = T_IS_VEC(o->type);
    for (unsigned i = 0; i < n; i++) {
        pin *p = &pins[i];
        if (!overlaps(p, offset, size))
            continue;
        found = true;
        if (p->offset != offset || p->cls != cls || o->type == ORYX_T_FL || p->type == ORYX_T_FL) {
            p->bad = p->bad || p->type != ORYX_T_FL || o->type != ORYX_T_FL;
        } else if (size > p->size) {
            p->bad = p->bad || p->written; /* a narrower write before a wider use */
            p->size = (uint8_t)size;
            p->type = o->type;
        } else if (put && size < p->size) {
            p->bad = true;
        }
        p->count++;
        p->written = p->written || put;
    }
    if (!found && n < MAX_PINS)
        pins[n++] = (pin){ .offset = offset, .count = 1, .type = o->type, .size = (uint8_t)size, .cls = (uint8_t)cls, .written = put };
    return n;
}

bool loop_possible(const jit *j)
{
    bool self = false;
    for (uint32_t v = 1; v < j->ir->n; v++) {
        const oryx_ir_op *o = &j->ir->ops[v];
        switch (o->op) {
        case ORYX_OP_LABEL:
        case ORYX_OP_BR:
        case ORYX_OP_BRC:
        case ORYX_OP_CALL:
        case ORYX_OP_RMW:
        case ORYX_OP_CAS:
        case ORYX_OP_LDX:
        case ORYX_OP_STX:
        case ORYX_OP_SETMODE: return false;
        case ORYX_OP_GOTO: self = o->imm == j->tb->pc; break;
        case ORYX_OP_GOTOC: self = o->imm == j->tb->pc || ((uint64_t)o->c << 32 | o->b) == j->tb->pc; break;
        default: break;
        }
    }
    return self;
}

/* Choose the slots and give them registers. The flags slot is left out: it is written as memory wants it. */
void loop_pin(jit *j)
{
    pin pins[MAX_PINS];
    unsigned n = 0, left[2] = { PIN_GPR, PIN_XMM };
    for (uint32_t v = 1; v < j->ir->n; v++) {
        const oryx_ir_op *o = &j->ir->ops[v];
        if (o->op == ORYX_OP_GET || o->op == ORYX_OP_PUT)
            n = note(pins, n, o);
    }
    for (;;) {
        pin *best = NULL;
        for (unsigned i = 0; i < n; i++)
            if (!pins[i].bad && pins[i].type != ORYX_T_FL && left[pins[i].cls] && (!best || pins[i].count > best->count))
                best = &pins[i];
        if (!best)
            break;
        best->bad = true;
        left[best->cls]--;
        unsigned reg = (unsigned)__builtin_ctz(j->pool[best->cls]);
        j->pool[best->cls] &= ~(1u << reg);
        j->pinned |= 1u << reg;
        j->r[reg] = (host_reg){ .slot = (int32_t)best->offset, .type = best->type, .dirty = best->written, .stamp = 0 };
    }
}

void loop_load_pins(jit *j)
{
    for (uint32_t m = j->pinned; m; m &= m - 1) {
        unsigned reg = (unsigned)__builtin_ctz(m);
        slot_load(j, reg, j->r[reg].type, (uint32_t)j->r[reg].slot);
    }
}
