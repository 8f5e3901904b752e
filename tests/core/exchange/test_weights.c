/* Other people's weights: names of their libraries, files that PyTorch wrote, what does not fit. */
#include "core/exchange/dialects.h"
#include "core/exchange/start.h"
#include "core/exchange/weights.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/fixture.h"
#include "support/folder.h"
#include "support/net.h"
#include "support/refused.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    test_folder_remove(folder);
}

TestSuite(weights, .init = setup, .fini = teardown);

/* ---- names ---- */

static const struct {
    int dialect;
    const char *ours, *theirs;
} names[] = {
    {0, "features.1.conv.0.0.weight", "features.1.conv.0.0.weight"},
    {1, "features.0.0.weight", "conv_stem.weight"},
    {1, "features.0.1.running_mean", "bn1.running_mean"},
    {1, "features.1.conv.0.0.weight", "blocks.0.0.conv_dw.weight"},
    {1, "features.1.conv.1.weight", "blocks.0.0.conv_pw.weight"},
    {1, "features.1.conv.2.bias", "blocks.0.0.bn2.bias"},
    {1, "features.2.conv.0.0.weight", "blocks.1.0.conv_pw.weight"},
    {1, "features.3.conv.1.0.weight", "blocks.1.1.conv_dw.weight"},
    {1, "features.4.conv.2.weight", "blocks.2.0.conv_pwl.weight"},
    {1, "features.7.conv.1.1.weight", "blocks.3.0.bn2.weight"},
    {1, "features.17.conv.3.running_var", "blocks.6.0.bn3.running_var"},
    {1, "features.18.0.weight", "conv_head.weight"},
    {1, "features.18.1.bias", "bn2.bias"},
    {1, "classifier.1.bias", "classifier.bias"},
    {1, "classifier.0.weight", "pre_logits.fc1.weight"},
    {1, "classifier.6.weight", "head.fc.weight"},
    {1, "features.28.weight", "features.28.weight"},
    {1, "layer1.0.downsample.1.weight", "layer1.0.downsample.1.weight"},
    {2, "layer1.0.downsample.1.weight", "layer1.0.shortcut.1.weight"},
    {2, "fc.bias", "linear.bias"},
};

Test(weights, names_of_others)
{
    char out[EEX_TENSOR_NAME];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const eex__dialect *d = eex__dialect_at(names[i].dialect);
        cr_expect(d->translate(out, names[i].ours));
        cr_expect_str_eq(out, names[i].theirs, "%s by %s", names[i].ours, d->name);
    }
    cr_expect_null(eex__dialect_at(-1));
    cr_expect_null(eex__dialect_at(3));
}

/* The parameters of a graph as a file of somebody else's: `prefix` in front of each name. */
static const char *file_by(int dialect, const char *prefix, const eex_graph *g, bool halved)
{
    const char *path = test_path(folder, "theirs.safetensors");
    eex_buffer header = EEX_BUFFER_INIT, file = EEX_BUFFER_INIT;
    size_t at = 0;
    for (int i = 0; i < eex_graph_params(g); i++) {
        char name[EEX_TENSOR_NAME];
        const eex_param *p = eex_graph_param(g, i);
        const size_t bytes = eex_param_count(p) * (halved ? 2 : 4);
        cr_assert(eex__dialect_at(dialect)->translate(name, p->name));
        eex_buffer_printf(&header, "%s\"%s%s\":{\"dtype\":\"%s\",\"shape\":[", i ? "," : "{",
                          prefix, name, halved ? "BF16" : "F32");
        for (int d = 0; d < p->rank; d++)
            eex_buffer_printf(&header, "%s%d", d ? "," : "", p->shape[d]);
        eex_buffer_printf(&header, "],\"data_offsets\":[%zu,%zu]}", at, at + bytes);
        at += bytes;
    }
    eex_buffer_puts(&header, "}");
    for (int b = 0; b < 8; b++)
        eex_buffer_putc(&file, (char)(header.size >> (8 * b)));
    eex_buffer_append(&file, header.data, header.size);
    eex_buffer_fill(&file, 0, at);
    OK(eex_fs_write(path, file.data, file.size));
    eex_buffer_free(&header);
    eex_buffer_free(&file);
    return path;
}

static void expect_all(int dialect, const char *prefix, const eex_graph *g, const char *whose)
{
    eex_safetensors *f;
    eex_weights w;
    OK(eex_safetensors_open(&f, file_by(dialect, prefix, g, true)));
    OK(eex_weights_match(&w, f, g));
    cr_expect_str_eq(w.names, whose);
    cr_expect_str_eq(w.prefix, prefix);
    cr_expect_eq(w.taken, eex_graph_params(g));
    cr_expect_eq(w.lost + w.unused, 0);
    eex_weights_free(&w);
    eex_safetensors_close(f);
}

Test(weights, whole_networks_by_every_name)
{
    eex_graph *mobile, *fifty;
    OK(eex_test_mobilenetv2(&mobile, 10, 32));
    OK(eex_test_resnet50(&fifty, 10, 32));
    expect_all(0, "", mobile, "torchvision");
    expect_all(1, "", mobile, "timm");
    expect_all(1, "model.encoder.", mobile, "timm");
    expect_all(0, "module.", fifty, "torchvision");
    expect_all(2, "net.", fifty, "pytorch-cifar");
    eex_graph_free(mobile);
    eex_graph_free(fifty);
}

/* Weights for 10 classes in a network of 7, and the other way round: all but the last layer. */
Test(weights, other_classes)
{
    eex_graph *ten, *seven, *fifty;
    eex_safetensors *f;
    eex_weights w;
    OK(eex_test_tiny(&ten, 10));
    OK(eex_test_tiny(&seven, 7));
    OK(eex_test_resnet50(&fifty, 11, 32));
    OK(eex_safetensors_open(&f, file_by(0, "", ten, false)));
    OK(eex_weights_match(&w, f, seven));
    cr_expect_eq(w.taken, w.params - 2);
    cr_expect_eq(w.lost, 0);
    cr_expect_eq(w.unused, 2);
    eex_weights_free(&w);
    cr_expect_eq(eex_weights_match(&w, f, fifty), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "conv1.weight, ..."), "%s", eex_error());
    cr_expect_null(w.tensor);
    eex_safetensors_close(f);
    eex_graph_free(ten);
    eex_graph_free(seven);
    eex_graph_free(fifty);
}

/* ---- what PyTorch wrote ---- */

static void expect_logits(const char *name, const char *what)
{
    fixture *fix = fixture_open(EEX_FIXTURES "/weights.bin");
    char path[TEST_PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", EEX_FIXTURES, name);
    net n = net_open(eex_test_tiny, 4, 1);
    eex_safetensors *f;
    eex_weights w;
    eex_plan *plan;
    size_t bytes = 0;
    const uint8_t *images = fixture_find(fix, &bytes, "u8", "images");
    const float *want = fixture_find(fix, NULL, "f32", "%s", what);
    cr_assert_eq(bytes, 4 * 8 * 8 * 3);
    memcpy(n.images, images, bytes);
    OK(eex_safetensors_open(&f, path));
    OK(eex_weights_match(&w, f, n.graph));
    cr_expect_str_eq(w.prefix, "module.");
    cr_expect_eq(w.taken, w.params);
    OK(eex_weights_load(n.params, f, &w));
    eex_plan_options how = net_inference(4);
    how.augment.mean[0] = how.augment.mean[1] = how.augment.mean[2] = 0;
    how.augment.std[0] = how.augment.std[1] = how.augment.std[2] = 1;
    OK(eex_plan_new(&plan, &how, n.graph, n.params));
    net_feed(&n, plan, 0, 4);
    OK(eex_plan_segments(plan, 0, 0, 4));
    float *got = net_logits(plan, 0, 4);
    for (int i = 0; i < 4 * NET_CLASSES; i++)
        cr_expect(fabsf(got[i] - want[i]) < 1e-5f, "%s %d: %g and %g", what, i, (double)got[i],
                  (double)want[i]);
    free(got);
    eex_plan_free(plan);
    eex_weights_free(&w);
    eex_safetensors_close(f);
    net_close(&n);
    fixture_close(fix);
}

Test(weights, of_pytorch)
{
    expect_logits("weights.safetensors", "exact");
    expect_logits("weights_types.safetensors", "rounded");
}

Test(weights, variances_below_0)
{
    eex_graph *g;
    eex_params *params;
    eex_safetensors *f;
    eex_weights w;
    char *bytes;
    size_t size;
    eex_device *dev = open_device(1);
    OK(eex_test_tiny(&g, 10));
    const char *path = file_by(0, "", g, false);
    OK(eex_fs_read(&bytes, &size, path, 1 << 20));
    for (size_t i = size - 16; i < size; i++) /* of the last layer: fine */
        bytes[i] = (char)0xbf;
    OK(eex_fs_write(path, bytes, size));
    OK(eex_params_new(&params, dev, g, 1));
    OK(eex_safetensors_open(&f, path));
    OK(eex_weights_match(&w, f, g));
    OK(eex_weights_load(params, f, &w));
    eex_safetensors_close(f);
    const char *var = strstr(bytes + 8, "stem.bn.running_var");
    cr_assert_not_null(var);
    size_t header = 0, at = 0;
    memcpy(&header, bytes, 8);
    cr_assert_eq(sscanf(strstr(var, "offsets"), "offsets\":[%zu", &at), 1);
    memset(bytes + 8 + header + at, 0xbf, 4);
    OK(eex_fs_write(path, bytes, size));
    OK(eex_safetensors_open(&f, path));
    cr_expect_eq(eex_weights_load(params, f, &w), EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "stem.bn.running_var\", a variance"), "%s", eex_error());
    free(bytes);
    eex_weights_free(&w);
    eex_safetensors_close(f);
    eex_params_free(params);
    eex_graph_free(g);
    eex_device_close(dev);
}

/* ---- what a run starts from ---- */

Test(weights, a_start_without_its_data)
{
    eex_graph *g;
    eex_params *params;
    eex_input input;
    eex_model *model;
    bool there = true;
    eex_device *dev = open_device(1);
    const char *path = test_path(folder, "start.h5");
    OK(setenv("EEX_DATA", folder, 1));
    OK(eex_test_tiny(&g, 10));
    OK(eex_params_new(&params, dev, g, 1));
    OK(eex_start_input(&input, &there, g, "nowhere"));
    cr_expect(!there);
    OK(eex_start_write(path, params, &input, EEX_F32));
    OK(eex_model_open(&model, path, EEX_MODEL_BASE, dev));
    cr_expect_str_eq(model->input.dataset, "nowhere");
    cr_expect_str_eq(model->input.classes.item[9], "9");
    cr_expect_float_eq(model->input.mean[0], 0.485f, 1e-6f);
    eex_model_close(model);
    eex_input_free(&input);
    eex_params_free(params);
    eex_graph_free(g);
    eex_device_close(dev);
}

Test(weights, refused)
{
    eex_weights w;
    eex_input input;
    bool there;
    REFUSED(eex_weights_match(NULL, NULL, NULL));
    REFUSED(eex_weights_match(&w, NULL, NULL));
    REFUSED(eex_weights_load(NULL, NULL, NULL));
    REFUSED(eex_safetensors_open(NULL, "x"));
    REFUSED(eex_safetensors_read(NULL, NULL, 0));
    REFUSED(eex_safetensors_put(NULL, NULL, NULL));
    REFUSED(eex_start_input(NULL, NULL, NULL, NULL));
    REFUSED(eex_start_input(&input, &there, NULL, "x"));
    REFUSED(eex_start_write(NULL, NULL, NULL, EEX_F32));
    eex_weights_free(NULL);
    eex_safetensors_close(NULL);
}
