/* engine-interp: scalar integer ops, flags, conversions over boundary values. Expected values: C on 128-bit integers, bit by
 * bit loops, and for flags the host CPU's own flags register (x86-64) or the carry definition. Every case runs with the frame
 * beside the state and without, with register and with constant operands. */
#include "interp_rig.h"

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 s128;

static const uint64_t edges[] = { 0, 1, 2, 3, 7, 8, 15, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff,
                                  0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x123456789abcdef0,
                                  0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff, 0xfffffffffffffffe,
                                  0xaaaaaaaaaaaaaaaa, 0x5555555555555555, 0x00ff00ff00ff00ff };
#define N_EDGES (sizeof edges / sizeof *edges)

static unsigned width_of(unsigned type)
{
    return type == ORYX_T_I1 ? 1 : oryx_type_size(type) * 8;
}

static uint64_t cut(u128 v, unsigned w)
{
    return (uint64_t)(v & (((u128)1 << w) - 1));
}

static s128 sx(uint64_t v, unsigned w)
{
    v = cut(v, w);
    return v >> (w - 1) & 1 ? (s128)v - ((s128)1 << w) : (s128)v;
}

static unsigned bit(uint64_t v, unsigned i)
{
    return v >> i & 1;
}

/* What oryx_ir.def says, by the plainest route. a, b are cut to w. */
static uint64_t expect(unsigned op, uint64_t a, uint64_t b, uint64_t imm, unsigned w)
{
    unsigned n = (unsigned)(b % w), pos = imm & 255, len = imm >> 8 & 255;
    uint64_t r = 0;
    s128 x = sx(a, w), y = sx(b, w);
    switch (op) {
    case ORYX_OP_ADD: return cut((u128)a + b, w);
    case ORYX_OP_SUB: return cut((u128)a - b, w);
    case ORYX_OP_MUL: return cut((u128)a * b, w);
    case ORYX_OP_MULHU: return cut((u128)a * b >> w, w);
    case ORYX_OP_MULHS: return cut((u128)(x * y >> w), w);
    case ORYX_OP_DIVU: return b ? a / b : 0;
    case ORYX_OP_DIVS: return b ? cut((u128)(x / y), w) : 0;
    case ORYX_OP_REMU: return b ? a % b : a;
    case ORYX_OP_REMS: return b ? cut((u128)(x % y), w) : a;
    case ORYX_OP_NEG: return cut(-(u128)a, w);
    case ORYX_OP_NOT: return cut(~a, w);
    case ORYX_OP_AND: return a & b;
    case ORYX_OP_OR: return a | b;
    case ORYX_OP_XOR: return a ^ b;
    case ORYX_OP_ANDN: return cut(a & ~b, w);
    case ORYX_OP_ORN: return cut(a | ~b, w);
    case ORYX_OP_SHL: return cut((u128)a << n, w);
    case ORYX_OP_SHR: return a >> n;
    case ORYX_OP_SAR: return cut((u128)(x >> n), w);
    case ORYX_OP_ROR:
        for (unsigned i = 0; i < w; i++)
            r |= (uint64_t)bit(a, (i + n) % w) << i;
        return r;
    case ORYX_OP_CLZ:
        while (r < w && !bit(a, (unsigned)(w - 1 - r)))
            r++;
        return r;
    case ORYX_OP_CLS:
        while (r < w - 1 && bit(a, (unsigned)(w - 2 - r)) == bit(a, w - 1))
            r++;
        return r;
    case ORYX_OP_CTZ:
        while (r < w && !bit(a, (unsigned)r))
            r++;
        return r;
    case ORYX_OP_POPCNT:
        for (unsigned i = 0; i < w; i++)
            r += bit(a, i);
        return r;
    case ORYX_OP_BSWAP:
        for (unsigned i = 0; i < w; i += 8)
            r |= (a >> i & 255) << (w - 8 - i);
        return r;
    case ORYX_OP_BITREV:
        for (unsigned i = 0; i < w; i++)
            r |= (uint64_t)bit(a, i) << (w - 1 - i);
        return r;
    case ORYX_OP_ABS: return cut((u128)(x < 0 ? -x : x), w);
    case ORYX_OP_MINU: return a < b ? a : b;
    case ORYX_OP_MAXU: return a < b ? b : a;
    case ORYX_OP_MINS: return x < y ? a : b;
    case ORYX_OP_MAXS: return x < y ? b : a;
    case ORYX_OP_UBFX:
        for (unsigned i = 0; i < len; i++)
            r |= (uint64_t)bit(a, pos + i) << i;
        return r;
    case ORYX_OP_SBFX:
        for (unsigned i = 0; i < w; i++)
            r |= (uint64_t)bit(a, i < len ? pos + i : pos + len - 1) << i;
        return r;
    case ORYX_OP_BFI:
        for (unsigned i = 0; i < w; i++)
            r |= (uint64_t)(i >= pos && i < pos + len ? bit(b, i - pos) : bit(a, i)) << i;
        return r;
    case ORYX_OP_FUNNEL:
        for (unsigned i = 0; i < w; i++)
            r |= (uint64_t)(i + imm < w ? bit(b, (unsigned)(i + imm)) : bit(a, (unsigned)(i + imm - w))) << i;
        return r;
    default:
        fail_msg("op %u has no expectation", op);
        return 0;
    }
}

/* operand: 0 both from registers, 1 b constant, 2 a constant */
static void one(rig *r, unsigned op, unsigned type, uint64_t imm, int operand, uint64_t a, uint64_t b, oryx_tb *ready)
{
    unsigned w = width_of(type);
    oryx_tb own, *tb = ready;
    if (!ready || !ready->code) {
        oryx_ir *ir = rig_begin(r, 0x1000);
        rig_insn(r, 0x1000);
        oryx_val x = operand == 2 ? oryx_const(ir, type, a) : oryx_get(ir, type, REG(0));
        oryx_val y = operand == 1 ? oryx_const(ir, type, b) : oryx_get(ir, type, REG(1));
        oryx_val v = oryx_ir_emit(ir, op, type, type, x, y, 0, imm);
        oryx_put(ir, type, REG(2), v);
        oryx_put(ir, ORYX_T_I64, REG(3), oryx_zext(ir, ORYX_T_I64, type, v));
        oryx_put(ir, type, REG(0), v); /* over an operand */
        oryx_goto(ir, 0x1004, 0);
        tb = ready ? ready : &own;
        rig_compile(r, tb);
    }
    set_reg(r, 0, a, ~0ull);
    set_reg(r, 1, b, ~0ull);
    set_reg(r, 2, 0x1111111111111111, 0x2222222222222222);
    r->cpu->slice.left = 10;
    assert_int_equal(rig_enter(r, tb), ORYX_LEAVE_LINK);
    assert_int_equal(r->cpu->slice.left, 9);
    assert_int_equal(rig_pc(), 0x1004);
    uint64_t want = expect(op, cut(a, w), cut(b, w), imm, w), got = get_reg(r, 2).lo;
    uint64_t keep = w == 64 ? 0 : ~0ull << w;
    if (cut(got, w) != want || (got & keep) != (0x1111111111111111 & keep) || get_reg(r, 3).lo != want ||
        get_reg(r, 2).hi != 0x2222222222222222 || cut(get_reg(r, 0).lo, w) != want)
        fail_msg("op %u i%u a=%llx b=%llx imm=%llx operand %d: %llx (zext %llx), want %llx", op, w, (unsigned long long)a,
                 (unsigned long long)b, (unsigned long long)imm, operand, (unsigned long long)got,
                 (unsigned long long)get_reg(r, 3).lo, (unsigned long long)want);
    if (!ready)
        r->ops->discard(r->engine, &own);
}

static void sweep(rig *r, unsigned op, unsigned type, uint64_t imm, int binary)
{
    oryx_tb tb = { 0 };
    for (unsigned i = 0; i < N_EDGES; i++)
        for (unsigned k = 0; k < (binary ? N_EDGES : 1); k++)
            one(r, op, type, imm, 0, edges[i], edges[k], &tb);
    r->ops->discard(r->engine, &tb);
    if (!binary)
        return;
    for (unsigned i = 0; i < N_EDGES; i += 3)
        for (unsigned k = 0; k < N_EDGES; k += 2) {
            one(r, op, type, imm, 1, edges[i], edges[k], NULL);
            one(r, op, type, imm, 2, edges[k], edges[i], NULL);
        }
}

static void scalar_ops(void **st)
{
    static const uint16_t unary[] = { ORYX_OP_NEG, ORYX_OP_NOT, ORYX_OP_CLZ, ORYX_OP_CLS, ORYX_OP_CTZ, ORYX_OP_POPCNT,
                                      ORYX_OP_BSWAP, ORYX_OP_BITREV, ORYX_OP_ABS };
    static const uint16_t binary[] = { ORYX_OP_ADD, ORYX_OP_SUB, ORYX_OP_MUL, ORYX_OP_MULHU, ORYX_OP_MULHS, ORYX_OP_DIVU,
                                       ORYX_OP_DIVS, ORYX_OP_REMU, ORYX_OP_REMS, ORYX_OP_AND, ORYX_OP_OR, ORYX_OP_XOR,
                                       ORYX_OP_ANDN, ORYX_OP_ORN, ORYX_OP_SHL, ORYX_OP_SHR, ORYX_OP_SAR, ORYX_OP_ROR,
                                       ORYX_OP_MINU, ORYX_OP_MINS, ORYX_OP_MAXU, ORYX_OP_MAXS };
    (void)st;
    for (int frame = 0; frame < 2; frame++) {
        rig *r = rig_new(frame);
        for (unsigned type = ORYX_T_I8; type <= ORYX_T_I64; type++) {
            unsigned w = width_of(type);
            for (unsigned i = 0; i < sizeof unary / sizeof *unary; i++)
                sweep(r, unary[i], type, 0, 0);
            for (unsigned i = 0; i < sizeof binary / sizeof *binary; i++)
                sweep(r, binary[i], type, 0, 1);
            for (unsigned pos = 0; pos < w; pos += w / 8)
                for (unsigned len = 1; pos + len <= w; len += len < w - pos ? (len * 3 > w - pos ? w - pos - len : len * 2) : 1) {
                    sweep(r, ORYX_OP_UBFX, type, pos | len << 8, 0);
                    sweep(r, ORYX_OP_SBFX, type, pos | len << 8, 0);
                    one(r, ORYX_OP_BFI, type, pos | len << 8, 0, 0x123456789abcdef0, 0xfedcba9876543210, NULL);
                    one(r, ORYX_OP_BFI, type, pos | len << 8, 1, ~0ull, 0xa5, NULL);
                }
            for (unsigned n = 0; n < w; n++)
                one(r, ORYX_OP_FUNNEL, type, n, 0, 0x8123456789abcdef, 0xfedcba9876543211, NULL);
        }
        rig_free(r);
    }
}

/* --- comparison, selection, conversion ----------------------------------------------------------------------------- */

static int holds(unsigned cc, uint64_t a, uint64_t b, unsigned w)
{
    switch (cc) {
    case ORYX_CC_EQ: return a == b;
    case ORYX_CC_NE: return a != b;
    case ORYX_CC_LTU: return a < b;
    case ORYX_CC_LEU: return a <= b;
    case ORYX_CC_GTU: return a > b;
    case ORYX_CC_GEU: return a >= b;
    case ORYX_CC_LTS: return sx(a, w) < sx(b, w);
    case ORYX_CC_LES: return sx(a, w) <= sx(b, w);
    case ORYX_CC_GTS: return sx(a, w) > sx(b, w);
    case ORYX_CC_GES: return sx(a, w) >= sx(b, w);
    case ORYX_CC_TST: return (a & b) != 0;
    default: return (a & b) == 0;
    }
}

/* The same condition as a value, through SELECT, through BRC and through GOTOC. */
static void compare(void **st)
{
    (void)st;
    for (int frame = 0; frame < 2; frame++) {
        rig *r = rig_new(frame);
        for (unsigned type = ORYX_T_I8; type <= ORYX_T_I64; type++)
            for (unsigned cc = ORYX_CC_EQ; cc <= ORYX_CC_TSTZ; cc++)
                for (int constant = 0; constant < 2; constant++)
                    for (unsigned k = 0; k < N_EDGES; k++) {
                        unsigned w = width_of(type);
                        oryx_ir *ir = rig_begin(r, 0x1000);
                        rig_insn(r, 0x1000);
                        oryx_val y = constant ? oryx_const(ir, type, edges[k]) : oryx_get(ir, type, REG(1));
                        oryx_val v = oryx_cmp(ir, cc, type, oryx_get(ir, type, REG(0)), y);
                        oryx_put(ir, ORYX_T_I64, REG(2), oryx_zext(ir, ORYX_T_I64, ORYX_T_I1, v));
                        oryx_put(ir, ORYX_T_I64, REG(3),
                                 oryx_select(ir, ORYX_T_I64, v, oryx_get(ir, ORYX_T_I64, REG(4)), oryx_get(ir, ORYX_T_I64, REG(5))));
                        oryx_put(ir, ORYX_T_I64, REG(6), oryx_const(ir, ORYX_T_I64, 1));
                        oryx_brc(ir, v, 7);
                        oryx_put(ir, ORYX_T_I64, REG(6), oryx_const(ir, ORYX_T_I64, 0));
                        oryx_label(ir, 7);
                        y = constant ? oryx_const(ir, type, edges[k]) : oryx_get(ir, type, REG(1));
                        v = oryx_cmp(ir, cc, type, oryx_get(ir, type, REG(0)), y);
                        oryx_gotoc(ir, v, 0x123456789abc, 0xfedcba987654);
                        oryx_tb tb;
                        rig_compile(r, &tb);
                        set_reg(r, 4, 0x4444444444444444, 0);
                        set_reg(r, 5, 0x5555555555555555, 0);
                        for (unsigned i = 0; i < N_EDGES; i++) {
                            set_reg(r, 0, edges[i], 0);
                            set_reg(r, 1, edges[k], 0);
                            r->cpu->slice.left = 10;
                            assert_int_equal(rig_enter(r, &tb), ORYX_LEAVE_LINK);
                            int want = holds(cc, cut(edges[i], w), cut(edges[k], w), w);
                            assert_int_equal(get_reg(r, 2).lo, want);
                            assert_int_equal(get_reg(r, 3).lo, want ? 0x4444444444444444 : 0x5555555555555555);
                            assert_int_equal(get_reg(r, 6).lo, want);
                            assert_int_equal(r->leave.slot, !want);
                            assert_int_equal(rig_pc(), want ? 0x123456789abc : 0xfedcba987654);
                        }
                        r->ops->discard(r->engine, &tb);
                    }
        rig_free(r);
    }
}

static void conversions(void **st)
{
    (void)st;
    for (int frame = 0; frame < 2; frame++) {
        rig *r = rig_new(frame);
        for (unsigned from = ORYX_T_I1; from <= ORYX_T_I64; from++)
            for (unsigned to = ORYX_T_I1; to <= ORYX_T_I64; to++) {
                if (from == to)
                    continue;
                for (unsigned op = ORYX_OP_ZEXT; op <= ORYX_OP_TRUNC; op++) {
                    if ((op == ORYX_OP_TRUNC) != (to < from))
                        continue;
                    oryx_ir *ir = rig_begin(r, 0);
                    rig_insn(r, 0);
                    oryx_val v = oryx_ir_emit(ir, op, to, from, oryx_get(ir, from, REG(0)), 0, 0, 0);
                    oryx_val wide = to == ORYX_T_I64 ? v : oryx_zext(ir, ORYX_T_I64, to, v);
                    oryx_put(ir, ORYX_T_I64, REG(1), wide);
                    oryx_put(ir, to, REG(2), v);
                    oryx_goto(ir, 4, 0);
                    oryx_tb tb;
                    rig_compile(r, &tb);
                    for (unsigned i = 0; i < N_EDGES; i++) {
                        unsigned fw = width_of(from), tw = width_of(to);
                        set_reg(r, 0, from == ORYX_T_I1 ? edges[i] & 1 : edges[i], ~0ull);
                        r->cpu->slice.left = 1;
                        rig_enter(r, &tb);
                        uint64_t want = op == ORYX_OP_SEXT ? cut((u128)sx(edges[i], fw), tw) : cut(cut(edges[i], fw), tw);
                        assert_int_equal(get_reg(r, 1).lo, want);
                        assert_int_equal(cut(get_reg(r, 2).lo, tw), want);
                    }
                    r->ops->discard(r->engine, &tb);
                }
            }
        rig_free(r);
    }
}

/* --- flags ------------------------------------------------------------------------------------------------------------ */

/* From the definitions: carry and overflow are a result that does not fit the unsigned or signed range. */
static uint32_t flags_of(unsigned kind, uint64_t a, uint64_t b, unsigned cin, unsigned w)
{
    s128 u, s;
    unsigned nibble = 0;
    switch (kind) {
    case ORYX_FL_ADD:
    case ORYX_FL_ADC:
        cin = kind == ORYX_FL_ADC ? cin : 0;
        u = (s128)a + (s128)b + cin;
        s = sx(a, w) + sx(b, w) + cin;
        nibble = (a & 15) + (b & 15) + cin > 15;
        break;
    case ORYX_FL_LOGIC:
        u = (s128)a;
        s = sx(a, w);
        break;
    default:
        cin = kind == ORYX_FL_SBC ? cin : kind == ORYX_FL_SBCC ? !cin : 0; /* borrow */
        u = (s128)a - (s128)b - cin;
        s = sx(a, w) - sx(b, w) - cin;
        nibble = (int)(a & 15) - (int)(b & 15) - (int)cin < 0;
        break;
    }
    uint64_t res = cut((u128)u, w);
    uint32_t f = 0;
    int carry = u < 0 || u >> w != 0;
    if (kind == ORYX_FL_SUBC || kind == ORYX_FL_SBCC)
        carry = !carry;
    f |= carry ? ORYX_FLAG_C : 0;
    f |= sx(res, w) != s ? ORYX_FLAG_O : 0;
    f |= res == 0 ? ORYX_FLAG_Z : 0;
    f |= bit(res, w - 1) ? ORYX_FLAG_S : 0;
    f |= nibble ? ORYX_FLAG_A : 0;
    unsigned ones = 0;
    for (unsigned i = 0; i < 8; i++)
        ones += bit(res, i);
    f |= ones % 2 ? 0 : ORYX_FLAG_P;
    return f;
}

static int cond_holds(unsigned fc, uint32_t f)
{
    int z = !!(f & ORYX_FLAG_Z), c = !!(f & ORYX_FLAG_C), s = !!(f & ORYX_FLAG_S), o = !!(f & ORYX_FLAG_O),
        p = !!(f & ORYX_FLAG_P);
    int t[] = { z, c, s, o, c && !z, s == o, !z && s == o, !c && !z, p };
    return fc & 1 ? !t[fc / 2] : t[fc / 2];
}

static void flags(void **st)
{
    (void)st;
    for (int frame = 0; frame < 2; frame++) {
        rig *r = rig_new(frame);
        for (unsigned type = ORYX_T_I8; type <= ORYX_T_I64; type++)
            for (unsigned kind = ORYX_FL_ADD; kind <= ORYX_FL_LOGIC; kind++)
                for (unsigned fc = ORYX_FC_Z; fc <= ORYX_FC_NP; fc++)
                    for (int constant = 0; constant < 3; constant++) { /* 1: b, 2: a */
                        unsigned w = width_of(type);
                        uint64_t kb = edges[(fc * 7 + kind * 3) % N_EDGES];
                        int carry = kind == ORYX_FL_ADC || kind == ORYX_FL_SBC || kind == ORYX_FL_SBCC;
                        oryx_ir *ir = rig_begin(r, 0x1000);
                        rig_insn(r, 0x1000);
                        oryx_val c = carry ? oryx_get(ir, ORYX_T_I1, REG(2)) : 0;
                        oryx_val x = constant == 2 ? oryx_const(ir, type, kb) : oryx_get(ir, type, REG(0));
                        oryx_val y = constant == 1 ? oryx_const(ir, type, kb) : oryx_get(ir, type, REG(1));
                        oryx_val f = oryx_flmake(ir, kind, type, x, kind == ORYX_FL_LOGIC ? 0 : y, c);
                        oryx_put(ir, ORYX_T_FL, REG(3), f);
                        oryx_put(ir, ORYX_T_I64, REG(5),
                                 oryx_select(ir, ORYX_T_I64, oryx_flcond(ir, fc, f), oryx_get(ir, ORYX_T_I64, REG(6)),
                                             oryx_get(ir, ORYX_T_I64, REG(7))));
                        f = oryx_flmake(ir, kind, type, x, kind == ORYX_FL_LOGIC ? 0 : y, c);
                        oryx_put(ir, ORYX_T_FL, REG(3), f);
                        rig_insn(r, 0x1004);
                        oryx_val g = oryx_get(ir, ORYX_T_FL, REG(3));
                        oryx_gotoc(ir, oryx_flcond(ir, fc, g), 0x2000, 0x3000);
                        oryx_tb tb;
                        rig_compile(r, &tb);
                        set_reg(r, 6, 66, 0);
                        set_reg(r, 7, 77, 0);
                        for (unsigned i = 0; i < N_EDGES; i++)
                            for (unsigned k = 0; k < N_EDGES; k += constant ? N_EDGES : 1) {
                                uint64_t a = constant == 2 ? kb : edges[i], b = constant == 1 ? kb : edges[constant ? i : k];
                                unsigned cin = (i ^ k) & 1;
                                set_reg(r, 0, a, 0);
                                set_reg(r, 1, b, 0);
                                set_reg(r, 2, cin, 0);
                                set_reg(r, 3, 0xffffffff00000000, 0);
                                r->cpu->slice.left = 10;
                                assert_int_equal(rig_enter(r, &tb), ORYX_LEAVE_LINK);
                                uint32_t want = flags_of(kind, cut(a, w), cut(b, w), cin, w);
                                if (get_reg(r, 3).lo != (0xffffffff00000000 | want))
                                    fail_msg("kind %u i%u a=%llx b=%llx c=%u: flags %llx want %x", kind, w,
                                             (unsigned long long)a, (unsigned long long)b, cin,
                                             (unsigned long long)get_reg(r, 3).lo, want);
                                assert_int_equal(get_reg(r, 5).lo, cond_holds(fc, want) ? 66 : 77);
                                assert_int_equal(rig_pc(), cond_holds(fc, want) ? 0x2000 : 0x3000);
                                assert_int_equal(r->cpu->slice.left, 8);
                            }
                        r->ops->discard(r->engine, &tb);
                    }
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(scalar_ops), cmocka_unit_test(compare), cmocka_unit_test(conversions),
                                        cmocka_unit_test(flags) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
