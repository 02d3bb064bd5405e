#!/usr/bin/env python3
"""Bare-metal programs of this folder under Oryx (interpreter, JIT, both in lockstep) against a board of qemu-system-arm.

Oracle: qemu 7.2 where it is installed, else its recorded output (want/NAME.BOARD, made by --record), which does not depend on the
compiler: addresses are printed relative to what they belong to; `manual` is written by hand. Deviations of qemu 7.2 from the manual are named in the programs.
Reads ORYX. usage: run.py [--record] [--engine NAME] PROGRAM [BOARD...]"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ORYX = os.environ.get("ORYX", str(HERE.parents[3] / "build/oryx"))
CC, QEMU = "arm-linux-gnueabihf-gcc", "qemu-system-arm"
FLAGS = ("-nostdlib -ffreestanding -O1 -mfloat-abi=soft -marm -fno-pic -static -fno-builtin -mno-unaligned-access -w "
         "-Wl,--build-id=none -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments").split()
ENGINES = {"interp": ("interp", {}), "x64": ("x64", {}), "lockstep": ("lockstep", {"engines": "interp,x64"})}
TIMEOUT = int(os.environ.get("ORACLE_SECONDS", "60"))
VBAR, V6, V7, LPAE, VIRT, TZ, MAX = 1, 2, 4, 8, 16, 32, 64
# qemu's machine, model, mode, start of RAM, of the image, UART, -march, flags; aborts: accesses to nothing are refused there
BOARDS = {
    "arm926": dict(machine="versatilepb", mode="el1", ram=0, base=0x10000, uart=0x101f1000, arch="armv5te", flags=0, aborts=0),
    "arm1176": dict(machine="raspi0", mode="el3", ram=0, base=0x10000, uart=0x20201000, arch="armv6k", flags=VBAR | V6 | TZ, aborts=1,
                    memory=512),
    "cortex-a8": dict(machine="realview-pb-a8", mode="el1", ram=0x70000000, base=0x70010000, uart=0x10009000, arch="armv7-a",
                      flags=VBAR | V6 | V7, aborts=0),
    "cortex-a9": dict(machine="vexpress-a9", mode="el3", ram=0x60000000, base=0x60010000, uart=0x10009000, arch="armv7-a",
                      flags=VBAR | V6 | V7 | TZ, aborts=0),
    "cortex-a15.el3": dict(machine="vexpress-a15", mode="el3", ram=0x80000000, base=0x80010000, uart=0x1c090000, arch="armv7-a",
                           flags=VBAR | V6 | V7 | LPAE | VIRT | TZ, aborts=0),
    "cortex-a15": dict(machine="virt", mode="el1", ram=0x40000000, base=0x40200000, uart=0x09000000, arch="armv7-a",
                       flags=VBAR | V6 | V7 | LPAE, aborts=1),
    "cortex-a7": dict(machine="virt", mode="el1", ram=0x40000000, base=0x40200000, uart=0x09000000, arch="armv7-a",
                      flags=VBAR | V6 | V7 | LPAE, aborts=1),
    "max": dict(machine="virt", mode="el1", ram=0x40000000, base=0x40200000, uart=0x09000000, arch="armv7-a",
                flags=VBAR | V6 | V7 | LPAE | MAX, aborts=1),
}


def build(name, folder, b, qemu):
    elf = pathlib.Path(folder) / f"{name}.{'qemu' if qemu else 'oryx'}.elf"
    more = ["-DQEMU"] if qemu else []
    if b["flags"] & V7:
        more.append("-DIT")
    subprocess.run([CC, *FLAGS, *more, f"-march={b['arch']}", f"-Wl,--defsym=BASE={b['base']:#x}", f"-DRAM={b['ram']:#x}u", f"-DUART={b['uart']:#x}u",
                    f"-DFLAGS={b['flags']}", f"-DABORTS={b['aborts']}", "-T", HERE / "link.ld", HERE / "start.S", HERE / "rt.c",
                    HERE / f"{name}.c", "-o", elf], check=True, stderr=subprocess.DEVNULL)
    return elf


def under_qemu(name, folder, board, b):
    cpu = [] if b["machine"] == "raspi0" else ["-cpu", board.split(".")[0]]
    args = [QEMU, "-M", b["machine"], *cpu, "-m", str(b.get("memory", 64)), "-nodefaults", "-display", "none", "-serial",
                          "stdio", "-semihosting-config", "enable=on,target=native", "-kernel", build(name, folder, b, True)]
    try:
        return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=TIMEOUT, stdin=subprocess.DEVNULL,
                              env={**os.environ, "QEMU_AUDIO_DRV": "none"}).stdout.decode()
    except subprocess.TimeoutExpired as e:
        return (e.stdout or b"").decode()[:100000]


def under_oryx(name, folder, board, b, engine):
    plugin, options = ENGINES[engine]
    machine = {
        "arch": "arm", "engine": plugin, "engine_options": options,
        "regions": [{"name": "ram", "type": "ram", "size": "0x4000000", "addr": hex(b["ram"])}],
        "devices": [{"name": "uart", "class": "pl011", "map": [{"addr": hex(b["uart"])}]}],
        "images": [{"file": str(build(name, folder, b, False))}],
        "irqs": [{"from": "cpu0", "line": line, "to": "cpu0", "input": "fiq" if name == "manual" else "irq"} for line in ("cntv", "cntp", "cntps")],
        "cpus": [{"model": board.split(".")[0], "mode": b["mode"]}],
    }
    path = pathlib.Path(folder) / "machine.json"
    path.write_text(json.dumps(machine))
    run = subprocess.run([ORYX, "machine", "--count", "50000000", path], capture_output=True, text=True, timeout=240,
                         stdin=subprocess.DEVNULL)
    if "halt" not in run.stderr:
        print(f"{name} on {board} under {engine} did not come to its end: {run.stderr}")
    return run.stdout


def differences(want, got):
    lines = []
    want, got = want.splitlines(), got.splitlines()
    for i in range(max(len(want), len(got))):
        a, b = (x[i] if i < len(x) else "(nothing)" for x in (want, got))
        if a != b:
            lines += [f"  line {i + 1}", f"    oracle: {a}", f"    oryx:   {b}"]
    return lines


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--record", action="store_true")
    p.add_argument("--engine", action="append", choices=list(ENGINES))
    p.add_argument("program")
    p.add_argument("board", nargs="*")
    args = p.parse_args()
    if not shutil.which(CC):
        print(f"skipped: no {CC}")
        return 77
    qemu = shutil.which(QEMU)
    bad = 0
    for board in args.board or [x.name[len(args.program) + 1:] for x in sorted((HERE / "want").glob(args.program + ".*"))]:
        b = BOARDS[board]
        with tempfile.TemporaryDirectory() as folder:
            path = HERE / f"want/{args.program}.{board}"
            if qemu and args.program != "manual":
                want, oracle = under_qemu(args.program, folder, board, b), "qemu"
                if args.record:
                    path.write_text(want)
            else:
                want, oracle = path.read_text(), "what was recorded"
            if not want.endswith("end\n"):
                print(f"{args.program} on {board}: the oracle's output is cut short")
                bad += 1
            for engine in args.engine or ENGINES:
                lines = differences(want, under_oryx(args.program, folder, board, b, engine))
                bad += len(lines) // 3
                print(f"{args.program} on {board}, {engine} against {oracle}: {len(want.splitlines())} lines, {len(lines) // 3} differ")
                print("\n".join(lines[:60]), end="\n" if lines else "")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
