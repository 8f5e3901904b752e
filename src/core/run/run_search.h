/* A search while it goes on: what run_search*.c share. */
#ifndef EEX_CORE_RUN_RUN_SEARCH_H
#define EEX_CORE_RUN_RUN_SEARCH_H

#include "core/run/ahead.h"
#include "core/run/front_pick.h"
#include "core/run/judge.h"
#include "core/run/models.h"
#include "core/run/run.h"
#include "core/run/unmet.h"
#include "search/controller.h"

typedef struct eex__search {
    eex_run *run;
    const eex_judge_kind *how;
    eex_judge *judge;
    eex_controller *controller;
    eex__ahead ahead;
    eex_trials trials;
    size_t stored; /* trials in files */
    size_t chosen; /* the best so far by what is wanted; SIZE_MAX: none */
    eex__front_bests bests;
    eex_models models;
    size_t models_stored; /* batches in files */
    int heard;            /* what came of hearing about the models */
    eex_unmet unmet;
    double seconds; /* of what was loaded and what was done now */
} eex__search;

/* What can be said of a search before there is a run, a device or data: EEX_EINVAL where its
 * algorithm cannot search its space, and where nothing in that keeps its limits of MACs or
 * parameters. Which points a probe leaves is not known. */
int eex_search_check_early(const eex_experiment *e);

/* What an experiment says of its search. */
eex_controller_options eex__search_options(const eex_experiment *e);

/* EEX_EINVAL: the algorithm cannot search the run's space; warns of what it does otherwise than one
 * would think. Before anything is trained; nothing where the search is done. */
int eex__search_check(const eex_run *run);

/* What a trial costs, in the unit that the search minimises. */
double eex__search_cost(const eex_run *run, const eex_trial *trial);

/* Considers the newest trial for the choice and the front. */
int eex__search_consider(eex__search *s, size_t trial);

/* Keeps the weights of the newest trial where anything may still want them; removes those that
 * nothing wants any more. elsewhere: another process has judged it. */
int eex__search_keep(bool *kept, const eex__search *s, bool elsewhere);
int eex__search_remove_stale(const eex__search *s);

/* Of a trial that was just made as of one that was stored: the controller hears the same. */
int eex__search_tell(eex__search *s, size_t trial);

/* Trials that are in no file yet, into one; those of all files, told and considered. */
int eex__search_store(eex__search *s);
int eex__search_load(eex__search *s);

/* search.h5, and away with what it has made superfluous. */
int eex__search_save(const eex__search *s);
int eex__search_clean(const eex__search *s);

#endif
