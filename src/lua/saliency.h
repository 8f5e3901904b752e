/* Saliency rules as scripts write them. */
#ifndef EEX_LUA_SALIENCY_H
#define EEX_LUA_SALIENCY_H

#include "core/graph/saliency.h"

#include <lua.h>

typedef struct eex_lua_saliency {
    eex_points points;
    bool probe; /* rank the points by a linear probe and keep `probe_count`: needs training data */
    int probe_count;
} eex_lua_saliency;

/* Reads the rule at `index` for a backbone; raises with `path` in the message. A rule is
 *   nil                                  the residual merges, or every point when there is none
 *   "residual_merges", "stage_ends", "all"
 *   {rule = "residual_merges"}           likewise
 *   {rule = "ranked", metric = "spacing" | "probe" | function(node), count = n, from = rule}
 *   {"features.3.add", 17, ...}          node names or ids
 *   function(nodes)                      returns such a list; nodes as in eex_lua_push_nodes
 * count 0 or absent: floor(log2 of the number of layers). */
void eex_lua_read_saliency(eex_lua_saliency *out, lua_State *L, int index, const char *path,
                           const eex_graph *g);

#endif
