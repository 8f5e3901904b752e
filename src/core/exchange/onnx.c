/* Whole ONNX files: the model around the graph, what it gives, and branches behind exits. */
#include "core/exchange/onnx_impl.h"

#include "base/json.h"
#include "base/status.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ModelProto, OperatorSetIdProto, StringStringEntryProto, and the If's attributes. */
enum { MODEL_IR = 1, MODEL_PRODUCER = 2, MODEL_PRODUCER_VERSION = 3, MODEL_OPERATORS = 8 };
enum { MODEL_METADATA = 14, OPERATORS_VERSION = 2, ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_GRAPH = 6, ATTRIBUTE_TYPE = 20, TYPE_GRAPH = 5 };
enum { IR_VERSION = 7, OPERATORS = 13 };

/* ---- what comes out ---- */

static const struct result {
    const char *name;
    eex__onnx_type type;
    bool classes; /* (N, classes), not (N) */
} results[] = {{"class", EEX__ONNX_INT64, false},
               {"confidence", EEX__ONNX_FLOAT, false},
               {"logits", EEX__ONNX_FLOAT, true},
               {"accepted", EEX__ONNX_BOOL, false},
               {"exit", EEX__ONNX_INT64, false}};
enum { RESULTS = sizeof results / sizeof *results, WITHOUT_DECISION = 3 };

static int classes_of(const eex__onnx *o)
{
    return eex_graph_classes(o->layers->model->graph);
}

static void declare(eex__onnx *o, const struct result *r, const char *name, int64_t batch)
{
    const int64_t shape[2] = {batch, classes_of(o)};
    eex__onnx_value(o, EEX__GRAPH_OUTPUT, name, r->type, shape, r->classes ? 2 : 1);
}

/* The exit's logits under the name that its scores are made from. */
static void put_logits(eex__onnx *o, int k)
{
    eex__onnx_name name;
    const char *flat = eex__onnx_as_flat(o, eex__layers_logits(o->layers, k));
    eex__onnx_node(o, "Identity", eex__onnx_at(name, k, "logits"), flat, NULL, NULL);
}

/* ---- every exit, whoever decides ---- */

/* "class_2"; without a number for 0. */
static void number(eex__onnx_name out, const char *name, int exit)
{
    if (exit)
        snprintf(out, EEX__ONNX_NAME, "%s_%d", name, exit);
    else
        snprintf(out, EEX__ONNX_NAME, "%s", name);
}

static int put_exits(eex__onnx *o)
{
    const int exits = eex_graph_exits(o->layers->model->graph);
    eex__onnx_name from, to;
    for (int k = 0; k < exits; k++) {
        EEX_TRY(eex__onnx_segment(o, k));
        put_logits(o, k);
        eex__onnx_scores(o, k);
        for (int r = 0; r < WITHOUT_DECISION; r++) {
            number(to, results[r].name, exits > 1 ? k + 1 : 0);
            eex__onnx_node(o, "Identity", to, eex__onnx_at(from, k, results[r].name), NULL, NULL);
            declare(o, &results[r], to, -1);
        }
    }
    return EEX_OK;
}

/* ---- one image that leaves ---- */

/* What is open behind an exit: the If, its attribute and the branch in it. */
typedef struct branch {
    size_t node, attribute, graph;
} branch;

/* Name of a result as the graph behind exit k - 1 gives it: the whole graph's own for k = 0. */
static const char *result_name(eex__onnx_name out, int k, const char *result)
{
    if (k == 0)
        snprintf(out, EEX__ONNX_NAME, "%s", result);
    else
        snprintf(out, EEX__ONNX_NAME, "/behind%d/%s", k, result);
    return out;
}

static void open_branch(branch *b, eex__onnx *o, const char *name)
{
    b->attribute = eex__proto_open(o->out, NODE_ATTRIBUTE);
    eex__proto_text(o->out, ATTRIBUTE_NAME, name);
    eex__proto_int(o->out, ATTRIBUTE_TYPE, TYPE_GRAPH);
    b->graph = eex__proto_open(o->out, ATTRIBUTE_GRAPH);
    eex__proto_text(o->out, EEX__GRAPH_NAME, name);
}

static void close_branch(const branch *b, eex__onnx *o)
{
    eex__proto_close(o->out, b->graph);
    eex__proto_close(o->out, b->attribute);
}

/* Exit k's own results, as those of the branch of who leaves there. */
static void give_left(eex__onnx *o, int k)
{
    eex__onnx_name from, to;
    for (int r = 0; r < RESULTS; r++) {
        snprintf(to, sizeof to, "/left%d/%s", k + 1, results[r].name);
        eex__onnx_node(o, "Identity", to, eex__onnx_at(from, k, results[r].name), NULL, NULL);
        declare(o, &results[r], to, 1);
    }
}

/* The If of exit k, whose results are those of the graph that it stands in; its else branch stays
 * open. */
static void open_if(branch *b, eex__onnx *o, int k)
{
    eex__onnx_name name;
    branch then;
    b->node = eex__proto_open(o->out, EEX__GRAPH_NODE);
    eex__proto_text(o->out, NODE_INPUT, eex__onnx_at(name, k, "leaves"));
    for (int r = 0; r < RESULTS; r++)
        eex__proto_text(o->out, NODE_OUTPUT, result_name(name, k, results[r].name));
    eex__proto_text(o->out, NODE_NAME, eex__onnx_at(name, k, "if"));
    eex__proto_text(o->out, NODE_OP, "If");
    open_branch(&then, o, "then_branch");
    give_left(o, k);
    close_branch(&then, o);
    open_branch(b, o, "else_branch");
}

static void close_if(const branch *b, eex__onnx *o, int k)
{
    eex__onnx_name name;
    for (int r = 0; r < RESULTS; r++)
        declare(o, &results[r], result_name(name, k + 1, results[r].name), 1);
    close_branch(b, o);
    eex__proto_close(o->out, b->node);
}

static int put_exit(eex__onnx *o, int k)
{
    const int64_t number[1] = {k + 1};
    eex__onnx_name name;
    EEX_TRY(eex__onnx_segment(o, k));
    put_logits(o, k);
    eex__onnx_scores(o, k);
    eex__onnx_decision(o, k);
    eex__onnx_int64s(o, eex__onnx_at(name, k, "exit"), number, 1);
    return EEX_OK;
}

/* The results of the last exit, as those of the graph that it stands in. */
static void give_last(eex__onnx *o, int k)
{
    eex__onnx_name from, to;
    for (int r = 0; r < RESULTS; r++)
        eex__onnx_node(o, "Identity", result_name(to, k, results[r].name),
                       eex__onnx_at(from, k, results[r].name), NULL, NULL);
}

static int put_decisions(eex__onnx *o)
{
    const int last = eex_graph_exits(o->layers->model->graph) - 1;
    branch behind[EEX_MAX_EXITS];
    for (int k = 0; k <= last; k++) {
        EEX_TRY(put_exit(o, k));
        if (k < last)
            open_if(&behind[k], o, k);
    }
    give_last(o, last);
    for (int k = last - 1; k >= 0; k--)
        close_if(&behind[k], o, k);
    for (int r = 0; r < RESULTS; r++)
        declare(o, &results[r], results[r].name, 1);
    return EEX_OK;
}

/* ---- the file ---- */

static void put_metadata(eex_buffer *out, const char *key, const char *value)
{
    const size_t entry = eex__proto_open(out, MODEL_METADATA);
    eex__proto_text(out, ENTRY_KEY, key);
    eex__proto_text(out, ENTRY_VALUE, value);
    eex__proto_close(out, entry);
}

static int put_classes(eex_buffer *out, const eex_input *input)
{
    eex_buffer names = EEX_BUFFER_INIT;
    eex_json j = EEX_JSON_INIT(&names);
    j.compact = true;
    eex_json_array(&j, NULL);
    for (size_t i = 0; i < input->classes.count; i++)
        eex_json_string(&j, NULL, input->classes.item[i]);
    eex_json_end(&j);
    put_metadata(out, "classes", eex_buffer_text(&names));
    const int code = eex_buffer_status(&names);
    eex_buffer_free(&names);
    return code;
}

static int put_graph(eex__onnx *o, eex_onnx_form form)
{
    const eex_input *in = &o->layers->model->input;
    const int64_t shape[4] = {form == EEX_ONNX_DECIDES ? 1 : -1, in->height, in->width,
                              in->channels};
    const size_t graph = eex__proto_open(o->out, EEX__MODEL_GRAPH);
    eex__proto_text(o->out, EEX__GRAPH_NAME, eex_graph_name(o->layers->model->graph));
    eex__onnx_value(o, EEX__GRAPH_INPUT, "image", EEX__ONNX_UINT8, shape, 4);
    int code = eex__onnx_image(o);
    if (code == EEX_OK)
        code = form == EEX_ONNX_DECIDES ? put_decisions(o) : put_exits(o);
    eex_buffer_append(o->out, o->initializers.data, o->initializers.size);
    eex__proto_close(o->out, graph);
    return code == EEX_OK ? eex_buffer_status(&o->initializers) : code;
}

static int put_model(eex__onnx *o, eex_onnx_form form)
{
    eex__proto_int(o->out, MODEL_IR, IR_VERSION);
    eex__proto_text(o->out, MODEL_PRODUCER, "eex");
    eex__proto_text(o->out, MODEL_PRODUCER_VERSION, EEX_VERSION);
    const size_t operators = eex__proto_open(o->out, MODEL_OPERATORS);
    eex__proto_int(o->out, OPERATORS_VERSION, OPERATORS);
    eex__proto_close(o->out, operators);
    EEX_TRY(put_classes(o->out, &o->layers->model->input));
    EEX_TRY(put_graph(o, form));
    EEX_TRY(eex_buffer_status(o->out));
    if (o->out->size > INT_MAX)
        return eex_fail(EEX_EUNSUPPORTED,
                        "%s: an ONNX file of %zu bytes, more than the 2 GiB that "
                        "readers take",
                        o->layers->model->path, o->out->size);
    return EEX_OK;
}

static int put_layers(eex_buffer *out, const eex__layers *layers, eex_onnx_form form)
{
    const size_t count = (size_t)layers->count;
    eex__onnx o = {.out = out,
                   .initializers = EEX_BUFFER_INIT,
                   .layers = layers,
                   .map = calloc(count, sizeof *o.map),
                   .flat = calloc(count, sizeof *o.flat)};
    int code = o.map && o.flat ? put_model(&o, form)
                               : eex_fail(EEX_ENOMEM, "out of memory for %zu names", count);
    eex_buffer_free(&o.initializers);
    free(o.map);
    free(o.flat);
    return code;
}

int eex_onnx_put(eex_buffer *out, const eex_model *model, eex_onnx_form form)
{
    EEX_NEED(out, "place for the file");
    EEX_NEED(model, "model");
    eex__layers layers;
    if (!model->params)
        return eex_fail(EEX_EINVAL, "%s was opened without a device", model->path);
    if (form == EEX_ONNX_DECIDES && !model->policy)
        return eex_fail(EEX_EINVAL, "%s has no policy: nobody would leave early", model->path);
    EEX_TRY(eex__layers_make(&layers, model, false));
    int code = put_layers(out, &layers, form);
    eex__layers_free(&layers);
    return code;
}
