/* What training has left: base.h5, shared.h5, and the chosen network in final.h5. */
#include "core/report/report_cut.h"
#include "core/report/report_load_impl.h"

#include "base/status.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { MAX_NAMES = 1 << 20 };

/* ---- how often images were seen ---- */

static int load_history(eex_report *r, eex_store_file *file)
{
    double seconds = 0;
    EEX_TRY(eex_store_get_double(&seconds, file, "history", "seconds"));
    r->seconds += seconds;
    return EEX_OK;
}

/* As many as the history has losses of; networks that were not trained, such as a chosen one with
 * the shared weights, have none. */
static int load_epochs(int64_t *out, eex_report *r, eex_store_file *file)
{
    static const char loss[] = "history/loss";
    eex_store_type type;
    eex_store_shape shape;
    EEX_TRY(load_history(r, file));
    const int has = eex_store_has(file, loss);
    if (has <= 0)
        return has;
    EEX_TRY(eex_store_describe(&type, &shape, file, loss));
    *out = shape.rank > 0 ? (int64_t)shape.extent[0] : 0;
    return EEX_OK;
}

int eex__report_load_base(eex_report *r, eex_store_file *file)
{
    return load_epochs(&r->base.epochs, r, file);
}

int eex__report_load_shared(eex_report *r, eex_store_file *file)
{
    return load_epochs(&r->shared_epochs, r, file);
}

/* ---- final.h5 ---- */

int eex__report_per_exit(double *out, const eex_report *r, eex_store_file *file, const char *name)
{
    const eex_store_shape shape = {1, {(uint64_t)r->best.exits}};
    return eex_store_read(out, file, name, EEX_STORE_F64, &shape);
}

int eex__report_column(eex_report *r, eex_store_file *file, const char *name, size_t offset)
{
    double values[EEX_MAX_EXITS];
    EEX_TRY(eex__report_per_exit(values, r, file, name));
    for (int k = 0; k < r->best.exits; k++)
        memcpy((char *)&r->best.exit[k] + offset, &values[k], sizeof values[k]);
    return EEX_OK;
}

/* Files of an earlier eex do not say. */
static int load_sizes(eex_report *r, eex_store_file *file)
{
    if (!eex_store_has(file, "graph") || !eex_store_has(file, "input"))
        return EEX_OK;
    EEX_TRY(eex_store_get_int(&r->images.height, file, "input", "height"));
    EEX_TRY(eex_store_get_int(&r->images.width, file, "input", "width"));
    EEX_TRY(eex_store_get_int(&r->network.height, file, "graph", "height"));
    return eex_store_get_int(&r->network.width, file, "graph", "width");
}

static int load_policy(eex_report *r, eex_store_file *file)
{
    eex_policy *policy = NULL;
    if (!eex_store_has(file, "policy"))
        return EEX_OK;
    EEX_TRY(eex_policy_load(&policy, file, "policy"));
    r->best.decides = true;
    r->best.policy = policy->kind;
    r->best.by_label = policy->by_label;
    eex_policy_free(policy);
    return EEX_OK;
}

int eex__report_load_final(eex_report *r, eex_store_file *file)
{
    int32_t blocks[EEX_MAX_EXITS], position[EEX_MAX_EXITS];
    EEX_TRY(load_epochs(&r->final_epochs, r, file));
    EEX_TRY(load_sizes(r, file));
    EEX_TRY(eex_unmet_load(&r->unmet, file));
    EEX_TRY(load_policy(r, file));
    EEX_TRY(eex_store_read_strings(&r->nodes, file, "exits/node", MAX_NAMES));
    if (r->nodes.count < 1 || r->nodes.count > EEX_MAX_EXITS)
        return eex_store_refuse(file, "%zu exits", r->nodes.count);
    r->best.exits = (int)r->nodes.count;
    const eex_store_shape shape = {1, {r->nodes.count}};
    EEX_TRY(eex_store_read(blocks, file, "exits/blocks", EEX_STORE_I32, &shape));
    EEX_TRY(eex_store_read(position, file, "exits/position", EEX_STORE_I32, &shape));
    for (int k = 0; k < r->best.exits; k++)
        r->best.exit[k] = (eex_report_exit){.node = r->nodes.item[k],
                                            .position = position[k],
                                            .blocks = blocks[k],
                                            .utilisation = NAN,
                                            .accuracy = NAN,
                                            .auroc = NAN,
                                            .aurc = NAN};
    EEX_TRY(eex__report_column(r, file, "exits/macs", offsetof(eex_report_exit, macs)));
    EEX_TRY(eex__report_column(r, file, "exits/validation_accuracy",
                               offsetof(eex_report_exit, validation_accuracy)));
    EEX_TRY(eex__report_column(r, file, "exits/ece_before", offsetof(eex_report_exit, ece_before)));
    EEX_TRY(eex__report_column(r, file, "exits/ece_after", offsetof(eex_report_exit, ece_after)));
    if (eex_store_has(file, "exits/auroc")) {
        EEX_TRY(eex__report_column(r, file, "exits/auroc", offsetof(eex_report_exit, auroc)));
        EEX_TRY(eex__report_column(r, file, "exits/aurc", offsetof(eex_report_exit, aurc)));
    }
    EEX_TRY(eex_store_get_double(&r->best.validation_accuracy, file, "validation", "accuracy"));
    return eex__report_cut_final(r, file);
}
