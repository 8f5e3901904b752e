/* Objects of the library: facts, which are fields, and methods; and what the prompt may see of
 * them. */
#ifndef EEX_LUA_LUA_CLASS_H
#define EEX_LUA_LUA_CLASS_H

#include <lauxlib.h>
#include <lua.h>

/* Makes a metatable, once a state: "methods" in it is the table of the methods, `name` is what
 * getmetatable says to scripts and what help calls such an object. */
void eex__lua_class(lua_State *L, const char *metatable, const char *name,
                    const luaL_Reg *metamethods, const luaL_Reg *methods);

/* The same of a metatable that is made otherwise, on the top, with the table of methods above it,
 * which is popped. */
void eex__lua_class_methods(lua_State *L, const char *name);

/* For __index: a method, else a fact. The facts are the table in this user value. */
int eex__lua_member(lua_State *L, int facts);

/* class(value): what its objects are called, "run" or so; nil for what is none of the library's.
 * members(value): a new table of its facts and a new table of its methods.
 * classes(): the methods of all of them, {run = {replay = ...}, ...}. For help and completion. */
int eex__lua_class_of(lua_State *L);
int eex__lua_class_members(lua_State *L);
int eex__lua_classes(lua_State *L);

#endif
