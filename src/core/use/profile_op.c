/* What an operation of an inference plan does. */
#include "core/use/profile.h"

const char *eex_profile_kind(const eex_op *op)
{
    switch (op->kind) {
    case EEX_OP_AUGMENT:
        return "normalise";
    case EEX_OP_RESIZE:
        return "resize";
    case EEX_OP_CONV:
        if (op->u.conv.window.groups > 1)
            return eex_window_depthwise(&op->u.conv.window) ? "depthwise" : "grouped";
        return op->u.conv.window.hin * op->u.conv.window.win == 1 ? "linear" : "conv";
    case EEX_OP_BN_EVAL:
        return "batch norm";
    case EEX_OP_ACT:
        return "act";
    case EEX_OP_ADD:
        return "add";
    case EEX_OP_SCALE:
        return "scale";
    case EEX_OP_COLUMNS:
        return "concat";
    case EEX_OP_DEPTH_TO_SPACE:
        return "depth to space";
    case EEX_OP_QUANTISE:
        return "quantise";
    case EEX_OP_MAX_POOL:
    case EEX_OP_GLOBAL_POOL:
        return "pool";
    case EEX_OP_HEAD:
        return op->u.head.x ? "pool, linear, scores" : "scores";
    default:
        return "?";
    }
}

static double inputs_of(const eex_window *w)
{
    return (double)w->hin * w->win * w->cin;
}

static double outputs_of(const eex_window *w)
{
    return (double)w->hout * w->wout * w->cout;
}

static double weights_of(const eex_window *w)
{
    const int per_group = w->cin / w->groups;
    return (double)w->kernel * w->kernel * per_group * w->cout;
}

double eex_profile_macs(const eex_op *op)
{
    const eex_op_head *head = &op->u.head;
    if (op->kind == EEX_OP_CONV)
        return (double)op->u.conv.window.hout * op->u.conv.window.wout *
               weights_of(&op->u.conv.window);
    return op->kind == EEX_OP_HEAD && head->x ? (double)head->features * head->classes : 0;
}

/* Elements of float32: of one input, and of what is there once. */
static void elements(double *each, double *once, const eex_op *op)
{
    const eex_window *w;
    *each = *once = 0;
    switch (op->kind) {
    case EEX_OP_AUGMENT:
        *each = 1.25 * op->u.augment.c * op->u.augment.h * op->u.augment.w; /* bytes to floats */
        break;
    case EEX_OP_RESIZE:
        *each = (double)op->u.resize.c *
                (op->u.resize.hin * op->u.resize.win + op->u.resize.hout * op->u.resize.wout);
        break;
    case EEX_OP_CONV:
        w = &op->u.conv.window;
        *each = inputs_of(w) + (op->u.conv.residual ? 2 : 1) * outputs_of(w);
        *once = weights_of(w) + (op->u.conv.bias ? w->cout : 0);
        break;
    case EEX_OP_BN_EVAL:
        *each = (op->u.bn.residual ? 3.0 : 2.0) * op->u.bn.c * op->u.bn.hw;
        *once = 4.0 * op->u.bn.c;
        break;
    case EEX_OP_ACT:
        *each = 2.0 * op->u.pointwise.size;
        break;
    case EEX_OP_ADD:
        *each = 3.0 * op->u.pointwise.size;
        break;
    case EEX_OP_SCALE:
        *each = (2.0 * op->u.scale.hw + 1) * op->u.scale.c;
        break;
    case EEX_OP_COLUMNS:
        *each = 2.0 * op->u.columns.hw * op->u.columns.count;
        break;
    case EEX_OP_DEPTH_TO_SPACE:
        *each = 8.0 * op->u.depth_to_space.h * op->u.depth_to_space.w * op->u.depth_to_space.c;
        break;
    case EEX_OP_QUANTISE:
        *each = 2.0 * op->u.quantise.size;
        break;
    case EEX_OP_MAX_POOL:
    case EEX_OP_GLOBAL_POOL:
        *each = inputs_of(&op->u.pool.window) + outputs_of(&op->u.pool.window);
        break;
    case EEX_OP_HEAD:
        *each = op->u.head.classes + 4.0;
        if (op->u.head.x) {
            *each += (double)op->u.head.hw * op->u.head.features;
            *once = (op->u.head.features + 1.0) * op->u.head.classes;
        }
        break;
    default:
        break;
    }
}

double eex_profile_bytes(const eex_op *op, int batch)
{
    double each, once;
    elements(&each, &once, op);
    return 4 * (batch * each + once);
}
