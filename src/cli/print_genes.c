#include "cli/print_genes.h"

#include "core/graph/elastic.h"

#include "base/status.h"
#include "base/table.h"
#include "base/terminal.h"

#include <unistd.h>

static void gene_values(eex_buffer *out, const eex_gene *gene)
{
    for (int o = 0; o < gene->options; o++)
        eex_buffer_printf(out, o ? ", %g" : "%g", gene->values[o]);
}

int eex__genes_table(eex_buffer *out, const eex_graph *g)
{
    eex_table *t = NULL;
    eex_buffer values = EEX_BUFFER_INIT;
    if (eex_graph_genes(g) == 0)
        return EEX_OK;
    eex_buffer_printf(out,
                      "\nthat is the largest network of %d genes, in the order of --genome\n\n",
                      eex_graph_genes(g));
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "gene", EEX_ALIGN_LEFT, 3);
    eex_table_column(t, "kind", EEX_ALIGN_LEFT, 2);
    eex_table_column(t, "values", EEX_ALIGN_LEFT, 1);
    for (int i = 0; i < eex_graph_genes(g); i++) {
        const eex_gene *gene = eex_graph_gene(g, i);
        eex_buffer_clear(&values);
        gene_values(&values, gene);
        eex_table_row(t);
        eex_table_cell(t, "%s", gene->name);
        eex_table_cell(t, "%s", eex_gene_kind_name(gene->kind));
        eex_table_cell(t, "%s", eex_buffer_text(&values));
    }
    eex_buffer_free(&values);
    const int code = eex_table_format(out, t, eex__terminal_width(STDOUT_FILENO));
    eex_table_free(t);
    return code;
}

void eex__genes_json(eex_json *j, const eex_graph *g)
{
    if (eex_graph_genes(g) == 0)
        return;
    eex_json_array(j, "genes");
    for (int i = 0; i < eex_graph_genes(g); i++) {
        const eex_gene *gene = eex_graph_gene(g, i);
        eex_json_object(j, NULL);
        eex_json_string(j, "name", gene->name);
        eex_json_string(j, "kind", eex_gene_kind_name(gene->kind));
        eex_json_array(j, "values");
        for (int o = 0; o < gene->options; o++)
            eex_json_double(j, NULL, gene->values[o]);
        eex_json_end(j);
        eex_json_end(j);
    }
    eex_json_end(j);
}
