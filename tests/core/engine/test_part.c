/* A network that is cut between a device and a server: both parts together are the whole engine,
 * for every sample, wherever it is cut. */
#include "core/engine/part.h"
#include "core/policy/calibrate.h"
#include "support/bed.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/refused.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE];
static bed b;
static uint8_t *images; /* (SAMPLES) */
static eex_policy *policy;

static void open_bed(bed (*make)(const char *folder))
{
    const eex_calibration how = {
        .kind = EEX_POLICY_CONFIDENCE, .temperature = 1, .a = 0.6, .b = 0.3};
    test_folder_make(folder);
    b = make(folder);
    images = malloc(SAMPLES * b.image);
    cr_assert_not_null(images);
    OK(eex_dataset_gather(images, b.data, b.samples, SAMPLES));
    OK(eex_calibrate(&policy, b.trace, b.net.dev, &how, NULL));
}

static void close_bed(void)
{
    eex_policy_free(policy);
    free(images);
    bed_close(&b);
    test_folder_remove(folder);
}

static eex_engine *open_engine(const eex_policy *p, int batch)
{
    const eex_inference how = bed_inference(&b, batch);
    eex_engine *engine;
    OK(eex_engine_new(&engine, b.net.graph, b.net.params, p, &how));
    return engine;
}

static bool alike(float got, float wanted)
{
    return device_repeats_bits() ? memcmp(&got, &wanted, sizeof got) == 0
                                 : fabsf(got - wanted) < 1e-4f;
}

static bool same(const eex_result *got, const eex_result *wanted)
{
    return got->top == wanted->top && got->exit == wanted->exit &&
           got->decision == wanted->decision && alike(got->confidence, wanted->confidence) &&
           alike(got->margin, wanted->margin) && alike(got->entropy, wanted->entropy);
}

/* ---- both parts, with a wire between them ---- */

typedef struct parts {
    eex_engine *device, *server; /* of batches of their own */
    eex_onset *front;
    eex_rest *rest;
    int device_batch, server_batch;
} parts;

static parts open_parts(const eex_policy *p, int cut, int bits, int device_batch, int server_batch)
{
    parts both = {open_engine(p, device_batch),
                  open_engine(p, server_batch),
                  NULL,
                  NULL,
                  device_batch,
                  server_batch};
    OK(eex_onset_new(&both.front, both.device, cut, bits));
    OK(eex_rest_new(&both.rest, both.server, cut, bits));
    cr_assert_eq(eex_onset_payload(both.front)->bytes, eex_rest_payload(both.rest)->bytes);
    cr_assert_eq(eex_onset_payload(both.front)->exit, eex_rest_payload(both.rest)->exit);
    return both;
}

static void close_parts(parts *both)
{
    eex_onset_free(both->front);
    eex_rest_free(both->rest);
    eex_engine_close(both->device);
    eex_engine_close(both->server);
}

/* The server's answers take the places of what the device thought. Returns how many passed. */
static int run_batch(const parts *both, eex_result *results, const uint8_t *from, int count)
{
    const size_t bytes = eex_onset_payload(both->front)->bytes;
    eex_result answer[SAMPLES];
    int stay;
    OK(eex_onset_run(both->front, results, from, count, &stay));
    unsigned char *wire = malloc((size_t)stay * bytes + 1);
    memcpy(wire, eex_onset_rows(both->front), (size_t)stay * bytes);
    for (int at = 0; at < stay; at += both->server_batch) {
        const int some = stay - at < both->server_batch ? stay - at : both->server_batch;
        OK(eex_rest_run(both->rest, answer + at, wire + (size_t)at * bytes, some));
    }
    for (int i = 0; i < stay; i++) {
        const int32_t to = eex_onset_index(both->front)[i];
        cr_assert(to >= 0 && to < count && (i == 0 || to > eex_onset_index(both->front)[i - 1]));
        cr_expect_eq(results[to].exit, eex_onset_payload(both->front)->exit);
        cr_expect_eq(results[to].decision, EEX_ACCEPT);
        results[to] = answer[i];
    }
    free(wire);
    return stay;
}

static int run_all(const parts *both, eex_result *results)
{
    int passed = 0;
    for (int at = 0; at < SAMPLES; at += both->device_batch) {
        const int some = SAMPLES - at < both->device_batch ? SAMPLES - at : both->device_batch;
        passed += run_batch(both, results + at, images + (size_t)at * b.image, some);
    }
    return passed;
}

static void check_cut(const eex_policy *p, const eex_result *want, int cut, int device, int server)
{
    eex_result got[SAMPLES];
    parts both = open_parts(p, cut, 0, device, server);
    int beyond = 0;
    const int passed = run_all(&both, got);
    for (int i = 0; i < SAMPLES; i++) {
        cr_expect(same(&got[i], &want[i]), "cut %d, sample %d: exit %d (%d), not %d (%d)", cut, i,
                  got[i].exit, got[i].top, want[i].exit, want[i].top);
        beyond += want[i].exit > cut;
    }
    cr_expect_eq(passed, beyond, "cut %d: %d passed, %d leave behind it", cut, passed, beyond);
    close_parts(&both);
}

static void check_cuts(const eex_policy *p)
{
    eex_result want[SAMPLES];
    eex_engine *whole = open_engine(p, SAMPLES);
    OK(eex_engine_run(whole, want, images, SAMPLES));
    for (int cut = 0; cut < eex_graph_exits(b.net.graph) - 1; cut++) {
        check_cut(p, want, cut, SAMPLES, SAMPLES);
        check_cut(p, want, cut, 1, 7);
        check_cut(p, want, cut, 13, 4);
    }
    eex_engine_close(whole);
}

Test(part, both_parts_are_the_whole, .timeout = 240)
{
    open_bed(bed_of_patches);
    check_cuts(policy);
    check_cuts(NULL); /* everybody passes */
    bed_know(&b);
    policy->far[0] = 1.2;
    policy->far[1] = 2;
    check_cuts(policy);
    close_bed();
}

Test(part, of_other_networks, .timeout = 240)
{
    open_bed(bed_of_enlarged);
    check_cuts(policy);
    close_bed();
    open_bed(bed_of_drawings);
    check_cuts(policy);
    close_bed();
}

/* ---- few bits ---- */

static int agreeing(const eex_result *a, const eex_result *b_)
{
    int n = 0;
    for (int i = 0; i < SAMPLES; i++)
        n += a[i].top == b_[i].top;
    return n;
}

Test(part, few_bits_are_nearly_the_same_and_know_no_neighbours, .timeout = 240)
{
    eex_result whole[SAMPLES], alone[SAMPLES], together[SAMPLES];
    open_bed(bed_of_patches);
    parts both = open_parts(NULL, 1, 0, SAMPLES, SAMPLES);
    const size_t raw = eex_onset_payload(both.front)->bytes;
    run_all(&both, whole);
    close_parts(&both);
    for (int bits = 1; bits <= 8; bits++) {
        both = open_parts(NULL, 1, bits, SAMPLES, SAMPLES);
        const eex_payload *p = eex_onset_payload(both.front);
        cr_expect_eq(p->bytes, raw / 32 * (size_t)bits + 8 * (size_t)p->values);
        run_all(&both, together);
        close_parts(&both);
        both = open_parts(NULL, 1, bits, 1, 5);
        run_all(&both, alone);
        close_parts(&both);
        for (int i = 0; i < SAMPLES; i++)
            cr_expect(same(&alone[i], &together[i]), "%d bits, sample %d", bits, i);
        cr_expect(bits < 8 || agreeing(whole, together) >= SAMPLES * 95 / 100, "%d of %d agree",
                  agreeing(whole, together), SAMPLES);
    }
    close_bed();
}

/* ---- what may come over a wire, and nonsense ---- */

Test(part, any_bytes_get_an_answer, .timeout = 240)
{
    open_bed(bed_of_patches);
    for (int bits = 0; bits <= 8; bits += 8) {
        parts both = open_parts(policy, 0, bits, 4, 4);
        const size_t bytes = eex_rest_payload(both.rest)->bytes;
        unsigned char *rows = malloc(4 * bytes);
        eex_result got[4];
        for (int fill = 0; fill < 256; fill += 51) {
            memset(rows, fill, 4 * bytes);
            OK(eex_rest_run(both.rest, got, rows, 4));
            for (int i = 0; i < 4; i++) {
                cr_expect(got[i].top >= 0 && got[i].top < eex_graph_classes(b.net.graph));
                cr_expect(got[i].exit > 0 && got[i].exit < eex_graph_exits(b.net.graph));
            }
        }
        free(rows);
        close_parts(&both);
    }
    close_bed();
}

Test(part, nonsense_is_refused, .timeout = 240)
{
    eex_onset *front;
    eex_rest *rest;
    eex_payload payload;
    eex_result results[4];
    int stay;
    open_bed(bed_of_patches);
    parts both = open_parts(policy, -1, 0, 4, 4);
    const int last = eex_graph_exits(b.net.graph) - 1;
    cr_expect_eq(eex_onset_payload(both.front)->exit, last - 1, "the last early exit");
    REFUSED(eex_engine_payload(NULL, both.device, 0, 0));
    REFUSED(eex_engine_payload(&payload, NULL, 0, 0));
    REFUSED(eex_engine_payload(&payload, both.device, last, 0));
    REFUSED(eex_engine_payload(&payload, both.device, -2, 0));
    REFUSED(eex_onset_new(NULL, both.device, 0, 0));
    REFUSED(eex_onset_new(&front, NULL, 0, 0));
    REFUSED(eex_onset_new(&front, both.device, 0, 9));
    REFUSED(eex_rest_new(NULL, both.server, 0, 0));
    REFUSED(eex_rest_new(&rest, NULL, 0, 0));
    REFUSED(eex_rest_new(&rest, both.server, 0, -1));
    REFUSED(eex_onset_run(NULL, results, images, 1, &stay));
    REFUSED(eex_onset_run(both.front, NULL, images, 1, &stay));
    REFUSED(eex_onset_run(both.front, results, NULL, 1, &stay));
    REFUSED(eex_onset_run(both.front, results, images, 5, &stay));
    REFUSED(eex_onset_run(both.front, results, images, 1, NULL));
    REFUSED(eex_rest_run(NULL, results, images, 1));
    REFUSED(eex_rest_run(both.rest, NULL, images, 1));
    REFUSED(eex_rest_run(both.rest, results, NULL, 1));
    REFUSED(eex_rest_run(both.rest, results, images, 0));
    eex_onset_free(NULL);
    eex_rest_free(NULL);
    close_parts(&both);
    close_bed();
}
