#include "core/plan/params.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/refused.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static eex_device *dev;

static void setup(void)
{
    dev = open_device(1);
}

static void teardown(void)
{
    eex_device_close(dev);
}

TestSuite(params, .init = setup, .fini = teardown);

static int find(const eex_graph *g, const char *name)
{
    for (int i = 0; i < eex_graph_params(g); i++)
        if (strcmp(eex_graph_param(g, i)->name, name) == 0)
            return i;
    cr_assert(false, "no parameter %s", name);
    return -1;
}

/* The values of a parameter in PyTorch's order; the caller frees them. */
static float *values_of(const eex_params *p, const char *name, size_t *count)
{
    int i = find(p->graph, name);
    *count = eex_param_count(eex_graph_param(p->graph, i));
    float *values = malloc(*count * sizeof *values);
    cr_assert(values);
    OK(eex_params_get(p, i, values));
    return values;
}

Test(params, layout)
{
    eex_graph *g = NULL;
    eex_params *p = NULL;
    OK(eex_test_tiny_gated(&g, 10));
    OK(eex_params_new(&p, dev, g, 1));
    size_t ends[2] = {0, 0};
    uint8_t *decay = malloc(p->count / 16);
    OK(dev->vtable->download(dev, decay, p->decay, p->count / 16));
    for (int i = 0; i < eex_graph_params(g); i++) {
        const eex_param *param = eex_graph_param(g, i);
        size_t *end = &ends[param->trainable];
        cr_expect(p->offset[i] == *end && p->offset[i] % 16 == 0);
        cr_expect(eex_params_at(p, i) == (param->trainable ? p->w : p->state) + p->offset[i]);
        *end += (eex_param_count(param) + 15) / 16 * 16;
        if (param->trainable)
            cr_expect(decay[p->offset[i] / 16] == param->decay, "%s", param->name);
    }
    cr_expect(ends[1] == p->count && ends[0] == p->state_count);
    free(decay);
    eex_params_free(p);
    eex_graph_free(g);
}

Test(params, padding_is_zero)
{
    eex_graph *g = NULL;
    eex_params *p = NULL;
    OK(eex_test_tiny(&g, 10));
    OK(eex_params_new(&p, dev, g, 1));
    float *w = malloc(p->count * sizeof *w);
    OK(dev->vtable->download(dev, w, p->w, p->count * sizeof *w));
    size_t bias = p->offset[find(g, "fc.bias")];
    for (size_t i = 10; i < 16; i++)
        cr_expect(w[bias + i] == 0);
    free(w);
    eex_params_free(p);
    eex_graph_free(g);
}

static void moments(const float *values, size_t count, double *mean, double *std, double *most)
{
    double sum = 0, squares = 0;
    *most = 0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
        squares += (double)values[i] * values[i];
        *most = fmax(*most, fabs((double)values[i]));
    }
    *mean = sum / (double)count;
    *std = sqrt(squares / (double)count - *mean * *mean);
}

static void starts_as(const eex_params *p, const char *name, double mean, double std, double most)
{
    size_t count;
    double m, s, largest;
    float *values = values_of(p, name, &count);
    moments(values, count, &m, &s, &largest);
    double slack = 5 * std / sqrt((double)count);
    cr_expect(fabs(m - mean) <= slack, "%s: mean %g", name, m);
    cr_expect(fabs(s - std) <= slack, "%s: deviation %g, not %g", name, s, std);
    cr_expect(largest <= most, "%s: largest %g", name, largest);
    free(values);
}

Test(params, start_as_in_torchvision)
{
    eex_graph *m = NULL, *r = NULL;
    eex_params *p = NULL;
    OK(eex_test_mobilenetv2(&m, 10, 32));
    OK(eex_params_new(&p, dev, m, 7));
    starts_as(p, "features.18.0.weight", 0, sqrt(2.0 / 1280), 1);
    starts_as(p, "features.17.conv.1.0.weight", 0, sqrt(2.0 / (960 * 9)), 1);
    starts_as(p, "features.1.conv.0.1.weight", 1, 0, 1);
    starts_as(p, "features.1.conv.0.1.bias", 0, 0, 0);
    starts_as(p, "features.1.conv.0.1.running_mean", 0, 0, 0);
    starts_as(p, "features.1.conv.0.1.running_var", 1, 0, 1);
    starts_as(p, "classifier.1.weight", 0, 0.01, 0.1);
    starts_as(p, "classifier.1.bias", 0, 0, 0);
    eex_params_free(p);
    OK(eex_test_resnet50(&r, 100, 32));
    OK(eex_params_new(&p, dev, r, 7));
    double bound = 1 / sqrt(2048);
    starts_as(p, "fc.weight", 0, bound / sqrt(3), bound);
    starts_as(p, "fc.bias", 0, bound / sqrt(3), bound);
    eex_params_free(p);
    eex_graph_free(m);
    eex_graph_free(r);
}

Test(params, a_layer_starts_the_same_in_every_graph)
{
    eex_graph *tiny = NULL, *gated = NULL;
    eex_params *a = NULL, *b = NULL, *c = NULL;
    OK(eex_test_tiny(&tiny, 10));
    OK(eex_test_tiny_gated(&gated, 10));
    OK(eex_params_new(&a, dev, tiny, 3));
    OK(eex_params_new(&b, dev, gated, 3));
    OK(eex_params_new(&c, dev, gated, 4));
    size_t count;
    float *x = values_of(a, "blocks.2.conv1.weight", &count);
    float *y = values_of(b, "blocks.2.conv1.weight", &count);
    float *z = values_of(c, "blocks.2.conv1.weight", &count);
    cr_expect(memcmp(x, y, count * sizeof *x) == 0);
    cr_expect(memcmp(x, z, count * sizeof *x) != 0);
    free(x);
    free(y);
    free(z);
    eex_params_free(a);
    eex_params_free(b);
    eex_params_free(c);
    eex_graph_free(tiny);
    eex_graph_free(gated);
}

/* ---- order on the device ---- */

static eex_graph *odd_graph(void)
{
    eex_graph *g = NULL;
    int x;
    OK(eex_graph_new(&g, "odd", 4, 2, 3));
    OK(eex_graph_add_conv(g, &x, 0, "dense", &(eex_conv_options){.out = 5, .kernel = 1}));
    OK(eex_graph_add_conv(g, &x, x, "deep",
                          &(eex_conv_options){.out = 5, .kernel = 3, .pad = 1, .groups = 5}));
    OK(eex_graph_add_flatten(g, &x, x, "flatten", true));
    OK(eex_graph_add_dropout(g, &x, x, "dropout", 0.5f));
    OK(eex_graph_add_linear(g, &x, x, "fc1", 6, true));
    OK(eex_graph_add_act(g, &x, x, "relu", EEX_ACT_RELU));
    OK(eex_graph_add_linear(g, &x, x, "fc2", 2, true));
    OK(eex_graph_finish(g, x));
    return g;
}

/* Sets 0, 1, 2, ... in PyTorch's order and gives back what lies on the device. */
static float *counted(eex_params *p, const char *name)
{
    int i = find(p->graph, name);
    size_t count = eex_param_count(eex_graph_param(p->graph, i));
    float *values = malloc(count * sizeof *values), *device = malloc(count * sizeof *values);
    for (size_t k = 0; k < count; k++)
        values[k] = (float)k;
    OK(eex_params_set(p, i, values));
    OK(dev->vtable->download(dev, device, eex_params_at(p, i), count * sizeof *device));
    memset(values, 0, count * sizeof *values);
    OK(eex_params_get(p, i, values));
    for (size_t k = 0; k < count; k++)
        cr_assert(values[k] == (float)k, "%s comes back changed", name);
    free(values);
    return device;
}

Test(params, weights_are_hwio_on_the_device)
{
    eex_graph *g = odd_graph();
    eex_params *p = NULL;
    OK(eex_params_new(&p, dev, g, 1));
    float *dense = counted(p, "dense.weight"), *deep = counted(p, "deep.weight");
    float *fc1 = counted(p, "fc1.weight"), *fc2 = counted(p, "fc2.weight");
    for (int o = 0; o < 5; o++)
        for (int i = 0; i < 3; i++)
            cr_expect(dense[i * 5 + o] == (float)(o * 3 + i));
    for (int c = 0; c < 5; c++)
        for (int k = 0; k < 9; k++)
            cr_expect(deep[k * 5 + c] == (float)(c * 9 + k));
    /* behind the flatten of 4 x 2 x 5: PyTorch's input (c, y, x) is ours (y, x, c) */
    for (int o = 0; o < 6; o++)
        for (int c = 0; c < 5; c++)
            for (int pixel = 0; pixel < 8; pixel++)
                cr_expect(fc1[(pixel * 5 + c) * 6 + o] == (float)(o * 40 + c * 8 + pixel));
    for (int o = 0; o < 2; o++)
        for (int i = 0; i < 6; i++)
            cr_expect(fc2[i * 2 + o] == (float)(o * 6 + i));
    free(dense);
    free(deep);
    free(fc1);
    free(fc2);
    eex_params_free(p);
    eex_graph_free(g);
}

Test(params, copying_takes_what_both_have)
{
    eex_graph *tiny = NULL, *gated = NULL, *other = NULL;
    eex_params *a = NULL, *b = NULL, *c = NULL;
    int copied = -1;
    size_t count;
    OK(eex_test_tiny(&tiny, 10));
    OK(eex_test_tiny_gated(&gated, 10));
    OK(eex_test_tiny(&other, 7));
    OK(eex_params_new(&a, dev, tiny, 1));
    OK(eex_params_new(&b, dev, gated, 2));
    OK(eex_params_new(&c, dev, other, 3));
    float *before = values_of(b, "exits.blocks.0.relu2.fc1.weight", &count);
    OK(eex_params_copy(b, a, &copied));
    cr_expect(copied == eex_graph_params(tiny));
    float *after = values_of(b, "exits.blocks.0.relu2.fc1.weight", &count);
    cr_expect(memcmp(before, after, count * sizeof *before) == 0);
    float *x = values_of(a, "blocks.1.conv1.weight", &count);
    float *y = values_of(b, "blocks.1.conv1.weight", &count);
    cr_expect(memcmp(x, y, count * sizeof *x) == 0);
    OK(eex_params_copy(c, b, &copied));
    cr_expect(copied == eex_graph_params(tiny) - 2); /* fc has another shape */
    free(before);
    free(after);
    free(x);
    free(y);
    eex_params_free(a);
    eex_params_free(b);
    eex_params_free(c);
    eex_graph_free(tiny);
    eex_graph_free(gated);
    eex_graph_free(other);
}

/* ---- files ---- */

static void save(const char *path, const eex_params *p, const char *group)
{
    eex_store_file *file = NULL;
    OK(eex_store_create(&file, path, "weights", 1));
    OK(eex_params_save(p, file, group));
    OK(eex_store_commit(&file));
}

static int load(const char *path, eex_params *p, const char *group)
{
    eex_store_file *file = NULL;
    OK(eex_store_open(&file, path, "weights", 1));
    int code = eex_params_load(p, file, group);
    eex_store_close(file);
    return code;
}

static bool same(const eex_params *a, const eex_params *b)
{
    return same_floats(dev, a->w, b->w, a->count) &&
           same_floats(dev, a->state, b->state, a->state_count);
}

Test(params, files_give_back_what_they_got)
{
    char folder[] = "/tmp/eex-test-XXXXXX", path[64];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/w.h5", folder);
    const char *const groups[] = {"", "model/params"};
    for (size_t i = 0; i < 2; i++) {
        eex_graph *g = NULL;
        eex_params *a = NULL, *b = NULL;
        OK(eex_test_tiny_gated(&g, 10));
        OK(eex_params_new(&a, dev, g, 1));
        OK(eex_params_new(&b, dev, g, 2));
        save(path, a, groups[i]);
        cr_expect(!same(a, b));
        OK(load(path, b, groups[i]));
        cr_expect(same(a, b));
        cr_expect(load(path, b, "elsewhere") < 0);
        eex_params_free(a);
        eex_params_free(b);
        eex_graph_free(g);
    }
    unlink(path);
    rmdir(folder);
}

Test(params, a_file_of_another_network_is_refused_whole)
{
    char folder[] = "/tmp/eex-test-XXXXXX", path[64];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/w.h5", folder);
    eex_graph *ten = NULL, *seven = NULL, *gated = NULL;
    eex_params *a = NULL, *b = NULL, *c = NULL, *fresh = NULL;
    OK(eex_test_tiny(&ten, 10));
    OK(eex_test_tiny(&seven, 7));
    OK(eex_test_tiny_gated(&gated, 10));
    OK(eex_params_new(&a, dev, ten, 1));
    OK(eex_params_new(&b, dev, seven, 2));
    OK(eex_params_new(&fresh, dev, seven, 2));
    OK(eex_params_new(&c, dev, gated, 3));
    save(path, a, "w");
    cr_expect(load(path, b, "w") == EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "fc.weight") && strstr(eex_error(), path), "%s", eex_error());
    cr_expect(same(b, fresh));
    cr_expect(load(path, c, "w") == EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "exits.blocks.0.relu2") && strstr(eex_error(), "missing"), "%s",
              eex_error());
    eex_params_free(a);
    eex_params_free(b);
    eex_params_free(c);
    eex_params_free(fresh);
    eex_graph_free(ten);
    eex_graph_free(seven);
    eex_graph_free(gated);
    unlink(path);
    rmdir(folder);
}

Test(params, freeing_nothing_is_fine)
{
    NOTHING_HAPPENS(eex_params_free(NULL));
}
