/* Images that go up beside what runs: in the right order whatever the streams do, and only because
 * of the events between them. The emulated device does its work when somebody waits for it, so what
 * does not wait reads old memory, or memory that was written again. */
#include "core/plan/plan.h"
#include "cuda/fake_cuda.h"
#include "support/capture.h"
#include "support/devices.h"
#include "support/net.h"

#include <stdlib.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { BATCH = 4, STEPS = 8, SLOTS = 2 };
static const float weight[] = {0.3f, 0.3f, 0.4f};

/* A network that trains on images which a loader, as it were, writes into two places in turn. */
typedef struct bed {
    net n;
    eex_plan_options options;
    eex_plan *plan;
    size_t bytes; /* of a batch */
    uint8_t *images[SLOTS];
} bed;

static void bed_open(bed *b, bool pinned)
{
    b->n = net_open(net_tiny, BATCH, 1);
    b->options = net_training(BATCH, weight, 3);
    OK(eex_optimizer_state_new(&b->options.state, b->n.params, &b->options.optimizer));
    OK(eex_plan_new(&b->plan, &b->options, b->n.graph, b->n.params));
    b->bytes = BATCH * eex_plan_image_bytes(b->plan);
    for (int i = 0; i < SLOTS; i++) {
        b->images[i] = NULL;
        if (pinned)
            OK(eex_device_host_allocate(b->n.dev, (void **)&b->images[i], b->bytes));
        else
            b->images[i] = malloc(b->bytes);
    }
}

static void bed_close(bed *b, bool pinned)
{
    for (int i = 0; i < SLOTS; i++) {
        OK(eex_device_withdraw(b->n.dev, b->images[i]));
        if (pinned)
            eex_device_host_release(b->n.dev, b->images[i]);
        else
            free(b->images[i]);
    }
    eex_plan_free(b->plan);
    eex_optimizer_state_free(b->options.state);
    net_close(&b->n);
}

/* The images of step i, each batch another. */
static void write_images(bed *b, int i)
{
    for (size_t k = 0; k < b->bytes; k++)
        b->images[i % SLOTS][k] = (uint8_t)(b->n.images[k] + 37 * i);
}

/* Labels once, for they go by the ring of staging, whose waits would hide what is missing. */
static void step(bed *b, int i)
{
    OK(eex_plan_upload(b->plan, b->images[i % SLOTS], i ? NULL : b->n.labels,
                       i ? NULL : b->n.samples, BATCH));
    OK(eex_plan_step(b->plan,
                     &(eex_step){.batch = BATCH, .lr = 0.01f, .seed = 9, .step = (uint64_t)i + 1}));
}

/* As core/train/batches.c does: the next batch is announced before this one is run, and the place
 * of the one before is written again when it was withdrawn. */
static void step_ahead(bed *b, int i)
{
    uint8_t *next = b->images[(i + 1) % SLOTS];
    OK(eex_device_withdraw(b->n.dev, next)); /* that of step i - 1 */
    write_images(b, i + 1);
    OK(eex_device_ahead(b->n.dev, next, b->bytes));
    step(b, i);
}

typedef struct manner {
    bool ahead, pinned;
    bool patient;     /* every step is waited for, so that copies are later than what runs */
    const char *lost; /* the nth call of this, from the first announcement on; NULL: none is */
    int nth;
} manner;

/* The weights after some steps; the caller frees. */
static float *train(manner m, size_t *count)
{
    bed b;
    bed_open(&b, m.pinned);
    write_images(&b, 0);
    if (m.lost)
        eex_fake_cuda_lose(m.lost, m.nth);
    if (m.ahead)
        OK(eex_device_ahead(b.n.dev, b.images[0], b.bytes));
    for (int i = 0; i < STEPS; i++) {
        eex_totals totals;
        if (m.ahead)
            step_ahead(&b, i);
        else
            step(&b, i);
        if (!m.ahead)
            write_images(&b, i + 1);
        if (m.patient)
            OK(eex_plan_totals(b.plan, 0, &totals));
    }
    *count = b.n.params->count;
    float *w = fetch_floats(b.n.dev, b.n.params->w, *count);
    bed_close(&b, m.pinned);
    return w;
}

static bool same(const float *a, const float *b, size_t count)
{
    return memcmp(a, b, count * sizeof *a) == 0;
}

Test(ahead, the_bits_are_those_of_plain_uploads)
{
    size_t count;
    float *plain = train((manner){.ahead = false}, &count);
    for (int i = 0; i < 8; i++) {
        const manner m = {.ahead = true, .pinned = i & 1, .patient = i & 2};
        eex_fake_cuda_late(i & 4);
        float *w = train(m, &count);
        cr_expect(same(w, plain, count), "pinned %d, patient %d, late %d", m.pinned, m.patient,
                  i & 4);
        free(w);
    }
    free(plain);
}

/* Trains with each of the calls lost in turn; how often the result is another. */
static int count_wrong(bool patient, const char *function, int calls)
{
    size_t count;
    manner m = {.ahead = true, .pinned = true, .patient = patient};
    float *wanted = train(m, &count);
    int wrong = 0;
    m.lost = function;
    for (m.nth = 1; m.nth <= calls; m.nth++) {
        float *w = train(m, &count);
        cr_expect(eex_fake_cuda_lost(), "%s is not called %d times", function, m.nth);
        wrong += !same(w, wanted, count);
        free(w);
    }
    eex_fake_cuda_heal();
    free(wanted);
    return wrong;
}

/* Each wait is there for a reason. There are two a step: where copies are slow, what is not waited
 * for has not landed; where steps are, images land on those that nobody has taken yet (but for the
 * first ones, whose places are new). */
Test(ahead, without_its_events_it_is_wrong, .timeout = 120)
{
    const int slow_copies = count_wrong(true, "cudaStreamWaitEvent", 2 * STEPS);
    const int slow_steps = count_wrong(false, "cudaStreamWaitEvent", 2 * STEPS);
    cr_expect_geq(slow_copies, STEPS - 1, "%d were noticed", slow_copies);
    cr_expect_geq(slow_steps, STEPS - 4, "%d were noticed", slow_steps);
}

/* The host waits until its memory has been read, before it writes there again. */
Test(ahead, without_the_hosts_wait_it_is_wrong, .timeout = 120)
{
    const int wrong = count_wrong(false, "cudaEventSynchronize", 2 * STEPS);
    cr_expect_geq(wrong, STEPS - 3, "%d were noticed", wrong);
}

/* While a step is still to be run the next batch lands, and its memory may be written again. */
Test(ahead, images_land_beside_what_runs)
{
    bed b;
    bed_open(&b, true);
    for (int i = 0; i < 2; i++) {
        write_images(&b, i);
        OK(eex_device_ahead(b.n.dev, b.images[i], b.bytes));
        if (i == 0)
            step(&b, i);
    }
    const eex_fake_cuda_counts before = eex_fake_cuda_count();
    const size_t pending = eex_fake_cuda_pending();
    OK(eex_device_withdraw(b.n.dev, b.images[1]));
    cr_expect_eq(eex_fake_cuda_count().kernels, before.kernels, "the step was waited for");
    cr_expect_eq(eex_fake_cuda_count().waits, before.waits + 1);
    cr_expect_lt(eex_fake_cuda_pending(), pending);
    cr_expect_gt(eex_fake_cuda_pending(), 50);
    bed_close(&b, true);
}

/* What was not announced, or longer than what was, goes as ever; and so does what finds no room. */
Test(ahead, other_uploads_go_as_ever)
{
    enum { PLACES = 4, MORE = PLACES + 2, BYTES = 1 << 10 };
    eex_device *dev = open_device(1);
    uint8_t *memory, *host = malloc(MORE * BYTES), *back = malloc(MORE * BYTES);
    OK(dev->vtable->allocate(dev, (void **)&memory, MORE * BYTES));
    for (int i = 0; i < MORE * BYTES; i++)
        host[i] = (uint8_t)(i * i >> 3);
    for (int i = 0; i < MORE; i++)
        OK(eex_device_ahead(dev, host + (ptrdiff_t)i * BYTES, i == 1 ? 10 : BYTES));
    for (int i = 0; i < MORE; i++)
        OK(dev->vtable->upload(dev, memory + (ptrdiff_t)i * BYTES, host + (ptrdiff_t)i * BYTES,
                               BYTES));
    OK(dev->vtable->download(dev, back, memory, MORE * BYTES));
    cr_expect_eq(memcmp(back, host, MORE * BYTES), 0);
    for (int i = 0; i < MORE; i++)
        OK(eex_device_withdraw(dev, host + (ptrdiff_t)i * BYTES));
    dev->vtable->release(dev, memory);
    free(host);
    free(back);
    eex_device_close(dev);
    cr_expect_eq(eex_fake_cuda_held(), 0);
}

static bool once(const char *text, const char *what)
{
    const char *at = strstr(text, what);
    return at && !strstr(at + 1, what);
}

/* Without memory for places, or memory that stays where it is, it is said once and gone without. */
Test(ahead, without_memory_it_is_slower_and_said_so)
{
    test_capture capture;
    test_capture_file(&capture);
    eex_device *dev = open_device(1);
    void *memory[2];
    for (int i = 0; i < 2; i++) {
        eex_fake_cuda_fail("cudaHostAlloc", 1, cudaErrorMemoryAllocation);
        OK(eex_device_host_allocate(dev, &memory[i], 1 << 20));
        memset(memory[i], i, 1 << 20);
    }
    eex_fake_cuda_memory(eex_fake_cuda_held());
    for (int i = 0; i < 2; i++)
        OK(eex_device_ahead(dev, memory[i], 1 << 20));
    for (int i = 0; i < 2; i++)
        eex_device_host_release(dev, memory[i]);
    eex_fake_cuda_memory((size_t)16 << 30);
    eex_device_close(dev);
    char *said = test_capture_end(&capture);
    cr_expect(once(said, "no 1 MiB of pinned host memory"), "%s", said);
    cr_expect(once(said, "going on without images ahead"), "%s", said);
    free(said);
}

/* Whatever fails is reported, and nothing is leaked. */
Test(ahead, a_copy_that_fails_is_reported)
{
    static const char *const functions[] = {"cudaStreamWaitEvent", "cudaMemcpyAsync",
                                            "cudaEventRecordWithFlags", "cudaEventSynchronize"};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        eex_device *dev = open_device(1);
        void *memory;
        OK(eex_device_host_allocate(dev, &memory, 1 << 10));
        eex_fake_cuda_fail(functions[i], 1, cudaErrorUnknown);
        int code = eex_device_ahead(dev, memory, 1 << 10);
        if (code == EEX_OK)
            code = eex_device_withdraw(dev, memory);
        cr_expect_eq(code, EEX_EDEVICE, "%s", functions[i]);
        cr_expect_not_null(strstr(eex_error(), "images ahead"), "%s", eex_error());
        eex_fake_cuda_heal();
        eex_device_host_release(dev, memory);
        eex_device_close(dev);
        cr_expect_eq(eex_fake_cuda_held(), 0);
    }
}
