#!/usr/bin/env python3
"""How much code engine-x64 makes: host instructions of typical arm64 blocks, listed by --dump=host, held to golden.txt.

  golden.py [--update]      reads ORYX and ORYX_SOURCE

A line of golden.txt: NAME | WORDS | TEXT | HOT | ALL. HOT: instructions up to the jump that ends the block; ALL: those of its ways
out and slow forms, too. HOT may grow by a tenth and one instruction, ALL by two fifths: tables of addresses behind the code are counted as the instructions
that they look like, others in each process. A smaller block asks for --update, which writes what it finds.
The counts were read off a listing whose text tests/lockstep/tools.py compares with objdump's. A host without AVX2 and BMI2 makes other
code and is let off, in words. Exit status 0 within bounds, 1 not."""
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = pathlib.Path(os.environ.get("ORYX_SOURCE", HERE.parents[1]))
ORYX = os.environ.get("ORYX", str(SOURCE / "build/oryx"))
FILE = HERE / "golden.txt"


def measure(words):
    code = b"".join(int(w, 16).to_bytes(4, "little") for w in words.split())
    case = {"arch": "arm64", "count": len(code) // 4, "regs": {"pc": "0x10000", "sp": "0x20800", **{f"x{n}": "0x20400" for n in range(6)}},
            "map": [{"addr": "0x10000", "size": 4096, "hex": code.hex()}, {"addr": "0x20000", "size": 4096}]}
    run = subprocess.run([ORYX, "exec", "--engine", "x64"], input=json.dumps(case) + "\n", env=dict(os.environ, ORYX_DUMP="host"), capture_output=True, text=True,
                         timeout=60)
    said = json.loads(run.stdout)
    if said.get("insns") != case["count"]:
        raise SystemExit(f"golden.py: {words}: not executed: {run.stdout.strip()}")
    block = run.stderr.split("--- listing of ")[1].split("\n--- ")[0]
    text = re.findall(r"^  [0-9a-f]+: (?:[0-9a-f]{2} )+ *(\S.*)$", block, re.M)
    if not text or "Zydis" in text[0]:
        return None
    hot = next((n for n, line in enumerate(text) if line.startswith("jmp ")), len(text) - 1) + 1
    return hot, len(text)


def main():
    flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    if not re.search(r"\bavx2\b", flags) or not re.search(r"\bbmi2\b", flags):
        print("note: this host has no AVX2 or BMI2: its code is another, nothing is compared")
        return 0
    failed, out, sums = 0, [], [0, 0, 0]
    for line in FILE.read_text(encoding="ascii").splitlines():
        if not line or line[0] == "#":
            out.append(line)
            continue
        name, words, text, *pinned = [part.strip() for part in line.split("|")]
        found = measure(words)
        if not found:
            print("note: no Zydis here: nothing is compared")
            return 0
        n = len(words.split())
        want = [int(p) for p in pinned] or list(found)
        grown = [f for f, w, most in zip(found, want, (1.1, 1.4)) if f > w * most + 1]
        shrunk = [f for f, w in zip(found, want) if f < w * 0.75 - 1]
        failed += bool(grown)
        sums = [a + b for a, b in zip(sums, (n, *found))]
        print(f"{'FAIL' if grown else 'ok  '} {name:14} {n:2} guest, {found[0]:3} hot ({want[0]}), {found[1]:3} in all ({want[1]})" +
              ("; smaller: golden.py --update" if shrunk else ""))
        out.append(" | ".join([name, words, text, str(found[0]), str(found[1])]))
    print(f"{sums[0]} guest instructions: {sums[1] / sums[0]:.2f} host instructions each on the way through, {sums[2] / sums[0]:.2f} in all")
    if "--update" in sys.argv:
        FILE.write_text("\n".join(out) + "\n", encoding="ascii")
        return 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
