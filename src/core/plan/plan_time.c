/* Timing the ops of a plan where they are: each with the caches as the ops before it leave them. */
#include "core/plan/plan_impl.h"

#include "base/clock.h"
#include "base/status.h"

#include <stdlib.h>

enum { WARM_UP = 3 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One run of all ops; op i's time goes to ms[i * stride]. */
static int time_round(eex_plan *p, double *ms, int stride, const eex_step *step)
{
    eex_device *dev = p->device;
    EEX_TRY(dev->vtable->sync(dev));
    for (int i = 0; i < p->op_count; i++) {
        double begin = eex_clock_seconds();
        EEX_TRY(dev->vtable->run(dev, &p->ops[i], p->states[i], step));
        EEX_TRY(dev->vtable->sync(dev));
        ms[(size_t)i * (size_t)stride] = 1e3 * (eex_clock_seconds() - begin);
    }
    return EEX_OK;
}

int eex_plan_spans(eex_plan *p, eex_span *spans, int segment, int batch)
{
    const eex_step step = {.batch = batch};
    eex_device *dev = p->device;
    int first, end;
    eex__plan_segment(p, segment, &first, &end);
    EEX_TRY(dev->vtable->sync(dev));
    for (int i = first; i < end; i++) {
        spans[i].begin = eex_clock_seconds();
        EEX_TRY(dev->vtable->run(dev, &p->ops[i], p->states[i], &step));
        EEX_TRY(dev->vtable->sync(dev));
        spans[i].end = eex_clock_seconds();
    }
    return EEX_OK;
}

int eex_plan_time(eex_plan *p, double *ms, int rounds, int batch)
{
    const eex_step step = {.batch = batch};
    size_t ops = (size_t)p->op_count, each = (size_t)rounds;
    double *all = rounds > 0 ? calloc(ops * each + 1, sizeof *all) : NULL;
    if (!all)
        return eex_fail(EEX_ENOMEM, "out of memory for %d runs of %zu ops", rounds, ops);
    int code = EEX_OK;
    for (int r = 0; r < WARM_UP && code == EEX_OK; r++)
        code = time_round(p, all, rounds, &step);
    for (int r = 0; r < rounds && code == EEX_OK; r++)
        code = time_round(p, all + r, rounds, &step);
    for (size_t i = 0; i < ops && code == EEX_OK; i++) {
        qsort(all + i * each, each, sizeof *all, compare);
        ms[i] = all[i * each + each / 2];
    }
    free(all);
    return code;
}
