/* What the files of c99.h share. */
#ifndef EEX_CORE_EXCHANGE_C99_IMPL_H
#define EEX_CORE_EXCHANGE_C99_IMPL_H

#include "core/exchange/c99.h"
#include "core/exchange/layers.h"

/* Where values lie: floats from the beginning of the memory. Values that are there at the same time
 * do not overlap. */
typedef struct eex__c99_memory {
    size_t *at;                 /* (layers) */
    size_t image;               /* of the normalised image, before it is resized */
    size_t room[EEX_MAX_EXITS]; /* of exit k: to measure a distance in */
    size_t size;                /* of all */
} eex__c99_memory;

int eex__c99_place(eex__c99_memory *out, const eex__layers *layers);
void eex__c99_memory_free(eex__c99_memory *memory); /* leaves {0} */

/* Floats that exit k needs to measure a distance; 0: it measures none. */
size_t eex__c99_room(const eex_model *model, int k);

/* Whether images are resized. */
bool eex__c99_resizes(const eex__layers *layers);

/* "static const float NAME[COUNT] = {...};" */
void eex__c99_floats(eex_buffer *out, const char *name, const float *values, size_t count);

/* A number as C has it, that is read back as the same float. */
void eex__c99_float(eex_buffer *out, float value);

/* Weights of a layer, as arrays w<i> and b<i>; how many floats they are is added to *count. */
int eex__c99_weights(eex_buffer *out, const eex__layers *layers, int i, uint64_t *count);

/* The call that calculates a layer. */
int eex__c99_call(eex_buffer *out, const eex__layers *layers, const eex__c99_memory *memory, int i);

/* The calls that normalise the image and make it the first layer's value. */
void eex__c99_image(eex_buffer *out, const eex__layers *layers, const eex__c99_memory *memory);

/* What exit k's thresholds are, and the calls that score it and leave. */
void eex__c99_thresholds(eex_buffer *out, const eex__layers *layers, int k, uint64_t *count);
void eex__c99_exit(eex_buffer *out, const eex__layers *layers, const eex__c99_memory *memory,
                   int k);

#endif
