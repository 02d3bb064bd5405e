#!/usr/bin/env python3
"""engine-interp and engine-x64 in lockstep over guest programs, with a window and without: same output as alone, no difference
reported; then a broken engine, which must be reported with block and registers.

usage: run_lockstep.py ENGINE_BROKEN.so     reads ORYX and ORYX_SOURCE"""

import os
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(os.environ.get("ORYX_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
ORYX = os.environ.get("ORYX", str(SOURCE / "build/oryx"))
SYSROOT = subprocess.run([str(SOURCE / "tests/fetch/fetch.sh"), "--where", "arm64"], capture_output=True, text=True).stdout.strip()


def oryx(*words, **more):
    return subprocess.run([ORYX, *map(str, words)], capture_output=True, text=True, timeout=600, **more)


def programs():
    for name in ("hello", "primes", "mandelbrot", "words", "faults"):
        yield name, [SOURCE / "examples/demo/bin" / name]
    yield "fault table", [SOURCE / "tests/guest/a64/faults/faults"]
    box = ["--sysroot", SYSROOT, "/bin/busybox"]
    if pathlib.Path(SYSROOT, "bin/busybox").exists():
        yield "sh", box + ["sh", "-c", "seq 1 300 | sort -r | head -3; echo $((7 * 6)) | sha256sum; f() { [ $1 -gt 0 ] && f $(($1 - 1)); echo $1; }; f 5"]
        yield "awk", box + ["awk", "BEGIN { for (i = 0; i < 300; i++) s += i / 7; print s, 2 ^ 0.5, int(s) % 13; print substr(\"hello\", 2, 3) }"]
        yield "gzip", box + ["sh", "-c", "seq 1 2000 | gzip -9 | gunzip | md5sum"]
    if pathlib.Path(SYSROOT, "usr/bin/lua5.4").exists():
        yield "lua", ["--sysroot", SYSROOT, "/usr/bin/lua5.4", "-e", "local t = {} for i = 1, 200 do t[i] = math.sin(i) * i // 1 end table.sort(t) print(t[1], t[200], string.rep('ab', 5), 7 // 2, 2 ^ 53)"]


def main():
    failed = passed = 0
    for name, words in programs():
        alone = oryx("run", "--engine", "interp", *words)
        for window in ("on", "off"):
            both = oryx("run", "--engine", "lockstep:interp,x64", f"--window={window}", *words)
            good = (alone.returncode, alone.stdout, alone.stderr) == (both.returncode, both.stdout, both.stderr)
            print(f"{'ok  ' if good else 'FAIL'} {name}, window {window}")
            if not good:
                print(both.stdout[-300:], both.stderr[-3000:], f"status {both.returncode}, alone {alone.returncode}")
            passed += good
            failed += not good
    broken = oryx("run", "--plugin", sys.argv[1], "--engine", "lockstep:interp,broken", SOURCE / "examples/demo/bin/words")
    good = "interp and broken differ in block 0x" in broken.stderr and "before " in broken.stderr and broken.returncode != 0
    print(f"{'ok  ' if good else 'FAIL'} a broken engine is caught")
    if not good:
        print(broken.returncode, broken.stderr[-2000:])
    print(f"{passed + good} passed, {failed + (not good)} failed")
    return 1 if failed or not good else 0


if __name__ == "__main__":
    sys.exit(main())
