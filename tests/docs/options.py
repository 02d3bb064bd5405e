#!/usr/bin/env python3
"""Manual page and shell completions name exactly the options that the command has. The oracle is `oryx COMMAND --help`,
which the option parser itself prints.

usage: options.py ORYX SOURCE
"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

failures = checks = 0


def check(what, right, detail=""):
    global failures, checks
    checks += 1
    if not right:
        failures += 1
        print(f"FAIL {what}: {detail}")


def output(*command, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)


def options_of(text):
    """Options a --help text lists: {"--engine", "-e", ...}; the example lines below are not among them."""
    found = set()
    for line in text.splitlines():
        row = re.match(r"  (?:(-\w), )?(--[\w-]+)", line)
        if row and not line.startswith("  oryx"):
            found |= {o for o in row.groups() if o}
    return found


def manual_sections(text):
    """{section title: options in its tagged paragraphs}."""
    plain = text.replace("\\-", "-")
    sections = {}
    for part in re.split(r"^\.SH ", plain, flags=re.M)[1:]:
        title, _, body = part.partition("\n")
        tags = [body_line for before, body_line in re.findall(r"^(\.TP)\n(.*)$", body, re.M)]
        sections[title] = {o for t in tags for o in re.findall(r"(?<![\w-])--?[\w-]+", re.sub(r"\\f\w\w*", " ", t))}
    return sections


def zsh_options(text, command):
    body = re.search(rf"^    {command}\)(.*?);;$", text, re.S | re.M).group(1)
    return set(re.findall(r"(?<![\w-])(--[a-z][\w-]*|-\w)(?=[=,\[}'])", body))


def bash_complete(source, command_line, word=None):
    """What bash would offer for the last word."""
    script = (f'source "{source}/tools/completion/oryx.bash"; compopt() {{ :; }}; COMP_WORDS=({command_line}); '
              'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _oryx; printf "%s\\n" "${COMPREPLY[@]}"')
    done = output("bash", "-c", script)
    check(f"bash: {command_line}", not done.stderr, done.stderr)
    return set(done.stdout.split())


def main():
    oryx, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    manual = manual_sections((source / "docs/man/oryx.1").read_text())
    zsh = (source / "tools/completion/_oryx").read_text()
    fish = (source / "tools/completion/oryx.fish").read_text()
    commands = re.findall(r"^  (\w+)  +\w", output(oryx, "--help").stdout.split("Examples")[0], re.M)
    check("the command lists its commands", {"run", "exec", "dis", "plugins", "arch"} <= set(commands), commands)
    check("bash offers the commands", set(commands) <= bash_complete(source, 'oryx ""'), commands)
    for command in commands:
        text = output(oryx, command, "--help").stdout
        there = options_of(text)
        check(f"{command}: --help says something", {"-h", "--help"} <= there, text)
        mine = there - {"-h", "--help"}
        in_manual = manual.get(command.upper(), set())
        check(f"{command}: the manual has its options and no others", in_manual == mine, sorted(in_manual ^ mine))
        bash = bash_complete(source, f"oryx {command} -")
        check(f"{command}: bash has its options and no others", bash == there, sorted(bash ^ there))
        in_zsh = zsh_options(zsh, command)
        check(f"{command}: zsh has its options and no others", in_zsh == there, sorted(in_zsh ^ there))
        rows = re.findall(rf"^complete -c oryx -n '__oryx_is {command}'(.*)$", fish, re.M)
        in_fish = {d + o for r in rows for f, o in re.findall(r" -([sl]) ([\w-]+)", r) for d in (["-", "--"][f == "l"],)}
        check(f"{command}: fish has its options and no others", in_fish == mine, sorted(in_fish ^ mine))
        check(f"{command}: --help has examples", "Examples:" in text and f"oryx {command}" in text.split("Examples:")[1], text)
    check("bash: options end at the program", not bash_complete(source, 'oryx run ./prog -'))
    check("bash: actions of plugins", bash_complete(source, 'oryx plugins ""') == {"list", "show", "verify"})
    check("bash: --stats=json", bash_complete(source, 'oryx run --stats "=" j') == {"json"})
    if shutil.which("man") and shutil.which("groff"):
        done = output("man", "--warnings", "-l", source / "docs/man/oryx.1", env={"PATH": "/usr/bin:/bin", "MANPAGER": "cat",
                                                                              "LC_ALL": "C.UTF-8"})
        check("the manual formats without a warning", done.returncode == 0 and not done.stderr and "SYNOPSIS" in done.stdout,
              done.stderr)
    if shutil.which("shellcheck"):
        done = output("shellcheck", source / "tools/completion/oryx.bash")
        check("shellcheck of the bash completion", done.returncode == 0, done.stdout)
    for shell, file in (("zsh", "_oryx"), ("fish", "oryx.fish")):
        if shutil.which(shell):
            done = output(shell, "-n", source / "tools/completion" / file)
            check(f"{shell} reads its completion", done.returncode == 0, done.stderr)
        else:
            print(f"note: no {shell} here, so {file} was compared but not read by it")
    print(f"{checks} checks, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
