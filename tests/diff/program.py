"""A test program under construction: slots, records, overrides; and the reading of its dumps.

A slot is a few instructions: MRS X30, TPIDR_EL0 (the harness's way in), the instructions under test,
B ret_0. A case is a slot, flags for the guest's register filling, and overrides (address = value),
which name a context word or arena memory.
"""
import collections
import struct

import elf

MRS_X30 = 0xD53BD05E                    # mrs x30, tpidr_el0
CODE, SYM = elf.runtime()
IN, ARENA, SLOTS = SYM["LAY_IN"], SYM["LAY_ARENA"], SYM["LAY_SLOTS"]
TABLE, FAULT, RET0 = SYM["LAY_TABLE"], SYM["LAY_FAULT"], SYM["ret_0"]
CENTRE = ARENA + SYM["ARENA_SIZE"] // 2

# context words
SP, NZCV, FPCR, FPSR, RET, SIGNO, CODE_, ADDR, PC, V, WORDS = 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 104
# record flags
ZERO, FILLWIN, NO_V, NO_MEM, RANDOM_FPCR, NO_ADDR = (1 << k for k in range(26, 32))

SCRATCH_WINDOW = [(CENTRE - 256, 64, 1)]
# Fault pages: 0 rw, 1 none, 2 rw, 3 read only, 4 rw, 5 unmapped, 6 rw.
FAULT_WINDOWS = [(FAULT + 0x1000 - 256, 32, 1), (FAULT + 0x2000, 32, 1), (FAULT + 0x3000 - 256, 32, 1),
                 (FAULT + 0x3000, 32, 0), (FAULT + 0x4000 - 256, 32, 0), (FAULT + 0x4000, 32, 1),
                 (FAULT + 0x5000 - 256, 32, 1), (FAULT + 0x6000, 32, 1)]

Case = collections.namedtuple("Case", "number insn_pc words names")


def vmode(mode):
    return mode << 24


def reg(index):
    """Override address of context word `index`."""
    return IN + 8 * index


def vreg(n, half):
    return IN + 8 * (V + 2 * n + half)


def branch(pc, target, link=0):
    return 0x14000000 | link << 31 | ((target - pc) >> 2) & 0x3FFFFFF


def landing(k):
    return RET0 + 24 * k


class Program:
    def __init__(self, seed, windows=None, fault=False):
        self.seed, self.fault = seed, fault
        self.windows = windows if windows is not None else SCRATCH_WINDOW
        self.code, self.records, self.overrides, self.cases = [], [], [], []

    @property
    def pc(self):
        """Address of the next slot word."""
        return SLOTS + 4 * len(self.code)

    def add(self, words, names, flags=0, overrides=(), before=(), after=()):
        """One case. `words` are under test; `before`/`after` words surround the slot."""
        self.code.extend(before)
        entry = len(self.code)
        self.code.append(MRS_X30)
        insn_pc = self.pc
        self.code.extend(words)
        self.code.append(branch(self.pc, landing(0)))
        self.code.extend(after)
        self.records.append((entry | flags, len(self.overrides) | len(overrides) << 24))
        self.overrides.extend(overrides)
        self.cases.append(Case(len(self.cases), insn_pc, tuple(words), tuple(names)))

    def write(self, path, only=None):
        """The ELF. With `only`, the same slots and the one case `only`."""
        records, overrides = self.records, self.overrides
        if only is not None:
            entry, over = self.records[only]
            start, count = over & 0xFFFFFF, over >> 24
            overrides = overrides[start:start + count]
            records = [(entry, count << 24)]
        head = struct.calcsize("<8Q") + 12 * 24
        flat = [x for r in records for x in r]
        over = [x for o in overrides for x in o]
        rec_bytes = struct.pack("<%dI" % len(flat), *flat)
        rec_at = TABLE + head
        over_at = rec_at + len(rec_bytes)
        table = struct.pack("<8Q", 0x5941524F, len(records), only or 0, self.seed & (1 << 64) - 1,
                            int(self.fault), rec_at, over_at, len(self.windows))
        for k in range(12):
            table += struct.pack("<3Q", *(self.windows[k] if k < len(self.windows) else (0, 0, 0)))
        table += rec_bytes + struct.pack("<%dQ" % len(over), *[x & (1 << 64) - 1 for x in over])
        if TABLE + len(table) > SLOTS:
            raise ValueError("%d cases do not fit one program; use a smaller --count" % len(records))
        first = 0
        code = struct.pack("<%dI" % len(self.code), *self.code)
        if only is not None:                # the slot's page and its neighbours, at their addresses
            page = (self.cases[only].insn_pc - SLOTS) // elf.PAGE
            first = max(page - 1, 0) * elf.PAGE
            code = code[first:(page + 2) * elf.PAGE]
        segments = [(SYM["LAY_TEXT"], elf.R | elf.X, CODE, 0),
                    (IN, elf.R | elf.W, b"", 0x10000),
                    (TABLE, elf.R, table, 0),
                    (SLOTS + first, elf.R | elf.X, code, 0),
                    (ARENA, elf.R | elf.W, b"", SYM["ARENA_SIZE"])]
        if self.fault:
            segments.append((FAULT, elf.R | elf.W, b"", 0x7000))
        elf.write_elf(path, segments, SYM["_start"])

    def dump_words(self):
        return 1 + 3 * WORDS + 2 * self.window_words()

    def window_words(self):
        return sum(w[1] for w in self.windows)


class Dump:
    """One case of a program run with arguments FIRST COUNT."""

    def __init__(self, words, windows):
        n = sum(w[1] for w in windows)
        self.number = words[0]
        at = 1
        self.before, at = words[at:at + WORDS], at + WORDS
        mem_before, at = words[at:at + n], at + n
        self.after, at = words[at:at + WORDS], at + WORDS
        self.signal, at = words[at:at + WORDS], at + WORDS
        mem_after = words[at:at + n]
        addresses = [a + 8 * k for a, count, _ in windows for k in range(count)]
        self.mem_before = dict(zip(addresses, mem_before))
        self.mem_after = dict(zip(addresses, mem_after))


def read_dumps(data, windows):
    n = 1 + 3 * WORDS + 2 * sum(w[1] for w in windows)
    for at in range(0, len(data) - 8 * n + 1, 8 * n):
        yield Dump(struct.unpack_from("<%dQ" % n, data, at), windows)
