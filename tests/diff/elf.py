"""Writes a static ELF64 executable from segments; reads the pre-built runtime and its symbols."""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
R, W, X = 4, 2, 1
PAGE = 0x1000


def runtime():
    """(bytes, symbols) of runtime/runtime.bin."""
    with open(os.path.join(HERE, "runtime", "runtime.bin"), "rb") as f:
        code = f.read()
    symbols = {}
    with open(os.path.join(HERE, "runtime", "runtime.sym")) as f:
        for line in f:
            if not line.startswith("#"):
                name, value = line.split()
                symbols[name] = int(value, 16)
    return code, symbols


def write_elf(path, segments, entry, machine=183):
    """segments: (address, flags, bytes, memory size); addresses are page aligned."""
    header_size = 64 + 56 * len(segments)
    offset = (header_size + PAGE - 1) & -PAGE
    headers, body = [], []
    for address, flags, data, size in segments:
        headers.append(struct.pack("<IIQQQQQQ", 1, flags, offset, address, address,
                                   len(data), max(size, len(data)), PAGE))
        padded = (len(data) + PAGE - 1) & -PAGE
        body.append(data + bytes(padded - len(data)))
        offset += padded
    ehdr = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01" + bytes(9), 2, machine, 1, entry,
                       64, 0, 0, 64, 56, len(segments), 64, 0, 0)
    first = ehdr + b"".join(headers)
    first += bytes(((header_size + PAGE - 1) & -PAGE) - len(first))
    with open(path, "wb") as f:
        f.write(first + b"".join(body))
    os.chmod(path, 0o755)
