/* String instructions: SDM 1 7.3.9, SDM 2B "REP/REPE/REPNE".
 *
 * With a repeat prefix one iteration is one step of the program: it commits its registers and comes
 * back to the same address, so an interrupt, a fault or a stop in the middle finds exactly what has
 * been done. */
#include "x86_sse.h"

static unsigned address_type(const x86_lift *l)
{
    return x86_type(l->insn->address_width);
}

static bool repeated(const x86_lift *l)
{
    return l->insn->attributes &
           (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
}

/* Segment of the source, which a prefix may change. */
static unsigned source_segment(const x86_lift *l)
{
    for (unsigned i = 0; i < l->insn->operand_count; i++)
        if (x86_is_mem(l, i) && l->op[i].mem.segment != ZYDIS_REGISTER_ES)
            return x86_seg_number(l->op[i].mem.segment);
    return l->insn->attributes & ZYDIS_ATTRIB_HAS_SEGMENT_ES ? X86_ES : X86_DS;
}

static oryx_val source(x86_lift *l)
{
    unsigned t = address_type(l);
    return x86_linear(l, source_segment(l), x86_r(l, t, X86_RSI), t);
}

static oryx_val destination(x86_lift *l)
{
    unsigned t = address_type(l);
    return x86_linear(l, X86_ES, x86_r(l, t, X86_RDI), t);
}

/* Nothing is to be done when the count is 0. */
static void begin(x86_lift *l)
{
    if (!repeated(l))
        return;
    unsigned t = address_type(l);
    uint32_t go = x86_label(l);
    oryx_brc(l->ir, oryx_cmp(l->ir, ORYX_CC_NE, t, x86_r(l, t, X86_RCX), x86_imm(l, t, 0)), go);
    oryx_goto(l->ir, l->next, 1);
    x86_place(l, go);
}

static void advance(x86_lift *l, unsigned n, unsigned log2)
{
    unsigned t = address_type(l);
    oryx_val step = oryx_trunc(l->ir, t, I64, oryx_get(l->ir, I64, X86_OFF(step)));
    if (log2)
        step = x86_bini(l, ORYX_OP_SHL, t, step, log2);
    x86_set_r(l, t, n, x86_bin(l, ORYX_OP_ADD, t, x86_r(l, t, n), step));
}

/* Counts down and comes back while there is a count and cond (i1, 0: always) holds. */
static void again(x86_lift *l, oryx_val cond)
{
    if (!repeated(l))
        return;
    unsigned t = address_type(l);
    oryx_val n = x86_bini(l, ORYX_OP_SUB, t, x86_r(l, t, X86_RCX), 1);
    oryx_val go = oryx_cmp(l->ir, ORYX_CC_NE, t, n, x86_imm(l, t, 0));
    x86_set_r(l, t, X86_RCX, n);
    if (cond)
        go = x86_bin(l, ORYX_OP_AND, I1, go, cond);
    oryx_gotoc(l->ir, go, l->pc, l->next);
    l->end = 1;
}

static void movs(x86_lift *l, unsigned log2)
{
    unsigned type = x86_type(8u << log2);
    begin(l);
    oryx_store(l->ir, type, destination(l), oryx_load(l->ir, type, source(l), log2), log2);
    advance(l, X86_RSI, log2);
    advance(l, X86_RDI, log2);
    again(l, 0);
}

static void lods(x86_lift *l, unsigned log2)
{
    unsigned type = x86_type(8u << log2);
    begin(l);
    oryx_val v = oryx_load(l->ir, type, source(l), log2);
    x86_set_r(l, type, X86_RAX, v);
    advance(l, X86_RSI, log2);
    again(l, 0);
}

static void stos(x86_lift *l, unsigned log2)
{
    unsigned type = x86_type(8u << log2);
    begin(l);
    oryx_store(l->ir, type, destination(l), x86_r(l, type, X86_RAX), log2);
    advance(l, X86_RDI, log2);
    again(l, 0);
}

/* REPE goes on while equal, REPNE while not. */
static oryx_val while_equal(x86_lift *l, oryx_val fl)
{
    if (!repeated(l))
        return 0;
    return oryx_flcond(l->ir, l->insn->attributes & ZYDIS_ATTRIB_HAS_REPNE ? ORYX_FC_NZ : ORYX_FC_Z,
                       fl);
}

static void cmps(x86_lift *l, unsigned log2)
{
    unsigned type = x86_type(8u << log2);
    begin(l);
    oryx_val a = oryx_load(l->ir, type, source(l), log2),
             b = oryx_load(l->ir, type, destination(l), log2);
    oryx_val fl = oryx_flmake(l->ir, ORYX_FL_SUB, type, a, b, 0);
    x86_set_flags(l, fl);
    advance(l, X86_RSI, log2);
    advance(l, X86_RDI, log2);
    again(l, while_equal(l, fl));
}

static void scas(x86_lift *l, unsigned log2)
{
    unsigned type = x86_type(8u << log2);
    begin(l);
    oryx_val b = oryx_load(l->ir, type, destination(l), log2);
    oryx_val fl = oryx_flmake(l->ir, ORYX_FL_SUB, type, x86_r(l, type, X86_RAX), b, 0);
    x86_set_flags(l, fl);
    advance(l, X86_RDI, log2);
    again(l, while_equal(l, fl));
}

ORYX_INSN(MOVSB, "a4", BASE)
{
    movs(l, 0);
}
ORYX_INSN(MOVSW, "a5", BASE)
{
    movs(l, 1);
}
/* The name of an SSE2 instruction, too. */
ORYX_INSN(MOVSD, "a5; F2 0f 10 /r Vsd,Wsd; F2 0f 11 /r Wsd,Vsd", I386)
{
    if (l->insn->meta.category == ZYDIS_CATEGORY_STRINGOP)
        movs(l, 2);
    else
        x86_movsd_sse(l);
}
ORYX_INSN(MOVSQ, "REX.W a5", LONG)
{
    movs(l, 3);
}
ORYX_INSN(LODSB, "ac", BASE)
{
    lods(l, 0);
}
ORYX_INSN(LODSW, "ad", BASE)
{
    lods(l, 1);
}
ORYX_INSN(LODSD, "ad", I386)
{
    lods(l, 2);
}
ORYX_INSN(LODSQ, "REX.W ad", LONG)
{
    lods(l, 3);
}
ORYX_INSN(STOSB, "aa", BASE)
{
    stos(l, 0);
}
ORYX_INSN(STOSW, "ab", BASE)
{
    stos(l, 1);
}
ORYX_INSN(STOSD, "ab", I386)
{
    stos(l, 2);
}
ORYX_INSN(STOSQ, "REX.W ab", LONG)
{
    stos(l, 3);
}
ORYX_INSN(CMPSB, "a6", BASE)
{
    cmps(l, 0);
}
ORYX_INSN(CMPSW, "a7", BASE)
{
    cmps(l, 1);
}
ORYX_INSN(CMPSD, "a7; F2 0f c2 /r ib Vsd,Wsd,Ib", I386)
{
    if (l->insn->meta.category == ZYDIS_CATEGORY_STRINGOP)
        cmps(l, 2);
    else
        x86_cmpsd_sse(l);
}
ORYX_INSN(CMPSQ, "REX.W a7", LONG)
{
    cmps(l, 3);
}
ORYX_INSN(SCASB, "ae", BASE)
{
    scas(l, 0);
}
ORYX_INSN(SCASW, "af", BASE)
{
    scas(l, 1);
}
ORYX_INSN(SCASD, "af", I386)
{
    scas(l, 2);
}
ORYX_INSN(SCASQ, "REX.W af", LONG)
{
    scas(l, 3);
}
