/* What the files of onnx_import.h share. */
#ifndef EEX_CORE_EXCHANGE_ONNX_IMPORT_IMPL_H
#define EEX_CORE_EXCHANGE_ONNX_IMPORT_IMPL_H

#include "core/exchange/onnx_file.h"
#include "core/exchange/onnx_import.h"
#include "core/graph/node_set.h"

/* What a name of the file stands for. Some operators are ours only together with the next. */
typedef enum eex__onnx_is {
    EEX__IS_VALUE,     /* the value of a node */
    EEX__IS_CONSTANT,  /* a tensor */
    EEX__IS_SHAPE,     /* made of a value's shape */
    EEX__IS_H_SIGMOID, /* h-sigmoid of the node's value: h-swish if it is multiplied with that */
    EEX__IS_SIGMOID,   /* likewise sigmoid and SiLU */
    EEX__IS_PADDED,    /* the node's value with `pad` zeros on each side */
    EEX__IS_PRODUCT    /* the node's value times a matrix: a bias may be added */
} eex__onnx_is;

/* A size of a shape, or what is calculated from some. */
typedef struct eex__onnx_size {
    int64_t number;
    bool of_batch; /* so many times the batch, which is not said */
} eex__onnx_size;

typedef struct eex__onnx_sizes {
    int count; /* -1: it cannot be told what they are */
    eex__onnx_size at[EEX__ONNX_RANK];
} eex__onnx_sizes;

typedef struct eex__onnx_entry {
    eex__text name;
    bool defined; /* else it is the name of what comes later, or never */
    eex__onnx_is is;
    int node;                       /* -1: none */
    int rank;                       /* of a value: 4, or 3 and 2 without sides of 1; else 0 */
    const eex__onnx_tensor *tensor; /* of CONSTANT and PRODUCT */
    const eex__onnx_call *call;     /* that has made it; NULL: none */
    int pad;                        /* of PADDED */
    eex__onnx_sizes sizes;          /* of SHAPE */
} eex__onnx_entry;

/* A parameter, and the tensor that it comes from. */
typedef struct eex__onnx_source {
    int param;
    const eex__onnx_tensor *tensor; /* NULL: each element is `plus` */
    bool transposed;                /* (in, out) */
    float plus;                     /* is added to each element */
    float eps;                      /* not 0: a variance, to which our layer adds this */
} eex__onnx_source;

struct eex_onnx_network {
    eex__onnx_graph file;
    eex_graph *graph;
    eex__onnx_entry *entry; /* of all names that may be defined, sorted by them */
    size_t entries;
    eex__onnx_source *source;
    int sources, source_capacity;
    const char *path;
    int64_t batch; /* images that it reads at once; -1: any number */
    eex__text end; /* the value that is asked for, or what it is made from */
};

/* ---- names ---- */

/* Makes place for all that the file may define. */
int eex__onnx_collect(eex_onnx_network *n);

/* NULL: nothing is called so. */
eex__onnx_entry *eex__onnx_find(const eex_onnx_network *n, eex__text name);

/* EEX_EFORMAT where something is called so already. */
int eex__onnx_define(eex_onnx_network *n, const eex__onnx_entry *entry);

/* A name for a node, which nothing has yet: that of the tensor without its last part, where it may
 * be one, else the operator's with a number. */
int eex__onnx_node_name(char out[EEX_NAME_MAX], const eex_onnx_network *n,
                        const eex__onnx_call *call, const eex__onnx_tensor *tensor);

/* "operator OP of node NAME: " and the message; returns EEX_EUNSUPPORTED. */
int eex__onnx_refuse(const eex__onnx_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- operators ---- */

/* What input i is, made or put off. */
int eex__onnx_input_of(eex__onnx_entry **out, eex_onnx_network *n, const eex__onnx_call *call,
                       int i);

/* Input i as a node's value, made now where it was put off. */
int eex__onnx_value_of(int *out, eex_onnx_network *n, const eex__onnx_call *call, int i);

/* The same for a window that has *pad zeros on each side, and gets those that a Pad in front of it
 * adds. */
int eex__onnx_padded_of(int *out, int *pad, eex_onnx_network *n, const eex__onnx_call *call, int i);

/* Input i as a constant. EEX_EUNSUPPORTED: it is none. */
int eex__onnx_tensor_of(const eex__onnx_tensor **out, eex_onnx_network *n,
                        const eex__onnx_call *call, int i);

/* An attribute; NULL: the node does not say it. EEX_EUNSUPPORTED: it is of another type, or a list
 * of more than EEX__ONNX_RANK. */
int eex__onnx_attribute_as(const eex__onnx_attribute **out, const eex__onnx_call *call,
                           const char *name, eex__attribute_type type);

/* Its number, or `otherwise` where the node does not say it. */
int eex__onnx_int_of(int64_t *out, const eex__onnx_call *call, const char *name, int64_t otherwise);
int eex__onnx_float_of(float *out, const eex__onnx_call *call, const char *name, float otherwise);

/* One number: the attribute of that name, or input i, or `otherwise`. */
int eex__onnx_number_of(float *out, eex_onnx_network *n, const eex__onnx_call *call,
                        const char *name, int i, float otherwise);

/* A list of integers: the attribute of that name, or input i; none where there is neither. *count
 * is -1 where it is another tensor, or has more than `most`. */
int eex__onnx_list_of(int64_t *out, int *count, int most, eex_onnx_network *n,
                      const eex__onnx_call *call, const char *name, int i);

/* Whether the node has an input i at all. */
bool eex__onnx_has(const eex__onnx_call *call, int i);

/* Remembers where a parameter comes from. */
int eex__onnx_source_of(eex_onnx_network *n, const eex__onnx_source *source);

int eex__onnx_add_act(int *out, eex_onnx_network *n, const eex__onnx_call *call, int in,
                      eex_act act);

/* Concat of values. */
int eex__onnx_concat(eex_onnx_network *n, const eex__onnx_call *call);

/* Refused: inputs a and b, both values, have unlike numbers of dimensions, which others spread over
 * each other from behind. */
int eex__onnx_check_ranks(eex_onnx_network *n, const eex__onnx_call *call, int a, int b);

/* A linear layer; the bias may be NULL. */
int eex__onnx_linear(int *out, eex_onnx_network *n, const eex__onnx_call *call, int in,
                     const eex__onnx_tensor *weight, const eex__onnx_tensor *bias, bool transposed);

/* A row an operator. */
typedef struct eex__onnx_operator {
    const char *name;
    /* Defines the outputs of the node. */
    int (*add)(eex_onnx_network *n, const eex__onnx_call *call);
} eex__onnx_operator;

extern const eex__onnx_operator eex__onnx_layers[], eex__onnx_acts[], eex__onnx_pairs[],
    eex__onnx_shapes[], eex__onnx_sizes_operators[], eex__onnx_others[]; /* end with {0} */

/* The node's first output is this node's value, or something else. Values of rank 0 get that of the
 * first value that the node reads. */
int eex__onnx_is_node(eex_onnx_network *n, const eex__onnx_call *call, int node);
int eex__onnx_is_node_of(eex_onnx_network *n, const eex__onnx_call *call, int node, int rank);
int eex__onnx_is_entry(eex_onnx_network *n, const eex__onnx_call *call, eex__onnx_entry entry);

/* ---- shapes ---- */

/* The numbers of a constant, or what was calculated from shapes. */
eex__onnx_sizes eex__onnx_sizes_of(const eex__onnx_entry *entry);

/* What a node's value is as the file has it, in that many dimensions. */
eex__onnx_sizes eex__onnx_dimensions(const eex_onnx_network *n, int node, int rank);

/* a / b; false: there is none that is a size. */
bool eex__onnx_divide_sizes(eex__onnx_size *out, eex__onnx_size a, eex__onnx_size b);
bool eex__onnx_multiply_sizes(eex__onnx_size *out, eex__onnx_size a, eex__onnx_size b);

/* "N x 3 x 8 x 8". Returns `out`, or a constant. */
enum { EEX__SHOWN_SIZES = 256 };
const char *eex__onnx_show_sizes(char out[EEX__SHOWN_SIZES], const eex__onnx_sizes *sizes);

/* Whether the node reads nothing but shapes and constants, be it constants alone. */
bool eex__onnx_of_sizes(const eex_onnx_network *n, const eex__onnx_call *call);

/* Operators of these: Add, Sub, Mul and Div; Concat; what leaves them as they are. */
int eex__onnx_combine(eex_onnx_network *n, const eex__onnx_call *call);
int eex__onnx_concat_sizes(eex_onnx_network *n, const eex__onnx_call *call);
int eex__onnx_pass_sizes(eex_onnx_network *n, const eex__onnx_call *call);

#endif
