/* Gates whose blocks are numbered: what a block is, and what lies between the last one and the
 * classifier, is the family's. */
#include "core/graph/graph_impl.h"

#include "base/status.h"

#include <stdio.h>

EEX_NAMES(eex_gate_family, eex_gate_family, EEX_GATE_FAMILIES, [EEX_GATE_BLOCKS] = "blocks",
          [EEX_GATE_EEC] = "eec", [EEX_GATE_POOLED] = "pooled", [EEX_GATE_STRIDED] = "strided",
          [EEX_GATE_RESIDUAL] = "residual", [EEX_GATE_LINEAR] = "linear");

/* A gate in the making. */
typedef struct site {
    eex_graph *g;
    int point;
    const char *name; /* of the point */
    const eex_gate *gate;
    eex_act act;
} site;

/* "exits.<point>.<what><number><tail>" */
static int name_of(char out[EEX_NAME_MAX], const site *s, const char *what, int number,
                   const char *tail)
{
    int length = snprintf(out, EEX_NAME_MAX, "exits.%s.%s%d%s", s->name, what, number, tail);
    if (length >= EEX_NAME_MAX)
        return eex_fail(EEX_EINVAL, "a gate on \"%s\": names of its nodes exceed %d bytes", s->name,
                        EEX_NAME_MAX - 1);
    return EEX_OK;
}

/* ---- layers of block j ---- */

static int conv(const site *s, int *value, int j, const char *tail, const eex_conv_options *o)
{
    char name[EEX_NAME_MAX];
    EEX_TRY(name_of(name, s, "block", j, tail));
    return eex_graph_add_conv(s->g, value, *value, name, o);
}

static int batch_norm(const site *s, int *value, int j, const char *tail)
{
    char name[EEX_NAME_MAX];
    EEX_TRY(name_of(name, s, "block", j, tail));
    return eex_graph_add_batch_norm(s->g, value, *value, name);
}

static int act(const site *s, int *value, int j, const char *tail)
{
    char name[EEX_NAME_MAX];
    EEX_TRY(name_of(name, s, "block", j, tail));
    return eex_graph_add_act(s->g, value, *value, name, s->act);
}

/* A convolution to 1 / `parts` of the point's channels, and its batch norm. */
static int conv_bn(const site *s, int *value, int j, const char *number, int parts, int stride)
{
    char tail[16];
    const int out = (s->g->nodes[s->point].c + parts - 1) / parts;
    const eex_conv_options o = {.out = out, .kernel = 3, .stride = stride, .pad = 1};
    snprintf(tail, sizeof tail, ".conv%s", number);
    EEX_TRY(conv(s, value, j, tail, &o));
    EEX_TRY(eex__gate_choose(s->g, *value, s->point, 1, parts));
    snprintf(tail, sizeof tail, ".bn%s", number);
    return batch_norm(s, value, j, tail);
}

/* ---- blocks ---- */

static int plain_block(const site *s, int *value, int j)
{
    EEX_TRY(conv_bn(s, value, j, "", 1, 1));
    return act(s, value, j, ".act");
}

static int channels_of(const site *s)
{
    return s->gate->channels ? s->gate->channels : EEX_GATE_CHANNELS;
}

static int pooled_block(const site *s, int *value, int j)
{
    const eex_conv_options o = {.out = channels_of(s), .kernel = 3, .pad = 1, .bias = true};
    EEX_TRY(conv(s, value, j, ".conv", &o));
    return act(s, value, j, ".act");
}

static int strided_block(const site *s, int *value, int j)
{
    EEX_TRY(conv_bn(s, value, j, "", j == 1 ? 1 : 2, j == 1 ? 2 : 1));
    return act(s, value, j, ".act");
}

/* Dong et al. call a function behind the sum. */
static int residual_block(const site *s, int *value, int j)
{
    char name[EEX_NAME_MAX];
    const int first = *value;
    EEX_TRY(conv_bn(s, value, j, "1", 1, 1));
    EEX_TRY(act(s, value, j, ".act1"));
    EEX_TRY(conv_bn(s, value, j, "2", 1, 1));
    EEX_TRY(name_of(name, s, "block", j, ".add"));
    EEX_TRY(eex_graph_add_add(s->g, value, *value, first, name));
    EEX_TRY(act(s, value, j, ".act2"));
    return eex_graph_functional(s->g, *value);
}

static int linear_block(const site *s, int *value, int j)
{
    char name[EEX_NAME_MAX];
    EEX_TRY(name_of(name, s, "block", j, ".flatten"));
    if (j == 1)
        EEX_TRY(eex_graph_add_flatten(s->g, value, *value, name, false));
    EEX_TRY(name_of(name, s, "block", j, ".fc"));
    EEX_TRY(eex_graph_add_linear(s->g, value, *value, name, channels_of(s), true));
    return act(s, value, j, ".act");
}

/* ---- in front of the classifier ---- */

static int global_pool(eex_graph *g, int *value, const char *name)
{
    return eex_graph_add_global_pool(g, value, *value, name, false);
}

static int max_pool(eex_graph *g, int *value, const char *name)
{
    return eex_graph_add_max_pool(g, value, *value, name, 2, 2, 0);
}

static const struct {
    int (*block)(const site *s, int *value, int j);
    int (*pool)(eex_graph *g, int *value, const char *name); /* NULL: all pixels as they are */
} families[] = {
    [EEX_GATE_BLOCKS] = {plain_block, global_pool},
    [EEX_GATE_EEC] = {NULL, NULL}, /* has no numbers */
    [EEX_GATE_POOLED] = {pooled_block, max_pool},
    [EEX_GATE_STRIDED] = {strided_block, NULL},
    [EEX_GATE_RESIDUAL] = {residual_block, max_pool},
    [EEX_GATE_LINEAR] = {linear_block, NULL},
};
_Static_assert(sizeof families / sizeof *families == EEX_GATE_FAMILIES, "a row a family");

/* The classifier after j blocks, which makes an exit. */
static int head(const site *s, int value, int j)
{
    eex_graph *g = s->g;
    char name[EEX_NAME_MAX];
    if (families[s->gate->family].pool) {
        EEX_TRY(name_of(name, s, "pool", j, ""));
        EEX_TRY(families[s->gate->family].pool(g, &value, name));
    }
    EEX_TRY(name_of(name, s, "flatten", j, ""));
    EEX_TRY(eex_graph_add_flatten(g, &value, value, name, false));
    EEX_TRY(name_of(name, s, "fc", j, ""));
    EEX_TRY(eex_graph_add_linear(g, &value, value, name, g->classes, true));
    g->exits[g->exit_count++] = (eex_exit){.point = s->point, .blocks = j, .logits = value};
    g->exit++;
    return EEX_OK;
}

bool eex__gate_has_head(const eex_gate *gate, int j)
{
    return j == gate->blocks || (gate->nested && gate->heads >> j & 1);
}

/* A block belongs to the first exit that needs it: the next one to be made. */
int eex__gate_blocks(eex_graph *g, int point, const char *prefix, const eex_gate *gate, eex_act act)
{
    const site s = {g, point, prefix, gate, act};
    int value = point;
    for (int j = 0; j <= gate->blocks; j++) {
        if (j > 0)
            EEX_TRY(families[gate->family].block(&s, &value, j));
        if (eex__gate_has_head(gate, j))
            EEX_TRY(head(&s, value, j));
    }
    return EEX_OK;
}
