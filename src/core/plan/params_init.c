/* How parameters start, as torchvision's constructors have it. */
#include "core/plan/params_impl.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

const eex_node *eex__param_node(const eex_graph *graph, int i)
{
    int low = 0, high = eex_graph_nodes(graph) - 1; /* first_param never decreases */
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (eex_graph_node(graph, middle)->first_param <= i)
            low = middle;
        else
            high = middle - 1;
    }
    return eex_graph_node(graph, low);
}

/* FNV-1a: a stream for each name, so that a layer starts the same in every graph that has it. */
static uint64_t name_hash(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return hash;
}

static void fill(float *values, size_t count, float value)
{
    for (size_t i = 0; i < count; i++)
        values[i] = value;
}

static void normal(float *values, size_t count, double std, eex_rng *rng)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(std * eex_rng_normal(rng));
}

static void uniform(float *values, size_t count, double bound, eex_rng *rng)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(bound * (2 * eex_rng_uniform(rng) - 1));
}

/* Kaiming normal, fan-out, gain of ReLU: PyTorch's fan-out does not divide by the groups. */
static void init_conv(float *values, const eex_param *p, eex_rng *rng)
{
    size_t count = eex_param_count(p);
    double fan_out = (double)p->shape[0] * p->shape[2] * p->shape[3];
    if (p->rank == 4)
        normal(values, count, sqrt(2 / fan_out), rng);
    else
        fill(values, count, 0);
    for (size_t i = 0; p->rank == 2 && i < count; i += (size_t)p->shape[0] + 1)
        values[i] = 1; /* a transform of kernels is the identity at first */
}

static void init_linear(float *values, const eex_node *n, const eex_param *p, eex_rng *rng)
{
    size_t count = eex_param_count(p);
    if (n->init_std <= 0)
        uniform(values, count, 1 / sqrt((double)n->window.cin), rng);
    else if (p->rank == 2)
        normal(values, count, (double)n->init_std, rng);
    else
        fill(values, count, 0);
}

static void init_batch_norm(float *values, const eex_node *n, const eex_param *p)
{
    const char *what = p->name + strlen(n->name) + 1;
    bool one = (strcmp(what, "weight") == 0 && !n->zero_start) || strcmp(what, "running_var") == 0;
    fill(values, eex_param_count(p), one ? 1.0f : 0.0f);
}

/* Until somebody has looked at what there is. */
static void init_range(float values[2])
{
    values[0] = 0;
    values[1] = 1;
}

void eex__param_init(float *values, const eex_graph *graph, int i, uint64_t seed)
{
    const eex_param *p = eex_graph_param(graph, i);
    const eex_node *n = eex__param_node(graph, i);
    eex_rng rng;
    eex_rng_seed(&rng, seed, name_hash(p->name));
    if (n->kind == EEX_NODE_BATCH_NORM)
        init_batch_norm(values, n, p);
    else if (n->kind == EEX_NODE_QUANTISE)
        init_range(values);
    else if (n->kind == EEX_NODE_LINEAR)
        init_linear(values, n, p, &rng);
    else
        init_conv(values, p, &rng);
}
