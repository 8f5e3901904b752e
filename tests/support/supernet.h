/* A tiny elastic network with gates, dropout and every kind of gene but the images' size, whose
 * activations are smooth but for two points, so that slopes can be measured. */
#ifndef EEX_TESTS_SUPPORT_SUPERNET_H
#define EEX_TESTS_SUPPORT_SUPERNET_H

#include "core/graph/elastic.h"

/* On 8x8 images: a stem to 8 channels; one or two inverted bottlenecks (12 or 16 channels inside, a
 * depthwise kernel 3, 5 or 7, and 3 or 5, with transforms); a convolution to 8, 12 or 16 channels,
 * pool, dropout 0.25, linear layer; a gate of one block behind the bottlenecks. Genes "kernel1",
 * "kernel2", "expansion1", "expansion2", "depth", "width". All are h-swish. */
enum { SUPERNET_GENES = 6, SUPERNET_EXITS = 2 };
int eex_test_supernet(eex_graph **out, int classes);

#endif
