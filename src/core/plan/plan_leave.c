/* Leaving: what happens between two segments. Decisions are made where the scores are, on the
 * device; the host learns one number, how many rows stay, because it is what the next segment is
 * run with. */
#include "core/plan/plan_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* ---- lowering ---- */

static int32_t *words(const eex_plan *p, int buffer)
{
    return eex__plan_address(p, buffer);
}

static eex_op leave_op(const eex_plan *p, int k)
{
    const eex_op_head *head = &p->ops[p->head_op[k]].u.head;
    eex_op op = {.kind = EEX_OP_LEAVE, .name = "leave"};
    op.u.leave = (eex_op_leave){.exit = k,
                                .top = head->top,
                                .confidence = head->confidence,
                                .margin = head->margin,
                                .entropy = head->entropy,
                                .decision = eex__plan_address(p, p->decision),
                                .at = p->gate[k] >= 0 ? words(p, p->at) : NULL,
                                .count = words(p, p->rows),
                                .row = words(p, p->rows) + 1,
                                .index = words(p, p->index) + 1,
                                .results = eex__plan_address(p, p->results)};
    return op;
}

/* `count` is where the number of survivors stands. */
static eex_op compact_op(const eex_plan *p, const eex_slot *b, const int32_t *count)
{
    eex_op op = {.kind = EEX_OP_COMPACT, .name = "compact"};
    op.u.compact = (eex_op_compact){.row_bytes = b->row_bytes,
                                    .data = p->arena + b->offset,
                                    .index = words(p, p->index) + 1,
                                    .count = count};
    return op;
}

static int lower_exit(eex_plan *p, int k)
{
    eex_leaving *l = &p->leaving[k];
    l->ops = calloc((size_t)l->passing_count + 1, sizeof *l->ops);
    l->states = calloc((size_t)l->passing_count + 1, sizeof *l->states);
    if (!l->ops || !l->states)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for leaving at exit %d", k);
    l->ops[l->count++] = leave_op(p, k);
    for (int i = 0; i < l->passing_count; i++)
        l->ops[l->count++] = compact_op(p, &p->buffers[l->buffer[i]], words(p, p->rows));
    for (int i = 0; i < l->count; i++)
        EEX_TRY(p->device->vtable->prepare(p->device, &l->states[i], &l->ops[i], p->options.batch));
    return EEX_OK;
}

int eex__plan_lower_leaving(eex_plan *p)
{
    int32_t *all = malloc(((size_t)p->options.batch + 1) * sizeof *all);
    if (!all)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for a batch of %d", p->options.batch);
    for (int i = 0; i < p->options.batch; i++)
        all[i + 1] = i;
    p->everybody = all;
    if (p->options.gates_apart) {
        p->asked = malloc((1 + 2 * (size_t)p->options.batch) * sizeof *p->asked);
        if (!p->asked)
            return eex_fail(EEX_ENOMEM, "plan: out of memory for a batch of %d", p->options.batch);
    }
    for (int k = 0; k < eex_graph_exits(p->graph); k++)
        if (p->head_op[k] >= 0)
            EEX_TRY(lower_exit(p, k));
    return EEX_OK;
}

void eex__plan_leaving_free(eex_plan *p)
{
    free(p->everybody);
    free(p->asked);
    p->everybody = p->asked = NULL;
    for (int k = 0; k < EEX_MAX_EXITS; k++) {
        eex_leaving *l = &p->leaving[k];
        for (int i = 0; i < l->count && l->states; i++)
            p->device->vtable->finish(p->device, &l->ops[i], l->states[i]);
        free(l->passing);
        free(l->buffer);
        free(l->ops);
        free(l->states);
        *l = (eex_leaving){0};
    }
}

/* ---- running ---- */

static int upload(eex_plan *p, void *to, const void *from, size_t bytes)
{
    return p->device->vtable->upload(p->device, to, from, bytes);
}

int eex_plan_decide(eex_plan *p, eex_measure measure, const float *high, const float *low)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    EEX_NEED(high, "thresholds");
    EEX_NEED(low, "lower thresholds");
    size_t classes = (size_t)eex_graph_classes(p->graph);
    float *at = eex__plan_address(p, p->threshold);
    eex__plan_forget(p);
    for (int k = 0; k < eex_graph_exits(p->graph); k++, at += 2 * classes) {
        if (p->head_op[k] < 0)
            continue;
        eex_op_head *head = &p->ops[p->head_op[k]].u.head;
        EEX_TRY(upload(p, at, high + (size_t)k * classes, classes * sizeof *high));
        EEX_TRY(upload(p, at + classes, low + (size_t)k * classes, classes * sizeof *low));
        head->measure = measure;
        head->high = at;
        head->low = at + classes;
        head->decision = eex__plan_address(p, p->decision);
    }
    return EEX_OK;
}

int eex_plan_gather(eex_plan *p, int batch)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    EEX_TRY(eex__plan_check_batch(p, __func__, batch));
    p->everybody[0] = batch;
    return upload(p, words(p, p->rows), p->everybody, ((size_t)batch + 1) * sizeof *p->everybody);
}

static int rows_left(const eex_plan *p, int *stay)
{
    int32_t count = 0;
    EEX_TRY(p->device->vtable->download(p->device, &count, words(p, p->rows), sizeof count));
    *stay = count;
    return EEX_OK;
}

/* Where the host sees the device's memory, nothing is moved that nobody will read. */
static int leave_here(eex_plan *p, eex_leaving *l, int batch, int *stay)
{
    const eex_device_vtable *v = p->device->vtable;
    eex_step step = {.batch = batch};
    EEX_TRY(v->run(p->device, &l->ops[0], l->states[0], &step));
    EEX_TRY(rows_left(p, stay));
    step.batch = *stay;
    const int moved = *stay > 0 && *stay < batch ? l->count : 1;
    for (int i = 1; i < moved; i++)
        EEX_TRY(v->run(p->device, &l->ops[i], l->states[i], &step));
    return EEX_OK;
}

int eex_plan_leave(eex_plan *p, int exit, int batch, int *stay)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    EEX_NEED(stay, "place for who stays");
    EEX_TRY(eex__plan_check_exit(p, __func__, exit));
    EEX_TRY(eex__plan_check_batch(p, __func__, batch));
    eex_leaving *l = &p->leaving[exit];
    if (p->device->host_memory)
        return leave_here(p, l, batch, stay);
    eex_step step = {.batch = batch};
    eex_device_range(p->device, "exit %d", exit);
    int code = eex__plan_run_ops(p, &l->recording, l->ops, l->states, l->count, &step);
    *stay = 0; /* nobody stays at the end, and nobody has to wait to hear it */
    if (code == EEX_OK && exit + 1 < eex_graph_exits(p->graph))
        code = rows_left(p, stay);
    eex_device_range_end(p->device);
    return code;
}

/* The segments, each with who leaves behind it, or all of them in front of the last exit. */
static int make_links(const eex_plan *p, bool leaves, eex_link *links)
{
    const int exits = eex_graph_exits(p->graph);
    int count = 0;
    for (int k = leaves ? 0 : exits - 1; k < exits; k++) {
        int first, end;
        eex__plan_segment(p, k, &first, &end);
        first = leaves ? first : 0;
        links[count++] = (eex_link){p->ops + first, p->states + first, end - first,
                                    &p->leaving[k].ops[0], p->leaving[k].states[0]};
    }
    return count;
}

int eex_plan_run_single(eex_plan *p, bool leaves, bool *done)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    EEX_NEED(done, "place for whether it was done");
    eex_link links[EEX_MAX_EXITS];
    const eex_step step = {.batch = 1};
    *done = p->device->chains && !p->options.gates_apart && p->options.part.side == EEX_PLAN_WHOLE;
    if (!*done)
        return EEX_OK;
    const int count = make_links(p, leaves, links);
    return p->device->vtable->run_chain(p->device, &p->single[leaves], links, count, &step, done);
}

int eex_plan_inputs(const eex_plan *p, int32_t *input, int rows)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    EEX_NEED(input, "place for numbers");
    EEX_TRY(eex__plan_check_batch(p, __func__, rows));
    const int32_t *row = eex__plan_address(p, p->rows);
    return p->device->vtable->download(p->device, input, row + 1, (size_t)rows * sizeof *input);
}

int eex_plan_decisions(const eex_plan *p, uint8_t *decision, int batch)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    EEX_NEED(decision, "place for decisions");
    EEX_TRY(eex__plan_check_batch(p, __func__, batch));
    return p->device->vtable->download(p->device, decision, eex__plan_address(p, p->decision),
                                       (size_t)batch);
}

int eex_plan_set_decisions(eex_plan *p, const uint8_t *decision, int batch)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    EEX_NEED(decision, "decisions");
    EEX_TRY(eex__plan_check_batch(p, __func__, batch));
    return upload(p, eex__plan_address(p, p->decision), decision, (size_t)batch);
}

int eex_plan_results(eex_plan *p, eex_result *results, int batch)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    EEX_NEED(results, "place for results");
    EEX_TRY(eex__plan_check_batch(p, __func__, batch));
    return p->device->vtable->download(p->device, results, eex__plan_address(p, p->results),
                                       (size_t)batch * sizeof *results);
}

int eex_plan_compact(eex_plan *p, int exit, const int32_t *index, int count)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    EEX_NEED(index, "index");
    EEX_TRY(eex__plan_check_exit(p, __func__, exit));
    EEX_TRY(eex__plan_check_batch(p, __func__, count));
    const eex_step step = {.batch = count};
    const int32_t stay = count;
    const eex_leaving *l = &p->leaving[exit];
    int32_t *to = words(p, p->index);
    EEX_TRY(upload(p, to, &stay, sizeof stay));
    EEX_TRY(upload(p, to + 1, index, (size_t)count * sizeof *index));
    for (int i = 0; i < l->passing_count; i++) {
        eex_op op = compact_op(p, &p->buffers[l->buffer[i]], to);
        EEX_TRY(p->device->vtable->run(p->device, &op, NULL, &step));
    }
    return EEX_OK;
}
