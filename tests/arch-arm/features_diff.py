#!/usr/bin/env python3
"""Rows of optional features (FP16, FCMA, RDM, DOTPROD, SHA512, SHA3, SM3, SM4, JSCVT) under Oryx and qemu-aarch64 -cpu max.

  features_diff.py [--count N] [--seed S] [--features REGEX] [--rows REGEX] [--oryx build/oryx] [--engine interp]

The checklist tests/insn/coverage/a64.index ends at Armv8.0, so tests/diff/run_diff.py does not draw these rows; here they
come from the ORYX_INSN rows themselves and run in the same harness. FPCR includes FZ16. Exit status as run_diff's.
Left out, where qemu 7.2 differs from the manual: scalar half FCVTZS to fixed point (qemu extends the sign to 32 bits), and
FJCVTZS of a flushed denormal (qemu sets Z).
"""
import argparse
import glob
import os
import random
import re
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests", "diff"), os.path.join(ROOT, "cmake")]
import gen_decode                                                          # noqa: E402
import program as pg                                                       # noqa: E402
import run_diff                                                            # noqa: E402

# How registers are filled: 1 doubles, 2 singles, 3 halves and integers.
FILL = {"FP16": [3], "FCMA": [1, 2], "RDM": [3], "DOTPROD": [3], "SHA512": [3], "SHA3": [3],
        "SM3": [3], "SM4": [3], "JSCVT": [1, 1, 3]}
FZ, FPCR_BITS = 1 << 24, 0x07C80000     # AHP DN FZ RMode FZ16


def fields(row, word):
    f = {}
    for k, c in enumerate(row.pattern):
        if c not in "01-":
            f[c] = f.get(c, 0) << 1 | word >> (31 - k) & 1
    return f


def allocated(row, word):
    if not row.allocated:
        return True
    text = re.sub(r"f->([a-z])", r'f["\1"]', row.allocated)
    text = text.replace("||", " or ").replace("&&", " and ").replace("!(", "not (")
    return eval(text, {"f": fields(row, word)})


def generate(rows, seed, count):
    rng = random.Random(seed)
    p = pg.Program(seed)
    while len(p.cases) < count:
        row = rng.choice(rows)
        word = rng.getrandbits(32) & ~row.mask & 0xFFFFFFFF | row.value
        if not allocated(row, word):
            continue
        fpcr = rng.getrandbits(32) & rng.getrandbits(32) & FPCR_BITS if rng.random() < 0.6 else 0
        if row.name == "FJCVTZS":
            fpcr &= ~FZ
        p.add((word,), (row.name,), pg.vmode(rng.choice(FILL[row.feature])), [(pg.reg(pg.FPCR), fpcr)])
    return p


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--count", type=int, default=100000 if os.environ.get("ORYX_TEST_LONG") else 10000)
    ap.add_argument("--features", default="|".join(FILL))
    ap.add_argument("--rows", default=".*")
    ap.add_argument("--oryx", default=os.environ.get("ORYX", "build/oryx"))
    ap.add_argument("--engine", default="")
    ap.add_argument("--show", type=int, default=5)
    args = ap.parse_args()
    rows, errors = gen_decode.read_rows(sorted(glob.glob(os.path.join(ROOT, "arch-arm", "a64_*.c"))))
    rows = [r for r in rows if r.feature in FILL and re.fullmatch(args.features, r.feature)
            and re.fullmatch(args.rows, r.name) and r.name != "FCVTZS_scih"]
    if errors or not rows:
        print("features_diff: %s" % (errors[0] if errors else "no row matches"))
        return 2
    try:
        oracle = run_diff.Side("qemu", ["qemu-aarch64", "-cpu", "max"], 300)
        other = run_diff.Side("oryx", [args.oryx, "run"] + (["--engine", args.engine] if args.engine else []), 300)
        p = generate(rows, args.seed, args.count)
        with tempfile.TemporaryDirectory() as d:
            prog = os.path.join(d, "prog")
            p.write(prog)
            bad = run_diff.compare(p, oracle, other, prog, prog, args.show, 2, "case %d of this seed and count")
    except run_diff.Missing as e:
        print("features_diff: %s" % e)
        return 2
    names = sorted({n for k in bad for n in p.cases[k].names})
    print("seed %d: %d cases of %d rows, %s" % (args.seed, args.count, len(rows), "DIFFER in " + " ".join(names) if bad else "equal"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
