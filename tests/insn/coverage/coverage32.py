#!/usr/bin/env python3
"""The A32 and T32 checklists against objdump and against arch-arm: `implemented / total` for each group.

  coverage32.py --driver build/tests/arch-arm/a64-driver --plugin build/plugins/arch-arm.so [--missing] [--seed S]

For every row of a32.index and t32.index (T32 has A32's rows of vfp, neon and crypto too) random words that meet its rule:
objdump must print the row's mnemonic for each that it does not call UNPREDICTABLE, which proves the index, and the row counts
as implemented when arch-arm decodes every one of them. Exit status: 0; 1 when the index is wrong or a count is below
a32.minimum; 77 without objdump.
"""
import argparse
import fnmatch
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
OBJDUMP = "arm-linux-gnueabihf-objdump"
GROUPS = ("base", "vfp", "neon", "crypto")
BASE = 0x400000


class Row:
    def __init__(self, line):
        parts = line.split(None, 5)
        self.group, self.name, self.feature, self.pattern, mnemonics = parts[:5]
        self.rule = compile(parts[5], self.name, "eval") if len(parts) > 5 else None
        self.mnemonics = mnemonics.split("|")
        self.half = len(self.pattern) == 16
        self.shared = self.group in ("vfp", "neon", "crypto") and not self.name.startswith("CRC")

    def word(self, rng):
        bits = {}
        for k, ch in enumerate(self.pattern):
            bits.setdefault(ch, []).append(k)
        while True:
            f = {}
            for ch, at in bits.items():
                if ch in "01":
                    continue
                v = rng.getrandbits(len(at))
                if ch in "admnstu" and len(at) == 4:
                    v %= 13
                if self.group in ("neon", "crypto") and len(at) == 5 and ch in "dmn" and self.shared:
                    v &= ~2 if ch == "n" else ~1        # even: right for Q registers too
                f[ch] = 14 if ch == "c" and len(at) == 4 and self.pattern.startswith("cccc") else v
            if not self.rule or eval(self.rule, {"bin": bin}, f):
                break
        word = 0
        left = {ch: len(at) for ch, at in bits.items()}
        for ch in self.pattern:
            if ch in "01":
                b = int(ch)
            else:
                left[ch] -= 1
                b = f[ch] >> left[ch] & 1
            word = word << 1 | b
        return word << 16 if self.half else word


def to_thumb(word):
    """The T32 word of a floating-point or AdvSIMD instruction in A32 encoding."""
    top = word >> 24
    if top & 0xfe == 0xf2:
        return word & 0xffffff | (0xef | (top & 1) << 4) << 24
    if top == 0xf4:
        return word & 0xffffff | 0xf9 << 24
    return word if top >> 4 == 15 else word & 0xfffffff | 0xe << 28


def read_index(name):
    with open(os.path.join(HERE, name)) as f:
        return [Row(line) for line in f if line.strip() and not line.startswith("#")]


def pack(words, thumb):
    if not thumb:
        return b"".join(struct.pack("<I", w) for w in words)
    return b"".join(struct.pack("<HH", w >> 16, w & 0xffff if w >> 27 >= 0x1d else 0xbf00) for w in words)


def objdump(data, thumb):
    with tempfile.NamedTemporaryFile(suffix=".bin") as f:
        f.write(data)
        f.flush()
        out = subprocess.run([OBJDUMP, "-D", "-z", "-b", "binary", "-m", "armv8-a" if thumb else "arm", "--adjust-vma=%#x" % BASE] +
                             (["-M", "force-thumb"] if thumb else []) + [f.name], check=True, capture_output=True, text=True).stdout
    return {(int(at, 16) - BASE) // 4: text for at, text in re.findall(r"^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$", out, re.M)
            if int(at, 16) % 4 == 0}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--driver", required=True)
    ap.add_argument("--plugin", required=True)
    ap.add_argument("--missing", action="store_true")
    ap.add_argument("--words", type=int, default=48)
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    if not shutil.which(OBJDUMP):
        print("skipped: %s is not installed (package binutils-arm-linux-gnueabihf)" % OBJDUMP)
        return 77
    minimum = {}
    with open(os.path.join(HERE, "a32.minimum")) as f:
        for line in f:
            if not line.startswith("#"):
                kind, group, count = line.split()
                minimum[kind, group] = int(count)
    rng = random.Random(args.seed)
    a32 = read_index("a32.index")
    wrong, below = [], 0
    for kind, rows in (("a32", a32), ("t32", read_index("t32.index") + [r for r in a32 if r.shared])):
        thumb = kind == "t32"
        picked = [(r, to_thumb(w) if thumb and r.shared else w) for r in rows for w in (r.word(rng) for _ in range(args.words))]
        data = pack([w for _, w in picked], thumb)
        theirs = objdump(data, thumb)
        mine = subprocess.run([args.driver, args.plugin, "dis32", "1" if thumb else "0", "%#x" % BASE], input=data, check=True,
                              capture_output=True).stdout.decode().splitlines()
        missing, seen = {}, {}
        for k, (row, word) in enumerate(picked):
            text = theirs.get(k, "?")
            if re.search("UNPREDICTABLE|UNDEFINED|unpredictable|illegal", text):
                continue
            seen[row.name] = seen.get(row.name, 0) + 1
            mnemonic = re.split(r"[.\s]", text)[0]
            if not any(fnmatch.fnmatch(mnemonic, m) for m in row.mnemonics):
                wrong.append("%s %s %08x: objdump says %s" % (kind, row.name, word, text))
            if mine[k].startswith(".inst"):
                missing.setdefault(row.name, []).append("%08x %s" % (word, text))
        for row in rows:
            if seen.get(row.name, 0) < args.words // 8:
                wrong.append("%s %s: objdump takes only %d of %d words" % (kind, row.name, seen.get(row.name, 0), args.words))
        for group in GROUPS:
            of = [r for r in rows if r.group == group]
            done = sum(r.name not in missing for r in of)
            print("%s %-6s %3d / %3d" % (kind, group, done, len(of)))
            below += done < minimum.get((kind, group), 0)
        if args.missing:
            for name, words in missing.items():
                print("  missing %s: %s" % (name, words[0]))
    for line in wrong[:40]:
        print("index: " + line)
    if below:
        print("%d counts are below a32.minimum" % below)
    return 1 if wrong or below else 0


if __name__ == "__main__":
    sys.exit(main())
