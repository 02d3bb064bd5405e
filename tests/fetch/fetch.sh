#!/usr/bin/env bash
# Fetches Debian packages of another architecture and unpacks them into a sysroot outside the tree,
# for tests that run real foreign binaries. The system's own package state is neither read nor
# changed. Prints the sysroot's path; what is already there costs no network and no time.
set -euo pipefail

prog=${0##*/}
say() { printf '%s: %s\n' "$prog" "$*" >&2; }
die() {
    say "$*"
    exit 1
}

usage() {
    cat <<END
usage: $prog [--deps] [--refresh] ARCH PACKAGE...
       $prog --where ARCH

  --deps     also everything the packages depend on (Depends and Pre-Depends, as apt resolves them)
  --refresh  ask the archive again even for what is already unpacked
  --where    print the sysroot's path and exit

ARCH is a Debian architecture: arm64 armhf armel mipsel mips64el i386 amd64 ...
The sysroot is \$ORYX_TEST_CACHE/sysroot-ARCH; ORYX_TEST_CACHE defaults to
\${XDG_CACHE_HOME:-\$HOME/.cache}/oryx-tests. Exit status: 0, 1 on failure, 2 for a wrong command line.

example: root=\$($prog --deps arm64 coreutils gzip) && qemu-aarch64 -L "\$root" "\$root/bin/ls"
END
}

deps='' refresh='' where=''
while [ $# -gt 0 ]; do
    case $1 in
    --deps) deps=1 ;;
    --refresh) refresh=1 ;;
    --where) where=1 ;;
    -h | --help)
        usage
        exit 0
        ;;
    -*)
        say "unknown option '$1'"
        usage >&2
        exit 2
        ;;
    *) break ;;
    esac
    shift
done
if [ $# -lt 1 ] || { [ -z "$where" ] && [ $# -lt 2 ]; }; then
    usage >&2
    exit 2
fi
arch=$1
shift
[[ $arch =~ ^[a-z0-9-]+$ ]] || die "'$arch' is not a Debian architecture name"

cache=${ORYX_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:?set HOME or ORYX_TEST_CACHE}/.cache}/oryx-tests}
root=$cache/sysroot-$arch
state=$cache/apt-$arch
if [ -n "$where" ]; then
    printf '%s\n' "$root"
    exit 0
fi

# A stamp names a package whose own files (only-) or whose whole closure (deps-) is unpacked.
stamped() {
    local package
    [ -z "$refresh" ] || return 1
    for package in "$@"; do
        [ -e "$state/stamps/deps-$package" ] ||
            { [ -z "$deps" ] && [ -e "$state/stamps/only-$package" ]; } || return 1
    done
}
if stamped "$@"; then
    printf '%s\n' "$root"
    exit 0
fi

command -v apt-get >/dev/null || die "apt-get not found: foreign packages need a Debian host"
mkdir -p "$state"/{lists/partial,cache/archives/partial,stamps,unpacked} "$root"
exec 9>"$state/lock"
flock -n 9 || { say "waiting for another $prog ($arch)" && flock 9; }
if stamped "$@"; then # the other one may have fetched it
    printf '%s\n' "$root"
    exit 0
fi

# An empty status file: as if nothing were installed, so that apt resolves the whole closure.
: >"$state/status"
apt_options=(-q -o APT::Architecture="$arch" -o APT::Architectures="$arch"
    -o Dir::State::Lists="$state/lists" -o Dir::State::status="$state/status"
    -o Dir::State::extended_states="$state/extended" -o Dir::Cache="$state/cache"
    -o Dir::Cache::archives="$state/cache/archives/" -o Dir::Log="$state" -o Dir::Etc::Preferences=/dev/null
    -o APT::Get::List-Cleanup=false -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
    -o Acquire::IndexTargets::deb::CNF::DefaultEnabled=false -o Acquire::http::Timeout=30)
log=$state/log

run_apt() {
    apt-get "${apt_options[@]}" "$@" >"$log" 2>&1 </dev/null
}

# Package lists are good for a day.
if [ ! -e "$state/updated" ] || [ -n "$(find "$state/updated" -mmin +1440)" ]; then
    say "$arch: reading the archive's package lists"
    if run_apt update && ! grep -q '^\(Err\|E\):' "$log"; then
        touch "$state/updated"
    elif [ -z "$(find "$state/lists" -maxdepth 1 -name '*_Packages*' -print -quit)" ]; then
        tail -n 5 "$log" >&2
        die "no package list for $arch: is the network up? (log: $log)"
    else
        say "$arch: some lists could not be read; using those at hand"
    fi
fi

say "$arch: fetching $*${deps:+ with what they depend on}"
explain() {
    grep '^[EW]:' "$log" >&2 || tail -n 5 "$log" >&2
    die "could not fetch $* for $arch: is the network up, are the names right? (log: $log)"
}
if [ -n "$deps" ]; then
    # Which files it takes, by apt's own resolver; then the download, checked against the lists.
    run_apt install -y --no-install-recommends --print-uris "$@" || explain "$@"
    mapfile -t debs < <(sed -n "s/^'[^']*' \([^ ]*\.deb\) .*/\1/p" "$log")
    run_apt install -y --no-install-recommends --download-only "$@" || explain "$@"
else
    run_apt download --print-uris "$@" || explain "$@"
    mapfile -t debs < <(sed -n "s/^'[^']*' \([^ ]*\.deb\) .*/\1/p" "$log")
    fresh=$(mktemp -d "$state/cache/download.XXXXXX")
    trap 'rm -rf "$fresh"' EXIT
    (cd "$fresh" && run_apt download "$@") || explain "$@"
    find "$fresh" -name '*.deb' -exec mv -f -t "$state/cache/archives" {} +
fi
[ ${#debs[@]} -gt 0 ] || die "apt named no file for $* (log: $log)"

for deb in "${debs[@]}"; do
    if [ ! -e "$state/unpacked/$deb" ]; then
        [ -s "$state/cache/archives/$deb" ] || die "$deb was not downloaded (log: $log)"
        dpkg-deb --extract "$state/cache/archives/$deb" "$root" || die "cannot unpack $deb"
        touch "$state/unpacked/$deb"
    fi
    rm -f "$state/cache/archives/$deb"
done
# Nothing here may run with other rights than its caller's.
find "$root" -xdev -type f -perm /6000 -exec chmod ug-s {} +
kind=only
[ -z "$deps" ] || kind=deps
for package in "$@"; do
    touch "$state/stamps/$kind-$package"
done
say "$arch: ${#debs[@]} packages in $root"
printf '%s\n' "$root"
