#!/usr/bin/env python3
"""engine-x64 shown to perf and GDB: lines of /tmp/perf-PID.map name blocks of the guest by its symbols and lie in code that was
executed; /tmp/jit-PID.dump has records of the form that perf's documentation gives; GDB, told through its JIT interface, knows the same
names; --dump=host has the instructions that binutils' objdump finds in its bytes. Wrong options are refused.   reads ORYX and ORYX_SOURCE"""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

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


def jitdump():
    p = subprocess.Popen([ORYX, "run", "--perf=jitdump", PROGRAM], stdout=subprocess.PIPE, text=True)
    p.communicate(timeout=60)
    path = pathlib.Path(f"/tmp/jit-{p.pid}.dump")
    data = path.read_bytes() if path.exists() else b""
    path.unlink(missing_ok=True)
    head = struct.unpack_from("<IIIIIIQQ", data) if len(data) >= 40 else ()
    say(head and head[:6] == (0x4A695444, 1, 40, 62, 0, p.pid), "the jitdump has its header", str(head))
    at, names, last = 40, set(), (0, -1)
    good = bool(head)
    while good and at < len(data):
        kind, size, when, pid, tid, vma, code, length, index = struct.unpack_from("<IIQIIQQQQ", data, at)
        name, _, rest = data[at + 56:at + size].partition(b"\0")
        good = kind == 0 and pid == tid == p.pid and vma == code and len(rest) == length > 0 and last[0] <= when and index == last[1] + 1
        last, at = (when, index), at + size
        names.add(name.decode())
    say(good and at == len(data) and {"guest:hash", "guest:compare"} <= names, "every record of the jitdump is one", str(names)[:300])


def listing():
    run = subprocess.run([ORYX, "run", "--engine", "x64", "--dump=host", str(SOURCE / "examples/demo/bin/hello")], capture_output=True, text=True, timeout=60)
    blocks = run.stderr.split("--- listing of ")[1:]
    lines = re.findall(r"^  ([0-9a-f]+): ((?:[0-9a-f]{2} )+) *(\S.*)$", blocks[0], re.M) if blocks else []
    if not lines or "Zydis" in lines[0][2] or not shutil.which("objdump"):
        print("note: no Zydis or no objdump here: the listing is left out")
        return
    code, first = b"".join(bytes.fromhex(b) for _, b, _ in lines), int(lines[0][0], 16)
    with tempfile.NamedTemporaryFile() as f:
        f.write(code)
        f.flush()
        words = ["objdump", "-D", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "--insn-width=16", f"--adjust-vma={first:#x}", f.name]
        said = subprocess.run(words, capture_output=True, text=True, timeout=60).stdout
    found = re.findall(r"^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+) *\t?(\S*)", said, re.M)
    same = {"jnb": "jae", "jz": "je", "jnz": "jne", "jnbe": "ja", "mov": "movabs"}
    wrong = [n for n, (a, b) in enumerate(zip(lines, found)) if int(a[0], 16) != int(b[0], 16) or a[1].split() != b[1].split()
             or b[2] not in (name := a[2].split()[0], same.get(name))]
    # Behind the code lies a table of where it may fault.
    say(blocks[0].startswith("guest:_start, ") and len(lines) > 40 and (not wrong or int(lines[wrong[0]][0], 16) - first > len(code) - 64), "the listing is objdump's",
        str([(lines[n], found[n]) for n in wrong[:3]]))


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
    for option in ("perf=record", "perf=", "gdb-jit=maybe", "speed=more"):
        run = subprocess.run([ORYX, "run", "--engine", "x64," + option, PROGRAM], capture_output=True, text=True, timeout=60)
        say(run.returncode == 125 and "there are perf=map|jitdump, gdb-jit=on|off" in run.stderr, f"{option} is refused", run.stderr)


perf_map()
jitdump()
listing()
gdb()
refused()
sys.exit(1 if failed else 0)
