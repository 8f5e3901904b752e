/* The phases of a run, in their order. */
#ifndef EEX_CORE_RUN_PHASE_H
#define EEX_CORE_RUN_PHASE_H

typedef enum eex_phase {
    EEX_PHASE_SPLIT,    /* which samples are for what */
    EEX_PHASE_BASE,     /* the backbone, trained */
    EEX_PHASE_PROBE,    /* which points may have gates */
    EEX_PHASE_SHARED,   /* the network with all gates, trained and traced */
    EEX_PHASE_LATENCY,  /* what its parts take */
    EEX_PHASE_SEARCH,   /* trials, and the one that was chosen */
    EEX_PHASE_TAU,      /* how well replay ranks candidates */
    EEX_PHASE_FINAL,    /* the chosen network: weights, policy, traces */
    EEX_PHASE_POLICIES, /* other policies on the same traces */
    EEX_PHASE_RESULT,   /* the test split */
    EEX_PHASES
} eex_phase;

#endif
