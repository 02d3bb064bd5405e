"""What the A32 and T32 differential tests share: random fields, boundary values, and the register choices that the manual
leaves UNPREDICTABLE. Used by arm_unicorn.py and arm_diff.py.
"""
import re

EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe,
         0xffffffff, 0x00ff00ff, 0x80008000, 0x7fff7fff, 31, 32, 33]
# Rows without a comparable effect: exceptions, hints that stop unicorn, and what Armv8 removed.
# The last line: what needs privilege, which user mode refuses and unicorn's mode has (tests/guest/arm).
SKIP = re.compile(r"(T_)?(SVC|BKPT|HLT|UDF|HINT|UDF_w|HINT_w|SWP|MRC_tls|MCR_tls|"
                  r"MRS_spsr|MSR_spsr\w*|M[RS][SR]_banked|RFE|SRS|LDM_user|ERET|SUBS_pc|SMC|HVC|MRR?C|MCRR?)$")
MEMORY = re.compile(r"(T_)?(LD|ST|PUSH|POP|TBB)")


def value(rng):
    k = rng.randrange(4)
    if k == 0:
        return rng.choice(EDGES)
    if k == 1:
        return (rng.choice(EDGES) + rng.randrange(-2, 3)) & 0xffffffff
    return rng.getrandbits(32)


def letters(row):
    """{letter: bit numbers of the field, the highest first}, found once a row."""
    if not hasattr(row, "letters"):
        row.letters = {}
        for i, c in enumerate(row.pattern):
            if c.isalpha():
                row.letters.setdefault(c, []).append(31 - i)
    return row.letters


def fields(row, word):
    out = {}
    for letter, bits in letters(row).items():
        v = 0
        for b in bits:
            v = v << 1 | word >> b & 1
        out[letter] = v
    return out


def random_word(row, rng):
    word = rng.getrandbits(32)
    for letter, bits in letters(row).items():
        if letter == "c" or rng.random() > 0.3:
            continue
        v = (0, (1 << len(bits)) - 1, 1)[rng.randrange(3)]
        for k, b in enumerate(reversed(bits)):
            word = word & ~(1 << b) | (v >> k & 1) << b
    return word & ~row.mask & 0xffffffff | row.value


def unpredictable(row, word, f, thumb, it):
    """Register choices the manual leaves open, by letters: 15 as an operand of most rows, writeback onto itself."""
    name = row.name.replace("T_", "")
    d, n, m, t, a, s = (f.get(k) for k in "dnmtas")
    if thumb and row.name == "T_LDRD" and n == 15:
        return True
    if name.startswith(("DP_imm", "DP_reg", "MOVW", "MOVT", "ADDW")):
        if thumb:
            regs = [f.get("d"), f.get("m")] + ([n] if name != "ADDW" and f.get("o") not in (2, 3) else [])
            if row.name == "T_DP_imm" or row.name == "T_DP_reg":
                if d == 15 and not (f["s"] and f["o"] in (0, 4, 8, 13)):
                    return True
                regs = [m, n if not (f["o"] in (2, 3) and n == 15) else None, d if d != 15 else None]
                return 15 in regs or 13 in regs
            return 13 in regs or 15 in regs
        if name.startswith(("MOVW", "MOVT")):
            return d == 15
        if d == 15 and f.get("s") and f.get("o", 0) & 12 != 8:
            return True
        compare = f.get("o", 0) & 12 == 8
        return compare and d != 0 or f.get("o") in (13, 15) and n != 0
    if name == "DP_shift":
        return 15 in (d, n, m, f["i"]) or (f["o"] & 12 == 8 and d != 0) or (f["o"] in (13, 15) and n != 0)
    if name in ("ADD_high", "MOV_high", "CMP_high", "BX", "BLX", "BLX_reg"):
        if name == "CMP_high":
            return n == 15 or m == 15 or (n < 8 and m < 8)
        if name == "ADD_high" and d == 15 and m == 15:
            return True
        return m == 15 or (d == 15 and it not in (None, "last")) or (name in ("BX", "BLX") and it not in (None, "last"))
    if name.startswith(("B", "CBZ", "TBB", "B_cond", "BL", "BLX")) and name not in ("BFX", "BFI") and it not in (None, "last"):
        return True
    if name == "BLX_imm" and it is not None:         # unicorn goes on into the A32 code at the target
        return True
    if name in ("B_cond", "B_cond_w", "CBZ", "IT", "SETEND") and it is not None:
        return True
    if MEMORY.match(row.name) and name not in ("LDM", "LDM_w", "PUSH", "POP"):
        p, w = f.get("p", 1), f.get("w", 0)
        wb = not p or w
        lit = n == 15
        if wb and (n == 15 or n == t or n == s or (f.get("m") == n)):
            return True
        if name.startswith("LDRD") and (n in (t, (t or 0) + 1) and wb or m in (t, (t or 0) + 1, 15)
                                        or (not thumb and not p and w)):
            return True
        if m == 15 or (thumb and m == 13):
            return True
        word_load = name.startswith(("LDST", "LDR_")) and (f.get("z", 2) == 2 and not f.get("b"))
        if t == 15 and not word_load:
            return True
        if t == 15 and not f.get("l", 1):
            return True
        if thumb and (t == 13 and not word_load or s in (13, 15)):
            return True
        if t == 15 and it not in (None, "last"):
            return True
        if name.startswith(("STREX", "STLEX")) and d in (15, n, t, s if thumb else t + 1):
            return True
        if name == "STREXD" and thumb and 13 in (d, t, s):
            return True
        if name.startswith(("LDREX", "LDAEX", "LDA", "STL", "STREX")) and (n == 15 or t == 15 or (thumb and t == 13)):
            return True
        return lit and name.startswith(("STR",))
    if name in ("LDM", "LDM_w"):
        regs, w = f["i"], f.get("w", 1)
        if not regs or n == 15 or (w and regs >> n & 1 and row.name != "T_LDM"):
            return True
        if row.name == "T_LDM" and not f["l"] and regs >> n & 1 and regs & ((1 << n) - 1):
            return True
        if not thumb and not f["l"] and regs >> 15:
            return False
        return regs >> 15 and it not in (None, "last") or False
    if name == "POP":
        return f["r"] and it not in (None, "last")
    if name == "MULL" or name in ("MLAL", "UMAAL", "SMLALxy", "SMLALD"):
        return 15 in (d, a, n, m) or d == a or (thumb and 13 in (d, a, n, m))
    ok15 = {"a"} if name in ("SMLAD", "SMLSD", "SMMLA", "USADA8", "SMLAxy", "SMLAWy") and not (name in ("SMLAxy", "SMLAWy") and not thumb) else set()
    if name.startswith("EXTEND"):
        ok15.add("n")
    if name == "BFI":
        ok15.add("n")
    return any(f.get(k) == 15 and k not in ok15 or (thumb and len(row.pattern.rstrip("-")) > 16 and f.get(k) == 13)
               for k in "dnma" if len([c for c in row.pattern if c == k]) == 4)


def aligned(name):
    return bool(re.match(r"(T_)?(LDM|LDRD|PUSH|POP|LDREX|LDAEX|LDA|STL|LDM_w|STREX)", name))


def misaligned(row, f):
    return row.name == "LDRD_imm" and f["i"] & 3
