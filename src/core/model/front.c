#include "core/model/front.h"

#include "core/model/model_impl.h"
#include "core/model/model_print.h"

#include "base/status.h"

#include <stdlib.h>

static const char cut_name[] = "front_of_cut", prints_name[] = "prints";
static const eex_store_shape prints_shape = {2, {EEX_PRECISIONS, EEX_SHA256_BYTES}};

/* In whichever precision it will run. */
static int save_prints(eex_store_file *file, const eex_model *model)
{
    uint8_t prints[EEX_PRECISIONS][EEX_SHA256_BYTES];
    eex_model as = *model;
    for (int i = 0; i < EEX_PRECISIONS; i++) {
        as.runs_in = (eex_precision)i;
        EEX_TRY(eex_model_print(prints[i], &as));
    }
    return eex_store_write(file, prints_name, EEX_STORE_U8, &prints_shape, prints);
}

static int fill(eex_store_file *file, const void *context)
{
    const eex_model *m = context;
    EEX_TRY(eex_model_write(file, m->graph, m->params, m->policy, m->familiar, &m->input,
                            m->precision));
    EEX_TRY(eex_store_set_int(file, "", cut_name, m->part.cut + 1));
    EEX_TRY(eex__weights_save(file, m));
    return save_prints(file, m);
}

int eex_front_write(const eex_model *m, const char *path)
{
    EEX_NEED(m, "model");
    EEX_NEED(path, "path");
    if (m->part.side != EEX_PLAN_FRONT || !m->params)
        return eex_fail(EEX_EINVAL, "%s was not opened as a device's part", m->path);
    return eex_store_write_file(path, "weights", EEX__MODEL_VERSION, fill, m);
}

int eex__front_load(int *cut, uint8_t **prints, eex_store_file *file, const eex_graph *graph)
{
    const int exits = eex_graph_exits(graph);
    int64_t behind;
    *cut = -1;
    *prints = NULL;
    if (!eex_store_has_attribute(file, "", cut_name))
        return EEX_OK;
    EEX_TRY(eex_store_get_int(&behind, file, "", cut_name));
    if (behind < 1 || behind >= exits)
        return eex_store_refuse(file, "cut behind exit %lld, expected 1 to %d", (long long)behind,
                                exits - 1);
    *prints = malloc((size_t)EEX_PRECISIONS * EEX_SHA256_BYTES);
    if (!*prints)
        return eex_fail(EEX_ENOMEM, "out of memory for %d fingerprints", (int)EEX_PRECISIONS);
    EEX_TRY(eex_store_read(*prints, file, prints_name, EEX_STORE_U8, &prints_shape));
    *cut = (int)behind - 1;
    return EEX_OK;
}
