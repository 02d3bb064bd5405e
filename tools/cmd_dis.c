/* `oryx dis`: bytes or a file to text, by the frontend's own disassembler. ELF files: every executable segment. */
#include <elf.h>
#include <string.h>

#include "tool.h"

static char *plugin_path, *arch_name, *mode_name, *addr_text;
static gboolean json;

static const GOptionEntry entries[] = {
    { "arch", 'a', 0, G_OPTION_ARG_STRING, &arch_name, "architecture ('oryx arch' lists them)", "A" },
    { "mode", 'm', 0, G_OPTION_ARG_STRING, &mode_name, "mode of the architecture", "M" },
    { "addr", 0, 0, G_OPTION_ARG_STRING, &addr_text, "address of the first byte (default 0)", "X" },
    { "plugin-path", 0, 0, G_OPTION_ARG_STRING, &plugin_path, "more plugin directories, ':' between", "DIRS" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "JSON lines", NULL },
    { 0 },
};

static const char help[] = "HEX is an even number of hex digits; anything else is a file, raw bytes or ELF (its executable segments).\n\n"
                           "Examples:\n"
                           "  oryx dis --arch arm64 20008052c0035fd6\n"
                           "  oryx dis --arch arm64 --addr 0x400000 code.bin\n"
                           "  oryx dis --arch arm64 ./hello-arm64 | less\n";

static bool range(const oryx_arch_ops *a, uint64_t mode, uint64_t addr, const uint8_t *p, uint64_t n)
{
    for (uint64_t at = 0; at < n;) {
        oryx_disasm d = { .hdr = ORYX_HDR(oryx_disasm) };
        uint64_t rest = n - at, room = rest < a->insn_max ? rest : a->insn_max;
        oryx_status s = a->disasm(addr + at, mode, p + at, (uint32_t)room, &d);
        uint32_t len = d.len && d.len <= room ? d.len : (uint32_t)(rest < a->insn_align ? rest : a->insn_align);
        GString *hex = g_string_new(NULL);
        if (len == 4 && a->insn_align == 4 && !a->big_endian)
            g_string_printf(hex, "%02x%02x%02x%02x", p[at + 3], p[at + 2], p[at + 1], p[at]);
        else
            for (uint32_t i = 0; i < len; i++)
                g_string_append_printf(hex, "%s%02x", i ? " " : "", p[at + i]);
        if (s && !d.text[0])
            g_snprintf(d.text, sizeof d.text, ".byte");
        if (json) {
            struct json_object *o = json_object_new_object();
            char *pc = g_strdup_printf("0x%" PRIx64, addr + at);
            json_object_object_add(o, "pc", json_object_new_string(pc));
            json_object_object_add(o, "hex", json_object_new_string(hex->str));
            json_object_object_add(o, "text", json_object_new_string(d.text));
            json_object_object_add(o, "valid", json_object_new_boolean(s == ORYX_OK));
            printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
            json_object_put(o);
            g_free(pc);
        } else {
            printf("%s%8" PRIx64 ":%s\t%s\t%s\n", tool_dim(stdout), addr + at, tool_plain(stdout), hex->str, d.text);
        }
        g_string_free(hex, TRUE);
        at += len;
        if (ferror(stdout))
            return false;
    }
    return true;
}

/* Executable segments of a 64- or 32-bit little-endian ELF image; every offset is checked. -1: no ELF. */
static int elf(const oryx_arch_ops *a, uint64_t mode, const uint8_t *p, gsize n)
{
    if (n < sizeof(Elf64_Ehdr) || memcmp(p, ELFMAG, SELFMAG) || p[EI_DATA] != ELFDATA2LSB)
        return -1;
    Elf64_Ehdr e;
    Elf32_Ehdr e32;
    memcpy(&e, p, sizeof e);
    memcpy(&e32, p, sizeof e32);
    bool wide = p[EI_CLASS] == ELFCLASS64;
    uint64_t at = wide ? e.e_phoff : e32.e_phoff, size = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    unsigned count = wide ? e.e_phnum : e32.e_phnum;
    if (at > n || (n - at) / size < count)
        return tool_fail(EXIT_CANNOT_RUN, "the ELF program headers lie outside the file (truncated?)");
    for (unsigned i = 0; i < count; i++) {
        Elf64_Phdr h;
        Elf32_Phdr h32;
        if (wide) {
            memcpy(&h, p + at + i * size, sizeof h);
        } else {
            memcpy(&h32, p + at + i * size, sizeof h32);
            h = (Elf64_Phdr){ .p_type = h32.p_type, .p_flags = h32.p_flags, .p_offset = h32.p_offset,
                              .p_vaddr = h32.p_vaddr, .p_filesz = h32.p_filesz };
        }
        if (h.p_type != PT_LOAD || !(h.p_flags & PF_X))
            continue;
        if (h.p_offset > n || h.p_filesz > n - h.p_offset)
            return tool_fail(EXIT_CANNOT_RUN, "ELF segment %u lies outside the file (truncated?)", i);
        if (!range(a, mode, h.p_vaddr, p + h.p_offset, h.p_filesz))
            return EXIT_TOOL;
    }
    return 0;
}

int cmd_dis(int argc, char **argv)
{
    oryx_error err = { .code = ORYX_OK };
    uint64_t addr = 0, mode = 0;
    if (!tool_options(&argc, &argv, entries, "--arch A HEX|FILE", help))
        return EXIT_USAGE;
    if (argc != 2 || !arch_name)
        return tool_fail(EXIT_USAGE, "dis: --arch and one of HEX or FILE are needed: 'oryx dis --help'");
    if (addr_text && !tool_number(addr_text, &addr))
        return tool_fail(EXIT_USAGE, "dis: --addr takes a number, not '%s'", addr_text);
    const oryx_arch_ops *a = oryx_plugin_static(plugin_path, ORYX_ARCH_ID, arch_name, &err);
    if (!a)
        return tool_fail(tool_code(err.code), "%s", err.text);
    if (mode_name) {
        bool known = false;
        for (const char *const *m = a->modes; m && *m; m++)
            known |= !strcmp(*m, mode_name);
        if (!known || (ORYX_HAS(a, mode_of) && a->mode_of && a->mode_of(mode_name, &mode)))
            return tool_fail(EXIT_USAGE, "dis: no mode '%s': 'oryx arch %s' lists them", mode_name, a->name);
    }
    GByteArray *bytes = tool_hex(argv[1]);
    if (bytes) {
        range(a, mode, addr, bytes->data, bytes->len);
        g_byte_array_unref(bytes);
    } else {
        gchar *data = NULL;
        gsize n = 0;
        GError *e = NULL;
        if (!g_file_get_contents(argv[1], &data, &n, &e)) {
            int code = tool_fail(EXIT_MISSING, "%s (neither hex digits nor a readable file)", e->message);
            g_error_free(e);
            return code;
        }
        int code = addr_text ? -1 : elf(a, mode, (const uint8_t *)data, n);
        if (code < 0) {
            range(a, mode, addr, (const uint8_t *)data, n);
            code = 0;
        }
        g_free(data);
        if (code)
            return code;
    }
    return 0;
}
