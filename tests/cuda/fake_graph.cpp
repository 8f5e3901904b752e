/* Captures and graphs. A graph is replayed in any order that its edges allow, so that a missing
 * edge shows. */
#include "cuda/fake_runtime.h"

#include <cstdio>
#include <cstdlib>
#include <map>

struct CUgraphNode_st {
    fake::work what;
    std::vector<CUgraphNode_st *> after;
    cudaGraphConditionalHandle handle = 0; /* 0: no conditional node */
    enum cudaGraphConditionalNodeType type = cudaGraphCondTypeIf;
    std::vector<cudaGraph_t> bodies;
};

struct condition {
    unsigned value, at_start;
    bool reset;
};

struct CUgraph_st {
    std::vector<std::unique_ptr<CUgraphNode_st>> nodes;
    std::vector<std::unique_ptr<CUgraph_st>> bodies;
    std::vector<cudaGraphConditionalHandle> handles;
    bool body = false;  /* of a conditional node, whose graph owns it */
    bool given = false; /* captured into a graph of the caller's */
};

namespace {

std::vector<condition> conditions(1); /* by handle; 0 is none */

/* A graph as it was when it was instantiated. */
struct program {
    struct step {
        fake::work what;
        size_t waits_for;         /* how many others */
        std::vector<size_t> then; /* those that wait for this one */
        cudaGraphConditionalHandle handle;
        enum cudaGraphConditionalNodeType type;
        std::vector<program> bodies;
    };
    std::vector<step> steps;
    std::vector<cudaGraphConditionalHandle> handles;
};

program compile(const CUgraph_st *g)
{
    program p;
    std::map<const CUgraphNode_st *, size_t> number;
    p.handles = g->handles;
    for (const auto &n : g->nodes) {
        program::step s = {n->what, n->after.size(), {}, n->handle, n->type, {}};
        for (cudaGraph_t body : n->bodies)
            s.bodies.push_back(compile(body));
        number[n.get()] = p.steps.size();
        p.steps.push_back(std::move(s));
    }
    for (const auto &n : g->nodes)
        for (const CUgraphNode_st *other : n->after)
            p.steps[number.at(other)].then.push_back(number[n.get()]);
    return p;
}

void run(const program &p);

void run_conditional(const program::step &s)
{
    const unsigned &value = conditions[s.handle].value;
    if (s.type == cudaGraphCondTypeWhile) {
        for (long turns = 0; conditions[s.handle].value; turns++) {
            run(s.bodies[0]);
            if (turns == 1000000) {
                fprintf(stderr, "a conditional node of type while goes round for ever\n");
                abort();
            }
        }
    } else if (s.type == cudaGraphCondTypeSwitch) {
        if (value < s.bodies.size())
            run(s.bodies[value]);
    } else if (value) {
        run(s.bodies[0]);
    } else if (s.bodies.size() > 1) {
        run(s.bodies[1]);
    }
}

void run(const program &p)
{
    size_t count = p.steps.size();
    std::vector<size_t> missing(count), ready;
    for (size_t i = 0; i < count; i++)
        if (!(missing[i] = p.steps[i].waits_for))
            ready.push_back(i);
    while (!ready.empty()) {
        std::swap(ready[fake::random_below(ready.size())], ready.back());
        size_t i = ready.back();
        ready.pop_back();
        if (fake::stuck())
            return;
        if (p.steps[i].handle)
            run_conditional(p.steps[i]);
        else
            p.steps[i].what();
        for (size_t k : p.steps[i].then)
            if (!--missing[k])
                ready.push_back(k);
    }
}

void start(const program &p)
{
    for (cudaGraphConditionalHandle h : p.handles)
        if (conditions[h].reset)
            conditions[h].value = conditions[h].at_start;
    fake::counts.graphs++;
    run(p);
}

} // namespace

struct CUgraphExec_st {
    std::shared_ptr<program> p;
};

void fake::capture(cudaStream_t stream, work what)
{
    auto node = std::make_unique<CUgraphNode_st>();
    node->what = std::move(what);
    node->after = stream->front;
    stream->front = {node.get()};
    stream->graph->nodes.push_back(std::move(node));
}

/* ---- capture ---- */

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode)
{
    FAKE_ENTER();
    if (!stream || stream->graph)
        return fake::failed(cudaErrorStreamCaptureUnsupported);
    stream->graph = new CUgraph_st;
    stream->front.clear();
    stream->invalid = false;
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCaptureToGraph(cudaStream_t stream, cudaGraph_t graph,
                                          const cudaGraphNode_t *after, const cudaGraphEdgeData *,
                                          size_t count, enum cudaStreamCaptureMode)
{
    FAKE_ENTER();
    if (!stream || stream->graph)
        return fake::failed(cudaErrorStreamCaptureUnsupported);
    stream->graph = graph;
    graph->given = true;
    stream->front.assign(after, after + count);
    stream->invalid = false;
    return cudaSuccess;
}

/* The capture is over whatever is wrong. */
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *out)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    *out = nullptr;
    if (!stream || !stream->graph)
        return fake::failed(cudaErrorInvalidValue);
    cudaGraph_t graph = stream->graph;
    stream->graph = nullptr;
    stream->front.clear();
    cudaError_t error = fake::enter(__func__);
    if (!error && stream->invalid)
        error = fake::failed(cudaErrorStreamCaptureInvalidated);
    if (!error)
        *out = graph;
    else if (!graph->given)
        delete graph;
    return error;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, enum cudaStreamCaptureStatus *out)
{
    FAKE_ENTER();
    *out = !stream || !stream->graph ? cudaStreamCaptureStatusNone
           : stream->invalid         ? cudaStreamCaptureStatusInvalidated
                                     : cudaStreamCaptureStatusActive;
    return cudaSuccess;
}

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, enum cudaStreamCaptureStatus *status,
                                     unsigned long long *id, cudaGraph_t *graph,
                                     const cudaGraphNode_t **after, const cudaGraphEdgeData **edges,
                                     size_t *count)
{
    if (cudaError_t error = cudaStreamIsCapturing(stream, status))
        return error;
    FAKE_ENTER();
    if (*status != cudaStreamCaptureStatusActive)
        return cudaSuccess;
    if (id)
        *id = 1;
    if (graph)
        *graph = stream->graph;
    if (after)
        *after = stream->front.data();
    if (edges)
        *edges = nullptr;
    if (count)
        *count = stream->front.size();
    return cudaSuccess;
}

cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream, cudaGraphNode_t *after,
                                                const cudaGraphEdgeData *, size_t count,
                                                unsigned int flags)
{
    FAKE_ENTER();
    if (!stream || !stream->graph)
        return fake::failed(cudaErrorInvalidValue);
    if (flags == cudaStreamSetCaptureDependencies)
        stream->front.clear();
    stream->front.insert(stream->front.end(), after, after + count);
    return cudaSuccess;
}

/* ---- graphs ---- */

cudaError_t cudaGraphCreate(cudaGraph_t *out, unsigned int)
{
    FAKE_ENTER();
    *out = new CUgraph_st;
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    if (!graph || graph->body)
        return fake::failed(cudaErrorInvalidValue);
    delete graph;
    return fake::enter(__func__);
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *count)
{
    FAKE_ENTER();
    for (size_t i = 0; nodes && i < *count && i < graph->nodes.size(); i++)
        nodes[i] = graph->nodes[i].get();
    *count = graph->nodes.size();
    return cudaSuccess;
}

cudaError_t cudaGraphConditionalHandleCreate(cudaGraphConditionalHandle *out, cudaGraph_t graph,
                                             unsigned int value, unsigned int flags)
{
    FAKE_ENTER();
    *out = conditions.size();
    conditions.push_back({value, value, (flags & cudaGraphCondAssignDefault) != 0});
    graph->handles.push_back(*out);
    return cudaSuccess;
}

extern "C" void cudaGraphSetConditional(cudaGraphConditionalHandle handle, unsigned int value)
{
    conditions.at(handle).value = value;
}

/* Conditional nodes only: all others come from captures. */
cudaError_t cudaGraphAddNode(cudaGraphNode_t *out, cudaGraph_t graph, const cudaGraphNode_t *after,
                             const cudaGraphEdgeData *, size_t count,
                             struct cudaGraphNodeParams *params)
{
    FAKE_ENTER();
    cudaConditionalNodeParams *c = &params->conditional;
    if (params->type != cudaGraphNodeTypeConditional || c->size < 1 || c->handle == 0 ||
        c->handle >= conditions.size())
        return fake::failed(cudaErrorInvalidValue);
    auto node = std::make_unique<CUgraphNode_st>();
    node->after.assign(after, after + count);
    node->handle = c->handle;
    node->type = c->type;
    for (unsigned i = 0; i < c->size; i++) {
        graph->bodies.push_back(std::make_unique<CUgraph_st>());
        graph->bodies.back()->body = true;
        node->bodies.push_back(graph->bodies.back().get());
    }
    *out = node.get();
    graph->nodes.push_back(std::move(node));
    /* The real one gives out an array that lives as long as the graph. */
    c->phGraph_out = (*out)->bodies.data();
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t graph, unsigned long long)
{
    FAKE_ENTER();
    *out = new CUgraphExec_st{std::make_shared<program>(compile(graph))};
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *out, cudaGraph_t graph,
                                          unsigned long long flags)
{
    FAKE_ENTER();
    return cudaGraphInstantiate(out, graph, flags);
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t)
{
    FAKE_ENTER();
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    FAKE_ENTER();
    std::shared_ptr<program> p = exec->p;
    fake::enqueue(stream, [p] { start(*p); });
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    delete exec;
    return fake::enter(__func__);
}
