#!/usr/bin/python3
"""A second opinion on the *.ins files: answers `oryx exec`'s JSON lines (arm64, count 1) with libunicorn.

  run_ins.py --oryx tests/insn/unicorn_exec.py --no-dis

Needs Debian's python3-unicorn. Of the 6,095 lines its 2.0.1 disagrees on 41 LD<S|U><MIN|MAX> lines of 8 to 64
bits, where it is wrong by the manual (lduminb of 0x4b and 0x0b must store 0x0b), and on 13 of a64_system,
because it is not at EL0.
"""
import json
import sys

import unicorn
from unicorn import arm64_const as uc

REGISTERS = {"sp": uc.UC_ARM64_REG_SP, "pc": uc.UC_ARM64_REG_PC, "nzcv": uc.UC_ARM64_REG_NZCV,
             "fpcr": uc.UC_ARM64_REG_FPCR, "fpsr": uc.UC_ARM64_REG_FPSR,
             "x29": uc.UC_ARM64_REG_X29, "x30": uc.UC_ARM64_REG_X30}
REGISTERS.update({"x%d" % k: uc.UC_ARM64_REG_X0 + k for k in range(29)})
REGISTERS.update({"v%d" % k: uc.UC_ARM64_REG_V0 + k for k in range(32)})


def answer(case):
    m = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
    m.ctl_set_cpu_model(uc.UC_CPU_ARM64_MAX)
    for region in case["map"]:
        address = int(region["addr"], 16)
        m.mem_map(address, region["size"])
        m.mem_write(address, bytes.fromhex(region["hex"]))
    for name, register in REGISTERS.items():
        if name != "pc":
            m.reg_write(register, int(case["regs"].get(name, "0"), 16))
    pc = int(case["regs"]["pc"], 16)
    reason = "count"
    try:
        m.emu_start(pc, 0xFFFFFFFFFFFF, count=1)
    except unicorn.UcError:
        if m.reg_read(uc.UC_ARM64_REG_PC) == pc:            # else: the next fetch failed
            reason = "exception"
    return {"id": case["id"], "exit": {"reason": reason},
            "regs": {name: hex(m.reg_read(register)) for name, register in REGISTERS.items()},
            "mem": [{"hex": bytes(m.mem_read(int(r["addr"], 16), r["size"])).hex()}
                    for r in case["read"]["mem"]]}


for text in sys.stdin:
    print(json.dumps(answer(json.loads(text))), flush=True)
