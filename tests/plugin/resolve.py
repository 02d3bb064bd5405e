#!/usr/bin/env python3
"""Finding and loading plugins: search order, requirements, two of a kind, pins, and entries that fail. The oracle is the
set of files that the test made and the rules in CONTRIBUTING.md and docs/DESIGN.md ("Plugins"); each plugin answers with
a name that says which file it is.

usage: resolve.py DRIVER
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

from host import Checks, Driver, compile_plugin, manifest, scratch

DEVICE = "oryx.device/1"
check = Checks()


def says(what, answer, code, *texts):
    status, text = answer
    check(what, status == code and all(str(t) in text for t in texts), f"{answer}, expected {code} with {texts}")


def make(folder, file, ident, version="1.0.0", cls=None, flags=(), requires=None, name=None):
    folder.mkdir(exist_ok=True)
    return compile_plugin(folder / file, *flags, name=name or file,
                          text=manifest(ident, version, cls or ident, requires=requires))


def ops(rows):
    return next((r[1] for r in rows if r[0] == "ops"), None)


def search_order(program, work):
    driver = Driver(program, ORYX_PLUGIN_PATH=f"{work}/e1::{work}/e2", XDG_DATA_HOME=f"{work}/xdg", HOME=f"{work}/home")
    dirs = [r[1] for r in driver("dirs", f"{work}/x1:{work}/x2")]
    expected = [f"{work}/{d}" for d in ("x1", "x2", "e1", "e2", "xdg/oryx/plugins")]
    check("caller, ORYX_PLUGIN_PATH, XDG_DATA_HOME, own", dirs[:5] == expected and len(dirs) == 6, dirs)
    says("not found names the directories in that order", driver.status("static", f"{work}/x1", DEVICE, "nothing"), -3,
         "'nothing'", ", ".join([f"{work}/x1"] + expected[2:]), "see 'oryx plugins'")
    driver.close()
    driver = Driver(program, HOME=f"{work}/home")
    dirs = [r[1] for r in driver("dirs", "")]
    check("HOME without XDG_DATA_HOME", dirs[0] == f"{work}/home/.local/share/oryx/plugins" and len(dirs) == 2, dirs)
    driver("env", "XDG_DATA_HOME", "relative")
    dirs = [r[1] for r in driver("dirs", "")]
    check("a relative XDG_DATA_HOME is ignored", dirs[0] == f"{work}/home/.local/share/oryx/plugins", dirs)
    driver.close()
    if os.geteuid() == 0:
        privileged(program, work)
    else:
        print("note: not root, so a set-user-ID program was not tried")
    for variable in ("ORYX_PLUGIN_PATH", "XDG_DATA_HOME"):
        sub = work / variable
        make(sub if variable == "ORYX_PLUGIN_PATH" else (sub.mkdir() or (sub / "oryx").mkdir() or sub / "oryx/plugins"),
             "p.so", "in." + variable)
        driver = Driver(program, **{variable: str(sub)})
        check(f"a plugin of {variable} is found", ops(driver("static", "", DEVICE, "in." + variable)) == "p.so")
        driver.close()


def privileged(program, work):
    """A set-user-ID driver ignores the environment: it runs as nobody, started by root."""
    copy = shutil.copy(program, work / "suid")
    os.chown(copy, 65534, 65534)
    os.chmod(copy, 0o4755)
    work.chmod(0o755)
    try:
        # LeakSanitizer cannot look into a privileged process and would say so.
        driver = Driver(copy, stderr=subprocess.DEVNULL, ORYX_PLUGIN_PATH=f"{work}/e1", XDG_DATA_HOME=f"{work}/xdg",
                        HOME=f"{work}/home")
        dirs = [r[1] for r in driver("dirs", f"{work}/x1")]
        mounted = subprocess.run(["findmnt", "-no", "OPTIONS", "-T", str(work)], capture_output=True, text=True).stdout
        if "nosuid" in mounted:
            print("note: the temporary folder is mounted nosuid")
        else:
            check("privileged: the caller's and our own only", len(dirs) == 2 and dirs[0] == f"{work}/x1", dirs)
        driver.close()
    finally:
        work.chmod(0o700)


def twins(driver, work):
    a, b = make(work / "ta", "a.so", "twin", cls="t"), make(work / "tb", "b.so", "twin", cls="t")
    path = f"{work}/ta:{work}/tb"
    says("one id twice names both files", driver.status("machine", path, "twin", DEVICE, "t"), -4, "two plugins", "twin", a, b,
         "--plugin")
    says("one interface and class twice names both", driver.status("static", path, DEVICE, "t"), -4, "two plugins",
         f"{DEVICE} t", a, b, "--plugin")
    check("nothing of either ran", driver.ran() == "")
    check("a pinned file wins, the second", ops(driver("machine", path, b, DEVICE, "t")) == "b.so")
    check("a pinned file wins, the first", ops(driver("machine", path, a, DEVICE, "t")) == "a.so")
    check("the same folder twice is one plugin", ops(driver("static", f"{work}/ta:{work}/ta", DEVICE, "t")) == "a.so")
    (work / "tl").mkdir()
    (work / "tl/link.so").symlink_to(a)
    check("a link to a plugin is the same plugin", ops(driver("static", f"{work}/ta:{work}/tl", DEVICE, "t")) == "a.so")
    rows = [r[1:4] for r in driver("list", path) if r[0] == "plugin"]
    check("the listing has both, by id then path", rows == [["twin", "1.0.0", str(a)], ["twin", "1.0.0", str(b)]], rows)
    says("a pinned file that is not there", driver.status("machine", path, f"{work}/none.so", DEVICE, "t"), -3, work / "none.so")
    says("a pinned id that is not there", driver.status("machine", path, "no.such.id", DEVICE, "t"), -3, "no plugin 'no.such.id'",
         "--plugin")


def requirements(driver, work):
    def need(ident, range_=None, **more):
        return [{"id": ident, **({"range": range_} if range_ else {}), **more}]

    d = work / "r"
    make(d, "base.so", "base", "1.5.0")
    make(d, "met.so", "met", requires=need("base", ">=1.2 <2"))
    make(d, "any.so", "any", requires=need("base"))
    new = make(d, "new.so", "new", requires=need("base", ">=2"))
    missing = make(d, "missing.so", "missing", requires=need("absent"))
    make(d, "optional.so", "optional", requires=need("absent", optional=True))
    make(d, "picky.so", "picky", requires=need("base", ">=2", optional=True))
    one = make(d, "one.so", "one", requires=need("two"))
    two = make(d, "two.so", "two", requires=need("three"))
    three = make(d, "three.so", "three", requires=need("one"))
    own = make(d, "self.so", "self", requires=need("self"))
    broken = make(d, "broken.so", "broken", flags=["-DFAILS"])
    over = make(d, "over.so", "over", requires=need("broken"))
    for cls in ("met", "any", "optional", "picky"):
        check(f"'{cls}' loads", ops(driver("static", d, DEVICE, cls)) == f"{cls}.so", driver.status("static", d, DEVICE, cls))
    rows = {r[1]: r[4] for r in driver("list", d) if r[0] == "plugin"}
    check("the required plugin was loaded, the absent one's not", rows["base"] == "1" and rows["new"] == "0", rows)
    driver.ran()
    says("too old a requirement", driver.status("static", d, DEVICE, "new"), -9, new, "'base'", "1.5.0", ">=2")
    says("an absent requirement", driver.status("static", d, DEVICE, "missing"), -3, missing, "'absent'", "no plugin 'absent'")
    for cls, file in (("one", one), ("two", two), ("three", three), ("self", own)):
        says(f"the cycle, entered at '{cls}'", driver.status("static", d, DEVICE, cls), -10, file, "cycle", "remove one")
    check("no code of them ran", driver.ran() == "")
    says("a requirement that fails to open", driver.status("static", d, DEVICE, "over"), -10, over, "'broken'", broken, "holiday")
    says("after a cycle the rest still loads", driver.status("static", d, DEVICE, "met"), 0)


def entries(driver, work):
    d = work / "n"
    cases = [("fails", ["-DFAILS"], "the licence server is on holiday"),
             ("silent", ["-DFAILS_SILENTLY"], "out of memory"),
             ("endless", ["-DFAILS_ENDLESSLY"], "xxxx"),
             ("noops", ["-DNO_OPS"], "its entry gave no interface table"),
             ("shortops", ["-DSHORT_OPS"], "its entry gave no interface table"),
             ("noget", ["-DNO_GET"], "its entry gave no interface table"),
             ("promise", ["-DEMPTY_PROMISE"], "promises an interface that it does not give"),
             ("undefined", ["-DUNDEFINED"], "nobody_has_this")]
    for cls, flags, text in cases:
        path = make(d, f"{cls}.so", cls, flags=flags)
        answer = driver.status("static", d, DEVICE, cls)
        says(f"entry: {cls}", answer, -10, path, "refused", text)
        check(f"entry: {cls}: again the same", driver.status("static", d, DEVICE, cls) == answer)
    path = d / "touch.so"
    make(d, "touch.so", "touch", flags=[f'-DTOUCH="{path}"'])
    says("a file that changes while it is loaded", driver.status("static", d, DEVICE, "touch"), -10, path, "changed", "try again")
    driver.ran()


def changes(driver, work):
    """A file that is mended or replaced is read again; a refusal is not remembered against a mended mode."""
    d = work / "c"
    p = make(d, "p.so", "p")
    p.chmod(0o757)
    rows = [r for r in driver("list", d) if r[0] == "plugin"]
    check("listed with its refusal", len(rows) == 1 and rows[0][1] == "-" and "'mode'" in rows[0][5], rows)
    says("a refused file provides nothing", driver.status("static", d, DEVICE, "p"), -3, "no plugin provides")
    says("named by hand its refusal is told", driver.status("machine", d, p, DEVICE, "p"), -7, p, "'mode'", "chmod")
    p.chmod(0o755)
    says("mended it loads", driver.status("static", d, DEVICE, "p"), 0)
    make(d, "new.tmp", "p", "2.0.0", name="second")
    (d / "new.tmp").rename(p)
    rows = driver("static", d, DEVICE, "p")
    check("replaced, the new file answers", ops(rows) == "second", rows)
    make(d, "third.tmp", "p", "3.0.0", name="third")
    (d / "third.tmp").rename(p)
    check("replaced again, the newest answers", ops(driver("static", d, DEVICE, "p")) == "third")
    os.utime(p, (1, 1))  # the same inode, other bytes for all we know: the loader would give the old code again
    says("changed in place while in use", driver.status("static", d, DEVICE, "p"), -10, p, "changed in place", "start anew")
    for junk in ("readme.txt", ".hidden.so", "x.so.1", "so"):
        (d / junk).write_text("junk")
    rows = [r for r in driver("list", d) if r[0] == "plugin"]
    check("only NAME.so files are looked at", len(rows) == 1 and rows[0][2] == "3.0.0", rows)
    check("a folder that is not there is no error", [r for r in driver("list", work / "nowhere")][-1][1] == "0")


def main():
    program = sys.argv[1]
    driver = Driver(program)
    with scratch() as work:
        work = Path(work)
        search_order(program, work)
        twins(driver, work)
        requirements(driver, work)
        entries(driver, work)
        changes(driver, work)
    check("the driver ends well", driver.close() == 0)
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
