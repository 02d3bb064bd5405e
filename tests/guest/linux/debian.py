#!/usr/bin/env python3
"""Runs Debian's own arm64 binaries under Oryx and compares output and status with an oracle.

Oracle "qemu": the same binary under qemu-aarch64. qemu-user cannot execute a second arm64 program without help of the
host's kernel, so cases that do have the oracle "host": the host's own programs of the same name and version.
usage: debian.py [NAME...]       (environment: ORYX, ORYX_SOURCE)
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACKAGES = ["busybox-static", "coreutils", "gzip", "python3-minimal", "libpython3-stdlib", "lua5.4", "sqlite3", "bash", "sed",
            "grep", "findutils", "tar", "dash"]
BB, PY = "/bin/busybox", "/usr/bin/python3.11"

PY_SUBPROCESS = """
import subprocess, threading, signal, time
print(subprocess.run(["/bin/echo", "hello"], capture_output=True).stdout)
print(subprocess.check_output("echo $((1+2)); ls text | head -3", shell=True))
p = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(p.communicate(b"data"))
try:
    subprocess.run(["/bin/sleep", "9"], timeout=0.3)
except subprocess.TimeoutExpired:
    print("timeout")
try:
    subprocess.run(["/no/such"])
except FileNotFoundError as e:
    print(e)
r = []
ts = [threading.Thread(target=lambda i=i: r.append(i * i)) for i in range(10)]
[t.start() for t in ts]
[t.join() for t in ts]
print(sorted(r))
signal.signal(signal.SIGALRM, lambda *a: print("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.05)
time.sleep(0.3)
"""
LUA = """local t = {} for i = 1, 2000 do t[#t + 1] = string.format("%d %.14g", i, math.sqrt(i)) end
print(#t, t[777], os.time{year=2020, month=1, day=1}, string.rep("ab", 10):gsub("a", "c"))
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) print(co(), co(), co(), pcall(error, "x"))"""
SQL = """create table t(a, b); insert into t with recursive c(x) as (select 1 union all select x + 1 from c where x < 1000)
select x, x * x from c; select sum(a), sum(b), avg(b), round(total(b) / 7, 3) from t;
select * from t where a % 100 = 0 order by b desc; create index i on t(b); select count(*) from t where b between 50 and 5000;"""

# name: (oracle, program, arguments)
CASES = {
    "bb-sh": ("qemu", BB, ["sh", "-c", "echo hi | tr a-z A-Z; for i in 1 2 3; do echo $i; done | sort -r; x=$(echo sub); echo $x;"
                           " (exit 3); echo $?; trap 'echo bye' EXIT; cd text; pwd | sed 's/.*\\///'; read a b < one.txt; echo $b"]),
    "bb-ls": ("qemu", BB, ["ls", "-lR", "text"]),
    "bb-sha256sum": ("qemu", BB, ["sha256sum", "text/one.txt", "text/big.bin"]),
    "bb-md5sum": ("qemu", BB, ["md5sum", "text/one.txt", "text/big.bin"]),
    "bb-awk": ("qemu", BB, ["awk", "BEGIN{for(i=0;i<1000;i++)s+=i*i/7; printf \"%.12g\\n\", s} {n+=NF; w[$1]++}"
                            " END{print n, NR; for (k in w) print k, w[k]}", "text/one.txt"]),
    "bb-sed": ("qemu", BB, ["sed", "-n", "s/\\([a-z]*\\) \\([0-9]*\\)/<\\2:\\1>/gp;$=", "text/one.txt"]),
    "bb-sort": ("qemu", BB, ["sort", "-k2n", "text/one.txt"]),
    "bb-find": ("qemu", BB, ["find", "text", "-type", "f", "-size", "+1k"]),
    "bb-gzip": ("qemu", BB, ["gzip", "-9", "-c", "text/one.txt"]),
    "bb-tar": ("qemu", BB, ["tar", "cf", "-", "text"]),
    "bb-pipeline": ("host", "/bin/sh", ["-c", "gzip -nc text/one.txt | gunzip | sha256sum; tar cf - text | tar tf - | sort;"
                                        " grep -c a text/one.txt; seq 5 | xargs -n2 echo"]),
    "ls": ("qemu", "/bin/ls", ["-ln", "text"]),
    "cat": ("qemu", "/bin/cat", ["text/one.txt", "missing"]),
    "stat": ("qemu", "/usr/bin/stat", ["-c", "%n %s %f %h %u %Y", "text/one.txt", "text/link"]),
    "sha256sum": ("qemu", "/usr/bin/sha256sum", ["text/big.bin"]),
    "date": ("qemu", "/bin/date", ["-u", "-d", "@1234567890"]),
    "factor": ("qemu", "/usr/bin/factor", ["1234567890123457", "99400891"]),
    "gzip": ("qemu", "/bin/gzip", ["-nc", "text/big.bin"]),
    "grep": ("qemu", "/bin/grep", ["-rnE", "li(n|m)e 1[0-9]$", "text"]),
    "lua": ("qemu", "/usr/bin/lua5.4", ["-e", LUA]),
    "sqlite": ("qemu", "/usr/bin/sqlite3", [":memory:", SQL]),
    "sqlite-file": ("qemu", "/usr/bin/sqlite3", ["new.db", "pragma journal_mode=wal; " + SQL]),
    "bash": ("qemu", "/bin/bash", ["-c", "for i in {1..5}; do echo $((i*i)); done; a=(1 2 3); echo ${a[@]} ${#a[@]};"
                                   " echo 'x y' | while read p q; do echo $q; done; trap 'echo caught' USR1; kill -USR1 $$;"
                                   " sleep_pid=; wait; [[ abc =~ b(.) ]] && echo ${BASH_REMATCH[1]}"]),
    "python": ("qemu", PY, ["-c", "import json, re, hashlib; print(json.dumps({'a': [1, 2.5, None, 'ü']}), re.sub(r'(\\w+) (\\w+)',"
                            " r'\\2 \\1', 'hello world'), hashlib.sha256(b'x').hexdigest(), hashlib.md5(b'').hexdigest(), 2**200, 1/3)"]),
    "python-subprocess": ("host", PY, ["-c", PY_SUBPROCESS]),
    "sh-exec": ("host", "/bin/sh", ["-c", "exec /usr/bin/env -i A=1 /bin/sh -c 'echo $A; exit 9'"]),
}


def prepare(folder):
    """The same small tree for every run."""
    text = folder / "text"
    text.mkdir()
    (text / "one.txt").write_text("".join(f"line {i}\n" + ("alpha beta\n" if i % 7 == 0 else "") for i in range(200)))
    (text / "big.bin").write_bytes(bytes((i * i >> 3) & 255 for i in range(60000)))
    (text / "sub").mkdir()
    (text / "sub" / "two.txt").write_text("lime 12\nline 13\n")
    (text / "link").symlink_to("one.txt")
    for path in [*sorted(text.rglob("*")), text]:
        os.utime(path, (1600000000, 1600000000), follow_symlinks=False)


def run(command, env=None):
    with tempfile.TemporaryDirectory() as top:
        prepare(Path(top))
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/", "TZ": "UTC", "PYTHONHASHSEED": "0"}
        try:
            done = subprocess.run(command, cwd=top, env=env, capture_output=True, timeout=100, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return "timeout", b"", b""
        return done.returncode, done.stdout, done.stderr


def main():
    oryx = os.environ["ORYX"]
    fetch = Path(os.environ["ORYX_SOURCE"]) / "tests/fetch/fetch.sh"
    if not shutil.which("qemu-aarch64"):
        print("skipped: qemu-aarch64 is not installed")
        return 77
    done = subprocess.run([str(fetch), "--deps", "arm64", *PACKAGES], capture_output=True, text=True)
    if done.returncode:
        print("skipped: the arm64 packages cannot be fetched:", done.stderr[-500:])
        return 77
    root = done.stdout.strip().splitlines()[-1]
    bad = ran = 0
    for name, (oracle, program, arguments) in CASES.items():
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        inside = root + program
        if oracle == "qemu":
            want = run(["qemu-aarch64", "-L", root, inside, *arguments])
        elif Path(program).exists():
            want = run([program, *arguments])
        else:
            print(f"{name}: the host has no {program} to compare with")
            continue
        start = time.monotonic()
        got = run([oryx, "run", "--sysroot", root, inside, *arguments])
        ran += 1
        # argv[0] differs between host and guest; messages on stderr name it.
        same = want[1] and got[:2] == want[:2] and (oracle == "host" or got[2] == want[2])
        print(f"{'same' if same else 'DIFFERS'}  {name} ({oracle}, {len(want[1])} bytes, {time.monotonic() - start:.2f} s)")
        if not same:
            bad += 1
            print("  wanted:", want[0], want[1][-300:], want[2][-300:])
            print("  got:   ", got[0], got[1][-300:], got[2][-300:])
    print(f"{ran} programs, {bad} differ")
    return 1 if bad or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
