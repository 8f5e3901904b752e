#include "cli/cost_genome.h"

#include "core/graph/elastic.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_GATE = -1 };

void eex__cost_genome_free(eex_cost_genome *genome)
{
    eex_graph_free(genome->graph);
    genome->graph = NULL;
    eex_buffer_free(&genome->text);
}

static bool elastic(const eex_cost_report *space)
{
    return eex_graph_genes(space->graph) > 0;
}

/* ---- words ---- */

/* The next of the comma-separated values, at most `size` - 1 bytes; false behind the last. */
static bool next_word(char *out, size_t size, const char **at)
{
    if (!*at)
        return false;
    const size_t length = strcspn(*at, ","), kept = length < size ? length : size - 1;
    memcpy(out, *at, kept);
    out[kept] = 0;
    *at = (*at)[length] ? *at + length + 1 : NULL;
    return true;
}

static int number_of(double *out, const char *word)
{
    char *end;
    *out = strtod(word, &end);
    return *word && !*end ? EEX_OK
                          : eex_fail(EEX_EINVAL,
                                     "--genome: expected numbers with commas between them, got "
                                     "\"%s\"",
                                     word);
}

/* ---- elastic networks ---- */

static int derive(eex_cost_genome *out, const eex_graph *g, int *genome)
{
    EEX_TRY(eex_genome_canonical(g, genome));
    EEX_TRY(eex_graph_derive(&out->graph, NULL, g, genome));
    for (int i = 0; i < eex_graph_genes(g); i++)
        eex_buffer_printf(&out->text, i ? ",%g" : "%g", eex_graph_gene(g, i)->values[genome[i]]);
    return eex_buffer_status(&out->text);
}

static int parse_genes(eex_cost_genome *out, const eex_graph *g, const char *values)
{
    double number[EEX_GENES];
    int genome[EEX_GENES], count = 0;
    char word[32];
    while (next_word(word, sizeof word, &values)) {
        if (count == EEX_GENES)
            return eex_fail(EEX_EINVAL, "--genome: more than %d values", EEX_GENES);
        EEX_TRY(number_of(&number[count++], word));
    }
    const int code = eex_genome_of_values(genome, g, number, count);
    return code < 0 ? eex_fail_in(code, "--genome") : derive(out, g, genome);
}

/* ---- gates at points ---- */

/* blocks: (points) of each gate, or NO_GATE. */
static int with_gates(eex_cost_genome *out, const eex_cost_report *r, const int *blocks)
{
    eex_gate gates[EEX_MAX_EXITS];
    int count = 0;
    for (int p = 0; p < r->salient.count; p++) {
        eex_buffer_puts(&out->text, p ? "," : "");
        if (blocks[p] == NO_GATE) {
            eex_buffer_putc(&out->text, '-');
            continue;
        }
        eex_buffer_printf(&out->text, "%d", blocks[p]);
        if (count == EEX_MAX_EXITS - 1)
            return eex_fail(EEX_EINVAL, "at most %d gates are possible", EEX_MAX_EXITS - 1);
        gates[count++] = (eex_gate){.point = r->salient.nodes[p],
                                    .blocks = blocks[p],
                                    .family = r->family,
                                    .channels = r->channels};
    }
    EEX_TRY(eex_graph_with_gates(&out->graph, r->graph, gates, count, r->act));
    return eex_buffer_status(&out->text);
}

/* The points that a run would have are known: a probe ranks them only in a run. */
static int check_points(const eex_cost_report *r)
{
    if (r->probe)
        return eex_fail(EEX_EINVAL,
                        "saliency: a run ranks the points by a probe, so what the space "
                        "is is not known before: name the points to count structures");
    if (r->salient.count == 0)
        return eex_fail(EEX_EINVAL, "saliency: there is no point for a gate");
    return EEX_OK;
}

static int blocks_of(int *out, const eex_cost_report *r, int p, const char *word)
{
    char known[160] = "";
    double number = -1;
    const bool none = strcmp(word, "-") == 0;
    *out = NO_GATE;
    if (none && !r->required)
        return EEX_OK;
    if (!none)
        EEX_TRY(number_of(&number, word));
    snprintf(known, sizeof known, "%s", r->required ? "" : " -");
    if (r->each && number == r->each[p]) {
        *out = r->each[p];
        return EEX_OK;
    }
    if (r->each)
        return eex_fail(EEX_EINVAL, "--genome: the gate behind \"%s\" has %d blocks, not %s",
                        eex_graph_node(r->graph, r->salient.nodes[p])->name, r->each[p], word);
    for (int i = 0; i < r->choices; i++) {
        const size_t at = strlen(known);
        snprintf(known + at, sizeof known - at, " %d", r->blocks[i]);
        if (number == r->blocks[i]) {
            *out = r->blocks[i];
            return EEX_OK;
        }
    }
    return eex_fail(EEX_EINVAL, "--genome: a gate behind \"%s\" has one of%s blocks, not %s%s",
                    eex_graph_node(r->graph, r->salient.nodes[p])->name, known, word,
                    none ? " (gates.required: each point has one)" : "");
}

static int parse_gates(eex_cost_genome *out, const eex_cost_report *r, const char *values)
{
    int blocks[sizeof r->salient.nodes / sizeof *r->salient.nodes], count = 0;
    char word[32];
    EEX_TRY(check_points(r));
    for (; next_word(word, sizeof word, &values); count++)
        if (count < r->salient.count)
            EEX_TRY(blocks_of(&blocks[count], r, count, word));
    if (count != r->salient.count)
        return eex_fail(EEX_EINVAL, "--genome: there are %d points for gates, not %d",
                        r->salient.count, count);
    return with_gates(out, r, blocks);
}

static int extreme_gates(eex_cost_genome *out, const eex_cost_report *r, bool largest)
{
    int blocks[sizeof r->salient.nodes / sizeof *r->salient.nodes];
    EEX_TRY(check_points(r));
    for (int p = 0; p < r->salient.count; p++)
        blocks[p] = r->each && (largest || r->required) ? r->each[p]
                    : largest                           ? r->blocks[r->choices - 1]
                    : r->required                       ? r->blocks[0]
                                                        : NO_GATE;
    return with_gates(out, r, blocks);
}

/* ---- either ---- */

static int ended(eex_cost_genome *out, int code)
{
    if (code < 0)
        eex__cost_genome_free(out);
    return code;
}

int eex__cost_genome_parse(eex_cost_genome *out, const eex_cost_report *space, const char *values)
{
    *out = (eex_cost_genome){.text = EEX_BUFFER_INIT};
    return ended(out, elastic(space) ? parse_genes(out, space->graph, values)
                                     : parse_gates(out, space, values));
}

int eex__cost_genome_extreme(eex_cost_genome *out, const eex_cost_report *space, bool largest)
{
    int genome[EEX_GENES];
    *out = (eex_cost_genome){.text = EEX_BUFFER_INIT};
    if (!elastic(space))
        return ended(out, extreme_gates(out, space, largest));
    (largest ? eex_genome_largest : eex_genome_smallest)(space->graph, genome);
    return ended(out, derive(out, space->graph, genome));
}
