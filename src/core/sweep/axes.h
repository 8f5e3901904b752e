/* Which points of a sweep there are: values of an experiment's fields, from axes.
 *
 * An axis is a field with the values that it takes: a list, or a range. A grid has every
 * combination of lists; random and Sobol points are any number of points over lists and ranges,
 * where Sobol's sequence (Joe and Kuo 2008) fills the space evenly: any first part of it, too. */
#ifndef EEX_CORE_SWEEP_AXES_H
#define EEX_CORE_SWEEP_AXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EEX_SWEEP_AXES = 10, EEX_SWEEP_PATH = 96, EEX_SWEEP_POINTS = 100000 };

typedef struct eex_axis {
    char path[EEX_SWEEP_PATH]; /* "training.lr" */
    char **value;              /* (values) as --set takes them; NULL: a range */
    size_t values;
    double from, to; /* a range */
    bool log;        /* even in the logarithm: both ends are positive */
    bool integer;
} eex_axis;

typedef enum eex_sweep_kind { EEX_SWEEP_GRID, EEX_SWEEP_RANDOM, EEX_SWEEP_SOBOL } eex_sweep_kind;

/* The values of all points: (points, axes) texts, rows of *out, which is the caller's with all of
 * them (eex_texts_free). A grid's first axis changes slowest, and its `points` is not asked.
 * EEX_EINVAL: no point at all, more than EEX_SWEEP_POINTS, a range in a grid. */
int eex_axes_points(char ***out, size_t *points, const eex_axis *axes, size_t count,
                    eex_sweep_kind kind, uint64_t seed);

void eex_texts_free(char **texts, size_t count); /* accepts NULL */

/* Number `axis` of point `i` of Sobol's sequence, in [0, 1); axis below EEX_SWEEP_AXES. */
double eex_sobol(uint32_t i, int axis);

#endif
