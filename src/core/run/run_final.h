/* Networks of a run as they are handed on: with their weights, thresholds and traces. The chosen
 * network is made so, and the members of its front. */
#ifndef EEX_CORE_RUN_RUN_FINAL_H
#define EEX_CORE_RUN_RUN_FINAL_H

#include "core/policy/replay.h"
#include "core/policy/score_quality.h"
#include "core/run/run.h"
#include "core/run/unmet.h"

/* Which network, and what its training is called. */
typedef struct eex__final_plan {
    const char *what,
        *title; /* "the chosen network", "final training": for messages and progress */
    const char *checkpoint;
    uint64_t seed, subject; /* of its training: run_training.h */
    const char *trained;    /* file of the run with its weights after that training; NULL: they are
                             * those of the judge, and are trained on */
    uint64_t trial;         /* of the search */
    int genome[EEX_MAX_GENES];
} eex__final_plan;

typedef struct eex__final {
    eex_run *run;
    const eex__final_plan *plan;
    eex_structure_costs costs;
    eex_graph *graph;
    eex_params *params;
    eex__history history;
    eex_trace *calibration, *validation; /* scored at the policy's temperatures */
    eex_policy *policy;
    eex_familiar *familiar;
    eex_unmet unmet;
    eex_outcome outcome; /* on the validation split */
    double ece_before[EEX_MAX_EXITS], ece_after[EEX_MAX_EXITS];
    eex_score_quality score[EEX_MAX_EXITS]; /* on the validation split, as the policy scores */
} eex__final;

/* Weights by the judge, trained on by the final recipe from its checkpoint on, temperatures and
 * thresholds from the calibration split. Run and plan are borrowed. Whatever comes out of it, the
 * network is freed by the caller. */
int eex__final_make(eex__final *out, eex_run *run, const eex__final_plan *plan);
void eex__final_free(eex__final *f); /* accepts {0} */

/* The model with its history, exits, outcome on the validation split and trial. */
int eex__final_save(eex_store_file *file, const eex__final *f);

#endif
