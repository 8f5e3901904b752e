#include "core/graph/predictor.h"

#include "base/status.h"

#include <stdio.h>

EEX_NAMES(eex_exit_predictor_family, eex_exit_predictor_family, EEX_PREDICTOR_FAMILIES,
          [EEX_PREDICTOR_SEPARABLE] = "separable", [EEX_PREDICTOR_PLAIN] = "plain",
          [EEX_PREDICTOR_LINEAR] = "linear", [EEX_PREDICTOR_LENET] = "lenet");

enum { REDUCTION = 16, STEM = 16, HIDDEN = 64, LINEAR_HIDDEN = 128, LENET_LEAST = 16 };

/* ---- layers: each reads *x and leaves its own value there ---- */

static int conv_bn_relu(eex_graph *g, int *x, const char *name, const eex_conv_options *o)
{
    char part[EEX_NAME_MAX];
    snprintf(part, sizeof part, "%.64s.conv", name);
    EEX_TRY(eex_graph_add_conv(g, x, *x, part, o));
    snprintf(part, sizeof part, "%.64s.bn", name);
    EEX_TRY(eex_graph_add_batch_norm(g, x, *x, part));
    snprintf(part, sizeof part, "%.64s.act", name);
    return eex_graph_add_act(g, x, *x, part, EEX_ACT_RELU);
}

static int linear_relu(eex_graph *g, int *x, const char *name, int features)
{
    char part[EEX_NAME_MAX];
    EEX_TRY(eex_graph_add_linear(g, x, *x, name, features, true));
    snprintf(part, sizeof part, "%.64s.act", name);
    return eex_graph_add_act(g, x, *x, part, EEX_ACT_RELU);
}

/* The input at half its size, as a convolution with stride 2 rounds it: an odd side takes a window
 * of 3. */
static int halve(eex_graph *g, int *out, int x, const char *name)
{
    const eex_node *n = eex_graph_node(g, x);
    const bool even = n->h % 2 == 0 && n->w % 2 == 0;
    return eex_graph_add_max_pool(g, out, x, name, even ? 2 : 3, 2, even ? 0 : 1);
}

/* Hu et al. 2018; linear layers as 1x1 convolutions without bias. */
static int squeeze_excite(eex_graph *g, int *x, const char *name)
{
    const int c = eex_graph_node(g, *x)->c, narrow = c < REDUCTION ? 1 : c / REDUCTION;
    const eex_conv_options down = {.out = narrow, .kernel = 1}, up = {.out = c, .kernel = 1};
    char part[EEX_NAME_MAX];
    int s;
    snprintf(part, sizeof part, "%.64s.pool", name);
    EEX_TRY(eex_graph_add_global_pool(g, &s, *x, part, false));
    snprintf(part, sizeof part, "%.64s.fc1", name);
    EEX_TRY(eex_graph_add_conv(g, &s, s, part, &down));
    snprintf(part, sizeof part, "%.64s.act", name);
    EEX_TRY(eex_graph_add_act(g, &s, s, part, EEX_ACT_RELU));
    snprintf(part, sizeof part, "%.64s.fc2", name);
    EEX_TRY(eex_graph_add_conv(g, &s, s, part, &up));
    snprintf(part, sizeof part, "%.64s.gate", name);
    EEX_TRY(eex_graph_add_act(g, &s, s, part, EEX_ACT_SIGMOID));
    snprintf(part, sizeof part, "%.64s.scale", name);
    return eex_graph_add_scale(g, x, *x, s, part);
}

static int separable_block(eex_graph *g, int *x, int number, int out, bool plain)
{
    char name[EEX_NAME_MAX];
    const int c = eex_graph_node(g, *x)->c;
    const eex_conv_options depthwise = {.out = c, .kernel = 3, .stride = 2, .pad = 1, .groups = c};
    const eex_conv_options pointwise = {.out = out, .kernel = 1};
    int half = 0, y = *x;
    snprintf(name, sizeof name, "block%d", number);
    EEX_TRY(eex_graph_block(g, name));
    snprintf(name, sizeof name, "block%d.pool", number);
    if (!plain)
        EEX_TRY(halve(g, &half, *x, name));
    snprintf(name, sizeof name, "block%d.depthwise", number);
    EEX_TRY(conv_bn_relu(g, &y, name, &depthwise));
    snprintf(name, sizeof name, "block%d.concat", number);
    if (!plain)
        EEX_TRY(eex_graph_add_concat(g, &y, half, y, name));
    snprintf(name, sizeof name, "block%d.se", number);
    if (!plain)
        EEX_TRY(squeeze_excite(g, &y, name));
    snprintf(name, sizeof name, "block%d.pointwise", number);
    *x = y;
    return conv_bn_relu(g, x, name, &pointwise);
}

/* ---- families: *x is the last value in front of the outputs ---- */

static int separable(eex_graph *g, int *x, bool plain)
{
    static const int channels[] = {32, 64, 128};
    const eex_conv_options stem = {.out = STEM, .kernel = 3, .stride = 2, .pad = 1};
    EEX_TRY(eex_graph_block(g, "stem"));
    EEX_TRY(conv_bn_relu(g, x, "stem", &stem));
    for (int i = 0; i < 3; i++)
        EEX_TRY(separable_block(g, x, i + 1, channels[i], plain));
    EEX_TRY(eex_graph_block(g, "classifier"));
    EEX_TRY(eex_graph_add_flatten(g, x, *x, "flatten", true));
    return linear_relu(g, x, "fc1", HIDDEN);
}

static int linear(eex_graph *g, int *x)
{
    EEX_TRY(eex_graph_add_flatten(g, x, *x, "flatten", true));
    return linear_relu(g, x, "fc1", LINEAR_HIDDEN);
}

static int lenet(eex_graph *g, int *x)
{
    static const int channels[] = {6, 16};
    char name[EEX_NAME_MAX];
    for (int i = 0; i < 2; i++) {
        const eex_conv_options o = {.out = channels[i], .kernel = 5, .bias = true};
        snprintf(name, sizeof name, "conv%d", i + 1);
        EEX_TRY(eex_graph_add_conv(g, x, *x, name, &o));
        snprintf(name, sizeof name, "conv%d.act", i + 1);
        EEX_TRY(eex_graph_add_act(g, x, *x, name, EEX_ACT_RELU));
        snprintf(name, sizeof name, "pool%d", i + 1);
        EEX_TRY(eex_graph_add_max_pool(g, x, *x, name, 2, 2, 0));
    }
    EEX_TRY(eex_graph_add_flatten(g, x, *x, "flatten", true));
    EEX_TRY(linear_relu(g, x, "fc1", 120));
    return linear_relu(g, x, "fc2", 84);
}

static int build(eex_graph *g, eex_exit_predictor_family family, int outputs)
{
    int x = 0;
    switch (family) {
    case EEX_PREDICTOR_LINEAR:
        EEX_TRY(linear(g, &x));
        break;
    case EEX_PREDICTOR_LENET:
        EEX_TRY(lenet(g, &x));
        break;
    default:
        EEX_TRY(separable(g, &x, family == EEX_PREDICTOR_PLAIN));
    }
    EEX_TRY(eex_graph_add_linear(g, &x, x, "score", outputs, true));
    return eex_graph_finish(g, x);
}

int eex_exit_predictor_graph(eex_graph **out, eex_exit_predictor_family family, int height,
                             int width, int channels, int gates)
{
    EEX_NEED(out, "place for the graph");
    *out = NULL;
    if ((unsigned)family >= EEX_PREDICTOR_FAMILIES || gates < 1 || gates > EEX_LABEL_BITS)
        return eex_fail(EEX_EINVAL,
                        "an exit predictor of family %d for %d gates: families 0 to %d, 1 to %d "
                        "gates",
                        (int)family, gates, EEX_PREDICTOR_FAMILIES - 1, EEX_LABEL_BITS);
    if (family == EEX_PREDICTOR_LENET && (height < LENET_LEAST || width < LENET_LEAST))
        return eex_fail(EEX_EINVAL,
                        "an exit predictor of family \"lenet\" needs images of %dx%d, these have "
                        "%dx%d: take another family",
                        LENET_LEAST, LENET_LEAST, height, width);
    char name[EEX_NAME_MAX];
    snprintf(name, sizeof name, "predictor_%s", eex_exit_predictor_family_name(family));
    EEX_TRY(eex_graph_new(out, name, height, width, channels));
    const int code = build(*out, family, gates < 2 ? 2 : gates);
    if (code < 0) {
        eex_graph_free(*out);
        *out = NULL;
    }
    return code;
}
