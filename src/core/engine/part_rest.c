/* The server's part is the engine's walk from behind the cut. */
#include "core/engine/engine_impl.h"
#include "core/engine/part.h"
#include "core/engine/part_impl.h"

#include "base/status.h"

#include <stdlib.h>

struct eex_rest {
    eex_guest guest;
    eex__part pass;
    const unsigned char *from; /* the rows that the walk began with */
};

/* In the predictor's place: what it has said on the device. */
static int recall(eex_guest *guest, eex_plan *plan, int exit, const int32_t *input, bool *ask,
                  int rows)
{
    const eex_rest *r = (const eex_rest *)guest;
    const eex_payload *p = &r->pass.payload;
    const int gate = exit - p->exit - 1;
    const size_t at = p->bytes - eex__part_gate_bytes(p) + (size_t)gate / 8;
    for (int i = 0; i < rows; i++)
        ask[i] = ask[i] && r->from[(size_t)input[i] * p->bytes + at] >> gate % 8 & 1;
    return EEX_OK;
}

int eex_rest_new(eex_rest **out, eex_engine *engine, int exit, int bits)
{
    EEX_NEED(out, "place for the server's part");
    *out = NULL;
    eex_rest *r = calloc(1, sizeof *r);
    if (!r)
        return eex_fail(EEX_ENOMEM, "out of memory for a server's part");
    r->guest.before = recall;
    const int code = eex__part_open(&r->pass, engine, EEX_PLAN_REST, exit, bits);
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
    eex__part_close(&r->pass);
    free(r);
}

const eex_payload *eex_rest_payload(const eex_rest *r)
{
    return r ? &r->pass.payload : NULL;
}

static int put_rows(const eex_rest *r, int count)
{
    const eex_payload *p = &r->pass.payload;
    const unsigned char *first = r->from;
    for (int i = 0; i < p->values; i++) {
        const eex__packing *packing = &r->pass.packing[i];
        for (int row = 0; row < count; row++)
            eex__unpack(r->pass.staging + (size_t)row * eex__unpacked_bytes(packing), packing,
                        first + (size_t)row * p->bytes);
        EEX_TRY(
            eex_plan_passing_put(r->pass.engine->walk.plan, p->exit, i, r->pass.staging, count));
        first += eex__packed_bytes(packing);
    }
    return EEX_OK;
}

/* The engine's walk, where the predictor has no images to see. */
static eex_walk rest_walk(eex_rest *r)
{
    const eex_engine *e = r->pass.engine;
    eex_walk walk = eex_engine_walk(e);
    for (int i = 0; i < walk.guests; i++)
        if (walk.guest[i] == e->predictor)
            walk.guest[i] = &r->guest;
    return walk;
}

static int run_rest(eex_rest *r, eex_result *results, const unsigned char *rows, int count)
{
    const eex_walk walk = rest_walk(r);
    for (int at = 0; at < count; at += walk.batch) {
        const int some = count - at < walk.batch ? count - at : walk.batch;
        r->from = rows + (size_t)at * r->pass.payload.bytes;
        EEX_TRY(put_rows(r, some));
        EEX_TRY(eex_walk_on(&walk, results + at, r->pass.payload.exit, some));
    }
    return EEX_OK;
}

int eex_rest_run(eex_rest *r, eex_result *results, const unsigned char *rows, int count)
{
    EEX_NEED(r, "server's part");
    EEX_NEED(results, "place for the results");
    EEX_NEED(rows, "rows");
    if (count < 1 || count > r->pass.engine->batch)
        return eex_fail(EEX_EINVAL, "server's part: %d rows, expected 1 to %d", count,
                        r->pass.engine->batch);
    EEX_TRY(eex_device_lock(r->pass.engine->device));
    const int code = run_rest(r, results, rows, count);
    eex_device_unlock(r->pass.engine->device);
    return code;
}
