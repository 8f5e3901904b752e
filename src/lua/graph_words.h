/* What the methods of graphs take and what the tables that they return have, by name: one table
 * for reading, messages and docs/writing-experiments.md. */
#ifndef EEX_LUA_GRAPH_WORDS_H
#define EEX_LUA_GRAPH_WORDS_H

#include <lua.h>
#include <stdbool.h>

/* Tables of options that are read, and tables that are returned. */
typedef enum eex__graph_table {
    EEX__OF_GRAPH,
    EEX__OF_CONV,
    EEX__OF_MAX_POOL,
    EEX__OF_POOL, /* act, global_pool and flatten */
    EEX__OF_LINEAR,
    EEX__OF_GATE,
    EEX__OF_GENE,
    EEX__OF_NODE,
    EEX__OF_PARAMETER,
    EEX__OF_EXIT,
    EEX__GRAPH_TABLES
} eex__graph_table;

/* The names of its fields, NULL at the end. */
const char *const *eex__graph_fields(eex__graph_table table);

/* A method, for messages and documentation. */
typedef struct eex__graph_method {
    const char *name;
    const char *before; /* the arguments in front of the table: "x, name" */
    int table;          /* eex__graph_table of the last argument; -1: it takes none */
    bool list;          /* it is a list of such tables */
    const char *behind; /* arguments behind it */
} eex__graph_method;

/* All of them, and the constructor, whose name is "eex.graph"; *count of them. */
const eex__graph_method *eex__graph_methods(int *count);

/* Pushes how it is called: "g:conv(x, name, { out, kernel, stride, pad, groups, bias })". */
const char *eex__graph_push_method(lua_State *L, const eex__graph_method *method);

/* For the metatable of graphs: with the table of their methods on the top, replaces it by a
 * function for __index by which the name of no method is an error. */
void eex__graph_guard_methods(lua_State *L);

/* Gives the table on the top, which is returned to a script, a metatable by which a field that
 * such tables never have is an error. One that this table does not have is nil. */
void eex__graph_guard(lua_State *L, eex__graph_table table);

#endif
