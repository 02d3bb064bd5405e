"""From an index row to a test case: legal fields, registers that make addresses and branches land,
and the exclusions (README.md lists them with reasons).

`Maker(rng, program).make(row)` adds one case to the program, or returns False when the random fields
fell on an excluded form; the caller draws again.
"""
import os
import sys

import program as pg

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "insn", "coverage"))
import a64index as ix                                                      # noqa: E402

# System registers that EL0 may access and whose value does not depend on the CPU model:
# (op0&1, op1, CRn, CRm, op2) as the index's fields b o k l p, and the bits a write may change.
SYSREGS = {"nzcv": ((1, 3, 4, 2, 0), 0xF0000000), "fpcr": ((1, 3, 4, 4, 0), 0x07C00000),
           "fpsr": ((1, 3, 4, 4, 1), 0x0800009F), "tpidr_el0": ((1, 3, 13, 0, 2), (1 << 64) - 1)}
# EL1 registers: undefined at EL0, SIGILL.
EL1_REGS = [(1, 0, 1, 0, 0), (1, 0, 12, 0, 0), (1, 0, 4, 0, 0), (1, 0, 4, 0, 1), (1, 0, 4, 2, 2),
            (1, 0, 2, 0, 0), (1, 0, 6, 0, 0), (1, 4, 1, 1, 0), (1, 6, 1, 1, 0)]
DC_ZVA = (3, 7, 4, 1)                                       # op1 CRn CRm op2
CACHE_OPS = [(3, 7, 10, 1), (3, 7, 11, 1), (3, 7, 14, 1), (3, 7, 5, 1)]   # CVAC CVAU CIVAC, IC IVAU
TRAPS = {"HVC", "SMC", "DCPS1", "DCPS2", "DCPS3", "UDF", "HLT", "BRK", "ERET", "DRPS", "MSR_imm",
         "SYSL"}
BRANCHES = {"B_cond", "CBZ", "CBNZ", "TBZ", "TBNZ", "B", "BL"}
EXCLUSIVE_STORES = ("STXR", "STLXR", "STXP", "STLXP")


def signed(value, bits):
    return value - (1 << bits) if value >> (bits - 1) else value


class Access:
    """What a memory row touches: bytes, how the offset is made, alignment it demands."""

    def __init__(self, row, f):
        name, text = row.name, row.text
        self.simd = row.group in ("fp", "simd")
        self.structure = row.group == "simd"
        self.literal = "_lit" in name
        self.pair = not self.literal and text[2:5] == "101"
        self.writeback = name.endswith(("_post", "_pre"))
        self.post = name.endswith("_post")
        exclusive = text[2:8] == "001000" and not self.structure
        self.atomic = row.feature == "LSE"
        self.aligned = exclusive or self.atomic or name.startswith("LDAPR")
        self.load = name.startswith(("LD", "CAS", "SWP", "PRF")) and not name.startswith("PRF")
        self.store = name.startswith(("ST", "CAS", "SWP")) or self.atomic
        self.prefetch = name.startswith("PRF")
        if self.structure:
            self.size = 64
        elif name.startswith("CASP"):
            self.element, self.size = 4 << f["f"], 8 << f["f"]
        elif self.pair and self.simd:
            self.element = 4 << f["o"]
            self.size = 2 * self.element
        elif self.pair:
            self.element = 4 if name.startswith("LDPSW") else 4 << f["f"]
            self.size = 2 * self.element
        elif "_q" in name:
            self.size = self.element = 16
        elif self.simd:
            self.size = self.element = 1 << f["z"] if "z" in f else 16
        else:
            top = text[:2].replace("f", str(f.get("f", 0)))
            self.size = self.element = 1 << int(top, 2)
            if exclusive and text[10] == "1":               # LDXP, STXP
                self.size *= 2

    def offset(self, f):
        """The immediate's byte offset, as added to the base before the access (post: none)."""
        if self.post or self.structure or "i" not in f:
            return 0
        if self.pair:
            return signed(f["i"], 7) * self.element
        return None


class Maker:
    cache_span = (-4096, 4096)              # where cache maintenance may point, from CENTRE

    def __init__(self, rng, program):
        self.rng, self.p = rng, program

    # --- plain register-to-register instructions -------------------------------------------------

    def vector_mode(self, row, f):
        if row.group == "base":
            return 0
        if row.group == "crypto" or row.feature == "FP16":
            return 3
        if "_dh" in row.name or "_hs" in row.name or "_hd" in row.name:
            return self.rng.choice((3, 3, 1, 2))
        if row.mnemonics[0][0] == "f" and "p" in f and self.rng.random() < 0.9:
            if row.mnemonics[0] == "fcvtl" and f["p"] == 0:
                return 3
            if row.mnemonics[0] in ("fcvtl", "fcvtn"):
                return 2 if row.mnemonics[0] == "fcvtl" or f["p"] == 0 else 1
            return 1 if f["p"] else 2
        return self.rng.choice((1, 2, 3, 3))

    def plain_word(self, row):
        """(word, overrides) of a non-memory, non-branch row; None when excluded."""
        f = row.random_fields(self.rng)
        over = []
        name = row.name
        if name == "SVC":                   # an unknown number: ENOSYS in X0, nothing else
            over.append((pg.reg(8), 0x7000 + self.rng.randrange(4096)))
        elif name == "HLT" and f["i"] == 0xF000:
            return None                     # qemu's semihosting call
        elif name == "MSR_reg":
            (f["b"], f["o"], f["k"], f["l"], f["p"]), mask = SYSREGS[self.rng.choice(list(SYSREGS))]
            if f["t"] != 31:
                over.append((pg.reg(f["t"]), self.rng.getrandbits(64) & mask))
        elif name == "MRS":
            regs = [r[0] for r in SYSREGS.values()]
            f["b"], f["o"], f["k"], f["l"], f["p"] = self.rng.choice(regs * 3 + EL1_REGS)
        elif name == "SYS":
            if f["t"] == 31:
                return None
            f["o"], f["k"], f["l"], f["p"] = self.rng.choice(CACHE_OPS)
            over.append((pg.reg(f["t"]), pg.CENTRE + self.rng.randrange(*self.cache_span)))
        elif name == "SYSL" and f["o"] == 3:
            return None
        return row.encode(f), f, over

    def plain(self, rows):
        words, over, flags = [], [], 0
        for row in rows:
            made = self.plain_word(row)
            if made is None:
                return False
            word, f, more = made
            if more and words:
                return False                # a sequence must not overwrite a prepared register
            words.append(word)
            over += more
            flags = flags or pg.vmode(self.vector_mode(row, f))
        if rows[0].group != "base" and self.rng.random() < 0.6:
            flags |= pg.RANDOM_FPCR
        self.p.add(words, [r.name for r in rows], flags, over)
        return True

    # --- branches --------------------------------------------------------------------------------

    def direct_branch(self, row):
        """Landings 1..4 lie before the slot's entry, 5..7 after its branch back."""
        f = row.random_fields(self.rng)
        start = self.p.pc
        before = [pg.branch(start + 4 * k, pg.landing(1 + k)) for k in range(4)]
        insn = start + 20
        after = [pg.branch(insn + 8 + 4 * k, pg.landing(5 + k)) for k in range(3)]
        delta = self.rng.choice((-5, -4, -3, -2, 1, 2, 3, 4))
        if row.name in ("B", "BL") and self.rng.random() < 0.3:
            delta = (pg.landing(self.rng.randrange(8)) - insn) >> 2         # far: the runtime itself
        f["i"] = delta & ((1 << row.width("i")) - 1)
        self.p.add([row.encode(f)], [row.name], 0, (), before, after)
        return True

    def register_branch(self, row):
        n = self.rng.randrange(31)
        target = pg.landing(self.rng.randrange(8))
        self.p.add([row.encode({"n": n})], [row.name], 0, [(pg.reg(n), target)])
        return True

    def literal_address(self, row):
        """ADR and ADRP read the PC; any immediate is legal."""
        f = row.random_fields(self.rng)
        self.p.add([row.encode(f)], [row.name])
        return True

    # --- memory ----------------------------------------------------------------------------------

    def target(self, size, aligned):
        """An address in the scratch window, often across the page border at its middle."""
        t = pg.CENTRE + (self.rng.randrange(-size, size) if self.rng.random() < 0.5
                         else self.rng.randrange(-128, 64))
        return t & -size if aligned else t

    def fields(self, row):
        """Random fields of a memory row without the CONSTRAINED UNPREDICTABLE forms."""
        for _ in range(200):
            f = row.random_fields(self.rng, 0.15)
            a = Access(row, f)
            n, t, u, s, m = (f.get(k) for k in "ntusm")
            if a.writeback and not a.structure and not a.simd and n != 31 and n in (t, u):
                continue                    # writeback with base == transfer register
            if a.pair and t == u and (a.load or row.name.startswith("LD")):
                continue                    # load pair to one register
            if row.name.startswith(("LDXP", "LDAXP")) and t == u:
                continue
            if row.name.startswith(EXCLUSIVE_STORES) and (s in (t, u) or (s == n and n != 31)):
                continue                    # status register is also data or base
            if m is not None and not a.structure and m == n and n != 31:
                continue                    # base and index are prepared to different values
            return f, a
        return None

    def index_register(self, row, f):
        """Register offset forms: choose the index value; (byte offset, overrides)."""
        rng, m, option = self.rng, f["m"], f["o"]
        scale = {"_q": 4}.get(row.name[3:5], f["z"] if "z" in f else
                              int(row.text[:2].replace("f", str(f.get("f", 0))), 2))
        if m == 31:
            return 0, []
        offset = rng.choice((0, 1, -1, 8, -8, 64, 0x1000, -0x1000, 0x7FFFFFFF, -0x80000000,
                             rng.randrange(-65536, 65536)))
        value = offset & (1 << 64) - 1
        if option in (2, 6):                # UXTW, SXTW: the upper half is noise
            value = offset & 0xFFFFFFFF | rng.getrandbits(32) << 32
            offset = value & 0xFFFFFFFF if option == 2 else signed(value & 0xFFFFFFFF, 32)
        elif rng.random() < 0.3:
            value = rng.getrandbits(64)
            offset = value
        return offset << scale if f["h"] else offset, [(pg.reg(m), value)]

    def address(self, row, f, a, target):
        """Overrides that make `row` access `target`; None when SP could not be aligned."""
        over = []
        if row.name.endswith("_uimm"):
            offset = f["i"] * a.element
        elif "o" in f and "h" in f and "m" in f:
            offset, over = self.index_register(row, f)
        else:
            offset = a.offset(f)
            if offset is None:
                offset = signed(f["i"], 9)
        base = (target - offset) & (1 << 64) - 1
        if f["n"] == 31 and base & 15:
            return None
        return over + [(pg.reg(f["n"]), base)]

    def compare_match(self, row, f, target):
        """CAS and CASP: make the compare succeed in half of the cases."""
        if not row.name.startswith("CAS") or self.rng.random() < 0.5 or f["s"] == f["n"]:
            return []
        over = []
        pair = row.name.startswith("CASP")
        for k in range(2 if pair else 1):
            value = self.rng.getrandbits(64)
            register = f["s"] + k
            if register == f["n"]:
                return []
            if register < 31:
                over.append((pg.reg(register), value))
            else:
                value = 0
            over.append((target + k * (4 << f.get("f", 0) if pair else 8), value))
        return over

    def memory(self, row):
        made = self.fields(row)
        if made is None:
            return False
        f, a = made
        for _ in range(40):
            target = self.target(a.size, a.aligned)
            over = self.address(row, f, a, target)
            if over is not None:
                break
        else:
            return False
        over += self.compare_match(row, f, target)
        words = [row.encode(f)]
        if row.name.startswith(EXCLUSIVE_STORES) and self.rng.random() < 0.7:
            words.insert(0, self.matching_load(words[0], f))
        flags = pg.FILLWIN | (pg.vmode(self.rng.choice((1, 2, 3))) if a.simd else 0)
        self.p.add(words, [row.name], flags, over)
        return True

    def matching_load(self, store, f):
        """The load-exclusive of the same size and address, so that the store succeeds."""
        word = store | 1 << 22 | 0x1F << 16                 # L, Rs = 11111
        rt = self.rng.choice([r for r in range(31) if r != f["n"]])
        if "u" in f:
            ru = self.rng.choice([r for r in range(31) if r not in (f["n"], rt)])
            word = word & ~(0x1F << 10) | ru << 10
        return word & ~0x1F | rt

    def literal(self, row):
        """A pool of eight words on either side of the slot."""
        f = row.random_fields(self.rng)
        pool = [self.rng.getrandbits(32) for _ in range(8)]
        if row.name != "PRFM_lit":
            f["i"] = self.rng.choice((-9, -8, -7, -6, -5, 2, 3, 4, 5, 6)) & 0x7FFFF
        self.p.add([row.encode(f)], [row.name], pg.vmode(3) if row.group == "fp" else 0, (),
                   pool, pool[::-1])
        return True

    def zero_block(self, row):
        """DC ZVA inside the window; the block is 64 bytes on every CPU this is run on."""
        t = self.rng.randrange(31)
        o, k, l, p = DC_ZVA
        word = row.encode({"o": o, "k": k, "l": l, "p": p, "t": t})
        target = pg.CENTRE + self.rng.randrange(-256, 256)
        self.p.add([word], ["DC_ZVA"], pg.FILLWIN, [(pg.reg(t), target)])
        return True

    def make(self, row):
        if row.is_memory:
            return self.literal(row) if "_lit" in row.name else self.memory(row)
        if row.name in BRANCHES:
            return self.direct_branch(row)
        if row.name in ("BR", "BLR", "RET"):
            return self.register_branch(row)
        if row.name in ("ADR", "ADRP"):
            return self.literal_address(row)
        return self.plain([row])
