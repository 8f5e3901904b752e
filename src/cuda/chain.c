#include "cuda/chain.h"

#include "cuda/features.h"
#include "cuda/host.h"

#include <stdlib.h>

#if EEX_CUDA_CONDITIONAL

typedef struct chain {
    cudaGraphExec_t exec; /* NULL: not recorded yet */
    unsigned generation;
    bool met;   /* ran once without a graph */
    bool plain; /* it could not be recorded: nothing to be run as one */
} chain;

bool eex__cuda_has_chain(void)
{
    int driver = 0;
    return cudaDriverGetVersion(&driver) == cudaSuccess && driver >= 12040;
}

static int run_link(eex_cuda *cuda, const eex_link *link)
{
    for (int i = 0; i < link->count; i++)
        EEX_TRY(eex__cuda_run_op(cuda, &link->ops[i], link->states[i], 1));
    return eex__cuda_run_op(cuda, link->leave, link->leave_state, 1);
}

/* Into the body of a conditional node: the link, and the condition of the next one. */
static int capture_link(eex_cuda *cuda, cudaGraph_t body, const eex_link *link,
                        const cudaGraphConditionalHandle *next)
{
    cudaGraph_t same;
    EEX_TRY(eex__cuda_check(cuda,
                            cudaStreamBeginCaptureToGraph(cuda->stream, body, NULL, NULL, 0,
                                                          cudaStreamCaptureModeRelaxed),
                            "capture"));
    int code = run_link(cuda, link);
    if (code == EEX_OK && next)
        code = eex__cuda_set_condition(cuda, *next, link->leave->u.leave.count);
    cudaError_t error = cudaStreamEndCapture(cuda->stream, &same);
    return code < 0 ? code : eex__cuda_check(cuda, error, "capture");
}

/* Adds a conditional node behind *node, which it then is; *body is its empty graph. */
static int add_node(eex_cuda *cuda, cudaGraph_t graph, cudaGraphNode_t *node, bool first,
                    cudaGraphConditionalHandle handle, cudaGraph_t *body)
{
    struct cudaGraphNodeParams params = {.type = cudaGraphNodeTypeConditional};
    const cudaGraphNode_t before = *node;
    params.conditional.handle = handle;
    params.conditional.type = cudaGraphCondTypeIf;
    params.conditional.size = 1;
#if CUDART_VERSION >= 13000
    cudaError_t error =
        cudaGraphAddNode(node, graph, first ? NULL : &before, NULL, first ? 0 : 1, &params);
#else
    cudaError_t error =
        cudaGraphAddNode(node, graph, first ? NULL : &before, first ? 0 : 1, &params);
#endif
    EEX_TRY(eex__cuda_check(cuda, error, "a conditional node"));
    *body = params.conditional.phGraph_out[0];
    return EEX_OK;
}

/* The first condition is true at every launch, the others false until a kernel says otherwise. */
static int build(eex_cuda *cuda, cudaGraph_t graph, cudaGraphConditionalHandle *handles,
                 const eex_link *links, int count)
{
    cudaGraphNode_t node = NULL;
    for (int k = 0; k < count; k++)
        EEX_TRY(eex__cuda_check(cuda,
                                cudaGraphConditionalHandleCreate(&handles[k], graph, k == 0,
                                                                 cudaGraphCondAssignDefault),
                                "a condition"));
    for (int k = 0; k < count; k++) {
        cudaGraph_t body;
        EEX_TRY(add_node(cuda, graph, &node, k == 0, handles[k], &body));
        EEX_TRY(capture_link(cuda, body, &links[k], k + 1 < count ? &handles[k + 1] : NULL));
    }
    return EEX_OK;
}

static int record(eex_cuda *cuda, chain *c, const eex_link *links, int count)
{
    cudaGraph_t graph;
    cudaGraphConditionalHandle *handles = calloc((size_t)count, sizeof *handles);
    if (!handles)
        return eex_fail(EEX_ENOMEM, "out of memory for the graph of %d segments", count);
    int code = eex__cuda_check(cuda, cudaGraphCreate(&graph, 0), "making a graph");
    if (code < 0) {
        free(handles);
        return code;
    }
    code = build(cuda, graph, handles, links, count);
    if (code == EEX_OK)
        code = eex__cuda_check(cuda, cudaGraphInstantiateWithFlags(&c->exec, graph, 0),
                               "making a graph");
    (void)cudaGraphDestroy(graph);
    free(handles);
    c->generation = cuda->generation;
    return code;
}

/* The first time every link runs, for the driver to load the kernels; the rows that have left are
 * ignored by LEAVE, because the count is zero from then on. */
static int run_plain(eex_cuda *cuda, const eex_link *links, int count)
{
    for (int k = 0; k < count; k++)
        EEX_TRY(run_link(cuda, &links[k]));
    return EEX_OK;
}

int eex__cuda_run_chain(eex_device *dev, void **recording, const eex_link *links, int count,
                        const eex_step *step, bool *done)
{
    eex_cuda *cuda = (eex_cuda *)dev;
    *done = false;
    if (!*recording && !(*recording = calloc(1, sizeof(chain))))
        return eex_fail(EEX_ENOMEM, "out of memory for the graph of %d segments", count);
    chain *c = *recording;
    if (c->plain)
        return EEX_OK;
    EEX_TRY(eex__cuda_set_step(cuda, step));
    if (!c->met) {
        c->met = *done = true;
        EEX_TRY(eex__cuda_load_condition(cuda));
        return run_plain(cuda, links, count);
    }
    if (c->exec && c->generation != cuda->generation) { /* the scratch memory has moved since */
        (void)cudaStreamSynchronize(cuda->stream);      /* it may be running */
        (void)cudaGraphExecDestroy(c->exec);
        c->exec = NULL;
    }
    if (!c->exec && record(cuda, c, links, count) < 0) {
        c->plain = true; /* what is wrong with the ops themselves shows again exit by exit */
        eex__cuda_no_graph(cuda);
        return EEX_OK;
    }
    *done = true;
    return eex__cuda_check(cuda, cudaGraphLaunch(c->exec, cuda->stream), "running a graph");
}

void eex__cuda_forget_chain(eex_device *dev, void *recording)
{
    chain *c = recording;
    if (!c)
        return;
    (void)cudaStreamSynchronize(((eex_cuda *)dev)->stream);
    if (c->exec)
        (void)cudaGraphExecDestroy(c->exec);
    free(c);
}

#else

bool eex__cuda_has_chain(void)
{
    return false;
}

int eex__cuda_run_chain(eex_device *dev, void **recording, const eex_link *links, int count,
                        const eex_step *step, bool *done)
{
    return eex_fail(EEX_EUNSUPPORTED, "%s: this build's toolkit has no conditional graph nodes",
                    dev->name);
}

void eex__cuda_forget_chain(eex_device *dev, void *recording)
{
}

#endif
