/* What the models of a search on surrogates were worth, batch by batch, and how far the front had
 * come (search/controller.h: eex_search_report). */
#ifndef EEX_CORE_RUN_MODELS_H
#define EEX_CORE_RUN_MODELS_H

#include "core/run/trials.h"
#include "search/controller.h"

enum { EEX_MODELS_OBJECTIVES = 2, EEX_MODELS_NAME = 16 }; /* of a run: the error, and the cost */

typedef struct eex_models_batch {
    uint64_t trials; /* that were known */
    char surrogate[EEX_MODELS_OBJECTIVES][EEX_MODELS_NAME];
    double tau[EEX_MODELS_OBJECTIVES]; /* cross-validated, NaN of very few */
    double null_tau;                   /* of the cost alone, for the accuracy */
    double hypervolume;                /* of the front so far, 1 - accuracy and cost */
} eex_models_batch;

typedef struct eex_models {
    size_t count, capacity;
    eex_models_batch *at;                    /* (count) in the order of their trials */
    double reference[EEX_MODELS_OBJECTIVES]; /* of every hypervolume; where count > 0 */
} eex_models;

void eex_models_free(eex_models *models); /* leaves {0} */

/* Takes in a report of two objectives. One of no more trials than the last is known already: a
 * search that goes on says once more what it said before. */
int eex_models_add(eex_models *models, const eex_search_report *report);

/* The hypervolume of all trials, against the reference point; NaN without one. */
int eex_models_hypervolume(double *out, const eex_models *models, const eex_trials *trials,
                           bool by_latency);

/* Batches from `first` on as arrays of a group; nothing where there are none. */
int eex_models_save(const eex_models *models, size_t first, eex_store_file *file,
                    const char *group);
/* Appends those of a group, if the file has it. */
int eex_models_load(eex_models *models, eex_store_file *file, const char *group);

#endif
