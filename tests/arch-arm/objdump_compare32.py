#!/usr/bin/env python3
"""Random A32 words and T32 instructions of every row: arch-arm's disassembly against arm-linux-gnueabihf-objdump.

  objdump_compare32.py DRIVER PLUGIN [--set a32|t32|both] [--count N] [--seed S] [--row REGEX] [--all]

T32 is compared outside IT blocks. Compared is what both print for words that both decode; UNPREDICTABLE words, which
objdump marks so, are left out. Exit status 77 when objdump is missing.
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

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "cmake"))
import gen_decode                                                          # noqa: E402

# (reason, our text, objdump's text): regular expressions that must match both whole texts.
ACCEPTED = [
    ("objdump writes the registers of these by number", r"(ldrex|strex|swp)\S* .*", r"(ldrex|strex|swp)\S* .*r1[0-5].*"),
    ("objdump writes ASR #32 as #0 here", r"[us]sat.*, asr #32", r"[us]sat.*, asr #0"),
    ("objdump's spelling", r"(asr|lsl|lsr|ror)s?\S* .*", r"movs?\.w .*"),
    ("objdump's spelling", r"uxtab16.*, ror .*", r"uxtab16.*, ROR .*"),
    ("objdump takes the destination from the wrong bits", r"crc32\w+ .*", r"crc32\w+ .*"),
    ("objdump writes no condition", r"sevl[a-z]{2}", r"sevl"),
    ("hints that later extensions name", r"nop\S* {\d+}", r"(pac|aut|bti|esb|csdb|tsb|psb|clrbhb)\S*.*"),
    ("pointer authentication of M profile in unused Ra = PC", r"smmls.*, pc", r"pacg .*"),
    ("objdump drops the sign or the ! of a zero offset", r".*(#-?0\]?!?|\]!?)$", r".*(#-?0\]?!?|\]!?)$"),
]
ACCEPTED = [(re.compile(a), re.compile(b)) for _, a, b in ACCEPTED]
OBJDUMP = "arm-linux-gnueabihf-objdump"
BASE = 0x400000


def random_word(row, rng, thumb):
    word = rng.getrandbits(32)
    for letter in sorted(set(row.pattern) - set("01-")):
        bits = [31 - i for i, c in enumerate(row.pattern) if c == letter]
        choice = rng.randrange(10)
        if letter == "c" and len(bits) == 4 and not thumb:
            v = 14 if choice < 6 else rng.randrange(15)
        elif choice > 3:
            continue
        else:
            v = (0, (1 << len(bits)) - 1, 1, 13)[choice]
        for k, b in enumerate(reversed(bits)):
            word = word & ~(1 << b) | (v >> k & 1) << b
    return word & ~row.mask & 0xffffffff | row.value


def to_thumb(word):
    """The T32 word of a floating-point or AdvSIMD instruction in A32 encoding."""
    top = word >> 24
    if top & 0xfe == 0xf2:
        return word & 0xffffff | (0xef | (top & 1) << 4) << 24
    if top == 0xf4:
        return word & 0xffffff | 0xf9 << 24
    return word if top >> 4 == 15 else word & 0xfffffff | 0xe << 28


def objdump(data, thumb):
    with tempfile.NamedTemporaryFile(suffix=".bin") as f:
        f.write(data)
        f.flush()
        out = subprocess.run([OBJDUMP, "-D", "-z", "-b", "binary", "-m", "armv8-a" if thumb else "arm", "--adjust-vma=%#x" % BASE] +
                             (["-M", "force-thumb"] if thumb else []) + [f.name],
                             check=True, capture_output=True, text=True).stdout
    texts = {}
    for at, text in re.findall(r"^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$", out, re.M):
        texts[int(at, 16)] = text
    return texts


def clean(text):
    text = re.sub(r"\s*(@.*|<[^>]*>|;.*)+$", "", re.sub(r"\s*<UNPREDICTABLE>", "", text))
    return re.sub(r"\s+", " ", text).strip()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("driver")
    p.add_argument("plugin")
    p.add_argument("--set", default="both", choices=("a32", "t32", "both"))
    p.add_argument("--count", type=int, default=20000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--row", default=".*")
    p.add_argument("--show", type=int, default=3)
    args = p.parse_args()
    if not shutil.which(OBJDUMP):
        print("skipped: %s is not installed (package binutils-arm-linux-gnueabihf)" % OBJDUMP)
        return 77
    rng = random.Random(args.seed)
    failed, done, left, unknown = {}, 0, 0, 0
    for kind in ("a32", "t32") if args.set == "both" else (args.set,):
        thumb = kind == "t32"
        rows, _ = gen_decode.read_rows(sorted(glob.glob(os.path.join(ROOT, "arch-arm", kind + "_*.c"))))
        rows = [r for r in rows if re.fullmatch(args.row, r.name) and r.name != "T_IT"]
        shared, _ = gen_decode.read_rows(sorted(glob.glob(os.path.join(ROOT, "arch-arm", "vfp_*.c")) +
                                                glob.glob(os.path.join(ROOT, "arch-arm", "neon_*.c"))))
        shared = [r for r in shared if re.fullmatch(args.row, r.name)]
        rows += shared
        picked, data = [], b""
        for i in range(args.count):
            row = rows[i % len(rows)]
            word = random_word(row, rng, thumb)
            if thumb and row in shared:
                word = to_thumb(word)
            picked.append((row, word))
            if thumb and word >> 27 < 0x1d:          # a NOP fills the pair
                word = word & 0xffff0000 | 0xbf00
            data += struct.pack("<HH", word >> 16, word & 0xffff) if thumb else struct.pack("<I", word)
        mine = subprocess.run([args.driver, args.plugin, "dis32", "1" if thumb else "0", "%#x" % BASE], input=data, check=True,
                              capture_output=True).stdout.decode().splitlines()
        theirs = objdump(data, thumb)
        for k, ((row, word), a) in enumerate(zip(picked, mine)):
            b = theirs.get(BASE + 4 * k, "?")
            if "UNPREDICTABLE" in b or "unpredictable" in b or "illegal" in b:
                left += 1
                continue
            if a.startswith(".inst"):
                unknown += 1
                continue
            done += 1
            a, b = clean(a), clean(b)
            if a != b and not any(x.fullmatch(a) and y.fullmatch(b) for x, y in ACCEPTED):
                failed.setdefault(row.name, []).append("%08x  %-44s objdump: %s" % (word, a, b))
    for name in sorted(failed):
        print("%s: %d differ" % (name, len(failed[name])))
        for line in failed[name][:args.show]:
            print("    " + line)
    print("seed %d: %d instructions compared, %d differ; %d unpredictable to objdump, %d undefined here"
          % (args.seed, done, sum(map(len, failed.values())), left, unknown))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
