/* Workers: processes that judge the candidates of one search (candidates.h), several at a time. The
 * search starts them, looks after them, and takes what they find out in the order of asking. */
#ifndef EEX_CORE_RUN_WORKERS_H
#define EEX_CORE_RUN_WORKERS_H

#include <stdint.h>

struct eex_run;

typedef struct eex__workers eex__workers;

/* Starts search.workers processes by options->worker. They end with this process, whatever ends it;
 * what they say goes to RUN/candidates/worker-1.log. Where they are elsewhere it starts none, and
 * asks options->starter for them if there is one. */
int eex__workers_start(eex__workers **out, struct eex_run *run);

/* Tells them to end, and waits for it: what they have begun is saved. */
void eex__workers_stop(eex__workers *w); /* accepts NULL */

/* Waits until a candidate is judged. Workers that die are started again, and what they had goes to
 * whoever is free. EEX_EINTERRUPTED at a signal; EEX_EIO with the reason where they cannot work. */
int eex__workers_wait(eex__workers *w, uint64_t number);

#endif
