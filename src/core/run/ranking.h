/* How far a search's judge can be trusted: candidates from all over the space are judged by it and
 * trained for themselves, and the two orders are compared (search/ranking.h).
 *
 * The candidates: what the search chose, and others at even distances of what they cost, out of
 * many that are drawn at random, so that they differ by more than chance. The trainings are those
 * of the evaluator "train", with seeds of their own. Each is a file as soon as it is done, so a
 * killed ranking goes on. */
#ifndef EEX_CORE_RUN_RANKING_H
#define EEX_CORE_RUN_RANKING_H

#include "core/run/experiment.h"
#include "core/store/store.h"
#include "search/ranking.h"

#include <stdbool.h>

enum { EEX_RANK_CANDIDATES = 30, EEX_RANK_REPEATED = 5, EEX_RANK_TRAININGS = 3 };

typedef struct eex_rank_options {
    int candidates; /* 2 to EEX_RANKING_MOST; fewer where the space has fewer */
    int repeated;   /* so many of them are trained `trainings` times, 1 to 99, the others once */
    int trainings;
    int epochs; /* of each training; 0: as the experiment's candidate.epochs has it */
    bool force; /* in place of a ranking with other options */
} eex_rank_options;

/* What a ranking has found, by what the search maximises and by accuracy alone. */
typedef struct eex_rank_report {
    eex_ranking score, accuracy;
    size_t trained, failed; /* trainings */
    double seconds;         /* of training */
} eex_rank_report;

/* Ranks candidates of the finished run of e in how->folder, or goes on with it; a ranking that is
 * there already with the same options is read, one with others refused without `force`. EEX_EINVAL:
 * the run is not finished, or its judge is training itself. */
int eex_experiment_rank(eex_rank_report *out, const eex_experiment *e, const eex_run_options *how,
                        const eex_rank_options *options);

/* From a file of kind "ranking". */
int eex_rank_report_load(eex_rank_report *out, eex_store_file *file);

#endif
