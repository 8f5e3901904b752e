#include "support/tensor.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 16 };
static const float guard_value = 12345.0f;

void bench_init(bench *b, eex_device *dev)
{
    *b = (bench){.dev = dev};
}

void bench_free(bench *b)
{
    for (int i = 0; i < b->device_count; i++)
        b->dev->vtable->release(b->dev, b->device_memory[i]);
    for (int i = 0; i < b->host_count; i++)
        free(b->host_memory[i]);
    bench_init(b, b->dev);
}

static void *on_host(bench *b, size_t bytes)
{
    cr_assert_lt(b->host_count, (int)(sizeof b->host_memory / sizeof *b->host_memory));
    void *memory = calloc(1, bytes ? bytes : 1);
    cr_assert_not_null(memory);
    b->host_memory[b->host_count++] = memory;
    return memory;
}

static void *on_device(bench *b, size_t bytes)
{
    void *memory;
    cr_assert_lt(b->device_count, (int)(sizeof b->device_memory / sizeof *b->device_memory));
    cr_assert_eq(b->dev->vtable->allocate(b->dev, &memory, bytes), 0);
    b->device_memory[b->device_count++] = memory;
    return memory;
}

static tensor tensor_new(bench *b, size_t n)
{
    size_t bytes = (n + GUARD) * sizeof(float);
    tensor t = {n, on_host(b, bytes), on_device(b, bytes)};
    for (int i = 0; i < GUARD; i++)
        t.host[n + (size_t)i] = guard_value;
    return t;
}

void tensor_upload(bench *b, tensor t)
{
    size_t bytes = (t.n + GUARD) * sizeof(float);
    cr_assert_eq(b->dev->vtable->upload(b->dev, t.dev, t.host, bytes), 0);
}

void tensor_download(bench *b, tensor t)
{
    size_t bytes = (t.n + GUARD) * sizeof(float);
    cr_assert_eq(b->dev->vtable->download(b->dev, t.host, t.dev, bytes), 0);
    for (int i = 0; i < GUARD; i++)
        cr_assert_eq(t.host[t.n + (size_t)i], guard_value, "written %d past the end of %zu", i,
                     t.n);
}

tensor tensor_random(bench *b, size_t n, uint64_t seed, double low, double high)
{
    eex_rng rng;
    eex_rng_seed(&rng, seed, 0);
    tensor t = tensor_new(b, n);
    for (size_t i = 0; i < n; i++)
        t.host[i] = (float)(low + (high - low) * eex_rng_uniform(&rng));
    tensor_upload(b, t);
    return t;
}

tensor tensor_filled(bench *b, size_t n, float value)
{
    tensor t = tensor_new(b, n);
    for (size_t i = 0; i < n; i++)
        t.host[i] = value;
    tensor_upload(b, t);
    return t;
}

tensor tensor_poison(bench *b, size_t n)
{
    return tensor_filled(b, n, NAN);
}

tensor tensor_from(bench *b, const float *values, size_t n)
{
    tensor t = tensor_new(b, n);
    memcpy(t.host, values, n * sizeof *values);
    tensor_upload(b, t);
    return t;
}

void *bench_bytes(bench *b, const void *from, size_t bytes)
{
    void *memory = on_device(b, bytes);
    cr_assert_eq(b->dev->vtable->upload(b->dev, memory, from, bytes), 0);
    return memory;
}

double *bench_doubles(bench *b, size_t n)
{
    return on_host(b, n * sizeof(double));
}

double *tensor_doubles(bench *b, tensor t)
{
    double *out = bench_doubles(b, t.n);
    for (size_t i = 0; i < t.n; i++)
        out[i] = t.host[i];
    return out;
}

void bench_run(bench *b, const eex_op *op, int max_batch, const eex_step *step)
{
    const eex_device_vtable *v = b->dev->vtable;
    void *state = NULL;
    cr_assert_eq(v->prepare(b->dev, &state, op, max_batch), 0, "%s", eex_error());
    cr_assert_eq(v->run(b->dev, op, state, step), 0, "%s", eex_error());
    cr_assert_eq(v->sync(b->dev), 0, "%s", eex_error());
    v->finish(b->dev, op, state);
}

eex_step bench_step(int batch)
{
    return (eex_step){.batch = batch, .lr = 0.1f, .seed = 7, .epoch = 2, .step = 3};
}

void expect_close(const char *what, const float *got, const double *want, size_t n,
                  double tolerance)
{
    for (size_t i = 0; i < n; i++)
        cr_assert(fabs(got[i] - want[i]) <= tolerance * (1 + fabs(want[i])),
                  "%s: element %zu of %zu is %.9g, expected %.9g", what, i, n, (double)got[i],
                  want[i]);
}

void expect_equal_bits(const char *what, const float *got, const float *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(memcmp(got + i, want + i, sizeof *got), 0,
                     "%s: element %zu of %zu is %.9g, expected %.9g bit for bit", what, i, n,
                     (double)got[i], (double)want[i]);
}
