#!/usr/bin/env python3
"""Which words decode: random words of the whole space (not of the rows) to arch-arm's disassembler and to GNU objdump.

  decode_set.py DRIVER PLUGIN [--set a64|a32|t32|all] [--count N] [--seed S]

Count 0: all words in order, some ten hours of CPU time a set.

A word that one of them knows and the other does not must be in the list of exceptions below, by objdump's or our mnemonic; each
has its reason. Exit status 1 for any other; 77 without the cross binutils.
"""
import argparse
import collections
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

# Known to objdump only. (sets, reason, regular expression of objdump's text)
OBJDUMP_ONLY = [
    ("a64", "scalable vectors and matrices (SVE, SME) are not implemented",
     r".*\b(z[at0-9]\S*|p\d+\S*|zt0|pn\d+|za\S*)\b.*|(add[vps]l|addspl|addsvl|rdvl|rdsvl|cnt[bhwd]|inc[bhwdp]|dec[bhwdp]|ctermeq|ctermne|"
     r"(sq|uq)(inc|dec)[bhwdp]|setffr|wrffr|rdffr|ptrue\w*|prf[bhwd])\b.*"),
    ("a64", "memory tagging is not implemented and ID registers say so",
     r"(stg|st2g|stzg|stz2g|stgp|ldg|addg|subg|irg|gmi|subps?|cmpp|ldgm|stgm|stzgm)\t.*"),
    ("a64", "limited ordering regions are not implemented", r"(ldlar|stllr)[bh]?\t.*"),
    ("a64", "FEAT_LRCPC2 is not implemented", r"(ldapur|stlur)\w*\t.*"),
    ("a64", "FEAT_BF16, FEAT_I8MM, FEAT_FHM, FEAT_FRINTTS are not implemented",
     r"(bf\w+|[us]mmla|usmmla|usdot|sudot|fmlal2?|fmlsl2?|frint(32|64)[xz])\t.*"),
    ("a64", "FEAT_FLAGM2, FEAT_SB, FEAT_RNG, FEAT_MOPS, FEAT_LS64, FEAT_HBC, FEAT_WFXT, FEAT_TME, FEAT_DGH, FEAT_CSSC are not implemented",
     r"(axflag|xaflag|sb|cpy\w+|set[gpme]\w*|ld64b|st64b\w*|bc\.\w+|wf[ei]t|tstart|tcommit|tcancel|ttest|dgh|tsb\S*|ctz|cnt|abs|[us]m(ax|in)|"
     r"rprfm|rcw\w+|ldiapp|stilp|ld\w*128|sysp|m[rs]rrs?)\b.*"),
    ("a64", "PSTATE fields of later extensions", r"(msr|smst\w+|mrs)\t?.*|smst\w+.*"),
    ("a64", "DCPS with reserved low bits, and words objdump prints without knowing them", r"(udf|dcps\d).*"),
    ("a32 t32", "coprocessors other than 10, 11, 14 and 15 do not exist", r"(ldc|stc|cdp|mcr|mrc|mcrr|mrrc)\S*\s.*"),
    ("a32 t32", "old coprocessors: FPA, Maverick, iWMMXt, XScale",
     r"(cf\w+|[ls]fm\w*|(ld|st)f[sdep]\w*|w[a-z]+\w*|t(bcst|extr|insr|movmsk|mcr|mrc|mia|andc|orc)\w*|mia\w*|mar|mra|"
     r"(flt|fix|wfs|rfs|wfc|rfc|adf|muf|suf|rsf|dvf|rdf|pow|rpw|rmf|fml|fdv|frd|pol|mvf|mnf|abs|rnd|sqt|log|lgn|exp|sin|cos|tan|asn|acs|atn|urd|"
     r"nrm|cmf|cnf)\w*)\s.*"),
    ("a32 t32", "half-precision arithmetic, FHM, BF16, I8MM are not implemented and ID registers say so",
     r"v\w+(\.\w+)?\.(f16|bf16|16)\b.*|v(fmal|fmsl|dot|mmla|usdot|sudot|usmmla|ummla|smmla|fmab|fmat|cvtb|cvtt|movx|ins)\S*\s.*"),
    ("a32 t32", "M profile: MVE, CDE, security, low-overhead loops",
     r"(vctp|vpt|vpst|vpnot|vpsel|vscclrm|clrm|vlldm|vlstm|le|les|wls|dls|lctp|letp|wlstp|dlstp|c?x[123]d?a?|vcx\S*|sg|tt[at]*|bf\S*|"
     r"csel|csinc|csinv|csneg|cset|csetm|cinc|cinv|cneg|asrl|lsll|lsrl|sqrshr\w*|uqrshl\w*|sqshl\w*|urshr\w*|srshr\w*|uqshl\w*|"
     r"vldr[bhwd]\S*|vstr[bhwd]\S*|vld[24][0-3]\S*|vst[24][0-3]\S*|v\w+\S*)\s?.*<overflow reg.*|.*<invalid reg.*|"
     r"(csel|csinc|csinv|csneg|cset|csetm|cinc|cinv|cneg|asrl|lsll|lsrl|sqr?shr?l?\w*|uqr?shl\w*|urshrl?|srshrl?|le|wls|dls|vctp|"
     r"vscclrm|clrm|tt[at]*|cx[123]\w*|vcx\S*|vpst|vpt\S*|bfcsel|bfl|bfx|bflx|bfi?|aut|pac\w*|autg|bxaut|lctp|letp|sg)\b.*"),
    ("a32 t32", "register lists past the last register: UNPREDICTABLE", r"v(ldm|stm|push|pop)\w*\s.*|f(ldm|stm)\w*\s.*"),
    ("a32", "should-be-zero bits that are not: UNPREDICTABLE", r"(cmp|cmn|tst|teq|mov|mvn|lsl|lsr|asr|ror|rrx)\w*\s.*"),
    ("a32 t32", "PC or two equal registers where they are UNPREDICTABLE, writeback onto a transfer register, odd pairs",
     r"(ldr|str|ldm|stm|ldrex|strex|lda|stl|ldaex|stlex|ld|st|push|pop|pld|pli|swp|rfe|srs|tbb|tbh)\S*\s.*"),
    ("a32 t32", "PC as an operand of multiplications, media, saturation, moves: UNPREDICTABLE",
     r"(mul\w*|mla|mls|umull|smull|umlal|smlal|umaal|sm\w+|us\w+|ss\w+|q\w+|u?[qsh]*(add|sub|asx|sax)\w*|[su]xt\w+|pkh\w+|sel|clz|rev\w*|rbit|bf[ci]|"
     r"[su]bfx|[us]sat\w*|[us]div|movw|movt|mrs|msr|crc32\w*|uhadd\w*|uqadd\w*|bx\w*|blx\w*|cl\w+)\b\S*\s.*"),
    ("t32", "r13 or r15 as an operand, or should-be bits, of data processing: UNPREDICTABLE",
     r"(add|sub|rsb|adc|sbc|and|orr|orn|eor|bic|mov|mvn|tst|teq|cmp|cmn|addw|subw|adr|lsl|lsr|asr|ror|rrx|neg)\S*\s.*"),
    ("a32 t32", "FP and AdvSIMD with fields that name no operation (objdump is lax), and odd Q registers", r"v\w+\S*\s.*"),
    ("t32", "IT whose condition or one of its opposites is 1111: UNPREDICTABLE", r"it\w*\s.*"),
    ("a32 t32", "virtualization, debug state, hints and barriers of other profiles; BKPT and branches with reserved bits",
     r"(hvc|smc|eret|dcps\d|dbg|sevl|esb|csdb|pssbb|ssbb|sb|nop|hlt|bkpt|udf|clrex|dsb|dmb|isb|cps\w*|setend|setpan|b\w*|bl\w*|svc|yield|"
     r"wf[ei]|sev)\b.*"),
]
# Known here only. (sets, reason, regular expression of our text)
OURS_ONLY = [
    ("a64", "should-be-one fields of ordered accesses are ignored, as by CPUs", r"(ldar|ldapr|stlr)[bh]?\t.*"),
    ("a64", "CONSTRAINED UNPREDICTABLE overlaps of LDPSW are lifted as LDP's are", r"ldpsw\t.*"),
]
OBJDUMP = {"a64": ["aarch64-linux-gnu-objdump", "-m", "aarch64"], "a32": ["arm-linux-gnueabihf-objdump", "-m", "arm"],
           "t32": ["arm-linux-gnueabihf-objdump", "-m", "armv8-a", "-M", "force-thumb"]}
BASE = 0x400000


def words(kind, rng, count, first=None):
    if first is not None:
        return list(range(first, first + count))
    if kind == "a32":                                   # half of them unconditional
        return [rng.getrandbits(28) | (0xf0000000 if k & 1 else 0xe0000000) for k in range(count)]
    if kind == "t32":                                   # 32-bit instructions; the 16-bit ones are few enough for all of them
        return [h << 16 | 0xbf00 for h in range(0, 0xe800)] + [rng.getrandbits(32) | 0xe8000000 for _ in range(count)]
    return [rng.getrandbits(32) for _ in range(count)]


def theirs(kind, data):
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        out = subprocess.run([*OBJDUMP[kind], "-D", "-z", "-b", "binary", "--adjust-vma=%#x" % BASE, f.name], capture_output=True,
                             text=True, check=True).stdout
    return {int(at, 16): text for at, text in re.findall(r"^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$", out, re.M)}


def run(args, kind):
    rng = random.Random("%s %d" % (kind, args.seed))
    thumb, counts, failed, total = kind == "t32", collections.Counter(), {}, 0
    rules = [[(re.compile(r), why) for sets, why, r in rows if kind in sets] for rows in (OBJDUMP_ONLY, OURS_ONLY)]
    driver = [args.driver, args.plugin] + (["dis"] if kind == "a64" else ["dis32", "1" if thumb else "0"]) + [hex(BASE)]
    size = args.count or 1 << 32
    while total < size:
        some = words(kind, rng, min(1 << 18, size - total), None if args.count else total)
        total += len(some)
        data = b"".join(struct.pack("<HH", w >> 16, w & 0xffff) if thumb else struct.pack("<I", w) for w in some)
        mine = subprocess.run(driver, input=data, capture_output=True, check=True).stdout.decode().splitlines()
        objdump = theirs(kind, data)
        for k, (word, a) in enumerate(zip(some, mine)):
            b = objdump.get(BASE + 4 * k, "; not printed")
            here = not a.startswith(".inst")
            there = not (b.startswith((".inst", ".word", ".short", ";")) or re.search("undefined|UNDEFINED|illegal", b))
            if here == there:
                counts["both" if here else "neither"] += 1
            elif there and "UNPREDICTABLE" in b:
                counts["UNPREDICTABLE to objdump, UNDEFINED here"] += 1
            else:
                why = next((why for r, why in rules[here] if r.fullmatch(a if here else b)), None)
                counts[why or "FAILED"] += 1
                if not why:
                    failed.setdefault((a if here else b).split()[0], []).append("%08x  here: %s   objdump: %s" % (word, a, b))
    print("%s, seed %d: %d words" % (kind, args.seed, total))
    for why, n in counts.most_common():
        print("  %9d  %s" % (n, why))
    for name in sorted(failed):
        print("%s: %d" % (name, len(failed[name])))
        print("    " + failed[name][0].replace("\t", " "))
    return len(failed)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("driver")
    p.add_argument("plugin")
    p.add_argument("--set", default="all", choices=("a64", "a32", "t32", "all"))
    p.add_argument("--count", type=int, default=2000000 if os.environ.get("ORYX_TEST_LONG") else 100000)
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    for kind in OBJDUMP:
        if not shutil.which(OBJDUMP[kind][0]):
            print("skipped: %s is not installed" % OBJDUMP[kind][0])
            return 77
    return 1 if sum(run(args, kind) for kind in (OBJDUMP if args.set == "all" else [args.set])) else 0


if __name__ == "__main__":
    sys.exit(main())
