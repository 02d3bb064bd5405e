/* Helpers of the base instruction set: checksums and the virtual counter.
 *
 * Called by generated code through the rows of a64_helpers.def; the checksum helpers are pure. */
#include "a64.h"

/* Reflected CRC of the low `bytes` bytes of value, a nibble a step; poly is bit-reversed. */
static uint32_t crc(uint32_t sum, uint64_t value, uint32_t bytes, const uint32_t table[16])
{
    for (uint32_t i = 0; i < bytes; i++, value >>= 8) {
        sum ^= (uint8_t)value;
        sum = sum >> 4 ^ table[sum & 15];
        sum = sum >> 4 ^ table[sum & 15];
    }
    return sum;
}

/* Polynomial 0x04C11DB7, reflected 0xEDB88320. */
uint32_t a64_helper_crc32(uint32_t sum, uint64_t value, uint32_t bytes)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    return crc(sum, value, bytes, table);
}

/* Polynomial 0x1EDC6F41, reflected 0x82F63B78. */
uint32_t a64_helper_crc32c(uint32_t sum, uint64_t value, uint32_t bytes)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    return crc(sum, value, bytes, table);
}

/* CNTVCT_EL0 runs on virtual time at CNTFRQ_EL0: 16 ns a tick. */
uint64_t a64_helper_cntvct(oryx_cpu *cpu)
{
    return a64_host->machine_vtime(cpu->machine) / (UINT64_C(1000000000) / A64_CNTFRQ_EL0);
}
