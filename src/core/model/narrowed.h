/* Filter pruning of a bottleneck (Li et al. 2017, as the paper on early exit prediction compares
 * with in V-C): fewer of the encoder's channels are sent, those whose filters have the largest l2
 * norms. Early exits are in front of it and answer as ever, so what pruning does is told by the
 * end's answers alone. Nothing is trained on. */
#ifndef EEX_CORE_MODEL_NARROWED_H
#define EEX_CORE_MODEL_NARROWED_H

#include "core/store/store.h"

enum { EEX_NARROWINGS = 7 };

typedef struct eex_narrowed {
    int of;                       /* channels of the whole bottleneck */
    int count;                    /* 0: nobody has looked */
    int channels[EEX_NARROWINGS]; /* (count) that are sent, from the most on, fewer than `of` */
    int samples[2];               /* of the model's calibration and validation traces */
    int32_t *top[2];              /* (count, samples) the end's class, in the order of these */
} eex_narrowed;

void eex_narrowed_free(eex_narrowed *narrowed); /* leaves {0} */

int eex_narrowed_save(const eex_narrowed *narrowed, eex_store_file *file, const char *group);
/* count 0 where there is no such group. EEX_EFORMAT. */
int eex_narrowed_load(eex_narrowed *out, eex_store_file *file, const char *group);

/* Of a model file, by its path: as eex_narrowed_load. */
int eex_narrowed_read(eex_narrowed *out, const char *path);

#endif
