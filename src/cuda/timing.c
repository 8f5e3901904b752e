/* Timing on the device's own clock. A host that launches work and waits for it measures itself: a
 * launch takes microseconds, and so do many of the kernels. */
#include "cuda/timing.h"

#include "cuda/host.h"

#include <stdlib.h>

enum { REPEATS = 10, REPLAYS = 3, WARM_UP = 3 };

/* ---- recording ---- */

typedef struct recorder {
    int (*work)(eex_cuda *cuda, void *context);
    void *context;
    int times;
} recorder;

/* What the work launches, so many times over, as a graph that can be launched; an error of the work
 * itself goes first. */
static int record(eex_cuda *cuda, cudaGraphExec_t *out, const recorder *r)
{
    cudaGraph_t graph = NULL;
    *out = NULL;
    EEX_TRY(eex__cuda_check(
        cuda, cudaStreamBeginCapture(cuda->stream, cudaStreamCaptureModeRelaxed), "timing"));
    int code = EEX_OK;
    for (int i = 0; i < r->times && code == EEX_OK; i++)
        code = r->work(cuda, r->context);
    cudaError_t error = cudaStreamEndCapture(cuda->stream, &graph);
    if (code == EEX_OK)
        code = eex__cuda_check(cuda, error, "timing");
    if (code == EEX_OK)
        code = eex__cuda_check(cuda, cudaGraphInstantiateWithFlags(out, graph, 0), "timing");
    if (graph)
        (void)cudaGraphDestroy(graph);
    return code;
}

static int launch(eex_cuda *cuda, cudaGraphExec_t graph, const recorder *r)
{
    if (graph)
        return eex__cuda_check(cuda, cudaGraphLaunch(graph, cuda->stream), "timing");
    for (int i = 0; i < r->times; i++)
        EEX_TRY(r->work(cuda, r->context));
    return EEX_OK;
}

/* ---- one piece of work ---- */

static int replay(eex_cuda *cuda, cudaGraphExec_t graph, const recorder *r,
                  const cudaEvent_t *event, float *ms)
{
    EEX_TRY(eex__cuda_check(cuda, cudaEventRecord(event[0], cuda->stream), "timing"));
    EEX_TRY(launch(cuda, graph, r));
    EEX_TRY(eex__cuda_check(cuda, cudaEventRecord(event[1], cuda->stream), "timing"));
    EEX_TRY(eex__cuda_check(cuda, cudaEventSynchronize(event[1]), "timing"));
    return eex__cuda_check(cuda, cudaEventElapsedTime(ms, event[0], event[1]), "timing");
}

static int replay_all(eex_cuda *cuda, cudaGraphExec_t graph, const recorder *r, float *microseconds)
{
    cudaEvent_t event[2] = {NULL, NULL};
    float least = 0, ms = 0;
    int code = eex__cuda_check(cuda, cudaEventCreate(&event[0]), "events");
    if (code == EEX_OK)
        code = eex__cuda_check(cuda, cudaEventCreate(&event[1]), "events");
    for (int i = 0; i <= REPLAYS && code == EEX_OK; i++) { /* the first one is not counted */
        code = replay(cuda, graph, r, event, &ms);
        least = i <= 1 || ms < least ? ms : least;
    }
    for (int i = 0; i < 2; i++)
        if (event[i])
            (void)cudaEventDestroy(event[i]);
    *microseconds = 1e3F * least / (float)r->times;
    return code;
}

int eex__cuda_time_work(eex_cuda *cuda, int (*work)(eex_cuda *cuda, void *context), void *context,
                        float *microseconds, bool *recorded)
{
    const recorder r = {.work = work, .context = context, .times = REPEATS};
    cudaGraphExec_t graph;
    EEX_TRY(work(cuda, context)); /* the driver loads its kernels */
    *recorded = record(cuda, &graph, &r) == EEX_OK;
    int code = replay_all(cuda, graph, &r, microseconds);
    if (graph)
        (void)cudaGraphExecDestroy(graph);
    return code;
}

/* ---- the ops of a unit ---- */

typedef struct unit {
    const eex_op *ops;
    void *const *states;
    int count, batch;
    cudaEvent_t *event;  /* (count + 1) */
    unsigned event_flag; /* of recording them */
} unit;

static int mark(const eex_cuda *cuda, const unit *u, int i)
{
    cudaError_t error = cudaEventRecordWithFlags(u->event[i], cuda->stream, u->event_flag);
    return eex__cuda_check(cuda, error, "timing");
}

static int run_marked(eex_cuda *cuda, void *context)
{
    const unit *u = context;
    EEX_TRY(mark(cuda, u, 0));
    for (int i = 0; i < u->count; i++) {
        EEX_TRY(eex__cuda_run_op(cuda, &u->ops[i], u->states[i], u->batch));
        EEX_TRY(mark(cuda, u, i + 1));
    }
    return EEX_OK;
}

static int read_marks(const eex_cuda *cuda, const unit *u, double *ms, int rounds)
{
    EEX_TRY(eex__cuda_check(cuda, cudaStreamSynchronize(cuda->stream), "timing"));
    for (int i = 0; i < u->count; i++) {
        float one = 0;
        cudaError_t error = cudaEventElapsedTime(&one, u->event[i], u->event[i + 1]);
        EEX_TRY(eex__cuda_check(cuda, error, "timing"));
        ms[(size_t)i * (size_t)rounds] = (double)one;
    }
    return EEX_OK;
}

static int time_marked(eex_cuda *cuda, unit *u, double *ms, int rounds)
{
    const recorder r = {.work = run_marked, .context = u, .times = 1};
    cudaGraphExec_t graph;
    EEX_TRY(run_marked(cuda, u));            /* the driver loads its kernels */
    u->event_flag = cudaEventRecordExternal; /* an event that is read outside the graph */
    if (record(cuda, &graph, &r) < 0) {
        eex__cuda_no_graph(cuda);
        u->event_flag = cudaEventRecordDefault;
    }
    int code = EEX_OK;
    for (int i = -WARM_UP; i < rounds && code == EEX_OK; i++) {
        code = launch(cuda, graph, &r);
        if (code == EEX_OK)
            code = read_marks(cuda, u, ms + (i < 0 ? 0 : i), rounds);
    }
    if (graph)
        (void)cudaGraphExecDestroy(graph);
    return code;
}

int eex__cuda_time_unit(eex_device *dev, double *ms, const eex_op *ops, void *const *states,
                        int count, const eex_step *step, int rounds)
{
    eex_cuda *cuda = (eex_cuda *)dev;
    unit u = {.ops = ops, .states = states, .count = count, .batch = step->batch};
    u.event = calloc((size_t)count + 1, sizeof(cudaEvent_t));
    if (!u.event)
        return eex_fail(EEX_ENOMEM, "out of memory for the times of %d ops", count);
    int code = eex__cuda_set_step(cuda, step);
    for (int i = 0; i <= count && code == EEX_OK; i++)
        code = eex__cuda_check(cuda, cudaEventCreate(&u.event[i]), "events");
    if (code == EEX_OK)
        code = time_marked(cuda, &u, ms, rounds);
    for (int i = 0; i <= count; i++)
        if (u.event[i])
            (void)cudaEventDestroy(u.event[i]);
    free(u.event);
    return code;
}
