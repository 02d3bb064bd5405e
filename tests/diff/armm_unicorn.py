#!/usr/bin/python3
"""Random T32 instructions of class armm through `oryx exec` and libunicorn's M class: registers, xPSR and memory must be equal.

  armm_unicorn.py [--oryx build/oryx] [--count N] [--seed S] [--row REGEX] [--engine E]

Words, registers and what is not compared are those of arm_unicorn.py; no IT blocks here (that script has them, and the rows are the
same). Cortex-M7 against unicorn's. Needs Debian's python3-unicorn; exit status 77 without it.
"""
import argparse
import glob
import json
import os
import random
import re
import subprocess
import sys

import arm_unicorn as a
import unicorn
from unicorn import arm_const as uc

# Rows that the M profile has not, has otherwise, or that unicorn answers in its own way at user level.
OUT = re.compile(r"T_(BLX_imm|BXJ|CPS.*|CRC|HLT|LDREXD|STREXD|M[CR]R.*|MRS|MSR|SETEND|IT|LDA.*|STL.*|HINT.*|BARRIER|B_cond.*|BX|BLX|TBB|"
                 r"UDF.*|SVC|BL|B_w|B|BKPT|POP|LDM.*|LDR_lit.*|PLD.*)$")
MASK = 0xf8000000                                    # unicorn 2.0 neither takes nor gives GE here


def in_unicorn(data, regs, xpsr, memory):
    m = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    m.ctl_set_cpu_model(uc.UC_CPU_ARM_CORTEX_M7)
    m.mem_map(a.CODE & -0x1000, 0x1000)
    m.mem_map(a.DATA, a.SIZE)
    m.mem_write(a.CODE, data)
    m.mem_write(a.DATA, memory)
    for r, v in zip(a.UC_REGS, regs):
        m.reg_write(r, v)
    m.reg_write(uc.UC_ARM_REG_XPSR, xpsr)
    reason = "count"
    try:
        m.emu_start(a.CODE | 1, 0xfffffffe, count=1)
    except unicorn.UcError as e:
        reason = str(e)
    return reason, [m.reg_read(r) for r in a.UC_REGS], m.reg_read(uc.UC_ARM_REG_PC), m.reg_read(uc.UC_ARM_REG_XPSR), bytes(m.mem_read(*a.WINDOW))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--oryx", default=os.environ.get("ORYX", os.path.join(a.ROOT, "build", "oryx")))
    p.add_argument("--count", type=int, default=20000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--row", default=".*")
    p.add_argument("--engine")
    args = p.parse_args()
    rng = random.Random(args.seed)
    rows, _ = a.gen_decode.read_rows(sorted(glob.glob(os.path.join(a.ROOT, "arch-arm", "t32_*.c"))))
    rows = [r for r in rows if re.fullmatch(args.row, r.name) and not a.SKIP.match(r.name) and not OUT.match(r.name)]
    child = subprocess.Popen([args.oryx, "exec"] + (["--engine", args.engine] if args.engine else []), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    bad, done, refused = {}, 0, 0
    for i in range(args.count):
        row = rows[i % len(rows)]
        made = a.make_case(row, rng, True)
        if not made or made[3] & 0x0600fc00:
            continue
        word, data, regs, cpsr = made
        f = a.fields(row, word)
        # pc as a target leaves the map; sp loses its low bits here, as the manual has it, and is UNPREDICTABLE in the exclusives.
        if f.get("t") == 15 or f.get("d") == 13 or (13 in (f.get("d"), f.get("t"), f.get("n")) and re.match("T_(STREX|LDREX|STR_imm8|LDR_imm8)", row.name)):
            continue
        regs[13] &= ~3
        xpsr = (cpsr & MASK) | 1 << 24
        memory = rng.randbytes(a.SIZE)
        data += b"\x00\xbf" * 16
        case = {"arch": "armm", "cpu": "cortex-m7", "count": 1,
                "map": [{"addr": hex(a.CODE), "size": 4096, "hex": data.hex()}, {"addr": hex(a.DATA), "size": a.SIZE, "hex": memory.hex()}],
                "regs": dict([("pc", hex(a.CODE)), ("xpsr", hex(xpsr))] + [(n, hex(v)) for n, v in zip(a.REGS, regs)]),
                "read": {"regs": a.REGS + ["pc", "xpsr"], "mem": [{"addr": hex(a.WINDOW[0]), "size": a.WINDOW[1]}]}}
        child.stdin.write(json.dumps(case) + "\n")
        child.stdin.flush()
        ans = json.loads(child.stdout.readline())
        if "error" in ans:
            print("oryx: %s" % ans["error"])
            return 1
        reason, uregs, upc, uxpsr, umem = in_unicorn(data, regs, xpsr, memory)
        done += 1
        ufault, ofault = reason != "count" and "fetch" not in reason, ans["exit"]["reason"] != "count"
        diffs = []
        if ufault or ofault:
            refused += ufault and ofault
            if ufault != ofault:
                diffs.append("oryx %s, unicorn %s" % (ans["exit"], reason))
        else:
            ours = [int(ans["regs"][n], 16) for n in a.REGS]
            diffs += ["%s %#x not %#x" % (n, x, y) for n, x, y in zip(a.REGS, ours, uregs) if x != y]
            if int(ans["regs"]["pc"], 16) != upc & ~1 and "fetch" not in reason:
                diffs.append("pc %s not %#x" % (ans["regs"]["pc"], upc))
            mask = MASK & ~(1 << 27) if row.name == "T_SMLAD" else MASK    # unicorn's Q: see arm_unicorn.py
            if (int(ans["regs"]["xpsr"], 16) ^ uxpsr) & mask:
                diffs.append("xpsr %s not %#x" % (ans["regs"]["xpsr"], uxpsr))
            if bytes.fromhex(ans["mem"][0]["hex"]) != umem:
                diffs.append("memory")
        if diffs:
            bad.setdefault(row.name, []).append("%08x xpsr %#x %s: %s" % (
                word, xpsr, " ".join("%s=%x" % x for x in zip(a.REGS, regs)), "; ".join(diffs)))
    child.stdin.close()
    child.wait()
    for name in sorted(bad):
        print("%s: %d differ" % (name, len(bad[name])))
        for line in bad[name][:2]:
            print("    " + line)
    print("seed %d: %d instructions, %d differ, %d refused by both" % (args.seed, done, sum(map(len, bad.values())), refused))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
