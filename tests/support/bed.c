#include "support/bed.h"

#include "core/data/synthetic.h"
#include "core/train/train.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/patches.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

/* ---- trained once ---- */

/* Each test is a process of its own; the weights that one has trained lie in a folder for the
 * others of the program. */
static const char trained_folder[] = "EEX_TEST_TRAINED";

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    cr_assert_eq(setenv(trained_folder, folder, 1), 0);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    test_folder_remove(getenv(trained_folder));
}

static const char *trained_path(const char *name)
{
    const char *folder = getenv(trained_folder);
    cr_assert_not_null(folder);
    return test_path(folder, name);
}

static bool recall_weights(const bed *b, const char *name)
{
    eex_store_file *file;
    if (!eex_fs_exists(trained_path(name)))
        return false;
    OK(eex_store_open(&file, trained_path(name), "weights", 1));
    OK(eex_params_load(b->net.params, file, "params"));
    eex_store_close(file);
    return true;
}

/* Whole or not at all: another test may look for it now. */
static void keep_weights(const bed *b, const char *name)
{
    eex_store_file *file;
    OK(eex_store_create(&file, trained_path(name), "weights", 1));
    OK(eex_params_save(b->net.params, file, "params"));
    OK(eex_store_commit(&file));
}

/* ---- making one ---- */

/* A little training makes exits that agree on some samples and not on others. */
static void train(bed *b, int epochs)
{
    eex_recipe r = eex_recipe_default();
    eex_trainer *trainer;
    eex_epoch_report report;
    r.epochs = epochs;
    r.batch = 16;
    r.lr = 0.02;
    r.augment = b->normalise;
    OK(eex_trainer_new(&trainer, b->net.params, &r, b->data, b->samples, SAMPLES, 1));
    for (int i = 0; i < epochs; i++)
        OK(eex_trainer_epoch(trainer, &report));
    eex_trainer_free(trainer);
}

static bed open_bed(const char *name, net_builder build, eex_dataset *data, int epochs)
{
    bed b = {.net = net_open(build, 1, 2), .data = data};
    const eex_dataset_info *facts = eex_dataset_facts(data);
    memcpy(b.normalise.mean, facts->mean, sizeof facts->mean);
    memcpy(b.normalise.std, facts->std, sizeof facts->std);
    eex_augment_fit(&b.normalise, data);
    b.image = (size_t)facts->height * (size_t)facts->width * (size_t)facts->channels;
    for (uint32_t i = 0; i < SAMPLES; i++)
        b.samples[i] = i;
    if (!recall_weights(&b, name)) {
        train(&b, epochs);
        keep_weights(&b, name);
    }
    bed_trace_in(&b, EEX_F32);
    return b;
}

eex_inference bed_inference(const bed *b, int batch)
{
    return (eex_inference){.batch = batch,
                           .normalise = b->normalise,
                           .precision = b->precision,
                           .familiar = b->familiar};
}

void bed_trace_in(bed *b, eex_precision precision)
{
    b->precision = precision;
    const eex_inference how = bed_inference(b, 50);
    eex_trace_free(b->trace);
    OK(eex_trace_record(&b->trace, b->net.graph, b->net.params, b->data, b->samples, SAMPLES,
                        &how));
}

void bed_know(bed *b)
{
    const eex_inference how = bed_inference(b, 40);
    OK(eex_familiar_fit(&b->familiar, b->net.graph, b->net.params, b->data, b->samples, SAMPLES,
                        &how));
    bed_trace_in(b, b->precision);
}

void bed_close(bed *b)
{
    eex_familiar_free(b->familiar);
    eex_trace_free(b->trace);
    net_close(&b->net);
    eex_dataset_close(b->data);
}

bed bed_of_patches(const char *folder)
{
    return open_bed("patches.h5", net_tiny, patches_open(folder, SAMPLES, 4, 40), 6);
}

bed bed_of_quantised(const char *folder)
{
    return open_bed("quantised.h5", net_quantised, patches_open(folder, SAMPLES, 4, 40), 6);
}

bed bed_of_enlarged(const char *folder)
{
    return open_bed("enlarged.h5", net_derived, patches_open(folder, SAMPLES, 4, 40), 2);
}

bed bed_of_drawings(const char *folder)
{
    eex_dataset *data;
    const char *path = test_path(folder, "drawings.h5");
    OK(eex_synthetic_make(path, "drawings", SAMPLES, 10, 1));
    OK(eex_dataset_open(&data, path));
    return open_bed("drawings.h5", net_mobilenetv2, data, 1);
}

static bool same(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* A score of the sample lies so close to a threshold of an exit on its way, or two classes lie so
 * close together, that rounding may decide: allowed where bits do not repeat. */
static bool undecided(const bed *b, const eex_policy *p, uint32_t sample)
{
    const float close = 1e-4f;
    for (int k = 0; p && k < p->exits; k++) {
        size_t at = (size_t)k * SAMPLES + sample;
        size_t of = (size_t)(k * p->classes + b->trace->top[at]);
        float score = eex_policy_score(p->kind, b->trace->confidence[at], b->trace->margin[at],
                                       b->trace->entropy[at]);
        if (fabsf(score - p->high[of]) < close || fabsf(score - p->low[of]) < close ||
            b->trace->margin[at] < close)
            return true;
        if (b->trace->distance && fabs((double)b->trace->distance[at] - p->far[k]) < 1e-3)
            return true;
    }
    return false;
}

static bool scores_alike(const eex_result *got, const eex_trace *t, size_t at)
{
    const float close = 1e-4f;
    return fabsf(got->confidence - t->confidence[at]) < close &&
           fabsf(got->margin - t->margin[at]) < close &&
           fabsf(got->entropy - t->entropy[at]) < 10 * close;
}

void bed_compare(const bed *b, const eex_policy *policy, const expected *want,
                 const eex_result *got, uint32_t sample)
{
    if (!device_repeats_bits() && undecided(b, policy, sample))
        return;
    size_t at = (size_t)want->exit[sample] * SAMPLES + sample;
    cr_expect_eq(got->exit, want->exit[sample], "sample %u leaves at %d, not %d", sample, got->exit,
                 want->exit[sample]);
    cr_expect_eq(got->decision, want->decision[sample]);
    cr_expect_eq(got->top, b->trace->top[at]);
    if (!device_repeats_bits()) {
        cr_expect(scores_alike(got, b->trace, at), "sample %u has other scores", sample);
        return;
    }
    cr_expect(same(got->confidence, b->trace->confidence[at]) &&
                  same(got->margin, b->trace->margin[at]) &&
                  same(got->entropy, b->trace->entropy[at]),
              "sample %u has other scores than in the trace", sample);
}
