#!/usr/bin/env python3
"""Writes guest code that runs once, for the rate of translation, and what it must compute.

  straight   one basic block after another only where the translator cuts it: 200,000 instructions
  blocks     50,000 blocks of six instructions, each ending in a branch

The expected result is computed here by carrying the instructions out, which is the oracle; there is
no native twin, since nothing is translated natively. Seeded: the same code every time.

EXPECTED gets the checksum and the number of instructions that run.

usage: gen_code.py straight|blocks CODE.S EXPECTED
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


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("straight", "blocks"):
        sys.exit(__doc__)
    code = Arm64()
    getattr(code, sys.argv[1])()
    expected = code.end()
    count = STRAIGHT if sys.argv[1] == "straight" else BLOCKS * 6
    with open(sys.argv[2], "w", encoding="ascii") as file:
        file.write("\n".join(code.out) + "\n")
    with open(sys.argv[3], "w", encoding="ascii") as file:
        file.write(f"{expected:016x} {count}\n")


if __name__ == "__main__":
    main()
