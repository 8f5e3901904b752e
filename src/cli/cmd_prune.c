/* eex prune: the network cut after one of its exits. */
#include "cli/amount.h"
#include "cli/commands.h"
#include "cli/open_model.h"
#include "cli/out_file.h"
#include "cli/print_prune.h"
#include "cli/prune_filters.h"
#include "core/model/model_data.h"

#include "base/fs.h"
#include "base/laps.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>

enum { IMAGES = 100, ROUNDS = 11, MAX_IMAGES = 100000, MAX_ROUNDS = 1000 };

typedef struct arguments {
    const char *out, *exit, *budget, *accuracy, *base, *data;
    double most_ms;
    int64_t images, rounds;
    bool table, alone, test, no_latency, force, json;
    eex__filter_options filters;
    eex_model_options model;
    eex_wishes wishes;
} arguments;

static const arguments defaults = {.most_ms = NAN,
                                   .images = IMAGES,
                                   .rounds = ROUNDS,
                                   .filters = EEX__FILTER_OPTIONS_INIT,
                                   .model = EEX_MODEL_OPTIONS_INIT};

static const eex_option options[] = {
    EEX_FLAG("table", table, "the table of all cuts"),
    EEX_TEXT("exit", "K", exit, "cut after exit K"),
    EEX_FLAG("alone", alone, "without the gates in front of it"),
    EEX_OUT("MODEL.h5", out, "write the network"),
    EEX_FLAG("force", force, "replace a file that is there"),
    EEX_TEXT("budget-macs", "M", budget, "multiply-accumulates that no image exceeds (2.5M)"),
    EEX_REAL("max-latency", "MS", 1e-6, 1e9, most_ms, "milliseconds that no image exceeds"),
    EEX_TEXT("min-accuracy", "A", accuracy, "a fraction, or at most so far below the base (-0.01)"),
    EEX_FLAG("test", test, "run all of them on the test split too"),
    EEX_FLAG("no-latency", no_latency, "measure nothing"),
    EEX_NUMBER("images", "N", 1, MAX_IMAGES, images, "how many are timed (100)"),
    EEX_NUMBER("rounds", "N", EEX_LAPS_ROUNDS_MIN, MAX_ROUNDS, rounds,
               "how often each (11); the lower quartile counts"),
    EEX__FILTER_OPTIONS(filters),
    EEX_BASE(base),
    EEX_IMAGES_OF(data),
    EEX_JSON(json),
    EEX_MODEL_OPTIONS(model),
    {0},
};

static int read_wishes(arguments *a)
{
    a->wishes =
        (eex_wishes){.alone = a->alone, .most_macs = NAN, .most_ms = a->most_ms, .accuracy = NAN};
    if (a->budget)
        EEX_TRY(eex_parse_amount(&a->wishes.most_macs, a->budget, "--budget-macs"));
    if (a->accuracy)
        EEX_TRY(eex_text_parse_double(&a->wishes.accuracy, a->accuracy, -1, 1, "--min-accuracy"));
    return EEX_OK;
}

static bool wished(const arguments *a)
{
    return a->budget || a->accuracy || !isnan(a->most_ms);
}

static int check_filters(const arguments *a, const char *path)
{
    if (a->exit || wished(a) || a->table || a->alone || a->test || a->base)
        return eex_fail(EEX_EINVAL, "--filters leaves filters out and cuts nothing: cut what it "
                                    "has written, if that is wanted");
    if (!a->out)
        return eex_fail(EEX_EINVAL, "--filters: where to write the network? -o MODEL.h5");
    EEX_TRY(eex_model_find(path));
    return eex_check_out(a->out, a->force, "weights", "origin");
}

static int check(void *given, const eex_words *words)
{
    arguments *a = given;
    EEX_TRY(read_wishes(a));
    EEX_TRY(eex__filters_check(&a->filters));
    if (eex__filters_wanted(&a->filters))
        return check_filters(a, words->at[0]);
    if (a->exit && wished(a))
        return eex_fail(EEX_EINVAL, "--exit says where to cut: a budget or an accuracy would "
                                    "choose it; give one or the other");
    if (a->out && !a->exit && !wished(a))
        return eex_fail(EEX_EINVAL,
                        "-o %s: where to cut? --exit K, --budget-macs M, "
                        "--max-latency MS or --min-accuracy A",
                        a->out);
    if (a->no_latency && !isnan(a->most_ms))
        return eex_fail(EEX_EINVAL, "--max-latency needs what --no-latency leaves out");
    EEX_TRY(eex_model_find(words->at[0]));
    return eex_check_out(a->out, a->force, "weights", "origin");
}

/* ---- working ---- */

typedef struct prune {
    const arguments *a;
    const char *path; /* of the run or model */
    eex_opened opened;
    eex_model *base; /* NULL: there is none */
    eex_dataset *data;
    eex_prune_table *table;
    eex_prune_done done;
    char *why;
} prune;

/* Whether the table is printed, or one cut alone. */
static bool whole_table(const arguments *a)
{
    return a->table || (!a->exit && !wished(a)) || a->test || a->json;
}

static bool timed(const arguments *a)
{
    return !a->no_latency && (whole_table(a) || !isnan(a->most_ms));
}

static bool relative(const arguments *a)
{
    return a->wishes.accuracy <= 0;
}

static int open_base(prune *p)
{
    const arguments *a = p->a;
    EEX_TRY(eex_open_base(&p->base, &p->opened, p->path, a->base, &a->model));
    if (p->base || !relative(a))
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "--min-accuracy %s is relative to the base, which is not in %s: name it "
                    "with --base",
                    a->accuracy, p->path);
}

/* Runs what has to run; replaying the trace needs none of it. */
static int measure(prune *p)
{
    const arguments *a = p->a;
    if (!timed(a) && !a->test && !relative(a))
        return EEX_OK;
    EEX_TRY(open_base(p));
    EEX_TRY(eex_model_data_own(&p->data, p->opened.model, a->data));
    const eex_prune_bench bench = {p->opened.model, p->base, p->data};
    if (p->base)
        EEX_TRY(eex_prune_base(p->table, &bench));
    if (timed(a))
        EEX_TRY(eex_prune_time(p->table, &bench, (int)a->images, (int)a->rounds));
    return a->test ? eex_prune_test(p->table, &bench) : EEX_OK;
}

static int choose(prune *p)
{
    const arguments *a = p->a;
    p->done = (eex_prune_done){.exit = -1, .alone = a->alone};
    if (a->exit)
        return eex_exit_parse(&p->done.exit, p->opened.model->graph, a->exit);
    if (!wished(a))
        return EEX_OK;
    EEX_TRY(eex_prune_choose(&p->done.exit, &p->why, p->table, &a->wishes));
    p->done.why = p->why;
    return EEX_OK;
}

static int write_cut(prune *p)
{
    const eex_cut cut = eex_cut_at(p->done.exit, p->done.alone);
    eex_model *model = NULL;
    if (!p->a->out)
        return EEX_OK;
    EEX_TRY(eex_cut_make(&model, p->opened.model, &cut));
    int code = eex_cut_write(p->a->out, model, p->opened.model, &cut);
    eex_model_close(model);
    EEX_TRY(code);
    p->done.file = p->a->out;
    return eex_fs_size(&p->done.bytes, p->a->out);
}

static int work(prune *p)
{
    const arguments *a = p->a;
    EEX_TRY(eex_open_model(&p->opened, p->path, EEX_MODEL_BEST, &a->model));
    if (eex__filters_wanted(&a->filters))
        return eex__filters_prune(&a->filters, &p->opened, a->data, a->out, a->json);
    if (a->exit) /* before anything takes long */
        EEX_TRY(eex_exit_parse(&p->done.exit, p->opened.model->graph, a->exit));
    p->table = calloc(1, sizeof *p->table);
    if (!p->table)
        return eex_fail(EEX_ENOMEM, "out of memory for a table");
    EEX_TRY(eex_prune_judge(p->table, p->opened.model));
    EEX_TRY(measure(p));
    EEX_TRY(choose(p));
    EEX_TRY(write_cut(p));
    if (a->json)
        return eex_print_prune_json(p->table, p->opened.model, &p->done);
    return whole_table(a) ? eex_print_prune(p->table, p->opened.model, &p->done)
                          : eex_print_cut(p->table, p->opened.model, &p->done);
}

/* ---- the command ---- */

static int run(const void *given, const eex_words *words)
{
    prune p = {.a = given, .path = words->at[0]};
    int code = work(&p);
    free(p.why);
    free(p.table);
    eex_dataset_close(p.data);
    eex_model_close(p.base);
    eex_opened_close(&p.opened);
    return code;
}

static const char details[] =
    "Without --exit or a wish it prints the table: the network cut after each exit, as it is\n"
    "(gates in front stay, and images may still leave there) and with that exit alone.\n\n"
    "Exits are numbered from 1 in the order of the network, as `eex show` lists them; \"end\" is\n"
    "the last one, and the name of the node that an exit reads will do, too. Exit K decides about\n"
    "every image that reaches it, whatever its threshold was.\n\n"
    "--budget-macs and --max-latency take the most accurate cut in which no image costs more;\n"
    "--min-accuracy takes the cheapest that is right often enough (zero or less: so far below\n"
    "the base, as -0.01). Both are judged on the validation split. What is written with -o is a\n"
    "model file: every command takes it in the place of a run.\n\n"
    "--filters SHARE leaves filters out instead: in each layer of the device's part (up to the "
    "last\n"
    "early exit, or --cut) those whose weights have the smallest l2 norms, what has to have the "
    "same\n"
    "channels alike, and trains all of the network on. Its thresholds stay; `eex tune` fits "
    "others.\n\n" EEX_POLICY_DETAILS;

const eex_cmd eex_cmd_prune = {
    .name = "prune",
    .brief = "cut a network after one of its exits, or leave filters out",
    .synopsis = "RUN|MODEL.h5 [options]",
    .summary =
        "Shows what is left of a network that is cut after one of its exits, and writes it;\n"
        "or writes it without some of its filters.",
    .details = details,
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
