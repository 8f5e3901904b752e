/* Networks with a bottleneck in files. */
#include "core/model/bottleneck_impl.h"
#include "core/model/cut.h"
#include "core/plan/quantise.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char GROUP[] = "bottleneck";

/* What the file says of it, by attribute. */
typedef struct fact {
    const char *name;
    double *at;
} fact;

enum { FACTS = 5 };

static void facts_of(fact out[FACTS], eex_bottled *b)
{
    const fact all[FACTS] = {{"range", &b->range},
                             {"end_accuracy_before", &b->end_before},
                             {"end_accuracy", &b->end},
                             {"accuracy_before", &b->accuracy_before},
                             {"accuracy", &b->accuracy}};
    memcpy(out, all, sizeof all);
}

static int write_facts(eex_store_file *file, eex_bottled facts)
{
    fact all[FACTS];
    facts_of(all, &facts);
    EEX_TRY(eex_store_make_group(file, GROUP));
    EEX_TRY(eex_store_set_string(file, GROUP, "node", facts.value));
    EEX_TRY(eex_store_set_int(file, GROUP, "bits", facts.bits));
    EEX_TRY(eex_store_set_int(file, GROUP, "values_before", facts.values_before));
    EEX_TRY(eex_store_set_int(file, GROUP, "values", facts.values));
    EEX_TRY(eex_store_set_int(file, GROUP, "bytes_before", facts.bytes_before));
    EEX_TRY(eex_store_set_int(file, GROUP, "bytes", facts.bytes));
    for (int i = 0; i < FACTS; i++)
        EEX_TRY(eex_store_set_double(file, GROUP, all[i].name, *all[i].at));
    return EEX_OK;
}

int eex_bottleneck_fill(eex_store_file *file, const void *context)
{
    const eex_bottleneck *b = context;
    const eex_model *m = b->model;
    int32_t position[EEX_MAX_EXITS];
    EEX_TRY(eex_model_positions(position, m));
    EEX_TRY(eex_model_write(file, b->graph, b->params, b->policy, m->familiar, &m->input,
                            m->precision));
    EEX_TRY(eex_model_write_exits(file, b->graph, position));
    EEX_TRY(eex_trace_save(b->calibration, file, "calibration"));
    EEX_TRY(eex_trace_save(b->validation, file, "validation"));
    const eex_cut whole = eex_cut_at(eex_graph_exits(m->graph) - 1, false);
    EEX_TRY(eex_model_write_origin(file, m, &whole));
    EEX_TRY(eex_store_set_int(file, "origin", "bits", b->out.bits));
    EEX_TRY(eex_store_set_int(file, "origin", "bytes", b->out.bytes));
    EEX_TRY(write_facts(file, b->out));
    return eex_narrowed_save(&b->narrowed, file, "narrowed");
}

int eex_bottleneck_save(const eex_bottleneck *bottleneck, const char *path)
{
    return eex_store_write_file(path, "weights", EEX__BOTTLENECK_VERSION, eex_bottleneck_fill,
                                bottleneck);
}

static int read_facts(eex_store_file *file, void *context)
{
    eex_bottled *out = context;
    fact all[FACTS];
    char *node = NULL;
    int64_t bits = 0;
    if (!eex_store_has(file, GROUP))
        return eex_fail(EEX_ENOTFOUND, "%s says nothing of a bottleneck", eex_store_path(file));
    facts_of(all, out);
    EEX_TRY(eex_store_get_string(&node, file, GROUP, "node"));
    snprintf(out->value, sizeof out->value, "%s", node);
    free(node);
    EEX_TRY(eex_store_get_int(&bits, file, GROUP, "bits"));
    EEX_TRY(eex_store_get_int(&out->values_before, file, GROUP, "values_before"));
    EEX_TRY(eex_store_get_int(&out->values, file, GROUP, "values"));
    EEX_TRY(eex_store_get_int(&out->bytes_before, file, GROUP, "bytes_before"));
    EEX_TRY(eex_store_get_int(&out->bytes, file, GROUP, "bytes"));
    for (int i = 0; i < FACTS; i++)
        EEX_TRY(eex_store_get_double(all[i].at, file, GROUP, all[i].name));
    if (bits < EEX_QUANTISE_MIN_BITS || bits > EEX_QUANTISE_MAX_BITS || out->bytes < 1)
        return eex_store_refuse(file, "a bottleneck of %lld bits and %lld bytes", (long long)bits,
                                (long long)out->bytes);
    out->bits = (int)bits;
    return EEX_OK;
}

int eex_bottleneck_read(eex_bottled *out, const char *path)
{
    *out = (eex_bottled){.bits = 0};
    return eex_store_read_file(path, "weights", EEX__BOTTLENECK_VERSION, read_facts, out);
}
