#include "profile.h"

#include "networks.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const eex_device_vtable *real;
static eex_device_vtable wrapped;
static const eex_op *first;
static double *seconds; /* (ops) of each op of the plan */
static double *runs;    /* (ops, PROFILE_RUNS) */
static int *count;      /* (ops) how often it ran */
static int ops;
static clockid_t clock_id;

static double now(void)
{
    struct timespec t;
    clock_gettime(clock_id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int timed_run(eex_device *dev, const eex_op *op, void *state, const eex_step *step)
{
    double begin = now();
    int code = real->run(dev, op, state, step);
    if (op >= first && op < first + ops) {
        ptrdiff_t i = op - first;
        runs[i * PROFILE_RUNS + count[i]++ % PROFILE_RUNS] = now() - begin;
    }
    return code;
}

int profile_begin(eex_device *dev, const eex_plan *plan, bool cpu)
{
    clock_id = cpu ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    ops = eex_plan_ops(plan);
    first = eex_plan_op(plan, 0);
    seconds = calloc((size_t)ops, sizeof *seconds);
    runs = calloc((size_t)ops * PROFILE_RUNS, sizeof *runs);
    count = calloc((size_t)ops, sizeof *count);
    if (!seconds || !runs || !count)
        return eex_fail(EEX_ENOMEM, "out of memory for a profile of %d ops", ops);
    real = dev->vtable;
    wrapped = *real;
    wrapped.run = timed_run;
    wrapped.run_unit = NULL; /* ops one by one */
    wrapped.forget = NULL;
    dev->vtable = &wrapped;
    return EEX_OK;
}

/* The window of a convolution in any direction; NULL for other ops. */
static const eex_window *window_of(const eex_op *op)
{
    switch (op->kind) {
    case EEX_OP_CONV:
        return &op->u.conv.window;
    case EEX_OP_CONV_BWD_DATA:
        return &op->u.conv_bwd_data.window;
    case EEX_OP_CONV_BWD_WEIGHTS:
        return &op->u.conv_bwd_weights.window;
    default:
        return NULL;
    }
}

static double flops_of(const eex_op *op, int batch)
{
    const eex_window *w = window_of(op);
    if (!w)
        return 0;
    double taps = (double)w->kernel * w->kernel * (w->cin / w->groups);
    return 2.0 * batch * w->hout * w->wout * w->cout * taps;
}

/* Dense and depthwise convolutions have little in common. */
static bool depthwise(const eex_op *op)
{
    const eex_window *w = window_of(op);
    return w && w->groups > 1;
}

static void print_kinds(double total, int batch)
{
    printf("%-18s %6s %9s %6s %8s\n", "op", "count", "ms/step", "%", "GFLOP/s");
    for (int kind = 0; kind < EEX_OP_KINDS; kind++)
        for (int deep = 0; deep < 2; deep++) {
            double time = 0, flops = 0;
            int number = 0;
            for (int i = 0; i < ops; i++) {
                if ((int)first[i].kind != kind || depthwise(&first[i]) != deep)
                    continue;
                time += seconds[i];
                flops += flops_of(&first[i], batch);
                number++;
            }
            if (number)
                printf("%-16s%-2s %6d %9.3f %6.1f %8.1f\n", eex_op_kind_name((eex_op_kind)kind),
                       deep ? "dw" : "", number, 1e3 * time, 100 * time / total,
                       1e-9 * flops / time);
        }
}

static void print_op(const eex_op *op, double time, int batch)
{
    const eex_window *w = window_of(op);
    printf("%9.3f ms  %-17s %-34s", 1e3 * time, eex_op_kind_name(op->kind), op->name);
    if (w)
        printf(" %4d->%-4d %2dx%-2d k%d s%d%s %7.1f GFLOP/s", w->cin, w->cout, w->hin, w->win,
               w->kernel, w->stride, w->groups > 1 ? " dw" : "   ",
               1e-9 * flops_of(op, batch) / time);
    printf("\n");
}

static void print_slowest(int batch, int slowest)
{
    for (int n = 0; n < slowest && n < ops; n++) {
        int worst = 0;
        for (int i = 1; i < ops; i++)
            if (seconds[i] > seconds[worst])
                worst = i;
        print_op(&first[worst], seconds[worst], batch);
        seconds[worst] = -1;
    }
}

void profile_end(eex_device *dev, const eex_plan *plan, int batch, int slowest)
{
    double total = 0;
    dev->vtable = real;
    for (int i = 0; i < ops; i++) {
        int kept = count[i] < PROFILE_RUNS ? count[i] : PROFILE_RUNS;
        seconds[i] = kept ? median(runs + (size_t)i * PROFILE_RUNS, kept) : 0;
        total += seconds[i];
    }
    printf("%d ops, %.3f ms a step of %d, arena %.1f MiB\n", ops, 1e3 * total, batch,
           (double)eex_plan_bytes(plan) / (1 << 20));
    print_kinds(total, batch);
    print_slowest(batch, slowest);
    free(seconds);
    free(runs);
    free(count);
}
