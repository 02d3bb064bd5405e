"""Runs the bare-metal programs of a folder under Oryx (interpreter, JIT, both in lockstep) and compares what they print with an oracle.

Each folder's run.py describes its boards (class Board) and calls main. Oracle: qemu 7.2 where it is installed, else its recorded output,
want/PROGRAM.CASE, made by --record; programs named in `by_hand` have an expectation written from the manual. Where the recorded output
holds addresses it is of one compiler (want/compiler): without qemu and with another compiler the test is skipped (exit status 77).
Usage of a run.py: run.py [--record] [--engine NAME]... PROGRAM [CASE...]; without CASE all that are recorded. Reads ORYX."""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

ORYX = os.environ.get("ORYX", str(pathlib.Path(__file__).resolve().parents[2] / "build/oryx"))
ENGINES = {"interp": ("interp", {}), "x64": ("x64", {}), "lockstep": ("lockstep", {"engines": "interp,x64"})}
SKIP = 77


class Board:
    """What a folder's run.py tells about its programs. here: the folder; by_hand: programs without a qemu; differs: {program: {text of
    qemu: text of the manual}}; instructions: at most so many; seconds: of one run."""
    here = None
    by_hand = ("manual",)
    differs = {}
    instructions = 50000000
    seconds = 240

    def compiler(self, case):
        """The cross compiler's name."""
        raise NotImplementedError

    def system(self, case):
        """The name of qemu's program."""
        raise NotImplementedError

    def build(self, name, case, folder, qemu):
        """The image's path, for qemu's board or for ours."""
        raise NotImplementedError

    def arguments(self, name, case):
        """qemu's arguments without `-kernel IMAGE`."""
        raise NotImplementedError

    def machine(self, name, case, image):
        """Our machine description without its engine."""
        raise NotImplementedError

    def turns_off(self, case):
        """Can a program end the run?"""
        return True

    def ended(self, status, errors):
        """Did it, by our exit status and standard error?"""
        return "semihosting call" in errors or "halt" in errors


def output(command, seconds, **more):
    """What a program prints up to its line "end": a board that cannot turn itself off is killed there."""
    run = subprocess.Popen([str(x) for x in command], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, **more)
    late = threading.Timer(seconds, run.kill)
    late.start()
    text = b""
    for line in run.stdout:
        text += line
        if line == b"end\n":
            break
    late.cancel()
    return run, text.decode("utf-8", "replace")


def under_qemu(board, name, case, folder):
    command = [board.system(case), *board.arguments(name, case), "-kernel", board.build(name, case, folder, True)]
    run, text = output(command, int(os.environ.get("ORACLE_SECONDS", "60")), stderr=subprocess.DEVNULL, env={**os.environ, "QEMU_AUDIO_DRV": "none"})
    run.kill()
    run.communicate()
    return text


def under_oryx(board, name, case, folder, engine):
    plugin, options = ENGINES[engine]
    machine = {"engine": plugin, "engine_options": options, **board.machine(name, case, board.build(name, case, folder, False))}
    path = pathlib.Path(folder) / "machine.json"
    path.write_text(json.dumps(machine))
    run, text = output([ORYX, "machine", "--count", board.instructions, path], board.seconds, stderr=subprocess.PIPE)
    if not board.turns_off(case):
        run.kill()
    try:
        more, errors = run.communicate(timeout=board.seconds)
    except subprocess.TimeoutExpired:
        run.kill()
        more, errors = run.communicate()
    if board.turns_off(case) and not board.ended(run.returncode, errors.decode()):
        print(f"{name} on {case} under {engine} did not come to its end: {errors.decode()}")
    return text + more.decode("utf-8", "replace")


def differences(want, got):
    lines = []
    want, got = want.splitlines(), got.splitlines()
    for i in range(max(len(want), len(got))):
        a, b = (x[i] if i < len(x) else "(nothing)" for x in (want, got))
        if a != b:
            lines.append(f"  line {i + 1}\n    oracle: {a}\n    oryx:   {b}")
    return lines


def version(compiler):
    return subprocess.run([compiler, "-dumpfullversion"], capture_output=True, text=True).stdout.strip()


def why_skipped(board, name, case):
    """What is missing for this case; None: nothing."""
    compiler, note = board.compiler(case), board.here / "want/compiler"
    if not shutil.which(compiler):
        return f"no {compiler}"
    if shutil.which(board.system(case)) or not note.exists() or version(compiler) == note.read_text().strip():
        return None
    return f"no {board.system(case)}, and the recorded output is of compiler {note.read_text().strip()}, not {version(compiler)}"


def run_case(board, name, case, engines, record):
    """Number of differences."""
    path = board.here / f"want/{name}.{case}"
    with tempfile.TemporaryDirectory() as folder:
        if name not in board.by_hand and shutil.which(board.system(case)):
            want, oracle = under_qemu(board, name, case, folder), "qemu"
            if record:
                path.write_text(want)
        else:
            want, oracle = path.read_text(), f"want/{path.name}"
        bad = not want.endswith("end\n")
        if bad:
            print(f"{name} on {case}: the oracle's output is cut short: {want[-200:]!r}")
        for text, ours in board.differs.get(name, {}).items():
            want = want.replace(text, ours)
        for engine in engines:
            lines = differences(want, under_oryx(board, name, case, folder, engine))
            bad += len(lines)
            print(f"{name} on {case}, {engine} against {oracle}: {len(want.splitlines())} lines, {len(lines)} differ")
            if lines:
                print("\n".join(lines[:20]))
    return bad


def main(board):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--record", action="store_true", help="keep qemu's output as the expectation")
    p.add_argument("--engine", action="append", choices=list(ENGINES), help="only this engine (default: all)")
    p.add_argument("program")
    p.add_argument("case", nargs="*", help="which boards (default: all that are recorded)")
    args = p.parse_args()
    recorded = sorted(x.name[len(args.program) + 1:] for x in (board.here / "want").glob(args.program + ".*"))
    cases = args.case or recorded
    if not cases:
        sys.exit(f"{board.here / 'want'} has no expectation of {args.program}: name the cases, with --record")
    bad = 0
    for case in cases:
        missing = why_skipped(board, args.program, case)
        if missing:
            print(f"skipped: {missing}")
            return SKIP
        bad += run_case(board, args.program, case, args.engine or ENGINES, args.record)
        if args.record and (board.here / "want/compiler").exists():
            (board.here / "want/compiler").write_text(version(board.compiler(case)) + "\n")
    return bad != 0
