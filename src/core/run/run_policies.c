/* policies.h5: other exit policies on the chosen network, by replay. All of them are tuned alike on
 * the calibration split (the run's own rule, or as cheap as possible at the accuracy of the end
 * where the run has none) and judged on the validation split; none of them sees the test split. */
#include "core/policy/replay.h"
#include "core/run/run.h"
#include "core/run/scoring.h"

#include "base/log.h"
#include "base/status.h"

#include <math.h>

enum { VARIANTS = EEX_POLICY_KINDS + 1 };

typedef struct table {
    const char *name[VARIANTS];
    double accuracy[VARIANTS], macs[VARIANTS], agreement[VARIANTS];
} table;

/* Per class at the published temperature, then every kind at fitted ones. */
static eex_calibration variant(const eex_run *run, int i)
{
    eex_calibration how = run->e->policy;
    how.kind = i == 0 ? EEX_POLICY_PER_CLASS : (eex_policy_kind)(i - 1);
    how.temperature = i == 0 ? 5 : 0;
    how.b = INFINITY;
    how.reject = 0; /* all alike */
    if (how.tune == EEX_TUNE_NONE) {
        how.tune = EEX_TUNE_ACCURACY;
        how.target = 0;
    }
    return how;
}

/* Tuned by what the run tunes by, shown in MACs. */
static int judge(table *t, int i, const eex_run *run, eex_trace *calibration, eex_trace *validation,
                 const eex_structure_costs *all)
{
    const eex_scoring scoring = eex_scoring_of(run->e, run->structures);
    const eex_exit_costs costs = eex_scoring_costs(&scoring, all);
    const eex_exit_costs macs = {all->exits, all->macs, run->structures->base_macs};
    const eex_calibration how = variant(run, i);
    eex_policy *policy = NULL;
    eex_outcome outcome;
    int code = eex_calibrate(&policy, calibration, run->device, &how, &costs);
    if (code == EEX_OK)
        code = eex_trace_score(validation, run->device, policy->temperature);
    if (code == EEX_OK)
        code = eex_replay(&outcome, validation, policy, &macs, NULL, NULL);
    eex_policy_free(policy);
    EEX_TRY(code);
    t->name[i] = i == 0 ? "per_class, T = 5" : eex_policy_kind_name(how.kind);
    t->accuracy[i] = outcome.accuracy;
    t->macs[i] = outcome.cost;
    t->agreement[i] = outcome.agreement;
    return EEX_OK;
}

static int judge_all(table *t, const eex_run *run, const int *genome, eex_trace *calibration,
                     eex_trace *validation)
{
    eex_structure_costs costs;
    EEX_TRY(eex_structures_costs(&costs, run->structures, genome));
    for (int i = 0; i < VARIANTS; i++) {
        EEX_TRY(eex__run_poll());
        EEX_TRY(judge(t, i, run, calibration, validation, &costs));
    }
    return EEX_OK;
}

static int fill(table *t, const eex_run *run)
{
    int genome[EEX_MAX_GENES];
    uint64_t trial;
    eex_trace *calibration = NULL, *validation = NULL;
    EEX_TRY(eex__run_chosen(genome, run, &trial));
    int code = eex__run_load_trace(&calibration, run, "final-calibration.h5");
    if (code == EEX_OK)
        code = eex__run_load_trace(&validation, run, "final-validation.h5");
    if (code == EEX_OK)
        code = judge_all(t, run, genome, calibration, validation);
    eex_trace_free(validation);
    eex_trace_free(calibration);
    return code;
}

static int save(eex_store_file *file, const void *context)
{
    static const eex_store_shape rows = {1, {VARIANTS}};
    const table *t = context;
    EEX_TRY(eex_store_write_strings(file, "name", t->name, VARIANTS));
    EEX_TRY(eex_store_write(file, "accuracy", EEX_STORE_F64, &rows, t->accuracy));
    EEX_TRY(eex_store_write(file, "macs", EEX_STORE_F64, &rows, t->macs));
    return eex_store_write(file, "agreement", EEX_STORE_F64, &rows, t->agreement);
}

int eex__run_policies(eex_run *run)
{
    table t = {{0}, {0}, {0}, {0}};
    if (eex__run_has(run, "policies.h5"))
        return EEX_OK;
    eex_log_info("replaying %d policies", VARIANTS);
    EEX_TRY(fill(&t, run));
    return eex__run_write(run, "policies.h5", save, &t);
}
