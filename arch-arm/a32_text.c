/* Disassembly directives of A32 and T32: what %name(args) in a row's text prints.
 *
 * Called by the generated text functions of a32_decode.c and by "@fn" functions. Output never passes t->end; what does
 * not fit is cut. Spelling follows GNU objdump (UAL), without its trailing comments and symbols. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "a32_text.h"

static __attribute__((format(printf, 2, 3))) void print(a32_text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->at, (size_t)(t->end - t->at), fmt, ap);
    va_end(ap);
    if (n > 0)
        t->at += n < t->end - t->at ? n : t->end - t->at - 1;
}

void a32_t_str(a32_text *t, const char *s)
{
    print(t, "%s", s);
}

void a32_t_u(a32_text *t, uint32_t v)
{
    print(t, "%" PRIu32, v);
}

void a32_t_i(a32_text *t, int32_t v)
{
    print(t, "%" PRId32, v);
}

void a32_t_hex4(a32_text *t, uint32_t v)
{
    print(t, "%04" PRIx32, v);
}

void a32_t_hex8(a32_text *t, uint32_t v)
{
    print(t, "%08" PRIx32, v);
}

void a32_t_pick(a32_text *t, unsigned i, const char *words)
{
    for (; i && *words; i--) {
        words += strcspn(words, " ");
        words += *words == ' ';
    }
    int n = (int)strcspn(words, " ");
    if (!n || *words == '?')
        t->undefined = 1;
    if (*words != '_')
        print(t, "%.*s", n, words);
}

void a32_t_cond(a32_text *t, unsigned c)
{
    if (c < 14)
        a32_t_pick(t, c, "eq ne cs cc mi pl vs vc hi ls ge lt gt le");
}

void a32_t_c(a32_text *t)
{
    a32_t_cond(t, t->cond);
}

void a32_t_s16(a32_text *t)
{
    if (t->in_it)
        a32_t_c(t);
    else
        a32_t_str(t, "s");
}

void a32_t_r(a32_text *t, unsigned n)
{
    a32_t_pick(t, n & 15, "r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 sl fp ip sp lr pc");
}

void a32_t_label(a32_text *t, int32_t offset)
{
    print(t, "0x%" PRIx32, (uint32_t)t->pc + (t->thumb ? 4 : 8) + (uint32_t)offset);
}

void a32_t_label4(a32_text *t, int32_t offset)
{
    a32_t_label(t, offset - (int32_t)(t->pc & 2));
}

void a32_t_list(a32_text *t, unsigned list)
{
    const char *between = "{";
    for (unsigned k = 0; k < 16; k++)
        if (list >> k & 1) {
            a32_t_str(t, between);
            a32_t_r(t, k);
            between = ", ";
        }
    a32_t_str(t, "}");
}

void a32_t_shift(a32_text *t, unsigned type, unsigned imm5)
{
    if (!imm5 && !type)
        return;
    if (!imm5 && type == 3) {
        a32_t_str(t, ", rrx");
        return;
    }
    a32_t_str(t, ", ");
    a32_t_pick(t, type, "lsl lsr asr ror");
    print(t, " #%u", imm5 ? imm5 : 32);
}

void a32_t_expand(a32_text *t, unsigned i)
{
    uint32_t v = a32_expand_imm(i);
    for (unsigned rotate = 0; rotate < 16; rotate++) {
        unsigned by = rotate * 2;
        uint32_t back = by ? v << by | v >> (32 - by) : v;
        if (back > 255)
            continue;
        if (rotate != i >> 8)
            break;
        print(t, "#%" PRId32, (int32_t)v);
        return;
    }
    print(t, "#%u, %u", i & 255, (i >> 8) * 2);
}

static void offset_end(a32_text *t, unsigned p, unsigned w)
{
    if (p)
        a32_t_str(t, w ? "]!" : "]");
}

void a32_t_mem(a32_text *t, unsigned n, unsigned p, unsigned u, unsigned w, unsigned imm)
{
    a32_t_str(t, "[");
    a32_t_r(t, n);
    if (!p)
        a32_t_str(t, "]");
    if (imm || !p || (!t->thumb && (!u || w)))
        print(t, ", #%s%u", u ? "" : "-", imm);
    offset_end(t, p, w);
}

void a32_t_memr(a32_text *t, unsigned n, unsigned p, unsigned u, unsigned w, unsigned m, unsigned type, unsigned imm5)
{
    a32_t_str(t, "[");
    a32_t_r(t, n);
    a32_t_str(t, p ? ", " : "], ");
    if (!u)
        a32_t_str(t, "-");
    a32_t_r(t, m);
    a32_t_shift(t, type, imm5);
    offset_end(t, p, w);
}

void a32_t_barrier(a32_text *t, unsigned o, unsigned option)
{
    static const char *const names[16] = { NULL, "oshld", "oshst", "osh", NULL, "nshld", "unst", "un",
                                           NULL, "ishld", "ishst", "ish", NULL, "ld", "st", "sy" };
    if (names[option] && (o < 2 || option == 15))
        a32_t_str(t, names[option]);
    else
        print(t, "#%u", option);
}

void a32_t_psr(a32_text *t, unsigned mask)
{
    print(t, "%s%s%s%s", mask & 8 ? "f" : "", mask & 4 ? "s" : "", mask & 2 ? "x" : "", mask & 1 ? "c" : "");
}

/* --- Data processing ----------------------------------------------------------------------------------------- */

#define OPS "and eor sub rsb add adc sbc rsc tst teq cmp cmn orr mov bic mvn"

/* Mnemonic and the registers before the last operand. */
static void operation(a32_text *t, const a32_fields *f)
{
    unsigned compare = (f->o & 12) == 8;
    a32_t_pick(t, f->o, OPS);
    if (f->s && !compare)
        a32_t_str(t, "s");
    a32_t_c(t);
    a32_t_str(t, "\t");
    if (!compare) {
        a32_t_r(t, f->d);
        a32_t_str(t, ", ");
    }
    if (f->o != A32_MOV && f->o != A32_MVN) {
        a32_t_r(t, f->n);
        a32_t_str(t, ", ");
    }
}

void a32_text_dp_imm(a32_text *t, const a32_fields *f, uint64_t pc);
void a32_text_dp_imm(a32_text *t, const a32_fields *f, uint64_t pc)
{
    (void)pc;
    operation(t, f);
    a32_t_expand(t, f->i);
}

/* MOV of a shifted register is written as the shift. */
static int shift_name(a32_text *t, const a32_fields *f, unsigned rrx)
{
    if (f->o != A32_MOV)
        return 0;
    a32_t_pick(t, rrx ? 4 : f->h, "lsl lsr asr ror rrx");
    if (f->s)
        a32_t_str(t, "s");
    a32_t_c(t);
    a32_t_str(t, "\t");
    a32_t_r(t, f->d);
    a32_t_str(t, ", ");
    a32_t_r(t, f->m);
    return 1;
}

void a32_text_dp_reg(a32_text *t, const a32_fields *f, uint64_t pc);
void a32_text_dp_reg(a32_text *t, const a32_fields *f, uint64_t pc)
{
    (void)pc;
    unsigned rrx = f->h == 3 && !f->i;
    if ((f->h || f->i) && shift_name(t, f, rrx)) {
        if (!rrx)
            print(t, ", #%u", f->i ? f->i : 32);
        return;
    }
    operation(t, f);
    a32_t_r(t, f->m);
    a32_t_shift(t, f->h, f->i);
}

void a32_text_dp_shift(a32_text *t, const a32_fields *f, uint64_t pc);
void a32_text_dp_shift(a32_text *t, const a32_fields *f, uint64_t pc)
{
    (void)pc;
    if (!shift_name(t, f, 0)) {
        operation(t, f);
        a32_t_r(t, f->m);
        a32_t_str(t, ", ");
        a32_t_pick(t, f->h, "lsl lsr asr ror");
        a32_t_str(t, " ");
    } else {
        a32_t_str(t, ", ");
    }
    a32_t_r(t, f->i);
}

void a32_text_cps(a32_text *t, const a32_fields *f, uint64_t pc);
void a32_text_cps(a32_text *t, const a32_fields *f, uint64_t pc)
{
    (void)pc;
    a32_t_str(t, "cps");
    if (f->i >= 2) {
        a32_t_pick(t, f->i & 1, "ie id");
        print(t, "\t%s%s%s", f->a & 4 ? "a" : "", f->a & 2 ? "i" : "", f->a & 1 ? "f" : "");
        if (f->x)
            print(t, ",#%u", f->m);
    } else {
        print(t, "\t#%u", f->m);
    }
}

/* The t and e of an IT instruction. */
void a32_t_it(a32_text *t, unsigned c, unsigned mask)
{
    for (; mask & 7; mask = mask << 1 & 15)
        a32_t_str(t, (mask >> 3 & 1) == (c & 1) ? "t" : "e");
}

/* --- T32 data processing ------------------------------------------------------------------------------------------ */

/* Mnemonic and the registers before the last operand of the 32-bit encodings. */
static void t_operation(a32_text *t, const a32_fields *f)
{
    unsigned compare = f->d == 15, move = f->n == 15 && (f->o == 2 || f->o == 3);
    if (compare)
        a32_t_pick(t, f->o, "tst ? ? ? teq ? ? ? cmn ? ? ? ? cmp");
    else if (move)
        a32_t_str(t, f->o == 2 ? "mov" : "mvn");
    else
        a32_t_pick(t, f->o, "and bic orr orn eor ? ? ? add ? adc sbc ? sub rsb");
    if (f->s && !compare)
        a32_t_str(t, "s");
    a32_t_c(t);
    if (!(f->o == 3 && !move) && !(compare && f->o == 4) && !(f->o == 14 && !compare))
        a32_t_str(t, ".w");
    a32_t_str(t, "\t");
    if (!compare) {
        a32_t_r(t, f->d);
        a32_t_str(t, ", ");
    }
    if (!move) {
        a32_t_r(t, f->n);
        a32_t_str(t, ", ");
    }
}

void a32_text_t_dp_reg(a32_text *t, const a32_fields *f, uint64_t pc);
void a32_text_t_dp_reg(a32_text *t, const a32_fields *f, uint64_t pc)
{
    (void)pc;
    if (f->o == 2 && f->n == 15 && f->d != 15 && (f->h || f->i)) { /* MOV of a shifted register is the shift */
        unsigned rrx = f->h == 3 && !f->i;
        a32_t_pick(t, rrx ? 4 : f->h, "lsl lsr asr ror rrx");
        if (f->s)
            a32_t_str(t, "s");
        a32_t_c(t);
        a32_t_str(t, rrx ? "\t" : ".w\t");
        a32_t_r(t, f->d);
        a32_t_str(t, ", ");
        a32_t_r(t, f->m);
        if (!rrx)
            print(t, ", #%u", f->i ? f->i : 32);
        return;
    }
    t_operation(t, f);
    a32_t_r(t, f->m);
    a32_t_shift(t, f->h, f->i);
}

void a32_text_t_dp_imm(a32_text *t, const a32_fields *f, uint64_t pc);
void a32_text_t_dp_imm(a32_text *t, const a32_fields *f, uint64_t pc)
{
    (void)pc;
    t_operation(t, f);
    print(t, "#%" PRIu32, t32_expand_imm(f->i));
}
