#include "core/engine/adapting_impl.h"
#include "core/engine/part_times.h"
#include "core/model/adaptation.h"
#include "core/model/narrowed.h"

#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef eex__adapting_side side;

struct eex_adaptation_made {
    const eex_model *model;
    const eex_moments *moments;
    eex_adapting wish;
    eex_exit_predictor *predictor; /* NULL: there is none */
    eex_line line;
    double whole;           /* operations of the network without gates */
    eex_parts plain, parts; /* without the predictor; with it */
    side find, show, fixed; /* fixed: shown images without the predictor */
    eex_narrowed narrowed;  /* count 0: there is no bottleneck, or it is not used as it is */
    side narrow[EEX_NARROWINGS + 1][2]; /* found and shown images with so few channels sent; of the
                                         * first all of them */
    const char *split;                  /* that is shown */
    double nearest;                     /* eex_adapting_nearest */
    side filtered; /* shown images without some filters; adapter NULL: there is no such way */
    eex_settings own, foretold;
    eex_adapt *adapt;
    eex_adapted out;
};

typedef eex_adaptation_made work;

void eex__adapting_side_free(side *s)
{
    eex_adapter_free(s->adapter);
    eex_policy_free(s->policy);
    eex_trace_free(s->trace);
}

void eex_adapting_free(work *w)
{
    if (!w)
        return;
    eex_adapted_free(&w->out);
    eex_adapt_free(w->adapt);
    eex__adapting_side_free(&w->find);
    eex__adapting_side_free(&w->show);
    eex__adapting_side_free(&w->fixed);
    for (int i = 0; i <= EEX_NARROWINGS; i++)
        for (int part = 0; part < 2; part++)
            eex__adapting_side_free(&w->narrow[i][part]);
    eex__adapting_side_free(&w->filtered);
    eex_narrowed_free(&w->narrowed);
    eex_exit_predictor_free(w->predictor);
    free(w);
}

const eex_adapted *eex_adapting_figures(const work *w)
{
    return &w->out;
}

double eex_adapting_nearest(const work *w)
{
    return w->nearest;
}

/* ---- what is judged ---- */

int eex__adapting_select(side *s, const eex_trace *trace, const eex_policy *policy, int count,
                         eex_device *device)
{
    int exits[EEX_MAX_EXITS];
    for (int k = 0; k < count; k++)
        exits[k] = k < count - 1 ? k : trace->exits - 1;
    EEX_TRY(eex_trace_select(&s->trace, trace, exits, count));
    EEX_TRY(eex_policy_select(&s->policy, policy, exits, count));
    return eex_trace_score(s->trace, device, s->policy->temperature);
}

static int select_exits(side *s, const work *w, const eex_trace *trace, const eex_policy *policy)
{
    return eex__adapting_select(s, trace, policy, w->parts.exits, w->model->params->device);
}

static int scores_of(const float **out, const work *w, const eex_trace *trace, const char *split)
{
    const int i = *split == 'v'; /* calibration, validation */
    const eex_exit_predictor *p = w->predictor;
    *out = p ? p->score[i] : NULL;
    return !p || p->samples[i] == trace->samples
               ? EEX_OK
               : eex_fail(EEX_EFORMAT,
                          "%s: its predictor has scores of %d %s images, its trace has %d: eex "
                          "predictor %s --force trains another, --no-predictor does without",
                          w->model->path, p->samples[i], split, trace->samples, w->model->path);
}

static int open_side(side *s, const work *w, const char *split, bool predicting)
{
    const bool foretold = predicting && w->predictor;
    const float *scores = NULL;
    eex_trace *trace = NULL;
    EEX_TRY(eex_model_trace(&trace, w->model, split));
    int code = select_exits(s, w, trace, foretold ? w->predictor->policy : w->model->policy);
    eex_trace_free(trace);
    EEX_TRY(code);
    if (foretold)
        EEX_TRY(scores_of(&scores, w, s->trace, split));
    return eex_adapter_new(&s->adapter, s->trace, s->policy, foretold ? &w->parts : &w->plain,
                           scores);
}

/* ---- fewer channels of a bottleneck ---- */

static int open_narrow(side *s, const work *w, const char *split, int i)
{
    const eex_narrowed *n = &w->narrowed;
    const int part = *split == 'v';
    eex_trace *trace = NULL;
    eex_parts parts = w->plain;
    EEX_TRY(eex_model_trace(&trace, w->model, split));
    int code = select_exits(s, w, trace, w->model->policy);
    eex_trace_free(trace);
    EEX_TRY(code);
    const size_t samples = (size_t)s->trace->samples;
    if (n->samples[part] != s->trace->samples)
        return eex_fail(EEX_EFORMAT,
                        "%s: answers of %d %s images with fewer channels, its trace "
                        "has %d",
                        w->model->path, n->samples[part], split, s->trace->samples);
    if (i > 0) {
        const double share = (double)n->channels[i - 1] / n->of;
        parts.bytes = ceil(parts.bytes * share);
        parts.trunk[parts.exits - 1] *= share;
        memcpy(s->trace->top + (size_t)(parts.exits - 1) * samples,
               n->top[part] + (size_t)(i - 1) * samples, samples * sizeof *n->top[part]);
    }
    return eex_adapter_new(&s->adapter, s->trace, s->policy, &parts, NULL);
}

static int check_tops(const work *w)
{
    const int classes = eex_graph_classes(w->model->graph);
    for (int part = 0; part < 2; part++)
        for (size_t i = 0; i < (size_t)w->narrowed.count * (size_t)w->narrowed.samples[part]; i++)
            if (w->narrowed.top[part][i] < 0 || w->narrowed.top[part][i] >= classes)
                return eex_fail(EEX_EFORMAT, "%s: class %d of %d with fewer channels",
                                w->model->path, (int)w->narrowed.top[part][i], classes);
    return EEX_OK;
}

/* Only where it is the bottleneck's codes that are sent. */
static int open_narrows(work *w)
{
    const int gates = eex_graph_exits(w->model->graph) - 1;
    int own;
    EEX_TRY(eex_part_bits(&own, w->model, w->wish.cut));
    if (w->plain.exits - 1 != gates || own == 0 || own != w->wish.bits)
        return EEX_OK;
    EEX_TRY(eex_narrowed_read(&w->narrowed, w->model->path));
    EEX_TRY(check_tops(w));
    for (int i = 0; w->narrowed.count && i <= w->narrowed.count; i++) {
        EEX_TRY(open_narrow(&w->narrow[i][0], w, "calibration", i));
        EEX_TRY(open_narrow(&w->narrow[i][1], w, w->split, i));
    }
    return EEX_OK;
}

/* ---- both splits ---- */

static void settings_of(eex_settings *out, const eex_policy *policy, const float *gamma)
{
    *out = (eex_settings){.exits = policy->exits};
    for (int k = 0; k < policy->exits - 1; k++) {
        out->a[k] = policy->a[k];
        out->gamma[k] = gamma ? (double)gamma[k] : 0;
    }
}

static int open_sides(work *w)
{
    EEX_TRY(open_side(&w->find, w, "calibration", true));
    w->split = "validation";
    int code = open_side(&w->show, w, w->split, true);
    if (code == EEX_ENOTFOUND) {
        eex_log_warn("%s keeps no trace of validation images: ways are compared on the calibration "
                     "images, on which settings are found, and look better than they are",
                     w->model->path);
        w->split = "calibration";
        code = open_side(&w->show, w, w->split, true);
    }
    EEX_TRY(code);
    EEX_TRY(open_side(&w->fixed, w, w->split, false));
    settings_of(&w->own, w->fixed.policy, NULL);
    if (w->predictor)
        settings_of(&w->foretold, w->show.policy, w->predictor->gamma);
    return EEX_OK;
}

static int open_predictor(work *w)
{
    if (w->wish.no_predictor)
        return EEX_OK;
    const int code = eex_exit_predictor_open(&w->predictor, w->model);
    if (code == EEX_ENOTFOUND)
        return EEX_OK;
    EEX_TRY(code);
    if (w->predictor->recipe.images != EEX_PREDICTOR_TRAIN)
        eex_log_warn("%s: its predictor has learnt from calibration images, on which settings are "
                     "found: they may promise too much",
                     w->model->path);
    w->parts.predictor = (double)eex_cost_total(w->predictor->graph, w->wish.convention);
    return EEX_OK;
}

/* ---- what it costs ---- */

int eex__adapting_times(eex_parts *parts, double *speed, const eex_adapting *wish,
                        const eex_model *model, const eex_exit_predictor *predictor)
{
    eex_latency_table *table = NULL;
    eex_device *device = model->params->device;
    EEX_TRY(wish->table ? eex_latency_table_load(&table, wish->table)
                        : eex_latency_table_new(&table, device));
    int code = eex_latency_table_is_of(table, device);
    if (code == EEX_OK)
        code = eex_part_times(parts, speed, table, model, predictor);
    eex_latency_table_free(table);
    return code;
}

static int take_times(work *w)
{
    EEX_TRY(eex__adapting_times(&w->parts, &w->line.device, &w->wish, w->model, w->predictor));
    const double predictor = w->plain.predictor;
    w->plain = w->parts;
    w->plain.predictor = predictor;
    return EEX_OK;
}

static int open_parts(work *w)
{
    const eex_adapting *wish = &w->wish;
    EEX_TRY(eex_part_costs(&w->plain, w->model, wish->cut, wish->bits, wish->convention));
    if (!w->model->policy)
        return eex_fail(
            EEX_EINVAL,
            "%s has no policy by which anybody leaves: there are no thresholds to adapt",
            w->model->path);
    w->whole = w->plain.server;
    for (int k = 0; k < w->plain.exits; k++)
        w->whole += w->plain.trunk[k];
    w->parts = w->plain;
    EEX_TRY(open_predictor(w));
    return wish->measured ? take_times(w) : EEX_OK;
}

/* ---- the work ---- */

static int unreachable(const work *w, double fastest)
{
    char remedy[96] = "";
    if (w->predictor)
        snprintf(remedy, sizeof remedy,
                 ", %g of it for the predictor, which --no-predictor does without",
                 eex_line_device_ms(&w->line, w->parts.predictor));
    return eex_fail(EEX_EINVAL,
                    "--latency %g: no settings keep it on the calibration images, even at %g "
                    "Mbit/s: the fastest take %g ms on average%s",
                    w->wish.latency, w->line.bits / 1e6, fastest, remedy);
}

/* At the largest bandwidth a requirement is kept if it ever is. */
static int check_reachable(work *w)
{
    eex_settings s;
    eex_settled found;
    w->line.bits = w->moments->most;
    EEX_TRY(eex_adapter_best(&s, &found, w->find.adapter, &w->line, w->wish.latency, false));
    if (!found.kept && !w->wish.fastest)
        return unreachable(w, found.ms);
    w->nearest = found.kept ? NAN : found.ms;
    w->line.bits = w->moments->least;
    EEX_TRY(eex_adapter_best(&s, &found, w->find.adapter, &w->line, w->wish.latency, false));
    w->out.slowest = found.kept ? NAN : found.ms;
    return EEX_OK;
}

static int judge(work *w, const eex_ways *ways)
{
    const eex_moments *m = w->moments;
    for (int i = 0; i < m->count; i++) {
        eex_settled *row = w->out.rows + (size_t)i * EEX_WAYS;
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted while comparing bandwidths");
        w->line.bits = w->out.bits_per_s[i] = m->bits[i];
        if (i && m->bits[i] == m->bits[i - 1])
            for (int way = 0; way < EEX_WAYS; way++)
                row[way] = row[way - EEX_WAYS];
        else
            EEX_TRY(eex_ways_judge(row, ways, &w->line));
    }
    return EEX_OK;
}

static int open_figures(work *w)
{
    const eex_input *in = &w->model->input;
    eex_adapted *out = &w->out;
    const eex_exit *exit = eex_graph_exit(w->model->graph, w->parts.exits - 2);
    out->latency = w->wish.latency;
    out->line = w->line;
    out->cut = w->parts.exits - 1;
    out->bits = w->wish.bits ? w->wish.bits : 32;
    out->bytes = w->parts.bytes;
    out->image = (double)in->height * in->width * in->channels;
    out->jpeg = w->wish.jpeg;
    out->quality = w->wish.quality;
    out->measured = w->wish.measured;
    out->predictor = w->predictor != NULL;
    out->images = w->show.trace->samples;
    out->played = w->moments->played;
    out->count = w->moments->count;
    snprintf(out->node, sizeof out->node, "%s", eex_graph_node(w->model->graph, exit->point)->name);
    snprintf(out->convention, sizeof out->convention, "%s",
             eex_convention_name(w->wish.convention));
    snprintf(out->split, sizeof out->split, "%s", w->split);
    out->bits_per_s = calloc((size_t)out->count, sizeof *out->bits_per_s);
    out->rows = calloc((size_t)out->count * EEX_WAYS, sizeof *out->rows);
    return out->bits_per_s && out->rows
               ? EEX_OK
               : eex_fail(EEX_ENOMEM, "out of memory for %d bandwidths", out->count);
}

static int adapt(work *w)
{
    EEX_TRY(open_parts(w));
    EEX_TRY(open_sides(w));
    EEX_TRY(open_narrows(w));
    double speed = 0;
    if (w->wish.filtered)
        EEX_TRY(eex__adapting_filtered(&w->filtered, &speed, w->model, &w->wish, w->split,
                                       w->show.trace->samples));
    EEX_TRY(check_reachable(w));
    EEX_TRY(eex_adapt_fit(&w->adapt, w->find.adapter, w->moments->interval, w->moments->intervals,
                          &w->line, w->wish.latency));
    EEX_TRY(open_figures(w));
    w->out.counted = eex_adapt_counted(w->adapt);
    eex_narrow narrow[EEX_NARROWINGS + 1];
    for (int i = 0; i <= w->narrowed.count; i++)
        narrow[i] = (eex_narrow){w->narrow[i][0].adapter, w->narrow[i][1].adapter};
    const eex_ways ways = {.parts = &w->parts,
                           .end = eex_trace_accuracy(w->show.trace, w->parts.exits - 1),
                           .whole = w->whole,
                           .image = w->out.image,
                           .jpeg = w->wish.jpeg,
                           .fixed = w->fixed.adapter,
                           .own = &w->own,
                           .adaptive = w->show.adapter,
                           .foretold = w->predictor ? &w->foretold : NULL,
                           .filtered = w->filtered.adapter,
                           .filtered_speed = speed,
                           .narrow = narrow,
                           .narrows = w->narrowed.count ? w->narrowed.count + 1 : 0,
                           .adapt = w->adapt,
                           .latency = w->wish.latency};
    for (int way = 0; way < EEX_WAYS; way++)
        w->out.have[way] = eex_ways_have(&ways, (eex_way)way);
    return judge(w, &ways);
}

int eex_adapting_run(work **out, const eex_model *model, const eex_moments *moments,
                     const eex_adapting *wish)
{
    *out = NULL;
    if (!model->params)
        return eex_fail(EEX_EINVAL, "%s was opened without a device", model->path);
    work *w = calloc(1, sizeof *w);
    if (!w)
        return eex_fail(EEX_ENOMEM, "out of memory for settings by bandwidth");
    w->model = model;
    w->moments = moments;
    w->wish = *wish;
    w->line = wish->line;
    const int code = adapt(w);
    if (code == EEX_OK)
        *out = w;
    else
        eex_adapting_free(w);
    return code;
}

/* ---- the file ---- */

int eex_adapting_fill(eex_store_file *file, const void *context)
{
    const work *w = context;
    const eex_policy *policy = w->predictor ? w->predictor->policy : w->model->policy;
    eex_forecast forecast;
    EEX_TRY(eex_adaptation_fill(file, policy, w->model));
    EEX_TRY(eex_adapted_save(&w->out, file));
    EEX_TRY(eex_adaptation_mark(file, w->model, w->predictor));
    EEX_TRY(eex_forecast_make(&forecast, w->adapt, w->find.adapter, &w->parts, &w->line));
    EEX_TRY(eex_forecast_save(&forecast, file, "forecast"));
    return eex_adapt_save(w->adapt, file, "adaptation");
}
