#include "support/devices.h"
#include "support/tensor.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 5000 };

typedef struct stats_case {
    bench b;
    int n, classes;
    float *score;
    int32_t *key;
    int64_t count[MOST_CLASSES];
    double mean[MOST_CLASSES], m2[MOST_CLASSES];
} stats_case;

/* Scores of class c scatter around c % 7 by `spread`; some keys are no class. */
static stats_case *case_new(eex_device *dev, int n, int classes, double spread)
{
    stats_case *t = calloc(1, sizeof *t);
    cr_assert_not_null(t);
    eex_rng rng;
    eex_rng_seed(&rng, 11, 0);
    bench_init(&t->b, dev);
    t->n = n;
    t->classes = classes;
    t->score = (float *)bench_doubles(&t->b, (size_t)n);
    t->key = (int32_t *)bench_doubles(&t->b, (size_t)n);
    for (int i = 0; i < n; i++) {
        int key = (int)eex_rng_below(&rng, (uint64_t)classes + 2) - 1;
        t->key[i] = key;
        t->score[i] = (float)(key % 7 + spread * (eex_rng_uniform(&rng) - 0.5));
    }
    return t;
}

static void case_free(stats_case *t)
{
    bench_free(&t->b);
    free(t);
}

/* skip: leaves out so many elements in front, for the sake of the alignment. */
static void case_run(stats_case *t, int skip)
{
    size_t n = (size_t)t->n, classes = (size_t)t->classes;
    memset(t->mean, 0xff, sizeof t->mean);
    float *score = bench_bytes(&t->b, t->score, n * sizeof *t->score);
    int32_t *key = bench_bytes(&t->b, t->key, n * sizeof *t->key);
    int64_t *count = bench_bytes(&t->b, t->mean, classes * sizeof *t->count);
    double *mean = bench_bytes(&t->b, t->mean, classes * sizeof *t->mean);
    double *m2 = bench_bytes(&t->b, t->mean, classes * sizeof *t->m2);
    eex_op op = {.kind = EEX_OP_CLASS_STATS, .name = "statistics"};
    op.u.class_stats = (eex_op_class_stats){.classes = t->classes,
                                            .score = score + skip,
                                            .key = key + skip,
                                            .count = count,
                                            .mean = mean,
                                            .m2 = m2};
    eex_step step = bench_step(t->n - skip);
    bench_run(&t->b, &op, t->n, &step);
    const eex_device_vtable *v = t->b.dev->vtable;
    cr_assert_eq(v->download(t->b.dev, t->count, count, classes * sizeof *count), EEX_OK);
    cr_assert_eq(v->download(t->b.dev, t->mean, mean, classes * sizeof *mean), EEX_OK);
    cr_assert_eq(v->download(t->b.dev, t->m2, m2, classes * sizeof *m2), EEX_OK);
}

static void case_check(stats_case *t, int skip, double tolerance)
{
    double *sum = bench_doubles(&t->b, MOST_CLASSES), *m2 = bench_doubles(&t->b, MOST_CLASSES);
    int64_t count[MOST_CLASSES] = {0};
    for (int i = skip; i < t->n; i++)
        if (t->key[i] >= 0 && t->key[i] < t->classes) {
            count[t->key[i]]++;
            sum[t->key[i]] += t->score[i];
        }
    for (int i = skip; i < t->n; i++)
        if (t->key[i] >= 0 && t->key[i] < t->classes)
            m2[t->key[i]] += pow(t->score[i] - sum[t->key[i]] / (double)count[t->key[i]], 2);
    double off = 0, all = 0; /* norms: a device may keep means of few samples in float32 */
    for (int c = 0; c < t->classes; c++) {
        double mean = count[c] ? sum[c] / (double)count[c] : 0;
        off += pow(t->m2[c] - m2[c], 2);
        all += pow(m2[c], 2);
        cr_assert_eq(t->count[c], count[c], "class %d of %d: %lld samples, expected %lld", c,
                     t->classes, (long long)t->count[c], (long long)count[c]);
        cr_assert(fabs(t->mean[c] - mean) <= 2e-6 * fabs(mean) + 1e-7,
                  "class %d of %d: mean %.9g, expected %.9g", c, t->classes, t->mean[c], mean);
    }
    cr_assert(sqrt(off) <= tolerance * sqrt(all), "%d classes: m2 off by %g of %g", t->classes,
              sqrt(off), sqrt(all));
}

static void stats_on(eex_device *dev)
{
    static const int classes[] = {1, 2, 10, 33, 100, 128, 129, 1000, 5000};
    static const int samples[] = {1, 3, 129, 1024, 20011};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        for (size_t j = 0; j < sizeof samples / sizeof *samples; j++) {
            stats_case *t = case_new(dev, samples[j], classes[i], 0.5);
            int skip = samples[j] > 3 ? (int)(i + j) % 4 : 0;
            case_run(t, skip);
            case_check(t, skip, 1e-5);
            case_free(t);
        }
}

Test(class_stats, match_the_reference)
{
    on_each_device(stats_on);
}

/* A class whose samples are all the same scatters by nothing, and a large mean hides no scatter. */
static void constant_on(eex_device *dev)
{
    stats_case *t = case_new(dev, 5000, 10, 0);
    case_run(t, 0);
    for (int c = 0; c < 10; c++) {
        cr_assert_eq(t->mean[c], c % 7, "class %d: mean %.17g", c, t->mean[c]);
        cr_assert_eq(t->m2[c], 0, "class %d: m2 %g", c, t->m2[c]);
    }
    case_free(t);
    t = case_new(dev, 5000, 10, 0.01);
    for (int i = 0; i < t->n; i++)
        t->score[i] += 100;
    case_run(t, 0);
    case_check(t, 0, 1e-3);
    case_free(t);
}

Test(class_stats, constant_and_far_away_scores)
{
    on_each_device(constant_on);
}

static void nan_on(eex_device *dev)
{
    stats_case *t = case_new(dev, 300, 3, 1);
    t->key[77] = 1;
    t->score[77] = NAN;
    case_run(t, 0);
    cr_assert(isnan(t->mean[1]) && isnan(t->m2[1]));
    cr_assert(isfinite(t->mean[0]) && isfinite(t->m2[2]));
    case_free(t);
}

Test(class_stats, nan_spoils_its_class_alone)
{
    on_each_device(nan_on);
}

static void twice_on(eex_device *dev)
{
    stats_case *t = case_new(dev, 20011, 200, 1), *u = case_new(dev, 20011, 200, 1);
    case_run(t, 0);
    case_run(u, 0);
    cr_assert_eq(memcmp(t->mean, u->mean, 200 * sizeof *t->mean), 0);
    cr_assert_eq(memcmp(t->m2, u->m2, 200 * sizeof *t->m2), 0);
    case_free(t);
    case_free(u);
}

Test(class_stats, bits_repeat)
{
    on_each_device(twice_on);
}
