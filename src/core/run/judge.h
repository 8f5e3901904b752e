/* Judges: how a candidate of a search gets its figures. A kind is a struct of functions, one for
 * each evaluator of an experiment; an implementation has eex_judge as its first member. */
#ifndef EEX_CORE_RUN_JUDGE_H
#define EEX_CORE_RUN_JUDGE_H

#include "core/policy/policy.h"
#include "core/run/experiment.h"
#include "core/run/trials.h"

struct eex_run;

typedef struct eex_judge eex_judge;

typedef struct eex_judge_kind {
    bool shared;        /* by the shared network, which is made before the search */
    bool traced;        /* by its traces too */
    bool timed;         /* tells every candidate's latency, so the run has a table */
    bool quick;         /* microseconds: only a search as a whole has a time, trials have none */
    size_t file_trials; /* trials that go into one file before they are safe */

    int (*open)(eex_judge **out, struct eex_run *run);
    void (*close)(eex_judge *j);

    /* Judges one genome; `number` is its trial, and what random numbers are drawn by. An error
     * other than EEX_EDIVERGED and EEX_ENOMEM ends the search. */
    int (*score)(eex_trial *out, eex_judge *j, const int *genome, uint64_t number);

    /* Keeps the weights of the candidate that was scored last in the run's folder, until they are
     * forgotten, which needs no open judge. NULL: there are none of its own. */
    int (*keep)(eex_judge *j, uint64_t number);
    int (*forget)(const struct eex_run *run, uint64_t number);

    /* The weights with which candidate `number` was judged, into parameters of its network. */
    int (*weights)(eex_params *out, struct eex_run *run, const int *genome, uint64_t number);

    /* The policy with which a genome is judged. NULL: calibrate a trace of its own exits anew,
     * eex__run_calibrate gives the same. */
    int (*policy)(eex_policy **out, eex_judge *j, const int *genome);
} eex_judge_kind;

struct eex_judge {
    const eex_judge_kind *kind;
    struct eex_run *run;
};

extern const eex_judge_kind eex__judge_replay;   /* one trace of the shared network: shared */
extern const eex_judge_kind eex__judge_supernet; /* of an elastic backbone: one trace a network */
extern const eex_judge_kind eex__judge_train;    /* each is trained for itself: train */

/* The one that the run's experiment asks for. */
const eex_judge_kind *eex__judge_of(const struct eex_run *run);

/* Whether the shared network is wanted: its judge needs it, or candidates start from it. */
bool eex__judge_wants_shared(const struct eex_run *run);

int eex__judge_open(eex_judge **out, struct eex_run *run, const eex_judge_kind *kind);
void eex__judge_close(eex_judge *j); /* accepts NULL */

/* A candidate that diverges or does not fit into memory is no failure of the run: the trial has the
 * code and the reason. */
int eex__judge_score(eex_trial *out, eex_judge *j, const int *genome, uint64_t number);

/* The file with the weights of a candidate that was kept. */
enum { EEX__CANDIDATE_NAME = 48 };
const char *eex__run_candidate_name(char name[EEX__CANDIDATE_NAME], uint64_t trial);

#endif
