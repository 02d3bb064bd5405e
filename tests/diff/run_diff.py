#!/usr/bin/env python3
"""Runs random A64 programs under qemu-aarch64 and under Oryx and compares every case.

  run_diff.py --oryx build/oryx --engine engine-interp --group base --seed 1 --count 100000
  run_diff.py --selftest                  plants wrong instructions and must find each of them

Exit status: 0 equal, 1 a difference, 2 an oracle or the program under test is missing or failed.
"""
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gen_a64                                                             # noqa: E402
import program as pg                                                       # noqa: E402
import report                                                              # noqa: E402

NOP = 0xD503201F
ALL_GROUPS = ("base", "mem", "fp", "simd", "crypto", "fault")


class Missing(Exception):
    """An oracle or program that cannot be run: exit status 2, never a silent skip."""


class Side:
    """One way to run a program: a command prefix and the ELF it gets."""

    def __init__(self, name, command, timeout):
        self.name, self.command, self.timeout = name, command, timeout
        if shutil.which(command[0]) is None:
            raise Missing("%s: %s is not found; install or build it, or name it with --%s"
                          % (name, command[0], name))

    def start(self, prog, args=()):
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        began = time.time()
        p = subprocess.Popen(self.command + [prog] + [str(a) for a in args], stdin=subprocess.DEVNULL,
                             stdout=out, stderr=err)
        return p, out, err, began

    def finish(self, handle):
        p, out, err, began = handle
        try:
            status = p.wait(self.timeout)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            status = "no end within %d s" % self.timeout
        took = time.time() - began
        out.seek(0)
        err.seek(0)
        return out.read(), err.read().decode(errors="replace").strip(), status, took

    def run(self, prog, args=()):
        return self.finish(self.start(prog, args))

    def dump(self, prog, p, number):
        data, err, status, _ = self.run(prog, (number, 1))
        dumps = list(pg.read_dumps(data, p.windows))
        return (dumps[0] if dumps else None), err, status


def digests(data):
    return struct.unpack("<%dQ" % (len(data) // 8), data[:len(data) // 8 * 8])


def find_death(side, prog, low, high):
    """The first case in [low, high) that the side does not survive, by bisection; None if none."""
    def dies(a, n):
        return side.run(prog, (a, n))[2] != 0
    if not dies(low, high - low):
        return None
    while high - low > 1:
        mid = (low + high) // 2
        if dies(low, mid - low):
            high = mid
        else:
            low = mid
    return low


def report_case(p, number, oracle, other, prog_oracle, prog_other, remake):
    print(report.describe(p.cases[number]))
    a, _, _ = oracle.dump(prog_oracle, p, number)
    b, err, status = other.dump(prog_other, p, number)
    if a is None:
        raise Missing("%s gives no dump of case %d" % (oracle.name, number))
    if b is None:
        print("  %s did not finish the case: status %s %s" % (other.name, status, err[-400:]))
        print(report.full(a))
    else:
        print(report.differences(p.cases[number], a, b, oracle.name, other.name))
    print("  alone: " + remake % number)


def compare(p, oracle, other, prog_oracle, prog_other, show, jobs, remake):
    """The list of differing case numbers; prints the first `show` of them."""
    first = oracle.start(prog_oracle)
    if jobs < 2:
        first[0].wait()
    second = other.start(prog_other)
    want, err, status, took_oracle = oracle.finish(first)
    if status != 0:
        other.finish(second)
        raise Missing("%s failed: status %s %s" % (oracle.name, status, err[-400:]))
    got, err, status, took_other = other.finish(second)
    want, got = digests(want), digests(got)
    n = len(p.cases)
    if len(want) != n + 1:
        raise Missing("%s gave %d digests for %d cases" % (oracle.name, len(want) - 1, n))
    bad = [k for k in range(min(n, len(got))) if want[k] != got[k]]
    for k in bad[:show]:
        report_case(p, k, oracle, other, prog_oracle, prog_other, remake)
    if status != 0 and not got and all(other.run(prog_other, (k, 1))[2] != 0 for k in (0, n - 1)):
        raise Missing("%s runs no case at all: status %s %s" % (other.name, status, err[-400:]))
    if len(got) < n + 1 or status != 0:
        print("%s ended early: status %s after %d of %d cases %s"
              % (other.name, status, min(len(got), n), n, err[-400:]))
        dead = find_death(other, prog_other, min(len(got), n - 1), min(n, len(got) + 512))
        if dead is not None:
            report_case(p, dead, oracle, other, prog_oracle, prog_other, remake)
            bad.append(dead)
        else:
            bad.append(min(len(got), n - 1))
    elif not bad and want[n] != got[n]:
        print("every case agrees but the scratch memory does not: a store outside its window")
        bad.append(n - 1)
    print("%d cases: %s %.2f s, %s %.2f s, %d differ"
          % (n, oracle.name, took_oracle, other.name, took_other, len(bad)))
    return bad


def selftest(args, oracle):
    """Plant NOPs for instructions with a visible effect; exactly those cases must differ."""
    failed = False
    for group in ALL_GROUPS:
        p = gen_a64.generate(args.seed, 2000, group)
        rng = random.Random(args.seed)
        with tempfile.TemporaryDirectory() as d:
            good, wrong = os.path.join(d, "good"), os.path.join(d, "wrong")
            p.write(good)
            planted = set()
            while len(planted) < 3:
                k = rng.randrange(2000)
                case = p.cases[k]
                dump, _, _ = oracle.dump(good, p, k)
                visible = [w for w in range(pg.NZCV + 1) if dump.after[w] != dump.before[w]]
                if len(case.words) == 1 and (visible or dump.signal[pg.SIGNO]) \
                        and dump.after[pg.RET] in (0, 8) and case.names[0] not in ("BL", "BLR"):
                    p.code[(case.insn_pc - pg.SLOTS) >> 2] = NOP
                    planted.add(k)
                elif group in ("fp", "simd", "crypto") and len(case.words) == 1 and any(
                        dump.after[w] != dump.before[w] for w in range(pg.V, pg.WORDS)):
                    p.code[(case.insn_pc - pg.SLOTS) >> 2] = NOP
                    planted.add(k)
            p.write(wrong)
            other = Side("mutant", oracle.command, oracle.timeout)
            found = set(compare(p, oracle, other, good, wrong, 1, args.jobs, "case %d"))
            if not planted <= found:
                print("selftest %s: planted %s, found %s" % (group, sorted(planted), sorted(found)))
                failed = True
            elif found - planted:
                print("selftest %s: also differ %s" % (group, sorted(found - planted)))
                failed = True
            else:
                print("selftest %s: all %d planted differences found" % (group, len(planted)))
    return 1 if failed else 0


def main():
    ap = gen_a64.arguments(__doc__.splitlines()[0])
    ap.add_argument("--oryx", default=os.environ.get("ORYX", "build/oryx"),
                    help="the oryx command ($ORYX, else build/oryx)")
    ap.add_argument("--engine", default="", help="engine plugin; empty: Oryx's default")
    ap.add_argument("--qemu", help="the oracle's command (qemu-aarch64 -cpu cortex-a76; max for ext)")
    ap.add_argument("--jobs", type=int, default=2, help="1: one program after the other")
    ap.add_argument("--show", type=int, default=5, help="differing cases printed in full (5)")
    ap.add_argument("--timeout", type=int, default=600, help="seconds a program may take (600)")
    ap.add_argument("--keep", metavar="DIR", help="keep the program there")
    ap.add_argument("--selftest", action="store_true")
    ap.add_argument("--ci", action="store_true", help="ten times the count when ORYX_TEST_LONG=1")
    args = ap.parse_args()
    if args.ci and os.environ.get("ORYX_TEST_LONG") == "1":
        args.count *= 10
    try:
        qemu = args.qemu or "qemu-aarch64 -cpu " + ("max" if args.group == "ext" else "cortex-a76")
        oracle = Side("qemu", qemu.split(), args.timeout)
        if args.selftest:
            return selftest(args, oracle)
        command = [args.oryx, "run"] + (["--engine", args.engine] if args.engine else [])
        other = Side("oryx", command, args.timeout)
        p = gen_a64.generate(args.seed, args.count, args.group, args.sequence, args.rows)
        with tempfile.TemporaryDirectory() as d:
            prog = os.path.join(args.keep or d, "a64-%s-%d" % (args.group, args.seed))
            p.write(prog)
            remake = "tests/diff/gen_a64.py --group %s --seed %d --count %d%s%s --only %%d --out tiny" % (
                args.group, args.seed, args.count,
                " --sequence %d" % args.sequence if args.sequence > 1 else "",
                " --rows " + " ".join(args.rows) if args.rows else "")
            bad = compare(p, oracle, other, prog, prog, args.show, args.jobs, remake)
            names = {}
            for k in bad:
                for name in set(p.cases[k].names):
                    names[name] = names.get(name, 0) + 1
            if names:
                print("by row: " + " ".join("%s:%d" % x for x in
                                            sorted(names.items(), key=lambda x: -x[1])[:40]))
        print("group %s seed %d count %d engine %s: %s" % (args.group, args.seed, args.count,
              args.engine or "default", "%d DIFFER" % len(bad) if bad else "equal"))
        return 1 if bad else 0
    except (Missing, ValueError) as e:
        print("run_diff: %s" % e)
        return 2


if __name__ == "__main__":
    sys.exit(main())
