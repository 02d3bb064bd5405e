#!/usr/bin/env python3
"""engine-interp and engine-x64 on random programs of every frontend, with a window and without, under stress switches.

  random_lockstep.py [--count 10000000] [--seed S] [--driver build/tests/lockstep/lockstep-random] [--only REGEX]

The count is shared out among CPUs, windows (off, r: loads, rw: stores too) and ways: compared after each block or region by
engine-lockstep with regions at once, after each instruction, and after runs of random length on two machines with links,
jump caches and small or ordinary translation caches. Each line says what ran; a difference names seed and case, and

  lockstep-random ROWS ... --seed S --case C       does that one again (ROWS: rows.py's output; switches as in the line)

Exit status: 0 equal, 1 a difference, 2 not run."""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# name, rows, words, share of the instructions
CPUS = [("arm64", "arm64", ["--arch", "arm64"], 4), ("arm", "arm", ["--arch", "arm"], 3),
        ("thumb", "thumb", ["--arch", "arm", "--mode", "thumb"], 2), ("mipsel", "mips", ["--arch", "mipsel"], 1),
        ("mips", "mips", ["--arch", "mips"], 1), ("mips64el", "mips", ["--arch", "mips64el"], 1),
        ("mips64", "mips", ["--arch", "mips64"], 1), ("mipsel dsp", "mips", ["--arch", "mipsel", "--model", "74kf"], 1),
        ("mipsel r6", "mips", ["--arch", "mipsel", "--model", "mips32r6", "--mode", "r6"], 1),
        ("mips64el r6", "mips", ["--arch", "mips64el", "--model", "i6400", "--mode", "r6"], 1)]
WAYS = [("regions", "region", {"ORYX_REGION_HOT": "1", "ORYX_REGION_ALL": "1"}, 4),
        ("insn", "insn", {}, 1),
        ("run", "run", {"ORYX_REGION_HOT": "3"}, 3),
        ("stress", "run", {"ORYX_REGION_HOT": "1", "ORYX_REGION_ALL": "1", "ORYX_TLB_ENTRIES": "2", "ORYX_TB_CACHE_MB": "1",
                           "ORYX_TB_MAX_INSNS": "7", "ORYX_IR_CHECK": "1"}, 1),
        ("no links", "run", {"ORYX_LINKS": "0", "ORYX_REGION_HOT": "2", "ORYX_TB_MAX_INSNS": "3"}, 1)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--driver", default=os.environ.get("ORYX_BUILD", os.path.join(ROOT, "build")) + "/tests/lockstep/lockstep-random")
    parser.add_argument("--only", default="", help="lines whose CPU, window and way match")
    options = parser.parse_args()
    if not os.access(options.driver, os.X_OK):
        sys.exit("random_lockstep: no driver at %s: build it, or name it with --driver" % options.driver)
    os.environ.setdefault("ORYX_BUILD", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(options.driver)))))
    jobs = [(cpu, window, way, cpu[3] * way[3]) for cpu in CPUS for window in ("off", "r", "rw") for way in WAYS
            if re.search(options.only, "%s %s %s" % (cpu[0], window, way[0]))]
    total, failed, did, began = sum(j[3] for j in jobs), 0, 0, time.time()
    with tempfile.TemporaryDirectory() as folder:
        for name in {c[1] for c in CPUS}:
            with open(os.path.join(folder, name), "w", encoding="ascii") as f:
                subprocess.run([sys.executable, os.path.join(HERE, "rows.py"), name], stdout=f, check=True)
        for number, (cpu, window, way, share) in enumerate(jobs):
            words = [options.driver, os.path.join(folder, cpu[1]), *cpu[2], "--window", window, "--every", way[1],
                     "--count", str(max(options.count * share // total, 300)), "--seed", str(options.seed * 1000 + number)]
            switches = " ".join("%s=%s" % item for item in way[2].items())
            run = subprocess.run(words, capture_output=True, text=True, errors="replace", env=dict(os.environ, **way[2]), timeout=7200)
            print((run.stdout.strip() or run.stderr.strip()[-3000:]) + ("  [%s]" % switches if switches else ""), flush=True)
            if run.returncode:
                print("FAIL status %d: %s %s" % (run.returncode, switches, " ".join(words[2:])), flush=True)
                failed += 1
            else:
                did += int(re.search(r"(\d+) instructions executed", run.stdout).group(1))
    print("%d instructions in %d lines agree, %d lines failed, seed %d, %d s" % (did, len(jobs) - failed, failed, options.seed, time.time() - began))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
