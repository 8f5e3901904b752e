/* What the files of a ranking share. */
#ifndef EEX_CORE_RUN_RUN_RANKING_H
#define EEX_CORE_RUN_RUN_RANKING_H

#include "core/run/judge.h"
#include "core/run/ranking.h"
#include "core/run/run.h"

typedef struct eex__ranking {
    eex_run *run;
    eex_rank_options options;
    eex_trials picked;  /* as the judge has them; candidate 0 is what the search chose */
    eex_trials trained; /* candidate after candidate */
    size_t *of;         /* (trained) the candidate of each */
} eex__ranking;

/* The candidates, as many as there are, judged: into r->picked. */
int eex__ranking_pick(eex__ranking *r);

/* How often candidate i is trained. */
int eex__ranking_trainings(const eex__ranking *r, size_t i);

/* What came out: EEX_EDIVERGED when fewer than two candidates could be trained. */
int eex__ranking_judge(eex_rank_report *out, const eex__ranking *r);

/* The whole file. */
int eex__ranking_fill(eex_store_file *file, const eex__ranking *r, const eex_rank_report *report);

/* Ranks for the run and writes NAME.h5; training i of candidate c is NAME-ccctt.h5 until then. */
int eex__run_rank(eex_rank_report *out, eex_run *run, const char *name,
                  const eex_rank_options *options);

#endif
