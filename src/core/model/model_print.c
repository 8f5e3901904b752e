#include "core/model/model_print.h"

#include "core/model/model_impl.h"

#include "base/buffer.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers are hashed as they are in memory; the bytes of an exchange between machines are
 * little-endian, as these are. */

/* Whatever decides results. What only training or counting reads, and what would depend on genes,
 * which a model has none of any more, is left out. */
static void print_node(eex_buffer *text, const eex_node *n)
{
    const eex_window *w = &n->window;
    eex_buffer_printf(text, "%s %s %d %d %dx%dx%d", n->name, eex_node_kind_name(n->kind),
                      n->inputs[0], n->inputs[1], n->h, n->w, n->c);
    eex_buffer_printf(text, " %dx%dx%d %dx%dx%d %d %d %d %d", w->hin, w->win, w->cin, w->hout,
                      w->wout, w->cout, w->kernel, w->stride, w->pad, w->groups);
    eex_buffer_printf(text, " %d %d %d %a %d %d %d\n", (int)n->bias, (int)n->act, n->bits,
                      (double)n->bn_eps, n->exit, n->first_param, n->params);
}

static int print_network(eex_sha256 *sha, const eex_graph *graph)
{
    eex_buffer text = EEX_BUFFER_INIT;
    for (int i = 0; i < eex_graph_nodes(graph); i++)
        print_node(&text, eex_graph_node(graph, i));
    for (int k = 0; k < eex_graph_exits(graph); k++)
        eex_buffer_printf(&text, "exit %d %d\n", eex_graph_exit(graph, k)->point,
                          eex_graph_exit(graph, k)->logits);
    const int code = eex_buffer_status(&text);
    eex_sha256_update(sha, text.data, text.size);
    eex_buffer_free(&text);
    return code;
}

static int print_input(eex_sha256 *sha, const eex_model *m)
{
    eex_buffer text = EEX_BUFFER_INIT;
    const eex_input *in = &m->input;
    eex_buffer_printf(&text, "eex model 1\n%d x %d x %d, precision %d\n", in->height, in->width,
                      in->channels, (int)m->runs_in);
    for (int c = 0; c < 3; c++)
        eex_buffer_printf(&text, "%a %a\n", (double)in->mean[c], (double)in->std[c]);
    const int code = eex_buffer_status(&text);
    eex_sha256_update(sha, text.data, text.size);
    eex_buffer_free(&text);
    return code;
}

static int print_parameter(eex_sha256 *sha, const eex_params *params, int i)
{
    const eex_param *p = eex_graph_param(params->graph, i);
    const size_t count = eex_param_count(p);
    float *values = malloc(count * sizeof *values);
    if (!values)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu values of %s", count, p->name);
    const int code = eex_params_get(params, i, values);
    eex_sha256_update(sha, p->name, strlen(p->name) + 1);
    eex_sha256_update(sha, values, count * sizeof *values);
    free(values);
    return code;
}

static int print_parameters(eex_sha256 *sha, const eex_params *params)
{
    for (int i = 0; i < eex_graph_params(params->graph); i++)
        EEX_TRY(print_parameter(sha, params, i));
    return EEX_OK;
}

/* ---- of which a part is in memory: all of them from the file, which takes less than the layout of
 * files of what is there ---- */

enum { CHUNK = 1 << 20 }; /* bytes that are in memory at once */

typedef struct reading {
    eex_sha256 *sha;
    const eex_graph *graph;
} reading;

static int print_rows(eex_sha256 *sha, eex_store_file *file, const char *name,
                      const eex_store_shape *shape, void *values, uint64_t rows, size_t row)
{
    for (uint64_t at = 0; at < shape->extent[0]; at += rows) {
        const uint64_t left = shape->extent[0] - at, some = left < rows ? left : rows;
        EEX_TRY(eex_store_read_rows(values, file, name, EEX_STORE_F32, shape, at, some));
        eex_sha256_update(sha, values, (size_t)some * row);
    }
    return EEX_OK;
}

/* A parameter from the file, some of its rows at a time. */
static int print_stored(eex_sha256 *sha, eex_store_file *file, const eex_param *p)
{
    char name[512];
    eex_store_shape shape = {.rank = p->rank};
    const size_t row = eex_param_count(p) / (size_t)p->shape[0] * sizeof(float);
    const uint64_t rows = row < CHUNK ? CHUNK / row : 1;
    for (int i = 0; i < p->rank; i++)
        shape.extent[i] = (uint64_t)p->shape[i];
    if (snprintf(name, sizeof name, "params/%s", p->name) >= (int)sizeof name)
        return eex_store_refuse(file, "a parameter's name of more than %zu bytes", sizeof name);
    void *values = malloc((size_t)rows * row);
    if (!values)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu bytes of %s", (size_t)rows * row,
                        p->name);
    eex_sha256_update(sha, p->name, strlen(p->name) + 1);
    const int code = print_rows(sha, file, name, &shape, values, rows, row);
    free(values);
    return code;
}

static int print_read(eex_store_file *file, void *context)
{
    const reading *r = context;
    for (int i = 0; i < eex_graph_params(r->graph); i++)
        EEX_TRY(print_stored(r->sha, file, eex_graph_param(r->graph, i)));
    return EEX_OK;
}

/* ---- models ---- */

int eex_model_print(uint8_t out[EEX_SHA256_BYTES], const eex_model *m)
{
    EEX_NEED(out, "place for the fingerprint");
    EEX_NEED(m, "model");
    EEX_NEED(m->params, "weights: the model was opened without a device");
    if (m->prints) {
        memcpy(out, m->prints + (size_t)m->runs_in * EEX_SHA256_BYTES, EEX_SHA256_BYTES);
        return EEX_OK;
    }
    eex_sha256 sha;
    reading rest = {&sha, m->graph};
    eex_sha256_begin(&sha);
    EEX_TRY(print_input(&sha, m));
    EEX_TRY(print_network(&sha, m->graph));
    EEX_TRY(m->params->missing
                ? eex_store_read_file(m->path, "weights", EEX__MODEL_VERSION, print_read, &rest)
                : print_parameters(&sha, m->params));
    eex_sha256_end(&sha, out);
    return EEX_OK;
}

int eex_exit_predictor_print(uint8_t out[EEX_SHA256_BYTES], const eex_exit_predictor *p)
{
    EEX_NEED(out, "place for the fingerprint");
    EEX_NEED(p, "predictor");
    EEX_NEED(p->params, "weights: the predictor was opened without a device");
    eex_sha256 sha;
    eex_sha256_begin(&sha);
    eex_sha256_update(&sha, p->gamma, (size_t)p->gates * sizeof *p->gamma);
    EEX_TRY(print_network(&sha, p->graph));
    EEX_TRY(print_parameters(&sha, p->params));
    eex_sha256_end(&sha, out);
    return EEX_OK;
}

/* What distances of exit k are measured from, where the policy asks for them. */
static void print_familiar(eex_sha256 *sha, const eex_familiar *f, const eex_policy *p, int k)
{
    if (!f || k >= f->exits || isinf(p->far[k]))
        return;
    const size_t n = (size_t)f->channels[k];
    eex_sha256_update(sha, &f->channels[k], sizeof f->channels[k]);
    eex_sha256_update(sha, f->center[k], n * sizeof *f->center[k]);
    eex_sha256_update(sha, f->factor[k], n * n * sizeof *f->factor[k]);
}

void eex_policy_print(uint8_t out[EEX_SHA256_BYTES], const eex_policy *p, const eex_familiar *f,
                      int k)
{
    eex_sha256 sha;
    eex_sha256_begin(&sha);
    if (p) {
        const size_t from = (size_t)k + 1, rest = (size_t)p->exits - from;
        const size_t classes = (size_t)p->classes;
        const int32_t kind = (int32_t)p->kind;
        eex_sha256_update(&sha, &kind, sizeof kind);
        eex_sha256_update(&sha, p->temperature + from, rest * sizeof *p->temperature);
        eex_sha256_update(&sha, p->high + from * classes, rest * classes * sizeof *p->high);
        eex_sha256_update(&sha, p->low + from * classes, rest * classes * sizeof *p->low);
        eex_sha256_update(&sha, p->far + from, rest * sizeof *p->far);
        for (int exit = k + 1; exit < p->exits; exit++)
            print_familiar(&sha, f, p, exit);
    }
    eex_sha256_end(&sha, out);
}
