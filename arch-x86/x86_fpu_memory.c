/* Images of the x87, MMX and SSE state in memory: FNSTENV, FNSAVE, FXSAVE, XSAVE and their counterparts (SDM 1 8.1.10, 10.5,
 * 13). Called by helpers of x86_x87.c; an image is read whole before any of it takes effect. CS and DS selectors of the last
 * instruction are stored as zero (CPUID says so: SDM 1 8.1.8). */
#include <string.h>

#include "x86_fpu.h"

typedef struct legacy { /* the FXSAVE image */
    uint16_t cw, sw;
    uint8_t tag, reserved;
    uint16_t op;
    uint64_t ip, dp;
    uint32_t mxcsr, mxcsr_mask;
    oryx_v128 st[8];
    oryx_v128 xmm[16];
    uint8_t rest[96];
} legacy;
_Static_assert(sizeof(legacy) == 512, "FXSAVE image");

#define MXCSR_MASK 0xffffu
enum { AVX_AT = 576 };
enum { X87 = 1, SSE = 2, AVX = 4 };

static void protection(oryx_cpu *cpu)
{
    cpu->exc = (oryx_exc){.hdr = ORYX_HDR(oryx_exc),
                          .kind = ORYX_EXC_PRIVILEGED,
                          .syndrome = X86_VEC_GP | X86_ERROR_CODE(0),
                          .phys = ~(uint64_t)0};
}

/* n bytes; false: a fault, which is in cpu->exc. */
static bool put(oryx_cpu *cpu, uint64_t at, const void *from, unsigned n)
{
    for (unsigned i = 0, k; i < n; i += k) {
        oryx_v128 v = {0, 0};
        uint32_t log2 = n - i >= 16 ? 4 : n - i >= 8 ? 3 : n - i >= 4 ? 2 : n - i >= 2 ? 1 : 0;
        k = 1u << log2;
        memcpy(&v, (const uint8_t *)from + i, k);
        if (cpu->fn->store(cpu, at + i, log2, &v))
            return false;
    }
    return true;
}

static bool take(oryx_cpu *cpu, uint64_t at, void *to, unsigned n)
{
    for (unsigned i = 0, k; i < n; i += k) {
        oryx_v128 v;
        uint32_t log2 = n - i >= 16 ? 4 : n - i >= 8 ? 3 : n - i >= 4 ? 2 : n - i >= 2 ? 1 : 0;
        k = 1u << log2;
        if (cpu->fn->load(cpu, at + i, log2, &v))
            return false;
        memcpy((uint8_t *)to + i, &v, k);
    }
    return true;
}

/* --- environment ----------------------------------------------------------------------------------------------------------------- */

void x86_fpu_init(oryx_cpu *cpu)
{
    x86_fpu *f = &x86_state_of(cpu)->fpu;
    x86_fpu_save(cpu);
    f->cw = 0x37f;
    f->sw = f->tag = 0;
    f->last = f->data = 0;
}

uint8_t x86_fpu_tag(const x86_fpu *f, unsigned i)
{
    uint64_t m = f->r[i].lo, e = f->r[i].hi & 0x7fff;
    if (!(f->tag >> i & 1))
        return 3;
    return e == 0 && m == 0 ? 1 : e == 0 || e == 0x7fff || !(m >> 63) ? 2 : 0;
}

/* Summary bits follow from flags and masks. */
void x86_fpu_status(x86_fpu *f, uint16_t sw)
{
    f->sw = (uint16_t)((sw & 0x7f7f) | (sw & ~f->cw & 0x3f ? 0x8080 : 0));
}

static unsigned environment_size(bool small)
{
    return small ? 14 : 28;
}

static void put_environment(const x86_fpu *f, uint8_t out[28], bool small)
{
    uint16_t tags = 0;
    for (unsigned i = 0; i < 8; i++)
        tags |= (uint16_t)(x86_fpu_tag(f, i) << (2 * i));
    if (small) {
        uint16_t e[7] = {f->cw, f->sw, tags, (uint16_t)f->last, 0, (uint16_t)f->data, 0};
        memcpy(out, e, sizeof e);
    } else {
        uint32_t e[7] = {f->cw | 0xffff0000,
                         f->sw | 0xffff0000,
                         tags | 0xffff0000,
                         (uint32_t)f->last,
                         (uint32_t)(f->last >> 48 & 0x7ff) << 16,
                         (uint32_t)f->data,
                         0xffff0000};
        memcpy(out, e, sizeof e);
    }
}

static void take_environment(x86_fpu *f, const uint8_t in[28], bool small)
{
    uint32_t e[7];
    for (unsigned i = 0; i < 7; i++)
        if (small) {
            uint16_t v;
            memcpy(&v, in + 2 * i, 2);
            e[i] = v;
        } else {
            memcpy(&e[i], in + 4 * i, 4);
        }
    f->cw = (uint16_t)((e[0] & 0x1f3f) | 0x40);
    x86_fpu_status(f, (uint16_t)e[1]);
    f->tag = 0;
    for (unsigned i = 0; i < 8; i++)
        if ((e[2] >> (2 * i) & 3) != 3)
            f->tag |= (uint16_t)(1u << i);
    f->last = e[3] | (small ? 0 : (uint64_t)(e[4] >> 16 & 0x7ff) << 48);
    f->data = e[5];
}

/* What: bit 0 16-bit layout, bit 1 the registers too. */
void x86_fnstenv(oryx_cpu *cpu, uint64_t at, uint32_t what)
{
    x86_fpu *f = &x86_state_of(cpu)->fpu;
    uint8_t image[108];
    unsigned n = environment_size(what & 1);
    x86_fpu_save(cpu);
    put_environment(f, image, what & 1);
    if (what & 2)
        for (unsigned i = 0; i < 8; i++, n += 10)
            memcpy(image + n, &f->r[((f->sw >> 11) + i) & 7], 10);
    if (!put(cpu, at, image, n))
        return;
    if (what & 2) {
        x86_fpu_init(cpu);
    } else {
        f->cw |= 0x3f;
        x86_fpu_status(f, f->sw);
    }
}

void x86_fldenv(oryx_cpu *cpu, uint64_t at, uint32_t what)
{
    x86_fpu *f = &x86_state_of(cpu)->fpu;
    uint8_t image[108];
    unsigned n = environment_size(what & 1);
    if (!take(cpu, at, image, n + (what & 2 ? 80 : 0)))
        return;
    x86_fpu_save(cpu);
    take_environment(f, image, what & 1);
    if (what & 2)
        for (unsigned i = 0; i < 8; i++, n += 10) {
            oryx_v128 v = {0, 0};
            memcpy(&v, image + n, 10);
            f->r[((f->sw >> 11) + i) & 7] = v;
        }
}

/* --- FXSAVE ------------------------------------------------------------------------------------------------------------------------- */

static uint64_t sign48(uint64_t v)
{
    return (uint64_t)((int64_t)(v << 16) >> 16);
}

/* wide: 64-bit pointers. */
static void put_x87(const x86_fpu *f, legacy *m, bool wide)
{
    m->cw = f->cw;
    m->sw = f->sw;
    m->tag = (uint8_t)f->tag;
    m->op = f->last >> 48 & 0x7ff;
    m->ip = wide ? sign48(f->last) : (uint32_t)f->last;
    m->dp = wide ? f->data : (uint32_t)f->data;
    for (unsigned i = 0; i < 8; i++)
        m->st[i] = f->r[((f->sw >> 11) + i) & 7];
}

static void take_x87(x86_fpu *f, const legacy *m, bool wide)
{
    f->cw = (uint16_t)((m->cw & 0x1f3f) | 0x40);
    x86_fpu_status(f, m->sw);
    f->tag = m->tag;
    f->last = (wide ? m->ip & 0xffffffffffffu : (uint32_t)m->ip) | (uint64_t)(m->op & 0x7ff) << 48;
    f->data = wide ? m->dp : (uint32_t)m->dp;
    for (unsigned i = 0; i < 8; i++)
        f->r[((f->sw >> 11) + i) & 7] = (oryx_v128){m->st[i].lo, m->st[i].hi & 0xffff};
}

static unsigned xmm_count(const x86_state *s)
{
    return s->mode == 2 ? 16 : 8;
}

static void put_xmm(const x86_state *s, legacy *m)
{
    for (unsigned i = 0; i < xmm_count(s); i++)
        m->xmm[i] = s->x[2 * i];
}

static void take_xmm(x86_state *s, const legacy *m)
{
    for (unsigned i = 0; i < xmm_count(s); i++)
        s->x[2 * i] = m->xmm[i];
}

void x86_fxsave(oryx_cpu *cpu, uint64_t at, uint32_t wide)
{
    x86_state *s = x86_state_of(cpu);
    legacy m;
    if (at & 15) {
        protection(cpu);
        return;
    }
    memset(&m, 0, sizeof m);
    x86_fpu_save(cpu);
    put_x87(&s->fpu, &m, wide);
    put_xmm(s, &m);
    m.mxcsr = x86_stmxcsr(cpu, cpu->fp.flags);
    m.mxcsr_mask = MXCSR_MASK;
    put(cpu, at, &m, (unsigned)offsetof(legacy, xmm) + 16 * xmm_count(s));
}

void x86_fxrstor(oryx_cpu *cpu, uint64_t at, uint32_t wide)
{
    x86_state *s = x86_state_of(cpu);
    legacy m;
    if (at & 15) {
        protection(cpu);
        return;
    }
    if (!take(cpu, at, &m, sizeof m))
        return;
    if (m.mxcsr & ~MXCSR_MASK) {
        protection(cpu);
        return;
    }
    x86_fpu_save(cpu);
    take_x87(&s->fpu, &m, wide);
    take_xmm(s, &m);
    x86_ldmxcsr(cpu, m.mxcsr);
}

/* --- XSAVE -------------------------------------------------------------------------------------------------------------------------- */

static uint64_t in_use(oryx_cpu *cpu)
{
    const x86_state *s = x86_state_of(cpu);
    const x86_fpu *f = &s->fpu;
    uint64_t any = f->cw ^ 0x37fu;
    any |= f->sw | f->tag | f->last | f->data;
    for (unsigned i = 0; i < 8; i++)
        any |= f->r[i].lo | f->r[i].hi;
    uint64_t v = any ? X87 : 0;
    for (unsigned i = 0; i < xmm_count(s); i++) {
        v |= s->x[2 * i].lo | s->x[2 * i].hi ? SSE : 0;
        v |= s->x[2 * i + 1].lo | s->x[2 * i + 1].hi ? AVX : 0;
    }
    return v;
}

uint64_t x86_xgetbv(oryx_cpu *cpu, uint32_t n)
{
    uint64_t v = x86_state_of(cpu)->xcr0;
    if (!n)
        return v;
    x86_fpu_save(cpu);
    return v & (in_use(cpu) | (x86_stmxcsr(cpu, cpu->fp.flags) == 0x1f80 ? 0 : SSE));
}

/* how: bit 0 REX.W, bit 1 XSAVEOPT, bit 2 XSAVEC. */
void x86_xsave(oryx_cpu *cpu, uint64_t at, uint64_t mask, uint32_t how)
{
    x86_state *s = x86_state_of(cpu);
    legacy m;
    uint64_t header[2] = {0, 0};
    mask &= s->xcr0;
    if (at & 63) {
        protection(cpu);
        return;
    }
    x86_fpu_save(cpu);
    uint64_t used = in_use(cpu), write = how & 6 ? mask & used : mask;
    uint32_t mxcsr = x86_stmxcsr(cpu, cpu->fp.flags);
    if (how & 4 && mxcsr != 0x1f80)
        used |= SSE, write |= mask & SSE;
    memset(&m, 0, sizeof m);
    put_x87(&s->fpu, &m, how & 1);
    put_xmm(s, &m);
    if (write & X87 && (!put(cpu, at, &m, 24) || !put(cpu, at + 32, m.st, sizeof m.st)))
        return;
    if (how & 4 ? write & SSE : mask & (SSE | AVX)) {
        const uint32_t v[2] = {mxcsr, MXCSR_MASK};
        if (!put(cpu, at + 24, v, 8))
            return;
    }
    if (write & SSE && !put(cpu, at + 160, m.xmm, 16 * xmm_count(s)))
        return;
    if (write & AVX)
        for (unsigned i = 0; i < xmm_count(s); i++)
            if (!put(cpu, at + AVX_AT + 16 * i, &s->x[2 * i + 1], 16))
                return;
    if (how & 4) {
        header[0] = mask & used;
        header[1] = mask | (uint64_t)1 << 63;
        put(cpu, at + 512, header, 16);
        return;
    }
    if (!take(cpu, at + 512, header, 8))
        return;
    header[0] = (header[0] & ~mask) | (mask & used);
    put(cpu, at + 512, header, 8);
}

/* how: bit 0 REX.W. */
void x86_xrstor(oryx_cpu *cpu, uint64_t at, uint64_t mask, uint32_t how)
{
    x86_state *s = x86_state_of(cpu);
    legacy m;
    uint64_t header[8];
    oryx_v128 high[16];
    mask &= s->xcr0;
    if (at & 63) {
        protection(cpu);
        return;
    }
    if (!take(cpu, at + 512, header, sizeof header))
        return;
    bool compact = header[1] >> 63, bad;
    if (compact)
        bad = (header[1] & ~((uint64_t)1 << 63) & ~s->xcr0) || (header[0] & ~header[1]) || header[2] || header[3] || header[4] ||
              header[5] || header[6] || header[7];
    else
        bad = (header[0] & ~s->xcr0) || header[1] || header[2];
    if (bad) {
        protection(cpu);
        return;
    }
    uint64_t load = mask & header[0];
    memset(&m, 0, sizeof m);
    m.cw = 0x37f;
    m.mxcsr = 0x1f80;
    memset(high, 0, sizeof high);
    if (load & X87 && (!take(cpu, at, &m, 24) || !take(cpu, at + 32, m.st, sizeof m.st)))
        return;
    bool mxcsr = compact ? mask & SSE : mask & (SSE | AVX);
    if (mxcsr && (!compact || load & SSE) && !take(cpu, at + 24, &m.mxcsr, 4))
        return;
    if (load & SSE && !take(cpu, at + 160, m.xmm, 16 * xmm_count(s)))
        return;
    if (load & AVX && !take(cpu, at + AVX_AT, high, 16 * xmm_count(s)))
        return;
    if (mxcsr && m.mxcsr & ~MXCSR_MASK) {
        protection(cpu);
        return;
    }
    if (mask & X87) {
        x86_fpu_save(cpu);
        take_x87(&s->fpu, &m, how & 1);
    }
    if (mask & SSE)
        take_xmm(s, &m);
    if (mxcsr)
        x86_ldmxcsr(cpu, m.mxcsr);
    if (mask & AVX)
        for (unsigned i = 0; i < xmm_count(s); i++)
            s->x[2 * i + 1] = high[i];
}
