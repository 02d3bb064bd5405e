#!/usr/bin/env python3
"""Every example is built and run and its output compared. Built as a stranger does, with pkg-config against an installation
in a scratch prefix; in sanitized builds against the build tree. What must come out is worked out here by hand or by
Python from what the examples' comments promise, not copied from Oryx; the example engine and engine-interp must agree to
the letter.

usage: examples.py BUILD SOURCE [SANITIZERS]
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

failures = checks = 0


def check(what, right, detail=""):
    global failures, checks
    checks += 1
    if not right:
        failures += 1
        print(f"FAIL {what}: {detail}")


def same(what, got, expected):
    """Compare texts by line and show the first difference."""
    got, expected = got.strip().splitlines(), [e.strip() for e in expected.strip().splitlines()]
    for i in range(max(len(got), len(expected))):
        g, e = (x[i].rstrip() if i < len(x) else "(nothing)" for x in (got, expected))
        if g != e:
            return check(what, False, f"line {i + 1}\n  is       {g}\n  must be  {e}")
    return check(what, True)


def run(env, *command, status=0):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=env, timeout=60)
    check(f"{Path(command[0]).name} {' '.join(map(str, command[1:]))}: status {status}", done.returncode == status,
          f"{done.returncode}\n{done.stdout[-600:]}{done.stderr[-1500:]}")
    return done.stdout, done.stderr


def build(build_dir, source, sanitizers, work):
    """Compile the plugins into work/plugins, embed and drive into work; returns the environment to run them in."""
    (work / "plugins").mkdir()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("ORYX", "XDG_DATA", "PKG_CONFIG"))}
    env["HOME"] = str(work)
    if sanitizers:
        cflags = f"-I{source}/abi -g -fsanitize={sanitizers}"
        libs = f"{cflags} -L{build_dir} -loryx -Wl,-rpath,{build_dir}"
    else:
        done = subprocess.run(["cmake", "--install", build_dir, "--prefix", work / "prefix"], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"FAIL the installation: {done.stderr}")
        pc = next((work / "prefix").glob("lib/**/pkgconfig"))
        env["PKG_CONFIG_PATH"] = str(pc)
        cflags = "$(pkg-config --cflags oryx)"
        libs = f"$(pkg-config --cflags --libs oryx) -Wl,-rpath,{pc.parent}"
    common = "cc -std=c11 -O1 -Wall -Wextra -Werror"
    for file in sorted((source / "examples").glob("*.c")) + [Path(__file__).parent / "drive.c"]:
        plugin = "oryx_plugin_open_v1" in file.read_text()
        command = (f"{common} -shared -fPIC -fvisibility=hidden {file} -o {work}/plugins/{file.stem}.so {cflags}" if plugin else
                   f"{common} {file} -o {work}/{file.stem} {libs}")
        done = subprocess.run(command, shell=True, env=env, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"FAIL {file.name} does not build: {done.stderr}")
    env["ORYX_PLUGIN_PATH"] = str(work / "plugins")
    return env


def toy_expected():
    """The toy runs of drive.c, by arithmetic."""
    total = sum(n * n for n in range(1, 11))
    last = f"halt halt pc=0x1024 insns={3 + 10 * 6 + 2} 0 0 {total} 1 {0x4000} 1 0 {0x1010}"
    li7, halt = 2 << 24 | 2 << 20 | 7, 1 << 24
    word = halt << 32 | li7
    own = f"own code: halt halt pc=0x2014 insns=5 0 {word} 7 0 {0x4000} 0 {0x2010} 0"
    no_region = -32
    return "\n".join([
        f"squares: {last}", f"stored: {total}", f"one by one: {last}", f"by sevens: {last}", own, own,
        f"bad load: fault memory fault pc=0x3008 insns=2 access=0 addr={2**64 - 8:#x} size=8 status={no_region} 0 -8 0 3 0 0 0 0",
        f"bad store: fault memory fault pc=0x3014 insns=1 access=1 addr={2**64 - 4096 + 16:#x} size=8 status={no_region}"
        " 0 -4096 0 0 0 0 0 0",
        f"bad instruction: exception undefined instruction pc=0x3024 insns=1 syndrome={77 << 24:#x} 0 9 0 0 0 0 0 0",
        f"no memory: fault instruction fetch fault pc=0x20000 insns=0 access=2 addr=0x20000 size=1 status={no_region}"
        " 0 0 0 0 0 0 0 0",
        f"with a probe: {last}"])


def toy(env, work, engine):
    out, err = run(env, work / "drive", "toy", engine)
    # How many bytes a fetch that faults asked for is the core's business.
    out = re.sub(r"(fetch fault .*) size=\d+ ", r"\1 size=1 ", out)
    same(f"the toy CPU on {engine}", out, toy_expected())
    check(f"one store on {engine}", "1 stores, from 0x4008 to 0x4008" in err, err)
    return out + err


DISASM = """
li\tr1, #10
li\tr2, #0
li\tr5, #1
jal\tr7, 0x1028
add\tr2, r2, r3
sub\tr1, r1, r5
bnz\tr1, 0x100c
li\tr4, #16384
st\tr2, [r4, #8]
halt
mul\tr3, r1, r1
jr\tr7
.inst\t0x04190000 ; undefined (refused)
.inst\t0x00000000 ; undefined (refused)
"""

DEVICE = """
one line 1 is 1
one line 3 is 1
0x1004 holds 4
one line 0 is 1
0x1004 holds 7
0x1008 holds 5
read 0x100c: the device refused the access
a 2-byte write: the device refused the access
saved {"led": 5, "count": 7, "compare": 5, "irq": 1}
one line 0 is 0
two line 1 is 1
two line 3 is 1
two line 0 is 1
0x2004 holds 7
a state that is none: malformed input
one line 1 is 0
one line 3 is 0
0x1004 holds 0
region number 1: not found
mapped over the first: regions overlap
read 0x1004: no region at this address
"""


def region_expected():
    def row(what, data, key=0):
        return f"{what}: " + " ".join(f"{b ^ key:02x}" for b in data)

    text = b"oryx\1\2\3\4"
    changed = b"oryZ\1\2\3\4"
    return "\n".join([
        row("through the key", text), row("in memory", text, 60), row("through another key", text, 60 ^ 0x5A),
        row("one byte changed", changed), row("unaligned", b"unaligne"),
        f"code behind the key: halt halt pc=0x110c insns=3 0 {int.from_bytes(changed, 'little')} 0 0 {0x1000} 0 0 0",
        row("stored by it", changed),
        "without lower: region xor: there is nothing beneath it: set `lower` to the region to show",
        'key 256: region xor: option "key" is one byte: give 0 to 255',
        row("bank 0", range(8)), row("bank 2", range(32, 40)), row("beneath", bytes((32, ord("Z"))) + bytes(range(34, 40))),
        "switched off: no region at this address"])


# 2 + 3 subs; the loop of drive.c runs three times; 23 instructions in all.
PROBE = """
class            instructions  share
data, immediate             5  21.7%
branch, system              9  39.1%
load, store                 3  13.0%
data, register              3  13.0%
FP, vector                  3  13.0%
3 stores, from 0x4000 to 0x4020
"""

EMBED = """
device: 0x21 written to offset 0x8
device: read of 4 bytes at offset 0x0
exit: count at pc 0x1014 after 5 instructions
x0 = 0x21
x1 = 0x9000000
x2 = 0x5a
x3 = 0x7b
pc = 0x1014
"""


def main():
    build_dir, source = (Path(a).resolve() for a in sys.argv[1:3])
    sanitizers = sys.argv[3] if len(sys.argv) > 3 else ""
    with tempfile.TemporaryDirectory(prefix="examples.", dir=build_dir) as scratch:
        work = Path(scratch)
        env = build(build_dir, source, sanitizers, work)
        tiny, interp = toy(env, work, "tiny"), toy(env, work, "interp")
        same("engine tiny and engine-interp agree, the probe's table too", tiny, interp)
        same("the toy disassembler", run(env, work / "drive", "disasm")[0], DISASM)
        same("the counter device", run(env, work / "drive", "device")[0], DEVICE)
        same("the xor region", run(env, work / "drive", "region")[0], region_expected())
        out, err = run(env, work / "drive", "probe", "interp")
        same("the probe's run", out, "count after 23")
        same("the probe's table", err, PROBE)
        same("the embedder", run(env, work / "embed", "interp")[0], EMBED)
        same("the embedder, best engine", run(env, work / "embed")[0], EMBED)
        for engine in ([], ["interp"]):
            out, _ = run(env, work / "snapshot-fuzz", *engine)
            check("the fuzzing loop finds the four bytes its guest compares with", re.search(
                r"(?m)^round \d+: 'ORYX' crashes it at 0x10034, write to 0x0$", out), out)
        out, err = run(env, work / "embed", "nothing", status=1)
        check("an engine that is not there is named", "embed: machine:" in err and "'nothing'" in err and not out, err)
        out, _ = run(env, work / "drive", "refuse")
        check("the example engine refuses FADD's block by name, and nothing before it is lost",
              re.fullmatch(r"error pc=0x1008 insns=2 x0=1: engine tiny has no (GET|FADD) on f64 \(block at 0x1008\): "
                           r"use --engine interp\n", out), out)
        command = build_dir / "oryx"
        if command.exists():
            out, _ = run(env, command, "arch", "toy")
            check("oryx arch shows the toy's registers", all(f"r{i}" in out for i in range(8)), out)
            out, _ = run(env, command, "dis", "--arch", "toy", "--addr", "0x1000", "0a001002")
            check("oryx dis speaks toy", re.search(r"li\s+r1, #10", out), out)
            out, _ = run(env, command, "plugins", "list")
            ids = ["example." + p.stem for p in (work / "plugins").glob("*.so")]
            check("oryx plugins lists the examples", len(ids) >= 5 and all(i in out for i in ids), out)
    print(f"{checks} checks, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
