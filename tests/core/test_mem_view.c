/* Resolution of region trees. Expected views come from the rules of docs/DESIGN.md ("Memory"),
 * written out by hand here, and in the property test from a model that asks for every byte on its
 * own and knows no view. */
#include <time.h>

#include "mem_fake.h"

static oryx_view_row row_at(oryx_machine *m, uint64_t i)
{
    oryx_view_row row;
    memset(&row, 0, sizeof(row));
    assert_true(oryx_space_view(fake_space(m), i, &row, 1) > i);
    return row;
}

static void expect_row(oryx_machine *m, uint64_t i, uint64_t first, uint64_t last, oryx_region *r,
                       uint64_t offset)
{
    oryx_view_row row = row_at(m, i);
    assert_int_equal(row.first, first);
    assert_int_equal(row.last, last);
    assert_ptr_equal(row.region, r);
    assert_int_equal(row.offset, offset);
}

static uint64_t rows(oryx_machine *m)
{
    return oryx_space_view(fake_space(m), 0, NULL, 0);
}

static void test_priority(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_region *low = fake_ram(m, "low", 0x3000, NULL), *high = fake_ram(m, "high", 0x1000, NULL);
    oryx_region *tie = fake_ram(m, "tie", 0x800, NULL);
    fake_add(fake_root(m), 0x1000, low, -5);
    fake_add(fake_root(m), 0x2000, high, 7);
    assert_int_equal(rows(m), 3);
    expect_row(m, 0, 0x1000, 0x1fff, low, 0);
    expect_row(m, 1, 0x2000, 0x2fff, high, 0);
    expect_row(m, 2, 0x3000, 0x3fff, low, 0x2000);
    /* A tie: the later added wins. */
    fake_add(fake_root(m), 0x2000, tie, 7);
    assert_int_equal(rows(m), 4);
    expect_row(m, 1, 0x2000, 0x27ff, tie, 0);
    expect_row(m, 2, 0x2800, 0x2fff, high, 0x800);
    /* Removed, the range is joined again; disabled, the gap shows what is lower. */
    assert_ok(oryx_region_remove(tie, NULL));
    expect_row(m, 1, 0x2000, 0x2fff, high, 0);
    assert_ok(oryx_region_enable(high, 0, NULL));
    assert_int_equal(rows(m), 1);
    expect_row(m, 0, 0x1000, 0x3fff, low, 0);
    assert_ok(oryx_region_enable(high, 1, NULL));
    assert_int_equal(rows(m), 3);
    fake_machine_free(m);
}

static void test_nesting(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    /* A parent with a backend fills the gaps of its children; a pure container lets siblings
     * through. */
    oryx_region *parent = fake_ram(m, "parent", 0x1000, NULL),
                *child = fake_ram(m, "child", 0x2000, NULL);
    oryx_region *box = fake_region(m, "container", "box", 0x1000),
                *in_box = fake_ram(m, "in_box", 0x10, NULL);
    oryx_region *under = fake_ram(m, "under", 0x1000, NULL);
    fake_add(parent, 0x800, child,
             -100); /* clipped to the parent, and above it whatever its priority */
    fake_add(fake_root(m), 0, parent, 0);
    expect_row(m, 0, 0, 0x7ff, parent, 0);
    expect_row(m, 1, 0x800, 0xfff, child, 0);
    fake_add(box, 0x100, in_box, 0);
    fake_add(fake_root(m), 0x10000, box, 1);
    fake_add(fake_root(m), 0x10000, under, 0);
    expect_row(m, 2, 0x10000, 0x100ff, under, 0);
    expect_row(m, 3, 0x10100, 0x1010f, in_box, 0);
    expect_row(m, 4, 0x10110, 0x10fff, under, 0x110);
    assert_ok(oryx_region_enable(box, 0, NULL));
    expect_row(m, 2, 0x10000, 0x10fff, under, 0);
    fake_machine_free(m);
}

static void test_protection_and_alias(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_region *ram = fake_ram(m, "ram", 0x4000, NULL),
                *box = fake_region(m, "container", "box", 0x2000);
    oryx_region *alias = fake_alias(m, "alias", 0x2000, ram, 0x3000),
                *second = fake_alias(m, "second", 0x1000, box, 0x800);
    fake_add(fake_root(m), 0, ram, 0);
    fake_add(box, 0, alias, 0);
    fake_add(fake_root(m), 0x100000, box, 0);
    assert_ok(oryx_region_protect(box, ORYX_PROT_READ | ORYX_PROT_EXEC, NULL));
    /* The alias shows [0x3000, 0x4000) of ram and a hole after it; the container's read-only is
     * inherited. */
    expect_row(m, 1, 0x100000, 0x100fff, ram, 0x3000);
    assert_int_equal(row_at(m, 0).prot, ORYX_PROT_ALL);
    assert_int_equal(row_at(m, 1).prot, ORYX_PROT_READ | ORYX_PROT_EXEC);
    assert_int_equal(rows(m), 2);
    /* An alias of the container shows what the container shows, clipped. */
    fake_add(fake_root(m), 0x200000, second, 0);
    expect_row(m, 2, 0x200000, 0x2007ff, ram, 0x3800);
    assert_int_equal(row_at(m, 2).prot, ORYX_PROT_READ | ORYX_PROT_EXEC);
    /* A change below an alias's target reaches the alias. */
    assert_ok(oryx_region_enable(alias, 0, NULL));
    assert_int_equal(rows(m), 1);
    fake_machine_free(m);
}

static void test_limits(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_error err;
    /* The last byte of 2^64, and a region that would pass it. */
    oryx_region *top = fake_ram(m, "top", 0x2000, NULL),
                *all = fake_region(m, "container", "all", 0);
    fake_add(fake_root(m), UINT64_MAX - 0xfff, top, 1);
    expect_row(m, 0, UINT64_MAX - 0xfff, UINT64_MAX, top, 0);
    assert_int_equal(oryx_region_last(all), UINT64_MAX);
    fake_add(fake_root(m), 0, all, 0);
    oryx_region *deep = fake_ram(m, "deep", 0x1000, NULL);
    fake_add(all, UINT64_MAX - 0x1fff, deep, 0);
    expect_row(m, 0, UINT64_MAX - 0x1fff, UINT64_MAX - 0x1000, deep, 0);
    /* Refusals. */
    assert_int_equal(oryx_region_add(deep, 0, all, 0, &err), ORYX_E_BUSY);
    oryx_region *loop = fake_alias(m, "loop", 0x1000, fake_root(m), 0);
    assert_int_equal(oryx_region_add(all, 0, loop, 0, &err), ORYX_E_INVALID);
    assert_non_null(strstr(err.text, "cycle"));
    oryx_region *a = fake_region(m, "container", "a", 64),
                *b = fake_region(m, "container", "b", 64);
    fake_add(a, 0, b, 0);
    assert_int_equal(oryx_region_add(b, 0, a, 0, &err), ORYX_E_INVALID);
    assert_int_equal(oryx_region_add(b, 0, b, 0, &err), ORYX_E_BUSY);
    oryx_region *clash = fake_ram(m, "clash", 0x100, NULL);
    assert_int_equal(oryx_region_add_exclusive(all, UINT64_MAX - 0x10ff, clash, &err),
                     ORYX_E_OVERLAP);
    assert_non_null(strstr(err.text, "clash"));
    assert_non_null(strstr(err.text, "deep"));
    assert_ok(oryx_region_add_exclusive(all, 0x5000, clash, &err));
    assert_int_equal(oryx_region_destroy(clash, &err), ORYX_E_BUSY);
    assert_ok(oryx_region_remove(clash, &err));
    assert_ok(oryx_region_destroy(clash, &err));
    assert_int_equal(oryx_region_destroy(fake_root(m), &err), ORYX_E_BUSY);
    oryx_region *target = fake_ram(m, "target", 0x100, NULL),
                *use = fake_alias(m, "use", 0x100, target, 0);
    assert_int_equal(oryx_region_destroy(target, &err), ORYX_E_BUSY);
    assert_non_null(strstr(err.text, "use"));
    assert_ok(oryx_region_destroy(use, &err));
    assert_ok(oryx_region_destroy(target, &err));
    /* Nesting is bounded, so no tree can exhaust the stack. */
    oryx_region *at = fake_region(m, "container", "level", 64);
    oryx_status st = ORYX_OK;
    for (unsigned i = 0; i < 300 && !st; i++) {
        oryx_region *over = fake_region(m, "container", "level", 64);
        st = oryx_region_add(over, 0, at, 0, &err);
        at = over;
    }
    assert_int_equal(st, ORYX_E_RANGE);
    fake_machine_free(m);
}

static void test_transactions(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_region *a = fake_ram(m, "a", 0x1000, NULL), *b = fake_ram(m, "b", 0x1000, NULL);
    assert_int_equal(oryx_txn_commit(m, NULL), ORYX_E_STATE);
    oryx_txn_begin(m);
    fake_add(fake_root(m), 0, a, 0);
    oryx_txn_begin(m);
    fake_add(fake_root(m), 0x8000, b, 0);
    assert_ok(oryx_txn_commit(m, NULL));
    assert_int_equal(rows(m), 0);
    assert_ok(oryx_txn_commit(m, NULL));
    assert_int_equal(rows(m), 2);
    assert_ok(oryx_region_move(b, 0x1000, NULL));
    expect_row(m, 1, 0x1000, 0x1fff, b, 0);
    fake_machine_free(m);
}

/* --- the property: any tree, any change, every byte ------------------------------------------- */

#define SPAN 192u /* bytes of each window that are compared */

static uint64_t rng;

static uint32_t rnd(uint32_t n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)((rng >> 20) % n);
}

/* The model: a tree of its own that answers for one address by the rules, without views. */
struct node {
    oryx_region *region;
    int kind; /* 0 container, 1 leaf, 2 alias */
    uint64_t size, offset, target_offset;
    int32_t priority;
    unsigned added, enabled, prot;
    struct node *parent, *target;
};

struct answer {
    oryx_region *region;
    uint64_t offset;
    unsigned prot;
};

static struct node nodes[40];
static unsigned n_nodes, clock_added;

static int ask(const struct node *n, uint64_t offset, unsigned prot, struct answer *out)
{
    if (!n->enabled || offset > n->size - 1)
        return 0;
    prot &= n->prot;
    /* Children by priority, then by when they were added; the first that answers wins. */
    int done[40] = {0};
    for (;;) {
        const struct node *best = NULL;
        for (unsigned i = 0; i < n_nodes; i++) {
            const struct node *c = &nodes[i];
            if (c->parent == n && !done[i] &&
                (!best || c->priority > best->priority ||
                 (c->priority == best->priority && c->added > best->added)))
                best = c;
        }
        if (!best)
            break;
        done[best - nodes] = 1;
        if (offset >= best->offset && ask(best, offset - best->offset, prot, out))
            return 1;
    }
    if (n->kind == 2)
        return ask(n->target, offset + n->target_offset, prot, out);
    if (n->kind == 0)
        return 0;
    *out = (struct answer){n->region, offset, prot};
    return 1;
}

static void compare(oryx_machine *m, const struct node *root, uint64_t base, uint64_t seed)
{
    oryx_view_row list[1024];
    uint64_t n = oryx_space_view(fake_space(m), 0, list, 1024);
    assert_true(n < 1024);
    for (uint64_t i = 1; i < n; i++) {
        assert_true(list[i].first > list[i - 1].last);
        /* Neighbours that could be one row are one row. */
        if (list[i].first == list[i - 1].last + 1 && list[i].region == list[i - 1].region &&
            list[i].prot == list[i - 1].prot)
            assert_int_not_equal(list[i].offset,
                                 list[i - 1].offset + (list[i].first - list[i - 1].first));
    }
    for (uint64_t k = 0, i = 0; k < SPAN; k++) {
        uint64_t addr = base + k;
        if (addr < base)
            break;
        struct answer want = {0};
        int have = ask(root, addr, ORYX_PROT_ALL, &want);
        while (i < n && list[i].last < addr)
            i++;
        int got = i < n && list[i].first <= addr;
        if (have != got || (have && (want.region != list[i].region || want.prot != list[i].prot ||
                                     want.offset != list[i].offset + (addr - list[i].first))))
            fail_msg("seed %llu: address 0x%llx differs from the model", (unsigned long long)seed,
                     (unsigned long long)addr);
    }
}

static uint8_t leaf_memory[256];

static void one_tree(uint64_t seed)
{
    rng = seed * 0x9e3779b97f4a7c15u + 1;
    oryx_machine *m = fake_machine();
    /* Some trees live at the very top of the space. */
    uint64_t base = rnd(4) ? 0x7fff0 : UINT64_MAX - SPAN + 33;
    n_nodes = clock_added = 0;
    nodes[n_nodes++] = (struct node){.region = fake_root(m), .enabled = 1, .prot = ORYX_PROT_ALL};
    nodes[0].size = 0; /* 2^64 */
    unsigned want = 3 + rnd(30);
    while (n_nodes < want) {
        struct node *n = &nodes[n_nodes];
        *n = (struct node){.size = 1 + rnd(120), .enabled = 1, .prot = ORYX_PROT_ALL};
        n->kind = (int)rnd(3);
        if (n->kind == 2) {
            n->target = n_nodes > 1 ? &nodes[1 + rnd(n_nodes - 1)] : NULL;
            if (!n->target)
                n->kind = 1;
            else
                n->target_offset = rnd((uint32_t)n->target->size);
        }
        if (n->kind == 1)
            n->region = fake_ram(m, "leaf", n->size, leaf_memory);
        else if (n->kind == 0)
            n->region = fake_region(m, "container", "box", n->size);
        else
            n->region = fake_alias(m, "alias", n->size, n->target->region, n->target_offset);
        n_nodes++;
    }
    int in_txn = 0;
    for (unsigned step = 0; step < want * 2; step++) {
        struct node *n = &nodes[1 + rnd(n_nodes - 1)];
        switch (rnd(8)) {
        default:
            if (n->parent) {
                assert_ok(oryx_region_remove(n->region, NULL));
                n->parent = NULL;
            } else {
                struct node *p = rnd(3) ? &nodes[0] : &nodes[rnd(n_nodes)];
                uint64_t at = p == nodes ? base + rnd(SPAN) : rnd((uint32_t)p->size);
                int32_t priority = (int32_t)rnd(4) - 2;
                /* Cycles are refused by both: the library says which ones they are, and a wrong
                 * acceptance would hang the model, a wrong refusal is caught by test_limits. */
                if (p != n && at >= (p == nodes ? base : 0) &&
                    !oryx_region_add(p->region, at, n->region, priority, NULL)) {
                    n->parent = p;
                    n->offset = at;
                    n->priority = priority;
                    n->added = ++clock_added;
                }
            }
            break;
        case 0:
            n->enabled = !n->enabled;
            assert_ok(oryx_region_enable(n->region, n->enabled, NULL));
            break;
        case 1:
            n->prot = 1 + rnd(7);
            assert_ok(oryx_region_protect(n->region, n->prot, NULL));
            break;
        case 2:
            if (n->parent) {
                n->offset = n->parent == nodes ? base + rnd(SPAN) : rnd((uint32_t)n->parent->size);
                if (n->parent == nodes && n->offset < base)
                    n->offset = base;
                assert_ok(oryx_region_move(n->region, n->offset, NULL));
            }
            break;
        case 3:
            if (in_txn)
                assert_ok(oryx_txn_commit(m, NULL));
            else
                oryx_txn_begin(m);
            in_txn = !in_txn;
            break;
        }
        if (!in_txn)
            compare(m, nodes, base, seed);
    }
    if (in_txn)
        assert_ok(oryx_txn_commit(m, NULL));
    compare(m, nodes, base, seed);
    fake_machine_free(m);
}

static void test_property(void **state)
{
    (void)state;
    uint64_t trees = getenv("ORYX_TEST_LONG") ? 50000 : 2000;
    for (uint64_t seed = 1; seed <= trees; seed++)
        one_tree(seed);
    print_message("%llu random trees equal to the model\n", (unsigned long long)trees);
}

/* A lattice of aliases, each level showing the one below twice: 2^40 ways. It is refused, not
 * tried. */
static void test_lattice(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_region *leaf = fake_ram(m, "leaf", 0x10, NULL),
                *at = fake_region(m, "container", "level", 0x100);
    oryx_error err = {0};
    oryx_status st = ORYX_OK;
    fake_add(at, 0, leaf, 0);
    for (unsigned i = 0; i < 40; i++) {
        oryx_region *over = fake_region(m, "container", "level", 0x100);
        fake_add(over, 0, fake_alias(m, "a", 0x100, at, 0), 0);
        fake_add(over, 0x20, fake_alias(m, "b", 0x100, at, 0), 0);
        at = over;
    }
    st = oryx_region_add(fake_root(m), 0, at, 0, &err);
    assert_int_equal(st, ORYX_E_RANGE);
    assert_null(at->parent);
    assert_int_equal(rows(m), 0);
    assert_ok(oryx_region_remove(leaf, &err));
    fake_machine_free(m);
}

static void test_many(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    oryx_region *last = NULL;
    for (uint64_t i = 0; i < 10000; i++) {
        last = fake_ram(m, "r", 0x1000, leaf_memory);
        fake_add(fake_root(m), i * 0x2000, last, 0);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    assert_int_equal(rows(m), 10000);
    expect_row(m, 9999, 9999 * 0x2000, 9999 * 0x2000 + 0xfff, last, 0);
    print_message("10,000 siblings added one by one: %.0f ms\n",
                  (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6);
    fake_machine_free(m);
}

/* Every allocation of a change fails once; nothing may change, and the same change must work
 * afterwards. */
static void test_allocation_failures(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_region *a = fake_ram(m, "a", 0x1000, NULL), *b = fake_ram(m, "b", 0x1000, NULL);
    fake_add(fake_root(m), 0, a, 0);
    unsigned failures = 0;
    for (int64_t n = 0;; n++) {
        oryx_error err = {0};
        oryx__alloc_left = n;
        oryx_status st = oryx_region_add(fake_root(m), 0x800, b, 1, &err);
        oryx__alloc_left = -1;
        if (!st)
            break;
        assert_int_equal(st, ORYX_E_NOMEM);
        assert_int_equal(err.code, ORYX_E_NOMEM);
        assert_int_equal(rows(m), 1);
        assert_null(b->parent);
        failures++;
    }
    assert_true(failures >= 2);
    assert_int_equal(rows(m), 2);
    for (int64_t n = 0;; n++) {
        oryx__alloc_left = n;
        oryx_status st = oryx_region_remove(b, NULL);
        oryx__alloc_left = -1;
        if (!st)
            break;
        assert_int_equal(rows(m), 2);
        assert_ptr_equal(b->parent, fake_root(m));
    }
    assert_int_equal(rows(m), 1);
    for (int64_t n = 0;; n++) {
        oryx_region *r = NULL;
        oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = "c", .last = 0xfff};
        oryx__alloc_left = n;
        oryx_status st = oryx_region_new(m, "ram", &c, &r, NULL);
        oryx__alloc_left = -1;
        if (!st)
            break;
        assert_null(r);
    }
    for (int64_t n = 0;; n++) {
        oryx_space *s = NULL;
        oryx__alloc_left = n;
        oryx_status st = oryx_space_new(m, "other", &s, NULL);
        oryx__alloc_left = -1;
        if (!st)
            break;
        assert_null(oryx_space_get(m, "other"));
    }
    fake_machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_priority),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_protection_and_alias),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_transactions),
        cmocka_unit_test(test_property),
        cmocka_unit_test(test_lattice),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests_name("mem_view", tests, NULL, NULL);
}
