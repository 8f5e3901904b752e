/* Gradient of a convolution for its input. */
#include "cpu/conv_axis.h"
#include "cpu/conv_bf16.h"
#include "cpu/conv_depthwise.h"
#include "cpu/conv_grouped.h"
#include "cpu/cpu.h"

#include "base/status.h"

static int bwd_data_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    const eex_window *window = &op->u.conv_bwd_data.window;
    EEX_TRY(eex__window_check(window, op->name));
    if (eex__bf16_serves(cpu, op->precision, window)) {
        eex_bf16_dense *dense;
        EEX_TRY(eex__bf16_dense_new(&dense, cpu, window, true, NULL));
        *state = dense;
    } else if (eex_window_depthwise(window)) {
        eex_depthwise *depthwise;
        EEX_TRY(eex__depthwise_new(&depthwise, cpu, window, true));
        *state = depthwise;
    } else if (eex__window_grouped(window)) {
        eex_grouped *grouped;
        EEX_TRY(eex__grouped_new(&grouped, cpu, window, EEX_GROUPED_DATA, NULL, max_batch));
        *state = grouped;
    } else {
        eex_dense *dense;
        EEX_TRY(eex__dense_new(&dense, cpu, window, true));
        *state = dense;
    }
    return EEX_OK;
}

static int bwd_data_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_conv_bwd_data *bwd = &op->u.conv_bwd_data;
    eex_dense_args args = {
        .a = bwd->dy,
        .w = bwd->w,
        .residual = bwd->accumulate ? bwd->dx : NULL,
        .y = bwd->dx,
        .batch = step->batch,
    };
    if (eex__bf16_serves(cpu, op->precision, &bwd->window))
        return eex__bf16_dense_run(cpu, state, &args);
    if (eex_window_depthwise(&bwd->window))
        return eex__depthwise_run(cpu, state, &args);
    if (eex__window_grouped(&bwd->window))
        return eex__grouped_run(cpu, state, &args);
    return eex__dense_run(cpu, state, &args);
}

static void bwd_data_finish(eex_cpu *cpu, const eex_op *op, void *state)
{
    if (eex__bf16_serves(cpu, op->precision, &op->u.conv_bwd_data.window))
        eex__bf16_dense_free(state);
    else if (eex_window_depthwise(&op->u.conv_bwd_data.window))
        eex__depthwise_free(state);
    else if (eex__window_grouped(&op->u.conv_bwd_data.window))
        eex__grouped_free(state);
    else
        eex__dense_free(state);
}

const eex_cpu_op_class eex__cpu_conv_bwd_data = {bwd_data_prepare, bwd_data_run, bwd_data_finish};
