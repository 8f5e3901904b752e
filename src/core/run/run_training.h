/* Training, weights and traces of a run's networks. */
#ifndef EEX_CORE_RUN_RUN_TRAINING_H
#define EEX_CORE_RUN_RUN_TRAINING_H

#include "core/model/model.h"
#include "core/store/store.h"

struct eex_run;

typedef struct eex__training {
    const char *title;      /* "base": for progress */
    const char *checkpoint; /* file name; removed by the caller once its result is stored */
    const eex_recipe *recipe;
    uint64_t seed;
    uint64_t subject; /* what is trained, where one checkpoint file serves several subjects */
    const uint32_t *samples;
    size_t count;
} eex__training;

/* What the epochs of a training told: (epochs, exits). */
typedef struct eex__history {
    int epochs, exits;
    double *loss, *accuracy;
    double seconds; /* of training, interruptions left out */
} eex__history;

void eex__history_free(eex__history *history); /* accepts {0}; leaves {0} */
int eex__history_save(const eex__history *history, eex_store_file *file);

/* Trains `params` by the recipe, continuing from the checkpoint when there is one. */
int eex__run_train(struct eex_run *run, eex_params *params, const eex__training *training,
                   eex__history *history);

/* Weights of a finished training with its history: NAME. */
int eex__run_save_weights(const struct eex_run *run, const char *name, const eex_params *params,
                          const eex__history *history);
/* Parameters from the group "params" of file NAME, which has all of them. */
int eex__run_read_weights(eex_params *out, const struct eex_run *run, const char *name);
/* New parameters of the graph, read from the group "params" of file NAME. */
int eex__run_load_weights(eex_params **out, const struct eex_run *run, const char *name,
                          const eex_graph *graph);

/* How the run's networks are run: its data set's mean and deviation, its precision. */
eex_inference eex__run_inference(const struct eex_run *run, int batch);

/* A trace of all exits on the samples of a part of the split, with distances unless familiar is
 * NULL. */
int eex__run_trace(eex_trace **out, const struct eex_run *run, const eex_graph *graph,
                   eex_params *params, const eex_familiar *familiar, const eex_index *samples);
int eex__run_save_trace(const struct eex_run *run, const char *name, const eex_trace *trace);
int eex__run_load_trace(eex_trace **out, const struct eex_run *run, const char *name);

#endif
