/* What the epochs of the trainings told. */
#include "page/chart.h"
#include "page/html.h"
#include "page/sections.h"

#include "base/status.h"

#include <math.h>

static const char *const names[EEX_PAGE_TRAININGS] = {"base", "with all gates", "chosen network"};

typedef struct line {
    const char *name;
    int colour;
    eex_mark mark;
} line;

static void put_line(eex_chart *c, const eex_curves *curves, const double *column, double scale,
                     const line *l)
{
    if (!column)
        return;
    eex_chart_series(c, l->name, l->colour, l->mark);
    for (int e = 0; e < curves->epochs; e++) {
        const double value = scale * eex_curves_end(curves, column, e);
        const double gates = scale * eex_curves_gates(curves, column, e);
        if (isnan(gates))
            eex_chart_point(c, e + 1, value, "%s; epoch %d; %.4g", l->name, e + 1, value);
        else
            eex_chart_point(c, e + 1, value, "%s; epoch %d; %.4g; mean of its gates %.4g", l->name,
                            e + 1, value, gates);
    }
}

static int accuracies(eex_page *page, const eex_page_run *run)
{
    char name[EEX_PAGE_TRAININGS][2][64];
    eex_chart c = {.title = "Accuracy by epoch",
                   .x = "epoch",
                   .whole = true,
                   .y = "accuracy at the end, %",
                   .about = "Dashed: of training images as augmented. Lines: of validation images "
                            "after the epoch."};
    for (int i = 0; i < EEX_PAGE_TRAININGS; i++) {
        const eex_curves *curves = &run->curves[i];
        if (curves->epochs == 0)
            continue;
        snprintf(name[i][0], sizeof name[i][0], "%s, validation", names[i]);
        snprintf(name[i][1], sizeof name[i][1], "%s, training", names[i]);
        put_line(&c, curves, curves->validation, 100, &(line){name[i][0], i, EEX_MARK_LINE});
        put_line(&c, curves, curves->accuracy, 100, &(line){name[i][1], i, EEX_MARK_DASHED});
    }
    return eex_chart_put(page, &c);
}

static int losses(eex_page *page, const eex_page_run *run)
{
    eex_chart c = {.title = "Loss by epoch",
                   .x = "epoch",
                   .whole = true,
                   .y = "training loss at the end",
                   .about = "Mean over the training images as augmented, while the epoch went on.",
                   .from_zero = true};
    for (int i = 0; i < EEX_PAGE_TRAININGS; i++)
        put_line(&c, &run->curves[i], run->curves[i].loss, 1, &(line){names[i], i, EEX_MARK_LINE});
    return eex_chart_put(page, &c);
}

/* Runs beside each other: what the chosen network's training came from, where that is known. */
static int compared(eex_page *page, const eex_page_run *runs, size_t count, eex_page_training which)
{
    char title[96];
    eex_chart c = {.title = title,
                   .x = "epoch",
                   .whole = true,
                   .y = "accuracy at the end, %",
                   .about = "Of validation images after each epoch."};
    snprintf(title, sizeof title, "Training: %s", names[which]);
    for (size_t i = 0; i < count; i++)
        put_line(&c, &runs[i].curves[which], runs[i].curves[which].validation, 100,
                 &(line){runs[i].label, (int)i, EEX_MARK_LINE});
    return eex_chart_put(page, &c);
}

int eex_page_put_training(eex_page *page, const eex_page_run *runs, size_t count)
{
    int epochs = 0;
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < EEX_PAGE_TRAININGS; k++)
            epochs += runs[i].curves[k].epochs;
    if (epochs == 0)
        return EEX_OK;
    eex_html_element(&page->html, "h2", "Training");
    eex_buffer_puts(&page->html, "<div class=\"charts\">\n");
    if (count == 1) {
        EEX_TRY(accuracies(page, &runs[0]));
        EEX_TRY(losses(page, &runs[0]));
    } else {
        for (int k = 0; k < EEX_PAGE_TRAININGS; k++)
            EEX_TRY(compared(page, runs, count, (eex_page_training)k));
    }
    eex_buffer_puts(&page->html, "</div>\n");
    return eex_buffer_status(&page->html);
}
