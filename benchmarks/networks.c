#include "networks.h"

#include "core/graph/cost.h"
#include "cpu/cpu_register.h"
#include "support/backbones.h"

#include "base/rng.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* After which block, and of how many blocks. */
typedef struct place {
    const char *point;
    int blocks;
} place;

/* Table III */
static const place table3[] = {
    {"features.3.add", 2},  {"features.5.add", 2},  {"features.6.add", 2}, {"features.8.add", 3},
    {"features.13.add", 4}, {"features.15.add", 3}, {"features.16.add", 3}};

/* What the search chose for CIFAR-10 (docs/results.md). */
static const place chosen[] = {{"features.5.add", 1}, {"features.6.add", 1}, {"features.8.add", 1}};

enum { MOST_GATES = sizeof table3 / sizeof *table3, CHOSEN = sizeof chosen / sizeof *chosen };

static int add_gates(eex_graph **graph, const place *places, int count)
{
    eex_gate gates[MOST_GATES] = {0};
    eex_graph *gated;
    for (int i = 0; i < count; i++)
        gates[i] = (eex_gate){.point = eex_graph_find(*graph, places[i].point),
                              .blocks = places[i].blocks};
    EEX_TRY(eex_graph_with_gates(&gated, *graph, gates, count, EEX_ACT_RELU6));
    eex_graph_free(*graph);
    *graph = gated;
    return EEX_OK;
}

static int build(eex_graph **out, const char *name, int side)
{
    if (strcmp(name, "resnet50") == 0)
        return eex_test_resnet50(out, CLASSES, side);
    bool gates = strcmp(name, "mobilenetv2+gates") == 0;
    bool exits = strcmp(name, "mobilenetv2+exits") == 0;
    if (strcmp(name, "mobilenetv2") != 0 && !gates && !exits)
        return eex_fail(
            EEX_EINVAL,
            "network %s: there are mobilenetv2, mobilenetv2+gates, mobilenetv2+exits and "
            "resnet50",
            name);
    EEX_TRY(eex_test_mobilenetv2(out, CLASSES, side));
    if (gates)
        return add_gates(out, table3, MOST_GATES);
    return exits ? add_gates(out, chosen, CHOSEN) : EEX_OK;
}

/* "resnet50@96" */
static int build_named(network *out)
{
    char name[64];
    const char *at = strchr(out->name, '@');
    snprintf(name, sizeof name, "%.*s", at ? (int)(at - out->name) : 63, out->name);
    out->side = at ? atoi(at + 1) : SIDE;
    if (out->side < 1)
        return eex_fail(EEX_EINVAL, "network %s: images of no size", out->name);
    return build(&out->graph, name, out->side);
}

int network_open(network *out, const char *name, int threads)
{
    EEX_TRY(eex_cpu_register());
    return network_open_on(out, name, "cpu", threads);
}

int network_open_on(network *out, const char *name, const char *device, int threads)
{
    *out = (network){.name = name};
    EEX_TRY(eex_device_open(&out->dev, device, &(eex_device_options){.threads = threads}));
    EEX_TRY(build_named(out));
    out->macs = (double)eex_cost_total(out->graph, EEX_MACS);
    return eex_params_new(&out->params, out->dev, out->graph, 1);
}

void network_close(network *n)
{
    eex_params_free(n->params);
    eex_graph_free(n->graph);
    eex_device_close(n->dev);
}

eex_augment network_augment(void)
{
    return (eex_augment){.enabled = true,
                         .crop_pad = 4,
                         .flip = true,
                         .mean = {0.4914f, 0.4822f, 0.4465f},
                         .std = {0.247f, 0.2435f, 0.2616f}};
}

uint8_t *network_images(int count, int side)
{
    size_t bytes = (size_t)count * (size_t)side * (size_t)side * 3;
    uint8_t *images = malloc(bytes);
    for (size_t i = 0; images && i < bytes; i++)
        images[i] = (uint8_t)eex_rng_hash(1, 2, i);
    return images;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}
