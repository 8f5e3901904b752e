/* eex adapt: thresholds that follow the bandwidth between a device and a server, from stored
 * traces. The network is not run. */
#include "cli/commands.h"
#include "cli/open_model.h"
#include "cli/out_file.h"
#include "cli/print_adapt.h"
#include "cli/remote_options.h"
#include "core/engine/part_costs.h"
#include "core/model/adaptation.h"

#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct arguments {
    const char *bandwidths, *trace, *convention, *out;
    double latency, device_gflops, server_gflops, round_trip;
    int64_t cut, bits, jpeg;
    bool no_predictor, force, json;
} arguments;

static const arguments defaults = {
    .latency = 30, .device_gflops = 3.62, .server_gflops = INFINITY, .bits = 8};

static const eex_option options[] = {
    EEX_TEXT("bandwidths", "FROM:TO", bandwidths, "Mbit/s (0.1:100, at the paper's points)"),
    EEX_TEXT("trace", "FILE.csv", trace, "bandwidths as measured: lines of seconds,Mbit/s"),
    EEX_REAL("latency", "MS", 1e-6, 1e9, latency, "the most on average (30)"),
    EEX_REAL("device-gflops", "N", 1e-6, 1e9, device_gflops, "the device's speed (3.62)"),
    EEX_REAL("server-gflops", "N", 1e-6, 1e9, server_gflops,
             "the server's (so fast that it takes no time)"),
    EEX_TEXT("convention", "NAME", convention,
             "what speeds count: ptflops (so unless given), macs, thop or torchprofile"),
    EEX_REAL("round-trip", "MS", 0, 1e6, round_trip, "beside what sending takes (0)"),
    EEX_NUMBER("cut", "EXIT", 1, EEX_MAX_EXITS, cut,
               "exit behind which the network is cut (the last early one)"),
    EEX_NUMBER("bits", "N", 1, 32, bits,
               "1 to 8: what passes the cut is sent in so few; 32: as it is (8)"),
    EEX_NUMBER("jpeg-bytes", "N", 1, 1 << 30, jpeg, "compare with sending a JPEG of so many bytes"),
    EEX_FLAG("no-predictor", no_predictor, "do without the predictor that is there"),
    EEX_OUT("FILE.h5", out, "keep the regressors in this file"),
    EEX_FLAG("force", force, "replace that file"),
    EEX_JSON(json),
    {0},
};

static int convention_of(eex_convention *out, const arguments *a)
{
    *out = EEX_PTFLOPS;
    const int code = a->convention ? eex_convention_parse(out, a->convention) : EEX_OK;
    return code < 0 ? eex_fail_in(code, "--convention") : EEX_OK;
}

static int check(void *given, const eex_words *words)
{
    const arguments *a = given;
    eex_convention convention;
    eex_moments moments;
    if (a->bandwidths && a->trace)
        return eex_fail(EEX_EINVAL, "--bandwidths and --trace: one of them says which there are");
    EEX_TRY(eex_moments_range(&moments, a->bandwidths));
    EEX_TRY(convention_of(&convention, a));
    EEX_TRY(eex__bits_check(a->bits));
    return eex_check_out(a->out, a->force, "adaptation", "adaptation");
}

/* ---- what is judged ---- */

/* A split with the policy and, where there is one, the predictor. */
typedef struct side {
    eex_trace *trace;
    eex_policy *policy;
    eex_adapter *adapter;
} side;

typedef struct work {
    const arguments *a;
    eex_device *device;
    eex_model *model;
    eex_exit_predictor *predictor; /* NULL: there is none */
    eex_convention convention;
    eex_moments moments;
    eex_line line;
    eex_parts plain, parts; /* without the predictor; with it */
    side find, show, fixed; /* fixed: shown images without the predictor */
    const char *split;      /* that is shown */
    eex_settings own, foretold;
    double slowest;
    eex_adapt *adapt;
    eex_settled *rows; /* (moments.count, EEX_WAYS) */
} work;

static void side_free(side *s)
{
    eex_adapter_free(s->adapter);
    eex_policy_free(s->policy);
    eex_trace_free(s->trace);
}

static void work_free(work *w)
{
    free(w->rows);
    eex_adapt_free(w->adapt);
    side_free(&w->find);
    side_free(&w->show);
    side_free(&w->fixed);
    eex_exit_predictor_free(w->predictor);
    eex_model_close(w->model);
    eex_device_close(w->device);
}

/* The exits in front of the cut, and the end. */
static int select_exits(side *s, const work *w, const eex_trace *trace, const eex_policy *policy)
{
    int exits[EEX_MAX_EXITS];
    const int count = w->parts.exits;
    for (int k = 0; k < count; k++)
        exits[k] = k < count - 1 ? k : trace->exits - 1;
    EEX_TRY(eex_trace_select(&s->trace, trace, exits, count));
    EEX_TRY(eex_policy_select(&s->policy, policy, exits, count));
    return eex_trace_score(s->trace, w->device, s->policy->temperature);
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
    if (w->a->no_predictor)
        return EEX_OK;
    const int code = eex_exit_predictor_open(&w->predictor, w->model);
    if (code == EEX_ENOTFOUND)
        return EEX_OK;
    EEX_TRY(code);
    if (w->predictor->recipe.images != EEX_PREDICTOR_TRAIN)
        eex_log_warn("%s: its predictor has learnt from calibration images, on which settings are "
                     "found: they may promise too much",
                     w->model->path);
    w->parts.predictor = (double)eex_cost_total(w->predictor->graph, w->convention);
    return EEX_OK;
}

static int open_work(work *w, const char *path)
{
    const arguments *a = w->a;
    const eex_device_options one = {.threads = 1};
    EEX_TRY(a->trace ? eex_moments_trace(&w->moments, a->trace)
                     : eex_moments_range(&w->moments, a->bandwidths));
    EEX_TRY(convention_of(&w->convention, a));
    EEX_TRY(eex_device_open(&w->device, "cpu", &one));
    EEX_TRY(eex_model_open(&w->model, path, EEX_MODEL_BEST, w->device));
    EEX_TRY(
        eex_part_costs(&w->plain, w->model, (int)a->cut - 1, eex__bits_of(a->bits), w->convention));
    if (!w->model->policy)
        return eex_fail(
            EEX_EINVAL,
            "%s has no policy by which anybody leaves: there are no thresholds to adapt",
            w->model->path);
    w->parts = w->plain;
    w->line = (eex_line){.device = 1e9 * a->device_gflops,
                         .server = 1e9 * a->server_gflops,
                         .round_trip_ms = a->round_trip};
    EEX_TRY(open_predictor(w));
    return open_sides(w);
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
                    w->a->latency, w->line.bits / 1e6, fastest, remedy);
}

/* At the largest bandwidth a requirement is kept if it ever is. */
static int check_reachable(work *w)
{
    eex_settings s;
    eex_settled found;
    w->line.bits = w->moments.most;
    EEX_TRY(eex_adapter_best(&s, &found, w->find.adapter, &w->line, w->a->latency, false));
    if (!found.kept)
        return unreachable(w, found.ms);
    w->line.bits = w->moments.least;
    EEX_TRY(eex_adapter_best(&s, &found, w->find.adapter, &w->line, w->a->latency, false));
    w->slowest = found.kept ? NAN : found.ms;
    return EEX_OK;
}

static int judge(work *w, const eex_ways *ways)
{
    const eex_moments *m = &w->moments;
    w->rows = calloc((size_t)m->count * EEX_WAYS, sizeof *w->rows);
    if (!w->rows)
        return eex_fail(EEX_ENOMEM, "out of memory for %d bandwidths", m->count);
    for (int i = 0; i < m->count; i++) {
        eex_settled *row = w->rows + (size_t)i * EEX_WAYS;
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted while comparing bandwidths");
        w->line.bits = m->bits[i];
        if (i && m->bits[i] == m->bits[i - 1])
            for (int way = 0; way < EEX_WAYS; way++)
                row[way] = row[way - EEX_WAYS];
        else
            EEX_TRY(eex_ways_judge(row, ways, &w->line));
    }
    return EEX_OK;
}

static int fill_file(eex_store_file *file, const work *w)
{
    eex_forecast forecast;
    EEX_TRY(eex_store_set_string(file, "", "convention", eex_convention_name(w->convention)));
    EEX_TRY(eex_store_set_double(file, "", "device_flops", w->line.device));
    EEX_TRY(eex_store_set_double(file, "", "server_flops", w->line.server));
    EEX_TRY(eex_store_set_double(file, "", "round_trip_ms", w->line.round_trip_ms));
    EEX_TRY(eex_store_set_int(file, "", "cut", w->parts.exits - 1));
    EEX_TRY(eex_store_set_int(file, "", "bits", w->a->bits));
    EEX_TRY(eex_store_set_double(file, "", "payload_bytes", w->parts.bytes));
    EEX_TRY(eex_store_set_int(file, "", "predictor", w->predictor != NULL));
    EEX_TRY(eex_adaptation_mark(file, w->model, w->predictor));
    EEX_TRY(eex_forecast_make(&forecast, w->adapt, w->find.adapter, &w->parts, &w->line));
    EEX_TRY(eex_forecast_save(&forecast, file, "forecast"));
    return eex_adapt_save(w->adapt, file, "adaptation");
}

static int save(const work *w)
{
    const eex_policy *policy = w->predictor ? w->predictor->policy : w->model->policy;
    eex_store_file *file = NULL;
    if (!w->a->out)
        return EEX_OK;
    EEX_TRY(eex_adaptation_file(&file, w->a->out, policy, w->model));
    const int code = fill_file(file, w);
    if (code == EEX_OK)
        return eex_store_commit(&file);
    eex_store_close(file);
    return code;
}

static int report(work *w, const eex_ways *ways)
{
    eex_way_mean mean[EEX_WAYS];
    eex_ways_mean(mean, w->rows, w->moments.count);
    const eex_adapt_report r = {.model = w->model,
                                .ways = ways,
                                .moments = &w->moments,
                                .line = &w->line,
                                .rows = w->rows,
                                .mean = mean,
                                .split = w->split,
                                .images = w->show.trace->samples,
                                .convention = w->convention,
                                .bits = eex__bits_of(w->a->bits),
                                .slowest = w->slowest,
                                .file = w->a->out};
    return eex_print_adapt(&r, w->a->json);
}

static int adapt(work *w, const char *path)
{
    EEX_TRY(open_work(w, path));
    EEX_TRY(check_reachable(w));
    EEX_TRY(eex_adapt_fit(&w->adapt, w->find.adapter, w->moments.interval, w->moments.intervals,
                          &w->line, w->a->latency));
    const eex_input *in = &w->model->input;
    const eex_ways ways = {.parts = &w->parts,
                           .end = eex_trace_accuracy(w->show.trace, w->parts.exits - 1),
                           .image = (double)in->height * in->width * in->channels,
                           .jpeg = (double)w->a->jpeg,
                           .fixed = w->fixed.adapter,
                           .own = &w->own,
                           .adaptive = w->show.adapter,
                           .foretold = w->predictor ? &w->foretold : NULL,
                           .adapt = w->adapt,
                           .latency = w->a->latency};
    EEX_TRY(judge(w, &ways));
    EEX_TRY(save(w));
    return report(w, &ways);
}

static int run(const void *given, const eex_words *words)
{
    work w = {.a = given};
    const int code = adapt(&w, words->at[0]);
    work_free(&w);
    return code;
}

static const char details[] =
    "A device runs the network as far as the cut and sends what nobody there has answered. "
    "Latency\n"
    "is that of the paper on early exit prediction (its equation 11): operations by the device's\n"
    "speed, bytes by the bandwidth, and the server's part where its speed is given. At a few\n"
    "bandwidths replay finds the thresholds that are right most often while the mean latency of\n"
    "the calibration images keeps --latency; small regressors give those for every bandwidth.\n\n"
    "They are compared with other ways, on the validation images: everything on the device, or on\n"
    "the server, which gets the raw image; the network cut without exits; the model's thresholds,\n"
    "and those of `eex predictor` where there is one; and an oracle, which is a bound. What is\n"
    "lost by sending codes of few bits is not in these figures unless the network has it in\n"
    "itself (`eex bottleneck`).\n\n"
    "A trace of bandwidths is played: 256 moments at even times from its first line to its last.";

const eex_cmd eex_cmd_adapt = {
    .name = "adapt",
    .brief = "thresholds that follow the bandwidth to a server",
    .synopsis = "RUN|MODEL.h5 [--bandwidths FROM:TO | --trace FILE.csv] [options]",
    .summary = "Finds thresholds for each bandwidth between a device and a server that keep a "
               "latency, and\ncompares them with other ways to answer.",
    .details = details,
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
