/* The shape of a subcommand: what it is called, how it is used, and what it does.
 *
 * Every cmd_*.c is a struct of arguments, a table of options (options.h), and functions that check
 * and run; this struct, of constants, ties them together:
 *
 *     const eex_cmd eex_cmd_show = {
 *         .name = "show",
 *         .brief = "show what a run has found",
 *         .synopsis = "RUN [--json]",
 *         .summary = "Shows what the run in folder RUN has found.",
 *         .words = {1, 1},
 *         .takes = {sizeof(arguments), &defaults, options},
 *         .run = run,
 *     }; */
#ifndef EEX_CLI_CMD_H
#define EEX_CLI_CMD_H

#include "cli/options.h"

typedef struct eex_cmd {
    const char *name;     /* "run"; within a group "data make" */
    const char *brief;    /* its line in the list of commands */
    const char *synopsis; /* what follows "eex NAME": "FILE.lua [--out DIR]" */
    const char *summary;  /* what it does, in a sentence or two */
    const char *details;  /* more text under the options; may be NULL */

    const struct eex_cmd *const *commands; /* a group's, NULL at the end: it has nothing below */

    struct {
        int least, most; /* how many arguments that are no options */
    } words;
    struct {
        size_t size;               /* of the struct of its arguments, */
        const void *defaults;      /* and what is in it before options are; NULL: zeros */
        const eex_option *options; /* end with {0} */
    } takes;

    /* What options say against each other, before any work; may complete the arguments, may be
     * NULL. EEX_EINVAL is wrong usage. */
    int (*check)(void *arguments, const eex_words *words);
    int (*run)(const void *arguments, const eex_words *words);
} eex_cmd;

/* Does what the arguments say: prints help, goes on into a group, or parses, checks and runs.
 * argv[0] is the command's name. Returns EEX_OK or a negative code with the message set. */
int eex_cmd_perform(const eex_cmd *cmd, int argc, char **argv);

/* Prints what --help is answered with. EEX_EIO: it could not be written. */
int eex_cmd_help(const eex_cmd *cmd);

/* The one of a list (with NULL at the end) that is called so; NULL: none. */
const eex_cmd *eex_cmd_find(const eex_cmd *const *list, const char *name);

/* "unknown KIND \"name\"", with the nearest of the list. Returns EEX_EINVAL. */
int eex_cmd_unknown(const char *kind, const char *name, const eex_cmd *const *list);

#endif
