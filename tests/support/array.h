/* Activations in any precision and at any alignment, for tests of ops whose inner loops depend on
 * both. Values are always those that bfloat16 can hold, so one reference serves all precisions;
 * what is written before the first and behind the last element fails the test. */
#ifndef EEX_TESTS_ARRAY_H
#define EEX_TESTS_ARRAY_H

#include "support/tensor.h"

/* How arrays are laid out: `offset` elements behind an aligned address. */
typedef struct array_layout {
    eex_precision precision;
    int offset;
} array_layout;

typedef struct array {
    size_t n;
    array_layout layout;
    void *memory; /* what was allocated */
    float *dev;   /* the first element, as ops want it */
    double *host; /* (n) what was put there */
} array;

/* Every layout that has a code path of its own. The first is the one to compare with. */
extern const array_layout array_layouts[];
enum { ARRAY_LAYOUTS = 4 };

/* All belong to the bench. */
array array_random(bench *b, array_layout layout, size_t n, uint64_t seed, double low, double high);
array array_filled(bench *b, array_layout layout, size_t n, double value);
array array_poison(bench *b, array_layout layout, size_t n);

/* Rounds host to the nearest that bfloat16 holds, and uploads it. */
void array_upload(bench *b, array a);

/* What is there now; belongs to the bench. */
double *array_download(bench *b, array a);

/* Fails unless |got - want| <= tolerance * |want|, both norms over all elements. */
void expect_near(const char *what, const double *got, const double *want, size_t n,
                 double tolerance);

/* The tolerance of a layout: 1e-5, or 1e-2 in bfloat16. */
double array_tolerance(array_layout layout);

#endif
