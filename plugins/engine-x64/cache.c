/* Executable memory: one address range mapped twice from a memfd, a view that can be written and a view that can be executed,
 * never one that is both. Grows a chunk at a time; a chunk is used again when no block in it is alive. Called by
 * compile.c and run.c under the engine's lock. Both views keep their addresses for the engine's life, so relative jumps
 * between chunks always reach. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "x64.h"

static oryx_status fail(oryx_error *err, const char *what)
{
    if (err) {
        err->code = ORYX_E_PERM;
        snprintf(err->text, sizeof err->text,
                 "engine 'x64': executable memory is refused (%s: %s): use --engine interp, or allow memfd mappings with PROT_EXEC",
                 what, strerror(errno));
    }
    return ORYX_E_PERM;
}

/* Both views over one fresh memfd, at fixed addresses when c has them. The file is sparse: memory is taken as code is
 * written. No descriptor stays open: a guest program may close any number it likes. */
static bool map_views(cache *c)
{
    int fd = memfd_create("oryx-code", MFD_CLOEXEC);
    int fixed = c->write ? MAP_FIXED : 0;
    if (fd < 0)
        return false;
    void *w = MAP_FAILED, *x = MAP_FAILED;
    if (!ftruncate(fd, (off_t)c->reserved)) {
        w = mmap(c->write, c->reserved, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | fixed, fd, 0);
        x = mmap(c->exec, c->reserved, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_NORESERVE | fixed, fd, 0);
    }
    int error = errno;
    close(fd);
    errno = error;
    if (w != MAP_FAILED)
        c->write = w;
    if (x != MAP_FAILED)
        c->exec = x;
    return w != MAP_FAILED && x != MAP_FAILED;
}

/* --- caches kept for the next engine ---------------------------------------------------------------------------------------
 * Mapping, unmapping and first touching a cache costs more than all else that opens a machine. Closed ones keep their views and
 * the first WARM bytes of memory, a few at a time. Nothing of the old code can be reached: the next engine writes before it
 * executes. */
#define POOL 4u
#define WARM (128u << 10)

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static cache pool[POOL];
static unsigned n_pool;

static bool pool_take(cache *c)
{
    bool found = false;
    pthread_mutex_lock(&pool_lock);
    for (unsigned i = 0; i < n_pool && !found; i++)
        if (pool[i].reserved == c->reserved) {
            found = true;
            *c = pool[i];
            pool[i] = pool[--n_pool];
        }
    pthread_mutex_unlock(&pool_lock);
    return found;
}

static bool pool_give(cache *c)
{
    bool room = false;
    if (c->mapped > CHUNK || c->used > WARM) {
        uint64_t n = c->mapped - WARM;
        if (madvise(c->write + WARM, n, MADV_REMOVE))
            return false;
    }
    memset(c->live, 0, c->reserved / CHUNK * sizeof *c->live);
    memset(c->blocks, 0, c->reserved / CHUNK * sizeof *c->blocks);
    c->mapped = CHUNK;
    c->used = c->touched = 0;
    pthread_mutex_lock(&pool_lock);
    if (n_pool < POOL) {
        room = true;
        pool[n_pool++] = *c;
    }
    pthread_mutex_unlock(&pool_lock);
    return room;
}

void cache_pool_fork_prepare(void)
{
    pthread_mutex_lock(&pool_lock);
}

static void unmap(cache *c)
{
    if (c->write)
        munmap(c->write, c->reserved);
    if (c->exec)
        munmap(c->exec, c->reserved);
    free(c->live);
    free(c->blocks);
    memset(c, 0, sizeof *c);
}

/* The child shares the memory of what is kept with its parent: not for use. */
void cache_pool_fork_done(bool child)
{
    if (!child) {
        pthread_mutex_unlock(&pool_lock);
        return;
    }
    while (n_pool)
        unmap(&pool[--n_pool]);
    pthread_mutex_init(&pool_lock, NULL);
}

oryx_status cache_open(cache *c, uint64_t limit, oryx_error *err)
{
    memset(c, 0, sizeof *c);
    c->reserved = (limit + CHUNK - 1) / CHUNK * CHUNK;
    if (pool_take(c))
        return ORYX_OK;
    c->live = calloc(c->reserved / CHUNK, sizeof *c->live);
    c->blocks = calloc(c->reserved / CHUNK, sizeof *c->blocks);
    c->mapped = CHUNK;
    if (!c->live || !c->blocks || !map_views(c)) {
        oryx_status s = fail(err, c->live && c->blocks ? "mapping the code cache" : "memory");
        cache_close(c);
        return s;
    }
    return ORYX_OK;
}

void cache_close(cache *c)
{
    if (c->write && c->exec && pool_give(c))
        memset(c, 0, sizeof *c);
    else
        unmap(c);
}

/* Ask for memory some pages at a time: a fault each for the writer and for the one who executes costs as much as
 * translating a dozen instructions. Where the kernel does not know how (before 5.14), they fault. */
static void touch(cache *c)
{
    uint64_t step = c->used < 4 * WARM ? WARM / 2 : CHUNK / 2, n;
    if (c->used < c->touched || c->used < WARM / 2)
        return;
    c->touched = c->used / 4096 * 4096;
    n = c->touched + step > c->reserved ? c->reserved - c->touched : step;
    madvise(c->write + c->touched, n, MADV_POPULATE_WRITE);
    madvise(c->exec + c->touched, n, MADV_POPULATE_READ);
    c->touched += n;
}

static uint8_t *room(cache *c, uint32_t size)
{
    /* Behind the last block are the starts of all of them, this one's too. */
    uint32_t starts = c->used ? (c->blocks[(c->used - 1) / CHUNK] + 1) * 4 : 0;
    if (!c->used || (c->used % CHUNK && c->used % CHUNK + size + starts <= CHUNK))
        return c->write + c->used;
    /* Chunk 0 holds the trampolines and is never used again. */
    for (uint64_t i = 1; i < c->mapped / CHUNK; i++)
        if (!c->live[i] && i != (c->used - 1) / CHUNK) {
            c->used = i * CHUNK;
            c->blocks[i] = 0;
            return c->write + c->used;
        }
    if (c->mapped + CHUNK > c->reserved)
        return NULL;
    c->used = c->mapped;
    c->mapped += CHUNK;
    return c->write + c->used;
}

uint8_t *cache_room(cache *c, uint32_t size)
{
    uint8_t *at = room(c, size);
    touch(c);
    return at;
}

void cache_take(cache *c, uint32_t size, bool list)
{
    uint64_t chunk = c->used / CHUNK;
    uint32_t n = c->blocks[chunk], start = (uint32_t)(c->used % CHUNK);
    if (list) {
        memcpy(c->write + (chunk + 1) * CHUNK - (n + 1) * 4, &start, 4);
        __atomic_store_n(&c->blocks[chunk], n + 1, __ATOMIC_RELEASE);
    }
    c->live[chunk]++;
    c->used += size;
}

/* --- fork: the child gets memory of its own ---------------------------------------------------------------------------------
 * A memfd stays shared across fork, and parent and child would write code over each other's. The copy is taken before the
 * fork, so the parent's next block cannot race with the child's set-up. */
void cache_fork_prepare(cache *c)
{
    c->copy = mmap(NULL, c->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (c->copy == MAP_FAILED)
        c->copy = NULL;
    else
        memcpy(c->copy, c->write, c->mapped);
}

void cache_fork_parent(cache *c)
{
    if (c->copy)
        munmap(c->copy, c->mapped);
    c->copy = NULL;
}

bool cache_fork_child(cache *c)
{
    bool ok = c->copy && map_views(c);
    if (ok)
        memcpy(c->write, c->copy, c->mapped);
    c->touched = c->mapped;
    if (c->copy)
        munmap(c->copy, c->mapped);
    c->copy = NULL;
    return ok;
}
