#!/usr/bin/env python3
"""Where the host refuses executable memory, oryx says so and runs under engine interp; asked for x64, it ends with the reason.

usage: refused.py REFUSE    the program of refuse.c; ORYX and ORYX_SOURCE as in every test
"""
import os
import subprocess
import sys

ORYX = os.environ["ORYX"]
HELLO = os.path.join(os.environ["ORYX_SOURCE"], "examples", "demo", "bin", "hello")
WRONG = []


def expect(what, ok, seen):
    if not ok:
        WRONG.append(f"{what}: {seen}")


def run(refuse, kind, *options):
    return subprocess.run([refuse, kind, ORYX, "run", *options, HELLO], capture_output=True, text=True, timeout=60, check=False)


def main():
    refuse = sys.argv[1]
    for kind in ("memfd", "exec"):
        got = run(refuse, kind)
        if got.returncode == 77:
            print("no seccomp filters here: nothing tested")
            return 0
        expect(f"{kind}: output", got.stdout == "Hello from arm64.\n" and got.returncode == 0, got)
        expect(f"{kind}: one line says why", "executable memory is refused" in got.stderr and "interp" in got.stderr
               and got.stderr.count("\n") == 1, got.stderr)
        got = run(refuse, kind, "--engine", "x64")
        expect(f"{kind}: x64 asked for", got.returncode != 0 and got.stdout == "" and
               "executable memory is refused" in got.stderr and "--engine interp" in got.stderr, got)
        got = run(refuse, kind, "--engine", "interp")
        expect(f"{kind}: interp asked for", got.stdout == "Hello from arm64.\n" and got.stderr == "", got)
    for line in WRONG:
        print(line)
    return 1 if WRONG else 0


if __name__ == "__main__":
    sys.exit(main())
