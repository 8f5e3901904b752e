/* What commands that read an experiment's file have in common. */
#ifndef EEX_CLI_SCRIPT_OPTIONS_H
#define EEX_CLI_SCRIPT_OPTIONS_H

#include "cli/options.h"
#include "core/run/experiment.h"

typedef struct eex_script_options {
    eex_option_list set; /* fields that replace the file's */
    bool trust;
} eex_script_options;

/* Rows of a command's table of options; `what` is what help calls the file. */
#define EEX_SET(member, what) EEX_LIST("set", "A.B=VALUE", member, "change a field of " what)
#define EEX_TRUST(member, what) EEX_FLAG("trust", member, "let " what " do what any program may")

/* The experiment that the file describes; the caller's. */
int eex_read_experiment(eex_experiment **out, const char *path, const eex_script_options *options);

#endif
