/* The four parts that CoreMark is made of, in code of our own, once each a piece of work: a linked list of 96 records searched,
 * reversed and merge sorted through a comparison function; products of small matrices of 16-bit numbers; a state machine
 * over numbers in text, whose states are counted; and CRC-16, a bit at a time, of each result. Stands for what the
 * published slowdowns of emulators were measured on: short blocks, calls, a load or store in every third instruction. */
#include "bench.h"

enum { RECORDS = 96, SIZE = 12, TEXT = 512 };

typedef struct record {
    int16_t key, value;
} record;
typedef struct node {
    struct node *next;
    record *data;
} node;

static node nodes[RECORDS];
static record records[RECORDS];
static int16_t a[SIZE][SIZE], b[SIZE][SIZE];
static int32_t product[SIZE][SIZE];
static uint8_t text[TEXT];

/* CCITT's polynomial, reflected. */
static uint16_t crc_byte(uint8_t byte, uint16_t crc)
{
    for (int i = 0; i < 8; i++) {
        unsigned low = (byte ^ crc) & 1;
        byte >>= 1;
        crc >>= 1;
        if (low)
            crc ^= 0x8408;
    }
    return crc;
}

static uint16_t crc_word(uint32_t word, uint16_t crc)
{
    for (int i = 0; i < 32; i += 8)
        crc = crc_byte((uint8_t)(word >> i), crc);
    return crc;
}

/* --- the list ------------------------------------------------------------------------------------------------------------- */
static node *find(node *list, int16_t key)
{
    while (list && list->data->key != key)
        list = list->next;
    return list;
}

static node *reverse(node *list)
{
    node *done = NULL;
    while (list) {
        node *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

typedef int (*order)(const record *x, const record *y);

static __attribute__((noinline)) int by_key(const record *x, const record *y)
{
    return x->key - y->key;
}

static __attribute__((noinline)) int by_value(const record *x, const record *y)
{
    return x->value != y->value ? x->value - y->value : x->key - y->key;
}

static node *merge(node *x, node *y, order before)
{
    node first, *last = &first;
    while (x && y) {
        node **from = before(x->data, y->data) <= 0 ? &x : &y;
        last->next = *from;
        last = *from;
        *from = last->next;
    }
    last->next = x ? x : y;
    return first.next;
}

static __attribute__((noinline)) node *sort(node *list, unsigned n, order before)
{
    node *middle = list, *rest;
    if (n < 2)
        return list;
    for (unsigned i = 1; i < n / 2; i++)
        middle = middle->next;
    rest = middle->next;
    middle->next = NULL;
    return merge(sort(list, n / 2, before), sort(rest, n - n / 2, before), before);
}

static __attribute__((noinline)) uint16_t do_list(uint32_t *seed, uint16_t crc)
{
    static node *list;
    if (!list)
        for (int i = RECORDS; i-- > 0; list = &nodes[i])
            nodes[i] = (node){list, &records[i]};
    for (int i = 0; i < 8; i++) {
        node *found = find(list, (int16_t)(bench_random(seed) % (2 * RECORDS)));
        if (found)
            crc = crc_word((uint16_t)found->data->value++, crc);
        list = reverse(list);
    }
    list = sort(list, RECORDS, by_value);
    crc = crc_word((uint16_t)list->data->key, crc);
    list = sort(list, RECORDS, by_key);
    return crc_word((uint16_t)list->next->data->value, crc);
}

/* --- matrices ------------------------------------------------------------------------------------------------------------- */
static __attribute__((noinline)) void multiply(void)
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            int32_t sum = 0;
            for (int k = 0; k < SIZE; k++)
                sum = (int32_t)((uint32_t)sum + (uint32_t)((int32_t)a[i][k] * b[k][j]));
            product[i][j] = sum;
        }
}

static __attribute__((noinline)) uint16_t do_matrix(uint32_t *seed, uint16_t crc)
{
    int16_t add = (int16_t)(bench_random(seed) & 15);
    uint32_t sum = 0;
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++)
            a[i][j] = (int16_t)(a[i][j] + add);
    multiply();
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++)
            sum += product[i][j] > 0 ? (uint32_t)product[i][j] >> 4 & 127 : 1;
    return crc_word(sum, crc);
}

/* --- states --------------------------------------------------------------------------------------------------------------- */
enum state { START, SIGN, INTEGER, FRACTION, EXPONENT, DIGITS, INVALID, STATES };

static enum state step(enum state s, uint8_t c)
{
    int digit = c >= '0' && c <= '9';
    switch (s) {
    case START: return digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? FRACTION : INVALID;
    case SIGN: return digit ? INTEGER : c == '.' ? FRACTION : INVALID;
    case INTEGER: return digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case FRACTION: return digit ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case EXPONENT: return digit || c == '+' || c == '-' ? DIGITS : INVALID;
    case DIGITS: return digit ? DIGITS : INVALID;
    default: return INVALID;
    }
}

static __attribute__((noinline)) uint16_t do_states(uint32_t *seed, uint16_t crc)
{
    uint32_t ends[STATES] = {0}, steps[STATES] = {0};
    text[bench_random(seed) % TEXT] ^= 1;
    enum state s = START;
    for (int i = 0; i < TEXT; i++) {
        if (text[i] == ',') {
            ends[s]++;
            s = START;
            continue;
        }
        enum state t = step(s, text[i]);
        steps[t] += t != s;
        s = t;
    }
    for (int i = 0; i < STATES; i++)
        crc = crc_word(ends[i] + steps[i], crc);
    return crc;
}

uint64_t kernel(uint64_t n)
{
    static const char *const numbers[] = {"12,", "-0.5,", "+3.14e2,", "1e-9,", "77x,", "5012,", ".25,", "9e,"};
    uint32_t seed = 17;
    for (int i = 0; i < RECORDS; i++)
        records[i] = (record){(int16_t)i, (int16_t)(bench_random(&seed) & 0x3ff)};
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            a[i][j] = (int16_t)(bench_random(&seed) & 255);
            b[i][j] = (int16_t)(bench_random(&seed) & 255);
        }
    for (int at = 0; at < TEXT;)
        for (const char *p = numbers[bench_random(&seed) & 7]; *p && at < TEXT; p++)
            text[at++] = (uint8_t)*p;
    uint64_t sum = 0;
    uint16_t crc = 0xffff;
    for (; n; n--) {
        crc = do_list(&seed, crc);
        crc = do_matrix(&seed, crc);
        crc = do_states(&seed, crc);
        sum = bench_mix(sum, crc);
    }
    return sum;
}
