#!/usr/bin/env python3
"""Every `path/file.c:function` that a document names exists and defines that function, and every `path/file` exists. A self-test
shows that a wrong one is found.

usage: walk.py SOURCE DOCUMENT...
"""
import re
import sys
from pathlib import Path

FOLDERS = r"(?:abi|core|arch-[a-z0-9]+|plugins|tools|examples|tests|cmake|docs)"


def defines(text, name):
    """A C function of that name (its body follows), an instruction row, or a Python function."""
    return (re.search(rf"^[A-Za-z_][\w\s*]*\b{name}\s*\([^;{{]*\)\s*\n?{{", text, re.M) or
            re.search(rf"^ORYX_INSN\(\s*{name}\s*,", text, re.M) or re.search(rf"^\s*def {name}\(", text, re.M) or
            re.search(rf"^#define {name}\b", text, re.M))


def wrong(source, text):
    """Texts of what does not hold."""
    found = []
    for path, name in re.findall(rf"`({FOLDERS}/[\w./+-]+)(?::(\w+))?[^`\n]*`", text):
        file = source / path
        if re.search(r"/[A-Z]{2,}(?:/|$)", path) and path.endswith("/"):
            continue  # plugins/NAME/: a place holder
        if not file.exists():
            found.append(f"{path} does not exist")
        elif name and not defines(file.read_text(), name):
            found.append(f"{path} defines no function {name}")
    return found


def main():
    source = Path(sys.argv[1])
    bad = wrong(source, "`core/run.c:no_such_function` `core/nothing.c` `core/run.c:oryx_vcpu_run` `core/run.c:memory_order_release`")
    if bad != ["core/run.c defines no function no_such_function", "core/nothing.c does not exist",
               "core/run.c defines no function memory_order_release"]:
        print(f"FAIL self-test: {bad}")
        return 1
    failures = count = 0
    for name in sys.argv[2:]:
        text = (source / name).read_text()
        count += len(re.findall(rf"`{FOLDERS}/[\w./+-]+", text))
        for what in wrong(source, text):
            failures += 1
            print(f"FAIL {name}: {what}")
    print(f"{count} places, {failures} failures")
    return 1 if failures or not count else 0


if __name__ == "__main__":
    sys.exit(main())
