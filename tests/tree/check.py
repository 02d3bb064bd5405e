#!/usr/bin/env python3
"""Checks rules about the source tree and the built plugins that no compiler checks.

Each rule is a function that yields (place, message); tests/tree/selftest.py feeds every rule a tree
that breaks it. An exception is a line of exceptions.txt: RULE SUBJECT REASON, where SUBJECT is the
place (a glob) or place:detail as printed.

usage: check.py [--source DIR] [--build DIR] [--exceptions FILE] [RULE...]
"""
import argparse
import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CODE = {".c", ".h", ".def", ".inc"}
C_STANDARD_HEADERS = {
    "assert.h", "complex.h", "ctype.h", "errno.h", "fenv.h", "float.h", "inttypes.h", "iso646.h",
    "limits.h", "locale.h", "math.h", "setjmp.h", "signal.h", "stdalign.h", "stdarg.h", "stdatomic.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "stdnoreturn.h", "string.h", "tgmath.h",
    "threads.h", "time.h", "uchar.h", "wchar.h", "wctype.h"}
ENDS_PROCESS = {"exit", "_exit", "_Exit", "quick_exit", "abort", "err", "errx", "verr", "verrx", "error",
                "g_assertion_message", "g_assertion_message_expr", "g_abort", "__assert_perror_fail"}
HANDLES_SIGNALS = {"signal", "sigaction", "sigset", "sigvec", "bsd_signal", "__sysv_signal",
                   "sigaltstack", "sigignore", "siginterrupt"}
SANITIZERS = ("__asan_", "__tsan_", "__ubsan_", "__msan_")
ENTRY = "oryx_plugin_open_v1"
MAX_LINES = 900


class Tree:
    """The files of a source tree (relative paths, / separated), without build output."""

    def __init__(self, source, build=None):
        self.source = Path(source)
        self.build = Path(build) if build else None
        self.files = []
        for folder, names, files in os.walk(self.source):
            here = Path(folder).relative_to(self.source)
            top = here == Path(".")
            names[:] = sorted(n for n in names if n not in (".git", "__pycache__", ".cache")
                              and not (top and n.startswith("build"))
                              and not (Path(folder) / n / "CMakeCache.txt").exists())
            self.files += [(here / f).as_posix() for f in sorted(files)
                           if not f.endswith(("~", ".swp", ".pyc"))]
        self.known = set(self.files)

    def text(self, path):
        """The file's text, or None when it is not text."""
        data = (self.source / path).read_bytes()
        if b"\0" in data:
            return None
        return data.decode("utf-8", "replace")

    def having(self, *suffixes):
        return [f for f in self.files if Path(f).suffix in suffixes]


def part_of(path):
    """The part a file belongs to: abi, core, arch-arm, plugins/region-ram, examples/counter, ..."""
    pieces = path.split("/")
    if pieces[0] in ("plugins", "examples", "tests") and len(pieces) > 2:
        return "/".join(pieces[:2])
    return pieces[0] if len(pieces) > 1 else ""


def may_include(part, other):
    if part.startswith("tests"):
        return True  # white-box tests see what they test
    if other == part or other == "abi":
        return True
    if part.startswith("plugins/engine-") and other == "plugins/softops":
        return True  # the reference op functions, a static library of the engines
    # examples/ and plugins/ may keep a common header at their own top
    return part.split("/")[0] in ("tools", "examples") and other == part.split("/")[0]


def without_comments(text):
    """Blank C comments, keeping line numbers."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def rule_includes(tree):
    """abi includes C standard headers and abi; everything else abi and its own folder."""
    by_name = {}
    for path in tree.having(".h", ".def", ".inc", ".c"):
        by_name.setdefault(path.rsplit("/", 1)[-1], []).append(path)
    for path in tree.having(*CODE):
        part = part_of(path)
        folder = os.path.dirname(path)
        for number, line in enumerate(without_comments(tree.text(path) or "").split("\n"), 1):
            found = re.match(r"\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", line)
            if not found:
                continue
            bracket, name = found.groups()
            target = None
            beside = os.path.normpath(os.path.join(folder, name))
            if beside.startswith(".."):
                yield f"{path}:{number}", f"includes {name}, which is outside the tree"
                continue
            for candidate in (beside, f"{part}/{name}", f"abi/{name}"):
                if candidate in tree.known and (bracket == '"' or candidate != beside):
                    target = candidate
                    break
            if target is None and bracket == '"':
                same = by_name.get(name.rsplit("/", 1)[-1], [])
                others = [p for p in same if p == name or p.endswith("/" + name)]
                target = others[0] if others else None
            if target is not None and not may_include(part, part_of(target)):
                yield (f"{path}:{number}", f"includes {target}; {part or 'the top'} may include abi/ and "
                       "its own folder only: put what both need into abi/")
            if target is None and part == "abi" and name not in C_STANDARD_HEADERS:
                yield (f"{path}:{number}", f"includes <{name}>; abi/ may include C standard headers and "
                       "abi/ only")


def rule_banner(tree):
    """Every .c opens with a comment that says what it owns."""
    for path in tree.having(".c"):
        found = re.match(r"\s*/\*(.*?)\*/", tree.text(path) or "", re.S)
        if not found or len(found.group(1).split()) < 6:
            yield (f"{path}:1", "has no banner: open with a comment that says what the file owns, who "
                   "calls it and the one invariant it keeps")


def rule_length(tree):
    """No file over 900 lines but tables."""
    for path in tree.files:
        if Path(path).suffix in (".def", ".rows", ".ins", ".index"):
            continue
        text = tree.text(path)
        lines = text.count("\n") if text is not None else 0
        if lines > MAX_LINES:
            yield path, f"has {lines} lines, over {MAX_LINES}: look for the second subject in it"


def rule_paths(tree):
    """No path of somebody's machine."""
    personal = re.compile(r"(?<![\w.$}/-])(/(?:home|Users|work)/[A-Za-z0-9_.-]+|/root/[\w.-]+)")
    here = str(tree.source.resolve())
    for path in tree.files:
        for number, line in enumerate((tree.text(path) or "").split("\n"), 1):
            found = personal.search(line)
            word = found.group(1) if found else here if here.count("/") > 2 and here in line else None
            if word:
                yield f"{path}:{number}", f"names {word}, a path of one machine: use a variable"


def rule_unfinished(tree):
    """No note to self in the sources."""
    note = r"\b(TODO|FIXME)\b"
    gap = r"not[ -]implemented|unimplemented"  # a test may speak of what is not
    for path in tree.having(*CODE, ".py", ".sh", ".cmake"):
        if path.startswith("tests/tree/"):
            continue
        word = re.compile(note if path.startswith("tests/") else f"{note}|{gap}", re.I)
        for number, line in enumerate((tree.text(path) or "").split("\n"), 1):
            if word.search(line):
                yield f"{path}:{number}", f"says '{word.search(line).group()}': finish it or drop it"


def rule_abitypes(tree):
    """No bool, long, FILE, GLib type, bit-field, variadic function or enum-typed value in the ABI."""
    banned = [(r"\b(?:bool|_Bool)\b", "bool"), (r"\blong\b", "long"), (r"\bFILE\b", "FILE"),
              (r"\b(?:gboolean|gchar|gint|guint\w*|gpointer|G[A-Z][a-z]\w+)\b", "a GLib type"),
              (r"\w\s*:\s*\d+\s*;", "a bit-field"), (r",\s*\.\.\.\s*\)", "a variadic function"),
              (r"\benum\s+\w+\s+\*?\w+\s*[;,)(]", "a value of an enum type")]
    for path in tree.having(".h"):
        if not path.startswith("abi/") or path.startswith("abi/helper/"):
            continue
        text = without_comments(tree.text(path) or "")
        text = re.sub(r"\"(\\.|[^\"\\])*\"", '""', text)
        # Macros are the reader's convenience, not layout.
        text = re.sub(r"^\s*#(?:.*\\\n)*.*", lambda m: "\n" * m.group().count("\n"), text, flags=re.M)
        for number, line in enumerate(text.split("\n"), 1):
            for pattern, what in banned:
                if re.search(pattern, line):
                    yield (f"{path}:{number}", f"uses {what}: the ABI has fixed-width integers, pointers "
                           "and structs of them only")


def rule_headers(tree):
    """Every ABI header compiles alone as C11 and as C++17."""
    compilers = [("gcc", "c", "c11"), ("g++", "c++", "c++17"), ("clang", "c", "c11"), ("clang++", "c++", "c++17")]
    compilers = [c for c in compilers if shutil.which(c[0])]
    for language in ("c", "c++"):
        if not any(c[1] == language for c in compilers):
            yield "abi", f"no {language} compiler found: install g++"
    for path in tree.having(".h"):
        if not path.startswith("abi/"):
            continue
        for compiler, language, standard in compilers:
            done = subprocess.run(
                [compiler, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
                 "-I", str(tree.source / "abi"), "-x", language, "-"],
                input=f'#include "{path[4:]}"\n', capture_output=True, text=True)
            if done.returncode:
                first = next((x for x in done.stderr.split("\n") if "error" in x), done.stderr[:200])
                yield path, f"does not compile alone with {compiler} -std={standard}: {first.strip()}"


def rule_shell(tree):
    """Shell scripts are clean under shellcheck."""
    scripts = [f for f in tree.files if re.match(r"#!.*\b(bash|sh)\b", (tree.text(f) or "")[:80])]
    if scripts and not shutil.which("shellcheck"):
        yield "shellcheck", "not found: install shellcheck"
        return
    for path in scripts:
        done = subprocess.run(["shellcheck", "-f", "gcc", path], cwd=tree.source, capture_output=True, text=True)
        for line in done.stdout.splitlines():
            place, _, message = line.partition(" ")
            yield place.rstrip(":"), message


def tool(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def symbols(path, kind):
    lines = tool("nm", "-D", f"--{kind}", "--format=posix", str(path)).splitlines()
    return [(x.split()[0].split("@")[0], x.split()[1]) for x in lines if x.split()[1] != "A"]


def rule_symbols(tree):
    """A plugin exports its entry and nothing else, never ends the process or takes a signal."""
    plugins = sorted((tree.build / "plugins").glob("*.so"))
    sources = [f for f in tree.files if re.match(r"(plugins/[^/]+|arch-[^/]+)/CMakeLists\.txt$", f)]
    if sources and not plugins:
        yield "plugins", f"no plugin in {tree.build.name}/plugins: build first"
    libraries = [p for p in [tree.build / "liboryx.so"] if p.exists()]
    for path in plugins + libraries:
        name = path.name
        defined = {s for s, _ in symbols(path, "defined-only")}
        undefined = {s for s, _ in symbols(path, "undefined-only")}
        sanitized = any(s.startswith(SANITIZERS) for s in undefined)
        forbidden = ENDS_PROCESS | HANDLES_SIGNALS
        dynamic = tool("readelf", "-dW", str(path))
        if path in plugins:
            for symbol in sorted(defined - {ENTRY}):
                yield f"{name}:{symbol}", f"is exported; a plugin exports {ENTRY} only"
            if ENTRY not in defined:
                yield name, f"does not export {ENTRY}"
            if "liboryx" in dynamic:
                yield name, "links liboryx; a plugin gets the host's functions from its host table"
        else:
            for symbol in sorted(s for s in defined if not s.startswith("oryx_")):
                yield f"{name}:{symbol}", "is exported; the library exports oryx_* only"
        if not sanitized:
            forbidden = forbidden | {"__assert_fail"}  # debug builds may assert
        for symbol in sorted(undefined & forbidden):
            yield (f"{name}:{symbol}", "is called; a library or plugin returns an error, never ends the "
                   "host process and takes no signal")
        yield from hardening(path, name, dynamic, sanitized)


def hardening(path, name, dynamic, sanitized):
    """What the loader refuses, or what would run before the entry."""
    if "TEXTREL" in dynamic:
        yield name, "has text relocations: compile with -fPIC"
    if not re.search(r"BIND_NOW|Flags:.*\bNOW\b", dynamic):
        yield name, "is not linked with -z now"
    segments = tool("readelf", "-lW", str(path))
    stack = re.search(r"GNU_STACK\s+(?:0x\w+\s+){5}(\S+)", segments)
    if not stack or "E" in stack.group(1):
        yield name, "asks for an executable stack: link with -z noexecstack"
    if "GNU_RELRO" not in segments:
        yield name, "is not linked with -z relro"
    if ".note.gnu.build-id" not in tool("readelf", "-SW", str(path)):
        yield name, "has no build id: link with --build-id"
    size = re.search(r"INIT_ARRAYSZ\)\s+(\d+)", dynamic)
    if size and int(size.group(1)) > 8 and not sanitized:
        yield name, "has a constructor: nothing may run before the entry is called"


RULES = {name[5:]: function for name, function in list(globals().items()) if name.startswith("rule_")}


def read_exceptions(path):
    """[rule, subject, used] for each line; '#' starts a comment."""
    rows = []
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) < 3 or words[0] not in RULES:
            raise SystemExit(f"{path}:{number}: an exception is RULE SUBJECT REASON, a rule is one of "
                             + " ".join(RULES))
        rows.append([words[0], words[1], False])
    return rows


def check(tree, names, exceptions):
    """Violations as text, in rule order; marks the exceptions that were used."""
    out = []
    for name in names:
        for place, message in RULES[name](tree):
            excused = False
            for row in exceptions:
                if row[0] == name and (fnmatch.fnmatch(place, row[1]) or
                                       fnmatch.fnmatch(re.sub(r":\d+.*$", "", place), row[1])):
                    row[2] = excused = True
            if not excused:
                out.append(f"{name}: {place}: {message}")
    return out


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--source", default=here.parent.parent)
    parser.add_argument("--build")
    parser.add_argument("--exceptions", default=here / "exceptions.txt")
    parser.add_argument("rules", nargs="*", metavar="RULE", help=" ".join(RULES))
    arguments = parser.parse_args()
    names = arguments.rules or [n for n in RULES if n != "symbols" or arguments.build]
    for name in names:
        if name not in RULES:
            parser.error(f"no rule '{name}'; rules: {' '.join(RULES)}")
        if name == "symbols" and not arguments.build:
            parser.error("rule symbols needs --build DIR")
    tree = Tree(arguments.source, arguments.build)
    exceptions = read_exceptions(arguments.exceptions)
    found = check(tree, names, exceptions)
    print("\n".join(found + [f"{len(tree.files)} files, {len(names)} rules, {len(found)} violations"]))
    for rule, subject, used in exceptions:
        if rule in names and not used:
            print(f"note: unused exception: {rule} {subject}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
