/* What a network makes of the test split, by really running it. */
#ifndef EEX_CORE_RUN_RUN_SCORED_H
#define EEX_CORE_RUN_RUN_SCORED_H

#include "core/run/run.h"

/* A network, and what it said. Its parts are borrowed. */
typedef struct eex__scored {
    const eex_graph *graph;
    eex_params *params;
    eex_policy *policy;     /* NULL: nobody leaves before the end */
    eex_familiar *familiar; /* NULL: it does not reject by distance */
    eex_result *results;    /* (test) owned: free() */
    double joules;          /* of all test images in batches; NAN: nobody measures */
} eex__scored;

/* Fractions. */
typedef struct eex__tally {
    double accuracy, rejected; /* rejected is not right */
    double share[EEX_MAX_EXITS], exit_accuracy[EEX_MAX_EXITS];
} eex__tally;

/* Runs the test split in batches through an engine. */
int eex__score_test(eex__scored *s, const eex_run *run);
void eex__scored_count(eex__tally *out, const eex_run *run, const eex__scored *s);

/* Accuracy (exits) on the test split of each exit by itself, by one pass with nobody leaving; NaN
 * without images. As member "alone_accuracy" of a group. */
int eex__score_alone(double *accuracy, const eex_run *run, const eex_graph *graph,
                     eex_params *params);
int eex__alone_save(eex_store_file *file, const char *group, const double *accuracy, int exits);

/* Decisions of each image and the figures, as members and attributes of a group. */
int eex__scored_save(eex_store_file *file, const char *group, const eex_run *run,
                     const eex__scored *s);

#endif
