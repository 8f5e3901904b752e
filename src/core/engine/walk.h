/* The walk of a batch through a network: the images go in; then, exit by exit, a segment runs, the
 * exit decides, and those that leave leave; in the end everybody's result is there. Whoever runs a
 * network with exits walks it so: engines, and those who measure and look.
 *
 * Guests come along: they see every exit and may decide otherwise, or are told what each leg of the
 * way took. A walk allocates nothing; it is for one thread at a time, under the device's lock. */
#ifndef EEX_CORE_ENGINE_WALK_H
#define EEX_CORE_ENGINE_WALK_H

#include "core/engine/engine.h"
#include "core/plan/plan.h"

typedef enum eex_leg_kind {
    EEX_LEG_INPUT,   /* the images to the device */
    EEX_LEG_TRUNK,   /* as far as what an exit's gate reads, where guests choose for whom it is
                      * computed, with what they took to choose */
    EEX_LEG_SEGMENT, /* as far as an exit's scores */
    EEX_LEG_EXIT,    /* what guests and exit decide, and those leaving who leave */
    EEX_LEG_RESULTS  /* the results to the host */
} eex_leg_kind;

/* One stretch of the way; each begins when the one before ends. */
typedef struct eex_leg {
    eex_leg_kind kind;
    int exit;          /* trunk, segment and exit: which one */
    int rows, stay;    /* images that came, and those that go on (trunk: to the gate) */
    double begin, end; /* seconds of eex_clock_seconds */
} eex_leg;

/* A guest is the first member of what it needs itself. Functions that are NULL are not called. */
typedef struct eex_guest eex_guest;
struct eex_guest {
    /* The images of a batch, before anything is done with them. */
    int (*begin)(eex_guest *guest, const uint8_t *images, int count);
    /* In front of the gate of an exit that decides, but the last, where the plan has its gates
     * apart: ask[i] is true for each of the `rows` rows that are there, and the guest may make it
     * false: the exit is skipped, its gate not computed for that row. input[i] says which image of
     * the batch row i is. Not called where every image is to go on to a certain exit. */
    int (*before)(eex_guest *guest, eex_plan *plan, int exit, const int32_t *input, bool *ask,
                  int rows);
    /* After the segment of an exit that decides, before anybody leaves: the scores of its first
     * `rows` rows are there (those for which the exit was not skipped), and what the exit decided
     * about them, which the guest may change (eex_plan_decisions, eex_plan_set_decisions). */
    int (*after)(eex_guest *guest, eex_plan *plan, int exit, int rows);
    /* A leg has ended. */
    void (*leg)(eex_guest *guest, const eex_leg *leg);
};

enum { EEX_WALK_GUESTS = 4 };

typedef struct eex_walk {
    eex_plan *plan;     /* borrowed, and all below */
    eex_device *device; /* of the plan */
    int batch;          /* of the plan */
    int last;           /* the exit at which it ends: the network's last, unless `forced` */
    bool leaves;        /* every exit decides; false: only the last one, about all */
    bool forced;        /* every image goes on to `last`, whatever is decided on the way */
    eex_span *spans;    /* (ops) NULL, or segments run op by op, each waited for, and this is
                         * when each began and ended */
    eex_guest *guest[EEX_WALK_GUESTS];
    int guests;
    int32_t *input; /* (batch) room where guests have a `before`, and: */
    bool *ask;      /* (batch) */
} eex_walk;

/* The walk that an engine makes, with its guests: a copy, for those who go it in another way (a
 * guest more, op by op, on to one exit). The plan is of eex_engine_rows images. */
eex_walk eex_engine_walk(const eex_engine *engine);

/* One more guest, behind the others. It has to outlive the walk. EEX_EINVAL: there are
 * EEX_WALK_GUESTS already. */
int eex_walk_invite(eex_walk *walk, eex_guest *guest);

/* Walks with count (1..batch) images; how each left goes to results[0..count). */
int eex_walk_run(const eex_walk *walk, eex_result *results, const uint8_t *images, int count);

/* Goes on behind an exit with count (1..batch) rows of what passes it, which the caller has put
 * there (plan/passing.h): what somebody else began. There is no leg for the way in. */
int eex_walk_on(const eex_walk *walk, eex_result *results, int exit, int count);

#endif
