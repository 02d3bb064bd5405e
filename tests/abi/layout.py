#!/usr/bin/env python3
"""Sizes, offsets and numbers of the ABI against the recorded ones (layout.txt). The oracle is the compiler: the names come
from the preprocessed headers, the numbers from a program that prints sizeof, offsetof and the values.

What may change without a new record: a struct that starts with oryx_hdr grows at its end, an enumeration at its end, the host
table at its end, new names. Anything else fails. While the first line of layout.txt says "draft" it may be recorded anew:
    layout.py SOURCE --update
Once it says "frozen" --update only adds.

usage: layout.py SOURCE [--update]
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECORD = HERE / "layout.txt"
STRIDED = {"struct oryx_reg", "struct oryx_cpu_model", "struct oryx_helper"}  # rows whose arrays carry a stride
HEADERS = "#include <oryx.h>\n#include <helper/oryx_manifest.h>\n#include <oryx_scs.h>\n"


def preprocess(source, *flags):
    done = subprocess.run(["cc", "-E", "-P", "-std=c11", "-I", source / "abi", *flags, "-"], input=HEADERS, capture_output=True,
                          text=True)
    if done.returncode:
        raise SystemExit(f"FAIL the headers do not preprocess: {done.stderr}")
    return done.stdout


def blocks(text, opening):
    """(match, body between the braces) for each match of a pattern that ends in '{'."""
    for found in re.finditer(opening, text):
        depth, at = 1, found.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        yield found, text[found.end():at - 1], text[at:]


def members(body):
    """Names of a struct's members, nested ones as a.b."""
    names = []
    while body.strip():
        nested = re.match(r"\s*(?:struct|union)\s*\{", body)
        if nested:
            _, inner, rest = next(blocks(body, r"(?:struct|union)\s*\{"))
            name, _, body = rest.partition(";")
            inside = members(inner)
            names += [f"{name.strip()}.{i}" if name.strip() else i for i in inside]
            continue
        declaration, _, body = body.partition(";")
        if not declaration.strip():
            continue
        pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)\s*\(", declaration)
        if pointer:
            names.append(pointer.group(1))
            continue
        typeof = re.search(r"__typeof__\s*\(.*\)\s*(\w+)\s*$", declaration)
        if typeof:
            names.append(typeof.group(1))
            continue
        for part in declaration.split(","):
            names.append(re.search(r"(\w+)\s*(?:\[[^]]*\]\s*)*$", part.strip()).group(1))
    return names


def collect(source):
    """[(kind, name, members)] in the order of the headers."""
    text = preprocess(source)
    found = []
    for match, body, rest in blocks(text, r"\bstruct\s+(oryx_\w+)\s*\{"):
        found.append(("struct", match.group(1), members(body)))
    for match, body, rest in blocks(text, r"\benum\s*\w*\s*\{"):
        names = [n.split("=")[0].strip() for n in body.split(",") if n.strip()]
        if names[0].startswith("ORYX_"):
            found.append(("enum", names[0], names))
    statuses = re.findall(r"static const oryx_status (ORYX_\w+) =", text)
    found.append(("values", "status", statuses))
    macros = re.findall(r"^#define (ORYX_[A-Z0-9_]+) +([^\n]*)$", preprocess(source, "-dM"), re.M)
    numbers = sorted(n for n, v in macros if re.fullmatch(r"\(?[-0-9a-fxA-FX]+[uUlL]*\)?", v) and n != "ORYX_H")
    found.append(("values", "constants", numbers))
    texts = sorted(n for n, v in macros if re.fullmatch(r'"[^"]*"', v))
    found.append(("texts", "names", texts))
    return found


def program(found):
    lines = [HEADERS, "#include <stdio.h>", "int main(void)\n{"]
    for kind, name, names in found:
        if kind == "struct":
            ctype = f"struct {name}"
            lines.append(f'    printf("struct {name} %zu\\n", sizeof({ctype}));')
            for m in names:
                lines.append(f'    printf("  {m} %zu %zu\\n", offsetof({ctype}, {m}), sizeof((({ctype} *)0)->{m}));')
        else:
            lines.append(f'    printf("{kind} {name} %d\\n", {len(names)});')
            for m in names:
                lines.append(f'    printf("  {m} %s\\n", {m});' if kind == "texts" else
                             f'    printf("  {m} %lld\\n", (long long)({m}));')
    return "\n".join(lines) + "\n    return 0;\n}\n"


def current(source):
    """The layout of the headers: {"struct oryx_hdr": (size, {member: "offset size"})}."""
    found = collect(source)
    with tempfile.TemporaryDirectory() as work:
        exe = Path(work) / "layout"
        done = subprocess.run(["cc", "-std=gnu11", "-I", source / "abi", "-x", "c", "-", "-o", exe], input=program(found),
                              capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"FAIL the layout program does not build: {done.stderr}")
        return subprocess.run([exe], capture_output=True, text=True, check=True).stdout


def parse(text):
    things, here = {}, None
    for line in text.splitlines():
        if line.startswith("  "):
            name, _, value = line.strip().partition(" ")
            here[name] = value
        elif line and not line.startswith("#"):
            kind, name, size = line.split()
            here = things.setdefault(f"{kind} {name}", {"": size})
    return things


def compare(old, new):
    """Texts of what broke, and of what grew."""
    broken, grown = [], []
    for thing, then in old.items():
        now = new.get(thing)
        if now is None:
            broken.append(f"{thing} is gone")
            continue
        for member, value in then.items():
            if member and now.get(member) != value:
                broken.append(f"{thing}: {member} was {value}, is {now.get(member, 'gone')}")
        added = [m for m in now if m not in then]
        grown += [f"{thing}: {m} {now[m]} is new" for m in added]
        if thing.startswith("struct"):
            size = int(then[""])
            grows = "hdr" in then or thing in STRIDED
            if added and not grows:
                broken.append(f"{thing} has no oryx_hdr, so it cannot grow: {', '.join(added)}")
            # A member may fill padding at the old end, but not lie before an old member.
            last = max(int(v.split()[0]) for k, v in then.items() if k)
            broken += [f"{thing}: {m} is not at the end" for m in added if int(now[m].split()[0]) < last]
            if int(now[""]) < size or (int(now[""]) != size and not added):
                broken.append(f"{thing} had {size} bytes, has {now['']}")
        elif thing.startswith("enum"):
            top = max(int(v) for k, v in then.items() if k and "COUNT" not in k and "KINDS" not in k)
            broken += [f"{thing}: {m} is not after the others" for m in added if int(now[m]) <= top]
    grown += [f"{t} is new" for t in new if t not in old]
    # Counters of rows move with every new row.
    broken = [b for b in broken if not re.search(r": ORYX_\w*(COUNT|KINDS) was \d+", b)]
    return broken, grown


def selftest():
    """The comparison can fail: each change below must be caught, and growth must not."""
    old = parse("struct oryx_a 16\n  hdr 0 8\n  x 8 4\nstruct oryx_b 8\n  x 0 4\n  y 4 4\nenum ORYX_A 2\n  ORYX_A 0\n  ORYX_B 1\n")
    for change, with_, breaks in (("x 8 4", "x 8 8", 1), ("  x 8 4", "  w 8 4\n  x 12 4", 2), ("x 8 4", "x 8 4\n  z 12 4", 0),
                                  ("y 4 4", "y 4 4\n  z 8 4", 1), ("struct oryx_b 8", "struct oryx_c 8", 1),
                                  ("ORYX_B 1", "ORYX_B 2", 1), ("  ORYX_B 1", "  ORYX_B 1\n  ORYX_C 2", 0),
                                  ("oryx_a 16", "oryx_a 12", 1)):
        text = "struct oryx_a 16\n  hdr 0 8\n  x 8 4\nstruct oryx_b 8\n  x 0 4\n  y 4 4\nenum ORYX_A 2\n  ORYX_A 0\n  ORYX_B 1\n"
        broken, _ = compare(old, parse(text.replace(change, with_, 1)))
        if len(broken) != breaks and not (breaks and broken):
            raise SystemExit(f"FAIL self-test: '{change}' -> '{with_}' gave {broken}")


def main():
    source = Path(sys.argv[1]).resolve()
    selftest()
    text = current(source)
    state = RECORD.read_text().splitlines()[0] if RECORD.exists() else "# draft"
    new = parse(text)
    broken, grown = compare(parse(RECORD.read_text()), new) if RECORD.exists() else ([], ["everything is new"])
    if "--update" in sys.argv:
        if broken and "draft" not in state:
            print("\n".join(broken) + "\nFAIL the ABI is frozen: add at the end, or make a new interface")
            return 1
        RECORD.write_text(state + "\n" + text)
        print(f"{RECORD.name} written")
        return 0
    print("\n".join(["grown: " + g for g in grown] + ["FAIL " + b for b in broken]))
    if broken:
        print(f"the ABI is a {state.strip('# ')}; if the change is meant: {Path(__file__).name} SOURCE --update"
              if "draft" in state else "the ABI is frozen: add at the end, or make a new interface")
    print(f"{len(new)} structs and lists, {sum(len(v) - 1 for v in new.values())} members, {len(broken)} failures")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
