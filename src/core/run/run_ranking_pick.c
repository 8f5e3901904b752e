/* Which candidates a ranking compares. Those that a search has kept are nearly equal, so they say
 * nothing about an order; these are drawn from the whole space and taken at even distances of what
 * they cost on average. */
#include "core/run/run_ranking.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A judge that takes time judges fewer. */
enum { DRAWN_QUICKLY = 2000, DRAWN_A_CANDIDATE = 4, STREAM = 1 };

typedef struct draw {
    size_t at; /* in the pool */
    double cost;
    bool taken;
} draw;

static bool known(const eex_trials *pool, const int *genome, const eex_space *space)
{
    for (size_t i = 0; i < pool->count; i++)
        if (eex_space_equal(space, eex_trials_genome(pool, i), genome))
            return true;
    return false;
}

/* Adds the genome with what the judge says, unless it is there or the judge cannot say. */
static int consider(eex_trials *pool, eex_judge *judge, const int *genome)
{
    eex_trial trial;
    if (known(pool, genome, &judge->run->structures->space))
        return EEX_OK;
    EEX_TRY(eex__run_poll());
    EEX_TRY(eex__judge_score(&trial, judge, genome, pool->count));
    const bool usable = trial.status == EEX_OK && isfinite(trial.score) &&
                        isfinite(trial.accuracy) && isfinite(trial.macs);
    return usable ? eex_trials_add(pool, genome, &trial) : EEX_OK;
}

/* What the search chose comes first, then candidates at random. */
static int draw_pool(eex_trials *pool, eex_judge *judge, size_t wanted)
{
    const eex_space *space = &judge->run->structures->space;
    const size_t draws = judge->kind->quick ? DRAWN_QUICKLY : DRAWN_A_CANDIDATE * wanted;
    int genome[EEX_MAX_GENES];
    uint64_t trial;
    eex_rng rng;
    EEX_TRY(eex__run_chosen(genome, judge->run, &trial));
    EEX_TRY(consider(pool, judge, genome));
    if (pool->count == 0)
        return eex_fail(EEX_EDIVERGED, "the candidate that the search chose has no figures");
    eex_rng_seed(&rng, eex__run_seed(judge->run, EEX_STREAM_RANKING, 0), STREAM);
    for (size_t i = 0; i < draws; i++) {
        eex_space_random(genome, space, &rng);
        eex_space_canonicalise(genome, space);
        EEX_TRY(consider(pool, judge, genome));
    }
    return EEX_OK;
}

static int cheaper(const void *a, const void *b)
{
    const draw *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static size_t nearest(const draw *order, size_t count, double cost)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        if (!order[i].taken &&
            (best == SIZE_MAX || fabs(order[i].cost - cost) < fabs(order[best].cost - cost)))
            best = i;
    return best;
}

/* `wanted` of the pool at even distances of cost, from the cheapest to the dearest. */
static int stratify(eex_trials *out, const eex_trials *pool, size_t wanted)
{
    const size_t count = pool->count - 1, take = wanted < count ? wanted : count;
    draw *order = malloc((count + 1) * sizeof *order);
    if (!order)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu candidates", count);
    for (size_t i = 0; i < count; i++)
        order[i] = (draw){i + 1, pool->at[i + 1].macs, false};
    qsort(order, count, sizeof *order, cheaper);
    int code = EEX_OK;
    for (size_t i = 0; i < take && code == EEX_OK; i++) {
        const double part = take > 1 ? (double)i / (double)(take - 1) : 0;
        const size_t n =
            nearest(order, count, order[0].cost + part * (order[count - 1].cost - order[0].cost));
        order[n].taken = true;
        code = eex_trials_add(out, eex_trials_genome(pool, order[n].at), &pool->at[order[n].at]);
    }
    free(order);
    return code;
}

static int pick(eex__ranking *r, eex_judge *judge)
{
    const size_t wanted = (size_t)r->options.candidates;
    eex_trials pool;
    eex_trials_init(&pool, r->run->structures->space.genes);
    int code = draw_pool(&pool, judge, wanted);
    if (code == EEX_OK && pool.count < 2)
        code = eex_fail(EEX_EINVAL, "the space has a single candidate: there is no order to rank");
    if (code == EEX_OK)
        code = eex_trials_add(&r->picked, eex_trials_genome(&pool, 0), &pool.at[0]);
    if (code == EEX_OK)
        code = stratify(&r->picked, &pool, wanted - 1);
    eex_trials_free(&pool);
    return code;
}

int eex__ranking_pick(eex__ranking *r)
{
    eex_judge *judge = NULL;
    EEX_TRY(eex__judge_open(&judge, r->run, eex__judge_of(r->run)));
    int code = pick(r, judge);
    eex__judge_close(judge);
    return code;
}

/* Those that are trained several times lie evenly among the others. */
int eex__ranking_trainings(const eex__ranking *r, size_t i)
{
    const size_t all = r->picked.count, some = (size_t)r->options.repeated;
    const bool repeated = (i + 1) * some / all > i * some / all;
    return repeated ? r->options.trainings : 1;
}
