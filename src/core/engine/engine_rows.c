/* How many images pass the network together. In a large batch each layer's output would have left
 * the cache before the next layer reads it, most of all in front of the first exits, where images
 * are large; so a batch is run in parts whose activations stay there. But each part reads all
 * weights again, which must stay small beside what it reads and writes. */
#include "core/engine/engine_impl.h"

enum {
    LEAST_ROWS = 8,   /* below that every layer is too little work for its threads */
    WEIGHTS_SHARE = 8 /* weights may be a part of 8 of what an image moves */
};

static double elements(const eex_node *n)
{
    return (double)n->h * (double)n->w * (double)n->c;
}

/* Whether a node is calculated by an op of its own: batch norm, most activations and addition
 * happen in the convolution before. */
static bool moves(const eex_node *n)
{
    switch (n->kind) {
    case EEX_NODE_CONV:
    case EEX_NODE_MAX_POOL:
    case EEX_NODE_LINEAR:
    case EEX_NODE_SCALE:
    case EEX_NODE_CONCAT:
    case EEX_NODE_DEPTH_TO_SPACE:
    case EEX_NODE_QUANTISE:
        return true;
    case EEX_NODE_ACT:
        return !eex_act_fuses(n->act);
    default:
        return false;
    }
}

/* Resizing reads the image as it comes. */
static double resized(const eex_node *input, const eex_augment *as)
{
    if (as->height == 0 || (as->height == input->h && as->width == input->w))
        return 0;
    return elements(input) + (double)as->height * as->width * input->c;
}

int eex__engine_rows(const eex_device *dev, const eex_graph *graph, const eex_inference *how)
{
    const int batch = how->batch;
    const double first = resized(eex_graph_node(graph, 0), &how->normalise);
    double most = first, all = first; /* floats that a layer, and all layers, move for an image */
    for (int i = 1; i < eex_graph_nodes(graph); i++) {
        const eex_node *n = eex_graph_node(graph, i);
        if (!moves(n))
            continue;
        double floats = elements(n) + elements(eex_graph_node(graph, n->inputs[0]));
        all += floats;
        most = floats > most ? floats : most;
    }
    if (!dev->cache_bytes || most == 0)
        return batch;
    double rows = (double)dev->cache_bytes / (most * sizeof(float));
    double least = WEIGHTS_SHARE * (double)eex_graph_param_total(graph) / all;
    rows = rows < least ? least : rows;
    rows = rows < LEAST_ROWS ? LEAST_ROWS : rows;
    if (rows >= batch)
        return batch;
    int parts = (int)(batch / rows) + 1;
    return (batch + parts - 1) / parts;
}
