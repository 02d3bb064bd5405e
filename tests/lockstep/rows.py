#!/usr/bin/env python3
"""The instruction rows of a frontend for random.c: one line a row, KIND MASK VALUE, KIND p (plain), m (memory), b (branches and
system).  usage: rows.py arm64|arm|thumb|mips"""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "cmake"))
import gen_decode                                                          # noqa: E402

FILES = {"arm64": "arch-arm/a64_*.c", "arm": "arch-arm/[anv]*.c", "thumb": "arch-arm/[tnv]*.c", "mips": "arch-mips/*.c"}


def main():
    which = sys.argv[1]
    for path in sorted(glob.glob(os.path.join(ROOT, FILES[which]))):
        if which == "arm" and "a64" in path:
            continue
        rows, errors = gen_decode.read_rows([path])
        kind = "m" if re.search("ldst|atomics", path) else "b" if re.search("branch|system|sys", path) else "p"
        for row in rows:
            thumb = row.name.startswith("T_")
            if errors or which == "thumb" and not thumb and not re.search("neon|vfp", path) or which == "arm" and thumb:
                continue
            print(kind, "%x %x" % (row.mask, row.value))


if __name__ == "__main__":
    main()
