/* What --set says about the fields of an experiment. */
#include "lua/lua_experiment.h"
#include "support/folder.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char folder[TEST_PATH_SIZE];

static const char script[] = "return { dataset = { name = 'tiny' }, backbone = require "
                             "'eex'.backbones.resnet_small { size = 32 },\n"
                             "  training = { epochs = 2 }, gates = { blocks = { 1, 2, 3 } } }";

static void setup(void)
{
    test_folder_make(folder);
    cr_assert_eq(eex_fs_write(test_path(folder, "a.lua"), script, strlen(script)), EEX_OK);
}

static void teardown(void)
{
    test_folder_remove(folder);
}

TestSuite(set, .init = setup, .fini = teardown);

/* The experiment with what was set, in words. */
static int described(char **out, const char *const *set, size_t sets)
{
    const eex_lua_experiment_options options = {.set = set, .sets = sets};
    eex_experiment *e = NULL;
    int code = eex_lua_experiment(&e, test_path(folder, "a.lua"), &options);
    if (code == EEX_OK)
        code = eex_experiment_text(out, e);
    eex_experiment_free(e);
    return code;
}

typedef struct set_case {
    const char *set, *line; /* of the description; of a mistake: part of the message */
} set_case;

static const set_case good[] = {
    {"training.epochs=7", "\ntraining.epochs = 7\n"},
    {"training.lr=1e-2", "\ntraining.lr = 0.01\n"},
    {"deterministic=true", "\ndeterministic = 1\n"},
    {"training.optimizer.nesterov=false", "\ntraining.optimizer.nesterov = 0\n"},
    {"training.regime=frozen", "\ntraining.regime = frozen\n"},
    {"training.regime=\"frozen\"", "\ntraining.regime = frozen\n"},
    {"name='7'", "name = 7\n"},
    {"gates.blocks={0, 2}", "\ngates.blocks = 0 2\n"},
    {"gates.blocks={0,2,}", "\ngates.blocks = 0 2\n"},
    {"gates.blocks=2", "\ngates.blocks = 2\n"},
    {"gates.blocks.3=5", "\ngates.blocks = 1 2 5\n"},
    {"gates.blocks=nil", "\ngates.blocks = 1 2\n"},
    {"gates={blocks={0}, max_exits=3}", "\ngates.max_exits = 3\n"},
    {"training.optimizer={kind = \"adamw\", beta1 = 0.5}", "\ntraining.optimizer.beta1 = 0.5\n"},
    {"training.augment={crop=4, flip=true}", "\ntraining.augment.flip = 1\n"},
    {"candidate.schedule.milestones={2, 5}", "\ncandidate.schedule.milestones = 2 5\n"},
    {"dataset.name=/data/a, b/c.h5", "\ndataset.name = /data/a, b/c.h5\n"},
    {"dataset={name='a, b', calibration=30}", "\ndataset.calibration = 30\n"},
    {"dataset.name=a=b", "\ndataset.name = a=b\n"},
    {"saliency={\"layer1.0.relu_1\", 'layer2.0.relu_1'}", "saliency ="},
};

static const set_case bad[] = {
    {"training.epochs=lots", "training.epochs: a positive integer, got \"lots\""},
    {"training.epochs='7'", "training.epochs: a positive integer, got \"7\""},
    {"training.epohcs=3", "training.epohcs: no such field, did you mean \"epochs\"?"},
    {"trainig={epochs=3}", "trainig: no such field, did you mean \"training\"?"},
    {"training.optimizer.nesterov=yes", "true or false, got \"yes\""},
    {"gates.blocks=1,2", "gates.blocks: a list such as {1, 2}, got \"1,2\""},
    {"gates.blocks={1, two}", "two is a name, which means nothing here: texts stand in quotes"},
    {"saliency={layer1.0.relu_1}", "is no Lua value"},
    {"saliency={layer1}", "as in {\"layer1\"}"},
    {"gates.blocks={1, 2", "\"{1, 2\" is no Lua value"},
    {"gates.blocks.x=1", "gates.blocks: a list, in which there is no place for [\"x\"]"},
    {"gates.blocks.7=1", "no place for [7]"},
    /* Numbers that are no integers are names: raw access took them for tables once. */
    {"1e3=5", "1e3: no such field"},
    {"training.1e3=5", "training.1e3: no such field"},
    {"training.1e400=2", "training.1e400: no such field"},
    {"4e-309.x=1", "4e-309: no such field"},
    {"0x1p3.y=1", "0x1p3: no such field"},
    {"training.0x1p3.y=1", "training.0x1p3: no such field"},
    {"training.epochs.x=1", "\"epochs\" is a number and has no fields"},
    {"name={print('x')}", "print is a name"},
    {"=1", "expected FIELD=VALUE"},
    {"training", "expected FIELD=VALUE"},
};

Test(set, numbers_booleans_texts_lists_and_tables)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char *text = NULL;
        int code = described(&text, &good[i].set, 1);
        cr_assert_eq(code, EEX_OK, "%s: %s", good[i].set, eex_error());
        cr_expect(strstr(text, good[i].line), "%s: no \"%s\" in\n%s", good[i].set, good[i].line,
                  text);
        free(text);
    }
}

Test(set, mistakes_are_named)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = NULL;
        int code = described(&text, &bad[i].set, 1);
        cr_expect_eq(code, EEX_ESCRIPT, "%s: %d", bad[i].set, code);
        cr_expect(strstr(eex_error(), bad[i].line), "%s: \"%s\" does not say \"%s\"", bad[i].set,
                  eex_error(), bad[i].line);
        free(text);
    }
}

Test(set, the_last_one_counts_and_all_are_kept)
{
    const char *const set[] = {"gates={blocks={4}}", "gates.blocks.2=6", "gates.max_exits=2"};
    char *text = NULL;
    cr_assert_eq(described(&text, set, 3), EEX_OK, "%s", eex_error());
    cr_expect(strstr(text, "\ngates.blocks = 4 6\n") && strstr(text, "\ngates.max_exits = 2\n"));
    free(text);
}
