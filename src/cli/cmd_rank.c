/* eex rank: whether the search's quick judge puts candidates into the right order. */
#include "cli/commands.h"
#include "cli/device_options.h"
#include "cli/print_rank.h"
#include "core/report/report.h"
#include "core/run/ranking.h"
#include "lua/lua_experiment.h"

#include "base/status.h"

#include <limits.h>

typedef struct arguments {
    eex_device_choice device;
    int64_t candidates, repeated, trainings, epochs;
    bool force, json, trust;
} arguments;

static const arguments defaults = {.device = EEX_DEVICE_CHOICE_INIT,
                                   .candidates = EEX_RANK_CANDIDATES,
                                   .repeated = -1,
                                   .trainings = EEX_RANK_TRAININGS};

static const eex_option options[] = {
    EEX_NUMBER("candidates", "N", 2, EEX_RANKING_MOST, candidates, "how many are compared (30)"),
    EEX_NUMBER("repeated", "N", 0, EEX_RANKING_MOST, repeated,
               "so many of them are trained several times (5)"),
    EEX_NUMBER("trainings", "N", 1, 99, trainings, "how often those are (3)"),
    EEX_NUMBER("epochs", "N", 1, INT_MAX, epochs, "of each training (candidate.epochs)"),
    EEX_DEVICE_OPTIONS(device),
    EEX_FLAG("force", force, "replace a ranking with other options"),
    EEX_JSON(json),
    EEX_FLAG("trust", trust, "let the run's script do what any program may"),
    {0},
};

static int rank(const eex_experiment *e, const arguments *a, const char *folder)
{
    const eex_run_options how = {
        .folder = folder, .device = a->device.name, .threads = (int)a->device.threads};
    const int64_t usual =
        a->candidates < EEX_RANK_REPEATED ? a->candidates : (int64_t)EEX_RANK_REPEATED;
    const eex_rank_options wanted = {.candidates = (int)a->candidates,
                                     .repeated = (int)(a->repeated >= 0 ? a->repeated : usual),
                                     .trainings = (int)a->trainings,
                                     .epochs = (int)a->epochs,
                                     .force = a->force};
    eex_rank_report report;
    EEX_TRY(eex_experiment_rank(&report, e, &how, &wanted));
    return eex_print_rank(&report, a->json);
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    eex_experiment *e = NULL;
    EEX_TRY(eex_report_find(words->at[0]));
    EEX_TRY(eex_lua_experiment_of_run(&e, words->at[0], a->trust));
    int code = rank(e, a, words->at[0]);
    eex_experiment_free(e);
    return code;
}

const eex_cmd eex_cmd_rank = {
    .name = "rank",
    .brief = "train candidates of a search to see how well they were judged",
    .synopsis = "RUN [options]",
    .summary = "Compares the order in which the search of RUN, which is finished, puts candidates\n"
               "with the order after training each of them for itself.",
    .details = "The candidates are drawn from the whole space, at even distances of what they\n"
               "cost. Trainings that are done are kept: the same command goes on after Ctrl-C,\n"
               "and shows a ranking that is there. docs/searching.md explains the figures.",
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .run = run,
};
