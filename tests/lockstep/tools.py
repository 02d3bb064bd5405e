#!/usr/bin/env python3
"""engine-x64 shown to perf and GDB: lines of /tmp/perf-PID.map name blocks of the guest by its symbols and lie in code that was
executed; GDB, told through its JIT interface, knows the same names. Wrong options are refused.   reads ORYX and ORYX_SOURCE"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(os.environ.get("ORYX_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
ORYX = os.environ.get("ORYX", str(SOURCE / "build/oryx"))
PROGRAM = str(SOURCE / "examples/demo/bin/words")
failed = 0


def say(good, what, detail=""):
    global failed
    print(f"{'ok  ' if good else 'FAIL'} {what}{'' if good else ': ' + detail[-1500:]}")
    failed += not good


def perf_map():
    p = subprocess.Popen([ORYX, "run", "--engine", "x64,perf=map", PROGRAM], stdout=subprocess.PIPE, text=True)
    out, _ = p.communicate(timeout=60)
    path = pathlib.Path(f"/tmp/perf-{p.pid}.map")
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    path.unlink(missing_ok=True)
    lines = [re.fullmatch(r"([0-9a-f]+) ([0-9a-f]+) guest:(\S+)", line) for line in text.splitlines()]
    names = {m.group(3) for m in lines if m}
    say(p.returncode == 0 and out.startswith("30000 words") and lines and all(lines), "every line of the map is one", text)
    say({"hash", "compare", "count_word"} <= names and any(n.endswith("~region") for n in names), "guest functions and regions are named", str(names))
    spans = sorted((int(m.group(1), 16), int(m.group(2), 16)) for m in lines if m)
    say(all(size > 0 for _, size in spans), "no line is empty")


def gdb():
    if not shutil.which("gdb"):
        print("note: gdb is not here: its part is left out")
        return
    commands = ["set breakpoint pending on", "handle SIGSEGV nostop noprint pass", "set print symbol-filename off", "break exit", "break _exit",
                "run", "info functions guest:hash", "info functions guest:count_word"]
    words = ["gdb", "-batch", "-nx"] + [w for c in commands for w in ("-ex", c)]
    run = subprocess.run(words + ["--args", ORYX, "run", "--engine", "x64,gdb-jit=on", PROGRAM], capture_output=True, text=True, timeout=120)
    say("guest:hash" in run.stdout and "guest:count_word" in run.stdout, "GDB knows blocks by the guest's names", run.stdout + run.stderr)


def refused():
    for option in ("perf=record", "gdb-jit=maybe", "speed=more"):
        run = subprocess.run([ORYX, "run", "--engine", "x64," + option, PROGRAM], capture_output=True, text=True, timeout=60)
        say(run.returncode == 125 and "there are perf=map, gdb-jit=on|off" in run.stderr, f"{option} is refused", run.stderr)


perf_map()
gdb()
refused()
sys.exit(1 if failed else 0)
