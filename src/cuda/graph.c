#include "cuda/graph.h"

#include "cuda/host.h"

#include <stdlib.h>

/* Graphs kept for one unit; the one that was not used for longest makes room. Training has one
 * batch (and a last smaller one), the engine a few dozen sizes of what is left (see
 * core/engine/walk.c).
 */
enum { GRAPHS = 64 }; /* 60 sizes take batches to 65,536 (rows_to_run of a walk) */

/* A batch that was met; recorded when it is met again, for what comes only once is not worth a
 * graph, and the first run also lets the driver load the kernels. */
typedef struct graph {
    int batch; /* 0: free */
    unsigned generation;
    unsigned long long used;
    cudaGraphExec_t exec; /* NULL: not recorded yet */
    bool plain;           /* it could not be recorded: launched op by op */
} graph;

typedef struct recording {
    graph graphs[GRAPHS];
    unsigned long long uses;
} recording;

static int run_all(eex_cuda *cuda, const eex_op *ops, void *const *states, int count, int batch)
{
    for (int i = 0; i < count; i++)
        EEX_TRY(eex__cuda_run_op(cuda, &ops[i], states[i], batch));
    return EEX_OK;
}

/* A graph may still be running when its place is wanted. */
static void drop(const eex_cuda *cuda, graph *g)
{
    if (g->exec) {
        (void)cudaStreamSynchronize(cuda->stream);
        (void)cudaGraphExecDestroy(g->exec);
    }
    *g = (graph){0};
}

static graph *find(recording *r, int batch)
{
    for (int i = 0; i < GRAPHS; i++)
        if (r->graphs[i].batch == batch)
            return &r->graphs[i];
    return NULL;
}

static graph *room(const eex_cuda *cuda, recording *r)
{
    graph *oldest = &r->graphs[0];
    for (int i = 1; i < GRAPHS && oldest->batch; i++)
        if (!r->graphs[i].batch || r->graphs[i].used < oldest->used)
            oldest = &r->graphs[i];
    drop(cuda, oldest);
    return oldest;
}

/* Ends the capture whatever happened, so that the stream can be used again; an error of the ops
 * themselves goes first. */
static int capture(eex_cuda *cuda, cudaGraph_t *out, const eex_op *ops, void *const *states,
                   int count, int batch)
{
    *out = NULL;
    EEX_TRY(eex__cuda_check(
        cuda, cudaStreamBeginCapture(cuda->stream, cudaStreamCaptureModeRelaxed), "capture"));
    int code = run_all(cuda, ops, states, count, batch);
    cudaError_t error = cudaStreamEndCapture(cuda->stream, out);
    return code < 0 ? code : eex__cuda_check(cuda, error, "capture");
}

static int record(eex_cuda *cuda, graph *g, const eex_op *ops, void *const *states, int count)
{
    cudaGraph_t captured;
    int code = capture(cuda, &captured, ops, states, count, g->batch);
    if (code == EEX_OK)
        code = eex__cuda_check(cuda, cudaGraphInstantiateWithFlags(&g->exec, captured, 0),
                               "making a graph");
    if (captured)
        (void)cudaGraphDestroy(captured);
    g->generation = cuda->generation;
    return code;
}

int eex__cuda_run_unit(eex_device *dev, void **state, const eex_op *ops, void *const *states,
                       int count, const eex_step *step)
{
    eex_cuda *cuda = (eex_cuda *)dev;
    if (!*state && !(*state = calloc(1, sizeof(recording))))
        return eex_fail(EEX_ENOMEM, "out of memory for the graphs of %d ops", count);
    recording *r = *state;
    EEX_TRY(eex__cuda_set_step(cuda, step));
    graph *g = find(r, step->batch);
    bool first = !g;
    if (first) {
        g = room(cuda, r);
        g->batch = step->batch;
    }
    g->used = ++r->uses;
    if (first)
        return run_all(cuda, ops, states, count, step->batch);
    if (g->exec && g->generation != cuda->generation) { /* the scratch memory has moved since */
        (void)cudaStreamSynchronize(cuda->stream);
        (void)cudaGraphExecDestroy(g->exec);
        g->exec = NULL;
    }
    if (!g->exec && !g->plain && record(cuda, g, ops, states, count) < 0) {
        g->plain = true; /* what is wrong with the ops themselves shows again below */
        eex__cuda_no_graph(cuda);
    }
    if (!g->exec)
        return run_all(cuda, ops, states, count, step->batch);
    return eex__cuda_check(cuda, cudaGraphLaunch(g->exec, cuda->stream), "running a graph");
}

void eex__cuda_forget(eex_device *dev, void *state)
{
    eex_cuda *cuda = (eex_cuda *)dev;
    recording *r = state;
    if (!r)
        return;
    (void)cudaStreamSynchronize(cuda->stream); /* one of them may be running */
    for (int i = 0; i < GRAPHS; i++)
        drop(cuda, &r->graphs[i]);
    free(r);
}
