#!/usr/bin/env python3
"""Paths and errors of os-linux: the sysroot, the jail, programs that cannot be run. Expected values are written here.

usage: sandbox.py       (environment: ORYX)
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CC = "aarch64-linux-gnu-gcc"
failures = []


def oryx(*arguments, cwd=None):
    done = subprocess.run([os.environ["ORYX"], "run", *map(str, arguments)], cwd=cwd, capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def check(what, good, detail=""):
    print(("ok    " if good else "FAILED") + f" {what}" + ("" if good else f": {detail}"))
    if not good:
        failures.append(what)


def one_line_error(what, result, *words):
    status, out, err = result
    good = status != 0 and status >= 0 and not out and err.count("\n") == 1 and all(w in err for w in words)
    check(f"error: {what}", good, result)


def jail(probe, top):
    """Every way out of the jail leads nowhere; what is inside is found."""
    root = top / "jail"
    for folder in ("bin", "etc", "tmp", "a/b"):
        (root / folder).mkdir(parents=True)
    shutil.copy(probe, root / "bin/probe")
    (root / "etc/secret").write_text("inside\n")
    (top / "etc").mkdir()
    (top / "etc/secret").write_text("outside\n")
    (top / "out").write_text("outside\n")
    for name, target in (("abs", "/etc/secret"), ("dots", "../../../../../../etc/secret"), ("up", ".."), ("rootlink", "/"),
                         ("escape", str(top / "out")), ("procroot", "/proc/self/root"), ("loop", "loop"),
                         ("a/up3", "../../../out")):
        (root / name).symlink_to(target)
    inside = ["/etc/secret", "/abs", "/dots", "../../../etc/secret", "/up/etc/secret", "/rootlink/../../etc/secret",
              "/a/b/../../../../etc/secret", "/rootlink/rootlink/etc/secret", "/a/../up/up/abs"]
    outside = ["/escape", "/a/up3", "/procroot" + str(top) + "/out", str(top) + "/out", "/../../../.." + str(top) + "/out",
               "/proc/self/cwd/out", "/proc/self/fd/3/out", "/loop", "/etc/secret/x", "/etc/secret/"]
    for path in inside:
        result = oryx("--root", root, "/bin/probe", "read", path)
        check(f"jail reads {path}", result[:2] == (0, "inside\n"), result)
    for path in outside:
        result = oryx("--root", root, "/bin/probe", "read", path)
        check(f"jail refuses {path}", result[0] == 1 and "outside" not in result[1], result)
        oryx("--root", root, "/bin/probe", "write", path)
        oryx("--root", root, "/bin/probe", "truncate", path)
        oryx("--root", root, "/bin/probe", "unlink", path + "x")
    check("nothing outside was changed", (top / "out").read_text() == "outside\n" and (top / "etc/secret").read_text() == "outside\n")
    check("jail cwd is /", oryx("--root", root, "/bin/probe", "cwd", "x")[:2] == (0, "/\n"))
    result = oryx("--root", root, "/bin/probe", "cwd", "x", cwd=root / "a/b")
    check("jail keeps a cwd inside", result[1] == "/a/b\n", result)
    result = oryx("--root", root, "/bin/probe", "climb", "x")
    check("chdir('..') stays at /", result[:2] == (0, "/\n"), result)
    result = oryx("--root", root, "/bin/probe", "create", "/tmp/new")
    check("a new file is inside", result[0] == 0 and (root / "tmp/new").exists(), result)
    result = oryx("--root", root, "/bin/probe", "exe", "x")
    check("/proc/self/exe as the guest names it", result[1] == "/bin/probe\n", result)
    result = oryx("--root", root, "/bin/probe", "exec", "/bin/probe")
    check("execve inside", result[:2] == (0, "/\n"), result)
    host = root / "bin/native"
    shutil.copy("/bin/true", host)
    result = oryx("--root", root, "/bin/probe", "exec", "/bin/native")
    check("a host program does not run in a jail", result[0] == 1, result)
    result = oryx("--root", root, "/bin/probe", "socket", "/tmp/sock")
    check("a socket's path is inside", result[0] == 0 and (root / "tmp/sock").is_socket(), result)
    # A directory descriptor from outside is inherited; no path leads through it.
    for path in ("out", "../" + top.name + "/out", "jail/etc/secret"):
        done = subprocess.run(["/bin/sh", "-c", 'exec 3<"$1"; shift; exec "$@"', "sh", str(top), os.environ["ORYX"], "run", "--root",
                               str(root), "/bin/probe", "readat3", path], capture_output=True, text=True, timeout=60)
        check(f"a directory opened outside is no way to {path}", done.returncode == 1 and not done.stdout, done)


def sysroot(probe, top):
    root = top / "sysroot"
    for folder in ("etc", "real"):
        (root / folder).mkdir(parents=True)
    (root / "etc/only").write_text("sysroot\n")
    (root / "etc/hostname").write_text("sysroot\n")
    (root / "abs").symlink_to("/etc/only")
    (root / "lib").symlink_to("/real")
    (root / "real/file").write_text("sysroot\n")
    (top / "plain").write_text("host\n")
    for path, want in (("/etc/only", "sysroot\n"), ("/etc/hostname", "sysroot\n"), ("/abs", "sysroot\n"), ("/lib/file", "sysroot\n"),
                       ("/lib/../etc/only", "sysroot\n"), (str(top / "plain"), "host\n"), ("plain", "host\n")):
        result = oryx("--sysroot", root, probe, "read", path, cwd=top)
        check(f"sysroot: {path}", result[:2] == (0, want), result)


def errors(probe, top):
    data = Path(probe).read_bytes()
    bad = top / "bad"

    def write(content):
        bad.write_bytes(content)
        bad.chmod(0o755)
        return oryx(bad)

    one_line_error("empty file", write(b""), "bad", "neither")
    one_line_error("text", write(b"hello\n"), "neither an ELF program nor a #! script")
    for n in (4, 20, 63, 64, 200, 4096, len(data) // 2):
        one_line_error(f"ELF cut to {n} bytes", write(data[:n]), "truncated ELF", "copy the file again")
    one_line_error("unknown machine", write(data[:18] + b"\xf3\x7f" + data[20:]), "e_machine 32755")
    one_line_error("relocatable object", write(data[:16] + b"\x01\x00" + data[18:]), "ELF type 1")
    one_line_error("bad program header size", write(data[:54] + b"\x07\x00" + data[56:]), "program headers")
    one_line_error("segment beyond the address space", write(data[:64 + 16] + b"\xff" * 7 + data[64 + 23:]), "segment 0")
    one_line_error("directory", oryx(top), "is a directory")
    one_line_error("no such file", oryx(top / "none"), "none", "No such file")
    one_line_error("no such sysroot", oryx("--sysroot", top / "none", probe), "--sysroot", "give an existing directory")
    bad.chmod(0o644)
    bad.write_bytes(data)
    one_line_error("not executable", oryx(bad), "chmod +x")
    dynamic = top / "dynamic"
    subprocess.run([CC, "-w", "-o", dynamic, HERE / "probe.c"], check=True)
    one_line_error("missing interpreter", oryx(dynamic), "/lib/ld-linux-aarch64.so.1", "--sysroot")
    loop = top / "loop.sh"
    loop.write_text(f"#!{loop}\n")
    loop.chmod(0o755)
    one_line_error("script that names itself", oryx(loop), "#!")


def main():
    if not shutil.which(CC):
        print(f"skipped: {CC} is not installed")
        return 77
    with tempfile.TemporaryDirectory() as name:
        top = Path(name).resolve()
        probe = top / "probe"
        subprocess.run([CC, "-w", "-O1", "-static", "-o", probe, HERE / "probe.c"], check=True)
        jail(probe, top)
        sysroot(probe, top)
        errors(probe, top)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
