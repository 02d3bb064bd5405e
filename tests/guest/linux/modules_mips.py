#!/usr/bin/env python3
"""modules_mips.c for MSA, DSP and Release 6 under `oryx run` and qemu-mips*: the CPU model comes from the program's header where it can.

Status.FR, HWCAP and signal frames are os-linux's. Where qemu 7.2 cannot be right: it keeps no upper halves of vector registers in a frame, Linux
does (struct msa_extcontext). Exit status: 0 equal, 1 a difference, 77 no compiler or qemu."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ORYX = os.environ.get("ORYX", os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(HERE))), "build", "oryx"))
# compiler and flags, qemu and its CPU, options of oryx run
CASES = [
    ("mipsisa32r6el-linux-gnu-gcc", "qemu-mipsel -cpu mips32r6-generic", ""),
    ("mipsisa64r6el-linux-gnuabi64-gcc -mmsa -ffast-math", "qemu-mips64el -cpu I6400", ""),
    ("mipsel-linux-gnu-gcc -march=mips32r5 -mfp64 -mmsa -ffast-math", "qemu-mipsel -cpu P5600", ""),
    ("mips-linux-gnu-gcc -march=mips32r5 -mfp64 -mmsa -ffast-math", "qemu-mips -cpu P5600", ""),
    ("mipsel-linux-gnu-gcc -march=74kf -mdspr2", "qemu-mipsel -cpu 74Kf", "--cpu 74kf"),
    ("mips-linux-gnu-gcc -march=74kf -mdspr2", "qemu-mips -cpu 74Kf", "--cpu 74kf"),
]
DIFFERS = {"upper half kept: 0": "upper half kept: 1"}


def main():
    bad = done = 0
    for number, (compiler, qemu, options) in enumerate(CASES):
        if not shutil.which(compiler.split()[0]) or not shutil.which(qemu.split()[0]):
            print("not run: %s, %s" % (compiler, qemu))
            continue
        with tempfile.TemporaryDirectory() as folder:
            exe = os.path.join(folder, "m%d" % number)
            subprocess.run([*compiler.split(), "-O3", "-static", "-o", exe, os.path.join(HERE, "modules_mips.c"), "-lm"], check=True)
            if "P5600" in qemu:                        # EF_MIPS_NAN2008, for which Debian's libc has no variant
                with open(exe, "r+b") as f:
                    f.seek(38 if "mipsel" not in qemu else 37)
                    flags = f.read(1)[0]
                    f.seek(-1, 1)
                    f.write(bytes([flags | 4]))
            want = subprocess.run([*qemu.split(), exe], stdout=subprocess.PIPE, text=True, timeout=100)
            got = subprocess.run([ORYX, "run", *options.split(), exe], stdout=subprocess.PIPE, text=True, timeout=100)
        lines = [DIFFERS.get(line, line) for line in want.stdout.splitlines()]
        done += 1
        if got.stdout.splitlines() != lines or got.returncode != want.returncode:
            bad = 1
            print("%s:\n  qemu %s\n  oryx %s, status %d" % (compiler, lines, got.stdout.splitlines(), got.returncode))
    print("%d programs of MSA, DSP and Release 6%s" % (done, ", a difference" if bad else " are equal"))
    return bad if done else 77


if __name__ == "__main__":
    sys.exit(main())
