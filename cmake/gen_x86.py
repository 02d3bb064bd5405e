#!/usr/bin/env python3
"""Build step: collects the ORYX_INSN rows of arch-x86's files into the table from Zydis's mnemonics to bodies.

  gen_x86.py -o OUT x86_*.c

Fails, naming file and line, when a row is malformed or a name occurs twice. Forms are checked by the coverage test.
"""
import argparse
import re
import sys

ROW = re.compile(r'^[ \t]*ORYX_INSN\(\s*(\w+)\s*,\s*((?:"[^"]*"\s*)+),\s*(\w+)\s*\)', re.M)
ANY = re.compile(r'^[ \t]*ORYX_INSN\(', re.M)


def rows(path):
    """(line, name, forms, feature) of each row."""
    text = open(path, encoding="utf-8").read()
    found = [(text.count("\n", 0, m.start()) + 1, m.group(1), "".join(re.findall(r'"([^"]*)"', m.group(2))), m.group(3))
             for m in ROW.finditer(text)]
    if len(found) != len(ANY.findall(text)):
        good = {line for line, *_ in found}
        bad = next(line for line in (text.count("\n", 0, m.start()) + 1 for m in ANY.finditer(text)) if line not in good)
        sys.exit(f'{path}:{bad}: malformed row: ORYX_INSN(NAME, "forms", FEATURE) is asked for')
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", required=True, metavar="OUT")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    seen, out = {}, []
    for path in sorted(args.files):
        for line, name, _, feature in rows(path):
            if name in seen:
                sys.exit(f"{path}:{line}: {name} has a row already, at {seen[name]}")
            seen[name] = f"{path}:{line}"
            out.append((name, feature))
    with open(args.o, "w", encoding="utf-8") as f:
        f.write("/* Made by cmake/gen_x86.py from the rows; included by x86_decode.c. */\n")
        f.writelines(f"void x86_lift_{name}(x86_lift *l);\n" for name, _ in out)
        f.write("const x86_row x86_rows[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {\n")
        f.writelines(f"    [ZYDIS_MNEMONIC_{name}] = {{ x86_lift_{name}, X86_FEAT_BIT_{feature} }},\n" for name, feature in out)
        f.write("};\n")


if __name__ == "__main__":
    main()
