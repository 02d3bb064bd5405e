/* One plugin file: who may own it, what its rules look at read into memory, the ELF and manifest rules over that copy. Called by
 * plugin_host.c. Nothing of the file is executed here. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plugin_host.h"

#define FILE_MAX (256u << 20)

bool oryx__rule(struct oryx__rules *r, bool ok, oryx_status code, const char *rule, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    if (ok && !r->report)
        return true; /* the text would go nowhere, and start-up decides hundreds of rules */
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!ok && !r->broken) {
        r->broken = true;
        oryx__error(r->err, code, "%s: refused by rule '%s': %s", r->path, rule, text);
    }
    if (r->report)
        r->report(r->opaque, rule, ok, text);
    return ok;
}

/* root, the user, or the user who called sudo. */
static bool trusted_owner(uid_t uid)
{
    const char *sudo = geteuid() == 0 && getuid() == 0 ? getenv("SUDO_UID") : NULL;
    return uid == 0 || uid == geteuid() || (sudo && *sudo && uid == (uid_t)strtoul(sudo, NULL, 10));
}

static bool others_write(const struct stat *st)
{
    return (st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && st->st_gid != 0 && st->st_gid != getegid());
}

/* Every directory above the file: owned by a trusted user and writable by no one else, but for sticky ones (/tmp). What a
 * listing found good of a directory, a moment ago, is good for the other files of it. */
static bool directories_rule(struct oryx__rules *r, const char *path, bool known)
{
    char dir[4096];
    if (strlen(path) >= sizeof dir)
        return oryx__rule(r, false, ORYX_E_PLUGIN, "path", "the path is longer than %zu bytes", sizeof dir - 1);
    strcpy(dir, path);
    for (char *slash; !known && (slash = strrchr(dir, '/')) != NULL;) {
        struct stat st;
        *slash = 0;
        const char *name = *dir ? dir : "/";
        bool ok = stat(name, &st) == 0 && trusted_owner(st.st_uid) && (!others_write(&st) || (st.st_mode & S_ISVTX));
        if (!ok)
            return oryx__rule(r, false, ORYX_E_PERM, "directory",
                              "the directory %s must belong to root or you and be writable by no one else (chown or chmod it)",
                              name);
    }
    return oryx__rule(r, true, ORYX_OK, "directory", "every directory above belongs to root or you");
}

static bool file_rules(struct oryx__rules *r, int fd, struct stat *st)
{
    if (!oryx__rule(r, fd >= 0 && fstat(fd, st) == 0, errno == ENOENT ? ORYX_E_NOTFOUND : ORYX_E_IO, "open",
                    "the file must be readable (%s)", fd >= 0 ? "opened" : strerror(errno)))
        return false;
    return oryx__rule(r, S_ISREG(st->st_mode), ORYX_E_PLUGIN, "regular", "a plugin is a regular file, this is %s",
                      S_ISDIR(st->st_mode) ? "a directory: name a file in it" : S_ISREG(st->st_mode) ? "one" : "not") &&
           oryx__rule(r, st->st_size < FILE_MAX, ORYX_E_PLUGIN, "size", "at most %u MiB are accepted", FILE_MAX >> 20) &&
           oryx__rule(r, trusted_owner(st->st_uid), ORYX_E_PERM, "owner",
                      "the file must belong to root or you, it belongs to user %u (chown it)", (unsigned)st->st_uid) &&
           oryx__rule(r, !others_write(st), ORYX_E_PERM, "mode",
                      "no one else may write the file, its mode is %03o (chmod go-w it)", (unsigned)st->st_mode & 0777);
}

#define BLOCK 4096u

bool oryx__file_need(const struct oryx__file *f, uint64_t offset, uint64_t size)
{
    for (uint64_t b = offset / BLOCK; f->have && size && b <= (offset + size - 1) / BLOCK; b++) {
        size_t at = (size_t)b * BLOCK, end = at + BLOCK < f->n ? at + BLOCK : f->n;
        if (f->have[b])
            continue;
        while (at < end) {
            ssize_t got = pread(f->fd, f->p + at, end - at, (off_t)at);
            if (got <= 0 && !(got < 0 && errno == EINTR))
                return false;
            at += got > 0 ? (size_t)got : 0;
        }
        f->have[b] = 1;
    }
    return true;
}

/* Zeroed as far as it is touched: the files are large, what is looked at is small. */
static bool image_open(struct oryx__file *f)
{
    void *p = mmap(NULL, f->n + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    f->p = p == MAP_FAILED ? NULL : p;
    f->have = f->p ? oryx__alloc(f->n / BLOCK + 1) : NULL;
    return f->have != NULL;
}

static void image_close(struct oryx__file *f)
{
    oryx__free(f->have);
    if (f->p)
        munmap(f->p, f->n + 1);
}

void oryx__plugin_read(const char *path, oryx_plugin *p, struct oryx__listing *in, oryx__rule_fn report, void *opaque)
{
    oryx_error err = { .code = ORYX_OK };
    struct oryx__rules r = { report, opaque, path, &err, false };
    struct stat st = { 0 };
    const char *note = NULL;
    size_t note_len = 0;
    char *real = in ? NULL : realpath(path, NULL); /* files of a listing have none of their own: the directory's is theirs */
    const char *name = in ? path : real;
    errno = name ? 0 : errno;
    int fd = name ? open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    p->path = oryx__strdup(name ? name : path);
    if (file_rules(&r, fd, &st) && directories_rule(&r, name, in && in->trusted)) {
        if (in)
            in->trusted = true;
        struct oryx__file f = { .n = (size_t)st.st_size, .fd = fd };
        if (oryx__rule(&r, image_open(&f) && oryx__file_need(&f, 0, f.n ? 1 : 0), ORYX_E_IO, "read", "the file must be readable") &&
            oryx__elf_check(&f, &note, &note_len, &r))
            oryx__manifest_parse(note, note_len, &p->manifest, &r);
        image_close(&f);
    }
    if (fd >= 0)
        close(fd);
    free(real);
    p->dev = st.st_dev;
    p->ino = st.st_ino;
    p->size = st.st_size;
    p->mtime = st.st_mtim;
    p->refusal_code = err.code;
    p->refusal = r.broken ? oryx__strdup(err.text) : NULL;
    if (!p->path || (r.broken && !p->refusal) || (!r.broken && !p->manifest.id))
        p->refusal_code = ORYX_E_NOMEM;
}

void oryx__plugin_clear(oryx_plugin *p)
{
    oryx__manifest_free(&p->manifest);
    oryx__free(p->path);
    oryx__free(p->refusal);
    memset(p, 0, sizeof *p);
}
