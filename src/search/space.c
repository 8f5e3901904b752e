#include "search/space.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

int eex_space_init(eex_space *out, const int *options, int genes)
{
    if (genes < 1 || genes > EEX_MAX_GENES)
        return eex_fail(EEX_EINVAL, "search space: from 1 to %d genes, got %d", EEX_MAX_GENES,
                        genes);
    for (int i = 0; i < genes; i++)
        if (options[i] < 1 || options[i] > EEX_MAX_OPTIONS)
            return eex_fail(EEX_EINVAL, "search space: gene %d has from 1 to %d options, got %d", i,
                            EEX_MAX_OPTIONS, options[i]);
    memset(out, 0, sizeof *out);
    out->genes = genes;
    memcpy(out->options, options, (size_t)genes * sizeof *options);
    return EEX_OK;
}

double eex_space_size_log2(const eex_space *space)
{
    double bits = 0.0;
    for (int i = 0; i < space->genes; i++)
        bits += log2(space->options[i]);
    return bits;
}

bool eex_space_size(uint64_t *out, const eex_space *space)
{
    uint64_t size = 1;
    for (int i = 0; i < space->genes; i++)
        if (__builtin_mul_overflow(size, (uint64_t)space->options[i], &size))
            return false;
    *out = size;
    return true;
}

void eex_space_genome(int *genome, const eex_space *space, uint64_t index)
{
    for (int i = 0; i < space->genes; i++) {
        const uint64_t options = (uint64_t)space->options[i];
        genome[i] = (int)(index % options);
        index /= options;
    }
}

uint64_t eex_space_index(const eex_space *space, const int *genome)
{
    uint64_t index = 0;
    for (int i = space->genes; i-- > 0;)
        index = index * (uint64_t)space->options[i] + (uint64_t)genome[i];
    return index;
}

int eex_space_check(const eex_space *space, const int *genome)
{
    for (int i = 0; i < space->genes; i++)
        if (genome[i] < 0 || genome[i] >= space->options[i])
            return eex_fail(EEX_EINVAL, "genome: gene %d is from 0 to %d, got %d", i,
                            space->options[i] - 1, genome[i]);
    return EEX_OK;
}

void eex_space_random(int *genome, const eex_space *space, eex_rng *rng)
{
    for (int i = 0; i < space->genes; i++)
        genome[i] = (int)eex_rng_below(rng, (uint64_t)space->options[i]);
}

void eex_space_mutate(int *genome, const eex_space *space, eex_rng *rng)
{
    int choosable = 0;
    for (int i = 0; i < space->genes; i++)
        choosable += space->options[i] > 1;
    if (choosable == 0)
        return;
    int skip = (int)eex_rng_below(rng, (uint64_t)choosable);
    int gene = 0;
    while (space->options[gene] < 2 || skip-- > 0)
        gene++;
    /* One of the options - 1 other values: those from the present one on move up by one. */
    const int value = (int)eex_rng_below(rng, (uint64_t)space->options[gene] - 1);
    genome[gene] = value + (value >= genome[gene]);
}

void eex_space_canonicalise(int *genome, const eex_space *space)
{
    if (space->canonical)
        space->canonical(genome, space->context);
}

bool eex_space_equal(const eex_space *space, const int *a, const int *b)
{
    return memcmp(a, b, (size_t)space->genes * sizeof *a) == 0;
}

uint64_t eex_space_hash(const eex_space *space, const int *genome)
{
    uint64_t hash = (uint64_t)space->genes;
    for (int i = 0; i < space->genes; i++)
        hash = eex_rng_hash(hash, (uint64_t)genome[i], (uint64_t)i);
    return hash;
}

bool eex_space_candidates(uint64_t *out, const eex_space *space)
{
    enum { MOST = 1 << 20 };
    int genome[EEX_MAX_GENES], first[EEX_MAX_GENES];
    uint64_t size = 0, count = 0;
    if (!eex_space_size(&size, space) || size > MOST)
        return false;
    for (uint64_t i = 0; i < size; i++) {
        eex_space_genome(genome, space, i);
        memcpy(first, genome, (size_t)space->genes * sizeof *genome);
        eex_space_canonicalise(first, space);
        count += eex_space_equal(space, genome, first);
    }
    *out = count;
    return true;
}
