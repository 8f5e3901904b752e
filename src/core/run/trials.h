/* Trials: what a search found out about each candidate, in the order of evaluation. */
#ifndef EEX_CORE_RUN_TRIALS_H
#define EEX_CORE_RUN_TRIALS_H

#include "core/store/store.h"
#include "search/space.h"

#include <stdbool.h>
#include <stddef.h>

enum { EEX_TRIAL_REASON = 160 };

typedef struct eex_trial {
    int status;       /* EEX_OK, or the code with which the candidate failed */
    double accuracy;  /* on the validation split, as a fraction; rejected is wrong */
    double macs;      /* expected, of one input, everything executed */
    double latency;   /* expected milliseconds of one input; NaN: not known */
    double agreement; /* fraction decided as the end of the network decides */
    double rejected;
    double least_share;            /* least fraction that a gate takes; 1: there is none; NaN: of a
                                    * run from before this was kept */
    double cut_saved;              /* fraction of the MACs saved against the cuts of its accuracy
                                    * (policy/cuts.h); NaN: not known, a run from before */
    double violation;              /* of limits: limits.h; 0 or less: none */
    double score;                  /* what the search maximises */
    double seconds;                /* what the evaluation took: no part of the result */
    char reason[EEX_TRIAL_REASON]; /* of a failure */
} eex_trial;

/* Whether it may be chosen: it is done, has a score, and oversteps no limit. */
bool eex_trial_eligible(const eex_trial *trial);

typedef struct eex_trials {
    int genes;
    size_t count, capacity;
    int *genomes;  /* (count, genes) */
    eex_trial *at; /* (count) */
} eex_trials;

void eex_trials_init(eex_trials *trials, int genes);
void eex_trials_free(eex_trials *trials); /* accepts NULL; leaves an empty list */

/* Copies both in. */
int eex_trials_add(eex_trials *trials, const int *genome, const eex_trial *trial);
const int *eex_trials_genome(const eex_trials *trials, size_t i);

/* Trials first..first+count-1 as arrays of a group; times under "<group>/seconds" and
 * "<group>/latency_ms". */
int eex_trials_save(const eex_trials *trials, size_t first, size_t count, eex_store_file *file,
                    const char *group);
/* Appends the trials of a group. */
int eex_trials_load(eex_trials *trials, eex_store_file *file, const char *group);

/* Numbers of the trials that no other beats in both validation accuracy and cost (MACs, or latency
 * where by_latency), cheapest first, one of equals; without those that failed or violate limits.
 * *front is the caller's.
 */
int eex_trials_front(size_t **front, size_t *count, const eex_trials *trials, bool by_latency);

#endif
