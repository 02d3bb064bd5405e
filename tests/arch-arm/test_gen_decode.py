#!/usr/bin/env python3
"""gen_decode.py refuses what it must, with a message that names file, line and rule; accepted rows decode as a
plain search over the patterns does. The expected values are written here by hand or found by that search."""
import contextlib
import io
import os
import random
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "cmake"))
import gen_decode                                                          # noqa: E402

ALL = "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"


def row(name, pattern, text="nop", feature="BASE"):
    return 'ORYX_INSN(%s, "%s", "%s", %s)\n{\n}\n' % (name, pattern, text, feature)


class Build(unittest.TestCase):
    def run_on(self, source):
        """(exit status, messages, generated text) of one source file."""
        with tempfile.TemporaryDirectory() as d:
            path, out = os.path.join(d, "a64_x.c"), os.path.join(d, "out.inc")
            with open(path, "w") as f:
                f.write(source)
            messages, argv = io.StringIO(), sys.argv
            sys.argv = ["gen_decode.py", "-o", out, path]
            try:
                with contextlib.redirect_stderr(messages):
                    status = gen_decode.main()
            finally:
                sys.argv = argv
            text = ""
            if os.path.exists(out):
                with open(out) as f:
                    text = f.read()
            return status, messages.getvalue(), text

    def refused(self, source, *words):
        status, messages, text = self.run_on(source)
        self.assertEqual(status, 1)
        self.assertEqual(text, "")
        for word in words:
            self.assertIn(word, messages)

    def test_short_pattern(self):
        self.refused(row("A", ALL[1:]), "a64_x.c:1", "31 characters", "must be 32")

    def test_same_name(self):
        self.refused(row("A", "0" * 32) + row("A", "1" * 32), "a64_x.c:4", "name already used")

    def test_same_pattern(self):
        self.refused(row("A", "01" + ALL[2:]) + row("B", "01" + ALL[2:]), "B overlaps A", "a64_x.c:4")

    def test_crossing_patterns(self):
        self.refused(row("A", "0" + ALL[1:]) + row("B", "i1" + ALL[2:]), "B overlaps A")

    def test_bad_directive(self):
        self.refused(row("A", ALL, "mov\\t%5"), "a directive is %name(args)")

    def test_unclosed(self):
        self.refused(row("A", ALL, "mov\\t%u(i"), "no closing ')'")

    def test_guard_in_the_middle(self):
        self.refused(row("A", ALL, "a ;; {i} b"), "only the last alternative may lack a {guard}")

    def test_malformed_row(self):
        self.refused('ORYX_INSN(A, PATTERN, "nop", BASE)\n', "malformed row")

    def test_no_rows(self):
        self.refused("", "no ORYX_INSN row")

    def test_subset_wins(self):
        status, messages, text = self.run_on(row("A", "0" + ALL[1:]) + row("B", "0" * 32))
        self.assertEqual((status, messages), (0, ""))
        self.assertLess(text.index("{ 0xffffffff, 0x00000000, 1 }"), text.index("{ 0x80000000, 0x00000000, 0 }"))

    def test_told_apart_by_expression(self):
        a, b = row("A", "0iii" + "n" * 28, "[i >= 4] a"), row("B", "d000" + "n" * 28, "[d == 0] b")
        self.assertEqual(self.run_on(a + b)[0], 0)
        self.refused(row("A", "0iii" + "n" * 28, "[i != 4] a") + b, "B overlaps A")

    def test_fields_and_expressions(self):
        text = self.run_on(row("A", "0jj0" + "i" * 28, '{j == 1} x%?(i){, #%u(i)} ;; y%pick(j, \\"a b\\")'))[2]
        self.assertIn("f->j = (w >> 29 & 0x3);", text)
        self.assertIn("if (f->j == 1) {", text)
        self.assertIn('a64_t_pick(t, f->j, "a b");', text)


class Decode(unittest.TestCase):
    def test_tables_equal_search(self):
        """Random sets of rows: the tables give the most specific matching row, as a search of all rows does."""
        rng = random.Random(1)
        for _ in range(6):
            rows = []
            while len(rows) < 25:
                pattern = "".join(rng.choice("01iiin") for _ in range(32))
                new = gen_decode.Row("R%d" % len(rows), pattern, "x", "BASE", "")
                if not gen_decode.overlaps(rows + [new]):
                    rows.append(new)
            tables = gen_decode.Tables(rows)
            for _ in range(500):
                r = rng.choice(rows)
                word = rng.getrandbits(32) & ~r.mask & 0xffffffff | r.value if rng.random() < 0.8 else rng.getrandbits(32)
                match = [k for k, x in enumerate(rows) if word & x.mask == x.value]
                best = max(match, key=lambda k: bin(rows[k].mask).count("1")) if match else -1
                e = tables.root
                while e >= 0:
                    lo, width, first = tables.nodes[e]
                    e = tables.entries[first + (word >> lo & (1 << width) - 1)]
                leaf = ~e
                while word & tables.leaves[leaf][0] != tables.leaves[leaf][1]:
                    leaf += 1
                self.assertEqual(tables.leaves[leaf][2], best)


if __name__ == "__main__":
    unittest.main()
