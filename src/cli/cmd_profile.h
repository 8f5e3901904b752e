/* eex profile: its arguments, and its two halves. */
#ifndef EEX_CLI_CMD_PROFILE_H
#define EEX_CLI_CMD_PROFILE_H

#include "cli/open_model.h"
#include "cli/options.h"

typedef struct eex__profile_arguments {
    const char *path; /* RUN, MODEL.h5, or with --table EXPERIMENT.lua */
    const char *out, *trace, *base, *data, *run;
    int64_t batch, images, rounds, structures;
    bool table, layers, json, trust, fresh, force;
    eex_option_list set;
    eex_model_options model;
} eex__profile_arguments;

/* A latency table of an experiment's search space: cmd_profile_table.c. */
int eex__profile_table(const eex__profile_arguments *a);

#endif
