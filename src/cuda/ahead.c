#include "cuda/ahead.h"

#include "cuda/host.h"

#include "base/log.h"

#include <stdlib.h>

/* Two for each who goes ahead by one batch: that in hand, and the next. */
enum { PLACES = 4 };

typedef struct place {
    const void *from; /* what was announced; NULL: the place is free */
    size_t bytes;
    bool direct;  /* copied from the caller's own memory, not through staging */
    void *memory; /* (capacity) on the device */
    size_t capacity;
    cudaEvent_t landed; /* of the stream of copies */
    cudaEvent_t taken;  /* of the device's stream */
} place;

/* Memory of the host's that was given out. */
typedef struct host_block {
    struct host_block *next;
    void *at;
    size_t bytes;
    bool pinned; /* or there was none such */
} host_block;

struct eex_cuda_ahead {
    cudaStream_t stream;
    place places[PLACES];
    host_block *blocks;
    bool poor, loose; /* it was said that there is no memory for places, none that is pinned */
};

int eex__cuda_ahead_open(eex_cuda *cuda)
{
    struct eex_cuda_ahead *a = calloc(1, sizeof *a);
    if (!a)
        return eex_fail(EEX_ENOMEM, "out of memory opening %s", cuda->base.name);
    cuda->host->ahead = a;
    EEX_TRY(eex__cuda_check(cuda, cudaStreamCreateWithFlags(&a->stream, cudaStreamNonBlocking),
                            "making a stream of copies"));
    for (int i = 0; i < PLACES; i++) {
        place *p = &a->places[i];
        EEX_TRY(eex__cuda_check(cuda, cudaEventCreateWithFlags(&p->landed, cudaEventDisableTiming),
                                "events"));
        EEX_TRY(eex__cuda_check(cuda, cudaEventCreateWithFlags(&p->taken, cudaEventDisableTiming),
                                "events"));
    }
    return EEX_OK;
}

void eex__cuda_ahead_close(eex_cuda *cuda)
{
    struct eex_cuda_ahead *a = cuda->host->ahead;
    if (!a)
        return;
    if (a->stream)
        (void)cudaStreamSynchronize(a->stream);
    while (a->blocks)
        eex__cuda_host_release(&cuda->base, a->blocks->at);
    for (int i = 0; i < PLACES; i++) {
        place *p = &a->places[i];
        if (p->landed)
            (void)cudaEventDestroy(p->landed);
        if (p->taken)
            (void)cudaEventDestroy(p->taken);
        eex__cuda_free(cuda, p->memory);
    }
    if (a->stream)
        (void)cudaStreamDestroy(a->stream);
    free(a);
    cuda->host->ahead = NULL;
}

/* ---- memory of the host's ---- */

static cudaError_t allocate_pinned(void **out, size_t bytes)
{
    const cudaError_t error = cudaHostAlloc(out, bytes, cudaHostAllocDefault);
    if (error != cudaSuccess)
        *out = NULL;
    return error;
}

/* Pages that stay where they are are scarcer than memory. */
static int allocate_block(eex_cuda *cuda, host_block *b)
{
    struct eex_cuda_ahead *a = cuda->host->ahead;
    const cudaError_t error = allocate_pinned(&b->at, b->bytes);
    b->pinned = error == cudaSuccess;
    if (b->pinned)
        return EEX_OK;
    EEX_TRY(eex__cuda_healthy(cuda) ? EEX_OK : eex__cuda_check(cuda, error, "pinned host memory"));
    (void)cudaGetLastError();
    b->at = malloc(b->bytes);
    if (!b->at)
        return eex_fail(EEX_ENOMEM, "%s: out of memory for %zu MiB of images", cuda->base.name,
                        b->bytes >> 20);
    if (!a->loose)
        eex_log_warn("%s: no %zu MiB of pinned host memory (%s); images are copied once more on "
                     "their way, which is slower",
                     cuda->base.name, (b->bytes + (1 << 20) - 1) >> 20, cudaGetErrorString(error));
    a->loose = true;
    return EEX_OK;
}

int eex__cuda_host_allocate(eex_device *dev, void **out, size_t bytes)
{
    eex_cuda *cuda = (eex_cuda *)dev;
    struct eex_cuda_ahead *a = cuda->host->ahead;
    host_block *b = calloc(1, sizeof *b);
    *out = NULL;
    if (!b)
        return eex_fail(EEX_ENOMEM, "out of memory for a list of host memory");
    b->bytes = bytes ? bytes : 1;
    int code = eex_device_hold(dev, b->bytes);
    if (code == EEX_OK && (code = allocate_block(cuda, b)) < 0)
        dev->held -= b->bytes;
    if (code < 0) {
        free(b);
        return code;
    }
    b->next = a->blocks;
    a->blocks = b;
    *out = b->at;
    return EEX_OK;
}

/* What still reads it is waited for. */
void eex__cuda_host_release(eex_device *dev, void *memory)
{
    struct eex_cuda_ahead *a = ((eex_cuda *)dev)->host->ahead;
    host_block **at = &a->blocks;
    while (*at && (*at)->at != memory)
        at = &(*at)->next;
    host_block *b = *at;
    if (!b)
        return;
    *at = b->next;
    (void)cudaStreamSynchronize(a->stream);
    if (b->pinned)
        (void)cudaFreeHost(b->at);
    else
        free(b->at);
    dev->held -= b->bytes;
    free(b);
}

static bool is_pinned(const struct eex_cuda_ahead *a, const void *from, size_t bytes)
{
    const char *begin = from;
    for (const host_block *b = a->blocks; b; b = b->next) {
        const char *at = b->at;
        if (b->pinned && begin >= at && begin + bytes <= at + b->bytes)
            return true;
    }
    return false;
}

/* ---- places ---- */

static place *find(const eex_cuda *cuda, const void *from)
{
    struct eex_cuda_ahead *a = cuda->host->ahead;
    for (int i = 0; i < PLACES; i++)
        if (a->places[i].from == from)
            return &a->places[i];
    return NULL;
}

/* *fits = false: there is no memory for it, which is said once. */
static int make_room(eex_cuda *cuda, place *p, size_t bytes, bool *fits)
{
    struct eex_cuda_ahead *a = cuda->host->ahead;
    *fits = bytes <= p->capacity;
    if (*fits || a->poor)
        return EEX_OK;
    eex__cuda_free(cuda, p->memory);
    p->memory = NULL;
    p->capacity = 0;
    int code = eex__cuda_alloc(cuda, &p->memory, bytes, "images ahead");
    if (code < 0 && code != EEX_ENOMEM)
        return code;
    *fits = code == EEX_OK;
    p->capacity = *fits ? bytes : 0;
    a->poor = !*fits;
    if (a->poor)
        eex_log_warn("%s; going on without images ahead, which is slower", eex_error());
    return EEX_OK;
}

static int land(eex_cuda *cuda, place *p, const void *from, size_t bytes)
{
    const struct eex_cuda_ahead *a = cuda->host->ahead;
    p->direct = is_pinned(a, from, bytes);
    EEX_TRY(eex__cuda_check(cuda, cudaStreamWaitEvent(a->stream, p->taken, 0), "images ahead"));
    if (p->direct)
        EEX_TRY(eex__cuda_check(
            cuda, cudaMemcpyAsync(p->memory, from, bytes, cudaMemcpyHostToDevice, a->stream),
            "images ahead"));
    else
        EEX_TRY(eex__cuda_stage(cuda, a->stream, p->memory, from, bytes));
    return eex__cuda_check(cuda, cudaEventRecord(p->landed, a->stream), "images ahead");
}

/* Without a free place the upload does all, when it comes. */
int eex__cuda_ahead(eex_device *dev, const void *from, size_t bytes)
{
    eex_cuda *cuda = (eex_cuda *)dev;
    place *p = find(cuda, from) ? NULL : find(cuda, NULL);
    bool fits;
    if (!p)
        return EEX_OK;
    EEX_TRY(make_room(cuda, p, bytes, &fits));
    if (!fits)
        return EEX_OK;
    EEX_TRY(land(cuda, p, from, bytes));
    p->from = from;
    p->bytes = bytes;
    return EEX_OK;
}

int eex__cuda_ahead_take(eex_cuda *cuda, void *to, const void *from, size_t bytes, bool *taken)
{
    place *p = from ? find(cuda, from) : NULL;
    *taken = p && bytes <= p->bytes;
    if (!*taken)
        return EEX_OK;
    EEX_TRY(eex__cuda_check(cuda, cudaStreamWaitEvent(cuda->stream, p->landed, 0), "upload"));
    EEX_TRY(eex__cuda_check(
        cuda, cudaMemcpyAsync(to, p->memory, bytes, cudaMemcpyDeviceToDevice, cuda->stream),
        "upload"));
    return eex__cuda_check(cuda, cudaEventRecord(p->taken, cuda->stream), "upload");
}

int eex__cuda_withdraw(eex_device *dev, const void *from)
{
    const eex_cuda *cuda = (eex_cuda *)dev;
    place *p = find(cuda, from);
    if (!p)
        return EEX_OK;
    p->from = NULL;
    return p->direct ? eex__cuda_check(cuda, cudaEventSynchronize(p->landed), "images ahead")
                     : EEX_OK;
}
