/* The front of accuracy and cost, as table, plot and JSON. */
#include "cli/print.h"
#include "cli/print_tune.h"
#include "cli/text_plot.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/status.h"
#include "base/table.h"
#include "base/terminal.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { PLOT_ROWS = 12 };

static double accuracy_of(const eex_tune_point *p)
{
    return isnan(p->validation) ? p->calibration : p->validation;
}

static int sweep_table(eex_buffer *out, const eex_tune_point *points, int count, double base,
                       size_t width)
{
    static const char *const titles[] = {"MACs",       "of the base", "ms",      "calibration",
                                         "validation", "as the end",  "rejected"};
    eex_table *t = NULL;
    char text[EEX_TEXT_SIZE];
    EEX_TRY(eex_table_new(&t));
    for (int i = 0; i < 7; i++)
        eex_table_column(t, titles[i], EEX_ALIGN_RIGHT, i == 4 ? 9 : 7 - i);
    for (int i = 0; i < count; i++) {
        const eex_tune_point *p = &points[i];
        eex_table_row(t);
        eex_table_cell(t, "%s", eex_text_number(text, p->macs, NULL));
        eex_table_cell(t, "%.1f %%", 100 * p->macs / base);
        eex_table_fixed(t, 4, p->ms);
        eex_table_percent(t, 2, p->calibration);
        eex_table_percent(t, 2, p->validation);
        eex_table_percent(t, 2, p->agreement);
        eex_table_percent(t, 2, p->rejected);
    }
    int code = eex_table_format(out, t, width);
    eex_table_free(t);
    return code;
}

static int plot(eex_buffer *out, const eex_tune_point *points, int count, size_t width)
{
    double *x = malloc(2 * (size_t)count * sizeof *x);
    if (!x)
        return eex_fail(EEX_ENOMEM, "out of memory for a plot of %d points", count);
    double *const y = x + count;
    for (int i = 0; i < count; i++) {
        x[i] = points[i].macs;
        y[i] = 100 * accuracy_of(&points[i]);
    }
    const eex_text_series series = {'*', x, y, (size_t)count};
    eex_text_plot(out,
                  isnan(points[0].validation) ? "calibration accuracy against MACs"
                                              : "validation accuracy against MACs",
                  &series, 1, width, PLOT_ROWS);
    free(x);
    return EEX_OK;
}

static void print_json(eex_buffer *out, const eex_tune_point *points, int count,
                       const eex_model *model, const eex_model_costs *costs,
                       const eex_policy *policy)
{
    eex_json json = EEX_JSON_INIT(out), *j = &json;
    eex_json_object(j, NULL);
    eex_json_string(j, "model", model->path);
    eex_json_string(j, "policy", eex_policy_kind_name(policy->kind));
    eex_json_string(j, "policy_by", eex_policy_fitted_by(policy->kind, policy->by_label));
    eex_json_double(j, "base_macs", costs->base_macs);
    eex_json_double(j, "base_latency_ms", costs->base_ms);
    eex_json_array(j, "front");
    for (int i = 0; i < count; i++) {
        eex_json_object(j, NULL);
        eex_json_double(j, "macs", points[i].macs);
        eex_json_double(j, "latency_ms", points[i].ms);
        eex_json_double(j, "calibration_accuracy", points[i].calibration);
        eex_json_double(j, "validation_accuracy", points[i].validation);
        eex_json_double(j, "agreement", points[i].agreement);
        eex_json_double(j, "rejected", points[i].rejected);
        eex_json_end(j);
    }
    eex_json_end(j);
    eex_json_end(j);
    eex_buffer_putc(out, '\n');
}

static int print_table(eex_buffer *out, const eex_tune_point *points, int count,
                       const eex_model *model, const eex_model_costs *costs,
                       const eex_policy *policy)
{
    const size_t width = eex__terminal_width(STDOUT_FILENO);
    char words[EEX_POLICY_WORDS];
    eex__put_name(out, model->path);
    eex_buffer_printf(out,
                      ": %s, %d exits: the best that thresholds fitted on calibration images\n"
                      "reach, cheapest first; costs are those of the %s images\n\n",
                      eex_policy_words(words, policy->kind, policy->by_label), costs->exits,
                      isnan(points[0].validation) ? "calibration" : "validation");
    EEX_TRY(sweep_table(out, points, count, costs->base_macs, width));
    return plot(out, points, count, width);
}

int eex_print_sweep(const eex_tune_point *points, int count, const eex_model *model,
                    const eex_model_costs *costs, const eex_policy *policy, bool json)
{
    eex_buffer out = EEX_BUFFER_INIT;
    int code = EEX_OK;
    if (json)
        print_json(&out, points, count, model, costs, policy);
    else
        code = print_table(&out, points, count, model, costs, policy);
    return json ? eex__print_text(&out, code) : eex__print_report(&out, code);
}
