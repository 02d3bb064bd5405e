#!/usr/bin/env python3
"""Every line of the memory contract names the tests that prove it (lines.json: "ctest name" or "ctest name/function"). Fails when a
named test is not run by ctest, or a named function is not in the list of the test's program.

usage: lines.py BUILD SOURCE
"""
import json
import re
import subprocess
import sys
from pathlib import Path


def main():
    build, source = Path(sys.argv[1]), Path(sys.argv[2])
    lines = json.loads((source / "tests/memory/lines.json").read_text())
    shown = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], capture_output=True, text=True, check=True).stdout
    # cmocka programs: the functions in their list, by the program's name.
    functions = {}
    for file in (source / "tests").rglob("*.c"):
        found = set(re.findall(r"cmocka_unit_test(?:_\w+)?\((\w+)", file.read_text()))
        if found:
            functions.setdefault(file.stem, set()).update(found)
    stems = {}
    for test in json.loads(shown)["tests"]:
        program = Path(test.get("command", [""])[0]).name
        # A program that is not built has no command here; the test is named like it.
        stems[test["name"]] = [part for name in (program, test["name"])
                               for part in (name, name.replace("core_", "test_", 1), name.replace("mem_", "", 1), name.replace("device_", "", 1))]
    wrong, names = [], 0
    for row in lines:
        if not row["tests"]:
            wrong.append(f"no test proves: {row['line']}")
        for name in row["tests"]:
            names += 1
            test, _, function = name.partition("/")
            if test not in stems:
                wrong.append(f"ctest has no test '{test}', which is to prove: {row['line']}")
            elif function and not any(function in functions.get(stem, ()) for stem in stems[test]):
                wrong.append(f"test '{test}' does not run '{function}', which is to prove: {row['line']}")
    for text in wrong:
        print(f"FAIL {text}")
    print(f"{len(lines)} lines, {names} tests named, {len(wrong)} wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
