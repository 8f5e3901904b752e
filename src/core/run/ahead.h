/* Candidates that are asked for before those in front of them are told, so that several can be
 * judged at a time: search.workers of them are open while there are any to ask for. They are told
 * in the order of asking, and the next is asked for only then; so what a search asks for does not
 * depend on who was faster, nor on whether it is judged here or by workers. */
#ifndef EEX_CORE_RUN_AHEAD_H
#define EEX_CORE_RUN_AHEAD_H

#include "core/run/trials.h"
#include "core/run/workers.h"
#include "search/controller.h"

struct eex_run;

typedef struct eex__ahead {
    struct eex_run *run;
    eex__workers *workers; /* NULL: what is open is judged by the search itself */
    size_t most;           /* that are open at a time; 1: nothing is asked for ahead */
    bool open;             /* there is a folder for each */
} eex__ahead;

/* Takes over what is open of an interrupted search whose `told` trials the controller knows, and
 * starts workers where there are to be any. Whatever comes out of it, it is ended. */
int eex__ahead_begin(eex__ahead *a, struct eex_run *run, eex_controller *c, size_t told);
void eex__ahead_end(eex__ahead *a); /* accepts {0}; waits for the workers */

/* A candidate was asked for: from now on it can be judged. */
int eex__ahead_put(const eex__ahead *a, uint64_t number, const int *genome);

/* What came of a candidate, for which it waits where there are workers; *judged is false where the
 * search has to judge it itself. */
int eex__ahead_trial(eex_trial *out, bool *judged, const eex__ahead *a, uint64_t number,
                     const int *genome);

/* Copies the weights of one that was judged so into the run's folder. */
int eex__ahead_keep(const eex__ahead *a, uint64_t number);

/* It was told, and is stored: nothing of it is wanted any more. */
int eex__ahead_told(const eex__ahead *a, uint64_t number);

#endif
