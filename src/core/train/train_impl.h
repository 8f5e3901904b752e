/* What the trainer's files share. */
#ifndef EEX_CORE_TRAIN_TRAIN_IMPL_H
#define EEX_CORE_TRAIN_TRAIN_IMPL_H

#include "core/train/batches.h"
#include "core/train/features.h"
#include "core/train/supernet.h"
#include "core/train/train.h"

struct eex_trainer {
    eex_params *params;
    eex_recipe recipe;
    eex_dataset *data;
    eex_batches source;
    uint32_t *samples; /* (count), for recording features */
    size_t count;
    eex_features *features; /* regime frozen with cache_features */
    eex_optimizer_state *state;
    eex_plan **passes; /* NULL until the first epoch of a regime's part */
    int pass_count;
    eex_supernet *supernet;     /* regime sandwich: what its one pass is the largest network of */
    bool alone;                 /* the passes are those of the backbone alone */
    int pass_of[EEX_MAX_EXITS]; /* the pass that has exit k's loss, -1: none */
    int exits, epoch;
    uint64_t seed, step, images; /* images: of one epoch */

    /* Of the epoch that is not finished: batches trained, and what they told; how long they took.
     */
    uint32_t batches;
    eex_totals totals[EEX_MAX_EXITS]; /* in front of the batches that this process has trained */
    double seconds;                   /* likewise */
    const int32_t *answers;           /* by sample number; NULL: labels count */
    int32_t *asked;                   /* (batch) where they do not: the answers of a batch */
    eex_train_watch *watch;
    void *watch_context;
    const char *rates; /* NULL: those of a run's trainings */
    double told;       /* when it was last called: epochs may be shorter than its interval */
};

/* The totals of exit k over the batches of this epoch so far; NaN where it has no loss. */
int eex__trainer_totals(const eex_trainer *t, int k, eex_totals *out);

#endif
