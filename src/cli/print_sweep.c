/* The front of accuracy and cost, as table, plot and JSON. */
#include "cli/print.h"
#include "cli/print_tune.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/status.h"
#include "base/table.h"
#include "base/terminal.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PLOT_ROWS = 12, PLOT_COLUMNS = 120, PLOT_MARGIN = 10 };

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

/* Where x is between low and high, in 0..steps - 1. */
static int place(double x, double low, double high, int steps)
{
    int at = high > low ? (int)lround((x - low) / (high - low) * (steps - 1)) : 0;
    return at < 0 ? 0 : at >= steps ? steps - 1 : at;
}

static void draw(char grid[PLOT_ROWS][PLOT_COLUMNS + 1], int columns, const eex_tune_point *points,
                 int count, const double range[4])
{
    for (int r = 0; r < PLOT_ROWS; r++) {
        memset(grid[r], ' ', (size_t)columns);
        grid[r][columns] = '\0';
    }
    for (int i = 0; i < count; i++)
        grid[PLOT_ROWS - 1 - place(accuracy_of(&points[i]), range[2], range[3], PLOT_ROWS)]
            [place(points[i].macs, range[0], range[1], columns)] = '*';
}

static void plot(eex_buffer *out, const eex_tune_point *points, int count, size_t width)
{
    char grid[PLOT_ROWS][PLOT_COLUMNS + 1], low[EEX_TEXT_SIZE], high[EEX_TEXT_SIZE];
    double range[4] = {INFINITY, -INFINITY, INFINITY, -INFINITY};
    int columns = width == 0 ? 64 : (int)width - PLOT_MARGIN;
    columns = columns > PLOT_COLUMNS ? PLOT_COLUMNS : columns;
    if (count < 2 || columns < 20)
        return;
    for (int i = 0; i < count; i++) {
        range[0] = fmin(range[0], points[i].macs);
        range[1] = fmax(range[1], points[i].macs);
        range[2] = fmin(range[2], accuracy_of(&points[i]));
        range[3] = fmax(range[3], accuracy_of(&points[i]));
    }
    draw(grid, columns, points, count, range);
    eex_buffer_printf(out, "\n%s accuracy against MACs\n",
                      isnan(points[0].validation) ? "calibration" : "validation");
    for (int r = 0; r < PLOT_ROWS; r++) {
        double at = range[3] - (range[3] - range[2]) * r / (PLOT_ROWS - 1);
        if (r == 0 || r == PLOT_ROWS - 1)
            eex_buffer_printf(out, "%6.2f %% |%s\n", 100 * at, grid[r]);
        else
            eex_buffer_printf(out, "%8s |%s\n", "", grid[r]);
    }
    eex_buffer_printf(out, "%8s +", "");
    eex_buffer_fill(out, '-', (size_t)columns);
    eex_text_number(low, range[0], NULL);
    eex_text_number(high, range[1], NULL);
    eex_buffer_printf(out, "\n%10s%s%*s\n", "", low, columns - (int)strlen(low), high);
}

static void print_json(eex_buffer *out, const eex_tune_point *points, int count,
                       const eex_model *model, const eex_model_costs *costs, eex_policy_kind kind)
{
    eex_json json = EEX_JSON_INIT(out), *j = &json;
    eex_json_object(j, NULL);
    eex_json_string(j, "model", model->path);
    eex_json_string(j, "policy", eex_policy_kind_name(kind));
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
                       const eex_model *model, const eex_model_costs *costs, eex_policy_kind kind)
{
    const size_t width = eex__terminal_width(STDOUT_FILENO);
    eex_buffer_printf(out,
                      "%s: %s, %d exits: the best that thresholds fitted on calibration images\n"
                      "reach, cheapest first; costs are those of the %s images\n\n",
                      model->path, eex_policy_kind_name(kind), costs->exits,
                      isnan(points[0].validation) ? "calibration" : "validation");
    EEX_TRY(sweep_table(out, points, count, costs->base_macs, width));
    plot(out, points, count, width);
    return EEX_OK;
}

int eex_print_sweep(const eex_tune_point *points, int count, const eex_model *model,
                    const eex_model_costs *costs, eex_policy_kind kind, bool json)
{
    eex_buffer out = EEX_BUFFER_INIT;
    int code = EEX_OK;
    if (json)
        print_json(&out, points, count, model, costs, kind);
    else
        code = print_table(&out, points, count, model, costs, kind);
    return json ? eex__print_text(&out, code) : eex__print_report(&out, code);
}
