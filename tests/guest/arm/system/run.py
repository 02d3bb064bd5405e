#!/usr/bin/env python3
"""A32 and T32 programs of this folder against boards of qemu-system-arm; a case is one of BOARDS. The recorded output does not depend
on the compiler: addresses are printed relative to what they belong to. Deviations of qemu 7.2 from the manual are named in the programs.
Usage, and how the oracle is chosen: ../../board.py."""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
import board  # noqa: E402

FLAGS = ("-nostdlib -ffreestanding -O1 -mfloat-abi=soft -marm -fno-pic -static -fno-builtin -mno-unaligned-access -w "
         "-Wl,--build-id=none -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments").split()
VBAR, V6, V7, LPAE, VIRT, TZ, MAX = 1, 2, 4, 8, 16, 32, 64
# qemu's machine, mode, start of RAM, of the image, UART, -march, flags; aborts: accesses to nothing are refused there
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


class A32(board.Board):
    here = HERE

    def compiler(self, case):
        return "arm-linux-gnueabihf-gcc"

    def system(self, case):
        return "qemu-system-arm"

    def build(self, name, case, folder, qemu):
        b, elf = BOARDS[case], pathlib.Path(folder) / f"{name}.{'qemu' if qemu else 'oryx'}.elf"
        more = ["-DQEMU"] if qemu else []
        if b["flags"] & V7:
            more.append("-DIT")
        subprocess.run([self.compiler(case), *FLAGS, *more, f"-march={b['arch']}", f"-Wl,--defsym=BASE={b['base']:#x}",
                        f"-DRAM={b['ram']:#x}u", f"-DUART={b['uart']:#x}u", f"-DFLAGS={b['flags']}", f"-DABORTS={b['aborts']}",
                        "-T", HERE / "link.ld", HERE / "start.S", HERE / "rt.c", HERE / f"{name}.c", "-o", elf],
                       check=True, stderr=subprocess.DEVNULL)
        return elf

    def arguments(self, name, case):
        b = BOARDS[case]
        cpu = [] if b["machine"] == "raspi0" else ["-cpu", case.split(".")[0]]
        return ["-M", b["machine"], *cpu, "-m", str(b.get("memory", 64)), "-nodefaults", "-display", "none", "-serial", "stdio",
                "-semihosting-config", "enable=on,target=native"]

    def machine(self, name, case, image):
        b = BOARDS[case]
        line = "fiq" if name == "manual" else "irq"
        return {
            "arch": "arm",
            "regions": [{"name": "ram", "type": "ram", "size": "0x4000000", "addr": hex(b["ram"])}],
            "devices": [{"name": "uart", "class": "pl011", "map": [{"addr": hex(b["uart"])}]}],
            "images": [{"file": str(image)}],
            "irqs": [{"from": "cpu0", "line": timer, "to": "cpu0", "input": line} for timer in ("cntv", "cntp", "cntps")],
            "cpus": [{"model": case.split(".")[0], "mode": b["mode"]}],
        }


if __name__ == "__main__":
    sys.exit(board.main(A32()))
