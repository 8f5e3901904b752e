/* The phases of a run, in their order: what each leaves in the run's folder, whether it is wanted,
 * and its work. Reading, clearing and taking over a run ask this table for the names of files. */
#ifndef EEX_CORE_RUN_PHASE_H
#define EEX_CORE_RUN_PHASE_H

#include <stdbool.h>

typedef enum eex_phase {
    EEX_PHASE_SPLIT,  /* which samples are for what */
    EEX_PHASE_BASE,   /* the backbone, trained */
    EEX_PHASE_PROBE,  /* which points may have gates */
    EEX_PHASE_SHARED, /* the network with all gates, trained; its traces where the judge has some */
    EEX_PHASE_LATENCY,   /* what its parts take */
    EEX_PHASE_SEARCH,    /* trials, and the one that was chosen */
    EEX_PHASE_TAU,       /* how well replay ranks candidates */
    EEX_PHASE_FINAL,     /* the chosen network: weights, policy, traces */
    EEX_PHASE_PREDICTOR, /* a tiny network that says which gates of that are worth computing */
    EEX_PHASE_PARTITION, /* that cut between a device and a server: settings by bandwidth */
    EEX_PHASE_POLICIES,  /* other policies on the same traces */
    EEX_PHASE_FRONT,     /* the front: networks finished like the chosen one, on the test split */
    EEX_PHASE_RIVALS,    /* static networks, trained for as long, on the test split */
    EEX_PHASE_RESULT,    /* the test split */
    EEX_PHASE_RANKING,   /* as TAU, larger, of a run that is done, and only when it is asked for */
    EEX_PHASES
} eex_phase;

struct eex_run;

enum {
    EEX_PHASE_FILES = 4,
    EEX_PHASE_COMPANY = 3,
    EEX_PHASE_REASON = 320 /* why a run is without something, the rates to lower in it */
};

/* Files that others look for too: the chosen network; the same with a bottleneck, where it is cut;
 * and the settings for the one that is cut. */
#define EEX_RUN_FINAL "final.h5"
#define EEX_RUN_BOTTLENECK "final-bottleneck.h5"
#define EEX_RUN_ADAPTATION "final-adaptation.h5"
/* An attribute of the latter: why there is no network without filters beside it. */
#define EEX_RUN_NO_FILTERS "filters_failure"

typedef struct eex_phase_file {
    const char *name; /* in the run's folder; '*' stands for a number */
    const char *kind; /* of the store */
    /* Those whose content it stands for, made before it: with others it is refused. Not what it was
     * made from and what, made again, may differ in its last bits and still be the run's. */
    const char *with[EEX_PHASE_COMPANY];
} eex_phase_file;

typedef struct eex_phase_row {
    const char *name;
    eex_phase_file files[EEX_PHASE_FILES];     /* that stay; the first says what was found out */
    eex_phase_file temporary[EEX_PHASE_FILES]; /* while it works, or until a later phase is done */
    bool (*wanted)(const struct eex_run *run); /* NULL: always */
    int (*work)(struct eex_run *run);          /* nothing where its files are there already; NULL
                                                * where it is never wanted */
    bool extra; /* a run goes on without it where it diverges, and its result says so */
} eex_phase_row;

const eex_phase_row *eex_phase_at(eex_phase phase);

/* The file of that name and the phase that leaves it; NULL when none does. *phase is untouched
 * then. */
const eex_phase_file *eex_phase_file_of(eex_phase *phase, const char *name);

#endif
