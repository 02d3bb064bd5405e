#!/usr/bin/env python3
"""Compares `oryx dis` with binutils' objdump on random words.

Legal words of every row of a64.index must have objdump's text (preferred aliases); words objdump refuses
must be refused; words of later extensions may be either refused or equal. No byte string may end oryx.
Exit status: 0 all equal, 1 a difference, 2 oryx or objdump is missing or failed.
"""
import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "coverage"))
import a64index as ix                                                      # noqa: E402

BASE = 0x400000


def oryx_texts(oryx, words):
    """(valid, text) of each word."""
    with tempfile.NamedTemporaryFile(suffix=".bin") as f:
        f.write(b"".join(w.to_bytes(4, "little") for w in words))
        f.flush()
        run = subprocess.run([oryx, "dis", "--json", "--arch", "arm64", "--addr", hex(BASE), f.name],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    if run.returncode or len(lines) != len(words):
        raise RuntimeError("oryx dis: status %d, %d lines for %d words: %s"
                           % (run.returncode, len(lines), len(words), run.stderr.strip()[-300:]))
    return [(line["valid"], " ".join(line["text"].split())) for line in lines]


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--oryx", default=os.environ.get("ORYX", "build/oryx"))
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--per-row", type=int, default=40, help="legal words a row (40)")
    ap.add_argument("--random", type=int, default=50000, help="uniform words (50000)")
    ap.add_argument("--show", type=int, default=30)
    args = ap.parse_args()
    rng = random.Random(args.seed)
    rows = ix.load_index()
    finder = ix.Finder(rows)
    later = [ix.Pattern(line.split()[1]) for line in ix.read_lines(ix.LATER)]
    words = [r.random_word(rng) for r in rows for _ in range(args.per_row)]
    words += [w ^ 1 << rng.randrange(32) for w in words]
    words += [rng.getrandbits(32) for _ in range(args.random)]
    try:
        want = ix.disassemble(words, aliases=True, base=BASE)
        got = oryx_texts(args.oryx, words)
    except FileNotFoundError as e:
        print("run_dis: %s is not found" % e.filename)
        return 2
    except (RuntimeError, ValueError) as e:
        print("run_dis: %s" % e)
        return 2
    wrong, shown, by_row = 0, 0, collections.Counter()
    for word, text, (valid, mine) in zip(words, want, got):
        hits = finder.find(word)
        text = " ".join(text.split())
        if ix.undefined(text):              # should-be-one fields that are not ones: either way
            bad = valid and not any(p.matches(word) for p in later)
        elif hits:
            bad = not valid or mine != text
        else:
            bad = valid and mine != text
        if bad:
            wrong += 1
            name = hits[0].name if hits else "(none)"
            by_row[name] += 1
            if by_row[name] <= 2 and shown < args.show:
                shown += 1
                print("%08x: objdump «%s», oryx «%s»%s" % (word, text, mine,
                                                        "" if valid else " (invalid)"))
    if by_row:
        print("by row: " + " ".join("%s:%d" % x for x in by_row.most_common(80)))
    print("dis: %d words with seed %d, %d wrong" % (len(words), args.seed, wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
