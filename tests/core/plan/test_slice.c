/* Gathering a derived network's parameters from an elastic one's, and scattering its gradients. */
#include "core/plan/slice.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/elastic.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static const eex_optimizer optimizer = {.kind = EEX_SGD};

/* An elastic network and one derived from it, with gradients beside the parameters. */
typedef struct bed {
    eex_device *dev;
    eex_graph *whole, *part;
    eex_params *from, *to;
    eex_optimizer_state *dfrom, *dto;
    eex_slices *slices;
} bed;

static float *random_floats(size_t count, uint64_t seed, double size)
{
    eex_rng rng;
    float *values = malloc((count + 1) * sizeof *values);
    cr_assert_not_null(values);
    eex_rng_seed(&rng, seed, 5);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(size * eex_rng_normal(&rng));
    return values;
}

static float *download(const bed *b, const float *from, size_t count)
{
    float *values = malloc((count + 1) * sizeof *values);
    cr_assert_not_null(values);
    OK(b->dev->vtable->download(b->dev, values, from, count * sizeof *values));
    return values;
}

static void upload(const bed *b, float *to, const float *values, size_t count)
{
    OK(b->dev->vtable->upload(b->dev, to, values, count * sizeof *values));
}

/* Everything but running statistics of the elastic network becomes random, transforms too. */
static void shake(const bed *b)
{
    for (int i = 0; i < eex_graph_params(b->whole); i++) {
        const eex_param *p = eex_graph_param(b->whole, i);
        const size_t count = eex_param_count(p);
        const bool matrix = strstr(p->name, "_matrix") != NULL;
        float *values = random_floats(count, (uint64_t)i, matrix ? 0.3 : 1);
        OK(eex_params_set(b->from, i, values));
        free(values);
    }
}

static bed open_bed(const int *genome)
{
    bed b = {.dev = open_device(1)};
    OK(eex_test_elastic_gated(&b.whole, 10));
    OK(eex_graph_derive(&b.part, NULL, b.whole, genome));
    OK(eex_params_new(&b.from, b.dev, b.whole, 1));
    OK(eex_params_new(&b.to, b.dev, b.part, 2));
    OK(eex_optimizer_state_new(&b.dfrom, b.from, &optimizer));
    OK(eex_optimizer_state_new(&b.dto, b.to, &optimizer));
    OK(eex_slices_new(&b.slices, b.whole, b.part));
    return b;
}

static void close_bed(bed *b)
{
    eex_slices_free(b->slices);
    eex_optimizer_state_free(b->dto);
    eex_optimizer_state_free(b->dfrom);
    eex_params_free(b->to);
    eex_params_free(b->from);
    eex_graph_free(b->part);
    eex_graph_free(b->whole);
    eex_device_close(b->dev);
}

enum { BEDS = 5 };
static const int genomes[BEDS][ELASTIC_GENES] = {{0, 0, 0, 0, 0, 0, 0, 0, 0},
                                                 {2, 2, 2, 2, 2, 1, 1, 1, 2},
                                                 {1, 2, 0, 1, 2, 1, 0, 1, 0},
                                                 {0, 1, 1, 0, 0, 0, 1, 0, 1},
                                                 {2, 2, 0, 0, 0, 1, 1, 1, 2}};

/* ---- gathering ---- */

static int find(const eex_graph *g, const char *name)
{
    for (int i = 0; i < eex_graph_params(g); i++)
        if (strcmp(eex_graph_param(g, i)->name, name) == 0)
            return i;
    cr_assert_fail("no parameter %s", name);
    return -1;
}

/* In PyTorch's order. */
static float *values_of(const eex_params *p, const char *name)
{
    const int i = find(p->graph, name);
    float *values = malloc(eex_param_count(eex_graph_param(p->graph, i)) * sizeof *values);
    cr_assert_not_null(values);
    OK(eex_params_get(p, i, values));
    return values;
}

/* Where element i of the part lies in the whole, both in PyTorch's order: leading channels, the
 * centre of a kernel. */
static size_t place(const eex_param *part, const eex_param *whole, size_t i)
{
    size_t at = 0, rest = i, coordinate[4] = {0};
    for (int d = part->rank - 1; d >= 0; d--) {
        coordinate[d] = rest % (size_t)part->shape[d];
        rest /= (size_t)part->shape[d];
        if (d >= 2)
            coordinate[d] += (size_t)(whole->shape[d] - part->shape[d]) / 2;
    }
    for (int d = 0; d < part->rank; d++)
        at = at * (size_t)whole->shape[d] + coordinate[d];
    return at;
}

/* Fresh transforms are the identity. */
static void check_leading(const int *genome)
{
    bed b = open_bed(genome);
    OK(eex_slices_gather(b.slices, b.to, b.from));
    for (int i = 0; i < eex_graph_params(b.part); i++) {
        const eex_param *p = eex_graph_param(b.part, i);
        const eex_param *w = eex_graph_param(b.whole, find(b.whole, p->name));
        float *part = values_of(b.to, p->name), *whole = values_of(b.from, p->name);
        for (size_t k = 0; k < eex_param_count(p); k++)
            cr_assert_eq(part[k], whole[place(p, w, k)], "%s, element %zu", p->name, k);
        free(part);
        free(whole);
    }
    close_bed(&b);
}

Test(slice, parts_are_leading_channels_and_centres)
{
    for (int i = 0; i < BEDS; i++)
        check_leading(genomes[i]);
}

/* y = M x. */
static void times(double *y, const float *m, const double *x, int n)
{
    for (int r = 0; r < n; r++) {
        y[r] = 0;
        for (int c = 0; c < n; c++)
            y[r] += (double)m[r * n + c] * x[c];
    }
}

static void centre(double *out, const double *in, int small, int large)
{
    const int edge = (large - small) / 2;
    for (int y = 0; y < small; y++)
        for (int x = 0; x < small; x++)
            out[y * small + x] = in[(y + edge) * large + x + edge];
}

Test(slice, kernels_shrink_through_their_matrices)
{
    bed b = open_bed(genomes[4]);
    shake(&b);
    OK(eex_slices_gather(b.slices, b.to, b.from));
    float *whole = values_of(b.from, "layer2.depth.conv.weight");
    float *seven = values_of(b.from, "layer2.depth.conv.7to5_matrix");
    float *five = values_of(b.from, "layer2.depth.conv.5to3_matrix");
    float *part = values_of(b.to, "layer2.depth.conv.weight");
    for (int c = 0; c < 24; c++) {
        double f[49], f5[25], g5[25], f3[9], g3[9];
        for (int i = 0; i < 49; i++)
            f[i] = (double)whole[c * 49 + i];
        centre(f5, f, 5, 7);
        times(g5, seven, f5, 25);
        centre(f3, g5, 3, 5);
        times(g3, five, f3, 9);
        for (int i = 0; i < 9; i++)
            cr_assert_float_eq(part[c * 9 + i], g3[i], 1e-4);
    }
    free(whole);
    free(seven);
    free(five);
    free(part);
    close_bed(&b);
}

/* ---- scattering ---- */

static double dot(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* <gathered, d> where the elastic network has these parameters. */
static double product(const bed *b, const float *w, const float *d)
{
    upload(b, b->from->w, w, b->from->count);
    OK(eex_slices_gather(b->slices, b->to, b->from));
    float *got = download(b, b->to->w, b->to->count);
    double sum = dot(got, d, b->to->count);
    free(got);
    return sum;
}

/* Zero where padding or, with `only`, what has another name lies. */
static float *direction(const bed *b, const char *only, bool others)
{
    float *all = calloc(b->from->count + 1, sizeof *all);
    cr_assert_not_null(all);
    for (int i = 0; i < eex_graph_params(b->whole); i++) {
        const eex_param *p = eex_graph_param(b->whole, i);
        if (!p->trainable || (strstr(p->name, only) != NULL) == others)
            continue;
        float *values = random_floats(eex_param_count(p), 77 + (uint64_t)i, 1);
        memcpy(all + b->from->offset[i], values, eex_param_count(p) * sizeof *values);
        free(values);
    }
    return all;
}

static float *scattered(const bed *b, const float *d)
{
    float *zero = calloc(b->from->count + 1, sizeof *zero);
    cr_assert_not_null(zero);
    upload(b, b->dfrom->g, zero, b->from->count);
    upload(b, b->dto->g, d, b->to->count);
    OK(eex_slices_scatter(b->slices, b->dfrom, b->dto));
    free(zero);
    return download(b, b->dfrom->g, b->from->count);
}

/* The slope of <gathered, d> along a direction, against the scattered gradient's. */
static void check_slope(const bed *b, const float *d, const float *along, double tolerance)
{
    const size_t count = b->from->count;
    float *w = download(b, b->from->w, count), *moved = malloc((count + 1) * sizeof *moved);
    float *g = scattered(b, d);
    const float h = 1.0f / 64;
    double side[2];
    cr_assert_not_null(moved);
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < count; i++)
            moved[i] = w[i] + (s ? h : -h) * along[i];
        side[s] = product(b, moved, d);
    }
    upload(b, b->from->w, w, count);
    const double got = dot(g, along, count), want = (side[1] - side[0]) / (2 * (double)h);
    cr_expect(fabs(got - want) <= tolerance * (1 + fabs(want)), "%g, but the slope is %g", got,
              want);
    free(g);
    free(moved);
    free(w);
}

/* Linear in the weights, and in each transform: a step of any size has the exact slope. */
static void check_adjoint(const int *genome)
{
    bed b = open_bed(genome);
    shake(&b);
    float *d = random_floats(b.to->count, 9, 1);
    static const char *const one[] = {"7to5_matrix", "5to3_matrix"};
    float *weights = direction(&b, "_matrix", true);
    check_slope(&b, d, weights, 1e-3);
    free(weights);
    for (int i = 0; i < 2; i++) {
        float *matrix = direction(&b, one[i], false);
        check_slope(&b, d, matrix, 1e-3);
        free(matrix);
    }
    free(d);
    close_bed(&b);
}

Test(slice, scattering_is_the_adjoint_of_gathering)
{
    for (int i = 0; i < BEDS; i++)
        check_adjoint(genomes[i]);
}

/* <gather(w), d> = <w, scatter(d)> over the weights, matrices held still. */
Test(slice, dot_products_agree)
{
    for (int i = 0; i < BEDS; i++) {
        bed b = open_bed(genomes[i]);
        shake(&b);
        float *w = download(&b, b.from->w, b.from->count), *d = random_floats(b.to->count, 4, 1);
        float *g = scattered(&b, d);
        double left = product(&b, w, d), right = dot(w, g, b.from->count);
        for (int k = 0; k < eex_graph_params(b.whole); k++) {
            const eex_param *p = eex_graph_param(b.whole, k);
            if (strstr(p->name, "_matrix"))
                right -= dot(w + b.from->offset[k], g + b.from->offset[k], eex_param_count(p));
        }
        cr_expect(fabs(left - right) < 1e-4 * (1 + fabs(left)), "%g and %g", left, right);
        free(g);
        free(d);
        free(w);
        close_bed(&b);
    }
}

/* The smallest network leaves most of the gradient alone, and adds to the rest. */
Test(slice, gradients_are_added)
{
    bed b = open_bed(genomes[0]);
    float *before = random_floats(b.from->count, 3, 1), *d = random_floats(b.to->count, 4, 1);
    float *alone = scattered(&b, d);
    upload(&b, b.dfrom->g, before, b.from->count);
    OK(eex_slices_scatter(b.slices, b.dfrom, b.dto));
    float *after = download(&b, b.dfrom->g, b.from->count);
    size_t untouched = 0;
    for (size_t i = 0; i < b.from->count; i++) {
        cr_assert_float_eq(after[i], before[i] + alone[i], 1e-5);
        untouched += alone[i] == 0;
    }
    cr_expect_gt(untouched, b.from->count / 2);
    free(after);
    free(alone);
    free(d);
    free(before);
    close_bed(&b);
}

/* Copies of the device's memory, or that itself. */
Test(slice, where_memory_lies_changes_nothing)
{
    for (int i = 0; i < BEDS; i++) {
        bed a = open_bed(genomes[i]), b = open_bed(genomes[i]);
        shake(&a);
        shake(&b);
        float *d = random_floats(a.to->count, 4, 1);
        b.dev->host_memory = false;
        OK(eex_slices_gather(a.slices, a.to, a.from));
        OK(eex_slices_gather(b.slices, b.to, b.from));
        float *g = scattered(&a, d), *h = scattered(&b, d);
        cr_expect(same_floats(a.dev, a.to->w, b.to->w, a.to->count));
        cr_expect(same_floats(a.dev, a.to->state, b.to->state, a.to->state_count));
        cr_expect_eq(memcmp(g, h, a.from->count * sizeof *g), 0);
        free(h);
        free(g);
        free(d);
        close_bed(&a);
        close_bed(&b);
    }
}

Test(slice, other_graphs_are_refused)
{
    bed b = open_bed(genomes[0]);
    eex_graph *tiny = NULL;
    eex_slices *none = NULL;
    OK(eex_test_tiny(&tiny, 10));
    cr_expect_eq(eex_slices_gather(b.slices, b.from, b.to), EEX_EINVAL);
    cr_expect_eq(eex_slices_scatter(b.slices, b.dto, b.dfrom), EEX_EINVAL);
    cr_expect_lt(eex_slices_new(&none, b.whole, tiny), 0);
    cr_expect_null(none);
    eex_slices_free(none);
    eex_graph_free(tiny);
    close_bed(&b);
}
