/* A graph as a script that builds it. */
#include "core/exchange/start.h"

#include "base/status.h"

static void put_conv(eex_buffer *out, const eex_node *n)
{
    const eex_window *w = &n->window;
    eex_buffer_printf(out, "{ out = %d, kernel = %d", w->cout, w->kernel);
    if (w->stride != 1)
        eex_buffer_printf(out, ", stride = %d", w->stride);
    if (w->pad != 0)
        eex_buffer_printf(out, ", pad = %d", w->pad);
    if (w->groups != 1)
        eex_buffer_printf(out, ", groups = %d", w->groups);
    eex_buffer_puts(out, n->bias ? ", bias = true }" : " }");
}

/* What follows the inputs and the name of a node. */
static void put_options(eex_buffer *out, const eex_node *n)
{
    switch (n->kind) {
    case EEX_NODE_CONV:
        eex_buffer_puts(out, ", ");
        put_conv(out, n);
        break;
    case EEX_NODE_ACT:
        eex_buffer_printf(out, ", \"%s\"", eex_act_name(n->act));
        break;
    case EEX_NODE_MAX_POOL:
        eex_buffer_printf(out, ", { kernel = %d, stride = %d, pad = %d }", n->window.kernel,
                          n->window.stride, n->window.pad);
        break;
    case EEX_NODE_DROPOUT:
        eex_buffer_printf(out, ", %g", (double)n->dropout);
        break;
    case EEX_NODE_LINEAR:
        eex_buffer_printf(out, ", { out = %d%s }", n->c, n->bias ? "" : ", bias = false");
        break;
    default:
        break;
    }
}

static void put_node(eex_buffer *out, const eex_graph *graph, int i)
{
    const eex_node *n = eex_graph_node(graph, i);
    eex_buffer_printf(out, "  v[%d] = g:%s(v[%d], ", i, eex_node_kind_name(n->kind), n->inputs[0]);
    if (n->inputs[1] >= 0)
        eex_buffer_printf(out, "v[%d], ", n->inputs[1]);
    eex_buffer_printf(out, "\"%s\"", n->name);
    put_options(out, n);
    eex_buffer_puts(out, ")\n");
}

int eex_start_script(eex_buffer *out, const eex_graph *graph, const char *dataset,
                     const char *origin)
{
    EEX_NEED(out, "place for the script");
    EEX_NEED(graph, "graph");
    EEX_NEED(dataset, "name of a data set");
    EEX_NEED(origin, "origin");
    const eex_node *in = eex_graph_node(graph, 0);
    const int nodes = eex_graph_nodes(graph);
    eex_buffer_printf(out,
                      "-- The network of %s: a backbone that eex puts exits on.\n"
                      "local eex = require \"eex\"\n\n"
                      "local function backbone()\n"
                      "  local g = eex.graph { name = \"%s\", height = %d, width = %d, "
                      "channels = %d }\n"
                      "  local v = { [0] = g:input() }\n",
                      origin, eex_graph_name(graph), in->h, in->w, in->c);
    for (int i = 1; i < nodes; i++)
        put_node(out, graph, i);
    eex_buffer_printf(out,
                      "  return g:finish(v[%d])\n"
                      "end\n\n"
                      "return {\n"
                      "  name = \"%s\",\n"
                      "  dataset = { name = \"%s\" },\n"
                      "  backbone = backbone(),\n"
                      "}\n",
                      eex_graph_exit(graph, eex_graph_exits(graph) - 1)->logits,
                      eex_graph_name(graph), dataset);
    return eex_buffer_status(out);
}
