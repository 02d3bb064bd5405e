#!/usr/bin/env python3
"""Compares `oryx dis` of MIPS with binutils' objdump on random words.

Every row's words must have objdump's text, and words objdump refuses must be refused; words it knows and Oryx lacks are
counted by mnemonic and printed, and fail only when a mnemonic is one that Oryx has rows for.

  objdump_compare.py [--oryx build/oryx] [--class mipsel|mips64el|..] [--r6] [--count N] [--seed S]
Exit status: 0 equal, 1 a difference, 2 a tool is missing.
"""
import argparse
import collections
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "cmake"))
import gen_decode                                                          # noqa: E402

ADDR = 0x400000
# Undocumented in the base manual, or another vendor's: objdump's machine knows them, no CPU model here has them.
OTHER = re.compile(r"\.word|0x[0-9a-f]+$")


def objdump(tool, words, cls, r6):
    order = "big" if not cls.endswith("el") else "little"
    machine = "mips:isa%s%s" % ("64" if "64" in cls else "32", "r6" if r6 else "r2")
    with tempfile.NamedTemporaryFile(suffix=".bin") as f:
        f.write(b"".join(w.to_bytes(4, order) for w in words))
        f.flush()
        out = subprocess.run([tool, "-D", "-z", "-b", "binary", "-m", machine, "-E" + order[0].upper(), "-M",
                              "gpr-names=%s,cp0-names=numeric" % ("n32" if "64" in cls else "32"),
                              "--adjust-vma=%#x" % ADDR, f.name], stdout=subprocess.PIPE, text=True, check=True).stdout
    texts = [m.group(1) for m in re.finditer(r"^ +[0-9a-f]+:\t[0-9a-f]{8} \t(.*)$", out, re.M)]
    assert len(texts) == len(words), (len(texts), len(words))
    return [" ".join(re.sub(r"\s*<.*>", "", t).split()) for t in texts]


def oryx(command, words, cls, r6):
    order = "big" if not cls.endswith("el") else "little"
    with tempfile.NamedTemporaryFile(suffix=".bin") as f:
        f.write(b"".join(w.to_bytes(4, order) for w in words))
        f.flush()
        out = subprocess.run([command, "dis", "--json", "--arch", cls, "--mode", "r6" if r6 else "base", "--addr", hex(ADDR), f.name],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = [json.loads(line) for line in out.splitlines()]
    assert len(lines) == len(words), (len(lines), len(words))
    return [(x["valid"], " ".join(x["text"].split())) for x in lines]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--oryx", default=os.environ.get("ORYX", os.path.join(ROOT, "build", "oryx")))
    p.add_argument("--class", dest="cls", default="mipsel", choices=("mips", "mipsel", "mips64", "mips64el"))
    p.add_argument("--r6", action="store_true")
    p.add_argument("--count", type=int, default=40, help="words a row")
    p.add_argument("--random", type=int, default=50000, help="uniform words")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--show", type=int, default=2)
    args = p.parse_args()
    tool = shutil.which("mipsel-linux-gnu-objdump")
    if not tool:
        print("objdump_compare: mipsel-linux-gnu-objdump is not found; install binutils-mipsel-linux-gnu")
        return 2
    rng = random.Random(args.seed)
    rows, errors = gen_decode.read_rows(sorted(glob.glob(os.path.join(ROOT, "arch-mips", "*.c"))))
    rows = [r for r in rows if ("64" in args.cls or not (r.feature in ("M3", "M3_5") or "64" in r.feature))
            and not (args.r6 and r.feature.endswith("_5")) and (args.r6 or not r.feature.startswith("R6"))]
    # Another vendor's, or of a CPU whose disassembly is not this one's.
    rows = [r for r in rows if r.feature not in ("OCTEON", "R3000") and (args.r6 or r.feature not in ("R5", "CRC", "CRC_64", "XNP", "XNP_64"))
            and not (args.r6 and r.feature in ("PS", "EVA_5"))]
    words = [r.value | rng.getrandbits(32) & ~r.mask & 0xffffffff for r in rows for _ in range(args.count)]
    # Counts name their target twice; other words are UNPREDICTABLE, and objdump writes both.
    words = [w & ~(31 << 16) | (w >> 11 & 31) << 16 if w >> 26 == 28 and w & 0x3a == 0x20 else w for w in words]
    words += [rng.getrandbits(32) for _ in range(args.random)]
    bad, lacks = {}, collections.Counter()
    for word, want, (valid, mine) in zip(words, objdump(tool, words, args.cls, args.r6), oryx(args.oryx, words, args.cls, args.r6)):
        refused = bool(OTHER.match(want))
        if " or " in want or want.startswith("rdhwr") and ("$29" in want or want.count(",") > 1):
            continue                                   # registers and selects of no CPU here
        # Coprocessor 0 is one row, unusable in user mode.
        if valid and mine != want and not mine.startswith("c0"):
            bad.setdefault(mine.split()[0], []).append("%08x: objdump «%s», oryx «%s»" % (word, want, mine))
        elif not valid and not refused:
            lacks[want.split()[0]] += 1
    for name in sorted(bad):
        print("%s: %d differ" % (name, len(bad[name])))
        for line in bad[name][:args.show]:
            print("    " + line)
    if lacks:
        print("not here: " + " ".join("%s:%d" % x for x in sorted(lacks.items())))
    print("%s%s seed %d: %d words, %d differ, %d mnemonics not here" % (args.cls, " r6" if args.r6 else "", args.seed, len(words),
                                                                      sum(map(len, bad.values())), len(lacks)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
