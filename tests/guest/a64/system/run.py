#!/usr/bin/env python3
"""A64 programs of this folder against qemu-system-aarch64's "virt" board; a case is the exception level the board starts in.
Deviations of qemu 7.2 from the manual are named in the programs. Usage, and how the oracle is chosen: ../../board.py."""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
import board  # noqa: E402

FLAGS = ("-nostdlib -ffreestanding -O1 -mgeneral-regs-only -fno-pic -static -mstrict-align -fno-builtin -march=armv8.3-a+crypto -w "
         "-Wl,--build-id=none -Wl,--no-warn-rwx-segments").split()
MODELS = {"exceptions": "cortex-a57", "irq": "cortex-a57"}  # the others: max
LEVELS = {"1": "", "2": ",virtualization=on", "3": ",virtualization=on,secure=on"}


class A64(board.Board):
    here = HERE

    def compiler(self, case):
        return "aarch64-linux-gnu-gcc"

    def system(self, case):
        return "qemu-system-aarch64"

    def build(self, name, case, folder, qemu):
        elf = pathlib.Path(folder) / f"{name}.{'qemu' if qemu else 'oryx'}.elf"
        subprocess.run([self.compiler(case), *FLAGS, *(["-DGIC"] if qemu else []), "-T", HERE / "link.ld", HERE / "start.S", HERE / "rt.c",
                        HERE / f"{name}.c", "-o", elf], check=True)
        return elf

    def arguments(self, name, case):
        return ["-M", f"virt,gic-version=2{LEVELS[case]}", "-cpu", MODELS.get(name, "max"), "-m", "64", "-nodefaults", "-display", "none",
                "-serial", "stdio", "-semihosting-config", "enable=on,target=native"]

    def machine(self, name, case, image):
        return {
            "arch": "arm64",
            "regions": [{"name": "ram", "type": "ram", "size": "0x4000000", "addr": "0x40000000"}],
            "devices": [{"name": "uart", "class": "pl011", "map": [{"addr": "0x09000000"}]}],
            "images": [{"file": str(image)}],
            "irqs": [{"from": "cpu0", "line": line, "to": "cpu0", "input": "irq"} for line in ("cntv", "cntp", "cnthp")],
            "cpus": [{"model": MODELS.get(name, "max"), "mode": f"el{case}"}],
        }


if __name__ == "__main__":
    sys.exit(board.main(A64()))
