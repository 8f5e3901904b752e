/* Parameters of a graph on a device: one flat buffer of trainables, one of running statistics.
 *
 * On the device convolution weights are HWIO (op.h); get and set speak PyTorch's OIHW, which is
 * also what files hold. Each trainable starts at a multiple of 16 elements; the padding is zero. */
#ifndef EEX_CORE_PLAN_PARAMS_H
#define EEX_CORE_PLAN_PARAMS_H

#include "core/graph/graph.h"
#include "core/store/store.h"
#include "device/device.h"

typedef struct eex_params {
    eex_device *device;     /* borrowed */
    const eex_graph *graph; /* borrowed; must outlive this */
    size_t count;           /* trainable elements with padding */
    float *w;               /* (count) device memory */
    size_t state_count;
    float *state;   /* running means and variances, device memory */
    uint8_t *decay; /* (count / 16) device memory, see eex_op_optim */
    size_t *offset; /* of parameter i of the graph, in w or in state; of those that are there */
    bool *missing;  /* (parameters of the graph) which are not there; NULL: all are */
} eex_params;

/* Allocates and initialises as torchvision does (Kaiming normal fan-out for convolutions, unit BN,
 * N(0, 0.01) for MobileNetV2's classifier, uniform for others), from `seed` and the parameter's
 * name: the same layer gets the same weights in every graph that has it. */
int eex_params_new(eex_params **out, eex_device *device, const eex_graph *graph, uint64_t seed);

/* All zero: for who fills them. */
int eex_params_new_empty(eex_params **out, eex_device *device, const eex_graph *graph);

/* Those alone with held[i], for who runs a part of the network (eex_plan_part in plan.h): the
 * others take no memory, reading or writing them is EEX_EINVAL, saving and loading leaves them out,
 * and a plan that needs one is refused. */
int eex_params_new_some(eex_params **out, eex_device *device, const eex_graph *graph,
                        const bool *held);
void eex_params_free(eex_params *params);

/* Whether parameter i is there. */
bool eex_params_has(const eex_params *params, int i);

/* Device address of parameter i: in w or in state; NULL where it is not there. */
float *eex_params_at(const eex_params *params, int i);

/* Reads or writes parameter i in PyTorch's layout, eex_param_count elements. */
int eex_params_get(const eex_params *params, int i, float *values);
int eex_params_set(eex_params *params, int i, const float *values);

/* Copies every parameter that both have by name and shape; *copied counts them. */
int eex_params_copy(eex_params *to, const eex_params *from, int *copied);

/* Datasets under `group` (made if absent), one a parameter, named by the parameter. Loading demands
 * every parameter with its exact shape; the message names the first that does not fit. */
int eex_params_save(const eex_params *params, eex_store_file *file, const char *group);
int eex_params_load(eex_params *params, eex_store_file *file, const char *group);

#endif
