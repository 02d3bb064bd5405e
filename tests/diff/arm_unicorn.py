#!/usr/bin/python3
"""Random A32 and T32 instructions through `oryx exec` and libunicorn: registers, CPSR and memory must be equal.

  arm_unicorn.py [--oryx build/oryx] [--set a32|t32|both] [--count N] [--seed S] [--row REGEX] [--engine E]

Words come from the rows of arch-arm (fields random, with zeros, ones and neighbours more often); registers hold
boundary values, or addresses inside the data window when the row accesses memory. One instruction a case. In T32 a
third of the cases stand in an IT block. Needs Debian's python3-unicorn; exit status 77 without it.

Not compared, with the reason (SKIP and the filters below): what the manual leaves UNPREDICTABLE, and unicorn's known
deviations: it does not check the alignment of LDM, LDRD and LDREXD; it does not stop inside an IT block, so both run to
its end over NOPs; it stops at exceptions and hints in its own way, and is privileged, so those rows are left out.
"""
import argparse
import glob
import json
import os
import random
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "cmake"))
sys.path.insert(0, HERE)
import gen_decode                                                          # noqa: E402
from arm_cases import MEMORY, SKIP, aligned, fields, misaligned, random_word, unpredictable, value   # noqa: E402

try:
    import unicorn
    from unicorn import arm_const as uc
except ImportError:
    print("skipped: python3-unicorn is not installed")
    sys.exit(77)

CODE, DATA, SIZE = 0x10000, 0x200000, 0x2000
WINDOW = (DATA + 0x1000, 0x600)                      # compared
REGS = ["r%d" % k for k in range(13)] + ["sp", "lr"]
UC_REGS = [uc.UC_ARM_REG_R0 + k for k in range(13)] + [uc.UC_ARM_REG_SP, uc.UC_ARM_REG_LR]
CPSR_MASK = 0xf80f0220 | 0x0600fc00                  # NZCVQ GE E T IT
def make_case(row, rng, thumb):
    """(code bytes, registers, cpsr) or None."""
    for _ in range(200):
        word = random_word(row, rng)
        f = fields(row, word)
        it = rng.choice((None, None, "last", "more")) if thumb and row.name != "T_IT" else None
        if gen_decode.allocated_value(row, word) and not unpredictable(row, word, f, thumb, it) \
                and not misaligned(row, f):
            break
    else:
        return None
    if not thumb and row.pattern.startswith("cccc"):
        cond = 14 if rng.randrange(3) else rng.randrange(14)
        word = word & 0x0fffffff | cond << 28
    cpsr = rng.randrange(32) << 27 | rng.randrange(16) << 16 | 0x10
    if thumb:
        cpsr |= 0x20
        if it:
            cond = rng.randrange(14)
            state = cond << 4 | (8 if it == "last" else rng.choice((4, 12, 2, 6, 10, 14)))
            cpsr |= (state & 3) << 25 | (state >> 2) << 10
        data = (word >> 16).to_bytes(2, "little")
        if word >> 27 >= 0x1d:
            data += (word & 0xffff).to_bytes(2, "little")
    else:
        data = word.to_bytes(4, "little")
    memory = bool(MEMORY.match(row.name))
    regs = []
    for k in range(15):
        if memory:
            v = WINDOW[0] + 0x300 + rng.randrange(-0x40, 0x40)
            if aligned(row.name):
                v &= -8
            regs.append(v)
        else:
            regs.append(value(rng))
    if memory:
        if f.get("m") is not None and f["m"] < 15 and f["m"] != f.get("n"):
            regs[f["m"]] = rng.randrange(0, 0x20) & (-8 if aligned(row.name) else -1)
        n = f.get("n")
        if "t" in f and n is not None and f["t"] < 15 and f["t"] not in (n, f.get("m")):
            regs[f["t"]] = value(rng)
    # A branch to the instruction itself is run once or twice by unicorn, as its timing has it: send them all away.
    if re.search(r"_?(BX|BXJ|BLX|BLX_reg|MOV_high|ADD_high)$", row.name) and f.get("m", 15) < 15 or row.name.startswith("DP"):
        if f.get("d", 15) == 15 or "d" not in f:
            regs[f.get("m", 0) % 15] = 0x20000 + rng.randrange(0x1000)
    return word, data, regs, cpsr


def in_unicorn(data, regs, cpsr, memory, thumb):
    m = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB if thumb else unicorn.UC_MODE_ARM)
    m.ctl_set_cpu_model(uc.UC_CPU_ARM_MAX)
    m.mem_map(CODE & -0x1000, 0x1000)
    m.mem_map(DATA, SIZE)
    m.mem_write(CODE, data)
    m.mem_write(DATA, memory)
    m.reg_write(uc.UC_ARM_REG_CPSR, cpsr)
    for r, v in zip(UC_REGS, regs):
        m.reg_write(r, v)
    reason = "count"
    try:
        # Writing the whole IT state works only through CPSR, which emu_start keeps.
        m.emu_start(CODE | thumb, 0xfffffffe, count=1)
    except unicorn.UcError as e:
        reason = str(e)
    out = [m.reg_read(r) for r in UC_REGS]
    return reason, out, m.reg_read(uc.UC_ARM_REG_PC), m.reg_read(uc.UC_ARM_REG_CPSR), bytes(m.mem_read(*WINDOW))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--oryx", default=os.environ.get("ORYX", os.path.join(ROOT, "build", "oryx")))
    p.add_argument("--set", default="both", choices=("a32", "t32", "both"))
    p.add_argument("--count", type=int, default=20000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--row", default=".*")
    p.add_argument("--engine")
    p.add_argument("--show", type=int, default=3)
    args = p.parse_args()
    rng = random.Random(args.seed)
    bad = {}
    done = both_fault = 0
    command = [args.oryx, "exec"] + (["--engine", args.engine] if args.engine else [])
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    sets = ("a32", "t32") if args.set == "both" else (args.set,)
    for kind in sets:
        rows, errors = gen_decode.read_rows(sorted(glob.glob(os.path.join(ROOT, "arch-arm", kind + "_*.c"))))
        rows = [r for r in rows if re.fullmatch(args.row, r.name) and not SKIP.match(r.name)]
        thumb = kind == "t32"
        for i in range(args.count // len(sets)):
            row = rows[i % len(rows)]
            made = make_case(row, rng, thumb)
            if not made:
                continue
            word, data, regs, cpsr = made
            memory = rng.randbytes(SIZE)
            if rng.randrange(2):                       # words that are addresses of code, for loads into pc
                memory = b"".join((0x20000 + rng.randrange(0x1000)).to_bytes(4, "little") for _ in range(SIZE // 4))
            if thumb:
                data += b"\x00\xbf" * 16
            state = (cpsr >> 25 & 3) | (cpsr >> 10 & 0x3f) << 2
            count = 4 - next(k for k in range(4) if state >> k & 1) if state & 15 else 1
            if row.name == "T_IT":
                state = word >> 16 & 255
                count = 5 - next(k for k in range(4) if state >> k & 1)
            case = {"arch": "arm", "mode": "thumb" if thumb else "arm", "count": count,
                    "map": [{"addr": hex(CODE), "size": 4096, "hex": data.hex()}, {"addr": hex(DATA), "size": SIZE, "hex": memory.hex()}],
                    "regs": dict([("pc", hex(CODE)), ("cpsr", hex(cpsr))] + [(n, hex(v)) for n, v in zip(REGS, regs)]),
                    "read": {"regs": REGS + ["pc", "cpsr"], "mem": [{"addr": hex(WINDOW[0]), "size": WINDOW[1]}]}}
            child.stdin.write(json.dumps(case) + "\n")
            child.stdin.flush()
            ans = json.loads(child.stdout.readline())
            if "error" in ans:
                print("oryx: %s" % ans["error"])
                return 1
            reason, uregs, upc, ucpsr, umem = in_unicorn(data, regs, cpsr, memory, thumb)
            done += 1
            mine = ans["exit"]["reason"]
            ours = [int(ans["regs"][n], 16) for n in REGS]
            opc, ocpsr = int(ans["regs"]["pc"], 16), int(ans["regs"]["cpsr"], 16)
            omem = bytes.fromhex(ans["mem"][0]["hex"])
            ufault = reason != "count" and "fetch" not in reason
            ofault = mine != "count"
            diffs = []
            if ufault or ofault:
                both_fault += ufault and ofault
                if ufault != ofault:
                    diffs.append("oryx %s, unicorn %s" % (ans["exit"], reason))
            else:
                diffs += ["%s %#x not %#x" % (n, a, b) for n, a, b in zip(REGS, ours, uregs) if a != b]
                inside = state & 15 and all(CODE < x < CODE + 16 for x in (opc, upc))    # unicorn stops where it likes
                if opc != upc & ~1 and opc & ~3 != upc & ~3 and not inside:
                    diffs.append("pc %#x not %#x" % (opc, upc))
                # unicorn sets Q when the sum of SMLAD's products overflows although the whole sum does not.
                mask = CPSR_MASK & ~(1 << 27) if row.name in ("SMLAD", "T_SMLAD") else CPSR_MASK
                if (ocpsr ^ ucpsr) & mask:
                    diffs.append("cpsr %#x not %#x" % (ocpsr & CPSR_MASK, ucpsr & CPSR_MASK))
                if omem != umem:
                    diffs.append("memory")
            if diffs:
                bad.setdefault(row.name, []).append("%08x cpsr %#x %s: %s" % (
                    word, cpsr, " ".join("%s=%x" % x for x in zip(REGS, regs)), "; ".join(diffs)))
    child.stdin.close()
    child.wait()
    for name in sorted(bad):
        print("%s: %d differ" % (name, len(bad[name])))
        for line in bad[name][:args.show]:
            print("    " + line)
    print("seed %d: %d instructions, %d differ, %d refused by both" % (args.seed, done, sum(map(len, bad.values())), both_fault))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
