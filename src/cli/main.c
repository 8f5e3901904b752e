/* The program: finds the subcommand, runs it, turns its status into message and exit status. */
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/help_fields.h"
#include "cli/help_lua.h"
#include "cli/help_terms.h"
#include "cli/manual.h"
#include "cli/print.h"
#include "eex/eex.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/numbers.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its arguments are names of commands, whatever they look like. */
static const eex_cmd help = {.name = "help", .brief = "show help, of a command when one is named"};

static const eex_cmd *const commands[] = {
    &eex_cmd_run,
    &eex_cmd_show,
    &eex_cmd_infer,
    &eex_cmd_prune,
    &eex_cmd_stream,
    &eex_cmd_profile,
    &eex_cmd_data,
    &eex_cmd_cost,
    &eex_cmd_tune,
    &eex_cmd_devices,
    &eex_cmd_rank,
    &eex_cmd_predictor,
    &eex_cmd_bottleneck,
    &eex_cmd_sweep,
    &eex_cmd_serve,
    &eex_cmd_repl,
    &eex_cmd_export,
    &eex_cmd_import,
    &eex_cmd_adapt,
    &eex_cmd_report,
    &eex_cmd_watch,
    &help,
    NULL,
};

static int unknown(const char *name)
{
    return eex_cmd_unknown(*name == '-' ? "option" : "command", name, commands);
}

static int overview(void)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_buffer_puts(&text, "usage: eex COMMAND ...\n\n"
                           "Finds, trains, calibrates and runs early-exit neural networks.\n\n"
                           "commands:\n");
    for (const eex_cmd *const *c = commands; *c; c++)
        eex_buffer_printf(&text, "  %-10s %s\n", (*c)->name, (*c)->brief);
    eex_buffer_puts(&text, "\nmore help:\n"
                           "  eex help COMMAND  the options of a command\n"
                           "  eex help fields   what an experiment file may say\n"
                           "  eex help lua      the library for scripts and the prompt\n"
                           "  eex help terms    the words of tables and of lines of progress\n"
                           "\nThe first thing to try:\n"
                           "  eex run experiments/quickstart.lua\n");
    return eex__print_paragraphs(&text);
}

/* What is no command but has a page of its own. */
static const struct {
    const char *name;
    int (*print)(void);
} pages[] = {{"fields", eex_help_fields}, {"lua", eex_help_lua}, {"terms", eex_help_terms},
             {"help", overview},          {"--help", overview},  {"-h", overview}};

static int too_many(const char *word)
{
    return eex_fail(EEX_EINVAL, "\"%s\" is one argument too many: eex help [COMMAND]", word);
}

/* Words: NULL at the end. A group's command is two words: "help data get". */
static int show_help(char *const *words)
{
    if (!words[0])
        return overview();
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(words[0], pages[i].name) == 0)
            return words[1] ? too_many(words[1]) : pages[i].print();
    const eex_cmd *cmd = eex_cmd_find(commands, words[0]);
    if (!cmd)
        return unknown(words[0]);
    const char *const name = words[1];
    if (cmd->commands && name) {
        const eex_cmd *const *group = cmd->commands;
        cmd = eex_cmd_find(group, name);
        if (!cmd)
            return eex_cmd_unknown("command", name, group);
        words++;
    }
    return words[1] ? too_many(words[1]) : eex_cmd_help(cmd);
}

/* "eex help COMMAND"; "eex help --man FOLDER" and "eex help --completion SHELL", which the
 * installation is made with, write manual pages and completion; "eex help lua --markdown" prints
 * docs/lua-api.md. */
static int help_about(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[2], "--man") == 0)
        return eex_manual_write(argv[3], commands);
    if (argc == 4 && strcmp(argv[2], "lua") == 0 && strcmp(argv[3], "--markdown") == 0)
        return eex_help_lua_page();
    if (argc == 4 && strcmp(argv[2], "--completion") == 0)
        return eex_completion_print(argv[3], commands);
    if (argc == 3 && strcmp(argv[2], "--completion") == 0)
        return eex_fail(EEX_EINVAL, "eex help --completion: of which shell? \"bash\" or \"zsh\"");
    if (argc == 3 && strcmp(argv[2], "--man") == 0)
        return eex_fail(EEX_EINVAL, "eex help --man: into which folder?");
    return show_help(argv + 2);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        EEX_TRY(overview());
        return eex_fail(EEX_EINVAL, "a command is missing");
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        printf("eex %s\n", eex_version());
        return EEX_OK;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return overview();
    const eex_cmd *cmd = eex_cmd_find(commands, name);
    if (!cmd)
        return unknown(name);
    return cmd == &help ? help_about(argc, argv) : eex_cmd_perform(cmd, argc - 1, argv + 1);
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
        return eex_signals_status();
    default:
        return 1;
    }
}

/* With less, calls that are deep in each other end the process without a word: the 200 of C that
 * Lua lets a script nest (LUAI_MAXCCALLS) need 0.5 MiB where all are of string.gsub, and what is
 * called at the bottom needs its own. What says so must do with what there is. */
static void check_stack(void)
{
    enum { NEEDED = 1024 * 1024 };
    static const char text[] = "error: the stack is limited to less than 1 MiB: ulimit -s 8192\n";
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= NEEDED)
        return;
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(1);
}

/* Results that were printed on the way may have been lost without a word. */
static int finish_output(int code)
{
    bool unread;
    if (code == EEX_OK)
        return eex__print_arrived(&unread, true);
    fflush(stdout);
    return code;
}

/* A umask that takes from the owner too would leave folders that nothing can be put into, and files
 * that the next command cannot read: whoever else is kept out stays so. */
static void keep_owner(void)
{
    umask(umask(0) & ~(mode_t)S_IRWXU);
}

int main(int argc, char **argv)
{
    check_stack();
    keep_owner();
    eex_numbers_begin(); /* for good: a trusted script may set a locale */
    int code = eex_signals_install();
    if (code == EEX_OK)
        code = eex_fs_open_standard();
    if (code == EEX_OK)
        code = eex_init();
    if (code == EEX_OK && eex_interrupted())
        code = eex_fail(EEX_EINTERRUPTED, "interrupted");
    if (code == EEX_OK)
        code = dispatch(argc, argv);
    code = finish_output(code);
    if (code != EEX_OK)
        eex_log_error("%s", eex_error());
    return exit_status(code);
}
