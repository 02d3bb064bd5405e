/* The generic timer: DDI 0487, D11. Four timers (EL1 physical, virtual, EL2 physical, secure physical) over one counter that
 * runs on virtual time at 62.5 MHz: 16 ns, that is 16 instructions, a tick.
 *
 * Called for accesses to CNT* registers and by the core when an alarm is due. Outputs are lines of the vCPU's device.
 * Invariant: after each change the outputs show the conditions, and the alarm is the next time one becomes true. */
#include "a64_sys.h"

#define TICK (UINT64_C(1000000000) / A64_CNTFRQ_EL0)

static const struct timer {
    uint16_t ctl, cval;
} timers[4] = {
    { SR_cntp_ctl_el0, SR_cntp_cval_el0 },
    { SR_cntv_ctl_el0, SR_cntv_cval_el0 },
    { SR_cnthp_ctl_el2, SR_cnthp_cval_el2 },
    { SR_cntps_ctl_el1, SR_cntps_cval_el1 },
};

uint64_t a64_count(oryx_cpu *cpu)
{
    return a64_host->machine_vtime(cpu->machine) / TICK;
}

static uint64_t offset_of(const a64_state *s, unsigned t)
{
    return t == A64_OUT_CNTV ? s->sys[SR_cntvoff_el2] : 0;
}

static int met(const a64_state *s, unsigned t, uint64_t count)
{
    return s->sys[timers[t].ctl] & 1 && count - offset_of(s, t) >= s->sys[timers[t].cval];
}

static void update(oryx_cpu *cpu)
{
    const a64_state *s = a64_state_of(cpu);
    uint64_t count = a64_count(cpu), next = UINT64_MAX;
    unsigned armed = 0;
    for (unsigned t = 0; t < 4; t++)
        armed |= s->sys[timers[t].ctl] & 1;
    oryx_device *d = a64_host->vcpu_device(cpu->vcpu);
    if (!d)
        return;
    for (unsigned t = 0; t < 4; t++) {
        int on = met(s, t, count);
        a64_host->device_set_irq(d, t, on && !(s->sys[timers[t].ctl] & 2));
        if (!on && s->sys[timers[t].ctl] & 1) {
            uint64_t at = s->sys[timers[t].cval] + offset_of(s, t);
            if (at > count && at < next)
                next = at;
        }
    }
    a64_host->device_alarm(d, next < UINT64_MAX / TICK ? next * TICK : UINT64_MAX);
}

void a64_timer_changed(oryx_cpu *cpu)
{
    update(cpu);
}

void a64_alarm(oryx_cpu *cpu, uint64_t now)
{
    (void)now;
    update(cpu);
}

uint64_t a64_timer_get(oryx_cpu *cpu, unsigned t, unsigned what)
{
    const a64_state *s = a64_state_of(cpu);
    uint64_t count = a64_count(cpu);
    switch (what) {
    case 0:
        return (uint32_t)(s->sys[timers[t].cval] - (count - offset_of(s, t)));
    case 1:
        return s->sys[timers[t].ctl] | (uint64_t)(unsigned)met(s, t, count) << 2;
    default:
        return s->sys[timers[t].cval];
    }
}

void a64_timer_set(oryx_cpu *cpu, unsigned t, unsigned what, uint64_t v)
{
    a64_state *s = a64_state_of(cpu);
    if (what == 0)
        s->sys[timers[t].cval] = a64_count(cpu) - offset_of(s, t) + (uint64_t)(int64_t)(int32_t)v;
    else if (what == 1)
        s->sys[timers[t].ctl] = v & 3;
    else
        s->sys[timers[t].cval] = v;
    update(cpu);
}
