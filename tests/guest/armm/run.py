#!/usr/bin/env python3
"""M-profile programs of this folder against qemu-system-arm's boards; a case is a CPU model. One image runs under both. Where qemu 7.2
deviates from the manuals the programs say so and do not show it. Usage, and how the oracle is chosen: ../board.py."""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import board  # noqa: E402

FLAGS = ("-nostdlib -ffreestanding -O1 -mthumb -fno-pic -static -fno-builtin -masm-syntax-unified -w -Wl,--build-id=none "
         "-Wl,--no-warn-rwx-segments").split()
CPUS = {  # name: compiler's flags, board
    "cortex-m0": ("-mcpu=cortex-m0 -mfloat-abi=soft", "microbit"),
    "cortex-m3": ("-mcpu=cortex-m3 -mfloat-abi=soft", "mps2-an385"),
    "cortex-m4": ("-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=softfp", "mps2-an386"),
    "cortex-m7": ("-mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=softfp", "mps2-an500"),
}


class M(board.Board):
    here = HERE
    instructions = 5000000

    def compiler(self, case):
        return "arm-linux-gnueabi-gcc"

    def system(self, case):
        return "qemu-system-arm"

    def build(self, name, case, folder, qemu):
        elf = pathlib.Path(folder) / f"{name}.elf"
        subprocess.run([self.compiler(case), *FLAGS, *CPUS[case][0].split(), "-T", HERE / "link.ld", HERE / "rt.c", HERE / f"{name}.c", "-o", elf],
                       check=True)
        return elf

    def arguments(self, name, case):
        return ["-M", CPUS[case][1], "-display", "none", "-monitor", "none", "-serial", "none", "-chardev", "stdio,id=c",
                "-semihosting-config", "enable=on,target=native,chardev=c"]

    def machine(self, name, case, image):
        return {
            "arch": "armm", "semihosting": True,
            "regions": [{"name": "flash", "type": "ram", "size": "0x40000", "addr": 0},
                        {"name": "sram", "type": "ram", "size": "0x10000", "addr": "0x20000000"}],
            "devices": [{"name": "nvic", "class": "nvic", "options": {"interrupts": 32, "mpu_regions": 8}, "map": [{"addr": "0xe000e000"}]}],
            "images": [{"file": str(image)}],
            "cpus": [{"model": case}],
        }

    def ended(self, status, errors):
        return not status and not errors


if __name__ == "__main__":
    sys.exit(board.main(M()))
