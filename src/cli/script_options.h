/* What commands that read an experiment's file have in common. */
#ifndef EEX_CLI_SCRIPT_OPTIONS_H
#define EEX_CLI_SCRIPT_OPTIONS_H

#include "cli/options.h"
#include "core/run/experiment.h"

#include <lua.h>

typedef struct eex_script_options {
    eex_option_list set; /* fields that replace the file's */
    bool trust;
} eex_script_options;

/* Rows of a command's table of options; `what` is what help calls the file. */
#define EEX_SET(member, what) EEX_LIST("set", "A.B=VALUE", member, "change a field of " what)
#define EEX_TRUST(member, what) EEX_FLAG("trust", member, "let " what " do what any program may")

/* How --set is said, for a command's details. */
#define EEX_SET_DETAILS                                                                           \
    "--set A.B=VALUE replaces a field of the file (`eex help fields` lists them). VALUE is a\n"   \
    "number, true, false, or nil for the default; anything else is a text as it stands, commas\n" \
    "and blanks too. Lists and tables are written as in Lua, with texts in quotes; a number in\n" \
    "the path is a place in a list. The shell wants quotes around those:\n"                       \
    "  --set training.epochs=5 --set training.optimizer.nesterov=false\n"                         \
    "  --set 'gates.blocks={0, 1, 2}' --set gates.blocks.3=4\n"                                   \
    "  --set 'saliency={\"features.3.add\", \"features.5.add\"}'\n"                               \
    "  --set 'training.optimizer={kind = \"adamw\", beta1 = 0.8}'"

/* The experiment that the file describes; the caller's. */
int eex_read_experiment(eex_experiment **out, const char *path, const eex_script_options *options);

/* The same from the value that the file has returned, on top of the stack, which is popped. */
int eex_experiment_from(eex_experiment **out, lua_State *L, const char *path,
                        const eex_script_options *options);

#endif
