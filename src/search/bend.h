/* Bends values with a long tail until they are no longer skewed, and back: see predictor.h. */
#ifndef EEX_SEARCH_BEND_H
#define EEX_SEARCH_BEND_H

#include <stddef.h>

typedef struct eex_bend {
    double shift; /* value + shift is positive */
} eex_bend;

/* Finds the bend for n values, which are sorted on return. */
void eex_bend_find(eex_bend *out, double *values, size_t n);

double eex_bend_there(const eex_bend *b, double value);
double eex_bend_back(const eex_bend *b, double bent);

#endif
