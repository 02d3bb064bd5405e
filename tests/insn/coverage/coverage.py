#!/usr/bin/env python3
"""How much of the A64 index a frontend implements: `implemented / total` for each group.

The frontend's rows are the lines ORYX_INSN(NAME, "pattern", ...) of its sources. They may be cut
differently from a64.index, so they are compared by encoding space: an index row counts as
implemented when 64 random legal words of it all match some frontend pattern.

  coverage.py                         table for arch-arm, checked against a64.minimum
  coverage.py --missing [GROUP]       the rows not implemented
  coverage.py --write-minimum         raise a64.minimum to today's counts

Exit status: 0, or 1 when a count is below a64.minimum or a frontend pattern is malformed.
"""
import argparse
import glob
import os
import random
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import a64index as ix                                                      # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(ix.HERE)))
MINIMUM = os.path.join(ix.HERE, "a64.minimum")
INSN = re.compile(r'^[ \t]*ORYX_INSN\w*\(\s*(\w+)\s*,\s*((?:"[^"]*"\s*)+)', re.M)


def frontend_patterns(files):
    patterns, errors = [], []
    for path in files:
        with open(path) as f:
            text = f.read()
        for m in INSN.finditer(text):
            bits = "".join(re.findall(r'"([^"]*)"', m.group(2)))
            try:
                patterns.append(ix.Pattern(re.sub(r"[xX.]", "-", bits.replace("_", ""))))
            except ValueError as e:
                line = text.count("\n", 0, m.start()) + 1
                errors.append("%s:%d: %s: %s" % (os.path.relpath(path, ROOT), line, m.group(1), e))
    return patterns, errors


def implemented(row, finder, rng, words):
    return all(finder.find(row.random_word(rng)) for _ in range(words))


def read_minimum():
    if not os.path.exists(MINIMUM):
        return {}
    return {k: int(v) for k, v in (line.split() for line in ix.read_lines(MINIMUM))}


def write_minimum(counts):
    with open(MINIMUM, "w") as f:
        f.write("# Rows of a64.index that arch-arm must implement at least, by group.\n"
                "# Raised by `coverage.py --write-minimum`, never lowered by hand without a reason.\n")
        for group in ix.GROUPS:
            f.write("%-6s %d\n" % (group, counts.get(group, 0)))


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("files", nargs="*", help="frontend sources (default: arch-arm/a64*.c, "
                    "else arch-arm/*.c)")
    ap.add_argument("--words", type=int, default=64, help="legal words a row must decode (64)")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--missing", nargs="?", const="all", metavar="GROUP")
    ap.add_argument("--write-minimum", action="store_true")
    args = ap.parse_args()
    files = args.files or glob.glob(os.path.join(ROOT, "arch-arm", "a64*.c")) \
        or glob.glob(os.path.join(ROOT, "arch-arm", "*.c"))
    patterns, errors = frontend_patterns(sorted(files))
    finder, rng = ix.Finder(patterns), random.Random(args.seed)
    total, done, missing = {}, {}, []
    for row in ix.load_index():
        total[row.group] = total.get(row.group, 0) + 1
        if implemented(row, finder, rng, args.words):
            done[row.group] = done.get(row.group, 0) + 1
        else:
            missing.append(row)
    for e in errors:
        print(e)
    if args.missing:
        for row in missing:
            if args.missing in ("all", row.group):
                print("%-6s %-14s %-6s %s" % (row.group, row.name, row.feature, row.text))
    minimum = read_minimum()
    failed = bool(errors)
    print("A64 instructions, implemented / total (%d frontend rows in %d files)"
          % (len(patterns), len(files)))
    for group in ix.GROUPS:
        low = done.get(group, 0) < minimum.get(group, 0)
        failed |= low and not args.write_minimum
        print("  %-7s %4d / %4d%s" % (group, done.get(group, 0), total[group],
              "   BELOW the minimum %d in a64.minimum" % minimum[group] if low else ""))
    print("  %-7s %4d / %4d" % ("all", sum(done.values()), sum(total.values())))
    if args.write_minimum:
        write_minimum(done)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
