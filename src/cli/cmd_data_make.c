/* eex data make: the built-in data set. */
#include "cli/cmd_data.h"
#include "cli/commands.h"
#include "core/data/synthetic.h"

#include "base/fs.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 100000000 };

typedef struct arguments {
    const char *data, *name;
    int64_t train, test, seed;
    bool force;
} arguments;

static const arguments defaults = {
    .name = "synthetic", .train = EEX_SYNTHETIC_TRAIN, .test = EEX_SYNTHETIC_TEST};

static const eex_option options[] = {
    EEX_NUMBER("train", "N", 1, MOST, train, "training images (default 20000)"),
    EEX_NUMBER("test", "N", 0, MOST, test, "test images (default 4000)"),
    EEX_SEED(seed, "another seed draws another set (default 0)"),
    EEX_TEXT("name", "NAME", name, "what to call it (default synthetic)"),
    EEX__DATA_FORCE(force),
    EEX__DATA_FOLDER(data),
    {0},
};

static int run(const void *given, const eex_words *words)
{
    static const char *const known[] = {"synthetic"};
    const arguments *a = given;
    char *path = NULL;
    if (strcmp(words->at[0], known[0]) != 0)
        return eex_options_unknown("data set", words->at[0], known, 1);
    EEX_TRY(eex__data_path(&path, a->data, a->name, a->force));
    int code = eex_fs_try(path);
    if (code == EEX_OK)
        code = eex_synthetic_make(path, a->name, (uint32_t)a->train, (uint32_t)a->test,
                                  (uint64_t)a->seed);
    if (code == EEX_OK)
        code = eex__data_say(path);
    free(path);
    return code;
}

const eex_cmd eex__data_make = {
    .name = "data make",
    .brief = "draw the built-in data set",
    .synopsis = "synthetic [options]",
    .summary = "Draws the built-in data set: ten classes of shapes and textures in five levels of "
               "difficulty.",
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .run = run,
};
