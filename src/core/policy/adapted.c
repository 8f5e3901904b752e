#include "core/policy/adapted.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS = 6, MOST = 1 << 16 };

static const char WAYS[] = "ways";

void eex_adapted_free(eex_adapted *a)
{
    free(a->bits_per_s);
    free(a->rows);
    *a = (eex_adapted){.count = 0};
}

void eex_adapted_mean(eex_way_mean *out, const eex_adapted *a)
{
    eex_ways_mean(out, a->rows, a->count);
}

/* ---- attributes of the root ---- */

typedef struct number {
    const char *name;
    double *at;
} number;

typedef struct text {
    const char *name;
    char *at;
} text;

enum { NUMBERS = 10, TEXTS = 3 };

/* payload_bytes and the like are there for whoever reads the regressors; what is new is in /ways.
 */
static void numbers_of(number out[NUMBERS], eex_adapted *a)
{
    const number all[NUMBERS] = {{"device_flops", &a->line.device},
                                 {"server_flops", &a->line.server},
                                 {"round_trip_ms", &a->line.round_trip_ms},
                                 {"payload_bytes", &a->bytes},
                                 {"latency_ms", &a->latency},
                                 {"image_bytes", &a->image},
                                 {"jpeg_bytes", &a->jpeg},
                                 {"counted", &a->counted},
                                 {"slowest_ms", &a->slowest},
                                 {NULL, NULL}};
    memcpy(out, all, sizeof all);
}

enum { OF_ROOT = 4 };

static const char *group_of(int i)
{
    return i < OF_ROOT ? "" : WAYS;
}

static void texts_of(text out[TEXTS], eex_adapted *a)
{
    const text all[TEXTS] = {{"node", a->node}, {"split", a->split}, {NULL, NULL}};
    memcpy(out, all, sizeof all);
}

static void settled_of(double out[MEMBERS], const eex_settled *s)
{
    const double all[MEMBERS] = {s->accuracy, s->ms, s->within, s->sent, s->bytes, s->kept};
    memcpy(out, all, sizeof all);
}

/* ---- writing ---- */

static int save_attributes(eex_adapted a, eex_store_file *file)
{
    number numbers[NUMBERS];
    text texts[TEXTS];
    numbers_of(numbers, &a);
    texts_of(texts, &a);
    EEX_TRY(eex_store_set_string(file, "", "convention", a.convention));
    EEX_TRY(eex_store_set_int(file, "", "cut", a.cut));
    EEX_TRY(eex_store_set_int(file, "", "bits", a.bits));
    EEX_TRY(eex_store_set_int(file, "", "predictor", a.predictor));
    for (int i = 0; numbers[i].name; i++)
        EEX_TRY(eex_store_set_double(file, group_of(i), numbers[i].name, *numbers[i].at));
    for (int i = 0; texts[i].name; i++)
        EEX_TRY(eex_store_set_string(file, WAYS, texts[i].name, texts[i].at));
    EEX_TRY(eex_store_set_int(file, WAYS, "images", a.images));
    EEX_TRY(eex_store_set_int(file, WAYS, "jpeg_quality", a.quality));
    EEX_TRY(eex_store_set_int(file, WAYS, "measured", a.measured));
    EEX_TRY(eex_store_set_int(file, WAYS, "played", a.played));
    return eex_store_set_string(file, WAYS, "columns",
                                "accuracy, latency (ms), within, sent, bytes, kept");
}

static int save_way(const eex_adapted *a, eex_store_file *file, int way)
{
    const eex_store_shape shape = {2, {(uint64_t)a->count, MEMBERS}};
    char path[64];
    double *rows = malloc((size_t)a->count * MEMBERS * sizeof *rows);
    if (!rows)
        return eex_fail(EEX_ENOMEM, "adapting: out of memory for a file");
    for (int i = 0; i < a->count; i++)
        settled_of(rows + (size_t)i * MEMBERS, &a->rows[i * EEX_WAYS + way]);
    snprintf(path, sizeof path, "%s/%s", WAYS, eex_way_name((eex_way)way));
    const int code = eex_store_write(file, path, EEX_STORE_F64, &shape, rows);
    free(rows);
    return code;
}

int eex_adapted_save(const eex_adapted *a, eex_store_file *file)
{
    const eex_store_shape shape = {1, {(uint64_t)a->count}};
    EEX_TRY(eex_store_make_group(file, WAYS));
    EEX_TRY(save_attributes(*a, file));
    EEX_TRY(eex_store_write(file, "ways/bandwidth", EEX_STORE_F64, &shape, a->bits_per_s));
    for (int way = 0; way < EEX_WAYS; way++)
        if (a->have[way])
            EEX_TRY(save_way(a, file, way));
    return EEX_OK;
}

/* ---- reading ---- */

static int load_text(char *out, eex_store_file *file, const char *group, const char *name)
{
    char *value = NULL;
    EEX_TRY(eex_store_get_string(&value, file, group, name));
    snprintf(out, EEX_ADAPTED_NAME, "%s", value);
    free(value);
    return EEX_OK;
}

static int load_int(int *out, eex_store_file *file, const char *group, const char *name, int most)
{
    int64_t value = 0;
    EEX_TRY(eex_store_get_int(&value, file, group, name));
    if (value < 0 || value > most)
        return eex_store_refuse(file, "%s is %lld, 0 to %d expected", name, (long long)value, most);
    *out = (int)value;
    return EEX_OK;
}

static int load_flags(eex_adapted *a, eex_store_file *file)
{
    int predictor, measured, played;
    EEX_TRY(load_int(&predictor, file, "", "predictor", 1));
    EEX_TRY(load_int(&measured, file, WAYS, "measured", 1));
    EEX_TRY(load_int(&played, file, WAYS, "played", 1));
    a->predictor = predictor;
    a->measured = measured;
    a->played = played;
    return EEX_OK;
}

static int load_attributes(eex_adapted *a, eex_store_file *file)
{
    number numbers[NUMBERS];
    text texts[TEXTS];
    numbers_of(numbers, a);
    texts_of(texts, a);
    EEX_TRY(load_text(a->convention, file, "", "convention"));
    EEX_TRY(load_int(&a->cut, file, "", "cut", EEX_MAX_EXITS));
    EEX_TRY(load_int(&a->bits, file, "", "bits", 32));
    for (int i = 0; numbers[i].name; i++)
        EEX_TRY(eex_store_get_double(numbers[i].at, file, group_of(i), numbers[i].name));
    for (int i = 0; texts[i].name; i++)
        EEX_TRY(load_text(texts[i].at, file, WAYS, texts[i].name));
    EEX_TRY(load_int(&a->images, file, WAYS, "images", INT32_MAX));
    EEX_TRY(load_int(&a->quality, file, WAYS, "jpeg_quality", 100));
    return load_flags(a, file);
}

static int load_bandwidths(eex_adapted *a, eex_store_file *file)
{
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    EEX_TRY(eex_store_read_new((void **)&a->bits_per_s, file, "ways/bandwidth", EEX_STORE_F64,
                               &shape, MOST * sizeof(double)));
    if (shape.extent[0] < 1 || shape.extent[0] > MOST)
        return eex_store_refuse(file, "figures of %llu bandwidths",
                                (unsigned long long)shape.extent[0]);
    a->count = (int)shape.extent[0];
    a->rows = calloc((size_t)a->count * EEX_WAYS, sizeof *a->rows);
    return a->rows ? EEX_OK
                   : eex_fail(EEX_ENOMEM, "out of memory for figures of %d bandwidths", a->count);
}

static int load_way(eex_adapted *a, eex_store_file *file, int way)
{
    const eex_store_shape shape = {2, {(uint64_t)a->count, MEMBERS}};
    char path[64];
    snprintf(path, sizeof path, "%s/%s", WAYS, eex_way_name((eex_way)way));
    a->have[way] = eex_store_has(file, path);
    if (!a->have[way])
        return EEX_OK;
    double *rows = malloc((size_t)a->count * MEMBERS * sizeof *rows);
    if (!rows)
        return eex_fail(EEX_ENOMEM, "out of memory for figures");
    const int code = eex_store_read(rows, file, path, EEX_STORE_F64, &shape);
    for (int i = 0; i < a->count && code == EEX_OK; i++) {
        const double *r = rows + (size_t)i * MEMBERS;
        a->rows[i * EEX_WAYS + way] = (eex_settled){r[0], r[1], r[2], r[3], r[4], r[5] != 0};
    }
    free(rows);
    return code;
}

static int load(eex_adapted *a, eex_store_file *file)
{
    if (!eex_store_has(file, WAYS))
        return eex_fail(EEX_ENOTFOUND, "%s has no figures of ways", eex_store_path(file));
    EEX_TRY(load_attributes(a, file));
    EEX_TRY(load_bandwidths(a, file));
    for (int way = 0; way < EEX_WAYS; way++)
        EEX_TRY(load_way(a, file, way));
    return EEX_OK;
}

int eex_adapted_load(eex_adapted *out, eex_store_file *file)
{
    *out = (eex_adapted){.count = 0};
    const int code = load(out, file);
    if (code < 0)
        eex_adapted_free(out);
    return code;
}
