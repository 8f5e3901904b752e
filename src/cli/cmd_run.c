/* eex run: an experiment from its file to the final table. */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/print_report.h"
#include "core/data/dataset.h"
#include "core/data/synthetic.h"
#include "lua/lua_experiment.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 1024, SYNTHETIC_SEED = 0 };

typedef struct arguments {
    const char *out, *device, *data, *from;
    int64_t threads, seed; /* seed -1: as the file says */
    eex_option_list set;
    bool fresh, move, json, trust, help;
    const char *file;
} arguments;

static int parse(arguments *a, int argc, char **argv)
{
    *a = (arguments){.device = "cpu", .seed = -1};
    const eex_option options[] = {
        {.name = "out", .value = "DIR", .help = "the run's folder (runs/NAME)", .text = &a->out},
        {.name = "device", .value = "NAME", .help = "what it runs on (cpu)", .text = &a->device},
        {.name = "threads",
         .value = "N",
         .help = "threads on the CPU (all there are)",
         .number = &a->threads,
         .min = 1,
         .max = MAX_THREADS},
        {.name = "seed",
         .value = "N",
         .help = "of all random numbers (0)",
         .number = &a->seed,
         .min = 0,
         .max = INT64_MAX},
        {.name = "set",
         .value = "A.B=VALUE",
         .help = "change a field of the file",
         .list = &a->set},
        {.name = "data",
         .value = "DIR",
         .help = "where data sets are ($EEX_DATA)",
         .text = &a->data},
        {.name = "fresh", .help = "start again: what the folder has is removed", .flag = &a->fresh},
        {.name = "from",
         .value = "RUN",
         .help = "a new run takes over what RUN has that it would make alike",
         .text = &a->from},
        {.name = "move", .help = "go on with a run that began on another device", .flag = &a->move},
        {.name = "json", .help = "print the result as JSON", .flag = &a->json},
        {.name = "trust", .help = "let the file do what any program may", .flag = &a->trust},
        {0}};
    const eex_command command = {
        .name = "run",
        .synopsis = "FILE.lua [options]",
        .summary = "Runs the experiment that FILE.lua describes and shows what came of it.",
        .details = "A run can be stopped at any moment, by Ctrl-C or worse; the same command goes\n"
                   "on with it. A finished run is shown and not done again.",
        .options = options,
        .min_words = 1,
        .max_words = 1};
    eex_arguments args;
    EEX_TRY(eex_options_parse(&args, argc, argv, &command));
    a->help = args.help;
    a->file = args.help ? NULL : args.word[0];
    return EEX_OK;
}

static int default_folder(char **out, const eex_experiment *e)
{
    eex_buffer b = EEX_BUFFER_INIT;
    eex_buffer_printf(&b, "runs/%s", e->name);
    return eex_buffer_take(out, &b);
}

/* The built-in data set is drawn when it is wanted for the first time. */
static int make_synthetic(const eex_experiment *e)
{
    const char *folder = NULL;
    char *path = NULL;
    if (strcmp(e->data.name, "synthetic") != 0)
        return EEX_OK;
    EEX_TRY(eex_data_directory(&folder));
    EEX_TRY(eex_path_join(&path, folder, "synthetic.h5"));
    int code = EEX_OK;
    if (!eex_fs_exists(path)) {
        eex_log_info("drawing the built-in data set: %s", path);
        code = eex_fs_make_folder(folder);
        if (code == EEX_OK)
            code = eex_synthetic_make(path, "synthetic", EEX_SYNTHETIC_TRAIN, EEX_SYNTHETIC_TEST,
                                      SYNTHETIC_SEED);
    }
    free(path);
    return code;
}

static int run_in(const eex_experiment *e, const arguments *a, const char *folder)
{
    const eex_run_options options = {.folder = folder,
                                     .device = a->device,
                                     .threads = (int)a->threads,
                                     .fresh = a->fresh,
                                     .move = a->move,
                                     .from = a->from};
    EEX_TRY(make_synthetic(e));
    eex_log_info("%s: %s", e->name, folder);
    EEX_TRY(eex_experiment_run(e, &options));
    return eex_print_report(folder, a->json);
}

static int run(const arguments *a)
{
    const eex_lua_experiment_options options = {
        .trust = a->trust, .set = a->set.item, .sets = (size_t)a->set.count};
    eex_experiment *e = NULL;
    char *folder = NULL;
    if (a->data && setenv("EEX_DATA", a->data, 1) != 0)
        return eex_fail(EEX_ENOMEM, "out of memory for --data");
    EEX_TRY(eex_lua_experiment(&e, a->file, &options));
    if (a->seed >= 0)
        e->seed = (uint64_t)a->seed;
    int code = a->out ? EEX_OK : default_folder(&folder, e);
    if (code == EEX_OK)
        code = run_in(e, a, a->out ? a->out : folder);
    free(folder);
    eex_experiment_free(e);
    return code;
}

int eex_cmd_run(int argc, char **argv)
{
    arguments a;
    EEX_TRY(parse(&a, argc, argv));
    return a.help ? EEX_OK : run(&a);
}
