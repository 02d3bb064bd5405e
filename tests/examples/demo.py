#!/usr/bin/env python3
"""The demo programs and demo.sh. The oracle for the programs' output is qemu-aarch64 where it is installed, and what their
sources promise: 41538 primes below 500,000 (counted again by a sieve in Python),
words counted again in Python. Programs made from source and the copies in the tree must both run alike.

usage: demo.py BUILD SOURCE
"""
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

failures = checks = 0
NAMES = {"hello": 0, "primes": 0, "mandelbrot": 0, "words": 0, "faults": 3}


def check(what, right, detail=""):
    global failures, checks
    checks += 1
    if not right:
        failures += 1
        print(f"FAIL {what}: {str(detail)[-1500:]}")


def primes():
    limit = 500000
    flags = bytearray([1]) * limit
    flags[0] = flags[1] = 0
    for i in range(2, 708):
        if flags[i]:
            flags[i * i::i] = bytes(len(range(i * i, limit, i)))
    found = [i for i in range(limit) if flags[i]]
    return f"{len(found)} primes below {limit}; the last five: {' '.join(map(str, found[:-6:-1]))}\n"


def words():
    """words.c again: xorshift32, a word of one or two syllables, counted and sorted."""
    state = 2463534242

    def random():
        nonlocal state
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        return state

    count = Counter()
    for _ in range(30000):
        word = ""
        for _ in range(2 if random() & 7 == 0 else 1):
            r = random() >> 8
            word += "bdfghklmnprstvz"[r % 15] + "aeiou"[r // 15 % 5]
        count[word] += 1
    best = sorted(count.items(), key=lambda e: (-e[1], e[0]))[:5]
    return f"30000 words, {len(count)} different; most frequent: {' '.join(f'{w}={n}' for w, n in best)}\n"


def main():
    build, source = (Path(a).resolve() for a in sys.argv[1:3])
    oryx, qemu = build / "oryx", shutil.which("qemu-aarch64")
    expected = {"hello": "Hello from arm64.\n", "primes": primes(), "words": words()}
    copies = source / "examples/demo/bin"
    for name, status in NAMES.items():
        outputs = {}
        for where in (build / "demo", copies):
            program = where / name
            size = program.stat().st_size
            check(f"{program.relative_to(where.parent)} is small", size < 16384, size)
            done = subprocess.run([oryx, "run", program], capture_output=True, text=True, timeout=120)
            outputs[where] = done.stdout
            check(f"{name}: status {status}, nothing on stderr", (done.returncode, done.stderr) == (status, ""),
                  (done.returncode, done.stderr))
        check(f"{name}: the copy in the tree does the same", len(set(outputs.values())) == 1, outputs)
        if name in expected:
            check(f"{name}: as Python works it out", outputs[copies] == expected[name], (outputs[copies], expected[name]))
        if qemu:
            done = subprocess.run([qemu, copies / name], capture_output=True, text=True)
            check(f"{name}: as qemu-aarch64", outputs[copies] == done.stdout and done.returncode == status, outputs[copies])
    out = subprocess.run([oryx, "run", copies / "faults"], capture_output=True, text=True).stdout
    check("faults: five exact ones", out.count("pc exact, base unchanged") == 5 and "5 faults handled" in out, out)

    env = {**os.environ, "ORYX": str(oryx), "TERM": "xterm"}
    start = time.monotonic()
    done = subprocess.run([source / "examples/demo.sh"], capture_output=True, text=True, env=env)
    print(f"demo.sh took {time.monotonic() - start:.1f} s")
    check("demo.sh ends with 0", done.returncode == 0, done.stdout + done.stderr)
    check("five demos with headings, plain text", len(re.findall(r"^== ", done.stdout, re.M)) == 6 and "\033" not in done.stdout,
          done.stdout)
    check("every program's output is in it", all(e in done.stdout for e in expected.values() if "Hello" not in e), done.stdout)
    functions = [f for f in ("hash", "compare", "make_word", "next_random", "count_word") if re.search(rf"\b{f}\b", done.stderr + done.stdout)]
    check("the probe's table names the functions of words", len(functions) >= 4, done.stderr + done.stdout)
    done = subprocess.run([source / "examples/demo.sh", "nothing"], capture_output=True, text=True, env=env)
    check("a demo that is not there", done.returncode == 2 and "no demo 'nothing'" in done.stderr, done.stderr)
    done = subprocess.run([source / "examples/demo.sh"], capture_output=True, text=True, env={**env, "ORYX": "/nowhere/oryx"})
    check("an Oryx that is not there", done.returncode == 1 and "./setup build" in done.stderr, done.stderr)
    print(f"{checks} checks, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
