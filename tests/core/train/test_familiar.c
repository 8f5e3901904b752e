#include "core/policy/reject.h"
#include "core/policy/replay.h"
#include "core/train/familiar.h"
#include "core/train/train.h"
#include "support/bed.h"
#include "support/folder.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    test_folder_remove(folder);
}

TestSuite(familiar, .init = setup, .fini = teardown, .timeout = 240);

/* ---- against a naive reference ---- */

/* x of A x = b, by elimination with pivots: A (n, n) and b (n) are overwritten. */
static void solve(double *a, double *b, int n)
{
    for (int i = 0; i < n; i++) {
        int p = i;
        for (int r = i + 1; r < n; r++)
            p = fabs(a[r * n + i]) > fabs(a[p * n + i]) ? r : p;
        for (int c = 0; c < n; c++) {
            double t = a[i * n + c];
            a[i * n + c] = a[p * n + c];
            a[p * n + c] = t;
        }
        double t = b[i];
        b[i] = b[p];
        b[p] = t;
        for (int r = i + 1; r < n; r++) {
            double f = a[r * n + i] / a[i * n + i];
            for (int c = i; c < n; c++)
                a[r * n + c] -= f * a[i * n + c];
            b[r] -= f * b[i];
        }
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int c = i + 1; c < n; c++)
            b[i] -= a[i * n + c] * b[c];
        b[i] /= a[i * n + i];
    }
}

/* What exit k's gate reads of every sample, pooled: (SAMPLES, c). */
static double *pooled(bed *b, int k, int *channels)
{
    const eex_inference how = bed_inference(b, 1);
    const eex_plan_options options = eex_inference_plan(&how);
    const int point = eex_graph_exit(b->net.graph, k)->point;
    const eex_node *n = eex_graph_node(b->net.graph, point);
    const int c = n->c, hw = n->h * n->w;
    double *all = calloc(SAMPLES * (size_t)c, sizeof *all);
    float *value = calloc((size_t)hw * (size_t)c, sizeof *value);
    uint8_t *image = malloc(b->image);
    eex_plan *plan;
    OK(eex_plan_new(&plan, &options, b->net.graph, b->net.params));
    for (uint32_t i = 0; i < SAMPLES; i++) {
        OK(eex_dataset_gather(image, b->data, &i, 1));
        OK(eex_plan_upload(plan, image, NULL, NULL, 1));
        OK(eex_plan_segments(plan, 0, k, 1));
        OK(eex_plan_download_value(plan, point, value, 1));
        for (int p = 0; p < hw; p++)
            for (int j = 0; j < c; j++)
                all[i * (size_t)c + (size_t)j] += (double)value[p * c + j] / hw;
    }
    eex_plan_free(plan);
    free(image);
    free(value);
    *channels = c;
    return all;
}

/* The covariance with its ridge, and the mean. */
static void describe(double *cov, double *mean, const double *x, int c)
{
    double trace = 0;
    for (int i = 0; i < SAMPLES; i++)
        for (int j = 0; j < c; j++)
            mean[j] += x[i * c + j] / SAMPLES;
    for (int i = 0; i < SAMPLES; i++)
        for (int j = 0; j < c; j++)
            for (int l = 0; l < c; l++)
                cov[j * c + l] += (x[i * c + j] - mean[j]) * (x[i * c + l] - mean[l]) / SAMPLES;
    for (int j = 0; j < c; j++)
        trace += cov[j * c + j];
    for (int j = 0; j < c; j++)
        cov[j * c + j] += 1e-3 * trace / c;
}

static void check_exit(bed *b, int k)
{
    int c;
    double *x = pooled(b, k, &c), mean_distance = 0;
    const size_t square = (size_t)c * (size_t)c;
    double *cov = calloc(square, sizeof *cov), *a = malloc(square * sizeof *a);
    double *mean = calloc((size_t)c, sizeof *mean), *y = malloc((size_t)c * sizeof *y);
    describe(cov, mean, x, c);
    for (int i = 0; i < SAMPLES; i++) {
        double want = 0, got = (double)b->trace->distance[k * SAMPLES + i];
        memcpy(a, cov, square * sizeof *a);
        for (int j = 0; j < c; j++)
            y[j] = x[i * c + j] - mean[j];
        solve(a, y, c);
        for (int j = 0; j < c; j++)
            want += y[j] * (x[i * c + j] - mean[j]) / c;
        cr_assert(fabs(got - want) <= 1e-3 * (1 + want), "exit %d, sample %d: %g, expected %g", k,
                  i, got, want);
        mean_distance += got / SAMPLES;
    }
    cr_expect(mean_distance > 0.5 && mean_distance <= 1.001, "%g", mean_distance);
    free(x);
    free(cov);
    free(a);
    free(mean);
    free(y);
}

Test(familiar, distances_are_mahalanobis)
{
    bed b = bed_of_patches(folder);
    bed_know(&b);
    for (int k = 0; k + 1 < b.trace->exits; k++)
        check_exit(&b, k);
    for (int i = 0; i < SAMPLES; i++)
        cr_assert_eq(b.trace->distance[(b.trace->exits - 1) * SAMPLES + i], 0,
                     "the end of the backbone has no say");
    bed_close(&b);
}

/* ---- rejection ---- */

Test(familiar, rejection_keeps_to_its_rate)
{
    static const double rates[] = {0.02, 0.1, 0.3};
    const eex_calibration how = {
        .kind = EEX_POLICY_ENTROPY, .temperature = 1, .a = -1, .b = INFINITY};
    bed b = bed_of_patches(folder);
    double cost[EEX_MAX_EXITS];
    eex_policy *p;
    eex_outcome o;
    bed_know(&b);
    for (int k = 0; k < b.trace->exits; k++)
        cost[k] = k + 1;
    const eex_exit_costs costs = {b.trace->exits, cost, b.trace->exits};
    OK(eex_calibrate(&p, b.trace, b.net.dev, &how, NULL));
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        OK(eex_policy_reject(p, b.trace, &costs, rates[i], EEX_REJECT_BY_DISTANCE));
        cr_expect(eex_policy_rejects_by_distance(p) && eex_policy_rejects(p));
        cr_expect_eq(p->far[p->exits - 1], INFINITY, "the end rejects nobody");
        cr_expect_eq(p->low[0], -INFINITY, "no threshold of scores");
        OK(eex_replay(&o, b.trace, p, &costs, NULL, NULL));
        cr_expect(o.rejected <= rates[i] && o.rejected > 0.3 * rates[i], "%g of %g", o.rejected,
                  rates[i]);
    }
    OK(eex_policy_reject(p, b.trace, &costs, 0.1, EEX_REJECT_BY_SCORE));
    cr_expect_not(eex_policy_rejects_by_distance(p));
    cr_expect(eex_policy_rejects(p));
    eex_policy_free(p);
    bed_close(&b);
}

/* The replayer and the tuner see strangers as the replay does. */
Test(familiar, replayers_agree)
{
    const eex_calibration how = {
        .kind = EEX_POLICY_MARGIN, .temperature = 1, .a = 0.5, .b = INFINITY};
    bed b = bed_of_patches(folder);
    eex_policy *p;
    eex_replayer *r;
    eex_outcome a, c;
    double cost[EEX_MAX_EXITS];
    int columns[EEX_MAX_EXITS];
    bed_know(&b);
    OK(eex_calibrate(&p, b.trace, b.net.dev, &how, NULL));
    for (int k = 0; k < p->exits; k++) {
        p->far[k] = k + 1 < p->exits ? 1.3 : (double)INFINITY;
        cost[k] = k + 1;
        columns[k] = k;
    }
    const eex_exit_costs costs = {p->exits, cost, p->exits};
    OK(eex_replay(&a, b.trace, p, &costs, NULL, NULL));
    OK(eex_replayer_new(&r, b.trace, p));
    eex_replayer_run(&c, r, columns, p->exits, cost);
    cr_expect_gt(a.rejected, 0);
    cr_expect_float_eq(a.rejected, c.rejected, 1e-12);
    cr_expect_float_eq(a.accuracy, c.accuracy, 1e-12);
    cr_expect_float_eq(a.cost, c.cost, 1e-12);
    eex_replayer_free(r);
    eex_policy_free(p);
    bed_close(&b);
}

Test(familiar, a_trace_without_distances_is_refused)
{
    bed b = bed_of_patches(folder);
    const double cost[EEX_MAX_EXITS] = {1, 2, 3, 4};
    const eex_exit_costs costs = {b.trace->exits, cost, 4};
    eex_policy *p;
    eex_outcome o;
    eex_engine *engine;
    const eex_inference how = bed_inference(&b, 4);
    OK(eex_policy_new(&p, EEX_POLICY_CONFIDENCE, b.trace->exits, b.trace->classes));
    cr_expect_eq(eex_policy_reject(p, b.trace, &costs, 0.1, EEX_REJECT_BY_DISTANCE), EEX_EINVAL);
    cr_expect_not_null(strstr(eex_error(), "reject by score"), "%s", eex_error());
    p->far[0] = 2;
    cr_expect_eq(eex_replay(&o, b.trace, p, NULL, NULL, NULL), EEX_EINVAL);
    cr_expect_eq(eex_engine_new(&engine, b.net.graph, b.net.params, p, &how), EEX_EINVAL);
    cr_expect_not_null(strstr(eex_error(), "familiar"), "%s", eex_error());
    eex_policy_free(p);
    bed_close(&b);
}

/* ---- cut networks ---- */

/* The network of exits 0 to `last` measures as the whole one, at its last exit too, behind which
 * nothing reads the value any more. */
static void check_cut(const bed *b, int last)
{
    int exits[EEX_MAX_EXITS], copied;
    eex_graph *graph;
    eex_params *params;
    eex_inference how = bed_inference(b, 50);
    eex_familiar *f;
    eex_trace *t;
    for (int k = 0; k <= last; k++)
        exits[k] = k;
    OK(eex_graph_select(&graph, b->net.graph, exits, last + 1));
    OK(eex_params_new(&params, b->net.dev, graph, 0));
    OK(eex_params_copy(params, b->net.params, &copied));
    OK(eex_familiar_select(&f, b->familiar, exits, last + 1));
    how.familiar = f;
    OK(eex_trace_record(&t, graph, params, b->data, b->samples, SAMPLES, &how));
    for (int i = 0; i < SAMPLES * (last + 1); i++)
        cr_assert_float_eq(t->distance[i], b->trace->distance[i], 1e-4f * (1 + t->distance[i]),
                           "cut after exit %d, exit %d, sample %d", last, i / SAMPLES, i % SAMPLES);
    eex_trace_free(t);
    eex_familiar_free(f);
    eex_params_free(params);
    eex_graph_free(graph);
}

Test(familiar, a_cut_network_measures_as_the_whole_one)
{
    bed b = bed_of_drawings(folder);
    bed_know(&b);
    for (int last = 0; last + 1 < b.trace->exits; last++)
        check_cut(&b, last);
    bed_close(&b);
}

/* ---- files ---- */

static void create(eex_store_file **file, const char *name)
{
    OK(eex_store_create(file, test_path(folder, name), "weights", 1));
}

static void open_again(eex_store_file **file, const char *name)
{
    OK(eex_store_open(file, test_path(folder, name), "weights", 1));
}

static bool same(const eex_familiar *a, const eex_familiar *b)
{
    for (int k = 0; k < a->exits; k++) {
        const size_t c = (size_t)a->channels[k];
        if (a->channels[k] != b->channels[k] ||
            (c && (memcmp(a->center[k], b->center[k], c * sizeof(float)) != 0 ||
                   memcmp(a->factor[k], b->factor[k], c * c * sizeof(float)) != 0)))
            return false;
    }
    return a->exits == b->exits;
}

Test(familiar, comes_back_from_its_file)
{
    bed b = bed_of_patches(folder);
    eex_store_file *file;
    eex_familiar *f;
    eex_policy *p, *q;
    bed_know(&b);
    OK(eex_policy_new(&p, EEX_POLICY_MARGIN, b.trace->exits, b.trace->classes));
    p->far[0] = 1.5;
    create(&file, "a.h5");
    OK(eex_familiar_save(b.familiar, file, "familiar"));
    OK(eex_policy_save(p, file, "policy"));
    OK(eex_trace_save(b.trace, file, "trace"));
    OK(eex_store_commit(&file));
    open_again(&file, "a.h5");
    OK(eex_familiar_load(&f, file, "familiar", b.net.graph));
    cr_expect(same(f, b.familiar));
    OK(eex_policy_load(&q, file, "policy"));
    cr_expect(q->far[0] == 1.5 && isinf(q->far[1]));
    eex_trace *t;
    OK(eex_trace_load(&t, file, "trace"));
    cr_assert_not_null(t->distance);
    cr_expect_eq(
        memcmp(t->distance, b.trace->distance, (size_t)t->exits * SAMPLES * sizeof *t->distance),
        0);
    eex_store_close(file);
    eex_trace_free(t);
    eex_familiar_free(f);
    eex_policy_free(q);
    eex_policy_free(p);
    bed_close(&b);
}

Test(familiar, refuses_files_that_do_not_fit)
{
    bed b = bed_of_patches(folder);
    eex_store_file *file;
    eex_familiar *f = NULL;
    bed_know(&b);
    const float kept = b.familiar->factor[0][0];
    b.familiar->factor[0][0] = NAN;
    create(&file, "nan.h5");
    OK(eex_familiar_save(b.familiar, file, "familiar"));
    OK(eex_store_commit(&file));
    b.familiar->factor[0][0] = kept;
    open_again(&file, "nan.h5");
    cr_expect_eq(eex_familiar_load(&f, file, "familiar", b.net.graph), EEX_EFORMAT);
    cr_expect_not_null(strstr(eex_error(), "not finite"), "%s", eex_error());
    eex_store_close(file);
    const float far = b.trace->distance[0];
    b.trace->distance[0] = -1;
    create(&file, "far.h5");
    OK(eex_trace_save(b.trace, file, "trace"));
    OK(eex_store_commit(&file));
    b.trace->distance[0] = far;
    eex_trace *t;
    open_again(&file, "far.h5");
    cr_expect_eq(eex_trace_load(&t, file, "trace"), EEX_EFORMAT);
    cr_expect_not_null(strstr(eex_error(), "distance of -1"), "%s", eex_error());
    eex_store_close(file);
    b.familiar->channels[0]--;
    create(&file, "few.h5");
    OK(eex_familiar_save(b.familiar, file, "familiar"));
    OK(eex_store_commit(&file));
    b.familiar->channels[0]++;
    open_again(&file, "few.h5");
    cr_expect_eq(eex_familiar_load(&f, file, "familiar", b.net.graph), EEX_EFORMAT);
    cr_expect_not_null(strstr(eex_error(), "channels at exit 0"), "%s", eex_error());
    cr_expect_null(f);
    eex_store_close(file);
    bed_close(&b);
}

Test(familiar, is_selected_by_exit)
{
    bed b = bed_of_patches(folder);
    eex_familiar *f;
    const int second[] = {1}, none[] = {99};
    bed_know(&b);
    OK(eex_familiar_select(&f, b.familiar, second, 1));
    cr_expect_eq(f->exits, 1);
    cr_expect_eq(f->channels[0], b.familiar->channels[1]);
    cr_expect_eq(f->center[0][0], b.familiar->center[1][0]);
    eex_familiar_free(f);
    cr_expect_eq(eex_familiar_select(&f, b.familiar, none, 1), EEX_EINVAL);
    bed_close(&b);
}
