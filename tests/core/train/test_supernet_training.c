/* The trainer with the regime "sandwich" on a data set that a tiny network learns in a second. */
#include "core/plan/slice.h"
#include "core/train/statistics.h"
#include "core/train/train_impl.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/elastic.h"
#include "support/folder.h"
#include "support/learner.h"
#include "support/patches.h"
#include "support/supernet.h"

#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { TRAIN = 160, TEST = 80, BATCH = 32, EPOCHS = 2, LONG = 12 };

static char folder[TEST_PATH_SIZE];
static eex_dataset *data;
static eex_device *dev;
static eex_graph *graph;
static uint32_t samples[TRAIN];

static void setup(void)
{
    test_folder_make(folder);
    data = patches_open(folder, TRAIN + TEST, 8, 12);
    dev = open_device(2);
    OK(eex_test_supernet(&graph, PATCH_CLASSES));
    for (uint32_t i = 0; i < TRAIN; i++)
        samples[i] = i;
}

static void teardown(void)
{
    eex_graph_free(graph);
    eex_device_close(dev);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

TestSuite(supernet_training, .init = setup, .fini = teardown, .timeout = 120);

static eex_recipe recipe_of(eex_regime regime)
{
    eex_recipe r = learner_recipe(data, regime, EPOCHS);
    r.batch = BATCH;
    r.distill_t = 1;
    return r;
}

static learner open_learner(const eex_recipe *recipe, eex_device *on, uint64_t weights_seed)
{
    return learner_open(graph, on, weights_seed, recipe, data, samples, TRAIN);
}

static void expect_same(const learner *a, const learner *b)
{
    const eex_params *p = a->params, *q = b->params;
    const eex_optimizer_state *s = a->trainer->state, *t = b->trainer->state;
    cr_expect(same_floats(dev, p->w, q->w, p->count), "weights");
    cr_expect(same_floats(dev, p->state, q->state, p->state_count), "statistics");
    cr_expect(same_floats(dev, s->m, t->m, p->count), "moments");
    if (s->ema)
        cr_expect(same_floats(dev, s->ema, t->ema, p->count), "averages");
    for (int k = 0; k < SUPERNET_EXITS; k++) {
        cr_expect_eq(a->report.loss[k], b->report.loss[k], "exit %d", k);
        cr_expect_eq(a->report.accuracy[k], b->report.accuracy[k]);
    }
}

/* ---- learning ---- */

/* On images that were not trained on, with statistics of its own. */
static void expect_learned(const eex_recipe *r, const eex_params *whole, const int *genome,
                           const char *what)
{
    const eex_inference how = {.batch = BATCH, .normalise = r->augment};
    uint32_t unseen[TEST];
    eex_graph *g;
    eex_params *p;
    eex_slices *s;
    eex_trace *trace;
    for (uint32_t i = 0; i < TEST; i++)
        unseen[i] = TRAIN + i;
    OK(eex_graph_derive(&g, NULL, graph, genome));
    OK(eex_params_new(&p, dev, g, 1));
    OK(eex_slices_new(&s, graph, g));
    OK(eex_slices_gather(s, p, whole));
    OK(eex_statistics_estimate(p, data, samples, TRAIN, &how));
    OK(eex_trace_record(&trace, g, p, data, unseen, TEST, &how));
    for (int k = 0; k < SUPERNET_EXITS; k++)
        cr_expect_gt(eex_trace_accuracy(trace, k), 0.8, "%s, exit %d: %g", what, k,
                     eex_trace_accuracy(trace, k));
    eex_trace_free(trace);
    eex_slices_free(s);
    eex_params_free(p);
    eex_graph_free(g);
}

static void check_learning(double distill)
{
    int genome[SUPERNET_GENES];
    eex_recipe r = recipe_of(EEX_REGIME_SANDWICH);
    r.epochs = LONG;
    r.distill = distill;
    learner b = open_learner(&r, dev, 1);
    learner_train(&b, LONG);
    cr_expect_gt(b.report.accuracy[SUPERNET_EXITS - 1], 0.8);
    OK(eex_trainer_finish(b.trainer));
    eex_genome_smallest(graph, genome);
    expect_learned(&r, b.params, genome, "smallest");
    eex_genome_largest(graph, genome);
    expect_learned(&r, b.params, genome, "largest");
    learner_close(&b);
}

Test(supernet_training, smallest_and_largest_learn)
{
    check_learning(1);
}

Test(supernet_training, they_learn_from_labels_too)
{
    check_learning(0);
}

/* While no gene is elastic a step is the largest network's, and nobody's besides. */
Test(supernet_training, the_largest_alone_is_joint_training)
{
    eex_recipe sandwich = recipe_of(EEX_REGIME_SANDWICH), joint = recipe_of(EEX_REGIME_JOINT);
    sandwich.optimizer.ema = joint.optimizer.ema = 0.9F;
    for (int k = 0; k < EEX_GENE_KINDS; k++)
        sandwich.shrink[k] = EPOCHS;
    learner a = open_learner(&sandwich, dev, 1), b = open_learner(&joint, dev, 1);
    learner_train(&a, EPOCHS);
    learner_train(&b, EPOCHS);
    expect_same(&a, &b);
    learner_close(&a);
    learner_close(&b);
}

Test(supernet_training, genes_become_elastic_in_their_epoch)
{
    eex_recipe late = recipe_of(EEX_REGIME_SANDWICH), never = late;
    for (int k = 0; k < EEX_GENE_KINDS; k++)
        late.shrink[k] = never.shrink[k] = EPOCHS;
    late.shrink[EEX_GENE_WIDTH] = 1;
    learner a = open_learner(&late, dev, 1), b = open_learner(&never, dev, 1);
    learner_train(&a, 1);
    learner_train(&b, 1);
    expect_same(&a, &b);
    learner_train(&a, 1);
    learner_train(&b, 1);
    cr_expect(!same_floats(dev, a.params->w, b.params->w, a.params->count));
    learner_close(&a);
    learner_close(&b);
}

/* ---- the same again ---- */

Test(supernet_training, threads_change_nothing)
{
    if (!on_cpu())
        cr_skip_test("of the CPU alone");
    eex_recipe r = recipe_of(EEX_REGIME_SANDWICH);
    eex_device *one = open_device_like(dev, 1), *three = open_device_like(dev, 3);
    learner a = open_learner(&r, one, 1), b = open_learner(&r, three, 1);
    learner_train(&a, 1);
    learner_train(&b, 1);
    expect_same(&a, &b);
    learner_close(&a);
    learner_close(&b);
    eex_device_close(one);
    eex_device_close(three);
}

/* Interrupts after every `every` batches: the trainer calls its watch after each, once it is told
 * that the last call was long ago. */
typedef struct interruption {
    eex_trainer *trainer;
    int every, batches;
} interruption;

static void interrupt(void *context, int epoch, uint64_t done, uint64_t total, double loss)
{
    interruption *i = context;
    i->trainer->told = 0;
    if (++i->batches % i->every == 0)
        raise(SIGINT);
}

static void save(const learner *b)
{
    eex_store_file *file;
    OK(eex_store_create(&file, test_path(folder, "checkpoint.h5"), "checkpoint", 1));
    OK(eex_trainer_save(b->trainer, file, "training"));
    OK(eex_store_commit(&file));
}

static void load(learner *b)
{
    eex_store_file *file;
    OK(eex_store_open(&file, test_path(folder, "checkpoint.h5"), "checkpoint", 1));
    OK(eex_trainer_load(b->trainer, file, "training"));
    eex_store_close(file);
}

/* Each time a trainer and weights that know nothing go on from what was saved. */
static int train_interrupted(learner *b, const eex_recipe *recipe, int every)
{
    int interruptions = 0, all;
    while (!eex_trainer_done(b->trainer)) {
        interruption i = {.trainer = b->trainer, .every = every};
        eex_trainer_watch(b->trainer, interrupt, &i);
        const int code = eex_trainer_epoch(b->trainer, &b->report);
        eex_signals_clear();
        if (code == EEX_OK)
            continue;
        cr_assert_eq(code, EEX_EINTERRUPTED, "%s", eex_error());
        interruptions += eex_trainer_batches(b->trainer, &all) > 0;
        save(b);
        learner_close(b);
        *b = open_learner(recipe, dev, 77);
        load(b);
    }
    return interruptions;
}

Test(supernet_training, an_interruption_after_any_batch_loses_nothing)
{
    eex_recipe r = recipe_of(EEX_REGIME_SANDWICH);
    r.optimizer.ema = 0.95F;
    r.shrink[EEX_GENE_DEPTH] = 1;
    OK(eex_signals_install());
    learner whole = open_learner(&r, dev, 1);
    learner_train(&whole, EPOCHS);
    for (int every = 1; every < TRAIN / BATCH; every++) {
        learner b = open_learner(&r, dev, 1);
        cr_expect_gt(train_interrupted(&b, &r, every), 1);
        expect_same(&whole, &b);
        learner_close(&b);
    }
    learner_close(&whole);
}

/* ---- what cannot be trained ---- */

static void refuses(const eex_graph *g, const char *path, int code)
{
    const eex_recipe r = recipe_of(EEX_REGIME_SANDWICH);
    eex_params *params;
    eex_trainer *trainer = NULL;
    OK(eex_params_new(&params, dev, g, 1));
    cr_expect_eq(eex_trainer_new(&trainer, params, &r, data, samples, TRAIN, 1), code);
    cr_expect_null(trainer);
    cr_expect(strstr(eex_error(), path), "%s", eex_error());
    eex_params_free(params);
}

Test(supernet_training, what_is_not_elastic_is_refused)
{
    eex_graph *g;
    OK(eex_test_tiny_gated(&g, PATCH_CLASSES));
    refuses(g, "training.regime", EEX_EINVAL);
    eex_graph_free(g);
}

/* Each network reads the same images at a size of its own. */
Test(supernet_training, images_of_several_sizes_are_trained_on)
{
    const eex_recipe r = recipe_of(EEX_REGIME_SANDWICH);
    eex_graph_free(graph);
    OK(eex_test_elastic_gated(&graph, PATCH_CLASSES));
    const eex_gene *size = eex_graph_gene(graph, eex_graph_size_gene(graph));
    cr_assert(size && size->options > 1);
    learner b = open_learner(&r, dev, 1);
    learner_train(&b, EPOCHS);
    for (int k = 0; k < b.report.exits; k++)
        cr_expect(isfinite(b.report.loss[k]) && b.report.loss[k] > 0, "exit %d", k);
    learner_close(&b);
}
