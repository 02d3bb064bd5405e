/* AdvSIMD load and store structures: LD1-LD4, ST1-ST4 of multiple and single structures, LD1R-LD4R
 * (DDI 0487, C4.1 "Advanced SIMD load/store ..."; C7.2).
 *
 * Called by the decoder, one body a row. Invariant: all accesses come before the first PUT.
 * Interleaving is done in registers on whole vectors, so a structure costs one access a register.
 */
#include "a64_simd.h"

static oryx_val plus(a64_lift *l, oryx_val base, unsigned offset)
{
    return offset ? oryx_bin(l->ir, ORYX_OP_ADD, I64, base, a64_imm(l, I64, offset)) : base;
}

/* Post-index writeback: register 31 stands for the bytes transferred. */
static void writeback(a64_lift *l, const a64_fields *f, oryx_val base, unsigned post,
                      unsigned bytes)
{
    if (!post)
        return;
    oryx_val step = f->m == 31 ? a64_imm(l, I64, bytes) : a64_reg(l, I64, f->m);
    a64_set_reg_sp(l, I64, f->n, oryx_bin(l->ir, ORYX_OP_ADD, I64, base, step));
}

/* Three-way (de)interleaving by table lookup. Loading: byte i of register r is stream byte 3 *
 * element + r; storing: byte i of output r is a byte of register (stream position mod 3). Both are
 * maps from (output r, byte i) to (input, byte). */
static unsigned source3(unsigned loading, unsigned z, unsigned count, unsigned r, unsigned i)
{
    unsigned esize = 1u << z, byte = i & (esize - 1);
    if (loading)
        return ((i >> z) * 3 + r) * esize + byte;
    unsigned e = (r * count + i) >> z;
    return e % 3 * count + e / 3 * esize + byte;
}

/* in, out: three vectors of count (8 or 16) bytes each. */
static void interleave3(a64_lift *l, unsigned loading, unsigned z, unsigned count,
                        const oryx_val *in, oryx_val *out)
{
    unsigned t = count == 16 ? V128 : V64, n_tables = count == 16 ? 3 : 2;
    oryx_val table[3] = { in[0], in[1], in[2] };
    if (count == 8) {
        table[0] = oryx_vbin(l->ir, ORYX_OP_VCAT, V128, V64, in[0], in[1], 0);
        table[1] = oryx_vbin(l->ir, ORYX_OP_VCAT, V128, V64, in[2], zeros(l, V64), 0);
    }
    for (unsigned r = 0; r < 3; r++) {
        out[r] = 0;
        for (unsigned k = 0; k < n_tables; k++) {
            uint64_t index[2] = { 0, 0 };
            for (unsigned i = 0; i < count; i++) {
                unsigned from = source3(loading, z, count, r, i);
                uint64_t b = from >> 4 == k ? from & 15 : 0x80;
                index[i >> 3] |= b << 8 * (i & 7);
            }
            oryx_val part = BIN(TBL, t, I8, table[k], oryx_vconst(l->ir, t, index[0], index[1]), 0);
            out[r] = k ? BIN(OR, t, I8, out[r], part, 0) : part;
        }
    }
}

static void deinterleave(a64_lift *l, unsigned count, unsigned z, unsigned t, oryx_val *v)
{
    unsigned ln = lane(z);
    oryx_val w[4];
    if (count == 2) {
        w[0] = BIN(UZP1, t, ln, v[0], v[1], 0);
        w[1] = BIN(UZP2, t, ln, v[0], v[1], 0);
    } else if (count == 3) {
        interleave3(l, 1, z, t == V128 ? 16 : 8, v, w);
    } else {
        oryx_val even0 = BIN(UZP1, t, ln, v[0], v[1], 0), even1 = BIN(UZP1, t, ln, v[2], v[3], 0);
        oryx_val odd0 = BIN(UZP2, t, ln, v[0], v[1], 0), odd1 = BIN(UZP2, t, ln, v[2], v[3], 0);
        w[0] = BIN(UZP1, t, ln, even0, even1, 0);
        w[1] = BIN(UZP1, t, ln, odd0, odd1, 0);
        w[2] = BIN(UZP2, t, ln, even0, even1, 0);
        w[3] = BIN(UZP2, t, ln, odd0, odd1, 0);
    }
    for (unsigned i = 0; i < count; i++)
        v[i] = w[i];
}

static void interleave(a64_lift *l, unsigned count, unsigned z, unsigned t, oryx_val *v)
{
    unsigned ln = lane(z);
    oryx_val w[4];
    if (count == 2) {
        w[0] = BIN(ZIP1, t, ln, v[0], v[1], 0);
        w[1] = BIN(ZIP2, t, ln, v[0], v[1], 0);
    } else if (count == 3) {
        interleave3(l, 0, z, t == V128 ? 16 : 8, v, w);
    } else {
        oryx_val low02 = BIN(ZIP1, t, ln, v[0], v[2], 0), high02 = BIN(ZIP2, t, ln, v[0], v[2], 0);
        oryx_val low13 = BIN(ZIP1, t, ln, v[1], v[3], 0), high13 = BIN(ZIP2, t, ln, v[1], v[3], 0);
        w[0] = BIN(ZIP1, t, ln, low02, low13, 0);
        w[1] = BIN(ZIP2, t, ln, low02, low13, 0);
        w[2] = BIN(ZIP1, t, ln, high02, high13, 0);
        w[3] = BIN(ZIP2, t, ln, high02, high13, 0);
    }
    for (unsigned i = 0; i < count; i++)
        v[i] = w[i];
}

/* Big-endian data: the bytes of each element are turned, not those of the access, which is of bytes then. Alignment is the
 * element's in either order. */
static oryx_val elements(a64_lift *l, const a64_fields *f, unsigned t, oryx_val v)
{
    return l->mode & A64_MODE_BE && f->z ? UN(VREV, t, I8, v, 8u << f->z) : v;
}

static void as_elements(a64_lift *l, const a64_fields *f)
{
    l->memop &= ~ORYX_MO_BE;
    if (l->align)
        l->align = f->z ? f->z + 1 : 0;
}

/* count registers; structure: LDn (interleaved) or LD1 (one after the other). */
static void load_multiple(a64_lift *l, const a64_fields *f, unsigned count, unsigned structure,
                          unsigned post)
{
    unsigned t = vec(f->q), size = 8u << f->q;
    oryx_val base = a64_reg_sp(l, I64, f->n), v[4];
    as_elements(l, f);
    for (unsigned i = 0; i < count; i++)
        v[i] = oryx_load(l->ir, t, plus(l, base, i * size), f->q ? ORYX_MO_128 : ORYX_MO_64);
    for (unsigned i = 0; i < count; i++)
        v[i] = elements(l, f, t, v[i]);
    if (structure)
        deinterleave(l, count, f->z, t, v);
    for (unsigned i = 0; i < count; i++)
        a64_set_vreg(l, t, (f->t + i) & 31, v[i]);
    writeback(l, f, base, post, count * size);
}

static void store_multiple(a64_lift *l, const a64_fields *f, unsigned count, unsigned structure,
                           unsigned post)
{
    unsigned t = vec(f->q), size = 8u << f->q;
    oryx_val base = a64_reg_sp(l, I64, f->n), v[4];
    for (unsigned i = 0; i < count; i++)
        v[i] = a64_vreg(l, t, (f->t + i) & 31);
    if (structure)
        interleave(l, count, f->z, t, v);
    as_elements(l, f);
    for (unsigned i = 0; i < count; i++)
        v[i] = elements(l, f, t, v[i]);
    for (unsigned i = 0; i < count; i++)
        oryx_store(l->ir, t, plus(l, base, i * size), v[i], f->q ? ORYX_MO_128 : ORYX_MO_64);
    writeback(l, f, base, post, count * size);
}

/* Single structures: j:r is the register count less 1; q:e the lane number. */
static unsigned count_of(const a64_fields *f)
{
    return f->j * 2 + f->r + 1;
}

static unsigned lane_index(const a64_fields *f, unsigned z)
{
    return f->q << (3 - z) | f->e;
}

static void load_single(a64_lift *l, const a64_fields *f, unsigned z, unsigned post)
{
    unsigned count = count_of(f);
    oryx_val base = a64_reg_sp(l, I64, f->n), v[4];
    for (unsigned i = 0; i < count; i++)
        v[i] = oryx_load(l->ir, lane(z), plus(l, base, i << z), z);
    for (unsigned i = 0; i < count; i++) {
        unsigned t = (f->t + i) & 31;
        a64_set_vreg(l, V128, t,
                     BIN(VSET, V128, lane(z), a64_vreg(l, V128, t), v[i], lane_index(f, z)));
    }
    writeback(l, f, base, post, count << z);
}

static void store_single(a64_lift *l, const a64_fields *f, unsigned z, unsigned post)
{
    unsigned count = count_of(f);
    oryx_val base = a64_reg_sp(l, I64, f->n);
    for (unsigned i = 0; i < count; i++) {
        oryx_val v = UN(VGET, V128, lane(z), a64_vreg(l, V128, (f->t + i) & 31), lane_index(f, z));
        oryx_store(l->ir, lane(z), plus(l, base, i << z), v, z);
    }
    writeback(l, f, base, post, count << z);
}

static void load_replicate(a64_lift *l, const a64_fields *f, unsigned post)
{
    unsigned count = count_of(f), t = vec(f->q);
    oryx_val base = a64_reg_sp(l, I64, f->n), v[4];
    for (unsigned i = 0; i < count; i++)
        v[i] = oryx_load(l->ir, lane(f->z), plus(l, base, i << f->z), f->z);
    for (unsigned i = 0; i < count; i++)
        a64_set_vreg(l, t, (f->t + i) & 31, UN(DUP, t, lane(f->z), v[i], 0));
    writeback(l, f, base, post, count << f->z);
}

/* --- multiple structures ---------------------------------------------------------------------- */

ORYX_INSN(LD4, "0q001100010000000000zznnnnnttttt",
          "[!(z == 3 && q == 0)] ld4\t%list(4,z,q,t), [%xsp(n)]", SIMD)
{
    load_multiple(l, f, 4, 1, 0);
}

ORYX_INSN(LD1x4, "0q001100010000000010zznnnnnttttt", "ld1\t%list(4,z,q,t), [%xsp(n)]", SIMD)
{
    load_multiple(l, f, 4, 0, 0);
}

ORYX_INSN(LD3, "0q001100010000000100zznnnnnttttt",
          "[!(z == 3 && q == 0)] ld3\t%list(3,z,q,t), [%xsp(n)]", SIMD)
{
    load_multiple(l, f, 3, 1, 0);
}

ORYX_INSN(LD1x3, "0q001100010000000110zznnnnnttttt", "ld1\t%list(3,z,q,t), [%xsp(n)]", SIMD)
{
    load_multiple(l, f, 3, 0, 0);
}

ORYX_INSN(LD1x1, "0q001100010000000111zznnnnnttttt", "ld1\t%list(1,z,q,t), [%xsp(n)]", SIMD)
{
    load_multiple(l, f, 1, 0, 0);
}

ORYX_INSN(LD2, "0q001100010000001000zznnnnnttttt",
          "[!(z == 3 && q == 0)] ld2\t%list(2,z,q,t), [%xsp(n)]", SIMD)
{
    load_multiple(l, f, 2, 1, 0);
}

ORYX_INSN(LD1x2, "0q001100010000001010zznnnnnttttt", "ld1\t%list(2,z,q,t), [%xsp(n)]", SIMD)
{
    load_multiple(l, f, 2, 0, 0);
}

ORYX_INSN(LD4_post, "0q001100110mmmmm0000zznnnnnttttt",
          "[!(z == 3 && q == 0)] ld4\t%list(4,z,q,t), [%xsp(n)], "
          "%?(m==31){#%u(32<<q)}{%x(m)}", SIMD)
{
    load_multiple(l, f, 4, 1, 1);
}

ORYX_INSN(LD1x4_post, "0q001100110mmmmm0010zznnnnnttttt",
          "ld1\t%list(4,z,q,t), [%xsp(n)], %?(m==31){#%u(32<<q)}{%x(m)}", SIMD)
{
    load_multiple(l, f, 4, 0, 1);
}

ORYX_INSN(LD3_post, "0q001100110mmmmm0100zznnnnnttttt",
          "[!(z == 3 && q == 0)] ld3\t%list(3,z,q,t), [%xsp(n)], "
          "%?(m==31){#%u(24<<q)}{%x(m)}", SIMD)
{
    load_multiple(l, f, 3, 1, 1);
}

ORYX_INSN(LD1x3_post, "0q001100110mmmmm0110zznnnnnttttt",
          "ld1\t%list(3,z,q,t), [%xsp(n)], %?(m==31){#%u(24<<q)}{%x(m)}", SIMD)
{
    load_multiple(l, f, 3, 0, 1);
}

ORYX_INSN(LD1x1_post, "0q001100110mmmmm0111zznnnnnttttt",
          "ld1\t%list(1,z,q,t), [%xsp(n)], %?(m==31){#%u(8<<q)}{%x(m)}", SIMD)
{
    load_multiple(l, f, 1, 0, 1);
}

ORYX_INSN(LD2_post, "0q001100110mmmmm1000zznnnnnttttt",
          "[!(z == 3 && q == 0)] ld2\t%list(2,z,q,t), [%xsp(n)], "
          "%?(m==31){#%u(16<<q)}{%x(m)}", SIMD)
{
    load_multiple(l, f, 2, 1, 1);
}

ORYX_INSN(LD1x2_post, "0q001100110mmmmm1010zznnnnnttttt",
          "ld1\t%list(2,z,q,t), [%xsp(n)], %?(m==31){#%u(16<<q)}{%x(m)}", SIMD)
{
    load_multiple(l, f, 2, 0, 1);
}

ORYX_INSN(ST4, "0q001100000000000000zznnnnnttttt",
          "[!(z == 3 && q == 0)] st4\t%list(4,z,q,t), [%xsp(n)]", SIMD)
{
    store_multiple(l, f, 4, 1, 0);
}

ORYX_INSN(ST1x4, "0q001100000000000010zznnnnnttttt", "st1\t%list(4,z,q,t), [%xsp(n)]", SIMD)
{
    store_multiple(l, f, 4, 0, 0);
}

ORYX_INSN(ST3, "0q001100000000000100zznnnnnttttt",
          "[!(z == 3 && q == 0)] st3\t%list(3,z,q,t), [%xsp(n)]", SIMD)
{
    store_multiple(l, f, 3, 1, 0);
}

ORYX_INSN(ST1x3, "0q001100000000000110zznnnnnttttt", "st1\t%list(3,z,q,t), [%xsp(n)]", SIMD)
{
    store_multiple(l, f, 3, 0, 0);
}

ORYX_INSN(ST1x1, "0q001100000000000111zznnnnnttttt", "st1\t%list(1,z,q,t), [%xsp(n)]", SIMD)
{
    store_multiple(l, f, 1, 0, 0);
}

ORYX_INSN(ST2, "0q001100000000001000zznnnnnttttt",
          "[!(z == 3 && q == 0)] st2\t%list(2,z,q,t), [%xsp(n)]", SIMD)
{
    store_multiple(l, f, 2, 1, 0);
}

ORYX_INSN(ST1x2, "0q001100000000001010zznnnnnttttt", "st1\t%list(2,z,q,t), [%xsp(n)]", SIMD)
{
    store_multiple(l, f, 2, 0, 0);
}

ORYX_INSN(ST4_post, "0q001100100mmmmm0000zznnnnnttttt",
          "[!(z == 3 && q == 0)] st4\t%list(4,z,q,t), [%xsp(n)], "
          "%?(m==31){#%u(32<<q)}{%x(m)}", SIMD)
{
    store_multiple(l, f, 4, 1, 1);
}

ORYX_INSN(ST1x4_post, "0q001100100mmmmm0010zznnnnnttttt",
          "st1\t%list(4,z,q,t), [%xsp(n)], %?(m==31){#%u(32<<q)}{%x(m)}", SIMD)
{
    store_multiple(l, f, 4, 0, 1);
}

ORYX_INSN(ST3_post, "0q001100100mmmmm0100zznnnnnttttt",
          "[!(z == 3 && q == 0)] st3\t%list(3,z,q,t), [%xsp(n)], "
          "%?(m==31){#%u(24<<q)}{%x(m)}", SIMD)
{
    store_multiple(l, f, 3, 1, 1);
}

ORYX_INSN(ST1x3_post, "0q001100100mmmmm0110zznnnnnttttt",
          "st1\t%list(3,z,q,t), [%xsp(n)], %?(m==31){#%u(24<<q)}{%x(m)}", SIMD)
{
    store_multiple(l, f, 3, 0, 1);
}

ORYX_INSN(ST1x1_post, "0q001100100mmmmm0111zznnnnnttttt",
          "st1\t%list(1,z,q,t), [%xsp(n)], %?(m==31){#%u(8<<q)}{%x(m)}", SIMD)
{
    store_multiple(l, f, 1, 0, 1);
}

ORYX_INSN(ST2_post, "0q001100100mmmmm1000zznnnnnttttt",
          "[!(z == 3 && q == 0)] st2\t%list(2,z,q,t), [%xsp(n)], "
          "%?(m==31){#%u(16<<q)}{%x(m)}", SIMD)
{
    store_multiple(l, f, 2, 1, 1);
}

ORYX_INSN(ST1x2_post, "0q001100100mmmmm1010zznnnnnttttt",
          "st1\t%list(2,z,q,t), [%xsp(n)], %?(m==31){#%u(16<<q)}{%x(m)}", SIMD)
{
    store_multiple(l, f, 2, 0, 1);
}

/* --- single structures: the rows of one element size stand for LD1 to LD4 --------------------- */

ORYX_INSN(LDn_b, "0q00110101r0000000jeeennnnnttttt",
          "ld%u(j*2+r+1)\t%listx(j*2+r+1,0,t,q*8+e), [%xsp(n)]", SIMD)
{
    load_single(l, f, 0, 0);
}

ORYX_INSN(LDn_h, "0q00110101r0000001jee0nnnnnttttt",
          "ld%u(j*2+r+1)\t%listx(j*2+r+1,1,t,q*4+e), [%xsp(n)]", SIMD)
{
    load_single(l, f, 1, 0);
}

ORYX_INSN(LDn_s, "0q00110101r0000010je00nnnnnttttt",
          "ld%u(j*2+r+1)\t%listx(j*2+r+1,2,t,q*2+e), [%xsp(n)]", SIMD)
{
    load_single(l, f, 2, 0);
}

ORYX_INSN(LDn_d, "0q00110101r0000010j001nnnnnttttt",
          "ld%u(j*2+r+1)\t%listx(j*2+r+1,3,t,q), [%xsp(n)]", SIMD)
{
    load_single(l, f, 3, 0);
}

ORYX_INSN(LDnR, "0q00110101r0000011j0zznnnnnttttt",
          "ld%u(j*2+r+1)r\t%list(j*2+r+1,z,q,t), [%xsp(n)]", SIMD)
{
    load_replicate(l, f, 0);
}

ORYX_INSN(LDn_b_post, "0q00110111rmmmmm00jeeennnnnttttt",
          "ld%u(j*2+r+1)\t%listx(j*2+r+1,0,t,q*8+e), [%xsp(n)], "
          "%?(m==31){#%u(j*2+r+1)}{%x(m)}", SIMD)
{
    load_single(l, f, 0, 1);
}

ORYX_INSN(LDn_h_post, "0q00110111rmmmmm01jee0nnnnnttttt",
          "ld%u(j*2+r+1)\t%listx(j*2+r+1,1,t,q*4+e), [%xsp(n)], "
          "%?(m==31){#%u((j*2+r+1)<<1)}{%x(m)}", SIMD)
{
    load_single(l, f, 1, 1);
}

ORYX_INSN(LDn_s_post, "0q00110111rmmmmm10je00nnnnnttttt",
          "ld%u(j*2+r+1)\t%listx(j*2+r+1,2,t,q*2+e), [%xsp(n)], "
          "%?(m==31){#%u((j*2+r+1)<<2)}{%x(m)}", SIMD)
{
    load_single(l, f, 2, 1);
}

ORYX_INSN(LDn_d_post, "0q00110111rmmmmm10j001nnnnnttttt",
          "ld%u(j*2+r+1)\t%listx(j*2+r+1,3,t,q), [%xsp(n)], "
          "%?(m==31){#%u((j*2+r+1)<<3)}{%x(m)}", SIMD)
{
    load_single(l, f, 3, 1);
}

ORYX_INSN(LDnR_post, "0q00110111rmmmmm11j0zznnnnnttttt",
          "ld%u(j*2+r+1)r\t%list(j*2+r+1,z,q,t), [%xsp(n)], "
          "%?(m==31){#%u((j*2+r+1)<<z)}{%x(m)}", SIMD)
{
    load_replicate(l, f, 1);
}

ORYX_INSN(STn_b, "0q00110100r0000000jeeennnnnttttt",
          "st%u(j*2+r+1)\t%listx(j*2+r+1,0,t,q*8+e), [%xsp(n)]", SIMD)
{
    store_single(l, f, 0, 0);
}

ORYX_INSN(STn_h, "0q00110100r0000001jee0nnnnnttttt",
          "st%u(j*2+r+1)\t%listx(j*2+r+1,1,t,q*4+e), [%xsp(n)]", SIMD)
{
    store_single(l, f, 1, 0);
}

ORYX_INSN(STn_s, "0q00110100r0000010je00nnnnnttttt",
          "st%u(j*2+r+1)\t%listx(j*2+r+1,2,t,q*2+e), [%xsp(n)]", SIMD)
{
    store_single(l, f, 2, 0);
}

ORYX_INSN(STn_d, "0q00110100r0000010j001nnnnnttttt",
          "st%u(j*2+r+1)\t%listx(j*2+r+1,3,t,q), [%xsp(n)]", SIMD)
{
    store_single(l, f, 3, 0);
}

ORYX_INSN(STn_b_post, "0q00110110rmmmmm00jeeennnnnttttt",
          "st%u(j*2+r+1)\t%listx(j*2+r+1,0,t,q*8+e), [%xsp(n)], "
          "%?(m==31){#%u(j*2+r+1)}{%x(m)}", SIMD)
{
    store_single(l, f, 0, 1);
}

ORYX_INSN(STn_h_post, "0q00110110rmmmmm01jee0nnnnnttttt",
          "st%u(j*2+r+1)\t%listx(j*2+r+1,1,t,q*4+e), [%xsp(n)], "
          "%?(m==31){#%u((j*2+r+1)<<1)}{%x(m)}", SIMD)
{
    store_single(l, f, 1, 1);
}

ORYX_INSN(STn_s_post, "0q00110110rmmmmm10je00nnnnnttttt",
          "st%u(j*2+r+1)\t%listx(j*2+r+1,2,t,q*2+e), [%xsp(n)], "
          "%?(m==31){#%u((j*2+r+1)<<2)}{%x(m)}", SIMD)
{
    store_single(l, f, 2, 1);
}

ORYX_INSN(STn_d_post, "0q00110110rmmmmm10j001nnnnnttttt",
          "st%u(j*2+r+1)\t%listx(j*2+r+1,3,t,q), [%xsp(n)], "
          "%?(m==31){#%u((j*2+r+1)<<3)}{%x(m)}", SIMD)
{
    store_single(l, f, 3, 1);
}
