#include "core/model/model_print.h"

#include "base/buffer.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* Numbers are hashed as they are in memory; the bytes of an exchange between machines are
 * little-endian, as these are. */

static void print_node(eex_buffer *text, const eex_node *n)
{
    const eex_window *w = &n->window;
    eex_buffer_printf(text, "%s %s %d %d %dx%dx%d %d %d %d %d %d %d %a %d\n", n->name,
                      eex_node_kind_name(n->kind), n->inputs[0], n->inputs[1], n->h, n->w, n->c,
                      w->kernel, w->stride, w->pad, w->groups, (int)n->bias, (int)n->act,
                      (double)n->bn_eps, n->exit);
}

static int print_network(eex_sha256 *sha, const eex_model *m)
{
    eex_buffer text = EEX_BUFFER_INIT;
    const eex_input *in = &m->input;
    eex_buffer_printf(&text, "eex model 1\n%d x %d x %d, precision %d\n", in->height, in->width,
                      in->channels, (int)m->runs_in);
    for (int c = 0; c < 3; c++)
        eex_buffer_printf(&text, "%a %a\n", (double)in->mean[c], (double)in->std[c]);
    for (int i = 0; i < eex_graph_nodes(m->graph); i++)
        print_node(&text, eex_graph_node(m->graph, i));
    for (int k = 0; k < eex_graph_exits(m->graph); k++)
        eex_buffer_printf(&text, "exit %d %d\n", eex_graph_exit(m->graph, k)->point,
                          eex_graph_exit(m->graph, k)->logits);
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

int eex_model_print(uint8_t out[EEX_SHA256_BYTES], const eex_model *m)
{
    EEX_NEED(out, "place for the fingerprint");
    EEX_NEED(m, "model");
    EEX_NEED(m->params, "weights: the model was opened without a device");
    eex_sha256 sha;
    eex_sha256_begin(&sha);
    EEX_TRY(print_network(&sha, m));
    for (int i = 0; i < eex_graph_params(m->graph); i++)
        EEX_TRY(print_parameter(&sha, m->params, i));
    eex_sha256_end(&sha, out);
    return EEX_OK;
}

void eex_policy_print(uint8_t out[EEX_SHA256_BYTES], const eex_policy *p, int k)
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
    }
    eex_sha256_end(&sha, out);
}
