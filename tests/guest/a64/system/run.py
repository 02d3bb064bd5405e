#!/usr/bin/env python3
"""Bare-metal programs of this folder under Oryx (interpreter, JIT, both in lockstep) against qemu-system-aarch64's "virt" machine.

Oracle: qemu 7.2 where it is installed, else its recorded output (want/NAME.LEVEL, made by --record); `manual` is written by
hand from the manual. The image is built by the cross compiler: recorded addresses hold for Debian 12's only, so without qemu and
with another compiler the test is skipped. Deviations of qemu 7.2 from the manual are named in the programs. Reads ORYX. usage: run.py [--record] PROGRAM..."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ORYX = os.environ.get("ORYX", str(HERE.parents[3] / "build/oryx"))
CC, QEMU = "aarch64-linux-gnu-gcc", "qemu-system-aarch64"
FLAGS = ("-nostdlib -ffreestanding -O1 -mgeneral-regs-only -fno-pic -static -mstrict-align -fno-builtin -march=armv8.3-a+crypto -w "
         "-Wl,--build-id=none -Wl,--no-warn-rwx-segments").split()
ENGINES = {"interp": ("interp", {}), "x64": ("x64", {}), "lockstep": ("lockstep", {"engines": "interp,x64"})}
# program: levels, model; hand: the oracle is a text
PROGRAMS = {
    "exceptions": dict(levels=(1, 2, 3), model="cortex-a57"),
    "mmu": dict(levels=(1, 2, 3), model="max"),
    "irq": dict(levels=(1, 2), model="cortex-a57"),
    "be": dict(levels=(1,), model="max"),
    "pauth": dict(levels=(1, 2), model="max"),
    "manual": dict(levels=(3,), model="max", hand=True),
}


def build(name, folder, qemu):
    elf = pathlib.Path(folder) / f"{name}.{'qemu' if qemu else 'oryx'}.elf"
    more = ["-DGIC"] if qemu else []
    subprocess.run([CC, *FLAGS, *more, "-T", HERE / "link.ld", HERE / "start.S", HERE / "rt.c", HERE / f"{name}.c", "-o", elf], check=True)
    return elf


def under_qemu(name, folder, level, model):
    more = ["", ",virtualization=on", ",virtualization=on,secure=on"][level - 1]
    run = subprocess.run([QEMU, "-M", f"virt,gic-version=2{more}", "-cpu", model, "-m", "64", "-nodefaults", "-display", "none", "-serial",
                          "stdio", "-semihosting-config", "enable=on,target=native", "-kernel", build(name, folder, True)],
                         capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    return run.stdout


def under_oryx(name, folder, level, model, engine):
    plugin, options = ENGINES[engine]
    machine = {
        "arch": "arm64", "engine": plugin, "engine_options": options,
        "regions": [{"name": "ram", "type": "ram", "size": "0x4000000", "addr": "0x40000000"}],
        "devices": [{"name": "uart", "class": "pl011", "map": [{"addr": "0x09000000"}]}],
        "images": [{"file": str(build(name, folder, False))}],
        "irqs": [{"from": "cpu0", "line": line, "to": "cpu0", "input": "irq"} for line in ("cntv", "cntp", "cnthp")],
        "cpus": [{"model": model, "mode": f"el{level}"}],
    }
    path = pathlib.Path(folder) / "machine.json"
    path.write_text(json.dumps(machine))
    run = subprocess.run([ORYX, "machine", "--count", "50000000", path], capture_output=True, text=True, timeout=120,
                         stdin=subprocess.DEVNULL)
    if "semihosting call" not in run.stderr:
        print(f"{name} at level {level} under {engine} did not come to its end: {run.stderr}")
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
    out = subprocess.run([CC, "-dumpfullversion"], capture_output=True, text=True)
    return out.stdout.strip()


def main():
    record = "--record" in sys.argv
    names = [a for a in sys.argv[1:] if not a.startswith("--")] or list(PROGRAMS)
    if not shutil.which(CC):
        print(f"skipped: no {CC}")
        return 77
    qemu = shutil.which(QEMU)
    note = (HERE / "want/compiler").read_text().strip()
    if not qemu and compiler() != note:
        print(f"skipped: no {QEMU}, and the recorded output is of compiler {note}, not {compiler()}")
        return 77
    bad = 0
    for name in names:
        p = PROGRAMS[name]
        for level in p["levels"]:
            with tempfile.TemporaryDirectory() as folder:
                path = HERE / f"want/{name}.{level}"
                if qemu and not p.get("hand"):
                    want, oracle = under_qemu(name, folder, level, p["model"]), "qemu"
                    if record:
                        path.write_text(want)
                else:
                    want, oracle = path.read_text(), str(path.name)
                if not want.endswith("end\n"):
                    print(f"{name} at level {level}: the oracle's output is cut short")
                    bad += 1
                for engine in ENGINES:
                    lines = differences(want, under_oryx(name, folder, level, p["model"], engine))
                    bad += len(lines) // 3
                    print(f"{name} at level {level}, {engine} against {oracle}: {len(want.splitlines())} lines, {len(lines) // 3} differ")
                    print("\n".join(lines[:60]), end="\n" if lines else "")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
