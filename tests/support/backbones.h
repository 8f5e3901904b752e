/* Networks built in C, so that core's tests need no Lua. *out belongs to the caller. */
#ifndef EEX_TESTS_SUPPORT_BACKBONES_H
#define EEX_TESTS_SUPPORT_BACKBONES_H

#include "core/graph/graph.h"

/* torchvision's MobileNetV2 and ResNet50 for (size, size, 3) images. */
int eex_test_mobilenetv2(eex_graph **out, int classes, int size);
int eex_test_resnet50(eex_graph **out, int classes, int size);

/* A small residual network on (8, 8, 3) images: stem conv-BN-ReLU to 8 channels; three blocks of
 * conv-BN-ReLU-conv-BN-add-ReLU with 8, 16 and 16 channels, the second with stride 2 and a
 * projection shortcut, the third with a depthwise second convolution; global pool, flatten, dropout
 * 0.1, linear. Its merges ("blocks.0.relu2" ... "blocks.2.relu2") are places for gates. */
int eex_test_tiny(eex_graph **out, int classes);

/* What a squeezed network is made of, on (8, 8, 3) images: h-swish, squeeze and excitation with
 * both sigmoids, a concatenation, a value that is scaled by itself. "merge" and "se2.scale" are
 * places for gates. */
int eex_test_squeezed(eex_graph **out, int classes);

/* The tiny network with a gate after each of its first two blocks: 1 and 2 blocks. */
int eex_test_tiny_gated(eex_graph **out, int classes);

/* Whether two nodes are alike in every field; what lies between fields is nobody's. */
bool eex_test_same_node(const eex_node *x, const eex_node *y);

#endif
