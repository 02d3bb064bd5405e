/* The `oryx` command: picks the subcommand. Built on the public ABI only. Each subcommand is one file, cmd_<name>. */
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const struct {
    const char *name;
    tool_fn fn;
    const char *text;
} commands[] = {
    { "run", cmd_run, "run a program of a foreign CPU" },
    { "machine", cmd_machine, "run a machine described by a JSON file" },
    { "mtree", cmd_mtree, "show a machine's regions and flat view, draw its address map" },
    { "exec", cmd_exec, "drive a CPU by JSON lines: one case in, one result out" },
    { "dis", cmd_dis, "disassemble bytes or a file" },
    { "plugins", cmd_plugins, "list, show and verify plugins" },
    { "arch", cmd_arch, "list architectures, their registers, modes and CPU models" },
};

static void help(FILE *f)
{
    fprintf(f, "usage: oryx COMMAND [OPTIONS] ...\n\n%sCommands%s\n", tool_bold(f), tool_plain(f));
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        fprintf(f, "  %-9s %s\n", commands[i].name, commands[i].text);
    fprintf(f,
            "\n%sExamples%s\n"
            "  oryx run ./hello-arm64\n"
            "  oryx run --plugin probe-count ./hello-arm64\n"
            "  oryx run --sysroot /srv/arm64 /bin/ls -l\n"
            "  oryx machine --check board.json\n"
            "  oryx dis --arch arm64 20008052c0035fd6\n"
            "  oryx plugins\n\n"
            "'oryx COMMAND --help' explains a command. Manual: oryx(1).\n",
            tool_bold(f), tool_plain(f));
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    tool_output_begin();
    if (!name) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        help(stdout);
        return 0;
    }
    if (!strcmp(name, "--version")) {
        printf("oryx %s (plugin ABI %d.%d)\n", oryx_version(), ORYX_ABI_MAJOR, ORYX_ABI_MINOR);
        return 0;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (!strcmp(name, commands[i].name))
            return commands[i].fn(argc - 1, argv + 1);
    return tool_fail(EXIT_USAGE, "no command '%s': 'oryx --help' lists them", name);
}
