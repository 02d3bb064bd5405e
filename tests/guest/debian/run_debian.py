#!/usr/bin/env python3
"""Run Debian's programs of another architecture under Oryx and under an oracle; standard output, standard error and status must be equal.

usage: run_debian.py [--arch ARCH] [--oryx PATH] [--engine E] [--only REGEX] [--list] [--jobs N]

Exit status: 0 all equal, 1 a difference, 2 an oracle or a package is missing. Nothing is skipped in silence.
"""

import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

import cases
import interactive

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parents[2]
PACKAGES = ["busybox-static", "coreutils", "gzip", "tar", "grep", "bash", "python3-minimal", "python3.11", "lua5.4", "sqlite3",
            "openssl"]
MORE = {"arm64": ["sox"], "armel": ["sox"], "armhf": ["sox"]}     # floating point and vectors of a compiler's making
# Debian's name of an architecture: the oracle.
ARCHES = {"arm64": "qemu-aarch64", "armel": "qemu-arm", "armhf": "qemu-arm", "mipsel": "qemu-mipsel", "mips64el": "qemu-mips64el"}


def fetch(arch, packages, deps=True):
    command = [str(TREE / "tests/fetch/fetch.sh")] + (["--deps"] if deps else []) + [arch] + packages
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if run.returncode:
        sys.exit(2)
    return run.stdout.strip().splitlines()[-1]


def fixture(where):
    """The same small tree for every run: text, numbers, random bytes, a link, sub-folders, fixed times."""
    rng = random.Random(20240607)
    words = "the quick brown fox jumps over a lazy dog while seven wizards hex the old gnome".split()
    lines = [" ".join(rng.choice(words) for _ in range(rng.randrange(0, 12))) for _ in range(400)]
    (where / "sub" / "deep").mkdir(parents=True)
    (where / "text").write_text("\n".join(lines) + "\n")
    (where / "numbers").write_text("".join(f"line{i} {rng.randrange(-10**6, 10**6)}\n" for i in range(300)))
    (where / "random").write_bytes(rng.randbytes(70001))
    (where / "sub" / "a").write_text("alpha\n")
    (where / "sub" / "deep" / "b").write_text("beta\n" * 300)
    (where / "link").symlink_to("text")
    subprocess.run(["gzip", "-kn", "text"], cwd=where, check=True)
    subprocess.run(["tar", "--sort=name", "--mtime=@1000000000", "--owner=0", "--group=0", "-cf", "sub.tar", "sub"], cwd=where,
                   check=True)
    for path in sorted(where.rglob("*"), reverse=True):
        os.utime(path, (1_600_000_000, 1_600_000_000), follow_symlinks=False)
    os.utime(where, (1_600_000_000, 1_600_000_000))


class Runner:
    def __init__(self, oryx, engine, arch="arm64"):
        self.oryx, self.engine, self.arch = oryx, engine, arch
        self.sysroot = fetch(arch, PACKAGES + MORE.get(arch, []))
        # qemu-user follows an absolute link of the sysroot on the host.
        for link in pathlib.Path(self.sysroot).glob("lib*/ld*.so.*"):
            if link.is_symlink() and os.readlink(link).startswith("/"):
                to = ".." + os.readlink(link)
                link.unlink()
                link.symlink_to(to)
        self.amd64 = fetch("amd64", ["busybox-static"], deps=False)
        self.qemu_binary = shutil.which(ARCHES[arch])
        if not self.qemu_binary:
            sys.exit(f"run_debian.py: {ARCHES[arch]} is missing: apt-get install qemu-user")

    def ours(self, argv):
        return [self.oryx, "run"] + (["--engine", self.engine] if self.engine else []) + ["--sysroot", self.sysroot] + argv

    def oracle(self, case, argv):
        if case["oracle"] == "qemu":
            return [self.qemu_binary, "-L", self.sysroot, self.sysroot + argv[0]] + argv[1:]
        if argv[0] == cases.BUSYBOX:
            return [self.amd64 + a if a == cases.BUSYBOX else a for a in argv]
        return argv  # the host is Debian 12 too: the same versions

    def execute(self, command, case, directory):
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/", "TERM": "vt100", **case.get("env", {})}
        env.update((k, v) for k, v in os.environ.items() if k.startswith("ORYX_"))
        started = time.monotonic()
        try:
            run = subprocess.run(command, cwd=directory, env=env, input=case.get("input", "").encode(), capture_output=True,
                                 timeout=case.get("timeout", 300))
        except subprocess.TimeoutExpired:
            return ("timeout", b"", b""), time.monotonic() - started
        return (run.returncode, run.stdout, run.stderr), time.monotonic() - started

    def compare(self, case):
        argv = case["argv"] + case.get("argv_more", [])
        with tempfile.TemporaryDirectory(prefix="oryx-debian-") as top:
            results = []
            # Both runs work in a directory of the same name, so that paths in output agree.
            for command in (self.oracle(case, argv), self.ours(argv)):
                work = pathlib.Path(top) / "work"
                work.mkdir()
                fixture(work)
                results.append(self.execute(command, case, work))
                shutil.rmtree(work)
        (want, _), (got, seconds) = results
        # Programs print the name they were called by; qemu is given the path in the sysroot.
        want = (want[0],) + tuple(w.replace(self.sysroot.encode(), b"").replace(self.amd64.encode(), b"") for w in want[1:])
        return want, got, seconds


def show(label, text):
    text = text.decode(errors="replace")
    return f"    {label}: {text[:600]!r}{' ...' if len(text) > 600 else ''}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--oryx", default=os.environ.get("ORYX", str(TREE / "build/oryx")))
    parser.add_argument("--arch", choices=sorted(ARCHES), default="arm64")
    parser.add_argument("--engine")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    chosen = [c for c in cases.CASES if re.search(args.only, c["name"]) and args.arch not in c.get("not", ())]
    live = [c for c in interactive.CASES if re.search(args.only, c.__name__)]
    if args.list:
        print("\n".join([c["name"] for c in chosen] + [c.__name__ for c in live]))
        return 0
    runner = Runner(args.oryx, args.engine, args.arch)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        jobs = [(c["name"], pool.submit(runner.compare, c)) for c in chosen]
        for name, job in jobs:
            want, got, seconds = job.result()
            good = want == got
            failed += not good
            print(f"{'ok  ' if good else 'FAIL'} {name:28} {seconds:7.2f} s", flush=True)
            if not good:
                for label, w, g in zip(("status", "stdout", "stderr"), want, got):
                    if w != g:
                        w, g = (x if isinstance(x, bytes) else str(x).encode() for x in (w, g))
                        print(show(label + " expected", w), show(label + " got     ", g), sep="\n", flush=True)
    for case in live:
        started = time.monotonic()
        problem = case(runner)
        failed += bool(problem)
        print(f"{'FAIL' if problem else 'ok  '} {case.__name__:28} {time.monotonic() - started:7.2f} s"
              + (f"\n    {problem}" if problem else ""), flush=True)
    total = len(chosen) + len(live)
    print(f"{total - failed} passed, {failed} failed")
    return 1 if failed or not total else 0


if __name__ == "__main__":
    sys.exit(main())
