#include "core/run/structure_described.h"

#include "core/run/structure_gates.h"

#include "base/status.h"

#include <stdlib.h>

enum { MAX_NAMES = 1 << 20, MAX_BLOCKS = 64 };

struct eex_described {
    eex_store_list points; /* names of nodes */
    int choices;
    int32_t *blocks; /* (choices) */
    int first;       /* the gene of the first choice: 0 where no gate is none of them */
};

int eex__gates_describe(eex_store_file *file, const eex_structures *s)
{
    const eex__gates *g = (const eex__gates *)s;
    const char *names[EEX_MAX_EXITS];
    int32_t blocks[EEX_MAX_CHOICES];
    const eex_store_shape choices = {1, {(uint64_t)g->choices}};
    for (int p = 0; p < g->points.count; p++)
        names[p] = eex_graph_node(g->backbone, g->points.nodes[p])->name;
    for (int i = 0; i < g->choices; i++)
        blocks[i] = g->blocks[i];
    EEX_TRY(eex_store_write_strings(file, "space/points", names, (size_t)g->points.count));
    EEX_TRY(eex_store_write(file, "space/blocks", EEX_STORE_I32, &choices, blocks));
    if (g->required)
        EEX_TRY(eex_store_set_int(file, "space", "required", 1));
    return eex_store_set_string(file, "space", "genome",
                                g->required ? "one gene a point: i the i-th of blocks, from 0"
                                            : "one gene a point: 0 no gate, i the i-th of blocks");
}

static int load(eex_described *d, eex_store_file *file)
{
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    EEX_TRY(eex_store_read_strings(&d->points, file, "space/points", MAX_NAMES));
    EEX_TRY(eex_store_read_new((void **)&d->blocks, file, "space/blocks", EEX_STORE_I32, &shape,
                               MAX_BLOCKS * sizeof *d->blocks));
    d->choices = (int)shape.extent[0];
    const int required = eex_store_has_attribute(file, "space", "required");
    d->first = required > 0 ? 0 : 1;
    return required < 0 ? required : EEX_OK;
}

int eex_described_load(eex_described **out, eex_store_file *file)
{
    eex_described *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return eex_fail(EEX_ENOMEM, "out of memory for a space of structures");
    int code = load(d, file);
    if (code != EEX_OK) {
        eex_described_free(d);
        return code;
    }
    *out = d;
    return EEX_OK;
}

void eex_described_free(eex_described *d)
{
    if (!d)
        return;
    eex_store_list_free(&d->points);
    free(d->blocks);
    free(d);
}

int eex_described_parts(eex_structure_part *parts, int capacity, const eex_described *d,
                        const int *genome, int genes)
{
    int count = 0;
    for (int p = 0; p < genes && (size_t)p < d->points.count && count < capacity; p++)
        if (genome[p] >= d->first && genome[p] - d->first < d->choices)
            parts[count++] =
                (eex_structure_part){p + 1, d->points.item[p], d->blocks[genome[p] - d->first]};
    return count;
}
