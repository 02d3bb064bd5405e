"""A gdb-multiarch in batch mode against a server: what the tests of this folder share."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

ORYX = os.environ.get("ORYX", str(pathlib.Path(__file__).resolve().parents[2] / "build/oryx"))
GDB = shutil.which("gdb-multiarch")
SKIP = 77
SECONDS = 120


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def gdb(server, remote, program, commands, ready=None):
    """Start a server, talk to it by commands: what gdb printed, and how the server ended (status, standard error)."""
    with tempfile.TemporaryFile("w+") as errors, tempfile.TemporaryFile("w+") as output:
        run = subprocess.Popen(server, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, text=True)
        for _ in range(600):
            if ready is None or ready() or run.poll() is not None:
                break
            time.sleep(0.05)
        words = [GDB, "-nx", "-batch", "-ex", "set pagination off", "-ex", "set confirm off", "-ex", f"target remote {remote}"]
        if program:
            words += [str(program)]
        for c in commands:
            words += ["-ex", c]
        try:
            text = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS).stdout
            run.wait(SECONDS)
        except subprocess.TimeoutExpired as late:
            text = ((late.stdout or b"").decode() if isinstance(late.stdout, bytes) else late.stdout or "") + "\n(too slow)"
        finally:
            run.kill()
            run.wait()
        errors.seek(0)
        output.seek(0)
        return text, run.returncode, output.read(), errors.read()
