/* The networks that are measured, on a device and ready to run. */
#ifndef EEX_BENCHMARKS_NETWORKS_H
#define EEX_BENCHMARKS_NETWORKS_H

#include "core/plan/plan.h"

enum { SIDE = 32, CLASSES = 10 };

typedef struct network {
    const char *name; /* "mobilenetv2", "mobilenetv2+gates", "mobilenetv2+exits", "resnet50"; with
                       * "@96" behind it for images of that side */
    int side;
    eex_device *dev;
    eex_graph *graph;
    eex_params *params;
    double macs; /* of one image, forward, every gate included */
} network;

/* "+gates" are the seven gates of Table III of NASEREX, "+exits" the three that the search
 * chose for CIFAR-10. On the CPU, or on a device whose kind the caller has registered. */
int network_open(network *out, const char *name, int threads);
int network_open_on(network *out, const char *name, const char *device, int threads);
void network_close(network *n);

/* The augmentation that goes with CIFAR-10, switched on. */
eex_augment network_augment(void);

/* `count` images (count, side, side, 3) of noise; NULL when memory is short. The caller frees. */
uint8_t *network_images(int count, int side);

/* The middle one of `count` values, which are sorted on the way. */
double median(double *values, int count);

#endif
