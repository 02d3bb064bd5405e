/* Where plugins are looked for. Called by plugin_host.c. The order is the caller's directories, ORYX_PLUGIN_PATH, the
 * user's data directory, then the directory that belongs to this library; never readdir order. A privileged process
 * (set-user-ID) ignores the environment and home. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "plugin_host.h"

char *oryx__strf(const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *s = n < 0 ? NULL : oryx__alloc((size_t)n + 1);
    if (s)
        vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return s;
}

void oryx__strv_free(char **v)
{
    for (char **s = v; s && *s; s++)
        oryx__free(*s);
    oryx__free(v);
}

char **oryx__strv_add(char **v, char *s)
{
    size_t n = 0;
    while (v && v[n])
        n++;
    char **grown = s ? oryx__realloc(v, (n + 2) * sizeof *v) : NULL;
    if (!grown) {
        oryx__free(s);
        oryx__strv_free(v);
        return NULL;
    }
    grown[n] = s;
    grown[n + 1] = NULL;
    return grown;
}

static char **add_path(char **dirs, const char *path)
{
    while (dirs && path && *path) {
        const char *end = strchrnul(path, ':');
        if (end > path)
            dirs = oryx__strv_add(dirs, oryx__strf("%.*s", (int)(end - path), path));
        path = *end ? end + 1 : end;
    }
    return dirs;
}

/* The directory of plugins that came with this very library: beside it in a build tree (which has a CMakeCache.txt), else
 * the installed one below or, when the library was moved, the one it was configured with. */
static char *own_dir_find(void)
{
    Dl_info info;
    if (dladdr((void *)(uintptr_t)own_dir_find, &info) && info.dli_fname) {
        char *real = realpath(info.dli_fname, NULL);
        char *slash = real ? strrchr(real, '/') : NULL;
        char *dir = NULL;
        if (slash) {
            *slash = 0;
            char *cache = oryx__strf("%s/CMakeCache.txt", real);
            char *installed = oryx__strf("%s/oryx/plugins", real);
            if (cache && access(cache, F_OK) == 0)
                dir = oryx__strf("%s/plugins", real);
            else if (installed && access(installed, F_OK) == 0)
                dir = oryx__strdup(installed);
            oryx__free(cache);
            oryx__free(installed);
        }
        free(real);
        if (dir)
            return dir;
    }
    return oryx__strdup(ORYX_PLUGIN_DIR);
}

/* A loaded library does not move: looked for once. Registry lock held, but for listings, which may find it twice. */
static char *own_dir(void)
{
    static char *_Atomic found;
    char *dir = found;
    if (!dir && (dir = own_dir_find()) != NULL) {
        char *none = NULL;
        if (!atomic_compare_exchange_strong(&found, &none, dir)) {
            oryx__free(dir);
            dir = none;
        }
    }
    return dir ? oryx__strdup(dir) : NULL;
}

char **oryx__search_dirs(const char *extra)
{
    char **dirs = oryx__alloc(sizeof *dirs);
    dirs = add_path(dirs, extra);
    if (!getauxval(AT_SECURE)) {
        const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
        dirs = add_path(dirs, getenv("ORYX_PLUGIN_PATH"));
        if (dirs && data && *data == '/')
            dirs = oryx__strv_add(dirs, oryx__strf("%s/oryx/plugins", data));
        else if (dirs && home && *home == '/')
            dirs = oryx__strv_add(dirs, oryx__strf("%s/.local/share/oryx/plugins", home));
    }
    return dirs ? oryx__strv_add(dirs, own_dir()) : NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **oryx__search_files(const char *dir)
{
    char **files = oryx__alloc(sizeof *files);
    DIR *d = files ? opendir(dir) : NULL;
    size_t n = 0;
    for (struct dirent *e; d && files && (e = readdir(d)) != NULL;) {
        size_t len = strlen(e->d_name);
        if (len > 3 && e->d_name[0] != '.' && !strcmp(e->d_name + len - 3, ".so")) {
            files = oryx__strv_add(files, oryx__strf("%s/%s", dir, e->d_name));
            n++;
        }
    }
    if (d)
        closedir(d);
    if (files)
        qsort(files, n, sizeof *files, by_name);
    return files;
}
