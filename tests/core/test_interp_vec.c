/* engine-interp: vector and saturating ops. Expected lanes come from the definitions in oryx_ir.def on 128-bit integers (and
 * byte shuffles by index), written lane by lane from a byte array, independent of the engine's formulas. Every op runs on
 * every lane width it takes, on v64, v128 and (saturating ones) scalars, in both frame modes. */
#include "interp_rig.h"

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 s128;

static uint64_t seed = 0x123456789abcdef1;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1d;
}

/* Bytes that make boundary lanes likely. */
static void fill(uint8_t *p)
{
    static const uint8_t odd[] = { 0, 0xff, 0x80, 0x7f, 1, 0xfe };
    unsigned how = rnd() % 5;
    for (unsigned i = 0; i < 16; i++)
        p[i] = how == 0 ? (uint8_t)rnd() : how == 1 ? odd[rnd() % 6] : how == 2 ? ((i & 7) == 7 ? odd[rnd() % 6] : 0)
               : how == 3 ? ((i & 3) == 3 ? odd[rnd() % 6] : 0xff) : (uint8_t)(rnd() % 40 - 20);
}

static uint64_t lane(const uint8_t *v, unsigned i, unsigned w)
{
    uint64_t r = 0;
    for (unsigned k = 0; k < w / 8; k++)
        r |= (uint64_t)v[i * (w / 8) + k] << 8 * k;
    return r;
}

static void set_lane(uint8_t *v, unsigned i, unsigned w, u128 x)
{
    for (unsigned k = 0; k < w / 8; k++)
        v[i * (w / 8) + k] = (uint8_t)(x >> 8 * k);
}

static s128 sx(uint64_t v, unsigned w)
{
    return v >> (w - 1) & 1 ? (s128)v - ((s128)1 << w) : (s128)v;
}

static s128 pick(uint64_t v, unsigned w, uint64_t sign)
{
    return sign & 1 ? sx(v, w) : (s128)v;
}

static int saturated;

static s128 sat(s128 v, unsigned w, int sign)
{
    s128 hi = ((s128)1 << (w - !!sign)) - 1, lo = sign ? -hi - 1 : 0;
    if (v < lo || v > hi)
        saturated = 1;
    return v < lo ? lo : v > hi ? hi : v;
}

/* v * 2^n for n >= 0, rounded down (or to nearest, halves up) for n < 0, saturating far beyond any width. */
static s128 scaled(s128 v, int n, int round)
{
    if (n >= 0) {
        while (n-- && v < ((s128)1 << 100) && v > -((s128)1 << 100))
            v *= 2;
        return v;
    }
    s128 half = 0;
    for (; n; n++) { /* one halving at a time; the last bit lost decides rounding */
        half = v & 1;
        v >>= 1;
    }
    return v + (round ? half : 0);
}

/* One lane of lane-wise ops. */
static u128 expect(unsigned op, uint64_t a, uint64_t b, uint64_t imm, unsigned w)
{
    uint64_t r = 0;
    s128 x = pick(a, w, imm), y = pick(b, w, imm), sa = sx(a, w), sb = sx(b, w);
    int n;
    switch (op) {
    case ORYX_OP_ADD: return (u128)a + b;
    case ORYX_OP_SUB: return (u128)a - b;
    case ORYX_OP_MUL: return (u128)a * b;
    case ORYX_OP_NEG: return -(u128)a;
    case ORYX_OP_NOT: return ~(u128)a;
    case ORYX_OP_AND: return a & b;
    case ORYX_OP_OR: return a | b;
    case ORYX_OP_XOR: return a ^ b;
    case ORYX_OP_ANDN: return a & ~(u128)b;
    case ORYX_OP_ORN: return a | ~(u128)b;
    case ORYX_OP_ABS: return (u128)(sa < 0 ? -sa : sa);
    case ORYX_OP_CLZ:
        while (r < w && !(a >> (w - 1 - r) & 1))
            r++;
        return r;
    case ORYX_OP_CLS:
        while (r < w - 1 && (a >> (w - 2 - r) & 1) == (a >> (w - 1) & 1))
            r++;
        return r;
    case ORYX_OP_POPCNT:
        for (; a; a >>= 1)
            r += a & 1;
        return r;
    case ORYX_OP_BITREV:
        for (unsigned i = 0; i < w; i++)
            r = r << 1 | (a >> i & 1);
        return r;
    case ORYX_OP_MINU: return a < b ? a : b;
    case ORYX_OP_MAXU: return a > b ? a : b;
    case ORYX_OP_MINS: return sa < sb ? a : b;
    case ORYX_OP_MAXS: return sa > sb ? a : b;
    case ORYX_OP_HADD: return (u128)((x + y + (imm >> 2 & 1)) >> 1);
    case ORYX_OP_HSUB: return (u128)((x - y) >> 1);
    case ORYX_OP_ABSD: return (u128)(x > y ? x - y : y - x);
    case ORYX_OP_QADD: return (u128)sat(x + y, w, imm & 1);
    case ORYX_OP_QSUB: return (u128)sat(x - y, w, imm & 1);
    case ORYX_OP_SHLI: return (u128)a << imm;
    case ORYX_OP_SHRI: return (u128)scaled((s128)a, -(int)(imm & 255), imm >> 8 & 1);
    case ORYX_OP_SARI: return (u128)scaled(sa, -(int)(imm & 255), imm >> 8 & 1);
    case ORYX_OP_QSHLI: return (u128)sat(scaled(pick(a, w, imm >> 8), (int)(imm & 255), 0), w, (imm >> 8 & 1) && !(imm >> 10 & 1));
    case ORYX_OP_VSHL:
        n = (int8_t)b;
        if (n >= 0 && (imm & 8))
            return (u128)sat(scaled(x, n, 0), w, imm & 1);
        return n >= 0 ? (n >= 128 ? 0 : (u128)x << n) : (u128)scaled(x, n, imm >> 2 & 1);
    case ORYX_OP_QDMULH:
        if (sa == sb && sa == -((s128)1 << (w - 1))) {
            saturated = 1;
            return ((u128)1 << (w - 1)) - 1;
        }
        return (u128)((sa * sb * 2 + ((imm & 4) ? (s128)1 << (w - 1) : 0)) >> w);
    case ORYX_OP_PMUL:
        for (unsigned i = 0; i < w; i++)
            r ^= b >> i & 1 ? a << i : 0;
        return r;
    case ORYX_OP_VCMP:
        switch (imm) {
        case ORYX_CC_EQ: return a == b ? ~(u128)0 : 0;
        case ORYX_CC_NE: return a != b ? ~(u128)0 : 0;
        case ORYX_CC_LTU: return a < b ? ~(u128)0 : 0;
        case ORYX_CC_LEU: return a <= b ? ~(u128)0 : 0;
        case ORYX_CC_GTU: return a > b ? ~(u128)0 : 0;
        case ORYX_CC_GEU: return a >= b ? ~(u128)0 : 0;
        case ORYX_CC_LTS: return sa < sb ? ~(u128)0 : 0;
        case ORYX_CC_LES: return sa <= sb ? ~(u128)0 : 0;
        case ORYX_CC_GTS: return sa > sb ? ~(u128)0 : 0;
        case ORYX_CC_GES: return sa >= sb ? ~(u128)0 : 0;
        case ORYX_CC_TST: return a & b ? ~(u128)0 : 0;
        default: return a & b ? 0 : ~(u128)0;
        }
    default:
        fail_msg("op %u has no expectation", op);
        return 0;
    }
}

/* Compile op on registers 0, 1, 2 -> 3 (result type rtype). */
static void unit(rig *r, oryx_tb *tb, unsigned op, unsigned type, unsigned ln, unsigned ta, unsigned tb_, unsigned tc, unsigned rtype,
                 uint64_t imm)
{
    oryx_ir *ir = rig_begin(r, 0x1000);
    rig_insn(r, 0x1000);
    oryx_val a = ta ? oryx_get(ir, ta, REG(0)) : 0, b = tb_ ? oryx_get(ir, tb_, REG(1)) : 0, c = tc ? oryx_get(ir, tc, REG(2)) : 0;
    oryx_put(ir, rtype, REG(3), oryx_ir_emit(ir, op, type, ln, a, b, c, imm));
    oryx_goto(ir, 0x1004, 0);
    rig_compile(r, tb);
}

static void run(rig *r, oryx_tb *tb, const uint8_t *a, const uint8_t *b, const uint8_t *c, uint8_t *got)
{
    memcpy(r->cpu->state + REG(0), a, 16);
    memcpy(r->cpu->state + REG(1), b, 16);
    memcpy(r->cpu->state + REG(2), c, 16);
    memset(r->cpu->state + REG(3), 0xcc, 16);
    r->cpu->fp.flags = 0;
    r->cpu->slice.left = 1;
    assert_int_equal(rig_enter(r, tb), ORYX_LEAVE_LINK);
    memcpy(got, r->cpu->state + REG(3), 16);
}

static void check(const uint8_t *got, const uint8_t *want, unsigned op, unsigned type, unsigned w, uint64_t imm)
{
    if (memcmp(got, want, 16)) {
        char g[33], e[33];
        for (unsigned i = 0; i < 16; i++) {
            snprintf(g + 2 * i, 3, "%02x", got[15 - i]);
            snprintf(e + 2 * i, 3, "%02x", want[15 - i]);
        }
        fail_msg("op %u type %u lane i%u imm %llx: %s want %s", op, type, w, (unsigned long long)imm, g, e);
    }
}

/* sticky: the imm bit that lets saturation show, 0 none. */
static void lanes(rig *r, unsigned op, unsigned type, unsigned w, uint64_t imm, int binary, uint64_t sticky)
{
    static const uint8_t ln[] = { [8] = ORYX_T_I8, [16] = ORYX_T_I16, [32] = ORYX_T_I32, [64] = ORYX_T_I64 };
    unsigned n = oryx_type_size(type) * 8 / w;
    oryx_tb tb;
    unit(r, &tb, op, type, ln[w], type, binary ? type : 0, 0, type, imm);
    for (unsigned k = 0; k < 24; k++) {
        uint8_t a[16], b[16], got[16], want[16];
        fill(a);
        fill(b);
        memset(want, 0xcc, 16);
        saturated = 0;
        for (unsigned i = 0; i < n; i++)
            set_lane(want, i, w, expect(op, lane(a, i, w), lane(b, i, w), imm, w));
        run(r, &tb, a, b, b, got);
        check(got, want, op, type, w, imm);
        assert_int_equal(r->cpu->fp.flags, saturated && (imm & sticky) ? ORYX_FPF_SATURATED : 0);
    }
    r->ops->discard(r->engine, &tb);
}

static void lane_wise(void **st)
{
    static const uint16_t unary[] = { ORYX_OP_NEG, ORYX_OP_NOT, ORYX_OP_ABS, ORYX_OP_CLZ, ORYX_OP_CLS, ORYX_OP_POPCNT, ORYX_OP_BITREV };
    static const uint16_t binary[] = { ORYX_OP_ADD, ORYX_OP_SUB, ORYX_OP_MUL, ORYX_OP_AND, ORYX_OP_OR, ORYX_OP_XOR, ORYX_OP_ANDN,
                                       ORYX_OP_ORN, ORYX_OP_MINU, ORYX_OP_MINS, ORYX_OP_MAXU, ORYX_OP_MAXS };
    (void)st;
    for (int frame = 0; frame < 2; frame++) {
        rig *r = rig_new(frame);
        for (unsigned type = ORYX_T_V64; type <= ORYX_T_V128; type++)
            for (unsigned w = 8; w <= 64; w *= 2) {
                for (unsigned i = 0; i < sizeof unary / sizeof *unary; i++)
                    lanes(r, unary[i], type, w, 0, 0, 0);
                for (unsigned i = 0; i < sizeof binary / sizeof *binary; i++)
                    lanes(r, binary[i], type, w, 0, 1, 0);
                for (unsigned s = 0; s < 2; s++) {
                    lanes(r, ORYX_OP_HADD, type, w, s, 1, 0);
                    lanes(r, ORYX_OP_HADD, type, w, s | 4, 1, 0);
                    lanes(r, ORYX_OP_HSUB, type, w, s, 1, 0);
                    lanes(r, ORYX_OP_ABSD, type, w, s, 1, 0);
                }
                for (unsigned cc = 0; cc <= ORYX_CC_TSTZ; cc++)
                    lanes(r, ORYX_OP_VCMP, type, w, cc, 1, 0);
                for (unsigned n = 0; n <= w; n++) {
                    if (n < w)
                        lanes(r, ORYX_OP_SHLI, type, w, n, 0, 0);
                    for (unsigned round = 0; round < 512; round += 256) {
                        lanes(r, ORYX_OP_SHRI, type, w, n | round, 0, 0);
                        lanes(r, ORYX_OP_SARI, type, w, n | round, 0, 0);
                    }
                }
                if (w == 8)
                    lanes(r, ORYX_OP_PMUL, type, w, 0, 1, 0);
            }
        for (unsigned type = ORYX_T_I8; type <= ORYX_T_V128; type++) {
            if (type == ORYX_T_F32 || type == ORYX_T_F64)
                continue;
            for (unsigned w = 8; w <= 64; w *= 2) {
                if (type <= ORYX_T_I64 && w != oryx_type_size(type) * 8)
                    continue;
                for (unsigned m = 0; m < 4; m++) {
                    lanes(r, ORYX_OP_QADD, type, w, m, 1, 2);
                    lanes(r, ORYX_OP_QSUB, type, w, m, 1, 2);
                }
                for (unsigned m = 0; m < 16; m++)
                    lanes(r, ORYX_OP_VSHL, type, w, m, 1, 2);
                for (unsigned m = 0; m < 8; m += 2)
                    lanes(r, ORYX_OP_QDMULH, type, w, m, 1, 2);
                for (unsigned n = 0; n < w; n++)
                    for (unsigned m = 0; m < 8; m++)
                        if ((m & 1) || !(m & 4))
                            lanes(r, ORYX_OP_QSHLI, type, w, n | m << 8, 0, 0x200);
            }
        }
        rig_free(r);
    }
}

/* --- widening, narrowing, reduction ------------------------------------------------------------------------------------ */

static u128 clmul(uint64_t a, uint64_t b, unsigned w)
{
    u128 r = 0;
    for (unsigned i = 0; i < w; i++)
        if (b >> i & 1)
            r ^= (u128)a << i;
    return r;
}

static void widths(void **st)
{
    static const uint8_t ln[] = { [8] = ORYX_T_I8, [16] = ORYX_T_I16, [32] = ORYX_T_I32, [64] = ORYX_T_I64 };
    (void)st;
    for (int frame = 0; frame < 2; frame++) {
        rig *r = rig_new(frame);
        for (unsigned w = 8; w <= 64; w *= 2)
            for (uint64_t imm = 0; imm < 16; imm++) {
                static const uint16_t ops[] = { ORYX_OP_WIDEN, ORYX_OP_MULW, ORYX_OP_PMULW, ORYX_OP_NARROW };
                for (unsigned o = 0; o < 4; o++) {
                    unsigned op = ops[o];
                    if ((op != ORYX_OP_NARROW && imm > 3) || (op == ORYX_OP_NARROW && (imm & 1)) ||
                        (op == ORYX_OP_PMULW ? (w != 8 && w != 64) || (imm & 1) : w == 64))
                        continue;
                    oryx_tb tb;
                    unit(r, &tb, op, ORYX_T_V128, ln[w], ORYX_T_V128, op == ORYX_OP_MULW || op == ORYX_OP_PMULW ? ORYX_T_V128 : 0, 0,
                         ORYX_T_V128, imm);
                    for (unsigned k = 0; k < 30; k++) {
                        uint8_t a[16], b[16], got[16], want[16] = { 0 };
                        fill(a);
                        fill(b);
                        saturated = 0;
                        unsigned n = 64 / w, half = imm & 2 ? n : 0;
                        for (unsigned i = 0; i < n; i++) {
                            uint64_t x = lane(a, half + i, w), y = lane(b, half + i, w);
                            if (op == ORYX_OP_WIDEN) {
                                set_lane(want, i, 2 * w, (u128)pick(x, w, imm));
                            } else if (op == ORYX_OP_MULW) {
                                set_lane(want, i, 2 * w, (u128)(pick(x, w, imm) * pick(y, w, imm)));
                            } else if (op == ORYX_OP_PMULW) {
                                u128 p = clmul(x, y, w);
                                if (w == 64)
                                    memcpy(want, &p, 16);
                                else
                                    set_lane(want, i, 2 * w, p);
                            } else {
                                x = lane(a, i, 2 * w);
                                unsigned mode = imm >> 2 & 3;
                                s128 v = mode == 1 || mode == 3 ? sx(x, 2 * w) : (s128)x;
                                set_lane(want, i, w, (u128)(mode ? sat(v, w, mode == 1) : v));
                            }
                        }
                        run(r, &tb, a, b, b, got);
                        check(got, want, op, ORYX_T_V128, w, imm);
                        assert_int_equal(r->cpu->fp.flags, saturated && op == ORYX_OP_NARROW && (imm & 2) ? ORYX_FPF_SATURATED : 0);
                    }
                    r->ops->discard(r->engine, &tb);
                }
            }
        for (unsigned type = ORYX_T_V64; type <= ORYX_T_V128; type++)
            for (unsigned w = 8; w <= 64; w *= 2)
                for (unsigned kind = 0; kind < 5; kind++) {
                    oryx_tb tb;
                    unit(r, &tb, ORYX_OP_REDUCE, type, ln[w], type, 0, 0, ln[w], kind);
                    for (unsigned k = 0; k < 30; k++) {
                        uint8_t a[16], got[16], want[16];
                        fill(a);
                        memset(want, 0xcc, 16);
                        u128 acc = lane(a, 0, w);
                        for (unsigned i = 1; i < oryx_type_size(type) * 8 / w; i++) {
                            static const uint16_t as[] = { ORYX_OP_ADD, ORYX_OP_MINU, ORYX_OP_MINS, ORYX_OP_MAXU, ORYX_OP_MAXS };
                            uint64_t now = (uint64_t)acc;
                            if (w < 64)
                                now &= (1ull << w) - 1;
                            acc = expect(as[kind], now, lane(a, i, w), 0, w);
                        }
                        set_lane(want, 0, w, acc);
                        run(r, &tb, a, a, a, got);
                        check(got, want, ORYX_OP_REDUCE, type, w, kind);
                    }
                    r->ops->discard(r->engine, &tb);
                }
        rig_free(r);
    }
}

/* --- permutations: which source lane (a: 0.., b: 100.., 255: zero) ------------------------------------------------------- */

static unsigned source(unsigned op, unsigned i, unsigned n, unsigned group)
{
    switch (op) {
    case ORYX_OP_ZIP1: return i / 2 + (i & 1 ? 100 : 0);
    case ORYX_OP_ZIP2: return n / 2 + i / 2 + (i & 1 ? 100 : 0);
    case ORYX_OP_UZP1: return i < n / 2 ? 2 * i : 100 + 2 * (i - n / 2);
    case ORYX_OP_UZP2: return i < n / 2 ? 2 * i + 1 : 101 + 2 * (i - n / 2);
    case ORYX_OP_TRN1: return i & 1 ? 100 + i - 1 : i;
    case ORYX_OP_TRN2: return i & 1 ? 100 + i : i + 1;
    default: return i / group * group + group - 1 - i % group; /* VREV */
    }
}

static void permutations(void **st)
{
    static const uint16_t ops[] = { ORYX_OP_ZIP1, ORYX_OP_ZIP2, ORYX_OP_UZP1, ORYX_OP_UZP2, ORYX_OP_TRN1, ORYX_OP_TRN2 };
    static const uint8_t ln[] = { [8] = ORYX_T_I8, [16] = ORYX_T_I16, [32] = ORYX_T_I32, [64] = ORYX_T_I64 };
    static const uint8_t fl[] = { [32] = ORYX_T_F32, [64] = ORYX_T_F64 };
    (void)st;
    for (int frame = 0; frame < 2; frame++) {
        rig *r = rig_new(frame);
        uint8_t a[16], b[16], c[16], got[16], want[16];
        oryx_tb tb;
        for (unsigned type = ORYX_T_V64; type <= ORYX_T_V128; type++) {
            unsigned size = oryx_type_size(type);
            for (unsigned w = 8; w <= 64; w *= 2) {
                unsigned n = size * 8 / w, bytes = w / 8;
                for (unsigned o = 0; o < 7 && n > 1; o++)
                    for (unsigned group = o == 6 ? 2 * w : 64; group <= 64; group *= 2) {
                        unsigned op = o == 6 ? ORYX_OP_VREV : ops[o];
                        unit(r, &tb, op, type, ln[w], type, o == 6 ? 0 : type, 0, type, o == 6 ? group : 0);
                        fill(a);
                        fill(b);
                        for (unsigned i = 0; i < 16; i++)
                            a[i] = (uint8_t)(a[i] ^ i * 7), b[i] = (uint8_t)(b[i] + i);
                        memset(want, 0xcc, 16);
                        for (unsigned i = 0; i < n; i++) {
                            unsigned s = source(op, i, n, group / w);
                            memcpy(want + i * bytes, s < 100 ? a + s * bytes : b + (s - 100) * bytes, bytes);
                        }
                        run(r, &tb, a, b, b, got);
                        check(got, want, op, type, w, group);
                        r->ops->discard(r->engine, &tb);
                    }
                for (unsigned fp = 0; fp <= (w >= 32); fp++) {
                    unsigned el = fp ? fl[w] : ln[w];
                    for (unsigned i = 0; i < n; i++) {
                        fill(a);
                        fill(b);
                        unit(r, &tb, ORYX_OP_VGET, type, el, type, 0, 0, el, i);
                        memset(want, 0xcc, 16);
                        memcpy(want, a + i * bytes, bytes);
                        run(r, &tb, a, b, b, got);
                        check(got, want, ORYX_OP_VGET, type, w, i);
                        r->ops->discard(r->engine, &tb);
                        unit(r, &tb, ORYX_OP_VSET, type, el, type, el, 0, type, i);
                        memset(want, 0xcc, 16);
                        memcpy(want, a, size);
                        memcpy(want + i * bytes, b, bytes);
                        run(r, &tb, a, b, b, got);
                        check(got, want, ORYX_OP_VSET, type, w, i);
                        r->ops->discard(r->engine, &tb);
                    }
                    unit(r, &tb, ORYX_OP_DUP, type, el, el, 0, 0, type, 0);
                    memset(want, 0xcc, 16);
                    for (unsigned i = 0; i < n; i++)
                        memcpy(want + i * bytes, a, bytes);
                    run(r, &tb, a, b, b, got);
                    check(got, want, ORYX_OP_DUP, type, w, 0);
                    r->ops->discard(r->engine, &tb);
                }
            }
            for (unsigned from = 0; from <= size; from++) {
                uint8_t both[32];
                fill(a);
                fill(b);
                memcpy(both, a, size);
                memcpy(both + size, b, size);
                memset(want, 0xcc, 16);
                memcpy(want, both + from, size);
                unit(r, &tb, ORYX_OP_VEXT, type, ORYX_T_I8, type, type, 0, type, from);
                run(r, &tb, a, b, b, got);
                check(got, want, ORYX_OP_VEXT, type, 8, from);
                r->ops->discard(r->engine, &tb);
            }
            unit(r, &tb, ORYX_OP_TBL, type, ORYX_T_I8, ORYX_T_V128, type, 0, type, 0);
            for (unsigned k = 0; k < 20; k++) {
                fill(a);
                for (unsigned i = 0; i < 16; i++)
                    b[i] = (uint8_t)(rnd() % 20 + (rnd() % 8 == 0 ? 200 : 0));
                memset(want, 0xcc, 16);
                for (unsigned i = 0; i < size; i++)
                    want[i] = b[i] < 16 ? a[b[i]] : 0;
                run(r, &tb, a, b, b, got);
                check(got, want, ORYX_OP_TBL, type, 8, 0);
            }
            r->ops->discard(r->engine, &tb);
            static const uint16_t three[] = { ORYX_OP_BITSEL, ORYX_OP_SELECT };
            for (unsigned o = 0; o < 2; o++) {
                unit(r, &tb, three[o], type, type, o ? ORYX_T_I1 : type, type, type, type, 0);
                for (unsigned k = 0; k < 8; k++) {
                    fill(a);
                    fill(b);
                    fill(c);
                    if (o)
                        a[0] = k & 1;
                    memset(want, 0xcc, 16);
                    for (unsigned i = 0; i < size; i++)
                        want[i] = o ? (k & 1 ? b[i] : c[i]) : (uint8_t)((b[i] & a[i]) | (c[i] & ~a[i]));
                    run(r, &tb, a, b, c, got);
                    check(got, want, three[o], type, 8, 0);
                }
                r->ops->discard(r->engine, &tb);
            }
        }
        static const uint16_t halves[] = { ORYX_OP_VLOW, ORYX_OP_VHIGH };
        for (unsigned o = 0; o < 2; o++) {
            unit(r, &tb, halves[o], ORYX_T_V64, ORYX_T_V64, ORYX_T_V128, 0, 0, ORYX_T_V64, 0);
            memset(want, 0xcc, 16);
            memcpy(want, a + 8 * o, 8);
            run(r, &tb, a, b, c, got);
            check(got, want, halves[o], ORYX_T_V64, 64, 0);
            r->ops->discard(r->engine, &tb);
        }
        unit(r, &tb, ORYX_OP_VCAT, ORYX_T_V128, ORYX_T_V128, ORYX_T_V64, ORYX_T_V64, 0, ORYX_T_V128, 0);
        memcpy(want, a, 8);
        memcpy(want + 8, b, 8);
        run(r, &tb, a, b, c, got);
        check(got, want, ORYX_OP_VCAT, ORYX_T_V128, 64, 0);
        r->ops->discard(r->engine, &tb);
        rig_free(r);
    }
}

/* Vector forms of FP ops: each lane as the scalar op gives it (the scalars are tested in test_interp_fp.c). */
static void fp_lanes(void **st)
{
    static const uint16_t ops[] = { ORYX_OP_FADD, ORYX_OP_FSUB, ORYX_OP_FMUL, ORYX_OP_FDIV, ORYX_OP_FMIN, ORYX_OP_FMAX, ORYX_OP_FMINNM,
                                    ORYX_OP_FMAXNM, ORYX_OP_FMULX, ORYX_OP_FSQRT, ORYX_OP_FNEG, ORYX_OP_FABS, ORYX_OP_FROUND,
                                    ORYX_OP_FMA };
    (void)st;
    rig *r = rig_new(1);
    for (unsigned o = 0; o < sizeof ops / sizeof *ops; o++)
        for (unsigned wide = 0; wide < 2; wide++)
            for (unsigned type = ORYX_T_V64 + wide; type <= ORYX_T_V128; type++) {
                unsigned el = wide ? ORYX_T_F64 : ORYX_T_F32, bytes = wide ? 8 : 4;
                oryx_tb v, s;
                int two = o < 9 || ops[o] == ORYX_OP_FMA, three = ops[o] == ORYX_OP_FMA;
                unit(r, &v, ops[o], type, el, type, two ? type : 0, three ? type : 0, type, ORYX_RM_UP | 8);
                unit(r, &s, ops[o], el, el, el, two ? el : 0, three ? el : 0, el, ORYX_RM_UP | 8);
                for (unsigned k = 0; k < 200; k++) {
                    uint8_t a[16], b[16], c[16], got[16], want[16], one[16], x[16] = { 0 }, y[16] = { 0 }, z[16] = { 0 };
                    uint32_t flags = 0;
                    for (unsigned i = 0; i < 16; i++) {
                        a[i] = (uint8_t)rnd();
                        b[i] = (uint8_t)rnd();
                        c[i] = (uint8_t)rnd();
                    }
                    memset(want, 0xcc, 16);
                    for (unsigned i = 0; i < oryx_type_size(type) / bytes; i++) {
                        memcpy(x, a + i * bytes, bytes);
                        memcpy(y, b + i * bytes, bytes);
                        memcpy(z, c + i * bytes, bytes);
                        run(r, &s, x, y, z, one);
                        flags |= r->cpu->fp.flags;
                        memcpy(want + i * bytes, one, bytes);
                    }
                    run(r, &v, a, b, c, got);
                    check(got, want, ops[o], type, bytes * 8, 0);
                    assert_int_equal(r->cpu->fp.flags, flags);
                }
                r->ops->discard(r->engine, &v);
                r->ops->discard(r->engine, &s);
            }
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lane_wise), cmocka_unit_test(widths), cmocka_unit_test(permutations),
                                        cmocka_unit_test(fp_lanes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
