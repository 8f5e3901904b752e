#include "core/run/structure.h"

#include "core/graph/elastic.h"
#include "core/run/structure_elastic.h"
#include "core/run/structure_gates.h"

#include "base/status.h"

#include <math.h>

int eex_structures_new(eex_structures **out, const eex_experiment *e, const eex_points *points)
{
    return eex_graph_genes(e->backbone) ? eex_structures_elastic(out, e, points)
                                        : eex_structures_gates(out, e, points);
}

void eex_structures_free(eex_structures *s)
{
    if (s)
        s->kind->free(s);
}

/* ---- of one genome ---- */

int eex_structures_graph(eex_graph **out, const eex_structures *s, const int *genome)
{
    *out = NULL;
    EEX_TRY(eex_space_check(&s->space, genome));
    return s->kind->graph(out, s, genome);
}

int eex_structures_all(eex_graph **out, const eex_structures *s, const int *genome)
{
    *out = NULL;
    EEX_TRY(eex_space_check(&s->space, genome));
    return s->kind->all(out, s, genome);
}

int eex_structures_columns(int *out, const eex_structures *s, const int *genome)
{
    EEX_TRY(eex_space_check(&s->space, genome));
    s->kind->columns(out, s, genome);
    return EEX_OK;
}

int eex_structures_costs(eex_structure_costs *out, const eex_structures *s, const int *genome)
{
    EEX_TRY(eex_space_check(&s->space, genome));
    out->params = NAN;
    return s->kind->costs(out, s, genome);
}

int eex_structures_positions(int32_t *out, const eex_structures *s, const int *genome)
{
    EEX_TRY(eex_space_check(&s->space, genome));
    s->kind->positions(out, s, genome);
    return EEX_OK;
}

int eex_structures_thresholds(double *a, const eex_structures *s, const int *genome)
{
    EEX_TRY(eex_space_check(&s->space, genome));
    s->kind->thresholds(a, s, genome);
    return EEX_OK;
}

int eex_structures_weights(eex_params *out, const eex_structures *s, const int *genome,
                           const eex_params *shared)
{
    EEX_TRY(eex_space_check(&s->space, genome));
    return s->kind->weights(out, s, genome, shared);
}

/* ---- of all of them ---- */

int eex_structures_shared(eex_graph **out, const eex_structures *s)
{
    return s->kind->shared(out, s);
}

int eex_structures_networks(const eex_structures *s, eex_device *device, const eex_inference *how,
                            eex_structures_visit *visit, void *context)
{
    return s->kind->networks(s, device, how, visit, context);
}

int eex_structures_time(eex_structures *s, const eex_latency_table *table, eex_device *device,
                        const eex_inference *how)
{
    return s->kind->time(s, table, device, how);
}

int eex_structures_write_times(eex_store_file *file, const eex_structures *s)
{
    return s->kind->write_times(file, s);
}

int eex_structures_read_times(eex_structures *s, eex_store_file *file)
{
    return s->kind->read_times(s, file);
}

int eex_structures_describe(eex_store_file *file, const eex_structures *s)
{
    return s->kind->describe(file, s);
}

void eex_structures_summary(char out[EEX_STRUCTURE_SUMMARY], const eex_structures *s)
{
    s->kind->summary(out, s);
}
