#!/usr/bin/env python3
"""Every row's instruction in a branch delay slot: executed, faulting, a breakpoint, the last of its page, on a page that is not there.

What an instruction does in a slot is what it does at the same address without the branch; then the branch is taken. So each case runs
at the slot's address alone and behind a branch, and registers, memory and exits must agree: the pc is the target's, or the slot's when
it faults. A branch in a slot is reserved. With the branch last of a page that nothing follows, the slot's fetch faults at the slot.

  slots.py [--oryx build/oryx] [--class CLASS] [--cpu MODEL] [--engine E] [--count N] [--seed S]
"""
import argparse
import glob
import json
import os
import random
import struct
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "cmake"), os.path.join(ROOT, "tests", "diff")]
import gen_decode                                                          # noqa: E402
import mips_diff                                                           # noqa: E402

PAGE, DATA, SIZE, BREAK = 0x10000000, 0x20000000, 256, 0x0d
BRANCHES = {"always": 0x10000000, "taken": 0x10200000 | 0 << 21, "indirect": 0x03400009}  # beq r0; beq r1,r0 with r1 = 0; jalr r0,r26
TARGET = PAGE + 0x100


def run(args, cases):
    p = subprocess.run([args.oryx, "exec"] + (["--engine", args.engine] if args.engine else []), stdout=subprocess.PIPE, text=True,
                       input="\n".join(json.dumps(c) for c in cases) + "\n")
    out = [json.loads(line) for line in p.stdout.splitlines()]
    if len(out) != len(cases):
        sys.exit("oryx exec: status %d, %d answers for %d cases" % (p.returncode, len(out), len(cases)))
    return out


def case(args, order, at, words, regs, pc, count, mem):
    code = bytearray(struct.pack(order + "1024I", *[BREAK] * 1024))
    code[at - PAGE:at - PAGE + 4 * len(words)] = struct.pack(order + "%dI" % len(words), *words)
    names = ["r%d" % n for n in range(1, 32)] + ["hi", "lo", "fcsr"] + ["f%d" % n for n in range(32)]
    values = {"r%d" % n: hex(regs[n]) for n in range(1, 32)}
    values.update({"f%d" % n: hex(regs[32 + n]) for n in range(32)})
    return {"arch": args.cls, "cpu": args.cpu, "count": count, "regs": {**values, "pc": hex(pc)},
            "read": {"regs": names + ["pc", "resume"], "mem": [{"addr": hex(DATA), "size": SIZE}]},
            "map": [{"addr": hex(PAGE), "size": 4096, "hex": bytes(code[:4096]).hex()},
                    {"addr": hex(DATA), "size": 4096, "hex": mem.hex()}]}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--oryx", default=os.environ.get("ORYX", os.path.join(ROOT, "build", "oryx")))
    p.add_argument("--class", dest="cls", default="mips64el")
    p.add_argument("--cpu", default="mips64r2")
    p.add_argument("--engine")
    p.add_argument("--count", type=int, default=4, help="words a row")
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    rng, order, wide = random.Random(args.seed), "<" if args.cls.endswith("el") else ">", "64" in args.cls
    r6 = "r6" in args.cpu
    mask = (1 << 64) - 1 if wide else 0xffffffff
    rows, errors = gen_decode.read_rows(sorted(glob.glob(os.path.join(ROOT, "arch-mips", "*.c"))))
    assert not errors, errors
    rows = [r for r in rows if r.feature not in ("R3000", "OCTEON") and (r6 or not r.feature.startswith(("R6", "XNP", "CRC", "R5")))
            and not (r6 and r.feature.endswith("_5"))]
    plan, cases = [], []
    for row in rows:
        name = mips_diff.base_name(row)
        control = bool(mips_diff.BRANCH.fullmatch(name)) and name not in ("BREAK", "BITSWAP", "JALX")
        for _ in range(args.count):
            made = None if control else mips_diff.make_case(row, [], rng, wide, r6)
            word = made[0][0] if made else mips_diff.random_word(row, rng)
            if word is None or row.name == "RDHWR" and word >> 11 & 31 == 2:  # the time moves on
                continue
            regs = (made[1] if made else [0] + [mips_diff.value(rng, False) for _ in range(31)]) + [rng.getrandbits(64) for _ in range(32)]
            f = mips_diff.fields(row, word)
            regs[26], regs[1] = TARGET, 0
            if not made and "s" in f and f["s"] not in (0, 1, 26):
                regs[f["s"]] = DATA + rng.choice((0, 8, 64, 4096 + 64, 3))
            regs = [0] + [v & mask for v in regs[1:32]] + regs[32:]
            kind, branch = rng.choice(sorted(BRANCHES.items()))
            mem = rng.randbytes(SIZE)
            # The slot: in the middle of a page, or the last instruction of it.
            slot = rng.choice((PAGE + 0x44, PAGE + 0xffc))
            jump = branch if kind == "indirect" else branch | (TARGET - slot >> 2 & 0xffff)
            cases.append(case(args, order, slot, [word], regs, slot, 1, mem))
            cases.append(case(args, order, slot - 4, [jump, word], regs, slot - 4, 2, mem))
            cases.append(case(args, order, PAGE + 0xffc, [branch if kind == "indirect" else branch | (TARGET - PAGE - 0x1000 >> 2 & 0xffff)], regs,
                              PAGE + 0xffc, 2, mem))
            plan.append((row.name, word, slot, control, kind))
    results, bad = run(args, cases), 0
    for i, (name, word, slot, control, kind) in enumerate(plan):
        alone, behind, missing = results[3 * i:3 * i + 3]
        if any("error" in r for r in (alone, behind, missing)):
            problem = str([r.get("error") for r in (alone, behind, missing)])
        else:
            problem = compare(alone, behind, slot, control)
            if missing["exit"]["reason"] != "fault" or int(missing["exit"]["pc"], 16) != PAGE + 0x1000 or missing["insns"] != 1:
                problem = problem or "slot on a missing page: %s" % missing["exit"]
        if problem:
            bad += 1
            if bad < 20:
                print("%s %08x %s at %#x: %s" % (name, word, kind, slot, problem))
    print("%s %s%s: %d instructions of %d rows in slots, %d differ" % (args.cls, args.cpu, " " + args.engine if args.engine else "", len(plan),
                                                                      len({n for n, *_ in plan}), bad))
    return bad != 0


def compare(alone, behind, slot, control):
    a, b = alone["exit"], behind["exit"]
    if control:
        if b["reason"] != "exception" or int(b["pc"], 16) != slot:
            return "a branch in a slot: %s" % b
        return None
    if a["reason"] != b["reason"]:
        return "%s alone, %s in the slot" % (a, b)
    for n in alone["regs"]:
        if n not in ("pc", "resume") and alone["regs"][n] != behind["regs"][n]:
            return "%s is %s alone, %s in the slot" % (n, alone["regs"][n], behind["regs"][n])
    if alone["mem"] != behind["mem"]:
        return "memory differs"
    # CTC1 leaves for the run loop: its slot is done and only the jump is left.
    pc = int(behind["regs"]["resume"], 16)
    if a["reason"] == "count" and pc != TARGET:
        return "pc is %#x" % pc
    if a["reason"] in ("fault", "exception") and (int(b["pc"], 16) != slot or behind["insns"] != 1):
        return "the fault is at %s after %d instructions" % (b["pc"], behind["insns"])
    return None


if __name__ == "__main__":
    sys.exit(main())
