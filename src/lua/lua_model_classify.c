/* What a model makes of files and of the samples of its data set. */
#include "lua/args.h"
#include "lua/lua_model_impl.h"
#include "lua/put.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef eex__lua_model box;

enum { BATCH = EEX__LUA_BATCH };

static box *self(lua_State *L)
{
    return eex__lua_model_at(L, 1);
}

/* ---- running ---- */

/* Sets member `at` of the list on the top. */
static void push_result(lua_State *L, const box *b, int i, lua_Integer at)
{
    const eex_frame *f = &b->frame[i];
    const eex_result *r = &b->result[i];
    lua_createtable(L, 0, 10);
    lua_pushinteger(L, r->top);
    lua_setfield(L, -2, "class");
    lua_pushstring(L, b->model->input.classes.item[r->top]);
    lua_setfield(L, -2, "name");
    eex__lua_put_number(L, "confidence", (double)r->confidence);
    eex__lua_put_number(L, "margin", (double)r->margin);
    eex__lua_put_number(L, "entropy", (double)r->entropy);
    lua_pushinteger(L, r->exit + 1);
    lua_setfield(L, -2, "exit");
    lua_pushboolean(L, r->decision == EEX_ACCEPT);
    lua_setfield(L, -2, "accepted");
    if (f->sample >= 0) {
        lua_pushinteger(L, (lua_Integer)f->sample);
        lua_setfield(L, -2, "sample");
    }
    if (f->label >= 0) {
        lua_pushinteger(L, f->label);
        lua_setfield(L, -2, "label");
    }
    lua_rawseti(L, -2, at);
}

/* Up to a batch of frames, which must be good. */
static int read_batch(box *b, int *count)
{
    const size_t bytes = eex_engine_image_bytes(b->engine);
    for (*count = 0; *count < BATCH; ++*count) {
        eex_frame *f = &b->frame[*count];
        EEX_TRY(eex_frames_next(b->frames, f, b->pixels + (size_t)*count * bytes));
        if (f->state == EEX_FRAME_END)
            return EEX_OK;
        if (f->state == EEX_FRAME_BAD)
            return eex_fail(EEX_EFORMAT, "%s", f->problem);
    }
    return EEX_OK;
}

/* Pushes the list of results of all of b->frames. */
static void classify_frames(lua_State *L, box *b)
{
    lua_Integer done = 0;
    lua_newtable(L);
    for (int count = 1; count > 0; done += count) {
        int code = read_batch(b, &count);
        if (code == EEX_OK && eex_interrupted())
            code = eex_fail(EEX_EINTERRUPTED, "interrupted");
        if (code == EEX_OK && count > 0)
            code = eex_engine_run(b->engine, b->result, b->pixels, count);
        if (code < 0)
            eex_lua_raise(L);
        for (int i = 0; i < count; i++)
            push_result(L, b, i, done + i + 1);
    }
}

static eex_frame_shape shape_of(const box *b)
{
    const eex_input *in = &b->model->input;
    return (eex_frame_shape){in->height, in->width, in->channels, EEX_FIT_CROP};
}

static void close_frames(box *b)
{
    eex_frames_close(b->frames);
    b->frames = NULL;
}

/* ---- files ---- */

/* Classifies files one by one: a list of results for the names from stack index `first` to the
 * top. */
static int open_file(lua_State *L, box *b, const char *path)
{
    const eex_frame_shape shape = shape_of(b);
    char real[PATH_MAX];
    const char *name = real;
    close_frames(b);
    EEX_TRY(eex__lua_readable(L, real, path));
    if (eex_fs_is_folder(real))
        return eex_fail(EEX_EINVAL, "\"%s\" is a folder, not an image", path);
    return eex_frames_open_files(&b->frames, &shape, &name, 1, NULL, 0);
}

static void classify_file(lua_State *L, box *b, const char *path)
{
    if (open_file(L, b, path) < 0)
        eex_lua_raise(L);
    classify_frames(L, b);
    close_frames(b);
    lua_rawgeti(L, -1, 1);
    lua_remove(L, -2);
    lua_pushstring(L, path);
    lua_setfield(L, -2, "file");
}

static int classify_files(lua_State *L, box *b, int list)
{
    const lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    const eex_args files = {L, list, "files"};
    eex_args_list(&files);
    lua_newtable(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, list, i);
        const char *name = eex_lua_plain_text(L, -1);
        if (!name)
            return luaL_error(L, "image %I: expected the name of a file, got a %s%s", i,
                              luaL_typename(L, -1),
                              lua_type(L, -1) == LUA_TSTRING ? " with zeros" : "");
        classify_file(L, b, name);
        lua_rawseti(L, -3, i);
        lua_pop(L, 1);
    }
    return 1;
}

/* ---- samples ---- */

/* Images stay in memory where the script may have as much, and are read each time where not. */
static int hold_images(lua_State *L, box *b)
{
    const eex_dataset_info *d = eex_dataset_facts(b->data);
    const size_t image = (size_t)d->height * (size_t)d->width * (size_t)d->channels;
    const size_t images = image * d->samples, labels = sizeof(int32_t) * d->samples;
    if (eex__lua_take(L, &b->held, labels, "the labels of its samples do not fit") < 0)
        return eex_fail_in(EEX_ESCRIPT, "%s", d->path);
    if (images > EEX_DATASET_RESIDENT || eex__lua_take(L, &b->held, images, "images") < 0)
        eex_dataset_set_resident(b->data, 0);
    return EEX_OK;
}

/* A model file names its data set; it might name a file anywhere. */
static int open_data(lua_State *L, box *b)
{
    const char *name = b->model->input.dataset;
    if (b->data)
        return EEX_OK;
    if (!eex__lua_of(L)->trust && (strchr(name, '/') || strchr(name, '.')))
        return eex_fail(EEX_ESCRIPT, "the data set \"%s\" is a file: give --trust to read it",
                        name);
    EEX_TRY(eex_model_data_open(&b->data, b->model, NULL));
    const int code = hold_images(L, b);
    if (code < 0) {
        eex_dataset_close(b->data);
        b->data = NULL;
    }
    return code;
}

int eex__lua_model_part(lua_State *L, eex__lua_model *b, const char *part)
{
    eex_index index;
    if (b->data && strcmp(b->part_name, part) == 0)
        return EEX_OK;
    EEX_TRY(open_data(L, b));
    EEX_TRY(eex_model_data_part(&index, b->model, b->data, part));
    free(b->part.at);
    b->part = index;
    snprintf(b->part_name, sizeof b->part_name, "%s", part);
    return EEX_OK;
}

static const char *check_part(lua_State *L, box *b)
{
    const char *part = eex_lua_text(L, 2);
    if (eex__lua_model_part(L, b, part) < 0)
        eex_lua_raise(L);
    return part;
}

int eex__lua_model_samples(lua_State *L)
{
    box *b = self(L);
    check_part(L, b);
    lua_pushinteger(L, (lua_Integer)b->part.count);
    return 1;
}

static uint32_t sample_at(lua_State *L, const box *b, const char *part, lua_Integer i)
{
    if (i < 1 || (lua_Unsigned)i > b->part.count)
        luaL_error(L, "sample %I of the %s split: expected 1 to %I", i, part,
                   (lua_Integer)b->part.count);
    return b->part.at[i - 1];
}

static void classify_samples(lua_State *L, box *b, const uint32_t *samples, size_t count)
{
    const eex_frame_shape shape = shape_of(b);
    close_frames(b);
    if (count == 0) {
        lua_newtable(L);
        return;
    }
    if (eex_frames_open_samples(&b->frames, &shape, b->data, samples, count) < 0)
        eex_lua_raise(L);
    classify_frames(L, b);
    close_frames(b);
}

/* ---- methods ---- */

int eex__lua_model_classify(lua_State *L)
{
    box *b = self(L);
    luaL_checkstack(L, 12, NULL);
    if (lua_isnoneornil(L, 3)) {
        classify_file(L, b, eex_lua_text(L, 2));
        return 1;
    }
    const char *part = check_part(L, b);
    const uint32_t sample = sample_at(L, b, part, luaL_checkinteger(L, 3));
    classify_samples(L, b, &sample, 1);
    lua_rawgeti(L, -1, 1);
    return 1;
}

/* The samples whose places the list at index 3 names. */
static size_t choose_samples(lua_State *L, box *b, const char *part)
{
    luaL_checktype(L, 3, LUA_TTABLE);
    const eex_args samples = {L, 3, "samples"};
    eex_args_list(&samples);
    const size_t count = lua_rawlen(L, 3);
    free(b->samples);
    b->samples = NULL;
    eex__lua_give_back(L, &b->chosen);
    if (eex__lua_take(L, &b->chosen, (count + 1) * sizeof *b->samples, "the list does not fit") < 0)
        eex_lua_raise(L);
    b->samples = calloc(count + 1, sizeof *b->samples);
    if (!b->samples)
        luaL_error(L, "out of memory for %I samples", (lua_Integer)count);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 3, (lua_Integer)i + 1);
        b->samples[i] = sample_at(L, b, part, luaL_checkinteger(L, -1));
        lua_pop(L, 1);
    }
    return count;
}

int eex__lua_model_run(lua_State *L)
{
    box *b = self(L);
    luaL_checkstack(L, 12, NULL);
    if (lua_istable(L, 2))
        return classify_files(L, b, 2);
    const char *part = check_part(L, b);
    if (lua_isnoneornil(L, 3)) {
        classify_samples(L, b, b->part.at, b->part.count);
    } else {
        const size_t count = choose_samples(L, b, part); /* moves b->samples */
        classify_samples(L, b, b->samples, count);
    }
    return 1;
}
