/* ELF records of either size and byte order, read from a file into the 64-bit form that the loader works on. Offsets of the
 * members are the tables below. Called by loader.c. Invariant: no byte beyond the given ones is read. */
#include <elf.h>
#include <unistd.h>

#include "linux.h"

typedef struct member {
    uint16_t at32, size32, at64, size64, to, to_size;
} member;
#define ROW(type, name)                                                                                                   \
    {                                                                                                                    \
        offsetof(Elf32_##type, name), sizeof(((Elf32_##type *)0)->name), offsetof(Elf64_##type, name),                   \
            sizeof(((Elf64_##type *)0)->name), offsetof(Elf64_##type, name), sizeof(((Elf64_##type *)0)->name)           \
    }
#define END {0, 0, 0, 0, 0, 0}

static const member ehdr[] = {ROW(Ehdr, e_type),      ROW(Ehdr, e_machine), ROW(Ehdr, e_version), ROW(Ehdr, e_entry),
                              ROW(Ehdr, e_phoff),     ROW(Ehdr, e_shoff),   ROW(Ehdr, e_flags),   ROW(Ehdr, e_ehsize),
                              ROW(Ehdr, e_phentsize), ROW(Ehdr, e_phnum),   ROW(Ehdr, e_shentsize), ROW(Ehdr, e_shnum),
                              ROW(Ehdr, e_shstrndx),  END};
static const member phdr[] = {ROW(Phdr, p_type),   ROW(Phdr, p_flags), ROW(Phdr, p_offset), ROW(Phdr, p_vaddr), ROW(Phdr, p_paddr),
                              ROW(Phdr, p_filesz), ROW(Phdr, p_memsz), ROW(Phdr, p_align),  END};
static const member shdr[] = {ROW(Shdr, sh_name), ROW(Shdr, sh_type), ROW(Shdr, sh_flags),     ROW(Shdr, sh_addr),   ROW(Shdr, sh_offset),
                              ROW(Shdr, sh_size), ROW(Shdr, sh_link), ROW(Shdr, sh_addralign), ROW(Shdr, sh_entsize), END};
static const member sym[] = {ROW(Sym, st_name), ROW(Sym, st_value), ROW(Sym, st_size), ROW(Sym, st_info), ROW(Sym, st_other), ROW(Sym, st_shndx), END};

static uint64_t get(const uint8_t *p, unsigned n, int big)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t)p[big ? n - 1 - i : i] << (8 * i);
    return v;
}

static void convert(const member *m, const uint8_t *raw, int is64, int big, void *out)
{
    for (; m->to_size; m++) {
        uint64_t v = is64 ? get(raw + m->at64, m->size64, big) : get(raw + m->at32, m->size32, big);
        memcpy((uint8_t *)out + m->to, &v, m->to_size); /* the host is little-endian, as the engines are */
    }
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are stored by their low bytes");

static int is_64(const Elf64_Ehdr *eh)
{
    return eh->e_ident[EI_CLASS] == ELFCLASS64;
}

static int is_big(const Elf64_Ehdr *eh)
{
    return eh->e_ident[EI_DATA] == ELFDATA2MSB;
}

uint32_t elf_size(const Elf64_Ehdr *eh, int record)
{
    static const uint16_t sizes[][2] = {{sizeof(Elf32_Ehdr), sizeof(Elf64_Ehdr)},
                                        {sizeof(Elf32_Phdr), sizeof(Elf64_Phdr)},
                                        {sizeof(Elf32_Shdr), sizeof(Elf64_Shdr)},
                                        {sizeof(Elf32_Sym), sizeof(Elf64_Sym)}};
    return sizes[record][is_64(eh)];
}

int elf_header(const uint8_t *raw, size_t n, Elf64_Ehdr *eh)
{
    memset(eh, 0, sizeof(*eh));
    if (n < EI_NIDENT)
        return -1;
    memcpy(eh->e_ident, raw, EI_NIDENT);
    if (memcmp(raw, ELFMAG, SELFMAG) || n < elf_size(eh, ELF_EHDR))
        return -1;
    convert(ehdr, raw, is_64(eh), is_big(eh), eh);
    return 0;
}

void elf_record(const Elf64_Ehdr *eh, int record, const uint8_t *raw, void *out)
{
    static const member *const tables[] = {ehdr, phdr, shdr, sym};
    convert(tables[record], raw, is_64(eh), is_big(eh), out);
}

int elf_phdrs(int fd, const Elf64_Ehdr *eh, Elf64_Phdr *ph, unsigned most)
{
    uint8_t raw[128 * sizeof(Elf64_Phdr)];
    uint32_t each = elf_size(eh, ELF_PHDR), want = eh->e_phnum * each;
    if (eh->e_phnum > most || want > sizeof(raw) || pread(fd, raw, want, (off_t)eh->e_phoff) != (ssize_t)want)
        return -1;
    for (unsigned i = 0; i < eh->e_phnum; i++)
        elf_record(eh, ELF_PHDR, raw + i * each, &ph[i]);
    return 0;
}
