/* The rules a plugin's file image must obey before it is loaded, checked on a private copy in memory of what they look at. Called by
 * plugin_host.c. Every offset is checked against the image before it is followed: the file may be hostile. The dynamic
 * section is read through the program headers, as the dynamic loader does, never through section headers. */
#include <elf.h>
#include <string.h>

#include "plugin_host.h"

#if defined(__x86_64__)
#define HOST_MACHINE EM_X86_64
#define HOST_NAME "x86-64"
#elif defined(__aarch64__)
#define HOST_MACHINE EM_AARCH64
#define HOST_NAME "arm64"
#elif defined(__riscv)
#define HOST_MACHINE EM_RISCV
#define HOST_NAME "riscv"
#else
#error "plugin_elf.c: name this host's ELF machine"
#endif

struct image {
    const struct oryx__file *file;
    const uint8_t *p;
    size_t n;
    const Elf64_Phdr *ph; /* copied by value on use: may be misaligned */
    unsigned n_ph;
    struct oryx__rules *r;
};

static bool within(const struct image *im, uint64_t offset, uint64_t size)
{
    return offset <= im->n && size <= im->n - offset;
}

/* The bytes lie in the file, and are in memory. */
static bool inside(const struct image *im, uint64_t offset, uint64_t size)
{
    return within(im, offset, size) && oryx__file_need(im->file, offset, size);
}

static Elf64_Phdr phdr(const struct image *im, unsigned i)
{
    Elf64_Phdr h;
    memcpy(&h, (const uint8_t *)im->ph + i * sizeof h, sizeof h);
    return h;
}

/* File offset of [vaddr, vaddr + size), which one loaded segment's file bytes must cover. */
static bool file_offset(const struct image *im, uint64_t vaddr, uint64_t size, uint64_t *offset)
{
    for (unsigned i = 0; i < im->n_ph; i++) {
        Elf64_Phdr h = phdr(im, i);
        if (h.p_type != PT_LOAD || vaddr < h.p_vaddr || vaddr - h.p_vaddr > h.p_filesz ||
            size > h.p_filesz - (vaddr - h.p_vaddr))
            continue;
        *offset = h.p_offset + (vaddr - h.p_vaddr);
        return inside(im, *offset, size);
    }
    return false;
}

static bool header_rules(struct image *im)
{
    Elf64_Ehdr e;
    struct oryx__rules *r = im->r;
    if (!oryx__rule(r, inside(im, 0, sizeof e) && !memcmp(im->p, ELFMAG, SELFMAG), ORYX_E_FORMAT, "elf",
                    "an ELF shared object is needed (a plugin is built with 'cc -shared')"))
        return false;
    memcpy(&e, im->p, sizeof e);
    const uint16_t one = 1;
    uint8_t order = *(const uint8_t *)&one ? ELFDATA2LSB : ELFDATA2MSB;
    if (!oryx__rule(r,
                    e.e_ident[EI_CLASS] == ELFCLASS64 && e.e_ident[EI_DATA] == order &&
                        e.e_machine == HOST_MACHINE,
                    ORYX_E_FORMAT, "machine",
                    "the object must be built for this host, 64-bit " HOST_NAME " (its ELF machine is %u)", e.e_machine))
        return false;
    if (!oryx__rule(r, e.e_type == ET_DYN, ORYX_E_FORMAT, "shared", "the ELF type must be a shared object (it is %u)",
                    e.e_type))
        return false;
    bool ok = e.e_phentsize == sizeof(Elf64_Phdr) && e.e_phnum > 0 &&
              inside(im, e.e_phoff, (uint64_t)e.e_phnum * sizeof(Elf64_Phdr));
    if (!oryx__rule(r, ok, ORYX_E_FORMAT, "headers", "the program headers must lie inside the file (truncated? copy it again)"))
        return false;
    im->ph = (const Elf64_Phdr *)(const void *)(im->p + e.e_phoff);
    im->n_ph = e.e_phnum;
    for (unsigned i = 0; ok && i < im->n_ph; i++) {
        Elf64_Phdr h = phdr(im, i);
        bool looked_into = h.p_type == PT_NOTE || h.p_type == PT_DYNAMIC;
        ok = h.p_type == PT_GNU_STACK || (looked_into ? inside : within)(im, h.p_offset, h.p_filesz);
    }
    return oryx__rule(r, ok, ORYX_E_FORMAT, "segments", "every segment must lie inside the file (truncated? copy it again)");
}

static bool stack_rule(const struct image *im)
{
    bool found = false, exec = false;
    for (unsigned i = 0; i < im->n_ph; i++) {
        Elf64_Phdr h = phdr(im, i);
        if (h.p_type == PT_GNU_STACK) {
            found = true;
            exec |= (h.p_flags & PF_X) != 0;
        }
    }
    return oryx__rule(im->r, found && !exec, ORYX_E_PLUGIN, "stack",
                      "the stack must not be executable (link with -Wl,-z,noexecstack)");
}

static bool find_note(const struct image *im, const char **note, size_t *len)
{
    unsigned found = 0;
    for (unsigned i = 0; i < im->n_ph; i++) {
        Elf64_Phdr h = phdr(im, i);
        if (h.p_type != PT_NOTE)
            continue;
        for (uint64_t at = 0; at + 12 <= h.p_filesz;) {
            uint32_t f[3];
            memcpy(f, im->p + h.p_offset + at, sizeof f);
            uint64_t desc = at + 12 + (((uint64_t)f[0] + 3) & ~3ull), next = desc + (((uint64_t)f[1] + 3) & ~3ull);
            if (next > h.p_filesz)
                break;
            if (f[2] == ORYX_NOTE_MANIFEST && f[0] == sizeof ORYX_NOTE_OWNER &&
                !memcmp(im->p + h.p_offset + at + 12, ORYX_NOTE_OWNER, f[0])) {
                *note = (const char *)im->p + h.p_offset + desc;
                *len = f[1];
                found++;
            }
            at = next;
        }
    }
    return oryx__rule(im->r, found == 1, ORYX_E_PLUGIN, "note",
                      "exactly one manifest note (owner \"Oryx\", type 1) is needed, %u found (use ORYX_MANIFEST from "
                      "helper/oryx_manifest.h once)",
                      found);
}

/* Number of dynamic symbols according to the GNU hash table, as the loader would walk it; 0 when malformed. */
static uint64_t gnu_hash_count(const struct image *im, uint64_t vaddr)
{
    uint64_t at;
    uint32_t h[4], last = 0;
    if (!file_offset(im, vaddr, sizeof h, &at))
        return 0;
    memcpy(h, im->p + at, sizeof h);
    uint64_t buckets = vaddr + 16 + 8ull * h[2], chains = buckets + 4ull * h[0];
    if (!file_offset(im, buckets, 4ull * h[0], &at))
        return 0;
    for (uint32_t i = 0; i < h[0]; i++) {
        uint32_t b;
        memcpy(&b, im->p + at + 4ull * i, sizeof b);
        last = b > last ? b : last;
    }
    if (last < h[1])
        return h[1];
    for (uint64_t i = last - h[1];; i++) {
        uint32_t v;
        if (!file_offset(im, chains + 4 * i, 4, &at))
            return 0;
        memcpy(&v, im->p + at, sizeof v);
        if (v & 1)
            return h[1] + i + 1;
    }
}

static bool symbol_rule(const struct image *im, uint64_t symtab, uint64_t strtab, uint64_t strsz, uint64_t count)
{
    uint64_t at, names;
    unsigned exported = 0;
    bool entry = false;
    char other[64] = "";
    if (!oryx__rule(im->r,
                    count && count < (1u << 24) && file_offset(im, symtab, count * sizeof(Elf64_Sym), &at) &&
                        file_offset(im, strtab, strsz, &names) && strsz && im->p[names + strsz - 1] == 0,
                    ORYX_E_FORMAT, "symbols", "the dynamic symbol and string tables must lie inside the file"))
        return false;
    for (uint64_t i = 1; i < count; i++) {
        Elf64_Sym s;
        memcpy(&s, im->p + at + i * sizeof s, sizeof s);
        if (s.st_shndx == SHN_UNDEF || ELF64_ST_BIND(s.st_info) == STB_LOCAL || s.st_name >= strsz)
            continue;
        unsigned visibility = ELF64_ST_VISIBILITY(s.st_other);
        if (visibility == STV_HIDDEN || visibility == STV_INTERNAL)
            continue;
        const char *name = (const char *)im->p + names + s.st_name;
        exported++;
        if (!strcmp(name, ORYX_PLUGIN_ENTRY) && ELF64_ST_TYPE(s.st_info) == STT_FUNC)
            entry = true;
        else if (!other[0])
            for (unsigned k = 0; k + 1 < sizeof other && name[k] >= ' ' && name[k] <= '~'; k++)
                other[k] = name[k];
    }
    if (!oryx__rule(im->r, entry, ORYX_E_VERSION, "entry",
                    "the function " ORYX_PLUGIN_ENTRY " must be exported (mark it ORYX_EXPORT; another name is another ABI)"))
        return false;
    return oryx__rule(im->r, exported == 1, ORYX_E_PLUGIN, "exports",
                      "only " ORYX_PLUGIN_ENTRY " may be exported, this also exports '%s' (build with -fvisibility=hidden)", other);
}

static bool dynamic_rules(const struct image *im)
{
    uint64_t symtab = 0, strtab = 0, strsz = 0, hash = 0, gnu = 0, count = 0, at;
    bool dynamic = false, textrel = false;
    for (unsigned i = 0; i < im->n_ph; i++) {
        Elf64_Phdr h = phdr(im, i);
        if (h.p_type != PT_DYNAMIC)
            continue;
        dynamic = true;
        for (uint64_t k = 0; k + sizeof(Elf64_Dyn) <= h.p_filesz; k += sizeof(Elf64_Dyn)) {
            Elf64_Dyn d;
            memcpy(&d, im->p + h.p_offset + k, sizeof d);
            if (d.d_tag == DT_NULL)
                break;
            symtab = d.d_tag == DT_SYMTAB ? d.d_un.d_ptr : symtab;
            strtab = d.d_tag == DT_STRTAB ? d.d_un.d_ptr : strtab;
            strsz = d.d_tag == DT_STRSZ ? d.d_un.d_val : strsz;
            hash = d.d_tag == DT_HASH ? d.d_un.d_ptr : hash;
            gnu = d.d_tag == DT_GNU_HASH ? d.d_un.d_ptr : gnu;
            textrel |= d.d_tag == DT_TEXTREL || (d.d_tag == DT_FLAGS && (d.d_un.d_val & DF_TEXTREL));
        }
    }
    if (!oryx__rule(im->r, dynamic, ORYX_E_FORMAT, "dynamic", "a dynamic section is needed (link with -shared)") ||
        !oryx__rule(im->r, !textrel, ORYX_E_PLUGIN, "textrel", "no text relocations are allowed (compile with -fPIC)"))
        return false;
    if (gnu)
        count = gnu_hash_count(im, gnu);
    else if (hash && file_offset(im, hash, 8, &at)) {
        uint32_t n[2];
        memcpy(n, im->p + at, sizeof n);
        count = n[1];
    }
    return symbol_rule(im, symtab, strtab, strsz, count);
}

bool oryx__elf_check(const struct oryx__file *f, const char **note, size_t *note_len, struct oryx__rules *r)
{
    struct image im = { .file = f, .p = f->p, .n = f->n, .r = r };
    return header_rules(&im) && find_note(&im, note, note_len) && stack_rule(&im) && dynamic_rules(&im);
}
