/* Objects of the library: facts, which are fields, and methods; and what the prompt may see of
 * them. */
#ifndef EEX_LUA_LUA_CLASS_H
#define EEX_LUA_LUA_CLASS_H

#include <lauxlib.h>
#include <lua.h>

/* A function of the library, or a method, and how many arguments it takes at most, the object of a
 * method not counted; EEX__ANY: whatever there is. What is more would be ignored, and who gives it
 * believes that it does something: it is refused. */
enum { EEX__ANY = -1 };
typedef struct eex__lua_function {
    const char *name; /* NULL at the end */
    lua_CFunction call;
    int most;
} eex__lua_function;

/* As luaL_setfuncs. */
void eex__lua_set_functions(lua_State *L, const eex__lua_function *functions);
void eex__lua_set_methods(lua_State *L, const eex__lua_function *methods);

/* arguments(name, most, ...): refuses more than `most`, for functions that are written in Lua. */
int eex__lua_arguments(lua_State *L);

/* Makes a metatable, once a state: "methods" in it is the table of the methods, `name` is what
 * getmetatable says to scripts and what help calls such an object. */
void eex__lua_class(lua_State *L, const char *metatable, const char *name,
                    const luaL_Reg *metamethods, const eex__lua_function *methods);

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
