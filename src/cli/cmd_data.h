/* What the files of "eex data" share. */
#ifndef EEX_CLI_CMD_DATA_H
#define EEX_CLI_CMD_DATA_H

#include "cli/options.h"

enum { EEX__DATA_NAME = 100 }; /* characters of a data set's name */

/* --data DIR, for every command's table of options. */
extern const char *eex__data_folder;
#define EEX__DATA_OPTION                                                                 \
    {                                                                                    \
        .name = "data", .value = "DIR", .help = "the data folder, instead of $EEX_DATA", \
        .text = &eex__data_folder                                                        \
    }

/* The data folder as --data has it, for this process and all that it looks up later. */
int eex__data_use_folder(const char **out);

int eex__data_list(int argc, char **argv);
int eex__data_info(int argc, char **argv);

#endif
