#include "core/policy/levels.h"
#include "core/policy/replay.h"
#include "core/policy/tally.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sets of samples, 64 to a word. A column has `levels` sets of those that leave there, one a
 * threshold; a replayer of one fixed policy has one. */
struct eex_replayer {
    int samples, exits, levels;
    size_t words;
    uint64_t *leave;    /* (exits, levels, words) */
    uint64_t *right;    /* (exits, words) right and not rejected */
    uint64_t *rejected; /* (exits, words) */
    uint64_t *agreed;   /* (exits, words) the class of the last exit, not rejected */
};

void eex_replayer_free(eex_replayer *r)
{
    if (!r)
        return;
    free(r->leave);
    free(r->right);
    free(r->rejected);
    free(r->agreed);
    free(r);
}

static void bit_set(uint64_t *set, int i, bool value)
{
    set[i / 64] |= (uint64_t)value << (i % 64);
}

static int replayer_allocate(eex_replayer **out, const eex_trace *trace, int levels)
{
    eex_replayer *r = calloc(1, sizeof *r);
    size_t exits = (size_t)trace->exits;
    if (r) {
        r->samples = trace->samples;
        r->exits = trace->exits;
        r->levels = levels;
        r->words = ((size_t)trace->samples + 63) / 64;
        r->leave = calloc(exits * (size_t)levels * r->words, sizeof *r->leave);
        r->right = calloc(exits * r->words, sizeof *r->right);
        r->rejected = calloc(exits * r->words, sizeof *r->rejected);
        r->agreed = calloc(exits * r->words, sizeof *r->agreed);
    }
    if (!r || !r->leave || !r->right || !r->rejected || !r->agreed) {
        eex_replayer_free(r);
        return eex_fail(EEX_ENOMEM, "replayer: out of memory for %d samples x %d exits",
                        trace->samples, trace->exits);
    }
    *out = r;
    return EEX_OK;
}

/* What leaving at column k would be worth, for every sample. */
static void replayer_fill(eex_replayer *r, const eex_trace *trace, const eex_policy *p, int k)
{
    size_t n = (size_t)r->samples, at = (size_t)k * n, set = (size_t)k * r->words;
    const int32_t *end = trace->top + (size_t)(r->exits - 1) * n;
    for (int i = 0; i < r->samples; i++, at++) {
        int32_t top = trace->top[at];
        eex_decision how = eex_policy_judge(p, trace, k, i);
        bool kept = how != EEX_REJECT;
        bit_set(r->right + set, i, kept && top == trace->labels[i]);
        bit_set(r->agreed + set, i, kept && top == end[i]);
        bit_set(r->rejected + set, i, !kept);
        if (r->levels == 1)
            bit_set(r->leave + set, i, how != EEX_GO_ON);
    }
}

static int replayer_check(const eex_trace *trace, const eex_policy *policy)
{
    if (trace->exits != policy->exits || trace->classes != policy->classes)
        return eex_fail(EEX_EINVAL,
                        "replayer: a trace of %d exits x %d classes, a policy of %d x %d",
                        trace->exits, trace->classes, policy->exits, policy->classes);
    return eex_policy_check_trace(policy, trace);
}

int eex_replayer_new(eex_replayer **out, const eex_trace *trace, const eex_policy *policy)
{
    *out = NULL;
    EEX_TRY(replayer_check(trace, policy));
    EEX_TRY(replayer_allocate(out, trace, 1));
    for (int k = 0; k < trace->exits; k++)
        replayer_fill(*out, trace, policy, k);
    return EEX_OK;
}

static void replayer_fill_levels(eex_replayer *r, const eex__levels *levels, int k)
{
    const uint8_t *cell = levels->cell + (size_t)k * (size_t)levels->stride;
    for (int t = 0; t < r->levels; t++) {
        uint64_t *set = r->leave + ((size_t)k * (size_t)r->levels + (size_t)t) * r->words;
        for (int i = 0; i < r->samples; i++)
            bit_set(set, i, cell[i] / 2 > t);
    }
}

int eex_replayer_new_tuned(eex_replayer **out, const eex_trace *trace, const eex_policy *policy,
                           const eex_tuner *tuner)
{
    *out = NULL;
    const eex__levels *like = eex__tuner_levels(tuner);
    eex__levels *levels = NULL;
    EEX_TRY(replayer_check(trace, policy));
    EEX_TRY(eex__levels_new(&levels, trace, policy, like->count, like));
    int status = replayer_allocate(out, trace, levels->count);
    for (int k = 0; k < trace->exits && status == EEX_OK; k++) {
        replayer_fill(*out, trace, policy, k);
        replayer_fill_levels(*out, levels, k);
    }
    eex__levels_free(levels);
    return status;
}

/* Who leaves at every exit with one of the levels. */
static void replayer_fill_level(eex_replayer *r, const eex_trace *trace, const eex_policy *p,
                                int level)
{
    for (int k = 0; k < r->exits; k++) {
        const size_t set = (size_t)k * (size_t)r->levels + (size_t)level;
        for (int i = 0; i < r->samples; i++)
            bit_set(r->leave + set * r->words, i, eex_policy_judge(p, trace, k, i) != EEX_GO_ON);
    }
}

int eex_replayer_new_levels(eex_replayer **out, const eex_trace *trace, const eex_policy *policy,
                            const double *a, int levels)
{
    int all[EEX_MAX_EXITS];
    eex_policy *with = NULL;
    *out = NULL;
    if (levels == 1 && isnan(a[0]))
        return eex_replayer_new(out, trace, policy);
    EEX_TRY(replayer_check(trace, policy));
    for (int k = 0; k < policy->exits; k++)
        all[k] = k;
    EEX_TRY(eex_policy_select(&with, policy, all, policy->exits));
    int status = replayer_allocate(out, trace, levels);
    for (int t = 0; t < levels && status == EEX_OK; t++) {
        for (int k = 0; k < with->exits; k++)
            with->a[k] = isnan(a[t]) ? policy->a[k] : a[t];
        eex_policy_apply(with);
        replayer_fill_level(*out, trace, with, t);
    }
    for (int k = 0; k < trace->exits && status == EEX_OK; k++)
        replayer_fill(*out, trace, with, k); /* whom it rejects, whatever its a */
    eex_policy_free(with);
    return status;
}

/* Ones in a word without the popcnt instruction, which not every x86-64 has. */
static inline int count_ones(uint64_t x)
{
    x -= (x >> 1) & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + ((x >> 2) & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int)((x * UINT64_C(0x0101010101010101)) >> 56);
}

/* A chain of columns as sets; the last takes whoever is left. */
typedef struct chain {
    int count;
    const uint64_t *leave[EEX_MAX_EXITS], *right[EEX_MAX_EXITS], *rejected[EEX_MAX_EXITS],
        *agreed[EEX_MAX_EXITS];
} chain;

static void chain_add(chain *c, const eex_replayer *r, int column, int level)
{
    size_t k = (size_t)column;
    c->leave[c->count] = r->leave + (k * (size_t)r->levels + (size_t)level) * r->words;
    c->right[c->count] = r->right + k * r->words;
    c->rejected[c->count] = r->rejected + k * r->words;
    c->agreed[c->count] = r->agreed + k * r->words;
    c->count++;
}

static void chain_run(eex_outcome *out, const eex_replayer *r, const chain *c, const double *cost)
{
    eex__tally tally = {{0}, {0}, {0}, {0}};
    int odd = r->samples % 64;
    for (size_t w = 0; w < r->words; w++) {
        uint64_t alive = ~UINT64_C(0);
        if (odd && w == r->words - 1)
            alive = (UINT64_C(1) << odd) - 1;
        for (int k = 0; k < c->count && alive; k++) {
            uint64_t gone = k == c->count - 1 ? alive : alive & c->leave[k][w];
            alive &= ~gone;
            tally.left[k] += count_ones(gone);
            tally.right[k] += count_ones(gone & c->right[k][w]);
            tally.rejected[k] += count_ones(gone & c->rejected[k][w]);
            tally.agreed[k] += count_ones(gone & c->agreed[k][w]);
        }
    }
    eex__outcome_finish(out, &tally, r->samples, c->count, cost);
}

void eex_replayer_run(eex_outcome *out, const eex_replayer *r, const int *columns, int count,
                      const double *cost)
{
    chain c = {.count = 0};
    for (int k = 0; k < count; k++)
        chain_add(&c, r, columns[k], 0);
    chain_run(out, r, &c, cost);
}

void eex_replayer_run_point(eex_outcome *out, const eex_replayer *r, const int *columns,
                            const eex_operating_point *point, const double *cost)
{
    chain c = {.count = 0};
    for (int k = 0; k < point->exits; k++)
        chain_add(&c, r, columns[k], point->level[k]);
    chain_run(out, r, &c, cost);
}
