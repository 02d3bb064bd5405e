/* A32 loads and stores: DDI 0406C A5.2.8, A5.2.10, A5.3, A5.5; the functions are T32's too.
 *
 * Order inside a body: the accesses, then the base register, then what was loaded, so a fault leaves the state of the
 * instruction's start. UNPREDICTABLE cases: with writeback a loaded register that is also the base keeps the loaded value,
 * a stored one is stored with its old value. The unprivileged forms (LDRT...) are user mode's accesses in any mode. */
#include "a32_text.h"

static oryx_val base(a32_lift *l, unsigned n)
{
    return n == 15 ? a32_imm(l, a32_pc(l) & ~3u) : a32_reg(l, n);
}

static oryx_val moved(a32_lift *l, const a32_fields *f, oryx_val from, oryx_val offset)
{
    return offset ? a32_bin(l, f->u ? ORYX_OP_ADD : ORYX_OP_SUB, from, offset) : from;
}

static oryx_val offset_imm(a32_lift *l, uint32_t imm)
{
    return imm ? a32_imm(l, imm) : 0;
}

/* offset 0: none. */
void a32_ldst(a32_lift *l, const a32_fields *f, unsigned load, unsigned sign, oryx_val offset)
{
    oryx_val from = base(l, f->n), to = moved(l, f, from, offset), addr = f->p ? to : from, v = 0;
    if (load)
        v = a32_load(l, addr, f->z, sign);
    else
        a32_store(l, addr, a32_reg(l, f->t), f->z);
    if (!f->p || f->w)
        a32_set_reg(l, f->n, to);
    if (!load)
        return;
    if (f->t == 15 && f->z == 2)
        a32_load_pc(l, v, f->n == 13 && !f->p ? ORYX_HINT_RETURN : ORYX_HINT_JUMP);
    else
        a32_set_reg(l, f->t, v);
}

/* Rt and, t2, the second register. */
void a32_ldstd(a32_lift *l, const a32_fields *f, unsigned load, unsigned t2, oryx_val offset)
{
    oryx_val from = base(l, f->n), to = moved(l, f, from, offset), addr = f->p ? to : from;
    oryx_val first = a32_addr(l, addr), second = a32_addr(l, a32_bini(l, ORYX_OP_ADD, addr, 4)), v = 0, w = 0;
    uint32_t memop = a32_mem_a(l, 2);
    if (load) {
        v = oryx_load(l->ir, I32, first, memop);
        w = oryx_load(l->ir, I32, second, memop);
    } else {
        oryx_store(l->ir, I32, first, a32_reg(l, f->t), memop);
        oryx_store(l->ir, I32, second, a32_reg(l, t2), memop);
    }
    if (!f->p || f->w)
        a32_set_reg(l, f->n, to);
    if (load) {
        a32_set_reg(l, f->t, v);
        a32_set_reg(l, t2, w);
    }
}

/* --- Word and unsigned byte ---------------------------------------------------------------------------- */

/* z of a byte flag. */
static a32_fields sized(const a32_fields *f, unsigned z)
{
    a32_fields g = *f;
    g.z = z;
    return g;
}

/* The accesses of this instruction are user mode's. */
void a32_unprivileged(a32_lift *l, unsigned yes)
{
    if (yes && a32_system_bits(l) & A32_MODE_SYSTEM)
        l->memop |= ORYX_MO_USER | ORYX_MO_MMU(1);
}

ORYX_INSN(LDST_imm, "cccc010pubwlnnnnttttiiiiiiiiiiii",
          "[n != 15 || (p && !w)] %?(l){ldr}{str}%?(b){b}%?(!p && w){t}%c()\t%r(t), %mem(n, p, u, w, i)", BASE)
{
    a32_fields g = sized(f, f->b ? 0 : 2);
    a32_unprivileged(l, !f->p && f->w);
    a32_ldst(l, &g, f->l, 0, offset_imm(l, f->i));
}

ORYX_INSN(LDST_reg, "cccc011pubwlnnnnttttiiiiihh0mmmm",
          "[n != 15 || (p && !w)] %?(l){ldr}{str}%?(b){b}%?(!p && w){t}%c()\t%r(t), %memr(n, p, u, w, m, h, i)", BASE)
{
    a32_fields g = sized(f, f->b ? 0 : 2);
    a32_unprivileged(l, !f->p && f->w);
    a32_ldst(l, &g, f->l, 0, a32_shift_imm(l, a32_reg(l, f->m), f->h, f->i, NULL));
}

/* --- Extra: halfwords, signed bytes, doublewords ---------------------------------------------------------- */

ORYX_INSN(STRH_imm, "cccc000pu1w0nnnnttttiiii1011iiii", "[n != 15 || (p && !w)] strh%?(!p && w){t}%c()\t%r(t), %mem(n, p, u, w, i)", BASE)
{
    a32_fields g = sized(f, 1);
    a32_unprivileged(l, !f->p && f->w);
    a32_ldst(l, &g, 0, 0, offset_imm(l, f->i));
}

ORYX_INSN(STRH_reg, "cccc000pu0w0nnnntttt00001011mmmm", "[n != 15 || (p && !w)] strh%?(!p && w){t}%c()\t%r(t), %memr(n, p, u, w, m, 0, 0)", BASE)
{
    a32_fields g = sized(f, 1);
    a32_unprivileged(l, !f->p && f->w);
    a32_ldst(l, &g, 0, 0, a32_reg(l, f->m));
}

/* o: 1 LDRH, 2 LDRSB, 3 LDRSH. */
ORYX_INSN(LDRH_imm, "cccc000pu1w1nnnnttttiiii1oo1iiii",
          "[o && (n != 15 || (p && !w))] ldr%pick(o, \"? h sb sh\")%?(!p && w){t}%c()\t%r(t), %mem(n, p, u, w, i)", BASE)
{
    a32_fields g = sized(f, f->o & 1);
    a32_unprivileged(l, !f->p && f->w);
    a32_ldst(l, &g, 1, f->o & 2, offset_imm(l, f->i));
}

ORYX_INSN(LDRH_reg, "cccc000pu0w1nnnntttt00001oo1mmmm",
          "[o && (n != 15 || (p && !w))] ldr%pick(o, \"? h sb sh\")%?(!p && w){t}%c()\t%r(t), %memr(n, p, u, w, m, 0, 0)", BASE)
{
    a32_fields g = sized(f, f->o & 1);
    a32_unprivileged(l, !f->p && f->w);
    a32_ldst(l, &g, 1, f->o & 2, a32_reg(l, f->m));
}

/* s: STRD. */
ORYX_INSN(LDRD_imm, "cccc000pu1w0nnnnttttiiii11s1iiii",
          "[!(t & 1) && t != 14 && (p || !w) && (n != 15 || (p && !w))] %?(s){str}{ldr}d%c()\t%r(t), %mem(n, p, u, w, i)", V5E)
{
    a32_ldstd(l, f, !f->s, f->t + 1, offset_imm(l, f->i));
}

ORYX_INSN(LDRD_reg, "cccc000pu0w0nnnntttt000011s1mmmm",
          "[!(t & 1) && t != 14 && (p || !w) && (n != 15 || (p && !w))] %?(s){str}{ldr}d%c()\t%r(t), %memr(n, p, u, w, m, 0, 0)", V5E)
{
    a32_ldstd(l, f, !f->s, f->t + 1, a32_reg(l, f->m));
}

/* --- Multiple -------------------------------------------------------------------------------------------- */

void a32_ldst_multi(a32_lift *l, unsigned load, unsigned n, uint32_t list, unsigned before, unsigned up, unsigned writeback)
{
    unsigned count = (unsigned)__builtin_popcount(list);
    oryx_val base = a32_reg(l, n), from = a32_base_aligned(l, base), v[16];
    uint32_t start = up ? (before ? 4 : 0) : 0u - 4 * count + (before ? 0 : 4), at = start;
    for (unsigned k = 0; k < 16; k++) {
        if (!(list >> k & 1))
            continue;
        oryx_val addr = a32_addr(l, at ? a32_bini(l, ORYX_OP_ADD, from, at) : from);
        if (load)
            v[k] = oryx_load(l->ir, I32, addr, a32_mem_a(l, 2));
        else
            oryx_store(l->ir, I32, addr, a32_reg(l, k), a32_mem_a(l, 2));
        at += 4;
    }
    if (writeback)
        a32_set_reg(l, n, a32_bini(l, up ? ORYX_OP_ADD : ORYX_OP_SUB, base, 4 * count));
    if (!load)
        return;
    for (unsigned k = 0; k < 15; k++)
        if (list >> k & 1)
            a32_set_reg(l, k, v[k]);
    if (list >> 15)
        a32_load_pc(l, v[15], n == 13 ? ORYX_HINT_RETURN : ORYX_HINT_JUMP);
}

/* The forms with the S bit are in a32_system.c. */
ORYX_INSN(LDM, "cccc100pu0wlnnnniiiiiiiiiiiiiiii",
          "[i && n != 15] {n == 13 && w && l && u && !p && (i & (i - 1))} pop%c()\t%list(i) ;; "
          "{n == 13 && w && !l && !u && p && (i & (i - 1))} push%c()\t%list(i) ;; "
          "{n == 13 && w && l && u && !p} ldmfd%c()\tsp!, %list(i) ;; {n == 13 && w && !l && !u && p} stmfd%c()\tsp!, %list(i) ;; "
          "%?(l){ldm}{stm}%pick(p << 1 | u, \"da _ db ib\")%?(!l && w && u && !p){ia}%c()\t%r(n)%?(w){!}, %list(i)", BASE)
{
    a32_ldst_multi(l, f->l, f->n, f->i, f->p, f->u, f->w);
}

/* --- Synchronization ---------------------------------------------------------------------------------------- */

static uint32_t exclusive(const a32_lift *l, const a32_fields *f, unsigned z)
{
    return a32_mem_a(l, z) | (f->a ? ORYX_MO_ACQUIRE : 0) | (f->r ? ORYX_MO_RELEASE : 0);
}

static oryx_val offset_base(a32_lift *l, const a32_fields *f)
{
    oryx_val v = a32_reg(l, f->n);
    return a32_addr(l, f->i ? a32_bini(l, ORYX_OP_ADD, v, f->i) : v);
}

/* z: log2 of the bytes, i: offset, a: acquire, r: release. */
void a32_do_ldrex(a32_lift *l, const a32_fields *f)
{
    a32_set_reg(l, f->t, oryx_ldx(l->ir, I32, offset_base(l, f), exclusive(l, f, f->z)));
}

void a32_do_strex(a32_lift *l, const a32_fields *f)
{
    oryx_val v = a32_reg(l, f->t);
    a32_set_reg(l, f->d, oryx_stx(l->ir, I32, offset_base(l, f), v, exclusive(l, f, f->z)));
}

/* s: the second register. The first is at the lower address, whatever the byte order. */
void a32_do_ldrexd(a32_lift *l, const a32_fields *f)
{
    oryx_ir *ir = l->ir;
    oryx_val v = oryx_ldx(ir, I64, offset_base(l, f), exclusive(l, f, 3));
    oryx_val low = oryx_trunc(ir, I32, I64, v);
    oryx_val high = oryx_trunc(ir, I32, I64, oryx_bin(ir, ORYX_OP_SHR, I64, v, oryx_const(ir, I64, 32)));
    int be = a32_big(l);
    a32_set_reg(l, f->t, be ? high : low);
    a32_set_reg(l, f->s, be ? low : high);
}

void a32_do_strexd(a32_lift *l, const a32_fields *f)
{
    oryx_ir *ir = l->ir;
    int be = a32_big(l);
    oryx_val t = oryx_zext(ir, I64, I32, a32_reg(l, f->t)), s = oryx_zext(ir, I64, I32, a32_reg(l, f->s));
    oryx_val v = oryx_bfi(ir, I64, be ? s : t, be ? t : s, 32, 32);
    a32_set_reg(l, f->d, oryx_stx(ir, I64, offset_base(l, f), v, exclusive(l, f, 3)));
}

static a32_fields ordered(const a32_fields *f, unsigned z, unsigned a, unsigned r)
{
    a32_fields g = sized(f, z);
    g.a = a;
    g.r = r;
    return g;
}

ORYX_INSN(LDREX, "cccc00011001nnnntttt111110011111", "ldrex%c()\t%r(t), [%r(n)]", V6)
{
    a32_fields g = ordered(f, 2, 0, 0);
    a32_do_ldrex(l, &g);
}

ORYX_INSN(LDREXBH, "cccc000111z1nnnntttt111110011111", "ldrex%?(z){h}{b}%c()\t%r(t), [%r(n)]", V6K)
{
    a32_do_ldrex(l, f);
}

ORYX_INSN(LDREXD, "cccc00011011nnnntttt111110011111",
          "[!(t & 1) && t != 14] ldrexd%c()\t%r(t), [%r(n)]", V6K)
{
    a32_fields g = *f;
    g.s = f->t + 1;
    a32_do_ldrexd(l, &g);
}

ORYX_INSN(STREX, "cccc00011000nnnndddd11111001tttt", "strex%c()\t%r(d), %r(t), [%r(n)]", V6)
{
    a32_fields g = ordered(f, 2, 0, 0);
    a32_do_strex(l, &g);
}

ORYX_INSN(STREXBH, "cccc000111z0nnnndddd11111001tttt", "strex%?(z){h}{b}%c()\t%r(d), %r(t), [%r(n)]", V6K)
{
    a32_do_strex(l, f);
}

ORYX_INSN(STREXD, "cccc00011010nnnndddd11111001tttt",
          "[!(t & 1) && t != 14] strexd%c()\t%r(d), %r(t), [%r(n)]", V6K)
{
    a32_fields g = *f;
    g.s = f->t + 1;
    a32_do_strexd(l, &g);
}

void a32_do_lda(a32_lift *l, const a32_fields *f)
{
    a32_set_reg(l, f->t, oryx_load(l->ir, I32, offset_base(l, f), a32_mem_a(l, f->z) | ORYX_MO_ACQUIRE));
}

void a32_do_stl(a32_lift *l, const a32_fields *f)
{
    oryx_val v = a32_reg(l, f->t);
    oryx_store(l->ir, I32, offset_base(l, f), v, a32_mem_a(l, f->z) | ORYX_MO_RELEASE);
}

/* o: 0 word, 2 byte, 3 halfword; in the exclusive forms 1 doubleword. */
static unsigned size_of(unsigned o)
{
    return o ? o - 2 : 2;
}

ORYX_INSN(LDA, "cccc00011oo1nnnntttt110010011111", "[o != 1] lda%pick(o, \"_ ? b h\")%c()\t%r(t), [%r(n)]", V8)
{
    a32_fields g = sized(f, size_of(f->o));
    a32_do_lda(l, &g);
}

ORYX_INSN(STL, "cccc00011oo0nnnn111111001001tttt", "[o != 1] stl%pick(o, \"_ ? b h\")%c()\t%r(t), [%r(n)]", V8)
{
    a32_fields g = sized(f, size_of(f->o));
    a32_do_stl(l, &g);
}

ORYX_INSN(LDAEX, "cccc00011oo1nnnntttt111010011111",
          "[o != 1 || (!(t & 1) && t != 14)] ldaex%pick(o, \"_ d b h\")%c()\t%r(t), %?(o == 1){%r(t + 1), }[%r(n)]", V8)
{
    a32_fields g = ordered(f, size_of(f->o), 1, 0);
    g.s = f->t + 1;
    if (f->o == 1)
        a32_do_ldrexd(l, &g);
    else
        a32_do_ldrex(l, &g);
}

ORYX_INSN(STLEX, "cccc00011oo0nnnndddd11101001tttt",
          "[o != 1 || (!(t & 1) && t != 14)] stlex%pick(o, \"_ d b h\")%c()\t%r(d), %r(t), %?(o == 1){%r(t + 1), }[%r(n)]", V8)
{
    a32_fields g = ordered(f, size_of(f->o), 0, 1);
    g.s = f->t + 1;
    if (f->o == 1)
        a32_do_strexd(l, &g);
    else
        a32_do_strex(l, &g);
}

/* Removed from Armv8. b: byte. */
ORYX_INSN(SWP, "cccc00010b00nnnntttt00001001mmmm", "swp%?(b){b}%c()\t%r(t), %r(m), [%r(n)]", BASE)
{
    if (l->features & A32_FEAT_V8) {
        a32_undefined(l);
        return;
    }
    oryx_val at = a32_reg(l, f->n), addr = a32_addr(l, f->b ? a32_bytes32(l, at, 0) : a32_base_aligned(l, at));
    oryx_val v = oryx_rmw(l->ir, ORYX_RMW_SWAP, I32, addr, a32_reg(l, f->m), a32_mem_a(l, f->b ? 0 : 2));
    a32_set_reg(l, f->t, f->b || !a32_legacy(l) ? v : a32_bin(l, ORYX_OP_ROR, v, a32_bini(l, ORYX_OP_SHL, at, 3)));
}

/* --- Preloads: hints without an access -------------------------------------------------------------------------- */

ORYX_INSN(PLD_imm, "11110101u101nnnn1111iiiiiiiiiiii", "pld\t%mem(n, 1, u, 0, i)", V5E)
{
    (void)l, (void)f;
}

ORYX_INSN(PLDW_imm, "11110101u001nnnn1111iiiiiiiiiiii", "pldw\t%mem(n, 1, u, 0, i)", MP)
{
    (void)l, (void)f;
}

ORYX_INSN(PLI_imm, "11110100u101nnnn1111iiiiiiiiiiii", "pli\t%mem(n, 1, u, 0, i)", V7)
{
    (void)l, (void)f;
}

ORYX_INSN(PLD_reg, "11110111u101nnnn1111iiiiihh0mmmm", "pld\t%memr(n, 1, u, 0, m, h, i)", V5E)
{
    (void)l, (void)f;
}

ORYX_INSN(PLDW_reg, "11110111u001nnnn1111iiiiihh0mmmm", "pldw\t%memr(n, 1, u, 0, m, h, i)", MP)
{
    (void)l, (void)f;
}

ORYX_INSN(PLI_reg, "11110110u101nnnn1111iiiiihh0mmmm", "pli\t%memr(n, 1, u, 0, m, h, i)", V7)
{
    (void)l, (void)f;
}
