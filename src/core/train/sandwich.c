/* Which networks a step of a supernet trains. */
#include "core/graph/elastic.h"
#include "core/train/supernet.h"

#include "base/rng.h"
#include "base/status.h"

#include <string.h>

enum { SANDWICH_STREAM = 0x5a };

static bool elastic(const eex_recipe *r, const eex_gene *gene, const eex_step *step)
{
    return step->epoch >= (uint32_t)r->shrink[gene->kind];
}

/* rng NULL: the smallest. A gene that is not elastic yet takes its numbers all the same, so that
 * the others' do not depend on it. */
static void draw(int *genome, const eex_graph *g, const eex_recipe *r, const eex_step *step,
                 eex_rng *rng)
{
    for (int i = 0; i < eex_graph_genes(g); i++) {
        const eex_gene *gene = eex_graph_gene(g, i);
        const int drawn = rng ? (int)eex_rng_below(rng, (uint64_t)gene->options) : 0;
        genome[i] = elastic(r, gene, step) ? drawn : gene->options - 1;
    }
    (void)eex_genome_canonical(g, genome); /* every option is in range */
}

static bool there(const int *genomes, int count, const int *genome, size_t bytes)
{
    const size_t genes = bytes / sizeof *genome;
    for (int i = 0; i < count; i++)
        if (memcmp(genomes + (size_t)i * genes, genome, bytes) == 0)
            return true;
    return false;
}

int eex_sandwich_draw(int *genomes, const eex_graph *g, const eex_recipe *r, const eex_step *step)
{
    int largest[EEX_GENES], count = 0;
    const size_t genes = (size_t)eex_graph_genes(g), bytes = genes * sizeof *genomes;
    eex_genome_largest(g, largest);
    (void)eex_genome_canonical(g, largest);
    for (int i = 0; i <= r->random; i++) {
        int *genome = genomes + (size_t)count * genes;
        eex_rng rng;
        eex_rng_seed(&rng, eex_rng_hash(step->seed, step->step, (uint64_t)i), SANDWICH_STREAM);
        draw(genome, g, r, step, i < r->random ? &rng : NULL);
        const bool known = memcmp(genome, largest, bytes) == 0;
        if (!known && !there(genomes, count, genome, bytes))
            count++;
    }
    return count;
}
