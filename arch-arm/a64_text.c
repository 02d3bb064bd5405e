/* Disassembly directives: what %name(args) in a row's text prints.
 *
 * Called by the generated text functions of a64_decode.c and by "@fn" functions. Output never passes
 * t->end; what does not fit is cut. Spelling follows GNU objdump. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "a64_text.h"

static __attribute__((format(printf, 2, 3))) void print(a64_text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->at, (size_t)(t->end - t->at), fmt, ap);
    va_end(ap);
    if (n > 0)
        t->at += n < t->end - t->at ? n : t->end - t->at - 1;
}

void a64_t_str(a64_text *t, const char *s)
{
    while (*s && t->at + 1 < t->end)
        *t->at++ = *s++;
    *t->at = 0;
}

void a64_t_u(a64_text *t, uint64_t v)
{
    print(t, "%" PRIu64, v);
}

void a64_t_i(a64_text *t, int64_t v)
{
    print(t, "%" PRId64, v);
}

void a64_t_hex(a64_text *t, uint64_t v)
{
    print(t, "0x%" PRIx64, v);
}

void a64_t_imm(a64_text *t, int64_t v)
{
    if (v)
        print(t, ", #%" PRId64, v);
}

void a64_t_fimm(a64_text *t, uint32_t imm8)
{
    /* VFPExpandImm: sign a, exponent NOT(b):bbb:cd, fraction efgh. */
    int exponent = (int)((imm8 >> 4 & 3) | (imm8 & 0x40 ? 0 : 4)) - 3;
    double v = 1.0 + (imm8 & 15) / 16.0;
    for (; exponent > 0; exponent--)
        v *= 2;
    for (; exponent < 0; exponent++)
        v /= 2;
    print(t, "%.18e", imm8 & 0x80 ? -v : v);
}

void a64_t_label(a64_text *t, int64_t offset)
{
    print(t, "0x%" PRIx64, t->pc + (uint64_t)offset);
}

void a64_t_page(a64_text *t, int64_t offset)
{
    print(t, "0x%" PRIx64, (t->pc & ~UINT64_C(0xfff)) + (uint64_t)offset);
}

void a64_t_pick(a64_text *t, unsigned i, const char *words)
{
    for (; i && *words; i--) {
        words += strcspn(words, " ");
        words += *words == ' ';
    }
    int n = (int)strcspn(words, " ");
    if (!n)
        t->undefined = 1;
    print(t, "%.*s", n, words);
}

void a64_t_cond(a64_text *t, unsigned c)
{
    a64_t_pick(t, c & 15, "eq ne cs cc mi pl vs vc hi ls ge lt gt le al nv");
}

void a64_t_r(a64_text *t, unsigned s, unsigned n)
{
    if (n == 31)
        a64_t_str(t, s ? "xzr" : "wzr");
    else
        print(t, "%c%u", s ? 'x' : 'w', n);
}

void a64_t_rsp(a64_text *t, unsigned s, unsigned n)
{
    if (n == 31)
        a64_t_str(t, s ? "sp" : "wsp");
    else
        a64_t_r(t, s, n);
}

void a64_t_w(a64_text *t, unsigned n)
{
    a64_t_r(t, 0, n);
}

void a64_t_x(a64_text *t, unsigned n)
{
    a64_t_r(t, 1, n);
}

void a64_t_wsp(a64_text *t, unsigned n)
{
    a64_t_rsp(t, 0, n);
}

void a64_t_xsp(a64_text *t, unsigned n)
{
    a64_t_rsp(t, 1, n);
}

void a64_t_fp(a64_text *t, unsigned z, unsigned n)
{
    print(t, "%c%u", "bhsdq???"[z & 7], n);
}

void a64_t_ft(a64_text *t, unsigned type, unsigned n)
{
    if (type == 2)
        t->undefined = 1;
    print(t, "%c%u", "sd?h"[type & 3], n);
}

void a64_t_arr(a64_text *t, unsigned z, unsigned q)
{
    unsigned lanes = (q ? 16u : 8u) >> z;
    print(t, "%u%c", lanes ? lanes : 1, "bhsdq???"[z & 7]);
}

void a64_t_v(a64_text *t, unsigned z, unsigned q, unsigned n)
{
    print(t, "v%u.", n);
    a64_t_arr(t, z, q);
}

void a64_t_vx(a64_text *t, unsigned z, unsigned n, unsigned index)
{
    print(t, "v%u.%c[%u]", n, "bhsdq???"[z & 7], index);
}

/* objdump writes a run of more than two registers that does not wrap as first-last. */
static void list(a64_text *t, unsigned count, unsigned n, const char *suffix)
{
    if (count > 2 && n + count <= 32) {
        print(t, "{v%u.%s-v%u.%s}", n, suffix, n + count - 1, suffix);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        print(t, "%sv%u.%s", i ? ", " : "{", (n + i) & 31, suffix);
    a64_t_str(t, "}");
}

void a64_t_list(a64_text *t, unsigned count, unsigned z, unsigned q, unsigned n)
{
    char suffix[8];
    a64_text s = { suffix, suffix + sizeof suffix, 0, 0 };
    a64_t_arr(&s, z, q);
    list(t, count, n, suffix);
}

void a64_t_listx(a64_text *t, unsigned count, unsigned z, unsigned n, unsigned index)
{
    char suffix[2] = { "bhsdq???"[z & 7], 0 };
    list(t, count, n, suffix);
    print(t, "[%u]", index);
}

void a64_t_bh(a64_text *t, unsigned z)
{
    if (z < 2)
        a64_t_str(t, z ? "h" : "b");
}

void a64_t_shift(a64_text *t, unsigned type, unsigned amount)
{
    if (!type && !amount)
        return;
    a64_t_str(t, ", ");
    a64_t_pick(t, type, "lsl lsr asr ror");
    print(t, " #%u", amount);
}

void a64_t_extend(a64_text *t, unsigned s, unsigned m, unsigned option, unsigned amount, unsigned sp)
{
    a64_t_r(t, s && (option & 3) == 3, m);
    /* With SP as an operand the plain register is an LSL by convention, and LSL #0 is not written. */
    if (sp && option == (s ? 3u : 2u)) {
        if (amount)
            print(t, ", lsl #%u", amount);
        return;
    }
    a64_t_str(t, ", ");
    a64_t_pick(t, option, "uxtb uxth uxtw uxtx sxtb sxth sxtw sxtx");
    if (amount)
        print(t, " #%u", amount);
}

void a64_t_offset(a64_text *t, unsigned m, unsigned option, unsigned h, unsigned z)
{
    if (!(option & 2))
        t->undefined = 1;
    a64_t_str(t, ", ");
    a64_t_r(t, option & 1, m);
    if (option == 3 && !h)
        return;
    a64_t_str(t, ", ");
    a64_t_pick(t, option, "uxtb uxth uxtw lsl sxtb sxth sxtw sxtx");
    if (h)
        print(t, " #%u", z);
}

void a64_t_prfop(a64_text *t, unsigned op)
{
    unsigned type = op >> 3, level = op >> 1 & 3;
    if (type == 3 || level == 3) {
        print(t, "#0x%02x", op);
        return;
    }
    a64_t_pick(t, type, "pld pli pst");
    print(t, "l%u", level + 1);
    a64_t_str(t, op & 1 ? "strm" : "keep");
}

void a64_t_barrier(a64_text *t, unsigned crm)
{
    static const char *const names[16] = { NULL, "oshld", "oshst", "osh", NULL, "nshld", "nshst", "nsh",
                                           NULL, "ishld", "ishst", "ish", NULL, "ld", "st", "sy" };
    if (names[crm & 15])
        a64_t_str(t, names[crm & 15]);
    else
        print(t, "#0x%02x", crm & 15);
}

uint64_t a64_bitmask(unsigned n, unsigned imms, unsigned immr, unsigned size)
{
    unsigned combined = n << 6 | (~imms & 0x3f);
    if (combined < 2 || (size == 32 && n))
        return 0;
    unsigned len = 31u - (unsigned)__builtin_clz(combined);
    unsigned esize = 1u << len, levels = esize - 1;
    unsigned s = imms & levels, r = immr & levels;
    if (s == levels)
        return 0;
    uint64_t element = (UINT64_C(2) << s) - 1;
    if (r)
        element = element >> r | element << (esize - r);
    if (esize < 64)
        element &= (UINT64_C(1) << esize) - 1;
    for (unsigned bits = esize; bits < 64; bits *= 2)
        element |= element << bits;
    return size == 32 ? (uint32_t)element : element;
}

/* True when v has bits of one aligned 16-bit piece only. */
static int one_piece(uint64_t v)
{
    for (unsigned shift = 0; shift < 64; shift += 16)
        if (!(v & ~(UINT64_C(0xffff) << shift)))
            return 1;
    return 0;
}

int a64_move_wide_preferred(unsigned s, unsigned n, unsigned imms, unsigned immr)
{
    uint64_t v = a64_bitmask(n, imms, immr, s ? 64 : 32);
    return one_piece(v) || one_piece(s ? ~v : ~v & 0xffffffff);
}
