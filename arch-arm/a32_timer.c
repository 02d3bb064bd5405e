/* The generic timer of class "arm": DDI 0406C, B8. The physical timer of each world and the virtual one over a counter that runs on
 * virtual time at 62.5 MHz: 16 ns, that is 16 instructions, a tick. Without Hyp mode the virtual offset is 0.
 *
 * Called for accesses to c14 and by the core when an alarm is due. Outputs are lines of the vCPU's device. Invariant: after each
 * change the outputs show the conditions, and the alarm is the next time one becomes true. Timers: 0 and 1 physical, of bank 0
 * and 1; 2 virtual. */
#include "a32_sys.h"

extern const oryx_host *a64_host;
#define TICK UINT64_C(16)

static uint64_t *ctl(a32_state *s, unsigned t)
{
    return t == 2 ? &s->system.sys[CP_cntv_ctl][0] : &s->system.sys[CP_cntp_ctl][t];
}

static uint64_t *cval(a32_state *s, unsigned t)
{
    return t == 2 ? &s->system.sys[CP_cntv_cval][0] : &s->system.sys[CP_cntp_cval][t];
}

uint64_t a32_count(oryx_cpu *cpu)
{
    return a64_host->machine_vtime(cpu->machine) / TICK;
}

static int met(a32_state *s, unsigned t, uint64_t count)
{
    return *ctl(s, t) & 1 && count >= *cval(s, t);
}

static void update(oryx_cpu *cpu)
{
    a32_state *s = a32_state_of(cpu);
    uint64_t count = a32_count(cpu), next = UINT64_MAX;
    oryx_device *d = a64_host->vcpu_device(cpu->vcpu);
    if (!d)
        return;
    for (unsigned t = 0; t < 3; t++) {
        /* The secure world's physical timer has a line of its own. */
        unsigned line = t == 2 ? A32_OUT_CNTV : t == 0 && s->system.tz ? A32_OUT_CNTPS : A32_OUT_CNTP;
        if (t == 1 && !s->system.tz)
            continue;
        int on = met(s, t, count);
        a64_host->device_set_irq(d, line, on && !(*ctl(s, t) & 2));
        if (!on && *ctl(s, t) & 1 && *cval(s, t) < next)
            next = *cval(s, t);
    }
    a64_host->device_alarm(d, next < UINT64_MAX / TICK ? next * TICK : UINT64_MAX);
}

void a32_alarm(oryx_cpu *cpu, uint64_t now)
{
    (void)now;
    update(cpu);
}

uint64_t a32_timer_get(oryx_cpu *cpu, unsigned t, unsigned what)
{
    a32_state *s = a32_state_of(cpu);
    uint64_t count = a32_count(cpu);
    switch (what) {
    case 0:
        return (uint32_t)(*cval(s, t) - count);
    case 1:
        return *ctl(s, t) | (uint64_t)(unsigned)met(s, t, count) << 2;
    default:
        return *cval(s, t);
    }
}

void a32_timer_set(oryx_cpu *cpu, unsigned t, unsigned what, uint64_t v)
{
    a32_state *s = a32_state_of(cpu);
    if (what == 0)
        *cval(s, t) = a32_count(cpu) + (uint64_t)(int64_t)(int32_t)v;
    else if (what == 1)
        *ctl(s, t) = v & 3;
    else
        *cval(s, t) = v;
    update(cpu);
}
