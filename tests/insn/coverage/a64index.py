"""The A64 instruction index (a64.index) as objects: patterns, fields, legality, random words.

Used by check_index.py and coverage.py beside it, by tests/diff/gen_a64.py and tests/insn/gen_ins.py.
"""
import fnmatch
import os
import re
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
INDEX = os.path.join(HERE, "a64.index")
EXTENSIONS = os.path.join(HERE, "a64_ext.index")
LATER = os.path.join(HERE, "a64.later")
GROUPS = ("base", "fp", "simd", "crypto")


def bitmask(sf, n, imms):
    """DecodeBitMasks: is (sf, N, imms) an allocated logical immediate?"""
    if sf == 0 and n == 1:
        return False
    value = (n << 6) | (imms ^ 0x3F)
    length = value.bit_length() - 1
    if length < 1:
        return False
    levels = (1 << length) - 1
    return (imms & levels) != levels


class Pattern:
    """32 characters: 0, 1, letters (fields), x or - (don't care)."""

    def __init__(self, text):
        text = text.replace(" ", "")
        if len(text) != 32:
            raise ValueError("pattern %r has %d bits, not 32" % (text, len(text)))
        self.text = text
        self.mask = self.value = 0
        self.bits = {}                      # letter -> bit numbers, high part first
        for k, ch in enumerate(text):
            pos = 31 - k
            if ch in "01":
                self.mask |= 1 << pos
                self.value |= int(ch) << pos
            elif ch not in "-":
                self.bits.setdefault(ch, []).append(pos)

    def matches(self, word):
        return word & self.mask == self.value

    def extract(self, word):
        fields = {}
        for ch, positions in self.bits.items():
            v = 0
            for pos in positions:
                v = (v << 1) | ((word >> pos) & 1)
            fields[ch] = v
        return fields

    def encode(self, fields):
        word = self.value
        for ch, positions in self.bits.items():
            v = fields[ch]
            for k, pos in enumerate(reversed(positions)):
                word |= ((v >> k) & 1) << pos
        return word

    def width(self, ch):
        return len(self.bits[ch])


class Row(Pattern):
    """One line of a64.index."""

    def __init__(self, line):
        parts = line.split(None, 5)
        group, name, feature, pattern, mnemonics = parts[:5]
        super().__init__(pattern)
        self.group, self.name, self.feature = group, name, feature
        self.mnemonics = mnemonics.split("|")
        self.rule = parts[5] if len(parts) > 5 else ""
        self._rule = compile(self.rule or "True", name, "eval")

    def legal(self, fields):
        return bool(eval(self._rule, {"bitmask": bitmask}, fields))

    def covers(self, word):
        return self.matches(word) and self.legal(self.extract(word))

    def random_fields(self, rng, bias=0.25):
        """Legal random fields; immediates and registers lean to their ends with chance `bias`."""
        while True:
            fields = {}
            for ch in self.bits:
                top = (1 << self.width(ch)) - 1
                if rng.random() < bias:
                    fields[ch] = rng.choice((0, 1, top, top - 1, top >> 1, (top >> 1) + 1)) & top
                else:
                    fields[ch] = rng.getrandbits(self.width(ch))
            if self.legal(fields):
                return fields

    def random_word(self, rng, bias=0.25):
        return self.encode(self.random_fields(rng, bias))

    def mnemonic_ok(self, mnemonic):
        return any(fnmatch.fnmatchcase(mnemonic, m) for m in self.mnemonics)

    @property
    def is_memory(self):
        """Loads, stores, prefetch: top-level op0 (bits 28:25) is x1x0."""
        return self.text[4] == "1" and self.text[6] == "0"


def read_lines(path):
    with open(path) as f:
        for line in f:
            line = line.split("#")[0].strip()
            if line:
                yield line


def load_index(path=INDEX):
    return [Row(line) for line in read_lines(path)]


class Finder:
    """word -> rows whose pattern and rule accept it, quick by the eight top bits."""

    def __init__(self, rows):
        self.buckets = [[] for _ in range(256)]
        for row in rows:
            for top in range(256):
                if ((top << 24) ^ row.value) & row.mask & 0xFF000000 == 0:
                    self.buckets[top].append(row)

    def find(self, word):
        return [r for r in self.buckets[word >> 24] if r.matches(word)
                and (not isinstance(r, Row) or r.legal(r.extract(word)))]


def objdump_tool():
    return os.environ.get("A64_OBJDUMP", "aarch64-linux-gnu-objdump")


_LINE = re.compile(r"^\s*([0-9a-f]+):\t([0-9a-f]{8}) \t(.*)$")


def disassemble(words, aliases=False, base=0):
    """Text of each word by binutils; FileNotFoundError when the tool is missing."""
    with tempfile.NamedTemporaryFile(suffix=".bin") as f:
        f.write(b"".join(w.to_bytes(4, "little") for w in words))
        f.flush()
        cmd = [objdump_tool(), "-D", "-z", "-b", "binary", "-m", "aarch64",
               "--adjust-vma=%#x" % base]
        if not aliases:
            cmd += ["-M", "no-aliases"]
        out = subprocess.run(cmd + [f.name], stdout=subprocess.PIPE, text=True, check=True).stdout
    texts = []
    for line in out.splitlines():
        m = _LINE.match(line)
        if m:
            texts.append(re.split(r"\s*//|\s+;", m.group(3))[0].rstrip())
    if len(texts) != len(words):
        raise RuntimeError("objdump gave %d lines for %d words" % (len(texts), len(words)))
    return texts


def undefined(text):
    return text.startswith((".inst", ".word"))
