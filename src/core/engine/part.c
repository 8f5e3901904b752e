#include "core/engine/part.h"

#include "core/engine/engine_impl.h"
#include "core/engine/part_impl.h"
#include "core/plan/passing.h"

#include "base/status.h"

#include <stdlib.h>

/* Behind which exit: -1 is the last early one. */
static int find_cut(int *out, const eex_engine *e, int exit)
{
    const int last = e->exits - 1;
    if (last == 0)
        return eex_fail(EEX_EINVAL, "cut: the network has no early exit behind which it could be "
                                    "cut between a device and a server");
    const bool whole = e->part.side == EEX_PLAN_WHOLE;
    if (!whole && exit >= 0 && exit != e->part.cut)
        return eex_fail(EEX_EINVAL,
                        "cut: behind exit %d, but of this network only a part is there, cut behind "
                        "exit %d",
                        exit + 1, e->part.cut + 1);
    if (!whole)
        exit = e->part.cut;
    if (exit < -1 || exit >= last)
        return eex_fail(EEX_EINVAL,
                        "cut: behind exit %d, expected 1 to %d: the last one has "
                        "nothing behind it",
                        exit + 1, last);
    *out = exit < 0 ? last - 1 : exit;
    return EEX_OK;
}

size_t eex__part_gate_bytes(const eex_payload *p)
{
    return ((size_t)p->gates + 7) / 8;
}

int eex_engine_payload(eex_payload *out, const eex_engine *e, int exit, int bits)
{
    const eex_passing *values;
    EEX_NEED(out, "place for what passes");
    EEX_NEED(e, "engine");
    EEX_TRY(find_cut(&exit, e, exit));
    if (bits < 0 || bits > EEX_QUANTISE_MAX_BITS)
        return eex_fail(EEX_EINVAL, "cut: codes of %d bits, expected 1 to %d, or 0 for float32",
                        bits, EEX_QUANTISE_MAX_BITS);
    *out =
        (eex_payload){.exit = exit, .bits = bits, .gates = e->predictor ? e->exits - 2 - exit : 0};
    out->values = eex_plan_passing(e->walk.plan, exit, &values);
    EEX_TRY(out->values);
    for (int i = 0; i < out->values; i++) {
        eex__packing packing;
        EEX_TRY(eex__packing_of(&packing, e, &values[i], bits));
        out->bytes += eex__packed_bytes(&packing);
    }
    out->bytes += eex__part_gate_bytes(out);
    return EEX_OK;
}

int eex_engine_payload_bits(int *out, const eex_engine *e, int exit)
{
    const eex_passing *values;
    EEX_NEED(out, "place for bits");
    EEX_NEED(e, "engine");
    EEX_TRY(find_cut(&exit, e, exit));
    const int count = eex_plan_passing(e->walk.plan, exit, &values);
    EEX_TRY(count);
    *out = 0;
    for (int i = 0; i < count; i++) {
        const eex_node *n = eex_graph_node(e->params->graph, values[i].node);
        const int bits = n->kind == EEX_NODE_QUANTISE ? n->bits : 0;
        *out = i == 0 || bits == *out ? bits : 0;
    }
    return EEX_OK;
}

void eex__part_close(eex__part *p)
{
    free(p->packing);
    free(p->staging);
}

/* The engine has this side of the cut. */
static int check_side(const eex_engine *e, eex_plan_side side)
{
    if (e->part.side == EEX_PLAN_WHOLE || e->part.side == side)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "cut: the engine has the other part of the network");
}

int eex__part_open(eex__part *out, eex_engine *e, eex_plan_side side, int exit, int bits)
{
    const eex_passing *values;
    eex_payload payload;
    size_t widest = 1;
    EEX_NEED(e, "engine");
    EEX_TRY(check_side(e, side));
    EEX_TRY(eex_engine_payload(&payload, e, exit, bits));
    EEX_TRY(eex_plan_passing(e->walk.plan, payload.exit, &values));
    *out = (eex__part){.engine = e, .payload = payload};
    out->packing = calloc((size_t)payload.values + 1, sizeof *out->packing);
    for (int i = 0; i < payload.values; i++)
        widest = values[i].row_bytes > widest ? values[i].row_bytes : widest;
    out->staging = calloc((size_t)e->walk.batch, widest);
    if (!out->packing || !out->staging)
        return eex_fail(EEX_ENOMEM, "cut: out of memory for %d rows of %zu bytes", e->walk.batch,
                        widest);
    for (int i = 0; i < payload.values; i++)
        EEX_TRY(eex__packing_of(&out->packing[i], e, &values[i], bits));
    return EEX_OK;
}
