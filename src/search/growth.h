/* How a front of two minimised objectives grows while its points come one after the other, in time
 * that is almost linear however many of them stay on it. */
#ifndef EEX_SEARCH_GROWTH_H
#define EEX_SEARCH_GROWTH_H

#include <stdbool.h>
#include <stddef.h>

enum { EEX_GROWTH_OBJECTIVES = 2 };

typedef struct eex_growth eex_growth;

/* All the points that may come, (n, 2), without NaN, and the corner up to which their area counts.
 * Both are borrowed while it is made. EEX_ENOMEM. */
int eex_growth_new(eex_growth **out, const double (*points)[EEX_GROWTH_OBJECTIVES], size_t n,
                   const double corner[EEX_GROWTH_OBJECTIVES]);
void eex_growth_free(eex_growth *growth); /* accepts NULL */

/* Point i comes, once: whether it is on the front now. Those that it dominates leave; equal points
 * stay together. */
bool eex_growth_add(eex_growth *growth, size_t i);

size_t eex_growth_count(const eex_growth *growth);
/* What the front dominates up to the corner. */
double eex_growth_area(const eex_growth *growth);

#endif
