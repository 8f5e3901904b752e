/* The rows. */
#include "core/policy/moments.h"
#include "core/run/fields_rows_impl.h"
#include "core/run/run_init.h"
#include "search/ranking.h"

#include <string.h>

static const eex_field fields[] = {
    TEXT("name", RUN_NAME, name, S, "of the run", .needed = true, .usual = "the file's name"),
    ROW("seed", SEED, AT(uint64_t, seed), _SPLIT, "of everything random; --seed overrides",
        .otherwise = 0),

    TABLE("dataset", DATASET, _SPLIT, "what is learned"),
    TEXT("dataset.name", DATA_NAME, data.name, _SPLIT, "a data set in $EEX_DATA or a path to one",
         .needed = true),
    FLAG("deterministic", deterministic, false, _BASE, "bit-identical twice on a GPU too"),
    ROW("precision", ENUM, AT(eex_precision, precision), _BASE,
        "what everything that decides is calculated in", .names = eex_precision_inferring_names,
        .otherwise = EEX_F32, .quiet = true),
    INT("dataset.calibration", data.calibration, FROM(1, INT_MAX), 2500, _SPLIT,
        "training images set aside for thresholds"),
    INT("dataset.validation", data.validation, FROM(1, INT_MAX), 5000, _SPLIT,
        "training images set aside for choices"),
    INT("dataset.train", data.train, FROM(0, INT_MAX), 0, _SPLIT,
        "images to train with; 0: all that are left"),
    AUGMENT_ROWS("dataset.augment", training.augment, _BASE, true),

    ROW("backbone", BACKBONE, AT(eex_graph *, backbone), _BASE, "the network that gets exits",
        .needed = true),
    ROW("saliency", SALIENCY, AT(eex_points, points), _PROBE, "where exits may go",
        .usual = "residual merges, or all where there are none"),
    /* With other gates the points are found anew too: both are taken over, or neither. */
    INTS("gates.blocks", gates.blocks, EEX_MAX_CHOICES, gates.choices, FROM(0, 15), _PROBE,
         "how many blocks to choose from", .list = usual_blocks, .listed = 2),
    ROW("gates.act", GATE_ACT, AT(eex_act, gates.act), _PROBE, "activation", .names = eex_act_names,
        .otherwise = EEX_ACT_RELU, .usual = "the backbone's"),
    ROW("gates.family", ENUM, AT(eex_gate_family, gates.family), _PROBE, "what a gate is made of",
        .names = eex_gate_family_names, .otherwise = EEX_GATE_BLOCKS, .quiet = true),
    ROW("gates.channels", INT, AT(int, gates.channels), _PROBE, "pooled, linear: of its layers",
        .range = FROM(1, 65536), .otherwise = EEX_GATE_CHANNELS, .quiet = true),
    INTS("gates.each", gates.each, EEX_MAX_GATES, gates.points, FROM(0, 15), _PROBE,
         "a block count for each point, in their order, in the place of blocks", .listed = 0,
         .quiet = true, .usual = "none: each point chooses among blocks"),
    ROW("gates.required", FLAG, AT(bool, gates.required), _SEARCH,
        "each point has a gate: only its blocks are searched", .quiet = true),
    ROW("gates.thresholds", NUMBERS, AT(double *, gates.level), _SEARCH,
        "thresholds (as policy.a; of entropies minus that) that candidates choose among, one for "
        "each exit",
        .quiet = true, .size = EEX_MAX_LEVELS, .count_offset = AT(int, gates.levels),
        .range = FROM(-1000, 1000)),
    INT("gates.max_exits", gates.max_exits, FROM(0, EEX_MAX_EXITS - 1), 0, _SEARCH,
        "most gates of a candidate; 0: no limit"),

    RECIPE_ROWS("training", training, _BASE, 1, 30,
                EITHER("training.from", training_from_base, start_names, SCRATCH, _BASE,
                       "what the shared network starts from")),
    ROW("training.base_epochs", INT, AT(int, base_epochs), _BASE,
        "how often the base sees each image; 0: as often as the shared network",
        .range = FROM(0, INT_MAX), .otherwise = 0, .quiet = true),
    TEXT("training.init", TABLE_FILE, training_init, _BASE,
         "file of a model: initial weights of what has its name and shape there", .quiet = true,
         .usual = "all weights are drawn"),
    ROW("candidate", LIKE, AT(eex_recipe, candidate), _SEARCH, "like the training", .otherwise = 0),
    RECIPE_ROWS("candidate", candidate, _SEARCH, 1, 3,
                ENUM("candidate.from", eex_start, candidate_from, eex_start_names,
                     EEX_START_SCRATCH, _SEARCH, "what candidates start from")),
    ROW("candidate.exits", EITHER, AT(bool, candidate_exits), _SEARCH,
        "from = \"shared\": what their exits start from", .names = exits_start_names,
        .otherwise = EXITS_SCRATCH, .quiet = true),
    ROW("final", LIKE, AT(eex_recipe, final), _FINAL, "like the training", .otherwise = 0),
    RECIPE_ROWS("final", final, _FINAL, 0, 0,
                ROW("final.from", FIXED, 0, _FINAL, "nothing: it goes on from the chosen network",
                    .names = start_names, .otherwise = BASE)),

    ROW("policy.kind", POLICY_KIND, AT(eex_policy_kind, policy.kind), _SEARCH,
        "what is compared with a threshold", .names = eex_policy_kind_names,
        .otherwise = EEX_POLICY_PER_CLASS),
    ROW("policy.temperature", TEMPERATURE, AT(double, policy.temperature), _SEARCH,
        "of the softmax", .range = FROM(0.01, 1000), .otherwise = 5,
        .usual = "5 for per_class, else 1"),
    ROW("policy.a", THRESHOLD, AT(double, policy.a), _SEARCH,
        "deviations above the mean, or the threshold", .range = FROM(-1000, 1000), .otherwise = 0.5,
        .usual = "0.5; 0.9 for confidence, 0.3 for entropy"),
    ROW("policy.b", LOWER, AT(double, policy.b), _SEARCH, "reject below; false: never",
        .range = FROM(-1000, 1000), .otherwise = INFINITY, .usual = "false"),
    EITHER("policy.by", policy.by_label, eex_policy_by_names, EEX_POLICY_BY_LABEL, _SEARCH,
           "whose outputs make a class's mean"),
    ENUM("policy.tune", eex_tune, policy.tune, eex_tune_names, EEX_TUNE_NONE, _SEARCH,
         "set a of each exit on the calibration images"),
    NUMBER("policy.target", policy.target, FROM(-1, INFINITY), 0, _SEARCH,
           "what the tuning aims at"),
    ROW("policy.reject", NUMBER, AT(double, policy.reject), _SEARCH,
        "reject what is farther off than all but this fraction", .range = FROM(0, 0.9),
        .quiet = true),

    ENUM("search.algorithm", eex_algorithm, search.algorithm, eex_algorithm_names, EEX_AGING,
         _SEARCH, "who proposes candidates"),
    ENUM("search.evaluator", eex_evaluator_kind, search.evaluator, eex_evaluator_names,
         EEX_EVALUATE_SHARED, _LATENCY, "how candidates are judged"),
    ENUM("search.score", eex_score_kind, search.score, eex_score_names, EEX_SCORE_ACCURACY, _SEARCH,
         "what is best"),
    ENUM("search.cost", eex_cost_unit, search.cost, eex_cost_unit_names, EEX_COST_MACS, _SEARCH,
         "what is weighed and tuned"),
    ROW("search.population", POPULATION, AT(int, search.population), _SEARCH,
        "aging, nsga2: how many candidates live", .range = FROM(1, INT_MAX), .otherwise = 50),
    INT("search.sample", search.sample, FROM(1, INT_MAX), 10, _SEARCH,
        "aging: the best of so many is the parent"),
    INT("search.trials", search.trials, FROM(1, INT_MAX), 2000, _SEARCH,
        "how many candidates are judged"),
    NUMBER("search.weight", search.weight, AT_LEAST(0), 0.1, _SEARCH,
           "of the cost in the weighted score"),
    ROW("search.min_accuracy", OR_FALSE, AT(double, search.min_accuracy), _SEARCH,
        "take the cheapest with at least this validation accuracy", .range = FROM(0, 1),
        .otherwise = -1, .usual = "false"),
    INT("search.tau", search.tau, FROM(0, EEX_RANKING_MOST), 0, _TAU,
        "train so many candidates too and compare both evaluators; 0: none"),
    TEXT("search.latency_table", TABLE_FILE, search.latency_table, _LATENCY,
         "file of eex profile --table that latencies come from", .quiet = true,
         .usual = "the run measures"),
    ROW("search.statistics", INT, AT(int, search.statistics), _SEARCH,
        "elastic backbones: training images of which batch norm's statistics are taken anew for "
        "each network; 0: those of the largest stay",
        .range = FROM(0, INT_MAX), .otherwise = 2000, .quiet = true),
    ROW("search.initial", INT, AT(int, search.initial), _SEARCH,
        "surrogate: how many are judged before the first model", .range = FROM(2, INT_MAX),
        .otherwise = 100, .quiet = true),
    ROW("search.batch", INT, AT(int, search.batch), _SEARCH,
        "surrogate: how many are judged between two models", .range = FROM(1, INT_MAX),
        .otherwise = 8, .quiet = true),
    ROW("search.workers", INT, AT(int, search.workers), _SEARCH,
        "evaluator train: candidates that are judged at a time, each in a process of its own; 0: "
        "one after the other",
        .range = FROM(0, 256), .otherwise = 0, .quiet = true),
    SLURM_TEXT(partition, TEXT, "--slurm: where workers run", "the cluster's"),
    SLURM_TEXT(time, TIME, "--slurm: how long a worker may run before it saves and is put back",
               "the cluster's"),
    SLURM_TEXT(memory, TEXT, "--slurm: of a worker", "the cluster's"),
    ROW("search.slurm.gpus", INT, AT(int, search.slurm.gpus), S, "--slurm: of a worker",
        .range = FROM(0, 1024), .aside = true),
    ROW("search.slurm.cpus", INT, AT(int, search.slurm.cpus), S,
        "--slurm: of a worker; 0: as the cluster gives", .range = FROM(0, 4096), .aside = true),
    SLURM_TEXT(container, TEXT, "--slurm: in front of a worker's command", "nothing"),
    SLURM_TEXT(setup, TEXT, "--slurm: lines of shell in front of it", "none"),
    SLURM_TEXT(options, TEXT, "--slurm: more lines #SBATCH", "none"),
    ROW("search.limits.macs", NUMBER, AT(double, search.limits.macs), _SEARCH,
        "most expected MACs of a candidate; 0: no limit", .range = AT_LEAST(0), .quiet = true),
    ROW("search.limits.params", NUMBER, AT(double, search.limits.params), _SEARCH,
        "most parameters of its network; 0: no limit", .range = AT_LEAST(0), .quiet = true),
    ROW("search.limits.latency", NUMBER, AT(double, search.limits.latency), _SEARCH,
        "most expected milliseconds; 0: no limit", .range = AT_LEAST(0), .quiet = true),
    ROW("search.limits.share", NUMBER, AT(double, search.limits.share), _SEARCH,
        "least fraction of the images that each gate takes; 0: no limit", .range = FROM(0, 1),
        .quiet = true),
    ROW("predictor.family", ENUM, AT(eex_exit_predictor_family, predictor.family), _PREDICTOR,
        "what the exit predictor is made of", .names = eex_exit_predictor_family_names,
        .otherwise = EEX_PREDICTOR_SEPARABLE, .quiet = true),
    ROW("predictor.epochs", INT, AT(int, predictor.epochs), _PREDICTOR,
        "how often an exit predictor for the chosen network sees each image; 0: there is none",
        .range = FROM(0, INT_MAX), .otherwise = 0, .quiet = true),
    ROW("predictor.images", ENUM, AT(eex_exit_predictor_images, predictor.images), _PREDICTOR,
        "what it learns from", .names = eex_exit_predictor_images_names,
        .otherwise = EEX_PREDICTOR_TRAIN, .quiet = true),
    ROW("predictor.lambda", ENUM, AT(eex_exit_predictor_lambda, predictor.lambda), _PREDICTOR,
        "thresholds that it imitates: the policy's, or of most accuracy among a grid of "
        "confidences",
        .names = eex_exit_predictor_lambda_names, .otherwise = EEX_LAMBDA_POLICY, .quiet = true),
    ROW("predictor.more", NUMBER, AT(double, predictor.more), _PREDICTOR,
        "fewer than so many more images reach the end", .range = FROM(0, 1), .otherwise = 0.02,
        .quiet = true),
    ROW("predictor.test_thresholds", FLAG, AT(bool, predictor.published), _PREDICTOR,
        "report too what thresholds chosen on the test split would give", .quiet = true),
    ROW("predictor.precision", ENUM, AT(eex_precision, predictor.precision), _PREDICTOR,
        "what its steps are calculated in", .names = eex_precision_names, .otherwise = EEX_F32,
        .quiet = true),
    ROW("predictor.batch", INT, AT(int, predictor.batch), _PREDICTOR, "images of a step",
        .range = FROM(1, 65536), .otherwise = 128, .quiet = true),
    ROW("predictor.lr", NUMBER, AT(double, predictor.lr), _PREDICTOR,
        "learning rate, which falls by a cosine", .single = true, .range = ABOVE(0),
        .otherwise = 0.1, .quiet = true),
    ROW("predictor.lr_end", NUMBER, AT(double, predictor.lr_end), _PREDICTOR, "what it falls to",
        .single = true, .range = AT_LEAST(0), .otherwise = 1e-4, .quiet = true),
    ROW("predictor.weight_decay", NUMBER, AT(double, predictor.weight_decay), _PREDICTOR,
        "of its weights", .single = true, .range = FROM(0, 1), .otherwise = 2e-4, .quiet = true),
    ROW("predictor.crop", INT, AT(int, predictor.crop), _PREDICTOR,
        "zero padding in pixels before a random crop", .range = FROM(0, 256), .otherwise = 4,
        .quiet = true),
    ROW("predictor.flip", FLAG, AT(bool, predictor.flip), _PREDICTOR, "mirror half of the images",
        .otherwise = 1, .quiet = true),
    ROW("partition.latency", NUMBER, AT(double, partition.latency), _PARTITION,
        "most milliseconds on average of the chosen network between a device and a server; 0: it "
        "is not cut",
        .range = FROM(0, 1e9), .quiet = true),
    ROW("partition.cut", INT, AT(int, partition.cut), _PARTITION,
        "exit behind which it is cut; 0: the last early one", .range = FROM(0, EEX_MAX_EXITS - 1),
        .quiet = true),
    ROW("partition.bits", INT, AT(int, partition.bits), _PARTITION,
        "of each value that is sent, 1 to 8; 32: as it is", .range = FROM(1, 32), .otherwise = 8,
        .quiet = true),
    ROW("partition.precision", ENUM, AT(eex_precision, partition.precision), _PARTITION,
        "what the steps of its trainings are calculated in", .names = eex_precision_names,
        .otherwise = EEX_F32, .quiet = true),
    ROW("partition.epochs", INT, AT(int, partition.epochs), _PARTITION,
        "how often a bottleneck's autoencoder sees each image; 0: there is no bottleneck",
        .range = FROM(0, 100000), .quiet = true),
    ROW("partition.more_epochs", INT, AT(int, partition.more), _PARTITION,
        "the same of what lies behind its codes", .range = FROM(1, 100000), .otherwise = 10,
        .quiet = true),
    ROW("partition.batch", INT, AT(int, partition.batch), _PARTITION, "images of a step",
        .range = FROM(2, 65536), .otherwise = 128, .quiet = true),
    ROW("partition.lr", NUMBER, AT(double, partition.lr), _PARTITION,
        "the autoencoder's learning rate, which falls by a cosine", .single = true,
        .range = ABOVE(0), .otherwise = 0.05, .quiet = true),
    ROW("partition.more_lr", NUMBER, AT(double, partition.more_lr), _PARTITION,
        "the same behind the codes", .single = true, .range = ABOVE(0), .otherwise = 0.005,
        .quiet = true),
    ROW("partition.augment", FLAG, AT(bool, partition.augment), _PARTITION,
        "crop with a pad of 4 and mirror what it learns from", .otherwise = 1, .quiet = true),
    ROW("partition.bandwidth.from", NUMBER, AT(double, partition.from), _PARTITION,
        "the least bandwidth, Mbit/s; 0 with `to`: as published", .range = FROM(0, EEX_MOST_MBIT),
        .quiet = true),
    ROW("partition.bandwidth.to", NUMBER, AT(double, partition.to), _PARTITION,
        "the largest, Mbit/s", .range = FROM(0, EEX_MOST_MBIT), .quiet = true),
    ROW("partition.device_gflops", NUMBER, AT(double, partition.device), _PARTITION,
        "the device's speed", .range = FROM(1e-6, 1e9), .otherwise = 3.62, .quiet = true),
    ROW("partition.server_gflops", NUMBER, AT(double, partition.server), _PARTITION,
        "the server's speed; 0: it takes no time", .range = FROM(0, 1e9), .quiet = true),
    ROW("partition.round_trip", NUMBER, AT(double, partition.round_trip), _PARTITION,
        "milliseconds beside what sending takes", .range = FROM(0, 1e6), .quiet = true),
    ROW("partition.convention", ENUM, AT(eex_convention, partition.convention), _PARTITION,
        "what speeds count", .names = eex_convention_names, .otherwise = EEX_PTFLOPS,
        .quiet = true),
    ROW("partition.jpeg", INT, AT(int, partition.jpeg), _PARTITION,
        "quality of a JPEG that is sent instead, for comparison; 0: none", .range = FROM(0, 100),
        .quiet = true),
    ROW("partition.filters", NUMBER, AT(double, partition.filters), _PARTITION,
        "the share of the device's filters without which the network is trained on, for "
        "comparison; 0: none",
        .range = FROM(0, 0.99), .quiet = true),
    ROW("partition.filter_epochs", INT, AT(int, partition.filter_epochs), _PARTITION,
        "how often that training sees each image", .range = FROM(0, 100000), .otherwise = 10,
        .quiet = true),
    ROW("partition.filter_lr", NUMBER, AT(double, partition.filter_lr), _PARTITION,
        "its learning rate, which falls by a cosine", .single = true, .range = ABOVE(0),
        .otherwise = 0.01, .quiet = true),
    ROW("rivals.base", FLAG, AT(bool, rivals.base), _RIVALS,
        "train the backbone for as long as the network with exits, and score it beside that",
        .quiet = true),
    ROW("rivals.cuts", FLAG, AT(bool, rivals.cuts), _RIVALS,
        "the same of the backbone cut off behind each exit of the chosen network", .quiet = true),
    ROW("rivals.narrower", NETWORK, AT(eex_graph *, rivals.narrower), _RIVALS,
        "the same of another network, such as the backbone with less width", .usual = "none",
        .quiet = true),
    ROW("rivals.epochs", INT, AT(int, rivals.epochs), _RIVALS,
        "how often a rival sees each image; 0: as often as the chosen network in all",
        .range = FROM(0, INT_MAX), .quiet = true),
    ROW("rivals.lr", NUMBER, AT(double, rivals.lr), _RIVALS,
        "a rival's learning rate; 0: the training's", .single = true, .range = AT_LEAST(0),
        .quiet = true),
    ROW("search.front", INT, AT(int, search.front), _SEARCH,
        "networks of the Pareto front that are finished and tested too; 0: none",
        .range = FROM(0, 100), .otherwise = 0, .quiet = true),
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
                 {EEX__INIT_CONTENT " = ", EEX_PHASE_BASE},
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
