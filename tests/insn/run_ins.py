#!/usr/bin/env python3
"""Runs the lines of *.ins files through `oryx exec` and compares state and disassembly.

  run_ins.py [--oryx build/oryx] [--engine E] [FILES]     default: every a64_*.ins beside this script
  run_ins.py --show 5 --no-dis tests/insn/a64_fp.ins

One line is one case in one process: the word at pc, the registers named on the left (all others zero),
memory at the page of the line's addresses; one instruction is executed. Then every register is read:
those on the right must have their new value, all others their old one. Likewise the memory.
Exit status: 0 all right, 1 a difference, 2 oryx is missing or `oryx exec` failed.
"""
import argparse
import collections
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CODE = 0x10000                              # where a word lies whose line names no pc
PAGE = 0x1000
EXITS = {"syscall": ("syscall",), "undefined": ("exception", "fault"),
         "breakpoint": ("exception", "fault", "debug")}
REGISTERS = ["x%d" % k for k in range(31)] + ["sp", "pc", "nzcv", "fpcr", "fpsr"] \
    + ["v%d" % k for k in range(32)]


class Line:
    """WORD | text | left => right"""

    def __init__(self, path, number, text):
        self.where = "%s:%d" % (os.path.basename(path), number)
        word, self.text, state = [part.strip() for part in text.split("|", 2)]
        self.word = int(word, 16)
        left, right = state.split("=>")
        self.registers, self.memory = self.state(left)
        self.new_registers, self.new_memory = self.state(right)
        self.exit = self.new_registers.pop("exit", None)
        self.pc = self.registers.setdefault("pc", CODE)
        if not self.exit:
            self.new_registers.setdefault("pc", self.pc + 4)

    @staticmethod
    def state(text):
        registers, memory = {}, {}
        for item in text.split():
            name, value = item.split("=")
            if name.startswith("["):
                memory[int(name[1:-1], 16)] = bytes.fromhex(value)
            else:
                registers[name] = value if name == "exit" else int(value, 16)
        return registers, memory

    def page(self):
        """The data page: where memory is named, else where any register points into the arena."""
        named = list(self.memory) + list(self.new_memory)
        named += [v for v in self.registers.values() if v >> 16 == 0xA02]
        return named[0] & -PAGE if named else None

    def image(self):
        """Bytes of the data page up to the last one named."""
        page, data = self.page(), bytearray()
        for at, chunk in self.memory.items():
            if len(data) < at - page + len(chunk):
                data.extend(bytes(at - page + len(chunk) - len(data)))
            data[at - page:at - page + len(chunk)] = chunk
        return bytes(data)

    def request(self, ident, engine, cpu):
        case = {"id": ident, "arch": "arm64", "count": 1,
                "map": [{"addr": hex(self.pc & -PAGE), "size": PAGE, "type": "ram", "prot": "rx",
                         "hex": "00" * (self.pc % PAGE) + self.word.to_bytes(4, "little").hex()}],
                "regs": {n: "0x%032x" % v if n[0] == "v" else hex(v)
                         for n, v in self.registers.items()},
                "read": {"regs": "all", "mem": []}}
        if engine:
            case["engine"] = engine
        if cpu:
            case["cpu"] = cpu
        page = self.page()
        if page is not None:
            case["map"].append({"addr": hex(page), "size": PAGE, "type": "ram", "prot": "rw",
                                "hex": self.image().hex()})
            case["read"]["mem"].append({"addr": hex(page), "size": 256})
        return case

    def expected_memory(self):
        data = bytearray(256)
        image = self.image()
        data[:len(image)] = image[:256]
        for at, chunk in self.new_memory.items():
            data[at - self.page():at - self.page() + len(chunk)] = chunk
        return bytes(data)

    def check(self, answer):
        """Texts of what is wrong with the answer."""
        if "error" in answer and not answer.get("exit"):
            return ["error: %s" % answer["error"]]
        reason = answer["exit"]["reason"]
        if self.exit:
            return [] if reason in EXITS[self.exit] else ["exit %s, not %s" % (reason, self.exit)]
        if reason not in ("count", "until"):
            return ["exit %s %s" % (reason, json.dumps(answer["exit"].get("detail", {})))]
        wrong = []
        regs = answer["regs"]
        for name in REGISTERS:
            want = self.new_registers.get(name, self.registers.get(name, 0))
            if name not in regs:
                wrong.append("%s is not in the answer" % name)
            elif int(str(regs[name]), 0) != want:
                wrong.append("%s = %s, not %s" % (name, regs[name], hex(want)))
        if self.page() is not None:
            got = bytes.fromhex(answer["mem"][0]["hex"])
            if got != self.expected_memory():
                at = next(k for k in range(256) if got[k:k + 1] != self.expected_memory()[k:k + 1])
                wrong.append("memory at %#x: %s, not %s" % (self.page() + at, got[at:at + 16].hex(),
                             self.expected_memory()[at:at + 16].hex()))
        return wrong


def read_lines(paths):
    lines = []
    for path in paths:
        with open(path) as f:
            for number, text in enumerate(f, 1):
                if text.strip() and not text.startswith("#"):
                    lines.append(Line(path, number, text))
    return lines


def execute(args, lines):
    """Answers by id, and the seconds it took."""
    requests = "".join(json.dumps(line.request(k, args.engine, args.cpu)) + "\n"
                       for k, line in enumerate(lines))
    began = time.time()
    run = subprocess.run([args.oryx, "exec", "-"], input=requests, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    took = time.time() - began
    answers = {}
    for text in run.stdout.splitlines():
        answer = json.loads(text)
        answers[int(answer["id"])] = answer
    return answers, took, run


def dis_texts(args, words, address):
    """Text of each word, from `oryx dis` on a file of them at `address`."""
    with tempfile.NamedTemporaryFile(suffix=".bin") as f:
        f.write(b"".join(w.to_bytes(4, "little") for w in words))
        f.flush()
        run = subprocess.run([args.oryx, "dis", "--arch", "arm64", "--addr", hex(address), f.name],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode:
        raise RuntimeError("oryx dis: status %d %s" % (run.returncode, run.stderr.strip()))
    texts = []
    for text in run.stdout.splitlines():
        m = re.match(r"^\s*(?:0x)?[0-9a-f]+:?\s+([0-9a-f]{8}|(?:[0-9a-f]{2} ){4})\s*(.*)$", text)
        if m:
            texts.append(" ".join(m.group(2).split()))
    return texts


def check_dis(args, lines):
    """[(line, text)] of the lines whose text differs."""
    plain = [x for x in lines if x.pc == CODE]
    texts = dis_texts(args, [x.word for x in plain], CODE)
    wrong = [(x, t) for x, t in zip(plain, texts) if t != x.text]
    if len(texts) != len(plain):
        raise RuntimeError("oryx dis printed %d instructions for %d words" % (len(texts), len(plain)))
    for x in lines:
        if x.pc != CODE:
            text = (dis_texts(args, [x.word], x.pc) or ["nothing"])[0]
            if text != x.text:
                wrong.append((x, text))
    return wrong


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("files", nargs="*")
    ap.add_argument("--oryx", default=os.environ.get("ORYX", "build/oryx"))
    ap.add_argument("--engine", default="")
    ap.add_argument("--cpu", default="")
    ap.add_argument("--show", type=int, default=20, help="wrong lines printed (20)")
    ap.add_argument("--no-dis", action="store_true")
    ap.add_argument("--no-exec", action="store_true")
    ap.add_argument("--print-requests", action="store_true", help="the JSON lines, to look at")
    args = ap.parse_args()
    lines = read_lines(args.files or sorted(glob.glob(os.path.join(HERE, "a64_*.ins"))))
    if args.print_requests:
        for k, line in enumerate(lines):
            print(json.dumps(line.request(k, args.engine, args.cpu)))
        return 0
    failed = 0
    try:
        if not args.no_exec:
            answers, took, run = execute(args, lines)
            by_mnemonic = collections.Counter()
            for k, line in enumerate(lines):
                wrong = line.check(answers[k]) if k in answers else ["no answer"]
                if wrong:
                    failed += 1
                    by_mnemonic[line.text.split()[0]] += 1
                    if failed <= args.show:
                        print("%s: %08x %s\n    %s" % (line.where, line.word, line.text,
                                                     "\n    ".join(wrong[:6])))
            if failed:
                print("by mnemonic: " + " ".join("%s:%d" % x for x in by_mnemonic.most_common(60)))
            if len(answers) < len(lines):
                print("oryx exec: status %d, %d answers to %d lines: %s"
                      % (run.returncode, len(answers), len(lines), run.stderr.strip()[-400:]))
                if not answers:
                    return 2
            print("exec: %d lines, %d wrong, %.2f s, %d a second"
                  % (len(lines), failed, took, len(lines) / max(took, 1e-6)))
        if not args.no_dis:
            wrong = check_dis(args, lines)
            for line, text in wrong[:args.show]:
                print("%s: %08x is «%s», oryx says «%s»" % (line.where, line.word, line.text, text))
            print("dis: %d lines, %d wrong" % (len(lines), len(wrong)))
            failed += len(wrong)
    except FileNotFoundError:
        print("run_ins: %s is not found; build Oryx or name it with --oryx" % args.oryx)
        return 2
    except (RuntimeError, ValueError) as e:
        print("run_ins: %s" % e)
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
