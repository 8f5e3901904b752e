/* Which networks of a search make the front of its run (front.h). They are chosen by what the
 * search knows of them, figures of the validation split. */
#ifndef EEX_CORE_RUN_FRONT_PICK_H
#define EEX_CORE_RUN_FRONT_PICK_H

#include "core/run/front.h"
#include "core/run/run.h"

/* Numbers of gates, from 1, that have a best trial of their own (EDANAS, Table I). */
enum { EEX__FRONT_GATES = 4 };

/* For each number of gates the trial that the run would choose if there were no others
 * (eex__run_prefers); SIZE_MAX: there is none. */
typedef struct eex__front_bests {
    size_t trial[EEX__FRONT_GATES];
} eex__front_bests;

void eex__front_bests_init(eex__front_bests *bests);
/* Considers a trial: in their order, and each once. */
int eex__front_consider(eex__front_bests *bests, const eex_run *run, const eex_trials *trials,
                        size_t trial);

/* Marks those trials whose weights the front may still want: those on the Pareto front of all so
 * far and the bests. What is not marked never is again. Nothing where the run wants no front. */
int eex__front_mark(bool *wanted, const eex_run *run, const eex_trials *trials,
                    const eex__front_bests *bests);

/* Of `count` costs, strictly ascending and positive, `wanted` (1 to count) that lie as evenly as
 * may be in their logarithm, the first and the last among them; of one that is wanted the middle.
 */
void eex__front_spread(size_t *chosen, const double *cost, size_t count, size_t wanted);

/* search.front members of the Pareto front and the bests, each once, in the order of their cost:
 * trial, gates, spread and best of each are filled in. For eex_front_free. */
int eex__front_pick(eex_front *out, const eex_run *run, const eex_trials *trials);

#endif
