/* A network on the device under test (devices.h) with images to feed it: what tests of plans start
 * from. Any failure fails the test. */
#ifndef EEX_TESTS_SUPPORT_NET_H
#define EEX_TESTS_SUPPORT_NET_H

#include "core/plan/plan.h"

enum { NET_CLASSES = 10 };

typedef struct net {
    eex_device *dev;
    eex_graph *graph;
    eex_params *params;
    int count;         /* of the images */
    uint8_t *images;   /* (count, H, W, C), noise */
    int32_t *labels;   /* (count) */
    uint32_t *samples; /* (count) 0, 1, ... */
} net;

typedef int (*net_builder)(eex_graph **out, int classes);

/* Batch norms get random scales, shifts and running statistics, so that folding them is no
 * identity. */
net net_open(net_builder build, int count, int threads);
void net_close(net *n);

/* Builders: the tiny network and the squeezed one with two gates; the tiny one with a residual and
 * a pooled gate, and with a strided and a linear one; MobileNetV2 with a gate of one block behind
 * its third and its eighth merge; ResNet50 with a gate behind its first. 32x32 images for the
 * latter two. */
int net_tiny(eex_graph **out, int classes);
int net_squeezed(eex_graph **out, int classes);
/* net_pooled with a bottleneck at its last early exit, not quantised, and in 8 bits. */
int net_bottled(eex_graph **out, int classes);
int net_quantised(eex_graph **out, int classes);
int net_pooled(eex_graph **out, int classes);
int net_strided(eex_graph **out, int classes);
int net_derived(eex_graph **out, int classes); /* 12x12, from the elastic one */
int net_mobilenetv2(eex_graph **out, int classes);
int net_resnet50(eex_graph **out, int classes);

/* An inference plan, and a training plan whose exits have these weights, SGD without momentum or
 * decay. Without `augment`; set what else is wanted before eex_plan_new. */
eex_plan_options net_inference(int batch);
eex_plan_options net_training(int batch, const float *weight, int exits);

/* Uploads the images from `first` on. */
void net_feed(const net *n, eex_plan *plan, int first, int count);

/* Logits (count, classes) of exit k, right after its segment has run; the caller frees. */
float *net_logits(const eex_plan *plan, int exit, int count);

#endif
