"""Contenders and how one of them is timed: processes, their CPU and wall time, and repetition.

A contender runs a program of kernels.txt with a number of pieces of work, N; what it needs for N less
what it needs for none, divided by N, is its time a piece. The checksum it prints for N must be that of
the native program (or of gen_code.py), which is the oracle.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

GUESTS = {  # --arch: what runs its programs besides Oryx
    "arm64": {"qemu": "qemu-aarch64"},
    "arm": {"qemu": "qemu-arm"},
    "mipsel": {"qemu": "qemu-mipsel"},
}
MAX_PIECES = 1 << 22
REGIONS = [  # what tests/memory/bench_regions says of 10,000 regions: name in its JSON, unit
    ("region_change", "us"),
    ("region_lookup", "x"),
]
PAGES = [  # what tests/memory/other_pages says: pages beside one with code, a watch and so on, against a machine without
    (f"pages_{what}{mode}", "x") for mode in ("", "_window") for what in ("code", "watch", "snapshot", "dirty", "exclusive")
]
SNAPSHOTS = ["snapshot_same", "restore_same", "snapshot_other", "restore_other"]  # what bench_snapshot says
EMBED = [  # measure, group, unit, operations a run in full and with --quick
    ("mmio_read", "mmio", "ns", 250_000, 20_000),
    ("mmio_write", "mmio-write", "ns", 250_000, 20_000),
    ("ram_read", "ram", "ns", 1_000_000, 20_000),
    ("run_one", "run-one", "ns", 300_000, 20_000),
    ("open_close", "open-close", "ns", 100, 10),
    ("machines", "machines", "KiB", 1, 1),
]


class Failed(Exception):
    """A contender that did not end as it should; the text says how."""


def spawn(command, timeout, keep=None):
    """Runs command; returns (what it printed, CPU seconds, wall seconds) of the whole process. keep: a file for all it printed."""
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C",
                   "HOME": os.environ.get("HOME", "/")}
    for name, value in os.environ.items():
        if name.startswith(("ORYX_PLUGIN", "ORYX_BUILD")):
            environment[name] = value
    with contextlib.nullcontext(keep) if keep else tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        actions = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, err.fileno(), 2)]
        path = shutil.which(command[0]) or command[0]
        start = time.monotonic()
        try:
            child = os.posix_spawn(path, command, environment, file_actions=actions)
        except OSError as error:
            raise Failed(f"{command[0]}: {error.strerror}") from None
        handle = os.pidfd_open(child)  # or a late signal might meet another process of that number
        late = threading.Timer(timeout, signal.pidfd_send_signal, (handle, signal.SIGKILL))
        late.start()
        try:
            _, status, usage = os.wait4(child, 0)
        finally:
            late.cancel()
            late.join()
            os.close(handle)
        wall = time.monotonic() - start
        out.seek(0)
        err.seek(0)
        text = out.read(65536).decode("utf-8", "replace")
        problem = err.read(4096).decode("utf-8", "replace").strip().split("\n")[0]
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL and wall >= timeout:
        raise Failed(f"not done after {timeout:g} s")
    if code:
        raise Failed(f"status {code}: {problem or text.strip() or 'nothing said'}")
    return text, usage.ru_utime + usage.ru_stime, wall


def last_word(text):
    words = text.split()
    return words[-1] if words else ""


class Contender:
    """How to run a guest program and, where it has one, the embedder program."""

    def __init__(self, name, command, embed=None, folder=None):
        self.name = name
        self.command = command    # comes before the program
        self.embed = embed        # [program, words after the count] or None
        self.folder = folder      # of its programs

    def run(self, kernel, pieces, timeout):
        text, cpu, wall = spawn(self.command + [str(self.folder / kernel), str(pieces)], timeout)
        return last_word(text), cpu, wall


def engine_command(oryx, spec):
    """'x64+window=off' is: oryx run --engine=x64 --window=off."""
    engine, *options = spec.split("+")
    return [oryx, "run", f"--engine={engine}"] + [f"--{o}" for o in options]


def contenders(arch, out, oryx, engines, wanted):
    """The contenders there are, native first; and notes on those left out."""
    guest = out / arch
    found, notes = [Contender("native", [], folder=out / "native")], []

    def offer(contender, remedy):
        if wanted and contender.name not in wanted:
            return
        try:
            word, _, _ = contender.run("hello", 3, 60)
            if word != f"{3:016x}":
                raise Failed(f"printed {word!r}")
            found.append(contender)
        except Failed as error:
            notes.append(f"{contender.name} is left out: {str(error)[:160]} ({remedy})")

    qemu = GUESTS[arch]["qemu"]
    offer(Contender("qemu", [qemu], folder=guest), f"needs {qemu}: apt-get install qemu-user")
    offer(Contender("unicorn", [str(out / "unicorn_driver")], [str(out / "mmio_unicorn"), []], guest),
          "needs libunicorn: apt-get install libunicorn-dev")
    for spec in engines:
        embed = [str(out / "mmio_oryx"), [spec]] if "+" not in spec else None
        if embed and not os.path.exists(embed[0]):
            embed = None
        offer(Contender(f"oryx-{spec}", engine_command(oryx, spec), embed, guest),
              "see `oryx plugins`")
    return found, notes


def read_kernels(path):
    """Rows of kernels.txt: (name, group, generated)."""
    rows = []
    for number, line in enumerate(Path(path).read_text(encoding="ascii").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) < 3:
            raise SystemExit(f"{path}:{number}: a row is NAME GROUP SOURCE FLAGS...")
        rows.append((words[0], words[1], words[2].startswith("gen:")))
    return rows


class Sample:
    """One contender on one kernel: pieces of work, times with them and without, what went wrong."""

    def __init__(self, pieces, parts=1):
        self.pieces = pieces
        self.parts = parts  # what a piece is divided into: guest instructions of generated code
        self.cpu, self.wall, self.cpu0, self.wall0 = [], [], [], []
        self.error = None

    def per_piece(self, metric):
        """Seconds a piece of work, or None; `metric` is cpu or wall."""
        full, none = getattr(self, metric), getattr(self, metric + "0")
        if self.error or not full:
            return None
        spent = statistics.median(full) - (statistics.median(none) if none else 0)
        return max(spent, 1e-9) / self.pieces / self.parts


class Bench:
    """Runs kernels. target: seconds the native program shall take; cap: those of any other."""

    def __init__(self, found, target, cap, rounds, timeout, metric, say):
        self.found, self.target, self.cap, self.rounds = found, target, cap, rounds
        self.timeout, self.metric, self.say = timeout, metric, say
        self.sums = {}  # (program, pieces): checksum

    def expected(self, kernel, pieces, generated):
        """The checksum that is right, from the native program or the generator."""
        if generated:
            return self.generated(kernel)[0]
        key = (kernel, pieces)
        if key not in self.sums:
            self.sums[key] = self.found[0].run(kernel, pieces, self.timeout)[0]
        return self.sums[key]

    def generated(self, kernel):
        """(checksum, instructions) of generated code, as its generator says."""
        file = self.found[-1].folder / (kernel + ".expected")
        return file.read_text(encoding="ascii").split()

    def native_pieces(self, kernel):
        """Pieces of work for which the native program takes at least the target."""
        native, pieces, spent = self.found[0], 8, 0
        base = min(native.run(kernel, 0, self.timeout)[1] for _ in range(3))
        while pieces < MAX_PIECES:
            spent = native.run(kernel, pieces, self.timeout)[1] - base
            if spent >= self.target:
                break
            # Up to eight times at once; a short first guess may not be trusted.
            step = self.target * 1.15 / spent if spent > 1e-4 else 8
            pieces = int(pieces * min(8, max(1.2, step))) + 1
        return pieces

    def pieces_for(self, contender, kernel, pieces):
        """As many as native, or as fit under the cap by a trial of few."""
        few = max(1, pieces // 64)
        base = contender.run(kernel, 0, self.timeout)[1]
        spent = contender.run(kernel, few, self.timeout)[1] - base
        if spent <= 0:
            return pieces
        return max(few if spent < self.cap else 1, min(pieces, int(self.cap / spent * few)))

    def kernel(self, kernel, group, generated):
        """{contender name: Sample}, interleaved rounds."""
        whole = group == "startup"  # the whole process is what is asked for
        fixed = 0 if whole else 1 if generated else None
        pieces = fixed if fixed is not None else self.native_pieces(kernel)
        samples = {}
        for contender in self.found:
            if generated and contender.name == "native":
                continue
            parts = int(self.generated(kernel)[1]) if generated else 1
            sample = samples[contender.name] = Sample(pieces or 1, parts)
            if fixed is None and contender.name != "native":
                try:
                    sample.pieces = self.pieces_for(contender, kernel, pieces)
                except Failed as error:
                    sample.error = str(error)
        for _ in range(self.rounds):
            for contender in self.found:
                sample = samples.get(contender.name)
                if sample and not sample.error:
                    self.once(contender, kernel, sample, generated, whole)
        return samples

    def once(self, contender, kernel, sample, generated, whole):
        try:
            for _ in range(5 if whole else 1):
                pieces = 0 if whole else sample.pieces
                word, cpu, wall = contender.run(kernel, pieces, self.timeout)
                right = self.expected(kernel, pieces, generated)
                if word != right:
                    raise Failed(f"checksum {word or 'missing'} after {pieces} pieces, {right} is right")
                sample.cpu.append(cpu)
                sample.wall.append(wall)
                if not whole:
                    _, cpu, wall = contender.run(kernel, 0, self.timeout)
                    sample.cpu0.append(cpu)
                    sample.wall0.append(wall)
        except Failed as error:
            sample.error = str(error)

    def embed(self, measure, operations):
        """{contender name: Sample} of a measure of the embedder programs; unit as the program's."""
        samples, sums = {}, {}
        able = [c for c in self.found if c.embed]
        for _ in range(self.rounds):
            for contender in able:
                sample = samples.setdefault(contender.name, Sample(1))
                if sample.error:
                    continue
                program, words = contender.embed
                try:
                    text, _, _ = spawn([program, measure, str(operations)] + words, self.timeout)
                    found = re.fullmatch(r"([\d.]+) ([\d.]+) ([0-9a-f]{16})\s*", text)
                    if not found:
                        raise Failed(f"printed {text.strip()!r}")
                    sums.setdefault(contender.name, found.group(3))
                    sample.cpu.append(float(found.group(1)))
                    sample.wall.append(float(found.group(2)))
                except Failed as error:
                    sample.error = str(error)
        right = embed_sum(measure, operations)
        for name, word in sums.items():
            if word != right:
                samples[name].error = f"checksum {word}, {right} is right"
        return samples


def own(program, rounds, measures):
    """{name: Sample} of a bench of the memory system's own, which says everything at once; {} without it."""
    samples = {}
    for _ in range(rounds):
        try:
            text, _, _ = spawn([program, "--json"], 120)
            said = json.loads(text)
        except (Failed, ValueError):
            return {}
        for name, _ in measures:
            sample = samples.setdefault(name, Sample(1))
            sample.cpu.append(said[name])
            sample.wall.append(said[name])
    return samples


def snapshots(program, rounds, quick):
    """{name: (unit, {contender: Sample})} of bench_snapshot under the JIT; {} without it. A batch is one interleaved round."""
    command = [program, "--json", "--engine", "x64", "--batches", str(rounds), "--rounds", "2000" if quick else "10000"]
    try:
        text, _, _ = spawn(command, 120)
        said = [json.loads(line) for line in text.splitlines()]
    except (Failed, ValueError):
        return {}
    rows = {}

    def put(name, unit, contender, value):
        sample = rows.setdefault(name, (unit, {}))[1].setdefault(contender, Sample(1))
        sample.cpu.append(value)
        sample.wall.append(value)

    for row in said:
        put("snapshot_" + row["pages"], "us", "oryx-x64", 1e6 / row["oryx_rounds_per_s"])
        if "unicorn_rounds_per_s" in row:
            put("snapshot_" + row["pages"], "us", "unicorn", 1e6 / row["unicorn_rounds_per_s"])
        put("restore_" + row["pages"], "x", "oryx-x64", row["restore_over_memcpy"])
    return rows


def embed_sum(measure, operations):
    """What the guest code of embed.h must have computed, by arithmetic."""
    if measure == "mmio_read":  # the device counts up modulo 256; x2 adds 8 reads a turn, 100 to warm
        return f"{sum(i & 255 for i in range((operations + 100) * 8)):016x}"
    if measure == "run_one":
        return f"{operations + 100:016x}"
    if measure == "open_close":
        return f"{operations + 1:016x}"
    if measure == "ram_read":  # the first word of the code, 8 times a turn
        return f"{(operations + 100) * 8 * 0xb9400023:016x}"
    if measure == "mmio_write":  # x2 counts up from 0 through both runs
        n = (operations + 100) * 8
        return f"{n * (n - 1) // 2:016x}"
    if measure == "machines":  # 101 machines add 50 + 49 + ... + 1
        return f"{101 * 50 * 51 // 2:016x}"
    return f"{0:016x}"


def versions(arch, out, oryx):
    """What was compared, as each says itself."""
    def first(*command):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
            return (done.stdout or done.stderr).strip().split("\n")[0]
        except (OSError, subprocess.TimeoutExpired):
            return None
    here = Path(__file__).resolve().parent
    return {
        "gcc": first("gcc", "--version"),
        "qemu": first(GUESTS[arch]["qemu"], "--version"),
        "unicorn": first(str(out / "unicorn_driver"), "--version"),
        "oryx": first(oryx, "--version"),
        "commit": first("git", "-C", str(here), "rev-parse", "--short=12", "HEAD"),
    }
