/* Options of the subcommands: one table says how they are parsed, checked and shown by --help.
 *
 *     static const char *out;
 *     static const eex_option options[] = {
 *         {.name = "out", .value = "DIR", .help = "where the run is kept", .text = &out},
 *         {.name = "threads", .value = "N", .help = "...", .number = &threads, .min = 1, .max =
 * 512},
 *         {.name = "json", .help = "print JSON", .flag = &json},
 *         {0}};
 *     static const eex_command command = {"show", "RUN [--json]", "Shows a run.", NULL, options, 1,
 * 1}; eex_arguments args; EEX_TRY(eex_options_parse(&args, argc, argv, &command)); if (args.help)
 *         return EEX_OK;
 *
 * Options may stand anywhere among the arguments, as "--out DIR" or "--out=DIR", those
 * with a letter as "-o DIR" too; "--" ends them. */
#ifndef EEX_CLI_OPTIONS_H
#define EEX_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EEX_MAX_ARGUMENTS = 64 };

/* An option that may be given several times: "--set a=1 --set b=2". */
typedef struct eex_option_list {
    const char *item[EEX_MAX_ARGUMENTS];
    int count;
} eex_option_list;

/* Exactly one of the targets is set; it keeps its value when the option is not given. */
typedef struct eex_option {
    const char *name;  /* without the dashes; NULL ends the table */
    char letter;       /* short form: 'o' for "-o"; 0: none */
    const char *value; /* what help calls its value ("DIR"); NULL: a flag */
    const char *help;  /* one line */
    bool *flag;
    const char **text; /* borrowed from argv */
    int64_t *number;   /* between min and max */
    int64_t min, max;
    double *real; /* between low and high */
    double low, high;
    eex_option_list *list;
} eex_option;

typedef struct eex_command {
    const char *name;     /* "run" or "data make" */
    const char *synopsis; /* what follows "eex NAME": "FILE.lua [--out DIR]" */
    const char *summary;  /* what it does, in a sentence or two */
    const char *details;  /* more text under the options; may be NULL */
    const eex_option *options;
    int min_words, max_words; /* how many arguments that are no options */
} eex_command;

typedef struct eex_arguments {
    const char *const *word; /* arguments that are no options; borrowed from argv */
    int words;
    bool help; /* --help was given and answered on stdout: nothing more to do */
} eex_arguments;

/* argv[0] is the subcommand and is skipped; the others change their order, so that those that are
 * no options stand together. EEX_EINVAL (exit status 2) names an unknown option and the nearest
 * known one, a value that is missing or wrong, or arguments too many or too few. */
int eex_options_parse(eex_arguments *out, int argc, char **argv, const eex_command *command);

/* Prints what --help prints. */
void eex_options_help(const eex_command *command);

/* "unknown KIND \"word\": did you mean \"near\"?" with the nearest of `known`, or the whole list
 * when none is near. Returns EEX_EINVAL. */
int eex_options_unknown(const char *kind, const char *word, const char *const *known, size_t count);

#endif
