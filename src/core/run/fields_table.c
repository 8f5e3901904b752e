/* The rows. Macros name what most rows have in common, and check the type of the member. */
#include "core/run/fields.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* Where a member lies; an error of the compiler where it is of another type. */
#define AT(type, member)                                                                           \
    (offsetof(eex_experiment, member) + 0 * sizeof(_Generic(((eex_experiment *)NULL)->member, type \
                                                            : (char)0)))
#define SIZE(member) ((int)sizeof((eex_experiment *)NULL)->member)

#define FROM(low, high) .range = {.min = (low), .max = (high)}
#define FROM_TO_BELOW(low, high) .range = {.min = (low), .max = (high), .below = true}
#define ABOVE(low) .range = {.min = (low), .max = INFINITY, .above = true, .below = true}
#define AT_LEAST(low) .range = {.min = (low), .max = INFINITY, .below = true}

#define INT(member) .type = EEX_FIELD_INT, .offset = AT(int, member)
#define NUMBER(member) .type = EEX_FIELD_NUMBER, .offset = AT(double, member)
#define FLOAT(member) .type = EEX_FIELD_FLOAT, .offset = AT(float, member)
#define FLAG(member) .type = EEX_FIELD_FLAG, .offset = AT(bool, member)
#define EITHER(member, table) .type = EEX_FIELD_EITHER, .offset = AT(bool, member), .names = (table)
#define ENUM(kind, member, table) \
    .type = EEX_FIELD_ENUM, .offset = AT(kind, member), .names = (table)
#define TEXT(kind, member) \
    .type = (kind), .offset = offsetof(eex_experiment, member), .size = SIZE(member)
#define INTS(member, room, count)                                        \
    .type = EEX_FIELD_INTS, .offset = AT(int *, member), .size = (room), \
    .count_offset = AT(int, count)

enum { SCRATCH, BASE, STARTS };
static EEX_NAMES_TABLE(start, STARTS, [SCRATCH] = "scratch", [BASE] = "base")

    enum {
        BY_PREDICTION,
        BY_LABEL,
        BYS
    };
static EEX_NAMES_TABLE(by, BYS, [BY_PREDICTION] = "prediction", [BY_LABEL] = "label")

    static const int usual_blocks[] = {1, 2};

#define AUGMENT_ROWS(where, member, shapes, in_text)                                           \
    {where,                                                                                    \
     .type = EEX_FIELD_AUGMENT,                                                                \
     .offset = AT(eex_augment, member),                                                        \
     .phase = (shapes),                                                                        \
     .unsaid = !(in_text),                                                                     \
     .usual = "false",                                                                         \
     .help = "how training images vary"},                                                      \
        {where ".crop",        INT(member.crop_pad),                                           \
         FROM(0, 256),         .phase = (shapes),                                              \
         .unsaid = !(in_text), .help = "zero padding in pixels before a random crop"},         \
        {where ".flip", FLAG(member.flip), .phase = (shapes), .unsaid = !(in_text),            \
         .help = "mirror half of the images"},                                                 \
        {where ".cutout",   INT(member.cutout),   FROM(0, 1024),                               \
         .phase = (shapes), .unsaid = !(in_text), .help = "side of a square that is blanked"}, \
    {                                                                                          \
        where ".jitter", FLOAT(member.jitter), FROM(0, 1),                                     \
            .phase = (shapes), .unsaid = !(in_text),                                           \
            .help = "brightness, contrast and saturation vary within 1 +- it"                  \
    }

#define SCHEDULE_ROWS(where, member, shapes)                                                   \
    {where,                                                                                    \
     .type = EEX_FIELD_SHORT,                                                                  \
     .offset = AT(eex_schedule_kind, member.kind),                                             \
     .names = eex_schedule_names,                                                              \
     .phase = (shapes),                                                                        \
     .help = "of the learning rate"},                                                          \
        {where ".kind", ENUM(eex_schedule_kind, member.kind, eex_schedule_names),              \
         .otherwise = EEX_SCHEDULE_COSINE, .phase = (shapes), .help = "how the rate changes"}, \
        {where ".warmup", NUMBER(member.warmup), FROM(0, 1e6),                                 \
         .otherwise = 1,  .phase = (shapes),     .help = "epochs in which the rate rises"},    \
        {where ".final", NUMBER(member.final), FROM(0, 1), .phase = (shapes),                  \
         .help = "cosine, one_cycle: the last rate as a fraction of lr"},                      \
        {where ".gamma",    NUMBER(member.gamma),                                              \
         FROM(0, 1),        .otherwise = 0.1,                                                  \
         .phase = (shapes), .help = "step: what the rate is multiplied by at a milestone"},    \
    {                                                                                          \
        where ".milestones", INTS(member.milestone, EEX_MAX_MILESTONES, member.milestones),    \
            FROM(1, INT_MAX), .phase = (shapes), .help = "step: the epochs at which it falls"  \
    }

#define OPTIMIZER_ROWS(where, member, shapes)                                                   \
    {where,                                                                                     \
     .type = EEX_FIELD_SHORT,                                                                   \
     .offset = AT(eex_optimizer_kind, member.kind),                                             \
     .names = eex_optimizer_names,                                                              \
     .phase = (shapes),                                                                         \
     .help = "of the weights"},                                                                 \
        {where ".kind", ENUM(eex_optimizer_kind, member.kind, eex_optimizer_names),             \
         .otherwise = EEX_SGD, .phase = (shapes), .help = "how a gradient becomes a step"},     \
        {where ".momentum", FLOAT(member.momentum), FROM(0, 0.9999),                            \
         .otherwise = 0.9,  .phase = (shapes),      .help = "sgd"},                             \
        {where ".beta1",   FLOAT(member.beta1), FROM(0, 0.9999),                                \
         .otherwise = 0.9, .phase = (shapes),   .help = "adamw: decay of the first moment"},    \
        {where ".beta2",     FLOAT(member.beta2), FROM(0, 0.999999),                            \
         .otherwise = 0.999, .phase = (shapes),   .help = "adamw: decay of the second moment"}, \
        {where ".eps",      FLOAT(member.eps),                                                  \
         FROM(1e-12, 1),    .otherwise = 1e-8,                                                  \
         .phase = (shapes), .help = "adamw: added to the root of the second moment"},           \
        {where ".weight_decay",                                                                 \
         FLOAT(member.weight_decay),                                                            \
         FROM(0, 1),                                                                            \
         .otherwise = 5e-4,                                                                     \
         .phase = (shapes),                                                                     \
         .help = "of convolutions' and linear layers' weights alone"},                          \
    {                                                                                           \
        where ".nesterov", FLAG(member.nesterov), .otherwise = true, .phase = (shapes),         \
                                                  .help = "sgd: look ahead"                     \
    }

/* A recipe at `member`; the rest of the arguments says where it starts from. */
#define RECIPE_ROWS(where, member, shapes, least_epochs, usual_epochs, ...)                          \
    {where ".regime", ENUM(eex_regime, member.regime, eex_regime_names), .phase = (shapes),          \
     .help = "what is trained together"},                                                            \
        {where ".from", .phase = (shapes), __VA_ARGS__},                                             \
        {where ".precision", ENUM(eex_precision, member.precision, eex_precision_names),             \
         .phase = (shapes), .help = "what its steps are calculated in"},                             \
        {where ".epochs",                                                                            \
         INT(member.epochs),                                                                         \
         FROM(least_epochs, INT_MAX),                                                                \
         .otherwise = (usual_epochs),                                                                \
         .phase = (shapes),                                                                          \
         .help = "how often it sees each image"},                                                    \
        {where ".batch",   INT(member.batch), FROM(1, 65536),                                        \
         .otherwise = 128, .phase = (shapes), .help = "images of a step"},                           \
        {where ".lr",      NUMBER(member.lr), ABOVE(0),                                              \
         .otherwise = 0.1, .phase = (shapes), .help = "learning rate, the largest of the schedule"}, \
        SCHEDULE_ROWS(where ".schedule", member.schedule, shapes),                                   \
        OPTIMIZER_ROWS(where ".optimizer", member.optimizer, shapes),                                \
        {where ".clip", FLOAT(member.optimizer.clip), AT_LEAST(0), .phase = (shapes),                \
         .help = "largest gradient norm; 0: none"},                                                  \
        {where ".ema", FLOAT(member.optimizer.ema), FROM(0, 0.999999), .phase = (shapes),            \
         .help = "decay of a moving average of the weights, used in the end; 0: none"},              \
        {where ".label_smoothing", NUMBER(member.smoothing), FROM_TO_BELOW(0, 1),                    \
         .phase = (shapes), .help = "how much of the label goes to all classes alike"},              \
        {where ".l1", NUMBER(member.l1), AT_LEAST(0), .phase = (shapes),                             \
         .help = "weighs the mean absolute output"},                                                 \
        {where ".distill.weight",                                                                    \
         NUMBER(member.distill),                                                                     \
         AT_LEAST(0),                                                                                \
         .otherwise = 1,                                                                             \
         .phase = (shapes),                                                                          \
         .help = "distill: of what the end teaches the gates"},                                      \
        {where ".distill.temperature",                                                               \
         NUMBER(member.distill_t),                                                                   \
         FROM(0.01, 1000),                                                                           \
         .otherwise = 4,                                                                             \
         .phase = (shapes),                                                                          \
         .help = "distill: of both softmaxes"},                                                      \
        {where ".gate_weight",                                                                       \
         NUMBER(member.gate_weight),                                                                 \
         ABOVE(0),                                                                                   \
         .otherwise = 1,                                                                             \
         .phase = (shapes),                                                                          \
         .help = "of each gate's loss; the end's is 1"},                                             \
        {where ".alone", INT(member.alone), FROM(0, INT_MAX), .phase = (shapes),                     \
         .help = "mixed: epochs of the backbone alone"},                                             \
        {where ".cache_features", FLAG(member.cache_features), .phase = (shapes),                    \
         .help = "frozen: run the trunk once and keep what the gates read"},                         \
        AUGMENT_ROWS(where ".augment", member.augment, shapes, true)

static const eex_field fields[] = {
    {"name", TEXT(EEX_FIELD_RUN_NAME, name), .needed = true, .phase = EEX_PHASES,
     .usual = "the file's name", .help = "of the run"},
    {"seed", .type = EEX_FIELD_SEED, .offset = AT(uint64_t, seed), .phase = EEX_PHASE_SPLIT,
     .help = "of everything random; --seed overrides"},

    {"dataset", .type = EEX_FIELD_DATASET, .offset = offsetof(eex_experiment, data.name),
     .size = SIZE(data.name), .phase = EEX_PHASE_SPLIT, .help = "what is learned"},
    {"dataset.name", TEXT(EEX_FIELD_TEXT, data.name), .needed = true, .phase = EEX_PHASE_SPLIT,
     .help = "a data set in $EEX_DATA or a path to one"},
    {"deterministic", FLAG(deterministic), .phase = EEX_PHASE_BASE,
     .help = "bit-identical twice on a GPU too"},
    {"precision", ENUM(eex_precision, precision, eex_precision_inferring_names), .quiet = true,
     .phase = EEX_PHASE_BASE, .help = "what everything that decides is calculated in"},
    {"dataset.calibration", INT(data.calibration), FROM(1, INT_MAX), .otherwise = 2500,
     .phase = EEX_PHASE_SPLIT, .help = "training images set aside for thresholds"},
    {"dataset.validation", INT(data.validation), FROM(1, INT_MAX), .otherwise = 5000,
     .phase = EEX_PHASE_SPLIT, .help = "training images set aside for choices"},
    {"dataset.train", INT(data.train), FROM(0, INT_MAX), .phase = EEX_PHASE_SPLIT,
     .help = "images to train with; 0: all that are left"},
    AUGMENT_ROWS("dataset.augment", training.augment, EEX_PHASE_BASE, false),

    {"backbone", .type = EEX_FIELD_BACKBONE, .offset = AT(eex_graph *, backbone),
     .phase = EEX_PHASE_BASE, .help = "the network that gets exits"},
    {"saliency", .type = EEX_FIELD_SALIENCY, .offset = AT(eex_points, points),
     .phase = EEX_PHASE_PROBE, .usual = "residual merges, or all where there are none",
     .help = "where exits may go"},
    {"gates.blocks", INTS(gates.blocks, EEX_MAX_CHOICES, gates.choices), FROM(0, 15),
     .list = usual_blocks, .listed = 2, .phase = EEX_PHASE_SHARED,
     .help = "how many blocks to choose from"},
    {"gates.act", .type = EEX_FIELD_GATE_ACT, .offset = AT(eex_act, gates.act),
     .names = eex_act_names, .otherwise = EEX_ACT_RELU, .usual = "the backbone's",
     .phase = EEX_PHASE_SHARED, .help = "activation"},
    {"gates.max_exits", INT(gates.max_exits), FROM(0, EEX_MAX_EXITS - 1), .phase = EEX_PHASE_SEARCH,
     .help = "most gates of a candidate; 0: no limit"},

    RECIPE_ROWS("training", training, EEX_PHASE_BASE, 1, 30,
                EITHER(training_from_base, start_names),
                .help = "what the shared network starts from"),
    {"candidate", .type = EEX_FIELD_LIKE, .offset = AT(eex_recipe, candidate),
     .phase = EEX_PHASE_SEARCH, .help = "like the training"},
    RECIPE_ROWS("candidate", candidate, EEX_PHASE_SEARCH, 1, 3,
                EITHER(candidate_from_base, start_names), .help = "what candidates start from"),
    {"final", .type = EEX_FIELD_LIKE, .offset = AT(eex_recipe, final), .phase = EEX_PHASE_FINAL,
     .help = "like the training"},
    RECIPE_ROWS("final", final, EEX_PHASE_FINAL, 0, 0, .type = EEX_FIELD_FIXED,
                .names = start_names, .otherwise = BASE,
                .help = "nothing: it goes on from the chosen network"),

    {"policy.kind", .type = EEX_FIELD_POLICY_KIND, .offset = AT(eex_policy_kind, policy.kind),
     .names = eex_policy_kind_names, .phase = EEX_PHASE_SEARCH,
     .help = "what is compared with a threshold"},
    {"policy.temperature", .type = EEX_FIELD_TEMPERATURE, .offset = AT(double, policy.temperature),
     FROM(0.01, 1000), .otherwise = 5, .usual = "5 for per_class, else 1",
     .phase = EEX_PHASE_SEARCH, .help = "of the softmax"},
    {"policy.a", .type = EEX_FIELD_THRESHOLD, .offset = AT(double, policy.a), FROM(-1000, 1000),
     .otherwise = 0.5, .usual = "0.5; 0.9 for confidence, 0.3 for entropy",
     .phase = EEX_PHASE_SEARCH, .help = "deviations above the mean, or the threshold"},
    {"policy.b", .type = EEX_FIELD_LOWER, .offset = AT(double, policy.b), FROM(-1000, 1000),
     .otherwise = INFINITY, .usual = "false", .phase = EEX_PHASE_SEARCH,
     .help = "reject below; false: never"},
    {"policy.by", EITHER(policy.by_label, by_names), .otherwise = BY_LABEL,
     .phase = EEX_PHASE_SEARCH, .help = "whose outputs make a class's mean"},
    {"policy.tune", ENUM(eex_tune, policy.tune, eex_tune_names), .phase = EEX_PHASE_SEARCH,
     .help = "set a of each exit on the calibration images"},
    {"policy.target", NUMBER(policy.target), FROM(-1, INFINITY), .phase = EEX_PHASE_SEARCH,
     .help = "what the tuning aims at"},
    {"policy.reject", NUMBER(policy.reject), FROM(0, 0.9), .quiet = true, .phase = EEX_PHASE_SEARCH,
     .help = "reject what is farther off than all but this fraction"},

    {"search.algorithm", ENUM(eex_algorithm, search.algorithm, eex_algorithm_names),
     .phase = EEX_PHASE_SEARCH, .help = "who proposes candidates"},
    {"search.evaluator", ENUM(eex_evaluator_kind, search.evaluator, eex_evaluator_names),
     .phase = EEX_PHASE_LATENCY, .help = "how candidates are judged"},
    {"search.score", ENUM(eex_score_kind, search.score, eex_score_names), .phase = EEX_PHASE_SEARCH,
     .help = "what is best"},
    {"search.cost", ENUM(eex_cost_unit, search.cost, eex_cost_unit_names),
     .phase = EEX_PHASE_SEARCH, .help = "what is weighed and tuned"},
    {"search.population", .type = EEX_FIELD_POPULATION, .offset = AT(int, search.population),
     FROM(1, INT_MAX), .otherwise = 50, .phase = EEX_PHASE_SEARCH, .help = "aging"},
    {"search.sample", INT(search.sample), FROM(1, INT_MAX), .otherwise = 10,
     .phase = EEX_PHASE_SEARCH, .help = "aging: the best of so many is the parent"},
    {"search.trials", INT(search.trials), FROM(1, INT_MAX), .otherwise = 2000,
     .phase = EEX_PHASE_SEARCH, .help = "how many candidates are judged"},
    {"search.weight", NUMBER(search.weight), AT_LEAST(0), .otherwise = 0.1,
     .phase = EEX_PHASE_SEARCH, .help = "of the cost in the weighted score"},
    {"search.min_accuracy", .type = EEX_FIELD_OR_FALSE, .offset = AT(double, search.min_accuracy),
     FROM(0, 1), .otherwise = -1, .usual = "false", .phase = EEX_PHASE_SEARCH,
     .help = "take the cheapest with at least this validation accuracy"},
    {"search.tau", INT(search.tau), FROM(0, INT_MAX), .phase = EEX_PHASE_TAU,
     .help = "train so many candidates too and compare both evaluators; 0: none"},
    {"search.latency_table", TEXT(EEX_FIELD_TABLE_FILE, search.latency_table), .quiet = true,
     .usual = "the run measures", .phase = EEX_PHASE_LATENCY,
     .help = "file of eex profile --table that latencies come from"},
};

const eex_field *eex_fields(int *count)
{
    *count = sizeof fields / sizeof *fields;
    return fields;
}

static const eex_field *find(const char *path, size_t length)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strlen(fields[i].path) == length && memcmp(fields[i].path, path, length) == 0)
            return &fields[i];
    return NULL;
}

const eex_field *eex_field_find(const char *path)
{
    return find(path, strlen(path));
}

const eex_field *eex_field_of_line(const char *line)
{
    const size_t length = strcspn(line, " \n");
    return strncmp(line + length, " =", 2) == 0 ? find(line, length) : NULL;
}

eex_phase eex_phase_of_line(const char *line)
{
    static const struct {
        const char *begin;
        eex_phase shapes;
    } facts[] = {{"data = ", EEX_PHASE_SPLIT},
                 {"device = ", EEX_PHASE_BASE},
                 {"threads = ", EEX_PHASE_BASE}}; /* run_identity.c adds them */
    const eex_field *field = eex_field_of_line(line);
    if (field)
        return field->phase;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (strncmp(line, facts[i].begin, strlen(facts[i].begin)) == 0)
            return facts[i].shapes;
    return EEX_PHASES;
}
