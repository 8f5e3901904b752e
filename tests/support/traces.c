#include "support/traces.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int head_allocate(eex_device *dev, void **out, size_t bytes)
{
    *out = malloc(bytes ? bytes : 1);
    return *out ? EEX_OK : eex_fail(EEX_ENOMEM, "head device: out of memory");
}

static void head_release(eex_device *dev, void *memory)
{
    free(memory);
}

static int head_copy(eex_device *dev, void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
    return EEX_OK;
}

static int head_prepare(eex_device *dev, void **state, const eex_op *op, int max_batch)
{
    return op->kind == EEX_OP_HEAD || op->kind == EEX_OP_CLASS_STATS ? EEX_OK : EEX_EUNSUPPORTED;
}

static void head_finish(eex_device *dev, const eex_op *op, void *state)
{
}

static int head_sync(eex_device *dev)
{
    return EEX_OK;
}

static void head_sample(const eex_op_head *h, int i)
{
    const float *z = h->logits + (size_t)i * (size_t)h->classes;
    int top = 0, second = -1;
    for (int c = 1; c < h->classes; c++)
        if (z[c] > z[top])
            top = c;
    for (int c = 0; c < h->classes; c++)
        if (c != top && (second < 0 || z[c] > z[second]))
            second = c;
    double sum = 0, weighted = 0;
    for (int c = 0; c < h->classes; c++) {
        double d = ((double)z[c] - z[top]) / h->temperature;
        sum += exp(d);
        weighted += d * exp(d);
    }
    double next = second < 0 ? 0 : exp(((double)z[second] - z[top]) / h->temperature);
    h->top[i] = top;
    h->confidence[i] = (float)(1 / sum);
    h->margin[i] = (float)((1 - next) / sum);
    h->entropy[i] = (float)(log(sum) - weighted / sum);
}

/* Two passes: the mean, then the squared distances from it. */
static void stats_class(const eex_op_class_stats *s, int c, int n)
{
    double sum = 0, m2 = 0;
    int64_t count = 0;
    for (int i = 0; i < n; i++)
        if (s->key[i] == c) {
            sum += (double)s->score[i];
            count++;
        }
    for (int i = 0; i < n; i++)
        if (s->key[i] == c)
            m2 += pow((double)s->score[i] - sum / (double)count, 2);
    s->count[c] = count;
    s->mean[c] = count ? sum / (double)count : 0;
    s->m2[c] = m2;
}

static int head_zero(eex_device *dev, void *memory, size_t bytes)
{
    memset(memory, 0, bytes);
    return EEX_OK;
}

static int head_run(eex_device *dev, const eex_op *op, void *state, const eex_step *step)
{
    for (int c = 0; op->kind == EEX_OP_CLASS_STATS && c < op->u.class_stats.classes; c++)
        stats_class(&op->u.class_stats, c, step->batch);
    for (int i = 0; op->kind == EEX_OP_HEAD && i < step->batch; i++)
        head_sample(&op->u.head, i);
    return EEX_OK;
}

static void head_close(eex_device *dev)
{
}

eex_device *test_head_device(void)
{
    static const eex_device_vtable vtable = {.kind = "head",
                                             .close = head_close,
                                             .allocate = head_allocate,
                                             .release = head_release,
                                             .upload = head_copy,
                                             .download = head_copy,
                                             .zero = head_zero,
                                             .prepare = head_prepare,
                                             .run = head_run,
                                             .finish = head_finish,
                                             .sync = head_sync};
    static eex_device device = {.vtable = &vtable, .name = "naive head", .threads = 1};
    return &device;
}

/* A generator of its own, so that traces stay the same whatever becomes of the library's. */
static double uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) * 0x1p-53;
}

static double normal(uint64_t *state)
{
    double u = uniform(state), v = uniform(state);
    return sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * v);
}

void test_trace_fill(eex_trace *t, uint64_t seed)
{
    uint64_t s = seed * 2654435761u + 1;
    size_t n = (size_t)t->samples, classes = (size_t)t->classes;
    for (size_t i = 0; i < n; i++) {
        double ease = 3 + 2 * normal(&s); /* shared by all exits */
        int decoy = (int)(uniform(&s) * t->classes);
        t->labels[i] = (int32_t)(uniform(&s) * t->classes);
        t->sample[i] = (uint32_t)(7 * i + 3);
        for (size_t k = 0; k < (size_t)t->exits; k++) {
            float *z = t->logits + (k * n + i) * classes;
            double power = 0.6 + 0.8 * (double)(k + 1) / t->exits;
            for (size_t c = 0; c < classes; c++)
                z[c] = (float)normal(&s);
            z[decoy] += 1.2f;
            z[t->labels[i]] += (float)(ease * power + 0.7 * normal(&s));
        }
    }
}
