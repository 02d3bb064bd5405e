#!/usr/bin/env python3
"""A hostile peer of the GDB server: noise, wrong checksums, cut and huge packets, numbers out of range, vanishing in the middle. The
server must answer or hang up, and still serve the next one. Wrong words of --gdb are told. Reads ORYX; needs no GDB."""
import atexit
import json
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import time

import session

CODE = [0x91000400, 0x17ffffff]  # add x0, x0, #1; b back


def frame(text):
    data = text if isinstance(text, bytes) else text.encode()
    return b"$" + data + b"#%02x" % (sum(data) & 255)


class Peer:
    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(str(path))  # waits while the server is busy with the last one
        self.s.settimeout(20)
        self.data = b""

    def ask(self, text):
        """The answer's text; None: hung up."""
        try:
            self.s.sendall(frame(text))
            while True:
                at = self.data.find(b"$")
                end = self.data.find(b"#", at)
                if at >= 0 and 0 <= end and end + 2 < len(self.data):
                    answer, self.data = self.data[at + 1:end], self.data[end + 3:]
                    self.s.sendall(b"+")
                    return answer.decode("latin-1")
                more = self.s.recv(65536)
                if not more:
                    return None
                self.data += more
        except (BrokenPipeError, ConnectionResetError):
            return None


PACKETS = ["", "?", "g", "G00", "p0", "pffffffffffffffff", "P0=", "P0=zz", "m0,0", "m0,ffffffffffffffff", "mffffffffffffffff,8", "m", "M0,4:00",
           "M0,4:zzzzzzzz", "X0,ffff:a", "Z0,0,4", "Z9,0,4", "Z2,0,0", "Z2,0,ffffffffffffffff", "z0,1,1", "Z", "z", "H", "Hg", "Hgfffff", "Hc-1",
           "T", "T9", "qXfer:features:read:target.xml:ffffffff,10", "qXfer:features:read:target.xml:", "qXfer:auxv:read::0,100",
           "qXfer:exec-file:read::0,10", "qThreadExtraInfo,9", "QPassSignals:e;zz", "QPassSignals:ffffffff;1", "vFile:open:2f,0,0", "vFile:pread:3,10,0",
           "vFile:close:0", "vFile:fstat:7fffffff", "vFile:", "vCont?", "vMustReplyEmpty", "bs", "bx", "qSymbol::", "!", "R00", "B0,S", "t0:1,2"]


def main():
    rng = random.Random(7)
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "code").write_bytes(b"".join(w.to_bytes(4, "little") for w in CODE))
        (folder / "m.json").write_text(json.dumps({
            "arch": "arm64", "regions": [{"name": "ram", "type": "ram", "size": "0x10000", "addr": 0}],
            "images": [{"file": "code", "addr": 0}], "cpus": [{"mode": "el1", "pc": 0}]}))
        for words, text in ((["--gdb", "unix:"], "name a path"), (["--gdb", "nonsense"], "give [HOST]:PORT"), (["--gdb", ":99999"], "give [HOST]:PORT"),
                            (["--gdb", f"unix:{folder}/no/such"], "No such file"), (["--gdb", ":0", "--count", "1"], "leave out --count")):
            run = subprocess.run([session.ORYX, "machine", *words, folder / "m.json"], capture_output=True, text=True, timeout=60)
            if run.returncode != 2 or text not in run.stderr:
                print(f"{words}: status {run.returncode}: {run.stderr}")
                bad += 1
        path = folder / "gdb"
        run = subprocess.Popen([session.ORYX, "machine", "--gdb", f"unix:{path}", folder / "m.json"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        atexit.register(run.kill)
        while not path.exists() and run.poll() is None:
            time.sleep(0.05)
        p = Peer(path)
        for text in PACKETS:
            if p.ask(text) is None:
                print(f"{text!r}: hung up")
                bad += 1
                p = Peer(path)
        for _ in range(300):  # mutations
            data = bytearray(rng.choice(PACKETS).encode() or b"m")
            for _ in range(rng.randrange(1, 4)):
                data[rng.randrange(len(data))] = rng.choice(b"0123456789abcdef,:;-zZqQmMpPgGHT")
            if data[:1] in b"cCsSDkvRt" or p.ask(bytes(data)) is None:  # what resumes or ends has no answer at once
                p.s.close()
                p = Peer(path)
        for noise in (b"\x00" * 5000, b"$" * 300, b"+-+-#zz", b"$m0,4#00", b"$" + b"a" * 200000, rng.randbytes(3000).replace(b"\x03", b"")):
            p.s.close()
            p = Peer(path)
            try:
                p.s.sendall(noise)
            except OSError:
                pass
        p.s.close()
        p = Peer(path)
        p.s.sendall(frame("c"))
        time.sleep(0.3)
        p.s.sendall(b"\x03")
        answer = p.ask("qC")  # first comes the stop
        if answer is None or not answer.startswith("T02"):
            print(f"after Ctrl-C: {answer!r}")
            bad += 1
        p.s.close()  # leaves it running
        p = Peer(path)
        first = p.ask("p0")
        if run.poll() is not None or first is None or len(first) != 16:
            print(f"the server is gone: {run.poll()}, {first!r}")
            bad += 1
        p.s.sendall(frame("k"))
        if run.wait(30) != 0:
            print(f"after k: status {run.returncode}: {run.stderr.read()}")
            bad += 1
    print(f"{len(PACKETS)} packets, 300 mutations, noise: {bad} wrong")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
