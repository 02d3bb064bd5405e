#!/usr/bin/env python3
"""Short runs of the command under valgrind: no leak, no wrong access. Valgrind is the oracle; that it would see a leak is
shown by a program that has one. Skipped (77) without valgrind.

usage: leaks.py BUILD SOURCE
"""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LEAK = "#include <stdlib.h>\nint main(void){void *volatile p = malloc(10); p = 0; return p != 0;}\n"


def main():
    build, source = (Path(a).resolve() for a in sys.argv[1:3])
    valgrind, oryx, demo = shutil.which("valgrind"), build / "oryx", source / "examples/demo/bin"
    if not valgrind:
        print("valgrind not found")
        return 77

    def leaks(*command):
        done = subprocess.run([valgrind, "-q", "--leak-check=full", "--error-exitcode=99", *map(str, command)],
                              capture_output=True, text=True, timeout=200)
        return done.returncode, "\n".join(line for line in done.stderr.splitlines() if line.startswith("=="))

    failures = 0
    with tempfile.TemporaryDirectory() as work:
        subprocess.run(["cc", "-x", "c", "-", "-o", f"{work}/leak"], input=LEAK, text=True, check=True)
        if leaks(f"{work}/leak")[0] != 99:
            print("FAIL valgrind does not notice a leak")
            return 1
    for expected, command in ((0, ["run", demo / "hello"]), (3, ["run", demo / "faults"]),
                              (0, ["run", "--plugin", "probe-count", demo / "hello"]), (0, ["plugins", "list"]),
                              (0, ["plugins", "verify", build / "plugins/region-ram.so"]), (0, ["arch", "arm64"]),
                              (0, ["dis", "--arch", "arm64", "20008052c0035fd6"]), (2, ["run"]), (127, ["run", "/no/such/program"])):
        code, text = leaks(oryx, *command)
        if code != expected:
            failures += 1
            print(f"FAIL oryx {' '.join(map(str, command))}: status {code}, expected {expected}\n{text}")
    print(f"9 runs, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
