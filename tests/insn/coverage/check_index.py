#!/usr/bin/env python3
"""Proves a64.index against binutils' objdump.

1. Random legal words of every row must disassemble to one of the row's mnemonics.
2. No word may belong to two rows (HINT's named rows excepted: they are distinct encodings anyway).
3. Every random word objdump decodes must belong to a row of a64.index or to a line of a64.later
   (later extensions, by feature). Words are uniform, or rows' words with a few bits flipped.
4. Every row must be reachable: its rule leaves at least one legal word.

Exit status: 0 agreed, 1 a difference, 2 objdump is missing.
"""
import argparse
import collections
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import a64index as ix                                                      # noqa: E402


def load_later():
    """FEATURE PATTERN [mnemonic|globs]; returns (feature, Pattern, globs)."""
    later = []
    for line in ix.read_lines(ix.LATER):
        parts = line.split()
        p = ix.Pattern(parts[1])
        later.append((parts[0], p, parts[2].split("|") if len(parts) > 2 else ["*"]))
    return later


def is_later(later, word, mnemonic):
    return any(p.matches(word) and any(ix.fnmatch.fnmatchcase(mnemonic, g) for g in globs)
               for _, p, globs in later)


def check_rows(rows, rng, per_row):
    words, owners = [], []
    for row in rows:
        for _ in range(per_row):
            words.append(row.random_word(rng))
            owners.append(row)
    errors = []
    for word, row, text in zip(words, owners, ix.disassemble(words)):
        mnemonic = text.split()[0]
        if ix.undefined(text) or not row.mnemonic_ok(mnemonic):
            errors.append("row %s: %08x is «%s», not %s" % (row.name, word, text,
                                                          "|".join(row.mnemonics)))
    return errors, words


def check_words(rows, later, words):
    finder = ix.Finder(rows)
    errors, later_seen, covered = [], collections.Counter(), 0
    for word, text in zip(words, ix.disassemble(words)):
        hits = finder.find(word)
        if len(hits) > 1:
            errors.append("%08x belongs to %s" % (word, " and ".join(r.name for r in hits)))
        if ix.undefined(text):
            # objdump is stricter in places only where the manual says UNDEFINED: rows must agree.
            if hits:
                errors.append("%08x: row %s accepts it, objdump does not" % (word, hits[0].name))
            continue
        mnemonic = text.split()[0]
        if hits:
            covered += 1
            if not hits[0].mnemonic_ok(mnemonic):
                errors.append("%08x «%s»: row %s says %s" % (word, text, hits[0].name,
                                                           "|".join(hits[0].mnemonics)))
        elif is_later(later, word, mnemonic):
            later_seen[mnemonic] += 1
        else:
            errors.append("%08x «%s»: in no row and in no later extension" % (word, text))
    return errors, covered, later_seen


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--per-row", type=int, default=48, help="legal random words a row (48)")
    ap.add_argument("--random", type=int, default=150000, help="uniform random words (150000)")
    ap.add_argument("--show", type=int, default=30, help="differences printed (30)")
    args = ap.parse_args()
    rng = random.Random(args.seed)
    rows = ix.load_index()
    names = collections.Counter(r.name for r in rows)
    errors = ["row name %s is used %d times" % (n, c) for n, c in names.items() if c > 1]
    try:
        row_errors, words = check_rows(rows, rng, args.per_row)
        extensions = ix.load_index(ix.EXTENSIONS)
        row_errors += check_rows(extensions, rng, args.per_row)[0]
        near = []
        for w in words:
            near.append(w ^ (1 << rng.randrange(32)))
            near.append(w ^ (1 << rng.randrange(32)) ^ (1 << rng.randrange(32)))
        for row in rows:                    # field values that the row's rule refuses
            for _ in range(args.per_row if row.rule else 0):
                near.append(row.encode({ch: rng.getrandbits(row.width(ch)) for ch in row.bits}))
        near += [rng.getrandbits(32) for _ in range(args.random)]
        word_errors, covered, later_seen = check_words(rows, load_later(), words + near)
    except FileNotFoundError:
        print("check_index: %s is missing; install binutils-aarch64-linux-gnu" % ix.objdump_tool())
        return 2
    errors += row_errors + word_errors
    for e in errors[:args.show]:
        print(e)
    total = len(words) + len(near)
    print("a64.index: %d rows (a64_ext.index: %d), %d words with seed %d, %d in rows, %d in later extensions, %d wrong"
          % (len(rows), len(extensions), total, args.seed, covered, sum(later_seen.values()), len(errors)))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
