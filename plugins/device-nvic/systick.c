/* SysTick: DDI 0403E.e, B3.3. A 24-bit counter that goes down and starts over, on virtual time.
 *
 * Called by nvic.c and registers.c. Invariant: the alarm stands at the next tick at which the counter becomes 0, while it is
 * enabled and ever will. */
#include "nvic.h"

enum { ENABLE = 1, TICKINT = 2, CLKSOURCE = 4, COUNTFLAG = 1u << 16 };

#define SECOND 1000000000u

static uint64_t hz_of(const systick *t)
{
    return t->csr & CLKSOURCE || !t->ref_hz ? t->hz : t->ref_hz;
}

uint64_t systick_now(const nvic *d)
{
    return (uint64_t)((unsigned __int128)d->host->machine_vtime(d->machine) * hz_of(&d->tick) / SECOND);
}

uint32_t systick_value(const systick *t, uint64_t now)
{
    uint64_t n = now - t->from;
    if (!(t->csr & ENABLE) || !n)
        return t->start;
    if (n <= t->start)
        return (uint32_t)(t->start - n);
    if (!t->reload)
        return 0;
    return (uint32_t)(t->reload - (n - t->start - 1) % (t->reload + 1ull));
}

/* The first tick after `after` at which the counter comes to 0 from 1; ~0: never. */
static uint64_t next_zero(const systick *t, uint64_t after)
{
    uint64_t first = t->start ? t->from + t->start : t->from + t->reload + 1ull;
    if (!t->start && !t->reload)
        return UINT64_MAX;
    if (after < first)
        return first;
    if (!t->reload)
        return UINT64_MAX;
    uint64_t period = t->reload + 1ull;
    return first + ((after - first) / period + 1) * period;
}

void systick_catch_up(nvic *d)
{
    systick *t = &d->tick;
    uint64_t now = systick_now(d);
    if (t->csr & ENABLE && next_zero(t, t->seen) <= now) {
        t->csr |= COUNTFLAG;
        if (t->csr & TICKINT)
            nvic_pend(d, 15, 1);
    }
    t->seen = now;
}

void systick_arm(nvic *d)
{
    const systick *t = &d->tick;
    uint64_t zero = t->csr & ENABLE && t->csr & TICKINT ? next_zero(t, t->seen) : UINT64_MAX, hz = hz_of(t);
    unsigned __int128 ns = zero == UINT64_MAX ? UINT64_MAX : ((unsigned __int128)zero * SECOND + hz - 1) / hz;
    d->host->device_alarm(d->dev, ns < UINT64_MAX ? (uint64_t)ns : UINT64_MAX);
}

/* From now on the counter goes down from v. */
static void restart(nvic *d, uint32_t v)
{
    d->tick.from = d->tick.seen = systick_now(d);
    d->tick.start = v;
}

uint32_t systick_read(nvic *d, uint32_t offset, uint32_t peek)
{
    systick *t = &d->tick;
    uint32_t v = 0;
    pthread_mutex_lock(&d->lock);
    if (!peek)
        systick_catch_up(d);
    switch (offset) {
    case 0x10:
        v = t->csr;
        if (!peek)
            t->csr &= ~(uint32_t)COUNTFLAG;
        break;
    case 0x14:
        v = t->reload;
        break;
    case 0x18:
        v = systick_value(t, systick_now(d));
        break;
    default: /* CALIB: NOREF, or the ticks of 10 ms */
        v = t->ref_hz ? (uint32_t)(t->ref_hz / 100 - 1) & 0xffffff : 1u << 31;
    }
    if (!peek)
        systick_arm(d);
    pthread_mutex_unlock(&d->lock);
    return v;
}

void systick_write(nvic *d, uint32_t offset, uint32_t v)
{
    systick *t = &d->tick;
    pthread_mutex_lock(&d->lock);
    systick_catch_up(d);
    uint32_t value = systick_value(t, systick_now(d));
    switch (offset) {
    case 0x10:
        t->csr = (t->csr & COUNTFLAG) | (v & (ENABLE | TICKINT | CLKSOURCE)) | (t->ref_hz ? 0 : CLKSOURCE);
        restart(d, value);
        break;
    case 0x14:
        t->reload = v & 0xffffff;
        restart(d, value);
        break;
    case 0x18:
        t->csr &= ~(uint32_t)COUNTFLAG;
        restart(d, 0);
        break;
    default:
        break;
    }
    systick_arm(d);
    pthread_mutex_unlock(&d->lock);
}
