/* Timing the ops of a plan where they are: each with the caches as the ops before it leave them. */
#include "core/plan/plan_impl.h"

#include "base/clock.h"
#include "base/laps.h"
#include "base/status.h"

#include <stdlib.h>

enum { WARM_UP = 3 };

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

static int time_by_host(eex_plan *p, double *all, const eex_step *step, int rounds)
{
    for (int r = 0; r < WARM_UP; r++)
        EEX_TRY(time_round(p, all, rounds, step));
    for (int r = 0; r < rounds; r++)
        EEX_TRY(time_round(p, all + r, rounds, step));
    return EEX_OK;
}

int eex_plan_spans(eex_plan *p, eex_span *spans, int segment, int batch)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    EEX_NEED(spans, "place for spans");
    EEX_TRY(eex__plan_check_exit(p, __func__, segment));
    EEX_TRY(eex__plan_check_batch(p, __func__, batch));
    int first, gate, end;
    eex__plan_parts(p, segment, &first, &gate, &end);
    EEX_TRY(eex__plan_run_part(p, NULL, first, gate, batch, spans));
    if (gate == end)
        return EEX_OK;
    EEX_TRY(eex__plan_ask_all(p, batch));
    return eex__plan_run_part(p, NULL, gate, end, batch, spans);
}

/* What each segment takes as it is run for answers: all its ops at once, by as many threads as the
 * device has found to be best. laps: (exits, rounds). */
static int time_segments(eex_plan *p, double *laps, int exits, int rounds)
{
    eex_device *dev = p->device;
    for (int r = 0; r < EEX_SETTLING_RUNS; r++)
        for (int k = 0; k < exits; k++)
            EEX_TRY(eex_plan_segments(p, k, k, 1));
    EEX_TRY(dev->vtable->sync(dev));
    for (int r = 0; r < rounds; r++)
        for (int k = 0; k < exits; k++) {
            const double begin = eex_clock_seconds();
            EEX_TRY(eex_plan_segments(p, k, k, 1));
            EEX_TRY(dev->vtable->sync(dev));
            laps[k * rounds + r] = 1e3 * (eex_clock_seconds() - begin);
        }
    return EEX_OK;
}

/* Single inputs may be run by other threads than an op alone is: the ops of each segment, in
 * proportion, take together what the segment takes. */
static int fit_to_segments(eex_plan *p, double *ms, int rounds)
{
    const int exits = eex_graph_exits(p->graph);
    double *laps = malloc((size_t)exits * (size_t)rounds * sizeof *laps);
    if (!laps)
        return eex_fail(EEX_ENOMEM, "out of memory for %d runs", rounds);
    int code = time_segments(p, laps, exits, rounds);
    for (int k = 0; k < exits && code == EEX_OK; k++) {
        const double whole = eex_laps_quartile(laps + (size_t)k * (size_t)rounds, rounds);
        double sum = 0;
        int first, end;
        eex__plan_segment(p, k, &first, &end);
        for (int i = first; i < end; i++)
            sum += ms[i];
        for (int i = first; i < end && sum > 0; i++)
            ms[i] *= whole / sum;
    }
    free(laps);
    return code;
}

int eex_plan_time(eex_plan *p, double *ms, int rounds, int batch)
{
    EEX_TRY(eex__plan_check(p, __func__, EEX__INFERENCE));
    EEX_NEED(ms, "place for times");
    EEX_TRY(eex__plan_check_batch(p, __func__, batch));
    if (rounds < 1)
        return eex_fail(EEX_EINVAL, "%s: %d rounds, expected at least 1", __func__, rounds);
    if (p->options.gates_apart)
        EEX_TRY(eex__plan_ask_all(p, batch));
    const eex_step step = {.batch = batch};
    size_t ops = (size_t)p->op_count, each = (size_t)rounds;
    double *all = calloc(ops * each + 1, sizeof *all);
    if (!all)
        return eex_fail(EEX_ENOMEM, "out of memory for %d runs of %zu ops", rounds, ops);
    const eex_device_vtable *v = p->device->vtable;
    int code = v->time_unit
                   ? v->time_unit(p->device, all, p->ops, p->states, p->op_count, &step, rounds)
                   : time_by_host(p, all, &step, rounds);
    for (size_t i = 0; i < ops && code == EEX_OK; i++)
        ms[i] = eex_laps_quartile(all + i * each, rounds);
    free(all);
    return code == EEX_OK && batch == 1 && p->device->host_memory ? fit_to_segments(p, ms, rounds)
                                                                  : code;
}
