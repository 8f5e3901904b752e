/* Whose image is next: the slots of a queue, in lanes that take turns. A lane that has a thousand
 * images waiting has as many in a batch as one that has three, as long as that one has any. No
 * threads, no clock: its user has the lock. */
#ifndef EEX_CORE_ENGINE_TURNS_H
#define EEX_CORE_ENGINE_TURNS_H

#include <stdint.h>

/* Numbers in a row, each linked to the next one; -1: none. */
typedef struct eex__row {
    int32_t first, last;
} eex__row;

typedef struct eex__turns {
    int32_t *behind;     /* (slots) the next one in its row */
    int32_t *lane_after; /* (lanes) likewise of lanes */
    eex__row *waiting;   /* (lanes) slots */
    eex__row free;       /* slots, whose first one is given out next */
    eex__row lanes;      /* that have something waiting, whose turn it is first */
} eex__turns;

/* Start it with {0}. EEX_ENOMEM, without a message; nothing is left then. */
int eex__turns_open(eex__turns *out, int slots, int lanes);
void eex__turns_close(eex__turns *turns); /* leaves {0} */

/* A free slot goes to the end of a lane; -1: there is none. */
int eex__turns_put(eex__turns *turns, int lane);

/* The slot that is next; -1: nothing waits. */
int eex__turns_first(const eex__turns *turns);

/* The first of the next `count` slots of the lane whose turn it is, where it has so many and they
 * lie one behind the other; else -1. They are what is taken next where there is no other lane. */
int eex__turns_together(const eex__turns *turns, int count);

/* Takes up to `most` slots, one of each lane in turn, and the first ones of a lane first; returns
 * how many. Who had none in the end is first the next time. */
int eex__turns_take(eex__turns *turns, int32_t *out, int most);

/* Frees what a lane has waiting; returns how many that were. */
int eex__turns_drop(eex__turns *turns, int lane);

/* A slot that was taken is free. Slots that are freed in the order in which one lane alone got them
 * go round: what is taken together then lies together. */
void eex__turns_free(eex__turns *turns, int slot);

#endif
