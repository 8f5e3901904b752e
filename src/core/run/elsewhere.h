/* Workers of a search that it does not start itself: who is asked for them, and what is said while
 * none is there. What is asked for and not told is judged by whoever comes, so the search waits. */
#ifndef EEX_CORE_RUN_ELSEWHERE_H
#define EEX_CORE_RUN_ELSEWHERE_H

#include <stdbool.h>

struct eex_run;

typedef struct eex__elsewhere {
    const struct eex_run *run;
    bool asked;        /* options->starter */
    double seen, next; /* when somebody was at work; after how long without it is said again */
    double looked;
} eex__elsewhere;

/* Asks options->starter for search.workers of them, where there is one. Whatever comes out of it,
 * it is ended. */
int eex__elsewhere_begin(eex__elsewhere *e, const struct eex_run *run);
void eex__elsewhere_end(eex__elsewhere *e); /* accepts {0} */

/* A candidate was judged. */
void eex__elsewhere_heard(eex__elsewhere *e);

/* Warns, ever more rarely, while nobody is at work on any candidate. */
int eex__elsewhere_look(eex__elsewhere *e);

/* Removes what a starter has left in RUN/workers. */
int eex__elsewhere_clear(const struct eex_run *run);

#endif
