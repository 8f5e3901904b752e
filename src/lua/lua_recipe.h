/* Training recipes as scripts write them. */
#ifndef EEX_LUA_LUA_RECIPE_H
#define EEX_LUA_LUA_RECIPE_H

#include "core/train/train.h"
#include "lua/args.h"

/* The field "precision": any for training, else one to decide in. */
eex_precision eex__read_precision(const eex_args *a, bool training, eex_precision otherwise);

/* Reads the table into *recipe, whose fields are the defaults; raises. */
void eex__read_recipe(eex_recipe *recipe, bool *from_base, const eex_args *a);

/* Reads {crop, flip, cutout, jitter}, or false, in the field `field`; absent: stays as it is. */
void eex__read_augment(eex_augment *augment, const eex_args *a, const char *field);

#endif
