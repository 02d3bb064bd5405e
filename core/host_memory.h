/* Host memory as guests access it: one host instruction an access, whatever the alignment, and
 * atomics of 1 to 16 bytes. Used by access.c and io_access.c. */
#ifndef ORYX_HOST_MEMORY_H
#define ORYX_HOST_MEMORY_H

#include <string.h>

#include "oryx_ir.h"

/* Guests race on their own memory: that is theirs to order, not a fault of the host program. */
#define ORYX__GUEST_MEMORY __attribute__((no_sanitize("thread")))

/* A packed type makes an unaligned access one move on the host; volatile keeps it one, unmerged and
 * unrepeated. */
typedef struct {
    uint16_t v;
} __attribute__((packed, may_alias)) oryx__u16;
typedef struct {
    uint32_t v;
} __attribute__((packed, may_alias)) oryx__u32;
typedef struct {
    uint64_t v;
} __attribute__((packed, may_alias)) oryx__u64;

#if defined(__x86_64__)
#    include <emmintrin.h>

/* An aligned SSE move is one access on every x86-64 host with AVX, and two at most elsewhere, where
 * the compare of an exclusive store still notices a torn read. */
ORYX__GUEST_MEMORY static inline oryx_v128 oryx__load16(const void *p)
{
    oryx_v128 v;
    _mm_storeu_si128((__m128i *)(void *)&v, *(const volatile __m128i *)p);
    return v;
}

ORYX__GUEST_MEMORY static inline void oryx__store16(void *p, oryx_v128 v)
{
    *(volatile __m128i *)p = _mm_loadu_si128((const __m128i *)(const void *)&v);
}

static inline int oryx__cas16(void *p, oryx_v128 *old, oryx_v128 to)
{
    uint8_t ok;
    __asm__ __volatile__("lock cmpxchg16b %1\n\tsete %0"
                         : "=q"(ok), "+m"(*(volatile char(*)[16])p), "+a"(old->lo), "+d"(old->hi)
                         : "b"(to.lo), "c"(to.hi)
                         : "cc", "memory");
    return ok;
}
#    define ORYX__UNALIGNED_ATOMICS 1
#    define ORYX__HAS_CAS16         1
#else
static inline oryx_v128 oryx__load16(const void *p)
{
    oryx_v128 v;
    memcpy(&v, p, 16);
    return v;
}

static inline void oryx__store16(void *p, oryx_v128 v)
{
    memcpy(p, &v, 16);
}

static inline int oryx__cas16(void *p, oryx_v128 *old, oryx_v128 to)
{
    (void)p;
    (void)old;
    (void)to;
    return 0;
}
#    define ORYX__UNALIGNED_ATOMICS 0
#    define ORYX__HAS_CAS16         0
#endif

/* n = 1, 2, 4 or 8 bytes as a number in the host's order. */
ORYX__GUEST_MEMORY static inline uint64_t oryx__load8(const uint8_t *host, uint32_t n)
{
    switch (n) {
    case 1:
        return *(const volatile uint8_t *)host;
    case 2:
        return ((const volatile oryx__u16 *)host)->v;
    case 4:
        return ((const volatile oryx__u32 *)host)->v;
    default:
        return ((const volatile oryx__u64 *)host)->v;
    }
}

ORYX__GUEST_MEMORY static inline void oryx__store8(uint8_t *host, uint32_t n, uint64_t v)
{
    switch (n) {
    case 1:
        *(volatile uint8_t *)host = (uint8_t)v;
        break;
    case 2:
        ((volatile oryx__u16 *)host)->v = (uint16_t)v;
        break;
    case 4:
        ((volatile oryx__u32 *)host)->v = (uint32_t)v;
        break;
    default:
        ((volatile oryx__u64 *)host)->v = v;
        break;
    }
}

/* An access of 1 to 16 bytes to bulk memory. */
static inline oryx_v128 oryx__bulk_load(const uint8_t *host, uint32_t n)
{
    if (n < 16)
        return (oryx_v128){oryx__load8(host, n), 0};
    if (!((uintptr_t)host & 15))
        return oryx__load16(host);
    return (oryx_v128){oryx__load8(host, 8), oryx__load8(host + 8, 8)};
}

static inline void oryx__bulk_store(uint8_t *host, uint32_t n, oryx_v128 v)
{
    if (n < 16) {
        oryx__store8(host, n, v.lo);
    } else if (!((uintptr_t)host & 15)) {
        oryx__store16(host, v);
    } else {
        oryx__store8(host, 8, v.lo);
        oryx__store8(host + 8, 8, v.hi);
    }
}

/* Can oryx__cas_host do this one? A locked instruction across a cache line works on x86 but stops
 * the bus, and some kernels refuse it: those go by the split lock like accesses across pages. */
static inline int oryx__cas_host_ok(const void *p, uint32_t size)
{
    uintptr_t at = (uintptr_t)p;
    if (size == 16)
        return ORYX__HAS_CAS16 && !(at & 15);
    return !(at & (size - 1)) || (ORYX__UNALIGNED_ATOMICS && (at & 63) + size <= 64);
}

/* *p == *old ? (*p = to, 1) : (*old = *p, 0), sequentially consistent. */
__attribute__((no_sanitize("alignment"))) static inline int
oryx__cas_host(void *p, uint32_t size, oryx_v128 *old, oryx_v128 to)
{
    uint8_t o8 = (uint8_t)old->lo;
    uint16_t o16 = (uint16_t)old->lo;
    uint32_t o32 = (uint32_t)old->lo;
    int ok;
    switch (size) {
    case 1:
        ok = __atomic_compare_exchange_n((uint8_t *)p, &o8, (uint8_t)to.lo, 0, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST);
        old->lo = o8;
        return ok;
    case 2:
        ok = __atomic_compare_exchange_n((uint16_t *)p, &o16, (uint16_t)to.lo, 0, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST);
        old->lo = o16;
        return ok;
    case 4:
        ok = __atomic_compare_exchange_n((uint32_t *)p, &o32, (uint32_t)to.lo, 0, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST);
        old->lo = o32;
        return ok;
    case 8:
        return __atomic_compare_exchange_n((uint64_t *)p, &old->lo, to.lo, 0, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    default:
        return oryx__cas16(p, old, to);
    }
}

/* What ORYX_RMW_* op makes of a number of 1 to 8 bytes and its operand; the bits above are undefined. */
static inline uint64_t oryx__combine(uint32_t op, uint64_t old, uint64_t x, uint32_t size)
{
    unsigned shift = 64 - 8 * size;
    int64_t so = (int64_t)(old << shift) >> shift, sx = (int64_t)(x << shift) >> shift;
    switch (op) {
    case ORYX_RMW_ADD:
        return old + x;
    case ORYX_RMW_AND:
        return old & x;
    case ORYX_RMW_ANDN:
        return old & ~x;
    case ORYX_RMW_OR:
        return old | x;
    case ORYX_RMW_XOR:
        return old ^ x;
    case ORYX_RMW_MINS:
        return so < sx ? old : x;
    case ORYX_RMW_MAXS:
        return so > sx ? old : x;
    case ORYX_RMW_MINU:
        return old < x ? old : x;
    case ORYX_RMW_MAXU:
        return old > x ? old : x;
    default:
        return x; /* SWAP */
    }
}

#endif
