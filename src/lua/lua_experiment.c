#include "lua/lua_experiment.h"

#include "lua/args.h"
#include "lua/experiment_set.h"
#include "lua/lua_graph.h"
#include "lua/lua_policy.h"
#include "lua/lua_recipe.h"
#include "lua/saliency.h"
#include "lua/sandbox_impl.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/status.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SCRIPT = 16 << 20 };

/* What the protected reader works on. */
typedef struct reading {
    eex_experiment *e;
    const char *path;
    const eex_lua_experiment_options *options;
} reading;

static int type_of(const eex_args *a, const char *field)
{
    lua_pushstring(a->L, field);
    int type = lua_rawget(a->L, a->table);
    lua_pop(a->L, 1);
    return type;
}

static bool is_false(const eex_args *a, const char *field)
{
    lua_pushstring(a->L, field);
    bool off = lua_rawget(a->L, a->table) == LUA_TBOOLEAN && !lua_toboolean(a->L, -1);
    lua_pop(a->L, 1);
    return off;
}

/* ---- name ---- */

/* Names become folders. */
static bool good_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            return false;
    return *name && *name != '.';
}

static void read_name(eex_experiment *e, const eex_args *a, const char *path)
{
    char name[EEX_NAME_MAX];
    const char *base = eex_path_base(path), *dot = strrchr(base, '.');
    int length = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
    snprintf(name, sizeof name, "%.*s", length, base);
    snprintf(e->name, sizeof e->name, "%s", eex_args_text_or(a, "name", EEX_NAME_MAX - 1, name));
    if (!good_name(e->name))
        eex_args_refuse(a, "name", "letters, digits, \"-\", \"_\" and \".\"");
    e->seed = (uint64_t)eex_args_int_or(a, "seed", 0, LLONG_MAX, 0);
}

/* ---- dataset ---- */

static void read_dataset(eex_experiment *e, const eex_args *a)
{
    static const char *const known[] = {"name",  "calibration", "validation",
                                        "train", "augment",     NULL};
    if (type_of(a, "dataset") == LUA_TSTRING) {
        snprintf(e->data.name, sizeof e->data.name, "%s",
                 eex_args_text(a, "dataset", sizeof e->data.name - 1));
        return;
    }
    eex_args t = eex_args_table(a, "dataset", false);
    eex_args_known(&t, known);
    snprintf(e->data.name, sizeof e->data.name, "%s",
             eex_args_text(&t, "name", sizeof e->data.name - 1));
    e->data.calibration = (int)eex_args_int_or(&t, "calibration", 1, INT_MAX, e->data.calibration);
    e->data.validation = (int)eex_args_int_or(&t, "validation", 1, INT_MAX, e->data.validation);
    e->data.train = (int)eex_args_int_or(&t, "train", 0, INT_MAX, e->data.train);
    eex__read_augment(&e->training.augment, &t, "augment");
    eex_args_close(&t);
}

/* ---- backbone, saliency, gates ---- */

static void read_backbone(eex_experiment *e, const eex_args *a)
{
    lua_State *L = a->L;
    lua_pushliteral(L, "backbone");
    lua_rawget(L, a->table);
    const eex_graph *g = eex_lua_backbone(L, -1);
    if (!g)
        eex_args_refuse(a, "backbone",
                        "a finished network, such as eex.backbones.mobilenetv2 { ... }");
    /* A copy: the script's network goes with the script. */
    if (eex_graph_with_gates(&e->backbone, g, NULL, 0, EEX_ACT_NONE) < 0)
        eex_lua_raise(L);
    lua_pop(L, 1);
}

static void read_saliency(eex_experiment *e, const eex_args *a)
{
    eex_lua_saliency rule;
    lua_pushliteral(a->L, "saliency");
    lua_rawget(a->L, a->table);
    eex_lua_read_saliency(&rule, a->L, -1, "saliency", e->backbone);
    lua_pop(a->L, 1);
    e->points = rule.points;
    e->probe = rule.probe;
    e->probe_count = rule.probe_count;
}

static void read_gates(eex_experiment *e, const eex_args *a)
{
    static const char *const known[] = {"blocks", "max_exits", "act", NULL};
    static const char *const acts[] = {"none", "relu", "relu6", NULL};
    eex_args t = eex_args_table(a, "gates", true);
    eex_args_known(&t, known);
    if (eex_args_has(&t, "blocks"))
        e->gates.choices = eex_args_ints(&t, "blocks", e->gates.blocks, EEX_MAX_CHOICES, 0, 15);
    e->gates.max_exits =
        (int)eex_args_int_or(&t, "max_exits", 0, EEX_MAX_EXITS - 1, e->gates.max_exits);
    e->gates.act =
        (eex_act)eex_args_choice_or(&t, "act", acts, (int)eex_lua_graph_act(e->backbone));
    eex_args_close(&t);
}

/* ---- policy ---- */

static void read_policy(eex_experiment *e, const eex_args *a)
{
    eex_args t = eex_args_table(a, "policy", true);
    eex__read_policy(&e->policy, &t, "kind");
    eex_args_close(&t);
}

/* ---- recipes ---- */

static void fit_to_epochs(eex_recipe *r)
{
    r->schedule.warmup = fmin(r->schedule.warmup, r->epochs);
    r->alone = r->alone < r->epochs ? r->alone : r->epochs;
}

/* Candidates and the final training are like the training but for what they say themselves. */
static void read_recipes(eex_experiment *e, const eex_args *a)
{
    bool from_base = true;
    eex_args t = eex_args_table(a, "training", true);
    eex__read_recipe(&e->training, &e->training_from_base, &t);
    eex_args_close(&t);

    int epochs = e->candidate.epochs;
    e->candidate = e->training;
    e->candidate.epochs = epochs;
    e->candidate_from_base = e->training_from_base;
    t = eex_args_table(a, "candidate", true);
    eex__read_recipe(&e->candidate, &e->candidate_from_base, &t);
    eex_args_close(&t);
    fit_to_epochs(&e->candidate);

    e->final = e->training;
    e->final.epochs = 0;
    t = eex_args_table(a, "final", true);
    if (eex_args_has(&t, "from"))
        eex_args_refuse(&t, "from", "nothing: it goes on from the chosen network");
    eex__read_recipe(&e->final, &from_base, &t);
    eex_args_close(&t);
    fit_to_epochs(&e->final);
}

/* ---- search ---- */

/* What --set says is the user's own. */
static bool is_set(const eex_lua_experiment_options *options, const char *field)
{
    const size_t length = strlen(field);
    for (size_t i = 0; i < options->sets; i++)
        if (strncmp(options->set[i], field, length) == 0 && options->set[i][length] == '=')
            return true;
    return false;
}

/* The run opens the file by its path from where eex runs, so that is the one that the script must
 * be allowed to read. One that is not there yet is not looked up before the run. */
static void check_latency_table(lua_State *L, const char *path,
                                const eex_lua_experiment_options *options)
{
    char from_here[PATH_MAX], real[PATH_MAX];
    if (!*path || is_set(options, "search.latency_table") || is_set(options, "search") ||
        !realpath(path, from_here))
        return;
    int code = eex__lua_readable(L, real, from_here);
    if (code < 0) {
        eex_fail_in(code, "search.latency_table");
        eex_lua_raise(L);
    }
}

static void read_search(const reading *r, const eex_args *a)
{
    eex_experiment *e = r->e;
    static const char *const known[] = {"algorithm",    "evaluator", "score",         "cost",
                                        "population",   "sample",    "trials",        "weight",
                                        "min_accuracy", "tau",       "latency_table", NULL};
    static const char *const algorithms[] = {"aging", "random", "exhaustive", NULL};
    static const char *const evaluators[] = {"shared", "train", NULL};
    static const char *const scores[] = {"accuracy", "equation1", "weighted", NULL};
    static const char *const costs[] = {"macs", "latency", NULL};
    eex_args t = eex_args_table(a, "search", true);
    eex_args_known(&t, known);
    e->search.algorithm = (eex_algorithm)eex_args_choice_or(&t, "algorithm", algorithms, 0);
    e->search.evaluator = (eex_evaluator_kind)eex_args_choice_or(&t, "evaluator", evaluators, 0);
    e->search.score = (eex_score_kind)eex_args_choice_or(&t, "score", scores, 0);
    e->search.cost = (eex_cost_unit)eex_args_choice_or(&t, "cost", costs, 0);
    e->search.population = (int)eex_args_int_or(&t, "population", 1, INT_MAX, e->search.population);
    e->search.sample = (int)eex_args_int_or(
        &t, "sample", 1, INT_MAX,
        e->search.sample < e->search.population ? e->search.sample : e->search.population);
    e->search.trials = (int)eex_args_int_or(&t, "trials", 1, INT_MAX, e->search.trials);
    e->search.weight = eex_args_number_or(&t, "weight", 0, INFINITY, e->search.weight);
    if (!is_false(&t, "min_accuracy"))
        e->search.min_accuracy =
            eex_args_number_or(&t, "min_accuracy", 0, 1, e->search.min_accuracy);
    e->search.tau = (int)eex_args_int_or(&t, "tau", 0, INT_MAX, e->search.tau);
    snprintf(e->search.latency_table, sizeof e->search.latency_table, "%s",
             eex_args_text_or(&t, "latency_table", sizeof e->search.latency_table - 1, ""));
    check_latency_table(a->L, e->search.latency_table, r->options);
    eex_args_close(&t);
}

/* ---- all of it ---- */

/* Under protection, with the script's value at index 2. */
static int read_table(lua_State *L)
{
    static const char *const known[] = {
        "name",     "seed",          "dataset", "backbone",  "saliency", "gates",     "policy",
        "training", "deterministic", "search",  "candidate", "final",    "precision", NULL};
    reading *r = lua_touserdata(L, 1);
    eex_experiment *e = r->e;
    eex_args a = eex_args_open(L, 2, "", false);
    for (size_t i = 0; i < r->options->sets; i++)
        eex__experiment_set(L, 2, r->options->set[i]);
    eex_args_known(&a, known);
    e->deterministic = eex_args_flag_or(&a, "deterministic", false);
    e->precision = eex__read_precision(&a, false, e->precision);
    read_name(e, &a, r->path);
    read_dataset(e, &a);
    read_backbone(e, &a);
    read_saliency(e, &a);
    read_gates(e, &a);
    read_policy(e, &a);
    read_recipes(e, &a);
    read_search(r, &a);
    return 0;
}

/* The script and what was set from outside, as it is stored with the run. */
static int keep_source(eex_experiment *e, const char *path,
                       const eex_lua_experiment_options *options)
{
    char *text = NULL;
    eex_buffer b = EEX_BUFFER_INIT;
    EEX_TRY(eex_fs_read(&text, NULL, path, MAX_SCRIPT));
    eex_buffer_puts(&b, text);
    free(text);
    for (size_t i = 0; i < options->sets; i++)
        eex_buffer_printf(&b, "\n-- --set %s", options->set[i]);
    return eex_buffer_take(&e->source, &b);
}

static int read_file(eex_experiment *e, lua_State *L, const char *path,
                     const eex_lua_experiment_options *options)
{
    reading r = {e, path, options};
    EEX_TRY(eex_lua_run_file(L, path));
    lua_pushcfunction(L, read_table);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, &r);
    lua_insert(L, -2);
    int code = eex_lua_call(L, 2, 0);
    return code < 0 ? eex_fail_in(code, "%s", path) : EEX_OK;
}

static int load(eex_experiment *e, const char *path, const eex_lua_experiment_options *options)
{
    const eex_lua_options lua = {.trust = options->trust};
    lua_State *L = NULL;
    EEX_TRY(eex_lua_open_for(&L, path, &lua));
    int code = read_file(e, L, path, options);
    eex_lua_close(L);
    EEX_TRY(code);
    EEX_TRY(keep_source(e, path, options));
    code = eex_experiment_check(e);
    return code < 0 ? eex_fail_in(code, "%s", path) : EEX_OK;
}

int eex_lua_experiment(eex_experiment **out, const char *path,
                       const eex_lua_experiment_options *options)
{
    *out = NULL;
    eex_experiment *e = eex_experiment_new();
    if (!e)
        return EEX_ENOMEM;
    int code = load(e, path, options);
    if (code != EEX_OK) {
        eex_experiment_free(e);
        return code;
    }
    *out = e;
    return EEX_OK;
}
