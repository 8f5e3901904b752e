#include "cli/print_tasks.h"

#include "cli/out_file.h"
#include "cli/print.h"
#include "core/sweep/collect.h"
#include "core/sweep/tasks.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/shell.h"
#include "base/status.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- states ---- */

static void count_states(size_t count[EEX_TASK_STATES], const eex_task *task, size_t tasks)
{
    for (int i = 0; i < EEX_TASK_STATES; i++)
        count[i] = 0;
    for (size_t t = 0; t < tasks; t++)
        count[task[t].state]++;
}

static void json_values(eex_json *j, const eex_sweep *s, size_t task)
{
    eex_json_object(j, "fields");
    for (size_t f = 0; f < s->fields; f++)
        eex_json_string(j, s->field[f], s->value[task / s->seeds * s->fields + f]);
    eex_json_end(j);
    eex_json_uint(j, "seed", s->seed[task % s->seeds]);
}

static int print_json(const eex_sweep *s, const eex_task *task)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_json j = EEX_JSON_INIT(&text);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "name", s->name);
    eex_json_array(&j, "tasks");
    for (size_t t = 0; t < eex_sweep_tasks(s); t++) {
        eex_json_object(&j, NULL);
        json_values(&j, s, t);
        eex_json_string(&j, "state", eex_task_state_name(task[t].state));
        if (*task[t].message)
            eex_json_string(&j, "message", task[t].message);
        eex_json_end(&j);
    }
    eex_json_end(&j);
    eex_json_end(&j);
    eex_buffer_putc(&text, '\n');
    return eex__print_text(&text, eex_buffer_status(&text));
}

/* Whoever is not done, and why. */
static int print_others(const eex_sweep *s, const eex_task *task)
{
    eex_table *t = NULL;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "task", EEX_ALIGN_RIGHT, 9);
    eex_table_column(t, "state", EEX_ALIGN_LEFT, 8);
    eex_table_column(t, "point", EEX_ALIGN_LEFT, 7);
    eex_table_column(t, "", EEX_ALIGN_LEFT, 6);
    size_t rows = 0;
    for (size_t i = 0; i < eex_sweep_tasks(s); i++) {
        char *label = NULL;
        if (task[i].state == EEX_TASK_DONE || task[i].state == EEX_TASK_WAITING)
            continue;
        if (eex_sweep_label(&label, s, i) != EEX_OK)
            continue;
        eex_table_row(t);
        eex_table_cell(t, "%zu", i);
        eex_table_cell(t, "%s", eex_task_state_name(task[i].state));
        eex_table_cell(t, "%s", label);
        eex_table_cell(t, "%s", task[i].message);
        free(label);
        rows++;
    }
    if (rows)
        return eex__print_table(t);
    eex_table_free(t);
    return EEX_OK;
}

static int print_people(const eex_sweep *s, const char *folder, const eex_task *task)
{
    size_t count[EEX_TASK_STATES];
    char word[EEX_SHELL_WORD];
    eex_buffer line = EEX_BUFFER_INIT;
    EEX_TRY(print_others(s, task));
    count_states(count, task, eex_sweep_tasks(s));
    eex_buffer_printf(&line, "%zu of %zu tasks done", count[EEX_TASK_DONE], eex_sweep_tasks(s));
    for (int i = 0; i < EEX_TASK_DONE; i++)
        if (count[i])
            eex_buffer_printf(&line, ", %zu %s", count[i], eex_task_state_name((eex_task_state)i));
    eex__print_line("%s", eex_buffer_text(&line));
    eex_buffer_free(&line);
    if (count[EEX_TASK_DONE])
        eex__print_line("eex sweep collect %s puts the results together",
                        eex_shell_text(word, folder));
    return EEX_OK;
}

int eex_print_tasks(const eex_sweep *s, const char *folder, bool json)
{
    eex_task *task = NULL;
    EEX_TRY(eex_tasks_look(&task, s, folder));
    int code = json ? print_json(s, task) : print_people(s, folder, task);
    free(task);
    return code;
}

/* ---- results ---- */

static double shown(double value)
{
    return eex_text_unsigned_zero(value, 2);
}

static void mean_cell(eex_table *t, const eex_mean *m, double unit)
{
    if (isnan(m->mean))
        eex_table_cell(t, "-");
    else if (m->count == 1)
        eex_table_cell(t, "%.2f", shown(unit * m->mean));
    else
        eex_table_cell(t, "%.2f ±%.2f (%.2f to %.2f)", shown(unit * m->mean),
                       fabs(unit) * m->deviation, shown(fmin(unit * m->low, unit * m->high)),
                       shown(fmax(unit * m->low, unit * m->high)));
}

static int print_means(const eex_collection *c)
{
    const eex_sweep *s = c->sweep;
    eex_table *t = NULL;
    EEX_TRY(eex_table_new(&t));
    for (size_t f = 0; f < s->fields; f++)
        eex_table_column(t, s->field[f], EEX_ALIGN_RIGHT, 9);
    eex_table_column(t, "seeds", EEX_ALIGN_RIGHT, 5);
    eex_table_column(t, "test accuracy %", EEX_ALIGN_RIGHT, 9);
    eex_table_column(t, "M MACs", EEX_ALIGN_RIGHT, 8);
    eex_table_column(t, "validation %", EEX_ALIGN_RIGHT, 7);
    eex_table_column(t, "against cut %", EEX_ALIGN_RIGHT, 6);
    for (size_t p = 0; p < s->points; p++) {
        const eex_mean *m = c->mean + p * EEX_FIGURES;
        eex_table_row(t);
        for (size_t f = 0; f < s->fields; f++)
            eex_table_cell(t, "%s", s->value[p * s->fields + f]);
        eex_table_cell(t, "%zu", m->count);
        mean_cell(t, &m[EEX_FIGURE_ACCURACY], 100);
        mean_cell(t, &m[EEX_FIGURE_MACS], 1e-6);
        mean_cell(t, &m[EEX_FIGURE_VALIDATION], 100);
        mean_cell(t, &m[EEX_FIGURE_CUT], -100);
    }
    return eex__print_table(t);
}

static int json_means(const eex_collection *c)
{
    const eex_sweep *s = c->sweep;
    eex_buffer text = EEX_BUFFER_INIT;
    eex_json j = EEX_JSON_INIT(&text);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "name", s->name);
    eex_json_bool(&j, "other_data", eex_collection_changed(c));
    eex_json_array(&j, "points");
    for (size_t p = 0; p < s->points; p++) {
        eex_json_object(&j, NULL);
        eex_json_object(&j, "fields");
        for (size_t f = 0; f < s->fields; f++)
            eex_json_string(&j, s->field[f], s->value[p * s->fields + f]);
        eex_json_end(&j);
        eex_json_bool(&j, "other_data", eex_collection_mixed(c, p));
        for (int f = 0; f < EEX_FIGURES; f++) {
            const eex_mean *m = &c->mean[p * EEX_FIGURES + (size_t)f];
            eex_json_object(&j, eex_figure_name((eex_figure)f));
            eex_json_uint(&j, "seeds", m->count);
            eex_json_double(&j, "mean", m->mean);
            eex_json_double(&j, "low", m->low);
            eex_json_double(&j, "high", m->high);
            eex_json_double(&j, "deviation", m->deviation);
            eex_json_end(&j);
        }
        eex_json_end(&j);
    }
    eex_json_end(&j);
    eex_json_end(&j);
    eex_buffer_putc(&text, '\n');
    return eex__print_text(&text, eex_buffer_status(&text));
}

enum { MOST_CSV = 256 << 20 };

/* A collection is replaced by the next one; what somebody else has put there is not. */
static int check_csv(const char *path, bool force)
{
    char *text = NULL;
    const bool own =
        eex_fs_read(&text, NULL, path, MOST_CSV) == EEX_OK && eex_collection_is_csv(text);
    free(text);
    return eex_check_out(path, force || own, NULL, NULL);
}

static int check_files(const char *csv, const char *h5, bool force)
{
    EEX_TRY(check_csv(csv, force));
    return eex_check_out(h5, true, "collection", NULL);
}

static int write_files(const eex_collection *c, const char *csv, const char *h5)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_collection_csv(&text, c);
    int code = eex_buffer_status(&text);
    if (code == EEX_OK)
        code = eex_fs_write(csv, text.data, text.size);
    if (code == EEX_OK)
        code = eex_collection_write(c, h5);
    if (code == EEX_OK)
        eex_log_info("wrote %s and results.h5", csv);
    if (code == EEX_OK && eex_collection_changed(c))
        eex_log_warn(EEX_OTHER_DATA);
    eex_buffer_free(&text);
    return code;
}

static int print_people_means(const eex_collection *c)
{
    EEX_TRY(print_means(c));
    eex__print_line("±: standard deviation over seeds; in brackets: 95 %% intervals of the "
                    "mean. Test accuracy is "
                    "scored once a run; choose by validation. " EEX_AGAINST_CUT);
    return EEX_OK;
}

static int print_collection(const eex_sweep *s, const char *folder, const char *csv, const char *h5,
                            bool json)
{
    eex_collection c;
    EEX_TRY(eex_collect(&c, s, folder));
    int code = write_files(&c, csv, h5);
    if (code == EEX_OK)
        code = json ? json_means(&c) : print_people_means(&c);
    eex_collection_free(&c);
    return code;
}

int eex_print_collection(const eex_sweep *s, const char *folder, bool force, bool json)
{
    char *csv = NULL, *h5 = NULL;
    int code = eex_path_join(&csv, folder, "results.csv");
    if (code == EEX_OK)
        code = eex_path_join(&h5, folder, "results.h5");
    if (code == EEX_OK)
        code = check_files(csv, h5, force);
    if (code == EEX_OK)
        code = print_collection(s, folder, csv, h5, json);
    free(csv);
    free(h5);
    return code;
}
