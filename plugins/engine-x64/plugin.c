/* The plugin: trampolines between C and compiled code, and the engine operations of abi/oryx_engine.h. compile.c does the
 * compiling. Invariant: the code cache is changed under engine.lock only; a jump is patched with one aligned 4-byte store, so
 * another vCPU in the block takes the old way or the new one. */
#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
#include <sys/platform/x86.h>
#endif

#include "helper/oryx_manifest.h"
#include "x64.h"

ORYX_MANIFEST(ORYX_JSON({"id": "engine-x64", "version": "0.1.0", "abi": {"major": 1, "minor": 0}, "licence": "MIT",
                         "provides": [{"interface": "oryx.engine/1", "class": "x64"}], "requires": [], "thread": "any"}));

#define HWCAP2_FSGSBASE 2u /* the kernel lets programs set GS */
#define CACHE_LIMIT (128ull << 20)

static const oryx_host *host;

static oryx_status fail(oryx_error *err, oryx_status code, const char *text)
{
    if (err) {
        err->code = code;
        snprintf(err->text, sizeof err->text, "engine 'x64': %s", text);
    }
    return code;
}

/* Engines of the process: fork must give the child its own code memory. */
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static engine *list;

static void fork_prepare(void)
{
    pthread_mutex_lock(&list_lock);
    cache_pool_fork_prepare();
    for (engine *en = list; en; en = en->next) {
        pthread_mutex_lock(&en->lock);
        cache_fork_prepare(&en->cache);
    }
}

static void fork_parent(void)
{
    for (engine *en = list; en; en = en->next) {
        cache_fork_parent(&en->cache);
        pthread_mutex_unlock(&en->lock);
    }
    cache_pool_fork_done(false);
    pthread_mutex_unlock(&list_lock);
}

static void fork_child(void)
{
    for (engine *en = list; en; en = en->next) {
        en->dead = !cache_fork_child(&en->cache);
        en->perf = NULL; /* the file is the parent's */
        pthread_mutex_init(&en->lock, NULL);
    }
    cache_pool_fork_done(true);
    pthread_mutex_init(&list_lock, NULL);
}

static void list_add(engine *en)
{
    static bool registered;
    pthread_mutex_lock(&list_lock);
    if (!registered)
        registered = pthread_atfork(fork_prepare, fork_parent, fork_child) == 0;
    en->next = list;
    list = en;
    pthread_mutex_unlock(&list_lock);
}

static void list_remove(engine *en)
{
    pthread_mutex_lock(&list_lock);
    for (engine **p = &list; *p; p = &(*p)->next)
        if (*p == en) {
            *p = en->next;
            break;
        }
    pthread_mutex_unlock(&list_lock);
}

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
/* The C library asked the CPU already, and under a hypervisor every CPUID costs tens of microseconds. "active": the operating
 * system lets it be used. */
static void cpuid(engine *en)
{
    en->popcnt = CPU_FEATURE_ACTIVE(POPCNT);
    en->pclmul = CPU_FEATURE_ACTIVE(PCLMULQDQ);
    en->sse41 = CPU_FEATURE_ACTIVE(SSE4_1);
    en->sse42 = CPU_FEATURE_ACTIVE(SSE4_2);
    en->movbe = CPU_FEATURE_ACTIVE(MOVBE);
    en->avx = CPU_FEATURE_ACTIVE(AVX);
    en->fma = CPU_FEATURE_ACTIVE(FMA);
    en->f16c = CPU_FEATURE_ACTIVE(F16C);
    en->bmi1 = CPU_FEATURE_ACTIVE(BMI1);
    en->bmi2 = CPU_FEATURE_ACTIVE(BMI2);
    en->avx2 = CPU_FEATURE_ACTIVE(AVX2);
    en->lzcnt = CPU_FEATURE_ACTIVE(LZCNT);
}
#else
static void cpuid(engine *en)
{
    unsigned a, b, c, d;
    en->bmi1 = en->bmi2 = en->avx2 = false;
    if (__get_cpuid(1, &a, &b, &c, &d)) {
        en->popcnt = c >> 23 & 1;
        en->pclmul = c >> 1 & 1;
        en->sse41 = c >> 19 & 1;
        en->sse42 = c >> 20 & 1;
        en->movbe = c >> 22 & 1;
        en->avx = c >> 28 & 1;
        en->fma = c >> 12 & 1;
        en->f16c = c >> 29 & 1;
    }
    bool ymm = false; /* the operating system saves the registers of VEX code */
    if (__get_cpuid(1, &a, &b, &c, &d) && (c >> 27 & 1)) {
        __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
        ymm = (a & 6) == 6;
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        en->bmi1 = b >> 3 & 1;
        en->bmi2 = b >> 8 & 1;
        en->avx2 = b >> 5 & 1;
    }
    if (!ymm)
        en->avx = en->avx2 = en->fma = en->f16c = false;
    if (__get_cpuid(0x80000001, &a, &b, &c, &d))
        en->lzcnt = c >> 5 & 1;
}
#endif

/* Once in a process. */
static engine host_cpu;

static void host_cpu_find(void)
{
    cpuid(&host_cpu);
}

static void detect(engine *en)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, host_cpu_find);
    en->bmi1 = host_cpu.bmi1;
    en->bmi2 = host_cpu.bmi2;
    en->lzcnt = host_cpu.lzcnt;
    en->popcnt = host_cpu.popcnt;
    en->movbe = host_cpu.movbe;
    en->fma = host_cpu.fma;
    en->avx = host_cpu.avx;
    en->avx2 = host_cpu.avx2;
    en->f16c = host_cpu.f16c;
    en->sse41 = host_cpu.sse41;
    en->sse42 = host_cpu.sse42;
    en->pclmul = host_cpu.pclmul;
}

/* enter: (state + BIAS, code) -> reason. */
static void trampolines(engine *en)
{
    static const uint8_t push[] = { 0x55, 0x53, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x48, 0x83, 0xec, 0x08 };
    static const uint8_t pop[] = { 0x48, 0x83, 0xc4, 0x08, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5b, 0x5d, 0xc3 };
    uint8_t *at = cache_room(&en->cache, 256);
    emit e = { .p = at, .start = at, .end = at + 256 };
    int32_t left = en->cpu_off - BIAS + (int32_t)offsetof(oryx_cpu, slice.left);
    for (unsigned i = 0; i < sizeof push; i++)
        emit8(&e, push[i]);
    emit_mov_rr(&e, W64, RBP, RDI);
    emit_rm(&e, 0x8b, W32, LEFT, SB, left);
    emit_rr(&e, 0xff, W32, 4, RSI);
    en->exit_at = emit_at(&e);
    emit_rm(&e, 0x89, W32, LEFT, SB, left);
    for (unsigned i = 0; i < sizeof pop; i++)
        emit8(&e, pop[i]);
    union {
        const void *p;
        uint32_t (*fn)(uint8_t *, const void *);
    } entry = { en->cache.exec };
    en->enter = entry.fn;
    cache_take(&en->cache, (emit_at(&e) + 63) & ~63u, false);
}

static oryx_status create(const oryx_host *h, oryx_machine *m, const char *options, void **self, oryx_error *err)
{
    engine *en = calloc(1, sizeof *en);
    jit *j = calloc(1, sizeof *j);
    if (!en || !j) {
        free(en);
        free(j);
        return fail(err, ORYX_E_NOMEM, "out of memory");
    }
    en->host = h;
    en->machine = m;
    en->jit = j;
    detect(en);
    oryx_status s = publish_open(en, options, err);
    if (!s)
        s = cache_open(&en->cache, CACHE_LIMIT, err);
    if (s) {
        publish_close(en);
        free(en);
        free(j);
        return s;
    }
    pthread_mutex_init(&en->lock, NULL);
    list_add(en);
    *self = en;
    return ORYX_OK;
}

static void destroy(void *self)
{
    engine *en = self;
    list_remove(en);
    publish_close(en);
    cache_close(&en->cache);
    pthread_mutex_destroy(&en->lock);
    free(en->jit->types);
    free(en->jit->uses);
    free(en->jit->place);
    free(en->jit->hint);
    free(en->jit->ops);
    free(en->jit->next);
    free(en->jit->next_at);
    free(en->jit->stubs);
    free(en->jit->fix);
    free(en->jit->sites);
    free(en->jit);
    free(en);
}

static oryx_status vcpu_init(void *self, oryx_cpu *cpu, oryx_error *err)
{
    engine *en = self;
    frame *f = (frame *)(void *)cpu->frame;
    if (!f)
        return fail(err, ORYX_E_INTERNAL, "the core gave the vCPU no frame");
    int32_t cpu_off = (int32_t)((uint8_t *)cpu - cpu->state), frame_off = (int32_t)(cpu->frame - cpu->state);
    pthread_mutex_lock(&en->lock);
    bool ready = true, same = !en->placed || (en->cpu_off == cpu_off && en->frame_off == frame_off);
    if (!en->placed) {
        en->cpu_off = cpu_off;
        en->frame_off = frame_off;
        en->pc_off = (int32_t)en->host->machine_arch(en->machine)->pc_offset;
        trampolines(en);
        ready = fp_thunk(en) && fp_out_thunks(en) && device_thunks(en);
        en->placed = true;
        en->shared = en->cache.used;
    }
    pthread_mutex_unlock(&en->lock);
    if (!same)
        return fail(err, ORYX_E_INTERNAL, "vCPUs of one machine are laid out differently");
    if (!ready)
        return fail(err, ORYX_E_NOMEM, "no room for the shared code");
    memset(f, 0, sizeof *f);
    fp_constants(f);
    fp_slow_paths(en, f, cpu->fn);
    device_paths(en, f, cpu->fn);
    cpu->engine_data = f;
    return ORYX_OK;
}

static oryx_status compile(void *self, const oryx_ir *ir, oryx_tb *tb, oryx_error *err)
{
    engine *en = self;
    pthread_mutex_lock(&en->lock);
    oryx_status s = compile_block(en, ir, tb);
    if (s == ORYX_OK)
        publish_block(en, tb);
    pthread_mutex_unlock(&en->lock);
    if (s == ORYX_OK)
        return s;
    if (err) {
        const oryx_ir_op *o = en->jit->at < ir->n ? &ir->ops[en->jit->at] : NULL;
        err->code = s;
        snprintf(err->text, sizeof err->text, "engine 'x64': op %u (number %u, type %u, lane %u) of the block at 0x%llx: %s",
                 en->jit->at, o ? o->op : 0, o ? o->type : 0, o ? o->lane : 0, (unsigned long long)tb->pc,
                 en->host->status_text(s));
    }
    return s;
}

static code_head *head_of(engine *en, const oryx_tb *tb)
{
    uint8_t *exec = tb->code;
    return (code_head *)(void *)(en->cache.write + (exec - en->cache.exec) - sizeof(code_head));
}

static void discard(void *self, oryx_tb *tb)
{
    engine *en = self;
    if (!tb->code)
        return;
    pthread_mutex_lock(&en->lock);
    if (en->published)
        publish_drop(en, tb);
    en->cache.live[head_of(en, tb)->chunk]--;
    pthread_mutex_unlock(&en->lock);
    tb->code = NULL;
}

static void link_exit(void *self, oryx_tb *tb, uint32_t slot, oryx_tb *target)
{
    engine *en = self;
    code_head *h = head_of(en, tb);
    const code_exit *many = (const code_exit *)(const void *)((uint8_t *)(h + 1) + h->exits);
    if (slot >= (h->exits ? h->n_exits : 2))
        return;
    code_exit out = h->exits ? many[slot] : (code_exit){ h->jump[slot], h->stub[slot] };
    if (!out.jump)
        return;
    uint8_t *exec = (uint8_t *)tb->code + out.jump;
    const uint8_t *to = target ? target->code : (uint8_t *)tb->code + out.stub;
    int32_t rel = (int32_t)(to - exec);
    uint8_t *write = en->cache.write + (exec - en->cache.exec) - 4;
    __atomic_store_n((int32_t *)(void *)write, rel, __ATOMIC_RELEASE);
}

/* GS is nobody's in a 64-bit Linux process; still the caller gets its own back, who may be inside another machine's run. */
static uint64_t gs_swap(uint64_t base)
{
    uint64_t old;
    __asm__ volatile("rdgsbase %0" : "=r"(old));
    __asm__ volatile("wrgsbase %0" ::"r"(base) : "memory");
    return old;
}

static uint32_t enter(void *self, oryx_cpu *cpu, oryx_tb *tb, oryx_leave *leave)
{
    engine *en = self;
    frame *f = cpu->engine_data;
    uint64_t base = cpu->window.base, gs = 0;
    if (base)
        gs = gs_swap(base);
    uint32_t reason = en->enter(cpu->state + BIAS, tb->code);
    if (base)
        gs_swap(gs);
    if (f->fp_live)
        fp_leave(cpu, f);
    leave->tb = reason == ORYX_LEAVE_LINK ? f->leave_tb : tb;
    leave->slot = f->leave_slot;
    return reason;
}

static oryx_engine_ops ops = {
    .hdr = ORYX_HDR(oryx_engine_ops),
    .name = "x64",
    .create = create,
    .destroy = destroy,
    .compile = compile,
    .discard = discard,
    .enter = enter,
    .link = link_exit,
    .vcpu_init = vcpu_init,
    .frame_size = sizeof(frame),
    .caps = ORYX_ENGINE_REGIONS | ORYX_ENGINE_COLD,
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_ENGINE_ID) && !strcmp(cls, "x64") ? &ops : NULL;
}

static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };

oryx_status oryx_plugin_open_v1(const oryx_hdr *h, const oryx_plugin_ops **out, oryx_error *err)
{
    (void)err;
    host = (const oryx_host *)(const void *)h;
    (void)host;
    if (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE)
        ops.recover = window_recover;
    *out = &plugin;
    return ORYX_OK;
}
