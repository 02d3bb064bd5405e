#!/usr/bin/env python3
"""Bare-metal M-profile programs of this folder under Oryx (interpreter, JIT, both in lockstep) against qemu-system-arm's boards.

Oracle: qemu 7.2 where it is installed, else its recorded output (want/NAME.CPU, made by --record). One image runs under both, so
recorded addresses hold for Debian 12's compiler only: without qemu and with another compiler the test is skipped. Where qemu 7.2
deviates from the manuals the programs say so and do not show it. Reads ORYX. usage: run.py [--record] [PROGRAM...]"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ORYX = os.environ.get("ORYX", str(HERE.parents[2] / "build/oryx"))
CC, QEMU = "arm-linux-gnueabi-gcc", "qemu-system-arm"
FLAGS = "-nostdlib -ffreestanding -O1 -mthumb -fno-pic -static -fno-builtin -masm-syntax-unified -w -Wl,--build-id=none -Wl,--no-warn-rwx-segments".split()
ENGINES = {"interp": ("interp", {}), "x64": ("x64", {}), "lockstep": ("lockstep", {"engines": "interp,x64"})}
CPUS = {  # name: compiler's, board
    "cortex-m0": ("-mcpu=cortex-m0 -mfloat-abi=soft", "microbit"),
    "cortex-m3": ("-mcpu=cortex-m3 -mfloat-abi=soft", "mps2-an385"),
    "cortex-m4": ("-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=softfp", "mps2-an386"),
    "cortex-m7": ("-mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=softfp", "mps2-an500"),
}
PROGRAMS = {
    "exceptions": ("cortex-m0", "cortex-m3", "cortex-m4"),
    "faults": ("cortex-m0", "cortex-m3", "cortex-m7"),
    "fp": ("cortex-m4", "cortex-m7"),
    "mpu": ("cortex-m3", "cortex-m7"),
    "systick": ("cortex-m0", "cortex-m3"),
    "manual": ("cortex-m3",),
}
BY_HAND = ("manual",)


def build(name, cpu, folder):
    elf = pathlib.Path(folder) / f"{name}.{cpu}.elf"
    subprocess.run([CC, *FLAGS, *CPUS[cpu][0].split(), "-T", HERE / "link.ld", HERE / "rt.c", HERE / f"{name}.c", "-o", elf], check=True)
    return elf


def under_qemu(cpu, elf):
    run = subprocess.run(["timeout", "15", QEMU, "-M", CPUS[cpu][1], "-display", "none", "-monitor", "none", "-serial", "none", "-chardev", "stdio,id=c",
                          "-semihosting-config", "enable=on,target=native,chardev=c", "-kernel", elf],
                         capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return run.stdout


def under_oryx(cpu, elf, engine, folder):
    plugin, options = ENGINES[engine]
    machine = {
        "arch": "armm", "engine": plugin, "engine_options": options, "semihosting": True,
        "regions": [{"name": "flash", "type": "ram", "size": "0x40000", "addr": 0},
                    {"name": "sram", "type": "ram", "size": "0x10000", "addr": "0x20000000"}],
        "devices": [{"name": "nvic", "class": "nvic", "options": {"interrupts": 32, "mpu_regions": 8}, "map": [{"addr": "0xe000e000"}]}],
        "images": [{"file": str(elf)}],
        "cpus": [{"model": cpu}],
    }
    path = pathlib.Path(folder) / "machine.json"
    path.write_text(json.dumps(machine))
    run = subprocess.run([ORYX, "machine", "--count", "5000000", path], capture_output=True, text=True, timeout=15, stdin=subprocess.DEVNULL)
    if run.returncode or run.stderr:
        print(f"{elf.name} under {engine} did not come to its end: {run.stderr}")
    return run.stdout


def differences(want, got):
    lines = []
    want, got = want.splitlines(), got.splitlines()
    for i in range(max(len(want), len(got))):
        a, b = (x[i] if i < len(x) else "(nothing)" for x in (want, got))
        if a != b:
            lines += [f"  line {i + 1}", f"    oracle: {a}", f"    oryx:   {b}"]
    return lines


def compiler():
    return subprocess.run([CC, "-dumpfullversion"], capture_output=True, text=True).stdout.strip()


def main():
    record = "--record" in sys.argv
    names = [a for a in sys.argv[1:] if not a.startswith("--")] or list(PROGRAMS)
    if not shutil.which(CC):
        print(f"skipped: no {CC}")
        return 77
    qemu, note = shutil.which(QEMU), HERE / "want/compiler"
    if record:
        note.write_text(compiler() + "\n")
    if not qemu and compiler() != note.read_text().strip():
        print(f"skipped: no {QEMU}, and the recorded output is of another compiler than {compiler()}")
        return 77
    bad = 0
    for name in names:
        for cpu in PROGRAMS[name]:
            with tempfile.TemporaryDirectory() as folder:
                elf, path = build(name, cpu, folder), HERE / f"want/{name}.{cpu}"
                want, oracle = (under_qemu(cpu, elf), "qemu") if qemu and name not in BY_HAND else (path.read_text(), path.name)
                if record and name not in BY_HAND:
                    path.write_text(want)
                if not want.endswith("end\n"):
                    print(f"{name} on {cpu}: the oracle's output is cut short")
                    bad += 1
                for engine in ENGINES:
                    lines = differences(want, under_oryx(cpu, elf, engine, folder))
                    bad += len(lines) // 3
                    print(f"{name} on {cpu}, {engine} against {oracle}: {len(want.splitlines())} lines, {len(lines) // 3} differ")
                    print("\n".join(lines[:60]), end="\n" if lines else "")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
