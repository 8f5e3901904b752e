/* Candidate exit points: where a gate may be put (NASEREX II-B-2, "saliency criteria"). */
#ifndef EEX_CORE_GRAPH_SALIENCY_H
#define EEX_CORE_GRAPH_SALIENCY_H

#include "core/graph/graph.h"

typedef struct eex_points {
    int count;
    int nodes[EEX_MAX_EXITS * 2]; /* node ids, ascending */
} eex_points;

/* Rules. Of an elastic graph (elastic.h) they give places that all its networks have: of points
 * that are one place in the smallest the last, and none that a gate could not read there. */

/* Where a residual connection merges: the value after the add, and after the act that directly
 * follows it where there is one (the paper's rule: 16 in ResNet50, 10 in MobileNetV2). */
int eex_saliency_residual_merges(eex_points *out, const eex_graph *g);

/* The last node of each block whose successor changes resolution or channels. The last stage is
 * left out: the classifier is its exit. */
int eex_saliency_stage_ends(eex_points *out, const eex_graph *g);

/* Every value of the trunk that a gate can read: not the input, not after the global pool. */
int eex_saliency_all(eex_points *out, const eex_graph *g);

/* Whether a gate for the value of node a can read that of b, which takes its place where a is not
 * there. */
bool eex_saliency_alike(const eex_graph *g, int a, int b);

/* The `count` best of `from` by score (higher is better), ties to the earlier node. count 0:
 * floor(log2(number of layers)). */
int eex_saliency_top(eex_points *out, const eex_graph *g, const eex_points *from,
                     const double *score, int count);

/* Score by even spacing in MACs: `count` points whose trunk costs lie nearest to equal steps of the
 * whole. Writes one score a point of `from`. */
int eex_saliency_spacing(double *score, const eex_graph *g, const eex_points *from, int count);

/* log2 of the number of structures when each of `points` carries no gate or one with one of
 * `choices` block counts; without saliency every layer may (Fig. 3). */
double eex_space_log2(int points, int choices);

#endif
