/* Steps of a supernet, against plans that were put together by hand and slopes in double. */
#include "core/plan/slice.h"
#include "core/plan/update.h"
#include "core/train/statistics.h"
#include "core/train/supernet.h"
#include "support/devices.h"
#include "support/naive.h"
#include "support/net.h"
#include "support/reference_ops.h"
#include "support/supernet.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { COUNT = 6, MOST = 4 };

static const float weights[EEX_MAX_EXITS] = {0.5F, 1};

/* ---- which networks ---- */

static eex_recipe recipe(int random)
{
    eex_recipe r = eex_recipe_default();
    r.regime = EEX_REGIME_SANDWICH;
    r.random = random;
    r.distill = 0.8;
    r.distill_t = 2;
    return r;
}

static eex_step step_at(int i)
{
    return (eex_step){.batch = COUNT, .lr = 0.05F, .seed = 9, .epoch = 0, .step = (uint64_t)i + 1};
}

static bool same(const int *a, const int *b)
{
    return memcmp(a, b, SUPERNET_GENES * sizeof *a) == 0;
}

/* Canonical, all different, none the largest; the smallest among them. */
static void check_drawn(const eex_graph *g, int genomes[][SUPERNET_GENES], int count)
{
    int largest[SUPERNET_GENES], smallest[SUPERNET_GENES], found = 0;
    eex_genome_largest(g, largest);
    eex_genome_smallest(g, smallest);
    for (int i = 0; i < count; i++) {
        int canonical[SUPERNET_GENES];
        memcpy(canonical, genomes[i], sizeof canonical);
        OK(eex_genome_canonical(g, canonical));
        cr_expect(same(canonical, genomes[i]));
        cr_expect(!same(largest, genomes[i]));
        found += same(smallest, genomes[i]);
        for (int k = 0; k < i; k++)
            cr_expect(!same(genomes[k], genomes[i]));
    }
    cr_expect_eq(found, 1);
}

Test(supernet, draws_by_seed_and_step_alone)
{
    eex_graph *g;
    const eex_recipe r = recipe(3);
    int seen[SUPERNET_GENES][3] = {{0}}, differing = 0, before[MOST][SUPERNET_GENES] = {{0}};
    OK(eex_test_supernet(&g, 4));
    for (int i = 0; i < 200; i++) {
        int first[MOST][SUPERNET_GENES], again[MOST][SUPERNET_GENES];
        eex_step step = step_at(i);
        const int count = eex_sandwich_draw(first[0], g, &r, &step);
        cr_assert_eq(eex_sandwich_draw(again[0], g, &r, &step), count);
        cr_expect_eq(memcmp(first, again, sizeof first[0] * (size_t)count), 0);
        check_drawn(g, first, count);
        for (int k = 0; k < SUPERNET_GENES && count == MOST; k++)
            seen[k][first[0][k]]++;
        differing += !same(first[0], before[0]);
        memcpy(before, first, sizeof before);
        step.seed++;
        (void)eex_sandwich_draw(again[0], g, &r, &step);
        differing += !same(first[0], again[0]);
    }
    cr_expect_gt(differing, 360);
    for (int k = 0; k < SUPERNET_GENES; k++)
        for (int o = 0; o < eex_graph_gene(g, k)->options; o++)
            cr_expect_gt(seen[k][o], 25, "gene %d, option %d: %d of 200", k, o, seen[k][o]);
    eex_graph_free(g);
}

/* Before its epoch a gene stays at its largest, and the others' draws are what they would be. */
Test(supernet, genes_wait_for_their_epoch)
{
    eex_graph *g;
    eex_recipe r = recipe(3), all = recipe(3);
    OK(eex_test_supernet(&g, 4));
    for (int kind = 0; kind < EEX_GENE_KINDS; kind++)
        r.shrink[kind] = 1 + kind;
    for (uint32_t epoch = 0; epoch < 6; epoch++) {
        int genomes[MOST][SUPERNET_GENES], free[MOST][SUPERNET_GENES];
        eex_step step = step_at(3);
        step.epoch = epoch;
        const int count = eex_sandwich_draw(genomes[0], g, &r, &step);
        const int most = eex_sandwich_draw(free[0], g, &all, &step);
        cr_expect_eq(count == 0, epoch == 0);
        for (int k = 0; k < SUPERNET_GENES && count > 0; k++) {
            const eex_gene *gene = eex_graph_gene(g, k);
            const int last = genomes[count - 1][k];
            cr_expect_eq(last, epoch > (uint32_t)gene->kind ? 0 : gene->options - 1, "%s in %u",
                         gene->name, epoch);
        }
        if (epoch == 5)
            cr_expect(count == most && memcmp(genomes, free, sizeof free[0] * (size_t)most) == 0);
    }
    eex_graph_free(g);
}

/* ---- a step's gradient ---- */

typedef struct bed {
    net n;
    eex_recipe recipe;
    eex_plan_options options;
    eex_plan *largest;
    eex_supernet *supernet;
} bed;

/* Transforms that are no identity. */
static void shake(const net *n)
{
    for (int i = 0; i < eex_graph_params(n->graph); i++) {
        const eex_param *p = eex_graph_param(n->graph, i);
        float values[25 * 25];
        if (!strstr(p->name, "_matrix"))
            continue;
        OK(eex_params_get(n->params, i, values));
        for (size_t k = 0; k < eex_param_count(p); k++)
            values[k] += (float)(0.1 * (eex_rng_hash_uniform(3, (uint64_t)i, k) - 0.5));
        OK(eex_params_set(n->params, i, values));
    }
}

static bed open_bed(const eex_recipe *r)
{
    bed b = {.n = net_open(eex_test_supernet, COUNT, 2), .recipe = *r};
    b.options = net_training(COUNT, weights, SUPERNET_EXITS);
    b.options.smoothing = 0.1F;
    b.options.gradient_only = b.options.keep_logits = true;
    b.options.optimizer =
        (eex_optimizer){.kind = EEX_SGD, .momentum = 0.9F, .weight_decay = 0.01F, .clip = 1};
    shake(&b.n);
    OK(eex_optimizer_state_new(&b.options.state, b.n.params, &b.options.optimizer));
    OK(eex_plan_new(&b.largest, &b.options, b.n.graph, b.n.params));
    OK(eex_supernet_new(&b.supernet, r, b.largest, &b.options));
    return b;
}

static void close_bed(bed *b)
{
    eex_supernet_free(b->supernet);
    eex_plan_free(b->largest);
    eex_optimizer_state_free(b->options.state);
    net_close(&b->n);
}

static void run_step(bed *b, const eex_step *step)
{
    const eex_batch batch = {
        .count = COUNT, .images = b->n.images, .labels = b->n.labels, .samples = b->n.samples};
    OK(eex_supernet_step(b->supernet, &batch, step));
}

/* A derived network with parameters of its own. */
typedef struct part {
    eex_graph *graph;
    eex_params *params;
    eex_slices *slices;
} part;

static part open_part(const net *n, const int *genome)
{
    part p;
    OK(eex_graph_derive(&p.graph, NULL, n->graph, genome));
    OK(eex_params_new(&p.params, n->dev, p.graph, 1));
    OK(eex_slices_new(&p.slices, n->graph, p.graph));
    OK(eex_slices_gather(p.slices, p.params, n->params));
    return p;
}

static void close_part(part *p)
{
    eex_slices_free(p->slices);
    eex_params_free(p->params);
    eex_graph_free(p->graph);
}

/* Adds what a network by itself would learn, its memory apart from everything else's. */
static void add_student(const bed *b, eex_optimizer_state *to, const int *genome,
                        const eex_step *step)
{
    part p = open_part(&b->n, genome);
    eex_plan_options o = b->options;
    eex_plan *plan;
    o.keep_logits = false;
    o.no_dropout = true;
    if (b->recipe.distill > 0) {
        o.teacher = eex_plan_kept_logits(b->largest);
        o.distill = (float)b->recipe.distill;
        o.distill_t = (float)b->recipe.distill_t;
    }
    OK(eex_optimizer_state_new(&o.state, p.params, &o.optimizer));
    OK(eex_plan_new(&plan, &o, p.graph, p.params));
    net_feed(&b->n, plan, 0, COUNT);
    OK(eex_plan_step(plan, step));
    OK(eex_slices_scatter(p.slices, to, o.state));
    eex_plan_free(plan);
    eex_optimizer_state_free(o.state);
    close_part(&p);
}

static float *gradient(const bed *b)
{
    return fetch_floats(b->n.dev, b->options.state->g, b->n.params->count);
}

/* What a step will have left in the gradient. */
static float *by_hand(bed *b, const eex_step *step)
{
    int genomes[MOST][SUPERNET_GENES];
    eex_update *update;
    const int count = eex_sandwich_draw(genomes[0], b->n.graph, &b->recipe, step);
    cr_assert_eq(count, b->recipe.random + 1);
    OK(eex_update_new(&update, &b->options.optimizer, b->options.state));
    OK(eex_update_clear(update));
    net_feed(&b->n, b->largest, 0, COUNT);
    OK(eex_plan_step(b->largest, step));
    for (int i = 0; i < count; i++)
        add_student(b, b->options.state, genomes[i], step);
    eex_update_free(update);
    return gradient(b);
}

static void check_sum(double distill)
{
    eex_recipe r = recipe(2);
    r.distill = distill;
    bed b = open_bed(&r);
    for (int i = 0; i < 3; i++) { /* the second time the smallest is there already */
        const eex_step step = step_at(i);
        float *want = by_hand(&b, &step);
        run_step(&b, &step);
        float *got = gradient(&b);
        cr_expect_eq(memcmp(got, want, b.n.params->count * sizeof *got), 0, "step %d", i);
        free(got);
        free(want);
    }
    close_bed(&b);
}

Test(supernet, a_step_is_the_sum_of_its_networks)
{
    check_sum(0.8);
    check_sum(0);
}

/* One step of the optimiser by that sum, and the largest network's statistics. */
typedef struct left {
    float *w, *state;
} left;

static left after(const bed *b)
{
    const eex_params *p = b->n.params;
    return (left){fetch_floats(b->n.dev, p->w, p->count),
                  fetch_floats(b->n.dev, p->state, p->state_count)};
}

Test(supernet, a_step_is_one_of_the_optimiser)
{
    eex_recipe r = recipe(1);
    bed b = open_bed(&r);
    const eex_step step = step_at(0);
    const size_t count = b.n.params->count, states = b.n.params->state_count;
    eex_update *update;
    free(by_hand(&b, &step));
    OK(eex_update_new(&update, &b.options.optimizer, b.options.state));
    OK(eex_update_run(update, &step));
    left want = after(&b);
    eex_update_free(update);
    close_bed(&b);
    b = open_bed(&r);
    run_step(&b, &step);
    left got = after(&b);
    cr_expect_eq(memcmp(got.w, want.w, count * sizeof *got.w), 0);
    cr_expect_eq(memcmp(got.state, want.state, states * sizeof *got.state), 0);
    free(got.w);
    free(got.state);
    free(want.w);
    free(want.state);
    close_bed(&b);
}

/* ---- slopes ---- */

/* What a step minimises, in double, the teacher's logits held still. */
typedef struct loss {
    bed *b;
    const eex_step *step;
    int genomes[MOST][SUPERNET_GENES], count;
    double teacher[COUNT * NET_CLASSES];
} loss;

static naive *evaluate(const loss *l, const eex_params *params, bool dropout)
{
    naive *n = naive_open(params, COUNT);
    n->training = true;
    naive_images(n, l->b->n.images, &l->b->options.augment);
    if (dropout) {
        naive_dropout(n, l->b->n.dev, l->step);
    } else {
        for (int i = 0; i < eex_graph_nodes(params->graph); i++) {
            const eex_node *node = eex_graph_node(params->graph, i);
            const size_t row = (size_t)node->h * (size_t)node->w * (size_t)node->c;
            if (node->kind != EEX_NODE_DROPOUT)
                continue;
            n->mask[i] = malloc(COUNT * row * sizeof(double));
            cr_assert_not_null(n->mask[i]);
            for (size_t k = 0; k < COUNT * row; k++)
                n->mask[i][k] = 1;
        }
    }
    naive_forward(n, 0);
    return n;
}

static const double *logits(const naive *n, int exit)
{
    return n->value[eex_graph_exit(n->graph, exit)->logits];
}

static double loss_of(const loss *l, const naive *n, bool taught)
{
    double sum = 0;
    for (int k = 0; k < SUPERNET_EXITS; k++) {
        const eex_op_loss op = {.classes = NET_CLASSES,
                                .weight = weights[k],
                                .smoothing = l->b->options.smoothing,
                                .distill = taught ? (float)l->b->recipe.distill : 0,
                                .distill_t = taught ? (float)l->b->recipe.distill_t : 1,
                                .taught = taught};
        sum += ref_loss(NULL, logits(n, k), taught ? l->teacher : NULL, l->b->n.labels, COUNT, &op);
    }
    return sum;
}

static double total(const loss *l)
{
    naive *n = evaluate(l, l->b->n.params, true);
    double sum = loss_of(l, n, false);
    naive_close(n);
    for (int i = 0; i < l->count; i++) {
        part p = open_part(&l->b->n, l->genomes[i]);
        n = evaluate(l, p.params, false);
        sum += loss_of(l, n, true);
        naive_close(n);
        close_part(&p);
    }
    return sum;
}

/* The slope along a random direction; weights are float32, so the step is not small. */
static void check_param(const loss *l, int i, const float *g, eex_rng *rng)
{
    const eex_params *params = l->b->n.params;
    const eex_param *p = eex_graph_param(params->graph, i);
    const size_t count = eex_param_count(p);
    const double h = 2e-3;
    float *values = fetch_floats(l->b->n.dev, eex_params_at(params, i), count);
    float *moved = malloc(count * sizeof *moved);
    double *along = malloc(count * sizeof *along), side[2], got = 0, size = 0, length = 0;
    cr_assert(moved && along);
    for (size_t k = 0; k < count; k++) {
        along[k] = eex_rng_normal(rng);
        length += along[k] * along[k];
    }
    for (size_t k = 0; k < count; k++) {
        along[k] /= sqrt(length);
        got += (double)g[params->offset[i] + k] * along[k];
        size += pow((double)g[params->offset[i] + k], 2);
    }
    for (int s = 0; s < 2; s++) {
        for (size_t k = 0; k < count; k++)
            moved[k] = (float)((double)values[k] + (s ? h : -h) * along[k]);
        OK(l->b->n.dev->vtable->upload(l->b->n.dev, eex_params_at(params, i), moved,
                                       count * sizeof *moved));
        side[s] = total(l);
    }
    OK(l->b->n.dev->vtable->upload(l->b->n.dev, eex_params_at(params, i), values,
                                   count * sizeof *values));
    const double want = (side[1] - side[0]) / (2 * h);
    cr_expect(fabs(got - want) < 1e-4 + 1e-2 * sqrt(size), "%s: %.6g, but the slope is %.6g",
              p->name, got, want);
    free(along);
    free(moved);
    free(values);
}

Test(supernet, gradients_are_slopes, .timeout = 120)
{
    eex_recipe r = recipe(2);
    bed b = open_bed(&r);
    const eex_step step = step_at(1);
    loss l = {.b = &b, .step = &step};
    eex_rng rng;
    int matrices = 0;
    l.count = eex_sandwich_draw(l.genomes[0], b.n.graph, &r, &step);
    cr_assert_eq(l.count, 3);
    naive *n = evaluate(&l, b.n.params, true);
    memcpy(l.teacher, logits(n, SUPERNET_EXITS - 1), sizeof l.teacher);
    naive_close(n);
    float *g = by_hand(&b, &step);
    eex_rng_seed(&rng, 1, 2);
    for (int i = 0; i < eex_graph_params(b.n.graph); i++) {
        if (!eex_graph_param(b.n.graph, i)->trainable)
            continue;
        check_param(&l, i, g, &rng);
        matrices += strstr(eex_graph_param(b.n.graph, i)->name, "_matrix") != NULL;
    }
    cr_expect_eq(matrices, 3);
    free(g);
    close_bed(&b);
}

/* ---- what rests ---- */

static bool moved(const bed *b, const eex_params *before, const char *name)
{
    for (int i = 0; i < eex_graph_params(b->n.graph); i++)
        if (strcmp(eex_graph_param(b->n.graph, i)->name, name) == 0)
            return !same_floats(b->n.dev, eex_params_at(before, i), eex_params_at(b->n.params, i),
                                eex_param_count(eex_graph_param(b->n.graph, i)));
    cr_assert_fail("no parameter %s", name);
    return false;
}

/* The smallest network has one bottleneck: nothing goes through the matrix of the second, which
 * does not decay either. */
Test(supernet, what_no_network_uses_rests)
{
    eex_recipe r = recipe(0);
    bed b = open_bed(&r);
    eex_params *before;
    OK(eex_params_new(&before, b.n.dev, b.n.graph, 1));
    OK(eex_params_copy(before, b.n.params, NULL));
    for (int i = 0; i < 3; i++)
        run_step(&b, &(eex_step){.batch = COUNT, .lr = 0.1F, .seed = 1, .step = (uint64_t)i + 1});
    cr_expect(!moved(&b, before, "layer2.depthwise.5to3_matrix"));
    cr_expect(moved(&b, before, "layer1.depthwise.5to3_matrix"));
    cr_expect(moved(&b, before, "layer1.depthwise.7to5_matrix"));
    cr_expect(moved(&b, before, "layer2.depthwise.weight"));
    cr_expect(moved(&b, before, "fc.weight"));
    eex_params_free(before);
    close_bed(&b);
}

/* ---- what cannot be trained ---- */

Test(supernet, without_genes_there_is_nothing_to_choose)
{
    net n = net_open(net_tiny, 1, 1);
    cr_expect_eq(eex_supernet_check(n.graph), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "training.regime") && strstr(eex_error(), "joint"), "%s",
              eex_error());
    net_close(&n);
}
