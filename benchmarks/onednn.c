#include "onednn.h"

#include "timing.h"

#include <dnnl.h>
#include <stdlib.h>
#include <string.h>

bool onednn_there(void)
{
    return true;
}

typedef struct setup {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_desc_t forward, backward;
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[3];
    dnnl_exec_arg_t args[3];
    float *buffer[3];
} setup;

/* src, weights, dst; batch 0 leaves the weights' layout to oneDNN. */
static int describe(dnnl_memory_desc_t md[3], const eex_window *w, int batch)
{
    dnnl_dims_t src = {batch, w->cin, w->hin, w->win}, dst = {batch, w->cout, w->hout, w->wout};
    dnnl_dims_t dense = {w->cout, w->cin, w->kernel, w->kernel};
    dnnl_dims_t grouped = {w->groups, 1, 1, w->kernel, w->kernel};
    int deep = w->groups > 1;
    return dnnl_memory_desc_init_by_tag(&md[0], 4, src, dnnl_f32, dnnl_nhwc) ||
           dnnl_memory_desc_init_by_tag(&md[1], deep ? 5 : 4, deep ? grouped : dense, dnnl_f32,
                                        dnnl_format_tag_any) ||
           dnnl_memory_desc_init_by_tag(&md[2], 4, dst, dnnl_f32, dnnl_nhwc);
}

static int make_backward(setup *s, dnnl_memory_desc_t md[3], dnnl_dims_t stride, dnnl_dims_t pad,
                         onednn_pass pass)
{
    dnnl_convolution_desc_t desc;
    int status =
        pass == ONEDNN_DATA
            ? dnnl_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct, &md[0],
                                                       &md[1], &md[2], stride, pad, pad)
            : dnnl_convolution_backward_weights_desc_init(&desc, dnnl_convolution_direct, &md[0],
                                                          &md[1], NULL, &md[2], stride, pad, pad);
    return status || dnnl_primitive_desc_create(&s->backward, &desc, NULL, s->engine, s->forward) ||
           dnnl_primitive_create(&s->primitive, s->backward);
}

static int make_primitive(setup *s, const eex_window *w, int batch, onednn_pass pass)
{
    dnnl_memory_desc_t md[3];
    dnnl_convolution_desc_t desc;
    dnnl_dims_t stride = {w->stride, w->stride}, pad = {w->pad, w->pad};
    if (describe(md, w, batch) ||
        dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, dnnl_convolution_direct,
                                           &md[0], &md[1], NULL, &md[2], stride, pad, pad) ||
        dnnl_primitive_desc_create(&s->forward, &desc, NULL, s->engine, NULL))
        return -1;
    if (pass == ONEDNN_FORWARD)
        return dnnl_primitive_create(&s->primitive, s->forward);
    return make_backward(s, md, stride, pad, pass);
}

static int make_memory(setup *s, int i, int arg, dnnl_query_t what, onednn_pass pass)
{
    const dnnl_memory_desc_t *md =
        dnnl_primitive_desc_query_md(pass == ONEDNN_FORWARD ? s->forward : s->backward, what, 0);
    size_t bytes = (dnnl_memory_desc_get_size(md) + 63) / 64 * 64;
    s->buffer[i] = aligned_alloc(64, bytes);
    if (!s->buffer[i])
        return -1;
    for (size_t k = 0; k < bytes / sizeof(float); k++)
        s->buffer[i][k] = (float)(k * 37 % 101) / 101 - 0.5f;
    if (dnnl_memory_create(&s->memory[i], md, s->engine, s->buffer[i]))
        return -1;
    s->args[i] = (dnnl_exec_arg_t){arg, s->memory[i]};
    return 0;
}

static int make(setup *s, const eex_window *w, int batch, onednn_pass pass)
{
    static const int args[3][3] = {
        {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
        {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
        {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST},
    };
    static const dnnl_query_t queries[3][3] = {
        {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
        {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md},
        {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md},
    };
    if (dnnl_engine_create(&s->engine, dnnl_cpu, 0) ||
        dnnl_stream_create(&s->stream, s->engine, dnnl_stream_default_flags) ||
        make_primitive(s, w, batch, pass))
        return -1;
    for (int i = 0; i < 3; i++)
        if (make_memory(s, i, args[pass][i], queries[pass][i], pass))
            return -1;
    return 0;
}

static void unmake(setup *s)
{
    for (int i = 0; i < 3; i++) {
        dnnl_memory_destroy(s->memory[i]);
        free(s->buffer[i]);
    }
    dnnl_primitive_destroy(s->primitive);
    dnnl_primitive_desc_destroy(s->backward);
    dnnl_primitive_desc_destroy(s->forward);
    dnnl_stream_destroy(s->stream);
    dnnl_engine_destroy(s->engine);
}

static int run(void *ctx)
{
    setup *s = ctx;
    return dnnl_primitive_execute(s->primitive, s->stream, 3, s->args) ||
           dnnl_stream_wait(s->stream);
}

double onednn_time(const eex_window *window, int batch, onednn_pass pass, double seconds)
{
    setup s = {0};
    double best = make(&s, window, batch, pass) ? -1 : best_ns(run, &s, seconds);
    unmake(&s);
    return best;
}
