/* What tells one model from another, whatever file it is in: for machines that run parts of it. */
#ifndef EEX_CORE_MODEL_MODEL_PRINT_H
#define EEX_CORE_MODEL_MODEL_PRINT_H

#include "core/model/model.h"
#include "core/model/predictor.h"

#include "base/sha256.h"

/* SHA-256 over the network's nodes, what it reads, the precision that it runs in, and every
 * parameter by name and value. EEX_EINVAL: it was opened without a device. Of a model of which a
 * part is there it is that of the whole: the other weights are read from its file, a little at a
 * time, or the file says it (front.h). */
int eex_model_print(uint8_t out[EEX_SHA256_BYTES], const eex_model *model);

/* SHA-256 over a predictor's nodes, every parameter, and which scores have a gate computed.
 * EEX_EINVAL: it was opened without a device. */
int eex_exit_predictor_print(uint8_t out[EEX_SHA256_BYTES], const eex_exit_predictor *predictor);

/* SHA-256 over what a policy decides by behind exit k: kind, temperatures and thresholds of the
 * exits from k + 1 on, and, where these reject by distance, what is familiar to them (may be NULL).
 * policy NULL: nobody is asked. */
void eex_policy_print(uint8_t out[EEX_SHA256_BYTES], const eex_policy *policy,
                      const eex_familiar *familiar, int k);

#endif
