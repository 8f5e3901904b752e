/* The early exit classifier of EDANAS. */
#include "core/graph/graph_impl.h"

#include "base/status.h"

#include <stdio.h>

enum { EXPAND = 6, MIX = 8 /* times the channels of the point */ };

int eex__gate_choose(eex_graph *g, int node, int point, int times, int parts)
{
    const eex_choice *of = eex_graph_choice(g, eex__graph_channels(g, point));
    int values[EEX_GENE_OPTIONS];
    if (!of)
        return EEX_OK;
    const int gene = of->gene;
    for (int o = 0; o < g->genes[gene].options; o++)
        values[o] = (times * of->values[o] + parts - 1) / parts;
    return eex_graph_choose_out(g, node, gene, values);
}

/* "exits.<point>.<what>" */
static int name_of(char out[EEX_NAME_MAX], const char *point, const char *what)
{
    int length = snprintf(out, EEX_NAME_MAX, "exits.%s.%s", point, what);
    if (length >= EEX_NAME_MAX)
        return eex_fail(EEX_EINVAL, "a gate on \"%s\": names of its nodes exceed %d bytes", point,
                        EEX_NAME_MAX - 1);
    return EEX_OK;
}

/* A 1x1 convolution to `times` the point's channels. */
static int wider(eex_graph *g, int *value, int point, const char *prefix, const char *what,
                 int times)
{
    char name[EEX_NAME_MAX];
    eex_conv_options o = {.out = times * g->nodes[point].c, .kernel = 1};
    EEX_TRY(name_of(name, prefix, what));
    EEX_TRY(eex_graph_add_conv(g, value, *value, name, &o));
    return eex__gate_choose(g, *value, point, times, 1);
}

int eex__gate_eec(eex_graph *g, int point, const char *prefix)
{
    char name[EEX_NAME_MAX];
    int value = point;
    EEX_TRY(wider(g, &value, point, prefix, "expand.conv", EXPAND));
    EEX_TRY(name_of(name, prefix, "expand.bn"));
    EEX_TRY(eex_graph_add_batch_norm(g, &value, value, name));
    EEX_TRY(name_of(name, prefix, "expand.act"));
    EEX_TRY(eex_graph_add_act(g, &value, value, name, EEX_ACT_H_SWISH));
    EEX_TRY(name_of(name, prefix, "mean"));
    EEX_TRY(eex_graph_add_global_pool(g, &value, value, name, true));
    EEX_TRY(wider(g, &value, point, prefix, "mix.conv", MIX));
    EEX_TRY(name_of(name, prefix, "mix.act"));
    EEX_TRY(eex_graph_add_act(g, &value, value, name, EEX_ACT_H_SWISH));
    EEX_TRY(name_of(name, prefix, "fc"));
    EEX_TRY(eex_graph_add_linear(g, &value, value, name, g->classes, true));
    g->exits[g->exit_count++] = (eex_exit){.point = point, .blocks = 1, .logits = value};
    g->exit++;
    return EEX_OK;
}
