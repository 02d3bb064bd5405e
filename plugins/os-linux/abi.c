/* The ABIs this personality knows: one row each. Adding one is a .c and a .def file, and a line here.
 * Called by plugin.c (by the frontend's class) and loader.c (by a program's ELF header). Invariant: no two rows have the
 * same ELF machine, class, byte order and flags. */
#include "linux.h"

extern const lx_abi lx_abi_arm64, lx_abi_arm, lx_abi_armeb, lx_abi_armbe32, lx_abi_mips, lx_abi_mipsel, lx_abi_mips64,
    lx_abi_mips64el, lx_abi_mipsn32, lx_abi_mipsn32el, lx_abi_x86_64;

const lx_abi *const lx_abis[] = {&lx_abi_arm64, &lx_abi_arm, &lx_abi_armeb, &lx_abi_armbe32, &lx_abi_mips, &lx_abi_mipsel,
                                 &lx_abi_mips64, &lx_abi_mips64el, &lx_abi_mipsn32, &lx_abi_mipsn32el, &lx_abi_x86_64, NULL};

const lx_abi *lx_abi_find(const Elf64_Ehdr *eh)
{
    for (const lx_abi *const *a = lx_abis; *a; a++)
        if ((*a)->elf_machine == eh->e_machine && (*a)->elf_class == eh->e_ident[EI_CLASS] &&
            (*a)->elf_data == eh->e_ident[EI_DATA] && (eh->e_flags & (*a)->elf_flags_mask) == (*a)->elf_flags)
            return *a;
    return NULL;
}
