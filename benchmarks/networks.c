#include "networks.h"

#include "base/rng.h"
#include "base/status.h"
#include "core/cost.h"
#include "cpu/cpu_register.h"
#include "support/backbones.h"

#include <stdlib.h>
#include <string.h>

/* Table III: after which block, and of how many blocks. */
static const struct {
    const char *point;
    int blocks;
} table3[] = {{"features.3.add", 2}, {"features.5.add", 2},  {"features.6.add", 2},
              {"features.8.add", 3}, {"features.13.add", 4}, {"features.15.add", 3},
              {"features.16.add", 3}};

enum { GATES = sizeof table3 / sizeof *table3 };

static int add_gates(eex_graph **graph)
{
    eex_gate gates[GATES] = {0};
    eex_graph *gated;
    for (int i = 0; i < GATES; i++)
        gates[i] = (eex_gate){.point = eex_graph_find(*graph, table3[i].point),
                              .blocks = table3[i].blocks};
    EEX_TRY(eex_graph_with_gates(&gated, *graph, gates, GATES, EEX_ACT_RELU6));
    eex_graph_free(*graph);
    *graph = gated;
    return EEX_OK;
}

static int build(eex_graph **out, const char *name)
{
    if (strcmp(name, "resnet50") == 0)
        return eex_test_resnet50(out, CLASSES, SIDE);
    if (strcmp(name, "mobilenetv2") != 0 && strcmp(name, "mobilenetv2+gates") != 0)
        return eex_fail(EEX_EINVAL,
                        "network %s: there are mobilenetv2, mobilenetv2+gates and resnet50", name);
    EEX_TRY(eex_test_mobilenetv2(out, CLASSES, SIDE));
    return strchr(name, '+') ? add_gates(out) : EEX_OK;
}

int network_open(network *out, const char *name, int threads)
{
    *out = (network){.name = name};
    EEX_TRY(eex_cpu_register());
    EEX_TRY(eex_device_open(&out->dev, "cpu", &(eex_device_options){.threads = threads}));
    EEX_TRY(build(&out->graph, name));
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

uint8_t *network_images(int count)
{
    size_t bytes = (size_t)count * SIDE * SIDE * 3;
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
