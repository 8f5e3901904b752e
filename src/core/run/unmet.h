/* What an experiment asks for that its network does not keep. Nobody knew so before the training,
 * so the run goes on: a warning says it, the file of the phase that found out keeps the same words,
 * and reports show them. */
#ifndef EEX_CORE_RUN_UNMET_H
#define EEX_CORE_RUN_UNMET_H

#include "core/run/phase.h"
#include "core/store/store.h"

typedef enum eex_wish {
    EEX_WISH_MIN_ACCURACY, /* search.h5: search.min_accuracy */
    EEX_WISH_TARGET,       /* final.h5: policy.target */
    EEX_WISH_REJECTION,    /* final.h5: thresholds that leave something to answer */
    EEX_WISH_LATENCY,      /* final-adaptation.h5: partition.latency */
    EEX_WISHES
} eex_wish;

typedef struct eex_unmet {
    char text[EEX_WISHES][EEX_PHASE_REASON]; /* "": kept, or not asked for */
} eex_unmet;

/* Warns, and keeps the words. */
void eex_unmet_say(eex_unmet *unmet, eex_wish wish, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Attributes of the file's root. Reading adds those that are there: none in files of before. */
int eex_unmet_save(const eex_unmet *unmet, eex_store_file *file);
int eex_unmet_load(eex_unmet *unmet, eex_store_file *file);

#endif
