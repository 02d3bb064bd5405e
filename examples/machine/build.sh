#!/bin/sh
# Builds hello.elf: build.sh [FOLDER]. Without a folder the copy beside this script is made anew. CC names another compiler.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
cd "$here"
${CC:-aarch64-linux-gnu-gcc} -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector -mgeneral-regs-only \
    -mstrict-align -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -nostdlib -static -s -Wl,--build-id=none \
    -Wl,-z,norelro -Wl,-z,max-page-size=4096 -Wl,-Ttext-segment=0x40000000 -Wl,--section-start=.end=0x40010000 \
    -Wl,-z,noexecstack hello.c -o "$out/hello.elf"
${CC_M:-arm-linux-gnueabi-gcc} -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -mcpu=cortex-m3 -mthumb -mfloat-abi=soft -fno-pic \
    -fno-asynchronous-unwind-tables -nostdlib -static -s -Wl,--build-id=none -Wl,-z,norelro -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
    -Wl,-e,reset -Wl,--section-start=.vectors=0 -Wl,-Ttext=0x100 -Wl,-Tbss=0x20000000 m3.c -o "$out/m3.elf"
