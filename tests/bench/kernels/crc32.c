/* CRC-32 (IEEE 802.3, reflected), table driven, a byte at a time over 32 KiB a piece of work:
 * loads, shifts and one long dependency. */
#include "bench.h"

static uint32_t table[256];
static uint8_t data[32768];

uint64_t kernel(uint64_t n)
{
    uint32_t seed = 1;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
        table[i] = c;
    }
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)bench_random(&seed);

    uint32_t crc = ~0u;
    for (; n; n--)
        for (size_t i = 0; i < sizeof data; i++)
            crc = table[(crc ^ data[i]) & 255] ^ crc >> 8;
    return ~crc;
}
