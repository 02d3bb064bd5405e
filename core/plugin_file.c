/* One plugin file: who may own it, what its rules look at read into memory, the ELF and manifest rules over that copy. Called by
 * plugin_host.c. Nothing of the file is executed here. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin_host.h"

#define FILE_MAX (256u << 20)

bool oryx__rule(struct oryx__rules *r, bool ok, oryx_status code, const char *rule, const char *fmt, ...)
{
    char text[400];
    va_list ap;
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

/* Every directory above the file: owned by a trusted user and writable by no one else, but for sticky ones (/tmp). */
static bool directories_rule(struct oryx__rules *r, const char *path)
{
    char dir[4096];
    if (strlen(path) >= sizeof dir)
        return oryx__rule(r, false, ORYX_E_PLUGIN, "path", "the path is longer than %zu bytes", sizeof dir - 1);
    strcpy(dir, path);
    for (char *slash; (slash = strrchr(dir, '/')) != NULL;) {
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

#define BLOCK 8192u

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

void oryx__plugin_read(const char *path, oryx_plugin *p, oryx__rule_fn report, void *opaque)
{
    oryx_error err = { .code = ORYX_OK };
    struct oryx__rules r = { report, opaque, path, &err, false };
    struct stat st = { 0 };
    const char *note = NULL;
    size_t note_len = 0;
    char *real = realpath(path, NULL);
    errno = real ? 0 : errno;
    int fd = real ? open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    p->path = oryx__strdup(real ? real : path);
    if (file_rules(&r, fd, &st) && directories_rule(&r, real)) {
        struct oryx__file f = { .n = (size_t)st.st_size, .fd = fd };
        f.p = oryx__alloc(f.n + 1);
        f.have = f.p ? oryx__alloc(f.n / BLOCK + 1) : NULL;
        if (oryx__rule(&r, f.have && oryx__file_need(&f, 0, f.n ? 1 : 0), ORYX_E_IO, "read", "the file must be readable") &&
            oryx__elf_check(&f, &note, &note_len, &r))
            oryx__manifest_parse(note, note_len, &p->manifest, &r);
        oryx__free(f.have);
        oryx__free(f.p);
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
