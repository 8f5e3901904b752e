/* A run in progress: shared by the run_*.c files, one a phase.
 *
 * Each phase leaves one file in the run's folder when it is complete, and does nothing when that
 * file is there already; docs/store-format.md lists them. What a phase chooses never depends on a
 * time measured twice: latency tables are measured once, stored, and read from then on. */
#ifndef EEX_CORE_RUN_RUN_H
#define EEX_CORE_RUN_RUN_H

#include "core/data/dataset.h"
#include "core/data/split.h"
#include "core/engine/engine.h"
#include "core/model/model.h"
#include "core/run/evaluate.h"
#include "core/run/experiment.h"
#include "core/run/phase.h"
#include "core/run/run_files.h"
#include "core/run/run_training.h"
#include "core/run/trials.h"

enum { EEX_RUN_VERSION = 1 }; /* of every file of a run */

typedef struct eex_lock eex_lock;

typedef struct eex_run {
    const eex_experiment *e;
    const eex_run_options *options;
    eex_lock *lock;
    eex_device *device;
    eex_dataset *data;
    const eex_dataset_info *facts;
    eex_split split;
    eex_input input;       /* what networks of this run read */
    eex_augment normalise; /* the data set's mean and deviation, nothing else */
    eex_points points;     /* where gates may be, after the probe */

    eex_params *base; /* the trained backbone; NULL until first wanted: eex__run_base_params */
    double base_macs;
    double base_ms; /* of one input, from the latency table; 0: not measured */
} eex_run;

/* Purposes of random numbers: each has its own stream. */
typedef enum eex__run_stream {
    EEX_STREAM_SPLIT = 1,
    EEX_STREAM_BASE,
    EEX_STREAM_PROBE,
    EEX_STREAM_SHARED,
    EEX_STREAM_CANDIDATE,
    EEX_STREAM_FINAL,
    EEX_STREAM_SEARCH
} eex__run_stream;

uint64_t eex__run_seed(const eex_run *run, eex__run_stream stream, uint64_t index);

/* EEX_EINTERRUPTED once a signal came. */
int eex__run_poll(void);

/* ---- phases ---- */

int eex__run_identity(eex_run *run); /* run.h5 */
/* options->from is NULL, or another folder with a run in it. */
int eex__run_reuse_check(const eex_run *run);
/* Copies those files of options->from that this run, described by `now`, lacks and would make
 * alike. */
int eex__run_reuse(const eex_run *run, const char *now);
int eex__run_latency_known(const eex_run *run); /* whether a table that is named will do */

/* The work of each phase: see phase.h. */
int eex__run_split(eex_run *run);
int eex__run_base(eex_run *run);
int eex__run_probe(eex_run *run); /* sets run->points */
int eex__run_shared(eex_run *run);
int eex__run_latency(eex_run *run);
int eex__run_search(eex_run *run);
int eex__run_tau(eex_run *run);
int eex__run_final(eex_run *run);
int eex__run_policies(eex_run *run);
int eex__run_result(eex_run *run);

int eex__run_base_params(eex_run *run); /* run->base, read from its file when it is first wanted */

/* ---- candidates ---- */

/* The space: a gene a point, 0 for no gate, i for one with the i-th choice of block counts. A
 * genome with more gates than gates.max_exits stands for one without the surplus. */
int eex__run_space(eex_space *out, const eex_run *run);

/* The candidate's network: its gates in the order of their points. */
int eex__run_graph(eex_graph **out, const eex_run *run, const int *genome);

/* The whole shared network: gates of every size at every point. */
int eex__run_shared_graph(eex_graph **out, const eex_run *run);

/* MACs of leaving at each exit, everything executed: (exits) doubles. */
void eex__run_macs(double *cost, const eex_graph *graph);

/* Calibrates a network on a trace of its own exits, by the experiment's policy. */
int eex__run_calibrate(eex_policy **out, const eex_run *run, const eex_graph *graph,
                       const int *genome, eex_trace *calibration);

/* Trains, calibrates and judges one candidate (evaluator "train"). A candidate that fails is no
 * failure of the run: trial->status has the code, *params is NULL. Graph and parameters belong to
 * the caller. */
int eex__run_candidate(eex_run *run, eex_trial *trial, eex_graph **graph, eex_params **params,
                       const int *genome, uint64_t number);

/* The file with the weights of the candidate that is chosen so far (evaluator "train"). */
enum { EEX__CANDIDATE_NAME = 48 };
const char *eex__run_candidate_name(char name[EEX__CANDIDATE_NAME], uint64_t trial);

/* The shared evaluator over the stored traces. Traces and evaluator go together. */
typedef struct eex__shared {
    eex_trace *calibration, *validation;
    eex_evaluator *evaluator;
} eex__shared;
int eex__shared_open(eex__shared *out, eex_run *run);
void eex__shared_close(eex__shared *shared); /* accepts {0} */

/* Latency table of the shared network, milliseconds: see run_latency.c. */
typedef struct eex__latencies {
    double trunk[EEX_MAX_EXITS]; /* (points) from the input up to the point */
    double gate[EEX_MAX_EXITS];  /* (points, choices) of a gate alone */
    double base;                 /* the whole backbone */
} eex__latencies;
int eex__run_latencies(eex__latencies *out, const eex_run *run);

/* Milliseconds of leaving at each exit of a candidate, everything executed, by the table. */
int eex__run_ms(double *ms, const eex_run *run, const int *genome);

/* Whether the run has a table: every shared search has one. */
bool eex__run_timed(const eex_run *run);

/* The candidate that the run is about, from search.h5; genome has room for EEX_MAX_GENES. */
int eex__run_chosen(int *genome, const eex_run *run, uint64_t *trial);

#endif
