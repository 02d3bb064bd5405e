#!/bin/sh
# Shows arm64 programs running under Oryx: demo.sh [NAME]... (hello mandelbrot primes words faults; all without a name).
# ORYX names the command, build/oryx otherwise. The programs are in demo/: source, and copies for hosts without a compiler.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
oryx=${ORYX:-$here/../build/oryx}
if [ ! -x "$oryx" ]; then
    echo "demo: $oryx is not there: run './setup build' first, or set ORYX" >&2
    exit 1
fi
# Programs that the build made from source are preferred to the copies in the tree.
programs=$(dirname "$oryx")/demo
[ -x "$programs/hello" ] || programs=$here/demo/bin

bold='' plain=''
if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi
started=$(date +%s%N)
failed=0

# show HEADING STATUS ARGUMENT...: print what is run, run it, and compare its exit status with the expected one.
show() {
    printf '%s== %s%s\n' "$bold" "$1" "$plain"
    expected=$2
    shift 2
    printf '$ oryx'
    for word in "$@"; do
        printf ' %s' "${word##*/}"
    done
    printf '\n'
    status=0
    "$oryx" "$@" 2>&1 || status=$?
    if [ "$status" != "$expected" ]; then
        echo "demo: exit status $status, expected $expected" >&2
        failed=1
    fi
    echo
}

[ $# -gt 0 ] || set -- hello mandelbrot primes words faults
for name in "$@"; do
    case $name in
    hello)
        show 'An arm64 program on this machine' 0 run "$programs/hello" it works
        show 'The system calls that it makes' 0 run --strace "$programs/hello"
        ;;
    mandelbrot) show 'Floating point' 0 run "$programs/mandelbrot" ;;
    primes) show 'How much was translated and executed' 0 run --stats "$programs/primes" ;;
    words) show 'Where a program spends its instructions: a probe plugin' 0 run --plugin probe-count "$programs/words" ;;
    faults) show 'Exact faults: the program handles its own; its exit status 3 is ours' 3 run "$programs/faults" ;;
    *)
        echo "demo: no demo '$name'; there are hello, mandelbrot, primes, words, faults" >&2
        exit 2
        ;;
    esac
done
ended=$(date +%s%N)
printf '%d.%d seconds. More: README.md, oryx --help\n' $(((ended - started) / 1000000000)) \
    $(((ended - started) / 100000000 % 10))
exit "$failed"
