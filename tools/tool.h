/* What the subcommands of `oryx` share: exit codes, options, tables, JSON, parsing. */
#ifndef TOOL_H
#define TOOL_H

#include <glib.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

#include "oryx.h"

/* Exit codes of the command itself; `run` gives the guest's own code when there is one. */
enum { EXIT_USAGE = 2, EXIT_TOOL = 125, EXIT_CANNOT_RUN = 126, EXIT_MISSING = 127 };

typedef int (*tool_fn)(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_dis(int argc, char **argv);
int cmd_plugins(int argc, char **argv);
int cmd_arch(int argc, char **argv);
int cmd_machine(int argc, char **argv);
int cmd_mtree(int argc, char **argv);

/* Parse argv by entries (strict: options end at the first operand). usage: the operands; help: text with examples below.
 * Prints an error and returns false when the words are off; --help prints and exits 0. argc and argv are updated. */
bool tool_options(int *argc, char ***argv, const GOptionEntry *entries, const char *usage, const char *help);
/* From now on the process ends with EXIT_TOOL and a line when what it printed could not be written. */
void tool_output_begin(void);
/* That line, by errno, once; returns EXIT_TOOL. */
int tool_output_failed(void);
/* "oryx: text" on stderr; returns code. */
int tool_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Exit code for a failed core call: MISSING, CANNOT_RUN or TOOL. */
int tool_code(oryx_status s);

/* 0x-hex or decimal; false when text is not wholly a number of at most 64 bits. */
bool tool_number(const char *text, uint64_t *out);
/* Hex digits (white space allowed) to bytes; NULL when malformed. */
GByteArray *tool_hex(const char *text);

/* Set engine and engine_options of a machine from "NAME", "lockstep:A,B" or either with ",key=value"s behind it; the strings are
 * allocated, NULL for none. */
void tool_engine(const char *spec, char **name, char **options);

/* table.c: an aligned table. columns: "Name|>Size|Text", '>' aligns right. */
typedef struct tool_table tool_table;
tool_table *table_new(const char *columns);
void table_row(tool_table *t, ...) __attribute__((sentinel)); /* strings, NULL-terminated, one a column */
void table_print(tool_table *t, FILE *f); /* and frees */
void table_free(tool_table *t);
/* Colour escape when f is a terminal and NO_COLOR is not set, else "". */
const char *tool_bold(FILE *f);
const char *tool_dim(FILE *f);
const char *tool_plain(FILE *f);
void tool_json(struct json_object *o, FILE *f); /* one object, pretty when f is a terminal; frees */

/* watch.c: "ADDR[,LEN][,r|w|rw|x]" (1 byte, w) into a config; false when it is something else. A hit in words; numbers as text. */
bool tool_watch(const char *spec, oryx_watch_config *out);
const char *tool_watch_access(const oryx_watch_hit *hit);
void tool_watch_number(const oryx_watch_hit *hit, oryx_v128 v, char text[40]);
/* --watch: are they all right (else that is said); print what hits them. */
bool tool_watches_known(const char *command, char **specs);
bool tool_watches_add(oryx_machine *m, char **specs, oryx_error *err);

/* run_plugins.c: load `--plugin P[,k=v...]` specs into a machine and attach the probes they provide. */
bool tool_plugins_attach(oryx_machine *m, char **specs, oryx_error *err);
/* Plugin files named by specs (paths), for oryx_machine_config.plugins; free with g_strfreev. */
char **tool_plugin_files(char **specs);

#endif
