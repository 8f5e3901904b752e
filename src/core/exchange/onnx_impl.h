/* What the files of onnx.h share: a graph that is being written, one node behind the other. */
#ifndef EEX_CORE_EXCHANGE_ONNX_IMPL_H
#define EEX_CORE_EXCHANGE_ONNX_IMPL_H

#include "core/exchange/layers.h"
#include "core/exchange/onnx.h"
#include "core/exchange/proto.h"

/* Numbers of fields in onnx.proto. */
enum {
    EEX__MODEL_GRAPH = 7,
    EEX__GRAPH_NODE = 1,
    EEX__GRAPH_NAME = 2,
    EEX__GRAPH_INITIALIZER = 5,
    EEX__GRAPH_INPUT = 11,
    EEX__GRAPH_OUTPUT = 12
};

typedef enum eex__onnx_type {
    EEX__ONNX_FLOAT = 1,
    EEX__ONNX_UINT8 = 2,
    EEX__ONNX_INT64 = 7,
    EEX__ONNX_BOOL = 9
} eex__onnx_type;

/* Names of values: those of layers and helpers begin with "/", which no node of ours has, so they
 * never meet the names of inputs and outputs. */
enum { EEX__ONNX_NAME = EEX_NAME_MAX + 64, EEX__ONNX_INPUTS = 3 };
typedef char eex__onnx_name[EEX__ONNX_NAME];

typedef enum eex__onnx_constant {
    EEX__ONNX_ZERO,       /* float */
    EEX__ONNX_SIX,        /* likewise */
    EEX__ONNX_DIFFERENCE, /* 1 and -1 */
    EEX__ONNX_AXIS,       /* of the classes: int64 (1) */
    EEX__ONNX_PAIR,       /* 2: int64 (1) */
    EEX__ONNX_CONSTANTS
} eex__onnx_constant;

typedef struct eex__onnx {
    eex_buffer *out;         /* nodes of the graph or branch at hand */
    eex_buffer initializers; /* of the graph: branches read them from there */
    const eex__layers *layers;
    eex__onnx_name *map, *flat; /* (layers) names of each layer's value as (N, C, H, W) and as
                                 * (N, C); "" where it is not there so */
    bool made[EEX__ONNX_CONSTANTS];
} eex__onnx;

/* ---- nodes ---- */

/* Begins a node with one output, which is called like it; the caller may add attributes, and closes
 * it. Inputs: NULL at the end. */
size_t eex__onnx_open(eex__onnx *o, const char *op, const char *output, const char *const *inputs);
void eex__onnx_output(eex__onnx *o, const char *name); /* one more */
void eex__onnx_close(eex__onnx *o, size_t opened);

/* A whole node without attributes; b, c: NULL where it has fewer inputs. */
void eex__onnx_node(eex__onnx *o, const char *op, const char *output, const char *a, const char *b,
                    const char *c);

void eex__onnx_int(eex__onnx *o, const char *name, int64_t value);
void eex__onnx_ints(eex__onnx *o, const char *name, const int64_t *values, int count);
void eex__onnx_float(eex__onnx *o, const char *name, float value);

/* ---- constants and values ---- */

/* A tensor of the graph; `rank` numbers in `shape`. */
void eex__onnx_floats(eex__onnx *o, const char *name, const float *values, const int64_t *shape,
                      int rank);
void eex__onnx_int64s(eex__onnx *o, const char *name, const int64_t *values, int count);

/* What a graph or branch gets or gives; a shape of -1 is called "batch". */
void eex__onnx_value(eex__onnx *o, int field, const char *name, eex__onnx_type type,
                     const int64_t *shape, int rank);

/* ---- parts of the network ---- */

/* The image as the first layer's value. */
int eex__onnx_image(eex__onnx *o);

/* The layers of one segment. */
int eex__onnx_segment(eex__onnx *o, int segment);

/* The name of a layer's value as (N, C, H, W) or (N, C), which is made here where it is not there.
 */
const char *eex__onnx_as_map(eex__onnx *o, int layer);
const char *eex__onnx_as_flat(eex__onnx *o, int layer);

/* Name of a value of exit k: "/exit1/class". Returns `out`. */
const char *eex__onnx_at(eex__onnx_name out, int k, const char *what);

/* Scores of exit k: its values class (N) and confidence (N), of the logits that are there. */
void eex__onnx_scores(eex__onnx *o, int k);

/* What the policy decides about them: its values accepted (N) and, but for the last exit, leaves
 * (N). */
void eex__onnx_decision(eex__onnx *o, int k);

/* The name of a constant that many nodes read; it is there once, if it is wanted at all. */
const char *eex__onnx_shared(eex__onnx *o, eex__onnx_constant which);

#endif
