/* What rows of fields are written with, for fields_table.c alone. Macros name what most rows have
 * in common, and check the types of members. */
#ifndef EEX_CORE_RUN_FIELDS_ROWS_IMPL_H
#define EEX_CORE_RUN_FIELDS_ROWS_IMPL_H

#include "core/run/fields.h"

#include <limits.h>
#include <math.h>

/* Members and paths that are joined cannot stand in parentheses.
 * NOLINTBEGIN(bugprone-macro-parentheses) */

/* Where a member lies; an error of the compiler where it is of another type. */
#define IS(kind, value) _Generic((value), kind : (char)0)
#define AT(kind, member) \
    (offsetof(eex_experiment, member) + 0 * sizeof(IS(kind, ((eex_experiment *)NULL)->member)))

#define FROM(low, high)             \
    {                               \
        .min = (low), .max = (high) \
    }
#define FROM_TO_BELOW(low, high)                   \
    {                                              \
        .min = (low), .max = (high), .below = true \
    }
#define ABOVE(low)                                                  \
    {                                                               \
        .min = (low), .max = INFINITY, .above = true, .below = true \
    }
#define AT_LEAST(low)                                \
    {                                                \
        .min = (low), .max = INFINITY, .below = true \
    }

/* A row: its path, the ends of the names of its type and of the phase that it shapes (S: none), its
 * place, its help, and what else there is. */
#define ROW(where, kind, place, shapes, words, ...)                                               \
    {                                                                                             \
        .path = (where), .type = EEX_FIELD_##kind, .offset = (place), .phase = EEX_PHASE##shapes, \
        .help = (words), __VA_ARGS__                                                              \
    }
#define INT(where, member, within, usually, shapes, words) \
    ROW(where, INT, AT(int, member), shapes, words, .range = within, .otherwise = (usually))
#define NUMBER(where, member, within, usually, shapes, words) \
    ROW(where, NUMBER, AT(double, member), shapes, words, .range = within, .otherwise = (usually))
#define SINGLE(where, member, within, usually, shapes, words)                              \
    ROW(where, NUMBER, AT(double, member), shapes, words, .range = within, .single = true, \
        .otherwise = (usually))
#define FLOAT(where, member, within, usually, shapes, words) \
    ROW(where, FLOAT, AT(float, member), shapes, words, .range = within, .otherwise = (usually))
#define FLAG(where, member, usually, shapes, words) \
    ROW(where, FLAG, AT(bool, member), shapes, words, .otherwise = (usually))
#define ENUM(where, kind, member, table, usually, shapes, words) \
    ROW(where, ENUM, AT(kind, member), shapes, words, .names = (table), .otherwise = (usually))
#define EITHER(where, member, table, usually, shapes, words) \
    ROW(where, EITHER, AT(bool, member), shapes, words, .names = (table), .otherwise = (usually))
#define TEXT(where, kind, member, shapes, words, ...)                 \
    ROW(where, kind, offsetof(eex_experiment, member), shapes, words, \
        .size = (int)sizeof((eex_experiment *)NULL)->member, __VA_ARGS__)
#define INTS(where, member, room, count, within, shapes, words, ...)   \
    ROW(where, INTS, AT(int *, member), shapes, words, .size = (room), \
        .count_offset = AT(int, count), .range = within, __VA_ARGS__)

#define SLURM_TEXT(member, kind, words, usually)                                           \
    TEXT("search.slurm." #member, kind, search.slurm.member, S, words, .usual = (usually), \
         .aside = true)

/* A row that stands for the table of those that follow. */
#define TABLE(where, kind, shapes, words) ROW(where, kind, 0, shapes, words, .otherwise = 0)

enum { SCRATCH, BASE, STARTS };
EEX_NAMES_LOCAL(start, STARTS, [SCRATCH] = "scratch", [BASE] = "base");

enum { EXITS_SCRATCH, EXITS_SHARED, EXITS_STARTS };
EEX_NAMES_LOCAL(exits_start, EXITS_STARTS, [EXITS_SCRATCH] = "scratch", [EXITS_SHARED] = "shared");

static const int usual_blocks[] = {1, 2};

#define AUGMENT_ROWS(where, member, shapes, twice)                                           \
    ROW(where, AUGMENT, AT(eex_augment, member), shapes, "how training images vary",         \
        .unsaid = (twice), .usual = "false"),                                                \
        ROW(where ".crop", INT, AT(int, member.crop_pad), shapes,                            \
            "zero padding in pixels before a random crop", .unsaid = (twice),                \
            .range = FROM(0, 256)),                                                          \
        ROW(where ".flip", FLAG, AT(bool, member.flip), shapes, "mirror half of the images", \
            .unsaid = (twice)),                                                              \
        ROW(where ".cutout", INT, AT(int, member.cutout), shapes,                            \
            "side of a square that is blanked", .unsaid = (twice), .range = FROM(0, 1024)),  \
        ROW(where ".jitter", FLOAT, AT(float, member.jitter), shapes,                        \
            "brightness, contrast and saturation vary within 1 +- it", .unsaid = (twice),    \
            .range = FROM(0, 1))

#define SCHEDULE_ROWS(where, member, shapes)                                               \
    TABLE(where, SHORT, shapes, "of the learning rate"),                                   \
        ENUM(where ".kind", eex_schedule_kind, member.kind, eex_schedule_names,            \
             EEX_SCHEDULE_COSINE, shapes, "how the rate changes"),                         \
        NUMBER(where ".warmup", member.warmup, FROM(0, 1e6), 1, shapes,                    \
               "epochs in which the rate rises"),                                          \
        NUMBER(where ".final", member.final, FROM(0, 1), 0, shapes,                        \
               "cosine, one_cycle: the last rate as a fraction of lr"),                    \
        NUMBER(where ".gamma", member.gamma, FROM(0, 1), 0.1, shapes,                      \
               "step: what the rate is multiplied by at a milestone"),                     \
        INTS(where ".milestones", member.milestone, EEX_MAX_MILESTONES, member.milestones, \
             FROM(1, INT_MAX), shapes, "step: the epochs at which it falls", .listed = 0)

#define OPTIMIZER_ROWS(where, member, shapes)                                                      \
    TABLE(where, SHORT, shapes, "of the weights"),                                                 \
        ENUM(where ".kind", eex_optimizer_kind, member.kind, eex_optimizer_names, EEX_SGD, shapes, \
             "how a gradient becomes a step"),                                                     \
        FLOAT(where ".momentum", member.momentum, FROM(0, 0.9999), 0.9, shapes, "sgd"),            \
        FLOAT(where ".beta1", member.beta1, FROM(0, 0.9999), 0.9, shapes,                          \
              "adamw: decay of the first moment"),                                                 \
        FLOAT(where ".beta2", member.beta2, FROM(0, 0.999999), 0.999, shapes,                      \
              "adamw: decay of the second moment"),                                                \
        FLOAT(where ".eps", member.eps, FROM(1e-12, 1), 1e-8, shapes,                              \
              "adamw: added to the root of the second moment"),                                    \
        FLOAT(where ".weight_decay", member.weight_decay, FROM(0, 1), 5e-4, shapes,                \
              "of convolutions' and linear layers' weights alone"),                                \
        FLAG(where ".nesterov", member.nesterov, true, shapes, "sgd: look ahead")

#define SHRINK_ROW(where, kind, member, shapes)                                 \
    ROW(where, INT, AT(int, member[kind]), shapes,                              \
        "sandwich: first epochs in which all networks have the largest option", \
        .range = FROM(0, INT_MAX), .otherwise = 0, .quiet = true)

#define SANDWICH_ROWS(where, member, shapes)                                              \
    ROW(where ".sandwich", INT, AT(int, member.random), shapes,                           \
        "sandwich: random networks of a step beside the largest and the smallest",        \
        .range = FROM(0, 64), .otherwise = 2, .quiet = true),                             \
        SHRINK_ROW(where ".shrink.kernel", EEX_GENE_KERNEL, member.shrink, shapes),       \
        SHRINK_ROW(where ".shrink.expansion", EEX_GENE_EXPANSION, member.shrink, shapes), \
        SHRINK_ROW(where ".shrink.depth", EEX_GENE_DEPTH, member.shrink, shapes),         \
        SHRINK_ROW(where ".shrink.width", EEX_GENE_WIDTH, member.shrink, shapes),         \
        SHRINK_ROW(where ".shrink.resolution", EEX_GENE_RESOLUTION, member.shrink, shapes)

/* A recipe at `member`; `start` is the row that says where it starts from. */
#define RECIPE_ROWS(where, member, shapes, least_epochs, usual_epochs, start)                      \
    ENUM(where ".regime", eex_regime, member.regime, eex_regime_names, EEX_REGIME_JOINT, shapes,   \
         "what is trained together"),                                                              \
        start,                                                                                     \
        ENUM(where ".precision", eex_precision, member.precision, eex_precision_names, EEX_F32,    \
             shapes, "what its steps are calculated in"),                                          \
        INT(where ".epochs", member.epochs, FROM(least_epochs, INT_MAX), usual_epochs, shapes,     \
            "how often it sees each image"),                                                       \
        INT(where ".batch", member.batch, FROM(1, 65536), 128, shapes, "images of a step"),        \
        SINGLE(where ".lr", member.lr, ABOVE(0), 0.1, shapes,                                      \
               "learning rate, the largest of the schedule"),                                      \
        SCHEDULE_ROWS(where ".schedule", member.schedule, shapes),                                 \
        OPTIMIZER_ROWS(where ".optimizer", member.optimizer, shapes),                              \
        FLOAT(where ".clip", member.optimizer.clip, AT_LEAST(0), 0, shapes,                        \
              "largest gradient norm; 0: none"),                                                   \
        FLOAT(where ".ema", member.optimizer.ema, FROM(0, 0.999999), 0, shapes,                    \
              "decay of a moving average of the weights, used in the end; 0: none"),               \
        SINGLE(where ".label_smoothing", member.smoothing, FROM_TO_BELOW(0, 1), 0, shapes,         \
               "how much of the label goes to all classes alike"),                                 \
        SINGLE(where ".l1", member.l1, AT_LEAST(0), 0, shapes, "weighs the mean absolute output"), \
        SINGLE(where ".distill.weight", member.distill, AT_LEAST(0), 1, shapes,                    \
               "distill, sandwich: of what the end teaches"),                                      \
        SINGLE(where ".distill.temperature", member.distill_t, FROM(0.01, 1000), 4, shapes,        \
               "distill, sandwich: of both softmaxes"),                                            \
        SINGLE(where ".gate_weight", member.gate_weight, ABOVE(0), 1, shapes,                      \
               "of each gate's loss; the end's is 1"),                                             \
        INT(where ".alone", member.alone, FROM(0, INT_MAX), 0, shapes,                             \
            "mixed: epochs of the backbone alone"),                                                \
        FLAG(where ".cache_features", member.cache_features, false, shapes,                        \
             "frozen: run the trunk once and keep what the gates read"),                           \
        ROW(where ".statistics", INT, AT(int, member.statistics), shapes,                          \
            "training images of which batch norm's statistics are taken anew in the end",          \
            .range = FROM(0, INT_MAX), .otherwise = 0, .quiet = true),                             \
        ROW(where ".clip_value", FLOAT, AT(float, member.optimizer.clip_value), shapes,            \
            "largest element of a gradient, by amount, in front of clip; 0: no limit",             \
            .range = AT_LEAST(0), .otherwise = 0, .quiet = true),                                  \
        SANDWICH_ROWS(where, member, shapes),                                                      \
        AUGMENT_ROWS(where ".augment", member.augment, shapes, false)

/* NOLINTEND(bugprone-macro-parentheses) */

#endif
