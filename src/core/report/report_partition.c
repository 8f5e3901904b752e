#include "core/report/report_partition.h"

#include "core/run/phase.h"

#include "base/fs.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 1 };

/* ---- reading ---- */

static int use_adapted(eex_store_file *file, void *context)
{
    eex_report_partition *p = context;
    EEX_TRY(eex_adapted_load(&p->adapted, file));
    EEX_TRY(eex_unmet_load(&p->unmet, file));
    const int lost = eex_store_has_attribute(file, "", EEX_RUN_NO_FILTERS);
    return lost > 0 ? eex_store_get_string(&p->no_filters, file, "", EEX_RUN_NO_FILTERS) : lost;
}

static int read_both(eex_report_partition *p, const char *folder, const char *adaptation)
{
    char *bottleneck = NULL;
    EEX_TRY(eex_path_join(&bottleneck, folder, EEX_RUN_BOTTLENECK));
    p->has_bottleneck = eex_fs_exists(bottleneck);
    int code = p->has_bottleneck ? eex_bottleneck_read(&p->bottleneck, bottleneck) : EEX_OK;
    free(bottleneck);
    EEX_TRY(code);
    return eex_store_read_file(adaptation, "adaptation", VERSION, use_adapted, p);
}

int eex_report_partition_load(eex_report_partition **out, const char *folder)
{
    char *path = NULL;
    *out = NULL;
    EEX_TRY(eex_path_join(&path, folder, EEX_RUN_ADAPTATION));
    int code = EEX_OK;
    if (eex_fs_exists(path)) {
        *out = calloc(1, sizeof **out);
        code = *out ? read_both(*out, folder, path)
                    : eex_fail(EEX_ENOMEM, "out of memory for a report");
    }
    if (code < 0) {
        eex_report_partition_free(*out);
        *out = NULL;
    }
    free(path);
    return code;
}

void eex_report_partition_free(eex_report_partition *p)
{
    if (!p)
        return;
    eex_adapted_free(&p->adapted);
    free(p->no_filters);
    free(p);
}

/* *out: DIR/NAME, or NULL where there is none. */
static int find_in(char **out, const char *folder, const char *name)
{
    EEX_TRY(eex_path_join(out, folder, name));
    if (!eex_fs_exists(*out)) {
        free(*out);
        *out = NULL;
    }
    return EEX_OK;
}

int eex_report_partition_settings(char **out, const char *path)
{
    char *folder = NULL, *bottleneck = NULL;
    const bool run = eex_fs_is_folder(path);
    const char *base = run ? EEX_RUN_FINAL : eex_path_base(path);
    const bool whole = strcmp(base, EEX_RUN_FINAL) == 0;
    *out = NULL;
    if (!whole && strcmp(base, EEX_RUN_BOTTLENECK) != 0)
        return EEX_OK;
    int code = run ? eex_path_join(&folder, path, "") : eex_path_folder(&folder, path);
    if (code == EEX_OK)
        code = find_in(&bottleneck, folder, EEX_RUN_BOTTLENECK);
    if (code == EEX_OK && !(whole && bottleneck))
        code = find_in(out, folder, EEX_RUN_ADAPTATION);
    free(bottleneck);
    free(folder);
    return code;
}

/* ---- JSON ---- */

void eex_report_bottled_json(eex_json *j, const eex_bottled *b)
{
    eex_json_string(j, "node", b->value);
    eex_json_int(j, "bits", b->bits);
    eex_json_int(j, "values", b->values);
    eex_json_int(j, "values_before", b->values_before);
    eex_json_int(j, "bytes", b->bytes);
    eex_json_int(j, "bytes_before", b->bytes_before);
    eex_json_double(j, "range", b->range);
    eex_json_double(j, "end_accuracy", b->end);
    eex_json_double(j, "end_accuracy_before", b->end_before);
    eex_json_double(j, "accuracy", b->accuracy);
    eex_json_double(j, "accuracy_before", b->accuracy_before);
}

/* A way's figures, at a bandwidth or over all of them. */
static void put_way(eex_json *j, eex_way way, const eex_way_mean *m, const bool *kept)
{
    eex_json_object(j, eex_way_name(way));
    eex_json_double(j, "latency_ms", m->ms);
    if (kept)
        eex_json_bool(j, "kept", *kept);
    else
        eex_json_double(j, "kept", m->kept);
    eex_json_double(j, "within", m->within);
    eex_json_double(j, "accuracy", m->accuracy);
    eex_json_double(j, "sent", m->sent);
    eex_json_double(j, "bytes", m->bytes);
    eex_json_end(j);
}

static void put_conditions(eex_json *j, const eex_adapted *a)
{
    eex_json_string(j, "split", a->split);
    eex_json_int(j, "images", a->images);
    eex_json_double(j, "latency_ms", a->latency);
    eex_json_string(j, "convention", a->convention);
    eex_json_double(j, "device_flops", a->line.device);
    eex_json_bool(j, "device_measured", a->measured);
    eex_json_double(j, "server_flops", a->line.server);
    eex_json_double(j, "round_trip_ms", a->line.round_trip_ms);
    eex_json_int(j, "cut", a->cut);
    eex_json_string(j, "node", a->node);
    eex_json_int(j, "bits", a->bits);
    eex_json_double(j, "payload_bytes", a->bytes);
    eex_json_double(j, "image_bytes", a->image);
    if (a->have[EEX_WAY_JPEG])
        eex_json_double(j, "jpeg_bytes", a->jpeg);
    if (a->quality)
        eex_json_int(j, "jpeg_quality", a->quality);
    eex_json_bool(j, "predictor", a->predictor);
    eex_json_double(j, "counted", a->counted);
    eex_json_double(j, "slowest_ms", a->slowest);
}

static void put_bandwidth(eex_json *j, const eex_adapted *a, int i)
{
    eex_json_object(j, NULL);
    eex_json_double(j, "mbit", a->bits_per_s[i] / 1e6);
    for (int way = 0; way < EEX_WAYS; way++) {
        const eex_settled *s = &a->rows[i * EEX_WAYS + way];
        const eex_way_mean m = {.accuracy = s->accuracy,
                                .ms = s->ms,
                                .within = s->within,
                                .sent = s->sent,
                                .bytes = s->bytes};
        if (a->have[way])
            put_way(j, (eex_way)way, &m, &s->kept);
    }
    eex_json_end(j);
}

void eex_report_adapted_json(eex_json *j, const eex_adapted *a)
{
    eex_way_mean mean[EEX_WAYS];
    put_conditions(j, a);
    eex_json_array(j, a->played ? "moments" : "bandwidths");
    for (int i = 0; i < a->count; i++)
        put_bandwidth(j, a, i);
    eex_json_end(j);
    eex_adapted_mean(mean, a);
    eex_json_object(j, "overall");
    for (int way = 0; way < EEX_WAYS; way++)
        if (a->have[way])
            put_way(j, (eex_way)way, &mean[way], NULL);
    eex_json_end(j);
}

void eex_report_partition_json(eex_json *j, const eex_report_partition *p)
{
    eex_json_object(j, "partition");
    if (p->has_bottleneck) {
        eex_json_object(j, "bottleneck");
        eex_report_bottled_json(j, &p->bottleneck);
        eex_json_end(j);
    } else {
        eex_json_null(j, "bottleneck");
    }
    eex_report_adapted_json(j, &p->adapted);
    eex_json_end(j);
}
