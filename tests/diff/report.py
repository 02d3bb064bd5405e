"""Dumps and differences as text."""
import program as pg
from cases import ix

NAMES = ["x%d" % k for k in range(31)] + ["sp", "nzcv", "fpcr", "fpsr", "landing", "signo", "code",
                                           "addr", "pc"]


def describe(case):
    lines = ["case %d at %#x: %s" % (case.number, case.insn_pc, ", ".join(case.names))]
    try:
        texts = ix.disassemble(case.words, base=case.insn_pc)
    except FileNotFoundError:
        texts = ["(no objdump)"] * len(case.words)
    for word, text in zip(case.words, texts):
        lines.append("  %08x  %s" % (word, text.expandtabs(8)))
    return "\n".join(lines)


def state(context, memory):
    """An ordered {name: text} of a context and memory."""
    out = {name: "%016x" % context[k] for k, name in enumerate(NAMES)}
    for k in range(32):
        lo, hi = context[pg.V + 2 * k], context[pg.V + 2 * k + 1]
        out["v%d" % k] = "%016x_%016x" % (hi, lo)
    for address, value in memory.items():
        out["[%#x]" % address] = "%016x" % value
    return out


def full(dump):
    before = state(dump.before, dump.mem_before)
    after = state(dump.after, dump.mem_after)
    lines = []
    for name in before:
        b, a = before[name], after[name]
        if name in ("signo", "code", "addr", "pc"):
            continue
        if int(b.replace("_", ""), 16) or a != b:
            lines.append("  %-12s %s%s" % (name, b, "" if a == b else "  =>  " + a))
    if dump.signal[pg.SIGNO]:
        s = state(dump.signal, {})
        lines.append("  signal %d code %d addr %s pc %s" % (dump.signal[pg.SIGNO],
                     signed64(dump.signal[pg.CODE_]), s["addr"], s["pc"]))
    return "\n".join(lines)


def signed64(v):
    return v - (1 << 64) if v >> 63 else v


def differences(case, oracle, other, oracle_name="qemu", other_name="oryx"):
    """Registers the instruction changed or the two sides disagree on."""
    before = state(oracle.before, oracle.mem_before)
    if state(other.before, other.mem_before) != before:
        there = state(other.before, other.mem_before)
        bad = [n for n in before if before[n] != there[n]]
        return "  the state BEFORE the instruction differs already: %s" % " ".join(bad[:12])
    a, b = state(oracle.after, oracle.mem_after), state(other.after, other.mem_after)
    sa, sb = state(oracle.signal, {}), state(other.signal, {})
    lines = ["  %-12s %-33s %-33s %s" % ("", "before", oracle_name, other_name)]
    for n in before:
        if n in ("signo", "code", "addr", "pc"):
            continue
        if a[n] != b[n] or a[n] != before[n]:
            lines.append("  %-12s %-33s %-33s %s%s" % (n, before[n], a[n], b[n],
                         "   <-- differs" if a[n] != b[n] else ""))
    used = used_registers(case)
    for n in before:
        if n in used and a[n] == b[n] == before[n]:
            lines.append("  %-12s %s" % (n, before[n]))
    if oracle.signal[pg.SIGNO] or other.signal[pg.SIGNO]:
        both = oracle.signal[pg.SIGNO] and other.signal[pg.SIGNO]
        for n in sa:
            if (both and sa[n] != sb[n]) or n in ("signo", "code", "addr", "pc"):
                lines.append("  in handler: %-8s %-33s %s%s" % (n, sa[n], sb[n],
                             "   <-- differs" if sa[n] != sb[n] else ""))
    return "\n".join(lines)


def used_registers(case):
    """Names of registers that any five-bit register field of the words may name."""
    used = {"nzcv", "fpcr"}
    for word in case.words:
        for shift in (0, 5, 10, 16):
            n = word >> shift & 31
            used |= {"x%d" % n if n < 31 else "sp", "v%d" % n}
    return used
