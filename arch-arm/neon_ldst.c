/* AdvSIMD element and structure loads and stores (DDI 0406C A7.7; DDI 0487 F4.1 "Advanced SIMD element or structure
 * load/store").
 *
 * Called through the decode tables. Invariant: accesses in ascending order, then the base, then the registers, so a fault
 * leaves the instruction's start. The alignment that the instruction states is asked of the first access; unaligned elements
 * are allowed without one. A big-endian access reverses each element. */
#include "neon.h"

static oryx_val address(a32_lift *l, const a32_fields *f, uint32_t offset)
{
    oryx_val base = a32_reg(l, f->n);
    return a32_addr(l, offset ? a32_bini(l, ORYX_OP_ADD, base, offset) : base);
}

/* align: log2 of the bytes, for the first access. */
static oryx_val load(a32_lift *l, const a32_fields *f, unsigned z, uint32_t offset, unsigned align)
{
    l->align = (f->z < 2 ? f->z : 2) + 1; /* elements, doublewords as two words */
    return oryx_load(l->ir, lane(z), address(l, f, offset), vfp_memop(l, z, offset ? 0 : align));
}

static void store(a32_lift *l, const a32_fields *f, unsigned z, uint32_t offset, unsigned align, oryx_val v)
{
    l->align = (f->z < 2 ? f->z : 2) + 1;
    oryx_store(l->ir, lane(z), address(l, f, offset), v, vfp_memop(l, z, offset ? 0 : align));
}

/* m: 15 none, 13 by what was transferred, else a register. */
static void write_back(a32_lift *l, const a32_fields *f, uint32_t bytes)
{
    if (f->n == 15)
        l->refused = 1;
    if (f->m == 15)
        return;
    oryx_val by = f->m == 13 ? a32_imm(l, bytes) : a32_reg(l, f->m);
    a32_set_reg(l, f->n, a32_bin(l, ORYX_OP_ADD, a32_reg(l, f->n), by));
}

/* --- Multiple structures ------------------------------------------------------------------------------------------ */

/* By type: elements of a structure, registers of one of them, the distance of the elements' registers. */
typedef struct shape {
    uint8_t elements, regs, inc;
} shape;

static const shape shapes[16] = {
    [0] = { 4, 1, 1 }, [1] = { 4, 1, 2 }, [2] = { 1, 4, 1 }, [3] = { 2, 2, 2 }, [4] = { 3, 1, 1 }, [5] = { 3, 1, 2 },
    [6] = { 1, 3, 1 }, [7] = { 1, 1, 1 }, [8] = { 2, 1, 1 }, [9] = { 2, 1, 2 }, [10] = { 1, 2, 1 },
};

/* A doubleword of memory as a V64 in register order. */
static oryx_val load_d(a32_lift *l, const a32_fields *f, uint32_t offset, unsigned align)
{
    oryx_val v = UN(BITCAST, V64, I64, load(l, f, 3, offset, align), 0);
    return a32_big(l) && f->z < 3 ? UN(VREV, V64, lane(f->z), v, 64) : v;
}

static void store_d(a32_lift *l, const a32_fields *f, uint32_t offset, unsigned align, oryx_val v)
{
    if (a32_big(l) && f->z < 3)
        v = UN(VREV, V64, lane(f->z), v, 64);
    store(l, f, 3, offset, align, UN(BITCAST, I64, V64, v, 0));
}

/* Lanes (of type ln) of n doublewords in memory order, sorted into elements, and back. */
static void deinterleave(a32_lift *l, unsigned ln, unsigned n, oryx_val *v)
{
    oryx_val a = v[0], b = v[1], c = n == 4 ? v[2] : 0, d = n == 4 ? v[3] : 0;
    oryx_val even = BIN(UZP1, V64, ln, a, b, 0), odd = BIN(UZP2, V64, ln, a, b, 0);
    if (n == 2) {
        v[0] = even, v[1] = odd;
        return;
    }
    oryx_val even2 = BIN(UZP1, V64, ln, c, d, 0), odd2 = BIN(UZP2, V64, ln, c, d, 0);
    v[0] = BIN(UZP1, V64, ln, even, even2, 0);
    v[1] = BIN(UZP1, V64, ln, odd, odd2, 0);
    v[2] = BIN(UZP2, V64, ln, even, even2, 0);
    v[3] = BIN(UZP2, V64, ln, odd, odd2, 0);
}

static void interleave(a32_lift *l, unsigned ln, unsigned n, oryx_val *v)
{
    if (n == 2) {
        oryx_val a = v[0], b = v[1];
        v[0] = BIN(ZIP1, V64, ln, a, b, 0), v[1] = BIN(ZIP2, V64, ln, a, b, 0);
        return;
    }
    /* a0 c0 a1 c1 .., b0 d0 b1 d1 ..: zipped again, a0 b0 c0 d0. */
    oryx_val ac = BIN(ZIP1, V64, ln, v[0], v[2], 0), ac2 = BIN(ZIP2, V64, ln, v[0], v[2], 0);
    oryx_val bd = BIN(ZIP1, V64, ln, v[1], v[3], 0), bd2 = BIN(ZIP2, V64, ln, v[1], v[3], 0);
    v[0] = BIN(ZIP1, V64, ln, ac, bd, 0), v[1] = BIN(ZIP2, V64, ln, ac, bd, 0);
    v[2] = BIN(ZIP1, V64, ln, ac2, bd2, 0), v[3] = BIN(ZIP2, V64, ln, ac2, bd2, 0);
}

/* Structures of one, two and four elements: whole doublewords. */
static void doublewords(a32_lift *l, const a32_fields *f, const shape *s, unsigned align)
{
    oryx_val v[4] = { 0 };
    unsigned n = s->elements, groups = s->regs, total = n * groups;
    if (f->o) {
        for (unsigned k = 0; k < total; k++)
            v[k] = load_d(l, f, 8 * k, align);
        for (unsigned g = 0; n > 1 && g < groups; g++)
            deinterleave(l, lane(f->z), n, v + g * n);
        write_back(l, f, 8 * total);
        for (unsigned k = 0; k < total; k++)
            neon_set(l, 0, f->d + k / n + k % n * s->inc, v[k]);
        return;
    }
    for (unsigned k = 0; k < total; k++)
        v[k] = neon_get(l, 0, f->d + k / n + k % n * s->inc);
    for (unsigned g = 0; n > 1 && g < groups; g++)
        interleave(l, lane(f->z), n, v + g * n);
    for (unsigned k = 0; k < total; k++)
        store_d(l, f, 8 * k, align, v[k]);
    write_back(l, f, 8 * total);
}

/* Three elements: one by one. */
static void triples(a32_lift *l, const a32_fields *f, const shape *s, unsigned align)
{
    oryx_val v[3] = { 0 };
    for (unsigned k = 0; k < 3; k++)
        v[k] = f->o ? oryx_vconst(l->ir, V64, 0, 0) : neon_get(l, 0, f->d + k * s->inc);
    for (unsigned e = 0; e < 8u >> f->z; e++)
        for (unsigned k = 0; k < 3; k++) {
            uint32_t offset = (3 * e + k) << f->z;
            if (f->o)
                v[k] = BIN(VSET, V64, lane(f->z), v[k], load(l, f, f->z, offset, align), e);
            else
                store(l, f, f->z, offset, align, UN(VGET, V64, lane(f->z), v[k], e));
        }
    write_back(l, f, 24);
    for (unsigned k = 0; f->o && k < 3; k++)
        neon_set(l, 0, f->d + k * s->inc, v[k]);
}

/* t: type; a: 8 << a bytes of alignment. */
ORYX_INSN(VLD_multiple, "111101000do0nnnnddddttttzzaammmm",
          "[t < 11 && n != 15 && (t == 2 || t == 6 || t == 7 || t == 10 || z < 3) && !((t == 4 || t == 5 || t == 6 || t == 7) && a > 1) && "
          "!((t == 8 || t == 9 || t == 10) && a == 3) && d + ((t == 0 || t == 2 || t == 3) * 3 + (t == 1) * 6 + (t == 4 || t == 6 || t == 9) * 2 + "
          "(t == 5) * 4 + (t == 8 || t == 10)) < 32] @neon_multiple", NEON)
{
    const shape *s = &shapes[f->t];
    unsigned align = f->a ? 2 + f->a : 0;
    if (s->elements == 3)
        triples(l, f, s, align);
    else
        doublewords(l, f, s, align);
}

/* --- One lane, every lane: e is the number of elements less one ------------------------------------------------------ */

static unsigned lane_index(const a32_fields *f)
{
    return f->i >> (f->z + 1);
}

static unsigned lane_inc(const a32_fields *f)
{
    return f->z && f->i >> f->z & 1 ? 2 : 1;
}

/* log2 of the bytes. */
static unsigned lane_align(const a32_fields *f)
{
    unsigned low = f->i & (f->z == 2 ? 3 : 1);
    if (!low || f->e == 2)
        return 0;
    return f->e == 0 ? f->z : f->e == 1 ? f->z + 1 : f->z == 2 ? low + 2 : f->z + 2;
}

ORYX_INSN(VLD_lane, "111101001do0nnnnddddzzeeiiiimmmm",
          "[z < 3 && n != 15 && d + e * (1 + ((z == 1 && (i & 2) != 0) || (z == 2 && (i & 4) != 0))) < 32 && "
          "((e == 0 && ((z == 0 && !(i & 1)) || (z == 1 && !(i & 2)) || (z == 2 && !(i & 4) && ((i & 3) == 0 || (i & 3) == 3)))) || "
          "(e == 1 && (z < 2 || !(i & 2))) || (e == 2 && ((z < 2 && !(i & 1)) || (z == 2 && !(i & 3)))) || (e == 3 && !(z == 2 && (i & 3) == 3)))] "
          "@neon_lane", NEON)
{
    unsigned inc = lane_inc(f), index = lane_index(f), ln = lane(f->z);
    oryx_val v[4] = { 0 };
    for (unsigned k = 0; k <= f->e; k++) {
        oryx_val d = neon_get(l, 0, f->d + k * inc);
        if (f->o)
            v[k] = BIN(VSET, V64, ln, d, load(l, f, f->z, k << f->z, lane_align(f)), index);
        else
            store(l, f, f->z, k << f->z, lane_align(f), UN(VGET, V64, ln, d, index));
    }
    write_back(l, f, (f->e + 1) << f->z);
    for (unsigned k = 0; f->o && k <= f->e; k++)
        neon_set(l, 0, f->d + k * inc, v[k]);
}

/* t: two registers (VLD1), or every second one. */
ORYX_INSN(VLD_all, "111101001d10nnnndddd11eezztammmm",
          "[n != 15 && d + e * (t + 1) + (e == 0) * t < 32 && ((e == 0 && z < 3 && !(z == 0 && a)) || (e == 1 && z < 3) || "
          "(e == 2 && z < 3 && !a) || (e == 3 && (z < 3 || a)))] @neon_all", NEON)
{
    unsigned z = f->z == 3 ? 2 : f->z, align = 0;
    oryx_val v[4] = { 0 };
    if (f->a)
        align = f->e == 0 ? z : f->e == 1 ? z + 1 : f->z == 3 ? 4 : f->z == 2 ? 3 : z + 2;
    for (unsigned k = 0; k <= f->e; k++)
        v[k] = UN(DUP, V64, lane(z), load(l, f, z, k << z, align), 0);
    write_back(l, f, (f->e + 1) << z);
    for (unsigned k = 0; k <= f->e; k++)
        neon_set(l, 0, f->d + k * (f->t + 1), v[k]);
    if (!f->e && f->t)
        neon_set(l, 0, f->d + 1, v[0]);
}

/* --- Text ---------------------------------------------------------------------------------------------------------------- */

/* {d0-d3}, {d0,d2}, {d0[1],d2[1]}; mark: after each register. */
static void registers(a32_text *t, unsigned d, unsigned count, unsigned inc, const char *mark, int index)
{
    a32_t_str(t, "{");
    if (count > 1 && inc == 1 && index < 0) {
        a32_t_v(t, 0, d);
        a32_t_str(t, mark);
        a32_t_str(t, "-");
        a32_t_v(t, 0, d + count - 1);
        a32_t_str(t, mark);
    } else {
        for (unsigned k = 0; k < count; k++) {
            a32_t_str(t, k ? "," : "");
            a32_t_v(t, 0, d + k * inc);
            a32_t_str(t, mark);
            if (index >= 0) {
                a32_t_str(t, "[");
                a32_t_u(t, (unsigned)index);
                a32_t_str(t, "]");
            }
        }
    }
    a32_t_str(t, "}");
}

static void memory(a32_text *t, const a32_fields *f, unsigned align)
{
    a32_t_str(t, ", [");
    a32_t_r(t, f->n);
    if (align) {
        a32_t_str(t, " :");
        a32_t_u(t, 8u << align);
    }
    a32_t_str(t, f->m == 13 ? "]!" : "]");
    if (f->m != 13 && f->m != 15) {
        a32_t_str(t, ", ");
        a32_t_r(t, f->m);
    }
}

static void mnemonic(a32_text *t, const a32_fields *f, unsigned elements, unsigned z, unsigned is_load)
{
    (void)f;
    a32_t_str(t, is_load ? "vld" : "vst");
    a32_t_u(t, elements);
    a32_t_c(t);
    a32_t_str(t, ".");
    a32_t_u(t, 8u << z);
    a32_t_str(t, "\t");
}

void a32_text_neon_multiple(a32_text *t, const a32_fields *f, uint64_t pc);
void a32_text_neon_multiple(a32_text *t, const a32_fields *f, uint64_t pc)
{
    const shape *s = &shapes[f->t];
    (void)pc;
    mnemonic(t, f, s->elements, f->z, f->o);
    registers(t, f->d, s->elements * s->regs, s->regs == 2 && s->elements == 2 ? 1 : s->inc, "", -1);
    memory(t, f, f->a ? 2 + f->a : 0);
}

void a32_text_neon_lane(a32_text *t, const a32_fields *f, uint64_t pc);
void a32_text_neon_lane(a32_text *t, const a32_fields *f, uint64_t pc)
{
    (void)pc;
    mnemonic(t, f, f->e + 1, f->z, f->o);
    registers(t, f->d, f->e + 1, lane_inc(f), "", (int)lane_index(f));
    memory(t, f, lane_align(f));
}

void a32_text_neon_all(a32_text *t, const a32_fields *f, uint64_t pc);
void a32_text_neon_all(a32_text *t, const a32_fields *f, uint64_t pc)
{
    unsigned z = f->z == 3 ? 2 : f->z, align = 0;
    (void)pc;
    if (f->a)
        align = f->e == 0 ? z : f->e == 1 ? z + 1 : f->z == 3 ? 4 : f->z == 2 ? 3 : z + 2;
    mnemonic(t, f, f->e + 1, z, 1);
    registers(t, f->d, f->e ? f->e + 1 : f->t + 1, f->e ? f->t + 1 : 1, "[]", -1);
    memory(t, f, align);
}
