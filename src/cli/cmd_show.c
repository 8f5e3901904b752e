/* eex show: a run's results, from its folder alone, or what is in a model file. */
#include "cli/commands.h"
#include "cli/print_report.h"

typedef struct arguments {
    bool json;
} arguments;

static const eex_option options[] = {
    EEX_JSON(json),
    {0},
};

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    return eex_print_report(words->at[0], a->json);
}

const eex_cmd eex_cmd_show = {
    .name = "show",
    .brief = "show what a run has found",
    .synopsis = "RUN|MODEL.h5 [--json]",
    .summary = "Shows what the run in folder RUN has found, finished or not, or what a model "
               "file is.",
    .details = "Accuracies are fractions, macs multiply-accumulates of one input, latencies\n"
               "milliseconds of one input. What is not known yet is null. Exits are numbered\n"
               "from 1 in the order of the network: other commands take these numbers.",
    .words = {1, 1},
    .takes = {sizeof(arguments), NULL, options},
    .run = run,
};
