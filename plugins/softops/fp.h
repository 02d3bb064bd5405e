/* Exact floating point on bit patterns: every result, NaN and flag as the environment says. Formats by pointer. */
#ifndef FP_H
#define FP_H

#include "softops.h"

typedef struct fp_fmt {
    uint8_t ebits, fbits; /* of the exponent and the stored fraction */
} fp_fmt;
extern const fp_fmt fp_f16, fp_f32, fp_f64;

enum { FP_ZERO, FP_FINITE, FP_INF, FP_QNAN, FP_SNAN };

/* value = sig * 2^exp for FP_FINITE. */
typedef struct fp_num {
    uint8_t kind, sign;
    int32_t exp;
    uint64_t sig;
    uint64_t bits;
} fp_num;

/* Operands, with denormal inputs flushed when the environment says so. */
fp_num fp_unpack(const fp_fmt *f, uint64_t bits, oryx_fpenv *env);
/* sig * 2^exp (sig not 0; bit 0 may stand for anything non-zero below) rounded once. */
uint64_t fp_round_pack(const fp_fmt *f, unsigned sign, int exp, u128 sig, unsigned rm, oryx_fpenv *env);
uint64_t fp_default_nan(const fp_fmt *f, const oryx_fpenv *env);
uint64_t fp_inf(const fp_fmt *f, unsigned sign);
/* The result when an operand is a NaN (one of the two must be). */
uint64_t fp_nan2(const fp_fmt *f, const fp_num *a, const fp_num *b, oryx_fpenv *env);

uint64_t fp_add(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env);
uint64_t fp_sub(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env);
uint64_t fp_mul(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env);
uint64_t fp_mulx(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env);
uint64_t fp_div(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env);
uint64_t fp_sqrt(const fp_fmt *f, uint64_t a, oryx_fpenv *env);
uint64_t fp_fma(const fp_fmt *f, uint64_t a, uint64_t b, uint64_t c, oryx_fpenv *env);
uint64_t fp_min(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env);
uint64_t fp_max(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env);
uint64_t fp_minnm(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env);
uint64_t fp_maxnm(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env);

/* fp_conv.c. rm: ORYX_RM_*, ENV resolved by the callee. */
uint64_t fp_round_int(const fp_fmt *f, uint64_t a, unsigned rm, int exact, oryx_fpenv *env);
uint64_t fp_convert(const fp_fmt *to, const fp_fmt *from, uint64_t a, oryx_fpenv *env);
uint64_t fp_to_int(const fp_fmt *f, uint64_t a, unsigned width, uint32_t imm, oryx_fpenv *env);
uint64_t fp_from_int(const fp_fmt *f, uint64_t a, unsigned width, uint32_t imm, oryx_fpenv *env);
enum { FP_LESS, FP_EQUAL, FP_GREATER, FP_UNORDERED };
int fp_compare(const fp_fmt *f, uint64_t a, uint64_t b, int signal_quiet, oryx_fpenv *env);

#endif
