#!/usr/bin/env python3
"""Runs the guest programs of this folder under Oryx and under an oracle and compares output, status and signal.

The oracle is qemu-user; for programs that execute themselves, which qemu-user cannot without help of the host's
kernel, it is the same source compiled for the host and run by Linux itself. Where the oracle cannot be right, DIFFERS
gives the line of an arm64 Linux, with the reason.
usage: run.py PROGRAM [dynamic] [ARCH] [--OPTION of oryx run...] [-FLAG of the compiler...]
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# architecture: compiler, oracle, root of its libraries, uname's machine, AT_PLATFORM
ARCHES = {
    "arm64": ("aarch64-linux-gnu-gcc", "qemu-aarch64", "/usr/aarch64-linux-gnu", "aarch64", "aarch64"),
    "armel": ("arm-linux-gnueabi-gcc", "qemu-arm", "/usr/arm-linux-gnueabi", "armv7l", "v7l"),
    "mips": ("mips-linux-gnu-gcc", "qemu-mips", "/usr/mips-linux-gnu", "mips", "mips"),
    "mipsel": ("mipsel-linux-gnu-gcc", "qemu-mipsel", "/usr/mipsel-linux-gnu", "mips", "mips"),
    "mips64": ("mips64-linux-gnuabi64-gcc", "qemu-mips64", "/usr/mips64-linux-gnuabi64", "mips64", "mips"),
    "mips64el": ("mips64el-linux-gnuabi64-gcc", "qemu-mips64el", "/usr/mips64el-linux-gnuabi64", "mips64", "mips"),
    "mipsn32": ("mips64-linux-gnuabi64-gcc -mabi=n32", "qemu-mipsn32", "/usr/mips64-linux-gnuabi64", "mips64", "mips"),
    "mipsn32el": ("mips64el-linux-gnuabi64-gcc -mabi=n32", "qemu-mipsn32el", "/usr/mips64el-linux-gnuabi64", "mips64", "mips"),
    # Linux on this host is the oracle itself.
    "amd64": ("x86_64-linux-gnu-gcc", None, "/", "x86_64", "x86_64"),
    # No library for these: "bare" only. BE-32 is of CPUs before Armv6, in T32 too.
    "armeb": ("arm-linux-gnueabi-gcc -march=armv7-a -DRESTORER -mbig-endian -Wl,--be8", "qemu-armeb", "/", "armv7b", "v7b"),
    "armebt": ("arm-linux-gnueabi-gcc -march=armv7-a -mthumb -DRESTORER -mbig-endian -Wl,--be8", "qemu-armeb", "/", "armv7b", "v7b"),
    "armbe32": ("arm-linux-gnueabi-gcc -march=armv5te -marm -DOLD -mbig-endian", "qemu-armeb", "/", "armv5teb", "v5b"),
    "armbe32t": ("arm-linux-gnueabi-gcc -march=armv5te -mthumb -DOLD -DRESTORER -mbig-endian", "qemu-armeb", "/", "armv5teb", "v5b"),
    "armhf": ("arm-linux-gnueabihf-gcc", "qemu-arm", "/usr/arm-linux-gnueabihf", "armv7l", "v7l"),
}

MIPS = [a for a in ARCHES if a.startswith("mips")]
SLOT_BRANCHES = ["b 1f", "beq $0, $12, 1f", "bne $0, $12, 1f", "bgtzl $12, 1f", "jr $9", "jalr $11, $9", "blez $12, 1f"]
NATIVE = {"procs", "extra"}
# What qemu-arm 7.2 cannot (shared memory across fork, the address of a SIGBUS) qemu-aarch64 tells: the same source's output.
BY_ARM64 = {"memory"}
# A program that brings its own system calls: no C library, no floating point.
BARE = ["-nostdlib", "-msoft-float", "-fno-pic", "-fno-stack-protector", "-Wl,-e,__start"]
BARE_MIPS = ["-mno-abicalls", "-G0"]

# program -> {line of the oracle: line of Linux on arm64}
DIFFERS = {
    # qemu 7.2 has no MAP_FIXED_NOREPLACE and lets the host check a pointer before the descriptor.
    "memory": {"q == MAP_FAILED && errno == EEXIST = 0": "q == MAP_FAILED && errno == EEXIST = 1"},
    "files": {"read(-1, ro, 4): -1 Bad address": "read(-1, ro, 4): -1 Bad file descriptor"},
    # qemu 7.2 refuses locks of 64-bit ranges on MIPS.
    "bare": {"C3(fcntl64, fd, F_SETLK64, &fl) -0x16": "C3(fcntl64, fd, F_SETLK64, &fl) 0x0",
             "C3(fcntl64, fd, F_GETLK64, &fl) -0x16": "C3(fcntl64, fd, F_GETLK64, &fl) 0x0", "fl.l_type 0x1": "fl.l_type 0x2"},
    # qemu 7.2 does not bring back vector registers that a handler changed in its frame.
    "signals": {"lo = 0": "lo = 5", "hi = 0": "hi = 7"},
    # qemu 7.2 stores 16 bytes in halves, the first before the second faults, and keeps signals of faults unblocked.
    "window": {"store16, read only: 25 done, 16 refused, 0 misaligned, 64 bytes of a refused one":
               "store16, read only: 25 done, 16 refused, 0 misaligned, 0 bytes of a refused one",
               "store16, no access: 25 done, 16 refused, 0 misaligned, 64 bytes of a refused one":
               "store16, no access: 25 done, 16 refused, 0 misaligned, 0 bytes of a refused one",
               "sigismember(&pending, SIGSEGV) = 0": "sigismember(&pending, SIGSEGV) = 1"},
    # qemu 7.2 does not read the code of a BREAK or trap in a delay slot; Linux does (do_bp, do_tr).
    "slot_mips": {f"{b:22} {i:20} result 3, signal 5 code {c}, 1 visits, pc at 0, si_addr -1":
                  f"{b:22} {i:20} result 3, signal 8 code {d}, 1 visits, pc at 0, si_addr 1" for b in SLOT_BRANCHES
                  for i, c, d in (("break 7", 1, 1), ("teq $0, $0, 6", 128, 2))},
    "procs": {'un.machine = "x86_64"': 'un.machine = "{machine}"',
              '(char *)getauxval(AT_PLATFORM) = "x86_64"': '(char *)getauxval(AT_PLATFORM) = "{platform}"',
              "getauxval(AT_HWCAP) & 3 = 2": "getauxval(AT_HWCAP) & 3 = 3"},
    **{("memory", a): {f"{access}: signal 7 code 2 at the address": f"{access}: signal 10 code 2 at the address"
                       for access in ("(void)s[2 * P]", "s[3 * P] = 1", "(void)s[P]")} for a in MIPS},
    # The lowest bits of HWCAP are swp (gone in Armv8) and half.
    ("procs", "armel"): {"getauxval(AT_HWCAP) & 3 = 2": "getauxval(AT_HWCAP) & 3 = 2"},
    **{("procs", a): {"getauxval(AT_HWCAP) & 3 = 2": "getauxval(AT_HWCAP) & 3 = 0"} for a in MIPS},
    **{("bare", a): {"armv7b 0x4c": "{machine} 0x4c"} for a in ("armbe32", "armbe32t")},
    ("procs", "armhf"): {"getauxval(AT_HWCAP) & 3 = 2": "getauxval(AT_HWCAP) & 3 = 2"},
}


def run(command, folder):
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as late:
        return "timeout", (late.stdout or b"").decode("utf-8", "replace"), (late.stderr or b"").decode("utf-8", "replace")
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def main():
    name = sys.argv[1]
    dynamic = "dynamic" in sys.argv[2:]
    arch = next((a for a in sys.argv[2:] if a in ARCHES), "arm64")
    flags = [a for a in sys.argv[2:] if a.startswith("-") and not a.startswith("--")]
    cc, qemu, cross_root, machine, platform = ARCHES[arch]
    options = [word for word in sys.argv[2:] if word.startswith("--")]
    oryx = os.environ["ORYX"]
    cc = cc.split()
    for tool in (cc[0], qemu):
        if tool and not shutil.which(tool):
            print(f"skipped: {tool} is not installed")
            return 77
    with tempfile.TemporaryDirectory() as top:
        program = Path(top) / name
        link = [] if dynamic else ["-static"]
        link += BARE + (BARE_MIPS if arch in MIPS else ["-fomit-frame-pointer", *(["-march=armv7-a"] if arch == "armel" else [])]) if name == "bare" else []
        subprocess.run([*cc, "-w", "-O1", "-pthread", *link, *flags, "-o", program, HERE / f"{name}.c", *(["-lgcc"] if name == "bare" and arch in MIPS else [])],
                       check=True)
        oracle = [qemu, "-L", cross_root, str(program)] if qemu else [str(program)]
        if name in BY_ARM64 and qemu and arch != "arm64":
            other, oracle_cc = Path(top) / "other", ARCHES["arm64"]
            subprocess.run([oracle_cc[0], "-w", "-O1", "-pthread", "-static", "-o", other, HERE / f"{name}.c"], check=True)
            oracle = [oracle_cc[1], str(other)]
        if name in NATIVE:
            native = Path(top) / "native" / name
            native.parent.mkdir()
            subprocess.run(["gcc", "-w", "-O1", "-pthread", "-o", native, HERE / f"{name}.c"], check=True)
            oracle = [str(native)]
        results = []
        for who, command in (("oracle", oracle),
                             ("oryx", [oryx, "run", *options, *(["--sysroot", cross_root] if qemu else []), str(program)])):
            folder = Path(top) / who
            folder.mkdir()
            results.append(run(command, folder))
    (want_status, want, _), (status, got, errors) = results
    replace = {**(DIFFERS.get(name, {}) if qemu else {}), **DIFFERS.get((name, arch), {})}
    want = "\n".join(replace.get(line, line).replace("{machine}", machine).replace("{platform}", platform) for line in want.split("\n"))
    bad = 0
    want_lines, got_lines = want.split("\n"), got.split("\n")
    for i in range(max(len(want_lines), len(got_lines))):
        a = want_lines[i] if i < len(want_lines) else "(nothing)"
        b = got_lines[i] if i < len(got_lines) else "(nothing)"
        if a != b:
            bad += 1
            if bad <= 10:
                print(f"line {i + 1}: oracle: {a}\n{' ' * len(str(i + 1))}         oryx: {b}")
    if status != want_status:
        print(f"status: oracle {want_status}, oryx {status}")
        bad += 1
    if bad and errors:
        print(errors[-2000:])
    print(f"{name}: {len(want_lines) - 1} lines, {bad} differ")
    return 1 if bad or len(want_lines) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
