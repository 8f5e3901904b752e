/* The genes of an elastic network, in the order of genomes; nothing for any other network. */
#ifndef EEX_CLI_PRINT_GENES_H
#define EEX_CLI_PRINT_GENES_H

#include "core/graph/graph.h"

#include "base/buffer.h"
#include "base/json.h"

int eex__genes_table(eex_buffer *out, const eex_graph *g);

/* A member "genes" of the object that is open. */
void eex__genes_json(eex_json *j, const eex_graph *g);

#endif
