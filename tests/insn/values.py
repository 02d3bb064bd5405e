"""Boundary-biased operand values for gen_ins.py (the guest's runtime.c has the like for tests/diff)."""

INTEGERS = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
            0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF,
            0xFFFFFFFF80000000, 0xFFFFFFFFFFFFFF80, 0x0123456789ABCDEF, 0xFEDCBA9876543210]
# Exponent and fraction width -> special encodings without sign.
DOUBLES = [0, 1, 0xFFFFFFFFFFFFF, 0x10000000000000, 0x3FF0000000000000, 0x4000000000000000,
           0x3FE0000000000000, 0x3FF8000000000000, 0x4004000000000000, 0x7FEFFFFFFFFFFFFF,
           0x7FF0000000000000, 0x7FF8000000000000, 0x7FF8000000000123, 0x7FF0000000000001,
           0x41DFFFFFFFC00000, 0x41E0000000000000, 0x43E0000000000000, 0x43EFFFFFFFFFFFFF,
           0x47EFFFFFF0000000, 0x36A0000000000000, 0x40EFFC0000000000]
SINGLES = [0, 1, 0x7FFFFF, 0x800000, 0x3F800000, 0x40000000, 0x3F000000, 0x3FC00000, 0x40200000,
           0x7F7FFFFF, 0x7F800000, 0x7FC00000, 0x7FC00123, 0x7F800001, 0x4EFFFFFF, 0x4F000000,
           0x5F000000, 0x477FE000, 0x477FF000, 0x33800000]
HALVES = [0, 1, 0x3FF, 0x400, 0x3C00, 0x4000, 0x7BFF, 0x7C00, 0x7E00, 0x7C01, 0x7E11]


def integer(rng):
    k = rng.random()
    if k < 0.45:
        return rng.choice(INTEGERS)
    if k < 0.6:
        return (rng.choice(INTEGERS) + rng.randrange(-2, 3)) & (1 << 64) - 1
    if k < 0.7:
        return 1 << rng.randrange(64)
    if k < 0.8:
        return rng.getrandbits(32)
    return rng.getrandbits(64)


def floating(rng, special, exponent_bits, fraction_bits):
    sign = rng.getrandbits(1) << (exponent_bits + fraction_bits)
    k = rng.random()
    if k < 0.35:
        return rng.choice(special) | sign
    bias = (1 << (exponent_bits - 1)) - 1
    fraction = rng.getrandbits(fraction_bits)
    if rng.random() < 0.5:
        fraction &= -1 << rng.randrange(fraction_bits)
    if k < 0.85:
        near = min(20, bias - 1)
        return sign | (bias + rng.randrange(-near, near + 1)) << fraction_bits | fraction
    return sign | rng.getrandbits(exponent_bits) << fraction_bits | fraction


def vector(rng, kind):
    """Half a vector register. kind: 1 double, 2 two singles, 3 halves or integer lanes."""
    if kind == 1:
        return floating(rng, DOUBLES, 11, 52)
    if kind == 2:
        return floating(rng, SINGLES, 8, 23) | floating(rng, SINGLES, 8, 23) << 32
    if rng.random() < 0.4:
        return integer(rng)
    value = 0
    for lane in range(4):
        v = floating(rng, HALVES, 5, 10) if rng.random() < 0.5 else rng.choice(INTEGERS) & 0xFFFF
        value |= v << 16 * lane
    return value
