/* Settings judged on a trace: sample by sample, or, for the search of the best, by sets of bits. */
#include "core/policy/adapt_impl.h"
#include "core/policy/levels.h"
#include "core/policy/replay.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 64, GAMMAS = 16, STARTS = 9, SWEEPS = 20 };

struct eex_adapter {
    const eex_trace *trace;
    const float *scores;
    eex_policy *policy; /* settings go into its a */
    double *own;        /* (exits) its a as it came */
    eex_parts parts;
    eex__levels *levels; /* the first and the last of each exit, which are infinite, are not used */
    int gammas;
    size_t words;
    uint64_t *leave; /* (exits - 1, LEVELS, words) who would leave */
    uint64_t *ask;   /* (exits - 1, gammas, words) whose gate is computed */
    uint64_t *right; /* (exits, words) */
};

/* ---- making ---- */

static void bit_set(uint64_t *set, int i, bool value)
{
    if (value)
        set[i / 64] |= UINT64_C(1) << (i % 64);
}

static void fill_exit(eex_adapter *d, int k)
{
    const eex_trace *t = d->trace;
    const uint8_t *cell = d->levels->cell + (size_t)k * (size_t)d->levels->stride;
    const bool gate = k < t->exits - 1;
    for (int i = 0; i < t->samples; i++) {
        bit_set(d->right + (size_t)k * d->words, i, cell[i] % 2);
        for (int l = 0; l < LEVELS && gate; l++)
            bit_set(d->leave + ((size_t)k * LEVELS + (size_t)l) * d->words, i, cell[i] / 2 > l);
        for (int g = 0; g < d->gammas && gate; g++)
            bit_set(d->ask + ((size_t)k * (size_t)d->gammas + (size_t)g) * d->words, i,
                    g == 0 || (double)d->scores[k * t->samples + i] >= (double)g / GAMMAS);
    }
}

static int fill(eex_adapter *d, const eex_policy *policy)
{
    const eex_trace *t = d->trace;
    const size_t exits = (size_t)t->exits;
    int all[EEX_MAX_EXITS];
    for (int k = 0; k < t->exits; k++)
        all[k] = k;
    EEX_TRY(eex_policy_select(&d->policy, policy, all, t->exits));
    EEX_TRY(eex__levels_new(&d->levels, t, policy, LEVELS, NULL));
    d->own = malloc(exits * sizeof *d->own);
    d->leave = calloc(exits * LEVELS * d->words, sizeof *d->leave);
    d->ask = calloc(exits * (size_t)d->gammas * d->words, sizeof *d->ask);
    d->right = calloc(exits * d->words, sizeof *d->right);
    if (!d->own || !d->leave || !d->ask || !d->right)
        return eex_fail(EEX_ENOMEM, "adapting: out of memory for %d samples", t->samples);
    memcpy(d->own, policy->a, exits * sizeof *d->own);
    for (int k = 0; k < t->exits; k++)
        fill_exit(d, k);
    return EEX_OK;
}

int eex_adapter_new(eex_adapter **out, const eex_trace *trace, const eex_policy *policy,
                    const eex_parts *parts, const float *scores)
{
    eex_outcome ignored;
    *out = NULL;
    EEX_TRY(eex_parts_check(parts));
    if (parts->exits != trace->exits)
        return eex_fail(EEX_EINVAL, "adapting: a trace of %d exits, parts of %d: the same expected",
                        trace->exits, parts->exits);
    EEX_TRY(eex_replay(&ignored, trace, policy, NULL, NULL, NULL)); /* that they fit each other */
    eex_adapter *d = calloc(1, sizeof *d);
    if (!d)
        return eex_fail(EEX_ENOMEM, "adapting: out of memory");
    d->trace = trace;
    d->scores = scores;
    d->parts = *parts;
    d->gammas = scores ? GAMMAS : 1;
    d->words = ((size_t)trace->samples + 63) / 64;
    int code = fill(d, policy);
    if (code < 0)
        eex_adapter_free(d);
    else
        *out = d;
    return code;
}

void eex_adapter_free(eex_adapter *d)
{
    if (!d)
        return;
    eex_policy_free(d->policy);
    eex__levels_free(d->levels);
    free(d->own);
    free(d->leave);
    free(d->ask);
    free(d->right);
    free(d);
}

/* A threshold of a level that is finite; levels of exits without any spread are not. */
static double finite_level(const eex_adapter *d, int k, int level)
{
    const double a = d->levels->a[(size_t)k * LEVELS + (size_t)level];
    return isfinite(a) ? a : 0;
}

void eex_adapter_static(eex_settings *out, const eex_adapter *d)
{
    *out = (eex_settings){.exits = d->trace->exits};
    for (int k = 0; k < out->exits - 1; k++)
        out->a[k] =
            isfinite(d->own[k]) ? d->own[k] : finite_level(d, k, d->own[k] < 0 ? 1 : LEVELS - 2);
}

/* ---- sample by sample ---- */

/* What one input takes on the device, and where it leaves: at the last exit it is sent. */
static int walk(double *operations, const eex_adapter *d, const eex_settings *s, int i, bool oracle)
{
    const eex_parts *p = &d->parts;
    const eex_trace *t = d->trace;
    *operations = oracle ? 0 : p->predictor;
    for (int k = 0; k < t->exits - 1; k++) {
        const bool ask =
            oracle || !d->scores || (double)d->scores[k * t->samples + i] >= s->gamma[k];
        const bool leaves = ask && eex_policy_judge(d->policy, t, k, i) != EEX_GO_ON;
        *operations += p->trunk[k] + ((oracle ? leaves : ask) ? p->gate[k] : 0);
        if (leaves)
            return k;
    }
    *operations += p->trunk[t->exits - 1];
    return t->exits - 1;
}

static int check_settings(const eex_adapter *d, const eex_settings *s)
{
    if (s->exits != d->trace->exits)
        return eex_fail(EEX_EINVAL, "adapting: settings of %d exits for %d", s->exits,
                        d->trace->exits);
    for (int k = 0; k < s->exits - 1; k++)
        if (isnan(s->a[k]) || isnan(s->gamma[k]))
            return eex_fail(EEX_EINVAL, "adapting: a setting of exit %d is not a number", k);
    return EEX_OK;
}

static int judge(eex_settled *out, eex_adapter *d, const eex_settings *s, const eex_line *line,
                 double latency, bool oracle)
{
    const eex_trace *t = d->trace;
    double ms = 0, operations;
    int right = 0, sent = 0, within = 0;
    EEX_TRY(check_settings(d, s));
    EEX_TRY(eex_line_check(line));
    memcpy(d->policy->a, s->a, (size_t)(s->exits - 1) * sizeof *s->a);
    eex_policy_apply(d->policy);
    for (int i = 0; i < t->samples; i++) {
        const int k = walk(&operations, d, s, i, oracle);
        const bool last = k == t->exits - 1;
        right += eex_policy_judge(d->policy, t, k, i) == EEX_ACCEPT &&
                 t->top[(size_t)k * (size_t)t->samples + (size_t)i] == t->labels[i];
        sent += last;
        const double own =
            eex_line_device_ms(line, operations) + (last ? eex_line_server_ms(line, &d->parts) : 0);
        ms += own;
        within += own <= latency;
    }
    *out = (eex_settled){.accuracy = (double)right / t->samples,
                         .ms = ms / t->samples,
                         .within = (double)within / t->samples,
                         .sent = (double)sent / t->samples};
    out->bytes = out->sent * d->parts.bytes;
    out->kept = out->ms <= latency;
    return EEX_OK;
}

int eex_adapter_judge(eex_settled *out, eex_adapter *d, const eex_settings *s, const eex_line *line,
                      double latency)
{
    return judge(out, d, s, line, latency, false);
}

int eex_adapter_oracle(eex_settled *out, eex_adapter *d, const eex_settings *s,
                       const eex_line *line, double latency)
{
    return judge(out, d, s, line, latency, true);
}

/* ---- the best ---- */

typedef struct choice {
    uint8_t level[EEX_MAX_EXITS], gamma[EEX_MAX_EXITS];
} choice;

typedef struct search {
    const eex_adapter *d;
    double latency;
    bool oracle;
    double trunk_ms[EEX_MAX_EXITS], gate_ms[EEX_MAX_EXITS], sent_ms, first_ms;
} search;

typedef struct score {
    int right;
    double ms;
    bool kept;
} score;

static int ones(uint64_t x)
{
    return __builtin_popcountll(x);
}

/* A word of samples through the exits. */
static void pass(score *s, const search *by, const choice *c, size_t w, uint64_t alive)
{
    const eex_adapter *d = by->d;
    const int last = d->trace->exits - 1;
    for (int k = 0; k < last && alive; k++) {
        const size_t set = (size_t)k * LEVELS + c->level[k];
        const size_t asked = (size_t)k * (size_t)d->gammas + c->gamma[k];
        const uint64_t ask = by->oracle ? alive : alive & d->ask[asked * d->words + w];
        const uint64_t gone = ask & d->leave[set * d->words + w];
        s->ms += ones(alive) * by->trunk_ms[k] + ones(by->oracle ? gone : ask) * by->gate_ms[k];
        s->right += ones(gone & d->right[(size_t)k * d->words + w]);
        alive &= ~gone;
    }
    s->ms += ones(alive) * by->sent_ms;
    s->right += ones(alive & d->right[(size_t)last * d->words + w]);
}

static score replay(const search *by, const choice *c)
{
    const eex_adapter *d = by->d;
    const int odd = d->trace->samples % 64;
    score s = {.right = 0};
    for (size_t w = 0; w < d->words; w++)
        pass(&s, by, c, w, odd && w == d->words - 1 ? (UINT64_C(1) << odd) - 1 : ~UINT64_C(0));
    s.ms = s.ms / d->trace->samples + by->first_ms;
    s.kept = s.ms <= by->latency;
    return s;
}

static bool better(const score *a, const score *b)
{
    if (a->kept != b->kept)
        return a->kept;
    if (a->kept && a->right != b->right)
        return a->right > b->right;
    return a->ms < b->ms;
}

/* The best threshold and gamma of one exit, the others as they are. */
static bool settle(choice *c, score *best, const search *by, int k)
{
    const int gammas = by->oracle ? 1 : by->d->gammas;
    choice with = *c;
    bool moved = false;
    for (int l = 1; l < LEVELS - 1; l++)
        for (int g = 0; g < gammas; g++) {
            with.level[k] = (uint8_t)l;
            with.gamma[k] = (uint8_t)g;
            const score s = replay(by, &with);
            if (better(&s, best)) {
                *best = s;
                *c = with;
                moved = true;
            }
        }
    return moved;
}

static score ascend(choice *c, const search *by, int start)
{
    *c = (choice){.level = {0}};
    for (int k = 0; k < by->d->trace->exits - 1; k++)
        c->level[k] = (uint8_t)(1 + start * (LEVELS - 3) / (STARTS - 1));
    score best = replay(by, c);
    bool moved = true;
    for (int sweep = 0; sweep < SWEEPS && moved; sweep++) {
        moved = false;
        for (int k = by->d->trace->exits - 2; k >= 0; k--)
            moved = settle(c, &best, by, k) || moved;
    }
    return best;
}

static search begin(const eex_adapter *d, const eex_line *line, double latency, bool oracle)
{
    search by = {.d = d, .latency = latency, .oracle = oracle};
    const int last = d->trace->exits - 1;
    for (int k = 0; k <= last; k++) {
        by.trunk_ms[k] = eex_line_device_ms(line, d->parts.trunk[k]);
        by.gate_ms[k] = eex_line_device_ms(line, d->parts.gate[k]);
    }
    by.sent_ms = by.trunk_ms[last] + eex_line_server_ms(line, &d->parts);
    by.first_ms = oracle ? 0 : eex_line_device_ms(line, d->parts.predictor);
    return by;
}

int eex_adapter_best(eex_settings *out, eex_settled *found, eex_adapter *d, const eex_line *line,
                     double latency, bool oracle)
{
    eex_settled ignored;
    choice best = {.level = {0}}, c;
    score most = {.ms = INFINITY};
    EEX_TRY(eex_line_check(line));
    const search by = begin(d, line, latency, oracle);
    for (int start = 0; start < STARTS; start++) {
        const score s = ascend(&c, &by, start);
        if (better(&s, &most)) {
            most = s;
            best = c;
        }
    }
    *out = (eex_settings){.exits = d->trace->exits};
    for (int k = 0; k < out->exits - 1; k++) {
        out->a[k] = finite_level(d, k, best.level[k]);
        out->gamma[k] = (double)best.gamma[k] / GAMMAS;
    }
    return judge(found ? found : &ignored, d, out, line, latency, oracle);
}
