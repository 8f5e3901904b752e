/* eex adapt: thresholds that follow the bandwidth between a device and a server, from stored
 * traces. The network is not run. */
#include "cli/commands.h"
#include "cli/open_model.h"
#include "cli/out_file.h"
#include "cli/plot_adapt.h"
#include "cli/print_adapt.h"
#include "cli/remote_options.h"
#include "core/data/jpeg_bytes.h"
#include "core/engine/adapting.h"
#include "core/model/model_data.h"
#include "page/plot.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    eex_device_choice device;
    const char *bandwidths, *trace, *convention, *out, *device_speed, *table, *data, *filtered;
    double latency, device_gflops, server_gflops, round_trip;
    int64_t cut, bits, jpeg, quality;
    bool no_predictor, force, json;
} arguments;

static const arguments defaults = {.device = EEX_DEVICE_CHOICE_INIT,
                                   .latency = 30,
                                   .device_gflops = 3.62,
                                   .server_gflops = INFINITY,
                                   .bits = 8};

static const eex_option options[] = {
    EEX_TEXT("bandwidths", "FROM:TO", bandwidths, "Mbit/s (0.1:100, at the paper's points)"),
    EEX_TEXT("trace", "FILE.csv", trace, "bandwidths as measured: lines of seconds,Mbit/s"),
    EEX_REAL("latency", "MS", 1e-6, 1e9, latency, "the most on average (30)"),
    EEX_REAL("device-gflops", "N", 1e-6, 1e9, device_gflops, "the device's speed (3.62)"),
    EEX_TEXT("device-speed", "HOW", device_speed,
             "stated (so unless given), or measured: what each part takes on this machine"),
    EEX_TEXT("latency-table", "FILE", table,
             "measured times from a file of `eex profile --table` as far as it has them"),
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
    EEX_NUMBER("jpeg-quality", "N", 1, 100, quality,
               "... of as many as the validation images have on average at this quality"),
    EEX_IMAGES_OF(data),
    EEX_TEXT("filtered", "MODEL.h5", filtered,
             "compare with this network without some filters (eex prune --filters)"),
    EEX_FLAG("no-predictor", no_predictor, "do without the predictor that is there"),
    EEX_OUT("FILE", out, "keep the regressors in FILE.h5, or draw the ways into FILE.svg or .png"),
    EEX_FLAG("force", force, "replace that file"),
    EEX_JSON(json),
    EEX_DEVICE_OPTIONS(device),
    {0},
};

static int convention_of(eex_convention *out, const arguments *a)
{
    *out = EEX_PTFLOPS;
    const int code = a->convention ? eex_convention_parse(out, a->convention) : EEX_OK;
    return code < 0 ? eex_fail_in(code, "--convention") : EEX_OK;
}

/* ---- bandwidths ---- */

static int range_of(eex_moments *out, const char *text)
{
    char first[64];
    double from, to;
    const char *colon = strchr(text, ':');
    const size_t length = colon ? (size_t)(colon - text) : sizeof first;
    if (length >= sizeof first)
        return eex_fail(EEX_EINVAL,
                        "--bandwidths: FROM:TO in Mbit/s expected, such as 0.1:100, got \"%.80s\"",
                        text);
    memcpy(first, text, length);
    first[length] = 0;
    EEX_TRY(
        eex_text_parse_double(&from, first, EEX_LEAST_MBIT, EEX_MOST_MBIT, "--bandwidths, FROM"));
    EEX_TRY(
        eex_text_parse_double(&to, colon + 1, EEX_LEAST_MBIT, EEX_MOST_MBIT, "--bandwidths, TO"));
    const int code = eex_moments_range(out, from, to);
    return code < 0 ? eex_fail_in(code, "--bandwidths") : EEX_OK;
}

static int moments_of(eex_moments *out, const arguments *a)
{
    return a->trace        ? eex_moments_trace(out, a->trace)
           : a->bandwidths ? range_of(out, a->bandwidths)
                           : eex_moments_range(out, 0, 0);
}

/* ---- checks ---- */

static int measures(bool *out, const arguments *a)
{
    const bool measured = a->device_speed && strcmp(a->device_speed, "measured") == 0;
    *out = measured;
    if (a->device_speed && !measured && strcmp(a->device_speed, "stated") != 0)
        return eex_fail(EEX_EINVAL, "--device-speed: stated or measured expected, got \"%.80s\"",
                        a->device_speed);
    if (measured && a->device_gflops != defaults.device_gflops)
        return eex_fail(EEX_EINVAL,
                        "--device-gflops: states what --device-speed measured measures: "
                        "one of them");
    if (a->table && !measured)
        return eex_fail(EEX_EINVAL, "--latency-table: goes with --device-speed measured");
    return EEX_OK;
}

static bool ends_in(const char *path, const char *ending)
{
    const size_t length = path ? strlen(path) : 0, tail = strlen(ending);
    return length > tail && strcmp(path + length - tail, ending) == 0;
}

static bool is_picture(const char *path)
{
    return ends_in(path, ".svg") || ends_in(path, ".png");
}

/* What is written goes by the name, so one that says something else is a mistake. */
static int check_out(const arguments *a)
{
    if (is_picture(a->out)) {
        EEX_TRY(eex_check_out(a->out, a->force, NULL, NULL));
        return eex_plot_check(a->out);
    }
    EEX_TRY(eex_check_out(a->out, a->force, "adaptation", "adaptation"));
    if (a->out && !ends_in(a->out, ".h5"))
        return eex_fail(EEX_EINVAL,
                        "%s: expected a name that ends in .h5, for the regressors, or in .svg or "
                        ".png, for a picture of the ways",
                        a->out);
    return EEX_OK;
}

static int check(void *given, const eex_words *words)
{
    const arguments *a = given;
    eex_convention convention;
    eex_moments moments;
    bool measured;
    if (a->bandwidths && a->trace)
        return eex_fail(EEX_EINVAL, "--bandwidths and --trace: one of them says which there are");
    if (a->bandwidths)
        EEX_TRY(range_of(&moments, a->bandwidths));
    EEX_TRY(convention_of(&convention, a));
    EEX_TRY(eex__bits_check(a->bits));
    EEX_TRY(measures(&measured, a));
    if (a->jpeg && a->quality)
        return eex_fail(EEX_EINVAL, "--jpeg-bytes and --jpeg-quality: one of them says how large");
    if (a->data && !a->quality)
        return eex_fail(EEX_EINVAL, "--data: the images of --jpeg-quality, which is not given");
    EEX_TRY(eex_model_find(words->at[0]));
    return check_out(a);
}

/* ---- the command ---- */

typedef struct work {
    const arguments *a;
    eex_device *device;
    eex_model *model;
    eex_moments moments;
    eex_dataset *data; /* NULL: no images are looked at */
    eex_adaptation_made *made;
} work;

static int wish_of(eex_adapting *out, const arguments *a)
{
    *out = (eex_adapting){.latency = a->latency,
                          .line = {.device = 1e9 * a->device_gflops,
                                   .server = 1e9 * a->server_gflops,
                                   .round_trip_ms = a->round_trip},
                          .cut = (int)a->cut - 1,
                          .bits = eex__bits_of(a->bits),
                          .jpeg = (double)a->jpeg,
                          .quality = (int)a->quality,
                          .table = a->table,
                          .filtered = a->filtered,
                          .no_predictor = a->no_predictor};
    EEX_TRY(measures(&out->measured, a));
    return convention_of(&out->convention, a);
}

static int measure_jpeg(double *out, work *w)
{
    eex_index images = {NULL, 0};
    EEX_TRY(eex_model_data_own(&w->data, w->model, w->a->data));
    EEX_TRY(eex_model_data_part(&images, w->model, w->data, "validation"));
    const int code = eex_jpeg_bytes(out, w->data, images.at, images.count, (int)w->a->quality);
    free(images.at);
    return code;
}

static int save(const work *w)
{
    const char *out = w->a->out;
    if (!out)
        return EEX_OK;
    return is_picture(out) ? eex_plot_adapted(out, eex_adapting_figures(w->made))
                           : eex_store_write_file(out, "adaptation", EEX_ADAPTATION_VERSION,
                                                  eex_adapting_fill, w->made);
}

static int adapt(work *w, const char *path)
{
    const arguments *a = w->a;
    eex_adapting wish;
    EEX_TRY(wish_of(&wish, a));
    EEX_TRY(moments_of(&w->moments, a));
    EEX_TRY(eex_open_device(&w->device, &a->device));
    EEX_TRY(eex_model_open(&w->model, path, EEX_MODEL_BEST, w->device));
    if (a->quality)
        EEX_TRY(measure_jpeg(&wish.jpeg, w));
    EEX_TRY(eex_adapting_run(&w->made, w->model, &w->moments, &wish));
    EEX_TRY(save(w));
    return eex_print_adapt(eex_adapting_figures(w->made), w->model->path, a->out, a->json);
}

static int run(const void *given, const eex_words *words)
{
    work w = {.a = given};
    const int code = adapt(&w, words->at[0]);
    eex_adapting_free(w.made);
    eex_dataset_close(w.data);
    eex_model_close(w.model);
    eex_device_close(w.device);
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
    "With --device-speed measured each part takes what it takes here, an input at a time, and the\n"
    "speed that is printed is that of the network without gates.\n\n"
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
