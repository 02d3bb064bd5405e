/* The initial stack: strings, argv, envp and the auxiliary vector as execve leaves them. Called by
 * loader.c twice, first to reserve the stack, then to fill it. Invariant: sp is 16-aligned and
 * points at argc. */
#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "linux.h"

#define STACK_DEFAULT (8ull << 20)
#define STACK_MOST    (256ull << 20)

static uint64_t stack_size(void)
{
    struct rlimit lim;
    if (getrlimit(RLIMIT_STACK, &lim) || lim.rlim_cur == RLIM_INFINITY || lim.rlim_cur > STACK_MOST)
        return STACK_DEFAULT;
    return lim.rlim_cur < (128u << 10) ? 128u << 10 : LX_PAGE_UP(lim.rlim_cur);
}

static int reserve(os *o)
{
    lx_mm *mm = &o->mm;
    uint64_t size = stack_size();
    int64_t at = mm_map(o, 0, size, ORYX_PROT_READ | ORYX_PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                        -1, 0, "[stack]");
    if (at < 0)
        return (int)at;
    mm->stack_top = (uint64_t)at + size;
    mm->map_top = (uint64_t)at - (1u << 20); /* an overflow hits nothing */
    return 0;
}

static uint64_t push(os *o, uint64_t *sp, const void *data, size_t n)
{
    *sp -= n;
    memcpy(o->mm.base + *sp, data, n);
    return *sp;
}

static size_t count(char **v)
{
    size_t n = 0;
    while (v[n])
        n++;
    return n;
}

typedef struct words {
    os *o;
    uint64_t at;
} words;

static void put(words *w, uint64_t v)
{
    u_word_out(w->o, w->at, v);
    w->at += w->o->abi->word;
}

static void aux(words *w, uint64_t tag, uint64_t v)
{
    put(w, tag);
    put(w, v);
}

int stack_build(task *t, char **argv, char **envp, const lx_image *im, const char *execfn)
{
    os *o = t->o;
    lx_mm *mm = &o->mm;
    if (!argv)
        return reserve(o);
    size_t argc = count(argv), envc = count(envp), bytes = strlen(execfn) + 64;
    for (size_t i = 0; i < argc; i++)
        bytes += strlen(argv[i]) + 1 + 8;
    for (size_t i = 0; i < envc; i++)
        bytes += strlen(envp[i]) + 1 + 8;
    if (bytes > stack_size() / 4 * 3 - (32u << 10))
        return -E2BIG;
    uint64_t *ptrs = calloc(argc + envc + 1, sizeof(*ptrs)), sp = mm->stack_top - o->abi->word;
    uint8_t random[16];
    if (!ptrs)
        return -ENOMEM;
    uint64_t fn = push(o, &sp, execfn, strlen(execfn) + 1);
    mm->env_end = sp;
    for (size_t i = envc; i-- > 0;)
        ptrs[argc + i] = push(o, &sp, envp[i], strlen(envp[i]) + 1);
    mm->env_start = mm->arg_end = sp;
    for (size_t i = argc; i-- > 0;)
        ptrs[i] = push(o, &sp, argv[i], strlen(argv[i]) + 1);
    mm->arg_start = sp;
    sp &= ~15ull;
    uint64_t platform = push(o, &sp, o->abi->platform, strlen(o->abi->platform) + 1);
    sp &= ~15ull;
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        memset(random, 0x5a, sizeof(random));
    uint64_t rnd = push(o, &sp, random, sizeof(random));

    struct {
        uint64_t tag, value;
    } av[] = {{AT_HWCAP, o->abi->hwcap(o, 1)},
              {AT_PAGESZ, LX_PAGE},
              {AT_CLKTCK, (uint64_t)sysconf(_SC_CLK_TCK)},
              {AT_PHDR, im->phdr},
              {AT_PHENT, im->phent},
              {AT_PHNUM, im->phnum},
              {AT_BASE, im->interp_base},
              {AT_FLAGS, 0},
              {AT_ENTRY, im->entry},
              {AT_UID, getuid()},
              {AT_EUID, geteuid()},
              {AT_GID, getgid()},
              {AT_EGID, getegid()},
              {AT_SECURE, 0},
              {AT_RANDOM, rnd},
              {AT_HWCAP2, o->abi->hwcap(o, 2)},
              {AT_EXECFN, fn},
              {AT_PLATFORM, platform},
              {AT_MINSIGSTKSZ, o->abi->minsigstksz},
              {AT_NULL, 0}};
    size_t n_av = sizeof(av) / sizeof(av[0]);
    size_t n_words = 1 + argc + 1 + envc + 1 + 2 * n_av;
    sp = (sp - n_words * o->abi->word) & ~15ull;
    words w = {o, sp};
    put(&w, argc);
    for (size_t i = 0; i < argc; i++)
        put(&w, ptrs[i]);
    put(&w, 0);
    for (size_t i = 0; i < envc; i++)
        put(&w, ptrs[argc + i]);
    put(&w, 0);
    mm->auxv = w.at;
    for (size_t i = 0; i < n_av; i++)
        aux(&w, av[i].tag, av[i].value);
    mm->auxv_size = w.at - mm->auxv;
    free(ptrs);
    o->abi->set_sp(t, sp);
    return 0;
}
