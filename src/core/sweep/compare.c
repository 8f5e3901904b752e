#include "core/sweep/compare.h"

#include "core/run/run_description.h"
#include "core/store/store.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, MOST_TEXT = 16 << 20 };

/* ---- groups ---- */

/* What the seed is part of: the seed itself, and what it is called after. */
static bool counts(const char *entry, const void *context)
{
    return !eex__entry_is(entry, "seed");
}

/* Whether the first runs of a group, those before `i`, are on the data of run `i`: each, since one
 * that does not know its data is like any. */
static bool is_on_data_of(const eex_comparison *c, size_t group, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (c->group[k] == group &&
            !eex_identity_same(&c->report[k]->made_of, &c->report[i]->made_of))
            return false;
    return true;
}

/* What run.h5 says of a run. */
typedef struct described {
    char *text;
    eex__entries entries;
} described;

static size_t group_of(const eex_comparison *c, const described *of, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (!eex__entries_differ(&of[k].entries, &of[i].entries, counts, NULL) &&
            is_on_data_of(c, c->group[k], i))
            return c->group[k];
    return c->groups;
}

static int find_groups(eex_comparison *c, const described *of)
{
    for (size_t i = 0; i < c->runs; i++) {
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted");
        c->group[i] = group_of(c, of, i);
        c->groups += c->group[i] == c->groups;
        for (size_t k = 0; k < i; k++)
            c->other_data =
                c->other_data || !eex_identity_same(&c->report[k]->made_of, &c->report[i]->made_of);
    }
    return EEX_OK;
}

static int take_means(eex_comparison *c)
{
    double *value = malloc(c->runs * sizeof *value);
    c->mean = malloc(c->groups * EEX_FIGURES * sizeof *c->mean);
    if (!value || !c->mean) {
        free(value);
        return eex_fail(EEX_ENOMEM, "out of memory for the means of %zu runs", c->runs);
    }
    for (size_t g = 0; g < c->groups; g++)
        for (size_t f = 0; f < EEX_FIGURES; f++) {
            size_t n = 0;
            for (size_t i = 0; i < c->runs; i++)
                if (c->group[i] == g)
                    value[n++] = c->figure[i * EEX_FIGURES + f];
            c->mean[g * EEX_FIGURES + f] = eex_mean_of(value, n);
        }
    free(value);
    return EEX_OK;
}

/* ---- fields ---- */

/* Its first line; "..." stands for others that it announces: checksums of data. */
static int value_of(char **out, const eex__entry *entry)
{
    eex_buffer text = EEX_BUFFER_INIT;
    if (entry->length) {
        const size_t skip = eex__entry_path(entry->at) + strlen(" = ");
        const size_t line = strcspn(entry->at + skip, "\n");
        eex_buffer_append(&text, entry->at + skip, line);
        if (line > 0 && entry->at[skip + line - 1] == ':')
            eex_buffer_puts(&text, " ...");
    }
    const int code = eex_buffer_status(&text);
    *out = code == EEX_OK ? strdup(eex_buffer_text(&text)) : NULL;
    eex_buffer_free(&text);
    return *out ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a comparison");
}

/* Whether it was looked at before: in a run before this one, or above in its own description. */
static bool was_seen(const described *of, size_t run, const eex__entry *entry)
{
    eex__entry first;
    for (size_t i = 0; i < run; i++)
        if (eex__entries_find(&first, &of[i].entries, entry))
            return true;
    return eex__entries_find(&first, &of[run].entries, entry) && first.at != entry->at;
}

static bool differs(const described *of, size_t runs, const eex__entry *entry)
{
    for (size_t i = 0; i < runs; i++) {
        eex__entry other;
        if (!eex__entries_find(&other, &of[i].entries, entry) || other.length != entry->length ||
            memcmp(other.at, entry->at, entry->length) != 0)
            return true;
    }
    return false;
}

static int add_field(eex_comparison *c, const described *of, const eex__entry *entry)
{
    eex_compared_field *all = realloc(c->field, (c->fields + 1) * sizeof *all);
    if (!all)
        return eex_fail(EEX_ENOMEM, "out of memory for a comparison");
    c->field = all;
    eex_compared_field *f = &all[c->fields++];
    *f = (eex_compared_field){.path = strndup(entry->at, eex__entry_path(entry->at)),
                              .value = calloc(c->runs, sizeof *f->value)};
    if (!f->path || !f->value)
        return eex_fail(EEX_ENOMEM, "out of memory for a comparison");
    for (size_t i = 0; i < c->runs; i++) {
        eex__entry found;
        eex__entries_find(&found, &of[i].entries, entry);
        EEX_TRY(value_of(&f->value[i], &found));
    }
    return EEX_OK;
}

static int find_fields_of(eex_comparison *c, const described *of, size_t run)
{
    const char *at = of[run].text;
    eex__entry entry;
    while (eex__entry_next(&entry, &at)) {
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted");
        if (counts(entry.at, NULL) && !was_seen(of, run, &entry) && differs(of, c->runs, &entry))
            EEX_TRY(add_field(c, of, &entry));
    }
    return EEX_OK;
}

static int find_fields(eex_comparison *c, const described *of)
{
    for (size_t i = 0; i < c->runs; i++)
        EEX_TRY(find_fields_of(c, of, i));
    return EEX_OK;
}

/* ---- runs ---- */

static int read_description(eex_store_file *file, void *context)
{
    return eex_store_read_string(context, file, "description", MOST_TEXT);
}

static int read_run(eex_comparison *c, described *of, size_t i, const char *folder)
{
    char *path = NULL;
    c->folder[i] = strdup(folder);
    if (!c->folder[i])
        return eex_fail(EEX_ENOMEM, "out of memory for a comparison");
    EEX_TRY(eex_report_load(&c->report[i], folder));
    EEX_TRY(eex_path_join(&path, folder, "run.h5"));
    const int code = eex_store_read_file(path, "run", VERSION, read_description, &of[i].text);
    free(path);
    EEX_TRY(code);
    EEX_TRY(eex__entries_of(&of[i].entries, of[i].text));
    for (size_t f = 0; f < EEX_FIGURES; f++)
        c->figure[i * EEX_FIGURES + f] = NAN;
    if (c->report[i]->finished)
        eex_figures_of(c->figure + i * EEX_FIGURES, c->report[i]);
    return EEX_OK;
}

static int compare(eex_comparison *c, described *of, const char *const *folders)
{
    if (!c->folder || !c->report || !c->figure || !c->group)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu runs", c->runs);
    for (size_t i = 0; i < c->runs; i++)
        EEX_TRY(read_run(c, of, i, folders[i]));
    EEX_TRY(find_groups(c, of));
    EEX_TRY(take_means(c));
    return find_fields(c, of);
}

int eex_compare(eex_comparison *out, const char *const *folders, size_t count)
{
    *out = (eex_comparison){0};
    EEX_TRY(eex_report_find_all(folders, count));
    *out = (eex_comparison){.runs = count,
                            .folder = calloc(count, sizeof *out->folder),
                            .report = calloc(count, sizeof *out->report),
                            .figure = calloc(count, EEX_FIGURES * sizeof *out->figure),
                            .group = calloc(count, sizeof *out->group)};
    described *of = calloc(count, sizeof *of);
    int code =
        of ? compare(out, of, folders) : eex_fail(EEX_ENOMEM, "out of memory for %zu runs", count);
    for (size_t i = 0; of && i < count; i++) {
        eex__entries_free(&of[i].entries);
        free(of[i].text);
    }
    free(of);
    if (code != EEX_OK)
        eex_comparison_free(out);
    return code;
}

void eex_comparison_free(eex_comparison *c)
{
    for (size_t i = 0; i < c->runs; i++) {
        if (c->folder)
            free(c->folder[i]);
        if (c->report)
            eex_report_free(c->report[i]);
    }
    for (size_t f = 0; f < c->fields; f++) {
        for (size_t i = 0; c->field[f].value && i < c->runs; i++)
            free(c->field[f].value[i]);
        free(c->field[f].value);
        free(c->field[f].path);
    }
    free(c->folder);
    free(c->report);
    free(c->figure);
    free(c->group);
    free(c->mean);
    free(c->field);
    *c = (eex_comparison){0};
}

size_t eex_comparison_size(const eex_comparison *c, size_t group)
{
    size_t n = 0;
    for (size_t i = 0; i < c->runs; i++)
        n += c->group[i] == group;
    return n;
}

const char *eex_comparison_data(const eex_comparison *c, size_t run)
{
    const eex_identity *data = &c->report[run]->made_of;
    return eex_identity_known(data) ? data->fingerprint : NULL;
}

const char *eex_comparison_group_data(const eex_comparison *c, size_t group)
{
    const char *data = NULL;
    for (size_t i = 0; i < c->runs && !data; i++)
        if (c->group[i] == group)
            data = eex_comparison_data(c, i);
    return data;
}

/* ---- for programs ---- */

static void quoted(eex_buffer *out, const char *text)
{
    eex_buffer_putc(out, '"');
    for (; *text; text++)
        eex_buffer_puts(out, *text == '"' ? "\"\"" : (const char[]){*text, '\0'});
    eex_buffer_putc(out, '"');
}

static void number(eex_buffer *out, double value)
{
    eex_buffer_putc(out, ',');
    if (!isnan(value))
        eex_buffer_printf(out, "%.9g", value);
}

void eex_comparison_csv(eex_buffer *out, const eex_comparison *c)
{
    eex_buffer_puts(out, "run,name,dataset,fingerprint,seed,finished,group,group_runs");
    for (size_t f = 0; f < c->fields; f++) {
        eex_buffer_putc(out, ',');
        quoted(out, c->field[f].path);
    }
    for (int f = 0; f < EEX_FIGURES; f++) {
        const char *name = eex_figure_name((eex_figure)f);
        eex_buffer_printf(out, ",%s,%s_mean,%s_deviation", name, name, name);
    }
    eex_buffer_putc(out, '\n');
    for (size_t i = 0; i < c->runs; i++) {
        const eex_report *r = c->report[i];
        const size_t g = c->group[i];
        quoted(out, c->folder[i]);
        eex_buffer_putc(out, ',');
        quoted(out, r->name);
        eex_buffer_putc(out, ',');
        quoted(out, r->dataset);
        eex_buffer_putc(out, ',');
        quoted(out, r->made_of.fingerprint);
        eex_buffer_printf(out, ",%lld,%d,%zu,%zu", (long long)r->seed, r->finished, g + 1,
                          eex_comparison_size(c, g));
        for (size_t f = 0; f < c->fields; f++) {
            eex_buffer_putc(out, ',');
            quoted(out, c->field[f].value[i]);
        }
        for (size_t f = 0; f < EEX_FIGURES; f++) {
            number(out, c->figure[i * EEX_FIGURES + f]);
            number(out, c->mean[g * EEX_FIGURES + f].mean);
            number(out, c->mean[g * EEX_FIGURES + f].deviation);
        }
        eex_buffer_putc(out, '\n');
    }
}

static void run_json(eex_json *j, const eex_comparison *c, size_t i)
{
    const eex_report *r = c->report[i];
    eex_json_object(j, NULL);
    eex_json_string(j, "run", c->folder[i]);
    eex_json_string(j, "name", r->name);
    eex_json_string(j, "dataset", r->dataset);
    eex_json_string(j, "fingerprint", eex_comparison_data(c, i));
    eex_json_int(j, "seed", r->seed);
    eex_json_bool(j, "finished", r->finished);
    eex_json_uint(j, "group", c->group[i] + 1);
    for (size_t f = 0; f < EEX_FIGURES; f++)
        eex_json_double(j, eex_figure_name((eex_figure)f), c->figure[i * EEX_FIGURES + f]);
    eex_json_object(j, "fields");
    for (size_t f = 0; f < c->fields; f++)
        eex_json_string(j, c->field[f].path, c->field[f].value[i]);
    eex_json_end(j);
    eex_json_end(j);
}

static void group_json(eex_json *j, const eex_comparison *c, size_t g)
{
    eex_json_object(j, NULL);
    eex_json_uint(j, "runs", eex_comparison_size(c, g));
    eex_json_string(j, "fingerprint", eex_comparison_group_data(c, g));
    for (size_t f = 0; f < EEX_FIGURES; f++) {
        const eex_mean *m = &c->mean[g * EEX_FIGURES + f];
        eex_json_object(j, eex_figure_name((eex_figure)f));
        eex_json_uint(j, "runs", m->count);
        eex_json_double(j, "mean", m->mean);
        eex_json_double(j, "deviation", m->deviation);
        eex_json_double(j, "low", m->low);
        eex_json_double(j, "high", m->high);
        eex_json_end(j);
    }
    eex_json_end(j);
}

void eex_comparison_json(eex_buffer *out, const eex_comparison *c)
{
    eex_json j = EEX_JSON_INIT(out);
    eex_json_object(&j, NULL);
    eex_json_bool(&j, "other_data", c->other_data);
    eex_json_array(&j, "runs");
    for (size_t i = 0; i < c->runs; i++)
        run_json(&j, c, i);
    eex_json_end(&j);
    eex_json_array(&j, "groups");
    for (size_t g = 0; g < c->groups; g++)
        group_json(&j, c, g);
    eex_json_end(&j);
    eex_json_end(&j);
    eex_buffer_putc(out, '\n');
}
