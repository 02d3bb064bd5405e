#!/usr/bin/env python3
"""The tables of os-linux's ABIs against real cross compilers: system call numbers, sizes and member offsets of structs,
errnos, signals and flags, as the kernel's and the C library's headers of that architecture have them.

usage: abi_layout.py [ABI...]         compare abi_<ABI>.def (all with a compiler here when none is named)
       abi_layout.py --emit CC        print the rows of a new ABI (MAP rows: only what differs from this host)

Environment: ORYX_SOURCE. Exit status 77 when no cross compiler is installed.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(os.environ.get("ORYX_SOURCE", Path(__file__).resolve().parents[3]))
PLUGIN = SOURCE / "plugins/os-linux"
COMPILERS = {"arm64": ["aarch64-linux-gnu-gcc"], "arm": ["arm-linux-gnueabi-gcc", "arm-linux-gnueabihf-gcc"],
             "armeb": ["arm-linux-gnueabi-gcc -mbig-endian"],
             "i386": ["i686-linux-gnu-gcc"], "mips": ["mips-linux-gnu-gcc"], "mipsel": ["mipsel-linux-gnu-gcc"],
             "mips64": ["mips64-linux-gnuabi64-gcc"], "mips64el": ["mips64el-linux-gnuabi64-gcc"],
             "mipsn32": ["mips64-linux-gnuabi64-gcc -mabi=n32"], "mipsn32el": ["mips64el-linux-gnuabi64-gcc -mabi=n32"], "x86_64": ["x86_64-linux-gnu-gcc"]}

DEFS = {"armeb": "arm", "mipsel": "mips", "mips64el": "mips64", "mipsn32el": "mipsn32"}       # ABIs that share a file, and those that are big-endian
BIG = {"armeb", "mips", "mips64", "mipsn32"}
# Structs that an ABI has from another one's headers: the kernel serves stat of N32 as that of N64.
BORROWED = {"mipsn32": {"stat": "mips64"}, "mipsn32el": {"stat": "mips64el"}}

# Headers that go together, and what they give: struct of structs.def -> C type, {member of structs.def: C member}.
# A struct that no user header has is written out as the kernel's source does.
TIME = """#include <linux/time_types.h>
#include <linux/resource.h>
#include <linux/sysinfo.h>
#include <linux/times.h>
#include <asm/statfs.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/eventpoll.h>
#include <linux/utime.h>
typedef struct { struct __kernel_old_timespec it_interval, it_value; } old_itimerspec;
typedef struct { struct __kernel_old_timeval it_interval, it_value; } old_itimerval;
typedef struct { __kernel_old_time_t actime, modtime; } lx_utimbuf;
typedef struct { int tz_minuteswest, tz_dsttime; } lx_timezone;
"""
LIBC = """#define _GNU_SOURCE 1
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
#if defined(__mips64) && _MIPS_SIM == _ABI64
typedef struct { unsigned flags; void *handler; unsigned long mask, more; } lx_sigaction;
typedef struct { unsigned flags; void *handler; unsigned long mask, more; } lx_old_sigaction;
#elif defined(__mips__)
typedef struct { unsigned flags; void *handler; unsigned mask_word[4]; } lx_sigaction;
typedef struct { unsigned flags; void *handler; unsigned mask_word[4]; } lx_old_sigaction;
#else
typedef struct { void *handler; unsigned long flags; void *restorer; unsigned mask_word[2]; } lx_sigaction;
typedef struct { void *handler; unsigned long mask_word[1], flags; void *restorer; } lx_old_sigaction;
#endif
"""
TERM = """#include <stddef.h>
#include <asm/termbits.h>
"""
FCNTL = """#define _GNU_SOURCE 1
#include <fcntl.h>
"""
STAT = {f"st_{x}tim.tv_{y}": f"st_{x}time" + ("_nsec" if y == "nsec" else "") for x in "amc" for y in ("sec", "nsec")}
STATFS = {f"f_fsid.__val[{i}]": f"f_fsid.val[{i}]" for i in (0, 1)}
SIGSTACK = {"sp": "ss_sp", "flags": "ss_flags", "size": "ss_size"}
TYPES = {
    "timespec": (TIME, "struct __kernel_old_timespec"), "timespec64": (TIME, "struct __kernel_timespec"),
    "timeval": (TIME, "struct __kernel_old_timeval"), "itimerval": (TIME, "old_itimerval"),
    "itimerspec": (TIME, "old_itimerspec"), "itimerspec64": (TIME, "struct __kernel_itimerspec"),
    "rlimit": (TIME, "struct rlimit"), "rlimit64": (TIME, "struct rlimit64"), "rusage": (TIME, "struct rusage"),
    "sysinfo": (TIME, "struct sysinfo"), "statfs": (TIME, "struct statfs", STATFS), "statfs64": (TIME, "struct statfs64", STATFS),
    "stat": (TIME, "struct stat", STAT), "stat64": (TIME, "struct stat64", STAT), "flock": (FCNTL, "struct flock"),
    "flock64": (FCNTL, "struct flock64"), "tms": (TIME, "struct tms"), "epoll_event": (TIME, "struct epoll_event"),
    "utimbuf": (TIME, "lx_utimbuf"), "timezone": (TIME, "lx_timezone"),
    "sigaction": (LIBC, "lx_sigaction"), "old_sigaction": (LIBC, "lx_old_sigaction"), "sigstack": (LIBC, "stack_t", SIGSTACK),
    "iovec": (LIBC, "struct iovec"), "msghdr": (LIBC, "struct msghdr"), "cmsghdr": (LIBC, "struct cmsghdr"),
    "pollfd": (LIBC, "struct pollfd"), "winsize": (LIBC, "struct winsize"), "sigevent": (LIBC, "struct sigevent"),
    **{f"siginfo_{k}": (LIBC, "siginfo_t") for k in ("kill", "rt", "timer", "chld", "fault", "poll", "sys")},
    "termios": (TERM, "struct termios"), "termios2": (TERM, "struct termios2"),
}
# Members that a 32-bit ABI stores with fewer bytes than the header's type says, because the kernel looks at no more.
SHORT = {("timespec64", "tv_nsec"), ("itimerspec64", "it_interval.tv_nsec"), ("itimerspec64", "it_value.tv_nsec")}

KINDS = {
    "errno": "#include <errno.h>", "signal": "#include <signal.h>",
    "open": "#include <asm/bitsperlong.h>\n#include <asm/fcntl.h>", "fcntl": "#include <asm/bitsperlong.h>\n#include <asm/fcntl.h>", "mmap": "#include <asm/mman.h>",
    "sa": "#include <asm/signal.h>", "how": "#include <asm/signal.h>", "socket": "#define _GNU_SOURCE 1\n#include <sys/socket.h>",
    "level": "#include <asm/socket.h>", "option": "#include <asm/socket.h>", "rlimit": "#include <asm/resource.h>",
    "iflag": "#include <asm/termbits.h>", "oflag": "#include <asm/termbits.h>", "cflag": "#include <asm/termbits.h>",
    "lflag": "#include <asm/termbits.h>",
    "ioctl": "#include <stddef.h>\n#include <sys/ioctl.h>\n#include <linux/fs.h>\n#include <linux/sockios.h>\n#include <asm/termbits.h>",
}
NAMES = {
    "errno": re.compile(r"^E[A-Z0-9]+$"), "signal": re.compile(r"^SIG(?!RT|_|EV|STKSZ|UNUSED|LOST|SWI|CLD|IOT|POLL)[A-Z0-9]+$"),
    "open": re.compile(r"^O_(?!ACCMODE|RDONLY|WRONLY|NDELAY|RSYNC|ASYNC|TMPFILE$)[A-Z]+$|^FASYNC$"),
    "fcntl": re.compile(r"^F_(GETLK|SETLK|SETLKW|SETOWN|GETOWN|SETSIG|GETSIG|GETLK64|SETLK64|SETLKW64|SETOWN_EX|GETOWN_EX|OFD_\w+)$"),
    "mmap": re.compile(r"^MAP_(?!SHARED|PRIVATE|TYPE|FILE|ANON$|HUGE_|UNINIT|RENAME|AUTOGROW|LOCAL|INHERIT|32BIT|ABOVE4G)[A-Z_]+$"),
    "sa": re.compile(r"^SA_(NOCLDSTOP|NOCLDWAIT|SIGINFO|ONSTACK|RESTART|NODEFER|RESETHAND|RESTORER)$"),
    "how": re.compile(r"^SIG_(BLOCK|UNBLOCK|SETMASK)$"), "socket": re.compile(r"^SOCK_(STREAM|DGRAM|RAW|RDM|SEQPACKET|DCCP|PACKET)$"),
    "level": re.compile(r"^SOL_SOCKET$"), "option": re.compile(r"^SO_(?!TIMESTAMP$|TIMESTAMPNS$|TIMESTAMPING$|RCVTIMEO$|SNDTIMEO$|GET_FILTER|STYLE|PROTOTYPE)\w+$"),
    "rlimit": re.compile(r"^RLIMIT_[A-Z]+$"), "iflag": re.compile(r"^(IGNBRK|BRKINT|IGNPAR|PARMRK|INPCK|ISTRIP|INLCR|IGNCR|ICRNL|IUCLC|IXON|IXANY|IXOFF|IMAXBEL|IUTF8)$"),
    "oflag": re.compile(r"^(OPOST|OLCUC|ONLCR|OCRNL|ONOCR|ONLRET|OFILL|OFDEL|NLDLY|CRDLY|TABDLY|BSDLY|VTDLY|FFDLY)$"),
    "cflag": re.compile(r"^(CBAUD|CSIZE|CSTOPB|CREAD|PARENB|PARODD|HUPCL|CLOCAL|CBAUDEX|CIBAUD|CMSPAR|CRTSCTS)$"),
    "lflag": re.compile(r"^(ISIG|ICANON|XCASE|ECHO|ECHOE|ECHOK|ECHONL|NOFLSH|TOSTOP|ECHOCTL|ECHOPRT|ECHOKE|FLUSHO|PENDIN|IEXTEN|EXTPROC)$"),
}
# os-linux's names of the host's numbers that headers do not give: the kernel's O_LARGEFILE, and fcntl64's commands as io.c has them.
HOST_ONLY = {"O_LARGEFILE": 0x8000, "F_GETLK64": 12, "F_SETLK64": 13, "F_SETLKW64": 14}


def ioctl_names():
    text = (PLUGIN / "ioctl.c").read_text()
    return sorted(set(re.findall(r"^\s+\{((?:TC|TIO|FIO|FI|BLK|FS_|SIOC)\w+),", text, re.M)) | {"SIOCGIFCONF"})


def host_structs():
    structs = {}
    for kind, name, member in re.findall(r"^(STRUCT|FIELD)\((\w+), ([^\n]*?)\)$", (PLUGIN / "structs.def").read_text(), re.M):
        structs.setdefault(name, [])
        if kind == "FIELD":
            structs[name].append(member)
    return structs


def numbers(cc, prelude, expressions):
    """Values of C constant expressions by the compiler; None where one is no expression there."""
    bad, result = set(), {}
    with tempfile.TemporaryDirectory() as top:
        for _ in range(60):
            lines = [f"#line {i + 1} \"x\"\n__asm__ volatile(\"@@{i} %0 @@\" :: \"i\"((int)({e})));"
                     for i, e in enumerate(expressions) if i not in bad]
            path = Path(top) / "p.c"
            path.write_text(prelude + "\nvoid f(void);\nvoid f(void)\n{\n" + "\n".join(lines) + "\n}\n")
            run = subprocess.run([*cc.split(), "-w", "-O0", "-S", "-o", "-", str(path)], capture_output=True, text=True)
            if run.returncode == 0:
                break
            wrong = {int(n) - 1 for n in re.findall(r"^x:(\d+):\d+: error", run.stderr, re.M)}
            if not wrong:
                sys.exit(f"{cc}: {run.stderr[:2000]}")
            bad |= wrong
        for i, v in re.findall(r"@@(\d+) [#$]?(-?\w+) @@", run.stdout):
            result[expressions[int(i)]] = int(v, 0)
    return result


def macros(cc, prelude):
    run = subprocess.run([*cc.split(), "-w", "-E", "-dM", "-x", "c", "-"], input=prelude, capture_output=True, text=True, check=True)
    return sorted(set(re.findall(r"^#define (\w+) [^\n]", run.stdout, re.M)))


def layouts(cc):
    """struct -> (size, {member: (offset, size)}) of every struct this compiler knows."""
    word = numbers(cc, "", ["sizeof(long)"])["sizeof(long)"]
    big = "__ORDER_BIG_ENDIAN__" in subprocess.run(
        [*cc.split(), "-E", "-"], input="#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__\n__ORDER_BIG_ENDIAN__X\n#endif\n",
        capture_output=True, text=True).stdout
    by_prelude, found = {}, {}
    for name, members in host_structs().items():
        prelude, ctype, *names = TYPES[name]
        names = names[0] if names else {}
        for m in [None] + members:
            c = names.get(m, m)
            exprs = [f"sizeof({ctype})"] if m is None else [f"__builtin_offsetof({ctype}, {c})", f"sizeof((({ctype} *)0)->{c})"]
            by_prelude.setdefault(prelude, []).append((name, m, exprs))
    for prelude, rows in by_prelude.items():
        values = numbers(cc, prelude, list(dict.fromkeys(e for _, _, exprs in rows for e in exprs)))
        for name, m, exprs in rows:
            if any(e not in values for e in exprs):
                continue
            if m is None:
                found[name] = (values[exprs[0]], {})
            elif name in found:
                at, size = values[exprs[0]], values[exprs[1]]
                if word == 4 and (name, m) in SHORT:
                    at, size = at + (4 if big else 0), 4
                found[name][1][m] = (at, size)
    return found


def syscalls(cc):
    """name -> number. Names begin with __NR_, or as Arm's private ones with __ARM_NR_."""
    prelude = "#include <asm/unistd.h>"
    names = [m for m in macros(cc, prelude) if re.match(r"__(ARM_)?NR_(?!OABI|SYSCALL|BASE|Linux|O32|64_|N32)[a-z_]", m)]
    return {re.sub(r"^__ARM_NR_", "arm_", n).replace("__NR_", "", 1): v for n, v in numbers(cc, prelude, names).items()}


def maps(cc):
    """kind -> {name: value}."""
    found = {}
    for kind, prelude in KINDS.items():
        names = ioctl_names() if kind == "ioctl" else [m for m in macros(cc, prelude) if NAMES[kind].match(m)]
        found[kind] = numbers(cc, prelude, names)
    return found


def def_rows(path, abi):
    """The rows of an ABI's .def: what it includes is put in place, and #if asks what its .c files define."""
    text = re.sub(r'^#include "(\w+\.def)"$', lambda m: (path.parent / m.group(1)).read_text(), path.read_text(), flags=re.M)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    true = {"BIG": abi in BIG, "N64": "mips64" in abi}
    text = re.sub(r"^#if ABI_(BIG|N64)\n(.*?)#else\n(.*?)#endif\n", lambda m: m.group(2 if true[m.group(1)] else 3), text,
                  flags=re.M | re.S)
    rows = {}
    for macro, words in re.findall(r"^(NR|NRAS|MAP|LAYOUT|AT)\((.*)\)\s*$", text, re.M):
        rows.setdefault(macro, []).append([w.strip() for w in words.split(", ")])
    return rows


def host_values(kind, names):
    values = numbers("gcc", "#define _GNU_SOURCE 1\n" + KINDS[kind] + "\n#include <fcntl.h>\n" * (kind in ("open", "fcntl")), names) \
        if kind in ("errno", "signal") else numbers("gcc", KINDS[kind], names)
    values.update({n: v for n, v in HOST_ONLY.items() if n in names})
    return values


def needed(cc):
    """The MAP rows a compiler's headers ask for: kind -> {guest: host}."""
    out = {}
    for kind, guest in maps(cc).items():
        host = host_values(kind, list(guest))
        rows = {}
        for name, g in guest.items():
            h = host.get(name)
            if h is not None and h != g and g & 0xffffffff not in rows:
                rows[g & 0xffffffff] = (h & 0xffffffff, name)
        out[kind] = rows
    return out


def check(abi, cc):
    path = PLUGIN / f"abi_{DEFS.get(abi, abi)}.def"
    rows, wrong, count = def_rows(path, abi), [], 0

    def expect(what, got, want):
        nonlocal count
        count += 1
        if got != want:
            wrong.append(f"{path.name}: {what}: {got}, {cc} says {want}")

    real = layouts(cc)
    for name, other in BORROWED.get(abi, {}).items():
        real[name] = layouts(COMPILERS[other][0])[name]
    for name, size in rows["LAYOUT"]:
        expect(f"sizeof {name}", int(size, 0), real[name][0] if name in real else None)
    for name, member, at, size in rows["AT"]:
        # A member may have a second place: arm's stat64 has the inode number twice.
        want = real[name][1].get(member)
        if (name, member) == ("stat64", "st_ino") and want != (int(at), int(size)):
            continue
        expect(f"{name}.{member}", (int(at, 0), int(size, 0)), want)
    places = {(n, m) for n, m, _, _ in rows["AT"]}
    for name, _ in rows["LAYOUT"]:
        for member in real[name][1]:
            if not name.startswith("siginfo_"):
                expect(f"{name}.{member} is there", (name, member) in places, True)
    calls = syscalls(cc)
    for number, name, *_ in rows["NR"] + rows.get("NRAS", []):
        if name in calls: # headers older or newer than the table know fewer
            expect(f"number of {name}", int(number, 0), calls[name])
    listed = {r[1] for r in rows["NR"] + rows.get("NRAS", [])}
    expect("calls without a row", sorted(set(calls) - listed - {"arch_specific_syscall", "sync_file_range2", "syscalls", "newfstatat"})[:8], [])
    table = {}
    for kind, guest, host in rows.get("MAP", []):
        table.setdefault(kind, {})[int(guest, 0)] = host
    for kind, want in needed(cc).items():
        known = numbers("gcc", KINDS[kind], [h for h in table.get(kind, {}).values() if not h[0].isdigit()])
        have = {g: int(h, 0) if h[0].isdigit() else known.get(h) for g, h in table.get(kind, {}).items()}
        for g, (h, name) in want.items():
            expect(f"{kind} {name} ({g:#x})", (have.get(g) or 0) & 0xffffffff, h)
        for g in have:
            if g not in want:
                wrong.append(f"{path.name}: MAP({kind}, {g:#x}, ...) is not in {cc}'s headers")
    for line in wrong[:40]:
        print(line)
    print(f"{abi}: {path.name} against {cc}: {count - len(wrong)} / {count} agree")
    return len(wrong)


def emit(cc):
    for kind, rows in needed(cc).items():
        for g, (h, name) in sorted(rows.items()):
            print(f"MAP({kind}, {g:#x}, {name if name not in HOST_ONLY else hex(h)})")
    for name, number in sorted(syscalls(cc).items(), key=lambda kv: kv[1]):
        print(f"NR({number:#x}, {name})" if number > 0xffff else f"NR({number}, {name})")
    real = layouts(cc)
    for name, (size, _) in real.items():
        print(f"LAYOUT({name}, {size})")
    for name, (_, members) in real.items():
        for m, (at, size) in members.items():
            print(f"AT({name}, {m}, {at}, {size})")


def main():
    if sys.argv[1:2] == ["--emit"]:
        emit(sys.argv[2])
        return 0
    abis = sys.argv[1:] or sorted({p.stem[4:] for p in PLUGIN.glob("abi_*.def")} - {"mips_map"} | set(DEFS))
    bad = ran = 0
    for abi in abis:
        for cc in COMPILERS.get(abi, []):
            if shutil.which(cc.split()[0]):
                ran += 1
                bad += check(abi, cc)
            else:
                print(f"{abi}: {cc} is not installed")
    return 1 if bad else 0 if ran else 77


if __name__ == "__main__":
    sys.exit(main())
