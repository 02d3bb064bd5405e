/* Runs a static ELF program of tests/bench under libunicorn, called by tests/bench/run:
 * unicorn_driver PROG [ARG...]. It maps the segments and a stack, serves the system calls the
 * kernels make in an interrupt hook and otherwise lets libunicorn run: no other hook is set, so
 * this is the library at its fastest. Ends with the guest's status; 125 when libunicorn or the file
 * fails. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <unicorn/unicorn.h>

enum { STACK_TOP = 0x7e000000, STACK_SIZE = 0x100000, MMAP_BASE = 0x50000000, PAGE = 4096 };

/* One guest architecture a row: how its system calls are numbered and passed. */
typedef struct guest {
    uint16_t machine;
    uc_arch arch;
    uc_mode mode;
    int pc, sp, number, result, args[6];
    uint64_t nr_write, nr_exit, nr_exit_group, nr_mmap, nr_munmap, nr_mprotect;
} guest;

static const guest guests[] = {
    {EM_AARCH64,
     UC_ARCH_ARM64,
     UC_MODE_ARM,
     UC_ARM64_REG_PC,
     UC_ARM64_REG_SP,
     UC_ARM64_REG_X8,
     UC_ARM64_REG_X0,
     {UC_ARM64_REG_X0, UC_ARM64_REG_X1, UC_ARM64_REG_X2, UC_ARM64_REG_X3, UC_ARM64_REG_X4,
      UC_ARM64_REG_X5},
     64,
     93,
     94,
     222,
     215,
     226},
    {EM_ARM,
     UC_ARCH_ARM,
     UC_MODE_ARM,
     UC_ARM_REG_PC,
     UC_ARM_REG_SP,
     UC_ARM_REG_R7,
     UC_ARM_REG_R0,
     {UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R4, UC_ARM_REG_R5},
     4,
     1,
     248,
     192,
     91,
     125},
    {EM_MIPS,
     UC_ARCH_MIPS,
     UC_MODE_MIPS32 | UC_MODE_LITTLE_ENDIAN,
     UC_MIPS_REG_PC,
     UC_MIPS_REG_SP,
     UC_MIPS_REG_V0,
     UC_MIPS_REG_V0,
     {UC_MIPS_REG_A0, UC_MIPS_REG_A1, UC_MIPS_REG_A2, UC_MIPS_REG_A3, UC_MIPS_REG_T0,
      UC_MIPS_REG_T1},
     4004,
     4001,
     4246,
     4210,
     4091,
     4125},
};

static const guest *g;
static uint64_t next_mapping = MMAP_BASE;
static int ended, status;

static void must(const char *what, uc_err err)
{
    if (err == UC_ERR_OK)
        return;
    fprintf(stderr, "unicorn_driver: %s: %s\n", what, uc_strerror(err));
    exit(125);
}

static uint64_t get(uc_engine *uc, int reg)
{
    uint64_t value = 0;
    must("register", uc_reg_read(uc, reg, &value));
    return value;
}

static uint64_t write_out(uc_engine *uc, uint64_t fd, uint64_t from, uint64_t size)
{
    char text[4096];
    if (size > sizeof text)
        size = sizeof text;
    if (uc_mem_read(uc, from, text, size))
        return (uint64_t)-14;
    return (uint64_t)write((int)fd, text, size);
}

static void on_interrupt(uc_engine *uc, uint32_t number, void *opaque)
{
    (void)opaque;
    (void)number;
    uint64_t nr = get(uc, g->number), a[6], result = (uint64_t)-38;
    for (int i = 0; i < 6; i++)
        a[i] = get(uc, g->args[i]);
    if (nr == g->nr_write) {
        result = write_out(uc, a[0], a[1], a[2]);
    } else if (nr == g->nr_exit || nr == g->nr_exit_group) {
        ended = 1;
        status = (int)a[0];
        uc_emu_stop(uc);
        return;
    } else if (nr == g->nr_mmap) {
        uint64_t size = (a[1] + PAGE - 1) & ~(uint64_t)(PAGE - 1);
        must("mmap", uc_mem_map(uc, next_mapping, size, UC_PROT_ALL));
        result = next_mapping;
        next_mapping += size + PAGE;
    } else if (nr == g->nr_munmap || nr == g->nr_mprotect) {
        result = 0;
    }
    must("register", uc_reg_write(uc, g->result, &result));
    if (g->arch == UC_ARCH_MIPS) { /* a3 says whether it failed; the pc is still the call's */
        uint64_t failed = (int64_t)result < 0, pc = get(uc, g->pc) + 4;
        must("register", uc_reg_write(uc, UC_MIPS_REG_A3, &failed));
        must("pc", uc_reg_write(uc, g->pc, &pc));
    }
}

static void bad(const char *path, const char *why)
{
    fprintf(stderr, "unicorn_driver: %s: %s\n", path, why);
    exit(125);
}

/* Maps one segment, from `mapped` on where the one before ends on its first page; returns where it ends. */
static uint64_t segment(uc_engine *uc, const uint8_t *file, uint64_t size, const char *path,
                        const Elf64_Phdr *p, uint64_t mapped)
{
    if (p->p_type != PT_LOAD || !p->p_memsz)
        return mapped;
    if (p->p_filesz && (p->p_offset > size || p->p_filesz > size - p->p_offset))
        bad(path, "a segment lies outside the file");
    uint64_t first = p->p_vaddr & ~(uint64_t)(PAGE - 1);
    uint64_t end = (p->p_vaddr + p->p_memsz + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    if (first < mapped)
        first = mapped;
    if (end > first)
        must("map segment", uc_mem_map(uc, first, end - first, UC_PROT_ALL));
    must("write segment", uc_mem_write(uc, p->p_vaddr, file + p->p_offset, p->p_filesz));
    return end > mapped ? end : mapped;
}

/* Maps the file's segments, page by page where two share one; returns the entry. */
static uint64_t load(uc_engine *uc, const uint8_t *file, uint64_t size, const char *path)
{
    const Elf64_Ehdr *e = (const Elf64_Ehdr *)file;
    const Elf32_Ehdr *e32 = (const Elf32_Ehdr *)file;
    uint64_t mapped = 0;
    if (file[EI_CLASS] == ELFCLASS64) {
        for (int i = 0; i < e->e_phnum; i++)
            mapped = segment(uc, file, size, path, (const Elf64_Phdr *)(file + e->e_phoff) + i, mapped);
        return e->e_entry;
    }
    for (int i = 0; i < e32->e_phnum; i++) {
        const Elf32_Phdr *q = (const Elf32_Phdr *)(file + e32->e_phoff) + i;
        Elf64_Phdr p = {.p_type = q->p_type, .p_offset = q->p_offset, .p_vaddr = q->p_vaddr, .p_filesz = q->p_filesz, .p_memsz = q->p_memsz};
        mapped = segment(uc, file, size, path, &p, mapped);
    }
    return e32->e_entry;
}

/* argc, argv, and empty environment and auxiliary vector; returns the stack pointer. */
static uint64_t make_stack(uc_engine *uc, int argc, char **argv)
{
    uint64_t at = STACK_TOP - 64, words[64] = {(uint64_t)argc};
    uint32_t words32[64] = {(uint32_t)argc};
    int wide = g->arch == UC_ARCH_ARM64;
    must("map stack", uc_mem_map(uc, STACK_TOP - STACK_SIZE, STACK_SIZE, UC_PROT_ALL));
    for (int i = 0; i < argc; i++) {
        at -= strlen(argv[i]) + 1;
        must("stack", uc_mem_write(uc, at, argv[i], strlen(argv[i]) + 1));
        words[1 + i] = at;
        words32[1 + i] = (uint32_t)at;
    }
    at = (at - sizeof words) & ~(uint64_t)15;
    must("stack", uc_mem_write(uc, at, wide ? (void *)words : (void *)words32, wide ? sizeof words : sizeof words32));
    return at;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        unsigned major, minor;
        uc_version(&major, &minor);
        printf("libunicorn %u.%u.%u\n", major, minor, uc_version(NULL, NULL) >> 8 & 0xff);
        return 0;
    }
    if (argc < 2 || argc > 40) {
        fprintf(stderr, "usage: unicorn_driver PROG [ARG...]\n");
        return 2;
    }
    int fd = open(argv[1], O_RDONLY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) || st.st_size < (off_t)sizeof(Elf64_Ehdr))
        bad(argv[1], "cannot be read as an ELF file");
    const uint8_t *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED || memcmp(file, ELFMAG, SELFMAG))
        bad(argv[1], "is not an ELF file");
    for (size_t i = 0; i < sizeof guests / sizeof *guests; i++)
        if (guests[i].machine == ((const Elf64_Ehdr *)file)->e_machine)
            g = &guests[i];
    if (!g)
        bad(argv[1], "is for an architecture this driver has no row for");

    uc_engine *uc;
    uc_hook hook;
    must("open", uc_open(g->arch, g->mode, &uc));
    if (g->arch == UC_ARCH_ARM64) { /* let EL1 and EL0 use FP and SIMD */
        uint64_t fpen = 3u << 20;
        must("cpacr", uc_reg_write(uc, UC_ARM64_REG_CPACR_EL1, &fpen));
    }
    if (g->arch == UC_ARCH_ARM) {
        uint64_t access = 0xfu << 20, on = 1u << 30;
        must("cpacr", uc_reg_write(uc, UC_ARM_REG_C1_C0_2, &access));
        must("fpexc", uc_reg_write(uc, UC_ARM_REG_FPEXC, &on));
    }
    uint64_t entry = load(uc, file, (uint64_t)st.st_size, argv[1]);
    uint64_t sp = make_stack(uc, argc - 1, argv + 1);
    must("sp", uc_reg_write(uc, g->sp, &sp));
    must("hook", uc_hook_add(uc, &hook, UC_HOOK_INTR, (void *)on_interrupt, NULL, 1, 0));
    uc_err err = uc_emu_start(uc, entry, 0, 0, 0);
    if (!ended) {
        fprintf(stderr, "unicorn_driver: %s: stopped at pc 0x%llx: %s\n", argv[1],
                (unsigned long long)get(uc, g->pc), uc_strerror(err));
        return 125;
    }
    return status;
}
