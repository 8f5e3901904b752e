#include "core/engine/latency_table.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_VERSION = 1 };

int eex_latency_table_new(eex_latency_table **out, const eex_device *device)
{
    eex_latency_table *t = calloc(1, sizeof *t);
    *out = t;
    if (!t)
        return eex_fail(EEX_ENOMEM, "out of memory for a latency table");
    memcpy(t->device, device->name, sizeof t->device);
    t->device[sizeof t->device - 1] = '\0';
    return EEX_OK;
}

void eex_latency_table_free(eex_latency_table *t)
{
    if (t)
        free(t->at);
    free(t);
}

int eex_latency_table_is_of(const eex_latency_table *t, const eex_device *device)
{
    if (strcmp(t->device, device->name) == 0)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "the latency table is of \"%s\", this device is \"%s\"", t->device,
                    device->name);
}

/* ---- entries ---- */

/* The first entry that is not before the key. */
static size_t place_of(const eex_latency_table *t, const char *key)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(t->at[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool eex__latency_has(const eex_latency_table *t, const char *key)
{
    size_t i = place_of(t, key);
    return i < t->count && strcmp(t->at[i].key, key) == 0;
}

int eex__latency_places(const eex_latency_table *t, const char *key)
{
    return eex__latency_has(t, key) ? t->at[place_of(t, key)].places : 0;
}

static int grow(eex_latency_table *t)
{
    size_t larger = t->capacity ? 2 * t->capacity : 64;
    if (t->count < t->capacity)
        return EEX_OK;
    eex_latency_entry *moved =
        t->count < EEX_LATENCY_MAX ? realloc(t->at, larger * sizeof *moved) : NULL;
    if (!moved)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu latencies", larger);
    t->at = moved;
    t->capacity = larger;
    return EEX_OK;
}

int eex__latency_put(eex_latency_table *t, const char *key, double ms, int places)
{
    size_t i = place_of(t, key);
    if (!eex__latency_has(t, key)) {
        EEX_TRY(grow(t));
        memmove(&t->at[i + 1], &t->at[i], (t->count - i) * sizeof *t->at);
        t->count++;
        snprintf(t->at[i].key, sizeof t->at[i].key, "%s", key);
    }
    t->at[i].ms = ms;
    t->at[i].places = places;
    return EEX_OK;
}

int eex_latency_find(double *ms, const eex_latency_table *t, const char *key)
{
    if (!eex__latency_has(t, key))
        return eex_fail(EEX_ENOTFOUND,
                        "the latency table of \"%s\" has no \"%s\": `eex profile --table "
                        "EXPERIMENT.lua -o TABLE.h5` measures what is missing",
                        t->device, key);
    *ms = t->at[place_of(t, key)].ms;
    return EEX_OK;
}

/* ---- keys ---- */

static int key_of_window(char out[EEX_LATENCY_KEY], const char *what, const eex_window *w)
{
    return snprintf(out, EEX_LATENCY_KEY, "%s %dx%dx%d to %dx%dx%d k%d s%d p%d g%d", what, w->cin,
                    w->hin, w->win, w->cout, w->hout, w->wout, w->kernel, w->stride, w->pad,
                    w->groups);
}

static void fused(char out[EEX_LATENCY_KEY], int length, bool bias, bool residual, eex_act act)
{
    snprintf(out + length, (size_t)(EEX_LATENCY_KEY - length), "%s%s%s%s", bias ? " bias" : "",
             residual ? " residual" : "", act == EEX_ACT_NONE ? "" : " ",
             act == EEX_ACT_NONE ? "" : eex_act_name(act));
}

static void key_of_head(char out[EEX_LATENCY_KEY], const eex_op_head *head)
{
    if (head->x)
        snprintf(out, EEX_LATENCY_KEY, "head %d pixels %d features %d classes", head->hw,
                 head->features, head->classes);
    else
        snprintf(out, EEX_LATENCY_KEY, "head %d classes", head->classes);
}

static int key_of_shape(char out[EEX_LATENCY_KEY], const eex_op *op)
{
    int length;
    switch (op->kind) {
    case EEX_OP_AUGMENT:
        snprintf(out, EEX_LATENCY_KEY, "normalise %dx%dx%d", op->u.augment.c, op->u.augment.h,
                 op->u.augment.w);
        return EEX_OK;
    case EEX_OP_RESIZE:
        snprintf(out, EEX_LATENCY_KEY, "resize %dx%dx%d to %dx%d", op->u.resize.c, op->u.resize.hin,
                 op->u.resize.win, op->u.resize.hout, op->u.resize.wout);
        return EEX_OK;
    case EEX_OP_CONV:
        length = key_of_window(out, "conv", &op->u.conv.window);
        fused(out, length, op->u.conv.bias, op->u.conv.residual, op->u.conv.act);
        return EEX_OK;
    case EEX_OP_BN_EVAL:
        length = snprintf(out, EEX_LATENCY_KEY, "batch_norm %d channels %d pixels", op->u.bn.c,
                          op->u.bn.hw);
        fused(out, length, false, op->u.bn.residual, op->u.bn.act);
        return EEX_OK;
    case EEX_OP_ACT:
    case EEX_OP_ADD:
        length = snprintf(out, EEX_LATENCY_KEY, "%s %d", op->kind == EEX_OP_ADD ? "add" : "act",
                          op->u.pointwise.size);
        fused(out, length, false, false, op->u.pointwise.act);
        return EEX_OK;
    case EEX_OP_SCALE:
        snprintf(out, EEX_LATENCY_KEY, "scale %d channels %d pixels", op->u.scale.c,
                 op->u.scale.hw);
        return EEX_OK;
    case EEX_OP_COLUMNS:
        snprintf(out, EEX_LATENCY_KEY, "columns %d of %d to %d pixels %d", op->u.columns.count,
                 op->u.columns.x_c, op->u.columns.y_c, op->u.columns.hw);
        return EEX_OK;
    case EEX_OP_DEPTH_TO_SPACE:
        snprintf(out, EEX_LATENCY_KEY, "depth_to_space %dx%dx%d", op->u.depth_to_space.c,
                 op->u.depth_to_space.h, op->u.depth_to_space.w);
        return EEX_OK;
    case EEX_OP_QUANTISE:
        snprintf(out, EEX_LATENCY_KEY, "quantise %d", op->u.quantise.size);
        return EEX_OK;
    case EEX_OP_MAX_POOL:
        key_of_window(out, "max_pool", &op->u.pool.window);
        return EEX_OK;
    case EEX_OP_GLOBAL_POOL:
        key_of_window(out, "global_pool", &op->u.pool.window);
        return EEX_OK;
    case EEX_OP_HEAD:
        key_of_head(out, &op->u.head);
        return EEX_OK;
    default:
        return eex_fail(EEX_EUNSUPPORTED, "\"%s\" is no operation of inference", op->name);
    }
}

/* float32 goes without saying: tables from before there was anything else stay what they are. */
int eex_latency_key(char out[EEX_LATENCY_KEY], const eex_op *op)
{
    EEX_TRY(key_of_shape(out, op));
    if (op->precision != EEX_F32) {
        const size_t length = strlen(out);
        snprintf(out + length, EEX_LATENCY_KEY - length, " %s", eex_precision_name(op->precision));
    }
    return EEX_OK;
}

void eex__latency_extra_keys(char out[EEX__LATENCY_EXTRAS][EEX_LATENCY_KEY], const eex_plan *plan)
{
    const eex_op_augment *in = &eex_plan_op(plan, 0)->u.augment; /* which comes first */
    snprintf(out[0], EEX_LATENCY_KEY, "input %dx%dx%d", in->c, in->h, in->w);
    snprintf(out[1], EEX_LATENCY_KEY, "leave");
    snprintf(out[2], EEX_LATENCY_KEY, "results");
}

/* ---- looking up ---- */

int eex_latency_ops(double *ms, const eex_latency_table *t, const eex_plan *plan)
{
    char key[EEX_LATENCY_KEY];
    for (int i = 0; i < eex_plan_ops(plan); i++) {
        EEX_TRY(eex_latency_key(key, eex_plan_op(plan, i)));
        EEX_TRY(eex_latency_find(&ms[i], t, key));
    }
    return EEX_OK;
}

int eex_latency_extra(eex_latency_extras *out, const eex_latency_table *t, const eex_plan *plan)
{
    char key[EEX__LATENCY_EXTRAS][EEX_LATENCY_KEY];
    eex__latency_extra_keys(key, plan);
    EEX_TRY(eex_latency_find(&out->input, t, key[0]));
    EEX_TRY(eex_latency_find(&out->leave, t, key[1]));
    return eex_latency_find(&out->results, t, key[2]);
}

int eex_latency_predict(double *ms, const eex_latency_table *t, const eex_graph *graph,
                        const eex_plan *plan)
{
    const int exits = eex_graph_exits(graph);
    eex_latency_extras extra;
    double segment[EEX_MAX_EXITS] = {0}, one;
    char key[EEX_LATENCY_KEY];
    EEX_TRY(eex_latency_extra(&extra, t, plan));
    for (int i = 0; i < eex_plan_ops(plan); i++) {
        EEX_TRY(eex_latency_key(key, eex_plan_op(plan, i)));
        EEX_TRY(eex_latency_find(&one, t, key));
        segment[eex_plan_op_segment(plan, i)] += one;
    }
    double passed = extra.input + extra.results;
    for (int k = 0; k < exits; k++) {
        passed += segment[k] + extra.leave;
        ms[k] = passed;
    }
    return EEX_OK;
}

/* ---- files ---- */

int eex_latency_table_save(const eex_latency_table *t, eex_store_file *file)
{
    const eex_store_shape shape = {1, {t->count}};
    const char **keys = calloc(t->count + 1, sizeof *keys);
    double *ms = calloc(t->count + 1, sizeof *ms);
    int32_t *places = calloc(t->count + 1, sizeof *places);
    int code = keys && ms && places
                   ? EEX_OK
                   : eex_fail(EEX_ENOMEM, "out of memory for %zu latencies", t->count);
    for (size_t i = 0; i < t->count && code == EEX_OK; i++) {
        keys[i] = t->at[i].key;
        ms[i] = t->at[i].ms;
        places[i] = t->at[i].places;
    }
    if (code == EEX_OK)
        code = eex_store_write_strings(file, "op", keys, t->count);
    if (code == EEX_OK)
        code = eex_store_write(file, "ms", EEX_STORE_F64, &shape, ms);
    if (code == EEX_OK)
        code = eex_store_set_string(file, "ms", "unit", "milliseconds of one input");
    if (code == EEX_OK)
        code = eex_store_write(file, "places", EEX_STORE_I32, &shape, places);
    if (code == EEX_OK)
        code = eex_store_set_string(file, "", "device", t->device);
    if (code == EEX_OK)
        code = eex_store_set_int(file, "", "batch", 1);
    free(keys);
    free(ms);
    free(places);
    return code;
}

static int put_all(eex_latency_table *t, eex_store_file *file, const eex_store_list *keys,
                   const double *ms, const int32_t *places)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (!isfinite(ms[i]) || ms[i] < 0 || !*keys->item[i] ||
            strlen(keys->item[i]) >= EEX_LATENCY_KEY)
            return eex_store_refuse(file, "\"%.40s\" takes %g ms", keys->item[i], ms[i]);
        EEX_TRY(eex__latency_put(t, keys->item[i], ms[i], (int)places[i]));
    }
    return EEX_OK;
}

static int read_entries(eex_latency_table *t, eex_store_file *file)
{
    eex_store_list keys = {0};
    void *ms = NULL, *places = NULL;
    EEX_TRY(eex_store_read_strings(&keys, file, "op", (size_t)EEX_LATENCY_MAX * EEX_LATENCY_KEY));
    eex_store_shape shape = {1, {keys.count}};
    int code = eex_store_read_new(&ms, file, "ms", EEX_STORE_F64, &shape,
                                  EEX_LATENCY_MAX * sizeof(double));
    if (code == EEX_OK)
        code = eex_store_read_new(&places, file, "places", EEX_STORE_I32, &shape,
                                  EEX_LATENCY_MAX * sizeof(int32_t));
    if (code == EEX_OK)
        code = put_all(t, file, &keys, ms, places);
    free(ms);
    free(places);
    eex_store_list_free(&keys);
    return code;
}

static int read_table(eex_latency_table *t, eex_store_file *file)
{
    char *device = NULL;
    int64_t batch = 0;
    EEX_TRY(eex_store_get_string(&device, file, "", "device"));
    snprintf(t->device, sizeof t->device, "%s", device);
    free(device);
    EEX_TRY(eex_store_get_int(&batch, file, "", "batch"));
    if (batch != 1)
        return eex_store_refuse(file, "latencies of batches of %lld, expected 1", (long long)batch);
    return read_entries(t, file);
}

int eex_latency_table_load(eex_latency_table **out, const char *path)
{
    eex_store_file *file = NULL;
    *out = NULL;
    EEX_TRY(eex_store_open(&file, path, "latency-table", TABLE_VERSION));
    eex_latency_table *t = calloc(1, sizeof *t);
    int code = t ? read_table(t, file) : eex_fail(EEX_ENOMEM, "out of memory for a latency table");
    eex_store_close(file);
    if (code < 0)
        eex_latency_table_free(t);
    else
        *out = t;
    return code;
}
