/* Bottlenecks: fewer values where a network is cut between a device and a server.
 *
 * An autoencoder as in BottleNet++ (Shao and Zhang 2020) with a ReLU at the end of its encoder, as
 * the paper on early exit prediction has it (V-C): a quarter of the channels, half the height and
 * width, so that with 8 bits a value 64 times fewer bytes are sent. */
#ifndef EEX_CORE_GRAPH_BOTTLENECK_H
#define EEX_CORE_GRAPH_BOTTLENECK_H

#include "core/graph/graph.h"

#define EEX_BOTTLENECK_RANGE "bottleneck.quantise.range" /* the parameter, where it quantises */

/* A new finished graph: `graph` with a bottleneck behind the point of its last early exit. Where
 * that is a value of (H, W, C) the encoder is a 3x3 convolution of stride 2 to (H / 2, W / 2, C /
 * 4) with batch norm and ReLU, then, with bits > 0, quantisation; the decoder is a transposed
 * convolution of kernel and stride 2, which is one of kernel 1 to 4 C channels with batch norm and
 * a DEPTH_TO_SPACE, and ends in the activation that the value ends in. The gates go on reading the
 * value itself; whatever comes behind them reads the decoder's. The encoder runs in front of the
 * last early exit, so that its output alone passes that exit (plan/passing.h).
 *
 * Costs (cost.h) charge the encoder to who goes on; an engine runs it for all who reach that exit.
 *
 * EEX_EINVAL: no early exit, an elastic network, a value that cannot be halved, one that passes
 * beside it, a bottleneck that is there already. */
int eex_graph_with_bottleneck(eex_graph **out, const eex_graph *graph, int bits);

/* A new finished graph for training what lies behind a node of the trunk, and that alone: without
 * early exits, and everything behind the node belongs to one gate on it, which ends in the
 * network's scores. Names are the same. EEX_EINVAL where other values pass beside the node. */
int eex_graph_behind(eex_graph **out, const eex_graph *graph, int node);

#endif
