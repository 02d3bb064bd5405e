#!/usr/bin/env python3
"""Installs Oryx into a scratch prefix, moves it, and builds against it as a stranger would: a plugin
with cc and pkg-config alone, a plugin and an embedder with CMake. The oracle is the tool chain: the
headers, flags and symbols are those the compiler and nm see, with nothing of the source tree in reach.

usage: package.py BUILD SOURCE
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PLUGIN = r"""
#include <oryx.h>
#include <helper/oryx_manifest.h>

ORYX_MANIFEST(ORYX_JSON({"id": "test.hello", "version": "1.0.0", "abi": {"major": 1, "minor": 0},
                         "provides": [{"interface": "oryx.device/1", "class": "hello"}]}));

static const void *get(const char *interface, const char *cls)
{
    (void)interface;
    (void)cls;
    return 0;
}

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops ops = {.hdr = {.size = sizeof(ops), .major = 1}, .get = get};
    (void)host;
    (void)err;
    *out = &ops;
    return ORYX_OK;
}
"""
EMBEDDER = r"""
#include <oryx.h>
#include <stdio.h>

int main(void)
{
    printf("oryx %s\n", oryx_version());
    return 0;
}
"""
PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(stranger LANGUAGES C)
find_package(Oryx 0 REQUIRED)
oryx_plugin(hello SOURCES hello.c)
add_executable(embedder embedder.c)
target_link_libraries(embedder PRIVATE Oryx::oryx)
"""
failures = []


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        print(f"failed ({done.returncode}): {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
        raise SystemExit(1)
    return done.stdout


def check(what, right, detail=""):
    print(f"{'ok  ' if right else 'FAIL'} {what}{'' if right else ': ' + str(detail)}")
    if not right:
        failures.append(what)


def exports(path):
    return [line.split()[0] for line in run("nm", "-D", "--defined-only", "--format=posix", path).splitlines()]


def examples(source):
    """(name, files, is a plugin) of each example: examples/NAME.c, or all .c of examples/NAME/."""
    for entry in sorted((source / "examples").glob("*")):
        files = [entry] if entry.suffix == ".c" else sorted(entry.glob("*.c")) if entry.is_dir() else []
        # A program of its own beside the example (a server it talks to) knows nothing of Oryx.
        files = [f for f in files if len(files) == 1 or "int main(" not in f.read_text() or "oryx" in f.read_text()]
        text = "".join(f.read_text() for f in files)
        if '"oryx' in text or "<oryx" in text:
            yield entry.stem, files, "oryx_plugin_open_v1" in text


def build_example(name, files, plugin, work, env):
    """Compile an example the way a stranger does, warnings as errors; returns what was built."""
    out = work / (name + ".so" if plugin else name)
    kind = "-shared -fPIC -fvisibility=hidden" if plugin else "-pthread"
    libs = "--cflags" if plugin else "--cflags --libs"
    names = " ".join(f"'{f}'" for f in files)
    run("sh", "-c", f"cc -std=c11 -Wall -Wextra -Werror {kind} {names} -o '{out}' $(pkg-config {libs} oryx)", env=env)
    return out


def main():
    build, source = (Path(a).resolve() for a in sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix="package.", dir=build) as scratch:
        scratch = Path(scratch)
        run("cmake", "--install", build, "--prefix", scratch / "first")
        prefix = scratch / "moved"
        (scratch / "first").rename(prefix)
        lib = next(prefix.glob("lib/**/pkgconfig")).parent

        headers = {p.relative_to(source / "abi") for p in (source / "abi").rglob("*") if p.suffix in (".h", ".def")}
        installed = {p.relative_to(prefix / "include/oryx") for p in (prefix / "include/oryx").rglob("*") if p.is_file()}
        check("every ABI header is installed, and nothing else", headers == installed, headers ^ installed)
        built = {p.name for p in (build / "plugins").glob("*.so")}
        there = {p.name for p in (lib / "oryx/plugins").glob("*.so")}
        check("the plugins are installed", there == built, built ^ there)

        clean = {k: v for k, v in os.environ.items() if not k.startswith(("ORYX", "C_INCLUDE", "CPATH"))}
        clean["PKG_CONFIG_PATH"] = str(lib / "pkgconfig")
        plugins = [scratch / "work/x.so"]
        work = scratch / "work"
        work.mkdir()
        (work / "hello.c").write_text(PLUGIN)
        (work / "embedder.c").write_text(EMBEDDER)
        (work / "CMakeLists.txt").write_text(PROJECT)

        run("sh", "-c", "cc -shared -fPIC -fvisibility=hidden $(pkg-config --cflags oryx) hello.c -o x.so",
            cwd=work, env=clean)
        check("cc and pkg-config build a plugin with one export", exports(work / "x.so") == ["oryx_plugin_open_v1"],
              exports(work / "x.so"))
        notes = run("readelf", "-nW", work / "x.so")
        check("its manifest is in an ELF note", "Oryx" in notes and "test.hello" in run("strings", "-a", work / "x.so"), notes)
        where = run("pkg-config", "--variable=plugindir", "oryx", env=clean).strip()
        check("pkg-config names the plugin directory", Path(where).resolve() == lib / "oryx/plugins", where)

        if (lib / "liboryx.so").exists():
            run("sh", "-c", "cc embedder.c -o embedder-pc $(pkg-config --cflags --libs oryx) -Wl,-rpath," + str(lib),
                cwd=work, env=clean)
            said = run(work / "embedder-pc", env=clean)
            check("pkg-config builds an embedder that runs", said.startswith("oryx "), said)
            foreign = [s for s in exports(lib / "liboryx.so") if not s.startswith("oryx_")]
            check("the library exports oryx_* only", not foreign, foreign)

            run("cmake", "-S", work, "-B", work / "b", f"-DCMAKE_PREFIX_PATH={prefix}", env=clean)
            run("cmake", "--build", work / "b", env=clean)
            so = next((work / "b").rglob("hello.so"))
            check("find_package(Oryx) and oryx_plugin build a plugin", exports(so) == ["oryx_plugin_open_v1"], exports(so))
            said = run(work / "b/embedder", env=clean)
            check("Oryx::oryx builds an embedder that runs", said.startswith("oryx "), said)
        for name, files, plugin in examples(source):
            if plugin or (lib / "liboryx.so").exists():
                out = build_example(name, files, plugin, work, clean)
                check(f"example {name} builds", not plugin or exports(out) == ["oryx_plugin_open_v1"], out)
                plugins += [out] if plugin else []
        if (prefix / "bin/oryx").exists():
            said = run(prefix / "bin/oryx", "--version", env=clean)
            check("the installed command runs", "oryx" in said.lower(), said)
            said = run(prefix / "bin/oryx", "plugins", "list", env=clean)
            missing = [n for n in there if str(prefix) not in said or n[:-3] not in said]
            check("the installed command finds the installed plugins, though moved", not missing, f"{missing} in\n{said}")
            for plugin in plugins:
                verdict = subprocess.run([prefix / "bin/oryx", "plugins", "verify", plugin], env=clean,
                                         capture_output=True, text=True)
                check(f"{plugin.name} holds the loading rules", verdict.returncode == 0,
                      verdict.stdout + verdict.stderr)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    if not shutil.which("pkg-config"):
        print("pkg-config not found")
        sys.exit(77)
    sys.exit(main())
