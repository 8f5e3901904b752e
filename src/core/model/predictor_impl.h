/* A predictor in the making: what learning it and choosing its thresholds share. */
#ifndef EEX_CORE_MODEL_PREDICTOR_IMPL_H
#define EEX_CORE_MODEL_PREDICTOR_IMPL_H

#include "core/data/split.h"
#include "core/model/predictor.h"

enum {
    EEX__PREDICTOR_BATCH = 256,
    EEX__TRAIN = 0,
    EEX__CALIBRATION,
    EEX__VALIDATION,
    EEX__TEST,
    EEX__PARTS
};

typedef struct eex__predictor_making {
    const eex_model *model;
    eex_dataset *data;
    const eex_exit_predictor_recipe *recipe;
    const eex_exit_predictor *from; /* that is carried over; NULL: one is trained */
    eex_exit_predictor *p;
    eex_index part[EEX__PARTS];
    eex_trace *trace[EEX__PARTS]; /* at the temperatures of p->policy */
    float *score[EEX__PARTS];     /* (gates, samples) of the traces */
    uint32_t *samples;            /* (count) that it learns from */
    size_t count;
    int32_t *answers; /* by sample number: bit k, exit k would decide */
} eex__predictor_making;

/* m->score of a part, of the samples of its trace. */
int eex__predictor_score(eex__predictor_making *m, int part);

/* Gammas on images that it has not learnt from, and what they come to. */
int eex__predictor_choose(eex__predictor_making *m);

#endif
