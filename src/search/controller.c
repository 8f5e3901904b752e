#include "search/controller_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Proposals of the algorithm, then random genomes, before the enumeration begins. */
enum { PROPOSALS = 64, RANDOM_TRIES = 64, LONGEST_WALK = 1 << 20 };

int eex__controller_open(eex_controller **out, const eex__algorithm *algorithm,
                         const eex_space *space, const eex_controller_options *options)
{
    *out = NULL;
    if (algorithm->check)
        EEX_TRY(algorithm->check(space, options));
    eex_controller *c = calloc(1, sizeof *c);
    void *memory = algorithm->size > 0 ? calloc(1, algorithm->size) : NULL;
    if (!c || (algorithm->size > 0 && !memory)) {
        free(c);
        free(memory);
        return eex_fail(EEX_ENOMEM, "out of memory: cannot make a search controller");
    }
    c->algorithm = algorithm;
    c->memory = memory;
    c->space = *space;
    c->options = *options;
    eex_genomes_init(&c->told, &c->space);
    eex_genomes_init(&c->pending, &c->space);
    *out = c;
    return EEX_OK;
}

int eex_controller_check(eex_algorithm algorithm, const eex_space *space,
                         const eex_controller_options *options)
{
    const eex__algorithm *row = eex__algorithm_of(algorithm);
    if (!row)
        return eex_fail(EEX_EINVAL, "no search algorithm %d", (int)algorithm);
    return row->check ? row->check(space, options) : EEX_OK;
}

int eex_controller_new(eex_controller **out, eex_algorithm algorithm, const eex_space *space,
                       const eex_controller_options *options)
{
    const eex__algorithm *row = eex__algorithm_of(algorithm);
    *out = NULL;
    if (!row)
        return eex_fail(EEX_EINVAL, "there is no search algorithm with the number %d", algorithm);
    return eex__controller_open(out, row, space, options);
}

void eex_controller_free(eex_controller *c)
{
    if (!c)
        return;
    if (c->algorithm->close)
        c->algorithm->close(c->memory);
    free(c->memory);
    eex_genomes_free(&c->told);
    eex_genomes_free(&c->pending);
    free(c->scores);
    free(c);
}

const eex_space *eex__controller_space(const eex_controller *c)
{
    return &c->space;
}

const eex_controller_options *eex__controller_options(const eex_controller *c)
{
    return &c->options;
}

bool eex__controller_seen(const eex_controller *c, const int *genome)
{
    return eex_genomes_find(NULL, &c->told, genome) || eex_genomes_find(NULL, &c->pending, genome);
}

size_t eex__controller_asked(const eex_controller *c)
{
    return c->told.count + c->pending.count;
}

int eex__controller_objectives(const eex_controller *c)
{
    for (size_t i = 0; i < c->told.count; i++)
        if (eex__score_valid(&c->scores[i]))
            return c->scores[i].objective_count > 0 ? c->scores[i].objective_count : 1;
    return 0;
}

/* NaN is the worst. */
static double violation_of(const eex_score *score)
{
    return score->violation <= 0.0 ? 0.0 : isnan(score->violation) ? INFINITY : score->violation;
}

bool eex__score_better(const eex_score *score, const eex_score *than)
{
    const double violation = violation_of(score), other = violation_of(than);
    return violation != other ? violation < other : score->fitness > than->fitness;
}

void eex__score_objectives(double *out, const eex_score *score)
{
    out[0] = -score->fitness;
    for (int k = 0; k < score->objective_count; k++)
        out[k] = score->objectives[k];
}

static bool unseen(eex_controller *c, int *genome)
{
    eex_space_canonicalise(genome, &c->space);
    return !eex__controller_seen(c, genome);
}

/* Looks through the genomes one after the other, from a random one on. */
static bool walk_to_unseen(eex_controller *c, int *genome, eex_rng *rng)
{
    uint64_t size;
    if (!eex_space_size(&size, &c->space))
        size = UINT64_MAX; /* the walk stays in the part that has numbers */
    const uint64_t steps = size < LONGEST_WALK ? size : LONGEST_WALK;
    uint64_t index = eex_rng_below(rng, size);
    for (uint64_t i = 0; i < steps; i++) {
        eex_space_genome(genome, &c->space, index);
        if (unseen(c, genome))
            return true;
        index = index + 1 < size ? index + 1 : 0;
    }
    return false;
}

/* *found: whether there is an unseen genome. */
static int find_unseen(bool *found, eex_controller *c, int *genome)
{
    eex_rng rng;
    eex_rng_seed(&rng, c->options.seed, eex__controller_asked(c));
    *found = false;
    for (int i = 0; i < PROPOSALS && !*found; i++) {
        EEX_TRY(c->algorithm->propose(c, c->memory, genome, &rng));
        *found = unseen(c, genome);
    }
    for (int i = 0; i < RANDOM_TRIES && !*found; i++) {
        eex_space_random(genome, &c->space, &rng);
        *found = unseen(c, genome);
    }
    if (!*found)
        *found = walk_to_unseen(c, genome, &rng);
    return EEX_OK;
}

static bool limit_reached(const eex_controller *c)
{
    return c->options.trials > 0 && eex__controller_asked(c) >= c->options.trials;
}

/* Looks for what the coming ask answers, unless it is known. */
static int look_ahead(eex_controller *c)
{
    bool found;
    if (c->next_state != EEX__NEXT_UNKNOWN || limit_reached(c))
        return EEX_OK;
    EEX_TRY(find_unseen(&found, c, c->next));
    c->next_state = found ? EEX__NEXT_READY : EEX__NEXT_NONE;
    return EEX_OK;
}

bool eex_controller_done(eex_controller *c)
{
    return look_ahead(c) == EEX_OK && (limit_reached(c) || c->next_state == EEX__NEXT_NONE);
}

int eex_controller_ask(eex_controller *c, int *genome)
{
    EEX_TRY(look_ahead(c));
    if (eex_controller_done(c))
        return eex_fail(EEX_ENOTFOUND, "%s search: no candidate is left after %zu",
                        c->algorithm->name, eex__controller_asked(c));
    EEX_TRY(eex_genomes_add(&c->pending, c->next));
    memcpy(genome, c->next, (size_t)c->space.genes * sizeof *genome);
    c->next_state = EEX__NEXT_UNKNOWN;
    return EEX_OK;
}

int eex_controller_expect(eex_controller *c, const int *genome)
{
    int canonical[EEX_MAX_GENES];
    EEX_TRY(eex_space_check(&c->space, genome));
    memcpy(canonical, genome, (size_t)c->space.genes * sizeof *genome);
    eex_space_canonicalise(canonical, &c->space);
    if (eex__controller_seen(c, canonical))
        return eex_fail(EEX_EINVAL, "%s search: the candidate was asked for before",
                        c->algorithm->name);
    EEX_TRY(eex_genomes_add(&c->pending, canonical));
    c->next_state = EEX__NEXT_UNKNOWN;
    return EEX_OK;
}

static int reserve_score(eex_controller *c)
{
    if (c->told.count < c->score_capacity)
        return EEX_OK;
    const size_t capacity = 2 * c->score_capacity + 64;
    eex_score *scores = realloc(c->scores, capacity * sizeof *scores);
    if (!scores)
        return eex_fail(EEX_ENOMEM, "out of memory: cannot keep more than %zu scores",
                        c->told.count);
    c->scores = scores;
    c->score_capacity = capacity;
    return EEX_OK;
}

/* Adds a trial to the history and tells the algorithm of it: both or neither. */
static int add_trial(eex_controller *c, const int *genome, const eex_score *score)
{
    const size_t trial = c->told.count;
    EEX_TRY(reserve_score(c));
    EEX_TRY(eex_genomes_add(&c->told, genome));
    c->scores[trial] = *score;
    if (!c->algorithm->tell)
        return EEX_OK;
    const int code = c->algorithm->tell(c, c->memory, trial);
    if (code < 0)
        eex_genomes_remove(&c->told, trial);
    return code;
}

static int check_score(const eex_controller *c, const eex_score *score)
{
    const int count = score->objective_count, before = eex__controller_objectives(c);
    if (count < 0 || count > EEX_MAX_OBJECTIVES)
        return eex_fail(EEX_EINVAL, "score: from 0 to %d objectives, got %d", EEX_MAX_OBJECTIVES,
                        count);
    if (eex__score_valid(score) && before > 0 && before != (count > 0 ? count : 1))
        return eex_fail(EEX_EINVAL, "score: %d objectives as the trials before, got %d", before,
                        count);
    return EEX_OK;
}

int eex_controller_tell(eex_controller *c, const int *genome, const eex_score *score)
{
    int canonical[EEX_MAX_GENES];
    size_t position;
    EEX_TRY(check_score(c, score));
    EEX_TRY(eex_space_check(&c->space, genome));
    memcpy(canonical, genome, (size_t)c->space.genes * sizeof *genome);
    eex_space_canonicalise(canonical, &c->space);
    if (eex_genomes_find(&position, &c->told, canonical))
        return eex_fail(EEX_EINVAL, "%s search: the candidate was told before, as trial %zu",
                        c->algorithm->name, position);
    EEX_TRY(add_trial(c, canonical, score));
    if (eex_genomes_find(&position, &c->pending, canonical))
        eex_genomes_remove(&c->pending, position);
    c->next_state = EEX__NEXT_UNKNOWN;
    return EEX_OK;
}

size_t eex_controller_trials(const eex_controller *c)
{
    return c->told.count;
}

const int *eex_controller_genome(const eex_controller *c, size_t trial)
{
    return eex_genomes_at(&c->told, trial);
}

const eex_score *eex_controller_score(const eex_controller *c, size_t trial)
{
    return &c->scores[trial];
}

bool eex_controller_best(size_t *trial, const eex_controller *c)
{
    bool found = false;
    for (size_t i = 0; i < c->told.count; i++) {
        if (!eex__score_valid(&c->scores[i]))
            continue;
        if (!found || eex__score_better(&c->scores[i], &c->scores[*trial]))
            *trial = i;
        found = true;
    }
    return found;
}

size_t eex_controller_pending(const eex_controller *c)
{
    return c->pending.count;
}

const int *eex_controller_pending_genome(const eex_controller *c, size_t i)
{
    return eex_genomes_at(&c->pending, i);
}
