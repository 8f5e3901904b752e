#include "core/policy/policy.h"
#include "device/decide.h"
#include "support/traces.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void store_path(char out[128])
{
    snprintf(out, 128, "/tmp/eex-test-policy-%ld.h5", (long)getpid());
}

Test(policy, kinds_have_names)
{
    for (int i = 0; i < EEX_POLICY_KINDS; i++) {
        eex_policy_kind kind = EEX_POLICY_KINDS;
        cr_assert_eq(eex_policy_kind_parse(&kind, eex_policy_kind_name((eex_policy_kind)i)),
                     EEX_OK);
        cr_assert_eq((int)kind, i);
    }
    eex_policy_kind kind;
    cr_assert_eq(eex_policy_kind_parse(&kind, "confidance"), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "confidence") && strstr(eex_error(), "confidance"), "%s",
              eex_error());
}

Test(policy, a_new_one_sends_everything_to_the_end)
{
    eex_policy *p = NULL;
    cr_assert_eq(eex_policy_new(&p, EEX_POLICY_CONFIDENCE, 3, 2), EEX_OK);
    cr_assert_eq(eex_policy_decide(p, 0, 1, 1.0f), EEX_GO_ON);
    cr_assert_eq(eex_policy_decide(p, 1, 0, 0.0f), EEX_GO_ON);
    cr_assert_eq(eex_policy_decide(p, 2, 0, 0.0f), EEX_ACCEPT);
    eex_policy_free(p);
}

Test(policy, shapes_are_checked)
{
    eex_policy *p = NULL;
    cr_assert_eq(eex_policy_new(&p, EEX_POLICY_MARGIN, 0, 2), EEX_EINVAL);
    cr_assert_eq(eex_policy_new(&p, EEX_POLICY_MARGIN, EEX_MAX_EXITS + 1, 2), EEX_EINVAL);
    cr_assert_eq(eex_policy_new(&p, EEX_POLICY_MARGIN, 1, 0), EEX_EINVAL);
    cr_assert_null(p);
    eex_policy_free(NULL);
}

Test(policy, per_class_thresholds_lie_around_the_mean)
{
    eex_policy *p = NULL;
    cr_assert_eq(eex_policy_new(&p, EEX_POLICY_PER_CLASS, 2, 2), EEX_OK);
    p->mean[0] = 0.5, p->dev[0] = 0.2;
    p->mean[1] = 0.25, p->dev[1] = 0; /* no spread */
    p->a[0] = 0.5, p->b[0] = 2;
    eex_policy_apply(p);
    cr_assert_float_eq(p->high[0], 0.6, 1e-6);
    cr_assert_float_eq(p->low[0], 0.1, 1e-6);
    cr_assert_eq(p->high[1], 0.25f);
    cr_assert_eq(p->low[1], 0.25f);
    cr_assert_eq(eex_policy_decide(p, 0, 0, 0.61f), EEX_ACCEPT);
    cr_assert_eq(eex_policy_decide(p, 0, 0, 0.59f), EEX_GO_ON);
    cr_assert_eq(eex_policy_decide(p, 0, 0, 0.09f), EEX_REJECT);
    p->a[0] = INFINITY;
    eex_policy_apply(p);
    cr_assert_eq(p->high[1], INFINITY, "closed, although its deviation is 0");
    p->a[0] = -INFINITY;
    eex_policy_apply(p);
    cr_assert_eq(p->high[1], -INFINITY);
    eex_policy_free(p);
}

Test(policy, other_kinds_compare_the_threshold_itself)
{
    cr_assert_eq(eex_policy_score(EEX_POLICY_PER_CLASS, 0.7f, 0.3f, 0.9f), 0.7f);
    cr_assert_eq(eex_policy_score(EEX_POLICY_CONFIDENCE, 0.7f, 0.3f, 0.9f), 0.7f);
    cr_assert_eq(eex_policy_score(EEX_POLICY_MARGIN, 0.7f, 0.3f, 0.9f), 0.3f);
    cr_assert_eq(eex_policy_score(EEX_POLICY_ENTROPY, 0.7f, 0.3f, 0.9f), -0.9f);
    eex_policy *p = NULL;
    cr_assert_eq(eex_policy_new(&p, EEX_POLICY_ENTROPY, 2, 3), EEX_OK);
    p->a[0] = -0.4, p->b[0] = -2;
    eex_policy_apply(p);
    cr_assert_eq(eex_policy_decide(p, 0, 2, -0.3f), EEX_ACCEPT);
    cr_assert_eq(eex_policy_decide(p, 0, 2, -0.5f), EEX_GO_ON);
    cr_assert_eq(eex_policy_decide(p, 0, 2, -2.1f), EEX_REJECT);
    eex_policy_free(p);
}

/* A policy in which every number is another one. */
static eex_policy *filled(int exits, int classes)
{
    eex_policy *p = NULL;
    cr_assert_eq(eex_policy_new(&p, EEX_POLICY_PER_CLASS, exits, classes), EEX_OK);
    for (int i = 0; i < exits * classes; i++) {
        p->mean[i] = sin(i + 1.0);
        p->dev[i] = cos(i * 0.7) * cos(i * 0.7);
        p->count[i] = 1000 + i;
    }
    for (int k = 0; k < exits; k++) {
        p->temperature[k] = 0.1f + (float)k / 3;
        p->a[k] = 0.1 * k;
        p->b[k] = k == 1 ? INFINITY : 1.0 / (k + 3);
    }
    eex_policy_apply(p);
    return p;
}

static void assert_same(const eex_policy *a, const eex_policy *b)
{
    size_t each = (size_t)a->exits, all = each * (size_t)a->classes;
    cr_assert_eq(a->kind, b->kind);
    cr_assert_eq(a->by_label, b->by_label);
    cr_assert_eq(a->exits, b->exits);
    cr_assert_eq(a->classes, b->classes);
    cr_assert_arr_eq(a->temperature, b->temperature, each * sizeof *a->temperature);
    cr_assert_arr_eq(a->high, b->high, all * sizeof *a->high);
    cr_assert_arr_eq(a->low, b->low, all * sizeof *a->low);
    cr_assert_arr_eq(a->mean, b->mean, all * sizeof *a->mean);
    cr_assert_arr_eq(a->dev, b->dev, all * sizeof *a->dev);
    cr_assert_arr_eq(a->a, b->a, each * sizeof *a->a);
    cr_assert_arr_eq(a->b, b->b, each * sizeof *a->b);
    cr_assert_arr_eq(a->count, b->count, all * sizeof *a->count);
}

Test(policy, selecting_picks_whole_exits)
{
    eex_policy *p = filled(4, 3), *q = NULL, *back = NULL;
    p->by_label = false;
    const int pick[] = {3, 1}, identity[] = {0, 1, 2, 3}, wrong[] = {4};
    cr_assert_eq(eex_policy_select(&q, p, pick, 2), EEX_OK);
    cr_assert_eq(q->exits, 2);
    for (int c = 0; c < 3; c++) {
        cr_assert_eq(q->high[c], p->high[9 + c]);
        cr_assert_eq(q->mean[3 + c], p->mean[3 + c]);
        cr_assert_eq(q->count[c], p->count[9 + c]);
    }
    cr_assert_eq(q->temperature[0], p->temperature[3]);
    cr_assert_eq(q->a[1], p->a[1]);
    cr_assert_eq(q->b[1], INFINITY);
    eex_policy_free(q);
    cr_assert_eq(eex_policy_select(&back, p, identity, 4), EEX_OK);
    assert_same(p, back);
    eex_policy_free(back);
    cr_assert_eq(eex_policy_select(&q, p, wrong, 1), EEX_EINVAL);
    cr_assert_null(q);
    eex_policy_free(p);
}

static void save(const eex_policy *p, const char *path, const char *group)
{
    eex_store_file *f = NULL;
    cr_assert_eq(eex_store_create(&f, path, "policy", 1), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_policy_save(p, f, group), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_store_commit(&f), EEX_OK, "%s", eex_error());
}

Test(policy, comes_back_from_a_file_bit_for_bit)
{
    char path[128];
    store_path(path);
    const char *groups[] = {"", "best/policy"};
    for (int g = 0; g < 2; g++) {
        eex_policy *p = filled(5, 7), *q = NULL;
        eex_store_file *f = NULL;
        p->by_label = g == 0;
        save(p, path, groups[g]);
        cr_assert_eq(eex_store_open(&f, path, "policy", 1), EEX_OK, "%s", eex_error());
        cr_assert_eq(eex_policy_load(&q, f, groups[g]), EEX_OK, "%s", eex_error());
        assert_same(p, q);
        eex_store_close(f);
        eex_policy_free(p);
        eex_policy_free(q);
    }
    unlink(path);
}

/* As an eex wrote it that did not say whose means they are. */
static void save_as_before(const eex_policy *p, eex_store_file *f)
{
    const eex_store_shape exits = {1, {(uint64_t)p->exits}};
    const eex_store_shape all = {2, {(uint64_t)p->exits, (uint64_t)p->classes}};
    const struct {
        const char *name;
        eex_store_type type;
        const eex_store_shape *shape;
        const void *data;
    } members[] = {{"p/temperature", EEX_STORE_F32, &exits, p->temperature},
                   {"p/high", EEX_STORE_F32, &all, p->high},
                   {"p/low", EEX_STORE_F32, &all, p->low},
                   {"p/mean", EEX_STORE_F64, &all, p->mean},
                   {"p/dev", EEX_STORE_F64, &all, p->dev},
                   {"p/a", EEX_STORE_F64, &exits, p->a},
                   {"p/b", EEX_STORE_F64, &exits, p->b},
                   {"p/count", EEX_STORE_I64, &all, p->count}};
    cr_assert_eq(eex_store_make_group(f, "p"), EEX_OK);
    cr_assert_eq(eex_store_set_string(f, "p", "kind", eex_policy_kind_name(p->kind)), EEX_OK);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        cr_assert_eq(
            eex_store_write(f, members[i].name, members[i].type, members[i].shape, members[i].data),
            EEX_OK, "%s", eex_error());
}

/* What such a file means, or one that says `by`; NULL: it does not. */
static int load_by(eex_policy **out, const eex_policy *p, const char *by)
{
    char path[128];
    eex_store_file *f = NULL;
    store_path(path);
    cr_assert_eq(eex_store_create(&f, path, "policy", 1), EEX_OK);
    save_as_before(p, f);
    if (by)
        cr_assert_eq(eex_store_set_string(f, "p", "by", by), EEX_OK);
    cr_assert_eq(eex_store_commit(&f), EEX_OK);
    cr_assert_eq(eex_store_open(&f, path, "policy", 1), EEX_OK);
    const int code = eex_policy_load(out, f, "p");
    eex_store_close(f);
    unlink(path);
    return code;
}

/* All exits see the same labels; what they predict differs. */
Test(policy, files_of_before_say_by_their_counts_whose_means_they_are)
{
    for (int by_label = 0; by_label < 2; by_label++) {
        eex_policy *p = filled(3, 4), *q = NULL;
        p->by_label = !by_label; /* is not written */
        for (int i = 0; i < 12; i++)
            p->count[i] = by_label ? 20 + i % 4 : 20 + i % 4 + (i == 11);
        cr_assert_eq(load_by(&q, p, NULL), EEX_OK, "%s", eex_error());
        cr_expect_eq(q->by_label, by_label);
        eex_policy_free(q);
        cr_assert_eq(load_by(&q, p, by_label ? "prediction" : "label"), EEX_OK, "%s", eex_error());
        cr_expect_eq(q->by_label, !by_label, "what is said counts");
        eex_policy_free(q);
        cr_assert_eq(load_by(&q, p, "guess"), EEX_EFORMAT);
        cr_expect(strstr(eex_error(), "\"guess\"") && strstr(eex_error(), "prediction"), "%s",
                  eex_error());
        cr_expect_null(q);
        eex_policy_free(p);
    }
}

Test(policy, hostile_files_are_refused)
{
    char path[128];
    store_path(path);
    for (int broken = 0; broken < 3; broken++) {
        eex_policy *p = filled(2, 3), *q = NULL;
        eex_store_file *f = NULL;
        if (broken == 0)
            p->temperature[1] = -1;
        else if (broken == 1)
            p->high[4] = NAN;
        else
            p->a[0] = NAN;
        save(p, path, "p");
        cr_assert_eq(eex_store_open(&f, path, "policy", 1), EEX_OK);
        cr_assert_eq(eex_policy_load(&q, f, "p"), EEX_EFORMAT);
        cr_assert_null(q);
        cr_assert(strstr(eex_error(), path), "%s", eex_error());
        cr_assert_lt(eex_policy_load(&q, f, "nothing"), 0);
        eex_store_close(f);
        eex_policy_free(p);
    }
    unlink(path);
}
