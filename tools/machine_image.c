/* Images of a machine description: raw bytes at an address, or the PT_LOAD segments of an ELF file at their physical
 * addresses. Every offset of the file is checked. */
#include <elf.h>
#include <string.h>
#include <sys/stat.h>

#include "machine.h"

typedef struct image {
    machine_build *b;
    const char *pointer, *path;
    oryx_space *space;
    const uint8_t *data;
    uint64_t size;
} image;

static bool put(const image *im, uint64_t addr, const void *from, uint64_t size)
{
    oryx_status s = size ? oryx_space_write(im->space, addr, from, size, 0) : ORYX_OK;
    return s == ORYX_OK ||
           machine_wrong(im->b->file, im->pointer, "%s: cannot be written to [0x%" PRIx64 ", 0x%" PRIx64 "]: %s; put RAM there", im->path,
                         addr, addr + size - 1, oryx_status_text(s));
}

static bool clear(const image *im, uint64_t addr, uint64_t size)
{
    static const uint8_t zero[4096];
    bool ok = true;
    for (uint64_t n; ok && size; addr += n, size -= n)
        ok = put(im, addr, zero, n = MIN(size, sizeof zero));
    return ok;
}

static bool bad_elf(const image *im, const char *what)
{
    return machine_wrong(im->b->file, im->pointer, "%s: %s", im->path, what);
}

static Elf64_Phdr header(const image *im, const Elf64_Ehdr *e, bool wide, unsigned i)
{
    Elf64_Phdr h;
    Elf32_Phdr s;
    const uint8_t *at = im->data + e->e_phoff + (uint64_t)i * e->e_phentsize;
    if (wide) {
        memcpy(&h, at, sizeof h);
        return h;
    }
    memcpy(&s, at, sizeof s);
    return (Elf64_Phdr){ .p_type = s.p_type, .p_offset = s.p_offset, .p_paddr = s.p_paddr, .p_filesz = s.p_filesz, .p_memsz = s.p_memsz };
}

static bool load_elf(const image *im, uint64_t bias)
{
    Elf64_Ehdr e;
    Elf32_Ehdr s;
    if (im->size < sizeof s || memcmp(im->data, ELFMAG, SELFMAG))
        return bad_elf(im, "is no ELF file; use \"format\": \"raw\" with an address");
    if (im->data[EI_DATA] != ELFDATA2LSB)
        return bad_elf(im, "is a big-endian ELF file, which cannot be loaded yet; make it raw with objcopy -O binary");
    bool wide = im->data[EI_CLASS] == ELFCLASS64;
    if (wide && im->size < sizeof e)
        return bad_elf(im, "is truncated inside the ELF header");
    if (wide) {
        memcpy(&e, im->data, sizeof e);
    } else {
        memcpy(&s, im->data, sizeof s);
        e = (Elf64_Ehdr){ .e_entry = s.e_entry, .e_phoff = s.e_phoff, .e_phentsize = s.e_phentsize, .e_phnum = s.e_phnum };
    }
    if (e.e_phentsize < (wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) || e.e_phoff > im->size ||
        (im->size - e.e_phoff) / e.e_phentsize < e.e_phnum)
        return bad_elf(im, "its ELF program headers lie outside the file (truncated?)");
    for (unsigned i = 0; i < e.e_phnum; i++) {
        Elf64_Phdr h = header(im, &e, wide, i);
        if (h.p_type == PT_LOAD && (h.p_offset > im->size || h.p_filesz > im->size - h.p_offset || h.p_memsz < h.p_filesz))
            return bad_elf(im, "an ELF segment lies outside the file (truncated?)");
    }
    unsigned loaded = 0;
    for (unsigned i = 0; i < e.e_phnum; i++) {
        Elf64_Phdr h = header(im, &e, wide, i);
        if (h.p_type != PT_LOAD)
            continue;
        if (!put(im, h.p_paddr + bias, im->data + h.p_offset, h.p_filesz) ||
            !clear(im, h.p_paddr + bias + h.p_filesz, h.p_memsz - h.p_filesz))
            return false;
        loaded++;
    }
    if (!loaded)
        return bad_elf(im, "has no segment to load; link it with a program header (an object file has none)");
    if (!im->b->has_entry) {
        im->b->has_entry = true;
        im->b->entry = e.e_entry + bias;
    }
    return true;
}

bool machine_image(machine_build *b, size_t i)
{
    struct json_object *o = json_object_array_get_idx(machine_list(b->file->root, "images"), i);
    char *pointer = g_strdup_printf("/images/%zu", i), *file = g_strdup_printf("%s/file", pointer);
    char *path = machine_path(b->file, machine_string(o, "file", ""));
    gchar *data = NULL;
    gsize size = 0;
    GError *e = NULL;
    const char *in = machine_string(o, "in", "system");
    oryx_space *space = oryx_space_get(b->machine, in);
    uint64_t addr = 0;
    struct stat st;
    bool ok = true;
    if (!space) {
        char *p = machine_pointer(pointer, "in");
        ok = machine_wrong(b->file, p, "there is no space '%s'; \"spaces\" lists those beside \"system\"", in);
        g_free(p);
    } else if (!machine_member_number(b, o, pointer, "addr", &addr)) {
        ok = false;
    } else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) { /* a pipe or a device may have no end */
        ok = machine_wrong(b->file, file, "%s: is no regular file", path);
    } else if (!g_file_get_contents(path, &data, &size, &e)) {
        ok = machine_wrong(b->file, file, "%s", e->message);
        g_error_free(e);
    } else {
        image im = { b, file, path, space, (const uint8_t *)data, size };
        bool elf = size >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG);
        elf = !strcmp(machine_string(o, "format", elf ? "elf" : "raw"), "elf");
        if (elf)
            ok = load_elf(&im, addr);
        else if (!json_object_object_get_ex(o, "addr", NULL))
            ok = machine_wrong(b->file, pointer, "%s is raw: give \"addr\", where it goes", path);
        else
            ok = put(&im, addr, data, size);
    }
    g_free(data);
    g_free(path);
    g_free(file);
    g_free(pointer);
    return ok;
}
