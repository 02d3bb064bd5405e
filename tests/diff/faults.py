"""Group `fault`: instructions that must raise a signal, and what the handler must then see.

Every access kind on no-access, read-only and unmapped pages and across their borders, misaligned
exclusives and atomics, undefined words, traps, branches to where nothing can run.
"""
import program as pg
from cases import EXCLUSIVE_STORES, Maker, TRAPS, ix

PAGE = 0x1000
NONE, READ_ONLY, UNMAPPED = (pg.FAULT + PAGE * k for k in (1, 3, 5))


class FaultMaker(Maker):
    def __init__(self, rng, program):
        super().__init__(rng, program)
        self.later = [ix.Pattern(line.split()[1]) for line in ix.read_lines(ix.LATER)]

    def bad_target(self, size, aligned):
        rng = self.rng
        page = rng.choice((NONE, NONE, READ_ONLY, UNMAPPED, 0))
        if page == 0:
            t = rng.randrange(0, 256)
        elif rng.random() < 0.4:
            t = page + rng.choice((0, 8, 64, PAGE - 64, PAGE - size, rng.randrange(PAGE - size)))
        else:                               # over a border
            t = page + rng.choice((0, PAGE)) - rng.randrange(1, max(size, 2))
        return t & -size if aligned else t

    def memory(self, row, misaligned=False):
        made = self.fields(row)
        if made is None:
            return False
        f, a = made
        store_exclusive = row.name.startswith(EXCLUSIVE_STORES)
        if store_exclusive and misaligned:
            return False                    # whether it checks without a monitor is left open
        if a.prefetch or (misaligned and (not a.aligned or a.size == 1)):
            return False
        for _ in range(40):
            if misaligned:
                target = self.target(a.size, False)
                if target % a.size == 0:
                    continue
            elif store_exclusive:           # it must hold the monitor to be sure to fault
                target = (READ_ONLY + self.rng.randrange(PAGE - 32)) & -a.size
            else:
                target = self.bad_target(a.size, a.aligned)
            over = self.address(row, f, a, target)
            if over is not None:
                break
        else:
            return False
        flags = pg.FILLWIN
        if a.simd:
            flags |= pg.vmode(self.rng.choice((1, 2, 3)))
            if a.structure or a.pair:
                flags |= pg.NO_V            # qemu writes the registers loaded before the fault
        if a.structure or a.pair or a.size == 16:
            flags |= pg.NO_MEM              # and memory stored before it: the manual allows both
        words = [row.encode(f)]
        if store_exclusive:
            words.insert(0, self.matching_load(words[0], f))
        self.p.add(words, [row.name], flags, over)
        return True

    def undefined(self):
        """A word that is in no row and in no later extension."""
        rng = self.rng
        while True:
            if rng.random() < 0.5:
                word = rng.getrandbits(32)
            else:
                word = rng.choice(self.rows).random_word(rng) ^ 1 << rng.randrange(32)
            if not self.finder.find(word) and not any(p.matches(word) for p in self.later):
                break
        self.p.add([word], ["undefined"])
        return True

    def bad_branch(self, row):
        rng, n = self.rng, self.rng.randrange(31)
        target = rng.choice((NONE, UNMAPPED, pg.FAULT, READ_ONLY)) + 4 * rng.randrange(16)
        if rng.random() < 0.3:
            target = rng.choice((0, 4, 0x1000))
        self.p.add([row.encode({"n": n})], [row.name], 0, [(pg.reg(n), target)])
        return True


def fill(program, rng, rows, count):
    m = FaultMaker(rng, program)
    m.rows, m.finder = rows, ix.Finder(rows)
    memory = [r for r in rows if r.is_memory and "_lit" not in r.name]
    ordered = [r for r in memory if r.feature == "LSE" or "X" in r.mnemonics[0].upper()[2:]
               or r.name.startswith(("LDAR", "STLR"))]
    traps = [r for r in rows if r.name in TRAPS]
    branches = [r for r in rows if r.name in ("BR", "BLR", "RET")]
    while len(program.cases) < count:
        kind = rng.random()
        if kind < 0.70:
            m.memory(rng.choice(memory))
        elif kind < 0.80:
            m.memory(rng.choice(ordered), misaligned=True)
        elif kind < 0.93:
            m.undefined()
        elif kind < 0.97:
            m.plain([rng.choice(traps)])
        else:
            m.bad_branch(rng.choice(branches))
