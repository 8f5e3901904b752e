/* Networks without some of their filters in files. */
#include "core/model/cut.h"
#include "core/model/model_impl.h"
#include "core/model/pruned_impl.h"

#include "base/status.h"

static const char GROUP[] = "filters";

/* What it came to, by attribute; cuts and exits are counted from 1. */
static int write_facts(eex_store_file *file, const eex_pruned_facts *f)
{
    const struct {
        const char *name;
        double value;
    } figures[] = {{"share", f->share},      {"macs_before", f->macs_before},
                   {"macs", f->macs},        {"end_accuracy_before", f->end_before},
                   {"end_accuracy", f->end}, {"accuracy_before", f->accuracy_before},
                   {"accuracy", f->accuracy}};
    EEX_TRY(eex_store_make_group(file, GROUP));
    EEX_TRY(eex_store_set_int(file, GROUP, "cut", f->cut + 1));
    EEX_TRY(eex_store_set_int(file, GROUP, "epochs", f->epochs));
    EEX_TRY(eex_store_set_int(file, GROUP, "filters", f->filters));
    EEX_TRY(eex_store_set_int(file, GROUP, "gone", f->gone));
    EEX_TRY(eex_store_set_int(file, GROUP, "params_before", f->params_before));
    EEX_TRY(eex_store_set_int(file, GROUP, "params", f->params));
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        EEX_TRY(eex_store_set_double(file, GROUP, figures[i].name, figures[i].value));
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
    return write_facts(file, &p->out);
}

int eex_pruned_save(const eex_pruned *pruned, const char *path)
{
    EEX_NEED(pruned, "network");
    EEX_NEED(path, "path");
    return eex_store_write_file(path, "weights", EEX__MODEL_VERSION, eex_pruned_fill, pruned);
}
