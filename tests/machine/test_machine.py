#!/usr/bin/env python3
"""Machine descriptions as users write them, right and wrong. Expected values: dates by Python's datetime, flat views by a naive
model here (byte by byte), lines by counting in the text. Reads ORYX and ORYX_SOURCE."""

import datetime
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree as xml
from random import Random

SOURCE = pathlib.Path(os.environ.get("ORYX_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
ORYX = os.environ.get("ORYX", str(SOURCE / "build/oryx"))
BOARD = SOURCE / "examples/machine/board.json"
SCHEMA = json.loads((SOURCE / "docs/machine.schema.json").read_text())
NOP, SVC, LOOP = 0xD503201F, 0xD4000001, 0x14000000


def oryx(*words, **more):
    return subprocess.run([ORYX, *map(str, words)], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, **more)


def base():
    """Uses every member of the schema but the ones that exclude each other."""
    return {
        "description": "all of it", "arch": "arm64", "engine": "interp", "engine_options": {}, "plugins": ["probe-count,top=1"],
        "spaces": ["dma"],
        "policies": [{"space": "dma", "read_unassigned": "ones", "write_unassigned": "ignore", "read_error": "zeros", "write_error": "fault"}],
        "regions": [
            {"name": "ram", "type": "ram", "size": "0x10000", "addr": 0},
            {"name": "rom", "type": "rom", "size": 4096, "addr": "0x100000", "prot": "r"},
            {"name": "bus", "type": "container", "size": "0x1000", "addr": "0x200000", "priority": -3, "enabled": True},
            {"name": "low", "type": "alias", "size": 256, "addr": 16, "in": "bus", "target": "ram", "target_offset": "0x20"},
            {"name": "window", "type": "alias", "size": "0x10000", "addr": "0x80000000", "in": "dma", "target": "ram"},
            {"name": "shm", "type": "ram_device", "size": 64, "addr": "0x300000", "file": "bytes", "file_offset": 32},
            {"name": "log", "type": "quirk", "size": 64, "addr": "0x300000", "priority": 1, "lower": "shm", "prot": "rw",
             "options": {"kind": "log", "file": "quirk.log"}},
            {"name": "smmu", "type": "iommu", "size": "0x10000", "addr": 0, "in": "dma", "windows": [
                {"addr": 0, "size": 4096, "to": "0x1000", "in": "system", "prot": "r", "requester": 3}]},
        ],
        "devices": [
            {"name": "pic", "class": "irqchip", "options": {"edge": 3}, "map": [{"region": 0, "in": "system", "addr": "0x400000"}]},
            {"name": "t", "class": "timer", "dma": "dma", "requester": 3, "secure": False, "map": [{"addr": "0x401000"}]},
        ],
        "irqs": [{"from": "t", "line": 0, "to": "pic", "input": 1}],
        "until": ["0x7fc"],
        "semihosting": {"root": ".", "cmdline": "a b", "time": 7, "system": False, "heap": [0, 0, "0x8000", 0]},
        "images": [{"file": "code", "format": "raw", "addr": "0x400", "in": "system"}],
        "cpus": [{"pc": "0x400", "regs": {"x1": 7, "sp": "0x8000"}, "space": "system"}],
        "$schema": "x",
    }


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.dir.name)
        (self.folder / "code").write_bytes(struct.pack("<4I", NOP, NOP, NOP, LOOP))
        (self.folder / "bytes").write_bytes(bytes(range(256)))
        self.file = self.folder / "m.json"

    def tearDown(self):
        self.dir.cleanup()

    def write(self, machine):
        self.file.write_text(machine if isinstance(machine, str) else json.dumps(machine, indent=1))
        return self.file

    def wrong(self, machine, marker, pointer, *texts, words=()):
        """The description is refused in the marker's line, at the pointer, with the texts."""
        text = self.write(machine).read_text()
        line = text[:text.index(marker)].count("\n") + 1
        run = oryx("machine", "--check", *words, self.file)
        self.assertEqual(run.returncode, 126, run)
        self.assertTrue(run.stderr.startswith(f"oryx: {self.file}:{line}: {pointer}: "), (line, pointer, run.stderr))
        self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
        for t in texts:
            self.assertIn(t, run.stderr)


class Example(Case):
    def expect(self, run, seconds=951782400):
        def at(ms):
            t = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
            return t.strftime("%Y-%m-%d %H:%M:%S") + f".{ms:03}"
        self.assertEqual(run.returncode, 0, run)
        self.assertEqual(run.stdout.splitlines(), ["Hello from a machine without a system.", f"It is {at(0)} UTC.",
                                                   f"tick 1 at {at(1)}", f"tick 2 at {at(2)}", f"tick 3 at {at(3)}", "Good bye."])
        self.assertRegex(run.stderr, r"^cpu 0: until at 0x40010000 after \d+ instructions\n")

    def test_runs(self):
        runs = [oryx("machine", "--engine", e, BOARD) for e in ("interp", "x64") if e in oryx("plugins").stdout]
        for run in runs:
            self.expect(run)
        self.assertEqual(len({r.stderr for r in runs}), 1, "engines disagree about virtual time")
        for seconds in (0, 4107542399, 1709164800):
            self.expect(oryx("machine", "--set", f"devices.rtc.options.time={seconds}", BOARD), seconds)

    def test_source(self):
        cc = shutil.which("aarch64-linux-gnu-gcc")
        if not cc:
            self.skipTest("no cross compiler")
        subprocess.run(["sh", str(BOARD.parent / "build.sh"), str(self.folder)], check=True)
        self.expect(oryx("machine", "--set", f"images.0.file={self.folder / 'hello.elf'}", BOARD))

    def test_m3(self):
        """The program's own text, bit 10 as 1024, and its exit status."""
        for engine in ("interp", "x64"):
            run = oryx("machine", "--engine", engine, BOARD.parent / "m3.json")
            self.assertEqual((run.returncode, run.stdout, run.stderr),
                             (7, "Hello from a Cortex-M3.\n3 ticks\nbit 10 makes 1024\nGood bye.\n", ""))

    def test_check_and_stats(self):
        run = oryx("machine", "--check", BOARD)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertRegex(oryx("machine", "--stats", BOARD).stderr, r"virtual time \(ns\) +\d{7}\n")

    def test_uart_elsewhere(self):
        out = self.folder / "out"
        run = oryx("machine", "--set", f"devices.uart0.options.chardev=file:{out}", BOARD)
        self.assertEqual(run.stdout, "")
        self.assertTrue(out.read_text().startswith("Hello"))
        before = out.read_text()
        oryx("machine", "--check", "--set", f"devices.uart0.options.chardev=file:{out}", BOARD)
        oryx("mtree", "--set", f"devices.uart0.options.chardev=file:{out}", BOARD)
        self.assertEqual(out.read_text(), before)


class Right(Case):
    def test_every_member(self):
        def members(rule, value, at):
            rule = SCHEMA["$defs"].get(rule["$ref"].rsplit("/", 1)[1]) if "$ref" in rule else rule
            if "properties" in rule:
                values = value if isinstance(value, list) else [value]
                for key, below in rule["properties"].items():
                    self.assertTrue(any(key in v for v in values) or key in ("model", "mode"), f"{at}/{key} is not tried")
                    members(below, [v[key] for v in values if key in v], f"{at}/{key}")
            if "items" in rule:
                members(rule["items"], [e for v in value for e in v], at + "/*")
        members(SCHEMA, [base()], "")
        run = oryx("machine", "--check", self.write(base()))
        self.assertEqual(run.returncode, 0, run)
        machine = base()
        machine["cpus"][0].update(model=json.loads(oryx("arch", "arm64", "--json").stdout)["models"][0], mode="a64")
        self.assertEqual(oryx("machine", "--check", self.write(machine)).returncode, 0)

    def test_quirks(self):
        """Every example of docs/quirks.md is a right description, and together they try every member of the schema."""
        text = (SOURCE / "docs/quirks.md").read_text()
        examples = [json.loads(e) for e in re.findall(r"^    (\{.*?\})$(?=\n\n)", text, re.M | re.S)]
        kinds = SCHEMA["$defs"]["quirk"]["properties"]["kind"]["enum"]
        self.assertEqual([e["kind"] for e in examples], kinds)
        for e in examples:
            known = SCHEMA["$defs"]["quirk_" + e["kind"]]["properties"]
            self.assertEqual(set(known) - set(e) - {"endian", "file", "xor", "every"}, set(), e)
            machine = base()
            machine["regions"] = machine["regions"][:1] + [
                {"name": "q", "type": "quirk", "size": 256, "addr": "0x100000", "lower": "ram", "options": e}]
            run = oryx("machine", "--check", self.write(machine))
            self.assertEqual(run.returncode, 0, run)

    def test_iommu_and_policies(self):
        """A CPU whose space is an IOMMU in front of "system" runs through its window, and only there; a policy makes holes ones."""
        machine = {"arch": "arm64", "spaces": ["view"],
                   "regions": [{"name": "ram", "type": "ram", "size": "0x10000", "addr": 0},
                               {"name": "smmu", "type": "iommu", "size": "0x10000", "addr": "0x20000", "in": "view",
                                "windows": [{"addr": "0x1000", "size": "0x1000", "to": 0}]}],
                   "images": [{"file": "code", "addr": "0x400"}], "until": ["0x2140c"],
                   "cpus": [{"space": "view", "pc": "0x21400"}]}
        run = oryx("machine", self.write(machine))
        self.assertEqual((run.returncode, run.stderr), (0, "cpu 0: until at 0x2140c after 3 instructions\n"), run)
        machine["regions"][1]["windows"][0]["requester"] = 9  # a CPU's is 0
        run = oryx("machine", self.write(machine))
        self.assertEqual(run.returncode, 1, run)
        self.assertIn("at 0x21400: fetch", run.stderr)
        machine = {"arch": "arm64", "policies": [{"read_unassigned": "ones"}], "until": ["0x408"],
                   "regions": [{"name": "ram", "type": "ram", "size": "0x10000", "addr": 0}],
                   "images": [{"file": "load", "addr": "0x400"}], "cpus": [{"pc": "0x400", "regs": {"x1": "0x900000"}}]}
        # ldr x0, [x1]; cbz x0, 0x400; nop: ends only when x0 is not zero
        (self.folder / "load").write_bytes(struct.pack("<3I", 0xF9400020, 0xB4FFFFE0, NOP))
        run = oryx("machine", "--count", 100, self.write(machine))
        self.assertEqual((run.returncode, run.stderr), (0, "cpu 0: until at 0x408 after 2 instructions\n"), run)
        machine["policies"] = []
        self.assertEqual(oryx("machine", "--count", 100, self.write(machine)).returncode, 1)

    def test_limits(self):
        machine = base()
        del machine["until"]
        run = oryx("machine", "--count", 1000, self.write(machine))
        self.assertEqual((run.returncode, run.stderr.splitlines()[0]), (0, "cpu 0: count at 0x40c after 1000 instructions"))
        run = oryx("machine", "--until", "0x1234", "--until", "0x408", self.file)
        self.assertEqual(run.stderr.splitlines()[0], "cpu 0: until at 0x408 after 2 instructions")
        run = oryx("machine", "--timeout", "0.2", self.file)
        self.assertEqual(run.returncode, 124)
        self.assertIn("cpu 0: timeout at 0x40c", run.stderr)
        for words in (("--count", "0"), ("--count", "x"), ("--timeout", "-1"), ("--until", "here"), ("a", "b"), ()):
            self.assertEqual(oryx("machine", *words, *([self.file] if words and words[0] != "a" else [])).returncode, 2, words)

    def test_ends(self):
        for words, text in (([SVC], r"cpu 0: system call .*0x404 .*nobody handles it"), ([0xF9400001], r"cpu 0: .*read of 8 bytes at 0xdead0000")):
            (self.folder / "code").write_bytes(struct.pack(f"<{len(words)}I", *words))
            run = oryx("machine", "--set", 'cpus.0.regs.x0=0xdead0000', self.write(base()))
            self.assertEqual(run.returncode, 1, run)
            self.assertRegex(run.stderr, text)

    def test_cpus(self):
        machine = base()
        machine["cpus"] += [{"pc": "0x404"}, {"pc": "0x408"}]
        run = oryx("machine", "--count", 100, self.write(machine))
        self.assertEqual([x for x in run.stderr.splitlines() if x.startswith("cpu")],
                         [f"cpu {i}: count at 0x40c after 100 instructions" for i in range(3)])

    def test_rom_and_images(self):
        machine = base()
        (self.folder / "code").write_bytes(struct.pack("<2I", 0xF9000020, LOOP))  # str x0, [x1]
        machine["images"].append({"file": "bytes", "addr": "0x100000"})
        machine["cpus"][0]["regs"]["x1"] = "0x100000"
        run = oryx("machine", "--count", 5, self.write(machine))
        self.assertEqual(run.returncode, 1)
        self.assertIn("protection", run.stderr)


class Wrong(Case):
    def change(self, *path_and_value):
        machine = base()
        *path, last, value = path_and_value
        at = machine
        for key in path:
            at = at[key]
        if value is None:
            del at[last]
        else:
            at[last] = value
        return machine

    def test_text(self):
        self.wrong('{\n "arch": "arm64",\n "cpus": [}\n', "[}", "/", "JSON")
        self.wrong('{\n "arch": "arm64"', "\"arm64\"", "/", "no valid JSON", "end")
        self.wrong('{\n "arch": "arm64",\n "cpus": [{}],\n "arch": "arm64"}', "\"arm64\"}", "/arch", "twice", "line 2")
        self.wrong('[]', "[", "/", "object")
        self.assertEqual(oryx("machine", self.folder / "none.json").returncode, 127)
        self.assertEqual(oryx("mtree", self.folder).returncode, 126)

    def test_schema(self):
        self.wrong(self.change("cpus", None), "{", "/", '"cpus" is missing')
        self.wrong(self.change("cpus", []), '"cpus"', "/cpus", "at least 1")
        self.wrong(self.change("colour", 1), '"colour"', "/colour", "unknown", "regions")
        self.wrong(self.change("regions", 1, "size", "4k"), '"4k"', "/regions/1/size", "4k", "64 bits")
        self.wrong(self.change("regions", 1, "size", 1.5), "1.5", "/regions/1/size", "integer, string")
        self.wrong(self.change("regions", 1, "size", -1), "-1", "/regions/1/size", "at least 0")
        self.wrong(self.change("regions", 2, "priority", 1 << 31), str(1 << 31), "/regions/2/priority", "at most 2147483647")
        self.wrong(self.change("regions", 2, "nam", "x"), '"nam"', "/regions/2/nam", "name, type")
        self.wrong(self.change("regions", 2, "enabled", "no"), '"no"', "/regions/2/enabled", "boolean")
        self.wrong(self.change("images", 0, "format", "pe"), '"pe"', "/images/0/format", "raw, elf")
        self.wrong(self.change("devices", 0, "name", "a b"), '"a b"', "/devices/0/name")

    def test_meaning(self):
        self.wrong(self.change("arch", "vax"), '"vax"', "/arch", "vax")
        self.wrong(self.change("plugins", ["no-such"]), '"no-such"', "/plugins/0", "no-such")
        self.wrong(self.change("spaces", ["dma", "dma"]), '"dma"\n', "/spaces/1", "already")
        self.wrong(self.change("regions", 0, "size", 0), '"size": 0', "/regions/0/size")
        self.wrong(self.change("regions", 0, "size", "18446744073709551616"), '"1844', "/regions/0/size", "64 bits")
        self.wrong(self.change("regions", 1, "name", "ram"), '"name": "ram",\n   "type": "rom"', "/regions/1/name", "given already")
        self.wrong(self.change("regions", 3, "target", "later"), '"later"', "/regions/3/target", "later")
        self.wrong(self.change("regions", 3, "in", "nowhere"), '"nowhere"', "/regions/3/in", "nowhere")
        self.wrong(self.change("regions", 3, "addr", "0x5000"), '"0x5000"', "/regions/3/addr", "beyond")
        self.wrong(self.change("regions", 5, "file", "none"), '"none"', "/regions/5/file", "none")
        self.wrong(self.change("regions", 7, "windows", 0, "in", "x"), '{\n     "addr"', "/regions/7/windows/0", "'x'")
        self.wrong(self.change("regions", 7, "windows", 0, "size", "0x10001"), '{\n     "addr"', "/regions/7/windows/0", "beyond")
        self.wrong(self.change("regions", 7, "windows", 0, "to", 2 ** 64 - 1), '{\n     "addr"', "/regions/7/windows/0", "wraps")
        self.wrong(self.change("regions", 0, "windows", []), '"windows": []', "/regions/0/windows", "iommu")
        self.wrong(self.change("policies", 0, "space", "x"), '"space": "x"', "/policies/0/space", "x")
        self.wrong(self.change("policies", 0, "read_error", "ignore"), '"read_error": "ignore"', "/policies/0/read_error", "fault, ones")
        self.wrong(self.change("devices", 1, "requester", 2 ** 32), '"requester": 4294967296', "/devices/1/requester", "32 bits")
        self.wrong(self.change("devices", 0, "class", "toaster"), '"toaster"', "/devices/0/class", "toaster")
        self.wrong(self.change("devices", 0, "options", {"edge": "x"}), '"edge": "x"', "/devices/0/options/edge", "edge")
        self.wrong(self.change("devices", 1, "map", 0, "addr", "0x400010"), '"0x400010"', "/devices/1/map/0/addr", "'pic'")
        self.wrong(self.change("devices", 1, "map", 0, "region", 4), '"region": 4', "/devices/1/map/0/region", "4")
        self.wrong(self.change("devices", 1, "dma", "x"), '"dma": "x"', "/devices/1/dma")
        self.wrong(self.change("irqs", 0, "to", "t"), '{\n   "from"', "/irqs/0", "no input lines")
        self.wrong(self.change("irqs", 0, "from", "x"), '"from": "x"', "/irqs/0/from")
        self.wrong(self.change("images", 0, "file", "gone"), '"gone"', "/images/0/file", "gone")
        self.wrong(self.change("images", 0, "addr", None), '{\n   "file": "code"', "/images/0", '"addr"')
        self.wrong(self.change("images", 0, "addr", "0xfff8"), '"code"', "/images/0/file", "0xfff8", "put RAM there")
        self.wrong(self.change("images", 0, "format", "elf"), '"code"', "/images/0/file", "no ELF")
        self.wrong(self.change("cpus", 0, "regs", {"y9": 1}), '"y9"', "/cpus/0/regs/y9")
        self.wrong(self.change("cpus", 0, "regs", {"x1": []}), '"x1"', "/cpus/0/regs/x1")
        self.wrong(self.change("cpus", 0, "mode", "z80"), '{\n   "pc"', "/cpus/0", "z80")

    def test_quirks(self):
        def change(options, marker, pointer, *texts):
            self.wrong(self.change("regions", 6, "options", options), marker, "/regions/6/options" + pointer, *texts)
        change({"kind": "rot13"}, '"rot13"', "/kind", "mirror, window")
        change({}, '"options": {}', "", '"kind" is missing')
        change({"kind": "mirror", "sise": 4}, '"sise"', "/sise", "unknown", "base")
        change({"kind": "mirror", "size": "4k"}, '"4k"', "/size", "4k")
        change({"kind": "window", "index": 0}, '"options": {', "", '"data" is missing')
        change({"kind": "register", "registers": [{"offset": 0, "size": 4, "read": {"nand": 1}}]}, '"nand"', "/registers/0/read/nand")
        change({"kind": "fault", "probability": 1.5}, "1.5", "/probability", "0 to 1")
        change({"kind": "fault", "result": "fire"}, '"fire"', "/result", "device, decode, bits")
        # What the schema cannot say, the plugin does: the pointer is its own.
        change({"kind": "mirror", "size": 65}, '"size": 65', "/size", "1 to 64, not 65")
        change({"kind": "window", "index": 0, "data": 3}, '"data": 3', "/data", "overlaps")
        change({"kind": "register", "registers": [{"offset": 60, "size": 4}, {"offset": 62, "size": 2}]}, '"offset": 62',
               "/registers/1/offset", "overlaps register 0")
        change({"kind": "log", "file": "no/such/folder/x"}, '"no/such', "/file", "cannot open")
        change({"kind": "latency"}, '"options": {', "", "read_ns")

    def test_elf(self):
        elf = (BOARD.parent / "hello.elf").read_bytes()
        machine = base()
        machine["images"] = [{"file": "e"}]
        for size, text in ((40, "no ELF"), (60, "truncated"), (100, "outside"), (1000, "outside")):
            (self.folder / "e").write_bytes(elf[:size])
            self.wrong(machine, '"e"', "/images/0/file", text)
        (self.folder / "e").write_bytes(elf)
        self.wrong(machine, '"e"', "/images/0/file", "0x40000000")
        machine["images"][0]["addr"] = hex((1 << 64) - 0x40000000 + 0x8000)  # moved down: modulo 2^64
        machine["regions"][0]["size"] = "0x20000"
        self.assertEqual(oryx("machine", "--check", self.write(machine)).returncode, 0)

    def test_hostile_text(self):
        def one(member, marker, pointer, *texts):
            self.wrong('{\n "arch": "arm64",\n "cpus": [{}],\n ' + member + "\n}", marker, pointer, *texts)
        one('"description": "a\\u0000b"', '"description"', "/description", "character 0")
        one('"a\\u0000": 1', '"a\\u0000"', "/", "character 0")
        one('"\\u0061rch": "mips"', '"\\u0061rch"', "/arch", "twice", "line 2")
        one('"until": [NaN]', "NaN", "/until/0", "no JSON value")
        one('"until": [-Infinity]', "-Infinity", "/until/0", "no JSON value")
        one('"until": [18446744073709551616]', "1844", "/until/0", "64 bits")
        one('"until": [1e400]', "1e400", "/until/0", "64 bits")
        one('"until": ["\\u001b[31m"]', '"\\u001b', "/until/0", "\\x1b[31m")  # no colours out of a description
        one('"x": ' + "[" * 40 + "]" * 40, '"x"', "/", "nesting")
        self.write('{"arch": "arm64", "cpus": [{"pc": 1.0e3}], "until": [1024.0]}')  # integers, as JSON Schema has it
        self.assertEqual(oryx("machine", "--check", self.file).returncode, 0)
        run = subprocess.run([ORYX, "machine", "--check", "/dev/stdin"], input=self.file.read_text(), capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run)  # a pipe will do
        self.file.chmod(0)
        if os.geteuid():
            self.assertEqual(oryx("machine", self.file).returncode, 126)
        with open(self.file, "wb") as f:
            f.truncate(65 << 20)
        self.assertIn("MiB are no machine description", oryx("machine", self.file).stderr)

    def test_images(self):
        self.wrong(self.change("images", 0, "in", "nowhere"), '"in": "nowhere"', "/images/0/in", "nowhere")
        self.wrong(self.change("images", 0, "addr", "99999999999999999999"), '"99999999999999999999"', "/images/0/addr", "64 bits")
        os.mkfifo(self.folder / "pipe")
        for file in ("pipe", "/dev/zero", "./"):  # what may have no end is not waited for
            self.wrong(self.change("images", 0, "file", file), f'"{file}"', "/images/0/file", "no regular file")

    def test_engines_and_plugins(self):
        self.wrong(self.change("engine", "warp"), '"engine": "warp"', "/engine", "warp")
        if "x64" in oryx("plugins").stdout:
            self.wrong({**base(), "engine": "x64", "engine_options": {"warp": 9}}, '"engine_options"', "/engine_options", "warp")
        self.wrong(self.change("plugins", ["probe-count", "probe-count,what=1"]), '"probe-count,what=1"', "/plugins/1", "what")
        self.wrong(self.change("plugins", ["probe-count", "./code"]), '"./code"', "/plugins/1", "ELF")
        self.write(base())
        run = oryx("machine", "--engine", "warp", self.file)
        self.assertEqual((run.returncode, run.stderr.split(":")[1]), (126, " --engine warp"))
        run = oryx("machine", "--engine", "lockstep:interp,interp", "--count", 3, self.file)  # with options, as for oryx run
        self.assertEqual((run.returncode, run.stderr.splitlines()[0]), (0, "cpu 0: count at 0x40c after 3 instructions"))

    def test_chardev(self):
        """--check talks to nobody, but a word that no run takes is refused; paths start at the description."""
        machine = base()
        machine["devices"].append({"name": "u", "class": "uart16550", "options": {"chardev": "carrier-pigeon"}})
        self.wrong(machine, '"carrier-pigeon"', "/devices/2/options/chardev", "carrier-pigeon")
        machine["devices"][2]["options"]["chardev"] = "file:said"
        self.assertEqual(oryx("machine", "--check", self.write(machine)).returncode, 0)
        self.assertFalse((self.folder / "said").exists())
        oryx("machine", "--count", 1, self.file)
        self.assertTrue((self.folder / "said").exists())

    def test_lines(self):
        self.wrong(self.change("irqs", 0, "line", 1), '{\n   "from"', "/irqs/0", "'t' has 1 output line")
        self.wrong(self.change("irqs", 0, "input", 32), '{\n   "from"', "/irqs/0", "'pic' has 32 input lines")

    def test_stale_lines(self):
        """What --set gave is told by its word, however deep, and also when it replaced lines of the file."""
        self.write(base())
        for words, pointer in ((["cpus=[{\"pc\": \"x\"}]"], "/cpus/0/pc"), (["until=[1e400]"], "/until/0"), (["nowhere.at.all=1"], "/nowhere"),
                               (["cpus.0.pc=7", "cpus=[{\"pc\": \"y\"}]"], "/cpus/0/pc")):
            run = oryx("machine", "--check", *[w for x in words for w in ("--set", x)], self.file)
            self.assertEqual(run.returncode, 126, run)
            self.assertIn(f"{self.file}: --set {words[-1]}: {pointer}: ", run.stderr)
        self.assertEqual(oryx("machine", "--check", "--set", "description=NaN", self.file).returncode, 0)  # a word

    def test_set(self):
        self.write(base())
        run = oryx("machine", "--check", "--set", "regions.rom.size=many", self.file)
        self.assertEqual(run.returncode, 126)
        self.assertIn("--set regions.rom.size=many: /regions/1/size: ", run.stderr)
        for word in ("x", "=1", "regions.none.size=1", "arch.x=1", "regions.99.size=1"):
            run = oryx("machine", "--check", "--set", word, self.file)
            self.assertEqual(run.returncode, 2, run)
            self.assertIn(word, run.stderr)
        run = oryx("machine", "--set", "cpus.0.pc=0x404", "--set", "engine=interp", "--count", 1, self.file)
        self.assertIn("at 0x408 after 1", run.stderr)
        self.assertTrue((self.folder / "quirk.log").exists())  # paths in options start at the description, too
        self.assertEqual(oryx("machine", "--set", 'until=["0x408"]', self.file).stderr.splitlines()[0],
                         "cpu 0: until at 0x408 after 2 instructions")


class Agreement(Case):
    """The published schema and the loader: what the one refuses the other refuses, and at the same place. The oracle is a validator
    written here after JSON Schema 2020-12, for the keywords that the schema uses."""
    TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    KNOWN = {"$ref", "$schema", "$defs", "title", "description", "type", "properties", "required", "additionalProperties", "items", "minItems",
             "minLength", "enum", "const", "pattern", "minimum", "maximum", "allOf", "if", "then"}
    # What the loader says of the schema's keywords; anything else is about the meaning, which no schema can tell.
    SAYS = ("unknown member; known are", "must be of type", "must be one of", "is missing", "does not look like", "must be at least",
            "must be at most", "needs at least", "must not be empty")

    def is_type(self, v, name):
        number = isinstance(v, (int, float)) and not isinstance(v, bool)
        if name == "number":
            return number
        return number and v == int(v) if name == "integer" else isinstance(v, self.TYPES[name])

    def errors(self, rule, v, at=""):
        """JSON pointers of what breaks a rule."""
        self.assertLessEqual(set(rule), self.KNOWN)
        found = []
        if "$ref" in rule:
            found += self.errors(SCHEMA["$defs"][rule["$ref"].rsplit("/", 1)[1]], v, at)
        types = [rule["type"]] if isinstance(rule.get("type"), str) else rule.get("type", [])
        number = self.is_type(v, "number")
        if ((types and not any(self.is_type(v, t) for t in types)) or ("enum" in rule and v not in rule["enum"]) or
                ("const" in rule and v != rule["const"]) or
                (isinstance(v, str) and (len(v) < rule.get("minLength", 0) or not re.search(rule.get("pattern", ""), v))) or
                (number and not rule.get("minimum", v) <= v <= rule.get("maximum", v)) or
                (isinstance(v, list) and len(v) < rule.get("minItems", 0)) or
                (isinstance(v, dict) and not set(rule.get("required", ())) <= set(v))):
            found.append(at)
        if isinstance(v, dict):
            for key, below in v.items():
                if key in rule.get("properties", {}):
                    found += self.errors(rule["properties"][key], below, f"{at}/{key}")
                elif rule.get("additionalProperties") is False:
                    found.append(f"{at}/{key}")
        if isinstance(v, list) and "items" in rule:
            for i, below in enumerate(v):
                found += self.errors(rule["items"], below, f"{at}/{i}")
        for one in rule.get("allOf", ()):
            found += self.errors(one, v, at)
        if "if" in rule and not self.errors(rule["if"], v):
            found += self.errors(rule["then"], v, at)
        return found

    def places(self, v):
        """Every (container, key) of a description."""
        keys = list(v) if isinstance(v, dict) else range(len(v)) if isinstance(v, list) else []
        for k in keys:
            yield v, k
            yield from self.places(v[k])

    def test_mutations(self):
        random = Random(int(os.environ.get("ORYX_TEST_SEED", 1)))
        values = [None, True, 0, -1, 1.0, 1.5, 2 ** 64 - 1, -2 ** 31, 2 ** 31, "", "x", "0x10", "0xg", "99999999999999999999", "a b", "ram", [], [1], {},
                  {"x": 1}, "fault", "ones", "ignore", "rwx", "wr", "both", "quirk", "mirror", "elf", "r"]
        kinds = [json.loads(e) for e in re.findall(r"^    (\{.*?\})$(?=\n\n)", (SOURCE / "docs/quirks.md").read_text(), re.M | re.S)]
        agreed = {True: 0, False: 0}
        for _ in range(int(os.environ.get("ORYX_TEST_MACHINES", 250))):
            machine = base()
            machine["regions"][6]["options"] = json.loads(json.dumps(random.choice(kinds)))
            for _ in range(random.choice((1, 1, 1, 2))):
                at, key = random.choice(list(self.places(machine)))
                action = random.randrange(4)
                if action == 0:
                    del at[key]
                elif action == 1 and isinstance(at, dict):
                    at[random.choice(("nam", "kind", "addr", "x" * 70))] = at[key]
                else:
                    at[key] = random.choice(values)
            wrong = self.errors(SCHEMA, machine)
            run = oryx("machine", "--check", self.write(machine))
            self.assertIn(run.returncode, (0, 126), run)
            self.assertEqual(run.stderr.count("\n"), run.returncode != 0, run)
            said = re.match(r"oryx: [^ ]+:\d+: (/[^ ]*): (.*)", run.stderr)
            self.assertTrue(said or not run.returncode, run)
            by_rule = bool(said) and any(s in said.group(2) for s in self.SAYS) and not re.search(r"region '|^\w+ '", said.group(2))
            self.assertEqual(bool(wrong), by_rule, (wrong, run, machine))
            if wrong:
                self.assertIn(said.group(1), [w or "/" for w in wrong], machine)
            agreed[bool(wrong)] += 1
        self.assertGreater(min(agreed.values()), 10)

    def test_bytes(self):
        """Any bytes: an answer in one line, no crash, no hang."""
        random = Random(int(os.environ.get("ORYX_TEST_SEED", 1)))
        right = json.dumps(base()).encode()
        for _ in range(100):
            text = bytearray(right)
            for _ in range(random.choice((1, 2, 8))):
                i = random.randrange(len(text))
                text[i:i + random.choice((0, 1, 1, 20))] = random.choice((b"", bytes([random.randrange(256)]), b'"', b"\\u0000", b"{[", b"1e999"))
            self.file.write_bytes(bytes(text))
            run = subprocess.run([ORYX, "machine", "--check", self.file], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
            self.assertIn(run.returncode, (0, 126), (run, bytes(text)))
            self.assertEqual(run.stderr.count(b"\n"), run.returncode != 0, (run, bytes(text)))


class Signals(Case):
    def test_interrupt(self):
        """Ctrl-C ends the run in order, and its snapshot is saved."""
        machine = base()
        del machine["until"], machine["semihosting"]
        for engine in ("interp", "x64") if "x64" in oryx("plugins").stdout else ("interp",):
            run = subprocess.Popen([ORYX, "machine", "--engine", engine, "--save-snapshot", self.folder / "s", "--snapshot-exclude", "shm",
                                    self.write(machine)], stderr=subprocess.PIPE, text=True)
            while not re.search(r"(?m)^SigCgt:.*[0-9a-f]*[2367abef]$", pathlib.Path(f"/proc/{run.pid}/status").read_text()):
                time.sleep(0.01)
            time.sleep(0.1)
            run.send_signal(signal.SIGINT)
            self.assertIn("cpu 0: stop at 0x40c", run.communicate(timeout=30)[1])
            self.assertEqual(run.returncode, 0)
            self.assertTrue((self.folder / "s").stat().st_size)
            (self.folder / "s").unlink()

    def test_unread_output(self):
        """A guest that prints to a pipe nobody reads: the second Ctrl-C ends it where the first cannot."""
        code = [0x52800820, 0x39000020, 0x17FFFFFF]  # mov w0, #0x41; again: strb w0, [x1]; b again
        machine = {"arch": "arm64", "regions": [{"name": "ram", "type": "ram", "size": "0x1000", "addr": 0}],
                   "devices": [{"name": "u", "class": "uart16550", "options": {"chardev": "stdio"}, "map": [{"addr": "0x100000"}]}],
                   "images": [{"file": "code", "addr": 0}], "cpus": [{"pc": 0, "regs": {"x1": "0x100000"}}]}
        (self.folder / "code").write_bytes(struct.pack("<3I", *code))
        ends = os.pipe()
        run = subprocess.Popen([ORYX, "machine", self.write(machine)], stdout=ends[1], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        os.close(ends[1])
        time.sleep(1)
        for _ in range(2):
            run.send_signal(signal.SIGINT)
            time.sleep(0.3)
        run.communicate(timeout=30)
        self.assertIn(run.returncode, (0, -signal.SIGINT))
        self.assertTrue(os.read(ends[0], 16).startswith(b"AAAA"))
        os.close(ends[0])

    def test_broken_pipe(self):
        for words in (["mtree", BOARD], ["mtree", "--json", BOARD], ["machine", "--check", BOARD]):
            ends = os.pipe()
            os.close(ends[0])
            run = subprocess.run([ORYX, *map(str, words)], stdout=ends[1], stderr=subprocess.PIPE, timeout=60)
            os.close(ends[1])
            self.assertEqual((run.returncode, run.stderr), (-signal.SIGPIPE, b""), words)

    def test_colours(self):
        """Bold on a terminal, nowhere else, and not with NO_COLOR."""
        def on_terminal(**env):
            lead, follow = pty.openpty()
            run = subprocess.Popen([ORYX, "mtree", BOARD], stdout=follow, stderr=follow, env={**os.environ, **env})
            os.close(follow)
            text = b""
            try:
                while chunk := os.read(lead, 65536):
                    text += chunk
            except OSError:
                pass
            os.close(lead)
            self.assertEqual(run.wait(timeout=30), 0)
            return text
        plain = on_terminal(NO_COLOR="1")
        self.assertNotIn(b"\033", plain)
        self.assertIn(b"\033[1m", on_terminal(NO_COLOR=""))
        self.assertEqual(plain.replace(b"\r\n", b"\n").decode(), oryx("mtree", BOARD).stdout)


class Snapshots(Case):
    def test_two_halves(self):
        """Saved in the middle and loaded again, the board prints and counts what it does in one go."""
        whole = oryx("machine", BOARD)
        total = int(re.search(r"after (\d+) instructions", whole.stderr).group(1))
        snap = self.folder / "half.snap"
        for engines in (("interp", "interp"), ("interp", None)):
            args = [["--engine", e] if e else [] for e in engines]
            first = oryx("machine", *args[0], "--count", total // 2, "--save-snapshot", snap, BOARD)
            second = oryx("machine", *args[1], "--load-snapshot", snap, BOARD)
            self.assertEqual((first.returncode, second.returncode), (0, 0), (first, second))
            self.assertEqual(first.stdout + second.stdout, whole.stdout)
            self.assertIn(f"after {total - total // 2} instructions", second.stderr)

    def test_refused(self):
        snap = self.folder / "x.snap"
        run = oryx("machine", "--load-snapshot", snap, BOARD)
        self.assertEqual((run.returncode, run.stdout), (127, ""))
        self.assertIn(str(snap), run.stderr)
        snap.write_bytes(b"something else that is long enough for a header")
        run = oryx("machine", "--load-snapshot", snap, BOARD)
        self.assertEqual((run.returncode, run.stdout), (126, ""))
        self.assertIn("no snapshot of Oryx", run.stderr)
        machine = base()
        machine["until"] = ["0x408"]
        run = oryx("machine", "--save-snapshot", snap, self.write(machine))
        self.assertIn("under an OS personality", run.stderr)  # open files are the host's
        del machine["semihosting"]
        run = oryx("machine", "--save-snapshot", snap, self.write(machine))
        self.assertEqual(run.returncode, 1)
        self.assertIn("region 'shm' cannot be captured", run.stderr)
        self.assertIn(b"something else", snap.read_bytes())
        run = oryx("machine", "--save-snapshot", snap, "--snapshot-exclude", "shn", self.file)
        self.assertEqual((run.returncode, "'shn'" in run.stderr), (2, True), run)
        run = oryx("machine", "--save-snapshot", self.folder, "--snapshot-exclude", "shm", self.file)
        self.assertEqual((run.returncode, "no regular file" in run.stderr, self.folder.is_dir()), (1, True, True), run)
        run = oryx("machine", "--save-snapshot", snap, "--snapshot-exclude", "shm", self.file)
        self.assertEqual(run.returncode, 0, run)
        run = oryx("machine", "--load-snapshot", snap, self.file)
        self.assertEqual(run.returncode, 0, run)
        run = oryx("machine", "--load-snapshot", snap, BOARD)
        self.assertEqual(run.returncode, 126)
        self.assertIn("section regions", run.stderr)


class Mtree(Case):
    def test_against_a_model(self):
        """Siblings of several sizes and priorities: the flat view byte by byte."""
        areas = [("a", 0x10, 0x80, 0), ("b", 0x40, 0x20, 2), ("c", 0x50, 0x60, 1), ("d", 0x51, 1, 3), ("e", 0x8f, 0x31, -1)]
        machine = {"arch": "arm64", "cpus": [{}], "regions": [
            {"name": n, "type": "ram", "addr": a, "size": s, "priority": p} for n, a, s, p in areas]}
        got = json.loads(oryx("mtree", "--json", self.write(machine)).stdout)["spaces"][0]
        owner = {}
        for n, a, s, p in sorted(areas, key=lambda r: r[3]):
            for i in range(s):
                owner[a + i] = (n, i)
        seen = {}
        for row in got["view"]:
            first, last, offset = (int(row[k], 16) for k in ("first", "last", "offset"))
            for i in range(last - first + 1):
                self.assertNotIn(first + i, seen)
                seen[first + i] = (row["region"], offset + i)
        self.assertEqual(seen, owner)
        self.assertEqual([(r["name"], r["addr"], r["priority"]) for r in got["regions"]],
                         [(n, hex(a), p) for n, a, s, p in sorted(areas, key=lambda r: r[1])])
        picture = xml.fromstring(oryx("mtree", "--svg", "-", self.file).stdout)
        self.assertEqual(len([t for t in picture.iter("{http://www.w3.org/2000/svg}title")]), len(got["view"]))

    def test_tables(self):
        text = oryx("mtree", self.write(base())).stdout
        self.assertRegex(text, r"(?m)^bus +0x0000000000200000 +0x0000000000200fff +4 KiB +container +rwx +-3")
        self.assertRegex(text, r"(?m)^  low +0x0000000000200010 +0x000000000020010f +256 B +alias +rwx +0 +shows ram \+ 0x20$")
        self.assertRegex(text, r"(?m)^ *0x0000000000200010 +0x000000000020010f +256 B +ram +0x20 +ram +rwx$")
        self.assertRegex(text, r"(?m)^rom .* r-- +0 +rom$")
        self.assertRegex(text, r"(?m)^t +0x0000000000401000 .*device timer$")
        self.assertIn("Space dma: flat view", text)
        for block in text.split("\n\n"):  # columns stand under each other
            rows = block.rstrip("\n").splitlines()[1:]
            if rows and "First" in rows[0]:
                end = rows[0].index("Last") + 4
                self.assertTrue(all(re.match(r"[0-9a-f]{16}$", r[end - 16:end]) for r in rows[1:]), block)

    def test_picture_file(self):
        self.assertIn("No space left", oryx("mtree", "--svg", "/dev/full", BOARD).stderr)
        out = self.folder / "map.svg"
        self.assertEqual(oryx("mtree", "--svg", out, BOARD).returncode, 0)
        labels = [t.text for t in xml.parse(out).iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("ram (ram, 1 MiB, rwx)", labels)
        self.assertIn("0x9000000", labels)
        self.assertEqual(oryx("mtree", "--svg", self.folder / "no/where.svg", BOARD).returncode, 125)
        self.assertEqual(oryx("mtree", "--svg", out, "--json", BOARD).returncode, 2)


if __name__ == "__main__":
    unittest.main()
