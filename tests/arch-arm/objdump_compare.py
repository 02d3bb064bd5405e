#!/usr/bin/env python3
"""Disassembly of random words of every row, compared with GNU objdump's.

  objdump_compare.py DRIVER PLUGIN [--count N] [--seed S] [--row NAME]

Words are drawn from the patterns of the ORYX_INSN rows, so every row is met; boundary values of fields (0 and
all ones, register 31) are drawn often. objdump's trailing "// comment" and "<symbol>" are not compared. Accepted
differences are the rules of ACCEPTED, each with its reason; anything else fails. Exit status 77: no objdump.
"""
import argparse
import glob
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "cmake"))
import gen_decode                                                          # noqa: E402

OBJDUMP = "aarch64-linux-gnu-objdump"
BASE = 0x400000
CHUNK = 100000

# (reason, our text, objdump's text): regular expressions that must match both whole texts.
ACCEPTED = [
    ("half-precision arithmetic (FEAT_FP16) is not implemented and raises UNDEFINED",
     r"\.inst.*", r"(fcvtz[su]|[su]cvtf|fmov)\t(h|v\d+\.[48]h).*"),
    ("PSTATE fields and flag forms of later extensions raise UNDEFINED",
     r"\.inst.*", r"msr\ts0_.*|msr\t(uao|pan|ssbs|dit|tco|allint), .*|axflag|xaflag|smst(art|op).*"),
    ("CONSTRAINED UNPREDICTABLE overlaps of LDPSW are lifted as LDP's are",
     r"ldpsw\t.*", r"\.inst.*"),
    ("should-be-one fields of LDAR and LDAPR are ignored, as by CPUs; objdump wants most of them ones",
     r"lda(r|pr)[bh]?\t.*", r"\.inst.*"),
]
ACCEPTED = [(re.compile(a), re.compile(b)) for _, a, b in ACCEPTED]


def random_word(row, rng):
    """The row's fixed bits, and each field random, 0, all ones or one below all ones."""
    word = rng.getrandbits(32)
    for letter in sorted(set(row.pattern) - set("01-")):
        bits = [31 - i for i, c in enumerate(row.pattern) if c == letter]
        choice = rng.randrange(8)
        if choice > 3:
            continue
        value = (0, (1 << len(bits)) - 1, (1 << len(bits)) - 2, 31)[choice]
        for k, b in enumerate(reversed(bits)):
            word = word & ~(1 << b) | (value >> k & 1) << b
    return word & ~row.mask & 0xffffffff | row.value


def objdump(words):
    with tempfile.NamedTemporaryFile(suffix=".bin") as f:
        f.write(struct.pack("<%dI" % len(words), *words))
        f.flush()
        out = subprocess.run([OBJDUMP, "-D", "-z", "-b", "binary", "-m", "aarch64", "--adjust-vma=%#x" % BASE, f.name],
                             check=True, capture_output=True, text=True).stdout
    texts = re.findall(r"^\s*[0-9a-f]+:\t[0-9a-f]{8} \t(.*)$", out, re.M)
    return [re.sub(r"\s*(//.*|<[^>]*>)?$", "", t) for t in texts]


def ours(driver, plugin, words):
    out = subprocess.run([driver, plugin, "dis", "%#x" % BASE], check=True, capture_output=True,
                         input=struct.pack("<%dI" % len(words), *words)).stdout.decode()
    return out.splitlines()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("driver")
    p.add_argument("plugin")
    p.add_argument("--count", type=int, default=1000000 if os.environ.get("ORYX_TEST_LONG") else 120000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--row")
    args = p.parse_args()
    if not shutil.which(OBJDUMP):
        print("skipped: %s is not installed (package binutils-aarch64-linux-gnu)" % OBJDUMP)
        return 77
    rows, errors = gen_decode.read_rows(sorted(glob.glob(os.path.join(ROOT, "arch-arm", "a64_*.c"))))
    if errors:
        print("\n".join(errors))
        return 1
    if args.row:
        rows = [r for r in rows if re.fullmatch(args.row, r.name)]
    rng = random.Random(args.seed)
    done = accepted = undefined = 0
    failed = {}
    while done < args.count:
        n = min(CHUNK, args.count - done)
        picked = [rows[i % len(rows)] for i in range(done, done + n)]
        words = [random_word(r, rng) for r in picked]
        mine, theirs = ours(args.driver, args.plugin, words), objdump(words)
        if len(mine) != n or len(theirs) != n:
            print("%d words gave %d lines here and %d from objdump" % (n, len(mine), len(theirs)))
            return 1
        for row, word, a, b in zip(picked, words, mine, theirs):
            if a == b:
                undefined += a.startswith(".inst")
            elif any(x.fullmatch(a) and y.fullmatch(b) for x, y in ACCEPTED):
                accepted += 1
            else:
                failed.setdefault(row.name, []).append("%08x  %-40s objdump: %s" % (word, a.replace("\t", " "), b.replace("\t", " ")))
        done += n
    for name in sorted(failed):
        print("%s: %d differ" % (name, len(failed[name])))
        for line in failed[name][:4]:
            print("    " + line)
    print("seed %d: %d words of %d rows, %d equal (%d undefined to both), %d accepted, %d differ"
          % (args.seed, done, len(rows), done - accepted - sum(map(len, failed.values())), undefined, accepted,
             sum(map(len, failed.values()))))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
