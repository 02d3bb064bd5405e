/* Between translate.c and region_make.c: one translation under way, of a block or of a region's blocks one after the other. */
#ifndef ORYX_TRANSLATE_H
#define ORYX_TRANSLATE_H

#include "exec.h"

#define PAGE_MASK (~(uint64_t)(ORYX_PAGE_SIZE - 1))
#define MAX_LABEL 255u
#define LABELS_AN_INSN 64u /* below this many free label numbers the block ends */

typedef struct work {
    oryx_vcpu *v;
    oryx_machine *m;
    oryx_ir *ir;
    uint64_t pc;               /* of the block */
    uint64_t at;               /* of the next instruction */
    uint32_t limit;
    uint32_t labels;           /* label numbers used so far */
    uint64_t mode;             /* mode key of the next instruction: lift may change it inside a block */
    /* Pages held so far, and where they are. A block has its own and perhaps the next one; a region's blocks have page k
     * each, and none that crosses into another page. */
    oryx__page *page[ORYX__REGION_PAGES + 1];
    uint32_t version[ORYX__REGION_PAGES + 1];
    oryx_space *space[ORYX__REGION_PAGES + 1];
    uint64_t vpage_of[ORYX__REGION_PAGES + 1], ppage_of[ORYX__REGION_PAGES + 1];
    uint32_t k;                /* the page of pc */
    bool no_count, region;
    bool breaks;               /* some instruction is watched */
    uint64_t phys, phys2;
    oryx_error *err;
    uint32_t got;              /* bytes of the first page read so far */
    uint32_t ahead;            /* bytes of the next page that follow them */
    uint8_t bytes[ORYX_PAGE_SIZE + 16]; /* from pc to the end of the page, and a little of the next */
} work;

/* translate.c */
void oryx__work_begin(work *w, oryx_vcpu *v, uint64_t pc, oryx_error *err); /* and empties w->ir */
void oryx__work_at(work *w, uint64_t pc);                                   /* the next block */
void oryx__work_end(work *w);
oryx_status oryx__lift_block(work *w); /* all instructions of the block, behind what w->ir has */
/* Check, simplify and compile ir into tb, whose identity is set. */
oryx_status oryx__compile(work *w, oryx_ir *ir, oryx__tb *tb);

static inline bool oryx__is_fetch_fault(oryx_status s)
{
    return s <= ORYX_FAULT_DECODE && s > ORYX_NEED_BYTES;
}

/* region_make.c: make and insert the region that starts at pc, under machine->lock. False: nothing changed. */
bool oryx__region_make(oryx_vcpu *v, uint64_t pc);

#endif
