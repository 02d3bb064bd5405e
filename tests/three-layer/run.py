#!/usr/bin/env python3
"""The three-layer device: what the guest sees must not depend on whether the ram_device layer is there, nor on its coming and
going; the guest checks the answers itself, and the counts of io accesses prove which layer served it. The oracle is the
server, a process that knows nothing of Oryx.

usage: run.py SERVER THREE_LAYER BUILD
"""
import os
import re
import subprocess
import sys
import time

ROUNDS = 300
failures = 0


def check(what, right, detail=""):
    global failures
    if not right:
        failures += 1
        print(f"FAIL {what}: {detail}")


def dies(server, program, name, env):
    """The device's process is killed in the middle: the mapping and the file live on, and the guest waits until its time is over."""
    device = subprocess.Popen([server, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        device.stdout.readline()
        guest = subprocess.Popen([program, name, str(10 ** 9), "interp", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        with open("/dev/shm" + name, "rb", 0) as registers:
            def register(at):
                registers.seek(at)
                return int.from_bytes(registers.read(4), "little")
            while not register(12) and guest.poll() is None:  # RESULT: it has been served
                time.sleep(0.01)
            device.kill()
            device.wait(10)
            out, err = guest.communicate(timeout=60)
            check("a guest whose device died", (guest.returncode, out) == (1, "") and re.search(r"^three-layer: mapped: timeout at 0x10", err, re.M),
                  (guest.returncode, out, err))
            check("its last command stands in the device's memory", register(8) > 1, register(8))
    finally:
        device.kill()
        os.unlink("/dev/shm" + name)


def main():
    server, program, build = sys.argv[1:4]
    name = f"/oryx-three-layer-{os.getpid()}"
    env = {**os.environ, "ORYX_PLUGIN_PATH": f"{build}/plugins"}
    device = subprocess.Popen([server, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        check("the server is ready", device.stdout.readline() == "ready\n")
        engines = ["interp"] + (["x64"] if os.path.exists(f"{build}/plugins/engine-x64.so") else [])
        for engine in engines:
            run = subprocess.run([program, name, str(ROUNDS), engine], capture_output=True, text=True, env=env, timeout=200)
            expected = "".join(f"{how}: {ROUNDS} rounds, 0 wrong, revision 2\n" for how in ("mapped", "by calls", "toggled"))
            check(f"{engine}: the guest sees the same three times", (run.returncode, run.stdout) == (0, expected), run)
            counts = dict((how, (int(io), int(toggles))) for how, io, toggles in
                          re.findall(r"^([\w ]+): (\d+) accesses came to the io layer, (\d+) toggles$", run.stderr, re.M))
            check(f"{engine}: three reports", len(counts) == 3, run.stderr)
            if len(counts) == 3:
                # With the mapping only the quirk's register goes to the io layer, once a round; without it everything does:
                # COMMAND once and at least once more, RESULT, REVISION, the scratch bytes twice.
                check(f"{engine}: mapped", counts["mapped"] == (ROUNDS, 0), counts)
                check(f"{engine}: by calls", counts["by calls"][0] >= 6 * ROUNDS, counts)
                check(f"{engine}: toggled", counts["toggled"][0] > ROUNDS and counts["toggled"][1] > 2, counts)
    finally:
        device.stdin.close()
        device.wait(10)
    check("the server took its memory away", not os.path.exists("/dev/shm" + name))
    dies(server, program, name, env)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
