/* Host atomics of 1 to 16 bytes on memory whose type the compiler does not know. Private to access.c. */
#ifndef ORYX_ATOMIC128_H
#define ORYX_ATOMIC128_H

#include <string.h>

#include "oryx_types.h"

#if defined(__x86_64__)
#include <emmintrin.h>

/* An aligned SSE move is one access on every x86-64 host with AVX, and two at most elsewhere, where the compare of an
 * exclusive store still notices a torn read. */
__attribute__((no_sanitize("thread"))) static inline oryx_v128 oryx__load16(const void *p)
{
    oryx_v128 v;
    _mm_storeu_si128((__m128i *)(void *)&v, *(const volatile __m128i *)p);
    return v;
}

__attribute__((no_sanitize("thread"))) static inline void oryx__store16(void *p, oryx_v128 v)
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
#define ORYX__UNALIGNED_ATOMICS 1
#define ORYX__HAS_CAS16 1
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
#define ORYX__UNALIGNED_ATOMICS 0
#define ORYX__HAS_CAS16 0
#endif

/* Can oryx__cas_host do this one? A locked instruction across a cache line works on x86 but stops the bus, and some kernels
 * refuse it: those go by the split lock like accesses across pages. */
static inline int oryx__cas_host_ok(const void *p, uint32_t size)
{
    uintptr_t at = (uintptr_t)p;
    if (size == 16)
        return ORYX__HAS_CAS16 && !(at & 15);
    return !(at & (size - 1)) || (ORYX__UNALIGNED_ATOMICS && (at & 63) + size <= 64);
}

/* *p == *old ? (*p = to, 1) : (*old = *p, 0), sequentially consistent. */
__attribute__((no_sanitize("alignment"))) static inline int oryx__cas_host(void *p, uint32_t size, oryx_v128 *old,
                                                                           oryx_v128 to)
{
    uint8_t o8 = (uint8_t)old->lo;
    uint16_t o16 = (uint16_t)old->lo;
    uint32_t o32 = (uint32_t)old->lo;
    int ok;
    switch (size) {
    case 1:
        ok = __atomic_compare_exchange_n((uint8_t *)p, &o8, (uint8_t)to.lo, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        old->lo = o8;
        return ok;
    case 2:
        ok = __atomic_compare_exchange_n((uint16_t *)p, &o16, (uint16_t)to.lo, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        old->lo = o16;
        return ok;
    case 4:
        ok = __atomic_compare_exchange_n((uint32_t *)p, &o32, (uint32_t)to.lo, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        old->lo = o32;
        return ok;
    case 8:
        return __atomic_compare_exchange_n((uint64_t *)p, &old->lo, to.lo, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    default:
        return oryx__cas16(p, old, to);
    }
}

#endif
