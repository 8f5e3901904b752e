/* Running a plan. Nothing here allocates. */
#include "core/plan/plan_impl.h"

#include "base/status.h"

#include <string.h>

void *eex__plan_address(const eex_plan *p, int buffer)
{
    const eex_slot *slot = &p->buffers[buffer];
    return (slot->pinned ? p->kept : p->arena) + slot->offset;
}

static int send(const eex_plan *p, int buffer, const void *from, size_t bytes)
{
    if (!from || buffer < 0)
        return EEX_OK;
    return p->device->vtable->upload(p->device, eex__plan_address(p, buffer), from, bytes);
}

size_t eex_plan_image_bytes(const eex_plan *p)
{
    return p && p->images >= 0 ? p->buffers[p->images].row_bytes : 0;
}

int eex_plan_upload(eex_plan *p, const uint8_t *images, const int32_t *labels,
                    const uint32_t *sample, int batch)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__ANY_PLAN));
    EEX_TRY(eex__plan_check_batch(p, __func__, batch));
    size_t n = (size_t)batch;
    if (p->images >= 0)
        EEX_TRY(send(p, p->images, images, n * p->buffers[p->images].row_bytes));
    EEX_TRY(send(p, p->labels, labels, n * sizeof *labels));
    return send(p, p->sample, sample, n * sizeof *sample);
}

static int find_value(const eex_plan *p, int node, int batch)
{
    int buffer = node >= 0 && node < eex_graph_nodes(p->graph) ? p->value[node] : -1;
    for (int k = 0; k < eex_graph_exits(p->graph) && p->options.gates_apart; k++)
        if (p->gathered[k] >= 0 && eex_graph_exit(p->graph, k)->point == node)
            buffer = p->gathered[k];
    if (buffer < 0 || batch < 1 || batch > p->options.batch)
        return eex_fail(EEX_EINVAL, "plan of %s: no value of node %d for a batch of %d",
                        eex_graph_name(p->graph), node, batch);
    return buffer;
}

int eex_plan_upload_value(eex_plan *p, int node, const float *rows, int batch)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__ANY_PLAN));
    EEX_NEED(rows, "rows");
    int buffer = find_value(p, node, batch);
    EEX_TRY(buffer);
    return send(p, buffer, rows, (size_t)batch * p->buffers[buffer].row_bytes);
}

int eex_plan_download_value(const eex_plan *p, int node, float *rows, int batch)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__ANY_PLAN));
    EEX_NEED(rows, "place for rows");
    int buffer = find_value(p, node, batch);
    EEX_TRY(buffer);
    return p->device->vtable->download(p->device, rows, eex__plan_address(p, buffer),
                                       (size_t)batch * p->buffers[buffer].row_bytes);
}

int eex_plan_logits(const eex_plan *p, int exit, float *logits, int batch)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__ANY_PLAN));
    EEX_NEED(logits, "place for logits");
    EEX_TRY(eex__plan_check_exit(p, __func__, exit));
    EEX_TRY(eex__plan_check_batch(p, __func__, batch));
    int buffer = p->value[eex_graph_exit(p->graph, exit)->logits];
    if (buffer < 0 || p->options.precision == EEX_BF16)
        return eex_fail(EEX_EINVAL, "plan of %s: exit %d is not part of it, or not float32",
                        eex_graph_name(p->graph), exit);
    return p->device->vtable->download(p->device, logits, eex__plan_address(p, buffer),
                                       (size_t)batch * p->buffers[buffer].row_bytes);
}

const float *eex_plan_kept_logits(const eex_plan *p)
{
    const eex_exit *last = p ? eex_graph_exit(p->graph, eex_graph_exits(p->graph) - 1) : NULL;
    return last && p->value[last->logits] >= 0 ? eex__plan_address(p, p->value[last->logits])
                                               : NULL;
}

/* ---- units ---- */

int eex__plan_run_ops(const eex_plan *p, void **recording, const eex_op *ops, void *const *states,
                      int count, const eex_step *step)
{
    const eex_device_vtable *v = p->device->vtable;
    if (v->run_unit)
        return v->run_unit(p->device, recording, ops, states, count, step);
    for (int i = 0; i < count; i++)
        EEX_TRY(v->run(p->device, &ops[i], states[i], step));
    return EEX_OK;
}

void eex__plan_forget(eex_plan *p)
{
    const eex_device_vtable *v = p->device->vtable;
    for (int k = 0; k < EEX_MAX_EXITS && v->forget; k++) {
        v->forget(p->device, p->recording[k]);
        v->forget(p->device, p->gate_recording[k]);
        v->forget(p->device, p->leaving[k].recording);
        p->recording[k] = p->gate_recording[k] = p->leaving[k].recording = NULL;
    }
    for (int i = 0; i < 2 && v->forget_chain; i++) {
        v->forget_chain(p->device, p->single[i]);
        p->single[i] = NULL;
    }
}

/* ---- training ---- */

int eex_plan_step(eex_plan *p, const eex_step *step)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__TRAINING));
    EEX_NEED(step, "step");
    EEX_TRY(eex__plan_check_batch(p, __func__, step->batch));
    eex_device_range(p->device, "step");
    int code = eex__plan_run_ops(p, &p->recording[0], p->ops, p->states, p->op_count, step);
    eex_device_range_end(p->device);
    return code;
}

int eex_plan_totals(eex_plan *p, int exit, eex_totals *out)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__TRAINING));
    EEX_NEED(out, "place for totals");
    EEX_TRY(eex__plan_check_exit(p, __func__, exit));
    double totals[2] = {0};
    const double *at = (const double *)eex__plan_address(p, p->totals) + 2 * exit;
    EEX_TRY(p->device->vtable->sync(p->device));
    EEX_TRY(p->device->vtable->download(p->device, totals, at, sizeof totals));
    *out = (eex_totals){.loss = totals[0], .correct = totals[1]};
    return EEX_OK;
}

int eex_plan_totals_set(eex_plan *p, int exit, const eex_totals *totals)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__TRAINING));
    EEX_NEED(totals, "totals");
    EEX_TRY(eex__plan_check_exit(p, __func__, exit));
    const double values[2] = {totals->loss, totals->correct};
    double *at = (double *)eex__plan_address(p, p->totals) + 2 * exit;
    EEX_TRY(p->device->vtable->upload(p->device, at, values, sizeof values));
    return p->device->vtable->sync(p->device);
}

int eex_plan_totals_reset(eex_plan *p)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__TRAINING));
    return p->device->vtable->zero(p->device, eex__plan_address(p, p->totals),
                                   p->buffers[p->totals].bytes);
}

int eex_plan_grad_norm(eex_plan *p, double *out)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__TRAINING));
    EEX_NEED(out, "place for the norm");
    *out = 0;
    if (p->norm < 0)
        return EEX_OK;
    EEX_TRY(p->device->vtable->sync(p->device));
    return p->device->vtable->download(p->device, out, eex__plan_address(p, p->norm), sizeof *out);
}

/* ---- inference ---- */

void eex__plan_segment(const eex_plan *p, int k, int *first, int *end)
{
    for (*first = 0; *first < p->op_count && p->segment[*first] < k;)
        ++*first;
    for (*end = *first; *end < p->op_count && p->segment[*end] == k;)
        ++*end;
}

static int run_segment(eex_plan *p, int k, int batch)
{
    int first, gate, end;
    eex__plan_parts(p, k, &first, &gate, &end);
    eex_device_range(p->device, "segment %d", k);
    int code = eex__plan_run_part(p, &p->recording[k], first, gate, batch, NULL);
    if (code == EEX_OK && gate < end)
        code = eex__plan_ask_all(p, batch);
    if (code == EEX_OK && gate < end)
        code = eex__plan_run_part(p, &p->gate_recording[k], gate, end, batch, NULL);
    eex_device_range_end(p->device);
    return code;
}

int eex_plan_segments(eex_plan *p, int from, int to, int batch)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    EEX_TRY(eex__plan_check_exit(p, __func__, to));
    EEX_TRY(eex__plan_check_batch(p, __func__, batch));
    EEX_TRY(eex__plan_check_exit(p, __func__, from));
    for (int k = from; k <= to; k++)
        EEX_TRY(run_segment(p, k, batch));
    return EEX_OK;
}

int eex_plan_scores(const eex_plan *p, int exit, eex_scores *out)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    EEX_NEED(out, "place for scores");
    EEX_TRY(eex__plan_check_exit(p, __func__, exit));
    if (exit < 0 || exit >= EEX_MAX_EXITS || p->head_op[exit] < 0)
        return eex_fail(EEX_EINVAL, "plan of %s: no exit %d", eex_graph_name(p->graph), exit);
    const eex_op_head *head = &p->ops[p->head_op[exit]].u.head;
    *out = (eex_scores){.top = head->top,
                        .confidence = head->confidence,
                        .margin = head->margin,
                        .entropy = head->entropy};
    return EEX_OK;
}

int eex_plan_temperature(eex_plan *p, int exit, float temperature)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    eex_scores unused;
    EEX_TRY(eex_plan_scores(p, exit, &unused));
    if (!(temperature > 0))
        return eex_fail(EEX_EINVAL, "temperature of exit %d: %g, expected more than 0", exit,
                        (double)temperature);
    if (p->ops[p->head_op[exit]].u.head.temperature != temperature)
        eex__plan_forget(p);
    p->ops[p->head_op[exit]].u.head.temperature = temperature;
    return EEX_OK;
}
