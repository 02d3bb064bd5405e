#!/usr/bin/env python3
"""Runs a set of the Arm or MIPS instruction sets in chunks, each with its own seed, until COUNT cases have been compared.

  volume.py [--count 10000000] [--seed 1] [--chunk 100000] [--log FILE] SET...        SET: see SETS, or "all"

A chunk is one call of run_diff.py (A64, against qemu-aarch64) or arm_diff.py (A32 and T32, against qemu-arm) or mips_diff.py (against
qemu-mips*; a chunk of these may have 20000 cases). With --log, chunks
that FILE says were equal are not run again, so an interrupted run goes on where it was. Sets take turns, chunk by chunk. Exit
status: 0 all equal, 1 a difference, 2 a chunk could not run.
"""
import argparse
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
A64, A32 = [sys.executable, HERE + "/run_diff.py"], [sys.executable, HERE + "/arm_diff.py", "--operands", "16"]
# A set: the commands its chunks take turns with. A sixth of the A64 chunks are sequences of instructions.
SEQUENCE = ["--sequence", "6"]


def mips(rows, *cpus):
    """The rows on each "class:model"."""
    return [[sys.executable, HERE + "/mips_diff.py", "--class", c.split(":")[0], "--cpu", c.split(":")[1], "--row", rows] for c in cpus]


FPU = r"(FP|PS)_.*|.*[SLW]?[WD]X?C1|LUXC1|SUXC1|MOVCI"
SETS = {
    "a64-base": [A64 + ["--group", g] for g in ("base", "mem", "base", "mem", "base")] + [A64 + ["--group", "base"] + SEQUENCE],
    "a64-fp": [A64 + ["--group", "fp"]] * 5 + [A64 + ["--group", "fp"] + SEQUENCE],
    "a64-simd": [A64 + ["--group", "simd"]] * 5 + [A64 + ["--group", "simd"] + SEQUENCE],
    "a64-crypto": [A64 + ["--group", "crypto"]] * 5 + [A64 + ["--group", "crypto"] + SEQUENCE],
    "a64-ext": [A64 + ["--group", "ext"]],
    "a32": [A32 + ["--arch", "arm", "--group", g] for g in ("base", "mem")],
    "t32": [A32 + ["--arch", "thumb", "--group", g] for g in ("base", "mem")],
    "vfp": [A32 + ["--arch", a, "--group", "vfp"] for a in ("arm", "thumb")],
    "neon": [A32 + ["--arch", a, "--group", g] for a, g in (("arm", "neon"), ("thumb", "neon"), ("arm", "neon"), ("thumb", "neon"),
                                                          ("arm", "crypto"), ("thumb", "crypto"))],
    "mips-base": mips("(?!%s)(?!MSA|DSP).*" % FPU, "mipsel:24kf", "mips:24kf", "mips64el:mips64r2", "mips64:mips64r2"),
    "mips-r6": mips("(?!MSA|DSP).*", "mipsel:mips32r6", "mips64el:i6400"),
    "mips-fpu": mips(FPU, "mipsel:24kf", "mips:24kf", "mips64el:mips64r2", "mips64:mips64r2"),
    "mips-msa": mips("MSA_.*", "mipsel:p5600", "mips:p5600", "mips64el:i6400"),
    "mips-dsp": mips("DSP_.*", "mipsel:74kf", "mips:74kf"),
}


class Set:
    def __init__(self, name, args):
        self.name, self.commands, self.seed, self.cases, self.bad = name, SETS[name], args.seed, 0, 0

    def chunk(self, args, known):
        """One chunk; False when it could not run."""
        command = self.commands[(self.seed - args.seed) % len(self.commands)]
        key = "%s seed %d chunk %d" % (self.name, self.seed, args.chunk)
        self.seed += 1
        if key in known:
            self.cases += known[key]
            return True
        began = time.time()
        p = subprocess.run(command + ["--oryx", args.oryx, "--timeout", "3000", "--seed", str(self.seed - 1), "--count",
                                                str(args.chunk)] +
                           (["--engine", args.engine] if args.engine else []), capture_output=True, text=True)
        m = re.search(r"(\d+) cases.* (\d+) differ", p.stdout)
        if p.returncode > 1 or not m:
            print("%s: %s\n%s%s" % (key, " ".join(command), p.stdout[-2000:], p.stderr[-2000:]))
            return False
        self.cases += int(m[1])
        self.bad += int(m[2])
        if p.returncode:
            print("%s: %s\n%s" % (key, " ".join(command), p.stdout))
        elif args.log:
            with open(args.log, "a") as f:
                f.write("%s: %s cases equal\n" % (key, m[1]))
        print("%s: %d cases so far, %d differ, %.0f s" % (key, self.cases, self.bad, time.time() - began), flush=True)
        return True


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("sets", nargs="+", choices=list(SETS) + ["all"], metavar="SET")
    ap.add_argument("--oryx", default=os.environ.get("ORYX", "build/oryx"))
    ap.add_argument("--engine", default="")
    ap.add_argument("--count", type=int, default=10000000)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--chunk", type=int, default=100000)
    ap.add_argument("--log")
    args = ap.parse_args()
    known = {}
    if args.log and os.path.exists(args.log):
        with open(args.log) as f:
            known = {m[1]: int(m[2]) for m in re.finditer(r"^(.*): (\d+) cases equal$", f.read(), re.M)}
    sets = [Set(n, args) for n in (SETS if "all" in args.sets else args.sets)]
    left = list(sets)
    while left:
        for s in left:
            if not s.chunk(args, known):
                return 2
        left = [s for s in left if s.cases < args.count]
    for s in sets:
        print("%-10s %9d cases, %d differ" % (s.name, s.cases, s.bad))
    return 1 if any(s.bad for s in sets) else 0


if __name__ == "__main__":
    sys.exit(main())
