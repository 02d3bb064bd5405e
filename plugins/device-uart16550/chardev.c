/* Character back ends of the serial port: null, stdio, file, pty, Unix socket, memory.
 * Owns: descriptors, the input thread and kept output. Called by: uart16550.c.
 * Invariant: input is read on one thread of this file and only while the receiver has room, so
 * nothing the other end sent is lost; the thread is gone when chardev_close returns. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "chardev.h"

#define PATIENCE 500 /* ms */

struct chardev {
    chardev_receive receive;
    void *opaque;
    int in, out;  /* -1: none */
    int listener; /* socket */
    int slave;    /* pty: kept open, so that no reader is no hang-up */
    int owned;    /* in and out are ours to close */
    int wake;     /* eventfd: room, or quit */
    int quit;
    int threaded;
    pthread_t thread;
    pthread_mutex_t lock; /* out while a client comes and goes, kept output */
    int stuck;            /* who is at the other end took nothing for PATIENCE */
    int told;             /* of output that could not be written */
    const char *name;     /* of what, for that */
    char where[128];
    char path[108]; /* socket to unlink */
    uint8_t *kept;
    size_t n_kept, cap_kept;
    int keep;
    const uint8_t *input; /* memory: what the receiver has not taken yet */
    size_t n_input;
    uint8_t *input_copy;
};

static void say(char *text, size_t size, const char *what, const char *name)
{
    snprintf(text, size, "%s '%s': %s", what, name, strerror(errno));
}

static int open_pty(chardev *c)
{
    struct termios raw;
    c->in = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (c->in < 0 || grantpt(c->in) || unlockpt(c->in) ||
        ptsname_r(c->in, c->where, sizeof(c->where)))
        return -1;
    c->out = c->in;
    c->owned = 1;
    c->slave = open(c->where, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (c->slave < 0 || tcgetattr(c->slave, &raw))
        return -1;
    cfmakeraw(&raw);
    /* Output nobody reads must not stop the guest. */
    return tcsetattr(c->slave, TCSANOW, &raw) || fcntl(c->in, F_SETFL, O_NONBLOCK) ? -1 : 0;
}

static int open_socket(chardev *c, const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(a.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(a.sun_path, path);
    c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->listener < 0 || bind(c->listener, (struct sockaddr *)&a, sizeof(a)) ||
        listen(c->listener, 1))
        return -1;
    strcpy(c->path, path);
    return 0;
}

/* Wait for input, the wake event or a client. */
static int wait_for(chardev *c, int fd)
{
    struct pollfd p[2] = {{.fd = c->wake, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    while (poll(p, 2, -1) < 0 && errno == EINTR)
        ;
    if (p[0].revents) {
        uint64_t n;
        if (read(c->wake, &n, sizeof(n)) < 0)
            return 0;
    }
    return p[1].revents != 0;
}

static void hang_up(chardev *c)
{
    pthread_mutex_lock(&c->lock);
    if (c->listener >= 0)
        close(c->in);
    c->in = -1;
    if (c->listener >= 0)
        c->out = -1;
    pthread_mutex_unlock(&c->lock);
}

static void *input_thread(void *arg)
{
    chardev *c = arg;
    uint8_t buf[256];
    size_t n = 0;
    while (!__atomic_load_n(&c->quit, __ATOMIC_ACQUIRE)) {
        if (c->in < 0) {
            /* No client, or standard input has ended: a listener waits for the next, else only for
             * quit. */
            if (!wait_for(c, c->listener))
                continue;
            int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
            if (fd < 0)
                poll(NULL, 0, 50); /* no descriptors left, perhaps: not in a circle */
            pthread_mutex_lock(&c->lock);
            c->stuck = 0;
            c->in = c->out = fd;
            pthread_mutex_unlock(&c->lock);
            continue;
        }
        int ready = wait_for(c, n ? -1 : c->in);
        if (!n && ready) {
            ssize_t got = read(c->in, buf, sizeof(buf));
            if (got > 0)
                n = (size_t)got;
            else if (got == 0 || (errno != EINTR && errno != EAGAIN))
                hang_up(c);
        }
        if (n) {
            size_t taken = c->receive(c->opaque, buf, n);
            memmove(buf, buf + taken, n - taken);
            n -= taken;
        }
    }
    return NULL;
}

chardev *chardev_open(const char *spec, const char *input, chardev_receive receive, void *opaque,
                      char *text, size_t size)
{
    chardev *c = calloc(1, sizeof(*c));
    int bad = 0;
    if (!c) {
        snprintf(text, size, "out of memory");
        return NULL;
    }
    c->receive = receive;
    c->opaque = opaque;
    c->name = !strncmp(spec, "file:", 5) ? "the file of chardev" : !strcmp(spec, "pty") ? "the pseudo-terminal" : "standard output";
    c->in = c->out = c->listener = c->slave = c->wake = -1;
    pthread_mutex_init(&c->lock, NULL);
    if (!strcmp(spec, "null")) {
        /* nothing in, nothing out */
    } else if (!strcmp(spec, "memory")) {
        c->keep = 1;
    } else if (!strcmp(spec, "stdio")) {
        c->in = STDIN_FILENO;
        c->out = STDOUT_FILENO;
    } else if (!strncmp(spec, "file:", 5)) {
        /* A pipe without a reader is an error at once, not a wait for one. */
        c->out = open(spec + 5, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
        c->owned = 1;
        if ((bad = c->out < 0))
            say(text, size, "cannot open", spec + 5);
    } else if (!strcmp(spec, "pty")) {
        if ((bad = open_pty(c)))
            say(text, size, "cannot make a pseudo-terminal", spec);
    } else if (!strncmp(spec, "socket:", 7)) {
        if ((bad = open_socket(c, spec + 7)))
            say(text, size, "cannot listen on", spec + 7);
    } else {
        bad = 1;
        snprintf(text, size,
                 "chardev '%s' is unknown; use null, stdio, file:PATH, pty, socket:PATH or memory",
                 spec);
    }
    if (!bad && (c->in >= 0 || c->listener >= 0)) {
        c->wake = eventfd(0, EFD_CLOEXEC);
        bad = c->wake < 0 || pthread_create(&c->thread, NULL, input_thread, c);
        c->threaded = !bad;
        if (bad)
            say(text, size, "cannot start the input thread of", spec);
    }
    if (bad) {
        chardev_close(c);
        return NULL;
    }
    if (c->keep && input && *input) {
        c->input_copy = (uint8_t *)strdup(input);
        c->input = c->input_copy;
        c->n_input = c->input ? strlen(input) : 0;
    }
    return c;
}

void chardev_room(chardev *c)
{
    uint64_t one = 1;
    if (c->n_input) {
        /* No thread here: the caller is the guest's access that made room. */
        size_t taken = c->receive(c->opaque, c->input, c->n_input);
        c->input += taken;
        c->n_input -= taken;
    }
    if (c->wake >= 0 && write(c->wake, &one, sizeof(one)) < 0)
        return; /* the counter is at its limit: the thread is awake anyway */
}

void chardev_close(chardev *c)
{
    if (!c)
        return;
    if (c->threaded) {
        __atomic_store_n(&c->quit, 1, __ATOMIC_RELEASE);
        chardev_room(c);
        pthread_join(c->thread, NULL);
    }
    if (c->owned && c->in >= 0)
        close(c->in);
    if (c->owned && c->out >= 0 && c->out != c->in)
        close(c->out);
    if (c->listener >= 0) {
        if (c->in >= 0)
            close(c->in);
        close(c->listener);
        if (*c->path)
            unlink(c->path);
    }
    if (c->slave >= 0)
        close(c->slave);
    if (c->wake >= 0)
        close(c->wake);
    pthread_mutex_destroy(&c->lock);
    free(c->kept);
    free(c->input_copy);
    free(c);
}

/* Without SIGPIPE, which a pipe or client that is gone must not raise in the host program; standard output is the
 * program's own, which may want to end as others do. */
static ssize_t write_quietly(const chardev *c, uint8_t byte)
{
    if (c->listener >= 0)
        return send(c->out, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (c->out == STDOUT_FILENO)
        return write(c->out, &byte, 1);
    sigset_t pipe, old, pending;
    struct timespec now = {0};
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &old);
    ssize_t n = write(c->out, &byte, 1);
    int error = errno;
    if (n < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE))
        sigtimedwait(&pipe, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = error;
    return n;
}

/* With the lock. A slow reader is waited for; one that reads nothing for a while must not stop the guest, and loses what comes
 * until it reads again. */
static void send_out(chardev *c, uint8_t byte)
{
    struct pollfd p = {.fd = c->out, .events = POLLOUT};
    ssize_t n;
    while ((n = write_quietly(c, byte)) < 0) {
        if (errno == EINTR)
            continue;
        if ((errno != EAGAIN && errno != EWOULDBLOCK) || c->stuck)
            break;
        if (poll(&p, 1, PATIENCE) == 0)
            c->stuck = 1;
    }
    if (n == 1) {
        c->stuck = 0;
    } else if (!c->told && errno != EAGAIN && errno != EWOULDBLOCK && c->listener < 0) {
        c->told = 1;
        fprintf(stderr, "uart16550: output is lost: cannot write to %s: %s\n", c->name, strerror(errno));
    }
}

void chardev_send(chardev *c, uint8_t byte)
{
    pthread_mutex_lock(&c->lock);
    if (c->keep) {
        if (c->n_kept == c->cap_kept) {
            size_t cap = c->cap_kept ? c->cap_kept * 2 : 256;
            uint8_t *p = realloc(c->kept, cap);
            if (p) {
                c->kept = p;
                c->cap_kept = cap;
            }
        }
        if (c->n_kept < c->cap_kept)
            c->kept[c->n_kept++] = byte;
    } else if (c->out >= 0) {
        send_out(c, byte);
    }
    pthread_mutex_unlock(&c->lock);
}

const char *chardev_where(const chardev *c)
{
    return c->where;
}

const uint8_t *chardev_output(const chardev *c, size_t *n)
{
    static const uint8_t nothing = 0;
    *n = c->n_kept;
    return c->keep && !c->kept ? &nothing : c->kept;
}
