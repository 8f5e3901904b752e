/* Trained networks from Lua say what the engine says, and only about what a script may read. */
#include "core/data/image.h"
#include "core/engine/engine.h"
#include "cpu/cpu_register.h"
#include "lua/sandbox.h"
#include "support/folder.h"
#include "support/patches.h"
#include "support/script.h"
#include "support/stored_model.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { TEST = 40, IMAGE = 8 * 8 * 3 };

static char folder[TEST_PATH_SIZE];
static lua_State *L;
static uint8_t images[TEST][IMAGE];
static eex_result wanted[TEST];

/* What the engine says about the test samples. */
static void classify(eex_device *device, const char *path)
{
    eex_model *model;
    eex_engine *engine;
    int left[3] = {0}, rejected = 0;
    OK(eex_model_open(&model, path, EEX_MODEL_BEST, device));
    OK(eex_engine_open(&engine, model, TEST));
    OK(eex_engine_run(engine, wanted, images[0], TEST));
    for (int i = 0; i < TEST; i++) {
        left[wanted[i].exit]++;
        rejected += wanted[i].decision == EEX_REJECT;
    }
    cr_assert(left[0] > 0 && left[1] > 0 && left[2] > 0 && rejected > 0, "%d %d %d leave, %d no",
              left[0], left[1], left[2], rejected);
    eex_engine_close(engine);
    eex_model_close(model);
}

/* What every text may use: `m`, the model. */
static const char prelude[] = "eex = require 'eex' m = m or eex.open('model.h5')";

static void setup(void)
{
    eex_device *device;
    test_folder_make(folder);
    setenv("EEX_DATA", folder, 1);
    eex_dataset *data = patches_open(folder, 20, TEST, 40);
    uint32_t samples[TEST];
    for (uint32_t i = 0; i < TEST; i++)
        samples[i] = 20 + i;
    OK(eex_dataset_gather(images[0], data, samples, TEST));
    OK(eex_cpu_register());
    OK(eex_device_open(&device, "cpu", NULL));
    OK(eex_fs_make_folder(test_path(folder, "exp")));
    stored_model_write(test_path(folder, "exp/model.h5"), device, data);
    stored_model_write(test_path(folder, "outside.h5"), device, data);
    classify(device, test_path(folder, "exp/model.h5"));
    const eex_image image = {.width = 8, .height = 8, .channels = 3, .pixels = images[5]};
    OK(eex_image_write_png(test_path(folder, "exp/five.png"), &image));
    OK(eex_image_write_png(test_path(folder, "outside.png"), &image));
    eex_dataset_close(data);
    eex_device_close(device);
    OK(eex_lua_open(&L, &(eex_lua_options){.folder = test_path(folder, "exp")}));
    script_in(&L, prelude);
}

static void teardown(void)
{
    eex_lua_close(L);
    test_folder_remove(folder);
}

TestSuite(lua_model, .init = setup, .fini = teardown);

/* The table on the top says this. */
static void says(const eex_result *want)
{
    lua_getfield(L, -1, "class");
    cr_expect_eq(lua_tointeger(L, -1), want->top);
    lua_getfield(L, -2, "exit");
    cr_expect_eq(lua_tointeger(L, -1), want->exit + 1);
    lua_getfield(L, -3, "accepted");
    cr_expect_eq(lua_toboolean(L, -1), want->decision == EEX_ACCEPT);
    lua_getfield(L, -4, "confidence");
    cr_expect_eq((float)lua_tonumber(L, -1), want->confidence);
    lua_pop(L, 4);
}

Test(lua_model, facts)
{
    gives("return #m.exits", "3");
    gives("return m.exits[1].node", "blocks.0.relu2");
    gives("return m.exits[1].blocks", "1");
    gives("return m.exits[3].blocks", "nil");
    gives("return table.concat(m.classes, ' ')", "red green blue yellow");
    gives("return m.dataset .. ' ' .. m.policy", "patches confidence");
    gives("return m.height * m.width * m.channels", "192");
    gives("return m:macs(1) == m.exits[1].macs and m:macs(1) < m:macs(2)", "true");
    gives("return m:macs() == m.exits[3].macs", "true");
    gives("return m:samples 'test'", "40");
    gives("return tostring(m):match 'model .*3 exits, 4 classes, 8x8x3' ~= nil", "true");
    gives("return m.nothing", "nil");
}

Test(lua_model, decides_as_the_engine_does)
{
    OK(script_run("return m:run 'test'"));
    cr_assert_eq(lua_rawlen(L, -1), TEST);
    for (int i = 0; i < TEST; i++) {
        lua_rawgeti(L, -1, i + 1);
        says(&wanted[i]);
        lua_pop(L, 1);
    }
    OK(script_run("return m:classify('test', 8)"));
    says(&wanted[7]);
    OK(script_run("return m:run('test', { 9, 4 })[2]"));
    says(&wanted[3]);
    gives("local r = m:classify('test', 8) return r.sample .. ' ' .. r.label .. ' ' .. "
          "tostring(r.name == m.classes[r.class + 1])",
          "27 3 true");
    gives("return #m:run('test', {})", "0");
}

Test(lua_model, reads_files)
{
    OK(script_run("return m:classify 'five.png'"));
    says(&wanted[5]);
    gives("return m:classify('five.png').file", "five.png");
    gives("return #m:run { 'five.png', 'five.png', 'five.png' }", "3");
    fails("m:classify 'none.png'", "none.png");
    fails("m:classify 'model.h5'", "neither JPEG, PNG, WebP nor TIFF");
    fails("m:run { 'five.png', 5 }", "image 2");
    fails("m:run { 'five.png', true }", "image 2");
}

Test(lua_model, other_policies)
{
    gives("return eex.open('model.h5', { policy = 'none' }):classify('test', 1).exit", "3");
    gives("return eex.open('model.h5', { policy = 'margin', threshold = 0 }):classify('test', "
          "1).exit",
          "1");
    gives("return eex.open('model.h5', { threshold = 1 }):classify('test', 1).exit", "3");
    fails("eex.open('model.h5', { policy = 'margin' })", "needs a threshold");
    fails("eex.open('model.h5', { policy = 'magin', threshold = 1 })", "magin");
    fails("eex.open('model.h5', { threshold = 2 })", "0 to 1");
    fails("eex.open('model.h5', { policy = 'magin' })", "no file and no exit policy");
    fails("eex.open('model.h5', { polcy = 'none' })", "did you mean \"policy\"");
    fails("eex.open('model.h5', { policy = 'model.h5' })", "expected \"policy\"");
    fails("eex.open('model.h5', { policy = '../p.h5' })", "--trust");
    fails("eex.open('model.h5', { base = true })", "base");
    fails("eex.open('model.h5', { device = 'tpu' })", "tpu");
    gives("return eex.open('model.h5').precision", "float32");
    gives("return eex.open('model.h5', { precision = 'float32' }):classify('test', 1).exit ==\n"
          "       eex.open('model.h5'):classify('test', 1).exit",
          "true");
    fails("eex.open('model.h5', { precision = 'half' })",
          "one of \"float32\", \"tf32\" and \"bfloat16-products\", got \"half\"");
    fails("eex.open('model.h5', { precision = 'bfloat16' })", "got \"bfloat16\"");
}

Test(lua_model, stays_in_its_folder)
{
    cr_assert_eq(symlink("../outside.h5", test_path(folder, "exp/link.h5")), 0);
    cr_assert_eq(symlink("../outside.png", test_path(folder, "exp/link.png")), 0);
    cr_assert_eq(symlink("five.png", test_path(folder, "exp/inside.png")), 0);
    OK(eex_fs_make_folder(test_path(folder, "exp/run")));
    OK(eex_fs_write(test_path(folder, "exp/run/run.h5"), "x", 1));
    cr_assert_eq(symlink("../../outside.h5", test_path(folder, "exp/run/final.h5")), 0);
    fails("eex.open '../outside.h5'", "--trust");
    fails("eex.open 'link.h5'", "--trust");
    fails("eex.open 'run'", "--trust");
    fails("eex.open('run', { base = true })", "--trust");
    fails("m:classify '../outside.png'", "--trust");
    fails("m:classify 'link.png'", "--trust");
    fails("m:run { 'five.png', 'link.png' }", "--trust");
    fails("m:classify '/etc/passwd'", "--trust");
    gives("return m:classify('inside.png').exit == m:classify('five.png').exit", "true");
    cr_assert_eq(symlink("../outside.h5", test_path(folder, "exp/run.h5")), 0);
    fails("eex.open 'model.h5'", "--trust"); /* nor by what is beside it */
    OK(unlink(test_path(folder, "exp/run.h5")));
    fails("eex.open 'none.h5'", "none.h5");
    fails("eex.open 'five.png'", "five.png");
    fails("eex.open()", "string expected");
}

/* A model's file names its data set: that must not be a way to files elsewhere. */
Test(lua_model, does_not_open_data_by_path)
{
    eex_device *device;
    eex_dataset *data;
    OK(eex_device_open(&device, "cpu", NULL));
    data = patches_open(folder, 8, 8, 40);
    stored_model_write_for(test_path(folder, "exp/other.h5"), device, data, "../patches.h5");
    eex_dataset_close(data);
    eex_device_close(device);
    fails("eex.open('other.h5'):samples 'test'", "--trust");
}

/* Numbers of samples mean other images where the data set was replaced. */
Test(lua_model, other_data_of_that_name_are_refused)
{
    eex_dataset_close(patches_open(folder, 20, TEST, 41));
    fails("m:samples 'test'", "made from other data");
    fails("m:classify('test', 1)", "made from other data");
    fails("m:run('train', { 1 })", "made from other data");
    eex_dataset_close(patches_open(folder, 20, TEST, 40));
    gives("return m:samples 'test'", "40");
}

Test(lua_model, mistakes_are_named)
{
    fails("m:classify('tst', 1)", "unknown split \"tst\"");
    fails("m:classify('test', 0)", "expected 1 to 40");
    fails("m:classify('test', 41)", "expected 1 to 40");
    fails("m:classify('test', 1.5)", "integer");
    fails("m:run('test', { 1, 'x' })", "number expected");
    fails("m:run('test', 3)", "table expected");
    fails("m:macs(4)", "this model has 3");
    fails("m.classify()", "eex.model expected");
    fails("m:close() m:classify('test', 1)", "closed");
    gives("m:close() m:close() return tostring(m)", "model (closed)");
    fails("return m.exits", "closed");
}

Test(lua_model, models_do_not_pile_up)
{
    gives("for i = 1, 50 do eex.open 'model.h5' end return 1", "1");
    fails("kept = {} for i = 1, 50 do kept[i] = eex.open 'model.h5' end", "at once");
    gives("for _, x in ipairs(kept) do x:close() end return eex.open('model.h5').dataset",
          "patches");
}

/* ---- limits ---- */

static void open_again(const eex_lua_options *options)
{
    eex_lua_options own = *options;
    own.folder = test_path(folder, "exp");
    eex_lua_close(L);
    OK(eex_lua_open(&L, &own));
}

Test(lua_model, what_models_hold_is_the_scripts_memory)
{
    open_again(&(eex_lua_options){.memory = 2 << 20});
    fails("local t = {} for i = 1, 16 do t[i] = eex.open('model.h5', {threads = 1}) end",
          "above its limit");
    cr_expect(strstr(eex_error(), "a.lua:1: ") && strstr(eex_error(), "model.h5") &&
                  strstr(eex_error(), "at most 2 MiB") && strstr(eex_error(), "model:close()"),
              "%s", eex_error());
    /* what nobody holds is given back first, and what is closed at once */
    gives("for i = 1, 60 do eex.open('model.h5', {threads = 1}) end return 'collected'",
          "collected");
    gives("for i = 1, 60 do eex.open('model.h5', {threads = 1}):close() end return 'closed'",
          "closed");
    gives("return #eex.open('model.h5', {threads = 1}):run('test')", "40");
    open_again(&(eex_lua_options){.memory = 2 << 20, .trust = true});
    lua_pushstring(L, test_path(folder, "exp/model.h5"));
    lua_setglobal(L, "path");
    OK(luaL_loadstring(L, "local t, eex = {}, require 'eex'\n"
                          "for i = 1, 16 do t[i] = eex.open(path, {threads = 1}) end return #t"));
    OK(eex_lua_call(L, 0, 1));
    cr_expect(lua_tointeger(L, -1) == 16);
}

Test(lua_model, threads_of_models_are_limited)
{
    fails("eex.open('model.h5', {threads = 1024})", "threads: 1024 more than the ");
    fails(
        "local t = {} for i = 1, 16 do t[i] = eex.open('model.h5', {threads = 100000 // 1000}) end",
        "threads: 100 more");
    gives("for i = 1, 60 do eex.open('model.h5', {threads = 8}) end return 'collected'",
          "collected");
}

Test(lua_model, images_beyond_the_limit_are_read_each_time)
{
    open_again(&(eex_lua_options){.memory = 1200 << 10});
    gives("return #m:run('test')", "40");
}

Test(lua_model, what_lies_beside_a_model_may_be_no_link_to_outside)
{
    static const char *const beside[] = {"run.h5", "split.h5", "base.h5", "final-calibration.h5",
                                         "final-validation.h5"};
    char link[2 * TEST_PATH_SIZE];
    gives("return m.height", "8");
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        snprintf(link, sizeof link, "%s/exp/%s", folder, beside[i]);
        cr_assert(symlink(test_path(folder, "outside.h5"), link) == 0);
        fails("return eex.open('model.h5')", "outside the experiment's folder");
        cr_expect(strstr(eex_error(), beside[i]), "%s", eex_error());
        cr_assert(unlink(link) == 0);
    }
    cr_assert(symlink("model.h5", test_path(folder, "exp/final.h5")) == 0); /* stays inside */
    gives("return eex.open('final.h5').height", "8");
}
