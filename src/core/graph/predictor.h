/* Exit Predictors (Dong et al. III-B): tiny networks that look at an image first and say
 * for each gate of another network whether it is worth computing. Output n, through a sigmoid, is
 * the score s_n of gate n (eq. 7). */
#ifndef EEX_CORE_GRAPH_PREDICTOR_H
#define EEX_CORE_GRAPH_PREDICTOR_H

#include "core/graph/graph.h"

typedef enum eex_exit_predictor_family {
    EEX_PREDICTOR_SEPARABLE, /* Fig. 6: Conv3x3 to 16 with stride 2; three times depthwise 3x3 with
                              * stride 2, concatenated with the pooled input, squeeze and excitation
                              * (reduction 16), 1x1 to 32, 64, 128; FC to 64, FC */
    EEX_PREDICTOR_PLAIN,     /* Table II, "w/o Cat. & SE": without both */
    EEX_PREDICTOR_LINEAR,    /* Table II, "FCs only": FC to 128, FC */
    EEX_PREDICTOR_LENET,     /* Table II, "LeNet" */
    EEX_PREDICTOR_FAMILIES
} eex_exit_predictor_family;

const eex_names *
eex_exit_predictor_family_names(void); /* "separable", "plain", "linear", "lenet" */
const char *eex_exit_predictor_family_name(eex_exit_predictor_family family);

/* A finished graph for images of (height, width, channels), with an output for each of `gates`
 * gates (1 to EEX_LABEL_BITS), and two at least: what a second says where there is one gate means
 * nothing. EEX_EINVAL: images that a LeNet is too deep for. */
int eex_exit_predictor_graph(eex_graph **out, eex_exit_predictor_family family, int height,
                             int width, int channels, int gates);

#endif
