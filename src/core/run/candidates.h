/* Candidates that a search has asked for and not been told of yet: each a folder below the run's,
 * so that whoever sees the folder can judge it.
 *
 *     RUN/candidates/0000012/genome.h5     what is to be judged: written by the search, whole
 *                            .lock         held by whoever judges it
 *                            status        a line of theirs: "running HOST PID DEATHS", "stopped",
 *                                          "failed MESSAGE"
 *                            candidate-checkpoint.h5, candidate-0000012.h5   its training, weights
 *                            trial.h5      what came of it: once it is there it is judged
 *
 * A worker judges what has a genome, no trial, and a lock that nobody holds. One that says running
 * while nobody holds its lock was left by a worker that died: whoever takes it next counts that
 * death, and goes on from the checkpoint. The search alone makes and removes these folders. */
#ifndef EEX_CORE_RUN_CANDIDATES_H
#define EEX_CORE_RUN_CANDIDATES_H

#include "core/run/trials.h"

#include "base/fs.h"

struct eex_run;

/* So many workers may die of a candidate; then it has failed. */
enum { EEX__CANDIDATE_DEATHS = 3 };

/* RUN/candidates, RUN/candidates/0000012 or a file in it; the caller's. */
int eex__candidates_folder(char **out, const struct eex_run *run);
int eex__candidate_path(char **out, const struct eex_run *run, uint64_t number, const char *name);

/* Numbers of those that are there, ascending: (*count), the caller's. There may be no folder. */
int eex__candidates_list(uint64_t **out, size_t *count, const struct eex_run *run);

/* Whether a search hands them out: it holds the lock of RUN/candidates. */
bool eex__candidates_are_led(const struct eex_run *run);

/* Whether anybody is at work on one. */
int eex__candidates_are_taken(bool *out, const struct eex_run *run);

/* Removes RUN/candidates with all that is in it. Whoever works in there finds nothing any more. */
int eex__candidates_clear(const struct eex_run *run);

/* ---- the search's part ---- */

int eex__candidate_put(const struct eex_run *run, uint64_t number, const int *genome);
int eex__candidate_remove(const struct eex_run *run, uint64_t number);

/* Forgets what was said of it, unless somebody is at work on it: deaths count within one search. */
int eex__candidate_renew(const struct eex_run *run, uint64_t number);

/* EEX_EIO with the message of a worker that could not go on with it for a reason of its own. */
int eex__candidate_check(const struct eex_run *run, uint64_t number);

/* ---- both ---- */

/* genome has room for the genes of the run's space. EEX_ENOTFOUND: there is no such candidate. */
int eex__candidate_genome(int *genome, const struct eex_run *run, uint64_t number);
bool eex__candidate_is_judged(const struct eex_run *run, uint64_t number);

/* What came of it; EEX_EFORMAT where that is the trial of another genome. */
int eex__candidate_trial(eex_trial *out, const struct eex_run *run, uint64_t number,
                         const int *genome);

/* ---- a worker's part ---- */

/* Locks it and says that it runs; *deaths: how many have died of it. EEX_EBUSY: somebody else has
 * it, EEX_ENOTFOUND: it is judged, or gone. The lock is the caller's. */
int eex__candidate_take(eex_lock **lock, int *deaths, const struct eex_run *run, uint64_t number);

int eex__candidate_say(const struct eex_run *run, uint64_t number, const char *line);

/* Writes its trial, which ends it. */
int eex__candidate_finish(const struct eex_run *run, uint64_t number, const int *genome,
                          const eex_trial *trial);

#endif
