/* Convolution, forward: dense, depthwise or of groups. */
#include "cpu/conv_axis.h"
#include "cpu/conv_bf16.h"
#include "cpu/conv_depthwise.h"
#include "cpu/conv_grouped.h"
#include "cpu/cpu.h"

#include "base/status.h"

static int prepare_depthwise(eex_cpu *cpu, void **state, const eex_op_conv *conv)
{
    eex_depthwise *depthwise;
    EEX_TRY(eex__depthwise_new(&depthwise, cpu, &conv->window, false));
    *state = depthwise;
    return EEX_OK;
}

static int prepare_dense(eex_cpu *cpu, void **state, const eex_op_conv *conv)
{
    eex_dense *dense;
    EEX_TRY(eex__dense_new(&dense, cpu, &conv->window, false));
    int status = conv->w_static ? eex__dense_pack(cpu, dense, conv->w) : EEX_OK;
    if (status < 0) {
        eex__dense_free(dense);
        return status;
    }
    *state = dense;
    return EEX_OK;
}

static int prepare_bf16(eex_cpu *cpu, void **state, const eex_op_conv *conv)
{
    eex_bf16_dense *dense;
    EEX_TRY(
        eex__bf16_dense_new(&dense, cpu, &conv->window, false, conv->w_static ? conv->w : NULL));
    *state = dense;
    return EEX_OK;
}

static int prepare_grouped(eex_cpu *cpu, void **state, const eex_op_conv *conv, int max_batch)
{
    eex_grouped *grouped;
    EEX_TRY(eex__grouped_new(&grouped, cpu, &conv->window, EEX_GROUPED_FORWARD,
                             conv->w_static ? conv->w : NULL, max_batch));
    *state = grouped;
    return EEX_OK;
}

static bool packs(const eex_cpu *cpu, const eex_op *op)
{
    const eex_window *w = &op->u.conv.window;
    return op->u.conv.w_static &&
           (eex__bf16_serves(cpu, op->precision, w) || !eex_window_depthwise(w));
}

static void forget_weights(const eex_op_conv *conv)
{
    const eex_window *w = &conv->window;
    const size_t taps = (size_t)w->kernel * (size_t)w->kernel;
    eex__cpu_forget(conv->w, taps * (size_t)(w->cin / w->groups) * (size_t)w->cout * sizeof(float));
}

static int prepare_some(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    const eex_op_conv *conv = &op->u.conv;
    if (eex__bf16_serves(cpu, op->precision, &conv->window))
        return prepare_bf16(cpu, state, conv);
    if (eex__window_grouped(&conv->window))
        return prepare_grouped(cpu, state, conv, max_batch);
    return eex_window_depthwise(&conv->window) ? prepare_depthwise(cpu, state, conv)
                                               : prepare_dense(cpu, state, conv);
}

static int conv_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    EEX_TRY(eex__window_check(&op->u.conv.window, op->name));
    EEX_TRY(prepare_some(cpu, state, op, max_batch));
    if (op->u.conv.w_once && packs(cpu, op))
        forget_weights(&op->u.conv);
    return EEX_OK;
}

static int conv_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_conv *conv = &op->u.conv;
    eex_dense_args args = {
        .a = conv->x,
        .w = conv->w,
        .bias = conv->bias,
        .residual = conv->residual,
        .y = conv->y,
        .act = conv->act,
        .stats = conv->stats,
        .batch = step->batch,
    };
    if (eex__bf16_serves(cpu, op->precision, &conv->window))
        return eex__bf16_dense_run(cpu, state, &args);
    if (eex_window_depthwise(&conv->window))
        return eex__depthwise_run(cpu, state, &args);
    if (eex__window_grouped(&conv->window))
        return eex__grouped_run(cpu, state, &args);
    return eex__dense_run(cpu, state, &args);
}

static void conv_finish(eex_cpu *cpu, const eex_op *op, void *state)
{
    if (eex__bf16_serves(cpu, op->precision, &op->u.conv.window))
        eex__bf16_dense_free(state);
    else if (eex_window_depthwise(&op->u.conv.window))
        eex__depthwise_free(state);
    else if (eex__window_grouped(&op->u.conv.window))
        eex__grouped_free(state);
    else
        eex__dense_free(state);
}

const eex_cpu_op_class eex__cpu_conv = {conv_prepare, conv_run, conv_finish};
