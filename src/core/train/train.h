/* Training: regimes over plans, one epoch at a time, so that a run can stop after any of them and
 * go on bit-identically. */
#ifndef EEX_CORE_TRAIN_TRAIN_H
#define EEX_CORE_TRAIN_TRAIN_H

#include "core/data/dataset.h"
#include "core/graph/elastic.h"
#include "core/policy/trace.h"
#include "core/train/inference.h"

typedef enum eex_regime {
    EEX_REGIME_JOINT,       /* weighted sum of all exits' losses */
    EEX_REGIME_INTERLEAVED, /* Algorithm 1: main pass, then each sub-model in turn */
    EEX_REGIME_FROZEN,      /* trunk fixed, gates only */
    EEX_REGIME_DISTILL,     /* joint, and the last exit teaches the gates */
    EEX_REGIME_MIXED,       /* backbone alone for the first `alone` epochs, then joint */
    EEX_REGIME_SANDWICH,    /* many networks of an elastic graph a step, see supernet.h */
    EEX_REGIMES
} eex_regime;

/* "joint", "interleaved", ... */
const eex_names *eex_regime_names(void);
const char *eex_regime_name(eex_regime regime);

typedef enum eex_schedule_kind {
    EEX_SCHEDULE_CONSTANT,
    EEX_SCHEDULE_COSINE,    /* from lr to final * lr */
    EEX_SCHEDULE_STEP,      /* lr * gamma at each milestone */
    EEX_SCHEDULE_ONE_CYCLE, /* up from lr / 25 to lr over the warm-up, cosine down to final * lr */
    EEX_SCHEDULES
} eex_schedule_kind;

/* "constant", "cosine", "step", "one_cycle". */
const eex_names *eex_schedule_names(void);
const char *eex_schedule_name(eex_schedule_kind schedule);

enum { EEX_MAX_MILESTONES = 16 };

typedef struct eex_schedule {
    eex_schedule_kind kind;
    double warmup; /* epochs of linear warm-up from 0 (one-cycle: from lr / 25) */
    double final;  /* cosine, one-cycle: last rate as a fraction of lr */
    double gamma;
    int milestones, milestone[EEX_MAX_MILESTONES]; /* epochs */
} eex_schedule;

typedef struct eex_recipe {
    eex_regime regime;
    eex_precision precision; /* where features are cached: float32 instead of bfloat16 */
    int epochs, batch;
    double lr;
    eex_schedule schedule;
    eex_optimizer optimizer;
    double smoothing, l1;
    double distill, distill_t;
    double gate_weight;         /* loss weight of every gate; the end of the backbone has 1 */
    int alone;                  /* mixed: epochs of the backbone alone */
    int random;                 /* sandwich: random networks of a step */
    int shrink[EEX_GENE_KINDS]; /* sandwich: the epoch, from 0, from which such genes are elastic */
    int statistics; /* images of which batch norm's statistics are taken anew in the end; 0: those
                     * of the training stay */
    eex_augment augment;
    bool cache_features; /* frozen: run the trunk once, without augmentation, and keep what the
                          * gates read in memory */
} eex_recipe;

eex_recipe eex_recipe_default(void);

/* What its steps are calculated in: cached features are float32 in memory. */
eex_precision eex_recipe_precision(const eex_recipe *recipe);

/* Learning rate of a step: `at` in epochs, fractional. */
double eex_schedule_rate(const eex_schedule *schedule, double lr, double at, int epochs);

typedef struct eex_epoch_report {
    int epoch; /* just finished, from 1 */
    double seconds, images_per_second;
    int exits;
    double loss[EEX_MAX_EXITS], accuracy[EEX_MAX_EXITS]; /* on the training images as augmented */
} eex_epoch_report;

typedef struct eex_trainer eex_trainer;

/* All pointers are borrowed and must outlive the trainer. `samples` are sample numbers of `data`
 * (see dataset.h); the recipe and the list are copied. Nothing is trained yet. */
int eex_trainer_new(eex_trainer **out, eex_params *params, const eex_recipe *recipe,
                    eex_dataset *data, const uint32_t *samples, size_t count, uint64_t seed);
void eex_trainer_free(eex_trainer *trainer);

/* Each output is a question of its own, and these are the answers by sample number: bit c of
 * answers[sample] is that to output c (eex_op_loss, binary). The labels of the data do not count
 * then. Borrowed; before the first epoch. */
void eex_trainer_answers(eex_trainer *trainer, const int32_t *answers);

/* Trains one epoch. EEX_EDIVERGED: the loss became NaN or exploded (the message says at which exit
 * and step). EEX_EINTERRUPTED: a signal came between two batches: a save keeps the epoch as far as
 * it has come, and another call goes on from there. */
int eex_trainer_epoch(eex_trainer *trainer, eex_epoch_report *report);
int eex_trainer_done(const eex_trainer *trainer);   /* all epochs of the recipe are trained */
int eex_trainer_epochs(const eex_trainer *trainer); /* trained so far */
/* Batches trained of the epoch that comes next, of *all. */
int eex_trainer_batches(const eex_trainer *trainer, int *all);

/* After the last epoch: replaces the weights by their moving average when the recipe has one, then
 * takes batch norm's statistics anew when it says so. */
int eex_trainer_finish(eex_trainer *trainer);

/* Weights, statistics, moments, averages, epoch, step and what the epoch has told: everything that
 * the next batch needs. What follows from a save is the same bit for bit wherever it was made. */
int eex_trainer_save(const eex_trainer *trainer, eex_store_file *file, const char *group);
int eex_trainer_load(eex_trainer *trainer, eex_store_file *file, const char *group);

/* Called about ten times a second while an epoch trains: `done` of `total` images of the recipe. */
typedef void eex_train_watch(void *context, int epoch, uint64_t done, uint64_t total, double loss);
void eex_trainer_watch(eex_trainer *trainer, eex_train_watch *watch, void *context);

/* What sets the learning rate, as its user calls it: named where training diverges. Borrowed; else
 * those of the trainings of a run. */
void eex_trainer_rates(eex_trainer *trainer, const char *rates);

/* Records a trace of all exits on the given samples, scored at temperature 1, in their order.
 * Statistics are not touched. */
int eex_trace_record(eex_trace **out, const eex_graph *graph, eex_params *params, eex_dataset *data,
                     const uint32_t *samples, size_t count, const eex_inference *how);

#endif
