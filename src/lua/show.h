/* What the Lua library needs to show values to people: aligned tables, the width that there is,
 * pictures. */
#ifndef EEX_LUA_SHOW_H
#define EEX_LUA_SHOW_H

#include <lua.h>

/* Lua_CFunctions.
 *
 * table(titles, rows): text; titles are strings, rows lists of as many strings, "" where nothing
 * is. Columns whose cells all look like numbers are aligned right.
 * wrap(text): its lines broken for the width that there is, of at most EEX_WRAP_WIDTH columns.
 * width(): columns that printed text may have; 0: any.
 * picture(path, text, force): writes an SVG file, whole or not at all, and replaces one that is
 * there with `force` alone. Scripts may with trust; what is typed at the prompt may, too, below the
 * script's folder.
 * fields(prefix): a list of the experiment's fields below it, {name, expects, usual, help}.
 * graph_methods(): a list of {name, call, options}. */
int eex__lua_show_table(lua_State *L);
int eex__lua_show_wrapped(lua_State *L);
int eex__lua_show_width(lua_State *L);
int eex__lua_write_picture(lua_State *L);
int eex__lua_described_fields(lua_State *L);
int eex__lua_described_methods(lua_State *L);

#endif
