/* What a sweep has found: each point's mean over the seeds. */
#include "page/chart.h"
#include "page/html.h"
#include "page/sections.h"
#include "page/svg.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>

enum { LABEL = 240, POINTS_NAMED = EEX_SVG_COLOURS };

/* "training.lr 0.1, search.algorithm aging" */
static const char *point_label(char out[LABEL], const eex_sweep *s, size_t point)
{
    size_t used = 0;
    snprintf(out, LABEL, "point %zu", point);
    for (size_t f = 0; f < s->fields && used < LABEL; f++)
        used += (size_t)snprintf(out + used, LABEL - used, "%s%s %s", f ? ", " : "", s->field[f],
                                 s->value[point * s->fields + f]);
    return out;
}

static const eex_mean *mean_of(const eex_collection *c, size_t point, eex_figure figure)
{
    return &c->mean[point * EEX_FIGURES + (size_t)figure];
}

static void mean_cell(eex_buffer *out, const eex_mean *m, double scale, int digits)
{
    const double mean = eex_text_unsigned_zero(scale * m->mean, digits);
    if (isnan(m->mean))
        eex_html_fixed(out, digits, NAN);
    else if (isnan(m->low))
        eex_buffer_printf(out, "<td class=\"n\">%.*f</td>", digits, mean);
    else
        eex_buffer_printf(out, "<td class=\"n\">%.*f &#177; %.*f</td>", digits, mean, digits,
                          fabs(scale) * (m->high - m->mean));
}

static void table(eex_buffer *out, const eex_collection *c)
{
    static const char *const titles[] = {"point",           "#runs",     "#test, %",
                                         "#MACs, M",        "#base, %",  "#validation, %",
                                         "#against cut, %", "#speed-up", NULL};
    char label[LABEL];
    eex_buffer_puts(out, "<div class=\"card\">");
    eex_html_table_begin(out, titles);
    for (size_t p = 0; p < c->sweep->points; p++) {
        const eex_mean *accuracy = mean_of(c, p, EEX_FIGURE_ACCURACY);
        eex_buffer_puts(out, "<tr>");
        eex_html_cell(out, "%s", point_label(label, c->sweep, p));
        eex_html_cell(out, "%zu of %zu", accuracy->count, c->sweep->seeds);
        mean_cell(out, accuracy, 100, 2);
        mean_cell(out, mean_of(c, p, EEX_FIGURE_MACS), 1e-6, 3);
        mean_cell(out, mean_of(c, p, EEX_FIGURE_BASE_ACCURACY), 100, 2);
        mean_cell(out, mean_of(c, p, EEX_FIGURE_VALIDATION), 100, 2);
        mean_cell(out, mean_of(c, p, EEX_FIGURE_CUT), -100, 1);
        mean_cell(out, mean_of(c, p, EEX_FIGURE_SPEEDUP), 1, 2);
        eex_buffer_puts(out, "</tr>\n");
    }
    eex_html_table_end(out);
    eex_buffer_puts(out, "</div>\n");
    eex_html_element(
        out, "p class=\"note\"",
        "Means over the seeds, with half of their 95 %% intervals (Student's t) behind "
        "them, of runs that are done. " EEX_AGAINST_CUT);
    if (eex_collection_changed(c))
        eex_html_element(out, "p class=\"note\"", "Note: " EEX_OTHER_DATA ".");
}

static int chart(eex_page *page, const eex_collection *c)
{
    char label[POINTS_NAMED][LABEL], other[LABEL];
    eex_chart drawn = {.title = "Points of the sweep",
                       .x = "MACs of an input, mean over the seeds",
                       .y = "test accuracy, %",
                       .about = "Means over the seeds with 95 % intervals."};
    for (size_t p = 0; p < c->sweep->points; p++) {
        const eex_mean *a = mean_of(c, p, EEX_FIGURE_ACCURACY), *m = mean_of(c, p, EEX_FIGURE_MACS);
        const char *name = point_label(other, c->sweep, p);
        if (p < POINTS_NAMED && c->sweep->points <= POINTS_NAMED)
            eex_chart_series(&drawn, point_label(label[p], c->sweep, p), (int)p, EEX_MARK_POINTS);
        else if (p == 0)
            eex_chart_series(&drawn, "points", 0, EEX_MARK_POINTS);
        if (isnan(a->low))
            eex_chart_point(&drawn, m->mean, 100 * a->mean, "%s; %.2f %%", name, 100 * a->mean);
        else
            eex_chart_interval(&drawn, m->mean, 100 * a->mean, 100 * a->low, 100 * a->high,
                               "%s; %.2f %%, %.2f to %.2f over %zu seeds", name, 100 * a->mean,
                               100 * a->low, 100 * a->high, a->count);
    }
    return eex_chart_put(page, &drawn);
}

static void tasks(eex_buffer *out, const eex_collection *c)
{
    size_t of[EEX_TASK_STATES] = {0};
    const size_t all = eex_sweep_tasks(c->sweep);
    for (size_t t = 0; t < all; t++)
        of[c->task[t].state]++;
    eex_buffer_printf(out, "<p class=\"lead\">%zu points at %zu seeds:", c->sweep->points,
                      c->sweep->seeds);
    for (int s = 0; s < EEX_TASK_STATES; s++)
        if (of[s])
            eex_buffer_printf(out, " %zu %s", of[s], eex_task_state_name((eex_task_state)s));
    eex_buffer_puts(out, ".</p>\n");
}

int eex_page_put_sweep(eex_page *page, const eex_collection *c)
{
    eex_html_element(&page->html, "h1", "%s", c->sweep->name);
    tasks(&page->html, c);
    table(&page->html, c);
    eex_buffer_puts(&page->html, "<div class=\"charts\">\n");
    EEX_TRY(chart(page, c));
    eex_buffer_puts(&page->html, "</div>\n");
    return eex_buffer_status(&page->html);
}
