/* The connection: listening, framing, acknowledgements. Used by server.c alone. Invariant: fd is -1 or a connected socket. */
#define _GNU_SOURCE /* accept4 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gdb.h"

/* Descriptors of the guest are the host's: ours stay out of the way of the numbers a program expects. */
static int high(int fd)
{
    int up = fcntl(fd, F_DUPFD_CLOEXEC, 940);
    if (up < 0)
        up = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    if (up < 0)
        return fd;
    close(fd);
    return up;
}

static bool wrong(oryx_error *err, const char *where, const char *what)
{
    err->code = ORYX_E_IO;
    g_snprintf(err->text, sizeof err->text, "--gdb %s: %s", where, what);
    return false;
}

static bool listen_unix(gdb_link *l, const char *where, oryx_error *err)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    const char *path = where + 5;
    if (!*path || strlen(path) >= sizeof a.sun_path)
        return wrong(err, where, "name a path of at most 107 bytes behind unix:");
    strcpy(a.sun_path, path);
    l->listen = high(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (bind(l->listen, (struct sockaddr *)&a, sizeof a) || listen(l->listen, 1))
        return wrong(err, where, g_strerror(errno));
    l->unix_path = g_strdup(path);
    fprintf(stderr, "oryx: waiting for GDB: target remote %s\n", path);
    return true;
}

static bool listen_tcp(gdb_link *l, const char *where, oryx_error *err)
{
    const char *colon = strrchr(where, ':');
    char *host = colon && colon != where ? g_strndup(where, (gsize)(colon - where)) : g_strdup("127.0.0.1");
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *list = NULL;
    uint64_t port;
    int r = !tool_number(colon ? colon + 1 : where, &port) || port > 65535 ? EAI_SERVICE
            : getaddrinfo(host, colon ? colon + 1 : where, &hints, &list);
    const char *why = r == EAI_SERVICE ? "give [HOST]:PORT, or unix:PATH" : r ? gai_strerror(r) : NULL;
    for (struct addrinfo *a = list; a && l->listen < 0; a = a->ai_next) {
        int one = 1, fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (!bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, 1)) {
            l->listen = high(fd);
        } else {
            why = g_strerror(errno);
            close(fd);
        }
    }
    if (list)
        freeaddrinfo(list);
    struct sockaddr_storage name;
    socklen_t n = sizeof name;
    char number[NI_MAXSERV] = "?";
    if (l->listen >= 0 && !getsockname(l->listen, (struct sockaddr *)&name, &n))
        getnameinfo((struct sockaddr *)&name, n, NULL, 0, number, sizeof number, NI_NUMERICSERV);
    if (l->listen >= 0)
        fprintf(stderr, "oryx: waiting for GDB: target remote %s:%s\n", host, number);
    g_free(host);
    return l->listen >= 0 || wrong(err, where, why ? why : "cannot listen there");
}

bool gdb_listen(gdb_link *l, const char *where, oryx_error *err)
{
    *l = (gdb_link){ .listen = -1, .fd = -1, .in = g_byte_array_new() };
    return g_str_has_prefix(where, "unix:") ? listen_unix(l, where, err) : listen_tcp(l, where, err);
}

void gdb_hang_up(gdb_link *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    l->no_ack = false;
    g_byte_array_set_size(l->in, 0);
}

void gdb_link_close(gdb_link *l)
{
    gdb_hang_up(l);
    if (l->listen >= 0)
        close(l->listen);
    if (l->unix_path)
        unlink(l->unix_path);
    g_free(l->unix_path);
    g_byte_array_free(l->in, TRUE);
}

bool gdb_accept(gdb_link *l)
{
    int one = 1, fd = accept4(l->listen, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return false;
    gdb_hang_up(l);
    l->fd = high(fd);
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return true;
}

static void put(gdb_link *l, const void *data, size_t n)
{
    const char *p = data;
    while (n && l->fd >= 0) {
        ssize_t k = send(l->fd, p, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0) {
            gdb_hang_up(l);
            return;
        }
        p += k;
        n -= (size_t)k;
    }
}

void gdb_send(gdb_link *l, const char *data, size_t n)
{
    GString *frame = g_string_new("$");
    uint8_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        char c = data[i];
        if (c == '#' || c == '$' || c == '}' || c == '*') {
            g_string_append_c(frame, '}');
            c ^= 0x20;
        }
        g_string_append_c(frame, c);
    }
    for (gsize i = 1; i < frame->len; i++)
        sum = (uint8_t)(sum + (uint8_t)frame->str[i]);
    g_string_append_printf(frame, "#%02x", sum);
    put(l, frame->str, frame->len);
    g_string_free(frame, TRUE);
}

void gdb_send_text(gdb_link *l, const char *text)
{
    gdb_send(l, text, strlen(text));
}

/* A whole packet in what was received: its text, or NULL. */
static GString *packet(gdb_link *l, bool *interrupt)
{
    while (l->in->len && l->in->data[0] != '$') {
        *interrupt |= l->in->data[0] == 3;
        g_byte_array_remove_index(l->in, 0);
        if (*interrupt)
            return NULL;
    }
    uint8_t *end = l->in->len ? memchr(l->in->data, '#', l->in->len) : NULL;
    if (!end || end + 2 >= l->in->data + l->in->len)
        return NULL;
    guint n = (guint)(end - l->in->data) + 3;
    uint8_t sum = 0;
    GString *text = g_string_new(NULL);
    for (guint i = 1; i < n - 3; i++) {
        uint8_t c = l->in->data[i];
        sum = (uint8_t)(sum + c);
        if (c == '}' && i + 1 < n - 3) {
            sum = (uint8_t)(sum + l->in->data[++i]);
            c = l->in->data[i] ^ 0x20;
        }
        g_string_append_c(text, (char)c);
    }
    char want[3] = { (char)end[1], (char)end[2], 0 };
    bool right = g_ascii_strtoull(want, NULL, 16) == sum;
    g_byte_array_remove_range(l->in, 0, n);
    if (!l->no_ack)
        put(l, right ? "+" : "-", 1);
    if (right)
        return text;
    g_string_free(text, TRUE);
    return NULL;
}

GString *gdb_receive(gdb_link *l, int wait, bool *interrupt)
{
    *interrupt = false;
    for (;;) {
        GString *text = packet(l, interrupt);
        if (text || *interrupt || l->fd < 0)
            return text;
        struct pollfd p = { .fd = l->fd, .events = POLLIN };
        int r = poll(&p, 1, wait);
        if (r < 0 && errno == EINTR)
            continue;
        if (r == 0)
            return NULL;
        uint8_t more[4096];
        ssize_t n = recv(l->fd, more, sizeof more, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || l->in->len > 4 * GDB_PACKET) {
            gdb_hang_up(l);
            return NULL;
        }
        g_byte_array_append(l->in, more, (guint)n);
    }
}
