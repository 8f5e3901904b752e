/* Options of the subcommands: a table that reads like its help says how they are parsed, checked
 * and shown.
 *
 *     typedef struct arguments {
 *         const char *out;
 *         int64_t images;
 *         bool json;
 *     } arguments;
 *
 *     static const eex_option options[] = {
 *         EEX_OUT("FILE", out, "where the pictures go"),
 *         EEX_NUMBER("images", "N", 1, 1000, images, "how many of them (100)"),
 *         EEX_FLAG("json", json, "print JSON"),
 *         {0},
 *     };
 *
 * Rows name members of the struct that the file calls `arguments`, and the compiler complains of
 * a member of another type than the row fills. It keeps its value when the option is not given.
 *
 * Options may stand anywhere among the arguments, as "--out DIR" or "--out=DIR", those with a
 * letter as "-o DIR" too; "--" ends them. */
#ifndef EEX_CLI_OPTIONS_H
#define EEX_CLI_OPTIONS_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EEX_MAX_LISTED = 64 };

/* An option that may be given several times: "--set a=1 --set b=2". */
typedef struct eex_option_list {
    const char *item[EEX_MAX_LISTED]; /* borrowed from argv */
    int count;
} eex_option_list;

/* What an option fills. */
typedef enum eex_option_kind {
    EEX_OPTION_FLAG,   /* bool */
    EEX_OPTION_TEXT,   /* const char *, borrowed from argv */
    EEX_OPTION_NUMBER, /* int64_t, between min and max */
    EEX_OPTION_REAL,   /* double, between low and high */
    EEX_OPTION_LIST    /* eex_option_list */
} eex_option_kind;

typedef struct eex_option {
    const char *name; /* without the dashes; NULL ends the table */
    char letter;      /* short form: 'o' for "-o"; 0: none */
    eex_option_kind kind;
    const char *value; /* what help calls its value ("DIR"); NULL of a flag */
    size_t offset;     /* of the member in `arguments` */
    const char *help;  /* one line */
    int64_t min, max;
    double low, high;
    bool writes; /* its value names what the command writes */
} eex_option;

/* Where the member is; what sizeof reads, and nobody calculates, checks its type. */
#define EEX__MEMBER(pointer, member) \
    (offsetof(arguments, member) + 0 * sizeof((pointer){&((arguments *)0)->member}))
#define EEX__ROW(letter, name, kind, value, pointer, member, help, min, max, low, high, writes)    \
    {                                                                                              \
        name, letter, kind, value, EEX__MEMBER(pointer, member), help, min, max, low, high, writes \
    }
#define EEX__OPTION(letter, name, kind, value, pointer, member, help, min, max, low, high) \
    EEX__ROW(letter, name, kind, value, pointer, member, help, min, max, low, high, false)

#define EEX_FLAG(name, member, help) \
    EEX__OPTION(0, name, EEX_OPTION_FLAG, NULL, bool *, member, help, 0, 0, 0, 0)
#define EEX__TEXT(letter, name, value, member, help, writes) \
    EEX__ROW(letter, name, EEX_OPTION_TEXT, value, const char **, member, help, 0, 0, 0, 0, writes)
#define EEX_TEXT(name, value, member, help) EEX__TEXT(0, name, value, member, help, false)
#define EEX_NUMBER(name, value, min, max, member, help) \
    EEX__OPTION(0, name, EEX_OPTION_NUMBER, value, int64_t *, member, help, min, max, 0, 0)
#define EEX_REAL(name, value, low, high, member, help) \
    EEX__OPTION(0, name, EEX_OPTION_REAL, value, double *, member, help, 0, 0, low, high)
#define EEX_LIST(name, value, member, help) \
    EEX__OPTION(0, name, EEX_OPTION_LIST, value, eex_option_list *, member, help, 0, 0, 0, 0)

/* Of rows that are shared: a member of the struct that the commands have as member `outer`. */
#define EEX_IN(outer, member) outer.member /* NOLINT(bugprone-macro-parentheses): no expression */

/* A file that the command writes. Before it does anything each is compared with every word and
 * other text that names a file: none is what another writes, or what is read (out_file.h). */
#define EEX_WRITES(name, value, member, help) EEX__TEXT(0, name, value, member, help, true)

/* What several commands have, each with its own line of help: */
#define EEX_OUT(value, member, help) EEX__TEXT('o', "out", value, member, help, true)
#define EEX_SEED(member, help) EEX_NUMBER("seed", "N", 0, INT64_MAX, member, help)

/* and what those have that print one object. */
#define EEX_JSON(member) EEX_FLAG("json", member, "print one JSON object")

/* Arguments that are no options; borrowed from argv. */
typedef struct eex_words {
    const char *const *at;
    int count;
} eex_words;

/* Fills `arguments`, whose members the rows of `options` name. argv[0] is the subcommand and is
 * skipped; the others change their order, so that those that are no options stand together. *help
 * becomes true where --help was met: what follows it is not looked at. EEX_EINVAL names an unknown
 * option and the nearest known one, or a value that is missing or wrong. */
int eex_options_parse(eex_words *out, bool *help, void *arguments, int argc, char **argv,
                      const eex_option *options);

/* Appends the lines of --help about them. */
void eex_options_describe(eex_buffer *out, const eex_option *options);

/* "unknown KIND \"word\": did you mean \"near\"?" with the nearest of `known`, or the whole list
 * when none is near. Returns EEX_EINVAL. */
int eex_options_unknown(const char *kind, const char *word, const char *const *known, size_t count);

/* Which of `known` the word is. EEX_EINVAL as above. */
int eex_options_choice(int *out, const char *kind, const char *word, const char *const *known,
                       size_t count);

#endif
