/* Listeners and incremental updates: docs/DESIGN.md, "Memory": "the outermost commit recomputes
 * only what changed ... and tells listeners: begin, removed (reverse order), added / unchanged ...,
 * commit. 10,000 regions is an ordinary case." The oracle for views is a painter: every region
 * paints its bytes, the winning ones last; for listeners a list kept by additions and removals
 * alone. */
#include "mem_fake.h"

/* The mirror's memory is GLib's: the core's containers fail when the test lets the core's allocations fail. */
#undef GArray
#undef g_array_new
#undef g_array_free
#undef g_array_remove_index

static uint64_t rng;

static uint32_t rnd(uint32_t n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)((rng >> 20) % n);
}

/* --- a listener that keeps the view it was told ----------------------------------------------- */

struct mirror {
    GArray *rows;  /* of oryx_view_row, ascending */
    int in, phase; /* phase 1: a row was added or unchanged */
    uint64_t last_removed, last_added;
    unsigned begins, removed, added, unchanged, commits;
};

static int same(const oryx_view_row *a, const oryx_view_row *b)
{
    return a->first == b->first && a->last == b->last && a->region == b->region &&
           a->offset == b->offset && a->prot == b->prot;
}

/* First row of the mirror that ends at or after addr. */
static guint lower(const struct mirror *k, uint64_t addr)
{
    guint i = 0;
    while (i < k->rows->len && g_array_index(k->rows, oryx_view_row, i).last < addr)
        i++;
    return i;
}

static void heard_begin(void *opaque, oryx_space *s)
{
    struct mirror *k = opaque;
    (void)s;
    assert_false(k->in);
    k->in = 1;
    k->phase = 0;
    k->last_removed = UINT64_MAX;
    k->begins++;
}

static void heard_removed(void *opaque, const oryx_view_row *row)
{
    struct mirror *k = opaque;
    assert_true(k->in && !k->phase);
    assert_true(k->last_removed == UINT64_MAX || row->last < k->last_removed);
    k->last_removed = row->first;
    guint i = lower(k, row->first);
    assert_true(i < k->rows->len && same(row, &g_array_index(k->rows, oryx_view_row, i)));
    g_array_remove_index(k->rows, i);
    k->removed++;
}

static void heard_in_order(struct mirror *k, const oryx_view_row *row)
{
    assert_true(k->in);
    assert_true(!k->phase || row->first > k->last_added);
    k->phase = 1;
    k->last_added = row->last;
}

static void heard_added(void *opaque, const oryx_view_row *row)
{
    struct mirror *k = opaque;
    heard_in_order(k, row);
    guint i = lower(k, row->first);
    assert_true(i == k->rows->len || g_array_index(k->rows, oryx_view_row, i).first > row->last);
    g_array_insert_val(k->rows, i, *row);
    k->added++;
}

static void heard_unchanged(void *opaque, const oryx_view_row *row)
{
    struct mirror *k = opaque;
    heard_in_order(k, row);
    guint i = lower(k, row->first);
    assert_true(i < k->rows->len && same(row, &g_array_index(k->rows, oryx_view_row, i)));
    k->unchanged++;
}

static void heard_commit(void *opaque, oryx_space *s)
{
    struct mirror *k = opaque;
    (void)s;
    assert_true(k->in);
    k->in = 0;
    k->commits++;
}

static const oryx_listener_ops mirror_ops = {.hdr = ORYX_HDR(oryx_listener_ops),
                                             .begin = heard_begin,
                                             .removed = heard_removed,
                                             .added = heard_added,
                                             .unchanged = heard_unchanged,
                                             .commit = heard_commit};

static void equal(oryx_machine *m, const struct mirror *k)
{
    oryx_view_row *list = calloc(20000, sizeof(*list));
    uint64_t n = oryx_space_view(fake_space(m), 0, list, 20000);
    assert_true(n <= 20000);
    assert_int_equal(n, k->rows->len);
    assert_int_equal(k->begins, k->commits);
    for (uint64_t i = 0; i < n; i++) {
        oryx_view_row one;
        assert_true(same(&list[i], &g_array_index(k->rows, oryx_view_row, i)));
        if (i % 61 == 0) { /* by number as well as in bulk */
            assert_int_equal(oryx_space_view(fake_space(m), i, &one, 1), n);
            assert_true(same(&list[i], &one));
        }
    }
    free(list);
}

/* --- what is told, and when ------------------------------------------------------------------- */

static void test_protocol(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_region *a = fake_ram(m, "a", 0x1000, NULL), *b = fake_ram(m, "b", 0x1000, NULL);
    oryx_region *far = fake_ram(m, "far", 0x1000, NULL);
    struct mirror k = {.rows = g_array_new(FALSE, TRUE, sizeof(oryx_view_row))};
    oryx_listener *l = NULL;
    fake_add(fake_root(m), 0, a, 0);
    fake_add(fake_root(m), 0x100000, far, 0);
    assert_ok(oryx_listener_add(fake_space(m), &mirror_ops, &k, &l, NULL));
    assert_int_equal(k.begins, 1);
    assert_int_equal(k.added, 2);
    /* A hole in the middle: the row goes, three come; what is far away is not mentioned. */
    fake_add(a, 0x400, b, 0);
    assert_int_equal(k.begins, 2);
    assert_int_equal(k.removed, 1);
    assert_int_equal(k.added, 4);
    assert_int_equal(k.unchanged, 0);
    equal(m, &k);
    /* Nothing is told inside a transaction, and one commit tells all. */
    oryx_txn_begin(m);
    assert_ok(oryx_region_enable(a, 0, NULL));
    assert_ok(oryx_region_move(far, 0x200000, NULL));
    assert_ok(oryx_region_enable(a, 1, NULL));
    assert_int_equal(k.begins, 2);
    assert_ok(oryx_txn_commit(m, NULL));
    assert_int_equal(k.begins, 3);
    assert_int_equal(k.removed, 2);
    assert_int_equal(k.added, 5);
    assert_int_equal(k.unchanged, 2); /* a's rows, rendered again as they were */
    equal(m, &k);
    /* Rows that a neighbour of the change joins are told as what they become. */
    oryx_region *more = fake_alias(m, "more", 0x1000, far, 0x800);
    assert_ok(oryx_region_move(far, 0x300000, NULL));
    fake_add(fake_root(m), 0x300800, more, -1);
    equal(m, &k);
    oryx_listener_remove(l);
    assert_int_equal(k.rows->len, 0);
    unsigned begins = k.begins;
    assert_ok(oryx_region_remove(far, NULL));
    assert_int_equal(k.begins, begins);
    g_array_free(k.rows, TRUE);
    fake_machine_free(m);
}

/* A listener that changes the tree: its changes are visible afterwards, and told. */
struct chain {
    oryx_region *follow;
    unsigned heard;
};

static void follow(void *opaque, oryx_space *s)
{
    struct chain *c = opaque;
    (void)s;
    c->heard++;
    assert_ok(oryx_region_enable(c->follow, 1, NULL));
}

static void test_change_from_listener(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_region *a = fake_ram(m, "a", 0x1000, NULL), *b = fake_ram(m, "b", 0x1000, NULL);
    struct chain c = {.follow = b};
    oryx_listener_ops ops = {.hdr = ORYX_HDR(oryx_listener_ops), .commit = follow};
    oryx_listener *l = NULL, *none = NULL;
    oryx_error err = {0};
    fake_add(fake_root(m), 0x5000, b, 0);
    assert_ok(oryx_region_enable(b, 0, NULL));
    assert_ok(oryx_listener_add(fake_space(m), &ops, &c, &l, NULL));
    assert_int_equal(oryx_space_view(fake_space(m), 0, NULL, 0), 1);
    assert_ok(oryx_region_enable(b, 0, NULL));
    assert_int_equal(oryx_space_view(fake_space(m), 0, NULL, 0), 1);
    unsigned before = c.heard;
    fake_add(fake_root(m), 0, a, 0);
    assert_int_equal(oryx_space_view(fake_space(m), 0, NULL, 0), 2);
    assert_true(c.heard > before);
    assert_int_equal(oryx_listener_add(NULL, &ops, &c, &none, &err), ORYX_E_INVALID);
    assert_null(none);
    fake_machine_free(m); /* with the listener still there */
}

/* --- many siblings, any change ---------------------------------------------------------------- */

#define MANY 700u
#define SPAN 60000u

struct sibling {
    oryx_region *region;
    uint32_t size, at, added, enabled, placed;
    int32_t priority;
};

static int by_rank(const void *a, const void *b)
{
    const struct sibling *x = *(struct sibling *const *)a, *y = *(struct sibling *const *)b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return x->added < y->added ? -1 : 1;
}

static void paint(const struct sibling *all, const struct sibling **bytes)
{
    const struct sibling *order[MANY];
    unsigned n = 0;
    for (unsigned i = 0; i < MANY; i++)
        if (all[i].placed && all[i].enabled)
            order[n++] = &all[i];
    qsort(order, n, sizeof(order[0]), by_rank);
    memset(bytes, 0, SPAN * sizeof(bytes[0]));
    for (unsigned i = 0; i < n; i++)
        for (uint32_t k = 0; k < order[i]->size && order[i]->at + k < SPAN; k++)
            bytes[order[i]->at + k] = order[i];
}

static void test_many_siblings(void **state)
{
    (void)state;
    static struct sibling all[MANY];
    static const struct sibling *bytes[SPAN];
    static uint8_t memory[512];
    uint32_t added = 0, in_txn = 0;
    rng = 42;
    oryx_machine *m = fake_machine();
    oryx_region *box = fake_region(m, "container", "box", SPAN);
    fake_add(fake_root(m), 0x10000, box, 0);
    struct mirror k = {.rows = g_array_new(FALSE, TRUE, sizeof(oryx_view_row))};
    oryx_listener *l = NULL;
    assert_ok(oryx_listener_add(fake_space(m), &mirror_ops, &k, &l, NULL));
    for (unsigned i = 0; i < MANY; i++) {
        all[i] = (struct sibling){.size = 1 + rnd(rnd(8) ? 60 : 500), .enabled = 1};
        all[i].region = fake_ram(m, "s", all[i].size, memory);
    }
    unsigned steps = getenv("ORYX_TEST_LONG") ? 200000 : 12000, mixed = 0;
    for (unsigned step = 0; step < steps; step++) {
        struct sibling *s = &all[rnd(MANY)];
        oryx_error err = {0};
        uint32_t what = rnd(10);
        if (!s->placed || what < 2) {
            if (s->placed) {
                assert_ok(oryx_region_remove(s->region, &err));
                s->placed = 0;
            } else {
                s->at = rnd(SPAN);
                s->priority = (int32_t)rnd(5) - 2;
                s->added = ++added;
                s->placed = 1;
                fake_add(box, s->at, s->region, s->priority);
            }
        } else if (what < 6) {
            s->at = rnd(SPAN);
            assert_ok(oryx_region_move(s->region, s->at, &err));
        } else if (what < 9) {
            s->enabled = !s->enabled;
            assert_ok(oryx_region_enable(s->region, s->enabled, &err));
        } else if (in_txn) {
            assert_ok(oryx_txn_commit(m, &err));
            in_txn = 0;
        } else {
            oryx_txn_begin(m);
            in_txn = 1;
        }
        if (in_txn || step % 97)
            continue;
        mixed++;
        equal(m, &k);
        paint(all, bytes);
        for (uint32_t b = 0, i = 0; b < SPAN; b++) {
            while (i < k.rows->len &&
                   g_array_index(k.rows, oryx_view_row, i).last < 0x10000 + (uint64_t)b)
                i++;
            const oryx_view_row *row =
                i < k.rows->len ? &g_array_index(k.rows, oryx_view_row, i) : NULL;
            int have = row && row->first <= 0x10000 + (uint64_t)b;
            if (have != !!bytes[b] ||
                (have && (row->region != bytes[b]->region ||
                          row->offset + (0x10000 + (uint64_t)b - row->first) != b - bytes[b]->at)))
                fail_msg("step %u: byte %u differs from the painter", step, b);
        }
    }
    if (in_txn)
        assert_ok(oryx_txn_commit(m, NULL));
    equal(m, &k);
    print_message("%u views of up to %u rows equal to the painter; %u removed, %u added, %u kept\n",
                  mixed, k.rows->len, k.removed, k.added, k.unchanged);
    oryx_listener_remove(l);
    assert_int_equal(k.rows->len, 0);
    g_array_free(k.rows, TRUE);
    fake_machine_free(m);
}

/* Every allocation of a commit with listeners fails once: nothing is visible and nobody is told. */
static void test_allocation_failures(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    struct mirror k = {.rows = g_array_new(FALSE, TRUE, sizeof(oryx_view_row))};
    static uint8_t memory[64];
    oryx_listener *l = NULL;
    for (int64_t n = 0;; n++) {
        oryx__alloc_left = n;
        oryx_status st = oryx_listener_add(fake_space(m), &mirror_ops, &k, &l, NULL);
        oryx__alloc_left = -1;
        if (!st)
            break;
        assert_int_equal(st, ORYX_E_NOMEM);
        assert_null(l);
    }
    for (unsigned i = 0; i < 300; i++)
        fake_add(fake_root(m), i * 0x100, fake_ram(m, "s", 0x40, memory), 0);
    oryx_region *over = fake_ram(m, "over", 0x40, memory);
    unsigned failures = 0;
    for (int64_t n = 0;; n++) {
        unsigned begins = k.begins;
        oryx__alloc_left = n;
        oryx_status st = oryx_region_add(fake_root(m), 0x6420, over, 1, NULL);
        oryx__alloc_left = -1;
        if (!st)
            break;
        assert_int_equal(st, ORYX_E_NOMEM);
        assert_int_equal(k.begins, begins);
        equal(m, &k);
        failures++;
    }
    assert_true(failures >= 3);
    equal(m, &k);
    oryx_listener_remove(l);
    g_array_free(k.rows, TRUE);
    fake_machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_protocol),
        cmocka_unit_test(test_change_from_listener),
        cmocka_unit_test(test_many_siblings),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests_name("mem_listener", tests, NULL, NULL);
}
