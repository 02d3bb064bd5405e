/* The system control space by its words: DDI 0403E.e, B3.2 to B3.5; DDI 0419, B3 for Armv6-M; DDI 0553B, D1 for Armv8-M.
 *
 * Called by nvic.c for every access. What a CPU without the main extension lacks reads as zero and ignores writes. Invariant:
 * after a write the CPU looks again. */
#include "nvic.h"

#define MAIN(d) ((d)->scs.features & ORYX_SCS_MAIN)
#define FP(d) ((d)->scs.features & ORYX_SCS_FP)

static uint32_t ones(uint32_t first, uint32_t n)
{
    return n ? (n < 32 ? (1u << n) - 1 : UINT32_MAX) << first : 0;
}

/* --- Interrupt registers: word w has interrupts 32 w and up, exceptions 16 later -------------------------------------- */

static uint32_t word_of(const uint32_t *set, uint32_t w)
{
    uint32_t low = __atomic_load_n(&set[w], __ATOMIC_SEQ_CST) >> 16;
    return low | (w + 1 < ORYX_SCS_WORDS ? __atomic_load_n(&set[w + 1], __ATOMIC_SEQ_CST) << 16 : 0);
}

static void each(nvic *d, uint32_t w, uint32_t bits, uint32_t *set, uint32_t on)
{
    for (; bits; bits &= bits - 1) {
        uint32_t n = 16 + 32 * w + (uint32_t)__builtin_ctz(bits);
        if (n >= d->scs.n_exceptions)
            break;
        /* A level that is there cannot be cleared: it pends again, DDI 0403, B3.4.1. */
        oryx_scs_put(set, n, on || (set == d->scs.pending && oryx_scs_get(d->scs.line, n) && !oryx_scs_get(d->scs.active, n)));
    }
}

static uint32_t priorities(const nvic *d, uint32_t first)
{
    uint32_t v = 0;
    for (uint32_t k = 0; k < 4; k++)
        v |= first + k < d->scs.n_exceptions ? (uint32_t)d->scs.priority[first + k] << 8 * k : 0;
    return v;
}

static void set_priorities(nvic *d, uint32_t first, uint32_t mask, uint32_t v)
{
    for (uint32_t k = 0; k < 4; k++)
        if (mask >> 8 * k & 0xff && first + k < d->scs.n_exceptions)
            d->scs.priority[first + k] = (uint8_t)(v >> 8 * k & d->scs.priority_mask);
}

/* --- System control block ------------------------------------------------------------------------------------------------- */

static uint32_t icsr(const nvic *d)
{
    const oryx_scs *s = &d->scs;
    uint32_t best = oryx_scs_best(s), external = 0;
    for (uint32_t w = 0; w < ORYX_SCS_WORDS; w++)
        external |= word_of(s->pending, w);
    return s->current | (oryx_scs_active_count(s) <= 1 && s->current && MAIN(d) ? 1u << 11 : 0) | best << 12 | (external ? 1u << 22 : 0) |
           oryx_scs_get(s->pending, 15) << 26 | oryx_scs_get(s->pending, 14) << 28 | oryx_scs_get(s->pending, 2) << 31;
}

static void set_icsr(nvic *d, uint32_t v)
{
    if (v >> 31)
        oryx_scs_put(d->scs.pending, 2, 1);
    if (v & 3u << 27)
        oryx_scs_put(d->scs.pending, 14, v >> 28 & 1);
    if (v & 3u << 25)
        oryx_scs_put(d->scs.pending, 15, v >> 26 & 1);
}

static void set_aircr(nvic *d, uint32_t v)
{
    if (v >> 16 != 0x05fa)
        return;
    if (MAIN(d))
        d->scs.aircr = v & 0x700;
    if (v & 4 || (v & 1 && d->scs.arch == 7)) {
        /* The rest of the machine hears line 0; the CPU and this space start over. */
        nvic_clear(d);
        d->scs.reset_request = 1;
        if (v & 4) {
            d->host->device_set_irq(d->dev, 0, 1);
            d->host->device_set_irq(d->dev, 0, 0);
        }
    }
    if (v & 2 && MAIN(d)) /* VECTCLRACTIVE is a debugger's */
        (void)0;
}

/* Bit of SHCSR, and the exception it shows active (a) or pending (p). */
static const struct {
    uint8_t bit, n, pending;
} shcsr_rows[] = { { 0, 4, 0 }, { 1, 5, 0 }, { 3, 6, 0 }, { 7, 11, 0 }, { 8, 12, 0 }, { 10, 14, 0 }, { 11, 15, 0 },
                   { 12, 6, 1 }, { 13, 4, 1 }, { 14, 5, 1 }, { 15, 11, 1 } };
#define SHCSR_ROWS (sizeof shcsr_rows / sizeof shcsr_rows[0])

static uint32_t shcsr(const nvic *d)
{
    uint32_t v = (d->scs.enabled[0] >> 4 & 7) << 16;
    for (size_t i = 0; i < SHCSR_ROWS; i++)
        v |= oryx_scs_get(shcsr_rows[i].pending ? d->scs.pending : d->scs.active, shcsr_rows[i].n) << shcsr_rows[i].bit;
    return MAIN(d) ? v : v & 0x8000;
}

static void set_shcsr(nvic *d, uint32_t v)
{
    oryx_scs_put(d->scs.pending, 11, v >> 15 & 1);
    if (!MAIN(d))
        return;
    for (uint32_t n = 4; n <= 6; n++)
        oryx_scs_put(d->scs.enabled, n, v >> (n + 12) & 1);
    for (size_t i = 0; i < SHCSR_ROWS; i++)
        oryx_scs_put(shcsr_rows[i].pending ? d->scs.pending : d->scs.active, shcsr_rows[i].n, v >> shcsr_rows[i].bit & 1);
}

/* --- MPU ------------------------------------------------------------------------------------------------------------------- */

/* The region that an offset from 0xD9C is about: aliases are the three that follow. */
static uint32_t region_at(const nvic *d, uint32_t offset)
{
    uint32_t alias = (offset - 0xd9c) / 8, rnr = d->scs.mpu_rnr;
    return (d->scs.arch == 8 ? (alias ? (rnr & ~3u) + alias : rnr) : rnr);
}

static uint32_t mpu_read(const nvic *d, uint32_t offset)
{
    const oryx_scs *s = &d->scs;
    uint32_t r = offset >= 0xd9c ? region_at(d, offset) & 15 : 0;
    if (!s->n_regions && offset != 0xd90)
        return 0;
    switch (offset) {
    case 0xd90: return s->n_regions << 8;
    case 0xd94: return s->mpu_ctrl;
    case 0xd98: return s->mpu_rnr;
    case 0xdc0:
    case 0xdc4: return s->arch == 8 ? s->mpu_mair[(offset - 0xdc0) / 4] : 0;
    default:
        if (offset & 4) /* 0xd9c, 0xda4...: the base */
            return s->arch == 8 ? s->mpu_rbar[r] : s->mpu_rbar[r] | r;
        return s->mpu_rasr[r];
    }
}

static void mpu_write(nvic *d, uint32_t offset, uint32_t v)
{
    oryx_scs *s = &d->scs;
    uint32_t v8 = s->arch == 8;
    if (!s->n_regions || offset == 0xd90)
        return;
    if (offset == 0xd94) {
        s->mpu_ctrl = v & 7;
    } else if (offset == 0xd98) {
        s->mpu_rnr = v & 0xff;
    } else if (offset >= 0xdc0) {
        if (v8)
            s->mpu_mair[(offset - 0xdc0) / 4] = v;
    } else if (offset & 4) {
        if (!v8 && v & 16)
            s->mpu_rnr = v & 15;
        uint32_t r = region_at(d, offset);
        if (r < s->n_regions)
            s->mpu_rbar[r] = v8 ? v : v & ~(s->arch == 6 ? 0xffu : 31u);
    } else {
        uint32_t r = region_at(d, offset - 4);
        if (r < s->n_regions)
            s->mpu_rasr[r] = v8 ? v & ~16u : v & 0x173fff3f;
    }
    nvic_flush(d);
}

/* --- All ------------------------------------------------------------------------------------------------------------------- */

static uint32_t scb_read(const nvic *d, uint32_t offset)
{
    const oryx_scs *s = &d->scs;
    uint32_t main = MAIN(d);
    switch (offset) {
    case 0xd00: return s->cpuid;
    case 0xd04: return icsr(d);
    case 0xd08: return s->vtor;
    case 0xd0c: return 0xfa050000 | s->aircr;
    case 0xd10: return s->scr;
    case 0xd14: return s->ccr;
    case 0xd18: return main ? priorities(d, 4) : 0;
    case 0xd1c: return main ? priorities(d, 8) : priorities(d, 8) & 0xff000000;
    case 0xd20: return priorities(d, 12);
    case 0xd24: return shcsr(d);
    case 0xd28: return main ? s->cfsr : 0;
    case 0xd2c: return main ? s->hfsr : 0;
    case 0xd30: return main ? s->dfsr : 0;
    case 0xd34: return main ? s->mmfar : 0;
    case 0xd38: return main ? s->bfar : 0;
    case 0xd88: return s->cpacr;
    case 0xdf0: return s->lockup << 19;
    case 0xdfc: return s->demcr;
    case 0xf34: return s->fpccr;
    case 0xf38: return s->fpcar;
    case 0xf3c: return s->fpdscr;
    case 0xf40:
    case 0xf44:
    case 0xf48: return s->mvfr[(offset - 0xf40) / 4];
    default:
        if (offset >= 0xd40 && offset <= 0xd80)
            return main ? s->id[(offset - 0xd40) / 4] : 0;
        return offset >= 0xd90 && offset <= 0xdc4 ? mpu_read(d, offset) : 0;
    }
}

/* Clears the bits of v that mask lets through. */
static void write_1_clears(uint32_t *reg, uint32_t mask, uint32_t v)
{
    *reg &= ~(v & mask);
}

static void scb_write(nvic *d, uint32_t offset, uint32_t mask, uint32_t v)
{
    oryx_scs *s = &d->scs;
    uint32_t main = MAIN(d);
    switch (offset) {
    case 0xd04: set_icsr(d, v); break;
    case 0xd08: s->vtor = s->features & ORYX_SCS_VTOR ? v & (main ? ~0x7fu : ~0xffu) : 0; break;
    case 0xd0c: set_aircr(d, v); break;
    case 0xd10: s->scr = v & 0x16; break;
    case 0xd14: s->ccr = !main ? s->ccr : s->arch == 8 ? (v & 0x51a) | 0x201 : v & 0x31b; break;
    case 0xd18:
        if (main)
            set_priorities(d, 4, mask, v & 0x00ffffff);
        break;
    case 0xd1c: set_priorities(d, 8, mask & 0xff000000, v); break;
    case 0xd20: set_priorities(d, 12, mask & (main ? 0xffff00ff : 0xffff0000), v); break;
    case 0xd24: set_shcsr(d, v); break;
    case 0xd28: write_1_clears(&s->cfsr, mask, v); break;
    case 0xd2c: write_1_clears(&s->hfsr, mask, v); break;
    case 0xd30: write_1_clears(&s->dfsr, mask, v); break;
    case 0xd34: s->mmfar = main ? v : 0; break;
    case 0xd38: s->bfar = main ? v : 0; break;
    case 0xd88: s->cpacr = FP(d) ? v & 0x00f00000 : 0; break;
    case 0xdfc:
        s->demcr = main ? v & 0x010f0000 : 0;
        oryx_scs_put(s->enabled, 12, s->demcr >> 16 & 1);
        if (main && v & 1u << 17)
            oryx_scs_put(s->pending, 12, 1);
        s->demcr &= ~(1u << 17);
        break;
    case 0xf00:
        if ((v & 0x1ff) + 16 < s->n_exceptions)
            nvic_pend(d, 16 + (v & 0x1ff), 1);
        break;
    case 0xf34: s->fpccr = FP(d) ? v & 0xc000017b : 0; break;
    case 0xf38: s->fpcar = FP(d) ? v & ~7u : 0; break;
    case 0xf3c: s->fpdscr = FP(d) ? v & 0x07c00000 : 0; break;
    default:
        if (offset >= 0xd90 && offset <= 0xdc4)
            mpu_write(d, offset, v);
    }
}

uint32_t nvic_read(nvic *d, uint32_t offset, uint32_t peek)
{
    oryx_scs *s = &d->scs;
    if (offset == 4) /* ICTR */
        return MAIN(d) ? (s->n_exceptions - 16 + 31) / 32 - (s->n_exceptions > 16) : 0;
    if (offset == 8)
        return 0;
    if (offset >= 0x10 && offset < 0x20)
        return systick_read(d, offset, peek);
    if (offset >= 0x100 && offset < 0x400) {
        uint32_t *sets[] = { s->enabled, s->enabled, s->pending, s->pending, s->active, NULL };
        uint32_t *set = sets[(offset - 0x100) / 0x80], w = (offset & 0x7f) / 4;
        uint32_t left = s->n_exceptions > 16 + 32 * w ? s->n_exceptions - 16 - 32 * w : 0;
        if (!peek)
            systick_catch_up(d);
        return set && w < ORYX_SCS_WORDS && (set != s->active || MAIN(d)) ? word_of(set, w) & ones(0, left) : 0;
    }
    if (offset >= 0x400 && offset < 0x600)
        return 16 + offset - 0x400 < s->n_exceptions ? priorities(d, 16 + offset - 0x400) : 0;
    return scb_read(d, offset);
}

void nvic_write(nvic *d, uint32_t offset, uint32_t mask, uint32_t v)
{
    oryx_scs *s = &d->scs;
    if (offset >= 0x10 && offset < 0x20) {
        systick_write(d, offset, v);
    } else if (offset >= 0x100 && offset < 0x300) {
        uint32_t kind = (offset - 0x100) / 0x80, w = (offset & 0x7f) / 4;
        if (w < ORYX_SCS_WORDS)
            each(d, w, v, kind < 2 ? s->enabled : s->pending, !(kind & 1));
    } else if (offset >= 0x400 && offset < 0x600) {
        set_priorities(d, 16 + offset - 0x400, mask, v);
    } else {
        scb_write(d, offset, mask, v);
    }
    nvic_kick(d);
}
