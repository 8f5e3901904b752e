#include "cli/text_plot.h"

#include "base/text.h"
#include "base/wrap.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ROWS = 40, MOST_COLUMNS = 120, MARGIN = 10, USUAL = 74 };

typedef struct plot {
    char grid[MOST_ROWS][MOST_COLUMNS + 1];
    int rows, columns;
    double x_low, x_high, y_low, y_high;
    size_t points;
} plot;

static void find_range(plot *p, const eex_text_series *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (!isfinite(s->x[i]) || !isfinite(s->y[i]))
            continue;
        p->x_low = fmin(p->x_low, s->x[i]);
        p->x_high = fmax(p->x_high, s->x[i]);
        p->y_low = fmin(p->y_low, s->y[i]);
        p->y_high = fmax(p->y_high, s->y[i]);
        p->points++;
    }
}

/* Where x is between low and high, in 0..steps - 1. */
static int place(double x, double low, double high, int steps)
{
    int at = high > low ? (int)lround((x - low) / (high - low) * (steps - 1)) : 0;
    return at < 0 ? 0 : at >= steps ? steps - 1 : at;
}

static void draw(plot *p, const eex_text_series *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (isfinite(s->x[i]) && isfinite(s->y[i]))
            p->grid[p->rows - 1 - place(s->y[i], p->y_low, p->y_high, p->rows)]
                   [place(s->x[i], p->x_low, p->x_high, p->columns)] = s->mark;
}

static void put(eex_buffer *out, const plot *p, const char *title, size_t width)
{
    char low[EEX_TEXT_SIZE], high[EEX_TEXT_SIZE];
    eex_buffer_putc(out, '\n');
    eex_wrap(out, title, width);
    eex_buffer_putc(out, '\n');
    for (int r = 0; r < p->rows; r++) {
        const double at = p->y_high - (p->y_high - p->y_low) * r / (p->rows - 1);
        if (r == 0 || r == p->rows - 1)
            eex_buffer_printf(out, "%6.2f %% |%s\n", at, p->grid[r]);
        else
            eex_buffer_printf(out, "%8s |%s\n", "", p->grid[r]);
    }
    eex_buffer_printf(out, "%8s +", "");
    eex_buffer_fill(out, '-', (size_t)p->columns);
    eex_text_number(low, p->x_low, NULL);
    eex_text_number(high, p->x_high, NULL);
    eex_buffer_printf(out, "\n%10s%s%*s\n", "", low, p->columns - (int)strlen(low), high);
}

void eex_text_plot(eex_buffer *out, const char *title, const eex_text_series *series, size_t count,
                   size_t width, int rows)
{
    plot p = {.rows = rows < 2           ? 2
                      : rows > MOST_ROWS ? MOST_ROWS
                                         : rows,
              .columns = (int)(width ? width : USUAL) - MARGIN,
              .x_low = INFINITY,
              .x_high = -INFINITY,
              .y_low = INFINITY,
              .y_high = -INFINITY};
    p.columns = p.columns > MOST_COLUMNS ? MOST_COLUMNS : p.columns;
    for (size_t i = 0; i < count; i++)
        find_range(&p, &series[i]);
    if (p.points < 2 || p.columns < EEX_TEXT_PLOT_LEAST - MARGIN)
        return;
    for (int r = 0; r < p.rows; r++) {
        memset(p.grid[r], ' ', (size_t)p.columns);
        p.grid[r][p.columns] = '\0';
    }
    for (size_t i = 0; i < count; i++)
        draw(&p, &series[i]);
    put(out, &p, title, width);
}
