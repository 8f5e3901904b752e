/* The program: finds the subcommand, runs it, turns its status into message and exit status. */
#include "cli/commands.h"
#include "cli/options.h"
#include "eex/eex.h"

#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int cmd_help(int argc, char **argv);

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"run", eex_cmd_run, "run an experiment, or go on with it"},
    {"show", eex_cmd_show, "show what a run has found"},
    {"infer", eex_cmd_infer, "classify images"},
    {"prune", eex_cmd_prune, "cut a network after one of its exits"},
    {"stream", eex_cmd_stream, "classify frames as they come, from a file, a pipe or a folder"},
    {"profile", eex_cmd_profile, "show where the time of a network goes"},
    {"data", eex_cmd_data, "list, get, import, make and inspect data sets"},
    {"cost", eex_cmd_cost, "count what a network costs"},
    {"tune", eex_cmd_tune, "set when inputs leave a network, for a target of accuracy or cost"},
    {"devices", eex_cmd_devices, "list the devices that this program can use"},
    {"repl", eex_cmd_repl, "an interactive Lua prompt, with a run's results at hand"},
    {"help", cmd_help, "show help, of a command when one is named"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int find(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return i;
    return -1;
}

static int unknown(const char *name)
{
    const char *known[COMMANDS];
    for (int i = 0; i < COMMANDS; i++)
        known[i] = commands[i].name;
    return eex_options_unknown(*name == '-' ? "option" : "command", name, known, COMMANDS);
}

static void overview(void)
{
    printf("usage: eex COMMAND ...\n\n"
           "Finds, trains, calibrates and runs early-exit neural networks.\n\ncommands:\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    printf("\n\"eex help COMMAND\" has the options of each. The first thing to try:\n"
           "  eex run experiments/quickstart.lua\n");
}

static int cmd_help(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
        overview();
        return EEX_OK;
    }
    int i = find(argv[1]);
    if (i < 0)
        return unknown(argv[1]);
    char help[] = "--help";
    char *arguments[] = {argv[1], help, NULL};
    return commands[i].run(2, arguments);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        overview();
        return eex_fail(EEX_EINVAL, "a command is missing");
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        printf("eex %s\n", eex_version());
        return EEX_OK;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return cmd_help(1, argv);
    int i = find(name);
    return i < 0 ? unknown(name) : commands[i].run(argc - 1, argv + 1);
}

static int exit_status(int code)
{
    switch (code) {
    case EEX_OK:
        return 0;
    case EEX_EINVAL:
    case EEX_ESCRIPT:
        return 2;
    case EEX_EINTERRUPTED:
        return 130;
    default:
        return 1;
    }
}

/* With less, a call that is deep in a library ends the process without a word. What says so must do
 * with what there is. */
static void check_stack(void)
{
    enum { NEEDED = 256 * 1024 };
    static const char text[] = "error: the stack is limited to less than 256 KiB: ulimit -s 8192\n";
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= NEEDED)
        return;
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(1);
}

int main(int argc, char **argv)
{
    check_stack();
    int code = eex_signals_install();
    if (code == EEX_OK)
        code = eex_init();
    if (code == EEX_OK)
        code = dispatch(argc, argv);
    if (fflush(stdout) != 0 && code == EEX_OK)
        code = eex_fail(EEX_EIO, "cannot write to the standard output: %s", strerror(errno));
    if (code != EEX_OK)
        eex_log_error("%s", eex_error());
    return exit_status(code);
}
