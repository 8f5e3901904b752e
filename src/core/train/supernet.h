/* Training of a supernet: many networks of an elastic graph on each batch, with one set of
 * parameters (Cai et al. 2020, "Once-for-All"; Yu & Huang 2019, "Universally Slimmable Networks",
 * section 3: the sandwich rule and in-place distillation; Yu et al. 2020, BigNAS).
 *
 * A step trains the largest network, `recipe.random` random ones and the smallest. The largest
 * learns from labels, with dropout, at every exit. The others are gathered from the elastic
 * parameters (plan/slice.h) and learn at every exit, without dropout, from what the end of the
 * largest has just said of the same images (`recipe.distill`, `distill_t`), or from the labels
 * where `distill` is 0. The gradient that the optimiser steps by, and that is clipped, is the sum
 * of all networks' gradients, not their mean, as in OFA and BigNAS. Statistics of batch norm are
 * the largest's: those of another network are taken anew when it is used (statistics.h).
 *
 * Progressive shrinking: before epoch `recipe.shrink[kind]`, counted from 0, genes of that kind are
 * at their largest option. */
#ifndef EEX_CORE_TRAIN_SUPERNET_H
#define EEX_CORE_TRAIN_SUPERNET_H

#include "core/data/loader.h"
#include "core/plan/plan.h"
#include "core/train/train.h"

/* The networks of a step besides the largest, (count, genes), canonical: the random ones, then the
 * smallest, but none that is the largest or is there already. genomes has room for recipe->random +
 * 1; returns the count. A function of what is given alone; of a random genome each gene's options
 * are equally likely. */
int eex_sandwich_draw(int *genomes, const eex_graph *elastic, const eex_recipe *recipe,
                      const eex_step *step);

typedef struct eex_supernet eex_supernet;

/* `largest` stands for the elastic graph itself, with these options: training, gradient_only and
 * keep_logits. Both plan and options->state are borrowed; the rest is copied. */
int eex_supernet_new(eex_supernet **out, const eex_recipe *recipe, eex_plan *largest,
                     const eex_plan_options *options);
void eex_supernet_free(eex_supernet *supernet); /* accepts NULL */

/* One step. The largest network's totals are its plan's. After an error nothing but running
 * statistics and the gradient has changed. */
int eex_supernet_step(eex_supernet *supernet, const eex_batch *batch, const eex_step *step);

/* EEX_EINVAL where there is nothing to choose. */
int eex_supernet_check(const eex_graph *graph);

#endif
