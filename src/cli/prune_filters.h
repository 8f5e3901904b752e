/* eex prune --filters: a network without some of its filters. */
#ifndef EEX_CLI_PRUNE_FILTERS_H
#define EEX_CLI_PRUNE_FILTERS_H

#include "cli/open_model.h"

typedef struct eex__filter_options {
    double share, lr;                 /* NAN: not given */
    int64_t epochs, batch, seed, cut; /* -1: not given; cut from 1 */
    const char *precision;
    bool plain;
} eex__filter_options;

#define EEX__FILTER_OPTIONS_INIT                                                  \
    {                                                                             \
        .share = NAN, .lr = NAN, .epochs = -1, .batch = -1, .seed = -1, .cut = -1 \
    }

/* Rows of a command's table of options, with `o` the member of that type. */
#define EEX__FILTER_OPTIONS(o)                                                                    \
    EEX_REAL("filters", "SHARE", 0, 1, EEX_IN(o, share),                                          \
             "instead of cutting: leave out so many of the filters of each layer in front of "    \
             "--cut"),                                                                            \
        EEX_NUMBER("cut", "EXIT", 1, EEX_MAX_EXITS, EEX_IN(o, cut),                               \
                   "with --filters: of what runs up to that exit (the last early one)"),          \
        EEX_NUMBER("epochs", "N", 0, 100000, EEX_IN(o, epochs),                                   \
                   "with --filters: of training on, all of it (10)"),                             \
        EEX_REAL("lr", "X", 1e-9, 100, EEX_IN(o, lr), "its rate, cosine down from there (0.01)"), \
        EEX_NUMBER("batch", "N", 2, 65536, EEX_IN(o, batch), "images of its steps (128)"),        \
        EEX_NUMBER("seed", "N", 0, INT64_MAX, EEX_IN(o, seed), "of the order of images (0)"),     \
        EEX_TRAINING_PRECISION(EEX_IN(o, precision)),                                             \
        EEX_FLAG("no-augment", EEX_IN(o, plain), "train on the images as they are")

bool eex__filters_wanted(const eex__filter_options *options);

/* EEX_EINVAL: options that go with --filters alone, or a share of 0 or 1. */
int eex__filters_check(const eex__filter_options *options);

/* Writes the network to `out` and says what it comes to. data: another name of the data set; NULL:
 * the model's own. */
int eex__filters_prune(const eex__filter_options *options, const eex_opened *opened,
                       const char *data, const char *out, bool json);

#endif
