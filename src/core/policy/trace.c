#include "core/policy/trace.h"

#include "device/decide.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Samples that one run of the device's head takes. */
enum { SCORE_BATCH = 1024 };

void eex_trace_free(eex_trace *trace)
{
    if (!trace)
        return;
    free(trace->labels);
    free(trace->sample);
    free(trace->logits);
    free(trace->temperature);
    free(trace->top);
    free(trace->confidence);
    free(trace->margin);
    free(trace->entropy);
    free(trace->distance);
    free(trace);
}

static int trace_check_shape(int samples, int exits, int classes)
{
    if (samples < 1 || exits < 1 || exits > EEX_MAX_EXITS || classes < 1)
        return eex_fail(EEX_EINVAL,
                        "trace: %d samples, %d exits, %d classes: at least 1 of each and at most "
                        "%d exits",
                        samples, exits, classes, EEX_MAX_EXITS);
    if ((size_t)samples > SIZE_MAX / sizeof(float) / (size_t)exits / (size_t)classes)
        return eex_fail(EEX_ENOMEM, "trace: %d samples x %d exits x %d classes do not fit", samples,
                        exits, classes);
    return EEX_OK;
}

int eex_trace_new(eex_trace **out, int samples, int exits, int classes)
{
    EEX_NEED(out, "place for the trace");
    *out = NULL;
    EEX_TRY(trace_check_shape(samples, exits, classes));
    size_t n = (size_t)samples, all = n * (size_t)exits;
    eex_trace *t = calloc(1, sizeof *t);
    if (!t)
        return eex_fail(EEX_ENOMEM, "trace: out of memory");
    t->samples = samples;
    t->exits = exits;
    t->classes = classes;
    t->labels = calloc(n, sizeof *t->labels);
    t->sample = calloc(n, sizeof *t->sample);
    t->logits = calloc(all * (size_t)classes, sizeof *t->logits);
    t->temperature = calloc((size_t)exits, sizeof *t->temperature);
    t->top = calloc(all, sizeof *t->top);
    t->confidence = calloc(all, sizeof *t->confidence);
    t->margin = calloc(all, sizeof *t->margin);
    t->entropy = calloc(all, sizeof *t->entropy);
    if (!t->labels || !t->sample || !t->logits || !t->temperature || !t->top || !t->confidence ||
        !t->margin || !t->entropy) {
        eex_trace_free(t);
        return eex_fail(EEX_ENOMEM, "trace: out of memory for %d samples x %d exits x %d classes",
                        samples, exits, classes);
    }
    for (int k = 0; k < exits; k++)
        t->temperature[k] = 1;
    *out = t;
    return EEX_OK;
}

int eex_trace_add_distance(eex_trace *t)
{
    EEX_NEED(t, "trace");
    t->distance = calloc((size_t)t->exits * (size_t)t->samples, sizeof *t->distance);
    return t->distance
               ? EEX_OK
               : eex_fail(EEX_ENOMEM, "trace: out of memory for the distances of %d samples",
                          t->samples);
}

/* A copy has distances where the original has. */
static int trace_new_like(eex_trace **out, const eex_trace *like, int samples, int exits)
{
    EEX_TRY(eex_trace_new(out, samples, exits, like->classes));
    int code = like->distance ? eex_trace_add_distance(*out) : EEX_OK;
    if (code < 0) {
        eex_trace_free(*out);
        *out = NULL;
    }
    return code;
}

int eex_trace_check(const eex_trace *t)
{
    EEX_NEED(t, "trace");
    size_t classes = (size_t)t->classes, n = (size_t)t->samples;
    for (size_t i = 0; i < n; i++)
        if (t->labels[i] < 0 || t->labels[i] >= t->classes)
            return eex_fail(EEX_EINVAL, "trace: sample %zu has label %d, expected 0 to %d", i,
                            (int)t->labels[i], t->classes - 1);
    for (size_t i = 0; i < n * (size_t)t->exits * classes; i++)
        if (!isfinite(t->logits[i]))
            return eex_fail(EEX_EDIVERGED,
                            "trace: exit %zu answers %s for sample %u: its training diverged "
                            "(lower the learning rate or clip gradients)",
                            i / classes / n, isnan(t->logits[i]) ? "NaN" : "infinity",
                            (unsigned)t->sample[i / classes % n]);
    return EEX_OK;
}

/* Device memory for one batch of one exit. */
typedef struct score_buffers {
    void *logits, *top, *confidence, *margin, *entropy;
} score_buffers;

static void score_release(eex_device *d, score_buffers *b)
{
    d->vtable->release(d, b->logits);
    d->vtable->release(d, b->top);
    d->vtable->release(d, b->confidence);
    d->vtable->release(d, b->margin);
    d->vtable->release(d, b->entropy);
}

static int score_allocate(eex_device *d, score_buffers *b, size_t batch, size_t classes)
{
    EEX_TRY(d->vtable->allocate(d, &b->logits, batch * classes * sizeof(float)));
    EEX_TRY(d->vtable->allocate(d, &b->top, batch * sizeof(int32_t)));
    EEX_TRY(d->vtable->allocate(d, &b->confidence, batch * sizeof(float)));
    EEX_TRY(d->vtable->allocate(d, &b->margin, batch * sizeof(float)));
    return d->vtable->allocate(d, &b->entropy, batch * sizeof(float));
}

static int score_batch(eex_trace *t, eex_device *d, const eex_op *op, void *state, size_t at,
                       int batch)
{
    const eex_op_head *h = &op->u.head;
    const eex_step step = {.batch = batch};
    size_t n = (size_t)batch, classes = (size_t)t->classes;
    EEX_TRY(d->vtable->upload(d, h->logits, t->logits + at * classes, n * classes * sizeof(float)));
    EEX_TRY(d->vtable->run(d, op, state, &step));
    EEX_TRY(d->vtable->sync(d));
    EEX_TRY(d->vtable->download(d, t->top + at, h->top, n * sizeof(int32_t)));
    EEX_TRY(d->vtable->download(d, t->confidence + at, h->confidence, n * sizeof(float)));
    EEX_TRY(d->vtable->download(d, t->margin + at, h->margin, n * sizeof(float)));
    return d->vtable->download(d, t->entropy + at, h->entropy, n * sizeof(float));
}

static int score_exit(eex_trace *t, eex_device *d, const score_buffers *b, int k, float temperature,
                      int batch)
{
    eex_op op = {.kind = EEX_OP_HEAD, .name = "trace"};
    op.u.head = (eex_op_head){.classes = t->classes,
                              .logits = b->logits,
                              .temperature = temperature,
                              .top = b->top,
                              .confidence = b->confidence,
                              .margin = b->margin,
                              .entropy = b->entropy};
    void *state = NULL;
    EEX_TRY(d->vtable->prepare(d, &state, &op, batch));
    int status = EEX_OK;
    for (int i = 0; i < t->samples && status == EEX_OK; i += batch) {
        int some = t->samples - i < batch ? t->samples - i : batch;
        status = score_batch(t, d, &op, state, (size_t)k * (size_t)t->samples + (size_t)i, some);
    }
    d->vtable->finish(d, &op, state);
    if (status == EEX_OK)
        t->temperature[k] = temperature;
    return status;
}

int eex_trace_score(eex_trace *trace, eex_device *device, const float *temperature)
{
    EEX_NEED(trace, "trace");
    EEX_NEED(device, "device");
    EEX_NEED(temperature, "temperatures");
    for (int k = 0; k < trace->exits; k++)
        if (!(temperature[k] > 0) || isinf(temperature[k]))
            return eex_fail(EEX_EINVAL, "trace: temperature %g of exit %d: a positive number",
                            (double)temperature[k], k);
    EEX_TRY(eex_trace_check(trace));
    int batch = trace->samples < SCORE_BATCH ? trace->samples : SCORE_BATCH;
    score_buffers b = {0};
    int status = score_allocate(device, &b, (size_t)batch, (size_t)trace->classes);
    for (int k = 0; k < trace->exits && status == EEX_OK; k++)
        status = score_exit(trace, device, &b, k, temperature[k], batch);
    score_release(device, &b);
    return status;
}

double eex_trace_accuracy(const eex_trace *trace, int exit)
{
    if (!trace || exit < 0 || exit >= trace->exits)
        return (double)NAN;
    const int32_t *top = trace->top + (size_t)exit * (size_t)trace->samples;
    int right = 0;
    for (int i = 0; i < trace->samples; i++)
        right += top[i] == trace->labels[i];
    return (double)right / trace->samples;
}

static void trace_copy_exit(eex_trace *to, int j, const eex_trace *from, int k)
{
    size_t n = (size_t)from->samples, classes = (size_t)from->classes;
    size_t a = (size_t)j * n, b = (size_t)k * n;
    memcpy(to->logits + a * classes, from->logits + b * classes, n * classes * sizeof(float));
    memcpy(to->top + a, from->top + b, n * sizeof(int32_t));
    memcpy(to->confidence + a, from->confidence + b, n * sizeof(float));
    memcpy(to->margin + a, from->margin + b, n * sizeof(float));
    memcpy(to->entropy + a, from->entropy + b, n * sizeof(float));
    if (from->distance)
        memcpy(to->distance + a, from->distance + b, n * sizeof(float));
    to->temperature[j] = from->temperature[k];
}

int eex_trace_select(eex_trace **out, const eex_trace *trace, const int *exits, int count)
{
    EEX_NEED(out, "place for the trace");
    EEX_NEED(trace, "trace");
    EEX_NEED(exits, "exits");
    *out = NULL;
    for (int j = 0; j < count; j++)
        if (exits[j] < 0 || exits[j] >= trace->exits)
            return eex_fail(EEX_EINVAL, "trace: exit %d: there are 0 to %d", exits[j],
                            trace->exits - 1);
    EEX_TRY(trace_new_like(out, trace, trace->samples, count));
    size_t n = (size_t)trace->samples;
    memcpy((*out)->labels, trace->labels, n * sizeof *trace->labels);
    memcpy((*out)->sample, trace->sample, n * sizeof *trace->sample);
    for (int j = 0; j < count; j++)
        trace_copy_exit(*out, j, trace, exits[j]);
    return EEX_OK;
}

static void trace_copy_row(eex_trace *to, size_t i, const eex_trace *from, size_t j)
{
    const size_t classes = (size_t)from->classes;
    to->labels[i] = from->labels[j];
    to->sample[i] = from->sample[j];
    for (size_t k = 0; k < (size_t)from->exits; k++) {
        size_t a = k * (size_t)to->samples + i, b = k * (size_t)from->samples + j;
        memcpy(to->logits + a * classes, from->logits + b * classes, classes * sizeof(float));
        to->top[a] = from->top[b];
        to->confidence[a] = from->confidence[b];
        to->margin[a] = from->margin[b];
        to->entropy[a] = from->entropy[b];
        if (from->distance)
            to->distance[a] = from->distance[b];
    }
}

int eex_trace_take(eex_trace **out, const eex_trace *trace, const uint32_t *rows, int count)
{
    EEX_NEED(out, "place for the trace");
    EEX_NEED(trace, "trace");
    EEX_NEED(rows, "rows");
    *out = NULL;
    for (int i = 0; i < count; i++)
        if (rows[i] >= (uint32_t)trace->samples)
            return eex_fail(EEX_EINVAL, "trace: sample %u: there are 0 to %d", rows[i],
                            trace->samples - 1);
    EEX_TRY(trace_new_like(out, trace, count, trace->exits));
    memcpy((*out)->temperature, trace->temperature,
           (size_t)trace->exits * sizeof *trace->temperature);
    for (int i = 0; i < count; i++)
        trace_copy_row(*out, (size_t)i, trace, rows[i]);
    return EEX_OK;
}
