/* Floating-point ops: the host's result where it is provably the architecture's, else soft float.
 *
 * Called through H_OOL and by run.c. The invariant: between softop_fp_begin and softop_fp_end the host rounds to nearest
 * without flushing, and its sticky inexact flag (x86-64) stands for ORYX_FPF_INEXACT of the guest's ops. A host result is
 * taken only when the environment rounds to nearest without flushing and the result is normal and above the least
 * normal: then no other flag and no NaN can be due. */
#include "fp.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define MXCSR_DEFAULT 0x1f80u
#define MXCSR_INEXACT 0x20u
#define HOST_TELLS    1

static uint32_t host_get(void)
{
    uint32_t v;
    __asm__ volatile("stmxcsr %0" : "=m"(v) : : "memory");
    return v;
}

static void host_set(uint32_t v)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(v) : "memory");
}
#else
#define HOST_TELLS 0
#endif

uint32_t softop_fp_begin(void)
{
#if HOST_TELLS
    uint32_t was = host_get();
    if (was != MXCSR_DEFAULT)
        host_set(MXCSR_DEFAULT);
    return was;
#else
    return 0;
#endif
}

void softop_fp_merge(oryx_cpu *cpu)
{
#if HOST_TELLS
    if (!(cpu->fp.flags & ORYX_FPF_INEXACT) && (host_get() & MXCSR_INEXACT))
        cpu->fp.flags |= ORYX_FPF_INEXACT;
#else
    (void)cpu;
#endif
}

void softop_fp_discard(oryx_cpu *cpu)
{
#if HOST_TELLS
    /* Once the guest's flag is set the host's tells nothing new. */
    if (!(cpu->fp.flags & ORYX_FPF_INEXACT) && (host_get() & MXCSR_INEXACT))
        host_set(MXCSR_DEFAULT);
#else
    (void)cpu;
#endif
}

void softop_fp_end(oryx_cpu *cpu, uint32_t saved)
{
    softop_fp_merge(cpu);
#if HOST_TELLS
    if (host_get() != saved)
        host_set(saved);
#else
    (void)saved;
#endif
}

/* FMA and an operating system that saves its registers. By hand: the compiler's own test needs a constructor in the
 * plugin, and nothing may run before the entry is called. */
#if HOST_TELLS
static int detect_fma(void)
{
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_FMA) || !(c & bit_OSXSAVE))
        return 0;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (a & 6) == 6;
}

/* The host fuses multiply and add. Asked once: a race writes the same answer twice. */
static int has_fma(void)
{
    static int known; /* 0 not asked, 1 no, 2 yes */
    int k = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!k) {
        k = 1 + detect_fma();
        __atomic_store_n(&known, k, __ATOMIC_RELAXED);
    }
    return k == 2;
}
#endif

static int simple(const oryx_cpu *cpu)
{
    /* With the older MIPS rule the host sees signalling NaNs where the guest has quiet ones. */
    return (cpu->fp.rounding | cpu->fp.flush_in | cpu->fp.flush_out) == 0 && cpu->fp.nan_rule != ORYX_NAN_MIPS &&
           (HOST_TELLS || (cpu->fp.flags & ORYX_FPF_INEXACT));
}

static int plain32(uint32_t v)
{
    return (v >> 23 & 255) - 2u < 253u;
}

static int plain64(uint64_t v)
{
    return (v >> 52 & 2047) - 2u < 2045u;
}

static float f32_of(uint32_t v)
{
    float r;
    memcpy(&r, &v, 4);
    return r;
}

static uint32_t bits32(float v)
{
    uint32_t r;
    memcpy(&r, &v, 4);
    return r;
}

static double f64_of(uint64_t v)
{
    double r;
    memcpy(&r, &v, 8);
    return r;
}

static uint64_t bits64(double v)
{
    uint64_t r;
    memcpy(&r, &v, 8);
    return r;
}

/* --- two operands ----------------------------------------------------------------------------------------------- */
#define HOST_BIN(name, op)                                                                                            \
    static inline uint64_t name##_v32(uint64_t a, uint64_t b, oryx_cpu *cpu)                                          \
    {                                                                                                                 \
        if (simple(cpu)) {                                                                                            \
            uint32_t r = bits32(f32_of((uint32_t)a) op f32_of((uint32_t)b));                                          \
            if (plain32(r))                                                                                           \
                return r;                                                                                             \
        }                                                                                                             \
        return fp_##name(&fp_f32, a, b, &cpu->fp);                                                                    \
    }                                                                                                                 \
    static inline uint64_t name##_v64(uint64_t a, uint64_t b, oryx_cpu *cpu)                                          \
    {                                                                                                                 \
        if (simple(cpu)) {                                                                                            \
            uint64_t r = bits64(f64_of(a) op f64_of(b));                                                              \
            if (plain64(r))                                                                                           \
                return r;                                                                                             \
        }                                                                                                             \
        return fp_##name(&fp_f64, a, b, &cpu->fp);                                                                    \
    }
#define SOFT_BIN(name)                                                                                                \
    static uint64_t name##_v32(uint64_t a, uint64_t b, oryx_cpu *cpu)                                                 \
    {                                                                                                                 \
        return fp_##name(&fp_f32, a, b, &cpu->fp);                                                                    \
    }                                                                                                                 \
    static uint64_t name##_v64(uint64_t a, uint64_t b, oryx_cpu *cpu)                                                 \
    {                                                                                                                 \
        return fp_##name(&fp_f64, a, b, &cpu->fp);                                                                    \
    }
HOST_BIN(add, +)
HOST_BIN(sub, -)
HOST_BIN(mul, *)
HOST_BIN(div, /)
SOFT_BIN(mulx)
SOFT_BIN(min)
SOFT_BIN(max)
SOFT_BIN(minnm)
SOFT_BIN(maxnm)

/* --- one and three operands ---------------------------------------------------------------------------------------- */
static uint64_t sqrt_v32(uint64_t a, oryx_cpu *cpu)
{
#if HOST_TELLS
    if (simple(cpu) && plain32((uint32_t)a) && !(a >> 31)) {
        uint32_t r = bits32(_mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(f32_of((uint32_t)a)))));
        if (plain32(r))
            return r;
    }
#endif
    return fp_sqrt(&fp_f32, a, &cpu->fp);
}

static uint64_t sqrt_v64(uint64_t a, oryx_cpu *cpu)
{
#if HOST_TELLS
    if (simple(cpu) && plain64(a) && !(a >> 63)) {
        __m128d v = _mm_set_sd(f64_of(a));
        uint64_t r = bits64(_mm_cvtsd_f64(_mm_sqrt_sd(v, v)));
        if (plain64(r))
            return r;
    }
#endif
    return fp_sqrt(&fp_f64, a, &cpu->fp);
}

#if HOST_TELLS
__attribute__((target("fma"))) static uint32_t host_fma32(uint32_t a, uint32_t b, uint32_t c)
{
    return bits32(_mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(f32_of(a)), _mm_set_ss(f32_of(b)), _mm_set_ss(f32_of(c)))));
}

__attribute__((target("fma"))) static uint64_t host_fma64(uint64_t a, uint64_t b, uint64_t c)
{
    return bits64(_mm_cvtsd_f64(_mm_fmadd_sd(_mm_set_sd(f64_of(a)), _mm_set_sd(f64_of(b)), _mm_set_sd(f64_of(c)))));
}
#endif

static uint64_t fma_v32(uint64_t a, uint64_t b, uint64_t c, oryx_cpu *cpu)
{
#if HOST_TELLS
    if (simple(cpu) && has_fma()) {
        uint32_t r = host_fma32((uint32_t)a, (uint32_t)b, (uint32_t)c);
        if (plain32(r))
            return r;
    }
#endif
    return fp_fma(&fp_f32, a, b, c, &cpu->fp);
}

static uint64_t fma_v64(uint64_t a, uint64_t b, uint64_t c, oryx_cpu *cpu)
{
#if HOST_TELLS
    if (simple(cpu) && has_fma()) {
        uint64_t r = host_fma64(a, b, c);
        if (plain64(r))
            return r;
    }
#endif
    return fp_fma(&fp_f64, a, b, c, &cpu->fp);
}

static uint64_t round_v32(uint64_t a, uint32_t imm, oryx_cpu *cpu)
{
    return fp_round_int(&fp_f32, a, imm & 7, imm >> 3 & 1, &cpu->fp);
}

static uint64_t round_v64(uint64_t a, uint32_t imm, oryx_cpu *cpu)
{
    return fp_round_int(&fp_f64, a, imm & 7, imm >> 3 & 1, &cpu->fp);
}

static uint64_t ftoi_v32(uint64_t a, uint32_t imm, oryx_cpu *cpu)
{
    return fp_to_int(&fp_f32, a, 32, imm, &cpu->fp);
}

static uint64_t ftoi_v64(uint64_t a, uint32_t imm, oryx_cpu *cpu)
{
    return fp_to_int(&fp_f64, a, 64, imm, &cpu->fp);
}

static uint64_t itof_v32(uint64_t a, uint32_t imm, oryx_cpu *cpu)
{
    return fp_from_int(&fp_f32, a, 32, imm, &cpu->fp);
}

static uint64_t itof_v64(uint64_t a, uint32_t imm, oryx_cpu *cpu)
{
    return fp_from_int(&fp_f64, a, 64, imm, &cpu->fp);
}

/* VFCMP: EQ is silent for quiet NaNs. */
static uint64_t vfcmp(const fp_fmt *f, uint64_t a, uint64_t b, uint32_t imm, oryx_cpu *cpu)
{
    int r = fp_compare(f, a, b, imm != ORYX_CC_EQ, &cpu->fp);
    int yes = imm == ORYX_CC_EQ ? r == FP_EQUAL : imm == ORYX_CC_GES ? r == FP_EQUAL || r == FP_GREATER : r == FP_GREATER;
    return yes ? ~0ull : 0;
}

/* --- shapes: s scalar, d 8 bytes, q 16 bytes --------------------------------------------------------------------------- */
#define SHAPE(NAME, w, N, TAG, WRITE, EXPR)                                                                           \
    static void NAME##_##w##TAG(uint8_t *base, const iop *o, oryx_cpu *cpu)                                           \
    {                                                                                                                 \
        const uint32_t imm = (uint32_t)o->c;                                                                          \
        uint##w##_t a[N], b[N], d[N];                                                                                 \
        (void)cpu, (void)imm;                                                                                         \
        memcpy(a, base + o->a, sizeof a);                                                                             \
        memcpy(b, base + o->b, sizeof b);                                                                             \
        for (unsigned i = 0; i < N; i++) {                                                                            \
            uint##w##_t x = a[i], y = b[i];                                                                           \
            (void)y;                                                                                                  \
            d[i] = (uint##w##_t)(EXPR);                                                                               \
        }                                                                                                             \
        WRITE;                                                                                                        \
    }
#define SHAPES(NAME, E32, E64)                                                                                        \
    SHAPE(NAME, 32, 1, s, W64(o->d, d[0]), E32)                                                                       \
    SHAPE(NAME, 32, 2, d, memcpy(base + o->d, d, 8), E32)                                                             \
    SHAPE(NAME, 32, 4, q, memcpy(base + o->d, d, 16), E32)                                                            \
    SHAPE(NAME, 64, 1, s, W64(o->d, d[0]), E64)                                                                       \
    SHAPE(NAME, 64, 2, q, memcpy(base + o->d, d, 16), E64)                                                            \
    static const ool_fn t_##NAME[2][3] = { { NAME##_32s, NAME##_32d, NAME##_32q }, { NAME##_64s, NAME##_64s, NAME##_64q } };
#define BIN(NAME, fn) SHAPES(NAME, fn##_v32(x, y, cpu), fn##_v64(x, y, cpu))
BIN(FADD, add)
BIN(FSUB, sub)
BIN(FMUL, mul)
BIN(FDIV, div)
BIN(FMULX, mulx)
BIN(FMIN, min)
BIN(FMAX, max)
BIN(FMINNM, minnm)
BIN(FMAXNM, maxnm)
SHAPES(FSQRT, sqrt_v32(x, cpu), sqrt_v64(x, cpu))
SHAPES(FROUND, round_v32(x, imm, cpu), round_v64(x, imm, cpu))
SHAPES(FNEG, x ^ 0x80000000u, x ^ 1ull << 63)
SHAPES(FABS, x & 0x7fffffffu, x & ~0ull >> 1)
SHAPES(VFTOI, ftoi_v32(x, imm, cpu), ftoi_v64(x, imm, cpu))
SHAPES(VITOF, itof_v32(x, imm, cpu), itof_v64(x, imm, cpu))
SHAPES(VFCMP, vfcmp(&fp_f32, x, y, imm, cpu), vfcmp(&fp_f64, x, y, imm, cpu))

#define FMA(w, N, TAG, WRITE)                                                                                         \
    static void FMA_##w##TAG(uint8_t *base, const iop *o, oryx_cpu *cpu)                                              \
    {                                                                                                                 \
        uint##w##_t a[N], b[N], c[N], d[N];                                                                           \
        memcpy(a, base + o->a, sizeof a);                                                                             \
        memcpy(b, base + o->b, sizeof b);                                                                             \
        memcpy(c, base + o->c, sizeof c);                                                                             \
        for (unsigned i = 0; i < N; i++)                                                                              \
            d[i] = (uint##w##_t)fma_v##w(a[i], b[i], c[i], cpu);                                                      \
        WRITE;                                                                                                        \
    }
FMA(32, 1, s, W64(o->d, d[0]))
FMA(32, 2, d, memcpy(base + o->d, d, 8))
FMA(32, 4, q, memcpy(base + o->d, d, 16))
FMA(64, 1, s, W64(o->d, d[0]))
FMA(64, 2, q, memcpy(base + o->d, d, 16))
static const ool_fn t_FMA[2][3] = { { FMA_32s, FMA_32d, FMA_32q }, { FMA_64s, FMA_64s, FMA_64q } };

void softop_fp_bin(unsigned op, unsigned type, uint8_t *base, const iop *o, oryx_cpu *cpu)
{
    int wide = type == ORYX_T_F64;
    switch (op) {
    case ORYX_OP_FADD:
        t_FADD[wide][0](base, o, cpu);
        return;
    case ORYX_OP_FSUB:
        t_FSUB[wide][0](base, o, cpu);
        return;
    case ORYX_OP_FMUL:
        t_FMUL[wide][0](base, o, cpu);
        return;
    default:
        t_FDIV[wide][0](base, o, cpu);
        return;
    }
}

/* --- scalars that change type ---------------------------------------------------------------------------------------------- */
#define CONVERT(name, from, to, R)                                                                                    \
    static void name(uint8_t *base, const iop *o, oryx_cpu *cpu)                                                      \
    {                                                                                                                 \
        W64(o->d, fp_convert(&fp_##to, &fp_##from, R(o->a), &cpu->fp));                                               \
    }
CONVERT(cvt_16_32, f16, f32, R16)
CONVERT(cvt_16_64, f16, f64, R16)
CONVERT(cvt_32_16, f32, f16, R32)
CONVERT(cvt_32_64, f32, f64, R32)
CONVERT(cvt_64_16, f64, f16, R64)
CONVERT(cvt_64_32, f64, f32, R64)

#define FTOI(f, w)                                                                                                    \
    static void ftoi_##f##_##w(uint8_t *base, const iop *o, oryx_cpu *cpu)                                            \
    {                                                                                                                 \
        W64(o->d, fp_to_int(&fp_f##f, R##f(o->a), w, (uint32_t)o->c, &cpu->fp));                                      \
    }                                                                                                                 \
    static void itof_##w##_##f(uint8_t *base, const iop *o, oryx_cpu *cpu)                                            \
    {                                                                                                                 \
        W64(o->d, fp_from_int(&fp_f##f, R##w(o->a), w, (uint32_t)o->c, &cpu->fp));                                    \
    }
FTOI(32, 32)
FTOI(32, 64)
FTOI(64, 32)
FTOI(64, 64)

/* Arm's NZCV of a comparison in packed form. */
static uint32_t fcmp_flags(int r)
{
    static const uint16_t t[4] = { [FP_LESS] = ORYX_FLAG_S, [FP_EQUAL] = ORYX_FLAG_Z | ORYX_FLAG_C,
                                   [FP_GREATER] = ORYX_FLAG_C, [FP_UNORDERED] = ORYX_FLAG_C | ORYX_FLAG_O };
    return t[r];
}

static void flfcmp_32(uint8_t *base, const iop *o, oryx_cpu *cpu)
{
    W32(o->d, fcmp_flags(fp_compare(&fp_f32, R32(o->a), R32(o->b), o->c & 1, &cpu->fp)));
}

static void flfcmp_64(uint8_t *base, const iop *o, oryx_cpu *cpu)
{
    W32(o->d, fcmp_flags(fp_compare(&fp_f64, R64(o->a), R64(o->b), o->c & 1, &cpu->fp)));
}

static void fflags(uint8_t *base, const iop *o, oryx_cpu *cpu)
{
    softop_fp_merge(cpu);
    W64(o->d, cpu->fp.flags);
}

static void fsetflags(uint8_t *base, const iop *o, oryx_cpu *cpu)
{
    cpu->fp.flags = R32(o->a);
    softop_fp_discard(cpu);
}

static ool_fn convert(unsigned to, unsigned from)
{
    switch (to) {
    case ORYX_T_I16:
        return from == ORYX_T_F32 ? cvt_32_16 : from == ORYX_T_F64 ? cvt_64_16 : NULL;
    case ORYX_T_F32:
        return from == ORYX_T_I16 ? cvt_16_32 : from == ORYX_T_F64 ? cvt_64_32 : NULL;
    case ORYX_T_F64:
        return from == ORYX_T_I16 ? cvt_16_64 : from == ORYX_T_F32 ? cvt_32_64 : NULL;
    default:
        return NULL;
    }
}

ool_fn softop_select_fp(const oryx_ir_op *op)
{
    int vec = op->type == ORYX_T_V64 || op->type == ORYX_T_V128;
    unsigned lane = vec || op->op == ORYX_OP_FLFCMP ? op->lane : op->type;
    int w = lane == ORYX_T_F32 ? 0 : lane == ORYX_T_F64 ? 1 : -1;
    int n = op->type == ORYX_T_V128 ? 2 : vec ? 1 : 0;
    switch (op->op) {
    case ORYX_OP_FFLAGS:
        return fflags;
    case ORYX_OP_FSETFLAGS:
        return fsetflags;
    case ORYX_OP_FCVT:
        return convert(op->type, op->lane);
    case ORYX_OP_FTOI:
        if (op->lane == ORYX_T_F32)
            return op->type == ORYX_T_I32 ? ftoi_32_32 : op->type == ORYX_T_I64 ? ftoi_32_64 : NULL;
        if (op->lane == ORYX_T_F64)
            return op->type == ORYX_T_I32 ? ftoi_64_32 : op->type == ORYX_T_I64 ? ftoi_64_64 : NULL;
        return NULL;
    case ORYX_OP_ITOF:
        if (op->lane == ORYX_T_I32)
            return op->type == ORYX_T_F32 ? itof_32_32 : op->type == ORYX_T_F64 ? itof_32_64 : NULL;
        if (op->lane == ORYX_T_I64)
            return op->type == ORYX_T_F32 ? itof_64_32 : op->type == ORYX_T_F64 ? itof_64_64 : NULL;
        return NULL;
    case ORYX_OP_FLFCMP:
        return w == 0 ? flfcmp_32 : w == 1 ? flfcmp_64 : NULL;
    default:
        break;
    }
    if (vec && w < 0 && (op->op == ORYX_OP_VFTOI || op->op == ORYX_OP_VITOF)) /* the lane may be named by the integer */
        w = lane == ORYX_T_I32 ? 0 : lane == ORYX_T_I64 ? 1 : -1;
    if (w < 0)
        return NULL;
    switch (op->op) {
#define ROW(n_)                                                                                                       \
    case ORYX_OP_##n_:                                                                                                \
        return t_##n_[w][n];
        ROW(FADD) ROW(FSUB) ROW(FMUL) ROW(FDIV) ROW(FSQRT) ROW(FMA) ROW(FNEG) ROW(FABS) ROW(FMIN) ROW(FMAX) ROW(FMINNM)
        ROW(FMAXNM) ROW(FMULX) ROW(FROUND) ROW(VFTOI) ROW(VITOF) ROW(VFCMP)
#undef ROW
    default:
        return NULL;
    }
}
