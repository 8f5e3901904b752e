/* Pruning: the network cut after each of its exits, judged side by side (NASEREX, Table III),
 * and the choice between them. */
#ifndef EEX_CORE_USE_PRUNE_H
#define EEX_CORE_USE_PRUNE_H

#include "core/model/cut.h"

#include "base/laps.h"

typedef struct eex_prune_row {
    eex_cut cut;
    eex_cut_facts facts;  /* accuracy: on the validation split */
    double test_accuracy; /* NAN until eex_prune_test */
    double ms;            /* of one input of the validation split, mean; NAN until eex_prune_time */
    double most_ms;       /* of one that goes to the end: never less than ms */
    eex_speedup speedup;  /* over the base by the clock; NAN where either is not known */
} eex_prune_row;

typedef struct eex_prune_table {
    int exits;       /* of the whole network: kept[exits - 1] is itself */
    int validation;  /* samples behind the accuracies */
    int test, timed; /* samples; 0: not done */
    int rounds;      /* behind the latencies */
    bool disturbed;  /* rounds of any of them disagree: base/laps.h */
    double full_ms;  /* the whole network to its end, without its gates; NAN until eex_prune_time */
    eex_prune_row kept[EEX_MAX_EXITS];  /* cut after exit k, gates in front of it kept */
    eex_prune_row alone[EEX_MAX_EXITS]; /* exit k alone */
    struct {
        bool there;
        int64_t params, bytes;
        double macs, accuracy, test_accuracy, ms; /* NAN: not known */
    } base;
} eex_prune_table;

/* Replays the model's validation trace for every cut: no network runs. */
int eex_prune_judge(eex_prune_table *out, const eex_model *model);

/* What the next three run on. `base` may be NULL. */
typedef struct eex_prune_bench {
    const eex_model *model, *base; /* with devices */
    eex_dataset *data;
} eex_prune_bench;

/* Accuracy of the base on the validation split, by running it. */
int eex_prune_base(eex_prune_table *table, const eex_prune_bench *bench);

/* Accuracies on the test split, by running base and cut networks. */
int eex_prune_test(eex_prune_table *table, const eex_prune_bench *bench);

/* Latencies at batch 1 over (at most) `images` of the validation split: a race of all networks
 * (race.h). Warns where rounds disagree. */
int eex_prune_time(eex_prune_table *table, const eex_prune_bench *bench, int images, int rounds);

/* What is wanted of a cut; what is not wanted is NAN. */
typedef struct eex_wishes {
    bool alone;       /* of the exits alone */
    double most_macs; /* of any input */
    double most_ms;   /* of any input; needs eex_prune_time */
    double accuracy;  /* at least; zero or less: so far below the base's, which must be known */
} eex_wishes;

/* Among the cuts that keep to the limits: with a wished accuracy the cheapest that has it, else the
 * most accurate, the cheaper of equals. *why, for people, belongs to the caller. EEX_EINVAL where
 * nothing fits, with the nearest that is possible. */
int eex_prune_choose(int *exit, char **why, const eex_prune_table *table, const eex_wishes *wishes);

#endif
