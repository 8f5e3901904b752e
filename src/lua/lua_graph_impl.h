/* What the files of graph objects share. */
#ifndef EEX_LUA_LUA_GRAPH_IMPL_H
#define EEX_LUA_LUA_GRAPH_IMPL_H

#include "core/graph/elastic.h"
#include "lua/args.h"
#include "lua/lua_class.h"

#include <lauxlib.h>

/* The graph that a method is called on. */
eex_graph *eex__lua_graph_self(lua_State *L);

/* Pushes the graph that `make` makes, or raises its error. */
int eex__lua_graph_push(lua_State *L, int (*make)(eex_graph **out, void *ctx), void *ctx);

/* A node, as scripts have them; -1 for an integer that is none. */
int eex__lua_graph_value(lua_State *L, int index);

/* Methods, by what they are for; those of elastic graphs are the last. */
extern const eex__lua_function eex__lua_graph_building[], eex__lua_graph_looking[],
    eex__lua_graph_gating[];
extern const eex__lua_function eex__lua_elastic_methods[];

/* A number that may depend on a gene. */
typedef struct eex__lua_choice {
    int gene;    /* -1: it does not */
    int largest; /* the number, or the last one */
    int values[EEX_GENE_OPTIONS];
} eex__lua_choice;

/* A positive integer, or what g:choice has made. */
void eex__lua_read_choice(eex__lua_choice *out, const eex_args *a, const char *field,
                          const eex_graph *g);

#endif
