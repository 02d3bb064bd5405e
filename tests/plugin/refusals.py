#!/usr/bin/env python3
"""Every rule for plugin files has here a file that breaks only that rule, and the untouched plugin that breaks none. The
oracle is how the file was made: compiler and linker options, bytes patched at offsets that Python finds for itself by the
ELF specification, modes set by the kernel. Refusals must come before any code of the file runs, and name path, rule and
remedy.

usage: refusals.py DRIVER
"""
import os
import shutil
import struct
import sys
from pathlib import Path

from host import Checks, Driver, compile_plugin, manifest, scratch

E_IO, E_NOTFOUND, E_PERM, E_VERSION, E_PLUGIN, E_FORMAT = -6, -3, -7, -9, -10, -11
PT_LOAD, PT_DYNAMIC, PT_GNU_STACK = 1, 2, 0x6474E551
check = Checks()


class Elf:
    """Just enough of a 64-bit little-endian ELF to patch one field."""

    def __init__(self, path):
        self.b = bytearray(Path(path).read_bytes())
        self.phoff, = struct.unpack_from("<Q", self.b, 32)
        self.phnum, = struct.unpack_from("<H", self.b, 56)
        self.ph = [(self.phoff + 56 * i, *struct.unpack_from("<IIQQQQQQ", self.b, self.phoff + 56 * i))
                   for i in range(self.phnum)]

    def segments(self, kind):
        return [p for p in self.ph if p[1] == kind]

    def dynamic(self, tag):
        """File offset of the value of a dynamic tag."""
        at = self.segments(PT_DYNAMIC)[0][3]
        while True:
            found, _ = struct.unpack_from("<qQ", self.b, at)
            if found == tag:
                return at + 8
            if found == 0:
                raise KeyError(tag)
            at += 16

    def note(self):
        """File offset of the manifest note's header: name length, text length, type, name."""
        return self.b.index(struct.pack("<I", 1) + b"Oryx\0") - 8

    def end(self):
        """Bytes that the program headers reach."""
        return max(p[3] + p[6] for p in self.ph if p[1] != PT_GNU_STACK)

    def patched(self, path, *changes):
        b = bytearray(self.b)
        for form, at, value in changes:
            struct.pack_into(form, b, at, value)
        Path(path).write_bytes(b)
        return path


def refused(driver, what, path, rule, code, remedy, command="verify"):
    """verify(path) breaks exactly `rule`, before any code ran."""
    rows = driver(command, path)
    broken = [r[1] for r in rows if r[0] == "rule" and r[2] == "0"]
    status = [r for r in rows if r[0] == "status"][0]
    where = "(bytes)" if command == "image" else str(path)
    check(f"{what}: breaks rule '{rule}' only", broken == [rule], f"{broken} {status}")
    check(f"{what}: status {code}", int(status[1]) == code, status)
    check(f"{what}: the text names path, rule and remedy",
          where in status[2] and f"'{rule}'" in status[2] and remedy in status[2], status[2])
    check(f"{what}: nothing ran", driver.ran() == "", "")


def file_rules(driver, work, good):
    refused(driver, "no such file", work / "none.so", "open", E_NOTFOUND, "must be readable")
    refused(driver, "directory", work, "regular", E_PLUGIN, "name a file in it")
    os.mkfifo(work / "fifo.so")
    refused(driver, "fifo", work / "fifo.so", "regular", E_PLUGIN, "regular file")
    with open(work / "huge.so", "wb") as f:
        f.truncate(256 << 20)
    refused(driver, "256 MiB", work / "huge.so", "size", E_PLUGIN, "at most")
    (work / "huge.so").unlink()
    for mode, octal in ((0o757, "757"), (0o646, "646")):
        p = work / "mode.so"
        shutil.copy(good, p)
        p.chmod(mode)
        refused(driver, f"mode {octal}", p, "mode", E_PERM, f"{octal} (chmod go-w it)")
    p.chmod(0o755)
    check("the mended file is accepted", driver.status("verify", p)[0] == 0)
    (work / "open").mkdir()
    inside = Path(shutil.copy(good, work / "open"))
    (work / "open").chmod(0o777)
    refused(driver, "directory mode 777", inside, "directory", E_PERM, f"{work}/open must belong to root or you")
    (work / "open").chmod(0o1777)
    check("a sticky directory is accepted", driver.status("verify", inside)[0] == 0)
    (work / "open").chmod(0o755)
    (work / "link.so").symlink_to(good)
    check("a link to a good file is accepted", driver.status("verify", work / "link.so")[0] == 0)
    (work / "bad").mkdir()
    bad = Path(shutil.copy(good, work / "bad"))
    (work / "bad").chmod(0o777)
    (work / "link2.so").symlink_to(bad)
    rows = driver("verify", work / "link2.so")
    check("a link is judged by what it points to", [r[1] for r in rows if r[2] == "0"] == ["directory"], rows)
    shutil.rmtree(work / "bad")
    if os.geteuid() == 0:
        p = Path(shutil.copy(good, work / "owner.so"))
        os.chown(p, 12345, 12345)
        refused(driver, "another owner", p, "owner", E_PERM, "belongs to user 12345 (chown it)")
        os.chown(p, 0, 12345)
        p.chmod(0o775)
        refused(driver, "group 12345 may write", p, "mode", E_PERM, "775 (chmod go-w it)")
        os.chown(p, 0, 0)
        check("root's own group may write", driver.status("verify", p)[0] == 0)
        os.chown(work / "open", 12345, 0)
        refused(driver, "a directory of another user", inside, "directory", E_PERM, "must belong to root or you")
        os.chown(work / "open", 0, 0)
    else:
        print("note: not root, so files of other owners were not tried")


def elf_rules(driver, work, good):
    elf = Elf(good)
    p = work / "e.so"
    note = elf.note()
    stack = elf.segments(PT_GNU_STACK)[0]
    load = elf.segments(PT_LOAD)[-1]

    def patched(*changes):
        return elf.patched(p, *changes)

    cases = [
        ("empty file", b"", "elf", E_FORMAT, "cc -shared"),
        ("text", b"#!/bin/sh\nexit 0\n" * 40, "elf", E_FORMAT, "cc -shared"),
        ("header alone cut", bytes(elf.b[:63]), "elf", E_FORMAT, "cc -shared"),
        ("wrong magic", [("<B", 1, ord("F"))], "elf", E_FORMAT, "cc -shared"),
        ("32-bit class", [("<B", 4, 1)], "machine", E_FORMAT, "built for this host"),
        ("big-endian data", [("<B", 5, 2)], "machine", E_FORMAT, "built for this host"),
        ("machine s390", [("<H", 18, 22)], "machine", E_FORMAT, "its ELF machine is 22"),
        ("ET_EXEC type", [("<H", 16, 2)], "shared", E_FORMAT, "shared object (it is 2)"),
        ("ET_REL type", [("<H", 16, 1)], "shared", E_FORMAT, "shared object (it is 1)"),
        ("program header size", [("<H", 54, 32)], "headers", E_FORMAT, "copy it again"),
        ("no program headers", [("<H", 56, 0)], "headers", E_FORMAT, "copy it again"),
        ("program headers outside", [("<Q", 32, len(elf.b) - 8)], "headers", E_FORMAT, "copy it again"),
        ("program headers at 2^64", [("<Q", 32, 2**64 - 8)], "headers", E_FORMAT, "copy it again"),
        ("65535 program headers", [("<H", 56, 65535)], "headers", E_FORMAT, "copy it again"),
        ("segment outside", [("<Q", load[0] + 8, len(elf.b))], "segments", E_FORMAT, "copy it again"),
        ("segment length overflows", [("<Q", load[0] + 32, 2**64 - 1)], "segments", E_FORMAT, "copy it again"),
        ("note owner", [("<B", note + 12, ord("o"))], "note", E_PLUGIN, "0 found (use ORYX_MANIFEST"),
        ("note type 2", [("<I", note + 8, 2)], "note", E_PLUGIN, "0 found (use ORYX_MANIFEST"),
        ("note length overflows", [("<I", note + 4, 2**32 - 1)], "note", E_PLUGIN, "0 found"),
        ("note name length overflows", [("<I", note, 2**32 - 1)], "note", E_PLUGIN, "0 found"),
        ("executable stack flag", [("<I", stack[0] + 4, 7)], "stack", E_PLUGIN, "noexecstack"),
        ("no stack header", [("<I", stack[0], 0x6FFFFFF0)], "stack", E_PLUGIN, "noexecstack"),
        ("no dynamic section", [("<I", elf.segments(PT_DYNAMIC)[0][0], 0x6FFFFFF0)], "dynamic", E_FORMAT, "-shared"),
        ("symbol table outside", [("<Q", elf.dynamic(6), 1 << 40)], "symbols", E_FORMAT, "inside the file"),
        ("string table outside", [("<Q", elf.dynamic(5), 1 << 40)], "symbols", E_FORMAT, "inside the file"),
        ("string table size 0", [("<Q", elf.dynamic(10), 0)], "symbols", E_FORMAT, "inside the file"),
        ("hash table outside", [("<Q", elf.dynamic(0x6FFFFEF5), 1 << 40)], "symbols", E_FORMAT, "inside the file"),
    ]
    strtab, = struct.unpack_from("<Q", elf.b, elf.dynamic(5))
    size, = struct.unpack_from("<Q", elf.b, elf.dynamic(10))
    first = elf.segments(PT_LOAD)[0]
    check("the dynamic strings are in the first segment", first[4] <= strtab < first[4] + first[6])
    last = strtab - first[4] + first[3] + size - 1
    cases.append(("string table without end", [("<B", last, 65)], "symbols", E_FORMAT, "inside the file"))
    for what, change, rule, code, remedy in cases:
        if isinstance(change, bytes):
            p.write_bytes(change)
        else:
            patched(*change)
        refused(driver, what, p, rule, code, remedy)
    p.unlink()

    built = [
        ("executable stack", ["-Wl,-z,execstack"], "stack", E_PLUGIN, "noexecstack"),
        ("text relocation", ["-DTEXTREL", "-Wl,-z,notext"], "textrel", E_PLUGIN, "-fPIC"),
        ("no note", ["-DNO_NOTE"], "note", E_PLUGIN, "0 found (use ORYX_MANIFEST"),
        ("two notes", ["-DTWO_NOTES"], "note", E_PLUGIN, "2 found"),
        ("another export", ["-DEXTRA_EXPORT"], "exports", E_PLUGIN, "also exports 'extra_symbol' (build with -fvis"),
        ("entry of another ABI", ["-DENTRY_NAME=oryx_plugin_open_v2"], "entry", E_VERSION, "oryx_plugin_open_v1 must be"),
        ("entry is data", ["-DENTRY_DATA"], "entry", E_VERSION, "the function oryx_plugin_open_v1"),
        ("another export, old hash", ["-DEXTRA_EXPORT", "-Wl,--hash-style=sysv"], "exports", E_PLUGIN, "extra_symbol"),
    ]
    for what, flags, rule, code, remedy in built:
        refused(driver, what, compile_plugin(p, "-DCONSTRUCTOR", *flags), rule, code, remedy)
    compile_plugin(p, "-Wl,--hash-style=sysv")
    check("the old hash table alone is accepted", driver.status("verify", p)[0] == 0)
    compile_plugin(p, "-Wl,-s")
    check("a stripped plugin is accepted", driver.status("verify", p)[0] == 0)


def truncated(driver, good):
    """Below the last byte that a program header names every length is refused; above it only section headers are lost."""
    end, size = Elf(good).end(), good.stat().st_size
    rows = driver("truncate", good)
    check("every truncation gives a rule", not [r for r in rows if r[0] == "silent"], rows)
    check(f"exactly the lengths {end}..{size - 1} hold", [r[1:] for r in rows if r[0] == "accepted"] ==
          [[str(end), str(size - 1)]], rows)


def manifest_rules(driver, work):
    p = work / "m.so"
    provides = [{"interface": "oryx.device/1", "class": "x"}]
    cases = [
        ("not JSON", "hello", "manifest json", E_FORMAT, "one JSON object"),
        ("JSON cut", manifest()[:-1], "manifest json", E_FORMAT, "one JSON object"),
        ("a list", "[1]", "manifest json", E_FORMAT, "one JSON object"),
        ("text after the object", manifest() + "x", "manifest json", E_FORMAT, "one JSON object"),
        ("single quotes", "{'id': 'x'}", "manifest json", E_FORMAT, "one JSON object"),
        ("nested too deep", manifest(x=None)[:-1] + ", " + '"x": ' + "[" * 40 + "]" * 40 + "}", "manifest json", E_FORMAT,
         "one JSON object"),
        ("no id", manifest(ident=None), "id", E_FORMAT, "must be a word"),
        ("empty id", manifest(ident=""), "id", E_FORMAT, "must be a word"),
        ("id with a slash", manifest(ident="a/b"), "id", E_FORMAT, "must be a word"),
        ("id with a space", manifest(ident="a b"), "id", E_FORMAT, "must be a word"),
        ("id is a number", manifest(ident=7), "id", E_FORMAT, "must be a word"),
        ("id of 128 letters", manifest(ident="a" * 128), "id", E_FORMAT, "must be a word"),
        ("no version", manifest(version=None), "version", E_FORMAT, "1.2.3"),
        ("version of four parts", manifest(version="1.2.3.4"), "version", E_FORMAT, "1.2.3"),
        ("version with a letter", manifest(version="1.2b"), "version", E_FORMAT, "1.2.3"),
        ("version ends in a dot", manifest(version="1."), "version", E_FORMAT, "1.2.3"),
        ("version part too large", manifest(version="4294967296"), "version", E_FORMAT, "1.2.3"),
        ("no abi", manifest(abi=None), "abi", E_FORMAT, '"abi": {"major": 1'),
        ("abi is a number", manifest(abi=1), "abi", E_FORMAT, '"abi": {"major": 1'),
        ("abi major is text", manifest(abi={"major": "1"}), "abi", E_FORMAT, '"abi": {"major": 1'),
        ("abi major 0", manifest(abi={"major": 0, "minor": 0}), "abi version", E_VERSION, "0.0, this Oryx speaks 1.0"),
        ("abi major 0, remedy", manifest(abi={"major": 0, "minor": 0}), "abi version", E_VERSION, "rebuild the plugin"),
        ("abi major 2", manifest(abi={"major": 2, "minor": 0}), "abi version", E_VERSION, "install a newer Oryx"),
        ("abi major 2^32 + 1", manifest(abi={"major": 2**32 + 1, "minor": 0}), "abi version", E_VERSION, "Oryx"),
        ("abi minor 999", manifest(abi={"major": 1, "minor": 999}), "abi version", E_VERSION, "install a newer Oryx"),
        ("no provides", manifest(provides=None), "provides", E_FORMAT, '"provides": [{"interface"'),
        ("provides nothing", manifest(provides=[]), "provides", E_FORMAT, '"provides": [{"interface"'),
        ("provides a text", manifest(provides=["x"]), "provides", E_FORMAT, '"provides": [{"interface"'),
        ("provides without class", manifest(provides=provides + [{"interface": "oryx.probe/1"}]), "provides", E_FORMAT,
         '"provides": [{"interface"'),
        ("class with a slash", manifest(provides=[{"interface": "oryx.device/1", "class": "a/b"}]), "provides", E_FORMAT,
         '"provides": [{"interface"'),
        ("requires an object", manifest(requires={"id": "x"}), "requires", E_FORMAT, '"requires" must be'),
        ("requires a text", manifest(requires=["x"]), "requires", E_FORMAT, '"requires" must be'),
        ("requires without id", manifest(requires=[{"range": ">=1"}]), "requires", E_FORMAT, '"requires" must be'),
        ("requires a bad range", manifest(requires=[{"id": "x", "range": "~1.0"}]), "requires", E_FORMAT,
         '"requires" must be'),
    ]
    # One plugin whose note has room; the text of each case is padded with spaces to exactly that room.
    room = 700
    elf = Elf(compile_plugin(work / "room.so", "-DCONSTRUCTOR", text="{" + " " * (room - 2) + "}"))
    note = elf.note()
    size, = struct.unpack_from("<I", elf.b, note + 4)
    check("the note is as long as its text and a NUL", size == room + 1, size)

    def write(text, nul=True):
        b = bytearray(elf.b)
        body = text.encode()
        b[note + 20:note + 20 + room + 1] = body + b" " * (room - len(body)) + (b"\0" if nul else b" ")
        p.write_bytes(b)

    for what, text, rule, code, remedy in cases:
        write(text)
        refused(driver, what, p, rule, code, remedy)
    write(manifest(), nul=False)
    refused(driver, "manifest without NUL", p, "manifest text", E_FORMAT, "NUL-terminated")
    write(manifest()[:-1] + "\0}")
    refused(driver, "manifest with a NUL inside", p, "manifest text", E_FORMAT, "NUL-terminated")
    long = compile_plugin(work / "long.so", text=manifest(note="x" * 66000))
    refused(driver, "manifest of 66 KB", long, "manifest text", E_FORMAT, "at most 65536 bytes")

    for what, text in (("unknown members", manifest(colour="red", nested={"a": [1]})),
                       ("no abi minor", manifest(abi={"major": 1})),
                       ("id of 127 letters", manifest(ident="a" * 127)),
                       ("requirements", manifest(requires=[{"id": "x", "range": ">=1.0 <2", "optional": True}, {"id": "y"}])),
                       ("two interfaces", manifest(provides=provides + [{"interface": "oryx.probe/1", "class": "y"}]))):
        write(text)
        check(f"{what}: accepted", driver.status("verify", p)[0] == 0, driver.status("verify", p))


def version_ranges(driver):
    for version, range_, expected in (
            ("1.2.3", "", 1), ("1.2.3", "1.2.3", 1), ("1.2.3", "=1.2.3", 1), ("1.2.3", "1.2", 0), ("1.2", "1.2.0", 1),
            ("1.2.3", ">=1.2.3", 1), ("1.2.3", ">1.2.3", 0), ("1.2.3", "<=1.2.3", 1), ("1.2.3", "<1.2.3", 0),
            ("1.9.0", ">=1.10", 0), ("1.10.0", ">=1.9", 1), ("2.0.0", ">=1.2 <2", 0), ("1.99.99", ">=1.2 <2", 1),
            ("1.1.9", ">=1.2 <2", 0), ("1.2.3", "  >=1 ", 1), ("4294967295", ">4294967294", 1),
            ("1.2.3", ">", -1), ("1.2.3", ">=x", -1), ("1.2.3", "1.2.3.4", -1), ("1.2.3", ">=1.2,<2", -1), ("x", "", -1),
            ("1.2.3 ", "", -1), ("", "", -1), ("1.2.3", "==1", -1), ("1.2.3", "~1", -1)):
        got = int(driver("range", version, range_)[0][1])
        check(f"version '{version}' in '{range_}'", got == expected, f"{got}, expected {expected}")


def main():
    driver = Driver(sys.argv[1])
    with scratch() as work:
        work = Path(work)
        good = compile_plugin(work / "good.so", "-DCONSTRUCTOR")
        rows = driver("verify", good)
        check("the good plugin is accepted", rows[-1][:2] == ["status", "0"], rows)
        check("every rule was reported", len([r for r in rows if r[0] == "rule"]) >= 20 and
              not [r for r in rows if r[0] == "rule" and r[2] != "1"], rows)
        check("checking it runs nothing", driver.ran() == "")
        check("loading it does, so the tests of that can fail",
              driver.status("static", work, "oryx.device/1", "good")[0] == 0 and driver.ran() == "entry")
        file_rules(driver, work, good)
        elf_rules(driver, work, good)
        truncated(driver, good)
        manifest_rules(driver, work)
        version_ranges(driver)
    check("the driver ends well", driver.close() == 0)
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
