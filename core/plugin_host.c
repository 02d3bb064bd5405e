/* The plugin registry of the process and each machine's view of it: find, load, query interfaces. Called by machine.c and
 * by users through oryx_plugin.h. Invariant: a file is executed only after plugin_file.c found no broken rule in the
 * very bytes that are loaded (same inode, size and time after dlopen), and a loaded plugin stays loaded until the
 * process ends, so no pointer into one dangles. Registry entries are shared by machines; nothing in them is a machine's. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_host.h"

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static oryx_plugin **registry;
static size_t n_registry;

struct oryx__plugins {
    char *path;    /* extra search directories or NULL */
    char **pinned; /* files named by the embedder, in order */
    struct oryx__catalog *catalog;
};

__attribute__((destructor)) static void registry_free(void)
{
    for (size_t i = 0; i < n_registry; i++) {
        if (registry[i]->handle && registry[i]->ops && ORYX_HAS(registry[i]->ops, close) && registry[i]->ops->close)
            registry[i]->ops->close();
        oryx__plugin_clear(registry[i]);
        oryx__free(registry[i]);
    }
    oryx__catalog_free_all();
    oryx__free(registry);
    registry = NULL;
    n_registry = 0;
}

static bool is_file(const oryx_plugin *p, const struct stat *st)
{
    return p->dev == st->st_dev && p->ino == st->st_ino && p->size == st->st_size &&
           p->mtime.tv_sec == st->st_mtim.tv_sec && p->mtime.tv_nsec == st->st_mtim.tv_nsec;
}

bool oryx__plugin_unchanged(const oryx_plugin *p)
{
    struct stat st;
    return !p->refusal_code && !stat(p->path, &st) && is_file(p, &st);
}

/* The entry still describes the file: unchanged, and for a refused one the same refusal again (modes may have been mended). */
static bool fresh(const oryx_plugin *p, const char *name, const struct stat *st)
{
    if (!p->path || strcmp(p->path, name) || !is_file(p, st))
        return false;
    if (!p->refusal_code)
        return true;
    oryx_plugin again = { 0 };
    oryx__plugin_read(name, &again, NULL, NULL, NULL);
    bool same = again.refusal && p->refusal && !strcmp(again.refusal, p->refusal);
    oryx__plugin_clear(&again);
    return same;
}

static oryx_plugin *entry_of(const char *name, const struct stat *st, struct oryx__listing *in);

oryx_plugin *oryx__plugin_entry(const char *path)
{
    struct stat st = { 0 };
    char *real = realpath(path, NULL);
    const char *name = real ? real : path;
    if (stat(name, &st))
        memset(&st, 0, sizeof st);
    oryx_plugin *p = entry_of(name, &st, NULL);
    free(real);
    return p;
}

/* The same for a file of a directory whose real path is known. */
static oryx_plugin *entry_in(const char *path, struct oryx__listing *in)
{
    struct stat st;
    return lstat(path, &st) || S_ISLNK(st.st_mode) ? oryx__plugin_entry(path) : entry_of(path, &st, in);
}

static oryx_plugin *entry_of(const char *name, const struct stat *st, struct oryx__listing *in)
{
    oryx_plugin *p = NULL;
    for (size_t i = n_registry; i-- > 0 && !p;)
        if (fresh(registry[i], name, st))
            p = registry[i];
    if (!p) {
        oryx_plugin **grown = oryx__realloc(registry, (n_registry + 1) * sizeof *registry);
        p = grown ? oryx__alloc(sizeof *p) : NULL;
        registry = grown ? grown : registry;
        if (p) {
            oryx__plugin_read(name, p, in, NULL, NULL);
            registry[n_registry++] = p;
        }
    }
    return p;
}

/* --- loading ---------------------------------------------------------------------------------------------------- */

static oryx_status find_id(const char *extra, char **pinned, const char *id, oryx_plugin **out, oryx_error *err);

static oryx_status refuse(oryx_error *err, const oryx_plugin *p, const char *why)
{
    return oryx__error(err, ORYX_E_PLUGIN, "%s: refused: %s", p->path, why);
}

static oryx_status load_requirements(oryx_plugin *p, const char *extra, char **pinned, oryx_error *err);

/* dlopen the file. The loader remembers objects by the path as it was written and by inode: when an older file of this path
 * is still loaded, the path is written another way, and the same inode with other bytes cannot be loaded at all. */
static void *open_object(const oryx_plugin *p, oryx_error *err)
{
    unsigned older = 0;
    for (size_t i = 0; i < n_registry; i++) {
        const oryx_plugin *q = registry[i];
        if (q == p || !q->handle)
            continue;
        if (q->dev == p->dev && q->ino == p->ino) {
            refuse(err, p, "it was changed in place while it is in use: put a new file there (install, mv), or start anew");
            return NULL;
        }
        older += !strcmp(q->path, p->path);
    }
    const char *base = strrchr(p->path, '/') + 1; /* a file that could be read has an absolute path */
    GString *name = g_string_new_len(p->path, base - p->path);
    for (unsigned i = 0; i < older; i++)
        g_string_append(name, "./");
    g_string_append(name, base);
    void *handle = name ? dlopen(name->str, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!handle)
        refuse(err, p, name ? dlerror() : "out of memory");
    g_string_free(name, TRUE);
    return handle;
}

/* dlopen and open a plugin whose file rules hold. Registry lock held. */
static oryx_status load(oryx_plugin *p, const char *extra, char **pinned, oryx_error *err)
{
    if (p->ops)
        return ORYX_OK;
    if (p->refusal_code)
        return oryx__error(err, p->refusal_code, "%s", p->refusal ? p->refusal : "out of memory");
    if (p->loading)
        return refuse(err, p, "its requirements form a cycle: remove one of them");
    p->loading = 1;
    oryx_status s = load_requirements(p, extra, pinned, err);
    p->loading = 0;
    if (s)
        return s;
    void *handle = open_object(p, err);
    if (!handle)
        return ORYX_E_PLUGIN;
    struct stat st;
    if (stat(p->path, &st) || st.st_dev != p->dev || st.st_ino != p->ino || st.st_size != p->size ||
        st.st_mtim.tv_sec != p->mtime.tv_sec || st.st_mtim.tv_nsec != p->mtime.tv_nsec) {
        dlclose(handle);
        return refuse(err, p, "the file changed while it was loaded: try again");
    }
    union {
        void *object;
        oryx_plugin_open_fn fn;
    } entry = { dlsym(handle, ORYX_PLUGIN_ENTRY) };
    const oryx_plugin_ops *ops = NULL;
    oryx_error why = { .code = ORYX_OK };
    s = entry.object ? entry.fn(&oryx__host.hdr, &ops, &why) : ORYX_E_PLUGIN;
    if (s || !ops || !ORYX_HAS(ops, get) || !ops->get) {
        dlclose(handle);
        why.text[sizeof why.text - 1] = 0;
        return refuse(err, p, why.text[0] ? why.text : s ? oryx_status_text(s) : "its entry gave no interface table");
    }
    p->handle = handle;
    p->ops = ops;
    return ORYX_OK;
}

static oryx_status load_requirements(oryx_plugin *p, const char *extra, char **pinned, oryx_error *err)
{
    for (uint32_t i = 0; i < p->manifest.n_requires; i++) {
        const struct oryx__require *q = &p->manifest.requires[i];
        oryx_plugin *needed = NULL;
        oryx_error why = { .code = ORYX_OK };
        oryx_status s = find_id(extra, pinned, q->id, &needed, &why);
        if (!s && oryx__version_in(needed->manifest.version, q->range) != 1)
            s = oryx__error(&why, ORYX_E_VERSION, "version %s of '%s' is installed, '%s' is needed", needed->manifest.version,
                            q->id, q->range);
        if (!s)
            s = load(needed, extra, pinned, &why);
        if (s && !q->optional)
            return oryx__error(err, s, "%s: its requirement '%s' is not met: %s", p->path, q->id, why.text);
    }
    return ORYX_OK;
}

/* --- search ------------------------------------------------------------------------------------------------------ */

/* Visit pinned files first, then each file of each directory; stop when visit returns true. Registry lock held. */
typedef bool (*visit_fn)(oryx_plugin *p, bool pinned, void *arg);
static oryx_status each_plugin(const char *extra, char **pinned, visit_fn visit, void *arg)
{
    bool done = false;
    for (char **f = pinned; f && *f && !done; f++) {
        oryx_plugin *p = oryx__plugin_entry(*f);
        if (!p)
            return ORYX_E_NOMEM;
        done = visit(p, true, arg);
    }
    char **dirs = done ? NULL : oryx__search_dirs(extra);
    oryx_status s = done || dirs ? ORYX_OK : ORYX_E_NOMEM;
    for (char **d = dirs; d && *d && !done && !s; d++) {
        char *real = realpath(*d, NULL); /* so that files need no look at every directory above them */
        char **files = oryx__search_files(real ? real : *d);
        struct oryx__listing in = { .trusted = false };
        s = files ? ORYX_OK : ORYX_E_NOMEM;
        for (char **f = files; f && *f && !done && !s; f++) {
            oryx_plugin *p = real ? entry_in(*f, &in) : oryx__plugin_entry(*f);
            s = p ? ORYX_OK : ORYX_E_NOMEM;
            done = p && visit(p, false, arg);
        }
        free(real);
        oryx__strv_free(files);
    }
    oryx__strv_free(dirs);
    return s;
}

struct query {
    const char *id;             /* by id, or */
    const char *interface, *cls; /* by interface and class */
    oryx_plugin *found, *twin;  /* twin: another file that answers too, with no pin to decide */
    bool pinned;
};

static bool answers(const oryx_plugin *p, const struct query *q)
{
    if (p->refusal_code)
        return false;
    if (q->id)
        return !strcmp(p->manifest.id, q->id);
    for (uint32_t i = 0; i < p->manifest.n_provides; i++)
        if (!strcmp(p->manifest.provides[i].interface, q->interface) && !strcmp(p->manifest.provides[i].cls, q->cls))
            return true;
    return false;
}

static bool match(oryx_plugin *p, bool pinned, void *arg)
{
    struct query *q = arg;
    if (!answers(p, q) || q->found == p)
        return false;
    if (!q->found) {
        q->found = p;
        q->pinned = pinned;
        return pinned;
    }
    q->twin = p;
    return true;
}

static oryx_status run_query(const char *extra, char **pinned, struct query *q, oryx_error *err)
{
    oryx_status s = each_plugin(extra, pinned, match, q);
    if (s)
        return oryx__error(err, s, "out of memory while looking for plugins");
    if (q->twin)
        return oryx__error(err, ORYX_E_EXISTS, "two plugins provide %s%s%s: %s and %s: remove one, or name one with --plugin",
                           q->id ? q->id : q->interface, q->id ? "" : " ", q->id ? "" : q->cls, q->found->path, q->twin->path);
    if (q->found)
        return ORYX_OK;
    char **dirs = oryx__search_dirs(extra);
    GString *where = g_string_new(NULL);
    for (char **d = dirs; d && *d; d++)
        g_string_append_printf(where, "%s%s", d == dirs ? "" : ", ", *d);
    s = q->id ? oryx__error(err, ORYX_E_NOTFOUND, "no plugin '%s' in %s: name a file with --plugin", q->id, where ? where->str : "")
              : oryx__error(err, ORYX_E_NOTFOUND, "no plugin provides %s '%s' in %s: see 'oryx plugins' for what there is",
                            q->interface, q->cls, where ? where->str : "");
    g_string_free(where, TRUE);
    oryx__strv_free(dirs);
    return s;
}

static oryx_status find_id(const char *extra, char **pinned, const char *id, oryx_plugin **out, oryx_error *err)
{
    struct query q = { .id = id };
    oryx_status s = run_query(extra, pinned, &q, err);
    *out = q.found;
    return s;
}

/* Every file of the directories, in order; NULL: out of memory. */
static oryx_plugin **list_all(const char *extra);

/* The plugin from what is known: true when that decides. */
static bool known(struct oryx__catalog *catalog, const char *extra, char **pinned, struct query *q)
{
    for (char **f = pinned; f && *f && !q->found; f++) {
        oryx_plugin *p = oryx__plugin_entry(*f);
        q->found = p && answers(p, q) ? p : NULL;
    }
    if (q->found)
        return true;
    if (catalog && !oryx__catalog_list(catalog))
        oryx__catalog_keep(catalog, list_all(extra));
    for (oryx_plugin *const *p = oryx__catalog_list(catalog); p && *p; p++)
        if (match(*p, false, q))
            break;
    bool sure = q->found && !q->twin && oryx__plugin_unchanged(q->found);
    if (!sure)
        q->found = q->twin = NULL;
    return sure;
}

static const void *find_interface(const char *extra, char **pinned, struct oryx__catalog *catalog, const char *interface,
                                  const char *cls, oryx_error *err)
{
    struct query q = { .interface = interface, .cls = cls };
    const void *ops = NULL;
    oryx_status s = ORYX_OK;
    pthread_mutex_lock(&registry_lock);
    struct oryx__catalog *own = catalog ? NULL : (catalog = oryx__catalog_get(extra));
    if (!known(catalog, extra, pinned, &q))
        s = run_query(extra, pinned, &q, err);
    oryx__catalog_put(own);
    if (!s)
        s = load(q.found, extra, pinned, err);
    if (!s && (ops = q.found->ops->get(interface, cls)) == NULL)
        refuse(err, q.found, "its manifest promises an interface that it does not give");
    pthread_mutex_unlock(&registry_lock);
    return ops;
}

/* --- the public functions ----------------------------------------------------------------------------------------- */

oryx_status oryx__plugins_create(oryx_machine *m, const oryx_machine_config *config, oryx_error *err)
{
    struct oryx__plugins *ps = m->plugins = oryx__alloc(sizeof *ps);
    if (!ps)
        return oryx__error(err, ORYX_E_NOMEM, "out of memory");
    const char *extra = config && ORYX_HAS(config, plugin_path) ? config->plugin_path : NULL;
    if (extra && !(ps->path = oryx__strdup(extra)))
        return oryx__error(err, ORYX_E_NOMEM, "out of memory");
    pthread_mutex_lock(&registry_lock);
    ps->catalog = oryx__catalog_get(ps->path);
    pthread_mutex_unlock(&registry_lock);
    for (const char *const *f = config && ORYX_HAS(config, plugins) ? config->plugins : NULL; f && *f; f++) {
        oryx_status s = oryx_plugin_load(m, *f, NULL, err);
        if (s)
            return s;
    }
    return ORYX_OK;
}

void oryx__plugins_destroy(oryx_machine *m)
{
    if (!m->plugins)
        return;
    pthread_mutex_lock(&registry_lock);
    oryx__catalog_put(m->plugins->catalog);
    pthread_mutex_unlock(&registry_lock);
    oryx__strv_free(m->plugins->pinned);
    oryx__free(m->plugins->path);
    oryx__free(m->plugins);
    m->plugins = NULL;
}

oryx_status oryx_plugin_load(oryx_machine *m, const char *name, oryx_plugin **out, oryx_error *err)
{
    struct oryx__plugins *ps = m->plugins;
    oryx_plugin *p = NULL;
    oryx_status s = ORYX_OK;
    pthread_mutex_lock(&registry_lock);
    if (strchr(name, '/') || (strlen(name) > 3 && !strcmp(name + strlen(name) - 3, ".so"))) {
        p = oryx__plugin_entry(name);
        s = p ? ORYX_OK : oryx__error(err, ORYX_E_NOMEM, "out of memory");
    } else {
        s = find_id(ps->path, ps->pinned, name, &p, err);
    }
    s = s ? s : load(p, ps->path, ps->pinned, err);
    if (!s) {
        char **grown = oryx__strv_add(ps->pinned, oryx__strdup(p->path));
        ps->pinned = grown;
        s = grown ? ORYX_OK : oryx__error(err, ORYX_E_NOMEM, "out of memory");
    }
    pthread_mutex_unlock(&registry_lock);
    if (!s && out)
        *out = p;
    return s;
}

const void *oryx_plugin_interface(oryx_machine *m, const char *interface, const char *cls, oryx_error *err)
{
    const struct oryx__plugins *ps = m->plugins;
    return find_interface(ps ? ps->path : NULL, ps ? ps->pinned : NULL, ps ? ps->catalog : NULL, interface, cls, err);
}

const oryx_plugin *oryx__plugin_of(oryx_machine *m, const char *interface, const char *cls)
{
    struct query q = { .interface = interface, .cls = cls };
    pthread_mutex_lock(&registry_lock);
    oryx_status s = run_query(m->plugins ? m->plugins->path : NULL, m->plugins ? m->plugins->pinned : NULL, &q, NULL);
    pthread_mutex_unlock(&registry_lock);
    return s ? NULL : q.found;
}

const void *oryx_plugin_static(const char *plugin_path, const char *interface, const char *cls, oryx_error *err)
{
    return find_interface(plugin_path, NULL, NULL, interface, cls, err);
}

oryx_status oryx_plugin_verify(const char *path, oryx__rule_fn report, void *opaque, oryx_error *err)
{
    oryx_plugin p = { 0 };
    oryx__plugin_read(path, &p, NULL, report, opaque);
    oryx_status s = p.refusal_code ? oryx__error(err, p.refusal_code, "%s", p.refusal ? p.refusal : "out of memory") : ORYX_OK;
    oryx__plugin_clear(&p);
    return s;
}

void oryx_plugin_describe(const oryx_plugin *p, oryx_plugin_info *out)
{
    *out = (oryx_plugin_info){ ORYX_HDR(oryx_plugin_info), p->path, p->manifest.id, p->manifest.version, p->manifest.json,
                               p->refusal_code ? (p->refusal ? p->refusal : "out of memory") : NULL, p->ops != NULL, 0 };
}

struct listing {
    oryx_plugin **v;
    size_t n;
    bool full;
};

static bool collect(oryx_plugin *p, bool pinned, void *arg)
{
    struct listing *l = arg;
    (void)pinned;
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i] == p)
            return false;
    oryx_plugin **grown = oryx__realloc(l->v, (l->n + 1) * sizeof *l->v);
    l->full |= !grown;
    if (!grown)
        return true;
    l->v = grown;
    l->v[l->n++] = p;
    return false;
}

static oryx_plugin **list_all(const char *extra)
{
    struct listing l = { 0 };
    oryx_plugin **v = NULL;
    if (each_plugin(extra, NULL, collect, &l) == ORYX_OK && !l.full && (v = oryx__realloc(l.v, (l.n + 1) * sizeof *v)) != NULL) {
        v[l.n] = NULL;
        return v;
    }
    oryx__free(l.v);
    return NULL;
}

oryx_plugin **oryx__plugins_known(const char *extra)
{
    pthread_mutex_lock(&registry_lock);
    struct oryx__catalog *c = oryx__catalog_get(extra);
    oryx_plugin *const *known = oryx__catalog_list(c);
    oryx_plugin **list = NULL;
    size_t n = 0;
    while (known && known[n])
        n++;
    if (!known && (list = list_all(extra)) != NULL)
        while (list[n])
            n++;
    oryx_plugin **copy = known || list ? oryx__alloc((n + 1) * sizeof *copy) : NULL;
    if (copy && n)
        memcpy(copy, known ? known : list, n * sizeof *copy);
    if (list)
        oryx__catalog_keep(c, list);
    oryx__catalog_put(c);
    pthread_mutex_unlock(&registry_lock);
    return copy;
}

static int by_id_then_path(const void *a, const void *b)
{
    const oryx_plugin_info *x = a, *y = b;
    int order = strcmp(x->id ? x->id : "\x7f", y->id ? y->id : "\x7f");
    return order ? order : strcmp(x->path, y->path);
}

oryx_status oryx_plugin_list(const char *plugin_path, oryx_plugin_info **out, uint32_t *n, oryx_error *err)
{
    struct listing l = { 0 };
    pthread_mutex_lock(&registry_lock);
    oryx_status s = each_plugin(plugin_path, NULL, collect, &l);
    oryx_plugin_info *list = !s && !l.full ? oryx__alloc((l.n + 1) * sizeof *list) : NULL;
    for (size_t i = 0; list && i < l.n; i++)
        oryx_plugin_describe(l.v[i], &list[i]);
    pthread_mutex_unlock(&registry_lock);
    oryx__free(l.v);
    if (!list)
        return oryx__error(err, ORYX_E_NOMEM, "out of memory while listing plugins");
    qsort(list, l.n, sizeof *list, by_id_then_path);
    *out = list;
    *n = (uint32_t)l.n;
    return ORYX_OK;
}

void oryx_plugin_list_free(oryx_plugin_info *list, uint32_t n)
{
    (void)n;
    oryx__free(list);
}
