/* eex show: a run's results, from its folder alone, or what is in a model file. */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/print_report.h"

#include "base/status.h"

int eex_cmd_show(int argc, char **argv)
{
    bool json = false;
    const eex_option options[] = {{.name = "json", .help = "print one JSON object", .flag = &json},
                                  {0}};
    const eex_command command = {
        .name = "show",
        .synopsis = "RUN|MODEL.h5 [--json]",
        .summary = "Shows what the run in folder RUN has found, finished or not, or what a model "
                   "file is.",
        .details = "Accuracies are fractions, macs multiply-accumulates of one input, latencies\n"
                   "milliseconds of one input. What is not known yet is null. Exits are numbered\n"
                   "from 1 in the order of the network: other commands take these numbers.",
        .options = options,
        .min_words = 1,
        .max_words = 1};
    eex_arguments args;
    EEX_TRY(eex_options_parse(&args, argc, argv, &command));
    return args.help ? EEX_OK : eex_print_report(args.word[0], json);
}
