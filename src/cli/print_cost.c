#include "cli/print_cost.h"

#include "cli/print.h"
#include "cli/print_genes.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/status.h"
#include "base/table.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- numbers ---- */

typedef struct digits {
    char text[32];
} digits;

/* 6124928 as "6,124,928": these are read digit by digit. */
static digits grouped(int64_t value)
{
    char plain[24];
    digits out;
    int length = snprintf(plain, sizeof plain, "%" PRId64, value), at = 0;
    for (int i = 0; i < length; i++) {
        out.text[at++] = plain[i];
        if (plain[i] != '-' && i + 1 < length && (length - i - 1) % 3 == 0)
            out.text[at++] = ',';
    }
    out.text[at] = 0;
    return out;
}

static bool wanted(const eex_cost_report *r, int convention)
{
    return r->only == EEX_CONVENTIONS || (int)r->only == convention;
}

/* The one of tables that have room for one convention. */
static eex_convention single(const eex_cost_report *r)
{
    return r->only == EEX_CONVENTIONS ? EEX_MACS : r->only;
}

/* ---- groups of nodes ---- */

/* Consecutive nodes of one block and exit. */
typedef struct group {
    int first, last, layers;
    int64_t params, cost[EEX_CONVENTIONS];
} group;

static bool same_group(const eex_node *a, const eex_node *b)
{
    return a->exit == b->exit && strcmp(a->block, b->block) == 0;
}

static group group_at(const eex_graph *g, int first)
{
    group out = {.first = first, .last = first};
    const eex_node *head = eex_graph_node(g, first);
    for (int i = first; i < eex_graph_nodes(g); i++) {
        const eex_node *n = eex_graph_node(g, i);
        if (!same_group(head, n))
            break;
        out.last = i;
        out.layers++;
        for (int p = n->first_param; p < n->first_param + n->params; p++) {
            const eex_param *param = eex_graph_param(g, p);
            out.params += param->trainable ? (int64_t)eex_param_count(param) : 0;
        }
        for (int c = 0; c < EEX_CONVENTIONS; c++)
            out.cost[c] += eex_cost_node(g, i, (eex_convention)c);
    }
    return out;
}

static const char *group_name(const eex_graph *g, const group *at)
{
    const eex_node *n = eex_graph_node(g, at->first);
    return *n->block ? n->block : n->name;
}

/* ---- table: layers ---- */

static void layers_columns(eex_table *t, const eex_cost_report *r)
{
    eex_table_column(t, "block", EEX_ALIGN_LEFT, 9);
    eex_table_column(t, "output", EEX_ALIGN_RIGHT, 3);
    eex_table_column(t, "layers", EEX_ALIGN_RIGHT, 1);
    eex_table_column(t, "parameters", EEX_ALIGN_RIGHT, 2);
    for (int c = 0; c < EEX_CONVENTIONS; c++)
        if (wanted(r, c))
            eex_table_column(t, eex_convention_name((eex_convention)c), EEX_ALIGN_RIGHT, 8 - c);
}

static void layers_row(eex_table *t, const eex_cost_report *r, const group *at)
{
    const eex_node *end = eex_graph_node(r->graph, at->last);
    eex_table_row(t);
    if (end->exit == EEX_TRUNK)
        eex_table_cell(t, "%s", group_name(r->graph, at));
    else
        eex_table_cell(t, "  exit %d", end->exit + 1);
    eex_table_cell(t, "%d x %d x %d", end->h, end->w, end->c);
    eex_table_cell(t, "%d", at->layers);
    eex_table_cell(t, "%s", grouped(at->params).text);
    for (int c = 0; c < EEX_CONVENTIONS; c++)
        if (wanted(r, c))
            eex_table_cell(t, "%s", grouped(at->cost[c]).text);
}

static void layers_total(eex_table *t, const eex_cost_report *r)
{
    eex_table_rule(t);
    eex_table_row(t);
    eex_table_cell(t, "total");
    eex_table_cell(t, " ");
    eex_table_cell(t, "%d", eex_graph_layers(r->graph));
    eex_table_cell(t, "%s", grouped(eex_graph_param_total(r->graph)).text);
    for (int c = 0; c < EEX_CONVENTIONS; c++)
        if (wanted(r, c))
            eex_table_cell(t, "%s", grouped(eex_cost_total(r->graph, (eex_convention)c)).text);
}

static int layers_table(eex_buffer *out, const eex_cost_report *r)
{
    eex_table *t = NULL;
    const eex_node *in = eex_graph_node(r->graph, 0);
    if (r->title)
        eex_buffer_printf(out, "%s: ", r->title);
    if (r->genome)
        eex_buffer_printf(out, "genome %s\n", r->genome);
    eex_buffer_printf(out, "%s: images of %d x %d x %d, %d class%s\n\n", eex_graph_name(r->graph),
                      in->h, in->w, in->c, eex_graph_classes(r->graph),
                      eex_graph_classes(r->graph) == 1 ? "" : "es");
    EEX_TRY(eex_table_new(&t));
    layers_columns(t, r);
    for (int i = 1; i < eex_graph_nodes(r->graph);) {
        group at = group_at(r->graph, i);
        layers_row(t, r, &at);
        i = at.last + 1;
    }
    layers_total(t, r);
    return eex__put_table(out, t);
}

/* ---- table: exits ---- */

static int exits_table(eex_buffer *out, const eex_cost_report *r)
{
    eex_table *t = NULL;
    const eex_graph *g = r->graph;
    eex_convention c = single(r);
    if (eex_graph_exits(g) < 2)
        return EEX_OK;
    eex_buffer_printf(out, "\nexits, in %s: the trunk so far, the gate, and all that has run\n\n",
                      eex_convention_name(c));
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "exit", EEX_ALIGN_RIGHT, 9);
    eex_table_column(t, "after", EEX_ALIGN_LEFT, 8);
    eex_table_column(t, "blocks", EEX_ALIGN_RIGHT, 7);
    eex_table_column(t, "trunk", EEX_ALIGN_RIGHT, 5);
    eex_table_column(t, "gate", EEX_ALIGN_RIGHT, 5);
    eex_table_column(t, "cumulative", EEX_ALIGN_RIGHT, 6);
    for (int k = 0; k < eex_graph_exits(g); k++) {
        const eex_exit *e = eex_graph_exit(g, k);
        eex_table_row(t);
        eex_table_cell(t, "%d", k + 1);
        eex_table_cell(t, "%s", eex__exit_node(g, k));
        if (e->blocks < 0)
            eex_table_cell(t, "end");
        else
            eex_table_cell(t, "%d", e->blocks);
        eex_table_cell(t, "%s", grouped(eex_cost_trunk(g, e->point, c)).text);
        eex_table_cell(t, "%s", grouped(eex_cost_gate(g, k, c)).text);
        eex_table_cell(t, "%s", grouped(eex_cost_cumulative(g, k, c)).text);
    }
    return eex__put_table(out, t);
}

/* ---- candidate points ---- */

/* The i-th number of blocks that a gate on the p-th point may have. */
static int blocks_at(const eex_cost_report *r, int p, int i)
{
    return r->each ? r->each[p] : r->blocks[i];
}

/* What a gate on the p-th point costs for each number of blocks. */
static int gate_costs(int64_t out[EEX_COST_CHOICES], const eex_cost_report *r, int p)
{
    eex_graph *gated = NULL;
    eex_gate gate = {
        .point = r->salient.nodes[p], .nested = true, .family = r->family, .channels = r->channels};
    for (int i = 0; i < r->choices; i++) {
        gate.blocks = blocks_at(r, p, i);
        gate.heads |= UINT64_C(1) << gate.blocks;
    }
    EEX_TRY(eex_graph_with_gates(&gated, r->graph, &gate, 1, r->act));
    for (int i = 0; i < r->choices; i++)
        out[i] = eex_cost_gate(gated, i, single(r));
    eex_graph_free(gated);
    return EEX_OK;
}

static int points_row(eex_table *t, const eex_cost_report *r, int p)
{
    int64_t costs[EEX_COST_CHOICES];
    const int point = r->salient.nodes[p];
    const eex_node *n = eex_graph_node(r->graph, point);
    EEX_TRY(gate_costs(costs, r, p));
    eex_table_row(t);
    eex_table_cell(t, "%s", n->name);
    eex_table_cell(t, "%d x %d x %d", n->h, n->w, n->c);
    eex_table_cell(t, "%s", grouped(eex_cost_trunk(r->graph, point, single(r))).text);
    for (int i = 0; i < r->choices; i++)
        eex_table_cell(t, "%s", grouped(costs[i]).text);
    if (r->each)
        eex_table_cell(t, "%d", r->each[p]);
    return EEX_OK;
}

/* log2 of how many structures there are: of a gate that must be there only the blocks differ. */
static double structures_log2(const eex_cost_report *r, int points)
{
    return eex_space_log2(points, r->choices - r->required);
}

static void space_lines(eex_buffer *out, const eex_cost_report *r)
{
    int layers = eex_graph_layers(r->graph), points = r->salient.count;
    eex_buffer_printf(out, "\n|N| = %d layer%s; %d salient point%s\n", layers, eex_plural(layers),
                      points, eex_plural(points));
    if (r->probe && r->probe_count > 0)
        eex_buffer_printf(out, "a run ranks them by a probe and keeps %d\n", r->probe_count);
    else if (r->probe)
        eex_buffer_puts(out, "a run ranks them by a probe and keeps floor(log2 |N|)\n");
    if (r->required) {
        eex_buffer_printf(out, "each has a gate, of %d block count%s to choose from: 2^%.1f\n",
                          r->choices, eex_plural(r->choices), structures_log2(r, points));
        return;
    }
    eex_buffer_printf(out, "placements: 2^%d without saliency, 2^%d with it\n", layers, points);
    eex_buffer_printf(out, "with %d block count%s a gate: 2^%.1f without, 2^%.1f with\n",
                      r->choices, eex_plural(r->choices), structures_log2(r, layers),
                      structures_log2(r, points));
}

static int points_table(eex_buffer *out, const eex_cost_report *r)
{
    char title[32];
    eex_table *t = NULL;
    eex_buffer_printf(out, "\nsalient points, in %s: the trunk so far and gates of k blocks\n\n",
                      eex_convention_name(single(r)));
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "after", EEX_ALIGN_LEFT, 20);
    eex_table_column(t, "shape", EEX_ALIGN_RIGHT, 1);
    eex_table_column(t, "trunk", EEX_ALIGN_RIGHT, 19);
    for (int i = 0; i < r->choices && !r->each; i++) {
        snprintf(title, sizeof title, "k = %d", r->blocks[i]);
        eex_table_column(t, title, EEX_ALIGN_RIGHT, 18 - i);
    }
    if (r->each) {
        eex_table_column(t, "gate", EEX_ALIGN_RIGHT, 18);
        eex_table_column(t, "k", EEX_ALIGN_RIGHT, 17);
    }
    int code = EEX_OK;
    for (int i = 0; i < r->salient.count && code == EEX_OK; i++)
        code = points_row(t, r, i);
    if (code < 0) {
        eex_table_free(t);
        return code;
    }
    EEX_TRY(eex__put_table(out, t));
    space_lines(out, r);
    return EEX_OK;
}

/* ---- JSON ---- */

static void costs_json(eex_json *j, const eex_cost_report *r, const int64_t *cost)
{
    eex_json_object(j, "cost");
    for (int c = 0; c < EEX_CONVENTIONS; c++)
        if (wanted(r, c))
            eex_json_int(j, eex_convention_name((eex_convention)c), cost[c]);
    eex_json_end(j);
}

static void shape_json(eex_json *j, const eex_node *n)
{
    eex_json_array(j, "shape");
    eex_json_int(j, NULL, n->h);
    eex_json_int(j, NULL, n->w);
    eex_json_int(j, NULL, n->c);
    eex_json_end(j);
}

static void blocks_json(eex_json *j, const eex_cost_report *r)
{
    eex_json_array(j, "blocks");
    for (int i = 1; i < eex_graph_nodes(r->graph);) {
        group at = group_at(r->graph, i);
        const eex_node *end = eex_graph_node(r->graph, at.last);
        eex_json_object(j, NULL);
        eex_json_string(j, "block", group_name(r->graph, &at));
        if (end->exit != EEX_TRUNK)
            eex_json_int(j, "exit", end->exit);
        shape_json(j, end);
        eex_json_int(j, "layers", at.layers);
        eex_json_int(j, "parameters", at.params);
        costs_json(j, r, at.cost);
        eex_json_end(j);
        i = at.last + 1;
    }
    eex_json_end(j);
}

static void exits_json(eex_json *j, const eex_cost_report *r)
{
    const eex_graph *g = r->graph;
    eex_convention c = single(r);
    eex_json_string(j, "convention", eex_convention_name(c));
    eex_json_array(j, "exits");
    for (int k = 0; k < eex_graph_exits(g); k++) {
        const eex_exit *e = eex_graph_exit(g, k);
        eex_json_object(j, NULL);
        eex_json_string(j, "node", eex__exit_node(g, k));
        if (e->blocks < 0)
            eex_json_null(j, "blocks");
        else
            eex_json_int(j, "blocks", e->blocks);
        eex_json_int(j, "trunk", eex_cost_trunk(g, e->point, c));
        eex_json_int(j, "gate", eex_cost_gate(g, k, c));
        eex_json_int(j, "cumulative", eex_cost_cumulative(g, k, c));
        eex_json_end(j);
    }
    eex_json_end(j);
}

static int point_json(eex_json *j, const eex_cost_report *r, int p)
{
    int64_t costs[EEX_COST_CHOICES];
    const int point = r->salient.nodes[p];
    EEX_TRY(gate_costs(costs, r, p));
    eex_json_object(j, NULL);
    eex_json_string(j, "node", eex_graph_node(r->graph, point)->name);
    shape_json(j, eex_graph_node(r->graph, point));
    eex_json_int(j, "trunk", eex_cost_trunk(r->graph, point, single(r)));
    eex_json_array(j, "gates");
    for (int i = 0; i < r->choices; i++) {
        eex_json_object(j, NULL);
        eex_json_int(j, "blocks", blocks_at(r, p, i));
        eex_json_int(j, "cost", costs[i]);
        eex_json_end(j);
    }
    eex_json_end(j);
    eex_json_end(j);
    return EEX_OK;
}

static int points_json(eex_json *j, const eex_cost_report *r)
{
    int layers = eex_graph_layers(r->graph), points = r->salient.count;
    eex_json_array(j, "points");
    for (int i = 0; i < points; i++)
        EEX_TRY(point_json(j, r, i));
    eex_json_end(j);
    eex_json_bool(j, "ranked_by_probe", r->probe);
    eex_json_object(j, "space_log2");
    eex_json_int(j, "placements_without_saliency", layers);
    eex_json_int(j, "placements_with_saliency", r->required ? 0 : points);
    eex_json_double(j, "structures_without_saliency", structures_log2(r, layers));
    eex_json_double(j, "structures_with_saliency", structures_log2(r, points));
    eex_json_end(j);
    return EEX_OK;
}

static int report_json(eex_json *j, const eex_cost_report *r)
{
    int64_t total[EEX_CONVENTIONS];
    for (int c = 0; c < EEX_CONVENTIONS; c++)
        total[c] = eex_cost_total(r->graph, (eex_convention)c);
    eex_json_object(j, r->title);
    eex_json_string(j, "name", eex_graph_name(r->graph));
    if (r->genome)
        eex_json_string(j, "genome", r->genome);
    shape_json(j, eex_graph_node(r->graph, 0));
    eex_json_int(j, "classes", eex_graph_classes(r->graph));
    eex_json_int(j, "layers", eex_graph_layers(r->graph));
    eex_json_int(j, "parameters", eex_graph_param_total(r->graph));
    costs_json(j, r, total);
    blocks_json(j, r);
    exits_json(j, r);
    eex__genes_json(j, r->graph);
    if (r->points)
        EEX_TRY(points_json(j, r));
    eex_json_end(j);
    return EEX_OK;
}

static int reports_json(eex_buffer *out, const eex_cost_report *reports, int count)
{
    eex_json json = EEX_JSON_INIT(out);
    if (reports->title)
        eex_json_object(&json, NULL);
    for (int i = 0; i < count; i++)
        EEX_TRY(report_json(&json, &reports[i]));
    if (reports->title)
        eex_json_end(&json);
    eex_buffer_putc(out, '\n');
    return EEX_OK;
}

/* ---- all of it ---- */

static int report_tables(eex_buffer *out, const eex_cost_report *r)
{
    EEX_TRY(layers_table(out, r));
    EEX_TRY(exits_table(out, r));
    EEX_TRY(eex__genes_table(out, r->graph));
    return r->points ? points_table(out, r) : EEX_OK;
}

int eex_print_costs(const eex_cost_report *reports, int count, bool json)
{
    eex_buffer text = EEX_BUFFER_INIT;
    int code = json ? reports_json(&text, reports, count) : EEX_OK;
    for (int i = 0; i < count && !json && code == EEX_OK; i++) {
        eex_buffer_puts(&text, i ? "\n" : "");
        code = report_tables(&text, &reports[i]);
    }
    return json ? eex__print_text(&text, code) : eex__print_report(&text, code);
}
