/* Settings by bandwidth (core/policy/adapt.h) of a model that is cut between a device and a server:
 * files of kind "adaptation", which `eex adapt` writes. */
#ifndef EEX_CORE_MODEL_ADAPTATION_H
#define EEX_CORE_MODEL_ADAPTATION_H

#include "core/model/predictor.h"
#include "core/policy/forecast.h"

typedef struct eex_adaptation {
    eex_adapt *adapt;
    eex_forecast forecast;
    eex_policy *policy;         /* whose thresholds in front of the cut settings replace */
    int cut, bits;              /* as core/engine/part.h has them: from 0; 0: float32 */
    double bytes;               /* of a payload */
    float gamma[EEX_MAX_EXITS]; /* (exits - 1) of the predictor; 0 without one */
} eex_adaptation;

/* Says in such a file, which eex_adaptation_file has begun, for which network, weights and
 * predictor (NULL: none) its settings are. */
int eex_adaptation_mark(eex_store_file *file, const eex_model *model,
                        const eex_exit_predictor *predictor);

/* Reads one for a model on a device, as it is run now. EEX_EINVAL, with what can be done: it is for
 * another network, other weights, another predictor or other thresholds. */
int eex_adaptation_open(eex_adaptation **out, const char *path, const eex_model *model);
void eex_adaptation_close(eex_adaptation *adaptation); /* accepts NULL */

/* Where a file's settings cut, from 0, and in how many bits they send, 0: float32; for whichever
 * model it is. */
int eex_adaptation_cut(int *cut, int *bits, const char *path);

/* Puts the settings for a bandwidth (bits a second, above 0) into its policy and gamma. Behind the
 * cut both stay those of the model, because the server decides by these. */
int eex_adaptation_set(eex_adaptation *adaptation, double bits);

#endif
