#!/usr/bin/env python3
"""MIPS programs of this folder against qemu-system-mips*'s Malta board; a case is a CPU model. `differs` has the places in which
qemu 7.2 leaves the manual, with the reason. Usage, and how the oracle is chosen: ../../board.py."""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
import board  # noqa: E402

FLAGS = ("-nostdlib -ffreestanding -O1 -fno-pic -mno-abicalls -G0 -static -msoft-float -fno-builtin -w -fno-stack-protector "
         "-Wl,--build-id=none -Wl,--no-warn-rwx-segments").split()
# our model: class, compiler and its architecture, qemu's system and model
CPUS = {
    "4kc": ("mipsel", "mipsel-linux-gnu-gcc", "-march=mips32", "qemu-system-mipsel", "4Kc"),
    "24kf": ("mips", "mips-linux-gnu-gcc", "-march=mips32r2", "qemu-system-mips", "24Kf"),
    "74kf": ("mipsel", "mipsel-linux-gnu-gcc", "-march=mips32r2", "qemu-system-mipsel", "74Kf"),
    "p5600": ("mipsel", "mipsel-linux-gnu-gcc", "-march=mips32r2", "qemu-system-mipsel", "P5600"),
    "mips32r6": ("mipsel", "mipsisa32r6el-linux-gnu-gcc", "-march=mips32r6", "qemu-system-mipsel", "mips32r6-generic"),
    "r4000": ("mips64", "mips64-linux-gnuabi64-gcc", "-march=mips3", "qemu-system-mips64", "R4000"),
    "5kf": ("mips64", "mips64-linux-gnuabi64-gcc", "-march=mips64", "qemu-system-mips64", "5Kf"),
    "mips64r2": ("mips64el", "mips64el-linux-gnuabi64-gcc", "-march=mips64r2", "qemu-system-mips64el", "MIPS64R2-generic"),
}
TICKS = {True: 10000000, False: 100000}  # of the timer's interval; qemu's clock is the host's


class Mips(board.Board):
    here = HERE
    by_hand = ()
    instructions = 30000000
    differs = {
        # qemu 7.2 has no Coprocessor Unusable exception for coprocessor 2.
        "exceptions": {".word 0x48020000: vector 180 code a EPC +0 status 2  .": ".word 0x48020000: vector 180 code b CE 2 EPC +0 status 2  ."},
        # ksseg is a supervisor segment, whose refills go to the XTLB vector with SX; qemu 7.2 asks KX.
        "wide": {"supervisor lw of ksseg: vector 0 code": "supervisor lw of ksseg: vector 80 code"},
    }

    def compiler(self, case):
        return CPUS[case][1]

    def system(self, case):
        return CPUS[case][3]

    def start(self, case):
        return "0xffffffff80100000" if "64" in CPUS[case][0] else "0x80100000"

    def build(self, name, case, folder, qemu):
        cls, cc, arch, _, _ = CPUS[case]
        elf = pathlib.Path(folder) / f"{name}.elf"
        abi = ["-mabi=64", "-msym32"] if "64" in cls else ["-mabi=32"]
        subprocess.run([cc, *FLAGS, arch, *abi, f"-DTICKS={TICKS[qemu]}", f"-Wl,--defsym=BASE={self.start(case)}", "-T", HERE / "link.ld",
                        HERE / "start.S", HERE / "rt.c", HERE / f"{name}.c", "-o", elf], check=True)
        if qemu:
            return elf
        raw = pathlib.Path(folder) / "image"  # images of either byte order are loaded raw
        subprocess.run([cc.replace("-gcc", "-objcopy"), "-O", "binary", elf, raw], check=True)
        return raw

    def arguments(self, name, case):
        return ["-M", "malta", "-cpu", CPUS[case][4], "-m", "64", "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"]

    def machine(self, name, case, image):
        return {
            "arch": CPUS[case][0],
            "regions": [{"name": "ram", "type": "ram", "size": "0x4000000", "addr": "0x0"},
                        {"name": "malta", "type": "ram", "size": "0x1000", "addr": "0x1f000000"}],
            "devices": [{"name": "uart", "class": "uart16550", "options": {"chardev": "stdio"}, "map": [{"addr": "0x180003f8"}]}],
            "images": [{"file": str(image), "addr": "0x100000"}],
            "cpus": [{"model": case, "mode": "system", "pc": self.start(case)}],
        }

    def turns_off(self, case):
        return case != "r4000"  # which has no SDBBP


if __name__ == "__main__":
    sys.exit(board.main(Mips()))
