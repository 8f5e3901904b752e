/* Graphs in files: one array a property of the nodes, one row a node. */
#include "core/graph/graph_store.h"

#include "core/graph/graph_impl.h"
#include "core/graph/graph_store_impl.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of /nodes/shape: what the options of the eex_graph_add functions need; a quantise node's
 * bits are among the outputs. Zero where a kind has no use for it. */
enum { SHAPE_OUT, SHAPE_KERNEL, SHAPE_STRIDE, SHAPE_PAD, SHAPE_GROUPS, SHAPE_BIAS, SHAPES };
static const char shape_columns[] = "outputs, kernel, stride, pad, groups, bias";

enum { NUMBER_DROPOUT, NUMBER_INIT_STD, NUMBER_EPS, NUMBER_MOMENTUM, NUMBERS };
static const char number_columns[] =
    "dropout, init_std of linear nodes, eps and momentum of batch norms";

enum { PLACE_FUNCTIONAL, PLACE_EXIT, PLACES };
static const char place_columns[] = "called as a function, gate it belongs to (-1: trunk)";

enum { EXIT_POINT, EXIT_BLOCKS, EXIT_LOGITS, EXIT_COLUMNS };
static const char exit_columns[] = "node that the gate reads, its blocks (-1: end), node of logits";

typedef struct rows {
    size_t count, exits;
    eex_store_list name, block, kind, act;
    int32_t *inputs; /* (count, 2) */
    int32_t *shape;  /* (count, SHAPES) */
    float *number;   /* (count, NUMBERS) */
    int32_t *place;  /* (count, PLACES) */
    int32_t *exit;   /* (exits, EXIT_COLUMNS) */
    eex__elastic_rows elastic;
} rows;

static void rows_free(rows *r)
{
    eex_store_list_free(&r->name);
    eex_store_list_free(&r->block);
    eex_store_list_free(&r->kind);
    eex_store_list_free(&r->act);
    free(r->inputs);
    free(r->shape);
    free(r->number);
    free(r->place);
    free(r->exit);
    eex__elastic_free(&r->elastic);
}

int eex__graph_path(char out[EEX__GRAPH_PATH], const char *group, const char *name)
{
    int length = snprintf(out, EEX__GRAPH_PATH, "%s/%s", group, name);
    if (length < 0 || length >= EEX__GRAPH_PATH)
        return eex_fail(EEX_EINVAL, "graph: the group's name \"%.60s...\" is too long", group);
    return EEX_OK;
}

/* ---- saving ---- */

static int allocate(rows *r, size_t count, size_t exits)
{
    r->count = count;
    r->exits = exits;
    r->inputs = calloc(2 * count, sizeof *r->inputs);
    r->shape = calloc(SHAPES * count, sizeof *r->shape);
    r->number = calloc(NUMBERS * count, sizeof *r->number);
    r->place = calloc(PLACES * count, sizeof *r->place);
    r->exit = calloc(EXIT_COLUMNS * exits, sizeof *r->exit);
    return r->inputs && r->shape && r->number && r->place && r->exit
               ? EEX_OK
               : eex_fail(EEX_ENOMEM, "graph: out of memory for %zu nodes", count);
}

static void fill_node(rows *r, size_t i, const eex_node *n)
{
    int32_t *shape = r->shape + SHAPES * i;
    float *number = r->number + NUMBERS * i;
    for (int j = 0; j < 2; j++)
        r->inputs[2 * i + (size_t)j] = n->inputs[j];
    shape[SHAPE_OUT] = n->kind == EEX_NODE_QUANTISE ? n->bits : n->window.cout;
    shape[SHAPE_KERNEL] = n->window.kernel;
    shape[SHAPE_STRIDE] = n->window.stride;
    shape[SHAPE_PAD] = n->window.pad;
    shape[SHAPE_GROUPS] = n->window.groups;
    shape[SHAPE_BIAS] = n->bias;
    number[NUMBER_DROPOUT] = n->dropout;
    number[NUMBER_INIT_STD] = n->init_std;
    number[NUMBER_EPS] = n->bn_eps;
    number[NUMBER_MOMENTUM] = n->bn_momentum;
    r->place[PLACES * i + PLACE_FUNCTIONAL] = n->functional;
    r->place[PLACES * i + PLACE_EXIT] = n->exit;
}

typedef const char *(*text_of)(const eex_node *n);

static const char *name_of(const eex_node *n)
{
    return n->name;
}

static const char *block_of(const eex_node *n)
{
    return n->block;
}

static const char *kind_of(const eex_node *n)
{
    return eex_node_kind_name(n->kind);
}

static const char *act_of(const eex_node *n)
{
    return eex_act_name(n->act);
}

static int save_names(const eex_graph *g, eex_store_file *file, const char *group, const char *name,
                      text_of text)
{
    char path[EEX__GRAPH_PATH];
    const char *items[EEX_MAX_NODES];
    for (int i = 0; i < g->node_count; i++)
        items[i] = text(&g->nodes[i]);
    EEX_TRY(eex__graph_path(path, group, name));
    return eex_store_write_strings(file, path, items, (size_t)g->node_count);
}

static int save_texts(const eex_graph *g, eex_store_file *file, const char *group)
{
    EEX_TRY(save_names(g, file, group, "nodes/name", name_of));
    EEX_TRY(save_names(g, file, group, "nodes/block", block_of));
    EEX_TRY(save_names(g, file, group, "nodes/kind", kind_of));
    return save_names(g, file, group, "nodes/act", act_of);
}

static int save_array(eex_store_file *file, const char *group, const char *name,
                      eex_store_type type, size_t count, size_t columns, const char *meaning,
                      const void *data)
{
    char path[EEX__GRAPH_PATH];
    const eex_store_shape shape = {2, {count, columns}};
    EEX_TRY(eex__graph_path(path, group, name));
    EEX_TRY(eex_store_write_packed(file, path, type, &shape, data));
    return eex_store_set_string(file, path, "columns", meaning);
}

static int save_rows(const rows *r, eex_store_file *file, const char *group)
{
    EEX_TRY(save_array(file, group, "nodes/inputs", EEX_STORE_I32, r->count, 2,
                       "nodes that are read, -1: none", r->inputs));
    EEX_TRY(save_array(file, group, "nodes/shape", EEX_STORE_I32, r->count, SHAPES, shape_columns,
                       r->shape));
    EEX_TRY(save_array(file, group, "nodes/number", EEX_STORE_F32, r->count, NUMBERS,
                       number_columns, r->number));
    EEX_TRY(save_array(file, group, "nodes/place", EEX_STORE_I32, r->count, PLACES, place_columns,
                       r->place));
    return save_array(file, group, "exits", EEX_STORE_I32, r->exits, EXIT_COLUMNS, exit_columns,
                      r->exit);
}

static int save_facts(const eex_graph *g, eex_store_file *file, const char *group)
{
    const eex_node *input = &g->nodes[0];
    EEX_TRY(eex_store_make_group(file, group));
    EEX_TRY(eex_store_set_string(file, group, "name", g->name));
    EEX_TRY(eex_store_set_int(file, group, "height", input->h));
    EEX_TRY(eex_store_set_int(file, group, "width", input->w));
    return eex_store_set_int(file, group, "channels", input->c);
}

int eex_graph_save(const eex_graph *g, eex_store_file *file, const char *group)
{
    rows r = {0};
    int code = allocate(&r, (size_t)g->node_count, (size_t)g->exit_count);
    if (code == EEX_OK) {
        for (int i = 0; i < g->node_count; i++)
            fill_node(&r, (size_t)i, &g->nodes[i]);
        for (int k = 0; k < g->exit_count; k++) {
            r.exit[EXIT_COLUMNS * k + EXIT_POINT] = g->exits[k].point;
            r.exit[EXIT_COLUMNS * k + EXIT_BLOCKS] = g->exits[k].blocks;
            r.exit[EXIT_COLUMNS * k + EXIT_LOGITS] = g->exits[k].logits;
        }
        code = save_facts(g, file, group);
    }
    if (code == EEX_OK)
        code = save_texts(g, file, group);
    if (code == EEX_OK)
        code = save_rows(&r, file, group);
    if (code == EEX_OK)
        code = eex__elastic_save(g, file, group);
    rows_free(&r);
    return code;
}

/* ---- reading ---- */

static int read_array(void **out, eex_store_file *file, const char *group, const char *name,
                      eex_store_type type, size_t count, size_t columns)
{
    char path[EEX__GRAPH_PATH];
    eex_store_shape shape = {2, {count, columns}};
    EEX_TRY(eex__graph_path(path, group, name));
    return eex_store_read_new(out, file, path, type, &shape, EEX__GRAPH_TEXT);
}

static int read_strings(eex_store_list *out, eex_store_file *file, const char *group,
                        const char *name)
{
    char path[EEX__GRAPH_PATH];
    EEX_TRY(eex__graph_path(path, group, name));
    return eex_store_read_strings(out, file, path, EEX__GRAPH_TEXT);
}

static int read_names(rows *r, eex_store_file *file, const char *group)
{
    EEX_TRY(read_strings(&r->name, file, group, "nodes/name"));
    EEX_TRY(read_strings(&r->block, file, group, "nodes/block"));
    EEX_TRY(read_strings(&r->kind, file, group, "nodes/kind"));
    EEX_TRY(read_strings(&r->act, file, group, "nodes/act"));
    r->count = r->name.count;
    if (r->count < 2 || r->count > EEX_MAX_NODES || r->block.count != r->count ||
        r->kind.count != r->count || r->act.count != r->count)
        return eex_store_refuse(file,
                                "%s: the nodes have %zu names, %zu blocks, %zu kinds and %zu "
                                "activations, expected as many of each, 2 to %d",
                                group, r->count, r->block.count, r->kind.count, r->act.count,
                                EEX_MAX_NODES);
    return EEX_OK;
}

static int count_exits(rows *r, eex_store_file *file, const char *group)
{
    char path[EEX__GRAPH_PATH];
    eex_store_type type;
    eex_store_shape shape;
    EEX_TRY(eex__graph_path(path, group, "exits"));
    EEX_TRY(eex_store_describe(&type, &shape, file, path));
    if (shape.rank != 2 || shape.extent[0] < 1 || shape.extent[0] > EEX_MAX_EXITS)
        return eex_store_refuse(file, "%s: expected 1 to %d exits", path, EEX_MAX_EXITS);
    r->exits = (size_t)shape.extent[0];
    return EEX_OK;
}

static int read_rows(rows *r, eex_store_file *file, const char *group)
{
    EEX_TRY(read_names(r, file, group));
    EEX_TRY(count_exits(r, file, group));
    EEX_TRY(
        read_array((void **)&r->inputs, file, group, "nodes/inputs", EEX_STORE_I32, r->count, 2));
    EEX_TRY(read_array((void **)&r->shape, file, group, "nodes/shape", EEX_STORE_I32, r->count,
                       SHAPES));
    EEX_TRY(read_array((void **)&r->number, file, group, "nodes/number", EEX_STORE_F32, r->count,
                       NUMBERS));
    EEX_TRY(read_array((void **)&r->place, file, group, "nodes/place", EEX_STORE_I32, r->count,
                       PLACES));
    EEX_TRY(
        read_array((void **)&r->exit, file, group, "exits", EEX_STORE_I32, r->exits, EXIT_COLUMNS));
    return eex__elastic_read(&r->elastic, file, group, r->count);
}

static int parse_kind(eex_node_kind *out, const char *name)
{
    const int kind = eex_name_find(eex_node_kind_names(), name);
    if (kind < 0)
        return eex_fail(EEX_EFORMAT, "no kind of node is called \"%.40s\"", name);
    *out = (eex_node_kind)kind;
    return EEX_OK;
}

/* What a row says of a node. */
static int read_node(eex_node *n, const rows *r, size_t i)
{
    const int32_t *s = r->shape + SHAPES * i, *place = r->place + PLACES * i;
    const float *number = r->number + NUMBERS * i;
    *n = (eex_node){.inputs = {r->inputs[2 * i], r->inputs[2 * i + 1]},
                    .window = {.cout = s[SHAPE_OUT],
                               .kernel = s[SHAPE_KERNEL],
                               .stride = s[SHAPE_STRIDE],
                               .pad = s[SHAPE_PAD],
                               .groups = s[SHAPE_GROUPS]},
                    .bits = s[SHAPE_OUT],
                    .bias = s[SHAPE_BIAS] != 0,
                    .functional = place[PLACE_FUNCTIONAL] != 0,
                    .exit = place[PLACE_EXIT],
                    .dropout = number[NUMBER_DROPOUT],
                    .init_std = number[NUMBER_INIT_STD],
                    .bn_eps = number[NUMBER_EPS],
                    .bn_momentum = number[NUMBER_MOMENTUM]};
    EEX_TRY(eex__graph_name_copy(n->name, r->name.item[i], "node"));
    EEX_TRY(eex__graph_name_copy(n->block, r->block.item[i], "block"));
    EEX_TRY(parse_kind(&n->kind, r->kind.item[i]));
    return n->kind == EEX_NODE_ACT ? eex_act_parse(&n->act, r->act.item[i]) : EEX_OK;
}

static int check_read(const eex_node *n, const rows *r)
{
    if (n->kind == EEX_NODE_BATCH_NORM &&
        !(n->bn_eps > 0 && n->bn_eps < 1 && n->bn_momentum >= 0 && n->bn_momentum <= 1))
        return eex_fail(EEX_EFORMAT, "\"%s\" has eps %g and momentum %g", n->name,
                        (double)n->bn_eps, (double)n->bn_momentum);
    if (n->exit < EEX_TRUNK || n->exit >= (int)r->exits)
        return eex_fail(EEX_EFORMAT, "\"%s\" belongs to gate %d of %zu exits", n->name, n->exit,
                        r->exits);
    return EEX_OK;
}

static int add_nodes(eex_graph *g, const rows *r)
{
    for (size_t i = 1; i < r->count; i++) {
        eex_node n;
        int id = 0;
        EEX_TRY(read_node(&n, r, i));
        EEX_TRY(check_read(&n, r));
        EEX_TRY(eex__elastic_before(g, &r->elastic, i));
        EEX_TRY(eex__graph_add_like(g, &id, &n));
        EEX_TRY(eex__elastic_after(g, id, &r->elastic, i));
    }
    return EEX_OK;
}

/* An exit ends in scores of all classes; exits come in the order of execution. */
static int add_exit(eex_graph *g, const int32_t *row)
{
    int32_t point = row[EXIT_POINT], blocks = row[EXIT_BLOCKS], logits = row[EXIT_LOGITS];
    int32_t before = g->exit_count ? g->exits[g->exit_count - 1].logits : 0;
    if (point < 0 || logits >= g->node_count || point > logits || logits <= before || blocks < -1 ||
        blocks > 63)
        return eex_fail(EEX_EFORMAT, "exit %d reads node %d and ends at node %d with %d blocks",
                        g->exit_count, (int)point, (int)logits, (int)blocks);
    const eex_node *end = &g->nodes[logits];
    if (end->h != 1 || end->w != 1 || end->c < 2 || (g->exit_count && end->c != g->classes))
        return eex_fail(EEX_EFORMAT, "exit %d ends with \"%s\" of %d x %d x %d", g->exit_count,
                        end->name, end->h, end->w, end->c);
    g->classes = end->c;
    g->exits[g->exit_count++] = (eex_exit){.point = point, .blocks = blocks, .logits = logits};
    return EEX_OK;
}

static int build(eex_graph *g, const rows *r)
{
    if (strcmp(r->name.item[0], g->nodes[0].name) != 0 || strcmp(r->kind.item[0], "input") != 0)
        return eex_fail(EEX_EFORMAT, "the first node is a %.40s, not the input", r->kind.item[0]);
    EEX_TRY(eex__elastic_genes(g, &r->elastic));
    EEX_TRY(add_nodes(g, r));
    for (size_t k = 0; k < r->exits; k++)
        EEX_TRY(add_exit(g, r->exit + EXIT_COLUMNS * k));
    EEX_TRY(eex__graph_freeze(g));
    return eex__graph_check(g);
}

/* Whatever it is, but for memory, the file is to blame. */
static int blame(int code, const eex_store_file *file, const char *group)
{
    return code == EEX_OK || code == EEX_ENOMEM
               ? code
               : eex_store_refuse(file, "%s: %s", group, eex_error());
}

static int begin(eex_graph **out, eex_store_file *file, const char *group)
{
    int64_t size[3];
    char *name = NULL;
    static const char *const what[] = {"height", "width", "channels"};
    for (int i = 0; i < 3; i++) {
        EEX_TRY(eex_store_get_int(&size[i], file, group, what[i]));
        if (size[i] < 1 || size[i] > EEX__MAX_CHANNELS)
            return eex_store_refuse(file, "%s: a %s of %lld", group, what[i], (long long)size[i]);
    }
    EEX_TRY(eex_store_get_string(&name, file, group, "name"));
    const int code = eex_graph_new(out, name, (int)size[0], (int)size[1], (int)size[2]);
    free(name);
    return blame(code, file, group);
}

int eex_graph_load(eex_graph **out, eex_store_file *file, const char *group)
{
    rows r = {0};
    eex_graph *g = NULL;
    *out = NULL;
    int code = read_rows(&r, file, group);
    if (code == EEX_OK) {
        code = begin(&g, file, group);
        if (code == EEX_OK)
            code = blame(build(g, &r), file, group);
    }
    rows_free(&r);
    if (code < 0) {
        eex_graph_free(g);
        return code;
    }
    *out = g;
    return EEX_OK;
}
