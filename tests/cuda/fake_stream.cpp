/* Streams, events and copies. */
#include "cuda/fake_runtime.h"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <set>

/* What an event holds outlives it while a queue still has to set it. */
struct event_state {
    CUstream_st *stream = nullptr; /* NULL: never recorded */
    uint64_t number = 0;
    bool done = true;
    std::chrono::steady_clock::time_point time;
};

struct CUevent_st {
    std::shared_ptr<event_state> state = std::make_shared<event_state>();
};

namespace {

std::set<CUstream_st *> streams;
std::deque<float> elapsed; /* what tests want to have passed */

/* The default stream, for those who name none. */
CUstream_st *stream_of(cudaStream_t stream)
{
    static CUstream_st legacy;
    if (stream)
        return stream;
    streams.insert(&legacy);
    return &legacy;
}

bool known(cudaStream_t stream)
{
    return !stream || streams.count(stream);
}

void wait_for(const std::shared_ptr<event_state> &e)
{
    if (!e->done && streams.count(e->stream))
        e->stream->flush(e->number);
}

} // namespace

void CUstream_st::flush(uint64_t until)
{
    if (fake::late && done < until && !queue.empty())
        fake::counts.waits++;
    while (done < until && !queue.empty()) {
        fake::work next = std::move(queue.front());
        queue.pop_front();
        done++;
        if (!fake::stuck())
            next();
    }
}

namespace fake {

void enqueue(cudaStream_t stream, work what)
{
    CUstream_st *s = stream_of(stream);
    if (s->graph) {
        capture(s, std::move(what));
        return;
    }
    s->queue.push_back(std::move(what));
    s->submitted++;
    if (!late)
        s->flush(s->submitted);
}

void flush_all()
{
    for (CUstream_st *s : std::vector<CUstream_st *>(streams.begin(), streams.end()))
        s->flush(s->submitted);
}

bool captures(cudaStream_t stream)
{
    return stream_of(stream)->graph != nullptr;
}

bool any_capture()
{
    for (CUstream_st *s : streams)
        if (s->graph)
            return true;
    return false;
}

cudaError_t forbidden_in_capture()
{
    for (CUstream_st *s : streams)
        s->invalid = s->graph != nullptr;
    return failed(cudaErrorStreamCaptureUnsupported);
}

} // namespace fake

size_t eex_fake_cuda_pending(void)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    size_t pending = 0;
    for (const CUstream_st *s : streams)
        pending += s->queue.size();
    return pending;
}

/* ---- streams ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned int)
{
    FAKE_ENTER();
    *out = new CUstream_st;
    streams.insert(*out);
    return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t *out)
{
    return cudaStreamCreateWithFlags(out, 0);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *out, unsigned int flags, int)
{
    return cudaStreamCreateWithFlags(out, flags);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    if (!stream || !known(stream))
        return fake::failed(cudaErrorInvalidResourceHandle);
    stream->flush(stream->submitted);
    streams.erase(stream);
    delete stream;
    return fake::enter(__func__);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    FAKE_ENTER();
    if (!known(stream))
        return fake::failed(cudaErrorInvalidResourceHandle);
    CUstream_st *s = stream_of(stream);
    if (s->graph)
        return fake::forbidden_in_capture();
    s->flush(s->submitted);
    return fake::failed(fake::stuck());
}

cudaError_t cudaStreamQuery(cudaStream_t stream)
{
    FAKE_ENTER();
    CUstream_st *s = stream_of(stream);
    if (s->graph)
        return fake::forbidden_in_capture();
    return s->done == s->submitted ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize(void)
{
    FAKE_ENTER();
    if (fake::any_capture())
        return fake::forbidden_in_capture();
    fake::flush_all();
    return fake::failed(fake::stuck());
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int)
{
    FAKE_ENTER();
    std::shared_ptr<event_state> e = event->state;
    if (fake::loses(__func__))
        return cudaSuccess;
    fake::enqueue(stream, [e] { wait_for(e); });
    return cudaSuccess;
}

/* ---- events ---- */

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned int)
{
    FAKE_ENTER();
    *out = new CUevent_st;
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *out)
{
    return cudaEventCreateWithFlags(out, 0);
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    delete event;
    return fake::enter(__func__);
}

/* A new state each time: those who wait for the last recording keep theirs. In a capture an event
 * is an order between nodes, unless it is external: then each run of the graph records it. */
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned int flags)
{
    FAKE_ENTER();
    CUstream_st *s = stream_of(stream);
    auto state = std::make_shared<event_state>();
    if (!s->graph || (flags & cudaEventRecordExternal)) {
        state->stream = s;
        state->number = s->graph ? UINT64_MAX : s->submitted + 1;
        state->done = false;
        event->state = state;
    }
    fake::enqueue(stream, [state] {
        state->done = true;
        state->time = std::chrono::steady_clock::now();
    });
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    return cudaEventRecordWithFlags(event, stream, 0);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    FAKE_ENTER();
    if (fake::loses(__func__))
        return cudaSuccess;
    wait_for(event->state);
    return fake::failed(fake::stuck());
}

cudaError_t cudaEventQuery(cudaEvent_t event)
{
    FAKE_ENTER();
    return event->state->done ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end)
{
    FAKE_ENTER();
    if (!start->state->stream || !end->state->stream)
        return fake::failed(cudaErrorInvalidResourceHandle);
    if (!start->state->done || !end->state->done)
        return cudaErrorNotReady;
    std::chrono::duration<float, std::milli> passed = end->state->time - start->state->time;
    *milliseconds = passed.count();
    if (!elapsed.empty()) {
        *milliseconds = elapsed.front();
        elapsed.pop_front();
    }
    return cudaSuccess;
}

void eex_fake_cuda_elapsed(const float *ms, int count)
{
    std::lock_guard<std::recursive_mutex> lock(fake::mutex);
    elapsed.assign(ms, ms + count);
}

/* ---- copies ---- */

namespace {

bool sides_fit(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind)
{
    bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    if (kind == cudaMemcpyDefault)
        return true;
    return fake::is_device(to, bytes) == to_device && fake::is_device(from, bytes) == from_device;
}

/* Memory that is not pinned: the real runtime reads it before the call returns, and has written it
 * when the call returns. Kept out of captures, where that cannot be so. */
cudaError_t copy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind,
                 cudaStream_t stream)
{
    if (!bytes)
        return cudaSuccess;
    if (!sides_fit(to, from, bytes, kind))
        return fake::failed(cudaErrorInvalidValue);
    CUstream_st *s = stream_of(stream);
    fake::counts.within += kind == cudaMemcpyDeviceToDevice;
    bool loose_from = !fake::is_device(from, bytes) && !fake::is_pinned(from, bytes);
    bool loose_to = !fake::is_device(to, bytes) && !fake::is_pinned(to, bytes);
    if (s->graph && (loose_from || loose_to))
        return fake::forbidden_in_capture();
    if (loose_from) {
        const char *bytes_of = static_cast<const char *>(from);
        auto kept = std::make_shared<std::vector<char>>(bytes_of, bytes_of + bytes);
        fake::enqueue(stream, [=] { memcpy(to, kept->data(), bytes); });
    } else {
        fake::enqueue(stream, [=] { memmove(to, from, bytes); });
    }
    if (loose_to)
        s->flush(s->submitted);
    return fake::failed(fake::stuck());
}

} // namespace

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind,
                            cudaStream_t stream)
{
    FAKE_ENTER();
    return copy(to, from, bytes, kind, stream);
}

/* On the default stream, for which those made with cudaStreamNonBlocking do not wait. */
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind)
{
    FAKE_ENTER();
    if (fake::any_capture())
        return fake::forbidden_in_capture();
    cudaError_t error = copy(to, from, bytes, kind, nullptr);
    CUstream_st *s = stream_of(nullptr);
    s->flush(s->submitted);
    return error ? error : fake::failed(fake::stuck());
}

cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream)
{
    FAKE_ENTER();
    if (bytes && !fake::is_device(memory, bytes))
        return fake::failed(cudaErrorInvalidValue);
    fake::enqueue(stream, [=] { memset(memory, value, bytes); });
    return cudaSuccess;
}

cudaError_t cudaMemset(void *memory, int value, size_t bytes)
{
    return cudaMemsetAsync(memory, value, bytes, nullptr);
}
