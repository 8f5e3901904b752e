/* Reports: what a run's folder says, finished or not. Reads only the store. */
#ifndef EEX_CORE_REPORT_REPORT_H
#define EEX_CORE_REPORT_REPORT_H

#include "core/graph/graph.h"
#include "core/model/model.h"
#include "core/run/front.h"
#include "core/run/models.h"
#include "core/run/phase.h"
#include "core/run/rivals.h"
#include "core/run/structure_described.h"
#include "core/run/trials.h"
#include "core/run/unmet.h"
#include "core/store/store.h"
#include "device/op.h"

#include "base/buffer.h"
#include "base/laps.h"

#include <stdbool.h>
#include <stdio.h>

/* NaN or 0 wherever the run has not come yet. */
typedef eex_latency eex_report_latency; /* max: NaN in runs of before it was kept */

typedef struct eex_report_exit {
    const char *node; /* that the gate reads; borrowed from the report */
    int position;     /* which of the run's exit points, from 1; the end is behind all of them */
    int blocks;       /* -1: the end of the backbone */
    double utilisation, accuracy; /* on the test split; accuracy of those that leave there */
    double macs;                  /* everything executed for one that leaves there */
    double validation_accuracy;   /* of this exit alone */
    double ece_before, ece_after; /* on the validation split */
    double auroc, aurc;           /* there, of its score (score_quality.h); NaN in runs of before */
} eex_report_exit;

typedef struct eex_report {
    char *folder, *name, *device, *dataset, *version, *created;
    eex_identity made_of; /* the data that it is on; not known in runs of before */
    int64_t seed;
    eex_precision precision; /* of traces and decisions */
    bool finished;
    const char *state; /* "trained the base" and the like, what was reached last */
    struct {
        int64_t height, width;
    } images, network; /* size of the data's images, and what the network resizes them to */

    struct {
        double accuracy, macs;
        double joules; /* an image of the test split, in batches; NaN where nobody measures */
        int64_t epochs;
        eex_report_latency latency;
    } base;

    int64_t shared_epochs; /* of the shared network; 0: there is none */
    int64_t final_epochs;  /* of the final training */

    /* The chosen network with nobody leaving early, on the same split: what exits cost, or gain, is
     * seen against it. NaN in runs whose version did not keep it. */
    struct {
        double accuracy;
        double macs;                /* the trunk alone */
        double macs_with_gates;     /* as it was run: with every gate */
        eex_report_latency latency; /* without its gates */
        eex_speedup speedup;        /* over the base */
    } full;

    struct {
        double accuracy, rejected, ada_macs, ada_macs_cumulative;
        eex_speedup speedup; /* over the base; low and high are NaN where it was not measured in
                              * rounds: runs of before that */
        double validation_accuracy;
        /* Fraction of the MACs saved against the cuts of the same accuracy (policy/cuts.h), which
         * are its own exits alone; NaN: not known, in runs of before. */
        double cut_saved, validation_cut_saved; /* test split, validation split */
        bool cut_beyond;                        /* no cut is as accurate, on the test split */
        double alone_macs[EEX_MAX_EXITS];       /* (exits) trunk and this gate */
        double joules;
        int64_t device_bytes; /* most device memory that the last session held; 0: not known */
        eex_report_latency latency;
        int exits;
        eex_report_exit exit[EEX_MAX_EXITS];
        bool decides; /* it has a policy: of this kind, fitted by this */
        eex_policy_kind policy;
        bool by_label;
    } best;

    int latency_rounds; /* behind latencies and speed-up; 0: those of before it was so */

    eex_trials trials;  /* of the search */
    int64_t structures; /* how many the search could try; 0: not known, or more than were counted */
    size_t *front;      /* Pareto-optimal ones, cheapest first */
    size_t front_count;
    eex_models models;  /* of a search on surrogates */
    double hypervolume; /* that it came to; NaN: none was measured */
    int64_t chosen;     /* trial; -1: none yet */
    size_t policies;    /* other policies on the chosen network, validation split */
    eex_store_list policy_names;
    double *policy_accuracy, *policy_macs; /* (policies) */

    eex_rivals rivals; /* static networks, trained for as long; none: the run wants none */
    eex_front tested;  /* members of the front on the test split; none: the run wants none */

    char *lost[EEX_PHASES]; /* why the run is without a phase; NULL: it is not */

    eex_unmet unmet; /* what was asked for that the network does not keep */

    double tau; /* Kendall's, between both evaluators */
    size_t tau_count;
    double seconds; /* of work, all sessions together */

    eex_store_list nodes;
    struct eex_report_partition *partition; /* NULL: there is none (report_partition.h) */
    const eex_model *model; /* the chosen network, for what lies beside it; borrowed, or NULL */
    eex_described *space; /* what genomes of the trials stand for; NULL before the search is done */
} eex_report;

/* Figures with the names that they have for programs, in JSON as in Lua; `put` is called for each,
 * with NaN for what is not known. */
typedef void eex_report_put(void *to, const char *name, double value);
void eex_report_put_latency(eex_report_put *put, void *to, const eex_report_latency *latency);
void eex_report_put_full(eex_report_put *put, void *to, const eex_report *report);
void eex_report_put_speedup(eex_report_put *put, void *to, const eex_speedup *speedup);
void eex_report_put_best(eex_report_put *put, void *to, const eex_report *report);
void eex_report_put_exit(eex_report_put *put, void *to, const eex_report_exit *exit);
void eex_report_put_trial(eex_report_put *put, void *to, const eex_trial *trial);
void eex_report_put_member(eex_report_put *put, void *to, const eex_front_member *member);
void eex_report_put_member_exit(eex_report_put *put, void *to, const eex_front_exit *exit);
void eex_report_put_rival(eex_report_put *put, void *to, const eex_rival *rival);
/* Policy `i` of those that were tuned alike. */
void eex_report_put_policy(eex_report_put *put, void *to, const eex_report *report, size_t i);
/* An exit as a network of its own. */
void eex_report_put_alone(eex_report_put *put, void *to, const eex_front_exit *exit);

/* What a run is without because its training diverged, or its network cannot have it. */
typedef struct eex_report_failure {
    char what[EEX_NAME_MAX + 16]; /* "predictor", "rival, base" */
    const char *reason;           /* borrowed from the report */
} eex_report_failure;

/* The one of that number, from 0, in *out. False: there are not so many. */
bool eex_report_failure_at(eex_report_failure *out, const eex_report *report, size_t number);

/* What the run was asked for that its network does not keep: the sentence of that number, from 0,
 * borrowed from the report. NULL: there are not so many. */
const char *eex_report_unmet_at(const eex_report *report, size_t number);

/* The gates of a trial, "none" without: "2:1 5:2": point 2 with one block, point 5 with two;
 * "2:1@0.5": at a threshold of 0.5. Returns `out` or a constant. */
enum { EEX_REPORT_GATES = 256 };
const char *eex_report_gates(char out[EEX_REPORT_GATES], const eex_report *report, size_t trial);

/* Below a table of the front that has `rows` of its `count` networks, how many it has and where the
 * others are; nothing where it has them all. At most `width` columns wide; 0: any. */
void eex_report_put_left_out(eex_buffer *out, size_t rows, size_t count, size_t width);

/* Whether a folder holds a run. EEX_ENOTFOUND says what it is instead. */
int eex_report_find(const char *folder);

/* The same of several, to be shown beside each other: EEX_EINVAL where one is named twice, which
 * would count twice in means and deviations. */
int eex_report_find_all(const char *const *folders, size_t count);

/* Reads a run's folder. EEX_ENOTFOUND when it holds no run. */
int eex_report_load(eex_report **out, const char *folder);
void eex_report_free(eex_report *report); /* accepts NULL */

/* The table for people, at most `width` columns wide; 0: any. */
int eex_report_table(eex_buffer *out, const eex_report *report, size_t width);

/* The object of `eex show --json`. */
int eex_report_json(eex_buffer *out, const eex_report *report);

#endif
