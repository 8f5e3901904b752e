#include "core/plan/plan.h"

#include "core/plan/plan_impl.h"

#include "base/status.h"

#include <stdlib.h>

int eex__plan_prepare(eex_plan *p, int i)
{
    int code = p->device->vtable->prepare(p->device, &p->states[i], &p->ops[i], p->options.batch);
    return code < 0
               ? eex_fail_in(code, "plan of %s, node %s", eex_graph_name(p->graph), p->ops[i].name)
               : EEX_OK;
}

void eex_plan_free(eex_plan *p)
{
    if (!p)
        return;
    eex__plan_forget(p);
    eex__plan_leaving_free(p);
    for (int i = 0; i < p->op_count && p->states; i++)
        p->device->vtable->finish(p->device, &p->ops[i], p->states[i]);
    p->device->vtable->release(p->device, p->kept);
    eex_arena_release(p->shared);
    void *all[] = {p->states, p->segment, p->ops, p->buffers, p->folds, p->value};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(p);
}

int eex_plan_refresh(eex_plan *p)
{
    EEX_NEED(p, "plan");
    eex__plan_forget(p);
    EEX_TRY(eex__plan_fold(p));
    for (int i = 0; i < p->op_count; i++) {
        if (p->ops[i].kind != EEX_OP_CONV || !p->ops[i].u.conv.w_static)
            continue;
        p->device->vtable->finish(p->device, &p->ops[i], p->states[i]);
        p->states[i] = NULL;
        EEX_TRY(eex__plan_prepare(p, i));
    }
    return EEX_OK;
}

int eex_plan_ops(const eex_plan *plan)
{
    return plan ? plan->op_count : 0;
}

const eex_op *eex_plan_op(const eex_plan *plan, int i)
{
    return plan && i >= 0 && i < plan->op_count ? &plan->ops[i] : NULL;
}

int eex_plan_op_segment(const eex_plan *plan, int i)
{
    return plan && plan->segment && i >= 0 && i < plan->op_count ? plan->segment[i] : -1;
}

size_t eex_plan_bytes(const eex_plan *plan)
{
    return plan ? plan->kept_bytes + plan->arena_bytes : 0;
}
