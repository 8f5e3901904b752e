/* What a search has left, and what came of comparing: search.h5, trials-*.h5, tau.h5,
 * policies.h5. */
#include "core/report/report_load_impl.h"

#include "base/status.h"

#include <stdlib.h>

enum { MOST_FRONT = 1 << 16 };

int eex__report_load_trials(eex_report *r, eex_store_file *file)
{
    eex_store_type type;
    eex_store_shape shape;
    EEX_TRY(eex_store_describe(&type, &shape, file, "trials/genome"));
    if (shape.rank != 2 || shape.extent[1] == 0 || shape.extent[1] > EEX_MAX_GENES ||
        (r->trials.genes && (uint64_t)r->trials.genes != shape.extent[1]))
        return eex_store_refuse(file, "trials/genome has %d dimensions of %llu genes", shape.rank,
                                (unsigned long long)shape.extent[1]);
    r->trials.genes = (int)shape.extent[1];
    return eex_trials_load(&r->trials, file, "trials");
}

static int load_front(eex_report *r, eex_store_file *file)
{
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    uint64_t *front = NULL;
    const size_t most = r->trials.count < MOST_FRONT ? r->trials.count : MOST_FRONT;
    EEX_TRY(eex_store_read_new((void **)&front, file, "front", EEX_STORE_U64, &shape,
                               most * sizeof *front + 1));
    r->front = malloc(((size_t)shape.extent[0] + 1) * sizeof *r->front);
    int code = r->front ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a Pareto front");
    for (size_t i = 0; code == EEX_OK && i < shape.extent[0]; i++) {
        r->front[i] = (size_t)front[i];
        if (front[i] >= r->trials.count)
            code = eex_store_refuse(file, "front names trial %llu of %zu",
                                    (unsigned long long)front[i], r->trials.count);
        r->front_count = i + 1;
    }
    free(front);
    return code;
}

static int load_models(eex_report *r, eex_store_file *file)
{
    if (!eex_store_has(file, "models"))
        return EEX_OK;
    EEX_TRY(eex_models_load(&r->models, file, "models"));
    return eex_store_get_double(&r->hypervolume, file, "models", "hypervolume");
}

int eex__report_load_search(eex_report *r, eex_store_file *file)
{
    double seconds = 0;
    EEX_TRY(eex__report_load_trials(r, file));
    EEX_TRY(eex_unmet_load(&r->unmet, file));
    EEX_TRY(eex_described_load(&r->space, file));
    EEX_TRY(load_front(r, file));
    EEX_TRY(load_models(r, file));
    EEX_TRY(eex_store_get_int(&r->chosen, file, "", "chosen"));
    if (eex_store_has_attribute(file, "", "structures"))
        EEX_TRY(eex_store_get_int(&r->structures, file, "", "structures"));
    EEX_TRY(eex_store_get_double(&seconds, file, "", "seconds"));
    r->seconds += seconds;
    if (r->chosen < 0 || (size_t)r->chosen >= r->trials.count)
        return eex_store_refuse(file, "chosen is trial %lld of %zu", (long long)r->chosen,
                                r->trials.count);
    return EEX_OK;
}

int eex__report_load_tau(eex_report *r, eex_store_file *file)
{
    eex_store_type type;
    eex_store_shape shape;
    double seconds = 0;
    EEX_TRY(eex_store_get_double(&r->tau, file, "", "tau"));
    EEX_TRY(eex_store_get_double(&seconds, file, "", "seconds"));
    EEX_TRY(eex_store_describe(&type, &shape, file, "of"));
    r->tau_count = shape.rank == 1 ? (size_t)shape.extent[0] : 0;
    r->seconds += seconds;
    return EEX_OK;
}

int eex__report_load_policies(eex_report *r, eex_store_file *file)
{
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    EEX_TRY(eex_store_read_strings(&r->policy_names, file, "name", 1 << 16));
    shape.extent[0] = r->policy_names.count;
    EEX_TRY(eex_store_read_new((void **)&r->policy_accuracy, file, "accuracy", EEX_STORE_F64,
                               &shape, 1 << 16));
    EEX_TRY(
        eex_store_read_new((void **)&r->policy_macs, file, "macs", EEX_STORE_F64, &shape, 1 << 16));
    r->policies = r->policy_names.count;
    return EEX_OK;
}
