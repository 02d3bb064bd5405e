/* MSA: elements, permutations by index, loads and stores, branches, control registers: MD00866 tables of ELM, MI10 and the branches.
 *
 * Permutations are byte tables: a vector of indexes, computed where a register names them. Invariant of the memory forms: an element is
 * loaded in the CPU's byte order, and the first of memory is element 0. */
#include "mips_msa.h"

/* --- elements: n is df and element number, 00nnnn B, 100nnn H, 1100nn W, 11100n D ------------------------------------------- */

static unsigned elm_df(const mips_fields *f)
{
    return f->n < 0x20 ? 0 : f->n < 0x30 ? 1 : f->n < 0x38 ? 2 : 3;
}

static unsigned elm_number(const mips_fields *f)
{
    return f->n & ((16u >> elm_df(f)) - 1);
}

static oryx_val element(mips_lift *l, unsigned w, unsigned z, unsigned n)
{
    return oryx_ir_emit(l->ir, ORYX_OP_VGET, V128, msa_lane(z), msa_w(l, w), 0, 0, n);
}

static void set_element(mips_lift *l, const mips_fields *f, oryx_val v)
{
    oryx_val w = oryx_ir_emit(l->ir, ORYX_OP_VSET, V128, msa_lane(elm_df(f)), msa_w(l, f->d), v, 0, elm_number(f));
    msa_set(l, f->d, w);
}

static void copy(mips_lift *l, const mips_fields *f, bool is_signed)
{
    unsigned lane = msa_lane(elm_df(f));
    oryx_val v = element(l, f->s, elm_df(f), elm_number(f));
    if (lane != l->w)
        v = is_signed ? oryx_sext(l->ir, l->w, lane, v) : oryx_zext(l->ir, l->w, lane, v);
    mips_set(l, f->d, v);
}

ORYX_INSN(MSA_COPY_S, "0111100010nnnnnnsssssddddd011001", "[n < 16 || (n >= 0x20 && n < 0x28) || (n >= 0x30 && n < 0x34)]copy_s.%dfn(n)\t%r(d),%w(s)[%elm(n)]", MSA)
{
    copy(l, f, true);
}

ORYX_INSN(MSA_COPY_S_D, "011110001011100nsssssddddd011001", "copy_s.d\t%r(d),%w(s)[%u(n)]", MSA_64)
{
    mips_set(l, f->d, element(l, f->s, 3, f->n));
}

ORYX_INSN(MSA_COPY_U, "0111100011nnnnnnsssssddddd011001", "[n < 16 || (n >= 0x20 && n < 0x28)]copy_u.%dfn(n)\t%r(d),%w(s)[%elm(n)]", MSA)
{
    copy(l, f, false);
}

ORYX_INSN(MSA_COPY_U_W, "01111000111100nnsssssddddd011001", "copy_u.w\t%r(d),%w(s)[%u(n)]", MSA_64)
{
    mips_set(l, f->d, oryx_zext(l->ir, I64, I32, element(l, f->s, 2, f->n)));
}

ORYX_INSN(MSA_INSERT, "0111100100nnnnnnsssssddddd011001", "[n < 16 || (n >= 0x20 && n < 0x28) || (n >= 0x30 && n < 0x34)]insert.%dfn(n)\t%w(d)[%elm(n)],%r(s)", MSA)
{
    set_element(l, f, oryx_trunc(l->ir, msa_lane(elm_df(f)), l->w, mips_r(l, f->s)));
}

ORYX_INSN(MSA_INSERT_D, "011110010011100nsssssddddd011001", "insert.d\t%w(d)[%u(n)],%r(s)", MSA_64)
{
    msa_set(l, f->d, oryx_ir_emit(l->ir, ORYX_OP_VSET, V128, I64, msa_w(l, f->d), mips_r(l, f->s), 0, f->n));
}

ORYX_INSN(MSA_INSVE, "0111100101nnnnnnsssssddddd011001", "[n < 16 || (n >= 0x20 && n < 0x28) || (n >= 0x30 && n < 0x34) || (n >= 0x38 && n < 0x3a)]insve.%dfn(n)\t%w(d)[%elm(n)],%w(s)[0]", MSA)
{
    set_element(l, f, element(l, f->s, elm_df(f), 0));
}

ORYX_INSN(MSA_SPLATI, "0111100001nnnnnnsssssddddd011001", "[n < 16 || (n >= 0x20 && n < 0x28) || (n >= 0x30 && n < 0x34) || (n >= 0x38 && n < 0x3a)]splati.%dfn(n)\t%w(d),%w(s)[%elm(n)]", MSA)
{
    unsigned lane = msa_lane(elm_df(f));
    msa_set(l, f->d, oryx_vun(l->ir, ORYX_OP_DUP, V128, lane, element(l, f->s, elm_df(f), elm_number(f)), 0));
}

ORYX_INSN(MSA_MOVE_V, "0111100010111110sssssddddd011001", "move.v\t%w(d),%w(s)", MSA)
{
    msa_set(l, f->d, msa_w(l, f->s));
}

/* --- permutations ------------------------------------------------------------------------------------------------------------ */

/* Byte i of the constant: value[i]. */
static oryx_val bytes(mips_lift *l, const uint8_t value[16])
{
    uint64_t half[2] = { 0, 0 };
    for (unsigned i = 0; i < 16; i++)
        half[i / 8] |= (uint64_t)value[i] << (i % 8 * 8);
    return oryx_vconst(l->ir, V128, half[0], half[1]);
}

/* Low byte of general register n in every byte. */
static oryx_val spread(mips_lift *l, oryx_val v)
{
    return oryx_vun(l->ir, ORYX_OP_DUP, V128, ORYX_T_I8, oryx_trunc(l->ir, ORYX_T_I8, I32, v), 0);
}

ORYX_INSN(MSA_SPLAT, "011110001zztttttsssssddddd010100", "splat.%df(z)\t%w(d),%w(s)[%r(t)]", MSA)
{
    uint8_t offset[16];
    for (unsigned i = 0; i < 16; i++)
        offset[i] = (uint8_t)(i & ((1u << f->z) - 1));
    oryx_val n = mips_bin32(l, ORYX_OP_AND, mips_r32(l, f->t), mips_imm32(l, (16u >> f->z) - 1));
    n = spread(l, mips_bin32(l, ORYX_OP_SHL, n, mips_imm32(l, f->z)));
    msa_set(l, f->d, msa_table(l, msa_w(l, f->s), msa_op(l, ORYX_OP_ADD, 0, n, bytes(l, offset), 0)));
}

/* wd above ws in each of the 2^z columns of 16 >> z bytes, moved down by n bytes (every byte of n the same): the lower half. */
static void slide(mips_lift *l, const mips_fields *f, unsigned z, oryx_val n)
{
    unsigned size = 16u >> z;
    uint8_t in_column[16], column[16];
    for (unsigned i = 0; i < 16; i++) {
        in_column[i] = (uint8_t)(i % size);
        column[i] = (uint8_t)(i - i % size);
    }
    oryx_val from = msa_op(l, ORYX_OP_ADD, 0, n, bytes(l, in_column), 0), none = msa_splat(l, 0, 0xff);
    oryx_val low = msa_op(l, ORYX_OP_VCMP, 0, from, msa_splat(l, 0, size), ORYX_CC_LTU);
    oryx_val at = msa_op(l, ORYX_OP_ADD, 0, from, bytes(l, column), 0);
    oryx_val of_ws = msa_table(l, msa_w(l, f->s), msa_mix(l, low, at, none));
    at = msa_op(l, ORYX_OP_SUB, 0, at, msa_splat(l, 0, size), 0);
    oryx_val of_wd = msa_table(l, msa_w(l, f->d), msa_mix(l, low, none, at));
    msa_set(l, f->d, msa_op(l, ORYX_OP_OR, 0, of_ws, of_wd, 0));
}

ORYX_INSN(MSA_SLD, "011110000zztttttsssssddddd010100", "sld.%df(z)\t%w(d),%w(s)[%r(t)]", MSA)
{
    slide(l, f, f->z, spread(l, mips_bin32(l, ORYX_OP_AND, mips_r32(l, f->t), mips_imm32(l, (16u >> f->z) - 1))));
}

ORYX_INSN(MSA_SLDI, "0111100000nnnnnnsssssddddd011001", "[n < 16 || (n >= 0x20 && n < 0x28) || (n >= 0x30 && n < 0x34) || (n >= 0x38 && n < 0x3a)]sldi.%dfn(n)\t%w(d),%w(s)[%elm(n)]", MSA)
{
    slide(l, f, elm_df(f), msa_splat(l, 0, elm_number(f)));
}

/* Elements of ws:wt as wd's elements number them, modulo; 0 where bit 6 or 7 is set. */
ORYX_INSN(MSA_VSHF, "011110000zztttttsssssddddd010101", "vshf.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    unsigned size = 1u << f->z;
    uint8_t lowest[16], offset[16];
    for (unsigned i = 0; i < 16; i++) {
        lowest[i] = (uint8_t)(i & ~(size - 1));
        offset[i] = (uint8_t)(i & (size - 1));
    }
    oryx_val control = msa_table(l, msa_w(l, f->d), bytes(l, lowest)); /* its low byte, in every byte of the element */
    oryx_val out = msa_op(l, ORYX_OP_AND, 0, control, msa_splat(l, 0, 0xc0), 0);
    out = msa_op(l, ORYX_OP_VCMP, 0, out, msa_splat(l, 0, 0), ORYX_CC_NE);
    oryx_val n = msa_op(l, ORYX_OP_AND, 0, control, msa_splat(l, 0, (32u >> f->z) - 1), 0);
    n = msa_op(l, ORYX_OP_ADD, 0, f->z ? msa_un(l, ORYX_OP_SHLI, 0, n, f->z) : n, bytes(l, offset), 0);
    n = msa_op(l, ORYX_OP_OR, 0, n, out, 0);
    oryx_val of_wt = msa_table(l, msa_w(l, f->t), n);
    oryx_val of_ws = msa_table(l, msa_w(l, f->s), msa_op(l, ORYX_OP_SUB, 0, n, msa_splat(l, 0, 16), 0));
    msa_set(l, f->d, msa_op(l, ORYX_OP_OR, 0, of_wt, of_ws, 0));
}

/* Each set of four elements by the four fields of i. */
ORYX_INSN(MSA_SHF, "011110zziiiiiiiisssssddddd000010", "[z != 3]shf.%df(z)\t%w(d),%w(s),%x(i)", MSA)
{
    uint8_t from[16];
    for (unsigned i = 0; i < 16; i++) {
        unsigned e = i >> f->z, pick = f->i >> (e % 4 * 2) & 3;
        from[i] = (uint8_t)(((e & ~3u) | pick) << f->z | (i & ((1u << f->z) - 1)));
    }
    msa_set(l, f->d, msa_table(l, msa_w(l, f->s), bytes(l, from)));
}

/* --- memory ------------------------------------------------------------------------------------------------------------------- */

/* Memory's order of bytes from the register's, or back. */
static oryx_val in_order(mips_lift *l, unsigned z, oryx_val v)
{
    return l->be && z ? oryx_vun(l->ir, ORYX_OP_VREV, V128, ORYX_T_I8, v, msa_bits(z)) : v;
}

ORYX_INSN(MSA_LD, "011110iiiiiiiiiisssssddddd1000zz", "ld.%df(z)\t%w(d),%i(mips_sx(i, 10) * (1 << z))(%r(s))", MSA)
{
    oryx_val a = mips_ea(l, f->s, mips_sx(f->i, 10) * (1 << f->z));
    msa_set(l, f->d, in_order(l, f->z, oryx_load(l->ir, V128, a, ORYX_MO_128)));
}

ORYX_INSN(MSA_ST, "011110iiiiiiiiiisssssddddd1001zz", "st.%df(z)\t%w(d),%i(mips_sx(i, 10) * (1 << z))(%r(s))", MSA)
{
    oryx_val a = mips_ea(l, f->s, mips_sx(f->i, 10) * (1 << f->z));
    oryx_store(l->ir, V128, a, in_order(l, f->z, msa_w(l, f->d)), ORYX_MO_128);
}

/* --- branches ------------------------------------------------------------------------------------------------------------------- */

/* cc: of the or of v's bits with zero. */
static void branch_on(mips_lift *l, const mips_fields *f, oryx_val v, unsigned cc)
{
    oryx_val low = oryx_ir_emit(l->ir, ORYX_OP_VGET, V128, I64, v, 0, 0, 0), high = oryx_ir_emit(l->ir, ORYX_OP_VGET, V128, I64, v, 0, 0, 1);
    oryx_val any = oryx_bin(l->ir, ORYX_OP_OR, I64, low, high);
    mips_branch(l, oryx_cmp(l->ir, cc, I64, any, oryx_const(l->ir, I64, 0)), (int32_t)((uint32_t)mips_sx(f->i, 16) << 2));
}

static oryx_val zeros(mips_lift *l, const mips_fields *f)
{
    return msa_op(l, ORYX_OP_VCMP, f->z, msa_w(l, f->t), msa_splat(l, 0, 0), ORYX_CC_EQ);
}

ORYX_INSN(MSA_BZ_V, "01000101011tttttiiiiiiiiiiiiiiii", "bz.v\t%w(t),%b(i)", MSA)
{
    if (mips_branch_ok(l))
        branch_on(l, f, msa_w(l, f->t), ORYX_CC_EQ);
}

ORYX_INSN(MSA_BNZ_V, "01000101111tttttiiiiiiiiiiiiiiii", "bnz.v\t%w(t),%b(i)", MSA)
{
    if (mips_branch_ok(l))
        branch_on(l, f, msa_w(l, f->t), ORYX_CC_NE);
}

ORYX_INSN(MSA_BZ, "010001110zztttttiiiiiiiiiiiiiiii", "bz.%df(z)\t%w(t),%b(i)", MSA)
{
    if (mips_branch_ok(l))
        branch_on(l, f, zeros(l, f), ORYX_CC_NE);
}

ORYX_INSN(MSA_BNZ, "010001111zztttttiiiiiiiiiiiiiiii", "bnz.%df(z)\t%w(t),%b(i)", MSA)
{
    if (mips_branch_ok(l))
        branch_on(l, f, zeros(l, f), ORYX_CC_EQ);
}

/* --- control registers: 0 MSAIR, 1 MSACSR; the others are of vector register partitioning, which MSAIR.WRP says is not here ---------- */

ORYX_INSN(MSA_CFCMSA, "0111100001111110sssssddddd011001", "cfcmsa\t%r(d),%wc(s)", MSA)
{
    oryx_val v = mips_imm32(l, f->s);
    mips_set32(l, f->d, oryx_call(l->ir, l->helper_base + MIPS_HELPER_CFCMSA, I32, &v, 1));
}

ORYX_INSN(MSA_CTCMSA, "0111100000111110sssssddddd011001", "ctcmsa\t%wc(d),%r(s)", MSA)
{
    oryx_ir *ir = l->ir;
    oryx_val v[2] = { mips_imm32(l, f->d), mips_r32(l, f->s) };
    oryx_val raises = oryx_call(ir, l->helper_base + MIPS_HELPER_CTCMSA, I32, v, 2);
    uint32_t go_on = mips_label(l);
    oryx_brc(ir, oryx_cmp(ir, ORYX_CC_EQ, I32, raises, mips_imm32(l, 0)), go_on);
    oryx_raise(ir, ORYX_EXC_FP, oryx_const(ir, I64, MIPS_SYN_MSAFPE), l->pc);
    oryx_label(ir, go_on);
    mips_resync(l);
}

/* --- address arithmetic that came with MSA ------------------------------------------------------------------------------------------ */

ORYX_INSN(MSA_LSA, "000000ssssstttttddddd000aa000101", "lsa\t%r(d),%r(s),%r(t),%x(a + 1)", MSA_LSA)
{
    oryx_val v = mips_bin32(l, ORYX_OP_SHL, mips_r32(l, f->s), mips_imm32(l, f->a + 1));
    mips_set32(l, f->d, mips_bin32(l, ORYX_OP_ADD, v, mips_r32(l, f->t)));
}

ORYX_INSN(MSA_DLSA, "000000ssssstttttddddd000aa010101", "dlsa\t%r(d),%r(s),%r(t),%x(a + 1)", MSA_LSA_64)
{
    oryx_val v = mips_bin(l, ORYX_OP_SHL, mips_r(l, f->s), mips_imm(l, f->a + 1));
    mips_set(l, f->d, mips_bin(l, ORYX_OP_ADD, v, mips_r(l, f->t)));
}
