/* The device's part is the engine's walk as far as the cut, with a guest that takes the rows of
 * those that would go on and lets them leave; the server's part is the walk from there. */
#include "core/engine/part.h"

#include "core/engine/engine_impl.h"
#include "core/engine/part_impl.h"
#include "core/plan/passing.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

int eex_engine_payload(eex_payload *out, const eex_engine *e, int exit, int bits)
{
    const eex_passing *values;
    EEX_NEED(out, "place for what passes");
    EEX_NEED(e, "engine");
    const int last = e->exits - 1;
    if (last == 0)
        return eex_fail(EEX_EINVAL, "cut: the network has no early exit behind which it could be "
                                    "cut between a device and a server");
    if (exit < -1 || exit >= last)
        return eex_fail(EEX_EINVAL,
                        "cut: behind exit %d, expected 1 to %d: the last one has "
                        "nothing behind it",
                        exit + 1, last);
    if (bits < 0 || bits > EEX_QUANTISE_MAX_BITS)
        return eex_fail(EEX_EINVAL, "cut: codes of %d bits, expected 1 to %d, or 0 for float32",
                        bits, EEX_QUANTISE_MAX_BITS);
    *out = (eex_payload){.exit = exit < 0 ? last - 1 : exit, .bits = bits};
    out->values = eex_plan_passing(e->walk.plan, out->exit, &values);
    EEX_TRY(out->values);
    for (int i = 0; i < out->values; i++)
        out->bytes += eex__packed_bytes(&values[i], bits);
    return EEX_OK;
}

/* Of the widest value, for a whole batch. */
static int allocate_staging(unsigned char **out, const eex_engine *e, const eex_payload *p)
{
    const eex_passing *values;
    const int count = eex_plan_passing(e->walk.plan, p->exit, &values);
    size_t widest = 1;
    EEX_TRY(count);
    for (int i = 0; i < count; i++)
        widest = values[i].row_bytes > widest ? values[i].row_bytes : widest;
    *out = calloc((size_t)e->walk.batch, widest);
    return *out ? EEX_OK
                : eex_fail(EEX_ENOMEM, "cut: out of memory for %d rows of %zu bytes", e->walk.batch,
                           widest);
}

/* ---- the device's part ---- */

struct eex_onset {
    eex_guest guest;
    eex_engine *engine;
    eex_payload payload;
    unsigned char *staging; /* (batch of the walk) rows of one value */
    uint8_t *decision;      /* (batch of the walk) */
    int32_t *input;         /* (batch of the walk) */
    int32_t *index;         /* (batch) */
    unsigned char *rows;    /* (batch, payload.bytes) */
    int first, stay;        /* image that the walk began with; samples that stayed so far */
};

static bool stays(const eex_onset *f, int row)
{
    return !f->engine->walk.leaves || f->decision[row] == EEX_GO_ON;
}

/* Those of `there` rows that stay, one value after the other. */
static int take_rows(eex_onset *f, const eex_plan *plan, int there)
{
    const eex_passing *values;
    size_t offset = 0;
    EEX_TRY(eex_plan_passing(plan, f->payload.exit, &values));
    for (int i = 0; i < f->payload.values; i++) {
        unsigned char *to = f->rows + (size_t)f->stay * f->payload.bytes + offset;
        EEX_TRY(eex_plan_passing_get(plan, f->payload.exit, i, f->staging, there));
        for (int row = 0; row < there; row++) {
            if (!stays(f, row))
                continue;
            eex__pack(to, &values[i], f->staging + (size_t)row * values[i].row_bytes,
                      f->payload.bits);
            to += f->payload.bytes;
        }
        offset += eex__packed_bytes(&values[i], f->payload.bits);
    }
    return EEX_OK;
}

/* Nobody goes on behind the cut: those that would leave with what this exit thinks of them. */
static int take(eex_guest *guest, eex_plan *plan, int exit, int there)
{
    eex_onset *f = (eex_onset *)guest;
    if (exit != f->payload.exit)
        return EEX_OK;
    EEX_TRY(eex_plan_decisions(plan, f->decision, there));
    EEX_TRY(eex_plan_passing_inputs(plan, f->input, there));
    EEX_TRY(take_rows(f, plan, there));
    for (int row = 0; row < there; row++) {
        if (!stays(f, row))
            continue;
        f->index[f->stay++] = f->first + f->input[row];
        f->decision[row] = EEX_ACCEPT;
    }
    return eex_plan_set_decisions(plan, f->decision, there);
}

static int allocate_front(eex_onset *f)
{
    const size_t walk = (size_t)f->engine->walk.batch, batch = (size_t)f->engine->batch;
    f->decision = calloc(walk, sizeof *f->decision);
    f->input = calloc(walk, sizeof *f->input);
    f->index = calloc(batch, sizeof *f->index);
    f->rows = calloc(batch, f->payload.bytes);
    if (!f->decision || !f->input || !f->index || !f->rows)
        return eex_fail(EEX_ENOMEM, "cut: out of memory for %zu rows of %zu bytes", batch,
                        f->payload.bytes);
    return allocate_staging(&f->staging, f->engine, &f->payload);
}

int eex_onset_new(eex_onset **out, eex_engine *engine, int exit, int bits)
{
    eex_payload payload;
    EEX_NEED(out, "place for the device's part");
    *out = NULL;
    EEX_TRY(eex_engine_payload(&payload, engine, exit, bits));
    eex_onset *f = calloc(1, sizeof *f);
    if (!f)
        return eex_fail(EEX_ENOMEM, "out of memory for a device's part");
    f->guest.after = take;
    f->engine = engine;
    f->payload = payload;
    const int code = allocate_front(f);
    if (code < 0) {
        eex_onset_free(f);
        return code;
    }
    *out = f;
    return EEX_OK;
}

void eex_onset_free(eex_onset *f)
{
    if (!f)
        return;
    free(f->staging);
    free(f->decision);
    free(f->input);
    free(f->index);
    free(f->rows);
    free(f);
}

const eex_payload *eex_onset_payload(const eex_onset *f)
{
    return f ? &f->payload : NULL;
}

const int32_t *eex_onset_index(const eex_onset *f)
{
    return f ? f->index : NULL;
}

const unsigned char *eex_onset_rows(const eex_onset *f)
{
    return f ? f->rows : NULL;
}

static int run_front(eex_onset *f, eex_result *results, const uint8_t *images, int count)
{
    const eex_engine *e = f->engine;
    eex_walk walk = eex_engine_walk(e);
    walk.last = f->payload.exit;
    EEX_TRY(eex_walk_invite(&walk, &f->guest));
    for (f->first = 0; f->first < count; f->first += walk.batch) {
        const int rows = count - f->first < walk.batch ? count - f->first : walk.batch;
        EEX_TRY(eex_walk_run(&walk, results + f->first, images + (size_t)f->first * e->image_bytes,
                             rows));
    }
    return EEX_OK;
}

int eex_onset_run(eex_onset *f, eex_result *results, const uint8_t *images, int count, int *stay)
{
    EEX_NEED(f, "device's part");
    EEX_NEED(results, "place for the results");
    EEX_NEED(images, "images");
    EEX_NEED(stay, "place for who stays");
    if (count < 1 || count > f->engine->batch)
        return eex_fail(EEX_EINVAL, "device's part: %d images, expected 1 to %d", count,
                        f->engine->batch);
    f->stay = *stay = 0;
    EEX_TRY(eex_device_lock(f->engine->device));
    const int code = run_front(f, results, images, count);
    eex_device_unlock(f->engine->device);
    *stay = code < 0 ? 0 : f->stay;
    return code;
}

/* ---- the server's part ---- */

struct eex_rest {
    eex_engine *engine;
    eex_payload payload;
    unsigned char *staging; /* (batch of the walk) rows of one value */
};

int eex_rest_new(eex_rest **out, eex_engine *engine, int exit, int bits)
{
    eex_payload payload;
    EEX_NEED(out, "place for the server's part");
    *out = NULL;
    EEX_TRY(eex_engine_payload(&payload, engine, exit, bits));
    eex_rest *r = calloc(1, sizeof *r);
    if (!r)
        return eex_fail(EEX_ENOMEM, "out of memory for a server's part");
    *r = (eex_rest){.engine = engine, .payload = payload};
    const int code = allocate_staging(&r->staging, engine, &payload);
    if (code < 0) {
        eex_rest_free(r);
        return code;
    }
    *out = r;
    return EEX_OK;
}

void eex_rest_free(eex_rest *r)
{
    if (!r)
        return;
    free(r->staging);
    free(r);
}

const eex_payload *eex_rest_payload(const eex_rest *r)
{
    return r ? &r->payload : NULL;
}

static int put_rows(const eex_rest *r, const unsigned char *rows, int count)
{
    const eex_payload *p = &r->payload;
    const eex_passing *values;
    EEX_TRY(eex_plan_passing(r->engine->walk.plan, p->exit, &values));
    for (int i = 0; i < p->values; i++) {
        for (int row = 0; row < count; row++)
            eex__unpack(r->staging + (size_t)row * values[i].row_bytes, &values[i],
                        rows + (size_t)row * p->bytes, p->bits);
        EEX_TRY(eex_plan_passing_put(r->engine->walk.plan, p->exit, i, r->staging, count));
        rows += eex__packed_bytes(&values[i], p->bits);
    }
    return EEX_OK;
}

static int run_rest(const eex_rest *r, eex_result *results, const unsigned char *rows, int count)
{
    const eex_walk *walk = &r->engine->walk;
    for (int at = 0; at < count; at += walk->batch) {
        const int some = count - at < walk->batch ? count - at : walk->batch;
        EEX_TRY(put_rows(r, rows + (size_t)at * r->payload.bytes, some));
        EEX_TRY(eex_walk_on(walk, results + at, r->payload.exit, some));
    }
    return EEX_OK;
}

int eex_rest_run(eex_rest *r, eex_result *results, const unsigned char *rows, int count)
{
    EEX_NEED(r, "server's part");
    EEX_NEED(results, "place for the results");
    EEX_NEED(rows, "rows");
    if (count < 1 || count > r->engine->batch)
        return eex_fail(EEX_EINVAL, "server's part: %d rows, expected 1 to %d", count,
                        r->engine->batch);
    EEX_TRY(eex_device_lock(r->engine->device));
    const int code = run_rest(r, results, rows, count);
    eex_device_unlock(r->engine->device);
    return code;
}
