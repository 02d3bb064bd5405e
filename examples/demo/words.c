/* Makes words, counts them in a hash table, sorts the table: several functions of different weight, so that a table per
 * symbol says something. */
#include "tiny.h"

#define WORDS 30000u
#define SLOTS 4096u

struct entry {
    char word[8];
    uint32_t count;
};

static struct entry table[SLOTS];
static uint32_t n_entries;

static uint32_t __attribute__((noinline)) next_random(void)
{
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* One or two syllables of a consonant and a vowel: 75 or 75 * 75 words, the short ones often. */
static void __attribute__((noinline)) make_word(char *word)
{
    static const char consonants[] = "bdfghklmnprstvz", vowels[] = "aeiou";
    uint32_t r = next_random(), syllables = (r & 7) == 0 ? 2 : 1, n = 0;
    for (uint32_t i = 0; i < syllables; i++) {
        r = next_random() >> 8;
        word[n++] = consonants[r % 15];
        word[n++] = vowels[r / 15 % 5];
    }
    while (n < 8)
        word[n++] = 0;
}

static uint32_t __attribute__((noinline)) hash(const char *word)
{
    uint32_t h = 2166136261u;
    for (; *word; word++)
        h = (h ^ (uint8_t)*word) * 16777619u;
    return h;
}

static int __attribute__((noinline)) compare(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

static void __attribute__((noinline)) count_word(const char *word)
{
    uint32_t i = hash(word) % SLOTS;
    while (table[i].count && compare(table[i].word, word))
        i = (i + 1) % SLOTS;
    if (!table[i].count++)
        for (uint32_t k = 0; k < 8; k++)
            table[i].word[k] = word[k];
}

static void __attribute__((noinline)) pack_table(void)
{
    for (uint32_t i = 0; i < SLOTS; i++)
        if (table[i].count)
            table[n_entries++] = table[i];
}

/* Most frequent first, then by spelling. */
static int __attribute__((noinline)) before(const struct entry *a, const struct entry *b)
{
    return a->count != b->count ? a->count > b->count : compare(a->word, b->word) < 0;
}

static void __attribute__((noinline)) sort(int32_t lo, int32_t hi)
{
    while (lo < hi) {
        struct entry pivot = table[lo + (hi - lo) / 2];
        int32_t i = lo, k = hi;
        while (i <= k) {
            while (before(&table[i], &pivot))
                i++;
            while (before(&pivot, &table[k]))
                k--;
            if (i <= k) {
                struct entry t = table[i];
                table[i++] = table[k];
                table[k--] = t;
            }
        }
        sort(lo, k);
        lo = i;
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (uint32_t i = 0; i < WORDS; i++) {
        char word[8];
        make_word(word);
        count_word(word);
    }
    pack_table();
    sort(0, (int32_t)n_entries - 1);
    print_number(WORDS, 0);
    print(" words, ");
    print_number(n_entries, 0);
    print(" different; most frequent:");
    for (uint32_t i = 0; i < 5; i++) {
        print(" ");
        print(table[i].word);
        print("=");
        print_number(table[i].count, 0);
    }
    print("\n");
    return 0;
}
