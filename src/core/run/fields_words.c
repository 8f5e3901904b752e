/* What every type of field may be, in words: for messages, help and documentation. */
#include "core/run/fields.h"

static void expects_int(eex_buffer *out, const eex_field *f)
{
    char words[EEX_RANGE_SIZE];
    eex_buffer_puts(out, eex_range_words(words, &f->range, true));
}

static void expects_number(eex_buffer *out, const eex_field *f)
{
    char words[EEX_RANGE_SIZE];
    eex_buffer_puts(out, eex_range_words(words, &f->range, false));
}

static void expects_flag(eex_buffer *out, const eex_field *f)
{
    eex_buffer_puts(out, "true or false");
}

static void expects_name(eex_buffer *out, const eex_field *f)
{
    char known[EEX_NAMES_SIZE];
    eex_buffer_printf(out, "one of %s", eex_names_list(known, f->names(), "\"", " and "));
}

static void expects_seed(eex_buffer *out, const eex_field *f)
{
    eex_buffer_puts(out, "an integer of 0 or more");
}

static void expects_text(eex_buffer *out, const eex_field *f)
{
    eex_buffer_printf(out, "a text of 1..%d bytes", f->size - 1);
}

static void expects_time(eex_buffer *out, const eex_field *f)
{
    eex_buffer_puts(out, EEX_CLUSTER_TIME);
}

static void expects_ints(eex_buffer *out, const eex_field *f)
{
    char words[EEX_RANGE_SIZE];
    eex_buffer_printf(out, "a list of at most %d, each %s", f->size,
                      eex_range_words(words, &f->range, true));
}

static void expects_numbers(eex_buffer *out, const eex_field *f)
{
    char words[EEX_RANGE_SIZE];
    eex_buffer_printf(out, "a list of at most %d, each %s", f->size,
                      eex_range_words(words, &f->range, false));
}

static void expects_run_name(eex_buffer *out, const eex_field *f)
{
    eex_buffer_puts(out, "letters, digits, \"-\", \"_\" and \".\"");
}

static void expects_temperature(eex_buffer *out, const eex_field *f)
{
    expects_number(out, f);
    eex_buffer_puts(out, ", or \"fitted\"");
}

static void expects_or_false(eex_buffer *out, const eex_field *f)
{
    expects_number(out, f);
    eex_buffer_puts(out, ", or false");
}

static void expects_backbone(eex_buffer *out, const eex_field *f)
{
    eex_buffer_puts(out, "a finished network");
}

static void expects_saliency(eex_buffer *out, const eex_field *f)
{
    eex_buffer_puts(out, "a rule, a list of nodes or a function");
}

static void expects_table(eex_buffer *out, const eex_field *f)
{
    eex_buffer_puts(out, "a table");
}

static void expects_short(eex_buffer *out, const eex_field *f)
{
    eex_buffer_puts(out, "a table or its kind alone");
}

static void expects_dataset(eex_buffer *out, const eex_field *f)
{
    eex_buffer_puts(out, "a table or a name alone");
}

static void expects_augment(eex_buffer *out, const eex_field *f)
{
    eex_buffer_puts(out, "a table {crop, flip, cutout, jitter}, or false");
}

static void expects_nothing(eex_buffer *out, const eex_field *f)
{
    eex_buffer_puts(out, "nothing");
}

static void (*const expects[])(eex_buffer *out, const eex_field *f) = {
    [EEX_FIELD_INT] = expects_int,
    [EEX_FIELD_NUMBER] = expects_number,
    [EEX_FIELD_FLOAT] = expects_number,
    [EEX_FIELD_FLAG] = expects_flag,
    [EEX_FIELD_ENUM] = expects_name,
    [EEX_FIELD_EITHER] = expects_name,
    [EEX_FIELD_SEED] = expects_seed,
    [EEX_FIELD_TEXT] = expects_text,
    [EEX_FIELD_INTS] = expects_ints,
    [EEX_FIELD_NUMBERS] = expects_numbers,
    [EEX_FIELD_RUN_NAME] = expects_run_name,
    [EEX_FIELD_TABLE_FILE] = expects_text,
    [EEX_FIELD_DATA_NAME] = expects_text,
    [EEX_FIELD_TIME] = expects_time,
    [EEX_FIELD_BACKBONE] = expects_backbone,
    [EEX_FIELD_NETWORK] = expects_backbone,
    [EEX_FIELD_SALIENCY] = expects_saliency,
    [EEX_FIELD_GATE_ACT] = expects_name,
    [EEX_FIELD_DATASET] = expects_dataset,
    [EEX_FIELD_SHORT] = expects_short,
    [EEX_FIELD_AUGMENT] = expects_augment,
    [EEX_FIELD_LIKE] = expects_table,
    [EEX_FIELD_FIXED] = expects_nothing,
    [EEX_FIELD_POLICY_KIND] = expects_name,
    [EEX_FIELD_TEMPERATURE] = expects_temperature,
    [EEX_FIELD_THRESHOLD] = expects_number,
    [EEX_FIELD_LOWER] = expects_or_false,
    [EEX_FIELD_OR_FALSE] = expects_or_false,
    [EEX_FIELD_POPULATION] = expects_int,
};
_Static_assert(sizeof expects / sizeof *expects == EEX_FIELD_TYPES, "words a type");

void eex_field_expects(eex_buffer *out, const eex_field *f)
{
    expects[f->type](out, f);
}

void eex_field_expects_of(eex_buffer *out, const eex_field *f, double value)
{
    eex_field_expects(out, f);
    if ((f->single || f->type == EEX_FIELD_FLOAT) && eex_range_has(&f->range, value))
        eex_buffer_puts(out, EEX_FIELD_FLOATS);
}

void eex_field_usual(eex_buffer *out, const eex_field *f)
{
    if (f->usual)
        eex_buffer_puts(out, f->usual);
    else if (f->type == EEX_FIELD_INTS) {
        for (int i = 0; i < f->listed; i++)
            eex_buffer_printf(out, "%s%d", i ? ", " : "{", f->list[i]);
        eex_buffer_puts(out, f->listed ? "}" : "{}");
    } else if (f->type == EEX_FIELD_NUMBERS)
        eex_buffer_puts(out, "{}");
    else if (f->names)
        eex_buffer_puts(out, eex_name_of(f->names(), (int)f->otherwise));
    else if (f->type == EEX_FIELD_FLAG)
        eex_buffer_puts(out, f->otherwise != 0 ? "true" : "false");
    else if (eex_field_is_number(f) || f->type == EEX_FIELD_SEED)
        eex_buffer_printf(out, "%.9g", f->otherwise);
}
