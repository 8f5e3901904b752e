/* Gradient of a convolution for its weights and bias. */
#include "cpu/conv_axis.h"
#include "cpu/conv_bf16.h"
#include "cpu/conv_depthwise.h"
#include "cpu/conv_grouped.h"
#include "cpu/conv_weights.h"
#include "cpu/cpu.h"

#include "base/status.h"

static int bwd_weights_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    const eex_window *window = &op->u.conv_bwd_weights.window;
    EEX_TRY(eex__window_check(window, op->name));
    if (eex__bf16_serves(cpu, op->precision, window)) {
        eex_bf16_weights *weights;
        EEX_TRY(eex__bf16_weights_new(&weights, cpu, window));
        *state = weights;
    } else if (eex_window_depthwise(window)) {
        eex_depthwise *depthwise;
        EEX_TRY(eex__depthwise_new(&depthwise, cpu, window, false));
        *state = depthwise;
    } else if (eex__window_grouped(window)) {
        eex_grouped *grouped;
        EEX_TRY(eex__grouped_new(&grouped, cpu, window, EEX_GROUPED_WEIGHTS, NULL, max_batch));
        *state = grouped;
    } else {
        eex_weights *weights;
        EEX_TRY(eex__weights_new(&weights, cpu, window));
        *state = weights;
    }
    return EEX_OK;
}

static int bwd_weights_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_conv_bwd_weights *bwd = &op->u.conv_bwd_weights;
    if (eex__bf16_serves(cpu, op->precision, &bwd->window))
        EEX_TRY(eex__bf16_weights_run(cpu, state, bwd, step->batch));
    else if (eex_window_depthwise(&bwd->window))
        EEX_TRY(eex__depthwise_weights(cpu, state, bwd->dw, bwd->x, bwd->dy, step->batch,
                                       bwd->accumulate));
    else if (eex__window_grouped(&bwd->window))
        EEX_TRY(eex__grouped_weights(cpu, state, bwd, step->batch));
    else
        EEX_TRY(eex__weights_run(cpu, state, bwd, step->batch));
    if (bwd->dbias)
        eex__bias_run(cpu, bwd, step->batch);
    return EEX_OK;
}

static void bwd_weights_finish(eex_cpu *cpu, const eex_op *op, void *state)
{
    if (eex__bf16_serves(cpu, op->precision, &op->u.conv_bwd_weights.window))
        eex__bf16_weights_free(state);
    else if (eex_window_depthwise(&op->u.conv_bwd_weights.window))
        eex__depthwise_free(state);
    else if (eex__window_grouped(&op->u.conv_bwd_weights.window))
        eex__grouped_free(state);
    else
        eex__weights_free(state);
}

const eex_cpu_op_class eex__cpu_conv_bwd_weights = {bwd_weights_prepare, bwd_weights_run,
                                                    bwd_weights_finish};
