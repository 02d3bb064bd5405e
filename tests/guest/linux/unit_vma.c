/* The mapping list of os-linux against a plain model: one byte of protection a page. Random maps, unmaps and protections,
 * then every page, every hole search and the invariants are compared. The model is the oracle; the seed is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../plugins/os-linux/vma.c"

#define PAGES 256
#define NO_MAP 0xff

static uint64_t seed = 0x9e3779b97f4a7c15ull;
static uint32_t next(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % n;
}

static void compare(lx_mm *mm, const uint8_t *model)
{
    for (uint64_t p = 0; p < PAGES; p++) {
        vma *v = vma_find(mm, p * LX_PAGE + next(LX_PAGE));
        assert_int_equal(v ? (int)v->prot : NO_MAP, model[p]);
    }
    for (size_t i = 0; i < mm->n; i++) {
        assert_true(mm->v[i].start < mm->v[i].end);
        if (i + 1 < mm->n)
            assert_true(mm->v[i].end <= mm->v[i + 1].start);
        if (i + 1 < mm->n && mm->v[i].end == mm->v[i + 1].start) /* else they would be one */
            assert_int_not_equal(mm->v[i].prot, mm->v[i + 1].prot);
    }
}

static void against_model(void **state)
{
    (void)state;
    lx_mm mm;
    uint8_t model[PAGES];
    print_message("seed %#llx\n", (unsigned long long)seed);
    memset(&mm, 0, sizeof(mm));
    memset(model, NO_MAP, sizeof(model));
    for (int round = 0; round < 20000; round++) {
        uint32_t from = next(PAGES), n = 1 + next(next(4) ? 6 : PAGES), prot = next(8);
        if (from + n > PAGES)
            n = PAGES - from;
        uint64_t start = (uint64_t)from * LX_PAGE, end = start + (uint64_t)n * LX_PAGE;
        vma v = {.start = start, .end = end, .prot = prot};
        int covered = memchr(model + from, NO_MAP, n) == NULL;
        assert_int_equal(vma_covers(&mm, start, end), covered);
        switch (next(3)) {
        case 0:
            assert_int_equal(vma_carve(&mm, start, end), 0);
            assert_int_equal(vma_insert(&mm, &v), 0);
            memset(model + from, (int)prot, n);
            break;
        case 1:
            assert_int_equal(vma_carve(&mm, start, end), 0);
            memset(model + from, NO_MAP, n);
            break;
        default:
            assert_int_equal(vma_set_prot(&mm, start, end, prot), 0);
            for (uint32_t p = from; p < from + n; p++)
                if (model[p] != NO_MAP)
                    model[p] = (uint8_t)prot;
        }
        if (round % 16 == 0)
            compare(&mm, model);
        /* The highest hole of n pages below `high` and not below page 1. */
        uint32_t high = 1 + next(PAGES), want = 0;
        for (uint32_t p = 1; p + n <= high; p++) {
            uint32_t k = 0;
            while (k < n && model[p + k] == NO_MAP)
                k++;
            if (k == n)
                want = p;
        }
        assert_int_equal(vma_gap(&mm, (uint64_t)n * LX_PAGE, LX_PAGE, (uint64_t)high * LX_PAGE), (uint64_t)want * LX_PAGE);
    }
    free(mm.v);
}

/* Parts of a file mapping keep their own file offset, and joined parts are one again. */
static void file_offsets(void **state)
{
    (void)state;
    lx_mm mm;
    lx_file *f = calloc(1, sizeof(*f) + 1);
    memset(&mm, 0, sizeof(mm));
    f->refs = 1;
    vma v = {.start = 0x10000, .end = 0x20000, .offset = 0x5000, .prot = 1, .flags = VMA_FILE, .file = f};
    assert_int_equal(vma_insert(&mm, &v), 0);
    assert_int_equal(vma_set_prot(&mm, 0x14000, 0x18000, 3), 0);
    assert_int_equal(mm.n, 3);
    assert_int_equal(vma_find(&mm, 0x14000)->offset, 0x9000);
    assert_int_equal(vma_find(&mm, 0x18000)->offset, 0xd000);
    assert_int_equal(f->refs, 4);
    assert_int_equal(vma_set_prot(&mm, 0x14000, 0x18000, 1), 0);
    assert_int_equal(mm.n, 1);
    assert_int_equal(mm.v[0].offset, 0x5000);
    assert_int_equal(vma_carve(&mm, 0x11000, 0x12000), 0);
    assert_int_equal(vma_find(&mm, 0x12000)->offset, 0x7000);
    assert_int_equal(vma_carve(&mm, 0, 0x20000), 0);
    assert_int_equal(f->refs, 1);
    lx_file_unref(f);
    free(mm.v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(against_model), cmocka_unit_test(file_offsets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
