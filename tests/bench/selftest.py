#!/usr/bin/env python3
"""Tests the benchmark: three programs compute the same natively, under qemu-user and under
engine-interp; an engine that computes wrongly or hangs is found out; means and verdicts are those
worked out by hand. No time is judged. ORYX names the command."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from xml.dom import minidom

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))
import measure  # noqa: E402
import report  # noqa: E402


def bench(*words, oryx=None):
    environment = dict(os.environ)
    if oryx:
        environment["ORYX_BUILD"] = environment.get("ORYX_BUILD") or str(Path(os.environ["ORYX"]).parent)
        environment["ORYX"] = oryx
    return subprocess.run([str(HERE / "run"), "--quick", "--rounds", "1", "--cap", "0.05", *words],
                          env=environment, capture_output=True, text=True, check=False)


class Runs(unittest.TestCase):
    def test_checksums(self):
        with tempfile.TemporaryDirectory() as folder:
            done = bench("--engines", "interp", "--contenders", "qemu,oryx-interp", "--only", "^(sha256|nbody|smc)$",
                         "--json", f"{folder}/o.json", "--svg", f"{folder}/o.svg")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertNotIn("WRONG", done.stdout)
            found = json.loads(Path(f"{folder}/o.json").read_text(encoding="utf-8"))
            minidom.parse(f"{folder}/o.svg")
        self.assertEqual(list(found["kernels"]), ["sha256", "nbody", "smc"])
        for row in found["kernels"].values():
            self.assertEqual(set(row["contenders"]), {"native", "qemu", "oryx-interp"})
            for sample in row["contenders"].values():
                self.assertGreater(sample["cpu_per_piece"], 0)

    def with_fake(self, otherwise, *words):
        """Runs with an oryx that does hello as it should and, for other programs, `otherwise`."""
        with tempfile.TemporaryDirectory() as folder:
            fake = Path(folder) / "oryx"
            fake.write_text("#!/bin/sh\n[ \"$1\" = run ] || { echo fake; exit 0; }\nshift 2\n"
                            f"case $1 in */hello) echo 000000000000000$2 ;; *) {otherwise} ;; esac\n",
                            encoding="ascii")
            fake.chmod(0o755)
            return bench("--engines", "fake", "--contenders", "oryx-fake", "--only", "^crc32$", *words, oryx=str(fake))

    def test_wrong_checksum(self):
        done = self.with_fake("echo 0000000000000000")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"WRONG crc32: oryx-fake: checksum 0{16} after \d+ pieces, [0-9a-f]{16} is right")

    def test_failure(self):
        done = self.with_fake("echo broken >&2; exit 3")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("WRONG crc32: oryx-fake: status 3: broken", done.stdout)

    def test_hang(self):
        done = self.with_fake("exec sleep 60", "--timeout", "1")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("WRONG crc32: oryx-fake: not done after 1 s", done.stdout)

    def test_words(self):
        self.assertEqual(bench("--only", "nothing-is-called-so").returncode, 2)
        self.assertEqual(bench("--rounds", "0").returncode, 2)
        self.assertEqual(bench("--only", "(").returncode, 2)


def sample(full, none, pieces):
    out = measure.Sample(pieces)
    out.cpu, out.cpu0, out.wall, out.wall0 = full, none, full, none
    return out


class Figures(unittest.TestCase):
    """Two integer kernels: native 1 s a piece, Oryx 2 s and 4.5 s, qemu 4 s and 9 s."""

    def setUp(self):
        self.results = {
            name: {"group": "integer", "unit": "s", "samples": {
                "native": sample([10.5, 10.6, 10.1], [0.5], 10), "qemu": sample([4 * k + 1], [1], 1),
                "oryx-x64": sample([8 * k + 0.25], [0.25], 4)}}
            for name, k in (("one", 1), ("two", 2.25))}

    def test_median_less_start_up(self):
        samples = self.results["one"]["samples"]
        self.assertAlmostEqual(samples["native"].per_piece("cpu"), 1)
        self.assertAlmostEqual(samples["oryx-x64"].per_piece("cpu"), 2)

    def test_means_and_verdicts(self):
        rows = {r[2]: r for r in report.targets(self.results, "cpu")}
        self.assertAlmostEqual(rows["native"][3], 3)  # sqrt(2 * 4.5)
        self.assertEqual(rows["native"][6], "SHORT")  # 2.8 is asked
        self.assertAlmostEqual(rows["qemu"][3], 2)
        self.assertEqual(rows["qemu"][6], "must")  # 1.6 asked, 2.2 hoped for
        self.assertNotIn("unicorn", rows)

    def test_failed_sample_is_in_no_mean(self):
        self.results["two"]["samples"]["oryx-x64"].error = "wrong"
        rows = {r[2]: r for r in report.targets(self.results, "cpu")}
        self.assertAlmostEqual(rows["native"][3], 2)
        self.assertIn("WRONG", report.table(self.results, ["native", "qemu", "oryx-x64"], "cpu"))


if __name__ == "__main__":
    unittest.main()
