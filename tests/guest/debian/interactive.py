"""Cases that need more than a pipe: an editor on a terminal, a web server and its client. Each takes the runner and returns
None or what was wrong; the oracle is the native build of the same busybox."""

import fcntl
import os
import pathlib
import pty
import select
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time

import cases


def terminal(command, directory, keys, seconds=60):
    """Run command on an 80x24 terminal, type keys one after the other, return (screen bytes, status)."""
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.chdir(directory)
        os.environ.update(TERM="vt100", LC_ALL="C", PATH="/usr/bin:/bin")
        os.execv(command[0], command)
    screen, keys, deadline = b"", list(keys), time.monotonic() + seconds
    while time.monotonic() < deadline:
        ready, _, _ = select.select([fd], [], [], 0.3)
        if ready:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            screen += data
        elif keys and screen:
            os.write(fd, keys.pop(0))
    else:
        os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    return screen, status


def busybox_vi(runner):
    keys = [b"iHello, vi.\r", b"second line", b"\x1b", b"yyp", b"k0x", b":%s/l/L/g\r", b"/Line\r", b"dd", b":wq\r"]
    results = []
    for command in ([runner.amd64 + cases.BUSYBOX], runner.ours([cases.BUSYBOX])):
        with tempfile.TemporaryDirectory() as top:
            screen, status = terminal(command + ["vi", "file.txt"], top, keys)
            path = pathlib.Path(top) / "file.txt"
            results.append((screen, status, path.read_bytes() if path.exists() else None))
    want, got = results
    if want[2] is None or b"HeLLo" not in want[2]:
        return f"the oracle's vi did not write the file: {want!r}"
    for label, w, g in zip(("screen", "status", "file"), want, got):
        if w != g:
            return f"{label}: expected {w!r}, got {g!r}"
    return None


def busybox_top_resize(runner):
    """stty sees the size of the terminal."""
    results = [terminal(c + ["stty", "size"], "/", []) for c in ([runner.amd64 + cases.BUSYBOX], runner.ours([cases.BUSYBOX]))]
    return None if results[0] == results[1] and b"24 80" in results[0][0] else f"expected {results[0]!r}, got {results[1]!r}"


def busybox_httpd_wget(runner):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as top:
        body = os.urandom(300_000)
        (pathlib.Path(top) / "page.bin").write_bytes(body)
        server = subprocess.Popen(runner.ours([cases.BUSYBOX, "httpd", "-f", "-p", f"127.0.0.1:{port}", "-h", top]))
        try:
            for _ in range(100):
                with socket.socket() as s:
                    if s.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            url = f"http://127.0.0.1:{port}/"
            got = subprocess.run(runner.ours([cases.BUSYBOX, "wget", "-q", "-O", "-", url + "page.bin"]), capture_output=True, timeout=60)
            missing = subprocess.run(runner.ours([cases.BUSYBOX, "wget", "-O", "-", url + "nothing"]), capture_output=True, timeout=60)
            want = subprocess.run([runner.amd64 + cases.BUSYBOX, "wget", "-O", "-", url + "nothing"], capture_output=True, timeout=60)
        finally:
            server.terminate()
            server.wait(10)
    if got.returncode or got.stdout != body:
        return f"wget: status {got.returncode}, {len(got.stdout)} of {len(body)} bytes, {got.stderr!r}"
    if (missing.returncode, missing.stderr) != (want.returncode, want.stderr):
        return f"wget of a missing page: expected {want!r}, got {missing!r}"
    if server.returncode != -signal.SIGTERM:
        return f"httpd ended with {server.returncode}, not by SIGTERM"
    return None


def interrupt(runner):
    """SIGINT kills a sleeping guest, and the command dies of it as the guest did."""
    child = subprocess.Popen(runner.ours([cases.BUSYBOX, "sleep", "30"]))
    time.sleep(1)
    child.send_signal(signal.SIGINT)
    status = child.wait(10)
    return None if status == -signal.SIGINT else f"ended with {status}, not by SIGINT"


CASES = [busybox_vi, busybox_top_resize, busybox_httpd_wget, interrupt]
