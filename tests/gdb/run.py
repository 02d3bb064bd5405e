#!/usr/bin/env python3
"""The same debugging session with `oryx run --gdb` and with qemu-user's stub must read the same; what qemu-user has not (watchpoints
that stop, threads' ends, changing a signal) is checked against what the program's text says. Reads ORYX. usage: run.py ARCH"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import session

HERE = pathlib.Path(__file__).resolve().parent
ARCHES = {
    "arm64": ("aarch64-linux-gnu-gcc", "qemu-aarch64"), "arm": ("arm-linux-gnueabihf-gcc", "qemu-arm"),
    "mips": ("mips-linux-gnu-gcc", "qemu-mips"), "mipsel": ("mipsel-linux-gnu-gcc", "qemu-mipsel"),
    "mips64el": ("mips64el-linux-gnuabi64-gcc", "qemu-mips64el"),
}
SAME = ["set print frame-arguments none", "break fib", "continue", "backtrace", "info registers pc", "finish", "next", "delete", "stepi 25", "x/3i $pc", "info symbol $pc",
        "print counter", "break mark", "continue", "print ratio", "next", "print ratio", "print pair", "set var counter = 7", "print counter",
        "handle SIGUSR1 stop print pass", "delete", "continue", "break on_signal", "continue", "backtrace 1", "delete", "continue"]
OURS = [
    (["watch counter", "continue", "continue"], r"Old value = 0\s+New value = 2[\s\S]*Old value = 2\s+New value = 5"),
    (["rwatch pair.a", "continue"], r"Hardware read watchpoint 1: pair.a\s+Value = 3"),
    (["awatch counter", "ignore 1 1", "continue"], r"Old value = 0\s+New value = 2"),
    (["handle SIGUSR1 stop print nopass", "continue", "continue"], r"received signal SIGUSR1[\s\S]*exited with code 037"),
    (["break work", "continue", "info threads", "bt 1"], r"(?m)^\* 2 .*work \(p="),
    (["break fib", "continue", "return (int)20", "delete", "print counter", "break mark", "continue", "print counter"], r"\$1 = 0[\s\S]*\$2 = 49"),
    (["break work", "continue", "set scheduler-locking on", "next", "next", "print other"], r"\$1 = 1"),
    (["break mark", "continue", "detach"], r"detached"),
    (["break mark", "continue", "kill"], r"killed"),
    (["print $_siginfo", "info auxv"], r"AT_ENTRY"),
]


def plain(text):
    """Without what differs from run to run."""
    text = re.sub(r"Thread [\d.]+ hit |Thread [\d.]+|\[New .*\]\n|\[Switching .*\]\n|warning: .*\n|Remote debugging .*\n", "", text)
    text = re.sub(r"Inferior 1 \(.*?\)|\[Inferior 1.*exited", "Inferior", text)
    return re.sub(r" received signal|Program received signal|Thread \d+ received signal", " signal", text)


def under_oryx(elf, folder, commands):
    socket = pathlib.Path(folder) / "gdb"
    socket.unlink(missing_ok=True)
    return session.gdb([session.ORYX, "run", "--gdb", f"unix:{socket}", elf], socket, elf, commands, socket.exists)


def under_qemu(qemu, elf, commands):
    port = session.free_port()
    return session.gdb([qemu, "-g", str(port), elf], f"127.0.0.1:{port}", elf, commands, lambda: subprocess.run(
        ["sh", "-c", f"grep -qi ':{port:04X} 00000000:0000 0A' /proc/net/tcp /proc/net/tcp6"]).returncode == 0)


def main():
    compiler, qemu = ARCHES[sys.argv[1]]
    for need in ("gdb-multiarch", compiler, qemu):
        if not shutil.which(need):
            print(f"skipped: no {need}")
            return session.SKIP
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        elf = pathlib.Path(folder) / "program"
        subprocess.run([compiler, "-g", "-O0", "-static", "-pthread", f"-fdebug-prefix-map={HERE}=.", HERE / "program.c", "-o", elf], check=True)
        ours, code, said, _ = under_oryx(elf, folder, SAME)
        theirs = under_qemu(qemu, elf, SAME)[0]
        a, b = plain(theirs).splitlines(), plain(ours).splitlines()
        print(f"{len(a)} lines of qemu's session, {len(b)} of ours")
        bad += len(a) < 30
        for n in range(max(len(a), len(b))):
            x, y = (v[n] if n < len(v) else "(nothing)" for v in (a, b))
            if x != y:
                print(f"line {n + 1}\n  qemu: {x}\n  oryx: {y}")
                bad += 1
        for commands, want in OURS:
            text, code, said, errors = under_oryx(elf, folder, commands)
            if not re.search(want, text):
                print(f"{commands}: no '{want}' in:\n{text}{errors}")
                bad += 1
            if "detach" in commands and (code != 3 or said != "counter 131 other 3\n"):
                print(f"after detach: status {code}, printed {said!r}")
                bad += 1
            if "kill" in commands and code != -9:
                print(f"after kill: status {code}")
                bad += 1
    print(f"{len(OURS)} more sessions, {bad} wrong")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
