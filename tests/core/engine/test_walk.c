/* Guests of a walk: they see every exit and every leg, may decide otherwise, and change nothing
 * else. */
#include "core/engine/walk.h"
#include "core/policy/calibrate.h"
#include "support/bed.h"
#include "support/devices.h"
#include "support/folder.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { COUNT = 48, LEGS = 32 };

static char folder[TEST_PATH_SIZE];
static bed b;
static uint8_t *images; /* (COUNT) */
static eex_policy *policy;
static eex_engine *engine;
static eex_result want[COUNT];

/* How many leave at an exit. */
static int leavers(const eex_result *results, int count, int exit)
{
    int n = 0;
    for (int i = 0; i < count; i++)
        n += results[i].exit == exit;
    return n;
}

/* Some leave at every exit, some are too far from what is familiar. */
static void setup(void)
{
    const eex_calibration how = {
        .kind = EEX_POLICY_CONFIDENCE, .temperature = 1, .a = 0.6, .b = 0.3};
    test_folder_make(folder);
    b = bed_of_patches(folder);
    bed_know(&b);
    images = malloc(COUNT * b.image);
    cr_assert_not_null(images);
    OK(eex_dataset_gather(images, b.data, b.samples, COUNT));
    OK(eex_calibrate(&policy, b.trace, b.net.dev, &how, NULL));
    policy->far[0] = 1.2;
    const eex_inference inference = bed_inference(&b, COUNT);
    OK(eex_engine_new(&engine, b.net.graph, b.net.params, policy, &inference));
    cr_assert_eq(eex_engine_rows(engine), COUNT);
    OK(eex_engine_run(engine, want, images, COUNT));
    for (int k = 0; k < eex_graph_exits(b.net.graph); k++)
        cr_assert_gt(leavers(want, COUNT, k), 0, "exit %d", k);
}

static void teardown(void)
{
    eex_engine_close(engine);
    eex_policy_free(policy);
    free(images);
    bed_close(&b);
    test_folder_remove(folder);
}

TestSuite(walk, .init = setup, .fini = teardown, .timeout = 240);

static bool alike(float got, float wanted)
{
    return device_repeats_bits() ? got == wanted : fabsf(got - wanted) < 1e-4f;
}

static bool same(const eex_result *got, const eex_result *wanted)
{
    return got->top == wanted->top && got->exit == wanted->exit &&
           got->decision == wanted->decision && alike(got->confidence, wanted->confidence) &&
           alike(got->margin, wanted->margin) && alike(got->entropy, wanted->entropy);
}

static void expect_wanted(const eex_result *got, int count)
{
    for (int i = 0; i < count; i++)
        cr_expect(same(&got[i], &want[i]), "image %d leaves at %d (%d), not %d (%d)", i,
                  got[i].exit, (int)got[i].decision, want[i].exit, (int)want[i].decision);
}

/* ---- legs ---- */

typedef struct diary {
    eex_guest guest;
    eex_leg leg[LEGS];
    int legs;
} diary;

static void write_down(eex_guest *guest, const eex_leg *leg)
{
    diary *d = (diary *)guest;
    cr_assert_lt(d->legs, LEGS);
    d->leg[d->legs++] = *leg;
}

/* In, exit by exit with those who leave there, out: without a gap. */
static void check_diary(const diary *d, int count)
{
    int there = count, at = 0;
    cr_assert_eq(d->leg[at++].kind, EEX_LEG_INPUT);
    for (int k = 0; there > 0; k++) {
        const eex_leg *segment = &d->leg[at++], *exit = &d->leg[at++];
        cr_assert(segment->kind == EEX_LEG_SEGMENT && segment->exit == k);
        cr_assert(exit->kind == EEX_LEG_EXIT && exit->exit == k);
        cr_expect(segment->rows == there && segment->stay == there && exit->rows == there);
        cr_expect_eq(exit->rows - exit->stay, leavers(want, count, k), "exit %d", k);
        there = exit->stay;
    }
    cr_assert_eq(d->leg[at++].kind, EEX_LEG_RESULTS);
    cr_assert_eq(d->legs, at);
    for (int i = 0; i < at; i++) {
        cr_expect_leq(d->leg[i].begin, d->leg[i].end);
        cr_expect(i == 0 || d->leg[i].begin == d->leg[i - 1].end, "leg %d", i);
    }
}

Test(walk, legs_are_told)
{
    eex_result results[COUNT];
    for (int count = 1; count <= COUNT; count += COUNT - 1) {
        diary d = {.guest.leg = write_down};
        eex_walk walk = eex_engine_walk(engine);
        OK(eex_walk_invite(&walk, &d.guest));
        OK(eex_walk_run(&walk, results, images, count));
        expect_wanted(results, count);
        check_diary(&d, count);
    }
}

/* ---- deciding ---- */

typedef struct judge {
    eex_guest guest;
    int every;    /* of the rows of exit 0 this one is rejected, and every so many behind it */
    int exits;    /* that it has seen */
    int rejected; /* it found at exit 0, decided before it */
    int rows;     /* at exit 0 */
} judge;

static int reject_some(eex_guest *guest, eex_plan *plan, int exit, int rows)
{
    judge *j = (judge *)guest;
    uint8_t decision[COUNT];
    cr_assert_eq(exit, j->exits++);
    if (exit > 0)
        return EEX_OK;
    j->rows = rows;
    EEX_TRY(eex_plan_decisions(plan, decision, rows));
    for (int i = 0; i < rows; i++) {
        j->rejected += decision[i] == EEX_REJECT;
        if (i % j->every == 0)
            decision[i] = EEX_REJECT;
    }
    return eex_plan_set_decisions(plan, decision, rows);
}

static int rejected_at_first(const eex_result *results, int count)
{
    int n = 0;
    for (int i = 0; i < count; i++)
        n += results[i].exit == 0 && results[i].decision == EEX_REJECT;
    return n;
}

Test(walk, guests_decide_one_after_the_other)
{
    judge first = {.guest.after = reject_some, .every = 2};
    judge second = {.guest.after = reject_some, .every = COUNT};
    eex_result results[COUNT];
    eex_walk walk = eex_engine_walk(engine);
    const int rejected = rejected_at_first(want, COUNT);
    cr_assert(rejected > 0 && rejected < COUNT, "%d", rejected);
    OK(eex_walk_invite(&walk, &first.guest));
    OK(eex_walk_invite(&walk, &second.guest));
    OK(eex_walk_run(&walk, results, images, COUNT));
    cr_expect_eq(first.rows, COUNT);
    cr_expect_eq(first.rejected, rejected, "distances decide before it");
    cr_expect_eq(second.rejected, rejected_at_first(results, COUNT));
    for (int i = 0; i < COUNT; i++)
        if (i % 2 == 0)
            cr_expect(results[i].exit == 0 && results[i].decision == EEX_REJECT, "image %d", i);
        else
            cr_expect(same(&results[i], &want[i]), "image %d", i);
}

/* Also where a device would do all of it by itself. */
Test(walk, a_guest_sees_a_single_image)
{
    for (int i = 0; i < COUNT; i++) {
        judge all = {.guest.after = reject_some, .every = 1};
        eex_result result;
        eex_walk walk = eex_engine_walk(engine);
        OK(eex_walk_invite(&walk, &all.guest));
        OK(eex_walk_run(&walk, &result, images + (size_t)i * b.image, 1));
        cr_expect(result.exit == 0 && result.decision == EEX_REJECT && all.exits == 1);
        cr_expect(result.confidence > 0 && result.confidence <= 1);
    }
}

static int fail(eex_guest *guest, eex_plan *plan, int exit, int rows)
{
    return exit == 1 ? eex_fail(EEX_EIO, "%d rows are lost", rows) : EEX_OK;
}

Test(walk, a_guest_that_fails_ends_it)
{
    eex_guest unlucky = {.after = fail};
    eex_result results[COUNT];
    eex_walk walk = eex_engine_walk(engine);
    OK(eex_walk_invite(&walk, &unlucky));
    cr_expect_eq(eex_walk_run(&walk, results, images, COUNT), EEX_EIO);
    cr_expect(strstr(eex_error(), "rows are lost"), "%s", eex_error());
    OK(eex_engine_run(engine, results, images, COUNT));
    expect_wanted(results, COUNT);
}

/* ---- other ways ---- */

Test(walk, op_by_op_it_ends_in_the_same)
{
    eex_result results[COUNT];
    eex_walk walk = eex_engine_walk(engine);
    const int ops = eex_plan_ops(walk.plan);
    walk.spans = calloc((size_t)ops, sizeof *walk.spans);
    cr_assert_not_null(walk.spans);
    OK(eex_walk_run(&walk, results, images, COUNT));
    expect_wanted(results, COUNT);
    for (int i = 0; i < ops; i++) {
        cr_expect(walk.spans[i].begin > 0 && walk.spans[i].begin <= walk.spans[i].end, "op %d", i);
        cr_expect(i == 0 || walk.spans[i].begin >= walk.spans[i - 1].end, "op %d", i);
    }
    free(walk.spans);
}

Test(walk, forced_images_go_on)
{
    const int exits = eex_graph_exits(b.net.graph);
    eex_result result;
    for (int k = 0; k < exits; k++) {
        diary d = {.guest.leg = write_down};
        eex_walk walk = eex_engine_walk(engine);
        walk.forced = true;
        walk.last = k;
        OK(eex_walk_invite(&walk, &d.guest));
        OK(eex_walk_run(&walk, &result, images, 1));
        cr_expect_eq(d.legs, 2 + 2 * (k + 1));
        cr_expect_eq(d.leg[d.legs - 2].exit, k);
        if (want[0].exit <= k)
            expect_wanted(&result, 1);
    }
}

Test(walk, there_is_room_for_some_guests)
{
    diary d = {.guest.leg = write_down};
    eex_walk walk = eex_engine_walk(engine);
    cr_expect_eq(walk.guests, 1, "distances");
    while (walk.guests < EEX_WALK_GUESTS)
        OK(eex_walk_invite(&walk, &d.guest));
    cr_expect_eq(eex_walk_invite(&walk, &d.guest), EEX_EINVAL);
    cr_expect_eq(walk.guests, EEX_WALK_GUESTS);
}
