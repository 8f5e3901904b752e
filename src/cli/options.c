#include "cli/options.h"

#include "base/buffer.h"
#include "base/status.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { MAX_OPTIONS = 64 };

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

void eex_options_help(const eex_command *command)
{
    printf("usage: eex %s%s%s\n\n%s\n", command->name, *command->synopsis ? " " : "",
           command->synopsis, command->summary);
    printf("\noptions:\n");
    for (const eex_option *o = command->options; o && o->name; o++) {
        char left[64];
        char letter[8] = "";
        if (o->letter)
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        printf("  %-20s %s\n", left, o->help);
    }
    printf("  %-20s %s\n", "--help", "show this");
    if (command->details)
        printf("\n%s\n", command->details);
}

static int unknown_option(const eex_command *command, const char *word, size_t length)
{
    const char *known[MAX_OPTIONS];
    char names[MAX_OPTIONS][40], text[80];
    size_t count = 0;
    for (const eex_option *o = command->options; o && o->name && count < MAX_OPTIONS - 1; o++) {
        snprintf(names[count], sizeof names[0], "--%s", o->name);
        known[count] = names[count];
        count++;
    }
    known[count++] = "--help";
    snprintf(text, sizeof text, "%.*s", (int)length, word);
    return eex_options_unknown("option", text, known, count);
}

static const eex_option *find(const eex_command *command, const char *name, size_t length)
{
    for (const eex_option *o = command->options; o && o->name; o++)
        if (strlen(o->name) == length && memcmp(o->name, name, length) == 0)
            return o;
    return NULL;
}

static const eex_option *find_letter(const eex_command *command, char letter)
{
    for (const eex_option *o = command->options; o && o->name; o++)
        if (o->letter == letter)
            return o;
    return NULL;
}

static int assign(const eex_option *o, const char *value)
{
    char what[48];
    snprintf(what, sizeof what, "--%s", o->name);
    if (o->text)
        *o->text = value;
    else if (o->number)
        return eex_text_parse_int(o->number, value, o->min, o->max, what);
    else if (o->real)
        return eex_text_parse_double(o->real, value, o->low, o->high, what);
    else if (o->list) {
        if (o->list->count == EEX_MAX_ARGUMENTS)
            return eex_fail(EEX_EINVAL, "%s: at most %d of them", what, EEX_MAX_ARGUMENTS);
        o->list->item[o->list->count++] = value;
    }
    return EEX_OK;
}

/* One option at argv[*i]; moves *i onto its value when that is an argument of its own. */
static int option(const eex_command *command, int argc, char **argv, int *i)
{
    const char *word = argv[*i], *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const eex_option *o = length > 2 && word[1] == '-' ? find(command, word + 2, length - 2)
                          : length == 2                ? find_letter(command, word[1])
                                                       : NULL;
    if (!o)
        return unknown_option(command, word, length);
    if (o->flag) {
        if (equals)
            return eex_fail(EEX_EINVAL, "--%s takes no value, got \"%s\"", o->name, equals + 1);
        *o->flag = true;
        return EEX_OK;
    }
    if (equals)
        return assign(o, equals + 1);
    if (*i + 1 >= argc)
        return eex_fail(EEX_EINVAL, "--%s needs a value: --%s %s", o->name, o->name, o->value);
    return assign(o, argv[++*i]);
}

static int check_words(const eex_arguments *args, const eex_command *command)
{
    if (args->words < command->min_words)
        return eex_fail(EEX_EINVAL, "eex %s needs more than that: eex %s %s", command->name,
                        command->name, command->synopsis);
    if (args->words > command->max_words)
        return eex_fail(EEX_EINVAL, "\"%s\" is one argument too many: eex %s %s",
                        args->word[command->max_words], command->name, command->synopsis);
    return EEX_OK;
}

int eex_options_parse(eex_arguments *out, int argc, char **argv, const eex_command *command)
{
    char **const words = argv + 1; /* never ahead of what is read */
    *out = (eex_arguments){.word = (const char *const *)words};
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            eex_options_help(command);
            out->help = true;
            return EEX_OK;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1]) {
            EEX_TRY(option(command, argc, argv, &i));
        } else {
            words[out->words++] = argv[i];
        }
    }
    return check_words(out, command);
}
