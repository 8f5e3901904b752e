#include "net/offload.h"

#include "core/model/model_print.h"

#include "base/clock.h"
#include "base/names.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

EEX_NAMES(eex_answerer, eex_answerer, EEX_ANSWERERS, [EEX_BY_DEVICE] = "device",
          [EEX_BY_SERVER] = "server", [EEX_BY_FALLBACK] = "fallback");

struct eex_offload {
    eex_engine *engine; /* of the front */
    eex_onset *front;
    eex_remote *remote;
    eex_follow *follow; /* NULL: thresholds stay as they are */
    int batch;
    eex_result *answers; /* (batch) the server's */
    bool *answered;      /* (batch) */
    uint64_t by[EEX_ANSWERERS];
};

/* A predictor is only asked where somebody decides. It goes into the policy's fingerprint whole,
 * and begins the hello's word for it. */
static int add_predictor(eex_hello *out, const eex_model *model)
{
    uint8_t print[EEX_SHA256_BYTES];
    eex_sha256 sha;
    if (!model->policy || !model->predictor)
        return EEX_OK;
    EEX_TRY(eex_exit_predictor_print(print, model->predictor));
    eex_sha256_begin(&sha);
    eex_sha256_update(&sha, out->policy, sizeof out->policy);
    eex_sha256_update(&sha, print, sizeof print);
    eex_sha256_end(&sha, out->policy);
    memcpy(out->predictor, print, sizeof out->predictor);
    if (memcmp(out->predictor, (uint8_t[EEX_WIRE_PREDICTOR]){0}, sizeof out->predictor) == 0)
        out->predictor[0] = 1; /* never as none */
    return EEX_OK;
}

int eex_offload_hello(eex_hello *out, const eex_model *model, const eex_payload *payload)
{
    EEX_NEED(out, "place for the hello");
    EEX_NEED(model, "model");
    EEX_NEED(payload, "payload");
    if (payload->bytes > EEX_WIRE_ROW_MOST)
        return eex_fail(EEX_EUNSUPPORTED,
                        "%s: %zu bytes a sample pass exit %d, more than the %d "
                        "that can be sent",
                        model->path, payload->bytes, payload->exit + 1, EEX_WIRE_ROW_MOST);
    *out = (eex_hello){.version = EEX_WIRE_VERSION,
                       .exit = (uint16_t)payload->exit,
                       .bits = (uint8_t)payload->bits,
                       .row_bytes = payload->bytes};
    eex_policy_print(out->policy, model->policy, model->familiar, payload->exit);
    EEX_TRY(add_predictor(out, model));
    return eex_model_print(out->model, model);
}

static int open_offload(eex_offload *o, const eex_model *model, eex_engine *engine, int exit,
                        int bits, const eex_remote_options *remote)
{
    eex_remote_options how = *remote;
    const size_t batch = (size_t)o->batch;
    o->answers = calloc(batch, sizeof *o->answers);
    o->answered = calloc(batch, sizeof *o->answered);
    if (!o->answers || !o->answered)
        return eex_fail(EEX_ENOMEM, "out of memory for the answers about %zu images", batch);
    EEX_TRY(eex_onset_new(&o->front, engine, exit, bits));
    EEX_TRY(eex_offload_hello(&how.hello, model, eex_onset_payload(o->front)));
    how.exits = eex_graph_exits(model->graph);
    how.classes = eex_graph_classes(model->graph);
    return eex_remote_open(&o->remote, &how);
}

int eex_offload_open(eex_offload **out, const eex_model *model, eex_engine *engine, int batch,
                     int exit, int bits, const eex_remote_options *remote)
{
    EEX_NEED(out, "place for it");
    *out = NULL;
    EEX_NEED(model, "model");
    EEX_NEED(engine, "engine");
    EEX_NEED(remote, "server");
    if (batch < 1 || batch > EEX_ENGINE_MAX_BATCH)
        return eex_fail(EEX_EINVAL, "batches of %d images, expected 1 to %d", batch,
                        EEX_ENGINE_MAX_BATCH);
    eex_offload *o = calloc(1, sizeof *o);
    if (!o)
        return eex_fail(EEX_ENOMEM, "out of memory for a device's part");
    o->batch = batch;
    o->engine = engine;
    const int code = open_offload(o, model, engine, exit, bits, remote);
    if (code < 0) {
        eex_offload_close(o);
        return code;
    }
    *out = o;
    return EEX_OK;
}

void eex_offload_close(eex_offload *o)
{
    if (!o)
        return;
    eex_onset_free(o->front);
    eex_remote_close(o->remote);
    eex_follow_free(o->follow);
    free(o->answers);
    free(o->answered);
    free(o);
}

/* The server's answers take the places of what the last exit here thought. */
static void merge(eex_offload *o, eex_result *results, eex_answerer *by, int stay)
{
    const int32_t *index = eex_onset_index(o->front);
    for (int i = 0; i < stay; i++) {
        const eex_answerer who = o->answered[i] ? EEX_BY_SERVER : EEX_BY_FALLBACK;
        if (o->answered[i])
            results[index[i]] = o->answers[i];
        if (by)
            by[index[i]] = who;
        o->by[who]++;
    }
}

static int check_settings(const eex_offload *o, const eex_adaptation *a)
{
    const eex_payload *p = eex_onset_payload(o->front);
    if (a->cut == p->exit && a->bits == p->bits)
        return EEX_OK;
    return eex_fail(
        EEX_EINVAL,
        "settings for a cut behind exit %d and codes of %d bits, here it is exit %d and "
        "%d (0: float32)",
        a->cut + 1, a->bits, p->exit + 1, p->bits);
}

int eex_offload_follow(eex_offload *o, eex_adaptation *settings, eex_bandwidths trace)
{
    int code = o && settings ? check_settings(o, settings)
                             : eex_fail(EEX_EINVAL, "no device's part, or no settings for it");
    if (code < 0) {
        eex_adaptation_close(settings);
        eex_bandwidths_free(&trace);
        return code;
    }
    eex_follow_free(o->follow);
    return eex_follow_new(&o->follow, settings, trace, o->engine);
}

int eex_offload_warm_up(eex_offload *o, eex_result *results, const uint8_t *images, int count)
{
    int stay;
    EEX_NEED(o, "device's part");
    return eex_onset_run(o->front, results, images, count, &stay);
}

static int run(eex_offload *o, eex_result *results, eex_answerer *by, const uint8_t *images,
               int count, int *stay)
{
    EEX_TRY(eex_onset_run(o->front, results, images, count, stay));
    for (int i = 0; i < count && by; i++)
        by[i] = EEX_BY_DEVICE;
    o->by[EEX_BY_DEVICE] += (uint64_t)(count - *stay);
    if (*stay > 0)
        EEX_TRY(
            eex_remote_ask(o->remote, o->answers, o->answered, eex_onset_rows(o->front), *stay));
    merge(o, results, by, *stay);
    return EEX_OK;
}

static int run_following(eex_offload *o, eex_result *results, eex_answerer *by,
                         const uint8_t *images, int count)
{
    eex_remote_figures before, behind;
    int stay;
    eex_remote_look(&before, o->remote);
    const double began = eex_clock_seconds();
    EEX_TRY(eex_follow_begin(o->follow));
    EEX_TRY(run(o, results, by, images, count, &stay));
    const double seconds = eex_clock_seconds() - began;
    eex_remote_look(&behind, o->remote);
    eex_follow_end(o->follow, count, stay, seconds, &before, &behind);
    return EEX_OK;
}

int eex_offload_run(eex_offload *o, eex_result *results, eex_answerer *by, const uint8_t *images,
                    int count)
{
    int stay;
    EEX_NEED(o, "device's part");
    EEX_NEED(results, "place for the results");
    EEX_NEED(images, "images");
    if (count < 1 || count > o->batch)
        return eex_fail(EEX_EINVAL, "device's part: %d images, expected 1 to %d", count, o->batch);
    return o->follow ? run_following(o, results, by, images, count)
                     : run(o, results, by, images, count, &stay);
}

void eex_offload_look(eex_offload_figures *out, const eex_offload *o)
{
    memcpy(out->by, o->by, sizeof out->by);
    eex_remote_look(&out->remote, o->remote);
    out->follows = o->follow != NULL;
    if (o->follow)
        eex_follow_look(&out->follow, o->follow);
}
