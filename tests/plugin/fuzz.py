#!/usr/bin/env python3
"""Mutations of a good plugin: every one is accepted or refused with a text, none crashes the host, and none of the file's
code runs while it is only looked at. That the code would be noticed is shown by loading the good one at the end. The
count is 2,000 (ORYX_TEST_LONG=1: 200,000); the seed is printed and may be given in ORYX_SEED.

usage: fuzz.py DRIVER
"""
import os
import sys
import time
from pathlib import Path

from host import Checks, Driver, compile_plugin, manifest, scratch


def main():
    check = Checks()
    seed = int(os.environ.get("ORYX_SEED", time.time_ns() % 10**9))
    count = 200000 if os.environ.get("ORYX_TEST_LONG") == "1" else 2000
    print(f"seed {seed}, {count} mutations")
    driver = Driver(sys.argv[1])
    with scratch() as work:
        work = Path(work)
        for name, flags in (("gnu", ["-Wl,-s"]), ("sysv", ["-Wl,--hash-style=sysv", "-Wl,-s"])):
            folder = work / name
            (folder / "mutants").mkdir(parents=True)
            good = compile_plugin(folder / "good.so", "-DCONSTRUCTOR", *flags, text=manifest(
                "fuzz." + name, cls=name, requires=[{"id": "x", "range": ">=1 <2", "optional": True}]))
            rows = driver("fuzz", good, seed, count // 2, folder / "mutants")
            fuzzed = [list(map(int, r[1:])) for r in rows if r[0] == "fuzzed"][0]
            print(f"{name}: {fuzzed[0]} mutations, {fuzzed[1]} still hold every rule, {fuzzed[2]} also as files")
            check(f"{name}: all were tried", fuzzed[0] == count // 2 and fuzzed[2] > 0, fuzzed)
            check(f"{name}: some hold and some do not, so both ways are covered", 0 < fuzzed[1] < fuzzed[0], fuzzed)
            check(f"{name}: every refusal has a text, and file and bytes agree", len(rows) == 1, rows[:5])
            check(f"{name}: nothing ran", driver.ran() == "")
            check(f"{name}: the good one loads and is noticed", driver.status("static", folder, "oryx.device/1", name)[0] == 0
                  and driver.ran() == "entry")
    check("the driver ends well", driver.close() == 0)
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
