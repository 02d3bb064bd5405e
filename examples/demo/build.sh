#!/bin/sh
# Builds every demo program into a folder: build.sh [DIR]. Without DIR the copies in bin/ are made anew, which are kept in
# the tree for hosts that have no cross compiler. CC names another compiler.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/bin}
cc=${CC:-aarch64-linux-gnu-gcc}
mkdir -p "$out"
for source in "$here"/*.c; do
    name=$(basename "$source" .c)
    [ "$name" != tiny ] || continue
    # No path of this machine gets into a program: it is compiled in the folder, without debug information.
    (cd "$here" && "$cc" -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector \
        -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -fno-tree-vectorize \
        -nostdlib -static -Wl,--build-id=none -Wl,-z,norelro -Wl,-z,noseparate-code -Wl,-z,max-page-size=4096 \
        tiny.c "$name.c" -o "$out/$name")
done
