/* A trained network without a share of its filters (graph/filters.h), trained on as it is then: the
 * rival of early exit prediction in the paper on that (Section V-B), which prunes what runs on the
 * device, the linear layers apart, by the filters' l2 norms. */
#ifndef EEX_CORE_MODEL_PRUNED_H
#define EEX_CORE_MODEL_PRUNED_H

#include "core/data/dataset.h"
#include "core/data/split.h"
#include "core/model/model.h"

typedef struct eex_pruning {
    double share; /* of the filters of each group, above 0 and below 1 */
    int cut;      /* exit up to which filters go, from 0; -1: the last early one, or the end of a
                   * network without any */
    int epochs;   /* all of it is trained on so often, jointly; 0: it is not */
    eex_precision precision; /* of that training */
    int batch;
    double lr;    /* at the beginning; a cosine down to a hundredth */
    bool augment; /* crops with a pad of 4 and flips, as for CIFAR */
    uint64_t seed;
    const eex_index *train; /* samples that it learns from; NULL: the model's own, without those of
                             * the other parts. Borrowed */
    const char *rates;      /* how its user calls lr: eex_trainer_rates */
    const char *checkpoint; /* file that keeps the training while it goes on (train/kept.h), which
                             * the caller removes once the result is stored; NULL: none does */
} eex_pruning;

/* A tenth, 10 epochs of batch 128 from 0.01, augmented. */
eex_pruning eex_pruning_default(void);

/* What it comes to. Accuracies are fractions of the validation images. */
typedef struct eex_pruned_facts {
    double share;
    int epochs;
    int cut;                          /* from 0 */
    int filters, gone;                /* that could go; that went */
    double macs_before, macs;         /* as far as the cut, every gate computed */
    int64_t params_before, params;    /* trained, of all of it */
    double end_before, end;           /* accuracy of the last exit alone */
    double accuracy_before, accuracy; /* with the model's policy */
} eex_pruned_facts;

typedef struct eex_pruned eex_pruned;

/* Prunes, trains on and records the traces of its exits. The thresholds stay. The data set is the
 * model's own; model and data are borrowed. EEX_EINVAL: no device, no such cut or share, no filters
 * that could go, a share that is less than one of them, or a policy that rejects by distance: what
 * is familiar is told by channels.
 * EEX_EDIVERGED, EEX_EINTERRUPTED. */
int eex_pruned_make(eex_pruned **out, const eex_model *model, eex_dataset *data,
                    const eex_pruning *how);
void eex_pruned_free(eex_pruned *pruned); /* accepts NULL */
const eex_pruned_facts *eex_pruned_look(const eex_pruned *pruned);

/* EEX_EINVAL where eex_pruned_make refuses, before images are read. */
int eex_pruned_check(const eex_model *model, const eex_pruning *how);

/* The model file with the traces of its exits, which every command takes in the place of a run.
 * As eex_store_fill; context: the eex_pruned. */
int eex_pruned_fill(eex_store_file *file, const void *context);
int eex_pruned_save(const eex_pruned *pruned, const char *path);

#endif
