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
    const char *rates; /* eex_trainer_rates; NULL: as there */
    uint64_t seed;
    uint64_t subject; /* what is trained, where one checkpoint file serves several subjects */
    const uint32_t *samples;
    size_t count;
    const eex_index *validation; /* looked at after epochs; NULL, or empty: nobody looks */
} eex__training;

/* What the epochs of a training told: (epochs, exits). */
typedef struct eex__history {
    int epochs, exits;
    double *loss, *accuracy; /* of the training images as augmented, while the epoch went on */
    double
        *validation; /* accuracy after the epoch; NaN where nobody looked; NULL: nobody ever does */
    size_t validation_images;
    bool pending;   /* the last epoch is still to be validated */
    double seconds; /* of training, interruptions left out */
} eex__history;

void eex__history_free(eex__history *history); /* accepts {0}; leaves {0} */
/* Room for all epochs of the training, none of them done. */
int eex__history_new(eex__history *history, const eex__training *training, int exits);
/* One more epoch; validated: it is going to be. */
void eex__history_add(eex__history *history, const eex_epoch_report *report, bool validated);
/* What one of its columns says about an epoch, from 0: (exits). */
double *eex__history_row(const eex__history *history, double *column, int epoch);
int eex__history_save(const eex__history *history, eex_store_file *file);
/* Into one that was made for the training, the first `epochs` of it. */
int eex__history_load(eex__history *history, eex_store_file *file, int epochs);

/* Trains `params` by the recipe, continuing from the checkpoint when there is one. */
int eex__run_train(struct eex_run *run, eex_params *params, const eex__training *training,
                   eex__history *history);

/* How many images of the validation split are looked at after an epoch: so few that it takes a
 * small part of the epoch's time. They lie evenly in the split. */
size_t eex__run_validation_images(const eex__training *training);
/* Whether epoch `epoch` (from 1) is validated. Where features are cached, an epoch takes less than
 * looking: the last one is. */
bool eex__run_validates(const eex__training *training, int epoch);
/* The accuracy of each exit on them, by running statistics; weights and statistics are not touched.
 * EEX_EINTERRUPTED at a signal. */
int eex__run_validate(double *accuracy, const struct eex_run *run, eex_params *params,
                      const eex__training *training);

/* Weights of a finished training with its history, into a file that is open, and as file NAME. */
int eex__run_put_weights(eex_store_file *file, const struct eex_run *run, const eex_params *params,
                         const eex__history *history);
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
