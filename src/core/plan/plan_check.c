/* What calls of plans are refused for: programs come here too, not the engine alone. */
#include "core/plan/plan_impl.h"

#include "base/status.h"

int eex__plan_check(const eex_plan *p, const char *who, eex__purpose purpose)
{
    if (!p)
        return eex_fail(EEX_EINVAL, "%s: no plan (NULL)", who);
    if (purpose != EEX__ANY_PLAN &&
        (purpose == EEX__INFERENCE) != (p->options.mode == EEX_PLAN_INFER))
        return eex_fail(EEX_EINVAL, "%s: the plan of %s is for %s", who, eex_graph_name(p->graph),
                        purpose == EEX__INFERENCE ? "training" : "inference");
    return EEX_OK;
}

int eex__plan_check_batch(const eex_plan *p, const char *who, int batch)
{
    if (batch >= 1 && batch <= p->options.batch)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "%s: plan of %s: batch of %d, expected 1 to %d", who,
                    eex_graph_name(p->graph), batch, p->options.batch);
}

int eex__plan_check_exit(const eex_plan *p, const char *who, int exit)
{
    if (exit >= 0 && exit < eex_graph_exits(p->graph)) {
        if (p->options.part.side == EEX_PLAN_WHOLE || p->head_op[exit] >= 0)
            return EEX_OK;
        return eex_fail(EEX_EINVAL, "%s: plan of %s: exit %d is not in its part of the network",
                        who, eex_graph_name(p->graph), exit);
    }
    return eex_fail(EEX_EINVAL, "%s: plan of %s: no exit %d, there are 0 to %d", who,
                    eex_graph_name(p->graph), exit, eex_graph_exits(p->graph) - 1);
}
