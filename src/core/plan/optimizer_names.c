#include "core/plan/plan.h"

EEX_NAMES(eex_optimizer, eex_optimizer_kind,
          EEX_OPTIMIZERS, [EEX_SGD] = "sgd", [EEX_ADAMW] = "adamw");
