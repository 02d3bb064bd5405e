#!/usr/bin/env python3
"""Writes the a64_*.ins files: single instructions with state before and after, by qemu-aarch64's answer.

  gen_ins.py [--seed S] [--per-row N] [--only FILE...]

The oracle is `qemu-aarch64 -cpu cortex-a76` running programs of tests/diff, the text is objdump's.
A line's registers are zero unless named on the left; only what changed is named on the right.
Exit status 2 when qemu or objdump is missing.
"""
import argparse
import os
import random
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "diff"))
import cases                                                               # noqa: E402
import program as pg                                                       # noqa: E402
import values                                                              # noqa: E402
from cases import ix                                                       # noqa: E402

WINDOW = [(pg.CENTRE, 32, 2)]
SYSTEM = cases.TRAPS | {"SVC", "NOP", "YIELD", "WFE", "WFI", "SEV", "SEVL", "HINT", "CLREX", "DSB", "DMB",
                        "ISB", "MSR_reg", "MRS", "SYS", "SYSL"}
FILES = ("a64_base", "a64_mem", "a64_fp", "a64_simd", "a64_system")
PC_RELATIVE = cases.BRANCHES | {"ADR", "ADRP", "BR", "BLR", "RET"}
GENERAL_OPERAND = re.compile(r"_(int|fix|gen|ws|sw|xd|dx|xvd1|vd1x)$|^[SU]MOV$")
PER_ROW = {"a64_base": 12, "a64_fp": 18}            # the others: 6
ORACLE = "qemu-aarch64 -cpu cortex-a76"


def file_of(row):
    if row.is_memory:
        return "a64_mem"
    if row.name in SYSTEM:
        return "a64_system"
    return {"base": "a64_base", "fp": "a64_fp"}.get(row.group, "a64_simd")


class InsMaker(cases.Maker):
    """Cases whose registers are all zero but those the instruction names."""

    cache_span = (0, 4096)

    def target(self, size, aligned):
        t = pg.CENTRE + self.rng.randrange(16, 80)
        return t & -size if aligned else t

    def inputs(self, row, f, kind):
        """Overrides for every register field of the row."""
        over = {}
        vector = row.group != "base"
        general = not vector or row.is_memory or GENERAL_OPERAND.search(row.name)
        for ch in "dnmatus":
            if ch not in f or row.width(ch) != 5:
                continue
            for step in range(self.span(row, f, ch)):
                k = (f[ch] + step) % 32
                if vector and row.is_memory and ch not in "nm":
                    pass
                elif general and k < 31:
                    over[pg.reg(k)] = values.integer(self.rng)
                elif general and ch == "n":
                    over[pg.reg(pg.SP)] = values.integer(self.rng)
                if vector and not (row.is_memory and ch in "nm"):
                    over[pg.vreg(k, 0)] = values.vector(self.rng, kind)
                    over[pg.vreg(k, 1)] = values.vector(self.rng, kind)
        return over

    @staticmethod
    def span(row, f, ch):
        if row.name.startswith("CASP") and ch in "st":
            return 2
        if row.name in ("TBL", "TBX") and ch == "n":
            return f["l"] + 1
        if row.group == "simd" and row.is_memory and ch == "t" and row.name.startswith("ST"):
            return 4 if "x4" in row.name else 3 if "x3" in row.name else 2 if "x2" in row.name \
                else int(row.name[2])
        return 1

    def flags_in(self, row, f):
        over = {}
        reads = "c" in f or row.name.startswith(("ADC", "SBC", "MRS"))
        if reads or self.rng.random() < 0.2:
            over[pg.reg(pg.NZCV)] = self.rng.randrange(16) << 28
        if row.group in ("fp", "simd") and not row.is_memory and self.rng.random() < 0.4:
            over[pg.reg(pg.FPCR)] = self.rng.choice((1, 2, 3, 4, 8, 16, 0x1C, 5)) << 22
        return over

    def add_case(self, words, row, over, flags=0):
        self.p.add(words, [row.name], flags | pg.ZERO | pg.FILLWIN, sorted(over.items()))
        return True

    def plain(self, rows):
        row = rows[0]
        made = self.plain_word(row)
        if made is None:
            return False
        word, f, more = made
        kind = self.vector_mode(row, f)
        over = self.inputs(row, f, kind)
        over.update(self.flags_in(row, f))
        if row.name in SYSTEM and row.name not in ("MSR_reg", "MRS"):
            over = {}
        if row.name == "MSR_reg" and f["t"] < 31:
            over = {}
        over.update(dict(more))
        return self.add_case([word], row, over)

    def branch(self, row):
        """Alone in a program: the target holds nothing, so the signal's PC is the answer."""
        f = row.random_fields(self.rng, 0.4)
        if "i" in f:
            bits = min(row.width("i"), self.rng.choice((4, 8, 14, 19, 26)))
            f["i"] = self.rng.randrange(-1 << (bits - 1), 1 << (bits - 1))
            if f["i"] in (-1, 0):
                return False
            f["i"] &= (1 << row.width("i")) - 1
        over = {pg.reg(k): values.integer(self.rng) for k in (f.get("t"), f.get("n"))
                if k is not None and k < 31}
        if "n" in f:
            if f["n"] == 31:
                return False
            over[pg.reg(f["n"])] = self.rng.randrange(0x10000000, 0x70000000) & -4
        if "t" in f and self.rng.random() < 0.3 and f["t"] < 31:
            over[pg.reg(f["t"])] = 0
        over.update(self.flags_in(row, f))
        return self.add_case([row.encode(f)], row, over)

    def memory(self, row):
        made = self.fields(row)
        if made is None:
            return False
        f, a = made
        if row.name.startswith(cases.EXCLUSIVE_STORES):
            pass                            # without a monitor: status 1, nothing stored
        for _ in range(60):
            target = self.target(a.size, a.aligned)
            placed = self.address(row, f, a, target)
            if placed is not None:
                break
        else:
            return False
        over = self.inputs(row, f, self.rng.choice((1, 2, 3)))
        over.update(dict(placed))
        if not row.name.startswith("PRF"):
            start = (target - 8) & -8
            for at in range(start, target + min(a.size, 64) + 8, 8):
                over[at] = self.rng.getrandbits(64)
        over.update(dict(self.compare_match(row, f, target)))
        return self.add_case([row.encode(f)], row, over)

    def make(self, row):
        if row.is_memory:
            return "_lit" not in row.name and self.memory(row)
        if row.name in cases.BRANCHES or row.name in ("BR", "BLR", "RET"):
            return self.branch(row)
        return self.plain([row])


def run_program(p):
    with tempfile.TemporaryDirectory() as d:
        prog = os.path.join(d, "prog")
        p.write(prog)
        out = subprocess.run(ORACLE.split() + [prog, "0", str(len(p.cases))], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL).stdout
    return list(pg.read_dumps(out, p.windows))


def memory_text(words, reference):
    """[address]=bytes for runs of words that are not equal to `reference`."""
    runs, texts = [], []
    for at, value in sorted(words.items()):
        if value == reference.get(at, 0):
            continue
        if runs and runs[-1][0] + len(runs[-1][1]) == at:
            runs[-1][1] += value.to_bytes(8, "little")
        else:
            runs.append([at, bytearray(value.to_bytes(8, "little"))])
    for at, data in runs:
        texts.append("[%#x]=%s" % (at, data.hex()))
    return texts


def context_text(context, reference):
    texts = []
    names = ["x%d" % k for k in range(31)] + ["sp", "nzcv", "fpcr", "fpsr"]
    for k, name in enumerate(names):
        if context[k] != reference[k]:
            texts.append("%s=%#x" % (name, context[k]))
    for k in range(32):
        at = pg.V + 2 * k
        if context[at:at + 2] != reference[at:at + 2]:
            texts.append("v%d=0x%016x%016x" % (k, context[at + 1], context[at]))
    return texts


def line_of(case, dump, text, row):
    word, pc = case.words[0], case.insn_pc
    zero = (0,) * pg.WORDS
    left = (["pc=%#x" % pc] if row.name in PC_RELATIVE else []) + context_text(dump.before, zero) \
        + memory_text(dump.mem_before, {})
    signo, sig_pc = dump.signal[pg.SIGNO], dump.signal[pg.PC]
    if row.name == "SVC":
        right = ["exit=syscall"]
    elif signo and sig_pc == pc:
        right = ["exit=" + {4: "undefined", 5: "breakpoint"}[signo]]
    else:
        after = dump.signal if signo else dump.after
        right = (["pc=%#x" % sig_pc] if signo else []) + context_text(after, dump.before) \
            + memory_text(dump.mem_after, dump.mem_before)
    return "%08x | %s | %s => %s" % (word, " ".join(text.split()), " ".join(left), " ".join(right))


def lines_of(rows, rng, per_row):
    """[(row, line)] in the index's order."""
    shared, made = pg.Program(1, WINDOW), []
    for row in rows:
        want = max(2, per_row // 2) if row.feature == "LSE" else per_row
        if row.name in cases.TRAPS or row.name in SYSTEM - {"MSR_reg", "MRS"}:
            want = min(want, 1 if "i" not in row.bits and "k" not in row.bits else 3)
        tries = 0
        while want and tries < 400:
            tries += 1
            alone = row.name in cases.BRANCHES or row.name in ("BR", "BLR", "RET")
            p = pg.Program(1, WINDOW) if alone else shared
            count = len(p.cases)
            if not InsMaker(rng, p).make(row) or len(p.cases) == count:
                continue
            if alone:
                dumps = run_program(p)
                if not dumps:
                    continue                # the target hit the harness: draw again
                made.append((row, p.cases[0], dumps[0]))
            else:
                made.append((row, p.cases[-1], None))
            want -= 1
    dumps = {d.number: d for d in run_program(shared)}
    made = [(row, case, dump or dumps[case.number]) for row, case, dump in made]
    lines = []
    for row, case, dump in made:
        base = case.insn_pc if row.name in PC_RELATIVE else 0
        lines.append((row, case, dump, base))
    relative = {}
    for k, (row, case, _, base) in enumerate(lines):
        if base:
            relative[k] = ix.disassemble([case.words[0]], aliases=True, base=base)[0]
    texts = ix.disassemble([case.words[0] for _, case, _, _ in lines], aliases=True)
    return [(row, line_of(case, dump, relative.get(k, texts[k]), row))
            for k, (row, case, dump, _) in enumerate(lines)]


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--per-row", type=int, default=0, help="lines a row (PER_ROW of the file)")
    ap.add_argument("--only", nargs="*", default=FILES, help="files to write, without .ins")
    ap.add_argument("--out", default=HERE, help="folder to write to (this one)")
    args = ap.parse_args()
    rows = ix.load_index()
    try:
        for name in args.only:
            rng = random.Random("%d/%s" % (args.seed, name))
            per_row = args.per_row or PER_ROW.get(name, 6)
            lines = lines_of([r for r in rows if file_of(r) == name], rng, per_row)
            with open(os.path.join(args.out, name + ".ins"), "w") as f:
                f.write("# Written by gen_ins.py --seed %d --per-row %d; states by %s (7.2), text by objdump.\n"
                        "# WORD | text | state before => what changed. Registers not named are zero before;\n"
                        "# those not named on the right keep their value. [address]=bytes is memory.\n"
                        "# exit=: the instruction is handed out (syscall) or raises (undefined, breakpoint).\n"
                        % (args.seed, per_row, ORACLE))
                last = None
                for row, line in lines:
                    if row.name != last:
                        f.write("# %s\n" % row.name)
                        last = row.name
                    f.write(line + "\n")
            print("%s.ins: %d lines" % (name, len(lines)))
    except FileNotFoundError as e:
        print("gen_ins: %s is missing" % e.filename)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
