#!/usr/bin/env bash
# ./setup and tests/fetch/fetch.sh, in a small copy of the tree with tests of known outcome: the exit
# status and the last line are what CI and people go by. Run by ctest; needs no network.
set -uo pipefail
source=${ORYX_SOURCE:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# expect WHAT STATUS REGEX COMMAND...: exit status, and a regular expression some line must match.
expect() {
    local what=$1 status=$2 regex=$3 got
    shift 3
    if [ -e "$work/out" ]; then mv "$work/out" "$work/previous"; fi
    "$@" >"$work/out" 2>&1 </dev/null
    got=$?
    if [ "$got" -eq "$status" ] && grep -qE -- "$regex" "$work/out"; then
        printf 'ok   %s\n' "$what"
    else
        printf 'FAIL %s: status %d, wanted %d and /%s/ in:\n' "$what" "$got" "$status" "$regex"
        sed 's/^/     /' "$work/out"
        failed=1
    fi
}

tests() {
    mkdir -p "$work/tree/tests/known"
    printf '%s\n' "$@" >"$work/tree/tests/known/CMakeLists.txt"
}

mkdir "$work/tree"
cp -r "$source"/{setup,cmake,CMakeLists.txt,CMakePresets.json,oryx.pc.in} "$work/tree"
mkdir -p "$work/tree"/{abi,tests}
cp "$source/tests/CMakeLists.txt" "$work/tree/tests"
setup=$work/tree/setup

expect 'setup without a command' 2 '^usage' "$setup"
expect 'setup, unknown command' 2 "unknown command 'bild'" "$setup" bild
expect 'setup test, unknown option' 2 "unknown option '--fast'" "$setup" test --fast
expect 'setup help' 0 'install \[--prefix P\]' "$setup" help
expect 'setup demo without a demo' 1 'demo.sh is missing' "$setup" demo

tests 'oryx_add_test(good LABELS quick threads COMMAND true)' \
    'oryx_add_test(slow LABELS guest COMMAND true)'
expect 'all stages pass' 0 '^4 passed, 0 failed$' "$setup" test
expect 'the last line is the total' 0 '^4 passed, 0 failed$' tail -n 1 "$work/previous"
expect 'quick tests only' 0 '^1 passed, 0 failed$' "$setup" test --quick
expect 'one test by name' 0 '^1 passed, 0 failed$' "$setup" test --only '^slow$'
expect 'no test by that name' 1 'no test ran' "$setup" test --only '^none$'

tests 'oryx_add_test(good LABELS quick COMMAND true)' \
    'oryx_add_test(bad LABELS quick COMMAND false)' \
    'oryx_add_test(crash LABELS quick COMMAND sh -c "kill -SEGV \$\$")' \
    'oryx_add_test(late LABELS quick COMMAND sleep 9 TIMEOUT 1)' \
    'oryx_add_test(gone LABELS quick COMMAND /nonexistent/program)' \
    'oryx_add_test(skip LABELS quick COMMAND sh -c "exit 77")'
expect 'failure, crash, timeout, missing program' 1 '^1 passed, 4 failed$' "$setup" test --quick
expect 'a skipped test is named' 0 '1 skipped \(skip\)' cat "$work/previous"

tests 'oryx_add_test(good LABELS slowish COMMAND true)'
expect 'a build that fails counts' 1 '^0 passed, 1 failed$' "$setup" test --quick

fetch=$source/tests/fetch/fetch.sh
export ORYX_TEST_CACHE=$work/cache
expect 'fetch without a package' 2 '^usage' "$fetch" arm64
expect 'fetch, path for an architecture' 1 'not a Debian architecture' "$fetch" ../x hello
expect 'fetch tells where' 0 "^$work/cache/sysroot-arm64\$" "$fetch" --where arm64
expect 'fetch without a network' 1 'is the network up' \
    env http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 "$fetch" arm64 hello
mkdir -p "$work/cache/apt-arm64/stamps"
touch "$work/cache/apt-arm64/stamps/deps-hello"
expect 'what is there needs no network' 0 "^$work/cache/sysroot-arm64\$" \
    env http_proxy=http://127.0.0.1:9 "$fetch" --deps arm64 hello
exit $failed
