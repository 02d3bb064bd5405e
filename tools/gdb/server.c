/* The commands: one packet in, one answer out; a resume is answered when something stops. Runs on its own thread. Invariant: but
 * for gdb_stop_all and the wait for a stop, everybody is halted while a packet is served. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "gdb.h"

/* --- words -------------------------------------------------------------------------------------------------------------- */
/* GDB's numbers of signals (include/gdb/signals.def) by Linux's. */
static const int8_t gdb_signals[] = { 0,  1,  2,  3,  4,  5,  6,  10, 8,  9,  30, 11, 31, 13, 14, 15, -1, 20,
                                      19, 17, 18, 21, 22, 16, 24, 25, 26, 27, 28, 23, 32, 12 };

int32_t gdb_signal_number(int32_t host)
{
    if (host == 32 || host == 64)
        return host == 32 ? 77 : 78;
    if (host > 32 && host < 64)
        return host + 12;
    return host >= 0 && host < (int32_t)G_N_ELEMENTS(gdb_signals) && gdb_signals[host] >= 0 ? gdb_signals[host] : 143;
}

int32_t gdb_signal_host(int32_t gdbs)
{
    for (int32_t i = 0; i <= 64; i++)
        if (gdb_signal_number(i) == gdbs)
            return i;
    return 0;
}

uint64_t gdb_hex(char **at)
{
    uint64_t v = 0;
    for (; g_ascii_isxdigit(**at); ++*at)
        v = v << 4 | (uint64_t)g_ascii_xdigit_value(**at);
    return v;
}

void gdb_hex_out(GString *out, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        uint8_t b = ((const uint8_t *)bytes)[i];
        g_string_append_c(out, digits[b >> 4]);
        g_string_append_c(out, digits[b & 15]);
    }
}

GByteArray *gdb_hex_in(const char *text)
{
    GByteArray *bytes = g_byte_array_new();
    for (; g_ascii_isxdigit(text[0]) && g_ascii_isxdigit(text[1]); text += 2) {
        uint8_t b = (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
        g_byte_array_append(bytes, &b, 1);
    }
    if (!*text)
        return bytes;
    g_byte_array_free(bytes, TRUE);
    return NULL;
}

/* A thread id: "-1" all, "0" any, else a number; multiprocess ids ("pPID.TID") are not announced. */
static int32_t thread_id(char **at)
{
    if ((*at)[0] == '-') {
        *at += 2;
        return -1;
    }
    return (int32_t)gdb_hex(at);
}

static gdb_thread *general(gdb *g)
{
    gdb_thread *t = gdb_find(g, g->general);
    return t ? t : gdb_find(g, 0);
}

/* --- memory ------------------------------------------------------------------------------------------------------------- */
static void read_memory(gdb *g, char *at, GString *out)
{
    uint64_t addr = gdb_hex(&at), n;
    gdb_thread *t = general(g);
    at += *at == ',';
    n = gdb_hex(&at);
    n = MIN(n, GDB_PACKET / 2);
    GByteArray *bytes = g_byte_array_new();
    g_byte_array_set_size(bytes, (guint)n);
    uint64_t got = 0;
    /* What can be read of it: to the end of what is mapped. */
    while (t && got < n) {
        uint64_t k = MIN(n - got, 4096 - ((addr + got) & 4095));
        if (oryx_vcpu_peek(t->v, addr + got, bytes->data + got, k))
            break;
        got += k;
    }
    if (n && !got)
        g_string_assign(out, "E0e");
    else
        gdb_hex_out(out, bytes->data, got);
    g_byte_array_free(bytes, TRUE);
}

static void write_memory(gdb *g, char *at, bool binary, const GString *packet, GString *out)
{
    uint64_t addr = gdb_hex(&at), n;
    gdb_thread *t = general(g);
    at += *at == ',';
    n = gdb_hex(&at);
    at += *at == ':';
    GByteArray *bytes = binary ? NULL : gdb_hex_in(at);
    uint64_t have = binary ? packet->len - (uint64_t)(at - packet->str) : bytes ? bytes->len : 0;
    const void *data = binary ? (const void *)at : bytes ? bytes->data : NULL;
    if (!t || have < n)
        g_string_assign(out, "E16");
    else
        g_string_assign(out, n && oryx_vcpu_poke(t->v, addr, data, n) ? "E0e" : "OK");
    if (bytes)
        g_byte_array_free(bytes, TRUE);
}

/* --- stopping and going ------------------------------------------------------------------------------------------------- */
static void tell_stop(gdb *g, gdb_thread *t, GString *out)
{
    if (!t) {
        g_string_assign(out, "S00");
        return;
    }
    g->general = g->resume = t->id;
    g_string_printf(out, "T%02x", (unsigned)gdb_signal_number(t->why ? t->signal : SIGTRAP));
    if (t->why == GDB_POINT)
        gdb_point_tell(g, t, out);
    else if (t->why == GDB_REPLAY)
        g_string_append(out, "replaylog:begin;");
    g_string_append_printf(out, "thread:%x;", (unsigned)t->id);
    t->why = GDB_NONE;
}

static void tell_end(gdb *g, GString *out)
{
    if (g->exit_signal)
        g_string_printf(out, "X%02x", (unsigned)gdb_signal_number(g->exit_signal));
    else
        g_string_printf(out, "W%02x", (unsigned)g->exit_code & 255);
}

/* Until a thread stops, the program ends, or GDB says stop. False: the connection is gone. */
static bool wait_for_stop(gdb *g, GString *out)
{
    bool interrupt = false;
    for (;;) {
        uint64_t count;
        struct pollfd p[2] = { { .fd = g->wake, .events = POLLIN }, { .fd = g->link.fd, .events = POLLIN } };
        if (gdb_event(g)) {
            gdb_stop_all(g);
            tell_stop(g, gdb_event(g), out);
            return true;
        }
        pthread_mutex_lock(&g->lock);
        bool over = g->over;
        pthread_mutex_unlock(&g->lock);
        if (over) {
            tell_end(g, out);
            return true;
        }
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return false;
        if (p[0].revents && read(g->wake, &count, sizeof count) < 0 && errno != EAGAIN)
            return false;
        if (p[1].revents) {
            GString *early = gdb_receive(&g->link, 0, &interrupt);
            if (early)
                g_string_free(early, TRUE); /* nothing may be asked of what runs */
            if (g->link.fd < 0)
                return false;
        }
        if (interrupt) {
            gdb_stop_all(g);
            gdb_thread *t = gdb_event(g);
            if (!t && (t = gdb_find(g, 0))) {
                t->why = GDB_SIGNAL;
                t->signal = SIGINT;
            }
            tell_stop(g, t, out);
            return true;
        }
    }
}

static void plan(gdb_thread *t, enum gdb_action action, int32_t sig)
{
    t->action = action;
    if (t->in_signal)
        t->give = sig;
}

static bool go(gdb *g, GString *out)
{
    if (!gdb_event(g))
        gdb_resume(g);
    return wait_for_stop(g, out);
}

/* vCont;ACTION[:THREAD]... : the first that names a thread counts. */
static bool vcont(gdb *g, char *at, GString *out)
{
    GHashTable *done = g_hash_table_new(NULL, NULL);
    pthread_mutex_lock(&g->lock);
    for (guint i = 0; i < g->threads->len; i++)
        plan(g->threads->pdata[i], GDB_HOLD, 0);
    while (*at == ';') {
        char what = at[1];
        at += 2;
        int32_t sig = what == 'C' || what == 'S' ? gdb_signal_host((int32_t)gdb_hex(&at)) : 0, id = -1;
        while (*at && *at != ':' && *at != ';')
            at++;
        if (*at == ':') {
            at++;
            id = thread_id(&at);
        }
        for (guint i = 0; i < g->threads->len; i++) {
            gdb_thread *t = g->threads->pdata[i];
            if ((id > 0 && t->id != id) || !g_hash_table_add(done, t))
                continue;
            plan(t, what == 's' || what == 'S' || what == 'r' ? GDB_STEP : what == 't' ? GDB_HOLD : GDB_GO, sig);
        }
    }
    pthread_mutex_unlock(&g->lock);
    g_hash_table_destroy(done);
    return go(g, out);
}

/* c, s, C, S [;ADDR]: the thread of Hc, the others with it. */
static bool resume_old(gdb *g, char *at, GString *out)
{
    char what = *at++;
    int32_t sig = g_ascii_isupper(what) ? gdb_signal_host((int32_t)gdb_hex(&at)) : 0;
    gdb_thread *t = gdb_find(g, g->resume > 0 ? g->resume : g->general);
    at += *at == ';';
    if (t && *at && t->at != GDB_OUTSIDE)
        oryx_vcpu_set_pc(t->v, gdb_hex(&at));
    pthread_mutex_lock(&g->lock);
    for (guint i = 0; i < g->threads->len; i++)
        plan(g->threads->pdata[i], GDB_GO, 0);
    if (t)
        plan(t, g_ascii_tolower(what) == 's' ? GDB_STEP : GDB_GO, sig);
    pthread_mutex_unlock(&g->lock);
    return go(g, out);
}

/* --- queries ------------------------------------------------------------------------------------------------------------ */
/* qXfer:...:read:ANNEX:OFFSET,LENGTH: a piece, 'l' the last one. */
static void piece(const char *data, size_t n, const char *range, GString *out)
{
    const char *colon = strrchr(range, ':');
    char *at = (char *)(uintptr_t)(colon ? colon + 1 : range);
    uint64_t offset = gdb_hex(&at), length;
    at += *at == ',';
    length = gdb_hex(&at);
    length = MIN(length, GDB_PACKET / 2);
    if (offset > n) {
        g_string_assign(out, "E16");
        return;
    }
    length = MIN(length, n - offset);
    g_string_assign(out, offset + length < n ? "m" : "l");
    g_string_append_len(out, data + offset, (gssize)length);
}

static void transfer(gdb *g, const char *what, GString *out)
{
    if (g_str_has_prefix(what, "features:read:target.xml:")) {
        piece(g->xml->str, g->xml->len, what, out);
    } else if (g_str_has_prefix(what, "exec-file:read:") && g->c.program) {
        char *full = g_canonicalize_filename(g->c.program, NULL);
        piece(full, strlen(full), what, out);
        g_free(full);
    } else if (g_str_has_prefix(what, "auxv:read:") && g->c.program) {
        GByteArray *auxv = g_byte_array_new();
        if (gdb_auxv(g, auxv))
            piece((const char *)auxv->data, auxv->len, what, out);
        else
            g_string_assign(out, "E01");
        g_byte_array_free(auxv, TRUE);
    }
}

static void query(gdb *g, char *at, GString *out)
{
    if (g_str_has_prefix(at, "qSupported")) {
        g_string_printf(out, "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;swbreak+;hwbreak+;vContSupported+;QPassSignals+", GDB_PACKET);
        if (g->c.program)
            g_string_append(out, ";qXfer:auxv:read+;qXfer:exec-file:read+");
        if (g->marks)
            g_string_append(out, ";ReverseStep+;ReverseContinue+");
    } else if (g_str_has_prefix(at, "qXfer:")) {
        transfer(g, at + 6, out);
    } else if (!strcmp(at, "qAttached")) {
        g_string_assign(out, g->c.attached ? "1" : "0");
    } else if (!strcmp(at, "qC")) {
        gdb_thread *t = general(g);
        g_string_printf(out, "QC%x", t ? (unsigned)t->id : 0);
    } else if (!strcmp(at, "qfThreadInfo")) {
        g_string_assign(out, "m");
        pthread_mutex_lock(&g->lock);
        for (guint i = 0; i < g->threads->len; i++)
            g_string_append_printf(out, "%s%x", i ? "," : "", (unsigned)((gdb_thread *)g->threads->pdata[i])->id);
        pthread_mutex_unlock(&g->lock);
    } else if (!strcmp(at, "qsThreadInfo")) {
        g_string_assign(out, "l");
    } else if (g_str_has_prefix(at, "qThreadExtraInfo,")) {
        at += 17;
        gdb_thread *t = gdb_find(g, thread_id(&at));
        const char *text = !t ? "gone" : t->at == GDB_OUTSIDE ? "in a system call" : "stopped";
        gdb_hex_out(out, text, strlen(text));
    } else if (g_str_has_prefix(at, "qSymbol")) {
        g_string_assign(out, "OK");
    }
}

static void set(gdb *g, char *at, GString *out)
{
    if (!strcmp(at, "QStartNoAckMode")) {
        g_string_assign(out, "OK");
    } else if (g_str_has_prefix(at, "QPassSignals:")) {
        at += 13;
        pthread_mutex_lock(&g->lock);
        memset(g->pass, 0, sizeof g->pass);
        while (*at) {
            int32_t sig = gdb_signal_host((int32_t)gdb_hex(&at));
            g->pass[sig / 64] |= (uint64_t)(sig != 0) << sig % 64;
            at += *at == ';';
            if (*at && !g_ascii_isxdigit(*at))
                break;
        }
        pthread_mutex_unlock(&g->lock);
        g_string_assign(out, "OK");
    }
}

static void point(gdb *g, char *at, GString *out)
{
    char what = at[0], kind = at[1];
    oryx_error err = { .code = ORYX_OK };
    if (kind < '0' || kind > '4' || at[2] != ',')
        return;
    at += 3;
    uint64_t addr = gdb_hex(&at), size;
    at += *at == ',';
    size = gdb_hex(&at);
    bool ok = what == 'Z' ? gdb_point_add(g, kind, addr, size, &err) : gdb_point_remove(g, kind, addr, size) || true;
    g_string_assign(out, ok ? "OK" : "E0e");
}

/* --- registers ---------------------------------------------------------------------------------------------------------- */
static void registers(gdb *g, char *at, GString *out)
{
    gdb_thread *t = general(g);
    char what = *at++;
    GByteArray *value = NULL;
    bool ok = t != NULL;
    if (what == 'g' && ok) {
        gdb_registers_read(g, t, out);
    } else if (what == 'p' && ok) {
        ok = gdb_register_read(g, t, (int32_t)gdb_hex(&at), out);
    } else if (what == 'G' && ok) {
        ok = (value = gdb_hex_in(at)) && gdb_registers_write(g, t, value);
    } else if (ok) {
        int32_t n = (int32_t)gdb_hex(&at);
        at += *at == '=';
        ok = (value = gdb_hex_in(at)) && gdb_register_write(g, t, n, value);
    }
    if (!ok)
        g_string_assign(out, "E01");
    else if (what == 'G' || what == 'P')
        g_string_assign(out, "OK");
    if (value)
        g_byte_array_free(value, TRUE);
}

static bool back(gdb *g, bool step, GString *out)
{
    gdb_thread *t = gdb_find(g, 0);
    oryx_error err = { .code = ORYX_OK };
    if (!t || !gdb_history_back(g, t, step, &err)) {
        fprintf(stderr, "oryx: GDB asks to go back: %s\n", err.text);
        g_string_assign(out, "E01");
    } else {
        tell_stop(g, t, out);
    }
    return true;
}

static void let_go(gdb *g)
{
    gdb_points_clear(g);
    pthread_mutex_lock(&g->lock);
    g->detached = true;
    for (guint i = 0; i < g->threads->len; i++) {
        gdb_thread *t = g->threads->pdata[i];
        t->why = GDB_NONE;
        t->action = GDB_GO;
    }
    pthread_mutex_unlock(&g->lock);
    gdb_resume(g);
}

static void kill_all(gdb *g)
{
    if (!g->c.attached)
        kill(getpid(), SIGKILL); /* the program's process is ours */
    pthread_mutex_lock(&g->lock);
    g->kill = true;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

/* Serve one packet. False: the session is over. */
static bool serve(gdb *g, GString *packet, GString *out)
{
    char *at = packet->str;
    bool there = true;
    switch (*at) {
    case '?': tell_stop(g, gdb_event(g) ? gdb_event(g) : gdb_find(g, 0), out); break;
    case 'g': case 'G': case 'p': case 'P': registers(g, at, out); break;
    case 'm': read_memory(g, at + 1, out); break;
    case 'M': case 'X': write_memory(g, at + 1, *at == 'X', packet, out); break;
    case 'Z': case 'z': point(g, at, out); break;
    case 'q': query(g, at, out); break;
    case 'Q': set(g, at, out); break;
    case 'c': case 's': case 'C': case 'S': there = resume_old(g, at, out); break;
    case 'b': there = at[1] == 's' || at[1] == 'c' ? back(g, at[1] == 's', out) : true; break;
    case 'H': {
        char what = at[1];
        at += 2;
        int32_t id = thread_id(&at);
        *(what == 'c' ? &g->resume : &g->general) = id;
        g_string_assign(out, id <= 0 || gdb_find(g, id) ? "OK" : "E01");
        break;
    }
    case 'T':
        at++;
        g_string_assign(out, gdb_find(g, thread_id(&at)) ? "OK" : "E01");
        break;
    case 'D':
        gdb_send_text(&g->link, "OK");
        return false;
    case 'k':
        kill_all(g);
        return false;
    case 'v':
        if (!strcmp(at, "vCont?"))
            g_string_assign(out, "vCont;c;C;s;S;t");
        else if (g_str_has_prefix(at, "vCont;"))
            there = vcont(g, at + 5, out);
        else if (g_str_has_prefix(at, "vFile:"))
            gdb_files(g, at + 6, out);
        else if (g_str_has_prefix(at, "vKill")) {
            gdb_send_text(&g->link, "OK");
            kill_all(g);
            return false;
        }
        break;
    default: break; /* an empty answer: not known */
    }
    if (!there)
        return false;
    gdb_send(&g->link, out->str, out->len);
    if (!strcmp(packet->str, "QStartNoAckMode"))
        g->link.no_ack = true;
    return g->link.fd >= 0 && !g->over;
}

static void session(gdb *g)
{
    gdb_stop_all(g);
    pthread_mutex_lock(&g->lock);
    g->detached = false;
    while (!g->threads->len && !g->over) /* until the first thread is there */
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
    gdb_stop_all(g);
    for (bool more = !g->over; more;) {
        bool interrupt;
        GString *packet = gdb_receive(&g->link, -1, &interrupt);
        if (!packet && g->link.fd < 0)
            break;
        if (!packet)
            continue;
        GString *out = g_string_new(NULL);
        more = serve(g, packet, out);
        g_string_free(out, TRUE);
        g_string_free(packet, TRUE);
    }
    gdb_hang_up(&g->link);
    if (!g->kill)
        let_go(g);
}

void *gdb_serve(void *opaque)
{
    gdb *g = opaque;
    for (;;) {
        uint64_t count;
        struct pollfd p[2] = { { .fd = g->wake, .events = POLLIN }, { .fd = g->link.listen, .events = POLLIN } };
        pthread_mutex_lock(&g->lock);
        bool over = g->over;
        pthread_mutex_unlock(&g->lock);
        if (over)
            return NULL;
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (p[0].revents && read(g->wake, &count, sizeof count) < 0 && errno != EAGAIN)
            return NULL;
        if (p[1].revents && gdb_accept(&g->link))
            session(g);
    }
}
