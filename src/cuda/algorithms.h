/* Which way each convolution is calculated: measured once per shape and chip, then remembered in a
 * file, so that the next run starts at once.
 *
 * The file is $EEX_CACHE_DIR/convolutions.txt, else $XDG_CACHE_HOME/eex or ~/.cache/eex; a line a
 * shape: key, tab, choice, tab, microseconds. A file that cannot be read or written is no error:
 * the choice is measured again. In deterministic mode nothing is measured and nothing remembered.
 * EEX_CUDA_CONV=patches or =library forces one way, for looking into a difference. */
#ifndef EEX_CUDA_ALGORITHMS_H
#define EEX_CUDA_ALGORITHMS_H

#include "cuda/cuda_device.h"

int eex__cuda_algorithms_open(eex_cuda *cuda);
void eex__cuda_algorithms_close(eex_cuda *cuda); /* writes what is new */

/* The choice remembered under a key, or -1. */
int eex__cuda_algorithm_find(const eex_cuda *cuda, const char *key);

/* Remembers a choice (0 or more). EEX_ENOMEM at worst. */
int eex__cuda_algorithm_keep(eex_cuda *cuda, const char *key, int choice, double microseconds);

#endif
