/* What the guest programs of this folder share: one line a fact. Output must not depend on addresses, ids or the clock,
 * because it is compared with the same program's under another emulator. */
#ifndef CHECK_H
#define CHECK_H
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAY(fmt, ...) (printf(fmt "\n", ##__VA_ARGS__), fflush(stdout))
/* A call's result, with the error's name when it failed. */
#define TRY(call)                                                                            \
    ({                                                                                       \
        errno = 0;                                                                           \
        long r_ = (long)(call);                                                              \
        if (r_ == -1)                                                                        \
            SAY("%s: -1 %s", #call, strerror(errno));                                        \
        else                                                                                 \
            SAY("%s: %s", #call, r_ < 0 ? "negative" : r_ ? "positive" : "0");               \
        r_;                                                                                  \
    })
#define VALUE(expr) SAY("%s = %lld", #expr, (long long)(expr))
#define TEXT(expr) SAY("%s = \"%s\"", #expr, (expr))
#endif
