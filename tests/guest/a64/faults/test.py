#!/usr/bin/env python3
"""Runs the faults program under Oryx: the table must equal qemu-aarch64's (faults.expected), and
`faults strict` must find nothing wrong.

  test.py [--oryx build/oryx] [--engine E] [--check-expected]

--check-expected compares faults.expected with qemu-aarch64 itself. Exit status: 0, 1, or 2 when a
program is missing.
"""
import argparse
import difflib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
QEMU = ["qemu-aarch64", "-cpu", "cortex-a76"]


def run(command, args):
    if shutil.which(command[0]) is None:
        print("faults: %s is not found" % command[0])
        sys.exit(2)
    p = subprocess.run(command + [os.path.join(HERE, "faults")] + args, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=120)
    return p.stdout, p.returncode, p.stderr


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--oryx", default=os.environ.get("ORYX", "build/oryx"))
    ap.add_argument("--engine", default="")
    ap.add_argument("--check-expected", action="store_true")
    args = ap.parse_args()
    command = QEMU if args.check_expected else \
        [args.oryx, "run"] + (["--engine", args.engine] if args.engine else [])
    with open(os.path.join(HERE, "faults.expected")) as f:
        expected = f.read()
    out, status, err = run(command, [])
    bad = status != 0 or out != expected
    if bad:
        print("faults: status %s %s" % (status, err.strip()[-400:]))
        print("\n".join(list(difflib.unified_diff(expected.splitlines(), out.splitlines(),
                                                  "expected", "got", lineterm="", n=0))[:40]))
    if not args.check_expected:
        out, status, err = run(command, ["strict"])
        if status != 0 or not out.endswith(" 0 wrong\n"):
            bad = True
            lines = out.splitlines()
            wrong = [k for k, line in enumerate(lines) if "WRONG" in line]
            print("faults strict: status %s %s" % (status, err.strip()[-400:]))
            for k in wrong[:20]:
                print("\n".join(lines[k:k + 2]))
    print("faults: %s: %s" % (" ".join(command), "DIFFERS" if bad else expected.splitlines()[-1]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
