/* A rival: the network without some of the filters of its device's part (model/pruned.h), as it is,
 * by the thresholds of the whole one. */
#include "core/engine/adapting_impl.h"

#include "base/shell.h"
#include "base/status.h"

static int check(const eex_model *other, const eex_model *model)
{
    const eex_graph *a = other->graph, *b = model->graph;
    char word[EEX_SHELL_WORD];
    bool same = eex_graph_exits(a) == eex_graph_exits(b) &&
                eex_graph_classes(a) == eex_graph_classes(b) && model->policy && other->policy;
    for (int k = 0; same && k < eex_graph_exits(a); k++)
        same = eex_graph_exit(a, k)->blocks == eex_graph_exit(b, k)->blocks;
    return same ? EEX_OK
                : eex_fail(EEX_EINVAL,
                           "%s has other exits or classes than %s, or one of them has no policy: "
                           "eex prune %s --filters SHARE -o FILE leaves filters out of it",
                           other->path, model->path, eex_shell_text(word, model->path));
}

static int open_side(eex__adapting_side *side, double *speed, const eex_model *other,
                     const eex_adapting *wish, const eex_trace *trace, const eex_policy *policy)
{
    eex_parts parts;
    EEX_TRY(eex_part_costs(&parts, other, wish->cut, wish->bits, wish->convention));
    if (wish->measured)
        EEX_TRY(eex__adapting_times(&parts, speed, wish, other, NULL));
    EEX_TRY(eex__adapting_select(side, trace, policy, parts.exits, other->params->device));
    return eex_adapter_new(&side->adapter, side->trace, side->policy, &parts, NULL);
}

static int judge(eex__adapting_side *side, double *speed, const eex_model *other,
                 const eex_model *model, const eex_adapting *wish, const char *split, int samples)
{
    eex_trace *trace = NULL;
    EEX_TRY(check(other, model));
    EEX_TRY(eex_model_trace(&trace, other, split));
    const int code = trace->samples == samples
                         ? open_side(side, speed, other, wish, trace, model->policy)
                         : eex_fail(EEX_EINVAL, "%s has answers of %d %s images, %s of %d",
                                    other->path, trace->samples, split, model->path, samples);
    eex_trace_free(trace);
    return code;
}

int eex__adapting_filtered(eex__adapting_side *side, double *speed, const eex_model *model,
                           const eex_adapting *wish, const char *split, int samples)
{
    eex_model *other = NULL;
    EEX_TRY(eex_model_open(&other, wish->filtered, EEX_MODEL_BEST, model->params->device));
    const int code = judge(side, speed, other, model, wish, split, samples);
    eex_model_close(other);
    return code;
}
