/* Shapes of out-of-line lane-wise functions, shared by ops_vec.c and ops_vecx.c.
 *
 * A function is made for every lane width and for n lanes: tag s one lane (a scalar, zero-extended to 8 bytes), d 8 bytes,
 * q 16 bytes. In EXPR: x, y, z the lanes of a, b, c; W the width; S the signed type; imm; sat is set on saturation. */
#ifndef VEC_H
#define VEC_H

#include "softops.h"

/* 0..3 by lane size, integer or floating-point; -1 when it is no lane. */
static inline int lane_idx(unsigned lane)
{
    switch (lane) {
    case ORYX_T_I8:
        return 0;
    case ORYX_T_I16:
        return 1;
    case ORYX_T_I32:
    case ORYX_T_F32:
        return 2;
    case ORYX_T_I64:
    case ORYX_T_F64:
        return 3;
    default:
        return -1;
    }
}

#define VF(NAME, w, N, TAG, WRITE, EXPR)                                                                              \
    static void NAME##_##w##TAG(uint8_t *base, const iop *o, oryx_cpu *cpu)                                           \
    {                                                                                                                 \
        typedef uint##w##_t U;                                                                                        \
        typedef int##w##_t S;                                                                                         \
        enum { W = w };                                                                                               \
        const uint32_t imm = (uint32_t)o->c;                                                                          \
        unsigned sat = 0;                                                                                             \
        U a[N], b[N], d[N];                                                                                           \
        (void)imm, (void)(S)0, (void)W;                                                                               \
        memcpy(a, base + o->a, sizeof a);                                                                             \
        memcpy(b, base + o->b, sizeof b);                                                                             \
        for (unsigned i = 0; i < N; i++) {                                                                            \
            U x = a[i], y = b[i];                                                                                     \
            (void)y;                                                                                                  \
            d[i] = (U)(EXPR);                                                                                         \
        }                                                                                                             \
        WRITE;                                                                                                        \
        if (sat)                                                                                                      \
            cpu->fp.flags |= ORYX_FPF_SATURATED;                                                                      \
    }
#define VF_Q(NAME, w, EXPR) VF(NAME, w, 128 / w, q, memcpy(base + o->d, d, 16), EXPR)
#define VF_D(NAME, w, EXPR) VF(NAME, w, 64 / w, d, memcpy(base + o->d, d, 8), EXPR)
#define VF_S(NAME, w, EXPR) VF(NAME, w, 1, s, W64(o->d, d[0]), EXPR)

/* Vectors of every lane. Table: [lane][0: 8 bytes, 1: 16 bytes]. */
#define VEC(NAME, EXPR)                                                                                               \
    VF_D(NAME, 8, EXPR)                                                                                               \
    VF_Q(NAME, 8, EXPR)                                                                                               \
    VF_D(NAME, 16, EXPR)                                                                                              \
    VF_Q(NAME, 16, EXPR)                                                                                              \
    VF_D(NAME, 32, EXPR)                                                                                              \
    VF_Q(NAME, 32, EXPR)                                                                                              \
    VF_D(NAME, 64, EXPR)                                                                                              \
    VF_Q(NAME, 64, EXPR)                                                                                              \
    static const ool_fn v_##NAME[4][2] = { { NAME##_8d, NAME##_8q }, { NAME##_16d, NAME##_16q },                      \
                                           { NAME##_32d, NAME##_32q }, { NAME##_64d, NAME##_64q } };

/* Scalars and vectors. Table: [lane][0: scalar, 1: 8 bytes, 2: 16 bytes]. */
#define VEC3(NAME, EXPR)                                                                                              \
    VF_S(NAME, 8, EXPR)                                                                                               \
    VF_S(NAME, 16, EXPR)                                                                                              \
    VF_S(NAME, 32, EXPR)                                                                                              \
    VF_S(NAME, 64, EXPR)                                                                                              \
    VF_D(NAME, 8, EXPR)                                                                                               \
    VF_Q(NAME, 8, EXPR)                                                                                               \
    VF_D(NAME, 16, EXPR)                                                                                              \
    VF_Q(NAME, 16, EXPR)                                                                                              \
    VF_D(NAME, 32, EXPR)                                                                                              \
    VF_Q(NAME, 32, EXPR)                                                                                              \
    VF_D(NAME, 64, EXPR)                                                                                              \
    VF_Q(NAME, 64, EXPR)                                                                                              \
    static const ool_fn v_##NAME[4][3] = { { NAME##_8s, NAME##_8d, NAME##_8q }, { NAME##_16s, NAME##_16d, NAME##_16q }, \
                                           { NAME##_32s, NAME##_32d, NAME##_32q },                                    \
                                           { NAME##_64s, NAME##_64d, NAME##_64q } };

#endif
