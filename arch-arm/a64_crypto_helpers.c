/* AES, SHA-1, SHA-256 and SHA-512 rounds (DDI 0487, J1.3 shared/functions/crypto; FIPS 197, FIPS
 * 180-4).
 *
 * Called by generated code through the rows of a64_helpers.def. Invariant: every function is pure
 * and writes its result last, so result and operands may be the same memory. */
#include <string.h>

#include "a64_crypto_host.h"

static const uint8_t sbox[256] = {
    0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
    0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
    0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
    0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
    0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
    0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
    0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
    0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
    0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
    0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
    0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
    0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
    0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
    0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
    0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
    0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
};
static const uint8_t inv_sbox[256] = {
    0x52, 0x09, 0x6a, 0xd5, 0x30, 0x36, 0xa5, 0x38, 0xbf, 0x40, 0xa3, 0x9e, 0x81, 0xf3, 0xd7, 0xfb,
    0x7c, 0xe3, 0x39, 0x82, 0x9b, 0x2f, 0xff, 0x87, 0x34, 0x8e, 0x43, 0x44, 0xc4, 0xde, 0xe9, 0xcb,
    0x54, 0x7b, 0x94, 0x32, 0xa6, 0xc2, 0x23, 0x3d, 0xee, 0x4c, 0x95, 0x0b, 0x42, 0xfa, 0xc3, 0x4e,
    0x08, 0x2e, 0xa1, 0x66, 0x28, 0xd9, 0x24, 0xb2, 0x76, 0x5b, 0xa2, 0x49, 0x6d, 0x8b, 0xd1, 0x25,
    0x72, 0xf8, 0xf6, 0x64, 0x86, 0x68, 0x98, 0x16, 0xd4, 0xa4, 0x5c, 0xcc, 0x5d, 0x65, 0xb6, 0x92,
    0x6c, 0x70, 0x48, 0x50, 0xfd, 0xed, 0xb9, 0xda, 0x5e, 0x15, 0x46, 0x57, 0xa7, 0x8d, 0x9d, 0x84,
    0x90, 0xd8, 0xab, 0x00, 0x8c, 0xbc, 0xd3, 0x0a, 0xf7, 0xe4, 0x58, 0x05, 0xb8, 0xb3, 0x45, 0x06,
    0xd0, 0x2c, 0x1e, 0x8f, 0xca, 0x3f, 0x0f, 0x02, 0xc1, 0xaf, 0xbd, 0x03, 0x01, 0x13, 0x8a, 0x6b,
    0x3a, 0x91, 0x11, 0x41, 0x4f, 0x67, 0xdc, 0xea, 0x97, 0xf2, 0xcf, 0xce, 0xf0, 0xb4, 0xe6, 0x73,
    0x96, 0xac, 0x74, 0x22, 0xe7, 0xad, 0x35, 0x85, 0xe2, 0xf9, 0x37, 0xe8, 0x1c, 0x75, 0xdf, 0x6e,
    0x47, 0xf1, 0x1a, 0x71, 0x1d, 0x29, 0xc5, 0x89, 0x6f, 0xb7, 0x62, 0x0e, 0xaa, 0x18, 0xbe, 0x1b,
    0xfc, 0x56, 0x3e, 0x4b, 0xc6, 0xd2, 0x79, 0x20, 0x9a, 0xdb, 0xc0, 0xfe, 0x78, 0xcd, 0x5a, 0xf4,
    0x1f, 0xdd, 0xa8, 0x33, 0x88, 0x07, 0xc7, 0x31, 0xb1, 0x12, 0x10, 0x59, 0x27, 0x80, 0xec, 0x5f,
    0x60, 0x51, 0x7f, 0xa9, 0x19, 0xb5, 0x4a, 0x0d, 0x2d, 0xe5, 0x7a, 0x9f, 0x93, 0xc9, 0x9c, 0xef,
    0xa0, 0xe0, 0x3b, 0x4d, 0xae, 0x2a, 0xf5, 0xb0, 0xc8, 0xeb, 0xbb, 0x3c, 0x83, 0x53, 0x99, 0x61,
    0x17, 0x2b, 0x04, 0x7e, 0xba, 0x77, 0xd6, 0x26, 0xe1, 0x69, 0x14, 0x63, 0x55, 0x21, 0x0c, 0x7d,
};

/* --- AES: byte 4c + r is row r, column c ------------------------------------------------------ */
static void to_bytes(uint8_t b[16], const oryx_v128 *v)
{
    for (unsigned i = 0; i < 8; i++) {
        b[i] = (uint8_t)(v->lo >> 8 * i);
        b[i + 8] = (uint8_t)(v->hi >> 8 * i);
    }
}

static void from_bytes(oryx_v128 *v, const uint8_t b[16])
{
    v->lo = v->hi = 0;
    for (unsigned i = 0; i < 8; i++) {
        v->lo |= (uint64_t)b[i] << 8 * i;
        v->hi |= (uint64_t)b[i + 8] << 8 * i;
    }
}

/* The host's own instruction where it has one. */
#ifdef HOST_AES
#define USE_HOST_AES(name)      \
    if (HOST_AES) {             \
        *out = host_##name(v);  \
        return;                 \
    }
#define USE_HOST_SHA(abcd, efgh, half)                         \
    if (HOST_SHA) {                                            \
        __m128i x1 = crypto_load(abcd), y1 = crypto_load(efgh); \
        host_sha256(&x1, &y1, m);                              \
        *out = crypto_result(half##1);                         \
        return;                                                \
    }
#else
#define USE_HOST_AES(name)
#define USE_HOST_SHA(abcd, efgh, half)
#endif

/* ShiftRows then SubBytes; row r rotates by r * turn columns. */
static void shift_sub(oryx_v128 *out, const oryx_v128 *v, unsigned turn, const uint8_t *box)
{
    uint8_t in[16], b[16];
    to_bytes(in, v);
    for (unsigned i = 0; i < 16; i++)
        b[i] = box[in[(i + 4 * turn * (i & 3)) & 15]];
    from_bytes(out, b);
}

void a64_helper_aese(oryx_v128 *out, const oryx_v128 *v)
{
    USE_HOST_AES(aese)
    shift_sub(out, v, 1, sbox);
}

void a64_helper_aesd(oryx_v128 *out, const oryx_v128 *v)
{
    USE_HOST_AES(aesd)
    shift_sub(out, v, 3, inv_sbox);
}

/* Four bytes of a column at once, each times x in GF(2^8). */
static uint32_t times2(uint32_t v)
{
    return (v & 0x7f7f7f7f) << 1 ^ (v >> 7 & 0x01010101) * 0x1b;
}

static uint32_t rol32(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static uint32_t ror32(uint32_t v, unsigned n)
{
    return v >> n | v << (32 - n);
}

/* 2 3 1 1: 2v ^ 3 * next row ^ the two rows after. */
static uint32_t mix(uint32_t v)
{
    uint32_t v2 = times2(v);
    return v2 ^ ror32(v2 ^ v, 8) ^ ror32(v, 16) ^ ror32(v, 24);
}

/* 14 11 13 9 = (2 3 1 1) * (5 0 4 0). */
static uint32_t inv_mix(uint32_t v)
{
    uint32_t v4 = times2(times2(v));
    return mix(v ^ v4 ^ ror32(v4, 16));
}

void a64_helper_aesmc(oryx_v128 *out, const oryx_v128 *v)
{
    USE_HOST_AES(aesmc)
    uint64_t lo = mix((uint32_t)v->lo) | (uint64_t)mix((uint32_t)(v->lo >> 32)) << 32;
    uint64_t hi = mix((uint32_t)v->hi) | (uint64_t)mix((uint32_t)(v->hi >> 32)) << 32;
    *out = (oryx_v128){ lo, hi };
}

void a64_helper_aesimc(oryx_v128 *out, const oryx_v128 *v)
{
    USE_HOST_AES(aesimc)
    uint64_t lo = inv_mix((uint32_t)v->lo) | (uint64_t)inv_mix((uint32_t)(v->lo >> 32)) << 32;
    uint64_t hi = inv_mix((uint32_t)v->hi) | (uint64_t)inv_mix((uint32_t)(v->hi >> 32)) << 32;
    *out = (oryx_v128){ lo, hi };
}

/* --- SHA-1, SHA-256: four rounds -------------------------------------------------------------- */
static void to_words(uint32_t w[4], const oryx_v128 *v)
{
    w[0] = (uint32_t)v->lo;
    w[1] = (uint32_t)(v->lo >> 32);
    w[2] = (uint32_t)v->hi;
    w[3] = (uint32_t)(v->hi >> 32);
}

static void from_words(oryx_v128 *v, const uint32_t w[4])
{
    v->lo = w[0] | (uint64_t)w[1] << 32;
    v->hi = w[2] | (uint64_t)w[3] << 32;
}

static uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return ((y ^ z) & x) ^ z;
}

static uint32_t parity(uint32_t x, uint32_t y, uint32_t z)
{
    return x ^ y ^ z;
}

static uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | ((x | y) & z);
}

static void sha1(oryx_v128 *out, const oryx_v128 *d, uint32_t e, const oryx_v128 *m,
                 uint32_t (*mixing)(uint32_t, uint32_t, uint32_t))
{
    uint32_t x[4], w[4];
    to_words(x, d);
    to_words(w, m);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t t = e + rol32(x[0], 5) + mixing(x[1], x[2], x[3]) + w[i];
        e = x[3];
        x[3] = x[2];
        x[2] = rol32(x[1], 30);
        x[1] = x[0];
        x[0] = t;
    }
    from_words(out, x);
}

void a64_helper_sha1c(oryx_v128 *out, const oryx_v128 *d, uint32_t n, const oryx_v128 *m)
{
    sha1(out, d, n, m, choose);
}

void a64_helper_sha1p(oryx_v128 *out, const oryx_v128 *d, uint32_t n, const oryx_v128 *m)
{
    sha1(out, d, n, m, parity);
}

void a64_helper_sha1m(oryx_v128 *out, const oryx_v128 *d, uint32_t n, const oryx_v128 *m)
{
    sha1(out, d, n, m, majority);
}

/* Both halves of the state, a..d in x and e..h in y, after four rounds. */
static void sha256(uint32_t x[4], uint32_t y[4], const oryx_v128 *m)
{
    uint32_t w[4];
    to_words(w, m);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t s1 = ror32(y[0], 6) ^ ror32(y[0], 11) ^ ror32(y[0], 25);
        uint32_t s0 = ror32(x[0], 2) ^ ror32(x[0], 13) ^ ror32(x[0], 22);
        uint32_t t = y[3] + s1 + choose(y[0], y[1], y[2]) + w[i];
        uint32_t first = t + s0 + majority(x[0], x[1], x[2]), fifth = x[3] + t;
        memmove(x + 1, x, 12);
        memmove(y + 1, y, 12);
        x[0] = first;
        y[0] = fifth;
    }
}

void a64_helper_sha256h(oryx_v128 *out, const oryx_v128 *d, const oryx_v128 *n, const oryx_v128 *m)
{
    USE_HOST_SHA(d, n, x)
    uint32_t x[4], y[4];
    to_words(x, d);
    to_words(y, n);
    sha256(x, y, m);
    from_words(out, x);
}

void a64_helper_sha256h2(oryx_v128 *out, const oryx_v128 *d, const oryx_v128 *n, const oryx_v128 *m)
{
    USE_HOST_SHA(n, d, y)
    uint32_t x[4], y[4];
    to_words(x, n);
    to_words(y, d);
    sha256(x, y, m);
    from_words(out, y);
}

/* --- SHA-512: two rounds ---------------------------------------------------------------------- */
static uint64_t ror64(uint64_t v, unsigned n)
{
    return v >> n | v << (64 - n);
}

static uint64_t sum1(uint64_t v)
{
    return ror64(v, 14) ^ ror64(v, 18) ^ ror64(v, 41);
}

static uint64_t sum0(uint64_t v)
{
    return ror64(v, 28) ^ ror64(v, 34) ^ ror64(v, 39);
}

void a64_helper_sha512h(oryx_v128 *out, const oryx_v128 *d, const oryx_v128 *n, const oryx_v128 *m)
{
    uint64_t hi = ((m->hi & n->lo) ^ (~m->hi & n->hi)) + sum1(m->hi) + d->hi;
    uint64_t t = hi + m->lo;
    uint64_t lo = ((t & m->hi) ^ (~t & n->lo)) + sum1(t) + d->lo;
    *out = (oryx_v128){ lo, hi };
}

void a64_helper_sha512h2(oryx_v128 *out, const oryx_v128 *d, const oryx_v128 *n, const oryx_v128 *m)
{
    uint64_t hi = ((n->lo & m->hi) ^ (n->lo & m->lo) ^ (m->hi & m->lo)) + sum0(m->lo) + d->hi;
    uint64_t lo = ((hi & m->lo) ^ (hi & m->hi) ^ (m->hi & m->lo)) + sum0(hi) + d->lo;
    *out = (oryx_v128){ lo, hi };
}
