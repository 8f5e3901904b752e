#include "core/engine/part_costs.h"

#include "core/engine/engine_impl.h"
#include "core/plan/passing.h"

#include "base/status.h"

#include <math.h>

/* From the input to the last of the values that pass, nowhere less than to the exit. */
static int trunk_of_passing(double *out, const eex_engine *e, const eex_graph *graph, int exit,
                            eex_convention convention)
{
    const eex_passing *values;
    const int count = eex_plan_passing(e->walk.plan, exit, &values);
    EEX_TRY(count);
    *out = (double)eex_cost_trunk(graph, eex_graph_exit(graph, exit)->point, convention);
    for (int i = 0; i < count; i++)
        *out = fmax(*out, (double)eex_cost_trunk(graph, values[i].node, convention));
    return EEX_OK;
}

static int fill(eex_parts *out, const eex_engine *e, const eex_graph *graph, int exit, int bits,
                eex_convention convention)
{
    eex_payload payload;
    double before = 0, passed;
    const int last = e->exits - 1;
    EEX_TRY(eex_engine_payload(&payload, e, exit, bits));
    EEX_TRY(trunk_of_passing(&passed, e, graph, payload.exit, convention));
    *out = (eex_parts){.exits = payload.exit + 2, .bytes = (double)payload.bytes};
    for (int k = 0; k <= payload.exit; k++) {
        const double here =
            (double)eex_cost_trunk(graph, eex_graph_exit(graph, k)->point, convention);
        out->trunk[k] = here - before;
        out->gate[k] = (double)eex_cost_gate(graph, k, convention);
        before = here;
    }
    out->trunk[payload.exit + 1] = passed - before;
    out->server = (double)eex_cost_trunk(graph, eex_graph_exit(graph, last)->point, convention) -
                  passed + (double)eex_cost_gate(graph, last, convention);
    return EEX_OK;
}

int eex_part_costs(eex_parts *out, const eex_model *model, int exit, int bits,
                   eex_convention convention)
{
    eex_engine *engine = NULL;
    EEX_NEED(out, "place for the parts");
    EEX_NEED(model, "model");
    EEX_TRY(eex_engine_open(&engine, model, 1));
    const int code = fill(out, engine, model->graph, exit, bits, convention);
    eex_engine_close(engine);
    return code;
}

int eex_part_bits(int *out, const eex_model *model, int exit)
{
    eex_engine *engine = NULL;
    EEX_NEED(out, "place for the bits");
    EEX_NEED(model, "model");
    EEX_TRY(eex_engine_open(&engine, model, 1));
    const int code = eex_engine_payload_bits(out, engine, exit);
    eex_engine_close(engine);
    return code;
}
