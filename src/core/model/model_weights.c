/* Which weights of a model are read, and reading them. */
#include "core/model/model_impl.h"

#include "base/fs.h"
#include "base/status.h"

#include <stdlib.h>

int eex__model_part_load(eex_model *m, eex_store_file *file, eex_plan_part part, eex_device *device)
{
    const int last = eex_graph_exits(m->graph) - 1;
    int cut;
    EEX_TRY(eex__front_load(&cut, &m->prints, file, m->graph));
    m->part = part;
    if (cut >= 0 && part.side != EEX_PLAN_FRONT && device)
        return eex_fail(EEX_EINVAL,
                        "%s has the device's part of a network alone, cut behind exit %d: eex "
                        "infer and eex stream take it with --remote, all else needs the network "
                        "that it is of",
                        m->path, cut + 1);
    if (cut >= 0 && part.side == EEX_PLAN_FRONT && part.cut >= 0 && part.cut != cut)
        return eex_fail(EEX_EINVAL,
                        "%s has the device's part of a network alone, cut behind exit %d, not %d",
                        m->path, cut + 1, part.cut + 1);
    if (part.side == EEX_PLAN_WHOLE) { /* of which no weights are wanted: what the file has */
        if (cut >= 0)
            m->part = (eex_plan_part){EEX_PLAN_FRONT, cut};
        return EEX_OK;
    }
    if (last == 0 || part.cut >= last)
        return eex_fail(EEX_EINVAL,
                        "%s: cut behind exit %d: there %s %d early exit%s behind which it could be "
                        "cut between a device and a server",
                        m->path, part.cut < 0 ? 1 : part.cut + 1, last == 1 ? "is" : "are", last,
                        last == 1 ? "" : "s");
    m->part.cut = cut >= 0 ? cut : part.cut >= 0 ? part.cut : last - 1;
    return EEX_OK;
}

/* A few bytes can describe a network of any size. Weights are not compressed: what the file holds
 * bounds what is believed. held NULL: all of them. */
static int check_size(const eex_model *m, const bool *held)
{
    uint64_t bytes = 0, there = 0;
    for (int i = 0; i < eex_graph_params(m->graph); i++)
        if (!held || held[i])
            bytes += eex_param_count(eex_graph_param(m->graph, i)) * sizeof(float);
    EEX_TRY(eex_fs_size(&there, m->path));
    if (bytes <= there)
        return EEX_OK;
    return eex_fail(EEX_EFORMAT,
                    "%s: a network of %llu bytes of weights in a file of %llu: they are not there",
                    m->path, (unsigned long long)bytes, (unsigned long long)there);
}

static int load_params(eex_model *m, eex_store_file *file, eex_device *device, const bool *held)
{
    EEX_TRY(check_size(m, held));
    EEX_TRY(eex_device_lock(device));
    int code = held ? eex_params_new_some(&m->params, device, m->graph, held)
                    : eex_params_new_empty(&m->params, device, m->graph);
    if (code == EEX_OK)
        code = eex_params_load(m->params, file, "params");
    eex_device_unlock(device);
    return code;
}

int eex__model_weights_load(eex_model *m, eex_store_file *file, eex_device *device)
{
    if (m->part.side == EEX_PLAN_WHOLE)
        return load_params(m, file, device, NULL);
    const int count = eex_graph_params(m->graph);
    bool *held = calloc((size_t)count + 1, sizeof *held);
    int code = held ? eex_plan_part_reads(held, m->graph, device, m->part)
                    : eex_fail(EEX_ENOMEM, "out of memory for %d parameters", count);
    if (code == EEX_OK)
        code = load_params(m, file, device, held);
    free(held);
    return code;
}
