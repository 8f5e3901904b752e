/* Writes networks as ONNX (github.com/onnx/onnx, docs/IR.md), operator set 13.
 *
 * The input "image" is what an engine gets: uint8 (N, H, W, C); mean, deviation and what the
 * network resizes are inside. Outputs: "class" int64 (N), "confidence" float (N), the probability
 * of that class at the exit's temperature, and "logits" float (N, classes). docs/exchange.md has
 * the rest. */
#ifndef EEX_CORE_EXCHANGE_ONNX_H
#define EEX_CORE_EXCHANGE_ONNX_H

#include "core/model/model.h"

#include "base/buffer.h"

typedef enum eex_onnx_form {
    EEX_ONNX_DECIDES, /* one image, which leaves where the model's policy lets it: "exit" int64 (1),
                       * from 1, and "accepted" bool (1) besides. What lies behind an exit is in a
                       * branch of an If. */
    EEX_ONNX_EXITS    /* any number of images, and the outputs of every exit k, from 1: "class_k",
                       * "confidence_k", "logits_k"; without numbers where there is one exit */
} eex_onnx_form;

/* Appends a whole file. The model has its weights. EEX_EINVAL: nobody decides without a policy.
 * EEX_EUNSUPPORTED: the file would be larger than the 2 GiB that readers take. */
int eex_onnx_put(eex_buffer *out, const eex_model *model, eex_onnx_form form);

#endif
