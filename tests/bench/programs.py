#!/usr/bin/env python3
"""Debian's own arm64 programs under `oryx run` and under qemu-aarch64: rounds interleaved, medians, a table and JSON.

  programs.py [--only REGEX] [--rounds 3] [--json FILE] [--quick] [--table]

Programs come from Debian's archive the way tests/guest/debian has them (tests/fetch/fetch.sh). A program's output must be what the
host's program or qemu's run gives, or its row is WRONG. --json FILE keeps the rows that FILE already has and were not measured
now, so a long run may be cut into short ones; --table measures nothing and prints FILE. CPU time (user and system), start-up
included. Of `openssl speed`, which runs for a time rather than a number of turns, the bytes or signatures a second count.

Exit status: 0 every output right, however slow; 1 a wrong one; 2 something is missing."""
import argparse
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))
import measure  # noqa: E402
from report import columns, geomean, number  # noqa: E402

PACKAGES = ["busybox-static", "coreutils", "gzip", "python3-minimal", "python3.11", "openssl"]
INTEGER, FP = ("integer", 1.6), ("fp", 8.0)  # kind, how many times faster than qemu-user it must be
PYTHON = {
    "objects": """
import sys
def sieve(n):
    a = bytearray(b"\\1") * n
    for i in range(2, int(n ** 0.5) + 1):
        if a[i]:
            a[i * i::i] = bytes(len(range(i * i, n, i)))
    return sum(a) - 2
def words(n):
    d, x = {}, 12345
    for i in range(n):
        x = x * 1103515245 + 12345 & 0x7fffffff
        w = "w%d" % (x >> 8 & 4095)
        d[w] = d.get(w, 0) + 1
    return sorted(d.items(), key=lambda p: (-p[1], p[0]))[:3]
class Node:
    def __init__(self, depth):
        self.left, self.right = (Node(depth - 1), Node(depth - 1)) if depth else (None, None)
    def count(self):
        return 1 + (self.left.count() + self.right.count() if self.left else 0)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
k = int(sys.argv[1])
print(sieve(200000 * k), words(40000 * k), sum(Node(12).count() for _ in range(k)), [fib(19) for _ in range(k)][0], pow(7, 3 ** (4 + k % 3), 10 ** 60 + 7))
""",
    "nbody": """
import sys
B = [[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47841760435743], [4.84143144246472, -1.16032004402742, -0.10362204447112,
     0.60632639299971, 2.81198684491626, -0.02521836165988, 0.03769367487038], [8.34336671824457, 4.12479856412430, -0.40352341711432,
     -1.01077434617879, 1.82566237123041, 0.00841576137658, 0.01128632613125], [12.8943695621391, -15.1111514016986, -0.22330757889265,
     1.08279100644153, 0.86871301816960, -0.01083263740136, 0.00172372405705]]
for _ in range(9000 * int(sys.argv[1])):
    for i, b in enumerate(B):
        for c in B[:i]:
            x, y, z = b[0] - c[0], b[1] - c[1], b[2] - c[2]
            m = 0.01 / (x * x + y * y + z * z) ** 1.5
            for k, d in ((3, x), (4, y), (5, z)):
                b[k] -= d * c[6] * m
                c[k] += d * b[6] * m
    for b in B:
        for k in range(3):
            b[k] += 0.01 * b[k + 3]
print([repr(v) for b in B for v in b])
""",
}


def fill(folder, quick):
    """The input files: random bytes to hash; text, numbers and code-like bytes to compress. The same each time."""
    size = 4 << 20 if quick else 100 << 20
    block = b"".join(hashlib.sha512(b"%d" % i).digest() for i in range(1 << 14))
    with open(folder / "big", "wb") as f:
        for i in range(size >> 20):
            f.write(block[i:] + block[:i])
    text, x = [], 99
    for i in range(40_000 if quick else 400_000):
        x = (x * 6364136223846793005 + 1442695040888963407) & (1 << 64) - 1
        text.append("%s %d %s\n" % (["mov", "add", "ldr", "str", "branch", "return"][x >> 40 & 3 | x >> 50 & 1], x >> 44 & 1023, "abcdefghijklmnop"[x >> 60:]))
    (folder / "text").write_text("".join(text), encoding="ascii")


def rows(quick):
    """name, (kind, must), path in the sysroot, words, None or how `openssl speed` says its figure."""
    k, seconds = ("1", "1") if quick else ("5", "1")

    def speed(name, kind, *words, pattern=r"\+F:\d+:[^:]*:(?P<rate>[\d.]+)"):
        return (f"openssl speed {name}", kind, "/usr/bin/openssl", ["speed", "-seconds", seconds, "-mr", *words], pattern)
    return [
        ("busybox sha256sum, 100 MiB", INTEGER, "/bin/busybox", ["sha256sum", "big"], None),
        ("gzip -9", INTEGER, "/bin/gzip", ["-9nc", "text"], None),
        ("gzip -d", INTEGER, "/bin/gzip", ["-dc", "text.gz"], None),
        ("python3, objects", INTEGER, "/usr/bin/python3", ["-c", PYTHON["objects"], k], None),
        ("python3, n-body", INTEGER, "/usr/bin/python3", ["-c", PYTHON["nbody"], k], None),
        speed("md5", INTEGER, "-bytes", "8192", "md5"),
        speed("rsa2048", INTEGER, "rsa2048", pattern=r"\+F2:\d+:\d+:(?P<rate>[\d.]+)"),
        speed("sha256", FP, "-bytes", "8192", "-evp", "sha256"),
        speed("aes-128-cbc", FP, "-bytes", "8192", "-evp", "aes-128-cbc"),
        speed("aes-128-gcm", FP, "-bytes", "8192", "-evp", "aes-128-gcm"),
        speed("chacha20", FP, "-bytes", "8192", "-evp", "chacha20"),
    ]


def fetch(packages):
    done = subprocess.run([str(HERE.parent / "fetch/fetch.sh"), "--deps", "arm64", *packages], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(2)
    return done.stdout.strip().splitlines()[-1]


def once(command, path, words, pattern, timeout):
    """(what counts: seconds, or seconds a unit of work; what must agree)"""
    with tempfile.TemporaryFile() as out:
        text, cpu, _ = measure.spawn(command(path, words), timeout, out)
        if not pattern:
            out.seek(0)
            return cpu, hashlib.sha256(out.read()).hexdigest()
        found = re.search(pattern, text)
        if not found:
            raise measure.Failed("openssl printed no figure: " + text[:80])
        return 1 / float(found["rate"]), ""


def run(options, contenders, folder):
    results = {}
    wanted = [r for r in rows(options.quick) if re.search(options.only, r[0])]
    if not wanted:
        sys.exit(f"programs.py: --only {options.only}: no row matches")
    for name, (kind, must), path, words, pattern in wanted:
        print(f"{name} ...", file=sys.stderr, flush=True)
        row = results[name] = {"kind": kind, "must": must, "unit": "s a unit" if pattern else "s", "samples": {c: [] for c in contenders}, "error": None}
        said = {}
        for _ in range(options.rounds):
            for contender, command in contenders.items():
                try:
                    value, output = once(command, path, words, pattern, options.timeout)
                    row["samples"][contender].append(value)
                    said.setdefault(output, contender)
                except measure.Failed as error:
                    row["error"] = f"{contender}: {error}"
        if len(said) > 1:
            row["error"] = "outputs differ: " + " and ".join(said.values())
    return results


def table(kept, names):
    medians = {n: {c: statistics.median(s) for c, s in row["samples"].items() if s} for n, row in kept.items()}
    out = [["program"] + [f"{n}" for n in names] + ["faster than qemu", "must", "window=off"]]
    gains = {}
    for name, row in kept.items():
        m = medians[name]
        cells = [f"{m[n]:.2f} s" if row["unit"] == "s" and n in m else f"{1 / m[n]:.4g}/s" if n in m else "-" for n in names]
        gain = m["qemu"] / m["oryx"] if "qemu" in m and "oryx" in m else None
        off = m["qemu"] / m["oryx window=off"] if "qemu" in m and "oryx window=off" in m else None
        gains.setdefault(row["kind"], []).append(gain)
        verdict = "WRONG" if row["error"] else "" if not gain else "" if gain >= row["must"] else " SHORT"
        out.append([name, *cells, number(gain) + "x" + verdict, f"{row['must']:g}x", number(off) + "x"])
    for kind, values in gains.items():
        mean = geomean(values)
        if mean:
            out.append([f"= {kind}"] + [""] * len(names) + [number(mean) + "x", "", ""])
    return columns(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--oryx", default=os.environ.get("ORYX") or str(HERE.parents[1] / "build/oryx"))
    parser.add_argument("--only", default="", metavar="REGEX")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--timeout", type=float, default=300, metavar="S")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="small inputs: a look, not a figure")
    parser.add_argument("--table", action="store_true", help="measure nothing, print --json's FILE")
    options = parser.parse_args()
    names = ["native", "qemu", "oryx", "oryx window=off"]
    said = json.loads(Path(options.json).read_text(encoding="utf-8")) if options.json and Path(options.json).exists() else {}
    kept = said.get("programs", {})
    if not options.table:
        if not shutil.which("qemu-aarch64"):
            sys.exit("programs.py: qemu-aarch64 is missing: apt-get install qemu-user")
        root = fetch(PACKAGES)
        oryx = [os.path.abspath(options.oryx), "run"]
        contenders = {
            "native": lambda path, words: [shutil.which(os.path.basename(path)) or "busybox", *words],
            "qemu": lambda path, words: ["qemu-aarch64", "-L", root, root + path, *words],
            "oryx": lambda path, words: oryx + ["--sysroot", root, path, *words],
            "oryx window=off": lambda path, words: oryx + ["--window=off", "--sysroot", root, path, *words]}
        amd64 = subprocess.run([str(HERE.parent / "fetch/fetch.sh"), "amd64", "busybox-static"], stdout=subprocess.PIPE, text=True, check=False)
        if amd64.returncode == 0:
            box, plain = amd64.stdout.strip().splitlines()[-1] + "/bin/busybox", contenders["native"]
            contenders["native"] = lambda path, words: [box, *words] if path.endswith("busybox") else plain(path, words)
        with tempfile.TemporaryDirectory(prefix="oryx-programs-") as top:
            folder = Path(top)
            fill(folder, options.quick)
            subprocess.run(["gzip", "-kn", "text"], cwd=folder, check=True)
            os.chdir(folder)
            fresh = run(options, contenders, folder)
            os.chdir("/")
        order = [r[0] for r in rows(options.quick)]
        kept = {n: fresh.get(n) or kept[n] for n in sorted({*kept, *fresh}, key=lambda n: order.index(n) if n in order else 99)}
    print(table(kept, names))
    wrong = [f"{n}: {row['error']}" for n, row in kept.items() if row["error"]]
    print("\n".join("WRONG " + w for w in wrong))
    if options.json and not options.table:
        host = {"cpu": re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8")).group(1), "load": round(os.getloadavg()[0], 2),
                "commit": subprocess.run(["git", "-C", str(HERE), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()}
        lines = ",\n".join(f" {json.dumps(n)}: {json.dumps(row)}" for n, row in kept.items())
        Path(options.json).write_text('{"host": %s,\n"programs": {\n%s\n}}\n' % (json.dumps(host), lines), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
