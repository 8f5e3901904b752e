/* Static networks that a network with exits has to beat, each trained by itself for as long as that
 * was: the backbone, the backbone cut off behind each of the chosen exits, and a narrower one. What
 * is gained by leaving early, and not by longer training or by a smaller network, is what is left
 * beside the best of them. */
#ifndef EEX_CORE_RUN_RIVALS_H
#define EEX_CORE_RUN_RIVALS_H

#include "core/graph/graph.h"
#include "core/run/experiment.h"
#include "core/run/phase.h"
#include "core/store/store.h"

/* Accuracies are fractions; NaN: of one whose training diverged. */
typedef struct eex_rival {
    char name[EEX_NAME_MAX]; /* "base", "cut after exit 2", "narrower" */
    double epochs;
    double validation_accuracy, accuracy; /* of the validation split and of the test split */
    double macs;                          /* of one input */
    double seconds;                       /* of training */
    char failure[EEX_PHASE_REASON];       /* why it diverged; "": it did not, and has its file */
} eex_rival;

typedef struct eex_rivals {
    size_t count;
    eex_rival *at; /* (count) the base first, cuts from the front to the back, the narrower one */
} eex_rivals;

enum { EEX_RIVAL_FILE = 24 };

/* The model file of rival i, from 0, in the run's folder: "rival-0001.h5". */
const char *eex_rival_file(char name[EEX_RIVAL_FILE], size_t i);

/* How often the chosen network has seen each image in all: the base that it began with, the shared
 * network or the candidate, and the final training. */
int eex_experiment_epochs(const eex_experiment *e);

/* The one that beats a network of that accuracy and cost: no dearer and at least as accurate, the
 * most accurate of these. NULL: none does. One that failed beats nothing. */
const eex_rival *eex_rivals_better(const eex_rivals *rivals, double accuracy, double macs);

/* The most accurate on the test split, the first of equals. NULL: all have failed. */
const eex_rival *eex_rivals_best(const eex_rivals *rivals);

int eex_rivals_save(const eex_rivals *rivals, eex_store_file *file);
int eex_rivals_load(eex_rivals *out, eex_store_file *file); /* EEX_EFORMAT: parts do not fit */
void eex_rivals_free(eex_rivals *rivals);                   /* leaves {0} */

#endif
