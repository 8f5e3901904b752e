/* An experiment as text: what tells one run from another. */
#include "core/graph/elastic.h"
#include "core/run/experiment_impl.h"
#include "core/run/fields.h"

#include "base/buffer.h"
#include "base/sha256.h"

EEX_NAMES(eex_start, eex_start, EEX_STARTS, [EEX_START_SCRATCH] = "scratch",
          [EEX_START_BASE] = "base", [EEX_START_SHARED] = "shared");
EEX_NAMES(eex_evaluator, eex_evaluator_kind,
          EEX_EVALUATORS, [EEX_EVALUATE_SHARED] = "shared", [EEX_EVALUATE_TRAIN] = "train");
EEX_NAMES(eex_score, eex_score_kind, EEX_SCORES, [EEX_SCORE_ACCURACY] = "accuracy",
          [EEX_SCORE_EQUATION1] = "equation1", [EEX_SCORE_WEIGHTED] = "weighted",
          [EEX_SCORE_CUT_MACS] = "cut_macs", [EEX_SCORE_CUT_ACCURACY] = "cut_accuracy");
EEX_NAMES(eex_cost_unit, eex_cost_unit,
          EEX_COST_UNITS, [EEX_COST_MACS] = "macs", [EEX_COST_LATENCY] = "latency");

/* What few networks have, so that the text of the others stays what it was. */
static void describe_more(eex_buffer *out, const eex_graph *g)
{
    for (int i = 0; i < eex_graph_genes(g); i++) {
        const eex_gene *gene = eex_graph_gene(g, i);
        eex_buffer_printf(out, "gene %s %s", gene->name, eex_gene_kind_name(gene->kind));
        for (int o = 0; o < gene->options; o++)
            eex_buffer_printf(out, " %g", gene->values[o]);
        eex_buffer_puts(out, i == eex_graph_size_gene(g) ? " of sizes\n" : "\n");
    }
    const eex_choice *c;
    for (int i = 0; (c = eex_graph_choice(g, i)); i++) {
        eex_buffer_printf(out, "choice %d", c->gene);
        for (int o = 0; o < eex_graph_gene(g, c->gene)->options; o++)
            eex_buffer_printf(out, " %d", c->values[o]);
        eex_buffer_putc(out, '\n');
    }
    for (int i = 0; i < eex_graph_nodes(g); i++) {
        const eex_node *n = eex_graph_node(g, i);
        if (n->zero_start || n->gene >= 0 || n->out_choice >= 0 || n->kernel_choice >= 0)
            eex_buffer_printf(out, "node %d %d %d %d %d %d %d\n", i, n->zero_start, n->gene,
                              n->from, n->out_choice, n->kernel_choice, n->transforms);
    }
}

void eex__describe_network(eex_buffer *out, const eex_graph *g)
{
    eex_buffer nodes = EEX_BUFFER_INIT;
    for (int i = 0; i < eex_graph_nodes(g); i++) {
        const eex_node *n = eex_graph_node(g, i);
        const eex_window *w = &n->window;
        eex_buffer_printf(&nodes, "%s %s %d %d %dx%dx%d %d %d %d %d %d %d %d %d %g %g %g %g\n",
                          eex_node_kind_name(n->kind), n->name, n->inputs[0], n->inputs[1], n->h,
                          n->w, n->c, w->cin, w->cout, w->kernel, w->stride, w->pad, w->groups,
                          n->bias, (int)n->act, (double)n->dropout, (double)n->init_std,
                          (double)n->bn_eps, (double)n->bn_momentum);
    }
    describe_more(&nodes, g);
    char digest[EEX_SHA256_HEX];
    const char *text = eex_buffer_text(&nodes);
    eex_sha256_hex(digest, text, nodes.size);
    if (nodes.failed)
        out->failed = true;
    const eex_node *input = eex_graph_node(g, 0);
    eex_buffer_printf(out, " %s for %dx%dx%d, %d classes, %d nodes, %.16s", eex_graph_name(g),
                      input->h, input->w, input->c, eex_graph_classes(g), eex_graph_nodes(g),
                      digest);
    eex_buffer_free(&nodes);
}

void eex__describe_points(eex_buffer *out, const eex_experiment *e)
{
    for (int i = 0; i < e->points.count; i++)
        eex_buffer_printf(out, " %d", e->points.nodes[i]);
    if (e->probe)
        eex_buffer_printf(out, ", the %d best by probe", e->probe_count);
}

int eex_experiment_text(char **out, const eex_experiment *e)
{
    eex_buffer text = EEX_BUFFER_INIT;
    int count;
    const eex_field *fields = eex_fields(&count);
    for (int i = 0; i < count; i++)
        eex_field_describe(&text, &fields[i], e);
    return eex_buffer_take(out, &text);
}
