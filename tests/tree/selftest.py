#!/usr/bin/env python3
"""Breaks every rule of check.py, one at a time, in a temporary tree that is otherwise clean."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import check

BANNER = "/* Keeps one number for the self-test; main calls it; it never changes. */\n"
HEADER = "#ifndef {0}\n#define {0}\n#include <stdint.h>\ntypedef struct {{ uint32_t x; }} {1};\n#endif\n"
CLEAN = {
    "abi/oryx.h": HEADER.format("ORYX_H", "oryx_a"),
    "abi/helper/manifest.h": HEADER.format("MANIFEST_H", "oryx_b"),
    "core/machine.h": '#include "oryx.h"\n',
    "core/machine.c": BANNER + '#include "machine.h"\n#include <glib.h>\n',
    "plugins/region-ram/CMakeLists.txt": "",
    "plugins/region-ram/ram.c": BANNER + '#include "oryx.h"\n#include "helper/manifest.h"\n#include "own.h"\n',
    "plugins/region-ram/own.h": "",
    "plugins/engine-interp/engine.h": "",
    "tools/main.c": BANNER + '#include <oryx.h>\n#include <stdio.h>\n',
    "setup": "#!/usr/bin/env bash\necho ready\n",
}
PLUGIN = "__attribute__((visibility(\"default\"))) int oryx_plugin_open_v1(void);\n"\
         "int oryx_plugin_open_v1(void) { %s return 0; }\n"
LINK = ["-Wl,-z,now", "-Wl,-z,relro", "-Wl,--build-id", "-Wl,-z,noexecstack"]


class Rules(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.root = Path(self.temporary.name) / "tree"
        for path, text in CLEAN.items():
            self.write(path, text)

    def tearDown(self):
        self.temporary.cleanup()

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def run_rule(self, rule, exceptions=()):
        tree = check.Tree(self.root, self.root / "build")
        return check.check(tree, [rule], [[rule, subject, False] for subject in exceptions])

    def breaks(self, rule, path, text, place=None, count=1):
        """The file breaks the rule (once) at place, and an exception for it is honoured."""
        self.assertEqual(self.run_rule(rule), [])
        old = CLEAN.get(path)
        self.write(path, text)
        found = self.run_rule(rule)
        self.assertEqual(len(found), count, found)
        self.assertTrue(found[0].startswith(f"{rule}: {place or path}"), found)
        self.assertEqual(self.run_rule(rule, [path]), [])
        if old is None:
            (self.root / path).unlink()
        else:
            self.write(path, old)

    def test_includes(self):
        for path, include in [
                ("plugins/region-ram/ram.c", '"../engine-interp/engine.h"'),
                ("plugins/region-ram/ram.c", '"engine.h"'),
                ("plugins/region-ram/ram.c", '"core/machine.h"'),
                ("plugins/region-ram/ram.c", '"machine.h"'),
                ("arch-arm/a64.c", '"../core/machine.h"'),
                ("tools/main.c", '"../core/machine.h"'),
                ("examples/one/a.c", '"machine.h"'),
                ("core/machine.c", '"../plugins/region-ram/own.h"'),
                ("abi/oryx.h", '"../core/machine.h"'),
                ("abi/oryx.h", "<unistd.h>"),
                ("abi/oryx.h", "<glib.h>"),
                ("core/machine.c", '"../../elsewhere.h"')]:
            with self.subTest(path=path, include=include):
                self.breaks("includes", path, f"{BANNER}#include {include}\n", f"{path}:2")
        self.write("core/machine.c", BANNER + '/* not\n#include "own.h" */\n')
        self.assertEqual(self.run_rule("includes"), [])
        self.write("tests/core/t.c", BANNER + '#include "machine.h"\n#include "../../core/machine.h"\n')
        self.assertEqual(self.run_rule("includes"), [])

    def test_banner(self):
        self.breaks("banner", "core/tlb.c", "#include <stdint.h>\n")
        self.breaks("banner", "core/tlb.c", "/* tlb */\n")

    def test_length(self):
        self.breaks("length", "core/tlb.c", BANNER + "\n" * 900)
        self.write("core/tlb.c", BANNER + "\n" * 899)
        self.write("core/tlb.def", "\n" * 2000)
        self.assertEqual(self.run_rule("length"), [])

    def test_paths(self):
        for line in ("x=/ho" + "me/me/oryx", "(/ro" + "ot/x)", '"/wo' + 'rk/main"', f"cd {self.root}/x"):
            self.breaks("paths", "docs/a.md", f"\n{line}\n", "docs/a.md:2")
        self.write("docs/a.md", "https://example.org/home/x $X/home/y /usr/include /proc/self/exe")
        self.assertEqual(self.run_rule("paths"), [])

    def test_unfinished(self):
        self.breaks("unfinished", "core/tlb.c", "/* TO" + "DO: more */\n")
        self.breaks("unfinished", "core/tlb.c", 'puts("not imple' + 'mented");\n')

    def test_abitypes(self):
        for line in ("bool x;", "long x;", "unsigned long f(void);", "FILE *f;", "gpointer p;", "GError *e;",
                     "uint32_t a : 3;", "int f(const char *s, ...);", "enum kind k;",
                     "int f(enum kind k);"):
            with self.subTest(line=line):
                self.breaks("abitypes", "abi/oryx_x.h", f"\n{line}\n", "abi/oryx_x.h:2")
        self.write("abi/oryx_x.h", "/* as long as it takes; bool */\n#define P(...) long\nenum { A };\n")
        self.assertEqual(self.run_rule("abitypes"), [])

    def test_headers(self):
        self.write("abi/oryx_x.h", "int f(uint32_t);\n")
        self.assertTrue(self.run_rule("headers"))
        self.write("abi/oryx_x.h", "int class_of(int *class);\n")  # C, but not C++
        found = self.run_rule("headers")
        self.assertTrue(found and all("c++17" in line for line in found), found)
        self.write("abi/oryx_x.h", "static_assert(sizeof(int) == 4);\n")  # C++17, but not C11
        found = self.run_rule("headers")
        self.assertTrue(found and all("c11" in line for line in found), found)
        (self.root / "abi/oryx_x.h").unlink()
        self.assertEqual(self.run_rule("headers"), [])

    def test_shell(self):
        self.breaks("shell", "tests/a.sh", '#!/bin/sh\nrm $1\n', "tests/a.sh:2")

    def plugin(self, body="", extra="", flags=(), name="region-ram", define=PLUGIN):
        source = self.root.parent / "p.c"
        out = self.root / "build" / "plugins" / f"{name}.so"
        out.parent.mkdir(parents=True, exist_ok=True)
        source.write_text("#include <stdlib.h>\n#include <signal.h>\n#include <unistd.h>\n#include <assert.h>\n"
                          + extra + (define % body if define else ""))
        subprocess.run(["gcc", "-shared", "-fPIC", "-fvisibility=hidden", *LINK, *flags, str(source),
                        "-o", str(out)], check=True, stderr=subprocess.DEVNULL)
        return self.run_rule("symbols")

    def test_symbols(self):
        self.assertEqual(len(self.run_rule("symbols")), 1)  # a plugin folder, but nothing built
        self.assertEqual(self.plugin("getpid();"), [])
        for body in ("exit(1);", "abort();", "_exit(1);", "signal(1, SIG_IGN);", "sigaction(1, 0, 0);",
                     "int i = getpid(); assert(i);"):
            with self.subTest(body=body):
                found = self.plugin(body)
                self.assertEqual(len(found), 1, found)
                self.assertIn("is called", found[0])
        self.assertEqual(self.run_rule("symbols", ["region-ram.so:__assert_fail"]), [])
        public = '__attribute__((visibility("default"))) int second;\n'
        for found, what in [
                (self.plugin(extra=public), "region-ram.so:second: is exported"),
                (self.plugin(define=None, extra="static int x __attribute__((unused));\n"), "does not export"),
                (self.plugin(flags=["-Wl,-z,execstack"]), "executable stack"),
                (self.plugin(flags=["-Wl,-z,lazy"]), "-z now"),
                (self.plugin(flags=["-Wl,-z,norelro"]), "-z relro"),
                (self.plugin(flags=["-Wl,--build-id=none"]), "build id"),
                (self.plugin(extra="static void __attribute__((constructor)) c(void) { }\n"), "constructor")]:
            self.assertEqual(len(found), 1, found)
            self.assertIn(what, found[0])
        self.assertEqual(self.plugin(), [])
        library = self.root / "build" / "liboryx.so"
        (self.root.parent / "l.c").write_text("#include <stdlib.h>\nint oryx_x; int stray; void oryx_f(void);\n"
                                              "void oryx_f(void) { exit(1); }\n")
        subprocess.run(["gcc", "-shared", "-fPIC", *LINK, str(self.root.parent / "l.c"), "-o", str(library)],
                       check=True)
        found = self.run_rule("symbols")
        self.assertEqual([x.split(": ")[1] for x in found], ["liboryx.so:stray", "liboryx.so:exit"])

    def test_every_rule_is_tested(self):
        tested = {name[5:] for name in dir(self) if name.startswith("test_")}
        self.assertEqual(set(check.RULES) - tested, set())

    def test_exceptions_file(self):
        bad = self.root / "exceptions.txt"
        for line in ("symbols x.so", "nosuchrule x.so because"):
            bad.write_text(line + "\n")
            with self.assertRaises(SystemExit):
                check.read_exceptions(bad)

    def test_command(self):
        """The command's exit status is what ctest sees."""
        self.write("core/tlb.c", "int x;\n")
        script = Path(check.__file__)
        command = [sys.executable, str(script), "--source", str(self.root), "banner"]
        self.assertEqual(subprocess.run(command, capture_output=True).returncode, 1)
        self.write("core/tlb.c", BANNER)
        self.assertEqual(subprocess.run(command, capture_output=True).returncode, 0)


if __name__ == "__main__":
    unittest.main()
