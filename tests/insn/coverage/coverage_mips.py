#!/usr/bin/env python3
"""The MIPS checklist against objdump and against arch-mips: `implemented / total` for each group of mips.index.

  coverage_mips.py [--oryx build/oryx] [--missing]

For every row of arch-mips random words are shown to objdump and to `oryx dis`: a name of the index is implemented when objdump printed it
for a word that Oryx prints the same. Exit status: 0; 1 when a name without a reason is missing, or one with a reason is there after
all, or a row prints a name that the index has not; 77 without objdump.
"""
import argparse
import glob
import os
import random
import shutil
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path[:0] = [os.path.join(ROOT, "cmake"), os.path.join(ROOT, "tests", "arch-mips")]
import gen_decode                                                          # noqa: E402
import objdump_compare                                                     # noqa: E402

FIXED = [0, 0x40, 0xc0, 0x140, 0x10000003, 0x04110003, 0x04100000, 0x03e00008, 0x03e00408, 0x0320f809, 0x0320fc09, 0x10800003]
# Names that objdump gives to forms of an instruction that is listed by its own.
FORMS = {"move", "li", "neg", "negu", "dneg", "dnegu", "beqz", "bnez", "beqzl", "bnezl", "sync_wmb", "sync_mb", "sync_acquire",
         "sync_release", "sync_rmb", "c0", "jrc", "auipc", "lapc", "not", "nal", "jr", "jr.hb", "bal", "b", "nop", "ssnop", "jalrc"}


def index(path):
    groups, group = {}, None
    for line in open(path):
        line = line.split("#")[0].strip()
        if line.startswith("["):
            group = groups[line[1:-1]] = ({}, {})
        elif line:
            names, _, why = line.partition(":")
            group[1 if why else 0].update(dict.fromkeys(names.split(), why))
    return groups


def module(row):
    return row.feature.split("_")[0].lower() if row.feature.startswith(("MSA", "DSP")) else ""


def seen(oryx, rng, group):
    r6 = group == "r6"
    rows, errors = gen_decode.read_rows(sorted(glob.glob(os.path.join(ROOT, "arch-mips", "*.c"))))
    rows = [r for r in rows if r.feature not in ("OCTEON", "R3000") and (r6 or not r.feature.startswith("R6"))
            and module(r).rstrip("23") == (group if group in ("msa", "dsp") else "")]
    words = [r.value | rng.getrandbits(32) & ~r.mask & 0xffffffff for r in rows
             for _ in range(1500 if "cccc" in r.pattern else 100)] + (FIXED if group in ("base", "r6") else [])
    words = [w & ~(31 << 16) | (w >> 11 & 31) << 16 if w >> 26 == 28 and w & 0x3a == 0x20 else w for w in words]
    want = objdump_compare.objdump(shutil.which("mipsel-linux-gnu-objdump"), words, "mips64el", r6)
    got = objdump_compare.oryx(oryx, words, "mips64el", r6)
    names = {w.split()[0] for w, (valid, mine) in zip(want, got) if valid and mine == w}
    return names | {"addiupc"} if "lapc" in names else names


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--oryx", default=os.environ.get("ORYX", os.path.join(ROOT, "build", "oryx")))
    p.add_argument("--missing", action="store_true")
    args = p.parse_args()
    if not shutil.which("mipsel-linux-gnu-objdump"):
        print("skipped: no mipsel-linux-gnu-objdump")
        return 77
    bad = 0
    for group, (names, absent) in index(os.path.join(os.path.dirname(os.path.abspath(__file__)), "mips.index")).items():
        have = seen(args.oryx, random.Random(1), group)
        missing, there, unknown = sorted(set(names) - have), sorted(set(absent) & have), sorted(have - set(names) - set(absent) - FORMS)
        print("%s: %d / %d implemented; %d more are of no model here" % (group, len(names) - len(missing), len(names), len(absent)))
        for what, list_ in (("missing", missing), ("there after all", there), ("not in the index", unknown)):
            if list_:
                bad = 1
                print("  %s: %s" % (what, " ".join(list_)))
    return bad


if __name__ == "__main__":
    sys.exit(main())
