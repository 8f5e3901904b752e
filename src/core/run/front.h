/* The front of a run, on the test split: networks of the search's Pareto front and the best of each
 * number of gates (EDANAS, Table I), each finished as the chosen network is. Which they are,
 * the validation split has decided (front_pick.h).
 *
 * Beside each stand its static rivals, which are in it: its backbone alone (NAS_n), and the trunk
 * cut off behind each gate, with that gate and without the others. */
#ifndef EEX_CORE_RUN_FRONT_H
#define EEX_CORE_RUN_FRONT_H

#include "core/graph/graph.h"
#include "core/run/trials.h"
#include "core/store/store.h"

/* Accuracies are fractions, MACs of one input. NaN: of a member that failed. */
typedef struct eex_front_exit {
    char node[EEX_NAME_MAX];           /* that the gate reads */
    int position;                      /* as in structure.h */
    int blocks;                        /* -1: the end */
    double threshold;                  /* the policy's a; NaN at the end */
    double utilisation, exit_accuracy; /* test split; accuracy of those that leave there */
    double alone_accuracy, alone_macs; /* as a network of its own: on the test split; the trunk up
                                        * to there and this gate */
    double alone_validation;           /* its accuracy on the validation split */
} eex_front_exit;

typedef struct eex_front_member {
    uint64_t trial; /* of the search */
    int gates;      /* the end not counted */
    bool spread;    /* on the Pareto front, one of those that lie evenly in their cost */
    bool best;      /* of all trials with so many gates */
    int status;     /* EEX_OK, or the code with which it failed when it was finished */
    char reason[EEX_TRIAL_REASON];
    double validation_accuracy, validation_macs; /* as finished, everything executed */
    double accuracy, rejected;                   /* test split */
    double macs, macs_taken; /* expected: everything executed; EDANAS's ADA_MACS */
    double seconds;          /* of its training */
    int exits;               /* gates and the end; 0 where it failed */
    size_t first;            /* of its exits among all */
} eex_front_member;

typedef struct eex_front {
    size_t count;
    eex_front_member *members; /* (count) in the order of what the search said they cost */
    size_t exit_count;
    eex_front_exit *exits; /* (exit_count) member after member */
} eex_front;

enum { EEX_FRONT_NAME = 24 };

/* The model file of member i, from 0, in the run's folder: "front-0001.h5". */
const char *eex_front_file(char name[EEX_FRONT_NAME], size_t i);

/* The end of a member: its backbone alone; NULL for one that failed. */
const eex_front_exit *eex_front_end(const eex_front *front, const eex_front_member *m);

/* The gate that is the best network alone among those that cost no more than the member does: the
 * most accurate on the validation split. NULL: there is none. */
const eex_front_exit *eex_front_cut(const eex_front *front, const eex_front_member *m);

int eex_front_save(const eex_front *front, eex_store_file *file);
int eex_front_load(eex_front *out, eex_store_file *file); /* EEX_EFORMAT: parts do not fit */
void eex_front_free(eex_front *front);                    /* leaves {0} */

#endif
