/* What the commands of "eex data" share. */
#ifndef EEX_CLI_CMD_DATA_H
#define EEX_CLI_CMD_DATA_H

#include "cli/frame_options.h"
#include "core/data/dataset.h"
#include "core/data/import.h"

enum { EEX__DATA_NAME = 100 }; /* characters of a data set's name */

/* A row of each one's table of options. */
#define EEX__DATA_FOLDER(member) \
    EEX_TEXT("data", "DIR", member, "the data folder, instead of $EEX_DATA")

/* How images of any size become a data set; EEX__IMPORT_DEFAULTS before it is filled. */
typedef struct eex__import_options {
    int64_t size, seed;
    const char *fit;
    bool grey, background;
    double test;
} eex__import_options;

#define EEX__IMPORT_DEFAULTS     \
    {                            \
        .seed = -1, .test = -1.0 \
    }

#define EEX__IMPORT_OPTIONS(o)                                                     \
    EEX_NUMBER("size", "N", 1, EEX_DATASET_MAX_SIDE, EEX_IN(o, size),              \
               "side of the images in pixels (default 32)"),                       \
        EEX_FIT(EEX_IN(o, fit), "crop (default: centred square) or squash"),       \
        EEX_FLAG("grey", EEX_IN(o, grey), "one channel instead of three"),         \
        EEX_FLAG("background", EEX_IN(o, background),                              \
                 "keep the clutter class of the Caltech sets"),                    \
        EEX_REAL("test", "SHARE", 0, 0.9, EEX_IN(o, test),                         \
                 "held out where there is no test folder (default 0.2; 0: none)"), \
        EEX_SEED(EEX_IN(o, seed), "draws what is held out (default 0)")

int eex__data_import_options(eex_import_folder_options *out, const eex__import_options *options);

/* CIFAR's files hold images of one size, in two parts: EEX_EINVAL names each option that cannot be
 * followed there. */
int eex__data_refuse_options(const eex__import_options *options, const char *name);

/* The data folder: --data's, for this process and all that it looks up later, or where it is NULL
 * the usual one. */
int eex__data_use_folder(const char **out, const char *data);

/* Makes that folder and gives the path of a data set in it, which is the caller's. One that is
 * there is refused unless it may be replaced, and a file that is no data set in any case. */
int eex__data_path(char **out, const char *data, const char *name, bool replace);

#define EEX__DATA_FORCE(member) EEX_FLAG("force", member, "replace a data set that is there")

/* A line on stdout about the data set. */
int eex__data_say(const char *path);

/* Warns of files that were left out, and frees what the result holds. */
void eex__data_close_result(eex_import_result *result);

#endif
