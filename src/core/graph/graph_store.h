/* Graphs in files. */
#ifndef EEX_CORE_GRAPH_GRAPH_STORE_H
#define EEX_CORE_GRAPH_GRAPH_STORE_H

#include "core/graph/graph.h"
#include "core/store/store.h"

/* A graph under `group`: its nodes and exits in order, as the builder functions of graph.h would
 * add them again. Loading does just that, so that a file can hold no graph that a program could not
 * have built. */
int eex_graph_save(const eex_graph *graph, eex_store_file *file, const char *group);
int eex_graph_load(eex_graph **out, eex_store_file *file, const char *group);

#endif
