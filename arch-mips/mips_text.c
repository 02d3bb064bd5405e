/* Disassembly directives of MIPS: what %name(args) in a row's text prints.
 *
 * Called by the generated text functions of mips_decode.c. Output never passes t->end; what does not fit is cut. Spelling
 * follows GNU objdump with its preferred aliases. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mips_text.h"

static __attribute__((format(printf, 2, 3))) void print(mips_text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->at, (size_t)(t->end - t->at), fmt, ap);
    va_end(ap);
    if (n > 0)
        t->at += n < t->end - t->at ? n : t->end - t->at - 1;
}

void mips_t_str(mips_text *t, const char *s)
{
    print(t, "%s", s);
}

void mips_t_pick(mips_text *t, unsigned i, const char *words)
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

void mips_t_r(mips_text *t, unsigned n)
{
    mips_t_pick(t, n, t->new_abi ? "zero at v0 v1 a0 a1 a2 a3 a4 a5 a6 a7 t0 t1 t2 t3 s0 s1 s2 s3 s4 s5 s6 s7 t8 t9 k0 k1 gp sp s8 ra"
                                 : "zero at v0 v1 a0 a1 a2 a3 t0 t1 t2 t3 t4 t5 t6 t7 s0 s1 s2 s3 s4 s5 s6 s7 t8 t9 k0 k1 gp sp s8 ra");
}

void mips_t_fr(mips_text *t, unsigned n)
{
    print(t, "$f%u", n);
}

void mips_t_fc(mips_text *t, unsigned n)
{
    static const char *const names[32] = { [0] = "c1_fir", [1] = "c1_ufr", [4] = "c1_unfr", [25] = "c1_fccr", [26] = "c1_fexr",
                                           [28] = "c1_fenr", [31] = "c1_fcsr" };
    if (names[n & 31])
        print(t, "%s", names[n & 31]);
    else
        print(t, "$%u", n);
}

void mips_t_h(mips_text *t, unsigned n)
{
    static const char *const names[] = { "hwr_cpunum", "hwr_synci_step", "hwr_cc", "hwr_ccres" };
    if (n < 4)
        print(t, "%s", names[n]);
    else if (n == 29)
        print(t, "hwr_ulr");
    else
        print(t, "$%u", n);
}

void mips_t_x(mips_text *t, uint32_t v)
{
    print(t, "0x%" PRIx32, v);
}

void mips_t_i(mips_text *t, int32_t v)
{
    print(t, "%" PRId32, v);
}

void mips_t_u(mips_text *t, uint32_t v)
{
    print(t, "%" PRIu32, v);
}

void mips_t_s16(mips_text *t, uint32_t v)
{
    mips_t_i(t, mips_sx(v, 16));
}

void mips_t_s9(mips_text *t, uint32_t v)
{
    mips_t_i(t, mips_sx(v, 9));
}

static void address(mips_text *t, uint64_t a)
{
    if (t->new_abi)
        print(t, "0x%" PRIx64, a);
    else
        print(t, "0x%" PRIx32, (uint32_t)a);
}

static void branch(mips_text *t, uint32_t v, unsigned bits)
{
    address(t, t->pc + 4 + (uint64_t)(int64_t)mips_sx(v, bits) * 4);
}

void mips_t_b(mips_text *t, uint32_t v)
{
    branch(t, v, 16);
}

void mips_t_b21(mips_text *t, uint32_t v)
{
    branch(t, v, 21);
}

void mips_t_b26(mips_text *t, uint32_t v)
{
    branch(t, v, 26);
}

void mips_t_j(mips_text *t, uint32_t v)
{
    address(t, ((t->pc + 4) & ~0xfffffffull) | v << 2);
}

void mips_t_pcrel(mips_text *t, int32_t offset)
{
    address(t, t->pc + (uint64_t)(int64_t)offset);
}

void mips_t_pcrel8(mips_text *t, int32_t offset)
{
    address(t, (t->pc & ~7ull) + (uint64_t)(int64_t)offset);
}

/* --- MSA ------------------------------------------------------------------------------------------------------------------------ */

void mips_t_w(mips_text *t, unsigned n)
{
    print(t, "$w%u", n);
}

void mips_t_wc(mips_text *t, unsigned n)
{
    if (n < 8)
        mips_t_pick(t, n, "msa_ir msa_csr msa_access msa_save msa_modify msa_request msa_map msa_unmap");
    else
        print(t, "$%u", n);
}

void mips_t_df(mips_text *t, unsigned z)
{
    mips_t_pick(t, z, "b h w d");
}

static unsigned df_of_bit(unsigned m)
{
    return m < 0x40 ? 3 : m < 0x60 ? 2 : m < 0x70 ? 1 : 0;
}

void mips_t_dfm(mips_text *t, unsigned m)
{
    mips_t_df(t, df_of_bit(m));
}

void mips_t_xm(mips_text *t, unsigned m)
{
    mips_t_x(t, m & ((8u << df_of_bit(m)) - 1));
}

static unsigned df_of_element(unsigned n)
{
    return n < 0x20 ? 0 : n < 0x30 ? 1 : n < 0x38 ? 2 : 3;
}

void mips_t_dfn(mips_text *t, unsigned n)
{
    mips_t_df(t, df_of_element(n));
}

void mips_t_elm(mips_text *t, unsigned n)
{
    mips_t_u(t, n & ((16u >> df_of_element(n)) - 1));
}
