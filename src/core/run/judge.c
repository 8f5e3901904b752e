#include "core/run/judge.h"

#include "core/graph/elastic.h"
#include "core/run/run.h"

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>

static const eex_judge_kind *const kinds[] = {
    [EEX_EVALUATE_SHARED] = &eex__judge_replay,
    [EEX_EVALUATE_TRAIN] = &eex__judge_train,
};
_Static_assert(sizeof kinds / sizeof *kinds == EEX_EVALUATE_TRAIN + 1, "a judge an evaluator");

const eex_judge_kind *eex__judge_of(const eex_run *run)
{
    if (run->e->search.evaluator == EEX_EVALUATE_SHARED && eex_graph_genes(run->e->backbone))
        return &eex__judge_supernet;
    return kinds[run->e->search.evaluator];
}

bool eex__judge_wants_shared(const eex_run *run)
{
    const bool trains = run->e->search.evaluator == EEX_EVALUATE_TRAIN;
    return eex__judge_of(run)->shared || (trains && run->e->candidate_from == EEX_START_SHARED);
}

int eex__judge_open(eex_judge **out, eex_run *run, const eex_judge_kind *kind)
{
    *out = NULL;
    EEX_TRY(kind->open(out, run));
    (*out)->kind = kind;
    (*out)->run = run;
    return EEX_OK;
}

void eex__judge_close(eex_judge *j)
{
    if (j)
        j->kind->close(j);
}

static void failed(eex_trial *trial, int code)
{
    *trial = (eex_trial){.status = code,
                         .accuracy = NAN,
                         .macs = NAN,
                         .latency = NAN,
                         .agreement = NAN,
                         .rejected = NAN,
                         .least_share = NAN,
                         .violation = NAN,
                         .cut_saved = NAN,
                         .score = NAN,
                         .seconds = trial->seconds};
    eex_text_clip(trial->reason, sizeof trial->reason, eex_error());
}

int eex__judge_score(eex_trial *out, eex_judge *j, const int *genome, uint64_t number)
{
    *out = (eex_trial){.status = EEX_OK};
    int code = j->kind->score(out, j, genome, number);
    if (code != EEX_EDIVERGED && code != EEX_ENOMEM)
        return code;
    failed(out, code);
    eex_log_warn("candidate %llu failed: %s", (unsigned long long)number, out->reason);
    return EEX_OK;
}
