#include "cli/cmd.h"

#include "cli/out_file.h"
#include "cli/print.h"

#include "base/buffer.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COMMANDS = 32 };

/* ---- lists of commands ---- */

/* "make" of "data make". */
static const char *own_name(const eex_cmd *cmd)
{
    const char *blank = strrchr(cmd->name, ' ');
    return blank ? blank + 1 : cmd->name;
}

const eex_cmd *eex_cmd_find(const eex_cmd *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(own_name(*list), name) == 0)
            return *list;
    return NULL;
}

int eex_cmd_unknown(const char *kind, const char *name, const eex_cmd *const *list)
{
    const char *known[MAX_COMMANDS];
    size_t count = 0;
    for (; list[count] && count < MAX_COMMANDS; count++)
        known[count] = own_name(list[count]);
    return eex_options_unknown(kind, name, known, count);
}

/* ---- help ---- */

/* Within a group a command stands with the words that it needs: "import NAME PATH". */
static void describe_group(eex_buffer *out, const eex_cmd *group)
{
    eex_buffer_printf(out, "usage: eex %s COMMAND ...\n\n%s\n\n", group->name, group->summary);
    for (const eex_cmd *const *c = group->commands; *c; c++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", own_name(*c), (*c)->synopsis);
        left[strcspn(left, "[")] = '\0';
        eex_buffer_printf(out, "  %-20s %s\n", left, (*c)->brief);
    }
    eex_buffer_printf(out, "\neex %s COMMAND --help says more.\n", group->name);
}

int eex_cmd_help(const eex_cmd *cmd)
{
    eex_buffer text = EEX_BUFFER_INIT;
    if (cmd->commands) {
        describe_group(&text, cmd);
        return eex__print_paragraphs(&text);
    }
    eex_buffer_printf(&text, "usage: eex %s %s\n\n%s\n\n", cmd->name, cmd->synopsis, cmd->summary);
    eex_options_describe(&text, cmd->takes.options);
    if (cmd->details)
        eex_buffer_printf(&text, "\n%s\n", cmd->details);
    return eex__print_paragraphs(&text);
}

/* ---- running ---- */

static int check_words(const eex_cmd *cmd, const eex_words *words)
{
    if (words->count < cmd->words.least)
        return eex_fail(EEX_EINVAL, "eex %s needs more than that: eex %s %s", cmd->name, cmd->name,
                        cmd->synopsis);
    if (words->count > cmd->words.most)
        return eex_fail(EEX_EINVAL, "\"%s\" is one argument too many: eex %s %s",
                        words->at[cmd->words.most], cmd->name, cmd->synopsis);
    return EEX_OK;
}

static int parse_and_run(const eex_cmd *cmd, void *arguments, int argc, char **argv)
{
    eex_words words;
    bool help = false;
    if (cmd->takes.defaults)
        memcpy(arguments, cmd->takes.defaults, cmd->takes.size);
    EEX_TRY(eex_options_parse(&words, &help, arguments, argc, argv, cmd->takes.options));
    if (help)
        return eex_cmd_help(cmd);
    EEX_TRY(check_words(cmd, &words));
    EEX_TRY(eex_check_written(cmd->takes.options, arguments, &words));
    if (cmd->check)
        EEX_TRY(cmd->check(arguments, &words));
    return cmd->run(arguments, &words);
}

/* "eex data needs a command: list, get or make" */
static int missing(const eex_cmd *group)
{
    eex_buffer names = EEX_BUFFER_INIT;
    for (const eex_cmd *const *c = group->commands; *c; c++)
        eex_buffer_printf(&names, "%s%s",
                          c == group->commands ? ""
                          : c[1]               ? ", "
                                               : " or ",
                          own_name(*c));
    int code =
        eex_fail(EEX_EINVAL, "eex %s needs a command: %s", group->name, eex_buffer_text(&names));
    eex_buffer_free(&names);
    return code;
}

static int perform_in(const eex_cmd *group, int argc, char **argv)
{
    if (argc < 2)
        return missing(group);
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return eex_cmd_help(group);
    const eex_cmd *cmd = eex_cmd_find(group->commands, name);
    return cmd ? eex_cmd_perform(cmd, argc - 1, argv + 1)
               : eex_cmd_unknown("command", name, group->commands);
}

int eex_cmd_perform(const eex_cmd *cmd, int argc, char **argv)
{
    if (cmd->commands)
        return perform_in(cmd, argc, argv);
    void *arguments = calloc(1, cmd->takes.size);
    int code = arguments ? parse_and_run(cmd, arguments, argc, argv)
                         : eex_fail(EEX_ENOMEM, "out of memory for arguments");
    free(arguments);
    return code;
}
