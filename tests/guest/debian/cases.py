"""Debian programs to run under Oryx, and who says what is right.

A case: name, oracle, argv, and optional input text. argv[0] is a path inside the sysroot. Oracles: "qemu" runs
the same binary under qemu-user; "host" runs the amd64 build of the same Debian version natively (for what execs other
programs, which qemu-user cannot do without help of the kernel). {dir} is a fresh copy of the fixture directory, the
working directory of every run.
"""

BUSYBOX = "/bin/busybox"


def sh(name, script, oracle="host", **more):
    return dict(name="busybox-" + name, oracle=oracle, argv=[BUSYBOX, "sh", "-c", script], **more)


def box(name, *words, oracle="qemu", **more):
    return dict(name="busybox-" + name, oracle=oracle, argv=[BUSYBOX, *words], **more)


def prog(name, path, *words, oracle="qemu", **more):
    return dict(name=name, oracle=oracle, argv=[path, *words], **more)


PYTHON = """
import json, re, hashlib
data = {"numbers": [i * i for i in range(50)], "text": "caf\\u00e9", "nested": {"pi": 3.141592653589793, "none": None}}
text = json.dumps(data, sort_keys=True)
assert json.loads(text) == data
print(text)
print(re.findall(r"(\\w+)@(\\w+)\\.org", "ann@example.org, bob@test.org"), re.sub(r"(a)(b)", r"\\2\\1", "abcab"))
for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b"):
    print(name, hashlib.new(name, text.encode() * 100).hexdigest())
print(sum(1 / n for n in range(1, 10000)), 2 ** 200, divmod(-7, 3), round(2.675, 2), 1e308 * 10, float("nan"))
print(sorted("the quick brown fox".split(), key=lambda w: (len(w), w)))
"""

SUBPROCESS = """
import subprocess, os, sys
r = subprocess.run(["/bin/echo", "from", "a", "child"], capture_output=True, text=True)
print(r.returncode, r.stdout.strip())
p = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(p.communicate("through a pipe\\n")[0].strip())
print(subprocess.run("exit 7", shell=True).returncode)
print(subprocess.run(["/bin/sh", "-c", "kill -TERM $$"]).returncode)
pid = os.fork()
if pid == 0:
    os._exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""

SQL = """
create table t(a integer primary key, b text, c real);
insert into t(b, c) select 'row ' || value, value * 1.5 from (with recursive s(value) as
 (select 1 union all select value + 1 from s where value < 500) select value from s);
create index i on t(b);
select count(*), sum(a), avg(c), min(b), max(b) from t;
select * from t where b like 'row 4%' order by c desc limit 5;
select group_concat(a % 7) from (select a from t limit 20);
update t set c = c * 2 where a % 3 = 0;
select printf('%.3f', sum(c)) from t;
pragma integrity_check;
"""

LUA = """
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fib(20), 7 // 2, 7 % -3, 2 ^ 0.5, 1 / 3, math.maxinteger, string.format('%q %5.2f %x', 'a\\nb', math.pi, 255))
local t = {}
for w in ('the quick brown fox jumps over the lazy dog'):gmatch('%a+') do t[#t + 1] = w end
table.sort(t) print(table.concat(t, ' '))
print(pcall(error, { code = 1 }), select('#', table.unpack({ 1, nil, 3 }, 1, 3)), utf8.char(8364, 233))
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end)
print(co(), co(), co(), os.time({ year = 2020, month = 1, day = 1, hour = 12 }) > 0)
"""

CASES = [
    sh("pipes", "seq 1 200 | grep 7 | sort -r | head -5; echo $((3 * 7 + 0x10)) | tr 1-9 a-i; for i in a b c; do echo $i; done | tac"),
    sh("functions", "f() { local x=$1; [ $x -gt 1 ] && { f $((x - 1)); }; echo $x; }; f 5; trap 'echo bye' EXIT; case $1 in '') echo none;; esac"),
    sh("subshell", "(cd sub && ls) ; a=$(echo one; echo two); echo \"$a\" | wc -l; { echo x; exit 4; } | cat; echo $?; (exit 9); echo $?"),
    sh("background", "sleep 0.1 & wait $!; echo $?; (trap 'echo got TERM; exit 5' TERM; kill -TERM $(exec sh -c 'echo $PPID'); sleep 1); echo $?"),
    sh("here", "cat <<EOF | sed 's/a/A/g'\n$((1 << 40))\nbanana\nEOF\nprintf '%05d|%-6s|%x\\n' 42 abc 255"),
    sh("files", "mkdir d; echo hello > d/f; cp d/f d/g; ln -s f d/l; ln d/f d/h; mv d/g d/k; ls d; cat d/l; rm -r d; ls -d d 2>&1; test -e d || echo gone"),
    sh("redirect", "echo out; echo err >&2; ls /nonexistent 2>/dev/null || echo status $?; exec 3>file3; echo three >&3; exec 3>&-; cat file3"),
    box("ls", "ls", "-lR", "--full-time", ".", env={"TZ": "UTC"}),
    box("sha256sum", "sha256sum", "text", "random"),
    box("sha512sum", "sha512sum", "text", "random"),
    box("md5sum", "md5sum", "text", "random"),
    box("cksum", "cksum", "text", "random"),
    box("awk", "awk", "{ n[$1]++; s += length($0) * 1.25 } END { for (i = 0; i < 3; i++) print s, s / NR, int(s) % 97; print toupper(substr($0, 2, 5)), sin(1), exp(2), log(10), 2 ^ 31 }", "text"),
    box("awk-printf", "awk", "BEGIN { printf \"%d %5.3f %e %g %s %c|%-5d|\\n\", 42.9, 3.14159, 12345.678, 1e-5, \"str\", 65, 7; while (i++ < 5) x = x i; print x; print match(\"foobar\", /o+b/), RSTART, RLENGTH }"),
    box("sed", "sed", "-n", "-E", "s/([a-z]+) ([a-z]+)/\\2 \\1/gp;5q", "text"),
    box("sort", "sort", "-k2", "-n", "-r", "numbers"),
    box("sort-u", "sort", "-u", "text"),
    box("find", "find", ".", "-type", "f", "-size", "+1", "-name", "*[a-z]*"),
    sh("gzip", "gzip -9 < random > r.gz; gunzip -c r.gz | cmp - random && echo same; gzip -c text | gunzip | md5sum; zcat r.gz | wc -c"),
    sh("tar", "tar cf a.tar sub text; tar tf a.tar | sort; mkdir x; tar xf a.tar -C x; cmp text x/text && echo same; tar czf a.tgz sub; tar tzvf a.tgz | wc -l"),
    box("bc", "bc", input="scale=30; 4*a(1); 2^100; sqrt(2)\n", argv_more=["-l"]),
    box("dd", "dd", "if=random", "bs=1000", "count=3", "skip=2", "status=none"),
    box("od", "od", "-A", "x", "-t", "x1z", "random"),
    box("diff", "diff", "-u", "text", "numbers"),
    box("xargs", "xargs", "-n", "3", "echo", input="a b c d e f g\n", oracle="host"),
    box("cat-stdin", "cat", input="stdin works\n" * 1000),
    box("exit-status", "sh", "-c", "exit 42", oracle="host"),
    box("killed", "sh", "-c", "kill -KILL $$", oracle="host"),
    box("segv-signal", "sh", "-c", "kill -SEGV $$", oracle="host"),
    box("env", "env", "-i", "A=1", "/bin/busybox", "env", oracle="host"),
    box("uname", "uname", "-m"),
    box("stat", "stat", "-c", "%n %s %a %F %h", "text", "sub", "link"),
    box("timeout", "timeout", "1", "/bin/busybox", "sleep", "5", oracle="host"),
    box("date", "date", "-u", "-d", "@1000000000"),
    # The archive itself holds inode numbers.
    sh("cpio", "printf 'text\\nnumbers\\n' | cpio -o -H newc > a.cpio; wc -c < a.cpio; cpio -t < a.cpio; mkdir y; cd y; cpio -i < ../a.cpio; "
       "cmp ../text text && cmp ../numbers numbers && echo same"),
    prog("coreutils-ls", "/bin/ls", "-lA", "--time-style=full-iso", env={"TZ": "UTC"}),
    prog("coreutils-sort", "/usr/bin/sort", "-n", "numbers"),
    prog("coreutils-sha256sum", "/usr/bin/sha256sum", "text", "random"),
    prog("coreutils-b2sum", "/usr/bin/b2sum", "text", "random"),
    prog("coreutils-wc", "/usr/bin/wc", "text", "random", "numbers"),
    prog("coreutils-factor", "/usr/bin/factor", "18446744073709551557", "1000000016000000063", "720720"),
    prog("coreutils-seq", "/usr/bin/seq", "-f", "%.3e", "1", "0.7", "9"),
    prog("coreutils-expr", "/usr/bin/expr", "123456789", "*", "987654321"),
    prog("coreutils-base64", "/usr/bin/base64", "random"),
    prog("coreutils-tac", "/usr/bin/tac", "text"),
    prog("coreutils-printf", "/usr/bin/printf", "%a %.17g %s\\n", "0.1", "0.1", "text"),
    prog("coreutils-numfmt", "/usr/bin/numfmt", "--to=iec", "123456789"),
    prog("coreutils-shuf", "/usr/bin/shuf", "--random-source=random", "numbers"),
    prog("coreutils-split", "/usr/bin/split", "-n", "l/3", "--filter=cat", "numbers", oracle="host-coreutils"),
    prog("coreutils-stat", "/usr/bin/stat", "-c", "%n %s %a %F %h", "text", "sub", "link"),
    prog("coreutils-pr", "/usr/bin/pr", "-3", "-t", "numbers"),
    prog("coreutils-missing", "/bin/cat", "no-such-file"),
    prog("gzip-9", "/bin/gzip", "-9", "-n", "-c", "text"),
    prog("gzip-d", "/bin/gzip", "-dc", "text.gz"),
    prog("gzip-bad", "/bin/gzip", "-dc", "random"),
    prog("tar-list", "/bin/tar", "--numeric-owner", "-tvf", "sub.tar", env={"TZ": "UTC"}),
    prog("grep", "/bin/grep", "-nE", "(o[a-z]){2}|^$", "text"),
    prog("bash", "/bin/bash", "-c", "a=(1 2 3); echo ${a[@]/2/x} ${#a[*]}; for ((i = 0; i < 3; i++)); do echo $((i ** 7)); done | while read x; do echo \"<$x>\"; done; echo {a..e}{1,2}; [[ abc =~ b(.) ]] && echo ${BASH_REMATCH[1]}"),
    prog("python-modules", "/usr/bin/python3", "-c", PYTHON, env={"PYTHONHASHSEED": "0"}),
    prog("python-subprocess", "/usr/bin/python3", "-c", SUBPROCESS, oracle="host"),
    prog("python-threads", "/usr/bin/python3", "-c", "import threading\nx = []\nts = [threading.Thread(target=lambda i=i: x.append(sum(range(i * 1000)))) for i in range(8)]\n[t.start() for t in ts]\n[t.join() for t in ts]\nprint(sorted(x))"),
    prog("python-traceback", "/usr/bin/python3", "-c", "def f(): return 1 // 0\nf()"),
    prog("python-signal", "/usr/bin/python3", "-c", "import signal, time\nsignal.signal(signal.SIGALRM, lambda *a: print('alarm', a[0]))\nsignal.setitimer(signal.ITIMER_REAL, 0.05)\nsignal.pause()\nprint('done')"),
    prog("sox", "/usr/bin/sox", "-R", "-n", "-r", "22050", "-c", "2", "-t", "wav", "-", "synth", "0.2", "sine", "440", "sine", "554", "reverb", "50",
         "lowpass", "3000", "rate", "-v", "16000", **{"not": ("mipsel", "mips64el")}),
    prog("lua", "/usr/bin/lua5.4", "-e", LUA),
    prog("sqlite", "/usr/bin/sqlite3", ":memory:", input=SQL),
    prog("sqlite-file", "/usr/bin/sqlite3", "new.db", input=SQL + ".schema\n"),
    prog("openssl-digests", "/usr/bin/openssl", "dgst", "-sha512", "random", "text"),
    prog("openssl-sha3", "/usr/bin/openssl", "dgst", "-sha3-256", "random"),
    prog("openssl-md5", "/usr/bin/openssl", "dgst", "-md5", "random"),
    prog("openssl-aes-cbc", "/usr/bin/openssl", "enc", "-aes-256-cbc", "-K", "00112233445566778899aabbccddeeff" * 2, "-iv",
         "0123456789abcdef0123456789abcdef", "-base64", "-in", "random"),
    prog("openssl-aes-ctr", "/usr/bin/openssl", "enc", "-aes-128-ctr", "-K", "00112233445566778899aabbccddeeff", "-iv",
         "0123456789abcdef0123456789abcdef", "-base64", "-in", "text"),
    prog("openssl-chacha20", "/usr/bin/openssl", "enc", "-chacha20", "-K", "00112233445566778899aabbccddeeff" * 2, "-iv",
         "0123456789abcdef0123456789abcdef", "-base64", "-in", "random"),
    prog("openssl-prime", "/usr/bin/openssl", "prime", "170141183460469231731687303715884105727", "170141183460469231731687303715884105729"),
    prog("openssl-digest", "/usr/bin/openssl", "dgst", "-sha256", "random"),
]
