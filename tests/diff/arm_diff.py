#!/usr/bin/env python3
"""Random A32 and T32 instructions under qemu-arm and under Oryx: registers, CPSR, D0-D31, FPSCR and memory must be equal.

  arm_diff.py --arch arm|thumb --group base|mem|vfp|neon|crypto|fault|undef [--count N] [--seed S] [--row REGEX]
  arm_diff.py --selftest                 # plants wrong instructions, must find exactly those

One instruction a case; in T32 a third stand in an IT block. Words come from the rows of arch-arm with random fields; group
undef draws words of the coprocessor and AdvSIMD space at random, so what decodes is compared too. The program is a static
ELF for qemu-arm -cpu max (runtime/arm_runtime.S, assembled here); Oryx runs the same image by `oryx exec`, one exception at
a time. Exit status: 0 equal, 1 a difference, 2 an oracle or Oryx is missing or failed.
"""
import argparse
import glob
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "cmake"))
sys.path.insert(0, HERE)
import gen_decode                                                          # noqa: E402
from arm_cases import MEMORY, SKIP, aligned, fields, misaligned, random_word, unpredictable, value   # noqa: E402

TEXT, RET, RET_T, SLOTS, IN, OUT = 0x10000, 0x10004, 0x10008, 0x100000, 0x1000000, 0x6000000
CELLS, WINDOW, STACK, SIZE = 0x11000, 0x80f80, 0x90000, 592
CPSR_MASK = 0xf80f0000
BRANCH = re.compile(r"(T_)?(B|BL|BX|BXJ|BLX|BLX_imm|BLX_reg|B_cond|B_cond_w|B_w|CBZ|TBB|SETEND|IT|CPS|ADD_high|MOV_high|CMP_high|LDR_lit|LDR_lit_w)$")
TEMPORARY = os.environ.get("TMPDIR", "/tmp")
F32 = [0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffc12345, 0xff812345, 1,
       0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0x3f000000, 0x4f000000, 0x4effffff, 0xcf000000, 0x4f800000, 0x47ffff00,
       0x477fe000, 0x33000000, 0x387fc000, 0x40490fdb, 0x3effffff, 0x3fc00000, 0x4b000001, 0x34000000, 0x7e800000]
F64 = [0, 1 << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
       0x7ff0000000000001, 0xfff8123456789abc, 0xfff0123456789abc, 1, 0x8000000000000001, 0x000fffffffffffff,
       0x0010000000000000, 0x7fefffffffffffff, 0x41e0000000000000, 0x41dfffffffc00000, 0xc1e0000000000000,
       0x41f0000000000000, 0x3fe0000000000000, 0x36a0000000000000, 0x3810000000000000, 0x47efffffe0000000,
       0x3fdfffffffffffff, 0x40effffc00000000, 0x3e70000000000000]
F16 = [0, 0x8000, 0x3c00, 0xbc00, 0x7c00, 0xfc00, 0x7e00, 0x7c01, 0xfd23, 1, 0x3ff, 0x400, 0x7bff, 0x3555]


class Missing(Exception):
    """An oracle or program that cannot be run: exit status 2, never a silent skip."""


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Missing("%s is not installed" % name)
    return path


def runtime():
    with tempfile.TemporaryDirectory() as d:
        obj, out = os.path.join(d, "rt.o"), os.path.join(d, "rt.bin")
        subprocess.run([tool("arm-linux-gnueabihf-as"), "-mno-warn-deprecated", "-o", obj,
                        os.path.join(HERE, "runtime", "arm_runtime.S")], check=True)
        elf = os.path.join(d, "rt.elf")
        subprocess.run([tool("arm-linux-gnueabihf-ld"), "-Ttext=%#x" % TEXT, "-o", elf, obj], check=True)
        subprocess.run([tool("arm-linux-gnueabihf-objcopy"), "-O", "binary", "-j", ".text", elf, out], check=True)
        with open(out, "rb") as f:
            return f.read()


def write_elf(path, segments):
    """segments: (address, bytes, memory size), all readable, writable and executable."""
    header = 52 + 32 * len(segments)
    offset = (header + 4095) & -4096
    heads, body = b"", b""
    for address, data, size in segments:
        heads += struct.pack("<8I", 1, offset, address, address, len(data), max(size, len(data)), 7, 4096)
        padded = (len(data) + 4095) & -4096
        body += data + bytes(padded - len(data))
        offset += padded
    first = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01" + bytes(9), 2, 40, 1, TEXT, 52, 0, 0x5000400, 52, 32,
                        len(segments), 0, 0, 0) + heads
    with open(path, "wb") as f:
        f.write(first + bytes(((header + 4095) & -4096) - len(first)) + body)
    os.chmod(path, 0o755)


def to_thumb(word):
    """The T32 word of a floating-point or AdvSIMD instruction in A32 encoding."""
    top = word >> 24
    if top & 0xfe == 0xf2:
        return word & 0xffffff | (0xef | (top & 1) << 4) << 24
    if top == 0xf4:
        return word & 0xffffff | 0xf9 << 24
    return word if top >> 4 == 15 else word & 0xfffffff | 0xe << 28


def lanes(rng, kind):
    """Eight bytes of an FP or SIMD register."""
    k = rng.randrange(8) if kind == 0 else kind
    if k == 1:
        return struct.pack("<II", *(rng.choice(F32) if rng.random() < 0.7 else rng.getrandbits(32) for _ in range(2)))
    if k == 2:
        return struct.pack("<Q", rng.choice(F64) if rng.random() < 0.7 else rng.getrandbits(64))
    if k == 3:
        return struct.pack("<4H", *(rng.choice(F16) if rng.random() < 0.7 else rng.getrandbits(16) for _ in range(4)))
    if k == 4:                                          # singles near one another
        base = rng.randrange(0x3e000000, 0x42000000)
        return struct.pack("<II", *((base + rng.randrange(-9, 9) << (rng.randrange(3))) & 0xffffffff ^ rng.getrandbits(1) << 31
                                    for _ in range(2)))
    if k == 5:                                          # doubles in the range of singles and integers
        return struct.pack("<d", rng.choice((1, -1)) * rng.random() * 2.0 ** rng.randrange(-40, 70))
    if k == 6:
        return struct.pack("<4h", *(rng.choice((0, 1, -1, 127, -128, 255, 32767, -32768, rng.randrange(-300, 300)))
                                    for _ in range(4)))
    return rng.randbytes(8)


class Case:
    def __init__(self, row, word, thumb, it, big=False):
        self.row, self.word, self.thumb, self.it, self.big = row, word, thumb, it, big
        self.code = b""
        if big:                                         # SETEND BE; the runtime sets it back
            self.code = struct.pack("<H", 0xb658) if thumb else struct.pack("<I", 0xf1010200)
        if thumb:
            if it is not None:
                self.code += struct.pack("<H", 0xbf08 | it << 4)
            self.code += struct.pack("<H", word >> 16)
            if word >> 27 >= 0x1d:
                self.code += struct.pack("<H", word & 0xffff)
        else:
            self.code += struct.pack("<I", word)
        self.record = b""

    def name(self):
        return self.row.name if self.row else "random"


def coprocessor_word(rng):
    """A random word of the FP and AdvSIMD space, in A32 encoding, without later extensions (README.md)."""
    while True:
        word = rng.getrandbits(32)
        k = rng.randrange(6)
        if k < 3:
            word = word & 0x01ffffff | 0xf2000000
        elif k == 3:
            word = word & 0x00efffff | 0xf4000000
        elif k == 4:
            word = word & 0x00fff1ff | rng.choice((0xec, 0xed, 0xee)) << 24 | 0xa00
        else:
            word = word & 0x00fff1ff | 0xfe000a00
        if not later(word):
            return word


def later(word):
    """Armv8.2 half-precision arithmetic and what came after it, SETEND and the like: not part of the frontend."""
    top = word >> 24
    if top & 0xfe == 0xf2:
        same = not word >> 23 & 1
        op = word >> 8 & 15
        if same and op >= 12 and word >> 20 & 1:         # FP three same, size 1
            if op == 12 and word >> 4 & 1 == 0:
                return False                             # SHA
            return not (op == 12 and word >> 4 & 1 and not word >> 24 & 1 and False)
        if word >> 23 & 1 and word & 0x10 and word >> 19 & 7 and op in (12, 13):
            return True                                  # VCVT fixed, half
        if word >> 23 & 1 and not word & 0x10 and word >> 20 & 3 == 3 and not word >> 24 & 1:
            return False                                 # VEXT
        if word >> 23 & 1 and not word & 0x10 and word >> 20 & 3 == 3 and word >> 10 & 2 == 0:
            size, a, b = word >> 18 & 3, word >> 16 & 3, word >> 6 & 31
            if size == 1 and (a == 1 and b & 16 or a == 2 and (b >> 1 in (8, 9, 10, 11, 13, 15) or False) or a == 3):
                return True                              # compare with zero, VABS, VNEG, VRINT, VCVT, estimates: F16
            if a == 2 and b >> 1 == 12 and size == 1 and b & 1:
                return True                              # VCVT.BF16.F32
        if word >> 23 & 1 and word & 0x50 == 0x40 and word >> 20 & 3 == 1 and op in (1, 5, 9):
            return True                                  # by scalar, half
    if top & 0xfe == 0xfe and False:
        return True
    return False


class Maker:
    def __init__(self, rng, thumb, group, row_re):
        self.rng, self.thumb, self.group = rng, thumb, group
        files = {"base": ["t32" if thumb else "a32"], "mem": ["t32" if thumb else "a32", "vfp", "neon"], "vfp": ["vfp"],
                 "neon": ["neon"], "crypto": ["neon"], "fault": ["t32" if thumb else "a32", "vfp", "neon"], "undef": ["vfp"]}[group]
        paths = [p for f in files for p in sorted(glob.glob(os.path.join(ROOT, "arch-arm", f + "_*.c")))]
        rows, errors = gen_decode.read_rows(paths)
        memory = group in ("mem", "fault")
        self.rows = [r for r in rows if re.fullmatch(row_re, r.name) and not SKIP.match(r.name) and not BRANCH.match(r.name)
                     and self.is_memory(r) == memory and not (group == "fault" and re.search("ST(L|R)EX", r.name)) and (self.is_crypto(r) == (group == "crypto") or memory)]
        if not self.rows:
            raise Missing("no row of group %s matches %s" % (group, row_re))
        # Contents of registers are slices of pools that the seed makes: a draw is then one call, not a hundred.
        self.lanes = [b"".join(lanes(rng, kind) for _ in range(4096)) for kind in range(8)]
        self.values = [value(rng) for _ in range(16384)]
        for r in self.rows:
            r.memory = self.is_memory(r)

    @staticmethod
    def is_memory(row):
        return bool(re.match(r"V(LD|ST)", row.name) or MEMORY.match(row.name))

    @staticmethod
    def is_crypto(row):
        return row.feature in ("AES", "SHA1", "SHA256")

    def case(self, number):
        rng = self.rng
        for _ in range(300):
            if self.group == "undef":
                row, word = None, coprocessor_word(rng)
                if (word >> 24 == 0xf4 or word >> 25 & 7 == 6) and word >> 16 & 15 == 15:
                    continue                             # the PC as a base
                if self.thumb:
                    word = to_thumb(word)
                return self.fill(Case(None, word, self.thumb, None))
            row = self.rows[number % len(self.rows)]
            word = random_word(row, rng)
            shared = row.where.split("/")[-1].startswith(("vfp_", "neon_"))
            f = fields(row, word)
            it = rng.randrange(14) if self.thumb and rng.randrange(3) == 0 else None
            if row.pattern.startswith("1111") and shared:
                it = None                                # UNPREDICTABLE in an IT block, or deprecated
            if not gen_decode.allocated_value(row, word) and gen_decode.allocated_value(row, word) is not None:
                continue
            if not shared and unpredictable(row, word, f, self.thumb, None if it is None else "last"):
                continue
            if re.search("CRC|BKPT", row.name):
                it = None
            if not shared and row.name.replace("T_", "") in ("LDM", "LDM_w", "POP", "LDST_imm", "LDST_reg", "LDR_imm12", "LDR_imm8",
                                                             "LDR_reg", "LDR_lit_w", "LDR_lit"):
                if self.loads_pc(row, word, f) or row.name == "T_LDM_w" and f["i"] & 0x2000:
                    continue
            if not shared and 15 in [f.get(k) for k in "d" if row.pattern.count(k) == 4] and not self.is_memory(row):
                continue                                 # branches
            if shared:
                if rng.randrange(64) and self.odd(row, word, f):
                    continue                             # a Q register with an odd number: UNDEFINED
                if row.name in ("VTRN", "VUZP", "VZIP") and f["d"] == f["m"]:
                    continue                             # UNKNOWN
                if row.pattern.count("t") == 4 and f["t"] == 15 and not (row.name == "VMRS" and f.get("r") == 1):
                    continue
                if row.pattern.count("u") == 4 and (f["u"] in (15, f["t"]) or row.name.endswith("_s") and f["m"] == 31):
                    continue
                if self.thumb and row.pattern.count("t") == 4 and (f["t"] == 13 or row.pattern.count("u") == 4 and f["u"] == 13):
                    continue
                if row.name in ("VMRS", "VMSR") and f["r"] != 1:
                    continue
                if self.thumb:
                    word = to_thumb(word & 0x0fffffff | 14 << 28 if row.pattern.startswith("cccc") else word)
            if not self.thumb and row.pattern.startswith("cccc"):
                word = word & 0x0fffffff | (14 if rng.randrange(3) else rng.randrange(14)) << 28
            case = self.fill(Case(row, word, self.thumb, it, row.memory and rng.random() < 0.3), f, shared)
            if case:
                return case
        return None

    @staticmethod
    def odd(row, word, f):
        """AdvSIMD data processing whose Vd, Vn or Vm may be an odd-numbered Q register."""
        return row.pattern.startswith("1111001") and word & (1 << 12 | 1 | (1 << 16 if row.pattern.count("n") == 5 else 0)) and \
            (f.get("q", 1) or row.feature in ("AES", "SHA1", "SHA256"))

    @staticmethod
    def loads_pc(row, word, f):
        name = row.name.replace("T_", "")
        if name in ("LDM", "LDM_w"):
            return f["i"] >> 15 or f["n"] == 15
        if name == "POP":
            return f["r"]
        return f.get("t") == 15

    def fill(self, case, f=None, shared=False):
        rng, row = self.rng, case.row
        regs = self.core_registers()
        memory = row is None or self.is_memory(row)
        kind = rng.randrange(8)
        window = b""
        if memory:
            if not self.address(case, f, shared, regs):
                return None
            window = self.vector_registers(0, 64) + rng.randbytes(192)
        case.record = self.record(case, regs, kind, window)
        return case

    def core_registers(self):
        at = int(self.rng.random() * 16369)
        return self.values[at:at + 15]

    def vector_registers(self, kind, size=256):
        at = int(self.rng.random() * (4096 - 32)) * 8
        return self.lanes[kind][at:at + size]

    def again(self, case):
        """The same instruction with other register contents; those of the core registers stay where they are addresses."""
        other = Case(case.row, case.word, case.thumb, case.it, case.big)
        memory = case.row.memory
        regs = struct.unpack_from("<15I", case.record, 8) if memory else self.core_registers()
        other.record = self.record(case, regs, self.rng.getrandbits(3), case.record[336:] if memory else b"")
        return other

    def record(self, case, regs, kind, window):
        rng, row = self.rng, case.row
        memory = row is None or row.memory
        cpsr = rng.getrandbits(32) & 0xf80f0000 | 0x10
        fpscr = rng.getrandbits(32) & (0xf800009f if rng.random() < 0.5 else 0xf8000000)
        if row and row.name == "VMSR":
            regs[fields(row, case.word)["t"]] = rng.getrandbits(32) & 0xffc0009f
        if rng.random() < 0.67:
            fpscr |= rng.getrandbits(5) << 22
        return struct.pack("<II15III", 0, 1 if memory else 0, *regs, cpsr, fpscr) + b"\0\0\0\0" + \
            self.vector_registers(kind) + window.ljust(256, b"\0")

    def address(self, case, f, shared, regs):
        """Base and index registers that reach the window; group fault: not always."""
        rng, row, word = self.rng, case.row, case.word
        target = WINDOW + 64 + rng.randrange(0, 64)
        if shared or row is None or aligned(row.name) or rng.randrange(2):
            target &= -(1 << rng.randrange(2, 6)) if shared and row and row.pattern.startswith("1111") else -8 if not shared else -4
        if row and row.name == "VLD_multiple" and f["a"] == 3:
            target &= -32                                # qemu 7.2 lets 16 bytes do (README.md)
        if self.group == "fault":
            target = rng.choice((target + rng.randrange(1, 8), 0x83000 + rng.randrange(64), rng.randrange(0x1000)))
        for k in range(15):
            regs[k] = target if row is None or not shared else regs[k]
        n, m = word >> 16 & 15, word & 15
        if row is None:
            return True
        if not shared:
            for k in range(15):
                regs[k] = (target + rng.randrange(-8, 8) * (8 if aligned(row.name) else 4)) & 0xffffffff
            if self.thumb and word >> 27 < 0x1d:
                n = f.get("n")
            if f.get("m") is not None and f["m"] < 15 and f["m"] != f.get("n"):
                regs[f["m"]] = rng.randrange(0, 0x20) & (-8 if aligned(row.name) else -1)
            if f.get("m") is not None and f["m"] == f.get("n"):
                return False
            if "h" in f and f.get("m", 15) < 15:              # a shifted index stays small
                if f["h"] == 3 and not f["i"]:
                    return False
                if f["h"] or f["i"] > 2:
                    regs[f["m"]] = rng.choice((0, 16)) if f["h"] == 1 else 0
            n = f.get("n", 13)
            if f.get("t") is not None and n is not None and f["t"] < 15 and f["t"] not in (n, f.get("m")):
                regs[f["t"]] = value(rng)
            return n != 15
        if n == 15:
            return False
        if row.name == "VLDR":
            offset = f["i"] * 4
            regs[n] = (target - (offset if f["u"] else -offset)) & 0xffffffff
        elif row.name == "VLDM":
            regs[n] = (WINDOW + 128 + (target & 31) if f["f"] else WINDOW + 16 + (target & 31)) & -4 if self.group != "fault" else target
        else:
            if m not in (13, 15) and m != n:
                regs[m] = value(rng)
            regs[n] = target
        return True


def build(cases, path_elf=None, skip=()):
    """The program's segments: text, slots and records."""
    text = bytearray(runtime())
    struct.pack_into("<IIII", text, CELLS - TEXT, 0, IN, OUT, len(cases))
    slots, records = bytearray(), []
    for k, c in enumerate(cases):
        pc = SLOTS + len(slots)
        code = c.code
        at = pc + len(code) if k not in skip else pc      # a case that is left out returns at once
        back = thumb_branch(at, RET_T) if c.thumb else struct.pack("<I", 0xea000000 | (RET - at - 8) >> 2 & 0xffffff)
        code = code + back if k not in skip else back + code
        slots += code + bytes(-len(code) % 4)
        c.pc = pc
        records.append(struct.pack("<I", pc | c.thumb) + c.record[4:])
    return bytes(text), bytes(slots), b"".join(records)


def thumb_branch(at, to):
    offset = to - at - 4
    s, i1, i2 = offset >> 24 & 1, offset >> 23 & 1, offset >> 22 & 1
    j1, j2 = 1 ^ i1 ^ s, 1 ^ i2 ^ s
    return struct.pack("<HH", 0xf000 | s << 10 | offset >> 12 & 0x3ff, 0x9000 | j1 << 13 | j2 << 11 | offset >> 1 & 0x7ff)


def run_qemu(args, cases):
    text, slots, records = build(cases)
    with tempfile.TemporaryDirectory(dir=TEMPORARY) as d:
        path = os.path.join(d, "prog")
        write_elf(path, [(TEXT, text, 0), (WINDOW & -4096, b"", 0x2000), (STACK, b"", 0x8000), (SLOTS, slots, 0),
                         (IN, records, 0), (OUT, b"", len(records))])
        p = subprocess.run([tool("qemu-arm"), "-cpu", "max", path], capture_output=True, timeout=args.timeout)
        if p.returncode or len(p.stdout) != len(records):
            if args.keep:
                shutil.copy(path, args.keep)
            raise Missing("qemu-arm ended with %d after %d of %d bytes %s" % (p.returncode, len(p.stdout), len(records),
                                                                            p.stderr.decode()[-300:]))
        return p.stdout


def run_oryx(args, cases, skip):
    """(results, cases that raise an exception). Those of `skip` are left out."""
    raised = {}
    skip = set(skip)
    while True:
        text, slots, records = build(cases, skip=skip)
        with tempfile.TemporaryDirectory(dir=TEMPORARY) as d:
            for name, data in (("text", text), ("slots", slots), ("in", records)):
                with open(os.path.join(d, name), "wb") as f:
                    f.write(data)
            size = (len(records) + 4095) & -4096
            page = lambda n: (n + 4095) & -4096                            # noqa: E731
            done = struct.unpack_from("<I", text, CELLS - TEXT + 12)[0]
            case = {"arch": "arm", "mode": "arm", "count": 1 << 40,
                    "map": [{"addr": hex(TEXT), "size": 0x2000, "file": d + "/text"}, {"addr": hex(WINDOW & -4096), "size": 0x2000},
                            {"addr": hex(STACK), "size": 0x8000}, {"addr": hex(SLOTS), "size": page(len(slots)), "file": d + "/slots"},
                            {"addr": hex(IN), "size": size, "file": d + "/in"}, {"addr": hex(OUT), "size": size}],
                    "regs": {"pc": hex(TEXT + args.start)}, "read": {"regs": ["r7", "pc", "cpsr"],
                                                                   "mem": [{"addr": hex(OUT), "size": size}, {"addr": hex(CELLS), "size": 16}]}}
            command = [args.oryx, "exec"] + (["--engine", args.engine] if args.engine else [])
            p = subprocess.run(command, input=json.dumps(case), capture_output=True, text=True, timeout=args.timeout)
            if p.returncode and not p.stdout:
                raise Missing("oryx exec: status %d %s" % (p.returncode, p.stderr[-300:]))
            ans = json.loads(p.stdout)
        if "error" in ans:
            raise Missing("oryx exec: %s" % ans["error"])
        reason = ans["exit"]["reason"]
        if reason == "syscall":
            return bytes.fromhex(ans["mem"][0]["hex"])[:len(records)], raised
        left = struct.unpack_from("<I", bytes.fromhex(ans["mem"][1]["hex"]), 12)[0]
        number = done - left - 1
        raised[number] = "%s at %s" % (json.dumps(ans["exit"]), ans["exit"].get("pc"))
        skip.add(number)
        if len(raised) > args.limit:
            raise Missing("more than %d cases raise exceptions under Oryx and not under qemu:\n%s" % (args.limit, "\n".join(
                "  %s %08x %s: %s" % (cases[k].name(), cases[k].word, objdump(cases[k]), raised[k]) for k in raised)))


def raises(args, cases, numbers):
    """Which of the cases raise an exception under Oryx when run alone: {number: reason}."""
    lines = []
    for k in numbers:
        c = cases[k]
        words = struct.unpack_from("<II15III", c.record)
        names = ["r%d" % i for i in range(13)] + ["sp", "lr"]
        regs = dict((n, hex(v)) for n, v in zip(names, words[2:17]))
        regs.update(pc=hex(c.pc), cpsr=hex(words[17] | (0x20 if c.thumb else 0)), fpscr=hex(words[18]))
        lines.append(json.dumps({"arch": "arm", "mode": "thumb" if c.thumb else "arm", "count": 1 + (c.it is not None) + c.big,
                                 "map": [{"addr": hex(c.pc & -4096), "size": 8192, "hex": bytes(c.pc & 4095).hex() + c.code.hex() + "00bf00bf" * 2},
                                         {"addr": hex(WINDOW & -4096), "size": 0x2000, "hex": ""}],
                                 "regs": regs, "read": {"regs": ["pc"]}}))
    command = [args.oryx, "exec"] + (["--engine", args.engine] if args.engine else [])
    p = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=args.timeout)
    out = {}
    for k, line in zip(numbers, p.stdout.splitlines()):
        ans = json.loads(line)
        reason = ans["exit"]["reason"] if "exit" in ans else str(ans)
        if reason != "count":
            out[k] = ans["exit"]
    return out


def objdump(case):
    with tempfile.NamedTemporaryFile(suffix=".bin") as f:
        f.write(case.code)
        f.flush()
        out = subprocess.run(["arm-linux-gnueabihf-objdump", "-D", "-z", "-b", "binary", "-m", "armv8-a" if case.thumb else "arm"] +
                             (["-M", "force-thumb"] if case.thumb else []) + [f.name], capture_output=True, text=True).stdout
    return " / ".join(re.sub(r"\s+", " ", x) for x in re.findall(r"^\s*[0-9a-f]+:\t[0-9a-f ]+\t(.*)$", out, re.M))


NAMES = ["r%d" % k for k in range(15)] + ["cpsr", "fpscr", "-"]


def words(data):
    values = struct.unpack_from("<II15III", data)
    out = dict(zip(NAMES, values[2:]))
    out["cpsr"] &= CPSR_MASK
    for k in range(32):
        out["d%d" % k] = struct.unpack_from("<Q", data, 80 + 8 * k)[0]
    for k in range(64):
        out["mem%02x" % (4 * k)] = struct.unpack_from("<I", data, 336 + 4 * k)[0]
    return out


def word_past_d31(case):
    return re.search(r"d(3[2-9]|[4-9]\d)", objdump(case))


def explain(case, want, got, number):
    before, a, b = words(case.record), words(want), words(got)
    print("case %d %s: %08x %s%s" % (number, case.name(), case.word, "T32 " if case.thumb else "", objdump(case)))
    for n in a:
        if a[n] != b[n]:
            print("    %-6s %x -> qemu %x oryx %x" % (n, before.get(n, 0), a[n], b[n]))
    if case.row is None or case.row.name.startswith("V"):
        d, nn, m = (case.word >> 12 & 15 | case.word >> 18 & 16, case.word >> 16 & 15 | case.word >> 3 & 16,
                    case.word & 15 | case.word >> 1 & 16)
        s = lambda x: "d%d=%x d%d=%x" % (x, before["d%d" % x], x | 1, before["d%d" % (x | 1)])   # noqa: E731
        print("    fpscr=%x; as doubles d: %s, n: %s, m: %s; s regs d: d%d m: d%d n: d%d" % (
            before["fpscr"], s(d), s(nn), s(m), (case.word >> 12 & 15) >> 1, (case.word & 15) >> 1, (case.word >> 16 & 15) >> 1))


def run(args, group, thumb, seed, count):
    rng = random.Random("%s %s %d" % (group, thumb, seed))
    maker = Maker(rng, 1 if thumb else 0, group, args.row)
    cases = [c for c in (maker.case(k) for k in range(max(1, count // args.operands))) if c]
    for c in [c for c in cases if c.row] * (args.operands - 1):
        cases.append(maker.again(c))
    want = run_qemu(args, cases)
    signals = {k: struct.unpack_from("<I", want, k * SIZE)[0] for k in range(len(cases)) if struct.unpack_from("<I", want, k * SIZE)[0]}
    args.start = 0
    got, raised = run_oryx_from_loop(args, cases, signals)
    bad = {}
    for k, c in enumerate(cases):
        if k in signals:
            continue
        if c.row is None and re.search(r"d(3[2-9]|[4-9]\d)|:256\]|vins|vmovx", objdump(c) if k in raised or want[k * SIZE:(k + 1) * SIZE] != got[k * SIZE:(k + 1) * SIZE] else ""):
            continue                                     # registers past D31: UNPREDICTABLE; FP16, which no model claims
        if k in raised:
            bad[k] = "oryx raises %s, qemu does not" % raised[k]
            continue
        a, b = want[k * SIZE:(k + 1) * SIZE], got[k * SIZE:(k + 1) * SIZE]
        if a != b and words(a) != words(b):
            bad[k] = "differs"
    alone = raises(args, cases, sorted(signals))
    for k in signals:
        if cases[k].row is None and word_past_d31(cases[k]):
            continue
        if k not in alone:
            bad[k] = "qemu raises signal %d, oryx nothing" % signals[k]
        else:
            kind = alone[k]["reason"] + str(alone[k].get("detail", ""))
            wanted = {4: "undef", 5: "break", 7: "align", 11: "(fault|map|decode|memory)"}[signals[k]]
            if not re.search(wanted, kind, re.I):
                bad[k] = "qemu raises signal %d, oryx %s" % (signals[k], alone[k])
    by_row = {}
    for k in sorted(bad):
        by_row.setdefault(cases[k].name(), []).append(k)
    for name in sorted(by_row):
        print("%s: %d differ" % (name, len(by_row[name])))
        for k in by_row[name][:args.show]:
            if bad[k] == "differs":
                explain(cases[k], want[k * SIZE:], got[k * SIZE:], k)
            else:
                print("case %d: %08x %s: %s" % (k, cases[k].word, objdump(cases[k]), bad[k]))
    print("%s %s seed %d: %d cases, %d differ, %d signals in both" % ("thumb" if thumb else "arm", group, seed, len(cases), len(bad),
                                                                    len([k for k in signals if k not in bad])))
    return bad


def run_oryx_from_loop(args, cases, skip):
    """Oryx has no personality here: it starts behind the signal set-up, at the first LDR of the loop."""
    text = runtime()
    # The loop's first word loads r0 with the address of CELLS and the next is LDR r2, [r0, #12].
    args.start = text.index(struct.pack("<I", 0xe590200c)) - 4
    return run_oryx(args, cases, skip)


def selftest(args):
    """NOPs planted for three visible instructions of each group must be found, and nothing else."""
    failed = 0
    for group in ("base", "vfp", "neon"):
        for thumb in (0, 1):
            rng = random.Random("self %s %d" % (group, thumb))
            maker = Maker(rng, thumb, group, ".*")
            cases = [c for c in (maker.case(k) for k in range(600)) if c]
            want = run_qemu(args, cases)
            visible = [k for k, c in enumerate(cases) if words(want[k * SIZE:]) != words(c.record) and len(c.code) == 4
                       and not struct.unpack_from("<I", want, k * SIZE)[0]]
            planted = set(rng.sample(visible, 3))
            for k in planted:
                cases[k].code = b"\xaf\xf3\x00\x80" if thumb else b"\x00\xf0\x20\xe3"
            other = run_qemu(args, cases)
            found = {k for k in range(len(cases)) if words(want[k * SIZE:]) != words(other[k * SIZE:])}
            print("selftest %s %s: planted %s, found %s" % ("thumb" if thumb else "arm", group, sorted(planted), sorted(found)))
            failed |= found != planted
    return failed


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--oryx", default=os.environ.get("ORYX", os.path.join(ROOT, "build", "oryx")))
    ap.add_argument("--engine", default="")
    ap.add_argument("--arch", default="arm", choices=("arm", "thumb", "both"))
    ap.add_argument("--group", nargs="+", default=["base"], choices=("base", "mem", "vfp", "neon", "crypto", "fault", "undef"))
    ap.add_argument("--count", type=int, default=20000)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--operands", type=int, default=1, help="cases made of each instruction drawn, by other register contents (1)")
    ap.add_argument("--row", default=".*", help="regular expression of row names")
    ap.add_argument("--show", type=int, default=2, help="cases printed a row")
    ap.add_argument("--limit", type=int, default=12, help="exceptions under Oryx that qemu does not have before it gives up")
    ap.add_argument("--timeout", type=int, default=120)
    ap.add_argument("--keep", help="copy the program here when qemu fails")
    ap.add_argument("--selftest", action="store_true")
    args = ap.parse_args()
    try:
        if args.selftest:
            return selftest(args)
        bad = 0
        for group in args.group:
            for thumb in {"arm": (0,), "thumb": (1,), "both": (0, 1)}[args.arch]:
                bad += len(run(args, group, thumb, args.seed, args.count))
        return 1 if bad else 0
    except Missing as e:
        print("arm_diff: %s" % e)
        return 2


if __name__ == "__main__":
    sys.exit(main())
