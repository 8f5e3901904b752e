/* Charts: series of points on two axes, drawn by gnuplot, with what is said of a point under the
 * pointer and everything once more in a table.
 *
 *     eex_chart c = {.title = "Training", .x = "epoch", .y = "accuracy, %"};
 *     eex_chart_series(&c, "validation", 0, EEX_MARK_LINE);
 *     eex_chart_point(&c, 1, 62.5, "epoch 1: %.1f %%", 62.5);
 *     eex_chart_put(page, &c);
 *
 * Texts may come from files. A chart without a point is not put. Of a series of more than some
 * thousand points as many are drawn, evenly, and the last. */
#ifndef EEX_PAGE_CHART_H
#define EEX_PAGE_CHART_H

#include "page/page.h"

typedef enum eex_mark {
    EEX_MARK_POINTS,
    EEX_MARK_DOTS, /* small ones, of which there are many */
    EEX_MARK_LINE,
    EEX_MARK_DASHED,
    EEX_MARK_STEPS,
    EEX_MARK_BARS
} eex_mark;

typedef struct eex_chart {
    const char *title, *x, *y; /* what it shows, and what is on its axes */
    const char *about;         /* a sentence under the title; NULL: none */
    bool whole;                /* x are whole numbers */
    bool from_zero;            /* the axis of y begins at 0 */
    bool diagonal;             /* y = x is drawn */
    bool turned;               /* names on x are long */
    eex_buffer tics;           /* of x, where they have names: "'a' 1, 'b' 2" */
    /* for chart.c */
    eex_buffer data, plots, legend, table;
    const char *name; /* of the series; it begins with its first point */
    int series, colour;
    eex_mark mark;
    bool wanted, ranged, any_range;
    struct eex__chart_point *kept; /* of the series, each so-manieth, and the last */
    size_t kept_count, each, seen;
    size_t points, all; /* that are drawn, and that there were */
    bool no_memory;
    double range[4];
} eex_chart;

/* What follows belongs to a series of that name (borrowed; NULL: to the one before, in another
 * shape) in colour 0 to EEX_SVG_COLOURS - 1. */
void eex_chart_series(eex_chart *c, const char *name, int colour, eex_mark mark);

/* A point, and what is said of it, printf-style. One that is not finite is left out. */
void eex_chart_point(eex_chart *c, double x, double y, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with an interval of y: all points of a series have one, or none. */
void eex_chart_interval(eex_chart *c, double x, double y, double low, double high,
                        const char *format, ...) __attribute__((format(printf, 6, 7)));

/* A name on the axis of x in the place of numbers. */
void eex_chart_tic(eex_chart *c, double x, const char *name);

bool eex_chart_has_points(const eex_chart *c);

/* Instead of putting it. */
void eex_chart_free(eex_chart *c);

/* Into the page; what the chart holds is freed in any case. */
int eex_chart_put(eex_page *page, eex_chart *c);

#endif
