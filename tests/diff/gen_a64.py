#!/usr/bin/env python3
"""Generates one static aarch64 Linux program that executes random A64 instructions.

  gen_a64.py --seed 1 --count 1000 --group base --out prog     the program
  qemu-aarch64 prog > digests                                  8 bytes a case, then the arena's
  qemu-aarch64 prog 17 1 > dump                                case 17: everything before and after
  gen_a64.py --seed 1 --count 1000 --group base --verbose-case 17     what case 17 is, and its dump
  gen_a64.py --seed 1 --count 1000 --group base --only 17 --out tiny  a program of that case alone

Groups: base fp simd crypto (data processing, branches, system), mem (every load and store), fault
(accesses to bad pages, misaligned atomics, undefined words, bad branches), all (the first five), ext
(optional extensions of a64_ext.index; give --run or --qemu a CPU that has them, "qemu-aarch64 -cpu max").
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases                                                               # noqa: E402
import faults                                                              # noqa: E402
import program as pg                                                       # noqa: E402
import report                                                              # noqa: E402
from cases import ix                                                       # noqa: E402

GROUPS = ("base", "fp", "simd", "crypto", "mem", "fault", "all", "ext")


def rows_of(group, rows):
    if group == "mem":
        return [r for r in rows if r.is_memory] + [r for r in rows if r.name == "SYS"]
    if group == "ext":                      # qemu 7.2 writes 32 bits where FCVTZS Hd, Hn, #f has 16
        return [r for r in rows if r.name not in ("FCVTZS_scih", "FCVTZU_scih")]
    if group == "all":
        return rows
    return [r for r in rows if r.group == group and not r.is_memory]


def generate(seed, count, group, sequence=1, only_rows=None):
    """The Program of `count` cases; the same arguments give the same program."""
    rng = random.Random("%d/%s/%d" % (seed, group, sequence))
    rows = ix.load_index(ix.EXTENSIONS if group == "ext" else ix.INDEX)
    if group == "fault":
        p = pg.Program(seed, pg.FAULT_WINDOWS, fault=True)
        faults.fill(p, rng, rows, count)
        return p
    p = pg.Program(seed)
    rows = rows_of(group, rows)
    if only_rows:
        rows = [r for r in rows if r.name in only_rows]
        if not rows:
            raise ValueError("no row of group %s is named %s" % (group, " ".join(only_rows)))
    maker = cases.Maker(rng, p)
    calm = [r for r in rows if not r.is_memory and r.name not in cases.TRAPS | cases.BRANCHES
            and r.name not in ("BR", "BLR", "RET", "ADR", "ADRP", "SVC")]
    while len(p.cases) < count:
        row = rng.choice(rows)
        if row.name in cases.TRAPS and rng.random() < 0.8:
            continue                        # a signal costs a hundred plain cases
        if group == "mem" and row.name == "SYS":
            maker.zero_block(row)
        elif sequence > 1 and calm:
            maker.plain([rng.choice(calm) for _ in range(sequence)])
        else:
            maker.make(row)
    return p


def arguments(description):
    ap = argparse.ArgumentParser(description=description)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--count", type=int, default=1000)
    ap.add_argument("--group", choices=GROUPS, default="base")
    ap.add_argument("--sequence", type=int, default=1, metavar="L",
                    help="instructions a case, register-to-register groups only (1)")
    ap.add_argument("--rows", nargs="*", help="only these rows of the index, by name")
    return ap


def main():
    ap = arguments(__doc__.splitlines()[0])
    ap.add_argument("--out", help="the ELF to write")
    ap.add_argument("--only", type=int, metavar="K", help="write a program of case K alone")
    ap.add_argument("--verbose-case", type=int, metavar="K", help="describe and dump case K")
    ap.add_argument("--run", default="qemu-aarch64 -cpu cortex-a76",
                    help="what runs the program for --verbose-case")
    args = ap.parse_args()
    try:
        p = generate(args.seed, args.count, args.group, args.sequence, args.rows)
        if args.out:
            p.write(args.out, args.only)
    except ValueError as e:
        sys.exit("gen_a64: %s" % e)
    if args.verbose_case is not None:
        with tempfile.TemporaryDirectory() as d:
            prog = os.path.join(d, "prog")
            p.write(prog, args.verbose_case)
            out = subprocess.run(args.run.split() + [prog, str(args.verbose_case), "1"],
                                 stdout=subprocess.PIPE).stdout
        case = p.cases[args.verbose_case]
        print(report.describe(case))
        for d in pg.read_dumps(out, p.windows):
            print(report.full(d))
    elif not args.out:
        ap.error("give --out or --verbose-case")


if __name__ == "__main__":
    main()
