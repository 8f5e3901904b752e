/* What a run object reads from its folder when it is first asked what if. */
#include "lua/args.h"
#include "lua/lua_run_impl.h"

#include "base/fs.h"
#include "base/status.h"

#include <stdint.h>
#include <stdlib.h>

/* A trace is the script's memory before it is there. */
static int read_trace(eex_trace **out, lua_State *L, eex__lua_run *b, eex_store_file *file)
{
    size_t bytes;
    EEX_TRY(eex_trace_size(&bytes, file, "trace"));
    if (eex__lua_take(L, &b->held, bytes, "its trace does not fit") < 0)
        return eex_fail_in(EEX_ESCRIPT, "%s", b->path);
    return eex_trace_load(out, file, "trace");
}

static int load_trace(eex_trace **out, lua_State *L, eex__lua_run *b, const char *name)
{
    eex_store_file *file = NULL;
    if (*out)
        return EEX_OK;
    free(b->path);
    b->path = NULL;
    EEX_TRY(eex_path_join(&b->path, b->report->folder, name));
    if (!eex_fs_exists(b->path))
        return eex_fail(EEX_ENOTFOUND, "%s has no %s yet: finish the run first", b->report->folder,
                        name);
    EEX_TRY(eex_store_open(&file, b->path, "trace", 1));
    int code = read_trace(out, L, b, file);
    eex_store_close(file);
    return code;
}

static int load_model(lua_State *L, eex__lua_run *b)
{
    if (b->model)
        return EEX_OK;
    EEX_TRY(eex_model_open(&b->model, b->report->folder, EEX_MODEL_BEST, NULL));
    return eex__lua_take(L, &b->held, eex_model_bytes(b->model), "its network does not fit");
}

int eex__lua_run_load(lua_State *L, eex__lua_run *b)
{
    const eex_report *r = b->report;
    EEX_TRY(load_trace(&b->calibration, L, b, "final-calibration.h5"));
    EEX_TRY(load_trace(&b->validation, L, b, "final-validation.h5"));
    EEX_TRY(load_model(L, b));
    const int exits = eex_graph_exits(b->model->graph);
    const int classes = eex_graph_classes(b->model->graph);
    if (b->validation->classes != classes || b->calibration->classes != classes)
        return eex_fail(EEX_EFORMAT, "%s: traces of %d and %d classes, the network has %d",
                        r->folder, b->calibration->classes, b->validation->classes, classes);
    if (b->validation->exits == exits && b->calibration->exits == exits && r->best.exits == exits)
        return EEX_OK;
    return eex_fail(EEX_EFORMAT, "%s: a trace of %d exits, the network has %d", r->folder,
                    b->validation->exits, exits);
}

/* The device holds what it scores a trace with for as long as that takes. */
int eex__lua_run_device(lua_State *L, eex__lua_run *b)
{
    if (!b->device) {
        EEX_TRY(eex__lua_take_threads(L, &b->held, 0));
        EEX_TRY(eex_device_open(&b->device, "cpu", NULL));
    }
    const size_t room = eex__lua_room(L);
    b->device->memory = room == SIZE_MAX ? 0 : b->device->held + room + 1;
    return EEX_OK;
}

_Noreturn void eex__lua_run_raise(lua_State *L, const eex__lua_run *b, int code)
{
    if (code == EEX_ENOMEM && b->device && b->device->full)
        (void)eex__lua_too_large(L, "what scores a trace does not fit");
    eex_lua_raise(L);
}
