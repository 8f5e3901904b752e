#include "device/op.h"

#include "base/status.h"

EEX_NAMES(eex_act, eex_act,
          EEX_ACTS, [EEX_ACT_NONE] = "none", [EEX_ACT_RELU] = "relu", [EEX_ACT_RELU6] = "relu6",
          [EEX_ACT_H_SWISH] = "h-swish", [EEX_ACT_H_SIGMOID] = "h-sigmoid",
          [EEX_ACT_SIGMOID] = "sigmoid", [EEX_ACT_SILU] = "silu");

int eex_act_parse(eex_act *out, const char *name)
{
    EEX_NEED(out, "place for the activation");
    EEX_NEED(name, "name");
    const int found = eex_name_find(eex_act_names(), name);
    char hint[EEX_NAMES_SIZE];
    if (found < 0)
        return eex_fail(EEX_EINVAL, "unknown activation \"%s\": %s", name,
                        eex_names_hint(hint, eex_act_names(), name));
    *out = (eex_act)found;
    return EEX_OK;
}

EEX_NAMES(
    eex_op_kind, eex_op_kind,
    EEX_OP_KINDS, [EEX_OP_AUGMENT] = "augment", [EEX_OP_RESIZE] = "resize", [EEX_OP_CONV] = "conv",
    [EEX_OP_CONV_BWD_DATA] = "conv bwd data", [EEX_OP_CONV_BWD_WEIGHTS] = "conv bwd weights",
    [EEX_OP_BN_TRAIN] = "bn train", [EEX_OP_BN_EVAL] = "bn eval", [EEX_OP_BN_BWD] = "bn bwd",
    [EEX_OP_ACT] = "act", [EEX_OP_ACT_BWD] = "act bwd", [EEX_OP_ADD] = "add",
    [EEX_OP_SCALE] = "scale", [EEX_OP_SCALE_BWD] = "scale bwd", [EEX_OP_COLUMNS] = "columns",
    [EEX_OP_DEPTH_TO_SPACE] = "depth to space", [EEX_OP_QUANTISE] = "quantise",
    [EEX_OP_ACCUMULATE] = "accumulate", [EEX_OP_MAX_POOL] = "max pool",
    [EEX_OP_MAX_POOL_BWD] = "max pool bwd", [EEX_OP_GLOBAL_POOL] = "global pool",
    [EEX_OP_GLOBAL_POOL_BWD] = "global pool bwd", [EEX_OP_DROPOUT] = "dropout",
    [EEX_OP_LOSS] = "loss", [EEX_OP_HEAD] = "head", [EEX_OP_LEAVE] = "leave",
    [EEX_OP_CLASS_STATS] = "class statistics", [EEX_OP_CLAMP] = "clamp",
    [EEX_OP_GRAD_NORM] = "gradient norm", [EEX_OP_SGD] = "sgd", [EEX_OP_ADAMW] = "adamw",
    [EEX_OP_EMA] = "ema", [EEX_OP_ZERO] = "zero", [EEX_OP_CAST] = "cast",
    [EEX_OP_COMPACT] = "compact");
