/* Speed of engine-interp alone: loops built with the IR builder, nanoseconds a guest instruction. Prints a table; gates nothing.
 * usage: interp_bench [millions of instructions, default 200] */
#include <time.h>

#include "../core/interp_rig.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static oryx_val x(oryx_ir *ir, unsigned n)
{
    return oryx_get(ir, ORYX_T_I64, REG(n));
}

static void set(oryx_ir *ir, unsigned n, oryx_val v)
{
    oryx_put(ir, ORYX_T_I64, REG(n), v);
}

/* subs x0, x0, #1; b.ne 0x1000 */
static void loop_end(rig *r, uint64_t pc)
{
    oryx_ir *ir = &r->ir;
    rig_insn(r, pc);
    oryx_val a = x(ir, 0), one = oryx_const(ir, ORYX_T_I64, 1);
    oryx_val f = oryx_flmake(ir, ORYX_FL_SUBC, ORYX_T_I64, a, one, 0);
    set(ir, 0, oryx_bin(ir, ORYX_OP_SUB, ORYX_T_I64, a, one));
    oryx_put(ir, ORYX_T_FL, REG(20), f);
    rig_insn(r, pc + 4);
    oryx_gotoc(ir, oryx_flcond(ir, ORYX_FC_NZ, oryx_get(ir, ORYX_T_FL, REG(20))), 0x1000, pc + 8);
}

static void body(rig *r, int kind)
{
    static const uint16_t mix[] = { ORYX_OP_ADD, ORYX_OP_XOR, ORYX_OP_SUB, ORYX_OP_OR, ORYX_OP_AND, ORYX_OP_ADD };
    oryx_ir *ir = &r->ir;
    for (unsigned i = 0; i < 6; i++) {
        unsigned d = 1 + i % 5, s = 1 + (i + 2) % 5;
        rig_insn(r, 0x1000 + 4 * i);
        switch (kind) {
        case 0: /* add xd, xd, xs */
            set(ir, d, oryx_bin(ir, mix[i], ORYX_T_I64, x(ir, d), x(ir, s)));
            break;
        case 1: /* ldr xd, [x10, #8i] */
            set(ir, d, oryx_load(ir, ORYX_T_I64, oryx_bin(ir, ORYX_OP_ADD, ORYX_T_I64, x(ir, 10), oryx_const(ir, ORYX_T_I64, 8 * i)),
                                 ORYX_MO_64));
            break;
        case 2: /* ldr, str in turn */
            if (i & 1)
                oryx_store(ir, ORYX_T_I64, oryx_bin(ir, ORYX_OP_ADD, ORYX_T_I64, x(ir, 10), oryx_const(ir, ORYX_T_I64, 64 + 8 * i)),
                           x(ir, d), ORYX_MO_64);
            else
                set(ir, d, oryx_load(ir, ORYX_T_I64, x(ir, 10), ORYX_MO_64));
            break;
        case 3: /* fadd dd, dd, ds */
            oryx_put(ir, ORYX_T_F64, REG(30 + d), oryx_bin(ir, i & 1 ? ORYX_OP_FMUL : ORYX_OP_FADD, ORYX_T_F64,
                                                           oryx_get(ir, ORYX_T_F64, REG(36)), oryx_get(ir, ORYX_T_F64, REG(37))));
            break;
        default: /* add v.4s */
            oryx_put(ir, ORYX_T_V128, REG(30 + d), oryx_vbin(ir, ORYX_OP_ADD, ORYX_T_V128, ORYX_T_I32, oryx_get(ir, ORYX_T_V128, REG(30 + d)),
                                                             oryx_get(ir, ORYX_T_V128, REG(30 + s)), 0));
            break;
        }
    }
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "integer", "load", "load/store", "fp double", "vector 4s" };
    double millions = argc > 1 ? atof(argv[1]) : 200;
    printf("%-12s %6s %10s %12s\n", "loop", "frame", "ns/insn", "M insn/s");
    for (int frame = 1; frame >= 0; frame--)
        for (int kind = 0; kind < 5; kind++) {
            rig *r = rig_new(frame);
            oryx_tb tb;
            double v[2] = { 1.5, 1.0000001 };
            rig_begin(r, 0x1000);
            body(r, kind);
            loop_end(r, 0x1018);
            rig_compile(r, &tb);
            tb.link[0] = &tb;
            memcpy(r->cpu->state + REG(36), &v[0], 8);
            memcpy(r->cpu->state + REG(37), &v[1], 8);
            set_reg(r, 0, (uint64_t)(millions * 1e6 / 8), 0);
            set_reg(r, 10, MEM, 0);
            double start = now();
            uint32_t why;
            do {
                r->cpu->slice.left = 0x7fffffff;
                why = rig_enter(r, &tb);
            } while (why == ORYX_LEAVE_BUDGET);
            double ns = (now() - start) * 1e9 / (millions * 1e6);
            printf("%-12s %6s %10.2f %12.0f\n", names[kind], frame ? "yes" : "no", ns, 1e3 / ns);
            r->ops->discard(r->engine, &tb);
            rig_free(r);
        }
    return 0;
}
