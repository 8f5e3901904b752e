/* A head whose classifier is part of it: one kernel instead of pooling, product, bias and scores.
 */
#ifndef EEX_CUDA_HEAD_CLASSIFIER_CUH
#define EEX_CUDA_HEAD_CLASSIFIER_CUH

#include "cuda/head.cuh"

enum { EEX_HEAD_SHARED = 48 << 10 };

/* Bytes of shared memory that a block needs; more than EEX_HEAD_SHARED cannot be had. */
size_t eex__cuda_head_classifier_shared(const eex_op_head *head);

/* T: float or eex_bf16. */
template <typename T>
void eex__cuda_head_classifier(eex_cuda *cuda, const eex_op_head *head, const eex_head_args &a,
                               int batch);

#endif
