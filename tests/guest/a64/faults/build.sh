#!/bin/sh
# Rebuild `faults`, the static aarch64 program checked in beside its source.
set -e
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
sed -n 's/^PROBE("\([^"]*\)".*/777: \1; ret; .pushsection .rodata.table, "a"; .quad 777b; .popsection/p' \
    faults.def > "$tmp/probes.inc"
aarch64-linux-gnu-gcc -std=gnu11 -Os -Wall -Wextra -Wshadow -ffreestanding -nostdlib -static -s \
    -mgeneral-regs-only -fno-pic -no-pie -fno-stack-protector -fno-asynchronous-unwind-tables \
    -fno-tree-loop-distribute-patterns -march=armv8-a -Wa,-I,"$tmp" -Wl,--build-id=none -Wl,-z,noseparate-code \
    -o faults enter.S faults.c
