#!/usr/bin/env python3
"""Single A32 and T32 instructions against qemu-arm's recorded answers: a32.ins, t32.ins.

  ins32.py [--oryx build/oryx] [--engine E] [FILE...]      run the lines through one `oryx exec`, compare every register
  ins32.py --generate [--per-row N] [--seed S]             write both files anew (needs qemu-arm and binutils)

A line is `WORD | text | state before => what changed`: the word (T32: first halfword first), objdump's text, registers that
are not zero, then those that differ after one instruction. cpsr is NZCVQ and GE, fpscr is read as the program reads it.
"""
import argparse
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FILES = [os.path.join(HERE, name) for name in ("a32.ins", "t32.ins")]
REGS = ["r%d" % k for k in range(13)] + ["sp", "lr"]
COMPARED = REGS + ["cpsr", "fpscr"] + ["d%d" % k for k in range(32)]
PC, CPSR_MASK = 0x10000, 0xf80f0000


def parse(line):
    word, text, states = (x.strip() for x in line.split("|"))
    before, after = states.split("=>")
    return word, text, [dict((n, int(v, 16)) for n, v in (x.split("=") for x in s.split())) for s in (before, after)]


def code_of(word, thumb):
    w = int(word, 16)
    if not thumb:
        return struct.pack("<I", w)
    return struct.pack("<H", w) if len(word) == 4 else struct.pack("<HH", w >> 16, w & 0xffff)


def run(path, args):
    thumb = os.path.basename(path).startswith("t32")
    lines, cases = [], []
    with open(path) as f:
        for number, line in enumerate(f, 1):
            if line.strip() and not line.startswith("#"):
                lines.append((number, line.rstrip("\n")) + parse(line))
    for number, _, word, _, (before, _) in lines:
        regs = {n: hex(v) for n, v in before.items()}
        regs["cpsr"] = hex(before.get("cpsr", 0) | 0x10 | (0x20 if thumb else 0))
        regs["pc"] = hex(PC)
        cases.append(json.dumps({"arch": "arm", "mode": "thumb" if thumb else "arm", "count": 1, "regs": regs,
                                 "map": [{"addr": hex(PC), "size": 4096, "hex": code_of(word, thumb).hex()}],
                                 "read": {"regs": COMPARED}}))
    command = [args.oryx, "exec"] + (["--engine", args.engine] if args.engine else [])
    out = subprocess.run(command, input="\n".join(cases) + "\n", capture_output=True, text=True).stdout.splitlines()
    bad = 0
    for (number, line, word, text, (before, after)), answer in zip(lines, out):
        ans = json.loads(answer)
        if ans.get("exit", {}).get("reason") != "count":
            print("%s:%d: %s\n    %s" % (path, number, line[:100], answer[:200]))
            bad += 1
            continue
        got = {n: int(v, 16) for n, v in ans["regs"].items()}
        got["cpsr"] &= CPSR_MASK
        want = dict(before, **after)
        wrong = ["%s=%x not %x" % (n, got[n], want.get(n, 0)) for n in COMPARED if got[n] != want.get(n, 0)]
        if wrong:
            bad += 1
            if bad < 20:
                print("%s:%d: %s %s: %s" % (path, number, word, text, ", ".join(wrong)))
    print("%s: %d lines, %d wrong" % (os.path.relpath(path, ROOT), len(lines), bad))
    return bad or len(out) != len(lines)


def texts(cases, thumb):
    """objdump's text of each case's one instruction."""
    with tempfile.NamedTemporaryFile(suffix=".bin") as f:
        f.write(b"".join(c.code if len(c.code) == 4 else c.code + b"\x00\xbf" for c in cases))
        f.flush()
        out = subprocess.run(["arm-linux-gnueabihf-objdump", "-D", "-z", "-b", "binary", "-m", "armv8-a" if thumb else "arm"] +
                             (["-M", "force-thumb"] if thumb else []) + [f.name], capture_output=True, text=True).stdout
    found = dict((int(a, 16), t) for a, t in re.findall(r"^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$", out, re.M))
    return [re.sub(r"\s+", " ", re.sub(r"\s*(@|;).*", "", found.get(4 * k, "?"))) for k in range(len(cases))]


def named(text):
    """Record words (index into r0-r14, or D registers) that the text names."""
    core = {"sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14}
    keep_r = {int(x) for x in re.findall(r"\br(\d+)", text)} | {n for x, n in core.items() if re.search(r"\b%s\b" % x, text)}
    keep_d = {int(x) for x in re.findall(r"\bd(\d+)", text)} | {int(x) // 2 for x in re.findall(r"\bs(\d+)", text)}
    for x in re.findall(r"\bq(\d+)", text):
        keep_d |= {2 * int(x), 2 * int(x) + 1}
    for a, b in re.findall(r"\bd(\d+)\S*-d(\d+)", text):
        keep_d |= set(range(int(a), int(b) + 1))
    return keep_r, keep_d


def generate(args):
    sys.path.insert(0, os.path.join(ROOT, "tests", "diff"))
    import arm_diff as ad
    args.row, args.timeout, args.keep = ".*", 300, None
    for thumb, path in enumerate(FILES):
        with open(path, "w") as f:
            f.write("# Written by ins32.py --generate --seed %d: states by qemu-arm -cpu max, text by objdump.\n" % args.seed)
            for group in ("base", "vfp", "neon", "crypto"):
                rng = random.Random("ins %s %d %d" % (group, thumb, args.seed))
                maker = ad.Maker(rng, thumb, group, ".*")
                cases = []
                for k in range(len(maker.rows) * args.per_row):
                    c = maker.case(k)
                    if c and c.it is None:
                        cases.append(c)
                for c, text in zip(cases, texts(cases, thumb)):
                    c.text = text
                    keep_r, keep_d = named(text)
                    w = list(struct.unpack_from("<II15III", c.record))
                    w[2:17] = [v if k in keep_r else 0 for k, v in enumerate(w[2:17])]
                    d = b"".join(c.record[80 + 8 * k:88 + 8 * k] if k in keep_d else bytes(8) for k in range(32))
                    c.record = struct.pack("<II15III", *w) + bytes(4) + d + c.record[336:]
                want = ad.run_qemu(args, cases)
                f.write("# %s\n" % group)
                for k, c in enumerate(cases):
                    answer = want[k * ad.SIZE:(k + 1) * ad.SIZE]
                    if struct.unpack_from("<I", answer)[0] or re.search(r"\bpc\b", c.text):
                        continue                         # raised a signal; reads the slot's address
                    rename = {"r13": "sp", "r14": "lr"}
                    a, b = ({rename.get(n, n): v for n, v in ad.words(x).items()} for x in (c.record, answer))
                    before = " ".join("%s=%x" % (n, a[n]) for n in COMPARED if a[n])
                    after = " ".join("%s=%x" % (n, b[n]) for n in COMPARED if b[n] != a[n])
                    digits = 4 if thumb and c.word >> 27 < 0x1d else 8
                    f.write("%0*x | %s | %s => %s\n" % (digits, c.word >> 16 if digits == 4 else c.word, c.text, before, after))
    return 0


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("files", nargs="*", default=FILES)
    ap.add_argument("--oryx", default=os.environ.get("ORYX", os.path.join(ROOT, "build", "oryx")))
    ap.add_argument("--engine", default="")
    ap.add_argument("--generate", action="store_true")
    ap.add_argument("--per-row", type=int, default=5)
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    if args.generate:
        return generate(args)
    return 1 if sum(run(path, args) for path in args.files) else 0


if __name__ == "__main__":
    sys.exit(main())
