#!/bin/sh
# Builds what tests/bench/run measures: the kernels of kernels.txt for the guest and for the host,
# the libunicorn driver and the two embedders. What is newer than its sources is left alone.
#
# usage: build.sh ARCH OUT [ORYX]
#   ARCH  guest architecture, a row of the table below
#   OUT   folder to build in: OUT/ARCH/NAME guest programs, OUT/native/NAME the host's
#   ORYX  the oryx command: its liboryx.so is beside it, or else pkg-config knows one
# A tool or library that is not there is named on stderr; run then leaves its contender out.
set -eu
arch=$1 out=$2 oryx=${3-}
here=$(dirname "$0")

# Guest architectures: cross compiler and its flags.
case $arch in
arm64) cc=aarch64-linux-gnu-gcc flags='-mno-outline-atomics' package=gcc-aarch64-linux-gnu ;;
arm)
    cc=arm-linux-gnueabihf-gcc package=gcc-arm-linux-gnueabihf
    flags='-marm -march=armv7-a+neon-vfpv4 -mfloat-abi=hard'
    ;;
mipsel)
    cc=mipsel-linux-gnu-gcc package=gcc-mipsel-linux-gnu
    flags='-march=mips32r2 -mno-abicalls -fno-pic -G0'
    ;;
*)
    echo "build.sh: no guest architecture '$arch'; there are: arm64, arm, mipsel" >&2
    exit 2
    ;;
esac

# One source, two machines: no libc, no fused multiply-add (or the results would differ), no calls
# to memcpy or memset made up by the compiler.
common='-std=gnu11 -Wall -Wextra -Werror -nostdlib -static -ffreestanding -fno-pie -no-pie
    -fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns
    -ffp-contract=off -fno-math-errno -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-e,_start'
native='-fcf-protection=none'

mkdir -p "$out/$arch" "$out/native"

# older FILE SOURCE...: FILE is missing or older than one of the sources or than what builds it.
older() {
    target=$1
    shift
    [ -e "$target" ] || return 0
    for source in "$@" "$here/kernels/bench.h" "$here/kernels/start.c" "$here/kernels.txt" "$0"; do
        [ -z "$(find "$source" -newer "$target")" ] || return 0
    done
    return 1
}

command -v "$cc" >/dev/null || {
    echo "build.sh: $cc is missing: apt-get install $package" >&2
    exit 1
}

# shellcheck disable=SC2086 # lists of flags
while read -r name group source options; do
    case $name in '' | '#'*) continue ;; esac
    case $source in
    gen:*)
        kind=${source#gen:}
        if older "$out/$arch/$name" "$here/gen_code.py" "$here/kernels/generated.c"; then
            python3 "$here/gen_code.py" "$arch" "$kind" "$out/$arch/$name.S" "$out/$arch/$name.expected"
            $cc -O2 $common $flags "$here/kernels/start.c" "$here/kernels/generated.c" \
                "$out/$arch/$name.S" -o "$out/$arch/$name.new" -lgcc
            mv "$out/$arch/$name.new" "$out/$arch/$name"
        fi
        ;;
    *)
        : "$group"
        file=$here/kernels/$source.c
        if older "$out/$arch/$name" "$file"; then
            $cc $options $common $flags "$here/kernels/start.c" "$file" -o "$out/$arch/$name.new" -lgcc
            mv "$out/$arch/$name.new" "$out/$arch/$name"
        fi
        if older "$out/native/$name" "$file"; then
            gcc $options $common $native "$here/kernels/start.c" "$file" -o "$out/native/$name.new"
            mv "$out/native/$name.new" "$out/native/$name"
        fi
        ;;
    esac
done <"$here/kernels.txt"

warnings='-std=gnu11 -O2 -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror'
# shellcheck disable=SC2086
if printf '#include <unicorn/unicorn.h>\nint main(void){return 0;}\n' |
    gcc -xc - -o "$out/probe" -lunicorn 2>/dev/null; then
    for program in unicorn_driver mmio_unicorn; do
        older "$out/$program" "$here/$program.c" "$here/embed.h" || continue
        gcc $warnings "$here/$program.c" -o "$out/$program.new" -lunicorn
        mv "$out/$program.new" "$out/$program"
    done
else
    rm -f "$out/unicorn_driver" "$out/mmio_unicorn"
    echo "build.sh: libunicorn is missing: apt-get install libunicorn-dev" >&2
fi
rm -f "$out/probe"

[ -n "$oryx" ] || exit 0
beside=$(cd "$(dirname "$oryx")" && pwd)
if [ -e "$beside/liboryx.so" ]; then
    set -- "-I$here/../../abi" "-L$beside" "-Wl,-rpath,$beside" -loryx
elif pkg-config --exists oryx; then
    # shellcheck disable=SC2046 # lists of flags
    set -- $(pkg-config --cflags --libs oryx)
else
    echo "build.sh: no liboryx.so beside $oryx and pkg-config knows no oryx" >&2
    exit 0
fi
# shellcheck disable=SC2086
if older "$out/mmio_oryx" "$here/mmio_oryx.c" "$here/embed.h" ||
    [ "$(cat "$out/mmio_oryx.with" 2>/dev/null)" != "$*" ]; then
    if gcc $warnings "$here/mmio_oryx.c" -o "$out/mmio_oryx.new" "$@"; then
        mv "$out/mmio_oryx.new" "$out/mmio_oryx"
        echo "$*" >"$out/mmio_oryx.with"
    else # a sanitized library, say
        rm -f "$out/mmio_oryx"
        echo "build.sh: mmio_oryx does not link with $*: no embedding measures of Oryx" >&2
    fi
fi
