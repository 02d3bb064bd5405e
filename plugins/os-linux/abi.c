/* The ABIs this personality knows: one row each. Adding one is a .c and a .def file, and a line here.
 * Called by plugin.c (by the frontend's class) and loader.c (by a program's ELF header). Invariant: no two rows have the
 * same ELF machine, class and byte order. */
#include "linux.h"

extern const lx_abi lx_abi_arm64, lx_abi_arm, lx_abi_mips, lx_abi_mipsel;

const lx_abi *const lx_abis[] = {&lx_abi_arm64, &lx_abi_arm, &lx_abi_mips, &lx_abi_mipsel, NULL};

const lx_abi *lx_abi_find(uint16_t elf_machine, uint8_t elf_class, uint8_t elf_data)
{
    for (const lx_abi *const *a = lx_abis; *a; a++)
        if ((*a)->elf_machine == elf_machine && (*a)->elf_class == elf_class && (*a)->elf_data == elf_data)
            return *a;
    return NULL;
}
