/* The chosen network cut between a device and a server: final-bottleneck.h5, with the predictor
 * that the run has, and final-adaptation.h5: settings by bandwidth. */
#include "core/data/jpeg_bytes.h"
#include "core/engine/adapting.h"
#include "core/model/bottleneck.h"
#include "core/model/model_data.h"
#include "core/model/pruned.h"
#include "core/run/run.h"
#include "core/run/unmet.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char bottleneck_file[] = EEX_RUN_BOTTLENECK;
static const char predictor_file[] = "final-bottleneck-predictor.h5";
static const char adaptation_file[] = EEX_RUN_ADAPTATION;
static const char checkpoint[] = "final-bottleneck-checkpoint.h5";
static const char filters_file[] = "final-filters.h5";
static const char filters_checkpoint[] = "final-filters-checkpoint.h5";

/* ---- the bottleneck ---- */

static eex_bottling bottling_of(const eex_run *run, const char *kept)
{
    return (eex_bottling){.bits = run->e->partition.bits,
                          .precision = run->e->partition.precision,
                          .epochs = run->e->partition.epochs,
                          .more = run->e->partition.more,
                          .batch = run->e->partition.batch,
                          .lr = run->e->partition.lr,
                          .more_lr = run->e->partition.more_lr,
                          .augment = run->e->partition.augment,
                          .seed = eex__run_seed(run, EEX_STREAM_PARTITION, 0),
                          .rates = "partition.lr, partition.more_lr",
                          .checkpoint = kept};
}

static int make_bottleneck(const eex_run *run, const eex_model *model, const char *kept)
{
    const eex_bottling how = bottling_of(run, kept);
    eex_bottleneck *made = NULL;
    EEX_TRY(eex_bottleneck_make(&made, model, run->data, &how));
    const eex_bottled facts = *eex_bottleneck_facts(made);
    const int code = eex__run_write(run, bottleneck_file, eex_bottleneck_fill, made);
    eex_bottleneck_free(made);
    EEX_TRY(code);
    eex_log_info("bottleneck: %lld bytes of an image instead of %lld; the end is right for %.2f %% "
                 "of the validation images, before %.2f %%",
                 (long long)facts.bytes, (long long)facts.bytes_before, 100 * facts.end,
                 100 * facts.end_before);
    return EEX_OK;
}

static int bottleneck(const eex_run *run, const eex_model *model)
{
    char *kept = NULL;
    if (!eex__run_has(run, bottleneck_file)) {
        EEX_TRY(eex_path_join(&kept, run->options->folder, checkpoint));
        const int code = make_bottleneck(run, model, kept);
        free(kept);
        EEX_TRY(code);
    }
    return eex__run_remove(run, checkpoint);
}

/* Early exits in front of a bottleneck answer as before, so their predictor is the same. */
static int carry(const eex_run *run, const eex_model *from, const eex_model *to)
{
    eex_exit_predictor *old = NULL, *new = NULL;
    EEX_TRY(eex_exit_predictor_open(&old, from));
    int code = eex_exit_predictor_carry(&new, old, to, run->data);
    eex_exit_predictor_free(old);
    EEX_TRY(code);
    const eex_exit_predictor_file file = {new, to};
    code = eex__run_write(run, predictor_file, eex_exit_predictor_fill, &file);
    eex_exit_predictor_free(new);
    return code;
}

/* ---- a rival: without some of the device's filters ---- */

static eex_pruning pruning_of(const eex_run *run, const char *kept)
{
    return (eex_pruning){.share = run->e->partition.filters,
                         .cut = run->e->partition.cut - 1,
                         .precision = run->e->partition.precision,
                         .epochs = run->e->partition.filter_epochs,
                         .batch = run->e->partition.batch,
                         .lr = run->e->partition.filter_lr,
                         .augment = run->e->partition.augment,
                         .seed = eex__run_seed(run, EEX_STREAM_PARTITION, 1),
                         .train = &run->split.train,
                         .rates = "partition.filter_lr",
                         .checkpoint = kept};
}

static int make_filtered(const eex_run *run, const eex_model *model, const char *kept)
{
    const eex_pruning how = pruning_of(run, kept);
    eex_pruned *made = NULL;
    EEX_TRY(eex_pruned_make(&made, model, run->data, &how));
    const eex_pruned_facts facts = *eex_pruned_look(made);
    const int code = eex__run_write(run, filters_file, eex_pruned_fill, made);
    eex_pruned_free(made);
    EEX_TRY(code);
    eex_log_info("without %d of %d filters: %.1f %% of the device's MACs; right for %.2f %% of the "
                 "validation images, before %.2f %%",
                 facts.gone, facts.filters, 100 * facts.macs / facts.macs_before,
                 100 * facts.accuracy, 100 * facts.accuracy_before);
    return EEX_OK;
}

/* Whether the chosen network can go without; as with is_cut, a warning says why not. */
static int is_filtered(bool *is, char lost[EEX_PHASE_REASON], const eex_run *run,
                       const eex_model *model)
{
    const eex_pruning how = pruning_of(run, NULL);
    const int code = eex_pruned_check(model, &how);
    *is = code == EEX_OK;
    if (code != EEX_EINVAL)
        return code;
    eex_text_clip(lost, EEX_PHASE_REASON, eex_error());
    eex_log_warn("the chosen network is compared with none of fewer filters: %s", eex_error());
    return EEX_OK;
}

/* *there: the file is. */
static int filtered(bool *there, char lost[EEX_PHASE_REASON], const eex_run *run,
                    const eex_model *model)
{
    char *kept = NULL;
    *there = false;
    if (!(run->e->partition.filters > 0))
        return EEX_OK;
    *there = eex__run_has(run, filters_file);
    if (!*there) {
        EEX_TRY(is_filtered(there, lost, run, model));
        if (!*there)
            return EEX_OK;
        EEX_TRY(eex_path_join(&kept, run->options->folder, filters_checkpoint));
        const int code = make_filtered(run, model, kept);
        free(kept);
        EEX_TRY(code);
    }
    return eex__run_remove(run, filters_checkpoint);
}

/* A rival that diverges costs the settings nothing but itself. */
static int try_filtered(bool *there, char lost[EEX_PHASE_REASON], const eex_run *run,
                        const eex_model *model)
{
    const int code = filtered(there, lost, run, model);
    if (code != EEX_EDIVERGED)
        return code;
    *there = false;
    eex_text_clip(lost, EEX_PHASE_REASON, eex_error());
    eex_log_warn("the run goes on without a rival that lacks filters: %s", eex_error());
    return eex__run_remove(run, filters_checkpoint);
}

/* ---- settings ---- */

static int jpeg_bytes(double *out, const eex_run *run)
{
    const eex_index *images = &run->split.validation;
    *out = 0;
    return run->e->partition.jpeg > 0
               ? eex_jpeg_bytes(out, run->data, images->at, images->count, run->e->partition.jpeg)
               : EEX_OK;
}

typedef struct settings {
    const eex_adaptation_made *made;
    eex_unmet unmet;
    const char *lost; /* why there is no network without filters; "": there is, or none is wanted */
} settings;

static int save_settings(eex_store_file *file, const void *context)
{
    const settings *s = context;
    EEX_TRY(eex_adapting_fill(file, s->made));
    EEX_TRY(eex_unmet_save(&s->unmet, file));
    return *s->lost ? eex_store_set_string(file, "", EEX_RUN_NO_FILTERS, s->lost) : EEX_OK;
}

static void warn_of_latency(settings *s, const eex_moments *moments, double latency)
{
    const double nearest = eex_adapting_nearest(s->made);
    if (!isnan(nearest))
        eex_unmet_say(&s->unmet, EEX_WISH_LATENCY,
                      "partition.latency: no settings keep %g ms on the calibration images, even "
                      "at %g Mbit/s: the fastest, which are taken, need %g ms on average",
                      latency, moments->most / 1e6, nearest);
}

static int adapt_beside(const eex_run *run, const eex_model *model, const char *rival,
                        const char *lost)
{
    const eex_experiment *e = run->e;
    const double server = e->partition.server;
    eex_adapting wish = {.latency = e->partition.latency,
                         .line = {.device = 1e9 * e->partition.device,
                                  .server = server > 0 ? 1e9 * server : INFINITY,
                                  .round_trip_ms = e->partition.round_trip},
                         .cut = e->partition.cut - 1,
                         .bits = e->partition.bits == 32 ? 0 : e->partition.bits,
                         .convention = e->partition.convention,
                         .quality = e->partition.jpeg,
                         .filtered = rival,
                         .fastest = true};
    eex_moments moments;
    eex_adaptation_made *made = NULL;
    EEX_TRY(eex_moments_range(&moments, e->partition.from, e->partition.to));
    EEX_TRY(jpeg_bytes(&wish.jpeg, run));
    EEX_TRY(eex_adapting_run(&made, model, &moments, &wish));
    settings all = {.made = made, .lost = lost};
    warn_of_latency(&all, &moments, wish.latency);
    const int code = eex__run_write(run, adaptation_file, save_settings, &all);
    eex_adapting_free(made);
    return code;
}

static int adapt(const eex_run *run, const eex_model *model)
{
    char *rival = NULL, lost[EEX_PHASE_REASON] = "";
    bool there;
    EEX_TRY(try_filtered(&there, lost, run, model));
    if (there)
        EEX_TRY(eex_path_join(&rival, run->options->folder, filters_file));
    const int code = adapt_beside(run, model, rival, lost);
    free(rival);
    return code;
}

static int adapt_bottleneck(const eex_run *run, const eex_model *model)
{
    eex_model *small = NULL;
    char *path = NULL;
    EEX_TRY(bottleneck(run, model));
    EEX_TRY(eex_path_join(&path, run->options->folder, bottleneck_file));
    int code = eex_model_open(&small, path, EEX_MODEL_BEST, run->device);
    free(path);
    EEX_TRY(code);
    if (eex__run_has(run, "final-predictor.h5") && !eex__run_has(run, predictor_file))
        code = carry(run, model, small);
    if (code == EEX_OK)
        code = adapt(run, small);
    eex_model_close(small);
    return code;
}

/* Whether the chosen network has the gate to be cut behind. EEX_EINVAL: it has not. */
static int check_gates(const eex_run *run, const eex_model *model)
{
    const int gates = eex_graph_exits(model->graph) - 1, cut = run->e->partition.cut;
    if (gates < 1)
        return eex_fail(EEX_EINVAL, "the chosen network has no gates: it cannot be cut behind one");
    if (cut > gates)
        return eex_fail(EEX_EINVAL,
                        "the chosen network has %d gate%s: it cannot be cut behind exit %d "
                        "(partition.cut)",
                        gates, eex_plural(gates), cut);
    return EEX_OK;
}

static int check_bottleneck(const eex_run *run, const eex_model *model)
{
    const eex_bottling how = bottling_of(run, NULL);
    const int code = run->e->partition.epochs > 0 ? eex_bottleneck_check(model, &how) : EEX_OK;
    return code < 0 ? eex_fail_in(code, "the chosen network gets no bottleneck, and no settings by "
                                        "bandwidth")
                    : EEX_OK;
}

/* Whether the chosen network can be cut as the experiment says. Which one that would be nobody knew
 * beforehand, so a warning and the run's result say why not, and the run goes on to that. */
static int is_cut(bool *is, eex_run *run, const eex_model *model)
{
    int code = check_gates(run, model);
    if (code == EEX_OK)
        code = check_bottleneck(run, model);
    *is = code == EEX_OK;
    if (code != EEX_EINVAL)
        return code;
    eex_text_clip(run->lost[EEX_PHASE_PARTITION], EEX_PHASE_REASON, eex_error());
    eex_log_warn("%s", eex_error());
    return EEX_OK;
}

int eex__run_partition(eex_run *run)
{
    eex_model *model = NULL;
    bool is = false;
    if (eex__run_has(run, adaptation_file))
        return EEX_OK;
    EEX_TRY(eex_model_open(&model, run->options->folder, EEX_MODEL_BEST, run->device));
    int code = is_cut(&is, run, model);
    if (code == EEX_OK && is)
        code = run->e->partition.epochs > 0 ? adapt_bottleneck(run, model) : adapt(run, model);
    eex_model_close(model);
    return code;
}
