#!/usr/bin/env python3
"""engine-interp and engine-x64 in lockstep over guest programs, with a window and without, with regions from the start: same output
as alone, no difference reported; then broken engines, which must be reported.

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


# How each program is run: an option, what the environment says.
WAYS = (("window on, regions at once", ["--window=on"], {"ORYX_REGION_HOT": "1", "ORYX_REGION_ALL": "1"}),
        ("window off, regions soon", ["--window=off"], {"ORYX_REGION_HOT": "7"}))


def broken(plugin, engine, wanted):
    """A wrong engine must be reported with block or region, and registers before and after."""
    run = oryx("run", "--plugin", plugin, "--engine", f"lockstep:interp,{engine}", SOURCE / "examples/demo/bin/words",
               env=dict(os.environ, ORYX_REGION_HOT="20"))
    good = all(text in run.stderr for text in wanted) and run.returncode != 0
    print(f"{'ok  ' if good else 'FAIL'} the engine {engine} is caught")
    if not good:
        print(run.returncode, run.stderr[-2000:])
    return good


def main():
    failed = passed = 0
    for name, words in programs():
        alone = oryx("run", "--engine", "interp", *words)
        for way, options, environment in WAYS:
            both = oryx("run", "--engine", "lockstep:interp,x64", *options, *words, env=dict(os.environ, **environment))
            good = (alone.returncode, alone.stdout, alone.stderr) == (both.returncode, both.stdout, both.stderr)
            print(f"{'ok  ' if good else 'FAIL'} {name}, {way}")
            if not good:
                print(both.stdout[-300:], both.stderr[-3000:], f"status {both.returncode}, alone {alone.returncode}")
            passed += good
            failed += not good
    for engine, wanted in (("broken", ("interp and broken differ in block 0x", "before ", "cut to its first ")),
                           ("broken-region", ("differ in the region at 0x", "before ", "the two agree after "))):
        good = broken(sys.argv[1], engine, wanted)
        passed += good
        failed += not good
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
