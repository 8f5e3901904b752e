/* Every allocation of a script that runs a model fails once. */
#include "core/data/image.h"
#include "cpu/cpu_register.h"
#include "lua/sandbox.h"
#include "support/folder.h"
#include "support/memory.h"
#include "support/patches.h"
#include "support/stored_model.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <lauxlib.h>
#include <stdlib.h>

static char folder[TEST_PATH_SIZE];

static const char program[] = "local core = require 'eex.core'\n"
                              "local m = core.open('model.h5', { threads = 1 })\n"
                              "assert(m:classify('image.png').exit >= 1)\n"
                              "assert(#m:run('test', { 1, 2, 3 }) == 3)\n"
                              "return m:macs(1)";

static int script(void)
{
    lua_State *L = NULL;
    EEX_TRY(eex_lua_open(&L, &(eex_lua_options){.folder = folder, .memory = 8 << 20}));
    int code = EEX_OK;
    if (luaL_loadbufferx(L, program, sizeof program - 1, "=program", "t") != LUA_OK)
        code = eex_fail(EEX_ENOMEM, "%s", "out of memory for the program");
    if (code == EEX_OK)
        code = eex_lua_call(L, 0, 1);
    eex_lua_close(L);
    return code;
}

/* A script's mistake and a lack of memory are one to Lua; the message tells. */
static int script_status(void)
{
    const int code = script();
    return code == EEX_ESCRIPT ? eex_fail(EEX_ENOMEM, "%s", eex_error()) : code;
}

Test(memory_model, every_failure_is_reported)
{
    static uint8_t pixels[8 * 8 * 3];
    const eex_image image = {.width = 8, .height = 8, .channels = 3, .pixels = pixels};
    eex_device *device;
    test_folder_make(folder);
    setenv("EEX_DATA", folder, 1);
    eex_dataset *data = patches_open(folder, 20, 8, 40);
    cr_assert_eq(eex_cpu_register(), EEX_OK);
    cr_assert_eq(eex_device_open(&device, "cpu", NULL), EEX_OK);
    stored_model_write(test_path(folder, "model.h5"), device, data);
    cr_assert_eq(eex_image_write_png(test_path(folder, "image.png"), &image), EEX_OK);
    eex_dataset_close(data);
    eex_device_close(device);
    cr_assert_gt(test_fail_each_allocation(script_status), 100);
    test_folder_remove(folder);
}
