/* Folding batch norm into the convolution in front, on the host, whenever parameters changed. */
#include "core/plan/plan_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static int fetch(const eex_plan *p, float **values, int param)
{
    *values = malloc(eex_param_count(eex_graph_param(p->graph, param)) * sizeof **values);
    if (!*values)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for folding");
    return p->binding->fetch(p->binding, p->params, *values, param);
}

/* w' = w * gamma / sqrt(var + eps), b' = beta + (b - mean) * gamma / sqrt(var + eps). In HWIO the
 * output channel is the last index, in a depthwise (k, k, c) too. */
static void scale(float *w, size_t count, float *bias, const float *conv_bias, float *const bn[4],
                  float eps, int channels)
{
    for (int c = 0; c < channels; c++) {
        float s = (float)(bn[0][c] / sqrt((double)bn[3][c] + eps));
        bias[c] = bn[1][c] + ((conv_bias ? conv_bias[c] : 0) - bn[2][c]) * s;
        for (size_t i = (size_t)c; i < count; i += (size_t)channels)
            w[i] *= s;
    }
}

static int fold_one(eex_plan *p, const eex_fold *fold)
{
    const eex_node *conv = eex_graph_node(p->graph, fold->conv);
    const eex_node *norm = eex_graph_node(p->graph, fold->bn);
    size_t count = eex_param_count(eex_graph_param(p->graph, conv->first_param));
    float *w = NULL, *conv_bias = NULL, *bn[4] = {NULL};
    float *bias = malloc((size_t)conv->c * sizeof *bias);
    int code = bias ? fetch(p, &w, conv->first_param)
                    : eex_fail(EEX_ENOMEM, "plan: out of memory for folding");
    if (code == EEX_OK && conv->bias)
        code = fetch(p, &conv_bias, conv->first_param + 1);
    for (int i = 0; i < 4 && code == EEX_OK; i++)
        code = fetch(p, &bn[i], norm->first_param + i);
    if (code == EEX_OK) {
        eex_device *dev = p->device;
        scale(w, count, bias, conv_bias, bn, norm->bn_eps, conv->c);
        code = dev->vtable->upload(dev, eex__plan_address(p, fold->w), w, count * sizeof *w);
        if (code == EEX_OK)
            code = dev->vtable->upload(dev, eex__plan_address(p, fold->bias), bias,
                                       (size_t)conv->c * sizeof *bias);
    }
    for (int i = 0; i < 4; i++)
        free(bn[i]);
    free(conv_bias);
    free(bias);
    free(w);
    return code;
}

int eex__plan_fold(eex_plan *p)
{
    for (int i = 0; i < p->fold_count; i++)
        EEX_TRY(fold_one(p, &p->folds[i]));
    return EEX_OK;
}
