/* The personality "semihost": serves the requests that bare-metal programs make to their host. Entry, manifest, options, run.
 *
 * Called by the core's personality host; `oryx machine` runs CPUs itself and gives it their exits. Options: {"root": folder of
 * the files that programs may open (none: no files), "cmdline": text, "heap": [heap base, heap limit, stack base, stack limit],
 * "time": seconds since 1970 at the start (the host's clock), "system": true lets programs run commands on the host}. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/oryx_json.h"
#include "helper/oryx_manifest.h"
#include "semihost.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "os-semihost",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.os/1", "class" : "semihost"} ],
    "requires" : [],
    "thread" : "vcpu"
}));

static const semihost_abi *const abis[] = { &semihost_arm };

static void semihost_destroy(void *self)
{
    semihost *s = self;
    files_close_all(s);
    if (s->root >= 0)
        close(s->root);
    pthread_mutex_destroy(&s->lock);
    free(s->cmdline);
    free(s);
}

static const char *option(semihost *s, const char *key, const oryx_json *v, char *text, size_t cap)
{
    uint64_t n = 0;
    if (!strcmp(key, "root") && v->text) {
        s->root = open(v->text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (s->root >= 0)
            return NULL;
        snprintf(text, cap, "/root: '%s': %s", v->text, strerror(errno));
        return text;
    }
    if (!strcmp(key, "cmdline") && v->text) {
        free(s->cmdline);
        s->cmdline = strdup(v->text);
        return s->cmdline ? NULL : "out of memory";
    }
    if (!strcmp(key, "time") && oryx_json_address(v, UINT64_MAX, &n)) {
        s->time = (int64_t)n;
        return NULL;
    }
    if (!strcmp(key, "system") && v->type == ORYX_JSON_BOOL) {
        s->system = v->u != 0;
        return NULL;
    }
    if (!strcmp(key, "heap") && v->type == ORYX_JSON_ARRAY && v->n == 4) {
        size_t i = 0;
        for (const oryx_json *one = v->first; one; one = one->next, i++)
            if (!oryx_json_address(one, UINT64_MAX, &s->heap[i]))
                return "/heap: four numbers: heap base, heap limit, stack base, stack limit";
        return NULL;
    }
    snprintf(text, cap, "/%.32s: options are root, cmdline, time, system, heap; see the manual", key);
    return text;
}

static oryx_status options(semihost *s, const char *json, oryx_error *err)
{
    char text[400];
    const char *bad = NULL;
    if (!json)
        return ORYX_OK;
    oryx_json_error why;
    oryx_json *o = oryx_json_parse(json, &why);
    if (!oryx_json_is(o, ORYX_JSON_OBJECT))
        bad = !o && why.no_memory ? "out of memory" : "options must be a JSON object";
    for (const oryx_json *v = bad ? NULL : o->first; v && !bad; v = v->next)
        bad = option(s, v->key, v, text, sizeof text);
    oryx_status st = bad ? s->host->error_set(err, ORYX_E_FORMAT, bad) : ORYX_OK;
    free(o);
    return st;
}

static oryx_status semihost_create(const oryx_host *host, oryx_machine *m, const oryx_os_config *config, void **self, oryx_error *err)
{
    semihost *s = calloc(1, sizeof *s);
    const char *arch = host->machine_arch(m)->name;
    if (!s)
        return host->error_set(err, ORYX_E_NOMEM, "semihost: out of memory");
    s->host = host;
    s->machine = m;
    s->root = -1;
    s->time = -1;
    pthread_mutex_init(&s->lock, NULL);
    for (size_t i = 0; i < sizeof abis / sizeof abis[0]; i++)
        for (const char *const *a = abis[i]->archs; *a; a++)
            if (!strcmp(*a, arch))
                s->abi = abis[i];
    oryx_status st = s->abi ? options(s, ORYX_HAS(config, options) ? config->options : NULL, err)
                            : host->error_set(err, ORYX_E_UNSUPPORTED, "semihost: there is no semihosting for this architecture");
    if (st)
        semihost_destroy(s);
    else
        *self = s;
    return st;
}

static oryx_status semihost_serve(void *self, oryx_vcpu *v, const oryx_exit *exit, oryx_os_status *status)
{
    semihost *s = self;
    pthread_mutex_lock(&s->lock);
    oryx_status st = s->abi->serve(s, v, exit, status);
    pthread_mutex_unlock(&s->lock);
    return st;
}

/* The first vCPU, until its program ends. */
static oryx_status semihost_run(void *self, oryx_os_status *status, oryx_error *err)
{
    semihost *s = self;
    oryx_vcpu *v = s->host->machine_vcpu(s->machine, 0);
    uint64_t insns = 0;
    oryx_status st = v ? ORYX_OK : s->host->error_set(err, ORYX_E_STATE, "semihost: the machine has no vCPU; make one first");
    while (!st) {
        oryx_exit e = { .hdr = ORYX_HDR(oryx_exit) };
        st = s->host->vcpu_run(v, NULL, &e);
        insns += e.insns;
        if (!st)
            st = semihost_serve(s, v, &e, status);
        if (st == ORYX_E_NOTFOUND)
            return s->host->error_set(err, ORYX_E_UNSUPPORTED, "semihost: the run ended with something that is no request");
    }
    status->insns = insns;
    return st == ORYX_E_STATE && v ? ORYX_OK : st;
}

static void semihost_stop(void *self)
{
    semihost *s = self;
    __atomic_store_n(&s->stop, 1, __ATOMIC_SEQ_CST);
    oryx_vcpu *v = s->host->machine_vcpu(s->machine, 0);
    if (v)
        s->host->vcpu_stop(v);
}

static oryx_status semihost_identify(const char *path, char *arch, uint32_t cap, oryx_error *err)
{
    (void)path, (void)arch, (void)cap, (void)err;
    return ORYX_E_FORMAT; /* bare-metal programs look like any; `oryx machine` has a place for them */
}

static const oryx_os_ops ops = {
    .hdr = ORYX_HDR(oryx_os_ops), .name = "semihost", .identify = semihost_identify, .create = semihost_create,
    .destroy = semihost_destroy, .run = semihost_run, .stop = semihost_stop, .serve = semihost_serve,
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_OS_ID) && !strcmp(cls, "semihost") ? &ops : NULL;
}

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };
    (void)host, (void)err;
    *out = &plugin;
    return ORYX_OK;
}
