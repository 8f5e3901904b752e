/* eex show: a run's results, from its folder alone, or what is in a model file; or several runs
 * beside each other. */
#include "cli/commands.h"
#include "cli/print_compare.h"
#include "cli/print_report.h"

#include "base/fs.h"
#include "base/status.h"

typedef struct arguments {
    bool json, csv;
} arguments;

static const eex_option options[] = {
    EEX_FLAG("csv", csv, "print a line of figures for each run, for spreadsheets"),
    EEX_JSON(json),
    {0},
};

static int check(void *given, const eex_words *words)
{
    const arguments *a = given;
    return a->json && a->csv ? eex_fail(EEX_EINVAL, "--json and --csv: one of them") : EEX_OK;
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    if (words->count == 1 && !a->csv)
        return eex_print_report(words->at[0], a->json);
    for (int i = 0; i < words->count; i++)
        if (eex_fs_exists(words->at[i]) && !eex_fs_is_folder(words->at[i]))
            return eex_fail(EEX_EINVAL,
                            "%s is a file: runs are compared by their folders; a model file is "
                            "shown alone, without --csv",
                            words->at[i]);
    return eex_print_compare(words->at, (size_t)words->count,
                             a->csv    ? EEX_COMPARE_CSV
                             : a->json ? EEX_COMPARE_JSON
                                       : EEX_COMPARE_TABLE);
}

const eex_cmd eex_cmd_show = {
    .name = "show",
    .brief = "show what a run has found, or compare runs",
    .synopsis = "RUN|MODEL.h5 [--json], RUN RUN...",
    .summary = "Shows what the run in folder RUN has found, finished or not, or what a model "
               "file is. Of several runs it shows the figures beside each other, means over\n"
               "those that differ in their seed alone, and the fields in which the others differ.",
    .details = "Accuracies are fractions, macs multiply-accumulates of one input, latencies\n"
               "milliseconds of one input. What is not known yet is null. Exits are numbered\n"
               "from 1 in the order of the network: other commands take these numbers.",
    .words = {1, 64},
    .takes = {sizeof(arguments), NULL, options},
    .check = check,
    .run = run,
};
