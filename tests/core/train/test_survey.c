/* What a visitor sees of a survey, and what ends one. */
#include "core/train/survey.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/net.h"
#include "support/patches.h"

#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

enum { COUNT = 25, BATCH = 10 };

static char folder[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    test_folder_remove(folder);
}

TestSuite(survey, .init = setup, .fini = teardown, .timeout = 120);

typedef struct bed {
    net net;
    eex_dataset *data;
    uint32_t samples[COUNT]; /* every third one, backwards */
    eex_inference how;
} bed;

static bed open_bed(void)
{
    bed b = {.data = patches_open(folder, 3 * COUNT, 4, 40), .net = net_open(net_tiny, 1, 1)};
    for (uint32_t i = 0; i < COUNT; i++)
        b.samples[i] = 3 * (COUNT - 1 - i);
    b.how = (eex_inference){.batch = BATCH};
    for (int c = 0; c < 3; c++)
        b.how.normalise.std[c] = 1;
    return b;
}

static void close_bed(bed *b)
{
    net_close(&b->net);
    eex_dataset_close(b->data);
}

/* Fails the test when anything comes that should not come next. */
typedef struct guest {
    const bed *bed;
    int next;      /* exit that should come */
    size_t rows;   /* seen in whole batches */
    size_t wrong;  /* fails at this row; SIZE_MAX: nowhere */
    float *logits; /* (exits, COUNT, NET_CLASSES) or NULL */
} guest;

static int see_segment(void *context, const eex_survey_place *at, int exit)
{
    guest *g = context;
    cr_assert_eq(exit, g->next++);
    cr_assert_eq(at->first, g->rows);
    cr_assert_eq(at->batch->count, g->rows + BATCH <= COUNT ? BATCH : COUNT % BATCH);
    if (g->wrong >= at->first && g->wrong < at->first + (size_t)at->batch->count)
        return eex_fail(EEX_EDIVERGED, "the guest does not like it");
    if (!g->logits)
        return EEX_OK;
    float *to = g->logits + ((size_t)exit * COUNT + at->first) * NET_CLASSES;
    return eex_plan_logits(at->plan, exit, to, at->batch->count);
}

static int see_batch(void *context, const eex_survey_place *at)
{
    guest *g = context;
    for (int i = 0; i < at->batch->count; i++)
        cr_assert_eq(at->batch->samples[i], g->bed->samples[at->first + (size_t)i]);
    g->next = 0;
    g->rows += (size_t)at->batch->count;
    return EEX_OK;
}

static const eex_visitor visitor = {see_segment, see_batch};

static int visit(guest *g, int exits)
{
    const bed *b = g->bed;
    const eex_survey survey = {
        .title = "visiting",
        .graph = b->net.graph,
        .params = b->net.params,
        .data = b->data,
        .samples = b->samples,
        .count = COUNT,
        .how = &b->how,
        .exits = exits,
        .visitor = &visitor,
        .context = g,
    };
    return eex_survey_run(&survey);
}

Test(survey, visits_every_sample_once_behind_each_segment)
{
    bed b = open_bed();
    const int exits = eex_graph_exits(b.net.graph);
    for (int some = 0; some <= exits; some++) {
        guest g = {.bed = &b, .wrong = SIZE_MAX};
        cr_assert_eq(visit(&g, some), EEX_OK, "%s", eex_error());
        cr_assert_eq(g.rows, COUNT);
    }
    close_bed(&b);
}

Test(survey, logits_are_those_of_each_sample_alone)
{
    bed b = open_bed();
    const int exits = eex_graph_exits(b.net.graph);
    const size_t floats = (size_t)exits * COUNT * NET_CLASSES;
    float *logits = calloc(2 * floats, sizeof *logits);
    cr_assert_not_null(logits);
    guest whole = {.bed = &b, .wrong = SIZE_MAX, .logits = logits};
    cr_assert_eq(visit(&whole, exits), EEX_OK, "%s", eex_error());
    eex_plan *plan;
    const eex_plan_options one = eex_inference_plan(&b.how);
    cr_assert_eq(eex_plan_new(&plan, &one, b.net.graph, b.net.params), EEX_OK);
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t image[8 * 8 * 3];
        cr_assert_eq(eex_dataset_gather(image, b.data, &b.samples[i], 1), EEX_OK);
        cr_assert_eq(eex_plan_upload(plan, image, NULL, NULL, 1), EEX_OK);
        for (int k = 0; k < exits; k++) {
            float *to = logits + floats + ((size_t)k * COUNT + i) * NET_CLASSES;
            cr_assert_eq(eex_plan_segments(plan, k, k, 1), EEX_OK);
            cr_assert_eq(eex_plan_logits(plan, k, to, 1), EEX_OK);
        }
    }
    expect_repeated("logits", logits, logits + floats, floats);
    eex_plan_free(plan);
    free(logits);
    close_bed(&b);
}

Test(survey, a_visitor_may_end_it)
{
    bed b = open_bed();
    guest g = {.bed = &b, .wrong = 12};
    cr_assert_eq(visit(&g, 2), EEX_EDIVERGED);
    cr_assert_str_eq(eex_error(), "the guest does not like it");
    cr_assert_eq(g.rows, BATCH, "the batch before was whole");
    close_bed(&b);
}

Test(survey, a_signal_interrupts_it)
{
    bed b = open_bed();
    guest g = {.bed = &b, .wrong = SIZE_MAX};
    cr_assert_eq(eex_signals_install(), EEX_OK);
    raise(SIGTERM);
    cr_assert_eq(visit(&g, 1), EEX_EINTERRUPTED);
    cr_assert_lt(g.rows, COUNT);
    eex_signals_clear();
    close_bed(&b);
}
