/* eex profile: its arguments, and its two halves. */
#ifndef EEX_CLI_CMD_PROFILE_H
#define EEX_CLI_CMD_PROFILE_H

#include "cli/open_model.h"
#include "cli/script_options.h"

typedef struct eex__profile_arguments {
    const char *out, *trace, *base, *data, *run;
    int64_t batch, images, rounds, structures;
    bool table, layers, json, fresh, force;
    eex_script_options script;
    eex_model_options model;
} eex__profile_arguments;

/* A latency table of the search space of the experiment in `path`: cmd_profile_table.c. */
int eex__profile_table(const eex__profile_arguments *a, const char *path);

#endif
