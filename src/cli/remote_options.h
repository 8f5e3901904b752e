/* What commands have in common that leave the rest of a network to a server: their options, and
 * opening the device's part. */
#ifndef EEX_CLI_REMOTE_OPTIONS_H
#define EEX_CLI_REMOTE_OPTIONS_H

#include "cli/open_model.h"
#include "cli/options.h"
#include "net/offload.h"

typedef struct eex__remote_options {
    const char *address; /* NULL: everything runs here */
    const char *key;
    const char *adapt, *trace;  /* settings by bandwidth; bandwidths that are played */
    int64_t cut, bits, timeout; /* 0: not given; bits 32: float32;
                                 * timeout: milliseconds, 0: 1,000 */
} eex__remote_options;

#define EEX__REMOTE_OPTIONS_INIT \
    {                            \
        .bits = 0                \
    }

/* Rows of a command's table of options, with `o` the member of that type. */
#define EEX__REMOTE_OPTIONS(o)                                                      \
    EEX_TEXT("remote", "HOST:PORT", EEX_IN(o, address),                             \
             "who leaves at no early exit goes on at a server (eex serve)"),        \
        EEX_NUMBER("timeout", "MS", 1, 600000, EEX_IN(o, timeout),                  \
                   "with --remote: how long a batch waits for its answers (1000)"), \
        EEX_TEXT("adapt", "FILE", EEX_IN(o, adapt),                                 \
                 "thresholds follow the bandwidth, by a file of eex adapt"),        \
        EEX_TEXT("bandwidth-trace", "FILE.csv", EEX_IN(o, trace),                   \
                 "with --adapt: lines of seconds,Mbit/s (measured on the link)"),   \
        EEX__CUT_OPTIONS(o)

/* Those that both sides have to give alike. */
#define EEX__CUT_OPTIONS(o)                                                                    \
    EEX_TEXT("key", "FILE", EEX_IN(o, key), "the key of both sides, for TLS"),                 \
        EEX_NUMBER("cut", "EXIT", 1, EEX_MAX_EXITS, EEX_IN(o, cut),                            \
                   "exit behind which the network is cut (as settings say, or the last early " \
                   "one)"),                                                                    \
        EEX_NUMBER("bits", "N", 1, 32, EEX_IN(o, bits),                                        \
                   "1 to 8: what passes the cut is sent in so few; 32: as it is (as settings " \
                   "say, a bottleneck's own, or 32)")

#define EEX__REMOTE_DETAILS                                                                    \
    "With --remote this machine runs the network as far as the cut, and `eex serve` at "       \
    "HOST:PORT what\n"                                                                         \
    "goes on from there. Where the server is away, too slow or refuses, the last exit "        \
    "here answers in\n"                                                                        \
    "its place (\"fallback\"), which is said and counted. With --adapt thresholds follow the " \
    "bandwidth,\n"                                                                             \
    "between batches, and cut and bits are those of the file. docs/co-inference.md tells more."

/* What is given without --remote, or cannot be. EEX_EINVAL. */
int eex__remote_check(const eex__remote_options *options);
int eex__bits_check(int64_t bits);
/* As the engine's parts have them: 0 for float32. */
int eex__bits_of(int64_t bits);

/* Opens a model with that side of the network alone, as the options have it cut; what they do not
 * say is what the settings of its run say, where that has some (the phase PARTITION), which is
 * said; else the cut is behind the last early exit. *bits as core/engine/part.h has them; -1: the
 * network's own. */
int eex__cut_open_model(eex_opened *out, int *bits, const char *path, const eex_model_options *how,
                        const eex__remote_options *options, eex_plan_side side);
/* Of an engine of that model: where *bits is -1, those in which the network itself has quantised.
 */
int eex__cut_bits(int *bits, const eex_engine *engine);

/* The device's side; without --remote the whole. */
int eex__remote_open_model(eex_opened *out, int *bits, const char *path,
                           const eex_model_options *how, const eex__remote_options *options);

/* The engine is of that model, the bits are those of above. */
int eex__remote_open(eex_offload **out, const eex__remote_options *options, const eex_model *model,
                     eex_engine *engine, int batch, int bits);

#endif
