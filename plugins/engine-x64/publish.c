/* Compiled code made known to other tools, where the engine's options ask for it: a line of /tmp/perf-PID.map a block
 * (perf=map), a record with its bytes in /tmp/jit-PID.dump (perf=jitdump, for `perf inject --jit`), and a small ELF file in memory through GDB's JIT interface (gdb-jit=on), named after the guest's symbol. plugin.c
 * calls it under engine.lock after a block is compiled and before it is given back. Invariant: without those options nothing
 * here runs, and what GDB knows of a block ends with the block. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "helper/oryx_json.h"
#include "x64.h"

/* --- what GDB looks for: names and layout are its own ---------------------------------------------------------------------- */
struct jit_code_entry {
    struct jit_code_entry *next_entry, *prev_entry;
    const char *symfile_addr;
    uint64_t symfile_size;
};
struct jit_descriptor {
    uint32_t version, action_flag;
    struct jit_code_entry *relevant_entry, *first_entry;
};
enum { JIT_NOACTION, JIT_REGISTER_FN, JIT_UNREGISTER_FN };

extern struct jit_descriptor __jit_debug_descriptor;
void __jit_debug_register_code(void);
__attribute__((used)) struct jit_descriptor __jit_debug_descriptor = { 1, JIT_NOACTION, NULL, NULL };
__attribute__((noinline, used)) void __jit_debug_register_code(void)
{
    __asm__ volatile("" ::: "memory"); /* GDB's breakpoint */
}

static pthread_mutex_t gdb_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the descriptor: GDB knows one list a process */

/* Everything GDB reads about one block. */
typedef struct object {
    Elf64_Ehdr head;
    Elf64_Shdr section[5]; /* none, .text, .symtab, .strtab, .shstrtab */
    Elf64_Sym symbol[2];
    char section_names[40];
    char names[160];
} object;

typedef struct published {
    struct jit_code_entry entry; /* first: GDB links it */
    const void *code;
    struct published *next;
    object file;
} published;

static void object_fill(object *o, const oryx_tb *tb, const char *name)
{
    static const char sections[] = "\0.text\0.symtab\0.strtab\0.shstrtab";
    memset(o, 0, sizeof *o);
    memcpy(o->head.e_ident, ELFMAG "\2\1\1", 7);
    o->head.e_type = ET_REL;
    o->head.e_machine = EM_X86_64;
    o->head.e_version = 1;
    o->head.e_ehsize = sizeof o->head;
    o->head.e_shoff = offsetof(object, section);
    o->head.e_shentsize = sizeof o->section[0];
    o->head.e_shnum = 5;
    o->head.e_shstrndx = 4;
    memcpy(o->section_names, sections, sizeof sections);
    size_t size = strlen(name) + 2;
    memcpy(o->names + 1, name, size - 1);
    o->section[1] = (Elf64_Shdr){ .sh_name = 1, .sh_type = SHT_NOBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                                  .sh_addr = (uintptr_t)tb->code, .sh_size = tb->code_size, .sh_addralign = 16 };
    o->section[2] = (Elf64_Shdr){ .sh_name = 7, .sh_type = SHT_SYMTAB, .sh_offset = offsetof(object, symbol), .sh_size = sizeof o->symbol,
                                  .sh_link = 3, .sh_info = 1, .sh_addralign = 8, .sh_entsize = sizeof o->symbol[0] };
    o->section[3] = (Elf64_Shdr){ .sh_name = 15, .sh_type = SHT_STRTAB, .sh_offset = offsetof(object, names), .sh_size = size, .sh_addralign = 1 };
    o->section[4] = (Elf64_Shdr){ .sh_name = 23, .sh_type = SHT_STRTAB, .sh_offset = offsetof(object, section_names),
                                  .sh_size = sizeof sections, .sh_addralign = 1 };
    o->symbol[1] = (Elf64_Sym){ .st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1, .st_size = tb->code_size };
}

static void gdb_say(struct jit_code_entry *e, uint32_t action)
{
    __jit_debug_descriptor.relevant_entry = e;
    __jit_debug_descriptor.action_flag = action;
    __jit_debug_register_code();
    __jit_debug_descriptor.action_flag = JIT_NOACTION;
}

static void gdb_add(engine *en, const oryx_tb *tb, const char *name)
{
    published *p = malloc(sizeof *p);
    if (!p)
        return;
    object_fill(&p->file, tb, name);
    p->code = tb->code;
    p->next = en->published;
    en->published = p;
    p->entry = (struct jit_code_entry){ .symfile_addr = (const char *)&p->file, .symfile_size = sizeof p->file };
    pthread_mutex_lock(&gdb_lock);
    p->entry.next_entry = __jit_debug_descriptor.first_entry;
    if (p->entry.next_entry)
        p->entry.next_entry->prev_entry = &p->entry;
    __jit_debug_descriptor.first_entry = &p->entry;
    gdb_say(&p->entry, JIT_REGISTER_FN);
    pthread_mutex_unlock(&gdb_lock);
}

static void gdb_remove(published *p)
{
    pthread_mutex_lock(&gdb_lock);
    if (p->entry.prev_entry)
        p->entry.prev_entry->next_entry = p->entry.next_entry;
    else
        __jit_debug_descriptor.first_entry = p->entry.next_entry;
    if (p->entry.next_entry)
        p->entry.next_entry->prev_entry = p->entry.prev_entry;
    gdb_say(&p->entry, JIT_UNREGISTER_FN);
    pthread_mutex_unlock(&gdb_lock);
    free(p);
}

/* --- perf's jitdump, version 1 ---------------------------------------------------------------------------------------------- */
typedef struct jit_header {
    uint32_t magic, version, size, machine, pad, pid;
    uint64_t time, flags;
} jit_header;

typedef struct jit_load { /* then the name and its 0, then the code */
    uint32_t id, size;
    uint64_t time;
    uint32_t pid, tid;
    uint64_t vma, code, code_size, index;
} jit_load;

/* The clock of `perf record -k mono`. */
static uint64_t jit_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool jitdump_open(engine *en)
{
    jit_header h = { .magic = 0x4a695444, .version = 1, .size = sizeof h, .machine = EM_X86_64, .pid = (uint32_t)getpid(), .time = jit_time() };
    if (fwrite(&h, sizeof h, 1, en->perf) != 1 || fflush(en->perf))
        return false;
    /* perf notes executable mappings, so this one tells it where the file is. */
    en->jitdump = mmap(NULL, sizeof h, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(en->perf), 0);
    if (en->jitdump == MAP_FAILED)
        en->jitdump = NULL;
    return en->jitdump != NULL;
}

static void jitdump_add(engine *en, const oryx_tb *tb, const char *name)
{
    jit_load l = { .time = jit_time(), .pid = (uint32_t)getpid(), .tid = (uint32_t)syscall(SYS_gettid), .vma = (uintptr_t)tb->code,
                   .code = (uintptr_t)tb->code, .code_size = tb->code_size, .index = en->published_n++ };
    size_t n = strlen(name) + 1;
    l.size = (uint32_t)(sizeof l + n + tb->code_size);
    fwrite(&l, sizeof l, 1, en->perf);
    fwrite(name, n, 1, en->perf);
    fwrite(tb->code, tb->code_size, 1, en->perf);
    fflush(en->perf);
}

/* --- the engine's side ------------------------------------------------------------------------------------------------------ */
static oryx_status refuse(oryx_error *err, const char *key, const char *takes)
{
    if (err) {
        err->code = ORYX_E_INVALID;
        snprintf(err->text, sizeof err->text, "engine 'x64': option '%s' %s", key, takes);
    }
    return ORYX_E_INVALID;
}

oryx_status publish_open(engine *en, const char *options, oryx_error *err)
{
    en->listing = listing_wanted();
    oryx_json *o = options ? oryx_json_parse(options, NULL) : NULL;
    oryx_status s = ORYX_OK;
    if (!oryx_json_is(o, ORYX_JSON_OBJECT)) {
        free(o);
        return options ? refuse(err, options, "is no JSON object") : ORYX_OK;
    }
    for (const oryx_json *v = o->first; v && !s; v = v->next) {
        const char *key = v->key, *text = v->text ? v->text : "";
        if (!strcmp(key, "perf") && (!strcmp(text, "map") || !strcmp(text, "jitdump"))) {
            bool map = text[0] == 'm';
            char path[64];
            snprintf(path, sizeof path, map ? "/tmp/perf-%d.map" : "/tmp/jit-%d.dump", (int)getpid());
            if (!(en->perf = fopen(path, map ? "ae" : "w+e")) || (!map && !jitdump_open(en)))
                s = refuse(err, path, "cannot be written and mapped: take perf= away, or make /tmp writable, without noexec");
        } else if (!strcmp(key, "gdb-jit") && (!strcmp(text, "on") || !strcmp(text, "off"))) {
            en->gdb = !strcmp(text, "on");
        } else {
            s = refuse(err, key, "is unknown, or has another value: there are perf=map|jitdump, gdb-jit=on|off");
        }
    }
    free(o);
    return s;
}

void publish_block(engine *en, const oryx_tb *tb)
{
    char name[140];
    uint64_t base = tb->pc;
    if (!en->perf && !en->gdb && !en->listing)
        return;
    const char *symbol = en->host->symbol_find(en->machine, tb->pc, &base), *region = tb->flags & ORYX_TB_REGION ? "~region" : "";
    if (symbol && base == tb->pc)
        snprintf(name, sizeof name, "guest:%.100s%s", symbol, region);
    else if (symbol)
        snprintf(name, sizeof name, "guest:%.100s+0x%llx%s", symbol, (unsigned long long)(tb->pc - base), region);
    else
        snprintf(name, sizeof name, "guest:0x%llx%s", (unsigned long long)tb->pc, region);
    if (en->listing)
        listing_block(tb, name);
    if (en->perf && en->jitdump) {
        jitdump_add(en, tb, name);
    } else if (en->perf) {
        fprintf(en->perf, "%llx %x %s\n", (unsigned long long)(uintptr_t)tb->code, tb->code_size, name);
        fflush(en->perf);
    }
    if (en->gdb)
        gdb_add(en, tb, name);
}

void publish_drop(engine *en, const oryx_tb *tb)
{
    for (published **at = &en->published; *at; at = &(*at)->next)
        if ((*at)->code == tb->code) {
            published *p = *at;
            *at = p->next;
            gdb_remove(p);
            return;
        }
}

void publish_close(engine *en)
{
    while (en->published) {
        published *p = en->published;
        en->published = p->next;
        gdb_remove(p);
    }
    if (en->jitdump)
        munmap(en->jitdump, sizeof(jit_header));
    en->jitdump = NULL;
    if (en->perf)
        fclose(en->perf);
    en->perf = NULL;
}
