#!/usr/bin/env python3
"""Writes guest code that runs once, for the rate of translation, and what it must compute.

  straight   one basic block after another only where the translator cuts it: 200,000 instructions
  blocks     50,000 blocks of six instructions, each ending in a branch

The expected result is computed here by carrying the instructions out, which is the oracle; there is
no native twin, since nothing is translated natively. Seeded: the same code every time.

EXPECTED gets the checksum and the number of instructions that run.

usage: gen_code.py arm64|arm|mipsel straight|blocks CODE.S EXPECTED
"""
import random
import sys

MASK = (1 << 64) - 1
STRAIGHT = 200_000
BLOCKS = 50_000
REGS = range(1, 9)  # x1..x8 hold values, x0 the memory, x9 zero


class Arm64:
    """Emits A64 text and carries it out."""

    def __init__(self):
        self.random = random.Random(4)
        self.x = [0] * 9
        for i in REGS:
            self.x[i] = i * 0x9E3779B97F4A7C15 & MASK
        self.memory = [0] * 64
        self.out = [".text", ".globl generated", ".type generated, %function", "generated:"]
        # The values come in through x1, which is the last to be loaded.
        self.out += [f" ldr x{i}, [x1, #{8 * (i - 1)}]" for i in reversed(REGS)]
        self.out.append(" mov x9, #0")

    def instruction(self):
        """One instruction of a mix like that of compiled integer code."""
        r, x = self.random, self.x
        d, n, m = r.choice(REGS), r.choice(REGS), r.choice(REGS)
        kind = r.randrange(12)
        if kind < 3:
            text, value = f"add x{d}, x{n}, x{m}", x[n] + x[m]
        elif kind == 3:
            text, value = f"sub x{d}, x{n}, x{m}", x[n] - x[m]
        elif kind == 4:
            text, value = f"eor x{d}, x{n}, x{m}", x[n] ^ x[m]
        elif kind == 5:
            k = r.randrange(1, 64)
            text, value = f"eor x{d}, x{n}, x{m}, lsr #{k}", x[n] ^ x[m] >> k
        elif kind == 6:
            k = r.randrange(4096)
            text, value = f"add x{d}, x{n}, #{k}", x[n] + k
        elif kind == 7:
            text, value = f"orr w{d}, w{n}, w{m}", (x[n] | x[m]) & 0xFFFFFFFF
        elif kind == 8:
            k = r.randrange(64)
            text, value = f"ldr x{d}, [x0, #{8 * k}]", self.memory[k]
        elif kind == 9:
            k = r.randrange(64)
            self.memory[k] = x[n]
            text, value = f"str x{n}, [x0, #{8 * k}]", None
        elif kind == 10:
            k = r.randrange(1, 64)
            text, value = f"ror x{d}, x{n}, #{k}", x[n] >> k | x[n] << 64 - k
        else:
            text, value = f"madd x{d}, x{n}, x{m}, x{d}", x[d] + x[n] * x[m]
        self.out.append(" " + text)
        if value is not None:
            x[d] = value & MASK

    def straight(self):
        for _ in range(STRAIGHT):
            self.instruction()

    def blocks(self):
        """Five instructions and a branch: half fall through, a quarter are taken, a quarter jump."""
        for i in range(BLOCKS):
            self.out.append(f".Lb{i}:")
            for _ in range(5):
                self.instruction()
            kind = self.random.randrange(4)
            if kind < 2:  # never taken
                self.out.append(f" cbnz x9, .Lb{max(0, i - 20)}")
            elif kind == 2:  # always taken, over one word
                self.out += [f" cbz x9, .Lb{i + 1}", " brk #2"]
            else:
                self.out += [f" b .Lb{i + 1}", " brk #3"]
        self.out.append(f".Lb{BLOCKS}:")

    def end(self):
        self.out += [" eor x0, x1, x2", " ret", '.section .note.GNU-stack,"",%progbits']
        return self.x[1] ^ self.x[2]


class Words32:
    """What A32 and MIPS have in common: 32-bit values, one text an instruction."""

    def __init__(self):
        self.random = random.Random(4)
        self.x = [0] + [i * 0x9E3779B97F4A7C15 & 0xFFFFFFFF for i in REGS]
        self.memory = [0] * 64
        self.out = [".text", ".globl generated", ".type generated, %function", "generated:"]
        self.begin()

    def instruction(self):
        r, x = self.random, self.x
        d, n, m = r.choice(REGS), r.choice(REGS), r.choice(REGS)
        kind, k = r.randrange(12), r.randrange(64)
        s = k % 31 + 1
        if kind == 9:
            self.memory[k] = x[n]
            self.emit("store", d, n, m, k)
            return
        add = ("add", x[n] + x[m])
        name, value = [add, add, add, ("sub", x[n] - x[m]), ("eor", x[n] ^ x[m]), ("lsr", x[n] >> s), ("addi", x[n] + k),
                       ("orr", x[n] | x[m]), ("load", self.memory[k]), add, ("ror", x[n] >> s | x[n] << 32 - s),
                       ("mul", self.product(d, n, m))][kind]
        self.emit(name, d, n, m, s if name in ("lsr", "ror") else k)
        x[d] = value & 0xFFFFFFFF

    def straight(self):
        for _ in range(STRAIGHT):
            self.instruction()


class Arm(Words32):
    """A32: r1 to r8 hold values, r0 the memory; Z is set all along."""

    TEXT = {"add": "add r{d}, r{n}, r{m}", "sub": "sub r{d}, r{n}, r{m}", "eor": "eor r{d}, r{n}, r{m}", "lsr": "lsr r{d}, r{n}, #{k}",
            "addi": "add r{d}, r{n}, #{k}", "orr": "orr r{d}, r{n}, r{m}", "load": "ldr r{d}, [r0, #{o}]", "store": "str r{n}, [r0, #{o}]",
            "ror": "ror r{d}, r{n}, #{k}", "mul": "mla r{d}, r{n}, r{m}, r{d}"}

    def begin(self):
        self.out += [".arm", " push {r4-r8, lr}"]
        self.out += [f" ldr r{i}, [r1, #{8 * (i - 1)}]" for i in reversed(REGS)] + [" cmp r0, r0"]

    def product(self, d, n, m):
        return self.x[d] + self.x[n] * self.x[m]

    def emit(self, name, d, n, m, k):
        self.out.append(" " + self.TEXT[name].format(d=d, n=n, m=m, k=k, o=8 * k))

    def blocks(self):
        for i in range(BLOCKS):
            self.out.append(f".Lb{i}:")
            for _ in range(5):
                self.instruction()
            kind = self.random.randrange(4)
            if kind < 2:
                self.out.append(f" bne .Lb{max(0, i - 20)}")
            else:
                self.out += [f" {'beq' if kind == 2 else 'b'} .Lb{i + 1}", " udf #2"]
        self.out.append(f".Lb{BLOCKS}:")

    def end(self):
        self.out += [" eor r0, r1, r2", " mov r1, #0", " pop {r4-r8, pc}", '.section .note.GNU-stack,"",%progbits']
        return self.x[1] ^ self.x[2]


class Mipsel(Words32):
    """MIPS32 R2: t0 to t7 hold values, a0 the memory. A block's sixth instruction stands in its branch's delay slot."""

    TEXT = {"add": "addu {d}, {n}, {m}", "sub": "subu {d}, {n}, {m}", "eor": "xor {d}, {n}, {m}", "lsr": "srl {d}, {n}, {k}",
            "addi": "addiu {d}, {n}, {k}", "orr": "or {d}, {n}, {m}", "load": "lw {d}, {o}($4)", "store": "sw {n}, {o}($4)",
            "ror": "rotr {d}, {n}, {k}", "mul": "mul {d}, {n}, {m}"}

    def begin(self):
        self.out += [".set noreorder", ".set noat", ".set mips32r2"]
        self.out += [f" lw ${7 + i}, {8 * (i - 1)}($5)" for i in reversed(REGS)]

    def product(self, _, n, m):
        return self.x[n] * self.x[m]

    def emit(self, name, d, n, m, k):
        self.out.append(" " + self.TEXT[name].format(d=f"${7 + d}", n=f"${7 + n}", m=f"${7 + m}", k=k, o=8 * k))

    def blocks(self):
        for i in range(BLOCKS):
            self.out.append(f".Lb{i}:")
            for _ in range(4):
                self.instruction()
            kind = self.random.randrange(4)
            self.out.append(f" bne $0, $0, .Lb{max(0, i - 20)}" if kind < 2 else f" beq $0, $0, .Lb{i + 1}")
            self.instruction()
            if kind >= 2:
                self.out.append(" break")
        self.out.append(f".Lb{BLOCKS}:")

    def end(self):
        self.out += [" xor $2, $8, $9", " jr $31", " move $3, $0"]
        return self.x[1] ^ self.x[2]


WRITERS = {"arm64": Arm64, "arm": Arm, "mipsel": Mipsel}


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in WRITERS or sys.argv[2] not in ("straight", "blocks"):
        sys.exit(__doc__)
    code = WRITERS[sys.argv[1]]()
    getattr(code, sys.argv[2])()
    expected = code.end()
    count = STRAIGHT if sys.argv[2] == "straight" else BLOCKS * 6
    with open(sys.argv[3], "w", encoding="ascii") as file:
        file.write("\n".join(code.out) + "\n")
    with open(sys.argv[4], "w", encoding="ascii") as file:
        file.write(f"{expected:016x} {count}\n")


if __name__ == "__main__":
    main()
