/* How the ops of a plan reach parameters and their gradients.
 *
 * Parameters lie in flat buffers (params.h), gradients and moments beside them. What an op reads or
 * writes need not lie there: bfloat16 convolutions read a copy. So lowering never calculates an
 * address; it asks the plan's binding for a place before it appends an op and tells the binding
 * when the op has written. A binding may append ops of its own each time, before and after: one
 * whose parameters are slices of larger ones gathers them into a buffer in front of the op and
 * scatters the gradient behind it, and the op in between works on dense memory like any other.
 *
 * The optimiser is outside of this: it steps stretches of the flat buffers themselves. */
#ifndef EEX_CORE_PLAN_BINDING_H
#define EEX_CORE_PLAN_BINDING_H

#include "core/plan/plan.h"

typedef struct eex_builder eex_builder;

/* What a pointer of the op that is appended next will point to. */
typedef struct eex_place {
    int buffer;    /* of the plan; -1: `at` */
    size_t addend; /* bytes into the buffer */
    void *at;      /* device memory outside the plan; NULL: there is no such parameter */
} eex_place;

/* Elements of the flat buffers, a multiple of 16. */
typedef struct eex_stretch {
    size_t first, count;
} eex_stretch;

typedef struct eex_binding eex_binding;
struct eex_binding {
    /* Once, in front of all ops: appends what a step begins with. */
    int (*begin)(const eex_binding *self, eex_builder *b);

    /* Where the op that is appended next reads parameter i. Running statistics may be moved there
     * too, see `wrote`. */
    int (*value)(const eex_binding *self, eex_builder *b, eex_place *out, int i);

    /* Where the op that is appended next writes the gradient of trainable parameter i. */
    int (*grad)(const eex_binding *self, eex_builder *b, eex_place *out, int i);

    /* The op appended last has written the gradient of parameter i or, where that is a running
     * statistic, moved it: takes it to where it belongs. The padding of a gradient (params.h)
     * counts in the norm and stays zero. */
    int (*wrote)(const eex_binding *self, eex_builder *b, int i);

    /* The flat elements that a step of the optimiser changes for trainable parameter i. */
    eex_stretch (*stretch)(const eex_binding *self, const eex_params *params, int i);

    /* Parameter i as ops read it in float32, in the device's order, to host memory. */
    int (*fetch)(const eex_binding *self, const eex_params *params, float *values, int i);
};

/* Each parameter where it lies. */
extern const eex_binding eex__binding_flat;

/* Flat, but weights of convolutions and linear layers are read in bfloat16, cast once a step, all
 * in one launch. */
extern const eex_binding eex__binding_shadow;

/* The one that goes with a plan's precision. */
const eex_binding *eex__binding_for(const eex_plan_options *options);

/* ---- what lowering calls ---- */

enum { EEX__NODE_PARAMS = 4 }; /* the most that a node has */

/* The places of all of a node's parameters, or of the gradients of its trainable ones, in order. */
int eex__bind_values(eex_builder *b, eex_place at[EEX__NODE_PARAMS], const eex_node *node);
int eex__bind_grads(eex_builder *b, eex_place at[EEX__NODE_PARAMS], const eex_node *node);

/* The op appended last has written the gradients of a node, or its statistics. */
int eex__bind_wrote_grads(eex_builder *b, const eex_node *node);
int eex__bind_wrote_statistics(eex_builder *b, const eex_node *node);

/* Makes *field, a pointer inside the op appended last, point to a place. field is the address of
 * the pointer. */
int eex__bind_point(eex_builder *b, void *field, const eex_place *place);

/* What an optimiser's op on a stretch works on: weights, gradients, moments, flags. */
eex_op_optim eex__bind_stretch(const eex_optimizer_state *state, eex_stretch stretch);

#endif
