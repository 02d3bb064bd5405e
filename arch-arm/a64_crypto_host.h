/* AES and SHA-256 rounds by the host's own instructions, for a64_crypto_helpers.c, where the host has them.
 *
 * Invariant: each gives what the portable function beside its caller gives; tests/insn and tests/diff run the caller. */
#ifndef A64_CRYPTO_HOST_H
#define A64_CRYPTO_HOST_H

#include "a64.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

enum { HOST_KNOWN = 1, HOST_HAS_AES = 2, HOST_HAS_SHA = 4 };
#define HOST_AES (host_has() & HOST_HAS_AES)
#define HOST_SHA (host_has() & HOST_HAS_SHA)

/* Asked once; the compiler's own way (__builtin_cpu_supports) brings a constructor, which no plugin may have. */
static inline unsigned host_has(void)
{
    static _Atomic unsigned found;
    unsigned has = atomic_load_explicit(&found, memory_order_relaxed), a, b, c, d;
    if (has)
        return has;
    has = HOST_KNOWN;
    if (__get_cpuid(1, &a, &b, &c, &d) && c >> 25 & 1 && c >> 19 & 1)
        has |= HOST_HAS_AES;
    if (has & HOST_HAS_AES && __get_cpuid_count(7, 0, &a, &b, &c, &d) && b >> 29 & 1)
        has |= HOST_HAS_SHA;
    atomic_store_explicit(&found, has, memory_order_relaxed);
    return has;
}

static inline __m128i crypto_load(const oryx_v128 *v)
{
    return _mm_set_epi64x((long long)v->hi, (long long)v->lo);
}

static inline oryx_v128 crypto_result(__m128i x)
{
    oryx_v128 v;
    _mm_storeu_si128((__m128i *)(void *)&v, x);
    return v;
}

/* The last round with a key of zeros is ShiftRows and SubBytes alone. */
__attribute__((target("aes"))) static inline oryx_v128 host_aese(const oryx_v128 *v)
{
    return crypto_result(_mm_aesenclast_si128(crypto_load(v), _mm_setzero_si128()));
}

__attribute__((target("aes"))) static inline oryx_v128 host_aesd(const oryx_v128 *v)
{
    return crypto_result(_mm_aesdeclast_si128(crypto_load(v), _mm_setzero_si128()));
}

/* The inverse of a last round first: what is left of a whole round is MixColumns. */
__attribute__((target("aes"))) static inline oryx_v128 host_aesmc(const oryx_v128 *v)
{
    __m128i zero = _mm_setzero_si128();
    return crypto_result(_mm_aesenc_si128(_mm_aesdeclast_si128(crypto_load(v), zero), zero));
}

__attribute__((target("aes"))) static inline oryx_v128 host_aesimc(const oryx_v128 *v)
{
    return crypto_result(_mm_aesimc_si128(crypto_load(v)));
}

/* Four rounds; x is a..d and y e..h with a and e lowest. The host has abef and cdgh, a and c highest, and does two at a time. */
__attribute__((target("sha,sse4.1"))) static inline void host_sha256(__m128i *x, __m128i *y, const oryx_v128 *w)
{
    __m128i m = crypto_load(w);
    __m128i abef = _mm_shuffle_epi32(_mm_unpacklo_epi64(*y, *x), 0xb1);
    __m128i cdgh = _mm_shuffle_epi32(_mm_unpackhi_epi64(*y, *x), 0xb1);
    __m128i next = _mm_sha256rnds2_epu32(cdgh, abef, m);
    __m128i last = _mm_sha256rnds2_epu32(abef, next, _mm_shuffle_epi32(m, 0x0e));
    /* next has become c, d, g, h. */
    *x = _mm_shuffle_epi32(_mm_unpackhi_epi64(next, last), 0x1b);
    *y = _mm_shuffle_epi32(_mm_unpacklo_epi64(next, last), 0x1b);
}
#endif
#endif
