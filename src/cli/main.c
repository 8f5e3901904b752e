/* The program: finds the subcommand, runs it, turns its status into message and exit status. */
#include "cli/commands.h"
#include "cli/help_fields.h"
#include "eex/eex.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Its arguments are names of commands, whatever they look like. */
static const eex_cmd help = {.name = "help", .brief = "show help, of a command when one is named"};

static const eex_cmd *const commands[] = {
    &eex_cmd_run,     &eex_cmd_show, &eex_cmd_infer, &eex_cmd_prune, &eex_cmd_stream,
    &eex_cmd_profile, &eex_cmd_data, &eex_cmd_cost,  &eex_cmd_tune,  &eex_cmd_devices,
    &eex_cmd_repl,    &help,         NULL,
};

static int unknown(const char *name)
{
    return eex_cmd_unknown(*name == '-' ? "option" : "command", name, commands);
}

static void overview(void)
{
    printf("usage: eex COMMAND ...\n\n"
           "Finds, trains, calibrates and runs early-exit neural networks.\n\ncommands:\n");
    for (const eex_cmd *const *c = commands; *c; c++)
        printf("  %-10s %s\n", (*c)->name, (*c)->brief);
    printf("\n\"eex help COMMAND\" has the options of each. The first thing to try:\n"
           "  eex run experiments/quickstart.lua\n");
}

static int show_help(const char *name)
{
    if (!name || strcmp(name, "help") == 0 || strcmp(name, "--help") == 0) {
        overview();
        return EEX_OK;
    }
    if (strcmp(name, "fields") == 0)
        return eex_help_fields();
    const eex_cmd *cmd = eex_cmd_find(commands, name);
    if (!cmd)
        return unknown(name);
    eex_cmd_help(cmd);
    return EEX_OK;
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
        return show_help(NULL);
    const eex_cmd *cmd = eex_cmd_find(commands, name);
    if (!cmd)
        return unknown(name);
    return cmd == &help ? show_help(argv[2]) : eex_cmd_perform(cmd, argc - 1, argv + 1);
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
        code = eex_fs_open_standard();
    if (code == EEX_OK)
        code = eex_init();
    if (code == EEX_OK)
        code = dispatch(argc, argv);
    const bool lost = ferror(stdout); /* in a flush before, whose errno is gone */
    if ((fflush(stdout) != 0 || lost) && code == EEX_OK)
        code = eex_fail(EEX_EIO, "cannot write to the standard output: %s",
                        lost ? "some of it got lost" : strerror(errno));
    if (code != EEX_OK)
        eex_log_error("%s", eex_error());
    return exit_status(code);
}
