/* Program images: checks and maps an ELF file and its interpreter, follows #! lines, tells the core
 * the symbols. Called at start and by execve. Invariant: everything that can be refused is refused,
 * with a line that says why, before the old image is taken down. */
#include <elf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "linux.h"

#define MAX_SCRIPTS 5
#define MAX_PHDRS   128

typedef struct elf {
    int fd;
    uint64_t size;
    Elf64_Ehdr eh;
    Elf64_Phdr ph[MAX_PHDRS];
    char interp[PATH_MAX];
    char path[PATH_MAX]; /* as the guest names it */
} elf;

static int fail(os *o, oryx_error *err, int no, oryx_status st, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
static int fail(os *o, oryx_error *err, int no, oryx_status st, const char *fmt, ...)
{
    char text[480];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (o)
        o->host->error_set(err, st, text);
    else if (err) {
        err->code = st;
        snprintf(err->text, sizeof(err->text), "%s", text);
    }
    return no;
}

static const char *machine_name(unsigned m)
{
    static const struct {
        unsigned m;
        const char *name;
    } rows[] = {{EM_386, "x86"},       {EM_X86_64, "x86-64"}, {EM_ARM, "32-bit Arm"},
                {EM_AARCH64, "arm64"}, {EM_MIPS, "MIPS"},     {EM_PPC64, "PowerPC64"},
                {EM_RISCV, "RISC-V"},  {EM_S390, "s390"},     {EM_SPARCV9, "SPARC"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].m == m)
            return rows[i].name;
    return "unknown";
}

/* Open a guest path for reading a program. */
static int open_program(os *o, elf *e, const char *guest, oryx_error *err)
{
    lx_path p;
    struct stat st;
    int r = path_host(o, AT_FDCWD, guest, PATH_FOLLOW, &p);
    e->fd = -1;
    snprintf(e->path, sizeof(e->path), "%s", guest);
    if (!r) {
        e->fd = openat(p.dir, p.name, O_RDONLY | O_CLOEXEC | (p.inside ? O_NOFOLLOW : 0));
        r = e->fd < 0 ? -errno : 0;
        path_done(&p);
    }
    if (r)
        return fail(o, err, r, ORYX_E_NOTFOUND, "%s: cannot open: %s%s", guest, strerror(-r),
                    o->root ? " (looked up below --root)" : "");
    if (fstat(e->fd, &st) || !S_ISREG(st.st_mode))
        return fail(o, err, -EACCES, ORYX_E_FORMAT,
                    "%s: is %s, not a program: give the path of an executable file", guest,
                    S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
    e->size = (uint64_t)st.st_size;
    if (!(st.st_mode & 0111))
        return fail(o, err, -EACCES, ORYX_E_PERM, "%s: is not executable: chmod +x it", guest);
    return 0;
}

static int read_elf(os *o, elf *e, oryx_error *err)
{
    const char *path = e->path;
    uint8_t raw[sizeof(Elf64_Ehdr)];
    e->interp[0] = 0;
    memset(&e->eh, 0, sizeof(e->eh));
    ssize_t n = pread(e->fd, raw, sizeof(raw), 0);
    if (n < 4 || memcmp(raw, ELFMAG, 4))
        return fail(o, err, -ENOEXEC, ORYX_E_FORMAT,
                    "%s: is neither an ELF program nor a #! script", path);
    if (elf_header(raw, (size_t)n, &e->eh))
        return fail(o, err, -ENOEXEC, ORYX_E_FORMAT,
                    "%s: truncated ELF: %lld bytes, the header alone takes %u: copy the file again",
                    path, (long long)e->size, elf_size(&e->eh, ELF_EHDR));
    if (e->eh.e_machine != o->abi->elf_machine || e->eh.e_ident[EI_CLASS] != o->abi->elf_class ||
        e->eh.e_ident[EI_DATA] != o->abi->elf_data || (e->eh.e_flags & o->abi->elf_flags_mask) != o->abi->elf_flags)
        return fail(o, err, -ENOEXEC, ORYX_E_FORMAT,
                    "%s: ELF for %s (e_machine %u, %d-bit, %s-endian), this machine is %s: run it with that "
                    "architecture's frontend",
                    path, machine_name(e->eh.e_machine), e->eh.e_machine,
                    e->eh.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32,
                    e->eh.e_ident[EI_DATA] == ELFDATA2MSB ? "big" : "little", o->abi->arch);
    if (e->eh.e_type != ET_EXEC && e->eh.e_type != ET_DYN)
        return fail(o, err, -ENOEXEC, ORYX_E_FORMAT,
                    "%s: ELF type %u is not a program: link it first", path, e->eh.e_type);
    if (e->eh.e_phentsize != elf_size(&e->eh, ELF_PHDR) || !e->eh.e_phnum || e->eh.e_phnum > MAX_PHDRS)
        return fail(o, err, -ENOEXEC, ORYX_E_FORMAT,
                    "%s: %u program headers of %u bytes: expected 1 to %d of %u", path,
                    e->eh.e_phnum, e->eh.e_phentsize, MAX_PHDRS, elf_size(&e->eh, ELF_PHDR));
    if (elf_phdrs(e->fd, &e->eh, e->ph, MAX_PHDRS))
        return fail(o, err, -ENOEXEC, ORYX_E_FORMAT,
                    "%s: truncated ELF: program headers at %#llx lie beyond its %lld bytes: copy "
                    "the file again",
                    path, (unsigned long long)e->eh.e_phoff, (long long)e->size);
    int loads = 0;
    for (int i = 0; i < e->eh.e_phnum; i++) {
        const Elf64_Phdr *p = &e->ph[i];
        if (p->p_type == PT_LOAD) {
            loads++;
            if (p->p_filesz > p->p_memsz || p->p_memsz > o->mm.size ||
                p->p_vaddr > o->mm.size - p->p_memsz ||
                ((p->p_vaddr ^ p->p_offset) & (LX_PAGE - 1)))
                return fail(o, err, -ENOEXEC, ORYX_E_FORMAT,
                            "%s: segment %d (%#llx, %#llx bytes) does not fit a %llu GiB address "
                            "space or its file offset",
                            path, i, (unsigned long long)p->p_vaddr, (unsigned long long)p->p_memsz,
                            (unsigned long long)(o->mm.size >> 30));
            /* A segment of no bytes (all bss) may name an offset past the end: Linux maps nothing
             * for it. */
            if (p->p_filesz && (p->p_offset > e->size || p->p_filesz > e->size - p->p_offset))
                return fail(o, err, -ENOEXEC, ORYX_E_FORMAT,
                            "%s: truncated ELF: segment %d ends at %#llx, the file at %#llx: copy "
                            "the file again",
                            path, i, (unsigned long long)(p->p_offset + p->p_filesz),
                            (unsigned long long)e->size);
        } else if (p->p_type == PT_INTERP) {
            if (!p->p_filesz || p->p_filesz >= sizeof(e->interp) ||
                pread(e->fd, e->interp, p->p_filesz, (off_t)p->p_offset) != (ssize_t)p->p_filesz)
                return fail(o, err, -ENOEXEC, ORYX_E_FORMAT,
                            "%s: its interpreter's name is unreadable: copy the file again", path);
            e->interp[p->p_filesz] = 0;
        }
    }
    return loads ? 0 : fail(o, err, -ENOEXEC, ORYX_E_FORMAT, "%s: has no loadable segment", path);
}

/* --- symbols
 * --------------------------------------------------------------------------------------------------------------
 */

static void *read_part(int fd, uint64_t off, uint64_t size, uint64_t limit)
{
    struct stat st;
    if (!size || size > limit || fstat(fd, &st) || off > (uint64_t)st.st_size ||
        size > (uint64_t)st.st_size - off)
        return NULL;
    void *p = malloc(size);
    if (p && pread(fd, p, size, (off_t)off) != (ssize_t)size) {
        free(p);
        p = NULL;
    }
    return p;
}

static void symbols(os *o, int fd, const Elf64_Ehdr *eh, uint64_t bias)
{
    uint32_t each = elf_size(eh, ELF_SHDR), sym_size = elf_size(eh, ELF_SYM);
    if (eh->e_shentsize != each || !eh->e_shnum)
        return;
    uint8_t *sections = read_part(fd, eh->e_shoff, (uint64_t)eh->e_shnum * each, 1 << 22);
    if (!sections)
        return;
    Elf64_Shdr s = {0}, n = {0}, at;
    int found = 0;
    for (int i = 0; i < eh->e_shnum; i++) {
        memset(&at, 0, sizeof(at));
        elf_record(eh, ELF_SHDR, sections + (size_t)i * each, &at);
        if (at.sh_type == SHT_SYMTAB || (at.sh_type == SHT_DYNSYM && !found)) {
            s = at;
            found = 1;
        }
    }
    if (found && s.sh_link < eh->e_shnum) {
        elf_record(eh, ELF_SHDR, sections + (size_t)s.sh_link * each, &n);
        uint8_t *raw = read_part(fd, s.sh_offset, s.sh_size, 1 << 28);
        char *names = read_part(fd, n.sh_offset, n.sh_size, 1 << 28);
        /* Thumb functions have their lowest bit set. */
        uint64_t mask = eh->e_machine == EM_ARM ? ~1ull : ~0ull;
        if (raw && names && names[n.sh_size - 1] == 0)
            for (uint64_t i = 0; i < s.sh_size / sym_size; i++) {
                Elf64_Sym sym;
                elf_record(eh, ELF_SYM, raw + i * sym_size, &sym);
                unsigned type = ELF64_ST_TYPE(sym.st_info);
                if ((type == STT_FUNC || type == STT_GNU_IFUNC) && sym.st_shndx != SHN_UNDEF && sym.st_value &&
                    sym.st_name < n.sh_size)
                    o->host->symbol_add(o->m, names + sym.st_name, (sym.st_value & mask) + bias, sym.st_size);
            }
        free(raw);
        free(names);
    }
    free(sections);
}

void loader_symbols_of_map(os *o, int fd, uint64_t addr, uint64_t off)
{
    Elf64_Ehdr eh;
    Elf64_Phdr ph[MAX_PHDRS];
    uint8_t raw[sizeof(Elf64_Ehdr)];
    ssize_t n = pread(fd, raw, sizeof(raw), 0);
    if (n < 0 || elf_header(raw, (size_t)n, &eh) || eh.e_machine != o->abi->elf_machine ||
        eh.e_ident[EI_CLASS] != o->abi->elf_class || eh.e_ident[EI_DATA] != o->abi->elf_data ||
        eh.e_phentsize != elf_size(&eh, ELF_PHDR) || elf_phdrs(fd, &eh, ph, MAX_PHDRS))
        return;
    for (int i = 0; i < eh.e_phnum; i++)
        if (ph[i].p_type == PT_LOAD && (ph[i].p_flags & PF_X) &&
            (ph[i].p_offset & LX_PAGE_MASK) == off) {
            symbols(o, fd, &eh, addr - (ph[i].p_vaddr & LX_PAGE_MASK));
            return;
        }
}

/* --- mapping
 * -------------------------------------------------------------------------------------------------------------
 */

static int map_segment(os *o, const elf *e, const Elf64_Phdr *p, uint64_t bias)
{
    uint32_t prot = (p->p_flags & PF_R ? ORYX_PROT_READ : 0) |
                    (p->p_flags & PF_W ? ORYX_PROT_WRITE : 0) |
                    (p->p_flags & PF_X ? ORYX_PROT_EXEC : 0);
    uint64_t start = (p->p_vaddr + bias) & LX_PAGE_MASK, in_page = p->p_vaddr & (LX_PAGE - 1);
    uint64_t file_end = p->p_vaddr + bias + p->p_filesz, mem_end = p->p_vaddr + bias + p->p_memsz;
    uint64_t mapped = p->p_filesz ? LX_PAGE_UP(file_end) : start;
    int64_t r;
    if (p->p_filesz) {
        r = mm_map(o, start, file_end - start, prot, MAP_PRIVATE | MAP_FIXED, e->fd,
                   p->p_offset - in_page, NULL);
        if (r < 0)
            return (int)r;
        /* Bytes of the last page beyond the file part are zero when memory goes on there. */
        if (p->p_memsz > p->p_filesz && mapped > file_end && (prot & ORYX_PROT_ALL))
            mm_put(o, file_end, NULL, (mapped < mem_end ? mapped : LX_PAGE_UP(mem_end)) - file_end);
    }
    if (mem_end > mapped) {
        r = mm_map(o, mapped, LX_PAGE_UP(mem_end) - mapped, prot,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0, NULL);
        if (r < 0)
            return (int)r;
    }
    return 0;
}

/* Map every segment; bias out. base: where a position-independent file goes, 0 for anywhere. */
static int map_elf(os *o, const elf *e, uint64_t base, uint64_t *bias, uint64_t *end)
{
    uint64_t lo = ~0ull, hi = 0;
    for (int i = 0; i < e->eh.e_phnum; i++)
        if (e->ph[i].p_type == PT_LOAD) {
            if (e->ph[i].p_vaddr < lo)
                lo = e->ph[i].p_vaddr & LX_PAGE_MASK;
            if (e->ph[i].p_vaddr + e->ph[i].p_memsz > hi)
                hi = e->ph[i].p_vaddr + e->ph[i].p_memsz;
        }
    *bias = 0;
    if (e->eh.e_type == ET_DYN) {
        /* Reserve the whole span so that its segments lie together. */
        int64_t at =
            mm_map(o, base, LX_PAGE_UP(hi) - lo, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, NULL);
        if (at < 0)
            return (int)at;
        mm_unmap(o, (uint64_t)at, LX_PAGE_UP(hi) - lo);
        *bias = (uint64_t)at - lo;
    }
    for (int i = 0; i < e->eh.e_phnum; i++)
        if (e->ph[i].p_type == PT_LOAD) {
            int r = map_segment(o, e, &e->ph[i], *bias);
            if (r)
                return r;
        }
    *end = hi + *bias;
    symbols(o, e->fd, &e->eh, *bias);
    return 0;
}

/* --- #!
 * ------------------------------------------------------------------------------------------------------------------
 */

/* When e is a script: argv (malloc'ed, replaced) becomes interpreter, its argument, the script, the
 * rest. 1: was a script. */
static int script(elf *e, char ***argv, char *interp, size_t cap)
{
    char line[256], *arg = NULL;
    ssize_t n = pread(e->fd, line, sizeof(line) - 1, 0);
    if (n < 2 || line[0] != '#' || line[1] != '!')
        return 0;
    line[n] = 0;
    line[strcspn(line, "\n")] = 0;
    char *p = line + 2 + strspn(line + 2, " \t");
    for (size_t k = strlen(p); k && (p[k - 1] == ' ' || p[k - 1] == '\t' || p[k - 1] == '\r'); k--)
        p[k - 1] = 0;
    char *space = p + strcspn(p, " \t");
    if (*space) {
        *space = 0;
        arg = space + 1 + strspn(space + 1, " \t");
    }
    if (!*p)
        return -ENOEXEC;
    size_t argc = 0;
    while ((*argv)[argc])
        argc++;
    char **v = calloc(argc + 4, sizeof(char *));
    if (!v)
        return -ENOMEM;
    size_t k = 0;
    v[k++] = strdup(p);
    if (arg && *arg)
        v[k++] = strdup(arg);
    v[k++] = strdup(e->path);
    for (size_t i = 1; i < argc; i++)
        v[k++] = (*argv)[i];
    if (argc)
        free((*argv)[0]);
    free(*argv);
    *argv = v;
    snprintf(interp, cap, "%s", p);
    return 1;
}

static char **copy_vector(char **v)
{
    size_t n = 0;
    while (v[n])
        n++;
    char **c = calloc(n + 1, sizeof(char *));
    for (size_t i = 0; c && i < n; i++)
        c[i] = strdup(v[i]);
    return c;
}

static void free_vector(char **v)
{
    for (size_t i = 0; v && v[i]; i++)
        free(v[i]);
    free(v);
}

/* --- exec
 * ----------------------------------------------------------------------------------------------------------------
 */

static int load_interp(os *o, elf *in, const elf *e, oryx_error *err)
{
    int r = open_program(o, in, e->interp, err);
    if (r)
        return fail(o, err, r, ORYX_E_NOTFOUND,
                    "%s: needs the program interpreter %s, which cannot be opened (%s): give "
                    "--sysroot DIR with the guest's libraries",
                    e->path, e->interp, strerror(-r));
    return read_elf(o, in, err);
}

static void set_exe(os *o, const elf *e)
{
    char link[40], path[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", e->fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = 0;
    free(o->exe);
    o->exe = strdup(path);
    path_to_guest(o, path);
    free(o->exe_guest);
    o->exe_guest = strdup(path);
}

static int build(task *t, elf *e, elf *in, char **argv, char **envp, const char *execfn)
{
    os *o = t->o;
    lx_mm *mm = &o->mm;
    lx_image im;
    uint64_t end = 0, interp_end;
    memset(&im, 0, sizeof(im));
    uint64_t top = o->abi->map_top && o->abi->map_top < mm->size ? o->abi->map_top : mm->size;
    int pages = o->abi->map_pages ? o->abi->map_pages(o) : 0;
    if (pages)
        return pages;
    mm->limit = top;
    mm->map_top = top - LX_PAGE;
    /* The trampoline first: the highest page. */
    int64_t tr = mm_map(o, 0, LX_PAGE, ORYX_PROT_READ | ORYX_PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                        -1, 0, "[sigpage]");
    if (tr < 0)
        return (int)tr;
    mm->tramp = (uint64_t)tr;
    mm_put(o, mm->tramp, o->abi->tramp, o->abi->tramp_size);
    int r = stack_build(t, NULL, NULL, NULL, NULL); /* reserves it, so that mappings go below */
    if (!r)
        r = map_elf(o, e, mm->size / 3 * 2 & LX_PAGE_MASK, &im.bias, &end);
    if (r)
        return r;
    im.end = end;
    mm->brk_start = mm->brk = LX_PAGE_UP(end);
    im.entry = e->eh.e_entry + im.bias;
    im.phnum = e->eh.e_phnum;
    im.phent = e->eh.e_phentsize;
    for (int i = 0; i < e->eh.e_phnum; i++) {
        const Elf64_Phdr *p = &e->ph[i];
        if (p->p_type == PT_LOAD && p->p_offset <= e->eh.e_phoff &&
            e->eh.e_phoff < p->p_offset + p->p_filesz)
            im.phdr = e->eh.e_phoff - p->p_offset + p->p_vaddr + im.bias;
    }
    uint64_t entry = im.entry;
    if (in->fd >= 0) {
        r = map_elf(o, in, 0, &im.interp_base, &interp_end);
        if (r)
            return r;
        im.interp_entry = entry = in->eh.e_entry + im.interp_base;
    }
    r = stack_build(t, argv, envp, &im, execfn);
    if (r)
        return r;
    o->abi->start(t, entry, o->abi->get_sp(t));
    if (o->abi->image)
        o->abi->image(t, &e->eh, e->ph, e->fd);
    return 0;
}

int loader_exec(task *t, const char *program, char **argv_in, char **envp, int *committed,
                oryx_error *err)
{
    os *o = t->o;
    elf *e = calloc(2, sizeof(*e)), *in = e + 1;
    char **argv = copy_vector(argv_in), name[PATH_MAX], execfn[PATH_MAX];
    int r = e && argv ? 0 : -ENOMEM, scripts = 0;
    *committed = 0;
    if (!r) {
        in->fd = e->fd = -1;
        snprintf(execfn, sizeof(execfn), "%s", program);
        snprintf(name, sizeof(name), "%s", program);
        while (!(r = open_program(o, e, name, err)) &&
               (r = script(e, &argv, name, sizeof(name))) == 1) {
            close(e->fd);
            e->fd = -1;
            r = 0;
            if (++scripts > MAX_SCRIPTS) {
                r = fail(o, err, -ELOOP, ORYX_E_FORMAT,
                         "%s: #! lines lead from script to script more than %d deep", program,
                         MAX_SCRIPTS);
                break;
            }
        }
    }
    if (!r)
        r = read_elf(o, e, err);
    if (!r && e->interp[0])
        r = load_interp(o, in, e, err);
    if (!r) {
        *committed = 1;
        threads_end_others(t);
        mm_clear(o);
        set_exe(o, e);
        r = build(t, e, in, argv, envp, execfn);
        if (r)
            fail(o, err, r, ORYX_E_NOMEM, "%s: cannot map the program: %s", program, strerror(-r));
        else
            fds_exec(o);
    }
    if (e) {
        if (e->fd >= 0 && fcntl(e->fd, F_GETFD) >= 0 && r)
            close(e->fd);
        if (in->fd >= 0 && r)
            close(in->fd);
    }
    free(e);
    free_vector(argv);
    return r;
}

/* --- identify
 * -------------------------------------------------------------------------------------------------------------
 */

/* One class of frontend may serve several ABIs (byte orders, word sizes): the program's header says which. */
void loader_choose_abi(os *o)
{
    uint8_t head[64];
    lx_path p;
    Elf64_Ehdr eh;
    int fd = -1;
    if (path_host(o, AT_FDCWD, o->program, PATH_FOLLOW, &p) == 0) {
        fd = openat(p.dir, p.name, O_RDONLY | O_CLOEXEC | (p.inside ? O_NOFOLLOW : 0));
        path_done(&p);
    }
    ssize_t n = fd >= 0 ? pread(fd, head, sizeof(head), 0) : -1;
    if (fd >= 0)
        close(fd);
    if (n > 0 && elf_header(head, (size_t)n, &eh) == 0) {
        const lx_abi *abi = lx_abi_find(&eh);
        if (abi && !strcmp(abi->arch, o->abi->arch))
            o->abi = abi;
        const char *model = o->abi->model_of && !o->model ? o->abi->model_of(&eh) : NULL;
        if (model)
            o->model = strdup(model);
    }
}

oryx_status loader_identify(const char *path, char *arch, uint32_t cap, oryx_error *err)
{
    char file[PATH_MAX];
    uint8_t head[256];
    struct stat st;
    Elf64_Ehdr eh;
    snprintf(file, sizeof(file), "%s", path);
    for (int depth = 0; depth <= MAX_SCRIPTS; depth++) {
        int fd = open(file, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            fail(NULL, err, 0, ORYX_E_NOTFOUND, "%s: cannot open: %s", file, strerror(errno));
            return ORYX_E_NOTFOUND;
        }
        int plain = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
        ssize_t n = plain ? pread(fd, head, sizeof(head) - 1, 0) : -1;
        close(fd);
        if (n < 0) {
            fail(NULL, err, 0, ORYX_E_FORMAT,
                 "%s: is %s, not a program: give the path of an executable file", file,
                 S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
            return ORYX_E_FORMAT;
        }
        head[n] = 0;
        if (n > 2 && head[0] == '#' && head[1] == '!') {
            char *p = (char *)head + 2 + strspn((char *)head + 2, " \t");
            p[strcspn(p, " \t\r\n")] = 0;
            snprintf(file, sizeof(file), "%s", p);
            continue;
        }
        if (n < 4 || memcmp(head, ELFMAG, 4)) {
            fail(NULL, err, 0, ORYX_E_FORMAT, "%s: is neither an ELF program nor a #! script",
                 file);
            return ORYX_E_FORMAT;
        }
        if (elf_header(head, (size_t)n, &eh)) {
            fail(NULL, err, 0, ORYX_E_FORMAT, "%s: truncated ELF: %lld bytes: copy the file again",
                 file, (long long)st.st_size);
            return ORYX_E_FORMAT;
        }
        unsigned machine = eh.e_machine;
        const lx_abi *abi = lx_abi_find(&eh);
        if (!abi) {
            fail(NULL, err, 0, ORYX_E_FORMAT,
                 "%s: ELF for %s (e_machine %u, %d-bit, %s-endian): no frontend here runs its "
                 "Linux programs; see 'oryx arch'",
                 file, machine_name(machine), machine, head[EI_CLASS] == ELFCLASS64 ? 64 : 32,
                 head[EI_DATA] == ELFDATA2MSB ? "big" : "little");
            return ORYX_E_FORMAT;
        }
        snprintf(arch, cap, "%s", abi->arch);
        return ORYX_OK;
    }
    fail(NULL, err, 0, ORYX_E_FORMAT, "%s: #! lines lead from script to script more than %d deep",
         path, MAX_SCRIPTS);
    return ORYX_E_FORMAT;
}
