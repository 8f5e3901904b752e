/* Experiments: what an experiment file describes, and running it from end to end.
 *
 * src/lua fills eex_experiment from a script; nothing here knows Lua. A run is a folder (see
 * docs/store-format.md); it can be killed at any moment and continued by running it again. */
#ifndef EEX_CORE_RUN_EXPERIMENT_H
#define EEX_CORE_RUN_EXPERIMENT_H

#include "core/graph/cost.h"
#include "core/graph/saliency.h"
#include "core/model/predictor.h"
#include "core/policy/calibrate.h"
#include "core/run/cluster.h"
#include "core/store/store.h"
#include "core/train/train.h"
#include "search/controller.h"

#include "base/buffer.h"

enum { EEX_MAX_CHOICES = 8, EEX_MAX_GATES = 63, EEX_MAX_LEVELS = 16 };

typedef enum eex_evaluator_kind {
    EEX_EVALUATE_SHARED,
    EEX_EVALUATE_TRAIN,
    EEX_EVALUATORS
} eex_evaluator_kind;
typedef enum eex_score_kind {
    EEX_SCORE_ACCURACY,     /* Algorithm 1 */
    EEX_SCORE_EQUATION1,    /* latency + loss of agreement with the base */
    EEX_SCORE_WEIGHTED,     /* accuracy - weight * cost / base cost */
    EEX_SCORE_CUT_MACS,     /* MACs saved against cuts of the same accuracy: policy/cuts.h */
    EEX_SCORE_CUT_ACCURACY, /* accuracy gained against cuts of the same MACs */
    EEX_SCORES
} eex_score_kind;

/* What a training starts from. */
typedef enum eex_start {
    EEX_START_SCRATCH,
    EEX_START_BASE,   /* the trained base; an elastic one's slices for a smaller network */
    EEX_START_SHARED, /* the shared network, likewise */
    EEX_STARTS
} eex_start;

/* What "cheap" means to a score and to the choice from the Pareto front. */
typedef enum eex_cost_unit {
    EEX_COST_MACS,    /* counted: the same on every machine and in every run */
    EEX_COST_LATENCY, /* milliseconds of one input, from the run's table, which is measured once */
    EEX_COST_UNITS
} eex_cost_unit;

/* As scripts and descriptions of runs have them: "scratch", ...; "shared", ...; "accuracy", ...;
 * "macs", ... */
const eex_names *eex_start_names(void);
const char *eex_start_name(eex_start start);
const eex_names *eex_evaluator_names(void);
const char *eex_evaluator_name(eex_evaluator_kind evaluator);
const eex_names *eex_score_names(void);
const char *eex_score_name(eex_score_kind score);
const eex_names *eex_cost_unit_names(void);
const char *eex_cost_unit_name(eex_cost_unit unit);

/* What a candidate keeps within, or it is not chosen; 0: no limit. */
typedef struct eex_limits {
    double macs;    /* largest expected MACs of one input */
    double params;  /* most trainable parameters of its network */
    double latency; /* largest expected milliseconds of one input */
    double share;   /* least fraction of the images that each of its gates takes */
} eex_limits;

typedef struct eex_experiment {
    char name[EEX_NAME_MAX];
    char *source;        /* the script's text, stored with the run; owned */
    eex_store_list sets; /* what --set changed in it, in this order, likewise */
    uint64_t seed;
    bool deterministic; /* bit-identical twice on a GPU too; a CPU always is */

    struct {
        char name[256];              /* of a data set in the data folder, or a path */
        int calibration, validation; /* samples taken from the training split */
        int train;                   /* samples used for training; 0: all that are left */
    } data;

    eex_graph *backbone; /* owned */
    eex_points points;   /* candidate exit points */
    bool probe;          /* rank `points` by a linear probe's accuracy and keep probe_count */
    int probe_count;

    struct {
        int choices, blocks[EEX_MAX_CHOICES]; /* block counts a gate may have, ascending */
        eex_act act;
        eex_gate_family family;
        int channels;  /* as eex_gate.channels */
        bool required; /* each point has a gate: what is searched is its block counts */
        int points, each[EEX_MAX_GATES]; /* a block count for each point, in their order, in the
                                          * place of `blocks`; points 0: all choose among those */
        int max_exits;                   /* largest number of gates of a candidate; 0: no limit */
        int levels;                      /* thresholds that are genes; 0: they are the policy's */
        double level[EEX_MAX_LEVELS]; /* (levels) as policy.a, ascending; entropies as scripts say
                                       * them, not negated */
    } gates;

    eex_precision precision;  /* of traces and decisions: thresholds, latencies and the stored
                               * models; one that eex_precision_infers */
    eex_recipe training;      /* of the shared network and of the base (without gates) */
    int base_epochs;          /* of the base; 0: as many as of the shared network */
    char training_init[256];  /* file of a model that base and shared network start from, by names
                               * of parameters; "": none */
    bool training_from_base;  /* the shared network starts from the trained base; frozen always does
                               */
    eex_recipe candidate;     /* evaluator = "train": of each candidate */
    eex_start candidate_from; /* and what it starts from; frozen never from scratch */
    bool candidate_exits;     /* EEX_START_SHARED: its exits start from the shared network's too */
    eex_calibration policy;

    struct {
        eex_algorithm algorithm;
        eex_evaluator_kind evaluator;
        eex_score_kind score;
        eex_cost_unit cost;
        char latency_table[256]; /* file that latencies come from; "": the run measures them */
        int population, sample, trials;
        int workers; /* candidates that are judged at a time, each in a process of its own, and
                      * asked for before the first of them is told; 0: one after the other */
        eex_cluster slurm;   /* how workers are asked for where a cluster has them */
        int initial, batch;  /* of the search on surrogates */
        double weight;       /* of EEX_SCORE_WEIGHTED */
        double min_accuracy; /* >= 0: among the Pareto front take the cheapest with at least this
                              * validation accuracy; -1: the best score */
        int statistics; /* elastic backbones: training images of which batch norm's statistics are
                         * taken anew for each network; 0: those of the largest stay */
        eex_limits limits;
        int front; /* members of the Pareto front that are finished and scored on the test split
                    * beside the chosen one; 0: none */
        int tau;   /* candidates also trained to correlate both evaluators; 0: none */
    } search;

    eex_exit_predictor_recipe predictor; /* trained for the chosen network; epochs 0: none */

    /* The chosen network between a device and a server (policy/adapt.h). */
    struct {
        double latency;          /* milliseconds on average, at most; 0: it is not cut */
        int cut;                 /* behind exit `cut`, from 1; 0: behind the last early one */
        int bits;                /* of each value that is sent; 32: as it is */
        eex_precision precision; /* of every training below */
        int epochs, more; /* of a bottleneck's training (model/bottleneck.h); 0: there is none */
        int batch;
        double lr, more_lr;
        bool augment;
        double from, to;       /* bandwidths, Mbit/s; both 0: as published */
        double device, server; /* 1e9 operations a second; server 0: takes no time */
        double round_trip;     /* milliseconds */
        double filters;        /* share of the device's filters that a rival is without; 0: none */
        int filter_epochs;     /* that it is trained on for */
        double filter_lr;
        eex_convention convention;
        int jpeg; /* quality of a JPEG that is sent instead; 0: none is compared with */
    } partition;

    /* Static networks that are trained by themselves and scored beside the chosen one (rivals.h).
     */
    struct {
        bool base, cuts;     /* the backbone; the backbone cut off behind each chosen exit */
        eex_graph *narrower; /* another network; owned, NULL: none */
        int epochs;          /* 0: as many as the chosen network has seen in all */
        double lr;           /* 0: the training's */
    } rivals;

    eex_recipe final; /* epochs 0: the best candidate keeps the shared weights; else it is
                       * trained on from them by this recipe */
} eex_experiment;

eex_experiment *eex_experiment_new(void); /* with every default; NULL: out of memory */
void eex_experiment_free(eex_experiment *e);

/* Consistency of the whole: EEX_EINVAL names the field's path and what was expected. */
int eex_experiment_check(const eex_experiment *e);

/* On how many of its points gates may really be put: all, or those that the probe leaves. */
int eex_experiment_points(const eex_experiment *e);

/* EEX_EUNSUPPORTED where the device does not calculate in a precision that a run would need: names
 * the field's path. */
int eex_experiment_check_device(const eex_experiment *e, const eex_device *device);

/* Everything that shapes the results, one "path = value" a line, the backbone as a digest. Two
 * experiments with the same text are the same. */
int eex_experiment_text(char **out, const eex_experiment *e);

/* Who starts the workers of search.workers elsewhere: an array job of a cluster, say. `folder` is
 * RUN/workers, for whatever it keeps. */
typedef struct eex_worker_starter {
    const void *context; /* borrowed */

    /* `count` workers are to come for the search that now hands out candidates; each runs
     * eex_experiment_work. Those that an earlier search asked for are to end. */
    int (*start)(const void *context, const char *folder, int count);

    /* Appends where workers may be that do not come, and what helps: a sentence. */
    void (*tell)(eex_buffer *out, const void *context, const char *folder);

    /* All are to end, and are not waited for. Leaves the thread's message alone. */
    void (*stop)(const void *context, const char *folder);
} eex_worker_starter;

typedef struct eex_run_options {
    const char *folder;   /* created if absent */
    const char *data_dir; /* NULL: $EEX_DATA, else the default */
    const char *device;   /* "cpu" */
    int threads;          /* 0: all */
    bool fresh;           /* start again: what is in the folder is removed first */
    bool move;            /* go on with a run that began on another device */
    bool no_lock;         /* go on where the file system has no locks: the caller knows that nothing
                           * else writes to the folder */
    /* search.workers: how a worker is started: a program and its arguments, NULL-ended, to which
     * "--device D --threads N --worker" is added. NULL: this process judges the same candidates in
     * the same order, one after the other. */
    const char *const *worker;
    bool elsewhere; /* search.workers: others start them (eex_experiment_work), this run waits */
    const eex_worker_starter *starter; /* the same, and it asks these for them; NULL: nobody */
    const char *from; /* folder of a run whose phases a new run takes over as far as the same
                       * fields have shaped them; NULL: none */
} eex_run_options;

/* Runs or continues. A finished run is left as it is, also where nobody may write. Status codes as
 * in status.h; after EEX_EINTERRUPTED everything is saved. EEX_EUNSUPPORTED where the folder's file
 * system has no locks. When it fails before anything is written, a folder that was not there is
 * gone again. */
int eex_experiment_run(const eex_experiment *e, const eex_run_options *options);

/* Judges candidates of the search that goes on in the folder, until that is over or a signal comes:
 * what a worker of search.workers does. Several may, wherever the folder is seen. EEX_EINVAL where
 * the folder holds another run, or one that does not search yet. */
int eex_experiment_work(const eex_experiment *e, const eex_run_options *options);

/* Whether the folder holds a run that has all its files; what is in them is not looked at. */
bool eex_run_is_finished(const char *folder);

/* Whether `path` lies in the folder of a run and has the name of one of its files, which nothing
 * but the run writes. */
bool eex_run_owns(const char *path);

#endif
