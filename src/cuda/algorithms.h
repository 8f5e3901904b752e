/* Which way each convolution is calculated: measured once per shape and chip, then remembered in a
 * file, so that the next run starts at once.
 *
 * The file is $EEX_CACHE_DIR/convolutions.txt, else $XDG_CACHE_HOME/eex or ~/.cache/eex; a line
 * that says what it is, then a line a shape: key, tab, choice, tab, microseconds. A file that
 * cannot be read is ignored with a warning and written anew. In deterministic mode nothing is
 * measured and nothing remembered. EEX_CUDA_CONV=patches, =library, =first or =own forces one way,
 * for looking into a difference; EEX_CUDA_WINOGRAD=1 allows what is less exact than promised. */
#ifndef EEX_CUDA_ALGORITHMS_H
#define EEX_CUDA_ALGORITHMS_H

#include "cuda/cuda_device.h"

int eex__cuda_algorithms_open(eex_cuda *cuda);
void eex__cuda_algorithms_close(eex_cuda *cuda); /* writes what is new */

/* The choice remembered under a key, or -1. *tried: this process has seen that it works. */
int eex__cuda_algorithm_find(const eex_cuda *cuda, const char *key, bool *tried);

/* The choice under a key that is remembered works. */
void eex__cuda_algorithm_works(eex_cuda *cuda, const char *key);

/* Says, once a device, that what the file remembers does not work for an op and is measured again.
 */
void eex__cuda_algorithm_stale(eex_cuda *cuda, const char *op);

/* Remembers a choice (0 or more) that was tried. EEX_ENOMEM at worst. */
int eex__cuda_algorithm_keep(eex_cuda *cuda, const char *key, int choice, double microseconds);

#endif
