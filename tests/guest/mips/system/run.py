#!/usr/bin/env python3
"""Bare-metal MIPS programs of this folder under Oryx (interpreter, JIT, both in lockstep) against qemu-system-mips*'s Malta board.

Oracle: qemu 7.2 where it is installed, else its recorded output (want/NAME.CPU, made by --record). The image is built by the cross
compiler: recorded addresses hold for Debian 12's only, so without qemu and with another compiler the test is skipped. DIFFERS has the
places in which qemu 7.2 leaves the manual, with the reason. Reads ORYX. usage: run.py [--record] PROGRAM..."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ORYX = os.environ.get("ORYX", str(HERE.parents[3] / "build/oryx"))
FLAGS = ("-nostdlib -ffreestanding -O1 -fno-pic -mno-abicalls -G0 -static -msoft-float -fno-builtin -w -fno-stack-protector "
         "-Wl,--build-id=none -Wl,--no-warn-rwx-segments").split()
ENGINES = {"interp": ("interp", {}), "x64": ("x64", {}), "lockstep": ("lockstep", {"engines": "interp,x64"})}
# our model: class, compiler and its architecture, qemu's system and model
CPUS = {
    "4kc": ("mipsel", "mipsel-linux-gnu-gcc", "-march=mips32", "qemu-system-mipsel", "4Kc"),
    "24kf": ("mips", "mips-linux-gnu-gcc", "-march=mips32r2", "qemu-system-mips", "24Kf"),
    "74kf": ("mipsel", "mipsel-linux-gnu-gcc", "-march=mips32r2", "qemu-system-mipsel", "74Kf"),
    "mips32r6": ("mipsel", "mipsisa32r6el-linux-gnu-gcc", "-march=mips32r6", "qemu-system-mipsel", "mips32r6-generic"),
    "r4000": ("mips64", "mips64-linux-gnuabi64-gcc", "-march=mips3", "qemu-system-mips64", "R4000"),
    "5kf": ("mips64", "mips64-linux-gnuabi64-gcc", "-march=mips64", "qemu-system-mips64", "5Kf"),
    "mips64r2": ("mips64el", "mips64el-linux-gnuabi64-gcc", "-march=mips64r2", "qemu-system-mips64el", "MIPS64R2-generic"),
}
PROGRAMS = {
    "exceptions": ("4kc", "24kf", "mips32r6", "mips64r2", "r4000"),
    "tlb": ("4kc", "24kf", "74kf", "mips32r6", "5kf", "r4000"),
    "irq": ("4kc", "24kf", "mips32r6", "5kf", "r4000"),
    "wide": ("mips64r2", "5kf"),
}
DIFFERS = {
    # qemu 7.2 has no Coprocessor Unusable exception for coprocessor 2.
    "exceptions": {".word 0x48020000: vector 180 code a EPC +0 status 2  .": ".word 0x48020000: vector 180 code b CE 2 EPC +0 status 2  ."},
    # ksseg is a supervisor segment, whose refills go to the XTLB vector with SX; qemu 7.2 asks KX.
    "wide": {"supervisor lw of ksseg: vector 0 code": "supervisor lw of ksseg: vector 80 code"},
}


def build(name, cpu, folder, ticks=100000):
    cls, cc, arch, _, _ = CPUS[cpu]
    elf = pathlib.Path(folder) / f"{name}.{cpu}.elf"
    wide = "64" in cls
    base = "0xffffffff80100000" if wide else "0x80100000"
    more = ["-mabi=64", "-msym32"] if wide else ["-mabi=32"]
    subprocess.run([cc, *FLAGS, arch, *more, f"-DTICKS={ticks}", f"-Wl,--defsym=BASE={base}", "-T", HERE / "link.ld", HERE / "start.S", HERE / "rt.c",
                    HERE / f"{name}.c", "-o", elf], check=True)
    return elf


def under_qemu(name, cpu, folder):
    _, _, _, system, model = CPUS[cpu]
    try:
        run = subprocess.run([system, "-M", "malta", "-cpu", model, "-m", "64", "-nodefaults", "-display", "none", "-serial", "stdio",
                              "-no-reboot", "-kernel", build(name, cpu, folder, 10000000)], capture_output=True, text=True, timeout=30,
                             stdin=subprocess.DEVNULL)
        return run.stdout
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode("utf-8", "replace") + "(timeout)\n"


def under_oryx(name, cpu, folder, engine):
    plugin, options = ENGINES[engine]
    elf, raw = build(name, cpu, folder), pathlib.Path(folder) / "image"   # images of either byte order are loaded raw
    subprocess.run([CPUS[cpu][1].replace("-gcc", "-objcopy"), "-O", "binary", elf, raw], check=True)
    start = "0xffffffff80100000" if "64" in CPUS[cpu][0] else "0x80100000"
    machine = {
        "arch": CPUS[cpu][0], "engine": plugin, "engine_options": options,
        "regions": [{"name": "ram", "type": "ram", "size": "0x4000000", "addr": "0x0"},
                    {"name": "malta", "type": "ram", "size": "0x1000", "addr": "0x1f000000"}],
        "devices": [{"name": "uart", "class": "uart16550", "options": {"chardev": "stdio"}, "map": [{"addr": "0x180003f8"}]}],
        "images": [{"file": str(raw), "addr": "0x100000"}],
        "cpus": [{"model": cpu, "mode": "system", "pc": start}],
    }
    path = pathlib.Path(folder) / "machine.json"
    path.write_text(json.dumps(machine))
    run = subprocess.run([ORYX, "machine", "--count", "30000000", path], capture_output=True, text=True, timeout=120,
                         stdin=subprocess.DEVNULL)
    if "semihosting call" not in run.stderr and cpu != "r4000":
        print(f"{name} on {cpu} under {engine} did not come to its end: {run.stderr}")
    return run.stdout


def differences(want, got):
    lines = []
    want, got = want.splitlines(), got.splitlines()
    for i in range(max(len(want), len(got))):
        a, b = (x[i] if i < len(x) else "(nothing)" for x in (want, got))
        if a != b:
            lines += [f"  line {i + 1}", f"    oracle: {a}", f"    oryx:   {b}"]
    return lines


def version(cc):
    return subprocess.run([cc, "-dumpfullversion"], capture_output=True, text=True).stdout.strip()


def main():
    record = "--record" in sys.argv
    names = [a for a in sys.argv[1:] if not a.startswith("--")] or list(PROGRAMS)
    note = (HERE / "want/compiler").read_text().strip() if (HERE / "want/compiler").exists() else ""
    bad = 0
    for name in names:
        for cpu in PROGRAMS[name]:
            _, cc, _, system, _ = CPUS[cpu]
            if not shutil.which(cc):
                print(f"skipped: no {cc}")
                return 77
            qemu = shutil.which(system)
            if not qemu and version(cc) != note:
                print(f"skipped: no {system}, and the recorded output is of compiler {note}, not {version(cc)}")
                return 77
            path = HERE / f"want/{name}.{cpu}"
            with tempfile.TemporaryDirectory() as folder:
                if qemu:
                    want, oracle = under_qemu(name, cpu, folder), "qemu"
                    if record:
                        path.write_text(want)
                        (HERE / "want/compiler").write_text(version(cc) + "\n")
                else:
                    want, oracle = path.read_text(), path.name
                if not want.endswith("end\n"):
                    print(f"{name} on {cpu}: the oracle's output is cut short: {want[-200:]!r}")
                    bad += 1
                replace = {**DIFFERS.get(name, {}), **DIFFERS.get((name, cpu), {})}
                for text, ours in replace.items():
                    want = want.replace(text, ours)
                for engine in ENGINES:
                    lines = differences(want, under_oryx(name, cpu, folder, engine))
                    bad += len(lines) // 3
                    print(f"{name} on {cpu}, {engine} against {oracle}: {len(want.splitlines())} lines, {len(lines) // 3} differ")
                    print("\n".join(lines[:60]), end="\n" if lines else "")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
