#include "search/predictor.h"

#include "search/bend.h"
#include "search/rank.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDS = 10, FEWEST = 3, LEAST = 6 }; /* fewest samples in a part, and in all */

static const struct {
    eex_surrogate_kind kind;
    eex_coding_kind coding;
} rivals[] = {
    {EEX_SURROGATE_RIDGE, EEX_CODE_SIMPLEX}, /* also where there is too little to compare */
    {EEX_SURROGATE_GP, EEX_CODE_SIMPLEX},    {EEX_SURROGATE_GP, EEX_CODE_ORDERED},
    {EEX_SURROGATE_RBF, EEX_CODE_SIMPLEX},   {EEX_SURROGATE_RBF, EEX_CODE_ORDERED},
    {EEX_SURROGATE_CART, EEX_CODE_ORDERED},  {EEX_SURROGATE_MLP, EEX_CODE_SIMPLEX},
};

enum { RIVALS = sizeof rivals / sizeof *rivals };

struct eex_predictor {
    eex_predictor_choice choice;
    eex_bend bend;
    eex_surrogate *surrogate;
};

/* What cross-validation works with. */
typedef struct ring {
    const eex_space *space;
    uint64_t seed;
    size_t n, folds;
    int *genomes;   /* (n, genes), shuffled */
    double *values; /* (n), likewise, bent */
    int *kept;      /* those that are fitted, without a part */
    double *kept_values;
    double *predicted;
} ring;

static int fit_rival(eex_surrogate **out, const ring *r, size_t rival, const eex_samples *samples,
                     const eex_surrogate *like)
{
    eex_coding coding;
    eex_coding_init(&coding, r->space, rivals[rival].coding);
    return eex_surrogate_fit(out, rivals[rival].kind, &coding, samples, r->seed, like);
}

/* Tau of one part, predicted from the others; 0 where it has none. */
static int validate(double *tau, const ring *r, size_t rival, size_t fold,
                    const eex_surrogate *whole)
{
    const size_t genes = (size_t)r->space->genes;
    const size_t first = fold * r->n / r->folds, end = (fold + 1) * r->n / r->folds;
    const eex_samples rest = {r->kept, r->kept_values, r->n - (end - first)};
    eex_surrogate *s = NULL;
    memcpy(r->kept, r->genomes, first * genes * sizeof *r->kept);
    memcpy(r->kept + first * genes, r->genomes + end * genes,
           (r->n - end) * genes * sizeof *r->kept);
    memcpy(r->kept_values, r->values, first * sizeof *r->values);
    memcpy(r->kept_values + first, r->values + end, (r->n - end) * sizeof *r->values);
    *tau = NAN;
    EEX_TRY(fit_rival(&s, r, rival, &rest, whole));
    int code = eex_surrogate_predict(r->predicted, s, r->genomes + first * genes, end - first);
    eex_surrogate_free(s);
    for (size_t i = 0; i < end - first; i++)
        if (!isfinite(r->predicted[i]))
            r->predicted[i] = 0.0;
    if (code == EEX_OK)
        code = eex_rank_kendall(tau, r->predicted, r->values + first, end - first);
    *tau = isnan(*tau) ? 0.0 : *tau;
    return code;
}

static int judge(eex_predictor_choice *out, const ring *r, size_t rival, const eex_surrogate *whole)
{
    double taus[FOLDS], sum = 0.0, squares = 0.0;
    for (size_t fold = 0; fold < r->folds; fold++) {
        EEX_TRY(validate(&taus[fold], r, rival, fold, whole));
        sum += taus[fold];
    }
    out->kind = rivals[rival].kind;
    out->coding = rivals[rival].coding;
    out->tau = sum / (double)r->folds;
    for (size_t fold = 0; fold < r->folds; fold++)
        squares += (taus[fold] - out->tau) * (taus[fold] - out->tau);
    out->deviation = sqrt(squares / (double)r->folds);
    return EEX_OK;
}

/* Lets a rival replace what was best so far. */
static int challenge(eex_predictor *p, const ring *r, size_t rival)
{
    const eex_samples all = {r->genomes, r->values, r->n};
    eex_predictor_choice choice = {rivals[rival].kind, rivals[rival].coding, NAN, NAN};
    eex_surrogate *s = NULL;
    EEX_TRY(fit_rival(&s, r, rival, &all, NULL));
    const int code = r->n < LEAST ? EEX_OK : judge(&choice, r, rival, s);
    const bool better =
        code == EEX_OK &&
        (!p->surrogate || choice.tau - choice.deviation > p->choice.tau - p->choice.deviation);
    if (better) {
        eex_surrogate_free(p->surrogate);
        p->surrogate = s;
        p->choice = choice;
    } else {
        eex_surrogate_free(s);
    }
    return code;
}

static int compare(eex_predictor *p, const ring *r, eex_surrogate_set kinds)
{
    const eex_surrogate_set all = (1U << EEX_SURROGATES) - 1U;
    const eex_surrogate_set set = kinds & all ? kinds : all & ~(1U << EEX_SURROGATE_MLP);
    for (size_t i = 0; i < RIVALS; i++)
        if (set >> rivals[i].kind & 1U)
            EEX_TRY(challenge(p, r, i));
    return EEX_OK;
}

/* Shuffled and bent, so that a part is a fair choice. */
static void fill(ring *r, eex_predictor *p, const eex_samples *samples, uint32_t *order)
{
    const size_t genes = (size_t)r->space->genes;
    eex_rng rng;
    eex_rng_seed(&rng, r->seed, samples->n);
    memcpy(r->values, samples->values, r->n * sizeof *r->values);
    eex_bend_find(&p->bend, r->values, r->n);
    for (size_t i = 0; i < r->n; i++)
        order[i] = (uint32_t)i;
    eex_rng_shuffle(&rng, order, r->n);
    for (size_t i = 0; i < r->n; i++) {
        memcpy(r->genomes + i * genes, samples->genomes + order[i] * genes,
               genes * sizeof *r->genomes);
        r->values[i] = eex_bend_there(&p->bend, samples->values[order[i]]);
    }
}

static int check(const eex_samples *samples)
{
    if (samples->n < 1)
        return eex_fail(EEX_EINVAL, "predictor: there is nothing to learn from");
    for (size_t i = 0; i < samples->n; i++)
        if (!isfinite(samples->values[i]))
            return eex_fail(EEX_EINVAL, "predictor: value %zu is not finite", i);
    return EEX_OK;
}

int eex_predictor_fit(eex_predictor **out, const eex_space *space, const eex_samples *samples,
                      eex_surrogate_set kinds, uint64_t seed)
{
    *out = NULL;
    EEX_TRY(check(samples));
    const size_t n = samples->n, genes = (size_t)space->genes;
    ring r = {.space = space, .seed = seed, .n = n};
    r.folds = n / FEWEST < FOLDS ? n / FEWEST : FOLDS;
    eex_predictor *p = calloc(1, sizeof *p);
    uint32_t *order = malloc(n * sizeof *order);
    r.genomes = malloc(2 * n * genes * sizeof *r.genomes);
    r.values = malloc(3 * n * sizeof *r.values);
    int code = EEX_OK;
    if (p && order && r.genomes && r.values) {
        r.kept = r.genomes + n * genes;
        r.kept_values = r.values + n;
        r.predicted = r.values + 2 * n;
        fill(&r, p, samples, order);
        code = compare(p, &r, kinds);
    } else {
        code = eex_fail(EEX_ENOMEM, "out of memory: no predictor of %zu values", n);
    }
    free(order);
    free(r.genomes);
    free(r.values);
    if (code == EEX_OK)
        *out = p;
    else
        eex_predictor_free(p);
    return code;
}

void eex_predictor_free(eex_predictor *p)
{
    if (!p)
        return;
    eex_surrogate_free(p->surrogate);
    free(p);
}

const eex_predictor_choice *eex_predictor_chosen(const eex_predictor *p)
{
    return &p->choice;
}

int eex_predictor_predict(double *values, const eex_predictor *p, const int *genomes, size_t n)
{
    EEX_TRY(eex_surrogate_predict(values, p->surrogate, genomes, n));
    for (size_t i = 0; i < n; i++)
        values[i] = eex_bend_back(&p->bend, values[i]);
    return EEX_OK;
}
