/* Search spaces: a candidate is a genome of `genes` integers, gene i in 0..options[i]-1.
 *
 * Different genomes may describe the same candidate (a block count of an exit that is switched
 * off). A canonicalisation callback maps each of them to one representative, and that is the one
 * that controllers ask for. Genomes are arrays of `genes` ints that belong to the caller. */
#ifndef EEX_SEARCH_SPACE_H
#define EEX_SEARCH_SPACE_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EEX_MAX_GENES = 512, EEX_MAX_OPTIONS = 1 << 20 };

/* Rewrites a genome to its representative, within the space. Idempotent, and a function of nothing
 * but the genome and the context. */
typedef void (*eex_canonical)(int *genome, const void *context);

/* A value: copies share nothing but the context, which must outlive them. */
typedef struct eex_space {
    int genes;
    int options[EEX_MAX_GENES];
    eex_canonical canonical; /* NULL: every genome is its own representative */
    const void *context;
} eex_space;

/* Fills in a space without canonicalisation; set `canonical` and `context` afterwards. EEX_EINVAL
 * unless there are 1..EEX_MAX_GENES genes of 1..EEX_MAX_OPTIONS options. */
int eex_space_init(eex_space *out, const int *options, int genes);

/* The number of genomes, representatives or not: as a logarithm, and exactly when it fits (false,
 * and *out is untouched, when it does not). */
double eex_space_size_log2(const eex_space *space);
bool eex_space_size(uint64_t *out, const eex_space *space);

/* The number of different candidates, that is of representatives; false, and *out is untouched, for
 * spaces of more than 2^20 genomes, which nobody counts. */
bool eex_space_candidates(uint64_t *out, const eex_space *space);

/* Genomes by number, 0..size-1, gene 0 changing fastest; only for spaces whose size fits. */
void eex_space_genome(int *genome, const eex_space *space, uint64_t index);
uint64_t eex_space_index(const eex_space *space, const int *genome);

/* EEX_EINVAL names the first gene that is out of range. */
int eex_space_check(const eex_space *space, const int *genome);

/* Every genome with the same probability. */
void eex_space_random(int *genome, const eex_space *space, eex_rng *rng);

/* Changes exactly one gene, uniform among those with a choice, to one of its other values, each
 * equally likely. A space of one genome stays as it is. */
void eex_space_mutate(int *genome, const eex_space *space, eex_rng *rng);

void eex_space_canonicalise(int *genome, const eex_space *space);
bool eex_space_equal(const eex_space *space, const int *a, const int *b);
uint64_t eex_space_hash(const eex_space *space, const int *genome);

#endif
