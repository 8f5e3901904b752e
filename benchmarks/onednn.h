/* Convolutions by oneDNN, to compare with: activations channels last, weights as it likes best. */
#ifndef EEX_BENCHMARKS_ONEDNN_H
#define EEX_BENCHMARKS_ONEDNN_H

#include "device/op.h"

typedef enum onednn_pass { ONEDNN_FORWARD, ONEDNN_DATA, ONEDNN_WEIGHTS } onednn_pass;

/* Whether the benchmarks were built with oneDNN. */
bool onednn_there(void);

/* Nanoseconds of one run, the best of several; negative when oneDNN fails or is
 * not there. */
double onednn_time(const eex_window *window, int batch, onednn_pass pass, double seconds);

#endif
