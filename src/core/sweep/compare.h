/* Runs beside each other: their figures, those that differ in their seed alone together, and the
 * fields in which the others differ. Runs on other data, by their fingerprints, are never together:
 * those are figures of other images. A run that keeps none (of before) is taken as its fields say.
 */
#ifndef EEX_CORE_SWEEP_COMPARE_H
#define EEX_CORE_SWEEP_COMPARE_H

#include "core/sweep/collect.h"

/* A field that is not the same in all runs. */
typedef struct eex_compared_field {
    char *path;
    char **value; /* (runs) as descriptions have it; "" where a run says nothing of it */
} eex_compared_field;

typedef struct eex_comparison {
    size_t runs;
    char **folder;       /* (runs) as they were named */
    eex_report **report; /* (runs) */
    double *figure;      /* (runs, EEX_FIGURES), NaN where a run is not finished */
    size_t groups;       /* of runs on the same data whose experiments differ in the seed alone */
    size_t *group;       /* (runs) from 0, in the order in which they come */
    eex_mean *mean;      /* (groups, EEX_FIGURES) */
    size_t fields;
    eex_compared_field *field; /* (fields) the seed not among them */
    bool other_data;           /* fingerprints of the runs' data differ */
} eex_comparison;

/* Reads the runs' folders, finished or not; at least one. */
int eex_compare(eex_comparison *out, const char *const *folders, size_t count);
void eex_comparison_free(eex_comparison *c); /* leaves {0} */

/* How many runs a group has. */
size_t eex_comparison_size(const eex_comparison *c, size_t group);

/* The fingerprint of the data that a run, or a group, is on; NULL: not known. Borrowed. */
const char *eex_comparison_data(const eex_comparison *c, size_t run);
const char *eex_comparison_group_data(const eex_comparison *c, size_t group);

/* A line a run, the figures and behind each the mean and deviation of its group. */
void eex_comparison_csv(eex_buffer *out, const eex_comparison *c);
void eex_comparison_json(eex_buffer *out, const eex_comparison *c);

#endif
