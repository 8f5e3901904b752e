/* eex import MODEL.onnx: a network that others have built, as a model file and an experiment. */
#ifndef EEX_CLI_IMPORT_ONNX_H
#define EEX_CLI_IMPORT_ONNX_H

#include <stdbool.h>

typedef struct eex_import_onnx_options {
    const char *path, *out; /* of the ONNX file, and of the model file */
    const char *dataset;
    const char *mean, *std; /* "0.5,0.5,0.5"; NULL: the data set's */
    int size;               /* of images, where the file does not say it; 0 */
    bool force, json;
} eex_import_onnx_options;

/* Whether the file is one, by its name. */
bool eex_is_onnx(const char *path);

/* Writes MODEL.h5 and beside it MODEL.lua, and says so. */
int eex_import_onnx(const eex_import_onnx_options *options);

#endif
