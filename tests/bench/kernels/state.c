/* A hand-written scanner over 8 KiB of text a piece of work: words, decimal and hexadecimal
 * numbers, strings and comments are told apart and counted. Switches (jump tables) and short
 * blocks. */
#include "bench.h"

enum { SIZE = 8192 };
static char text[SIZE + 1];

enum state { SPACE, WORD, ZERO, DECIMAL, HEX, STRING, ESCAPE, COMMENT, PUNCT, STATES };

static void make_text(void)
{
    static const char *const parts[] = {"while ",      "x1 ",          "= ",       "0x1f ",
                                        "1234 ",       "\"a \\\"b\" ", "# note\n", "return(y);",
                                        "0 ",          "+ ",           "counter ", "[77] ",
                                        "0xdeadBEEF;", "9876543 ",     "'",        "if(z<10)\n"};
    uint32_t seed = 3;
    size_t at = 0;
    while (at < SIZE)
        for (const char *p = parts[bench_random(&seed) & 15]; *p && at < SIZE; p++)
            text[at++] = *p;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static enum state begin(char c)
{
    switch (c) {
    case ' ':
    case '\n':
        return SPACE;
    case '"':
        return STRING;
    case '#':
        return COMMENT;
    case '0':
        return ZERO;
    default:
        return is_digit(c) ? DECIMAL : is_letter(c) ? WORD : PUNCT;
    }
}

static enum state next(enum state s, char c, uint64_t *value)
{
    switch (s) {
    case WORD:
        if (is_letter(c) || is_digit(c)) {
            *value = *value * 31 + (uint8_t)c;
            return WORD;
        }
        return begin(c);
    case ZERO:
        if (c == 'x')
            return HEX;
        /* fall through */
    case DECIMAL:
        if (is_digit(c)) {
            *value = *value * 10 + (uint64_t)(c - '0');
            return DECIMAL;
        }
        return begin(c);
    case HEX:
        if (is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f')) {
            *value = *value << 4 | (uint64_t)(c & 15);
            return HEX;
        }
        return begin(c);
    case STRING:
        return c == '\\' ? ESCAPE : c == '"' ? SPACE : STRING;
    case ESCAPE:
        return STRING;
    case COMMENT:
        return c == '\n' ? SPACE : COMMENT;
    default:
        return begin(c);
    }
}

uint64_t kernel(uint64_t n)
{
    make_text();
    uint64_t sum = 0, value = 0;
    uint32_t counts[STATES] = {0};
    for (; n; n--) {
        enum state s = SPACE;
        for (const char *p = text; *p; p++) {
            enum state t = next(s, *p, &value);
            if (t != s) {
                counts[s]++;
                sum += value;
                value = 0;
            }
            s = t;
        }
    }
    for (int i = 0; i < STATES; i++)
        sum = bench_mix(sum, counts[i]);
    return sum;
}
