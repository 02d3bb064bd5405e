#!/usr/bin/env python3
"""Build step: collects every ORYX_INSN row of the a64_*.c (a32_*.c, t32_*.c) files into a decoder.

  gen_decode.py -o OUT a64_*.c
  gen_decode.py --family a32 --tables t32 -o OUT t32_*.c

--family names the types and functions the rows use (a64_lift, a64_t_..., A64_FEAT_...), --tables the decoder's
tables (the family's name by default). --begins and --not-begins take the rows whose pattern starts with the given
bits, or does not: two decoders of one set of files (A32's unconditional space). A pattern of 16 characters is a
16-bit instruction: it stands for the upper half of the word.

OUT holds, for a64_decode.c: prototypes of the lift functions, one field extractor a bit layout, one
allocation check and one text function a row (from the text language documented in a64.h), the row
table, and the decoder's tables: nodes that index by a run of bits, and leaves of (mask, value, row)
tried most specific first.

Fails, naming file and line, when a row is malformed, a name occurs twice, or two rows overlap and
neither is a strict subset of the other nor do their [allocated] expressions exclude each other.
"""
import argparse
import re
import sys

STRINGS = r'(?:"(?:\\.|[^"\\])*"\s*)+'
INSN = re.compile(r'^[ \t]*ORYX_INSN\(\s*(\w+)\s*,\s*(%s),\s*(%s),\s*(\w+)\s*\)' % (STRINGS, STRINGS), re.M)
ANY_INSN = re.compile(r'^[ \t]*ORYX_INSN\(', re.M)
MAX_INDEX_BITS = 9
LEAF_ROWS = 2


class RowError(Exception):
    pass


def unquote(literals):
    """The characters between the quotes, C escapes kept, of adjacent string literals."""
    return "".join(m.group(1) for m in re.finditer(r'"((?:\\.|[^"\\])*)"', literals))


def expression(text):
    """A C expression of the text language: single letters outside quotes are fields."""
    parts = re.split(r'("(?:\\.|[^"\\])*")', text.replace('\\"', '"'))
    return "".join(p if p.startswith('"') else re.sub(r'(?<![\w.>])([a-z])(?!\w)', r'f->\1', p) for p in parts)


class family:
    """Names in the generated C: of the frontend's types and functions, and of the tables."""
    name, tables = "a64", "a64"


def balanced(text, i, close):
    """Index just past the bracket that closes the one opened before text[i]."""
    opener = {")": "(", "}": "{", "]": "["}[close]
    depth = 1
    while i < len(text):
        if text[i] == opener:
            depth += 1
        elif text[i] == close:
            depth -= 1
            if depth == 0:
                return i + 1
        i += 1
    raise RowError("no closing '%s' in \"%s\"" % (close, text))


def compile_template(text, out, indent):
    """C statements that print one template."""
    pad = "    " * indent
    literal = ""

    def flush():
        nonlocal literal
        if literal:
            out.append('%s%s_t_str(t, "%s");' % (pad, family.name, literal))
            literal = ""

    i = 0
    while i < len(text):
        if text[i] != "%":
            literal += text[i]
            i += 1
            continue
        if text[i + 1:i + 2] == "%":
            literal += "%"
            i += 2
            continue
        flush()
        if text[i + 1:i + 3] == "?(":
            end = balanced(text, i + 3, ")")
            out.append("%sif (%s) {" % (pad, expression(text[i + 3:end - 1])))
            if text[end:end + 1] != "{":
                raise RowError("%%?(...) wants {text} in \"%s\"" % text)
            i = balanced(text, end + 1, "}")
            compile_template(text[end + 1:i - 1], out, indent + 1)
            if text[i:i + 1] == "{":
                start = i + 1
                i = balanced(text, start, "}")
                out.append(pad + "} else {")
                compile_template(text[start:i - 1], out, indent + 1)
            out.append(pad + "}")
            continue
        m = re.compile(r"%(\w+)\(").match(text, i)
        if not m:
            raise RowError("a directive is %%name(args), not \"%s\"" % text[i:i + 12])
        end = balanced(text, m.end(), ")")
        args = expression(text[m.end():end - 1]).strip()
        out.append("%s%s_t_%s(t%s);" % (pad, family.name, m.group(1), ", " + args if args else ""))
        i = end
    flush()


class Row:
    def __init__(self, name, pattern, text, feature, where):
        if len(pattern) == 16:
            pattern += "-" * 16
        self.name, self.pattern, self.text, self.feature, self.where = name, pattern, text, feature, where
        if len(pattern) != 32 or re.search(r"[^01a-z-]", pattern):
            raise RowError("pattern is %d characters of 0, 1, - and a-z; must be 32 (or 16): \"%s\"" % (len(pattern), pattern))
        self.mask = int("".join("1" if c in "01" else "0" for c in pattern), 2)
        self.value = int("".join("1" if c == "1" else "0" for c in pattern), 2)
        self.allocated = None
        if text.startswith("["):
            end = balanced(text, 1, "]")
            self.condition = text[1:end - 1]
            self.allocated = expression(self.condition)
            self.text = text[end:].lstrip()

    def layout(self):
        return re.sub("[01]", "-", self.pattern)

    def extract(self):
        """C statements: the runs of each letter, high part first, into f."""
        runs = {}
        for m in re.finditer(r"([a-z])\1*", self.pattern):
            runs.setdefault(m.group(1), []).append((32 - m.end(), m.end() - m.start()))
        out = []
        for letter in sorted(runs):
            terms, below = [], sum(w for _, w in runs[letter])
            for lo, width in runs[letter]:
                below -= width
                term = "(w >> %d & 0x%x)" % (lo, (1 << width) - 1)
                terms.append("%s << %d" % (term, below) if below else term)
            out.append("    f->%s = %s;" % (letter, " | ".join(terms)))
        return out

    def text_function(self):
        kind = family.name
        out = ["static int text_%s(%s_text *t, const %s_fields *f)" % (self.name, kind, kind), "{"]
        if self.text.startswith("@"):
            out = ["void %s_text_%s(%s_text *t, const %s_fields *f, uint64_t pc);" % (kind, self.text[1:], kind, kind)] + out
            return out + ["    %s_text_%s(t, f, t->pc);" % (kind, self.text[1:]), "    return !t->undefined;", "}"]
        out.append("    (void)f;")
        alternatives = [a.strip(" ") for a in self.text.split(";;")]
        for k, alt in enumerate(alternatives):
            guard = None
            if alt.startswith("{"):
                end = balanced(alt, 1, "}")
                guard, alt = expression(alt[1:end - 1]), alt[end:].lstrip(" ")
            elif k + 1 < len(alternatives):
                raise RowError("only the last alternative may lack a {guard}: \"%s\"" % alt)
            if guard:
                out.append("    if (%s) {" % guard)
                compile_template(alt, out, 2)
                out += ["        return !t->undefined;", "    }"]
            else:
                compile_template(alt, out, 1)
                out += ["    return !t->undefined;", "}"]
                return out
        return out + ["    return 0;", "}"]


def read_rows(files):
    rows, errors, seen = [], [], {}
    for path in files:
        with open(path) as f:
            source = f.read()
        found = {m.start(): m for m in INSN.finditer(source)}
        for any_m in ANY_INSN.finditer(source):
            where = "%s:%d" % (path, source.count("\n", 0, any_m.start()) + 1)
            m = found.get(any_m.start())
            if source[:any_m.start()].endswith("define "):
                continue
            if not m:
                errors.append("%s: malformed row; write ORYX_INSN(NAME, \"pattern\", \"text\", FEAT)" % where)
                continue
            name = m.group(1)
            try:
                row = Row(name, unquote(m.group(2)), unquote(m.group(3)), m.group(4), where)
                row.text_function()
            except RowError as e:
                errors.append("%s: %s: %s" % (where, name, e))
                continue
            if name in seen:
                errors.append("%s: %s: name already used at %s" % (where, name, seen[name]))
                continue
            seen[name] = where
            rows.append(row)
    return rows, errors


def allocated_value(row, word):
    """The row's allocation expression at a word, or None when it is not plain arithmetic over the fields."""
    if not row.allocated:
        return True
    if not hasattr(row, "compiled"):
        expr = re.sub(r"!(?!=)", " not ", row.condition.replace("&&", " and ").replace("||", " or ")).strip()
        try:
            row.compiled = compile(expr, row.where, "eval")
        except SyntaxError:
            row.compiled = None
        row.asked = sorted(set(re.findall(r"\b[a-z]\b", row.condition)))
    if not row.compiled:
        return None
    fields = dict.fromkeys(row.asked, 0)
    for i, c in enumerate(row.pattern):
        if c in fields:
            fields[c] = fields[c] << 1 | word >> (31 - i) & 1
    try:
        return bool(eval(row.compiled, {"__builtins__": {}}, fields))
    except Exception:
        return None


def told_apart(a, b):
    """True when no word matching both rows is allocated by both expressions: all values of the fields they use."""
    used = {c for r in (a, b) if r.allocated for c in re.findall(r"\b[a-z]\b", r.condition)}
    mask = a.mask | b.mask
    free = [31 - i for i in range(32) if not mask >> (31 - i) & 1
            and any(r.allocated and r.pattern[i] in used for r in (a, b))]
    if len(free) > 14:
        return False
    for n in range(1 << len(free)):
        word = a.value | b.value | sum(1 << bit for k, bit in enumerate(free) if n >> k & 1)
        if allocated_value(a, word) is not False and allocated_value(b, word) is not False:
            return False
    return True


def overlaps(rows):
    """Pairs of rows some word matches both of, neither a strict subset of the other nor told apart by [allocated]."""
    errors = []
    for i, a in enumerate(rows):
        for b in rows[i + 1:]:
            both = a.mask & b.mask
            if (a.value ^ b.value) & both:
                continue
            if (a.mask != b.mask and both in (a.mask, b.mask)) or told_apart(a, b):
                continue
            errors.append("%s: %s overlaps %s at %s; make one a strict subset (more fixed bits) or tell them apart by "
                          "[allocated]"
                          % (b.where, b.name, a.name, a.where))
    return errors


class Tables:
    """The decoder: nodes are (shift, width, first entry); an entry >= 0 is a node, < 0 is ~(first leaf row)."""

    def __init__(self, rows):
        self.rows = rows
        self.nodes, self.entries, self.leaves, self.memo = [], [], [], {}
        order = sorted(range(len(rows)), key=lambda r: -bin(rows[r].mask).count("1"))
        self.root = self.build(tuple(order), 0)

    def leaf(self, rows):
        key = ("leaf", rows)
        if key not in self.memo:
            self.memo[key] = ~len(self.leaves)
            self.leaves += [(self.rows[r].mask, self.rows[r].value, r) for r in rows] + [(0, 0, -1)]
        return self.memo[key]

    def split(self, rows, lo, width):
        index_mask = ((1 << width) - 1) << lo
        parts = [[] for _ in range(1 << width)]
        for r in rows:
            free = [b for b in range(width) if not self.rows[r].mask >> (lo + b) & 1]
            base = (self.rows[r].value & index_mask) >> lo
            for n in range(1 << len(free)):
                parts[base | sum(1 << b for k, b in enumerate(free) if n >> k & 1)].append(r)
        return parts

    def build(self, rows, done):
        """done: bits already indexed; the index bits of a node are fresh, so the depth is bounded."""
        if len(rows) <= LEAF_ROWS:
            return self.leaf(rows)
        key = (rows, done)
        if key in self.memo:
            return self.memo[key]
        best = None
        for width in range(1, MAX_INDEX_BITS + 1):
            for lo in range(0, 33 - width):
                if ((1 << width) - 1) << lo & done:
                    continue
                fixed = sum(bin(self.rows[r].mask >> lo & ((1 << width) - 1)).count("1") for r in rows)
                if fixed < len(rows) * width * 0.6:
                    continue
                parts = self.split(rows, lo, width)
                worst = max(len(p) for p in parts)
                if worst == len(rows):
                    continue
                score = (sum(len(p) * len(p) for p in parts) / len(rows) / (1 << width) + width * 0.02 * len(rows) ** 0.5,
                         width, lo)
                if best is None or score < best[0]:
                    best = (score, lo, width, parts)
        if best is None:
            for bit in range(32):
                parts = self.split(rows, bit, 1)
                if not done >> bit & 1 and max(len(p) for p in parts) < len(rows):
                    best = (0, bit, 1, parts)
                    break
        if best is None:
            return self.leaf(rows)
        _, lo, width, parts = best
        node = len(self.nodes)
        first = len(self.entries)
        self.nodes.append((lo, width, first))
        self.entries += [0] * (1 << width)
        self.memo[key] = node
        for i, part in enumerate(parts):
            self.entries[first + i] = self.build(tuple(part), done | ((1 << width) - 1) << lo)
        return node


def emit(rows, tables):
    out = ["/* Generated by gen_decode.py from the ORYX_INSN rows; do not edit. */", ""]
    layouts = {}
    kind, name, big = family.name, family.tables, family.tables.upper()
    for row in rows:
        out.append("void %s_lift_%s(%s_lift *l, const %s_fields *f);" % (kind, row.name, kind, kind))
        layout = row.layout()
        if layout not in layouts:
            layouts[layout] = len(layouts)
    done = set()
    for row in rows:
        n = layouts[row.layout()]
        if n not in done:
            done.add(n)
            out += ["static void %s_extract_%d(uint32_t w, %s_fields *f)" % (name, n, kind), "{"]
            out += row.extract() + ["    f->insn = w;", "}"]
    for row in rows:
        if row.allocated:
            out += ["static int allocated_%s(const %s_fields *f)" % (row.name, kind), "{", "    return (%s) != 0;" % row.allocated, "}"]
        out += row.text_function()
    out.append("static const %s_row %s_rows[] = {" % (kind, name))
    for row in rows:
        out.append('    { "%s", %s_extract_%d, %s, %s_lift_%s, text_%s, %s_FEAT_%s },'
                   % (row.name, name, layouts[row.layout()], "allocated_" + row.name if row.allocated else "NULL",
                      kind, row.name, row.name, kind.upper(), row.feature))
    out += ["};", "static const decode_node %s_nodes[] = {" % name]
    out += ["    { %d, 0x%x, %d }," % (lo, (1 << width) - 1, first) for lo, width, first in tables.nodes] or ["    { 0, 0, 0 },"]
    out += ["};", "static const int16_t %s_entries[] = {" % name]
    entries = tables.entries or [tables.root]
    for i in range(0, len(entries), 16):
        out.append("    " + " ".join("%d," % e for e in entries[i:i + 16]))
    out += ["};", "static const decode_leaf %s_leaves[] = {" % name]
    out += ["    { 0x%08x, 0x%08x, %d }," % leaf for leaf in tables.leaves]
    out += ["};", "#define %s_ROW_COUNT %du" % (big, len(rows)),
            "#define %s_ROOT (%d)" % (big, tables.root),
            "#define %s_ROW_FEATURES (%s)" % (big, " | ".join(sorted({kind.upper() + "_FEAT_" + r.feature for r in rows}))), ""]
    return "\n".join(out)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-o", "--output", required=True)
    p.add_argument("--family", default="a64", help="prefix of the frontend's types and functions (a64)")
    p.add_argument("--tables", help="prefix of the tables (the family)")
    p.add_argument("--begins", help="only rows whose pattern begins so")
    p.add_argument("--not-begins", help="only rows whose pattern does not begin so")
    p.add_argument("files", nargs="+")
    args = p.parse_args()
    family.name, family.tables = args.family, args.tables or args.family
    rows, errors = read_rows(args.files)
    rows = [r for r in rows if (not args.begins or r.pattern.startswith(args.begins))
            and (not args.not_begins or not r.pattern.startswith(args.not_begins))]
    errors += overlaps(rows)
    if not rows:
        errors.append("gen_decode.py: no ORYX_INSN row in %s" % " ".join(args.files))
    for e in errors:
        print(e, file=sys.stderr)
    if errors:
        return 1
    tables = Tables(rows)
    if len(tables.entries) > 32767 or len(tables.leaves) > 32767:
        print("gen_decode.py: decoder tables exceed 16-bit indexes; widen the entries", file=sys.stderr)
        return 1
    with open(args.output, "w") as f:
        f.write(emit(rows, tables))
    return 0


if __name__ == "__main__":
    sys.exit(main())
