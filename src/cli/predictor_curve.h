/* eex predictor --curve: accuracy against what is computed on the device. */
#ifndef EEX_CLI_PREDICTOR_CURVE_H
#define EEX_CLI_PREDICTOR_CURVE_H

#include "core/model/model.h"

typedef struct eex__curve_wish {
    const char *filtered; /* a network without some filters, to compare with; NULL: none */
    const char *out;      /* a picture, .svg or .png; NULL: none */
    double more;
    bool json;
} eex__curve_wish;

/* EEX_EINVAL: the picture cannot be written. */
int eex__curve_check(const eex__curve_wish *wish, bool force);

/* Of the model with the predictor beside it, where there is one. */
int eex__curve_print(const eex_model *model, const eex__curve_wish *wish);

#endif
