/* What every type of field can do, a row a type. */
#include "core/run/fields.h"

#include "core/run/experiment_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Experiments are read and written where the row says. */
static void *place(const eex_field *f, eex_experiment *e)
{
    return (char *)e + f->offset;
}

static const void *look(const eex_field *f, const eex_experiment *e)
{
    return (const char *)e + f->offset;
}

/* How many a list has. */
static int counted(const eex_field *f, const eex_experiment *e)
{
    return *(const int *)((const char *)e + f->count_offset);
}

/* ---- one number ---- */

static double get_int(const eex_field *f, const eex_experiment *e)
{
    return *(const int *)look(f, e);
}

static void put_int(const eex_field *f, eex_experiment *e, double value)
{
    *(int *)place(f, e) = (int)value;
}

static double get_number(const eex_field *f, const eex_experiment *e)
{
    return *(const double *)look(f, e);
}

static void put_number(const eex_field *f, eex_experiment *e, double value)
{
    *(double *)place(f, e) = value;
}

static double get_float(const eex_field *f, const eex_experiment *e)
{
    return (double)*(const float *)look(f, e);
}

static void put_float(const eex_field *f, eex_experiment *e, double value)
{
    *(float *)place(f, e) = (float)value;
}

static double get_flag(const eex_field *f, const eex_experiment *e)
{
    return *(const bool *)look(f, e);
}

static void put_flag(const eex_field *f, eex_experiment *e, double value)
{
    *(bool *)place(f, e) = value != 0;
}

static double get_fixed(const eex_field *f, const eex_experiment *e)
{
    return f->otherwise;
}

/* ---- what it is when nobody says ---- */

static void default_numbers(const eex_field *f, eex_experiment *e)
{
    *eex_field_count(f, e) = 0;
}

static void default_ints(const eex_field *f, eex_experiment *e)
{
    for (int i = 0; i < f->listed; i++)
        eex_field_ints(f, e)[i] = f->list[i];
    *eex_field_count(f, e) = f->listed;
}

/* ---- in descriptions ---- */

static void say_number(eex_buffer *out, const eex_field *f, const eex_experiment *e)
{
    eex_buffer_printf(out, " %.9g", eex_field_get(f, e));
}

static void say_name(eex_buffer *out, const eex_field *f, const eex_experiment *e)
{
    eex_buffer_printf(out, " %s", eex_name_of(f->names(), (int)eex_field_get(f, e)));
}

static void say_text(eex_buffer *out, const eex_field *f, const eex_experiment *e)
{
    eex_buffer_printf(out, " %s", (const char *)look(f, e));
}

static void say_seed(eex_buffer *out, const eex_field *f, const eex_experiment *e)
{
    eex_buffer_printf(out, " %llu", (unsigned long long)*(const uint64_t *)look(f, e));
}

static void say_ints(eex_buffer *out, const eex_field *f, const eex_experiment *e)
{
    const int *at = look(f, e);
    for (int i = 0; i < counted(f, e); i++)
        eex_buffer_printf(out, " %d", at[i]);
}

static void say_numbers(eex_buffer *out, const eex_field *f, const eex_experiment *e)
{
    const double *at = look(f, e);
    for (int i = 0; i < counted(f, e); i++)
        eex_buffer_printf(out, " %.9g", at[i]);
}

static void say_augment(eex_buffer *out, const eex_field *f, const eex_experiment *e)
{
    eex_buffer_printf(out, " %d", ((const eex_augment *)look(f, e))->enabled);
}

static void say_backbone(eex_buffer *out, const eex_field *f, const eex_experiment *e)
{
    eex__describe_network(out, *(eex_graph *const *)look(f, e));
}

static void say_saliency(eex_buffer *out, const eex_field *f, const eex_experiment *e)
{
    eex__describe_points(out, e);
}

/* ---- what it may be: in words, fields_words.c ---- */

bool eex_field_takes(const eex_field *f, double value)
{
    const bool single = f->single || f->type == EEX_FIELD_FLOAT;
    return single ? eex_range_has_float(&f->range, value) : eex_range_has(&f->range, value);
}

static bool has_range(const eex_field *f, const eex_experiment *e)
{
    return eex_field_takes(f, eex_field_get(f, e));
}

static bool has_name(const eex_field *f, const eex_experiment *e)
{
    const int value = (int)eex_field_get(f, e);
    return value >= 0 && value < f->names()->count && f->names()->name[value];
}

static bool has_text(const eex_field *f, const eex_experiment *e)
{
    return !f->needed || *(const char *)look(f, e);
}

static bool has_ints(const eex_field *f, const eex_experiment *e)
{
    const int *at = look(f, e);
    const int count = counted(f, e);
    bool all = count >= 0 && count <= f->size;
    for (int i = 0; all && i < count; i++)
        all = eex_range_has(&f->range, at[i]);
    return all;
}

static bool has_numbers(const eex_field *f, const eex_experiment *e)
{
    const double *at = look(f, e);
    const int count = counted(f, e);
    bool all = count >= 0 && count <= f->size;
    for (int i = 0; all && i < count; i++)
        all = eex_range_has(&f->range, at[i]);
    return all;
}

/* The range, or the value that stands for none of it. */
static bool has_range_or(const eex_field *f, const eex_experiment *e, double none)
{
    return eex_field_get(f, e) == none || has_range(f, e);
}

static bool has_temperature(const eex_field *f, const eex_experiment *e)
{
    return has_range_or(f, e, 0);
}

static bool has_lower(const eex_field *f, const eex_experiment *e)
{
    return has_range_or(f, e, (double)INFINITY);
}

static bool has_or_false(const eex_field *f, const eex_experiment *e)
{
    return has_range_or(f, e, -1);
}

/* ---- the types ---- */

typedef struct type {
    double (*get)(const eex_field *f, const eex_experiment *e); /* with put: it is one number */
    void (*put)(const eex_field *f, eex_experiment *e, double value);
    void (*say)(eex_buffer *out, const eex_field *f, const eex_experiment *e); /* NULL: no line */
    bool (*valid)(const eex_field *f, const eex_experiment *e); /* NULL: whatever it is */
} type;

static const type types[] = {
    [EEX_FIELD_INT] = {get_int, put_int, say_number, has_range},
    [EEX_FIELD_NUMBER] = {get_number, put_number, say_number, has_range},
    [EEX_FIELD_FLOAT] = {get_float, put_float, say_number, has_range},
    [EEX_FIELD_FLAG] = {get_flag, put_flag, say_number, NULL},
    [EEX_FIELD_ENUM] = {get_int, put_int, say_name, has_name},
    [EEX_FIELD_EITHER] = {get_flag, put_flag, say_name, NULL},
    [EEX_FIELD_SEED] = {NULL, NULL, say_seed, NULL},
    [EEX_FIELD_TEXT] = {NULL, NULL, say_text, has_text},
    [EEX_FIELD_INTS] = {NULL, NULL, say_ints, has_ints},
    [EEX_FIELD_NUMBERS] = {NULL, NULL, say_numbers, has_numbers},
    [EEX_FIELD_RUN_NAME] = {NULL, NULL, say_text, has_text},
    [EEX_FIELD_TABLE_FILE] = {NULL, NULL, say_text, has_text},
    [EEX_FIELD_DATA_NAME] = {NULL, NULL, say_text, has_text},
    [EEX_FIELD_TIME] = {NULL, NULL, say_text, has_text},
    [EEX_FIELD_BACKBONE] = {NULL, NULL, say_backbone, NULL},
    [EEX_FIELD_NETWORK] = {NULL, NULL, say_backbone, NULL},
    [EEX_FIELD_SALIENCY] = {NULL, NULL, say_saliency, NULL},
    [EEX_FIELD_GATE_ACT] = {get_int, put_int, say_name, has_name},
    [EEX_FIELD_DATASET] = {NULL, NULL, NULL, NULL},
    [EEX_FIELD_SHORT] = {NULL, NULL, NULL, NULL},
    [EEX_FIELD_AUGMENT] = {NULL, NULL, say_augment, NULL},
    [EEX_FIELD_LIKE] = {NULL, NULL, NULL, NULL},
    [EEX_FIELD_FIXED] = {get_fixed, NULL, say_name, NULL},
    [EEX_FIELD_POLICY_KIND] = {get_int, put_int, say_name, has_name},
    [EEX_FIELD_TEMPERATURE] = {get_number, put_number, say_number, has_temperature},
    [EEX_FIELD_THRESHOLD] = {get_number, put_number, say_number, has_range},
    [EEX_FIELD_LOWER] = {get_number, put_number, say_number, has_lower},
    [EEX_FIELD_OR_FALSE] = {get_number, put_number, say_number, has_or_false},
    [EEX_FIELD_POPULATION] = {get_int, put_int, say_number, has_range},
};
_Static_assert(sizeof types / sizeof *types == EEX_FIELD_TYPES, "a row a type");

/* ---- whatever the type ---- */

bool eex_field_is_table(const eex_field *f)
{
    return f->type == EEX_FIELD_DATASET || f->type == EEX_FIELD_SHORT ||
           f->type == EEX_FIELD_AUGMENT || f->type == EEX_FIELD_LIKE;
}

bool eex_field_is_number(const eex_field *f)
{
    return types[f->type].put != NULL;
}

double eex_field_get(const eex_field *f, const eex_experiment *e)
{
    return types[f->type].get(f, e);
}

void eex_field_put(const eex_field *f, eex_experiment *e, double value)
{
    types[f->type].put(f, e, value);
}

char *eex_field_text(const eex_field *f, eex_experiment *e)
{
    return place(f, e);
}

int *eex_field_ints(const eex_field *f, eex_experiment *e)
{
    return place(f, e);
}

eex_graph **eex_field_graph(const eex_field *f, eex_experiment *e)
{
    return place(f, e);
}

eex_augment *eex_field_augment(const eex_field *f, eex_experiment *e)
{
    return place(f, e);
}

eex_recipe *eex_field_recipe(const eex_field *f, eex_experiment *e)
{
    return place(f, e);
}

double *eex_field_numbers(const eex_field *f, eex_experiment *e)
{
    return place(f, e);
}

int *eex_field_count(const eex_field *f, eex_experiment *e)
{
    return (int *)((char *)e + f->count_offset);
}

void eex_field_default(const eex_field *f, eex_experiment *e)
{
    if (f->type == EEX_FIELD_INTS)
        default_ints(f, e);
    else if (f->type == EEX_FIELD_NUMBERS)
        default_numbers(f, e);
    else if (types[f->type].put)
        eex_field_put(f, e, f->otherwise);
}

/* What a message calls the value. */
static void found(eex_buffer *out, const eex_field *f, const eex_experiment *e)
{
    if (types[f->type].get)
        eex_buffer_printf(out, "%.10g", eex_field_get(f, e));
    else if (f->type == EEX_FIELD_INTS)
        say_ints(out, f, e);
    else if (f->type == EEX_FIELD_NUMBERS)
        say_numbers(out, f, e);
    else
        eex_buffer_puts(out, "none");
}

int eex_field_check(const eex_field *f, const eex_experiment *e)
{
    eex_buffer expected = EEX_BUFFER_INIT, got = EEX_BUFFER_INIT;
    if (f->unsaid || !types[f->type].valid || types[f->type].valid(f, e))
        return EEX_OK;
    if (types[f->type].get)
        eex_field_expects_of(&expected, f, eex_field_get(f, e));
    else
        eex_field_expects(&expected, f);
    found(&got, f, e);
    const int code = eex_fail(EEX_EINVAL, "%s: %s, got %s", f->path, eex_buffer_text(&expected),
                              eex_buffer_text(&got));
    eex_buffer_free(&expected);
    eex_buffer_free(&got);
    return code;
}

bool eex_field_is_default(const eex_field *f, const eex_experiment *e)
{
    if (f->type == EEX_FIELD_NUMBERS)
        return counted(f, e) == 0;
    if (f->type == EEX_FIELD_INTS)
        return counted(f, e) == f->listed &&
               (!f->listed || memcmp(look(f, e), f->list, sizeof(int) * (size_t)f->listed) == 0);
    if (f->type == EEX_FIELD_NETWORK)
        return !*(eex_graph *const *)look(f, e);
    return types[f->type].get ? eex_field_get(f, e) == f->otherwise : !*(const char *)look(f, e);
}

void eex_field_describe(eex_buffer *out, const eex_field *f, const eex_experiment *e)
{
    if (!types[f->type].say || f->unsaid || f->aside || (f->quiet && eex_field_is_default(f, e)))
        return;
    eex_buffer_printf(out, "%s =", f->path);
    types[f->type].say(out, f, e);
    eex_buffer_putc(out, '\n');
}
