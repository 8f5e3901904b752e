/* The subcommands. */
#ifndef EEX_CLI_COMMANDS_H
#define EEX_CLI_COMMANDS_H

#include "cli/cmd.h"

extern const eex_cmd eex_cmd_run, eex_cmd_show, eex_cmd_infer, eex_cmd_prune, eex_cmd_stream,
    eex_cmd_profile, eex_cmd_data, eex_cmd_cost, eex_cmd_tune, eex_cmd_devices, eex_cmd_repl,
    eex_cmd_rank, eex_cmd_sweep, eex_cmd_serve, eex_cmd_export, eex_cmd_import, eex_cmd_predictor,
    eex_cmd_bottleneck, eex_cmd_adapt, eex_cmd_report, eex_cmd_watch;

/* Those of "eex data". */
extern const eex_cmd eex__data_list, eex__data_get, eex__data_import, eex__data_make,
    eex__data_info;

#endif
