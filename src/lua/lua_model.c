#include "lua/lua_model.h"

#include "core/engine/engine.h"
#include "core/frames/frames.h"
#include "core/graph/cost.h"
#include "core/model/model_data.h"
#include "lua/args.h"
#include "lua/lua_class.h"
#include "lua/lua_model_impl.h"
#include "lua/put.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef eex__lua_model box;

enum { BATCH = EEX__LUA_BATCH };

/* ---- objects ---- */

static void empty_box(lua_State *L, box *b)
{
    eex_frames_close(b->frames);
    eex_profile_free(b->profile);
    eex_dataset_close(b->data);
    eex_engine_close(b->engine);
    eex_model_close(b->model);
    eex_device_close(b->device);
    free(b->part.at);
    free(b->samples);
    free(b->pixels);
    eex__lua_give_back(L, &b->held);
    eex__lua_give_back(L, &b->chosen);
    *b = (box){.counted = b->counted};
}

static void close_box(lua_State *L, box *b)
{
    empty_box(L, b);
    if (b->counted)
        eex__lua_of(L)->models--;
    b->counted = false;
}

static int model_close(lua_State *L)
{
    close_box(L, luaL_checkudata(L, 1, EEX__LUA_MODEL));
    return 0;
}

eex__lua_model *eex__lua_model_at(lua_State *L, int index)
{
    box *b = luaL_checkudata(L, index, EEX__LUA_MODEL);
    if (!b->engine)
        luaL_error(L, "this model is closed");
    return b;
}

static box *self(lua_State *L)
{
    return eex__lua_model_at(L, 1);
}

/* Pushes a closed object, which can fail without losing anything. */
static box *push_closed(lua_State *L)
{
    eex__lua *s = eex__lua_of(L);
    if (s->models >= EEX__LUA_MODELS)
        lua_gc(L, LUA_GCCOLLECT);
    if (s->models >= EEX__LUA_MODELS)
        luaL_error(L, "more than %d models at once: model:close() ends one", EEX__LUA_MODELS);
    box *b = lua_newuserdatauv(L, sizeof *b, 1);
    *b = (box){.counted = false};
    luaL_setmetatable(L, EEX__LUA_MODEL);
    b->counted = true;
    s->models++;
    return b;
}

/* ---- facts ---- */

static void push_classes(lua_State *L, const eex_model *m)
{
    const int count = (int)m->input.classes.count;
    lua_createtable(L, count, 0);
    for (int c = 0; c < count; c++) {
        lua_pushstring(L, m->input.classes.item[c]);
        lua_rawseti(L, -2, c + 1);
    }
}

static void push_exits(lua_State *L, const eex_graph *g)
{
    lua_createtable(L, eex_graph_exits(g), 0);
    for (int k = 0; k < eex_graph_exits(g); k++) {
        const eex_exit *x = eex_graph_exit(g, k);
        lua_createtable(L, 0, 3);
        lua_pushstring(L, eex_graph_node(g, x->point)->name);
        lua_setfield(L, -2, "node");
        if (x->blocks >= 0) {
            lua_pushinteger(L, x->blocks);
            lua_setfield(L, -2, "blocks");
        }
        lua_pushinteger(L, (lua_Integer)eex_cost_cumulative(g, k, EEX_MACS));
        lua_setfield(L, -2, "macs");
        lua_rawseti(L, -2, k + 1);
    }
}

static void push_facts(lua_State *L, const eex_model *m)
{
    lua_createtable(L, 0, 9);
    lua_pushstring(L, eex_graph_name(m->graph));
    lua_setfield(L, -2, "name");
    lua_pushstring(L, m->input.dataset);
    lua_setfield(L, -2, "dataset");
    lua_pushstring(L, m->policy ? eex_policy_kind_name(m->policy->kind) : "none");
    lua_setfield(L, -2, "policy");
    lua_pushstring(L, eex_precision_name(m->runs_in));
    lua_setfield(L, -2, "precision");
    lua_pushinteger(L, m->input.height);
    lua_setfield(L, -2, "height");
    lua_pushinteger(L, m->input.width);
    lua_setfield(L, -2, "width");
    lua_pushinteger(L, m->input.channels);
    lua_setfield(L, -2, "channels");
    push_classes(L, m);
    lua_setfield(L, -2, "classes");
    push_exits(L, m->graph);
    lua_setfield(L, -2, "exits");
}

/* model:macs(exit): of an image that leaves there */
static int model_macs(lua_State *L)
{
    const box *b = self(L);
    const int exits = eex_graph_exits(b->model->graph);
    const lua_Integer k = luaL_optinteger(L, 2, exits);
    if (k < 1 || k > exits)
        return luaL_error(L, "exit %I: this model has %d", k, exits);
    lua_pushinteger(L, (lua_Integer)eex_cost_cumulative(b->model->graph, (int)k - 1, EEX_MACS));
    return 1;
}

/* ---- opening ---- */

/* "none", a kind with a threshold, or a file of `eex tune`. */
static int apply_policy(lua_State *L, eex_model *m, const char *policy, double threshold)
{
    char real[PATH_MAX];
    eex_policy_kind kind;
    if (!policy && isnan(threshold))
        return EEX_OK;
    if (policy && strcmp(policy, "none") == 0)
        return eex_model_set_policy(m, NULL);
    if (policy && isnan(threshold) && eex_policy_is_file(policy)) {
        int code = eex__lua_readable(L, real, policy);
        if (code == EEX_ENOTFOUND)
            return eex_policy_unknown(policy);
        EEX_TRY(code);
        return eex_model_load_policy(m, real);
    }
    if (policy)
        EEX_TRY(eex_policy_kind_parse(&kind, policy));
    else if (m->policy)
        kind = m->policy->kind;
    else
        return eex_fail(EEX_EINVAL, "threshold: the model has no policy: say which (policy)");
    if (isnan(threshold))
        return eex_fail(EEX_EINVAL, "policy \"%s\" needs a threshold", policy);
    return eex_model_threshold(m, kind, threshold);
}

typedef struct opening {
    const char *device, *policy;
    int threads;
    double threshold;
    eex_precision precision; /* EEX_PRECISIONS: the model's own */
    bool base;
} opening;

static opening read_options(lua_State *L, int index)
{
    static const char *const known[] = {"device", "threads",   "policy", "threshold",
                                        "base",   "precision", NULL};
    const eex_args a = eex_args_open(L, index, "open", true);
    eex_args_known(&a, known);
    return (opening){.device = eex_args_text_or(&a, "device", 64, "cpu"),
                     .policy = eex_args_text_or(&a, "policy", PATH_MAX - 1, NULL),
                     .threads = (int)eex_args_int_or(&a, "threads", 1, 1024, 0),
                     .threshold = eex_args_number_or(&a, "threshold", -1e6, 1e6, NAN),
                     .precision = (eex_precision)eex_args_choice_or(
                         &a, "precision", eex_precision_inferring_names(), EEX_PRECISIONS),
                     .base = eex_args_flag_or(&a, "base", false)};
}

/* ---- what it may hold ---- */

static int open_parts(lua_State *L, box *b, const char *path, const opening *o)
{
    const size_t room = eex__lua_room(L);
    const eex_device_options device = {.threads = o->threads,
                                       .memory = room == SIZE_MAX ? 0 : room + 1};
    EEX_TRY(eex_device_open(&b->device, o->device, &device));
    EEX_TRY(eex_model_open(&b->model, path, o->base ? EEX_MODEL_BASE : EEX_MODEL_BEST, b->device));
    EEX_TRY(apply_policy(L, b->model, o->policy, o->threshold));
    if (o->precision != EEX_PRECISIONS)
        EEX_TRY(eex_model_set_precision(b->model, o->precision));
    EEX_TRY(eex_engine_open(&b->engine, b->model, BATCH));
    const size_t pixels = BATCH * eex_engine_image_bytes(b->engine);
    EEX_TRY(eex__lua_take(L, &b->held, b->device->held + pixels + eex_model_bytes(b->model),
                          "the network, a batch of its images and what they become do not fit"));
    b->device->memory = 0; /* what is to come is small */
    b->pixels = malloc(pixels);
    return b->pixels ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for %d images", BATCH);
}

static int open_box(lua_State *L, box *b, const char *path, const opening *o)
{
    EEX_TRY(eex__lua_take_threads(L, &b->held, o->threads));
    int code = open_parts(L, b, path, o);
    if (code == EEX_ENOMEM && b->device && b->device->full) {
        char why[512];
        snprintf(why, sizeof why, "%s", eex_error());
        code = eex__lua_too_large(L, why);
    }
    return code == EEX_ESCRIPT ? eex_fail_in(code, "%s", path) : code;
}

void eex_lua_push_model(lua_State *L, const char *folder, int options)
{
    const opening o = read_options(L, options);
    luaL_checkstack(L, 12, NULL);
    box *b = push_closed(L);
    int code = open_box(L, b, folder, &o);
    if (code == EEX_ESCRIPT) { /* what nobody holds any more is given back first */
        empty_box(L, b);
        lua_gc(L, LUA_GCCOLLECT);
        code = open_box(L, b, folder, &o);
    }
    if (code < 0) {
        close_box(L, b);
        eex_lua_raise(L);
    }
    push_facts(L, b->model);
    lua_setiuservalue(L, -2, 1);
}

/* The files that a model's own are read with lie beside it, and may be links to somewhere else. */
static int check_folder(lua_State *L, const char *folder)
{
    static const char *const members[] = {
        "run.h5", "split.h5", "final.h5", "base.h5", "final-calibration.h5", "final-validation.h5"};
    char path[PATH_MAX], real[PATH_MAX];
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (snprintf(path, sizeof path, "%s/%s", folder, members[i]) >= (int)sizeof path)
            return eex_fail(EEX_EINVAL, "\"%.60s...\": the path is too long", folder);
        int code = eex__lua_readable(L, real, path);
        if (code < 0 && code != EEX_ENOTFOUND)
            return code;
    }
    return EEX_OK;
}

/* Where the script may read a model from, links resolved. */
static int find_model(lua_State *L, char *real, const char *path)
{
    char *folder = NULL;
    EEX_TRY(eex__lua_readable(L, real, path));
    if (eex_fs_is_folder(real))
        return check_folder(L, real);
    EEX_TRY(eex_path_folder(&folder, real));
    int code = check_folder(L, folder);
    free(folder);
    return code;
}

/* Every file that a run's folder has may be one that a report reads. */
static int check_files(lua_State *L, const char *folder)
{
    char path[PATH_MAX], real[PATH_MAX];
    int code = EEX_OK;
    DIR *d = opendir(folder);
    if (!d)
        return eex_fail(EEX_EIO, "cannot read the folder %s: %s", folder, strerror(errno));
    for (const struct dirent *e; code == EEX_OK && (e = readdir(d));) {
        const char *dot = strrchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".h5") != 0)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, e->d_name) >= (int)sizeof path)
            code = eex_fail(EEX_EINVAL, "\"%.60s...\": the path is too long", folder);
        else
            code = eex__lua_readable(L, real, path);
        if (code == EEX_ENOTFOUND)
            code = EEX_OK; /* it has gone meanwhile, or is a link to nothing */
    }
    closedir(d);
    return code;
}

int eex__lua_find_run(lua_State *L, char *real, const char *path)
{
    EEX_TRY(eex__lua_readable(L, real, path));
    if (!eex_fs_is_folder(real))
        return eex_fail(EEX_EINVAL, "\"%s\" is a file: expected the folder of a run", path);
    return check_files(L, real);
}

int eex_lua_model_open(lua_State *L)
{
    char real[PATH_MAX];
    if (find_model(L, real, luaL_checkstring(L, 1)) < 0)
        eex_lua_raise(L);
    lua_settop(L, 2);
    eex_lua_push_model(L, real, 2);
    return 1;
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
        if (lua_rawgeti(L, list, i) != LUA_TSTRING)
            return luaL_error(L, "image %I: expected the name of a file, got a %s", i,
                              luaL_typename(L, -1));
        classify_file(L, b, lua_tostring(L, -1));
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
    const char *part = luaL_checkstring(L, 2);
    if (eex__lua_model_part(L, b, part) < 0)
        eex_lua_raise(L);
    return part;
}

/* model:samples("test"): how many there are */
static int model_samples(lua_State *L)
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

/* model:classify("cat.jpg") or model:classify("test", 17) */
static int model_classify(lua_State *L)
{
    box *b = self(L);
    luaL_checkstack(L, 12, NULL);
    if (lua_isnoneornil(L, 3)) {
        classify_file(L, b, luaL_checkstring(L, 2));
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

/* model:run { "cat.jpg", "dog.png" }, model:run("test", { 1, 2, 3 }) or model:run("test") */
static int model_run(lua_State *L)
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

/* model:profile { images = 64, base = other } */
static int model_profile(lua_State *L)
{
    self(L);
    lua_settop(L, 2);
    int base = 0;
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "base");
        if (lua_rawget(L, 2) != LUA_TNIL)
            base = lua_gettop(L);
    }
    eex__lua_profile(L, 1, base, 2);
    return 1;
}

static int model_index(lua_State *L)
{
    luaL_checkudata(L, 1, EEX__LUA_MODEL);
    const int results = eex__lua_member(L, 1);
    if (results == 0 || !lua_isfunction(L, -1)) /* methods say for themselves that it is closed */
        self(L);
    return results;
}

static int model_text(lua_State *L)
{
    const box *b = luaL_checkudata(L, 1, EEX__LUA_MODEL);
    if (!b->engine)
        lua_pushliteral(L, "model (closed)");
    else
        lua_pushfstring(L, "model %s: %d exits, %d classes, %dx%dx%d",
                        eex_graph_name(b->model->graph), eex_graph_exits(b->model->graph),
                        (int)b->model->input.classes.count, b->model->input.height,
                        b->model->input.width, b->model->input.channels);
    return 1;
}

void eex_lua_model_register(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", model_index}, {"__gc", model_close}, {"__tostring", model_text}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"classify", model_classify},
                                       {"run", model_run},
                                       {"samples", model_samples},
                                       {"macs", model_macs},
                                       {"profile", model_profile},
                                       {"close", model_close},
                                       {NULL, NULL}};
    eex__lua_class(L, EEX__LUA_MODEL, "model", metamethods, methods);
}
