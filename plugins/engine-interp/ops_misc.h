/* Handlers of run.c, part of interp_run: floating point on the host, moves, bit fields, selection. */
    /* --- floating point: the host's result when it is normal and rounding is to nearest ------------------------ */
#define FP_SIMPLE() ((cpu->fp.rounding | cpu->fp.flush_in | cpu->fp.flush_out) == 0)
#define X(n, op)                                                                                                      \
    L_##n##_f32:                                                                                                      \
    {                                                                                                                 \
        if (LIKELY(FP_SIMPLE() && FP_HOST)) {                                                                         \
            float r = *(const f32u *)(base + ip->a) op *(const f32u *)(base + ip->b);                                 \
            uint32_t bits;                                                                                            \
            memcpy(&bits, &r, 4);                                                                                     \
            if (LIKELY((bits >> 23 & 255) - 2u < 253u)) {                                                             \
                W64(ip->d, bits);                                                                                     \
                NEXT();                                                                                               \
            }                                                                                                         \
        }                                                                                                             \
        softop_fp_bin(ORYX_OP_##n, ORYX_T_F32, base, ip, cpu);                                                        \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_##n##_f64:                                                                                                      \
    {                                                                                                                 \
        if (LIKELY(FP_SIMPLE() && FP_HOST)) {                                                                         \
            double r = *(const f64u *)(base + ip->a) op *(const f64u *)(base + ip->b);                                \
            uint64_t bits;                                                                                            \
            memcpy(&bits, &r, 8);                                                                                     \
            if (LIKELY((bits >> 52 & 2047) - 2u < 2045u)) {                                                           \
                W64(ip->d, bits);                                                                                     \
                NEXT();                                                                                               \
            }                                                                                                         \
        }                                                                                                             \
        softop_fp_bin(ORYX_OP_##n, ORYX_T_F64, base, ip, cpu);                                                        \
        NEXT();                                                                                                       \
    }
#if defined(__x86_64__)
#define FP_HOST 1 /* inexact is found in MXCSR */
#else
#define FP_HOST (cpu->fp.flags & ORYX_FPF_INEXACT)
#endif
    FP_BIN(X)
#undef X

    /* --- moves, bits, selection ---------------------------------------------------------------------------- */
L_OOL:
    ip->fn(base, ip, cpu);
    NEXT();
L_MOVI:
    W64(ip->d, ip->imm);
    NEXT();
L_MOVI4:
    W32(ip->d, ip->imm);
    NEXT();
L_VCONST:
    W64(ip->d, ip->imm);
    W64(ip->d + 8, OTHER_PC(ip));
    NEXT();
L_Z1:
    W64(ip->d, R8(ip->a) & 1);
    NEXT();
L_Z8:
    W64(ip->d, R8(ip->a));
    NEXT();
L_Z16:
    W64(ip->d, R16(ip->a));
    NEXT();
L_Z32:
    W64(ip->d, R32(ip->a));
    NEXT();
L_MOV4:
    W32(ip->d, R32(ip->a));
    NEXT();
L_MOV64:
    W64(ip->d, R64(ip->a));
    NEXT();
L_MOV128:
{
    uint64_t lo = R64(ip->a), hi = R64(ip->a + 8);
    W64(ip->d, lo);
    W64(ip->d + 8, hi);
    NEXT();
}
L_ST8:
    W8(ip->d, R8(ip->a));
    NEXT();
L_ST16:
    W16(ip->d, R16(ip->a));
    NEXT();
L_STI8:
    W8(ip->d, ip->imm);
    NEXT();
L_STI16:
    W16(ip->d, ip->imm);
    NEXT();
#define SG(n) memcpy(base + ip->d, state + ip->imm, n)
#define SP(n) memcpy(state + ip->imm, base + ip->a, n)
L_SGET8:
    W64(ip->d, 0);
    SG(1);
    NEXT();
L_SGET16:
    W64(ip->d, 0);
    SG(2);
    NEXT();
L_SGET32:
    W64(ip->d, 0);
    SG(4);
    NEXT();
L_SGET64:
    SG(8);
    NEXT();
L_SGET128:
    SG(16);
    NEXT();
L_SPUT8:
    SP(1);
    NEXT();
L_SPUT16:
    SP(2);
    NEXT();
L_SPUT32:
    SP(4);
    NEXT();
L_SPUT64:
    SP(8);
    NEXT();
L_SPUT128:
    SP(16);
    NEXT();
L_NOT1:
    W64(ip->d, ~R8(ip->a) & 1);
    NEXT();
L_NOT32:
    W64(ip->d, (uint32_t)~R32(ip->a));
    NEXT();
L_NOT64:
    W64(ip->d, ~R64(ip->a));
    NEXT();
L_NEG32:
    W64(ip->d, (uint32_t)-R32(ip->a));
    NEXT();
L_NEG64:
    W64(ip->d, -R64(ip->a));
    NEXT();
L_CLZ32:
{
    uint32_t a = R32(ip->a);
    W64(ip->d, a ? __builtin_clz(a) : 32);
    NEXT();
}
L_CLZ64:
{
    uint64_t a = R64(ip->a);
    W64(ip->d, a ? __builtin_clzll(a) : 64);
    NEXT();
}
L_BSWAP32:
    W64(ip->d, __builtin_bswap32(R32(ip->a)));
    NEXT();
L_BSWAP64:
    W64(ip->d, __builtin_bswap64(R64(ip->a)));
    NEXT();
/* Bit fields: shift up to the top, then down; imm = pos | len << 8. */
#define BFX(w, U, V)                                                                                                  \
    unsigned pos = (unsigned)ip->imm & 255, len = (unsigned)(ip->imm >> 8) & 255;                                     \
    V v = (V)(U)((U)R##w(ip->a) << ((w - pos - len) & (w - 1)));                                                      \
    W64(ip->d, (U)(v >> ((w - len) & (w - 1))));                                                                      \
    NEXT();
L_UBFX32:
{
    BFX(32, uint32_t, uint32_t)
}
L_UBFX64:
{
    BFX(64, uint64_t, uint64_t)
}
L_SBFX32:
{
    BFX(32, uint32_t, int32_t)
}
L_SBFX64:
{
    BFX(64, uint64_t, int64_t)
}
#define BFI(w, U)                                                                                                     \
    unsigned pos = (unsigned)ip->imm & 255, len = (unsigned)(ip->imm >> 8) & 255;                                     \
    U mask = (U)(~(U)0 >> ((w - len) & (w - 1))) << (pos & (w - 1));                                                  \
    W64(ip->d, (U)((R##w(ip->a) & ~mask) | ((U)(R##w(ip->b)) << (pos & (w - 1)) & mask)));                            \
    NEXT();
L_BFI32:
{
    BFI(32, uint32_t)
}
L_BFI64:
{
    BFI(64, uint64_t)
}
L_FUNNEL32:
{
    uint64_t v = (uint64_t)R32(ip->a) << 32 | R32(ip->b);
    W64(ip->d, (uint32_t)(v >> (ip->imm & 31)));
    NEXT();
}
L_FUNNEL64:
{
    unsigned n = (unsigned)ip->imm & 63;
    uint64_t a = R64(ip->a), b = R64(ip->b);
    W64(ip->d, n ? b >> n | a << (64 - n) : b);
    NEXT();
}
L_ADDSHL64:
    W64(ip->d, R64(ip->a) + (R64(ip->b) << (ip->imm & 63)));
    NEXT();
#define X(n, bits, T)                                                                                                 \
    L_SEXT_##n:                                                                                                       \
    W64(ip->d, (T)SX_##bits(ip->a));                                                                                  \
    NEXT();
#define SX_1(o)  (-(int64_t)(R8(o) & 1))
#define SX_8(o)  ((int64_t)(int8_t)R8(o))
#define SX_16(o) ((int64_t)(int16_t)R16(o))
#define SX_32(o) ((int64_t)(int32_t)R32(o))
    SEXTS(X)
#undef X
#define COND (R8(ip->a) & 1)
L_SEL8:
    W64(ip->d, COND ? R8(ip->b) : R8(ip->c));
    NEXT();
L_SEL16:
    W64(ip->d, COND ? R16(ip->b) : R16(ip->c));
    NEXT();
L_SEL32:
    W64(ip->d, COND ? R32(ip->b) : R32(ip->c));
    NEXT();
L_SEL64:
    W64(ip->d, COND ? R64(ip->b) : R64(ip->c));
    NEXT();
L_SEL4:
    W32(ip->d, COND ? R32(ip->b) : R32(ip->c));
    NEXT();
L_SEL128:
{
    int32_t from = COND ? ip->b : ip->c;
    uint64_t lo = R64(from), hi = R64(from + 8);
    W64(ip->d, lo);
    W64(ip->d + 8, hi);
    NEXT();
}
#define FLC(fc) (softop_conds[R32(ip->a) & 511] >> (fc) & 1)
L_SELF32:
    W64(ip->d, FLC(ip->imm) ? R32(ip->b) : R32(ip->c));
    NEXT();
L_SELF64:
    W64(ip->d, FLC(ip->imm) ? R64(ip->b) : R64(ip->c));
    NEXT();

