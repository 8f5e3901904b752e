/* How many threads a unit of ops is run with when a single input is waited for.
 *
 * Small networks run fastest on one thread where another process keeps a processor busy, and on a
 * few threads where there are many; no estimate knows which. So the first runs are timed, some with
 * one thread, then with two, four and so on; then what was fastest is used, more threads only where
 * they clearly gain. It is measured again when runs have become slower than they were, and now and
 * then, ever more rarely while the answer stays the same, and the more rarely the longer measuring
 * takes. */
#ifndef EEX_CPU_CHOICE_H
#define EEX_CPU_CHOICE_H

enum { EEX_CHOICE_RUNS = 7 };

typedef struct eex_choice {
    int most;   /* threads that there are */
    int trying; /* threads that the next run is timed with; 0: it is settled */
    int taken;  /* runs timed so far, negative: to get used to it */
    double seconds[EEX_CHOICE_RUNS];
    int best;              /* so far, or what is settled */
    double best_seconds;   /* its median */
    int chosen;            /* what was settled last; 0: nothing yet */
    int slow;              /* runs that were slower than that, less those that were not */
    double settled, pause; /* when, and how long it holds at most */
    double took;           /* what the runs took that were made to measure it last */
} eex_choice;

/* A choice among 1..most threads, nothing timed yet. */
void eex__choice_init(eex_choice *choice, int most);

/* How many threads the next run is to have. */
int eex__choice_threads(const eex_choice *choice);

/* The run took `seconds`; it is `now` on a clock in seconds. */
void eex__choice_tell(eex_choice *choice, double seconds, double now);

#endif
