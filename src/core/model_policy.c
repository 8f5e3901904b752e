/* Other policies for a model: from a file, or one threshold for all exits. */
#include "core/model.h"

#include "base/status.h"

#include <math.h>

enum { POLICY_VERSION = 1 };

int eex_model_load_policy(eex_model *m, const char *path)
{
    eex_store_file *file = NULL;
    eex_policy *policy = NULL;
    EEX_TRY(eex_store_open(&file, path, "policy", POLICY_VERSION));
    int code = eex_policy_load(&policy, file, "policy");
    eex_store_close(file);
    EEX_TRY(code);
    code = eex_model_set_policy(m, policy);
    return code < 0 ? eex_fail_in(code, "%s", path) : EEX_OK;
}

/* Thresholds in the policy's own terms: entropies are compared with their sign turned. */
static int check_threshold(eex_policy_kind kind, double t)
{
    const bool probability = kind == EEX_POLICY_CONFIDENCE || kind == EEX_POLICY_MARGIN;
    if (isnan(t) || (probability && (t < 0 || t > 1)) || (kind == EEX_POLICY_ENTROPY && t < 0))
        return eex_fail(EEX_EINVAL, "a threshold of %g for the %s: expected %s", t,
                        eex_policy_kind_name(kind),
                        probability ? "0 to 1" : "at least 0 nats, or deviations");
    return EEX_OK;
}

static void set_thresholds(eex_policy *p, eex_policy_kind kind, double t)
{
    for (int k = 0; k + 1 < p->exits; k++)
        p->a[k] = kind == EEX_POLICY_ENTROPY ? -t : t;
    p->a[p->exits - 1] = -INFINITY;
    eex_policy_apply(p);
}

int eex_model_threshold(eex_model *m, eex_policy_kind kind, double threshold)
{
    const int exits = eex_graph_exits(m->graph);
    const eex_policy *own = m->policy;
    int all[EEX_MAX_EXITS];
    eex_policy *policy = NULL;
    EEX_TRY(check_threshold(kind, threshold));
    for (int k = 0; k < exits; k++)
        all[k] = k;
    if (own && own->kind == kind)
        EEX_TRY(eex_policy_select(&policy, own, all, exits));
    else if (kind == EEX_POLICY_PER_CLASS)
        return eex_fail(EEX_EINVAL,
                        "%s: its policy is not per_class, so there are no means and deviations of "
                        "classes to put a threshold on: `eex tune --policy per_class` fits them",
                        m->path);
    else
        EEX_TRY(eex_policy_new(&policy, kind, exits, eex_graph_classes(m->graph)));
    for (int k = 0; own && k < exits; k++)
        policy->temperature[k] = own->temperature[k];
    set_thresholds(policy, kind, threshold);
    return eex_model_set_policy(m, policy);
}
