/* Latency tables: every operation of a network is in them once it was measured, nothing is measured
 * twice, and what a file says is checked. */
#include "core/engine/latency_table.h"
#include "core/engine/race.h"
#include "core/graph/cost.h"
#include "core/run/latency_space.h"
#include "core/use/chrome_trace.h"
#include "core/use/profile.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/net.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static const eex_inference how = {
    .batch = 1, .normalise = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.25f, 0.25f, 0.25f}}};

TestSuite(latency, .timeout = 240);

static void refused(int code, int wanted, const char *text)
{
    cr_expect_eq(code, wanted, "%d instead of %d: %s", code, wanted, eex_error());
    cr_expect(strstr(eex_error(), text), "\"%s\" says nothing of \"%s\"", eex_error(), text);
}

static eex_plan *plan_of(const net *n)
{
    eex_plan *plan;
    const eex_plan_options options = net_inference(1);
    OK(eex_plan_new(&plan, &options, n->graph, n->params));
    return plan;
}

Test(latency, a_network_is_measured_once)
{
    net n = net_open(net_tiny, 1, 1);
    eex_latency_table *t;
    double ms[EEX_MAX_EXITS], sum = 0;
    int added;
    OK(eex_latency_table_new(&t, n.dev));
    OK(eex_latency_table_add(t, &added, n.graph, n.params, &how));
    cr_expect_eq((size_t)added, t->count);
    cr_expect_gt(added, 10);
    for (size_t i = 0; i < t->count; i++) {
        cr_expect(t->at[i].ms >= 0 && t->at[i].ms < 1e3 && t->at[i].places > 0);
        cr_expect(i == 0 || strcmp(t->at[i - 1].key, t->at[i].key) < 0);
    }
    OK(eex_latency_table_add(t, &added, n.graph, n.params, &how));
    cr_expect_eq(added, 0);

    /* Its exits come one after the other, and the end costs what all of it does. */
    eex_plan *plan = plan_of(&n);
    double *op = calloc((size_t)eex_plan_ops(plan), sizeof *op);
    cr_assert_not_null(op);
    OK(eex_latency_predict(ms, t, n.graph, plan));
    OK(eex_latency_ops(op, t, plan));
    for (int i = 0; i < eex_plan_ops(plan); i++)
        sum += op[i];
    eex_latency_extras extra;
    OK(eex_latency_extra(&extra, t, plan));
    sum += extra.input + 3 * extra.leave + extra.results;
    cr_expect(ms[0] > 0 && ms[0] < ms[1] && ms[1] < ms[2]);
    cr_expect_float_eq(ms[2], sum, 1e-9 * sum);
    free(op);
    eex_plan_free(plan);
    eex_latency_table_free(t);
    net_close(&n);
}

/* A gate that reads a value keeps an operation from being fused with the next: both kinds are
 * needed by one structure or another. */
Test(latency, what_is_missing_is_named_and_added)
{
    net n = net_open(net_tiny, 1, 1), bare = net_open(eex_test_tiny, 1, 1);
    eex_latency_table *t;
    eex_plan *plan = plan_of(&n);
    double ms[EEX_MAX_EXITS];
    int added, before;
    OK(eex_latency_table_new(&t, bare.dev));
    OK(eex_latency_table_add(t, &before, bare.graph, bare.params, &how));
    refused(eex_latency_predict(ms, t, n.graph, plan), EEX_ENOTFOUND, "eex profile --table");
    OK(eex_latency_table_add(t, &added, n.graph, n.params, &how));
    cr_expect(added > 0 && (size_t)(before + added) == t->count);
    OK(eex_latency_predict(ms, t, n.graph, plan));
    refused(eex_latency_find(ms, t, "conv of nothing"), EEX_ENOTFOUND, "conv of nothing");
    eex_plan_free(plan);
    eex_latency_table_free(t);
    net_close(&bare);
    net_close(&n);
}

/* Images of another size than the network's have entries of their own. */
Test(latency, resizing_is_an_operation)
{
    net n = net_open(net_tiny, 1, 1);
    eex_latency_table *t;
    eex_inference larger = how;
    eex_plan *plan;
    double ms[EEX_MAX_EXITS];
    int added;
    larger.normalise.height = larger.normalise.width = 12;
    const eex_plan_options options = eex_inference_plan(&larger);
    OK(eex_latency_table_new(&t, n.dev));
    OK(eex_latency_table_add(t, &added, n.graph, n.params, &how));
    OK(eex_plan_new(&plan, &options, n.graph, n.params));
    refused(eex_latency_predict(ms, t, n.graph, plan), EEX_ENOTFOUND, "input 3x12x12");
    OK(eex_latency_table_add(t, &added, n.graph, n.params, &larger));
    cr_expect_eq(added, 3);
    OK(eex_latency_find(ms, t, "input 3x12x12"));
    OK(eex_latency_find(ms, t, "normalise 3x12x12"));
    OK(eex_latency_find(ms, t, "resize 3x12x12 to 8x8"));
    OK(eex_latency_predict(ms, t, n.graph, plan));
    cr_expect(ms[0] > 0 && ms[0] < ms[1] && ms[1] < ms[2]);
    eex_plan_free(plan);
    eex_latency_table_free(t);
    net_close(&n);
}

Test(latency, tables_belong_to_a_device)
{
    net n = net_open(net_tiny, 1, 1);
    eex_latency_table *t;
    int added;
    OK(eex_latency_table_new(&t, n.dev));
    OK(eex_latency_table_is_of(t, n.dev));
    t->device[0] = '?';
    refused(eex_latency_table_add(t, &added, n.graph, n.params, &how), EEX_EINVAL, n.dev->name);
    cr_expect_eq(t->count, 0);
    eex_latency_table_free(t);
    eex_latency_table_free(NULL);
    net_close(&n);
}

/* ---- files ---- */

static void write_table(const char *path, const eex_latency_table *t)
{
    eex_store_file *file;
    OK(eex_store_create(&file, path, "latency-table", 1));
    OK(eex_latency_table_save(t, file));
    OK(eex_store_commit(&file));
}

Test(latency, tables_come_back)
{
    char folder[TEST_PATH_SIZE];
    eex_latency_table t = {.device = "a device"}, *read;
    test_folder_make(folder);
    OK(eex__latency_put(&t, "b", 2, 3));
    OK(eex__latency_put(&t, "c", 0.25, 1));
    OK(eex__latency_put(&t, "a", 1, 1));
    OK(eex__latency_put(&t, "b", 4, 5));
    write_table(test_path(folder, "t.h5"), &t);
    OK(eex_latency_table_load(&read, test_path(folder, "t.h5")));
    cr_assert_eq(read->count, 3);
    cr_expect_str_eq(read->device, "a device");
    static const double ms[] = {1, 4, 0.25};
    for (int i = 0; i < 3; i++) {
        cr_expect(read->at[i].key[0] == "abc"[i] && read->at[i].ms == ms[i]);
        cr_expect_eq(read->at[i].places, t.at[i].places);
    }
    eex_latency_table_free(read);

    t.at[1].ms = NAN;
    write_table(test_path(folder, "t.h5"), &t);
    refused(eex_latency_table_load(&read, test_path(folder, "t.h5")), EEX_EFORMAT, "\"b\" takes");
    cr_expect_null(read);
    t.at[1].ms = -1;
    write_table(test_path(folder, "t.h5"), &t);
    refused(eex_latency_table_load(&read, test_path(folder, "t.h5")), EEX_EFORMAT, "takes -1 ms");
    refused(eex_latency_table_load(&read, test_path(folder, "u.h5")), EEX_ENOTFOUND, "u.h5");
    free(t.at);
    test_folder_remove(folder);
}

/* Tables from before there was a choice stay what they are, and nothing is mixed up. */
Test(latency, operations_of_another_precision_have_keys_of_their_own)
{
    net n = net_open(net_tiny, 1, 1);
    eex_plan *plan = plan_of(&n);
    char key[EEX_LATENCY_KEY], other[EEX_LATENCY_KEY], wanted[EEX_LATENCY_KEY + 32];
    for (int i = 0; i < eex_plan_ops(plan); i++) {
        eex_op op = *eex_plan_op(plan, i);
        OK(eex_latency_key(key, &op));
        cr_expect_null(strstr(key, "float"), "%s", key);
        op.precision = EEX_BF16_PRODUCTS;
        OK(eex_latency_key(other, &op));
        snprintf(wanted, sizeof wanted, "%s bfloat16-products", key);
        cr_expect_str_eq(other, wanted);
    }
    eex_plan_free(plan);
    net_close(&n);
}

/* ---- what operations cost ---- */

static void macs_add_up(net_builder build)
{
    net n = net_open(build, 1, 1);
    eex_plan *plan = plan_of(&n);
    double macs = 0;
    for (int i = 0; i < eex_plan_ops(plan); i++) {
        const eex_op *op = eex_plan_op(plan, i);
        macs += eex_profile_macs(op);
        cr_expect_gt(eex_profile_bytes(op, 1), 0);
        cr_expect_gt(eex_profile_bytes(op, 2), eex_profile_bytes(op, 1));
        cr_expect_str_neq(eex_profile_kind(op), "?");
    }
    cr_expect_eq(macs, (double)eex_cost_total(n.graph, EEX_MACS));
    eex_plan_free(plan);
    net_close(&n);
}

Test(latency, operations_cost_what_their_network_does)
{
    macs_add_up(net_tiny);
    macs_add_up(net_squeezed);
    macs_add_up(net_mobilenetv2);
}

/* ---- the device's lock ---- */

static const eex_device_vtable *real;
static int locked, unlocked_ops;

static int enter(eex_device *dev)
{
    locked++;
    return real->enter ? real->enter(dev) : EEX_OK;
}

static void *try(void *lock)
{
    const bool free = pthread_mutex_trylock(lock) == 0;
    if (free)
        pthread_mutex_unlock(lock);
    return free ? lock : NULL;
}

/* Another thread asks: this one might lock again what it holds. */
static bool is_free(eex_device *dev)
{
    pthread_t other;
    void *out = NULL;
    cr_assert_eq(pthread_create(&other, NULL, try, &dev->lock), 0);
    pthread_join(other, &out);
    return out != NULL;
}

static int run_op(eex_device *dev, const eex_op *op, void *state, const eex_step *step)
{
    unlocked_ops += locked == 0 || is_free(dev);
    return real->run(dev, op, state, step);
}

static eex_device_vtable watched(eex_device *dev)
{
    eex_device_vtable out = *dev->vtable;
    real = dev->vtable;
    locked = unlocked_ops = 0;
    out.enter = enter;
    out.run = run_op;
    return out;
}

static void expect_locked(eex_device *dev, const char *who)
{
    cr_expect(locked > 0 && unlocked_ops == 0, "%s: %d locks, %d ops without", who, locked,
              unlocked_ops);
    cr_expect(is_free(dev), "%s keeps the lock", who);
    locked = unlocked_ops = 0;
}

Test(latency, whoever_measures_has_the_device)
{
    net n = net_open(net_tiny, 1, 1);
    eex_latency_table *table;
    eex_chrome_trace *trace;
    eex_engine *engine;
    eex_model model = {.graph = n.graph, .params = n.params, .input.classes = {0}};
    const uint32_t sample = 0;
    const int32_t label = -1;
    int added;
    OK(eex_engine_new(&engine, n.graph, n.params, NULL, &how));
    OK(eex_chrome_trace_new(&trace, &model));
    OK(eex_latency_table_new(&table, n.dev));
    const eex_device_vtable vtable = watched(n.dev);
    n.dev->vtable = &vtable;
    OK(eex_chrome_trace_run(trace, engine, n.images, &sample, &label, 1));
    expect_locked(n.dev, "a Chrome trace");
    OK(eex_latency_table_add(table, &added, n.graph, n.params, &how));
    expect_locked(n.dev, "a latency table");
    table->device[0] = '?';
    refused(eex_latency_table_add(table, &added, n.graph, n.params, &how), EEX_EINVAL, "?");
    cr_expect(is_free(n.dev));
    n.dev->vtable = real;
    eex_latency_table_free(table);
    eex_chrome_trace_free(trace);
    eex_engine_close(engine);
    net_close(&n);
}

/* ---- races ---- */

Test(latency, racers_are_timed_in_turns)
{
    enum { IMAGES = 7 };
    net n = net_open(net_tiny, IMAGES, 1);
    eex_engine *one, *batches;
    OK(eex_engine_new(&one, n.graph, n.params, NULL, &how));
    OK(eex_engine_new(&batches, n.graph, n.params, NULL,
                      &(eex_inference){.batch = 3, .normalise = how.normalise}));
    eex_race race = {.images = n.images,
                     .image_bytes = eex_engine_image_bytes(one),
                     .count = IMAGES,
                     .batch = 1,
                     .rounds = 4};
    eex_racer racer[3] = {{.engine = one},
                          {.engine = one, .forced = true, .exit = 0},
                          {.engine = one, .forced = true, .exit = 2}};
    OK(eex_race_run(racer, 3, &race));
    for (int i = 0; i < 3; i++) {
        const eex_latency *l = &racer[i].times.latency;
        cr_expect(l->mean > 0 && l->p50 > 0 && l->p50 <= l->p95 && l->p95 <= l->p99);
    }
    cr_expect_lt(racer[1].times.latency.p50, racer[2].times.latency.p99);
    race.batch = 3;
    racer[0] = (eex_racer){.engine = batches};
    OK(eex_race_run(racer, 1, &race));
    cr_expect_gt(racer[0].times.latency.mean, 0);
    race.batch = IMAGES + 1;
    refused(eex_race_run(racer, 1, &race), EEX_EINVAL, "nothing to measure");
    race.batch = 1;
    racer[1].exit = 3;
    refused(eex_race_run(racer, 2, &race), EEX_EINVAL, "exit 3");
    race.batch = 3;
    refused(eex_race_run(racer, 2, &race), EEX_EINVAL, "batches of 3 as far as exit 3");
    eex_engine_close(batches);
    eex_engine_close(one);
    net_close(&n);
}
