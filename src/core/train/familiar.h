/* Familiarity: how far an input is from what a network was trained on, seen at an exit.
 *
 * The mean over its pixels of each channel of the value that an exit's gate reads says what an
 * input is like; training images give these means a centre and a covariance. The distance of an
 * input is its squared Mahalanobis distance from there, divided by the number of channels: about 1
 * for inputs like those. Softmax scores hardly tell textures or scrambled photographs from images
 * at an early exit; this does (docs/results.md), and knows nothing of irrelevant inputs either.
 *
 * It costs one addition a number of the value and channels^2 / 2 multiply-accumulates. */
#ifndef EEX_CORE_TRAIN_FAMILIAR_H
#define EEX_CORE_TRAIN_FAMILIAR_H

#include "core/data/dataset.h"
#include "core/graph/graph.h"
#include "core/train/inference.h"

/* Exits that read more channels have no say: their covariance would want more images. */
enum { EEX_FAMILIAR_CHANNELS = 512, EEX_FAMILIAR_IMAGES = 5000 };

typedef struct eex_familiar {
    int exits;
    int channels[EEX_MAX_EXITS];  /* 0: this exit tells nothing */
    float *center[EEX_MAX_EXITS]; /* (channels) */
    float *factor[EEX_MAX_EXITS]; /* (channels, channels), column after column: the inverse of the
                                   * covariance's Cholesky factor, zeros above the diagonal */
} eex_familiar;

/* Of a network on the given samples, as run by `how`. The end of the backbone, which reads logits,
 * has no say. */
int eex_familiar_fit(eex_familiar **out, const eex_graph *graph, eex_params *params,
                     eex_dataset *data, const uint32_t *samples, size_t count,
                     const eex_inference *how);
void eex_familiar_free(eex_familiar *f);          /* accepts NULL */
size_t eex_familiar_bytes(const eex_familiar *f); /* of memory that it takes; NULL: 0 */

/* Of the given exits, in the given order (copies). */
int eex_familiar_select(eex_familiar **out, const eex_familiar *f, const int *exits, int count);

/* Floats of the largest value that eex_familiar_measure copies for one input. */
size_t eex_familiar_floats(const eex_familiar *f, const eex_graph *graph);

/* Distances of `batch` inputs at exit k, right after its segment: 0 where it has no say. values:
 * room for batch * eex_familiar_floats. */
int eex_familiar_measure(float *distance, const eex_familiar *f, const eex_plan *plan,
                         const eex_graph *graph, int k, float *values, int batch);

/* The same of one value, (hw, channels). Always in the same order of operations. */
float eex_familiar_distance(const eex_familiar *f, int k, const float *value, int hw);

/* Under `group`. Loading refuses (EEX_EFORMAT) what does not fit the graph, and what is not finite.
 */
int eex_familiar_save(const eex_familiar *f, eex_store_file *file, const char *group);
int eex_familiar_load(eex_familiar **out, eex_store_file *file, const char *group,
                      const eex_graph *graph);

#endif
