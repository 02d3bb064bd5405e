/* SHA-256 (FIPS 180-4) of 8 KiB a piece of work: rotations, additions, many live values. The round
 * constants are computed from the primes' cube roots in integers, so there is no table to mistype.
 */
#include "bench.h"

static uint32_t k[64];
static uint8_t data[8192];

/* x = x * t in limbs of 32 bits; t is under 2^35. */
static void times(uint32_t x[4], uint64_t t)
{
    uint64_t low = t & 0xffffffff, high = t >> 32, carry = 0;
    uint32_t before = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t sum = (uint64_t)x[i] * low + carry;
        uint64_t more = (sum & 0xffffffff) + (uint64_t)before * high;
        carry = (sum >> 32) + (more >> 32);
        before = x[i];
        x[i] = (uint32_t)more;
    }
}

/* The first 32 bits of the fraction of p's cube root: floor(cbrt(p * 2^96)), low word. */
static uint32_t cube_root_fraction(uint32_t p)
{
    uint64_t r = 0;
    for (int bit = 34; bit >= 0; bit--) {
        uint64_t t = r | (uint64_t)1 << bit;
        uint32_t cube[4] = {1, 0, 0, 0}; /* under 2^105 */
        for (int i = 0; i < 3; i++)
            times(cube, t);
        if (cube[3] < p || (cube[3] == p && !cube[2] && !cube[1] && !cube[0]))
            r = t;
    }
    return (uint32_t)r;
}

static void make_constants(void)
{
    int found = 0;
    for (uint32_t p = 2; found < 64; p++) {
        uint32_t d = 2;
        while (d * d <= p && p % d)
            d++;
        if (d * d > p)
            k[found++] = cube_root_fraction(p);
    }
}

static uint32_t ror(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

static void compress(uint32_t h[8], const uint8_t *p)
{
    uint32_t w[64];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
               (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], m = h[7];
    for (int i = 0; i < 64; i++) {
        uint32_t t1 =
            m + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i];
        uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        m = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += m;
}

uint64_t kernel(uint64_t n)
{
    uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint32_t seed = 5;
    make_constants();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)bench_random(&seed);
    for (; n; n--)
        for (size_t i = 0; i < sizeof data; i += 64)
            compress(h, data + i);
    uint64_t sum = 0;
    for (int i = 0; i < 8; i++)
        sum = bench_mix(sum, h[i]);
    for (int i = 0; i < 64; i++)
        sum = bench_mix(sum, k[i]);
    return sum;
}
