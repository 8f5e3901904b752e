/* The device's part is the engine's walk as far as the cut, with a guest that takes the rows of
 * those that would go on and lets them leave. */
#include "core/engine/engine_impl.h"
#include "core/engine/part.h"
#include "core/engine/part_impl.h"

#include "base/status.h"

#include <stdlib.h>

struct eex_onset {
    eex_guest guest;
    eex__part pass;
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
    EEX_TRY(eex_plan_inputs(plan, f->input, there));
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
            eex__pack(to, packing, f->pass.staging + (size_t)row * eex__unpacked_bytes(packing));
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
    const size_t bytes = eex__part_gate_bytes(p);
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

static int allocate_onset(eex_onset *f)
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
    int code = eex__part_open(&f->pass, engine, EEX_PLAN_FRONT, exit, bits);
    if (code == EEX_OK)
        code = allocate_onset(f);
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
    eex__part_close(&f->pass);
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

static int run_onset(eex_onset *f, eex_result *results, const uint8_t *images, int count)
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
    const int code = run_onset(f, results, images, count);
    eex_device_unlock(f->pass.engine->device);
    *stay = code < 0 ? 0 : f->stay;
    return code;
}
