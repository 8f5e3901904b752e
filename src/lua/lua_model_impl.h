/* What the files of model objects share. */
#ifndef EEX_LUA_LUA_MODEL_IMPL_H
#define EEX_LUA_LUA_MODEL_IMPL_H

#include "core/engine/engine.h"
#include "core/frames/frames.h"
#include "core/model/model_data.h"
#include "core/use/profile.h"
#include "lua/sandbox_impl.h"

#define EEX__LUA_MODEL "eex.model" /* the metatable */

enum {
    EEX__LUA_BATCH = 32,
    EEX__LUA_MODELS = 16 /* alive in a state */
};

/* Everything that the object holds, so that an error of Lua loses nothing; absent until it is
 * wanted. The user value is a table with the facts. */
typedef struct eex__lua_model {
    bool counted;
    eex__lua_held held;
    eex__lua_held chosen; /* `samples` alone */
    eex_device *device;
    eex_model *model; /* NULL: closed */
    eex_engine *engine;
    eex_dataset *data;
    eex_index part; /* of the data set */
    char part_name[32];
    eex_frames *frames;   /* that are being classified */
    eex_profile *profile; /* that is being looked at */
    uint32_t *samples;    /* chosen from the part */
    uint8_t *pixels;      /* (EEX__LUA_BATCH, H, W, C) */
    eex_frame frame[EEX__LUA_BATCH];
    eex_result result[EEX__LUA_BATCH];
} eex__lua_model;

/* Pushes a closed object, which can fail without losing anything. Raises where there are too many.
 */
eex__lua_model *eex__lua_model_push(lua_State *L);
/* Gives back all that it holds; closing, also its place among those that are alive. */
void eex__lua_model_empty(lua_State *L, eex__lua_model *model);
void eex__lua_model_close(lua_State *L, eex__lua_model *model);

/* Pushes the table of what is known of a network. */
void eex__lua_model_put_facts(lua_State *L, const eex_model *model);

/* The open model at the index; raises where there is none. */
eex__lua_model *eex__lua_model_at(lua_State *L, int index);

/* Has the part of the data set by its name. */
int eex__lua_model_part(lua_State *L, eex__lua_model *model, const char *part);

/* Methods, lua_CFunctions: model:classify("cat.jpg") or model:classify("test", 17);
 * model:run { "cat.jpg", "dog.png" }, model:run("test", { 1, 2, 3 }) or model:run("test");
 * model:samples("test"), how many there are. */
int eex__lua_model_classify(lua_State *L);
int eex__lua_model_run(lua_State *L);
int eex__lua_model_samples(lua_State *L);

/* Where the script may read a run from, links resolved, and all that is in it. */
int eex__lua_find_run(lua_State *L, char *real, const char *path);

/* Pushes where the time of the model at the index goes, against that at `base` (0: none). The table
 * of options, or nil, is at `options`. Raises. */
void eex__lua_profile(lua_State *L, int model, int base, int options);

#endif
