#include "core/run/judge.h"
#include "core/run/run.h"

#include <string.h>

static bool is_probed(const eex_run *run)
{
    return run->e->probe;
}

static bool is_compared(const eex_run *run)
{
    return eex__judge_of(run)->shared && run->e->search.tau;
}

static bool is_predicted(const eex_run *run)
{
    return run->e->predictor.epochs > 0;
}

static bool is_partitioned(const eex_run *run)
{
    return run->e->partition.latency > 0;
}

static bool is_fronted(const eex_run *run)
{
    return run->e->search.front > 0;
}

static bool has_rivals(const eex_run *run)
{
    return run->e->rivals.base || run->e->rivals.cuts || run->e->rivals.narrower;
}

/* Nothing that a run does by itself: ranking.h. */
static bool is_never(const eex_run *run)
{
    return false;
}

/* clang-format off */
#define ALONE(file, of) {.name = (file), .kind = (of)}
#define WITH(file, of, ...) {.name = (file), .kind = (of), .with = {__VA_ARGS__}}
/* clang-format on */
/* Which images something has seen, and which not. */
#define SPLIT "split.h5"
#define FINAL_TRACES "final-calibration.h5", "final-validation.h5"

static const eex_phase_row rows[] = {
    [EEX_PHASE_SPLIT] = {"split", {ALONE(SPLIT, "split")}, .work = eex__run_split},
    [EEX_PHASE_BASE] = {"base",
                        {WITH("base.h5", "weights", SPLIT)},
                        {ALONE("base-checkpoint.h5", "checkpoint")},
                        .work = eex__run_base},
    [EEX_PHASE_PROBE] = {"probe",
                         {WITH("probe.h5", "probe", SPLIT)},
                         {ALONE("probe-checkpoint.h5", "checkpoint")},
                         .wanted = is_probed,
                         .work = eex__run_probe},
    [EEX_PHASE_SHARED] = {"shared network",
                          {WITH("shared.h5", "weights", SPLIT),
                           WITH("trace-calibration.h5", "trace", "shared.h5"),
                           WITH("trace-validation.h5", "trace", "shared.h5")},
                          {ALONE("shared-checkpoint.h5", "checkpoint")},
                          .wanted = eex__judge_wants_shared,
                          .work = eex__run_shared},
    [EEX_PHASE_LATENCY] = {"latency",
                           {ALONE("latency.h5", "latency")},
                           .wanted = eex__run_timed,
                           .work = eex__run_latency},
    [EEX_PHASE_SEARCH] = {"search",
                          {WITH("search.h5", "search", SPLIT)},
                          {ALONE("trials-*.h5", "trial"), ALONE("candidate-*.h5", "weights"),
                           ALONE("candidate-checkpoint.h5", "checkpoint")},
                          .work = eex__run_search},
    [EEX_PHASE_TAU] = {"comparison",
                       {ALONE("tau.h5", "tau")},
                       {ALONE("tau-*.h5", "trial")},
                       .wanted = is_compared,
                       .work = eex__run_tau},
    [EEX_PHASE_FINAL] = {"final network",
                         {WITH(EEX_RUN_FINAL, "weights", SPLIT, FINAL_TRACES),
                          WITH("final-calibration.h5", "trace", SPLIT),
                          WITH("final-validation.h5", "trace", SPLIT)},
                         {ALONE("final-checkpoint.h5", "checkpoint")},
                         .work = eex__run_final},
    [EEX_PHASE_PREDICTOR] = {"predictor",
                             {ALONE("final-predictor.h5", "predictor")},
                             {ALONE("final-predictor-checkpoint.h5", "checkpoint")},
                             .wanted = is_predicted,
                             .work = eex__run_predictor,
                             .extra = true},
    [EEX_PHASE_PARTITION] = {"partition",
                             {ALONE(EEX_RUN_ADAPTATION, "adaptation"),
                              ALONE(EEX_RUN_BOTTLENECK, "weights"),
                              ALONE("final-bottleneck-predictor.h5", "predictor"),
                              ALONE("final-filters.h5", "weights")},
                             {ALONE("final-bottleneck-checkpoint.h5", "checkpoint"),
                              ALONE("final-filters-checkpoint.h5", "checkpoint")},
                             .wanted = is_partitioned,
                             .work = eex__run_partition,
                             .extra = true},
    [EEX_PHASE_POLICIES] = {"policies",
                            {WITH("policies.h5", "policies", FINAL_TRACES)},
                            .work = eex__run_policies},
    [EEX_PHASE_FRONT] = {"front",
                         {WITH("front.h5", "front", SPLIT), WITH("front-*.h5", "weights", SPLIT)},
                         {ALONE("front-checkpoint.h5", "checkpoint")},
                         .wanted = is_fronted,
                         .work = eex__run_front},
    [EEX_PHASE_RIVALS] = {"rivals",
                          {WITH("rivals.h5", "rivals", SPLIT),
                           WITH("rival-*.h5", "weights", SPLIT)},
                          {ALONE("rivals-checkpoint.h5", "checkpoint")},
                          .wanted = has_rivals,
                          .work = eex__run_rivals},
    [EEX_PHASE_RESULT] = {"result",
                          {WITH("result.h5", "result", SPLIT, "base.h5", EEX_RUN_FINAL)},
                          .work = eex__run_result},
    [EEX_PHASE_RANKING] = {"ranking",
                           {ALONE("rank.h5", "ranking")},
                           {ALONE("rank-*.h5", "trial")},
                           .wanted = is_never},
};
_Static_assert(sizeof rows / sizeof *rows == EEX_PHASES, "a row a phase");

const eex_phase_row *eex_phase_at(eex_phase phase)
{
    return &rows[phase];
}

/* '*' stands for digits. */
static bool matches(const char *name, const char *pattern)
{
    const char *star = strchr(pattern, '*');
    size_t stem = star ? (size_t)(star - pattern) : 0;
    if (!star)
        return strcmp(name, pattern) == 0;
    return strncmp(name, pattern, stem) == 0 &&
           strcmp(name + stem + strspn(name + stem, "0123456789"), star + 1) == 0;
}

static const eex_phase_file *find(const eex_phase_file *files, const char *name)
{
    for (int i = 0; i < EEX_PHASE_FILES && files[i].name; i++)
        if (matches(name, files[i].name))
            return &files[i];
    return NULL;
}

const eex_phase_file *eex_phase_file_of(eex_phase *phase, const char *name)
{
    for (int p = 0; p < EEX_PHASES; p++) {
        const eex_phase_file *file = find(rows[p].files, name);
        file = file ? file : find(rows[p].temporary, name);
        if (!file)
            continue;
        *phase = (eex_phase)p;
        return file;
    }
    return NULL;
}
