/* Reading ONNX files, as far as networks of convolutions need it. What is read points into the
 * file, which is in memory as a whole; so memory is bounded by its size, and by EEX_ONNX_NODES and
 * EEX_ONNX_TENSORS. */
#ifndef EEX_CORE_EXCHANGE_ONNX_FILE_H
#define EEX_CORE_EXCHANGE_ONNX_FILE_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EEX_ONNX_BYTES = 1 << 30,
    EEX_ONNX_NODES = 8192,
    EEX_ONNX_TENSORS = 1 << 15,
    EEX__ONNX_RANK = 8,
    EEX__ONNX_LIST = 64, /* inputs, outputs and attributes of a node, integers of an attribute */
    EEX__ONNX_TEXT = 200 /* bytes of a name, with the NUL */
};

/* Text that is not ended; at is NULL where there is none. */
typedef struct eex__text {
    const char *at;
    size_t size;
} eex__text;

bool eex__text_is(eex__text text, const char *word);
bool eex__text_same(eex__text a, eex__text b);
/* For messages: at most 60 bytes, disarmed. Returns `out`. */
enum { EEX__SHOWN = 64 };
const char *eex__text_show(char out[EEX__SHOWN], eex__text text);

typedef struct eex__onnx_tensor {
    eex__text name;
    int type; /* DataType; 1: float */
    int rank;
    int64_t shape[EEX__ONNX_RANK];
    uint64_t count;
    const uint8_t
        *data; /* count elements, little-endian; NULL: a list of int64 or int32, in `list` */
    size_t bytes;
    eex__text list; /* packed varints */
} eex__onnx_tensor;

/* AttributeProto.type */
typedef enum eex__attribute_type {
    EEX__ATTRIBUTE_UNSAID,
    EEX__ATTRIBUTE_FLOAT,
    EEX__ATTRIBUTE_INT,
    EEX__ATTRIBUTE_STRING,
    EEX__ATTRIBUTE_TENSOR,
    EEX__ATTRIBUTE_INTS = 7
} eex__attribute_type;

typedef struct eex__onnx_attribute {
    eex__text name;
    int type; /* of eex__attribute_type, or another number of the file's */
    int64_t i;
    float f;
    eex__text s;
    int64_t ints[EEX__ONNX_RANK];
    int count;                /* of the file's integers: EEX__ONNX_RANK of them are kept */
    eex__onnx_tensor *tensor; /* NULL: none */
} eex__onnx_attribute;

typedef struct eex__onnx_call {
    eex__text op, name;
    eex__text *in, *out;
    int ins, outs;
    eex__onnx_attribute *attribute;
    int attributes;
} eex__onnx_call;

typedef struct eex__onnx_port {
    eex__text name;
    int rank;
    int64_t shape[EEX__ONNX_RANK]; /* -1: not said */
} eex__onnx_port;

typedef struct eex__onnx_graph {
    char *bytes; /* the file */
    size_t size;
    eex_arena arena;
    eex__text name;
    eex__onnx_call *call;
    int calls;
    eex__onnx_tensor *tensor;
    int tensors;
    eex__onnx_port *in, *out;
    int ins, outs;
} eex__onnx_graph;

/* EEX_EFORMAT says what is wrong with the file. */
int eex__onnx_read(eex__onnx_graph *out, const char *path);
void eex__onnx_free(eex__onnx_graph *graph); /* leaves {0} */

/* EEX_EFORMAT: longer than EEX__ONNX_TEXT, or with a NUL in it. */
int eex__onnx_check_name(eex__text name);

/* A TensorProto; its shape fits its bytes. */
int eex__onnx_read_tensor(eex__onnx_tensor *out, eex__text message);

/* An attribute of a node by its name; NULL: it does not say. */
const eex__onnx_attribute *eex__onnx_attribute_of(const eex__onnx_call *call, const char *name);

/* Whether it is of float, double or int64, and its elements are there. EEX_EUNSUPPORTED. */
int eex__onnx_check_floats(const eex__onnx_tensor *tensor);

/* Elements of such a tensor; all are finite. */
int eex__onnx_floats_of(float *out, const eex__onnx_tensor *tensor);

/* At most `most` elements of a tensor of int64 or int32; how many there are, -1: it is another. */
int eex__onnx_ints_of(int64_t *out, int most, const eex__onnx_tensor *tensor);

#endif
