#!/bin/sh
# Rebuild runtime.bin and runtime.sym (checked in) from runtime.c and switch.S.
set -e
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
aarch64-linux-gnu-gcc -std=gnu11 -O2 -Wall -Wextra -Wshadow -ffreestanding -nostdlib -static \
    -mgeneral-regs-only -fno-pic -no-pie -fno-stack-protector -fno-asynchronous-unwind-tables \
    -fno-tree-loop-distribute-patterns -march=armv8-a -Wl,-T,runtime.ld -Wl,--build-id=none \
    -Wl,--no-warn-rwx-segments -Wl,-z,norelro -o "$tmp/runtime.elf" switch.S runtime.c
aarch64-linux-gnu-objcopy -O binary -j .text "$tmp/runtime.elf" runtime.bin
{
    echo "# Symbols of runtime.bin, and the layout it was built for. Written by build.sh."
    aarch64-linux-gnu-nm "$tmp/runtime.elf" | awk '$3=="ret_0"||$3=="ret_sig"||$3=="_start"{print $3, "0x" $1}'
    awk '$1=="#define" && $2 ~ /^(LAY_|ARENA_)/{print $2, $3}' layout.h
} > runtime.sym
