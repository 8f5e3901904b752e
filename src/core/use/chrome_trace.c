#include "core/use/chrome_trace.h"

#include "core/engine/walk.h"
#include "core/use/profile.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

struct eex_chrome_trace {
    const eex_model *model;
    eex_buffer text;
    eex_json json;
    double origin; /* seconds of the clock that are 0 in the file */
};

enum { PROCESS = 1, THREAD = 1 };

/* ---- events ---- */

static void name_of(eex_json *j, const char *what, int thread, const char *name)
{
    eex_json_object(j, NULL);
    eex_json_string(j, "name", what);
    eex_json_string(j, "ph", "M");
    eex_json_int(j, "pid", PROCESS);
    eex_json_int(j, "tid", thread);
    eex_json_object(j, "args");
    eex_json_string(j, "name", name);
    eex_json_end(j);
    eex_json_end(j);
}

/* Leaves the event open, inside its arguments. */
static eex_json *begin_event(eex_chrome_trace *t, const char *name, const char *category,
                             double begin, double end)
{
    eex_json *j = &t->json;
    eex_json_object(j, NULL);
    eex_json_string(j, "name", name);
    eex_json_string(j, "cat", category);
    eex_json_string(j, "ph", "X");
    eex_json_double(j, "ts", 1e6 * (begin - t->origin));
    eex_json_double(j, "dur", 1e6 * (end - begin));
    eex_json_int(j, "pid", PROCESS);
    eex_json_int(j, "tid", THREAD);
    eex_json_object(j, "args");
    return j;
}

static void end_event(eex_chrome_trace *t)
{
    eex_json_end(&t->json);
    eex_json_end(&t->json);
}

static void transfer(eex_chrome_trace *t, const char *name, const eex_leg *leg)
{
    begin_event(t, name, "transfer", leg->begin, leg->end);
    end_event(t);
}

int eex_chrome_trace_new(eex_chrome_trace **out, const eex_model *model)
{
    eex_chrome_trace *t = calloc(1, sizeof *t);
    *out = t;
    if (!t)
        return eex_fail(EEX_ENOMEM, "out of memory for a Chrome trace");
    t->model = model;
    t->json = (eex_json)EEX_JSON_INIT(&t->text);
    t->json.compact = true;
    t->origin = eex_clock_seconds();
    eex_json_object(&t->json, NULL);
    eex_json_string(&t->json, "displayTimeUnit", "ms");
    eex_json_array(&t->json, "traceEvents");
    name_of(&t->json, "process_name", 0, eex_graph_name(model->graph));
    name_of(&t->json, "thread_name", THREAD, model->params->device->name);
    return EEX_OK;
}

void eex_chrome_trace_free(eex_chrome_trace *t)
{
    if (!t)
        return;
    eex_buffer_free(&t->text);
    free(t);
}

/* ---- a batch ---- */

/* What the guest of a walk remembers. */
typedef struct journey {
    eex_guest guest;
    eex_leg input, results;
    eex_leg trunk[EEX_MAX_EXITS], segment[EEX_MAX_EXITS], exit[EEX_MAX_EXITS];
    int exits;       /* that were reached */
    eex_span *spans; /* (ops) */
    eex_result *result;
} journey;

static void remember(eex_guest *guest, const eex_leg *leg)
{
    journey *y = (journey *)guest;
    switch (leg->kind) {
    case EEX_LEG_INPUT:
        y->input = *leg;
        y->exits = 0;
        break;
    case EEX_LEG_TRUNK:
        y->trunk[leg->exit] = *leg;
        break;
    case EEX_LEG_SEGMENT:
        y->segment[leg->exit] = *leg;
        break;
    case EEX_LEG_EXIT:
        y->exit[leg->exit] = *leg;
        y->exits = leg->exit + 1;
        break;
    case EEX_LEG_RESULTS:
        y->results = *leg;
        break;
    }
}

/* Twice, so that nothing is slow because it is new. */
static int run(journey *y, eex_device *device, const eex_engine *engine, const uint8_t *images,
               int count)
{
    eex_walk walk = eex_engine_walk(engine);
    walk.spans = y->spans;
    EEX_TRY(eex_walk_invite(&walk, &y->guest));
    EEX_TRY(eex_device_lock(device));
    int code = eex_walk_run(&walk, y->result, images, count);
    if (code == EEX_OK)
        code = eex_walk_run(&walk, y->result, images, count);
    eex_device_unlock(device);
    return code;
}

/* ---- telling ---- */

static const char *class_name(const eex_model *m, int class)
{
    return class >= 0 && (size_t) class < m->input.classes.count ? m->input.classes.item[class]
                                                                 : NULL;
}

static void tell_batch(eex_chrome_trace *t, const journey *y, const uint32_t *sample,
                       const int32_t *labels, int count)
{
    char name[64];
    const eex_result *r = y->result;
    if (count == 1)
        snprintf(name, sizeof name, "sample %u", (unsigned)sample[0]);
    else
        snprintf(name, sizeof name, "batch of %d", count);
    eex_json *j = begin_event(t, name, "input", y->input.begin, y->results.end);
    eex_json_int(j, "rows", count);
    if (count == 1) {
        eex_json_int(j, "exit", r->exit + 1);
        eex_json_string(j, "class", class_name(t->model, r->top));
        eex_json_string(j, "label", class_name(t->model, labels[0]));
        eex_json_double(j, "confidence", (double)r->confidence);
        eex_json_bool(j, "rejected", r->decision == EEX_REJECT);
    }
    end_event(t);
}

static void tell_op(eex_chrome_trace *t, const eex_op *op, const eex_span *span, int rows)
{
    eex_json *j = begin_event(t, op->name, "op", span->begin, span->end);
    eex_json_string(j, "kind", eex_profile_kind(op));
    eex_json_int(j, "rows", rows);
    eex_json_double(j, "macs", rows * eex_profile_macs(op));
    eex_json_double(j, "bytes", eex_profile_bytes(op, rows));
    end_event(t);
}

/* Where a gate is computed for some rows alone, it begins with gathering them. */
static void tell_ops(eex_chrome_trace *t, const journey *y, const eex_plan *plan, int k)
{
    int rows = y->exit[k].rows;
    for (int i = 0; i < eex_plan_ops(plan); i++) {
        if (eex_plan_op_segment(plan, i) != k)
            continue;
        if (eex_plan_op(plan, i)->kind == EEX_OP_COMPACT)
            rows = y->segment[k].rows;
        if (rows > 0)
            tell_op(t, eex_plan_op(plan, i), &y->spans[i], rows);
    }
}

static void tell_exit(eex_chrome_trace *t, const journey *y, const eex_plan *plan, int k)
{
    char name[64];
    const eex_leg *trunk = &y->trunk[k];
    const eex_leg *s = &y->segment[k], *x = &y->exit[k];
    const eex_graph *g = t->model->graph;
    snprintf(name, sizeof name, "segment %d", k + 1);
    eex_json *j =
        begin_event(t, name, "segment", trunk->rows > 0 ? trunk->begin : s->begin, s->end);
    eex_json_int(j, "rows", x->rows);
    eex_json_int(j, "asked", s->rows);
    end_event(t);
    tell_ops(t, y, plan, k);
    snprintf(name, sizeof name, "exit %d", k + 1);
    j = begin_event(t, name, "exit", x->begin, x->end);
    eex_json_string(j, "node", eex_graph_node(g, eex_graph_exit(g, k)->point)->name);
    eex_json_int(j, "rows", x->rows);
    eex_json_int(j, "leave", x->rows - x->stay);
    end_event(t);
}

static void tell(eex_chrome_trace *t, const journey *y, const eex_plan *plan,
                 const uint32_t *sample, const int32_t *labels, int count)
{
    tell_batch(t, y, sample, labels, count);
    transfer(t, "input", &y->input);
    for (int k = 0; k < y->exits; k++)
        tell_exit(t, y, plan, k);
    transfer(t, "results", &y->results);
}

int eex_chrome_trace_run(eex_chrome_trace *t, eex_engine *engine, const uint8_t *images,
                         const uint32_t *sample, const int32_t *labels, int count)
{
    const eex_plan *plan = eex_engine_walk(engine).plan;
    journey y = {.guest.leg = remember};
    if (count < 1 || count > eex_engine_rows(engine))
        return eex_fail(EEX_EINVAL, "Chrome trace: %d images at once, expected 1 to %d", count,
                        eex_engine_rows(engine));
    y.spans = calloc((size_t)eex_plan_ops(plan) + 1, sizeof *y.spans);
    y.result = calloc((size_t)count + 1, sizeof *y.result);
    int code =
        y.spans && y.result ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a Chrome trace");
    if (code == EEX_OK)
        code = run(&y, t->model->params->device, engine, images, count);
    if (code == EEX_OK)
        tell(t, &y, plan, sample, labels, count);
    free(y.spans);
    free(y.result);
    return code == EEX_OK ? eex_buffer_status(&t->text) : code;
}

int eex_chrome_trace_write(eex_chrome_trace *t, const char *path)
{
    eex_json_end(&t->json);
    eex_json_end(&t->json);
    eex_buffer_putc(&t->text, '\n');
    EEX_TRY(eex_buffer_status(&t->text));
    return eex_fs_write(path, t->text.data, t->text.size);
}
