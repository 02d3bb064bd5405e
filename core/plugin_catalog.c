/* Which plugin files there are, kept from earlier searches, so that opening a machine does not read directories.
 * Called by plugin_host.c under the registry lock. Invariant: a list is used only while every directory of the search is as it
 * was when the list was made (same identity and times), and an answer from it only while that file is, too; otherwise the
 * search is made again. So a file that comes, goes or is replaced is seen by the next machine.
 *
 * A machine keeps the catalog it was made with. Times of files tell changes apart only when they are some ticks old, so
 * directories that were changed just now are not remembered. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugin_host.h"

#define SETTLED_NS 100000000ll

struct stamp {
    dev_t dev;
    ino_t ino;
    struct timespec mtime, ctime;
};

struct oryx__catalog {
    char **dirs;
    struct stamp *stamps;
    oryx_plugin **list; /* every file of the directories in search order, NULL at the end; NULL: not known */
    uint32_t refs;
    struct oryx__catalog *next;
};

static struct oryx__catalog *catalogs; /* usable or still referred to */

static size_t count(char *const *v)
{
    size_t n = 0;
    while (v[n])
        n++;
    return n;
}

static struct stamp stamp_of(const char *path)
{
    struct stat st;
    if (stat(path, &st))
        return (struct stamp){ 0 };
    return (struct stamp){ st.st_dev, st.st_ino, st.st_mtim, st.st_ctim };
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool valid(const struct oryx__catalog *c)
{
    for (size_t i = 0; c->dirs[i]; i++) {
        struct stamp now = stamp_of(c->dirs[i]), was = c->stamps[i];
        if (now.dev != was.dev || now.ino != was.ino || !same_time(now.mtime, was.mtime) || !same_time(now.ctime, was.ctime))
            return false;
    }
    return true;
}

static bool settled(const struct oryx__catalog *c)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    for (size_t i = 0; c->dirs[i]; i++) {
        struct timespec t = c->stamps[i].ctime;
        if ((now.tv_sec - t.tv_sec) * 1000000000ll + (now.tv_nsec - t.tv_nsec) < SETTLED_NS)
            return false;
    }
    return true;
}

static void catalog_free(struct oryx__catalog *c)
{
    oryx__free(c->list);
    oryx__strv_free(c->dirs);
    oryx__free(c->stamps);
    oryx__free(c);
}

void oryx__catalog_free_all(void)
{
    for (struct oryx__catalog *c = catalogs, *next; c; c = next) {
        next = c->next;
        catalog_free(c);
    }
    catalogs = NULL;
}

static bool same_dirs(char *const *a, char *const *b)
{
    size_t n = count(a);
    if (n != count(b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(a[i], b[i]))
            return false;
    return true;
}

struct oryx__catalog *oryx__catalog_get(const char *extra)
{
    char **dirs = oryx__search_dirs(extra);
    if (!dirs)
        return NULL;
    for (struct oryx__catalog **at = &catalogs, *c; (c = *at) != NULL;) {
        bool same = same_dirs(c->dirs, dirs);
        if (same && valid(c)) {
            oryx__strv_free(dirs);
            c->refs++;
            return c;
        }
        if (same && !c->refs) { /* of no use to anybody any more */
            *at = c->next;
            catalog_free(c);
        } else {
            at = &c->next;
        }
    }
    struct oryx__catalog *c = oryx__alloc(sizeof *c);
    struct stamp *stamps = oryx__alloc((count(dirs) + 1) * sizeof *stamps);
    if (!c || !stamps) {
        oryx__free(c);
        oryx__free(stamps);
        oryx__strv_free(dirs);
        return NULL;
    }
    *c = (struct oryx__catalog){ .dirs = dirs, .stamps = stamps, .refs = 1, .next = catalogs };
    for (size_t i = 0; dirs[i]; i++)
        stamps[i] = stamp_of(dirs[i]);
    catalogs = c;
    return c;
}

void oryx__catalog_put(struct oryx__catalog *c)
{
    if (c)
        c->refs--;
}

oryx_plugin *const *oryx__catalog_list(const struct oryx__catalog *c)
{
    return c ? c->list : NULL;
}

void oryx__catalog_keep(struct oryx__catalog *c, oryx_plugin **list)
{
    if (!c || c->list || !settled(c) || !valid(c)) {
        oryx__free(list);
        return;
    }
    c->list = list;
}
