"""What the measurements say: table, geometric means, the targets, JSON and the bar chart."""
import math
from xml.sax.saxutils import escape

# The figures Oryx is to reach: (groups, Oryx contender, against, must, goal). Against native it is a
# slowdown and small is good, against the others a speed-up and great is good.
TARGETS = [
    (("integer",), "oryx-x64", "native", 2.8, 2.0),
    (("integer",), "oryx-x64", "qemu", 1.6, 2.2),
    (("integer",), "oryx-x64", "unicorn", 18, 25),
    (("integer",), "oryx-x64+window=off", "native", 4, 3),
    (("integer",), "oryx-x64+window=off", "qemu", 1.1, 1.4),
    (("integer",), "oryx-x64+window=off", "unicorn", 12, 18),
    (("fp",), "oryx-x64", "native", 3, 2),
    (("fp",), "oryx-x64", "qemu", 8, 12),
    (("fp",), "oryx-x64", "unicorn", 25, 40),
    (("calls",), "oryx-x64", "native", 4, 2.5),
    (("calls",), "oryx-x64", "qemu", 1.5, 2.5),
    (("calls",), "oryx-x64", "unicorn", 12, 20),
    (("smc",), "oryx-x64", "qemu", 1.5, 4),
    (("smc",), "oryx-x64", "unicorn", 2, 5),
    (("translate",), "oryx-x64", "qemu", 1.5, 3),
    (("translate",), "oryx-x64", "unicorn", 1.5, 3),
    (("startup",), "oryx-x64", "qemu", 1, 2),
    (("mmio",), "oryx-x64", "unicorn", 5, 10),
    (("open-close",), "oryx-x64", "unicorn", 1, 8),
    (("run-one",), "oryx-x64", "unicorn", 3, 10),
    (("snapshot",), "oryx-x64", "unicorn", 1, 2),
]
# Figures that stand alone: (kernel, Oryx contender, unit, factor to it, must, goal); small is good. A
# generated program's is a guest instruction's translation and its one execution.
LIMITS = [
    ("straight", "oryx-x64", "us", 1e6, 0.6, 0.37),
    ("blocks", "oryx-x64", "us", 1e6, 1, 0.56),
    ("hello", "oryx-x64", "ms", 1e3, 5, 1.5),
    ("machines", "oryx-x64", "KiB", 1, 1024, 307),
    ("open_close", "oryx-x64", "us", 1e-3, 60, 40),
    ("region_change", "oryx-core", "us", 1, 100, 10),
    ("region_lookup", "oryx-core", "x", 1, 1.5, 1.2),
    ("snapshot_same", "oryx-x64", "us", 1, 6.67, 4),  # a round: 150,000 and 250,000 a second
    ("snapshot_other", "oryx-x64", "us", 1, 6.67, 4),
    ("restore_same", "oryx-x64", "x", 1, 2, 1.5),     # of a bare memcpy of the pages
    ("restore_other", "oryx-x64", "x", 1, 2, 1.5),
]
# Differences between two kernels: (what, kernel, less kernel, Oryx contender, unit, must, goal); small is good.
DIFFERENCES = [
    ("mmio_read - ram_read", "mmio_read", "ram_read", "oryx-x64", "ns", 10, 5),
]
COLOURS = ["#888888", "#d9822b", "#b0413e", "#2f6db3", "#2e9e6b", "#7a4fb0", "#c4a000", "#4aa3b5"]


def geomean(values):
    values = [v for v in values if v]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def values_of(results, metric):
    """{kernel: {contender: seconds (or the unit) a piece}}, without those that failed."""
    return {kernel: {name: value for name, sample in row["samples"].items()
                     if (value := sample.per_piece(metric)) is not None}
            for kernel, row in results.items()}


def baseline(row):
    """Ratios are to native, else to qemu, else to libunicorn: the first that ran."""
    return next((name for name in ("native", "qemu", "unicorn") if name in row), None)


def ratio(values, results, groups, one, other):
    """Geometric mean of one's time over other's on the kernels of groups that both ran."""
    return geomean([row[one] / row[other] for kernel, row in values.items()
                    if results[kernel]["group"] in groups and one in row and other in row])


def groups_of(results):
    return list(dict.fromkeys(row["group"] for row in results.values()))


def scale(seconds):
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "us"), (1e9, "ns")):
        if seconds * factor >= 1:
            break
    return f"{seconds * factor:.3g} {unit}"


def amount(value, unit):
    return scale(value) if unit == "s" else scale(value * 1e-9) if unit == "ns" else f"{value:.4g} {unit}"


def columns(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w)
                               for i, (cell, w) in enumerate(zip(r, widths))).rstrip() for r in rows)


def number(value):
    return "-" if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def table(results, names, metric):
    """Time a piece and, beside it, that over the baseline's; a mean of the ratios after each group."""
    values = values_of(results, metric)
    rows = [["kernel", *sum(([n, "x"] for n in names), [])]]
    for group in groups_of(results):
        members = [k for k, row in results.items() if row["group"] == group]
        for kernel in members:
            cells, base = [kernel], baseline(values[kernel])
            for name in names:
                value, sample = values[kernel].get(name), results[kernel]["samples"].get(name)
                if value is None:
                    cells += ["WRONG" if sample and sample.error else "-", ""]
                else:
                    cells += [amount(value, results[kernel]["unit"]), number(value / values[kernel][base]) if base else ""]
            rows.append(cells)
        bases = {baseline(values[k]) for k in members}
        base = bases.pop() if len(bases) == 1 else None
        means = [ratio(values, results, (group,), n, base) if base else None for n in names]
        rows += [[f"= {group} (/{base})", *sum((["", number(m)] for m in means), [])], [""] * len(rows[0])]
    return columns(rows)


def targets(results, metric):
    """[(what, contender, against or unit, measured, must, goal, verdict)] of all that was measured."""
    values, out = values_of(results, metric), []
    for groups, one, other, must, goal in TARGETS:
        slow = ratio(values, results, groups, one, other)
        if slow is None:
            continue
        better = slow if other == "native" else 1 / slow
        reached = (lambda want, b=better, o=other: b <= want if o == "native" else b >= want)
        verdict = "goal" if reached(goal) else "must" if reached(must) else "SHORT"
        out.append(("+".join(groups), one, other, better, must, goal, verdict))
    for kernel, one, unit, factor, must, goal in LIMITS:
        if one in values.get(kernel, {}):
            value = values[kernel][one] * factor
            verdict = "goal" if value <= goal else "must" if value <= must else "SHORT"
            out.append((kernel, one, unit, value, must, goal, verdict))
    for what, kernel, less, one, unit, must, goal in DIFFERENCES:
        if one in values.get(kernel, {}) and one in values.get(less, {}):
            value = values[kernel][one] - values[less][one]
            verdict = "goal" if value <= goal else "must" if value <= must else "SHORT"
            out.append((what, one, unit, value, must, goal, verdict))
    return out


def targets_table(rows):
    head = ["targets", "contender", "measured", "must", "goal", "reached"]
    text = []
    for what, one, other, measured, must, goal, verdict in rows:
        units = {"native": f"{one} slower than native", "qemu": f"{one} faster than qemu",
                 "unicorn": f"{one} faster than unicorn"}
        suffix = "x" if other in units else " " + other
        text.append([what, units.get(other, one), number(measured) + suffix, f"{must:g}{suffix}",
                     f"{goal:g}{suffix}", verdict])
    return columns([head] + text)


def as_json(results, names, host, options):
    out = {"format": 1, "host": host, "options": options, "contenders": names, "kernels": {}, "groups": {}, "targets": []}
    for kernel, row in results.items():
        entry = out["kernels"][kernel] = {"group": row["group"], "unit": row["unit"], "contenders": {}}
        for name, s in row["samples"].items():
            entry["contenders"][name] = {
                "pieces": s.pieces, "parts": s.parts, "error": s.error, "cpu": s.cpu, "wall": s.wall, "cpu_none": s.cpu0,
                "wall_none": s.wall0, "cpu_per_piece": s.per_piece("cpu"), "wall_per_piece": s.per_piece("wall")}
    for metric in ("cpu", "wall"):
        values = values_of(results, metric)
        for group in groups_of(results):
            means = out["groups"].setdefault(group, {}).setdefault(metric, {})
            for one in names:
                for other in ("native", "qemu", "unicorn"):
                    mean = ratio(values, results, (group,), one, other)
                    if mean is not None and one != other:
                        means[f"{one}/{other}"] = round(mean, 4)
    out["targets"] = [dict(zip(("what", "contender", "against", "measured", "must", "goal", "reached"), r))
                      for r in targets(results, options["metric"])]
    return out


def svg(results, names, metric, title):
    """Horizontal bars on a logarithmic axis: time over the baseline's, one block a kernel."""
    values = values_of(results, metric)
    blocks = []
    for group in groups_of(results):
        bases = {b for k, row in values.items() if results[k]["group"] == group and (b := baseline(row))}
        blocks.append((f"{group}, over {' or '.join(sorted(bases)) or 'none'}", None))
        for kernel, row in values.items():
            base = baseline(row)
            if results[kernel]["group"] == group and base:
                blocks.append((kernel, [(n, row[n] / row[base]) for n in names if n in row and n != base]))
    ratios = [r for _, bars in blocks if bars for _, r in bars] or [1]
    low = 10 ** math.floor(math.log10(min(ratios + [1])) + 1e-9)
    high = 10 ** math.ceil(math.log10(max(ratios + [10])) - 1e-9)
    left, width, bar = 110, 640, 11

    def x(value):
        return left + width * math.log(value / low) / math.log(high / low)

    body, y = [], 70
    for label, bars in blocks:
        if bars is None:
            y += 10
            body.append(f'<text x="8" y="{y + 11}" font-weight="bold">{escape(label)}</text>')
            y += 18
            continue
        middle = y + bar * len(bars) / 2 + 4
        body.append(f'<text x="{left - 6}" y="{middle:.1f}" text-anchor="end">{escape(label)}</text>')
        for name, value in bars:
            start, end = sorted((x(1), x(value)))
            colour = COLOURS[names.index(name) % len(COLOURS)]
            body.append(f'<rect x="{start:.1f}" y="{y + 1}" width="{max(end - start, 1):.1f}" height="{bar - 2}" '
                        f'fill="{colour}"><title>{escape(name)}: {number(value)}x</title></rect>')
            body.append(f'<text x="{end + 3:.1f}" y="{y + bar - 2}" font-size="9">{number(value)}</text>')
            y += bar
        y += 5
    height = y + 20

    grid, step = [], low
    while step <= high * 1.001:
        grid.append(f'<line x1="{x(step):.1f}" y1="62" x2="{x(step):.1f}" y2="{y}" stroke="#ddd"/>'
                    f'<text x="{x(step):.1f}" y="58" text-anchor="middle">{step:g}x</text>')
        step *= 10
    grid.append(f'<line x1="{x(1):.1f}" y1="62" x2="{x(1):.1f}" y2="{y}" stroke="#555"/>')
    legend, at = [], left
    for i, name in enumerate(names):
        if name != "native":
            legend.append(f'<rect x="{at}" y="30" width="10" height="10" fill="{COLOURS[i % len(COLOURS)]}"/>'
                          f'<text x="{at + 14}" y="39">{escape(name)}</text>')
            at += 30 + 7 * len(name)
    total = left + width + 60
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{height}" '
            f'viewBox="0 0 {total} {height}" font-family="sans-serif" font-size="11">\n'
            f'<rect width="{total}" height="{height}" fill="white"/>\n'
            f'<text x="8" y="18" font-size="14" font-weight="bold">{escape(title)}</text>\n'
            + "\n".join(legend + grid + body) + "\n</svg>\n")
