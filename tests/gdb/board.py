#!/usr/bin/env python3
"""`oryx machine --gdb`: breakpoints, watchpoints, system registers, and going back. The oracle of going back is going forward: the
state n instructions before must be the one that was seen there. Reads ORYX."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import session

HERE = pathlib.Path(__file__).resolve().parent
CC = "aarch64-linux-gnu-gcc"
STATE = "info registers pc x0 x1 x2 x3 x30 cpsr"


def talk(folder, elf, commands, cpus=1):
    machine = {"arch": "arm64", "regions": [{"name": "ram", "type": "ram", "size": "0x100000", "addr": 0}],
               "images": [{"file": str(elf)}], "cpus": [{"mode": "el1"}] * cpus}
    path, socket = pathlib.Path(folder) / "machine.json", pathlib.Path(folder) / "gdb"
    path.write_text(json.dumps(machine))
    socket.unlink(missing_ok=True)
    return session.gdb([session.ORYX, "machine", "--gdb", f"unix:{socket}", path], socket, elf, commands, socket.exists)


def states(text):
    return re.findall(r"(?ms)^pc .*?^cpsr[^\n]*", text)


def main():
    for need in ("gdb-multiarch", CC):
        if not shutil.which(need):
            print(f"skipped: no {need}")
            return session.SKIP
    wrong = []

    def expect(what, ok, text):
        print(f"{what}: {'right' if ok else 'WRONG'}")
        if not ok:
            wrong.append(what)
            print(text)

    with tempfile.TemporaryDirectory() as folder:
        elf = pathlib.Path(folder) / "board.elf"
        subprocess.run([CC, "-g", "-nostdlib", "-static", "-Wl,-Ttext=0x80000", "-Wl,-Tdata=0x90000", "-Wl,--build-id=none", HERE / "board.S",
                        "-o", elf], check=True)
        steps = 40
        text = talk(folder, elf, ([STATE, "stepi"] * steps + [STATE] + ["reverse-stepi", STATE] * steps + ["kill"]))[0]
        seen = states(text)
        expect("40 steps forward and back", len(seen) == 2 * steps + 1 and seen == seen[::-1] and len(set(seen)) > steps / 2, text)
        text = talk(folder, elf, ["break mark", "continue", STATE, "delete", "reverse-stepi 5", STATE, "stepi 5", STATE, "kill"])[0]
        seen = states(text)
        expect("over snapshots", len(seen) == 3 and seen[0] == seen[2] != seen[1], text)
        text = talk(folder, elf, ["break mark", "continue", "delete", "watch *(long *)0x90000", "reverse-continue", "reverse-continue",
                                  "delete", "break f", "reverse-continue", "p $x0", "delete", "reverse-continue", STATE, "kill"])[0]
        expect("watchpoints backwards", re.search(r"Old value = 25000\s+New value = 24999[\s\S]*Old value = 24999\s+New value = 24998", text), text)
        expect("breakpoints backwards", re.search(r"\$1 = 24998", text), text)
        expect("the beginning", re.search(r"No more reverse-execution history", text) and re.search(r"pc +0x80000 ", text), text)
        text = talk(folder, elf, ["p $sctlr_el1", "p $cpsr", "p/x $x0", "set $x0 = 29998", "continue", "p $x0", "x/1i $pc", "kill"])[0]
        expect("system registers, writing one, an exit nobody serves",
               re.search(r"\$2 = 965\n\$3 = 0x0", text) and re.search(r"\$4 = 30000\n=> .*hlt", text), text)
        text = talk(folder, elf, ["break f thread 2", "info threads", "continue", "info threads", "reverse-stepi", "kill"], cpus=2)[0]
        expect("two CPUs", re.search(r"(?m)^\* 2 .*f \(\)", text) and text.count("Thread") >= 4, text)
    print(f"{len(wrong)} wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
