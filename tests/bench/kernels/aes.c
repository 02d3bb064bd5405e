/* AES-128 (FIPS 197) in CBC mode over 8 KiB a piece of work, by the usual four tables: table loads
 * with byte extraction. S-box and tables are computed at start. */
#include "bench.h"

static uint8_t sbox[256];
static uint32_t te[4][256];
static uint32_t round_keys[44];
static uint8_t data[8192];

static uint8_t twice(uint8_t x)
{
    return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1b : 0));
}

static uint8_t rol8(uint8_t x, int by)
{
    return (uint8_t)(x << by | x >> (8 - by));
}

static void make_tables(void)
{
    /* p runs through the powers of the generator 3, q through those of its inverse. */
    uint8_t p = 1, q = 1;
    do {
        p = (uint8_t)(p ^ twice(p));
        q ^= (uint8_t)(q << 1);
        q ^= (uint8_t)(q << 2);
        q ^= (uint8_t)(q << 4);
        q ^= q & 0x80 ? 0x09 : 0;
        sbox[p] = (uint8_t)(q ^ rol8(q, 1) ^ rol8(q, 2) ^ rol8(q, 3) ^ rol8(q, 4) ^ 0x63);
    } while (p != 1);
    sbox[0] = 0x63;
    for (int i = 0; i < 256; i++) {
        uint32_t s = sbox[i], s2 = twice(sbox[i]), s3 = s2 ^ s;
        uint32_t word = s2 << 24 | s << 16 | s << 8 | s3;
        for (int t = 0; t < 4; t++, word = word >> 8 | word << 24)
            te[t][i] = word;
    }
}

static uint32_t sub_word(uint32_t w)
{
    return (uint32_t)sbox[w >> 24] << 24 | (uint32_t)sbox[w >> 16 & 255] << 16 |
           (uint32_t)sbox[w >> 8 & 255] << 8 | sbox[w & 255];
}

static void expand_key(const uint32_t key[4])
{
    uint8_t round = 1;
    for (int i = 0; i < 44; i++) {
        if (i < 4) {
            round_keys[i] = key[i];
            continue;
        }
        uint32_t w = round_keys[i - 1];
        if (i % 4 == 0) {
            w = sub_word(w << 8 | w >> 24) ^ (uint32_t)round << 24;
            round = twice(round);
        }
        round_keys[i] = round_keys[i - 4] ^ w;
    }
}

static uint32_t column(const uint32_t *s, int i, uint32_t key)
{
    return te[0][s[i] >> 24] ^ te[1][s[(i + 1) & 3] >> 16 & 255] ^
           te[2][s[(i + 2) & 3] >> 8 & 255] ^ te[3][s[(i + 3) & 3] & 255] ^ key;
}

static uint32_t last_column(const uint32_t *s, int i, uint32_t key)
{
    return ((uint32_t)sbox[s[i] >> 24] << 24 | (uint32_t)sbox[s[(i + 1) & 3] >> 16 & 255] << 16 |
            (uint32_t)sbox[s[(i + 2) & 3] >> 8 & 255] << 8 | sbox[s[(i + 3) & 3] & 255]) ^
           key;
}

static void encrypt(uint32_t s[4])
{
    const uint32_t *key = round_keys;
    uint32_t t[4];
    for (int i = 0; i < 4; i++)
        s[i] ^= key[i];
    for (int r = 1; r < 10; r++) {
        key += 4;
        for (int i = 0; i < 4; i++)
            t[i] = column(s, i, key[i]);
        for (int i = 0; i < 4; i++)
            s[i] = t[i];
    }
    for (int i = 0; i < 4; i++)
        t[i] = last_column(s, i, key[4 + i]);
    for (int i = 0; i < 4; i++)
        s[i] = t[i];
}

static uint32_t load_be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint64_t kernel(uint64_t n)
{
    static const uint32_t key[4] = {0x2b7e1516, 0x28aed2a6, 0xabf71588, 0x09cf4f3c};
    /* FIPS 197, appendix B: this block under this key gives 3925841d 02dc09fb dc118597 196a0b32. */
    uint32_t s[4] = {0x3243f6a8, 0x885a308d, 0x313198a2, 0xe0370734}, seed = 9;
    make_tables();
    expand_key(key);
    encrypt(s);
    if (s[0] != 0x3925841d || s[3] != 0x196a0b32)
        return 0xbad;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)bench_random(&seed);
    for (; n; n--)
        for (size_t i = 0; i < sizeof data; i += 16) {
            for (int j = 0; j < 4; j++)
                s[j] ^= load_be(data + i + 4 * j);
            encrypt(s);
        }
    return ((uint64_t)s[0] << 32 | s[1]) ^ ((uint64_t)s[2] << 32 | s[3]) * 3;
}
