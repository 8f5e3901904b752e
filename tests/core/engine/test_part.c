/* A network that is cut between a device and a server: both parts together are the whole engine,
 * for every sample, wherever it is cut. */
#include "core/engine/part.h"
#include "core/engine/predict.h"
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
static const eex_exit_predictor *predictor; /* NULL: every gate is computed */

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
    OK(eex_engine_new_predicting(&engine, b.net.graph, b.net.params, p, &how, predictor));
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

static bool apart; /* each machine has its own part of the network alone */

/* The parameters of a part, copied, none beside them. */
static eex_params *part_params(eex_plan_part part)
{
    const eex_graph *g = b.net.graph;
    bool *held = calloc((size_t)eex_graph_params(g), sizeof *held);
    eex_params *params;
    OK(eex_plan_part_reads(held, g, b.net.dev, part));
    OK(eex_params_new_some(&params, b.net.dev, g, held));
    for (int i = 0; i < eex_graph_params(g); i++) {
        float *values = malloc(eex_param_count(eex_graph_param(g, i)) * sizeof *values);
        cr_expect_eq(eex_params_has(params, i), held[i]);
        OK(eex_params_get(b.net.params, i, values));
        cr_expect_eq(eex_params_set(params, i, values), held[i] ? EEX_OK : EEX_EINVAL);
        free(values);
    }
    free(held);
    return params;
}

static eex_engine *open_part(const eex_policy *p, int batch, eex_plan_part part,
                             eex_params **params)
{
    eex_inference how = bed_inference(&b, batch);
    eex_engine *engine;
    if (!apart) {
        *params = NULL;
        return open_engine(p, batch);
    }
    how.part = part;
    *params = part_params(part);
    OK(eex_engine_new_predicting(&engine, b.net.graph, *params, p, &how, predictor));
    return engine;
}

typedef struct parts {
    eex_params *params[2];       /* NULL: those of the whole */
    eex_engine *device, *server; /* of batches of their own */
    eex_onset *front;
    eex_rest *rest;
    int device_batch, server_batch;
} parts;

static parts open_parts(const eex_policy *p, int cut, int bits, int device_batch, int server_batch)
{
    parts both = {.device_batch = device_batch, .server_batch = server_batch};
    const int at = cut < 0 ? eex_graph_exits(b.net.graph) - 2 : cut;
    both.device = open_part(p, device_batch, (eex_plan_part){EEX_PLAN_FRONT, at}, &both.params[0]);
    both.server = open_part(p, server_batch, (eex_plan_part){EEX_PLAN_REST, at}, &both.params[1]);
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
    eex_params_free(both->params[0]);
    eex_params_free(both->params[1]);
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

static void check_cut(const eex_policy *p, const eex_result *want, int cut, int bits, int device,
                      int server)
{
    eex_result got[SAMPLES];
    parts both = open_parts(p, cut, bits, device, server);
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
        check_cut(p, want, cut, 0, SAMPLES, SAMPLES);
        check_cut(p, want, cut, 0, 1, 7);
        check_cut(p, want, cut, 0, 13, 4);
        apart = true;
        check_cut(p, want, cut, 0, SAMPLES, SAMPLES);
        check_cut(p, want, cut, 0, 1, 7);
        apart = false;
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

/* ---- a predictor ---- */

static eex_exit_predictor own; /* nobody trained it: its scores are as good as any */

/* How many samples it has a gate computed for. */
static int asked(eex_guest *guest, int gate)
{
    int32_t input[SAMPLES];
    bool ask[SAMPLES];
    int n = 0;
    for (int i = 0; i < SAMPLES; i++) {
        input[i] = i;
        ask[i] = true;
    }
    OK(guest->before(guest, NULL, gate, input, ask, SAMPLES));
    for (int i = 0; i < SAMPLES; i++)
        n += ask[i];
    return n;
}

/* Each gate is skipped for about half of the samples. */
static void choose_gammas(void)
{
    const eex_inference how = bed_inference(&b, SAMPLES);
    eex_guest *guest;
    OK(eex_predict_guest_new(&guest, &own, &how));
    OK(guest->begin(guest, images, SAMPLES));
    for (int k = 0; k < own.gates; k++) {
        float low = 0, high = 1;
        for (int step = 0; step < 30; step++) {
            own.gamma[k] = (low + high) / 2;
            eex_predict_guest_ask(guest, own.gamma);
            *(asked(guest, k) > SAMPLES / 2 ? &low : &high) = own.gamma[k];
        }
        cr_assert(asked(guest, k) > SAMPLES / 4 && asked(guest, k) < SAMPLES * 3 / 4);
    }
    eex_predict_guest_free(guest);
}

static void open_predictor(void)
{
    const eex_dataset_info *facts = eex_dataset_facts(b.data);
    own = (eex_exit_predictor){.gates = eex_graph_exits(b.net.graph) - 1};
    OK(eex_exit_predictor_graph(&own.graph, EEX_PREDICTOR_SEPARABLE, facts->height, facts->width,
                                facts->channels, own.gates));
    OK(eex_params_new(&own.params, b.net.dev, own.graph, 3));
    choose_gammas();
    predictor = &own;
}

static void close_predictor(void)
{
    predictor = NULL;
    eex_params_free(own.params);
    eex_graph_free(own.graph);
}

Test(part, with_a_predictor_both_parts_are_the_whole, .timeout = 240)
{
    eex_result with[SAMPLES], without[SAMPLES];
    int changed = 0;
    open_bed(bed_of_patches);
    eex_engine *plain = open_engine(policy, SAMPLES);
    OK(eex_engine_run(plain, without, images, SAMPLES));
    open_predictor();
    eex_engine *whole = open_engine(policy, SAMPLES);
    OK(eex_engine_run(whole, with, images, SAMPLES));
    for (int i = 0; i < SAMPLES; i++)
        changed += with[i].exit > without[i].exit;
    cr_expect_gt(changed, SAMPLES / 10, "the predictor keeps %d from leaving", changed);
    eex_engine_close(plain);
    eex_engine_close(whole);
    check_cuts(policy);
    check_cuts(NULL);
    bed_know(&b);
    policy->far[0] = 1.2;
    policy->far[1] = 2;
    check_cuts(policy);
    close_predictor();
    close_bed();
}

/* Whoever stays has an answer of the exit at the cut, also where the predictor would skip it. */
Test(part, a_skipped_gate_at_the_cut_has_an_answer, .timeout = 240)
{
    eex_result plain[SAMPLES], got[SAMPLES];
    int stay;
    open_bed(bed_of_patches);
    for (int cut = 0; cut < 2; cut++) {
        parts all = open_parts(NULL, cut, 0, SAMPLES, SAMPLES);
        OK(eex_onset_run(all.front, plain, images, SAMPLES, &stay));
        close_parts(&all);
        open_predictor();
        for (int k = 0; k < own.gates; k++)
            own.gamma[k] = INFINITY;
        parts none = open_parts(policy, cut, 0, SAMPLES, SAMPLES);
        memset(got, 0xff, sizeof got);
        OK(eex_onset_run(none.front, got, images, SAMPLES, &stay));
        cr_expect_eq(stay, SAMPLES);
        for (int i = 0; i < SAMPLES; i++)
            cr_expect(same(&got[i], &plain[i]), "cut %d, sample %d", cut, i);
        close_parts(&none);
        close_predictor();
    }
    close_bed();
}

/* A bit for each gate behind the cut, whatever else is sent. */
Test(part, a_predictor_takes_a_byte_where_gates_lie_behind, .timeout = 240)
{
    open_bed(bed_of_patches);
    for (int cut = 0; cut < 2; cut++)
        for (int bits = 0; bits <= 8; bits += 4) {
            eex_payload without, with;
            eex_engine *engine = open_engine(policy, 4);
            OK(eex_engine_payload(&without, engine, cut, bits));
            eex_engine_close(engine);
            open_predictor();
            engine = open_engine(policy, 4);
            OK(eex_engine_payload(&with, engine, cut, bits));
            eex_engine_close(engine);
            close_predictor();
            cr_expect(without.gates == 0 && with.gates == 1 - cut);
            cr_expect_eq(with.bytes, without.bytes + (size_t)(1 - cut));
        }
    close_bed();
}

/* ---- parts that are alone ---- */

/* Each parameter is on one side, but for ranges of values that pass quantised. */
static void check_shares(void)
{
    const eex_graph *g = b.net.graph;
    const int n = eex_graph_params(g);
    bool *front = calloc((size_t)n, sizeof *front), *rest = calloc((size_t)n, sizeof *rest);
    for (int cut = 0; cut < eex_graph_exits(g) - 1; cut++) {
        int fronts = 0, rests = 0;
        OK(eex_plan_part_reads(front, g, b.net.dev, (eex_plan_part){EEX_PLAN_FRONT, cut}));
        OK(eex_plan_part_reads(rest, g, b.net.dev, (eex_plan_part){EEX_PLAN_REST, cut}));
        for (int i = 0; i < n; i++) {
            const char *name = eex_graph_param(g, i)->name;
            const size_t length = strlen(name);
            const bool range = length > 6 && strcmp(name + length - 6, ".range") == 0;
            cr_expect(front[i] || rest[i], "%s is on no side", name);
            cr_expect(range || !(front[i] && rest[i]), "%s is on both sides", name);
            fronts += front[i];
            rests += rest[i];
        }
        cr_expect(fronts > 0 && rests > 0);
    }
    free(front);
    free(rest);
}

Test(part, each_parameter_is_on_one_side, .timeout = 240)
{
    bed (*const beds[])(const char *) = {bed_of_patches, bed_of_quantised, bed_of_drawings};
    for (int i = 0; i < 3; i++) {
        open_bed(beds[i]);
        check_shares();
        close_bed();
    }
}

Test(part, a_part_alone_takes_its_own_memory_and_is_no_whole, .timeout = 240)
{
    eex_result results[4];
    eex_payload payload;
    eex_onset *front;
    eex_rest *rest;
    eex_params *none;
    eex_plan *plan;
    open_bed(bed_of_drawings);
    const int last = eex_graph_exits(b.net.graph) - 1;
    eex_engine *whole = open_engine(policy, 4);
    apart = true;
    parts both = open_parts(policy, 0, 0, 4, 4);
    const size_t all = eex_plan_bytes(eex_engine_walk(whole).plan);
    cr_expect_lt(eex_plan_bytes(eex_engine_walk(both.device).plan), all);
    cr_expect_lt(eex_plan_bytes(eex_engine_walk(both.server).plan), all);
    cr_expect_eq(both.params[0]->count + both.params[1]->count, b.net.params->count);
    REFUSED(eex_engine_run(both.device, results, images, 1));
    REFUSED(eex_engine_run(both.server, results, images, 1));
    REFUSED(eex_engine_force(both.device, results, images, 0));
    REFUSED(eex_engine_settle(both.server, images));
    REFUSED(eex_engine_payload(&payload, both.device, 1, 0));
    REFUSED(eex_onset_new(&front, both.server, 0, 0));
    REFUSED(eex_rest_new(&rest, both.device, 0, 0));
    OK(eex_engine_payload(&payload, both.server, -1, 0));
    cr_expect_eq(payload.exit, 0, "the cut of the part");
    const eex_inference how = bed_inference(&b, 4);
    eex_plan_options options = eex_inference_plan(&how);
    REFUSED(eex_plan_new(&plan, &options, b.net.graph, both.params[0]));
    options.part = (eex_plan_part){EEX_PLAN_REST, 0};
    REFUSED(eex_plan_new(&plan, &options, b.net.graph, both.params[0]));
    options.part = (eex_plan_part){EEX_PLAN_FRONT, last};
    REFUSED(eex_plan_new(&plan, &options, b.net.graph, b.net.params));
    options = (eex_plan_options){.mode = EEX_PLAN_STATISTICS, .batch = 4};
    REFUSED(eex_plan_new(&plan, &options, b.net.graph, both.params[0]));
    REFUSED(eex_params_new_some(&none, b.net.dev, b.net.graph, NULL));
    REFUSED(eex_plan_part_reads(NULL, b.net.graph, b.net.dev, options.part));
    apart = false;
    eex_engine_close(whole);
    close_parts(&both);
    close_bed();
}

/* ---- few bits ---- */

/* What the network has quantised itself is sent in its own codes. */
Test(part, own_codes_lose_nothing, .timeout = 240)
{
    eex_result want[SAMPLES];
    eex_payload own_codes, other;
    int bits;
    open_bed(bed_of_quantised);
    for (int with = 0; with < 2; with++) {
        if (with)
            open_predictor();
        eex_engine *whole = open_engine(policy, SAMPLES);
        OK(eex_engine_run(whole, want, images, SAMPLES));
        OK(eex_engine_payload_bits(&bits, whole, 0));
        cr_expect_eq(bits, 0, "in front of the bottleneck");
        OK(eex_engine_payload_bits(&bits, whole, -1));
        cr_assert_eq(bits, 8);
        OK(eex_engine_payload(&own_codes, whole, -1, 0));
        const size_t raw = own_codes.bytes;
        OK(eex_engine_payload(&own_codes, whole, -1, 8));
        OK(eex_engine_payload(&other, whole, -1, 4));
        cr_expect_eq(own_codes.bytes, raw / 4);
        cr_expect_eq(other.bytes, raw / 8 + 8);
        eex_engine_close(whole);
        check_cut(policy, want, 1, 8, SAMPLES, SAMPLES);
        check_cut(policy, want, 1, 8, 1, 7);
        apart = true;
        check_cut(policy, want, 1, 8, 13, 4);
        apart = false;
        check_cuts(policy);
    }
    close_predictor();
    close_bed();
}

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
    for (int round = 0; round < 4; round++) {
        const int bits = round % 2 * 8;
        if (round == 2)
            open_predictor();
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
    close_predictor();
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
    REFUSED(eex_engine_payload_bits(NULL, both.device, 0));
    REFUSED(eex_engine_payload_bits(&stay, NULL, 0));
    REFUSED(eex_engine_payload_bits(&stay, both.device, last));
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
