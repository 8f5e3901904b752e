/* safetensors: the file format in which PyTorch's world passes weights on
 * (github.com/huggingface/safetensors): eight bytes that say how long the header is, a header in
 * JSON with name, type, shape and place of each tensor, and the tensors' bytes.
 *
 * Whatever the header says is checked against the file before anything of that size is allocated:
 * names are different, shapes fit their places, and the places lie behind each other without gap
 * or overlap as far as the file goes. So memory is bounded by the header, and that by
 * EEX_SAFETENSORS_HEADER. */
#ifndef EEX_CORE_EXCHANGE_SAFETENSORS_H
#define EEX_CORE_EXCHANGE_SAFETENSORS_H

#include "core/plan/params.h"

#include "base/buffer.h"

enum {
    EEX_SAFETENSORS_HEADER = 8 << 20, /* bytes; those of large language models have two MiB */
    EEX_SAFETENSORS_TENSORS = 1 << 16,
    EEX_TENSOR_RANK = 8,
    EEX_TENSOR_NAME = 256 /* bytes, with the NUL */
};

typedef struct eex_tensor {
    char *name;       /* UTF-8 without control characters */
    const char *type; /* as the file calls it: "F32" */
    int bytes;        /* of an element */
    bool reads;       /* eex_safetensors_read knows the type: F64, F32, F16, BF16 */
    int rank;
    uint64_t shape[EEX_TENSOR_RANK];
    uint64_t count;      /* elements */
    uint64_t begin, end; /* behind the header */
} eex_tensor;

typedef struct eex_safetensors eex_safetensors;

/* Opens a file and reads its header. EEX_EFORMAT says what is wrong with it and where,
 * EEX_EUNSUPPORTED names a type whose elements are no whole bytes. */
int eex_safetensors_open(eex_safetensors **out, const char *path);
void eex_safetensors_close(eex_safetensors *file); /* accepts NULL */

const char *eex_safetensors_path(const eex_safetensors *file);

/* Tensors in the order of their names (strcmp); all borrowed. */
int eex_safetensors_count(const eex_safetensors *file);
const eex_tensor *eex_safetensors_at(const eex_safetensors *file, int i);
int eex_safetensors_find(const eex_safetensors *file, const char *name); /* -1: none */

/* The values of tensor i as float32, all `count` of it. EEX_EINVAL: a type that has no such values.
 * EEX_EFORMAT: one is not finite, or the file has become shorter. */
int eex_safetensors_read(float *values, const eex_safetensors *file, int i);

/* Appends a whole file of all parameters, running statistics too, under their names and in
 * PyTorch's layout, as float32. `about` goes into the header as {"format": "pt", "eex": about}. */
int eex_safetensors_put(eex_buffer *out, const eex_params *params, const char *about);

#endif
