/* A collection as CSV and as HDF5. */
#include "core/store/store.h"
#include "core/sweep/collect.h"

#include "base/status.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLLECTION_VERSION = 1 };

/* ---- CSV ---- */

/* RFC 4180: quotes where something in the text would be taken for CSV's own. */
static void put_text(eex_buffer *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        eex_buffer_puts(out, text);
        return;
    }
    eex_buffer_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            eex_buffer_putc(out, '"');
        eex_buffer_putc(out, *text);
    }
    eex_buffer_putc(out, '"');
}

static void put_number(eex_buffer *out, double value)
{
    eex_buffer_putc(out, ',');
    if (!isnan(value))
        eex_buffer_printf(out, "%.10g", value);
}

static void put_titles(eex_buffer *out, const eex_sweep *s)
{
    eex_buffer_puts(out, "task");
    for (size_t f = 0; f < s->fields; f++) {
        eex_buffer_putc(out, ',');
        put_text(out, s->field[f]);
    }
    eex_buffer_puts(out, ",seed,state");
    for (int f = 0; f < EEX_FIGURES; f++)
        eex_buffer_printf(out, ",%s", eex_figure_name((eex_figure)f));
    for (int f = 0; f < EEX_FIGURES; f++) {
        const char *name = eex_figure_name((eex_figure)f);
        eex_buffer_printf(out, ",%s_mean,%s_low,%s_high", name, name, name);
    }
    eex_buffer_puts(out, ",seeds_done,fingerprint\r\n");
}

/* The fields that vary stand between the first title and the seed's; those behind the figures have
 * become more. */
bool eex_collection_is_csv(const char *text)
{
    const char *end = text + strcspn(text, "\r\n");
    const char *seed = strstr(text, ",seed,state,"), *last = strstr(text, ",seeds_done");
    return strncmp(text, "task,", 5) == 0 && seed && last && seed < last && last < end;
}

static void put_task(eex_buffer *out, const eex_collection *c, size_t t)
{
    const eex_sweep *s = c->sweep;
    const size_t point = t / s->seeds;
    eex_buffer_printf(out, "%zu", t);
    for (size_t f = 0; f < s->fields; f++) {
        eex_buffer_putc(out, ',');
        put_text(out, s->value[point * s->fields + f]);
    }
    eex_buffer_printf(out, ",%" PRIu64 ",%s", s->seed[t % s->seeds],
                      eex_task_state_name(c->task[t].state));
    for (int f = 0; f < EEX_FIGURES; f++)
        put_number(out, c->figure[t * EEX_FIGURES + (size_t)f]);
    const eex_mean *mean = c->mean + point * EEX_FIGURES;
    for (int f = 0; f < EEX_FIGURES; f++) {
        put_number(out, mean[f].mean);
        put_number(out, mean[f].low);
        put_number(out, mean[f].high);
    }
    eex_buffer_printf(out, ",%zu,%s\r\n", mean->count, c->data[t].fingerprint);
}

void eex_collection_csv(eex_buffer *out, const eex_collection *c)
{
    put_titles(out, c->sweep);
    for (size_t t = 0; t < eex_sweep_tasks(c->sweep); t++)
        put_task(out, c, t);
}

/* ---- HDF5 ---- */

static int write_column(eex_store_file *file, const char *group, const char *name, double *row,
                        size_t count)
{
    char path[96];
    const eex_store_shape shape = {1, {count}};
    snprintf(path, sizeof path, "%s/%s", group, name);
    return eex_store_write(file, path, EEX_STORE_F64, &shape, row);
}

static int write_tasks(eex_store_file *file, const eex_collection *c, double *row)
{
    const size_t tasks = eex_sweep_tasks(c->sweep);
    for (int f = 0; f < EEX_FIGURES; f++) {
        for (size_t t = 0; t < tasks; t++)
            row[t] = c->figure[t * EEX_FIGURES + (size_t)f];
        EEX_TRY(write_column(file, "tasks", eex_figure_name((eex_figure)f), row, tasks));
    }
    return EEX_OK;
}

static int write_points(eex_store_file *file, const eex_collection *c, double *row)
{
    const size_t points = c->sweep->points;
    for (int f = 0; f < EEX_FIGURES; f++)
        for (int part = 0; part < 3; part++) {
            static const char *const tail[] = {"mean", "low", "high"};
            char name[64];
            for (size_t p = 0; p < points; p++) {
                const eex_mean *m = &c->mean[p * EEX_FIGURES + (size_t)f];
                row[p] = part == 0 ? m->mean : part == 1 ? m->low : m->high;
            }
            snprintf(name, sizeof name, "%s_%s", eex_figure_name((eex_figure)f), tail[part]);
            EEX_TRY(write_column(file, "points", name, row, points));
        }
    return EEX_OK;
}

static int write_texts(eex_store_file *file, const eex_collection *c)
{
    const size_t tasks = eex_sweep_tasks(c->sweep);
    const char **text = malloc(tasks * sizeof *text);
    if (!text)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu tasks", tasks);
    for (size_t t = 0; t < tasks; t++)
        text[t] = eex_task_state_name(c->task[t].state);
    int code = eex_store_write_strings(file, "tasks/state", text, tasks);
    for (size_t t = 0; t < tasks; t++)
        text[t] = c->data[t].fingerprint;
    if (code == EEX_OK)
        code = eex_store_write_strings(file, "tasks/fingerprint", text, tasks);
    free(text);
    return code;
}

static int fill(eex_store_file *file, const void *context)
{
    const eex_collection *c = context;
    const eex_sweep *s = c->sweep;
    const size_t most = eex_sweep_tasks(s);
    const eex_store_shape seeds = {1, {s->seeds}};
    double *row = malloc(most * sizeof *row);
    if (!row)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu tasks", most);
    int code = eex_store_set_string(file, "", "name", s->name);
    if (code == EEX_OK)
        code = eex_store_write_strings(file, "field", (const char *const *)s->field, s->fields);
    if (code == EEX_OK)
        code = eex_store_write_strings(file, "value", (const char *const *)s->value,
                                       s->points * s->fields);
    if (code == EEX_OK)
        code = eex_store_write(file, "seed", EEX_STORE_U64, &seeds, s->seed);
    if (code == EEX_OK)
        code = eex_store_make_group(file, "tasks");
    if (code == EEX_OK)
        code = write_tasks(file, c, row);
    if (code == EEX_OK)
        code = write_texts(file, c);
    if (code == EEX_OK)
        code = eex_store_make_group(file, "points");
    if (code == EEX_OK)
        code = write_points(file, c, row);
    free(row);
    return code;
}

int eex_collection_write(const eex_collection *c, const char *path)
{
    return eex_store_write_file(path, "collection", COLLECTION_VERSION, fill, c);
}
