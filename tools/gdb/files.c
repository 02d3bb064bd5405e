/* The guest's files for GDB, read only (vFile packets): symbols of the program and its libraries. A path is looked for below the
 * guest's root first, as the guest's own calls do. Used by server.c. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gdb.h"

/* Errors of the protocol's File-I/O extension. */
static int number(int error)
{
    return error == ENOENT ? 2 : error == EACCES ? 13 : error == EBADF ? 9 : error == EISDIR ? 21 : 9999;
}

static void failed(GString *out, int error)
{
    g_string_printf(out, "F-1,%x", (unsigned)number(error));
}

static char *text_of(char **at)
{
    char *end = strpbrk(*at, ",;");
    char *hex = end ? g_strndup(*at, (gsize)(end - *at)) : g_strdup(*at);
    GByteArray *bytes = gdb_hex_in(hex);
    *at = end ? end + 1 : *at + strlen(*at);
    g_free(hex);
    if (!bytes)
        return NULL;
    char *text = g_strndup((const char *)bytes->data, bytes->len);
    g_byte_array_free(bytes, TRUE);
    return text;
}

static void open_file(gdb *g, char *request, GString *out)
{
    char *path = text_of(&request), *inside = g->c.sysroot && path ? g_build_filename(g->c.sysroot, path, NULL) : NULL;
    int fd = inside ? open(inside, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 && path)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    int up = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 900);
    if (up >= 0) {
        close(fd);
        fd = up;
    }
    if (fd < 0) {
        failed(out, errno);
    } else {
        if (!g->open)
            g->open = g_hash_table_new(NULL, NULL);
        g_hash_table_add(g->open, GINT_TO_POINTER(fd));
        g_string_printf(out, "F%x", (unsigned)fd);
    }
    g_free(path);
    g_free(inside);
}

static bool ours(gdb *g, int fd)
{
    return g->open && g_hash_table_contains(g->open, GINT_TO_POINTER(fd));
}

static void read_file(gdb *g, char *request, GString *out)
{
    int fd = (int)gdb_hex(&request);
    request += *request == ',';
    uint64_t count = gdb_hex(&request);
    request += *request == ',';
    uint64_t offset = gdb_hex(&request);
    char bytes[GDB_PACKET / 4];
    ssize_t n = ours(g, fd) ? pread(fd, bytes, MIN(count, sizeof bytes), (off_t)offset) : -1;
    if (n < 0) {
        failed(out, ours(g, fd) ? errno : EBADF);
        return;
    }
    g_string_printf(out, "F%zx;", (size_t)n);
    g_string_append_len(out, bytes, n);
}

static void put(GString *out, uint64_t v, int bytes)
{
    while (bytes--)
        g_string_append_c(out, (char)(v >> 8 * bytes));
}

/* struct stat of the protocol: big-endian. */
static void stat_file(gdb *g, char *request, GString *out)
{
    struct stat s;
    int fd = (int)gdb_hex(&request);
    if (!ours(g, fd) || fstat(fd, &s)) {
        failed(out, EBADF);
        return;
    }
    g_string_printf(out, "F%x;", 64);
    put(out, (uint32_t)s.st_dev, 4);
    put(out, (uint32_t)s.st_ino, 4);
    put(out, s.st_mode, 4);
    put(out, s.st_nlink, 4);
    put(out, s.st_uid, 4);
    put(out, s.st_gid, 4);
    put(out, (uint32_t)s.st_rdev, 4);
    put(out, (uint64_t)s.st_size, 8);
    put(out, (uint64_t)s.st_blksize, 8);
    put(out, (uint64_t)s.st_blocks, 8);
    put(out, (uint32_t)s.st_atime, 4);
    put(out, (uint32_t)s.st_mtime, 4);
    put(out, (uint32_t)s.st_ctime, 4);
}

void gdb_files(gdb *g, char *request, GString *out)
{
    if (g_str_has_prefix(request, "setfs:")) {
        g_string_assign(out, "F0");
    } else if (g_str_has_prefix(request, "open:")) {
        open_file(g, request + 5, out);
    } else if (g_str_has_prefix(request, "pread:")) {
        read_file(g, request + 6, out);
    } else if (g_str_has_prefix(request, "fstat:")) {
        stat_file(g, request + 6, out);
    } else if (g_str_has_prefix(request, "close:")) {
        request += 6;
        int fd = (int)gdb_hex(&request);
        bool open = g->open && g_hash_table_remove(g->open, GINT_TO_POINTER(fd));
        if (open && !close(fd))
            g_string_assign(out, "F0");
        else
            failed(out, EBADF);
    }
}

void gdb_files_free(gdb *g)
{
    if (!g->open)
        return;
    GHashTableIter i;
    gpointer fd;
    g_hash_table_iter_init(&i, g->open);
    while (g_hash_table_iter_next(&i, &fd, NULL))
        close(GPOINTER_TO_INT(fd));
    g_hash_table_destroy(g->open);
}
