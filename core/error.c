/* Error text: the one place that formats oryx_error, and the names of statuses, exits and exceptions.
 *
 * Called from everywhere. Invariant: text is always one NUL-terminated line that fits its buffer. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core.h"

oryx_status oryx__error(oryx_error *err, oryx_status code, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        err->code = code;
        err->reserved = 0;
        vsnprintf(err->text, sizeof(err->text), fmt, ap);
        va_end(ap);
        for (char *p = err->text; *p; p++)
            if (*p == '\n')
                *p = ' ';
    }
    return code;
}

oryx_status oryx_error_set(oryx_error *err, oryx_status code, const char *text)
{
    return oryx__error(err, code, "%s", text ? text : oryx_status_text(code));
}

const char *oryx_status_text(oryx_status s)
{
    switch (s) {
#define STATUS(name, value, text) \
    case value:                   \
        return text;
#include "oryx_status.def"
#undef STATUS
    }
    return "unknown status";
}

const char *oryx_exit_text(uint32_t reason)
{
    static const char *const text[] = {
#define EXIT(name, text) text,
        ORYX_EXITS(EXIT)
#undef EXIT
    };
    return reason < G_N_ELEMENTS(text) ? text[reason] : "unknown exit";
}

const char *oryx_exc_text(uint32_t kind)
{
    static const char *const text[] = {
#define EXC(name, text) text,
#include "oryx_exc.def"
#undef EXC
    };
    return kind < G_N_ELEMENTS(text) ? text[kind] : "unknown exception";
}

const char *oryx_version(void)
{
    return ORYX_VERSION;
}

uint64_t oryx__env_number(const char *name, uint64_t fallback, uint64_t low, uint64_t high)
{
    const char *text = g_getenv(name);
    if (!text || !*text)
        return fallback;
    char *end;
    uint64_t n = g_ascii_strtoull(text, &end, 10);
    return *end || n < low || n > high ? fallback : n;
}
