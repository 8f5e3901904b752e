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

/* The open model at the index; raises where there is none. */
eex__lua_model *eex__lua_model_at(lua_State *L, int index);

/* Has the part of the data set by its name. */
int eex__lua_model_part(lua_State *L, eex__lua_model *model, const char *part);

/* Where the script may read a run from, links resolved, and all that is in it. */
int eex__lua_find_run(lua_State *L, char *real, const char *path);

/* Pushes where the time of the model at the index goes, against that at `base` (0: none). The table
 * of options, or nil, is at `options`. Raises. */
void eex__lua_profile(lua_State *L, int model, int base, int options);

#endif
