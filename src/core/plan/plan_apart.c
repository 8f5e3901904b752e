/* Gates apart: a gate is run on the rows that it is asked about alone. It begins with a copy of
 * these rows of what it reads, so that the trunk finds all of them behind it; LEAVE knows by `at`
 * where a row stands among them. */
#include "core/plan/builder_impl.h"

#include "base/clock.h"
#include "base/status.h"

#include <stdlib.h>

/* ---- lowering ---- */

int eex__plan_check_apart(const eex_plan_options *o, const eex_graph *graph)
{
    if (o->mode != EEX_PLAN_INFER)
        return eex_fail(EEX_EINVAL, "plan of %s: gates are apart for inference alone",
                        eex_graph_name(graph));
    for (int k = 1; k < eex_graph_exits(graph); k++) {
        const eex_exit *exit = eex_graph_exit(graph, k);
        if (exit->point == eex_graph_exit(graph, k - 1)->point)
            return eex_fail(EEX_EUNSUPPORTED,
                            "%s: exits %d and %d both read %s, and may share what they calculate: "
                            "gates can only be skipped where each point has one",
                            eex_graph_name(graph), k, k + 1,
                            eex_graph_node(graph, exit->point)->name);
    }
    return EEX_OK;
}

/* COMPACT from the point's value to a place of its own. */
static int lower_gather(eex_builder *b, int k, int point)
{
    eex_plan *p = b->plan;
    const size_t row = eex__plan_row(b, point);
    int value;
    EEX_TRY(eex__plan_value(b, &value, point));
    EEX_TRY(eex__plan_buffer(b, &p->gathered[k], row, 0, false));
    eex_op *op;
    b->segment = k;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_COMPACT, "gather"));
    p->gate[k] = p->op_count - 1;
    op->u.compact.row_bytes = row;
    EEX_TRY(eex__plan_point(b, &op->u.compact.from, value));
    EEX_TRY(eex__plan_point(b, &op->u.compact.data, p->gathered[k]));
    EEX_TRY(eex__plan_point(b, &op->u.compact.count, p->index));
    return eex__plan_point_at(b, &op->u.compact.index, p->index, sizeof(int32_t));
}

int eex__plan_begin_gate(eex_builder *b, int k, int id)
{
    if (k >= eex_graph_exits(b->graph) - 1 || b->plan->gate[k] >= 0 ||
        eex_graph_node(b->graph, id)->exit == EEX_TRUNK)
        return EEX_OK;
    const int point = eex_graph_exit(b->graph, k)->point;
    EEX_TRY(lower_gather(b, k, point));
    b->apart_point = point;
    b->apart = b->plan->gathered[k];
    return EEX_OK;
}

void eex__plan_end_gate(eex_builder *b)
{
    b->apart_point = b->apart = -1;
}

/* ---- running ---- */

void eex__plan_parts(const eex_plan *p, int k, int *first, int *gate, int *end)
{
    eex__plan_segment(p, k, first, end);
    *gate = p->gate[k] >= 0 ? p->gate[k] : *end;
}

static int run_apiece(eex_plan *p, int first, int end, const eex_step *step, eex_span *spans)
{
    const eex_device_vtable *v = p->device->vtable;
    EEX_TRY(v->sync(p->device));
    for (int i = first; i < end; i++) {
        spans[i].begin = eex_clock_seconds();
        EEX_TRY(v->run(p->device, &p->ops[i], p->states[i], step));
        EEX_TRY(v->sync(p->device));
        spans[i].end = eex_clock_seconds();
    }
    return EEX_OK;
}

int eex__plan_run_part(eex_plan *p, void **recording, int first, int end, int batch,
                       eex_span *spans)
{
    const eex_step step = {.batch = batch};
    if (spans)
        return run_apiece(p, first, end, &step, spans);
    return eex__plan_run_ops(p, recording, p->ops + first, p->states + first, end - first, &step);
}

static int send_asked(eex_plan *p, const int32_t *which, int count, const int32_t *at, int rows)
{
    const eex_device_vtable *v = p->device->vtable;
    EEX_TRY(v->upload(p->device, eex__plan_address(p, p->index), which,
                      ((size_t)count + 1) * sizeof *which));
    return v->upload(p->device, eex__plan_address(p, p->at), at, (size_t)rows * sizeof *at);
}

int eex__plan_ask_all(eex_plan *p, int batch)
{
    p->everybody[0] = batch;
    return send_asked(p, p->everybody, batch, p->everybody + 1, batch);
}

/* Of which exit the gate can be skipped. */
static int check_apart(const eex_plan *p, const char *who, int exit, int batch)
{
    EEX_TRY(eex__plan_check(p, who, EEX__INFERENCE));
    EEX_TRY(eex__plan_check_exit(p, who, exit));
    EEX_TRY(eex__plan_check_batch(p, who, batch));
    if (p->gate[exit] < 0)
        return eex_fail(EEX_EINVAL, "%s: plan of %s: the gate of exit %d is not apart", who,
                        eex_graph_name(p->graph), exit);
    return EEX_OK;
}

int eex_plan_trunk(eex_plan *p, int exit, int batch, eex_span *spans)
{
    int first, gate, end;
    EEX_TRY(check_apart(p, __func__, exit, batch));
    eex__plan_parts(p, exit, &first, &gate, &end);
    eex_device_range(p->device, "segment %d", exit);
    const int code = eex__plan_run_part(p, &p->recording[exit], first, gate, batch, spans);
    eex_device_range_end(p->device);
    return code;
}

int eex_plan_ask(eex_plan *p, int exit, const bool *ask, int rows, int *count)
{
    EEX_NEED(ask, "who asks");
    EEX_NEED(count, "place for how many ask");
    EEX_TRY(check_apart(p, __func__, exit, rows));
    int32_t *which = p->asked, *at = p->asked + 1 + p->options.batch;
    int n = 0;
    for (int i = 0; i < rows; i++) {
        at[i] = ask[i] ? n : -1;
        if (ask[i])
            which[1 + n++] = i;
    }
    which[0] = *count = n;
    return send_asked(p, which, n, at, rows);
}

int eex_plan_gate(eex_plan *p, int exit, int batch, eex_span *spans)
{
    int first, gate, end;
    EEX_TRY(check_apart(p, __func__, exit, batch));
    eex__plan_parts(p, exit, &first, &gate, &end);
    eex_device_range(p->device, "gate %d", exit);
    const int code = eex__plan_run_part(p, &p->gate_recording[exit], gate, end, batch, spans);
    eex_device_range_end(p->device);
    return code;
}
