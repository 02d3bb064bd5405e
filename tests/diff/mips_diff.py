#!/usr/bin/env python3
"""Random MIPS instructions under Oryx (`oryx exec`) and under qemu-user, compared state by state.

  mips_diff.py [--oryx build/oryx] [--class mipsel|mips|mips64el|mips64] [--cpu MODEL] [--row REGEX] [--count N] [--seed S]
               [--engine E] [--show N]

Rows come from arch-mips/*.c and are drawn equally often. A branch gets an ordinary instruction for its delay slot; every
case ends in BREAK, wherever it lands. tests/diff/mips/oracle.c, built with the class's cross compiler, is the guest that
loads the registers and reports them. Not compared: what the manual leaves UNPREDICTABLE (rows and operands in skip()).

Exit status: 0 equal, 1 a difference, 2 an oracle is missing or failed.
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

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "cmake"))
import gen_decode                                                          # noqa: E402

CODE, DATA, WORDS, WINDOW, BREAK = 0x10000000, 0x20000000, 16, 256, 0x0d
R6_COMPILERS = {"mipsel": "mipsisa32r6el-linux-gnu-gcc", "mips64el": "mipsisa64r6el-linux-gnuabi64-gcc"}
CLASSES = {  # cross compiler, byte order, 64-bit registers, Oryx model -> qemu model
    "mipsel": ("mipsel-linux-gnu-gcc", "<", False, {"24kf": "24Kf", "74kf": "74Kf", "mips32r6": "mips32r6-generic", "p5600": "P5600"}),
    "mips": ("mips-linux-gnu-gcc", ">", False, {"24kf": "24Kf", "74kf": "74Kf", "p5600": "P5600"}),
    "mips64el": ("mips64el-linux-gnuabi64-gcc", "<", True, {"mips64r2": "MIPS64R2-generic", "i6400": "I6400"}),
    "mips64": ("mips64-linux-gnuabi64-gcc", ">", True, {"mips64r2": "MIPS64R2-generic"}),
}
ACC = ["hi1", "lo1", "hi2", "lo2", "hi3", "lo3"]
SIGNALS = {5: ("breakpoint", "exception"), 4: ("undefined", "exception"), 8: ("exception", "fp exception"), 10: ("fault",), 11: ("fault",), 7: ("fault",)}
# Privileged ones leave a user-level CPU by SIGILL whatever they are; releases and vendors that qemu's models are not.
PRIVILEGED = re.compile(r"D?M[TF]C0|M[TF]HC0|(RD|WR)PGPR|DI|EI|DVP|EVP|WAIT|D?ERET(NC)?|RFE|TLB.*|CACHE.*")
MSA, DSP = {"p5600", "i6400"}, {"74kf", "34kf"}         # models that have the module
ELSEWHERE = {"CRC", "CRC_64", "EVA", "MVH", "R5", "XNP", "XNP_64", "R3000", "OCTEON"}
SKIP = re.compile(r"RDHWR|SYSCALL|COP0|CACHE|SDBBP.*|SIGRIE|LL.*|SC.*|PREF.*|SYNC.*|ALUIPC|LWPC|LWUPC|LDPC")
BRANCH = re.compile(r"B[A-Z0-9]*|J[A-Z]*|NAL|FP_BC1.*|MSA_BN?Z(_V)?|DSP_BPOSGE32")
LOAD_STORE = re.compile(r"DSP_(LWX|LHX|LBUX)|MSA_(LD|ST)|[LS][BHWD]U?|[LS][WD][LR]|[LS][WD]C1|[LS][WD]XC1|LUXC1|SUXC1")
WIDE = re.compile(r"D[A-Z0-9]+|R6_D(MUL|MUH|DIV|MOD)|R6_DCLZ")
BOUNDARY = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
            0x7fffffffffffffff, 0x8000000000000000, 0xffffffff00000000, 0xffffffffffffffff]


class Missing(Exception):
    pass


def sx32(v):
    v &= 0xffffffff
    return v | 0xffffffff00000000 if v >> 31 else v


def value(rng, wide):
    r = rng.random()
    v = rng.choice(BOUNDARY) if r < 0.35 else rng.getrandbits(64) if r < 0.8 else rng.getrandbits(rng.randrange(1, 64))
    return v if wide else sx32(v)


def fields(row, word):
    out = {}
    for i, c in enumerate(row.pattern):
        if c.isalpha():
            out[c] = out.get(c, 0) << 1 | word >> (31 - i) & 1
    return out


def random_word(row, rng):
    for _ in range(200):
        word = row.value | rng.getrandbits(32) & ~row.mask & 0xffffffff
        if gen_decode.allocated_value(row, word):
            return word
    return None


def base_name(row):
    return re.sub(r"^R6_", "", row.name)


def unpredictable(row, word, r6, fr):
    """Operands the manual gives no result for."""
    f, name = fields(row, word), base_name(row)
    if re.fullmatch(r"B(LTZ|GEZ)ALL?", name) and f["s"] == 31:
        return True
    if row.name.startswith(("FP_", "LWXC1", "LDXC1", "SWXC1", "SDXC1", "LDC1", "SDC1")) and not fr and \
            (f.get("m") or re.search("_D|D[A-Z]*1", row.name)) and (f.get("s", 0) | f.get("t", 0) | f.get("d", 0) | f.get("r", 0)) & 1:
        return True                                    # odd registers of an FR = 0 FPU
    if name.startswith("DSP_") and name != "DSP_BPOSGE32":
        # qemu 7.2 takes whatever has a destination, and that is r0, for a NOP with no flags; BALIGN by 0 and 2 is UNPREDICTABLE.
        return 0 in (f.get("d"), f.get("t") if "d" not in f and "a" not in f or "EXT" in name or "PRECR_SRA" in name else None) or \
            name == "DSP_BALIGN" and f["b"] in (0, 2)
    if name == "JALR" and f["s"] == f["d"] or name == "JALR" and r6 and f["h"] & 15 or name in ("CLZ", "CLO", "DCLZ", "DCLO") and "t" in f and f["t"] != f["d"]:
        return True
    if name in ("JR", "JALR") and f["h"] not in (0, 16):
        return True
    if name in ("BLTZ", "BLTZL", "BGTZ", "BGTZL") and f["s"] == 0 or name in ("BNE", "BNEL") and f["s"] == f["t"]:
        return True                                    # qemu 7.2 takes it for a NOP and its slot for no slot
    if name in ("BOVC", "BNVC") and f["s"] == 0:
        return True                                    # qemu 7.2 links r31
    return bool(re.fullmatch(r"B[A-Z]+ALC", name)) and 31 in (f.get("s"), f.get("t"))


def make_case(row, plain, rng, wide_class, r6):
    """(words, registers, memory, in_slot) or None."""
    word = random_word(row, rng)
    if row.name in ("JR", "JALR"):
        word = word & ~(31 << 6) | (rng.randrange(2) << 10)
    if re.fullmatch("D?CL[OZ]", row.name):
        word = word & ~(31 << 16) | (word >> 11 & 31) << 16
    if word is None or unpredictable(row, word, r6, wide_class or r6):
        return None
    name, f = base_name(row), fields(row, word)
    wide = wide_class and (WIDE.fullmatch(row.name) or not row.feature.startswith("R") and rng.random() < 0.3
                           and name in ("AND", "OR", "XOR", "NOR", "SLT", "SLTU", "SLTI", "SLTIU", "ANDI", "ORI", "XORI", "MOVZ", "MOVN"))
    regs = [0] + [value(rng, wide) for _ in range(31)]
    if name == "FP_CFC1" or name == "FP_CTC1":
        if f["t"] == 26:
            return None                                # k0 carries FCSR
        n = rng.choice((26, 28, 31) if r6 else (25, 26, 28, 31))               # others, and reserved bits, are UNPREDICTABLE
        word = word & ~(31 << 11) | n << 11
        regs[f["t"]] = regs[f["t"]] & {25: 0xff, 26: 0x3f07c, 28: 0xf87, 31: 0xff83ffff}[n] if f["t"] else 0
        regs[f["t"]] = sx32(regs[f["t"]])
    if name in ("MSA_CTCMSA", "MSA_CFCMSA"):
        field = "s" if name == "MSA_CFCMSA" else "d"
        word = word & ~(31 << (11 if field == "s" else 6)) | (1 << (11 if field == "s" else 6))
        f = fields(row, word)
        if name == "MSA_CTCMSA":
            regs[f["s"]] &= 0x0107ffff & ~(0x3f000 if rng.random() < 0.5 else 0xf80 | 1 << 17) if f["s"] else 0
    if name == "PS_ALNV":
        if f["a"] == 26:
            return None                                # k0 carries FCSR
        regs[f["a"]] &= ~3                             # UNPREDICTABLE but for 0 and 4
    words = [word]
    branch = BRANCH.fullmatch(name) and name not in ("BREAK", "BITSWAP")
    if LOAD_STORE.fullmatch(name):
        base = f["s"]
        if base == 0 or "t" in f and "X" in name and f["t"] == base:
            return None
        size = 16 if name.startswith("MSA") else {"W": 4, "H": 2, "B": 1}[name[5]] if name.startswith("DSP") else {"B": 1, "H": 2, "W": 4, "D": 8, "U": 8}[name[1]]
        offset = (f["i"] ^ 512) - 512 << f["z"] if size == 16 else 0 if "i" not in f else f["i"] - 0x10000 if f["i"] & 0x8000 else f["i"]
        at = DATA + rng.randrange(0, WINDOW - max(size, 8))
        if rng.random() < 0.9 and not re.fullmatch(r"[LS][WD][LR]", name):
            at &= -size
        if rng.random() < 0.03:
            at = DATA + 4096 - rng.randrange(0, 9)
        if "X" in name:
            offset = (regs[f["t"]] if f["t"] else 0) if (f["t"]) else 0
        regs[base] = at - offset & 0xffffffffffffffff if wide_class and "X" in name else sx32(at - offset)
    if branch:
        if name in ("JR", "JALR", "JIC", "JIALC"):
            t = f["t" if "I" in name else "s"]
            if t in (0, 26):
                return None
            offset = (f["i"] - 0x10000 if f["i"] & 0x8000 else f["i"]) if "I" in name else 0
            regs[t] = sx32(CODE + 4 * rng.randrange(WORDS, 1000) - offset)
        elif name in ("J", "JAL"):
            word = row.value | (CODE >> 2 | rng.randrange(WORDS, 1000))
        else:
            bits = 26 if name in ("BC", "BALC") else 21 if name in ("BEQZC", "BNEZC") else 16
            word = word >> bits << bits | rng.randrange(WORDS, 1000)
            f = fields(row, word)
            if rng.random() < 0.4 and "t" in f and "s" in f:
                regs[f["s"]] = regs[f["t"]] if f["s"] and f["t"] else regs[f["s"]]
        slot = make_case(plain[rng.randrange(len(plain))], plain, rng, wide_class, r6) if plain else None
        if not slot:
            return None
        words = [word, slot[0][0]]
        if words[1] >> 21 == 0x226 and words[1] >> 16 & 31 in (f.get("s"), f.get("t")):
            return None                                # CTC1 of a value that the branch chose
        for n in range(1, 32):
            if n not in (f.get("s"), f.get("t")):
                regs[n] = slot[1][n]
    return words, regs, rng.randbytes(WINDOW), branch


FP_VALUES = [0, 1, 0x7fffff, 0x800000, 0x3f800000, 0x3f000000, 0x40490fdb, 0x7f7fffff, 0x7f800000, 0x7fc00000, 0x7fa00000, 0x7f800001,
             0x7fbfffff, 0x7fffffff, 0x4b000000, 0x4f000000, 0x4effffff, 0x5f000000, 0xdf000000, 0xcf000000]


def fp_value(rng):
    """Bits of a single in both halves, of a double, or of an integer."""
    r = rng.random()
    if r < 0.3:
        return rng.choice(FP_VALUES) ^ rng.randrange(2) << 31 | rng.choice(FP_VALUES) << 32
    if r < 0.5:
        v = rng.choice(FP_VALUES)
        return ((v >> 23 & 0xff) * 8 + (7 if v >> 23 & 0xff == 0xff else rng.randrange(8))) << 52 | (v & 0x7fffff) << 29 | \
            rng.choice((0, 1, 0x1fffffff)) | rng.randrange(2) << 63
    if r < 0.7:
        return struct.unpack("<Q", struct.pack("<d", rng.uniform(-4, 4) * 2.0 ** rng.randrange(-70, 70)))[0]
    if r < 0.9:
        v = struct.unpack("<I", struct.pack("<f", rng.uniform(-4, 4) * 2.0 ** rng.randrange(-40, 40)))[0]
        return v | v << 32
    return rng.getrandbits(64)


def dsp_control(rng):
    """DSPControl: pos, scount, c, EFI, ouflag, ccond."""
    return rng.randrange(33) | rng.randrange(33) << 7 | rng.getrandbits(2) << 13 | (rng.getrandbits(8) if rng.random() < 0.5 else 0) << 16 | rng.getrandbits(4) << 24


class Oracle:
    def __init__(self, cls, cpu, out):
        compiler, self.order, self.wide, cpus = CLASSES[cls]
        if cpu in ("mips32r6", "i6400"):
            compiler = R6_COMPILERS[cls]
        exe = os.path.join(out, "oracle-%s-%s" % (compiler, cpu))
        for tool in (compiler, "qemu-" + cls):
            if not shutil.which(tool):
                raise Missing("%s is not found; install it ('./setup test' does)" % tool)
        if not os.path.exists(exe):
            mine = "%s.%d" % (exe, os.getpid())
            fp = ["-mfp32"] if not self.wide and cpu not in ("mips32r6", "p5600") else []          # Status.FR = 0
            fp += ["-mfp64", "-march=mips32r5"] if cpu == "p5600" else []
            fp += ["-DMSA"] if cpu in MSA else ["-DDSP"] if cpu in DSP else []
            subprocess.run([compiler, "-O2", "-static", *fp, "-o", mine, os.path.join(ROOT, "tests", "diff", "mips", "oracle.c")], check=True)
            if cpu == "p5600":                          # EF_MIPS_NAN2008: qemu wants it, and Debian's libc has no variant of its own
                with open(mine, "r+b") as f:
                    elf = bytearray(f.read(40))
                    elf[38 if self.order == ">" else 37] |= 4
                    f.seek(0)
                    f.write(elf)
            os.replace(mine, exe)
        self.command = ["qemu-" + cls, "-cpu", cpus[cpu], exe]

    def run(self, cases, timeout):
        state = self.order + "32Q3Q32Q32Q6QIIII%ds" % WINDOW
        data = b"".join(struct.pack(self.order + "%dI" % WORDS, *(c["code"] + [BREAK] * (WORDS - len(c["code"]))))
                        + struct.pack(state, *c["r"], c["hi"], c["lo"], 0, *c["f"], *c["high"], *c["acc"], c["fcsr"], c["msacsr"], c["dsp"], 0, c["mem"]) for c in cases)
        p = subprocess.run(self.command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
        head = self.order + "IIQ"
        size = struct.calcsize(head) + struct.calcsize(state)
        if len(p.stdout) != size * len(cases):
            raise Missing("%s: status %d, %d results for %d cases %s" % (" ".join(self.command), p.returncode, len(p.stdout) // size,
                                                                        len(cases), p.stderr.decode(errors="replace")[-300:]))
        out = []
        for k in range(len(cases)):
            h = struct.unpack_from(head, p.stdout, k * size)
            v = struct.unpack_from(state, p.stdout, k * size + struct.calcsize(head))
            out.append({"signal": h[0], "code": h[1], "addr": h[2], "r": v[:32], "hi": v[32], "lo": v[33], "pc": v[34],
                        "f": v[35:67], "high": v[67:99], "acc": v[99:105], "fcsr": v[105], "msacsr": v[106], "dsp": v[107], "mem": v[109]})
        return out


def oryx_run(args, cases, order):
    names = ["r%d" % n for n in range(32)] + ["hi", "lo", "pc"] + ["f%d" % n for n in range(32)]
    msa, dsp = args.cpu in MSA, args.cpu in DSP
    names += (["w%d" % n for n in range(32)] + ["msacsr"] if msa else []) + (ACC + ["dspctl"] if dsp else [])
    lines = []
    for c in cases:
        code = struct.pack(order + "%dI" % 1024, *(c["code"] + [BREAK] * (1024 - len(c["code"]))))
        mask = (1 << 64) - 1 if CLASSES[args.cls][2] else 0xffffffff
        regs = {"r%d" % n: hex(c["r"][n] & mask) for n in range(1, 32)}
        regs.update({"hi": hex(c["hi"] & mask), "lo": hex(c["lo"] & mask), "pc": hex(CODE)})
        regs.update({"f%d" % n: hex(c["f"][n]) for n in range(32)})
        if args.cpu == "p5600":
            regs["status"] = "0x4000000"                # FR
        if msa:
            regs.update({"w%d" % n: hex(c["f"][n] | c["high"][n] << 64) for n in range(32)}, msacsr=hex(c["msacsr"]))
        if dsp:
            regs.update({name: hex(c["acc"][n] & mask) for n, name in enumerate(ACC)}, dspctl=hex(c["dsp"]))
        case = {"arch": args.cls, "cpu": args.cpu, "count": 8, "regs": regs, "read": {"regs": names, "mem": [{"addr": hex(DATA), "size": WINDOW}]},
                "map": [{"addr": hex(CODE), "size": 4096, "hex": code.hex()},
                        {"addr": hex(DATA), "size": 4096, "hex": c["mem"].hex()}]}
        lines.append(json.dumps(case))
    command = [args.oryx, "exec"] + (["--engine", args.engine] if args.engine else [])
    p = subprocess.run(command, input="\n".join(lines) + "\n", stdout=subprocess.PIPE, text=True, timeout=args.timeout)
    out = [json.loads(line) for line in p.stdout.splitlines()]
    if len(out) != len(cases):
        raise Missing("oryx exec: status %d, %d answers for %d cases" % (p.returncode, len(out), len(cases)))
    return out


def compare(c, want, got, wide):
    """Lines that tell what differs."""
    if "error" in got:
        return ["oryx: " + got["error"]]
    mask = (1 << 64) - 1 if wide else 0xffffffff
    regs = {n: int(v, 16) for n, v in got["regs"].items()}
    out = []
    reason = got["exit"]["reason"]
    if reason not in SIGNALS.get(want["signal"], ()):
        return ["oryx %s, qemu signal %d code %d" % (got["exit"], want["signal"], want["code"])]
    pc = regs["pc"]
    if c["slot"] and pc == CODE + 4 + 4 * c["fp"] and reason != "count":
        pc -= 4                                        # the kernel's EPC is the branch
    if pc != want["pc"] & mask:
        out.append("pc %#x not %#x (%s)" % (pc, want["pc"], reason))
    for n in range(1, 32):
        if regs["r%d" % n] != want["r"][n] & mask:
            out.append("r%d %#x not %#x" % (n, regs["r%d" % n], want["r"][n] & mask))
    for n in ("hi", "lo"):
        if regs[n] != want[n] & mask and not c["no_hilo"]:
            out.append("%s %#x not %#x" % (n, regs[n], want[n] & mask))
    fmask = (1 << 64) - 1 if wide or c["no_hilo"] or c["msa"] else 0xffffffff
    for n in range(32):
        if regs["f%d" % n] & fmask != want["f"][n] & fmask:
            out.append("f%d %#x not %#x" % (n, regs["f%d" % n], want["f"][n] & fmask))
    if c["msa"]:
        for n in range(32):
            if regs["w%d" % n] >> 64 != want["high"][n]:
                out.append("w%d above %#x not %#x" % (n, regs["w%d" % n] >> 64, want["high"][n]))
        if regs["msacsr"] != want["msacsr"]:
            out.append("msacsr %#x not %#x" % (regs["msacsr"], want["msacsr"]))
    if c["dsps"]:
        for n, name in enumerate(ACC):
            if regs[name] != want["acc"][n] & mask:
                out.append("%s %#x not %#x" % (name, regs[name], want["acc"][n] & mask))
        if regs["dspctl"] != want["dsp"]:
            out.append("dspctl %#x not %#x" % (regs["dspctl"], want["dsp"]))
    mem = bytes.fromhex(got["mem"][0]["hex"])
    if mem != want["mem"]:
        k = next(i for i in range(WINDOW) if mem[i] != want["mem"][i])
        out.append("memory + %#x: %s not %s" % (k, mem[k:k + 8].hex(), want["mem"][k:k + 8].hex()))
    return out


def divides_by_zero(rows, c):
    for row, word in zip(rows, c["code"]):
        if re.fullmatch(r"(R6_)?D?(DIV|MOD)", row.name) and c["r"][fields(row, word)["t"]] & \
                ((1 << 64) - 1 if row.name.replace("R6_", "").startswith("DD") or "DMOD" in row.name else 0xffffffff) == 0:
            return True
    return False


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--oryx", default=os.environ.get("ORYX", os.path.join(ROOT, "build", "oryx")))
    p.add_argument("--class", dest="cls", default="mipsel", choices=sorted(CLASSES))
    p.add_argument("--cpu")
    p.add_argument("--row", default=".*")
    p.add_argument("--count", type=int, default=5000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--engine")
    p.add_argument("--show", type=int, default=3)
    p.add_argument("--timeout", type=float, default=280, help="seconds for each of both sides")
    p.add_argument("--out", default=os.path.join(ROOT, "build"))
    args = p.parse_args()
    args.cpu = args.cpu or next(iter(CLASSES[args.cls][3]))
    order, wide, r6 = CLASSES[args.cls][1], CLASSES[args.cls][2], args.cpu in ("mips32r6", "i6400")
    rng = random.Random(args.seed)
    files = sorted(glob.glob(os.path.join(ROOT, "arch-mips", "mips_*.c"))) + (sorted(glob.glob(os.path.join(ROOT, "arch-mips", "r6_*.c"))) if r6 else [])
    rows, errors = gen_decode.read_rows(files)
    if errors:
        print("\n".join(errors))
        return 2
    rows = [r for r in rows if not SKIP.fullmatch(r.name) and not (r6 and r.feature.endswith("_5")) and not (not r6 and r.feature.startswith("R6"))
            and (wide or not (r.feature in ("M3", "M3_5") or "64" in r.feature)) and not (r.feature == "PS" and args.cpu != "mips64r2")
            and not (r.feature.startswith("MSA") and args.cpu not in MSA) and not (r.feature.startswith("DSP") and args.cpu not in DSP)
            and r.feature not in ELSEWHERE and not PRIVILEGED.fullmatch(r.name)]
    plain = [r for r in rows if not (BRANCH.fullmatch(base_name(r)) and base_name(r) not in ("BITSWAP",)) and not LOAD_STORE.fullmatch(base_name(r))
             or base_name(r) == "LW"]
    rows = [r for r in rows if re.fullmatch(args.row, r.name)]
    cases, named = [], []
    while len(cases) < args.count:
        row = rows[len(cases) % len(rows)]
        made = None
        for _ in range(100):
            made = make_case(row, plain, rng, wide, r6)
            if made:
                break
        if not made:
            print("%s: no legal case" % row.name)
            return 2
        words, regs, mem, slot = made
        msa = row.name.startswith("MSA_")
        c = {"high": [0] * 32, "acc": [0] * 6, "msacsr": 0, "dsp": 0, "msa": args.cpu in MSA, "dsps": args.cpu in DSP,
             "code": words, "r": regs, "hi": value(rng, wide and rng.random() < .5), "lo": value(rng, wide and rng.random() < .5), "mem": mem,
             "f": [0] * 32, "fcsr": 0x0c0000 if r6 else 0, "slot": bool(slot), "no_hilo": r6,
             "fp": any(w >> 26 in (17, 19) or w >> 26 == 0 and w & 63 == 1 for w in words) or row.name[1:] in ("WC1", "DC1")}
        if c["fp"]:
            c["f"] = [fp_value(rng) for _ in range(32)]
            c["fcsr"] |= rng.randrange(4) if rng.random() < 0.4 else 0
            c["fcsr"] |= rng.randrange(32) << 2 | rng.randrange(256) << 24 & 0xfe000000 | rng.randrange(2) << 23
            c["fcsr"] |= rng.randrange(32) << 7 if rng.random() < 0.15 else 0
            # qemu's signal frames have no FCSR: CTC1 k0 before, CFC1 k1 behind.
            c["r"][26] = sx32(c["fcsr"])
            c["code"] = [0x44daf800] + c["code"] + [0x445bf800]
        if msa:
            for half in ("f", "high"):
                c[half] = [fp_value(rng) for _ in range(32)]
            f = fields(row, words[0])
            if "z" in f and rng.random() < 0.2:        # equal elements, zeros
                c["high"][f["s"] if "s" in f else 0] = c["f"][f["t"] if "t" in f else 0]
                c["high"][f["d"] if "d" in f else 0] = 0
            c["msacsr"] = (rng.randrange(4) if rng.random() < 0.4 else 0) | rng.randrange(32) << 2
            # An MSA exception that traps ends qemu-user 7.2: enabled ones with NX only.
            c["msacsr"] |= rng.randrange(32) << 7 | 1 << 18 if rng.random() < 0.2 else rng.randrange(2) << 18
            c["msacsr"] |= 1 << 24 if rng.random() < 0.15 else 0
        if args.cpu in DSP:
            c["acc"] = [value(rng, wide) for _ in range(6)]
            c["dsp"] = dsp_control(rng)
            if row.name == "DSP_INSV" and (c["dsp"] & 63) + (c["dsp"] >> 7 & 63) > 32:
                c["dsp"] &= ~31                        # else UNPREDICTABLE
                c["dsp"] &= ~(63 << 7) if c["dsp"] & 32 else -1
        involved = [row] + [r for r in rows + plain if len(words) > 1 and not (words[1] ^ r.value) & r.mask]
        if divides_by_zero(involved[:1], c) or len(words) > 1 and any(divides_by_zero([r], {**c, "code": words[1:]}) for r in involved[1:]):
            c["code"], c["slot"] = [0], False
        cases.append(c)
        named.append(row.name)
    bad = {}
    try:
        oracle = Oracle(args.cls, args.cpu, args.out)
        want, got = oracle.run(cases, args.timeout), oryx_run(args, cases, order)
    except Missing as e:
        print("mips_diff: %s" % e)
        return 2
    for c, name, w, g in zip(cases, named, want, got):
        lines = compare(c, w, g, wide)
        if lines:
            bad.setdefault(name, []).append("%s: %s" % (" ".join("%08x" % x for x in c["code"]), "; ".join(lines[:4])))
    for name in sorted(bad):
        print("%s: %d differ" % (name, len(bad[name])))
        for line in bad[name][:args.show]:
            print("    " + line)
    print("%s %s seed %d: %d cases of %d rows, %d differ" % (args.cls, args.cpu, args.seed, len(cases), len(rows), sum(map(len, bad.values()))))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
