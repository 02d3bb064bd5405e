"""What the plugin tests share: compiling the test plugin in many shapes, and talking to the driver."""
import os
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = Path(os.environ.get("ORYX_SOURCE", HERE.parent.parent))


def manifest(ident="test.good", version="1.2.3", cls="good", **more):
    """Manifest text; a member set to None is left out."""
    import json
    fields = {"id": ident, "version": version, "abi": {"major": 1, "minor": 0},
              "provides": [{"interface": "oryx.device/1", "class": cls}], **more}
    return json.dumps({k: v for k, v in fields.items() if v is not None})


def compile_plugin(path, *flags, text=None, name=None, hidden=True):
    """Build plugin.c into path; text is the manifest."""
    command = ["cc", "-shared", "-fPIC", "-O1", "-I", str(SOURCE / "abi"), str(HERE / "plugin.c"), "-o", str(path)]
    command += ["-fvisibility=hidden"] if hidden else []
    if text is not None:
        command.append('-DMANIFEST="%s"' % text.replace("\\", "\\\\").replace('"', '\\"'))
    if name is not None:
        command.append(f'-DNAME="{name}"')
    done = subprocess.run(command + list(flags), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"cannot build {path}: {done.stderr}")
    Path(path).chmod(0o755)
    return Path(path)


class Driver:
    """The driver process; every call is one command, its answer a list of rows."""

    def __init__(self, program, stderr=None, **env):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("ORYX", "XDG_DATA"))}
        clean["HOME"] = "/nonexistent"
        clean.update(env)
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True,
                                        env=clean)

    def __call__(self, *words):
        self.process.stdin.write("\t".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        rows = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit(f"FAIL the driver ended with status {self.process.wait()} at: {words}")
            if line == ".\n":
                return rows
            rows.append(line.rstrip("\n").split("\t"))

    def status(self, *words):
        """(status, text) of a command."""
        rows = [r for r in self(*words) if r[0] == "status"]
        return int(rows[0][1]), rows[0][2]

    def ran(self):
        """Which plugin code has run since last asked."""
        return self("ran")[0][1]

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


class Checks:
    def __init__(self):
        self.failures = self.done = 0

    def __call__(self, what, right, detail=""):
        self.done += 1
        if not right:
            self.failures += 1
            print(f"FAIL {what}: {str(detail)[:300]}")
        return right

    def end(self):
        print(f"{self.done} checks, {self.failures} failures")
        return 1 if self.failures else 0


def scratch():
    """A folder that obeys the directory rule: /tmp is sticky, the folder is ours alone."""
    return tempfile.TemporaryDirectory(prefix="op.", dir="/tmp")
