/* Model files of cut networks. */
#include "core/graph/cost.h"
#include "core/model/cut.h"

#include "base/signals.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

enum { MODEL_VERSION = 1 };

int eex_model_positions(int32_t *out, const eex_model *m)
{
    const int exits = eex_graph_exits(m->graph);
    const eex_store_shape shape = {1, {(uint64_t)exits}};
    eex_store_file *file = NULL;
    EEX_TRY(eex_store_open(&file, m->path, "weights", MODEL_VERSION));
    int code = EEX_OK;
    if (eex_store_has(file, "exits/position"))
        code = eex_store_read(out, file, "exits/position", EEX_STORE_I32, &shape);
    else
        for (int k = 0; k < exits; k++)
            out[k] = k + 1;
    eex_store_close(file);
    return code;
}

/* ---- /exits ---- */

static int save_column(eex_store_file *file, const char *name, const double *values, int count,
                       const char *unit)
{
    const eex_store_shape shape = {1, {(uint64_t)count}};
    EEX_TRY(eex_store_write(file, name, EEX_STORE_F64, &shape, values));
    return eex_store_set_string(file, name, "unit", unit);
}

int eex_model_write_exits(eex_store_file *file, const eex_graph *g, const int32_t *position)
{
    const int exits = eex_graph_exits(g);
    const eex_store_shape shape = {1, {(uint64_t)exits}};
    const char *names[EEX_MAX_EXITS];
    int32_t blocks[EEX_MAX_EXITS];
    double macs[EEX_MAX_EXITS], taken[EEX_MAX_EXITS];
    for (int k = 0; k < exits; k++) {
        const eex_exit *e = eex_graph_exit(g, k);
        names[k] = eex_graph_node(g, e->point)->name;
        blocks[k] = e->blocks;
        macs[k] = (double)eex_cost_cumulative(g, k, EEX_MACS);
        taken[k] = (double)eex_cost_alone(g, k, EEX_MACS);
    }
    EEX_TRY(eex_store_write_strings(file, "exits/node", names, (size_t)exits));
    EEX_TRY(eex_store_write(file, "exits/position", EEX_STORE_I32, &shape, position));
    EEX_TRY(eex_store_write(file, "exits/blocks", EEX_STORE_I32, &shape, blocks));
    EEX_TRY(eex_store_set_string(file, "exits/blocks", "meaning",
                                 "Conv-BN-Act blocks of the gate, -1: the end of the backbone"));
    EEX_TRY(save_column(file, "exits/macs", macs, exits, "MACs, everything executed"));
    return save_column(file, "exits/macs_taken", taken, exits, "MACs, trunk and this gate");
}

/* ---- /calibration, /validation ---- */

static int save_trace(eex_store_file *file, const eex_model *model, const eex_cut *cut,
                      const char *split)
{
    eex_trace *whole = NULL, *kept = NULL;
    int code = eex_cut_trace(&whole, model, split);
    if (code == EEX_ENOTFOUND) /* a model without traces has none to hand on */
        return EEX_OK;
    if (code == EEX_OK && eex_interrupted())
        code = eex_fail(EEX_EINTERRUPTED, "interrupted");
    if (code == EEX_OK)
        code = eex_trace_select(&kept, whole, cut->exits, cut->count);
    if (code == EEX_OK)
        code = eex_trace_save(kept, file, split);
    eex_trace_free(kept);
    eex_trace_free(whole);
    return code;
}

/* ---- /origin ---- */

int eex_model_write_origin(eex_store_file *file, const eex_model *model, const eex_cut *cut)
{
    int32_t kept[EEX_MAX_EXITS];
    const eex_store_shape shape = {1, {(uint64_t)cut->count}};
    for (int k = 0; k < cut->count; k++)
        kept[k] = cut->exits[k] + 1;
    EEX_TRY(eex_store_make_group(file, "origin"));
    EEX_TRY(eex_store_set_string(file, "origin", "model", model->path));
    EEX_TRY(eex_store_set_int(file, "origin", "exits", eex_graph_exits(model->graph)));
    EEX_TRY(eex_store_write(file, "origin/kept", EEX_STORE_I32, &shape, kept));
    return eex_store_set_string(file, "origin/kept", "meaning",
                                "exits of that model that are in this one, from 1");
}

typedef struct cut_file {
    const eex_model *cut_model, *model;
    const eex_cut *cut;
} cut_file;

static int fill(eex_store_file *file, const void *context)
{
    const cut_file *c = context;
    const eex_model *m = c->cut_model;
    int32_t position[EEX_MAX_EXITS];
    EEX_TRY(eex_model_positions(position, c->model));
    for (int k = 0; k < c->cut->count; k++)
        position[k] = position[c->cut->exits[k]];
    EEX_TRY(eex_model_write(file, m->graph, m->params, m->policy, m->familiar, &m->input,
                            m->precision));
    EEX_TRY(eex_model_write_exits(file, m->graph, position));
    EEX_TRY(save_trace(file, c->model, c->cut, "calibration"));
    EEX_TRY(save_trace(file, c->model, c->cut, "validation"));
    return eex_model_write_origin(file, c->model, c->cut);
}

int eex_cut_write(const char *path, const eex_model *cut_model, const eex_model *model,
                  const eex_cut *cut)
{
    const cut_file all = {cut_model, model, cut};
    return eex_store_write_file(path, "weights", MODEL_VERSION, fill, &all);
}
