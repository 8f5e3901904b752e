#include "core/policy/class_stats.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* One block of device memory, laid out by alignment: doubles first. */
typedef struct layout {
    size_t mean, m2, count, score, key, bytes;
} layout;

static layout lay_out(size_t n, size_t classes)
{
    layout l = {.mean = 0};
    l.m2 = l.mean + classes * sizeof(double);
    l.count = l.m2 + classes * sizeof(double);
    l.score = (l.count + classes * sizeof(int64_t) + 63) / 64 * 64;
    l.key = (l.score + n * sizeof(float) + 63) / 64 * 64;
    l.bytes = l.key + n * sizeof(int32_t);
    return l;
}

static int fetch(eex_regressor *out, eex_device *d, const unsigned char *at, const layout *l,
                 size_t classes)
{
    double *host = malloc(3 * classes * sizeof *host);
    if (!host)
        return eex_fail(EEX_ENOMEM, "out of memory for statistics of %zu classes", classes);
    int code = d->vtable->sync(d);
    if (code == EEX_OK) /* mean, m2 and count lie behind each other */
        code = d->vtable->download(d, host, at + l->mean, 3 * classes * sizeof *host);
    for (size_t c = 0; c < classes && code == EEX_OK; c++) {
        int64_t count;
        memcpy(&count, host + 2 * classes + c, sizeof count);
        out[c] = (eex_regressor){count, host[c], host[classes + c]};
    }
    free(host);
    return code;
}

static int run(eex_device *d, unsigned char *at, const layout *l, int n, int classes)
{
    eex_op op = {.kind = EEX_OP_CLASS_STATS, .name = "class statistics"};
    op.u.class_stats = (eex_op_class_stats){.classes = classes,
                                            .score = (const float *)(at + l->score),
                                            .key = (const int32_t *)(at + l->key),
                                            .count = (int64_t *)(at + l->count),
                                            .mean = (double *)(at + l->mean),
                                            .m2 = (double *)(at + l->m2)};
    const eex_step step = {.batch = n};
    void *state = NULL;
    EEX_TRY(d->vtable->prepare(d, &state, &op, n));
    int code = d->vtable->run(d, &op, state, &step);
    d->vtable->finish(d, &op, state);
    return code;
}

int eex__class_stats(eex_regressor *out, eex_device *d, const float *score, const int32_t *key,
                     int n, int classes)
{
    size_t some = (size_t)n;
    const layout l = lay_out(some, (size_t)classes);
    unsigned char *at = NULL;
    EEX_TRY(d->vtable->allocate(d, (void **)&at, l.bytes));
    int code = d->vtable->upload(d, at + l.score, score, some * sizeof *score);
    if (code == EEX_OK)
        code = key ? d->vtable->upload(d, at + l.key, key, some * sizeof *key)
                   : d->vtable->zero(d, at + l.key, some * sizeof *key);
    if (code == EEX_OK)
        code = run(d, at, &l, n, classes);
    if (code == EEX_OK)
        code = fetch(out, d, at, &l, (size_t)classes);
    d->vtable->release(d, at);
    return code;
}
