/* Elastic graphs from Lua: genes, what depends on them, and the networks of genomes. Genes are
 * integers from 0, in the order of genomes; genomes are lists of values, as the genes have them. */
#include "lua/graph_words.h"
#include "lua/lua_graph_impl.h"

#include "base/status.h"

#include <limits.h>

/* ---- building ---- */

/* g:gene{name =, kind = "kernel", values = {3, 5, 7}}: its number. */
static int graph_gene(lua_State *L)
{
    eex_graph *g = eex__lua_graph_self(L);
    eex_gene gene = {.options = 0};
    int number = 0;
    eex_args a = eex_args_open(L, 2, "gene", false);
    eex_args_known(&a, eex__graph_fields(EEX__OF_GENE));
    const char *name = eex_args_text(&a, "name", EEX_NAME_MAX - 1);
    for (int i = 0; name[i]; i++)
        gene.name[i] = name[i];
    gene.kind = (eex_gene_kind)eex_args_choice(&a, "kind", eex_gene_kind_names());
    gene.options = eex_args_numbers(&a, "values", gene.values, EEX_GENE_OPTIONS, -1e9, 1e9);
    if (eex_graph_add_gene(g, &number, &gene) < 0)
        eex_lua_raise(L);
    lua_pushinteger(L, number);
    return 1;
}

/* g:choice(gene, {16, 24, 32}): a number of the node for each option, for `out` and `kernel`. */
static int graph_choice(lua_State *L)
{
    eex__lua_graph_self(L);
    lua_Integer gene = luaL_checkinteger(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_createtable(L, 0, 2);
    lua_pushinteger(L, gene);
    lua_setfield(L, -2, "gene");
    lua_pushvalue(L, 3);
    lua_setfield(L, -2, "values");
    return 1;
}

void eex__lua_read_choice(eex__lua_choice *out, const eex_args *a, const char *field,
                          const eex_graph *g)
{
    lua_State *L = a->L;
    *out = (eex__lua_choice){.gene = -1};
    lua_pushstring(L, field);
    const bool table = lua_rawget(L, a->table) == LUA_TTABLE;
    lua_pop(L, 1);
    if (!table) {
        out->largest = (int)eex_args_int(a, field, 1, INT_MAX);
        return;
    }
    eex_args t = eex_args_table(a, field, false);
    out->gene = (int)eex_args_int(&t, "gene", 0, INT_MAX);
    const eex_gene *gene = eex_graph_gene(g, out->gene);
    if (!gene)
        eex_args_refuse(&t, "gene", "a gene of this graph, from g:gene");
    int count = eex_args_ints(&t, "values", out->values, EEX_GENE_OPTIONS, 1, INT_MAX);
    if (count != gene->options)
        eex_args_refuse(&t, "values", "a number for each of the %d options of gene \"%s\"",
                        gene->options, gene->name);
    out->largest = out->values[count - 1];
    eex_args_close(&t);
}

/* g:present(gene, from): nodes added from now on are there from that value of the gene on;
 * g:present(): always. */
static int graph_present(lua_State *L)
{
    eex_graph *g = eex__lua_graph_self(L);
    int gene = -1, option = 0;
    if (!lua_isnoneornil(L, 2)) {
        const lua_Integer number = luaL_checkinteger(L, 2);
        const double value = luaL_checknumber(L, 3);
        gene = number >= 0 && number <= INT_MAX ? (int)number : INT_MAX;
        const eex_gene *of = eex_graph_gene(g, gene);
        while (of && option < of->options && of->values[option] < value)
            option++;
    }
    if (eex_graph_present(g, gene, option) < 0)
        eex_lua_raise(L);
    lua_settop(L, 1);
    return 1;
}

/* g:resolution(gene): images are squares of the gene's values. */
static int graph_resolution(lua_State *L)
{
    const lua_Integer gene = luaL_checkinteger(L, 2);
    if (eex_graph_choose_size(eex__lua_graph_self(L),
                              gene >= 0 && gene <= INT_MAX ? (int)gene : -1) < 0)
        eex_lua_raise(L);
    lua_settop(L, 1);
    return 1;
}

/* ---- looking ---- */

/* 3 rather than 3.0. */
static void push_value(lua_State *L, double value)
{
    lua_Integer whole;
    lua_pushnumber(L, value);
    if (lua_numbertointeger(value, &whole) && (double)whole == value) {
        lua_pop(L, 1);
        lua_pushinteger(L, whole);
    }
}

/* g:genes(): {name, kind, values} of each. */
static int graph_genes(lua_State *L)
{
    const eex_graph *g = eex__lua_graph_self(L);
    lua_createtable(L, eex_graph_genes(g), 0);
    for (int i = 0; i < eex_graph_genes(g); i++) {
        const eex_gene *gene = eex_graph_gene(g, i);
        lua_createtable(L, 0, 3);
        lua_pushstring(L, gene->name);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, eex_gene_kind_name(gene->kind));
        lua_setfield(L, -2, "kind");
        lua_createtable(L, gene->options, 0);
        for (int o = 0; o < gene->options; o++) {
            push_value(L, gene->values[o]);
            lua_seti(L, -2, o + 1);
        }
        lua_setfield(L, -2, "values");
        lua_seti(L, -2, i + 1);
    }
    return 1;
}

static void read_genome(lua_State *L, int genome[EEX_GENES], const eex_graph *g)
{
    double values[EEX_GENES];
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "genome");
    eex_args a = eex_args_open(L, -1, "", false);
    int count = eex_args_numbers(&a, "genome", values, EEX_GENES, -1e9, 1e9);
    if (eex_genome_of_values(genome, g, values, count) < 0)
        eex_lua_raise(L);
    lua_pop(L, 1);
}

static int push_genome(lua_State *L, const eex_graph *g, const int *genome)
{
    lua_createtable(L, eex_graph_genes(g), 0);
    for (int i = 0; i < eex_graph_genes(g); i++) {
        push_value(L, eex_graph_gene(g, i)->values[genome[i]]);
        lua_seti(L, -2, i + 1);
    }
    return 1;
}

/* g:canonical(genome): the first genome that gives the same network. */
static int graph_canonical(lua_State *L)
{
    int genome[EEX_GENES];
    const eex_graph *g = eex__lua_graph_self(L);
    read_genome(L, genome, g);
    if (eex_genome_canonical(g, genome) < 0)
        eex_lua_raise(L);
    return push_genome(L, g, genome);
}

static int graph_smallest(lua_State *L)
{
    int genome[EEX_GENES];
    const eex_graph *g = eex__lua_graph_self(L);
    eex_genome_smallest(g, genome);
    return push_genome(L, g, genome);
}

static int graph_largest(lua_State *L)
{
    int genome[EEX_GENES];
    const eex_graph *g = eex__lua_graph_self(L);
    eex_genome_largest(g, genome);
    return push_genome(L, g, genome);
}

typedef struct derivation {
    const eex_graph *from;
    int genome[EEX_GENES];
} derivation;

static int derive(eex_graph **out, void *ctx)
{
    const derivation *d = ctx;
    return eex_graph_derive(out, NULL, d->from, d->genome);
}

/* g:derive(genome): the genome's network, a new graph. */
static int graph_derive(lua_State *L)
{
    derivation d = {.from = eex__lua_graph_self(L)};
    read_genome(L, d.genome, d.from);
    return eex__lua_graph_push(L, derive, &d);
}

const eex__lua_function eex__lua_elastic_methods[] = {
    {"gene", graph_gene, 1},         {"choice", graph_choice, 2},
    {"present", graph_present, 2},   {"resolution", graph_resolution, 1},
    {"genes", graph_genes, 0},       {"canonical", graph_canonical, 1},
    {"smallest", graph_smallest, 0}, {"largest", graph_largest, 0},
    {"derive", graph_derive, 1},     {NULL, NULL, 0}};
