/* The device's part is the engine's walk as far as the cut, with a guest that takes the rows of
 * those that would go on and lets them leave; the server's part is the walk from there. */
#include "core/engine/part.h"

#include "core/engine/engine_impl.h"
#include "core/engine/part_impl.h"
#include "core/plan/passing.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* Behind which exit: -1 is the last early one. */
static int find_cut(int *out, const eex_engine *e, int exit)
{
    const int last = e->exits - 1;
    if (last == 0)
        return eex_fail(EEX_EINVAL, "cut: the network has no early exit behind which it could be "
                                    "cut between a device and a server");
    if (exit < -1 || exit >= last)
        return eex_fail(EEX_EINVAL,
                        "cut: behind exit %d, expected 1 to %d: the last one has "
                        "nothing behind it",
                        exit + 1, last);
    *out = exit < 0 ? last - 1 : exit;
    return EEX_OK;
}

/* Bytes for the predictor's bits. */
static size_t gate_bytes(const eex_payload *p)
{
    return ((size_t)p->gates + 7) / 8;
}

int eex_engine_payload(eex_payload *out, const eex_engine *e, int exit, int bits)
{
    const eex_passing *values;
    EEX_NEED(out, "place for what passes");
    EEX_NEED(e, "engine");
    EEX_TRY(find_cut(&exit, e, exit));
    if (bits < 0 || bits > EEX_QUANTISE_MAX_BITS)
        return eex_fail(EEX_EINVAL, "cut: codes of %d bits, expected 1 to %d, or 0 for float32",
                        bits, EEX_QUANTISE_MAX_BITS);
    *out =
        (eex_payload){.exit = exit, .bits = bits, .gates = e->predictor ? e->exits - 2 - exit : 0};
    out->values = eex_plan_passing(e->walk.plan, exit, &values);
    EEX_TRY(out->values);
    for (int i = 0; i < out->values; i++) {
        eex__packing packing;
        EEX_TRY(eex__packing_of(&packing, e, &values[i], bits));
        out->bytes += eex__packed_bytes(&packing);
    }
    out->bytes += gate_bytes(out);
    return EEX_OK;
}

int eex_engine_payload_bits(int *out, const eex_engine *e, int exit)
{
    const eex_passing *values;
    EEX_NEED(out, "place for bits");
    EEX_NEED(e, "engine");
    EEX_TRY(find_cut(&exit, e, exit));
    const int count = eex_plan_passing(e->walk.plan, exit, &values);
    EEX_TRY(count);
    *out = 0;
    for (int i = 0; i < count; i++) {
        const eex_node *n = eex_graph_node(e->params->graph, values[i].node);
        const int bits = n->kind == EEX_NODE_QUANTISE ? n->bits : 0;
        *out = i == 0 || bits == *out ? bits : 0;
    }
    return EEX_OK;
}

/* ---- what both parts need ---- */

typedef struct passing {
    eex_engine *engine;
    eex_payload payload;
    eex__packing *packing;  /* (payload.values) */
    unsigned char *staging; /* (batch of the walk) rows of the widest value */
} passing;

static void free_passing(passing *p)
{
    free(p->packing);
    free(p->staging);
}

/* free_passing also on failure. */
static int open_passing(passing *out, eex_engine *e, int exit, int bits)
{
    const eex_passing *values;
    eex_payload payload;
    size_t widest = 1;
    EEX_TRY(eex_engine_payload(&payload, e, exit, bits));
    EEX_TRY(eex_plan_passing(e->walk.plan, payload.exit, &values));
    *out = (passing){.engine = e, .payload = payload};
    out->packing = calloc((size_t)payload.values + 1, sizeof *out->packing);
    for (int i = 0; i < payload.values; i++)
        widest = values[i].row_bytes > widest ? values[i].row_bytes : widest;
    out->staging = calloc((size_t)e->walk.batch, widest);
    if (!out->packing || !out->staging)
        return eex_fail(EEX_ENOMEM, "cut: out of memory for %d rows of %zu bytes", e->walk.batch,
                        widest);
    for (int i = 0; i < payload.values; i++)
        EEX_TRY(eex__packing_of(&out->packing[i], e, &values[i], bits));
    return EEX_OK;
}

static size_t row_size(const eex__packing *p)
{
    return p->elements * sizeof(float);
}

/* ---- the device's part ---- */

struct eex_onset {
    eex_guest guest;
    passing pass;
    uint8_t *decision;   /* (batch of the walk) */
    int32_t *input;      /* (batch of the walk) */
    bool *ask, *stays;   /* (batch of the walk) */
    int32_t *index;      /* (batch) */
    unsigned char *rows; /* (batch, payload.bytes) */
    int first, stay;     /* image that the walk began with; samples that stayed so far */
};

/* For which of `there` rows the predictor has an exit's gate computed. */
static int ask_predictor(eex_onset *f, eex_plan *plan, int exit, int there)
{
    eex_guest *predictor = f->pass.engine->predictor;
    for (int row = 0; row < there; row++)
        f->ask[row] = true;
    return predictor ? predictor->before(predictor, plan, exit, f->input, f->ask, there) : EEX_OK;
}

/* Who is accepted or rejected here leaves, but not whom this exit would not have been asked about.
 */
static int find_who_stays(eex_onset *f, eex_plan *plan, int exit, int there)
{
    EEX_TRY(eex_plan_decisions(plan, f->decision, there));
    EEX_TRY(eex_plan_passing_inputs(plan, f->input, there));
    EEX_TRY(ask_predictor(f, plan, exit, there));
    for (int row = 0; row < there; row++)
        f->stays[row] =
            !f->pass.engine->walk.leaves || f->decision[row] == EEX_GO_ON || !f->ask[row];
    return EEX_OK;
}

/* Those of `there` rows that stay, one value after the other. */
static int take_rows(eex_onset *f, const eex_plan *plan, int there)
{
    const eex_payload *p = &f->pass.payload;
    unsigned char *first = f->rows + (size_t)f->stay * p->bytes;
    for (int i = 0; i < p->values; i++) {
        const eex__packing *packing = &f->pass.packing[i];
        unsigned char *to = first;
        EEX_TRY(eex_plan_passing_get(plan, p->exit, i, f->pass.staging, there));
        for (int row = 0; row < there; row++) {
            if (!f->stays[row])
                continue;
            eex__pack(to, packing, f->pass.staging + (size_t)row * row_size(packing));
            to += p->bytes;
        }
        first += eex__packed_bytes(packing);
    }
    return EEX_OK;
}

/* What the predictor says about the gates behind the cut, at the end of the rows that stay. */
static int take_gates(eex_onset *f, eex_plan *plan, int there)
{
    const eex_payload *p = &f->pass.payload;
    const size_t bytes = gate_bytes(p);
    unsigned char *first = f->rows + ((size_t)f->stay + 1) * p->bytes - bytes;
    for (int gate = 0; gate < p->gates; gate++) {
        unsigned char *to = first + gate / 8;
        EEX_TRY(ask_predictor(f, plan, p->exit + 1 + gate, there));
        for (int row = 0; row < there; row++) {
            if (!f->stays[row])
                continue;
            *to = (unsigned char)((gate % 8 ? *to : 0) | f->ask[row] << gate % 8);
            to += p->bytes;
        }
    }
    return EEX_OK;
}

/* Nobody goes on behind the cut: those that would leave with what this exit thinks of them. */
static int take(eex_guest *guest, eex_plan *plan, int exit, int there)
{
    eex_onset *f = (eex_onset *)guest;
    if (exit != f->pass.payload.exit)
        return EEX_OK;
    EEX_TRY(find_who_stays(f, plan, exit, there));
    EEX_TRY(take_rows(f, plan, there));
    EEX_TRY(take_gates(f, plan, there));
    for (int row = 0; row < there; row++) {
        if (!f->stays[row])
            continue;
        f->index[f->stay++] = f->first + f->input[row];
        f->decision[row] = EEX_ACCEPT;
    }
    return eex_plan_set_decisions(plan, f->decision, there);
}

static int allocate_front(eex_onset *f)
{
    const size_t walk = (size_t)f->pass.engine->walk.batch, batch = (size_t)f->pass.engine->batch;
    f->decision = calloc(walk, sizeof *f->decision);
    f->input = calloc(walk, sizeof *f->input);
    f->ask = calloc(walk, sizeof *f->ask);
    f->stays = calloc(walk, sizeof *f->stays);
    f->index = calloc(batch, sizeof *f->index);
    f->rows = calloc(batch, f->pass.payload.bytes);
    if (!f->decision || !f->input || !f->ask || !f->stays || !f->index || !f->rows)
        return eex_fail(EEX_ENOMEM, "cut: out of memory for %zu rows of %zu bytes", batch,
                        f->pass.payload.bytes);
    return EEX_OK;
}

int eex_onset_new(eex_onset **out, eex_engine *engine, int exit, int bits)
{
    EEX_NEED(out, "place for the device's part");
    *out = NULL;
    eex_onset *f = calloc(1, sizeof *f);
    if (!f)
        return eex_fail(EEX_ENOMEM, "out of memory for a device's part");
    f->guest.after = take;
    int code = open_passing(&f->pass, engine, exit, bits);
    if (code == EEX_OK)
        code = allocate_front(f);
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
    free_passing(&f->pass);
    free(f->decision);
    free(f->input);
    free(f->ask);
    free(f->stays);
    free(f->index);
    free(f->rows);
    free(f);
}

const eex_payload *eex_onset_payload(const eex_onset *f)
{
    return f ? &f->pass.payload : NULL;
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
    const eex_engine *e = f->pass.engine;
    eex_walk walk = eex_engine_walk(e);
    walk.last = f->pass.payload.exit;
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
    if (count < 1 || count > f->pass.engine->batch)
        return eex_fail(EEX_EINVAL, "device's part: %d images, expected 1 to %d", count,
                        f->pass.engine->batch);
    f->stay = *stay = 0;
    EEX_TRY(eex_device_lock(f->pass.engine->device));
    const int code = run_front(f, results, images, count);
    eex_device_unlock(f->pass.engine->device);
    *stay = code < 0 ? 0 : f->stay;
    return code;
}

/* ---- the server's part ---- */

struct eex_rest {
    eex_guest guest;
    passing pass;
    const unsigned char *from; /* the rows that the walk began with */
};

/* In the predictor's place: what it has said on the device. */
static int recall(eex_guest *guest, eex_plan *plan, int exit, const int32_t *input, bool *ask,
                  int rows)
{
    const eex_rest *r = (const eex_rest *)guest;
    const eex_payload *p = &r->pass.payload;
    const int gate = exit - p->exit - 1;
    const size_t at = p->bytes - gate_bytes(p) + (size_t)gate / 8;
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
    const int code = open_passing(&r->pass, engine, exit, bits);
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
    free_passing(&r->pass);
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
            eex__unpack(r->pass.staging + (size_t)row * row_size(packing), packing,
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
