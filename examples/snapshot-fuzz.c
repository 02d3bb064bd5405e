/* A fuzzing loop: a snapshot in front of a guest's parser, then for every input: put it into guest memory, run, see what came
 * of it, and go back. No page is named anywhere: the snapshot knows what the guest wrote.
 *
 *   cc snapshot-fuzz.c -o snapshot-fuzz $(pkg-config --cflags --libs oryx) && ./snapshot-fuzz
 *
 * The parser compares four bytes one after the other and writes through a wild pointer when all are right. Inputs that make
 * it run longer than any before are kept, which finds the four bytes in some thousand rounds instead of four billion. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <oryx.h>

enum { CODE = 0x10000, RAM = 0x40000000, INPUT = RAM + 0x1000, SIZE = 4 };

static const uint32_t parser[] = {
    0x39400001, /* ldrb w1, [x0] */
    0x71013c3f, /* cmp  w1, #'O' */
    0x54000181, /* b.ne end */
    0x39400401, /* ldrb w1, [x0, #1] */
    0x7101483f, /* cmp  w1, #'R' */
    0x54000121, /* b.ne end */
    0x39400801, /* ldrb w1, [x0, #2] */
    0x7101643f, /* cmp  w1, #'Y' */
    0x540000c1, /* b.ne end */
    0x39400c01, /* ldrb w1, [x0, #3] */
    0x7101603f, /* cmp  w1, #'X' */
    0x54000061, /* b.ne end */
    0xb9001001, /* str  w1, [x0, #16] */
    0xb9000061, /* str  w1, [x3]        x3 is 0: nothing is there */
    0x14000000, /* end: b end */
};
static const uint64_t end = CODE + 4 * 14;

static oryx_error err;

static int failed(const char *what)
{
    fprintf(stderr, "snapshot-fuzz: %s: %s\n", what, err.text);
    return 1;
}

static uint32_t random_number(uint32_t n)
{
    static uint64_t seed = 1;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % n);
}

static oryx_status memory(oryx_machine *m, const char *name, uint64_t at, uint64_t size)
{
    oryx_region_config c = { .hdr = ORYX_HDR(oryx_region_config), .name = name, .last = size - 1 };
    oryx_region *r;
    oryx_status st = oryx_region_new(m, "ram", &c, &r, &err);
    return st ? st : oryx_region_add(oryx_space_root(oryx_space_get(m, "system")), at, r, 0, &err);
}

static int fuzz(oryx_machine *m, oryx_vcpu *v)
{
    oryx_space *s = oryx_space_get(m, "system");
    uint8_t best[SIZE] = { 0 }, input[SIZE];
    uint64_t deepest = 0, x0 = INPUT;
    oryx_snapshot *start;
    oryx_reg_write(v, oryx_reg_find(m, "x0"), &x0, sizeof x0);
    oryx_vcpu_set_pc(v, CODE);
    if (oryx_snapshot_take(m, NULL, &start, &err))
        return failed("snapshot");
    for (uint64_t round = 1; round <= 100000; round++) {
        oryx_limits_run limits = { .hdr = ORYX_HDR(oryx_limits_run), .count = 1000, .until = &end, .n_until = 1 };
        oryx_exit why = { .hdr = ORYX_HDR(oryx_exit) };
        memcpy(input, best, SIZE);
        input[random_number(SIZE)] = (uint8_t)random_number(256);
        if (oryx_space_write(s, INPUT, input, SIZE, 0) || oryx_vcpu_run(v, &limits, &why))
            return failed("run");
        if (why.reason == ORYX_EXIT_FAULT) {
            printf("round %" PRIu64 ": '%.*s' crashes it at 0x%" PRIx64 ", write to 0x%" PRIx64 "\n", round, SIZE, (char *)input,
                   why.exc.pc, why.exc.addr);
            oryx_snapshot_drop(start);
            return 0;
        }
        if (why.insns > deepest) {
            deepest = why.insns;
            memcpy(best, input, SIZE);
            printf("round %" PRIu64 ": %" PRIu64 " instructions\n", round, deepest);
        }
        if (oryx_snapshot_restore(start, &err))
            return failed("restore");
    }
    snprintf(err.text, sizeof err.text, "100000 rounds found nothing");
    return failed("fuzz");
}

int main(int argc, char **argv)
{
    oryx_machine_config mc = { .hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = argc > 1 ? argv[1] : NULL };
    oryx_machine *m;
    oryx_vcpu *v;
    if (oryx_machine_new(&mc, &m, &err))
        return failed("machine");
    if (memory(m, "code", CODE, 0x1000) || memory(m, "ram", RAM, 64 << 20) || oryx_vcpu_new(m, NULL, &v, &err))
        return failed("set-up");
    if (oryx_space_write(oryx_space_get(m, "system"), CODE, parser, sizeof parser, 0))
        return failed("code");
    int status = fuzz(m, v);
    oryx_machine_destroy(m);
    return status;
}
