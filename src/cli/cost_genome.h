/* Structures of a script's space, for eex cost: a genome by its values, the smallest, the largest.
 *
 * The space of an elastic network is its genes: a value each, as g:genes() lists them. That of any
 * other network is its salient points: how many blocks the gate there has, "-" for no gate. */
#ifndef EEX_CLI_COST_GENOME_H
#define EEX_CLI_COST_GENOME_H

#include "cli/print_cost.h"

#include "base/buffer.h"

typedef struct eex_cost_genome {
    eex_graph *graph; /* its network: the caller frees it */
    eex_buffer text;  /* its values in canonical form: "2,3,5"; the caller frees it */
} eex_cost_genome;

void eex__cost_genome_free(eex_cost_genome *genome);

/* EEX_EINVAL says which value is wrong, and what there is instead. On failure *out is empty. */
int eex__cost_genome_parse(eex_cost_genome *out, const eex_cost_report *space, const char *values);
int eex__cost_genome_extreme(eex_cost_genome *out, const eex_cost_report *space, bool largest);

#endif
