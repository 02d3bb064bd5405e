/* compile, private to places.c, compile.c and block.c: the state of one preparation and where values live. */
#ifndef COMPILE_H
#define COMPILE_H

#include "interp.h"

enum { K_NONE, K_CONST, K_LOC, K_ADDR };

typedef struct cval {
    uint8_t kind, type, clean, own;
    uint8_t has_loc;   /* a K_CONST that was materialised */
    uint8_t fused;     /* address sum evaluated by its only user */
    int32_t loc;
    uint64_t imm;
    uint32_t uses, last, user;
    uint32_t put;      /* first PUT or LPUT of this value, 0 none */
    oryx_val root;     /* owner of the slot behind loc */
} cval;

struct scratch {
    cval *vals;
    uint32_t n_vals;
    iop *ops;
    uint16_t *h, *op_insn;
    uint32_t n_ops, cap_ops;
    insn_mark *insns;
    uint8_t *insn_stores;
    uint32_t cap_insns;
    call_site *calls;
    uint32_t cap_calls;
    int32_t *free_slots;
    oryx_val *live; /* values read in place from guest registers or locals */
    uint32_t cap_live;
};

typedef struct cc {
    engine *e;
    struct scratch *s;
    const oryx_ir *ir;
    oryx_status error;
    const char *why;
    uint32_t i;           /* current IR op */
    uint32_t n_insns, total_insns, n_calls, n_free, n_live;
    int32_t next_slot;
    uint32_t label_floor; /* no peephole across a label */
    uint32_t setmode;
    uint32_t label_at[256];
} cc;

/* Columns of oryx_ir.def by op: places.c. */
extern const char *const ic_sigs[], *const ic_effects[];

/* places.c */
void ic_fail(cc *c, oryx_status status, const char *why); /* the first one stays */
void *ic_grown(cc *c, void *p, uint32_t *cap, uint32_t want, size_t size);
iop *ic_emit(cc *c, unsigned h);
iop *ic_emit3(cc *c, unsigned h, int32_t d, int32_t a, int32_t b);
unsigned ic_def_width(unsigned type);
int ic_in_slots(int32_t loc);
void ic_live_add(cc *c, oryx_val v);
void ic_rescue_range(cc *c, int32_t lo, int32_t size);
int32_t ic_place(cc *c, oryx_val v);
int ic_is_const(cc *c, oryx_val v);
void ic_release(cc *c, oryx_val v);
int32_t ic_dest(cc *c, unsigned type);
void ic_alias(cc *c, oryx_val v, int32_t delta, unsigned type, int clean);
void ic_constant(cc *c, unsigned type, uint64_t imm);
int ic_last_op(cc *c, uint32_t floor, uint32_t *at);
uint32_t ic_insn_first(cc *c);
int ic_take_flcond(cc *c, oryx_val cond, int32_t *fl, unsigned *fc);

/* compile.c: one IR op. */
void ic_op(cc *c, const oryx_ir_op *o);

#endif
