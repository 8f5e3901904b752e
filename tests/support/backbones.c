#include "support/backbones.h"

#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The first failure sticks; everything after it does nothing. */
typedef struct builder {
    eex_graph *g;
    int code;
    char name[EEX_NAME_MAX];
} builder;

static const char *name(builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static const char *name(builder *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(b->name, sizeof b->name, format, args);
    va_end(args);
    return b->name;
}

static int conv(builder *b, int x, const char *n, int out, int kernel, int stride, int groups)
{
    eex_conv_options o = {
        .out = out, .kernel = kernel, .stride = stride, .pad = (kernel - 1) / 2, .groups = groups};
    if (b->code == EEX_OK)
        b->code = eex_graph_add_conv(b->g, &x, x, n, &o);
    return x;
}

static int batch_norm(builder *b, int x, const char *n)
{
    if (b->code == EEX_OK)
        b->code = eex_graph_add_batch_norm(b->g, &x, x, n);
    return x;
}

static int act(builder *b, int x, const char *n, eex_act kind)
{
    if (b->code == EEX_OK)
        b->code = eex_graph_add_act(b->g, &x, x, n, kind);
    return x;
}

static int add(builder *b, int x, int y, const char *n)
{
    if (b->code == EEX_OK)
        b->code = eex_graph_add_add(b->g, &x, x, y, n);
    return x;
}

static int global_pool(builder *b, int x, const char *n, bool functional)
{
    if (b->code == EEX_OK)
        b->code = eex_graph_add_global_pool(b->g, &x, x, n, functional);
    return x;
}

static int flatten(builder *b, int x, const char *n)
{
    if (b->code == EEX_OK)
        b->code = eex_graph_add_flatten(b->g, &x, x, n, true);
    return x;
}

static int dropout(builder *b, int x, const char *n, float p)
{
    if (b->code == EEX_OK)
        b->code = eex_graph_add_dropout(b->g, &x, x, n, p);
    return x;
}

static int linear(builder *b, int x, const char *n, int features)
{
    if (b->code == EEX_OK)
        b->code = eex_graph_add_linear(b->g, &x, x, n, features, true);
    return x;
}

static void block(builder *b, const char *n)
{
    if (b->code == EEX_OK)
        b->code = eex_graph_block(b->g, n);
}

static int begin(builder *b, const char *n, int size)
{
    *b = (builder){0};
    b->code = eex_graph_new(&b->g, n, size, size, 3);
    return 0;
}

static int finish(eex_graph **out, builder *b, int logits)
{
    if (b->code == EEX_OK)
        b->code = eex_graph_finish(b->g, logits);
    if (b->code == EEX_OK)
        *out = b->g;
    else
        eex_graph_free(b->g);
    return b->code;
}

static int biased(builder *b, int x, const char *n, int out)
{
    eex_conv_options o = {.out = out, .kernel = 1, .bias = true};
    if (b->code == EEX_OK)
        b->code = eex_graph_add_conv(b->g, &x, x, n, &o);
    return x;
}

static int scale(builder *b, int x, int by, const char *n)
{
    if (b->code == EEX_OK)
        b->code = eex_graph_add_scale(b->g, &x, x, by, n);
    return x;
}

static int concat(builder *b, int x, int y, const char *n)
{
    if (b->code == EEX_OK)
        b->code = eex_graph_add_concat(b->g, &x, x, y, n);
    return x;
}

/* ---- squeezed ---- */

/* Squeeze and excitation: what x is multiplied by. */
static int factors(builder *b, int x, const char *prefix, int hidden, int c, eex_act last)
{
    x = global_pool(b, x, name(b, "%s.pool", prefix), true);
    x = biased(b, x, name(b, "%s.reduce", prefix), hidden);
    x = act(b, x, name(b, "%s.relu", prefix), EEX_ACT_RELU);
    x = biased(b, x, name(b, "%s.expand", prefix), c);
    return act(b, x, name(b, "%s.act", prefix), last);
}

static int squeezed(builder *b)
{
    int x = conv(b, 0, "stem", 8, 3, 1, 1);
    x = act(b, batch_norm(b, x, "stem.bn"), "stem.act", EEX_ACT_H_SWISH);
    int first = x;
    x = conv(b, x, "depth", 8, 5, 1, 8);
    x = act(b, batch_norm(b, x, "depth.bn"), "depth.act", EEX_ACT_H_SWISH);
    x = scale(b, x, factors(b, x, "se", 4, 8, EEX_ACT_H_SIGMOID), "se.scale");
    x = batch_norm(b, conv(b, x, "point", 8, 1, 1, 1), "point.bn");
    x = add(b, x, first, "merge");
    x = concat(b, x, first, "concat");
    x = scale(b, x, factors(b, first, "se2", 4, 16, EEX_ACT_SIGMOID), "se2.scale");
    x = conv(b, x, "last", 12, 3, 2, 1);
    return act(b, batch_norm(b, x, "last.bn"), "last.act", EEX_ACT_H_SWISH);
}

int eex_test_squeezed(eex_graph **out, int classes)
{
    builder b;
    begin(&b, "squeezed", 8);
    int x = squeezed(&b);
    x = global_pool(&b, x, "avgpool", true);
    x = scale(&b, x, x, "square");
    return finish(out, &b, linear(&b, x, "fc", classes));
}

/* ---- MobileNetV2 ---- */

/* Conv2dNormActivation: "<prefix>.0", ".1", ".2". */
static int conv_bn_relu6(builder *b, int x, const char *prefix, int out, int kernel, int stride,
                         int groups)
{
    x = conv(b, x, name(b, "%s.0", prefix), out, kernel, stride, groups);
    x = batch_norm(b, x, name(b, "%s.1", prefix));
    return act(b, x, name(b, "%s.2", prefix), EEX_ACT_RELU6);
}

static int inverted_residual(builder *b, int x, int feature, int in, int out, int stride,
                             int expand)
{
    char prefix[64];
    int layer = 0, first = x, hidden = in * expand;
    block(b, name(b, "features.%d", feature));
    if (expand != 1) {
        snprintf(prefix, sizeof prefix, "features.%d.conv.%d", feature, layer++);
        x = conv_bn_relu6(b, x, prefix, hidden, 1, 1, 1);
    }
    snprintf(prefix, sizeof prefix, "features.%d.conv.%d", feature, layer++);
    x = conv_bn_relu6(b, x, prefix, hidden, 3, stride, hidden);
    x = conv(b, x, name(b, "features.%d.conv.%d", feature, layer++), out, 1, 1, 1);
    x = batch_norm(b, x, name(b, "features.%d.conv.%d", feature, layer));
    if (stride == 1 && in == out)
        x = add(b, first, x, name(b, "features.%d.add", feature));
    return x;
}

int eex_test_mobilenetv2(eex_graph **out, int classes, int size)
{
    static const int rows[7][4] = {/* expansion, channels, repeats, first stride */
                                   {1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                   {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    builder b;
    int x = begin(&b, "mobilenetv2", size), in = 32, feature = 1;
    block(&b, "features.0");
    x = conv_bn_relu6(&b, x, "features.0", in, 3, 2, 1);
    for (int i = 0; i < 7; i++) {
        for (int j = 0; j < rows[i][2]; j++) {
            x = inverted_residual(&b, x, feature++, in, rows[i][1], j == 0 ? rows[i][3] : 1,
                                  rows[i][0]);
            in = rows[i][1];
        }
    }
    block(&b, "features.18");
    x = conv_bn_relu6(&b, x, "features.18", 1280, 1, 1, 1);
    block(&b, "classifier");
    x = global_pool(&b, x, "mean", true);
    x = dropout(&b, x, "classifier.0", 0.2f);
    x = linear(&b, x, "classifier.1", classes);
    if (b.code == EEX_OK)
        b.code = eex_graph_init_std(b.g, x, 0.01f);
    return finish(out, &b, x);
}

/* ---- ResNet50 ---- */

static int bottleneck(builder *b, int x, int layer, int index, int width, int stride)
{
    char p[32];
    int first = x;
    snprintf(p, sizeof p, "layer%d.%d", layer, index);
    block(b, p);
    x = conv(b, x, name(b, "%s.conv1", p), width, 1, 1, 1);
    x = batch_norm(b, x, name(b, "%s.bn1", p));
    x = act(b, x, name(b, "%s.relu", p), EEX_ACT_RELU);
    x = conv(b, x, name(b, "%s.conv2", p), width, 3, stride, 1);
    x = batch_norm(b, x, name(b, "%s.bn2", p));
    x = act(b, x, name(b, "%s.relu_1", p), EEX_ACT_RELU);
    x = conv(b, x, name(b, "%s.conv3", p), width * 4, 1, 1, 1);
    x = batch_norm(b, x, name(b, "%s.bn3", p));
    if (index == 0) {
        first = conv(b, first, name(b, "%s.downsample.0", p), width * 4, 1, stride, 1);
        first = batch_norm(b, first, name(b, "%s.downsample.1", p));
    }
    x = add(b, x, first, name(b, "%s.add", p));
    return act(b, x, name(b, "%s.relu_2", p), EEX_ACT_RELU);
}

int eex_test_resnet50(eex_graph **out, int classes, int size)
{
    static const int repeats[4] = {3, 4, 6, 3};
    builder b;
    int x = begin(&b, "resnet50", size);
    block(&b, "stem");
    x = conv(&b, x, "conv1", 64, 7, 2, 1);
    x = batch_norm(&b, x, "bn1");
    x = act(&b, x, "relu", EEX_ACT_RELU);
    if (b.code == EEX_OK)
        b.code = eex_graph_add_max_pool(b.g, &x, x, "maxpool", 3, 2, 1);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < repeats[i]; j++)
            x = bottleneck(&b, x, i + 1, j, 64 << i, i > 0 && j == 0 ? 2 : 1);
    block(&b, "fc");
    x = global_pool(&b, x, "avgpool", false);
    x = flatten(&b, x, "flatten");
    x = linear(&b, x, "fc", classes);
    return finish(out, &b, x);
}

/* ---- tiny ---- */

static int tiny_block(builder *b, int x, int index, int in, int out, int stride, int groups)
{
    char p[32];
    int first = x;
    snprintf(p, sizeof p, "blocks.%d", index);
    block(b, p);
    x = conv(b, x, name(b, "%s.conv1", p), out, 3, stride, 1);
    x = batch_norm(b, x, name(b, "%s.bn1", p));
    x = act(b, x, name(b, "%s.relu1", p), EEX_ACT_RELU);
    x = conv(b, x, name(b, "%s.conv2", p), out, 3, 1, groups);
    x = batch_norm(b, x, name(b, "%s.bn2", p));
    if (stride != 1 || in != out) {
        first = conv(b, first, name(b, "%s.shortcut.0", p), out, 1, stride, 1);
        first = batch_norm(b, first, name(b, "%s.shortcut.1", p));
    }
    x = add(b, x, first, name(b, "%s.add", p));
    return act(b, x, name(b, "%s.relu2", p), EEX_ACT_RELU);
}

int eex_test_tiny(eex_graph **out, int classes)
{
    builder b;
    int x = begin(&b, "tiny", 8);
    block(&b, "stem");
    x = conv(&b, x, "stem.conv", 8, 3, 1, 1);
    x = batch_norm(&b, x, "stem.bn");
    x = act(&b, x, "stem.relu", EEX_ACT_RELU);
    x = tiny_block(&b, x, 0, 8, 8, 1, 1);
    x = tiny_block(&b, x, 1, 8, 16, 2, 1);
    x = tiny_block(&b, x, 2, 16, 16, 1, 16);
    block(&b, "head");
    x = global_pool(&b, x, "pool", false);
    x = flatten(&b, x, "flatten");
    x = dropout(&b, x, "dropout", 0.1f);
    x = linear(&b, x, "fc", classes);
    return finish(out, &b, x);
}

int eex_test_tiny_gated(eex_graph **out, int classes)
{
    eex_graph *tiny = NULL;
    EEX_TRY(eex_test_tiny(&tiny, classes));
    eex_gate gates[2] = {{.point = eex_graph_find(tiny, "blocks.0.relu2"), .blocks = 1},
                         {.point = eex_graph_find(tiny, "blocks.1.relu2"), .blocks = 2}};
    int code = eex_graph_with_gates(out, tiny, gates, 2, EEX_ACT_RELU);
    eex_graph_free(tiny);
    return code;
}

bool eex_test_same_node(const eex_node *x, const eex_node *y)
{
#define SAME(field) (x->field == y->field)
#define ALL_SAME(field) (memcmp(&x->field, &y->field, sizeof x->field) == 0)
    return SAME(kind) && strcmp(x->name, y->name) == 0 && strcmp(x->block, y->block) == 0 &&
           ALL_SAME(inputs) && SAME(h) && SAME(w) && SAME(c) && ALL_SAME(window) && SAME(bias) &&
           SAME(act) && SAME(dropout) && SAME(bits) && SAME(init_std) && SAME(bn_eps) &&
           SAME(bn_momentum) && SAME(zero_start) && SAME(functional) && SAME(exit) &&
           SAME(first_param) && SAME(params) && SAME(out_choice) && SAME(kernel_choice) &&
           SAME(gene) && SAME(from) && SAME(transforms);
#undef SAME
#undef ALL_SAME
}
