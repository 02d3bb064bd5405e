#!/usr/bin/env python3
"""The JSON reader and writer of abi/helper/oryx_json.h against Python's json, on written and on mutated documents. They differ on
purpose: numbers beyond 64 bits or beyond doubles, NaN, the character 0 and more than 32 levels are refused; half a surrogate pair
is U+FFFD.

usage: json_read.py PROGRAM [ROUNDS]
"""
import json
import math
import random
import re
import subprocess
import sys

RIGHT = ["0", "-0", "-1", "18446744073709551615", "-9223372036854775808", "1.5", "-2.25e3", "1E+2", "1e-3", "0.1", "123456789.123456789", "true", "false",
         "null", '""', '"a"', '"\\u00e9\\u20ac\\ud83d\\ude00"', '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\ud800"', '"\\udc00x"', '"\\ud800\\u0041"', '"é€😀"', "[]", "{}",
         " [ 1 , 2 ] ", '{"a": {"b": [1, {"c": null}]}, "d": "x,[{"}', '{"a": 1, "a": 2}', "[" * 32 + "]" * 32, "\t\r\n 7 \n", '[[],{},[{}]]', '"\x7f"']
WRONG = ["", " ", "[", "]", "{", "[1", "[1,", "[1,]", "[,1]", "{,}", '{"a"}', '{"a":}', '{"a":1,}', "{a:1}", "{'a':1}", "01", "+1", "1.", ".5", "1e", "1e+", "-",
         "--1", "0x1", "NaN", "Infinity", "-Infinity", "nul", "truefalse", "1 2", "[] x", '"', '"\\', '"\\x"', '"\\u12"', '"\\u12g4"', '"a\nb"', '"\x01"',
         "/* x */ 1", "18446744073709551616", "-9223372036854775809", "1e400", '"\\u0000"', '{"a\\u0000": 1}', "[" * 33 + "]" * 33, "[" * 100000, "\ufeff1", "tru",
         '{"a" 1}', '[1 2]', '{"a":1 "b":2}']


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-13, abs_tol=1e-300)
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(v, b[k]) for k, v in a.items())
    return a == b


def refuse(what):
    raise ValueError(what)


def whole(text):
    n = int(text)
    return n if -2 ** 63 <= n < 2 ** 64 else refuse(text)


def real(text):
    x = float(text)
    return x if math.isfinite(x) and abs(x) <= 1.7e308 else refuse(text)


def whole_characters(v):
    if isinstance(v, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", v)
    if isinstance(v, list):
        return [whole_characters(x) for x in v]
    return {whole_characters(k): whole_characters(x) for k, x in v.items()} if isinstance(v, dict) else v


def expected(text):
    """What is to be read, or None."""
    depth = longest = 0
    for c in re.sub(r'"(\\.|[^"\\])*"', "", text, flags=re.S):
        depth += (c in "[{") - (c in "]}")
        longest = max(longest, depth)
    try:
        if longest > 32 or "\\u0000" in re.sub(r"\\\\", "", text):
            return None
        value = json.loads(text, parse_constant=refuse, parse_int=whole, parse_float=real)
    except (ValueError, RecursionError):
        return None
    return (whole_characters(value),)


def run(program, documents):
    done = subprocess.run([program], input=b"".join(d.encode("utf-8", "surrogatepass") + b"\0" for d in documents), capture_output=True, check=True)
    lines = done.stdout.decode("utf-8", "surrogatepass").split("\n")[:-1]
    assert len(lines) == len(documents), (len(lines), len(documents))
    return lines


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    rng = random.Random(1)
    documents = RIGHT + [w for w in WRONG if w]
    pieces = '{}[],:"\\ 0123456789.eE+-tfnul/' + "é\x01"
    base = [json.dumps({"arch": "arm64", "list": [1, -2.5, True, None, "a\\b\"c\n"], "deep": {"x": [[{"y": 18446744073709551615}]]}})] + RIGHT
    for _ in range(rounds):
        text = list(rng.choice(base))
        for _ in range(rng.choice((1, 1, 2, 4))):
            at = rng.randrange(len(text) + 1)
            text[at:at + rng.randrange(2)] = rng.choice(pieces) if rng.random() < .8 else rng.choice(base)
        documents.append("".join(text))
    documents = [d for d in documents if d]
    wrong = accepted = 0
    for text, line in zip(documents, run(program, documents)):
        want = expected(text)
        got = None if line.startswith("bad: ") else (json.loads(line),)
        accepted += got is not None
        if (want is None) != (got is None) or (want and not same(want[0], got[0])):
            wrong += 1
            print(f"FAIL {text[:200]!r}: {line[:200]}, expected {want}")
    for text in WRONG:
        if expected(text) is not None:
            wrong += 1
            print(f"FAIL the list of wrong documents has {text!r}")
    print(f"{len(documents)} documents, {accepted} accepted, {wrong} wrong")
    return wrong > 0 or not len(documents) // 10 < accepted < len(documents) * 9 // 10


if __name__ == "__main__":
    sys.exit(main())
