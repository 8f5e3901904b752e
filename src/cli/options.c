#include "cli/options.h"

#include "base/buffer.h"
#include "base/status.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { MAX_OPTIONS = 64, LEFT = 20 };

/* ---- one of several words ---- */

int eex_options_unknown(const char *kind, const char *word, const char *const *known, size_t count)
{
    const char *near = eex_text_nearest(word, known, count);
    if (near)
        return eex_fail(EEX_EINVAL, "unknown %s \"%s\": did you mean \"%s\"?", kind, word, near);
    eex_buffer list = EEX_BUFFER_INIT;
    for (size_t i = 0; i < count; i++)
        eex_buffer_printf(&list, "%s%s", i ? ", " : "", known[i]);
    int code = eex_fail(EEX_EINVAL, "unknown %s \"%s\": there are %s", kind, word,
                        count ? eex_buffer_text(&list) : "none");
    eex_buffer_free(&list);
    return code;
}

int eex_options_choice(int *out, const char *kind, const char *word, const char *const *known,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, known[i]) == 0) {
            *out = (int)i;
            return EEX_OK;
        }
    return eex_options_unknown(kind, word, known, count);
}

/* ---- help ---- */

void eex_options_describe(eex_buffer *out, const eex_option *options)
{
    eex_buffer_puts(out, "options:\n");
    for (const eex_option *o = options; o->name; o++) {
        char left[64];
        char letter[8] = "";
        if (o->letter)
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        if (strlen(left) < LEFT)
            eex_buffer_printf(out, "  %-*s %s\n", LEFT, left, o->help);
        else
            eex_buffer_printf(out, "  %s\n  %-*s %s\n", left, LEFT, "", o->help);
    }
    eex_buffer_printf(out, "  %-*s %s\n", LEFT, "--help", "show this");
}

/* ---- parsing ---- */

static int unknown_option(const eex_option *options, const char *word, size_t length)
{
    const char *known[MAX_OPTIONS];
    char names[MAX_OPTIONS][40], text[80];
    size_t count = 0;
    for (const eex_option *o = options; o->name && count < MAX_OPTIONS - 1; o++) {
        snprintf(names[count], sizeof names[0], "--%s", o->name);
        known[count] = names[count];
        count++;
    }
    known[count++] = "--help";
    snprintf(text, sizeof text, "%.*s", (int)length, word);
    return eex_options_unknown("option", text, known, count);
}

static const eex_option *find(const eex_option *options, const char *name, size_t length)
{
    for (const eex_option *o = options; o->name; o++)
        if (strlen(o->name) == length && memcmp(o->name, name, length) == 0)
            return o;
    return NULL;
}

static const eex_option *find_letter(const eex_option *options, char letter)
{
    for (const eex_option *o = options; o->name; o++)
        if (o->letter == letter)
            return o;
    return NULL;
}

static int add(eex_option_list *list, const char *value, const char *what)
{
    if (list->count == EEX_MAX_LISTED)
        return eex_fail(EEX_EINVAL, "%s: at most %d of them", what, EEX_MAX_LISTED);
    list->item[list->count++] = value;
    return EEX_OK;
}

static int assign(void *arguments, const eex_option *o, const char *value)
{
    void *member = (char *)arguments + o->offset;
    char what[48];
    snprintf(what, sizeof what, "--%s", o->name);
    switch (o->kind) {
    case EEX_OPTION_FLAG:
        *(bool *)member = true;
        break;
    case EEX_OPTION_TEXT: /* an empty one is mostly a variable of a shell that was not set */
        if (!*value)
            return eex_fail(EEX_EINVAL, "%s: expected %s, got an empty text", what, o->value);
        *(const char **)member = value;
        break;
    case EEX_OPTION_NUMBER:
        return eex_text_parse_int(member, value, o->min, o->max, what);
    case EEX_OPTION_REAL:
        return eex_text_parse_double(member, value, o->low, o->high, what);
    case EEX_OPTION_LIST:
        return add(member, value, what);
    }
    return EEX_OK;
}

/* One option at argv[*i]; moves *i onto its value when that is an argument of its own. */
static int option(void *arguments, const eex_option *options, int argc, char **argv, int *i)
{
    const char *word = argv[*i], *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const eex_option *o = length > 2 && word[1] == '-' ? find(options, word + 2, length - 2)
                          : length == 2                ? find_letter(options, word[1])
                                                       : NULL;
    if (!o && equals && length == strlen("--help") && strncmp(word, "--help", length) == 0)
        return eex_fail(EEX_EINVAL, "--help takes no value, got \"%s\"", equals + 1);
    if (!o)
        return unknown_option(options, word, length);
    if (o->kind == EEX_OPTION_FLAG && equals)
        return eex_fail(EEX_EINVAL, "--%s takes no value, got \"%s\"", o->name, equals + 1);
    if (o->kind == EEX_OPTION_FLAG || equals)
        return assign(arguments, o, equals ? equals + 1 : NULL);
    if (*i + 1 >= argc)
        return eex_fail(EEX_EINVAL, "--%s needs a value: --%s %s", o->name, o->name, o->value);
    return assign(arguments, o, argv[++*i]);
}

int eex_options_parse(eex_words *out, bool *help, void *arguments, int argc, char **argv,
                      const eex_option *options)
{
    char **const words = argv + 1; /* never ahead of what is read */
    *out = (eex_words){(const char *const *)words, 0};
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            *help = true;
            return EEX_OK;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1]) {
            EEX_TRY(option(arguments, options, argc, argv, &i));
        } else if (!argv[i][0]) { /* messages would name nothing */
            return eex_fail(EEX_EINVAL,
                            "%s: argument %d is an empty text, which names nothing: was a variable "
                            "of the shell not set?",
                            argv[0], i);
        } else {
            words[out->count++] = argv[i];
        }
    }
    return EEX_OK;
}
