/* Networks without some of their filters in files. */
#include "core/model/cut.h"
#include "core/model/model_impl.h"
#include "core/model/pruned_impl.h"

#include "base/status.h"

#include <string.h>

static const char GROUP[] = "filters";

/* What the file says of it, by attribute. */
typedef struct fact {
    const char *name;
    double *at;
} fact;

enum { FACTS = 7 };

static void facts_of(fact out[FACTS], eex_pruned_facts *f)
{
    const fact all[FACTS] = {{"share", &f->share},      {"macs_before", &f->macs_before},
                             {"macs", &f->macs},        {"end_accuracy_before", &f->end_before},
                             {"end_accuracy", &f->end}, {"accuracy_before", &f->accuracy_before},
                             {"accuracy", &f->accuracy}};
    memcpy(out, all, sizeof all);
}

static int write_facts(eex_store_file *file, eex_pruned_facts f)
{
    fact all[FACTS];
    facts_of(all, &f);
    EEX_TRY(eex_store_make_group(file, GROUP));
    EEX_TRY(eex_store_set_int(file, GROUP, "cut", f.cut + 1));
    EEX_TRY(eex_store_set_int(file, GROUP, "epochs", f.epochs));
    EEX_TRY(eex_store_set_int(file, GROUP, "filters", f.filters));
    EEX_TRY(eex_store_set_int(file, GROUP, "gone", f.gone));
    EEX_TRY(eex_store_set_int(file, GROUP, "params_before", f.params_before));
    EEX_TRY(eex_store_set_int(file, GROUP, "params", f.params));
    for (int i = 0; i < FACTS; i++)
        EEX_TRY(eex_store_set_double(file, GROUP, all[i].name, *all[i].at));
    return EEX_OK;
}

int eex_pruned_fill(eex_store_file *file, const void *context)
{
    const eex_pruned *p = context;
    const eex_model *m = p->model;
    int32_t position[EEX_MAX_EXITS];
    EEX_TRY(eex_model_positions(position, m));
    EEX_TRY(eex_model_write(file, p->graph, p->params, p->policy, NULL, &m->input, m->precision));
    EEX_TRY(eex_model_write_exits(file, p->graph, position));
    EEX_TRY(eex_trace_save(p->trace[0], file, "calibration"));
    EEX_TRY(eex_trace_save(p->trace[1], file, "validation"));
    const eex_cut whole = eex_cut_at(eex_graph_exits(m->graph) - 1, false);
    EEX_TRY(eex_model_write_origin(file, m, &whole));
    return write_facts(file, p->out);
}

int eex_pruned_save(const eex_pruned *pruned, const char *path)
{
    EEX_NEED(pruned, "network");
    EEX_NEED(path, "path");
    return eex_store_write_file(path, "weights", EEX__MODEL_VERSION, eex_pruned_fill, pruned);
}

static int read_int(int *out, eex_store_file *file, const char *name)
{
    int64_t value;
    EEX_TRY(eex_store_get_int(&value, file, GROUP, name));
    if (value < 0 || value > INT32_MAX)
        return eex_fail(EEX_EFORMAT, "%s: %s %lld of %s", eex_store_path(file), name,
                        (long long)value, GROUP);
    *out = (int)value;
    return EEX_OK;
}

static int read_facts(eex_store_file *file, void *context)
{
    eex_pruned_facts *out = context;
    fact all[FACTS];
    if (!eex_store_has(file, GROUP))
        return eex_fail(EEX_ENOTFOUND, "%s says nothing of filters", eex_store_path(file));
    facts_of(all, out);
    EEX_TRY(read_int(&out->cut, file, "cut"));
    out->cut--;
    EEX_TRY(read_int(&out->epochs, file, "epochs"));
    EEX_TRY(read_int(&out->filters, file, "filters"));
    EEX_TRY(read_int(&out->gone, file, "gone"));
    EEX_TRY(eex_store_get_int(&out->params_before, file, GROUP, "params_before"));
    EEX_TRY(eex_store_get_int(&out->params, file, GROUP, "params"));
    for (int i = 0; i < FACTS; i++)
        EEX_TRY(eex_store_get_double(all[i].at, file, GROUP, all[i].name));
    return EEX_OK;
}

int eex_pruned_read(eex_pruned_facts *out, const char *path)
{
    EEX_NEED(out, "place for what it says");
    EEX_NEED(path, "path");
    *out = (eex_pruned_facts){.cut = -1};
    return eex_store_read_file(path, "weights", EEX__MODEL_VERSION, read_facts, out);
}
