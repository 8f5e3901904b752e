/* A small elastic network with everything that genes may decide. */
#ifndef EEX_TESTS_SUPPORT_ELASTIC_H
#define EEX_TESTS_SUPPORT_ELASTIC_H

#include "core/graph/elastic.h"

/* On square images of 8, 12 or 16 pixels: a stem to 8 channels, then up to three inverted
 * bottlenecks (expansion 2 or 3, depthwise kernel 3, 5 or 7 with transforms, squeeze and
 * excitation) of which one to three are there, a 3x3 convolution to 8, 12 or 16 channels, global
 * pool, linear layer. Genes: "size", "depth", "kernel1" .. "kernel3", "expansion1" .. "expansion3",
 * "width". The merges "layer1.add" .. "layer3.add" and "last.act" are places for gates. */
enum { ELASTIC_GENES = 9 };
int eex_test_elastic(eex_graph **out, int classes);

/* The same on images of 8 pixels alone: without the gene "size", which is the first. */
int eex_test_elastic_small(eex_graph **out, int classes);

/* With gates behind "layer3.add" (blocks) and "last.act" (early exit classifier). */
int eex_test_elastic_gated(eex_graph **out, int classes);

/* Whose operations are too many to be measured: widths of 32 options on both sides of "conv1", of
 * images of 20 sizes. "conv0" and "conv1" are places for gates. */
int eex_test_elastic_large(eex_graph **out, int classes);

/* Everything that tells a network from another, as text; the caller frees. NULL: no memory. */
char *elastic_signature(const eex_graph *g);

#endif
