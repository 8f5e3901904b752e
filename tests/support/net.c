#include "support/net.h"

#include "core/graph/bottleneck.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/elastic.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static void *room(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    cr_assert_not_null(memory);
    return memory;
}

static size_t image_bytes(const net *n)
{
    const eex_node *input = eex_graph_node(n->graph, 0);
    return (size_t)input->h * (size_t)input->w * (size_t)input->c;
}

/* Scale and variance in 0.5..1.5, shift and mean in -0.5..0.5. */
static void shake_batch_norm(const net *n, const eex_node *node, eex_rng *rng)
{
    float *values = room((size_t)node->c, sizeof *values);
    for (int j = 0; j < 4; j++) {
        for (int c = 0; c < node->c; c++)
            values[c] = (float)(eex_rng_uniform(rng) + (j == 0 || j == 3 ? 0.5 : -0.5));
        OK(eex_params_set(n->params, node->first_param + j, values));
    }
    free(values);
}

static void fill_images(net *n)
{
    n->images = room((size_t)n->count, image_bytes(n));
    n->labels = room((size_t)n->count, sizeof *n->labels);
    n->samples = room((size_t)n->count, sizeof *n->samples);
    for (size_t i = 0; i < (size_t)n->count * image_bytes(n); i++)
        n->images[i] = (uint8_t)eex_rng_hash(5, 6, i);
    for (int i = 0; i < n->count; i++) {
        n->labels[i] = (int32_t)(eex_rng_hash(7, 8, (uint64_t)i) % NET_CLASSES);
        n->samples[i] = (uint32_t)i;
    }
}

net net_open(net_builder build, int count, int threads)
{
    net n = {.count = count};
    eex_rng rng;
    eex_rng_seed(&rng, 3, 4);
    n.dev = open_device(threads);
    OK(build(&n.graph, NET_CLASSES));
    OK(eex_params_new(&n.params, n.dev, n.graph, 11));
    for (int i = 0; i < eex_graph_nodes(n.graph); i++) {
        const eex_node *node = eex_graph_node(n.graph, i);
        if (node->kind == EEX_NODE_BATCH_NORM)
            shake_batch_norm(&n, node, &rng);
    }
    fill_images(&n);
    return n;
}

void net_close(net *n)
{
    free(n->samples);
    free(n->labels);
    free(n->images);
    eex_params_free(n->params);
    eex_graph_free(n->graph);
    eex_device_close(n->dev);
}

/* ---- builders ---- */

static int gated(eex_graph **out, eex_graph *backbone, const char *const *points, int count)
{
    eex_gate gates[2] = {0};
    for (int i = 0; i < count; i++)
        gates[i] = (eex_gate){.point = eex_graph_find(backbone, points[i]), .blocks = 1};
    int code = eex_graph_with_gates(out, backbone, gates, count, EEX_ACT_RELU6);
    eex_graph_free(backbone);
    return code;
}

int net_tiny(eex_graph **out, int classes)
{
    return eex_test_tiny_gated(out, classes);
}

int net_derived(eex_graph **out, int classes)
{
    int genome[ELASTIC_GENES];
    eex_graph *elastic;
    EEX_TRY(eex_test_elastic_gated(&elastic, classes));
    eex_genome_largest(elastic, genome);
    genome[eex_graph_size_gene(elastic)] = 1;
    int code = eex_graph_derive(out, NULL, elastic, genome);
    eex_graph_free(elastic);
    return code;
}

int net_squeezed(eex_graph **out, int classes)
{
    static const char *const points[] = {"merge", "se2.scale"};
    eex_graph *backbone;
    EEX_TRY(eex_test_squeezed(&backbone, classes));
    return gated(out, backbone, points, 2);
}

/* The tiny network with these gates behind its first two merges. */
static int tiny_with(eex_graph **out, int classes, eex_gate first, eex_gate second)
{
    eex_graph *backbone;
    EEX_TRY(eex_test_tiny(&backbone, classes));
    first.point = eex_graph_find(backbone, "blocks.0.relu2");
    second.point = eex_graph_find(backbone, "blocks.1.relu2");
    int code = eex_graph_with_gates(out, backbone, (eex_gate[]){first, second}, 2, EEX_ACT_RELU6);
    eex_graph_free(backbone);
    return code;
}

int net_pooled(eex_graph **out, int classes)
{
    return tiny_with(out, classes, (eex_gate){.family = EEX_GATE_RESIDUAL, .blocks = 2},
                     (eex_gate){.family = EEX_GATE_POOLED, .blocks = 2, .channels = 6});
}

static int bottled(eex_graph **out, int classes, int bits)
{
    eex_graph *pooled;
    EEX_TRY(net_pooled(&pooled, classes));
    int code = eex_graph_with_bottleneck(out, pooled, bits);
    eex_graph_free(pooled);
    return code;
}

int net_bottled(eex_graph **out, int classes)
{
    return bottled(out, classes, 0);
}

int net_quantised(eex_graph **out, int classes)
{
    return bottled(out, classes, 8);
}

int net_strided(eex_graph **out, int classes)
{
    return tiny_with(out, classes, (eex_gate){.family = EEX_GATE_STRIDED, .blocks = 3},
                     (eex_gate){.family = EEX_GATE_LINEAR, .blocks = 2, .channels = 12});
}

int net_mobilenetv2(eex_graph **out, int classes)
{
    static const char *const points[] = {"features.6.add", "features.13.add"};
    eex_graph *backbone;
    EEX_TRY(eex_test_mobilenetv2(&backbone, classes, 32));
    return gated(out, backbone, points, 2);
}

int net_resnet50(eex_graph **out, int classes)
{
    static const char *const points[] = {"layer1.0.relu_2"};
    eex_graph *backbone;
    EEX_TRY(eex_test_resnet50(&backbone, classes, 32));
    return gated(out, backbone, points, 1);
}

/* ---- plans ---- */

eex_plan_options net_inference(int batch)
{
    return (eex_plan_options){.batch = batch,
                              .augment = {.mean = {0.5f, 0.45f, 0.4f}, .std = {0.25f, 0.2f, 0.3f}}};
}

eex_plan_options net_training(int batch, const float *weight, int exits)
{
    eex_plan_options o = net_inference(batch);
    o.mode = EEX_PLAN_TRAIN;
    o.optimizer.kind = EEX_SGD;
    memcpy(o.weight, weight, (size_t)exits * sizeof *weight);
    return o;
}

void net_feed(const net *n, eex_plan *plan, int first, int count)
{
    size_t at = (size_t)first;
    cr_assert_leq(first + count, n->count);
    OK(eex_plan_upload(plan, n->images + at * image_bytes(n), n->labels + at, n->samples + at,
                       count));
}

float *net_logits(const eex_plan *plan, int exit, int count)
{
    float *logits = room((size_t)count * NET_CLASSES, sizeof *logits);
    OK(eex_plan_logits(plan, exit, logits, count));
    return logits;
}
