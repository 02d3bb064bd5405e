/* The Mandelbrot set in letters: double-precision arithmetic and comparisons. */
#include "tiny.h"

#define LIMIT 80

static int __attribute__((noinline)) escape(double cr, double ci)
{
    double zr = 0, zi = 0;
    int n = 0;
    while (n < LIMIT && zr * zr + zi * zi < 4) {
        double t = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = t;
        n++;
    }
    return n;
}

int main(int argc, char **argv)
{
    static const char shades[] = " .,:;-=+*oO&%#@";
    (void)argc;
    (void)argv;
    for (int y = -10; y <= 10; y++) {
        char line[72];
        for (int x = 0; x < 70; x++) {
            int n = escape(x / 24.0 - 2.2, y / 9.0);
            line[x] = n == LIMIT ? '@' : shades[n * (int)(sizeof shades - 2) / LIMIT];
        }
        line[70] = '\n';
        line[71] = 0;
        print(line);
    }
    return 0;
}
