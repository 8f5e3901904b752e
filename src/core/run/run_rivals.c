/* rivals.h5: static networks, trained by themselves for as long as the network with exits, on the
 * test split. Each has its model file, so an interruption costs no more than elsewhere; one that
 * diverges has a reason instead. */
#include "core/graph/cost.h"
#include "core/run/experiment_impl.h"
#include "core/run/rivals.h"
#include "core/run/run_init.h"
#include "core/run/run_scored.h"
#include "core/train/kept.h"

#include "base/log.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char checkpoint[] = "rivals-checkpoint.h5";

typedef struct rivals {
    eex_run *run;
    eex_recipe recipe;
    eex_graph *chosen; /* whose exits say where the cuts are */
    eex_rivals found;
} rivals;

/* One of them while it is made. */
typedef struct making {
    eex_rival *rival;
    size_t number;                /* from 0 */
    const eex_graph *graph;       /* borrowed */
    bool init;                    /* its parameters may have their values from training.init */
    char file[EEX_RIVAL_FILE];    /* its model file */
    char subject[EEX_SHA256_HEX]; /* what is in that, all that tells it from another network */
} making;

/* As the network with exits is trained, but without exits. */
static eex_recipe recipe_of(const eex_experiment *e)
{
    eex_recipe recipe = e->training;
    recipe.regime = EEX_REGIME_JOINT;
    recipe.cache_features = false;
    recipe.epochs = e->rivals.epochs ? e->rivals.epochs : eex_experiment_epochs(e);
    recipe.schedule.warmup = fmin(recipe.schedule.warmup, recipe.epochs);
    if (e->rivals.lr > 0)
        recipe.lr = e->rivals.lr;
    return recipe;
}

/* ---- its file ---- */

static uint64_t seed_of(const rivals *r, const making *m)
{
    return eex__run_seed(r->run, EEX_STREAM_RIVAL, m->number);
}

/* Structure and recipe, and what it began with. Not the device: a run may have moved since. */
static int name_subject(making *m, const rivals *r)
{
    const eex_index *train = &r->run->split.train;
    eex_buffer of = EEX_BUFFER_INIT;
    eex_buffer_printf(&of, "rival, %s:", m->rival->name);
    eex__describe_network(&of, m->graph);
    eex_buffer_putc(&of, '\n');
    eex_training_print(&of, &r->recipe, train->at, train->count, seed_of(r, m));
    int code = m->init ? eex__run_init_entry(&of, r->run) : EEX_OK;
    if (code == EEX_OK)
        code = eex_buffer_status(&of);
    if (code == EEX_OK)
        eex_sha256_hex(m->subject, of.data, of.size);
    eex_buffer_free(&of);
    return code;
}

typedef struct network {
    const rivals *r;
    const making *m;
    eex_params *params;
    const eex__history *history; /* NULL: it is read */
} network;

static int save_network(eex_store_file *file, const void *context)
{
    const network *n = context;
    EEX_TRY(eex__run_put_weights(file, n->r->run, n->params, n->history));
    return eex_store_set_string(file, "", "subject", n->m->subject);
}

static int load_network(eex_store_file *file, void *context)
{
    const network *n = context;
    const int says = eex_store_has_attribute(file, "", "subject");
    char *was = NULL;
    EEX_TRY(says);
    if (says)
        EEX_TRY(eex_store_get_string(&was, file, "", "subject"));
    const bool ours = was && strcmp(was, n->m->subject) == 0;
    free(was);
    if (!ours)
        return eex_fail(EEX_EFORMAT,
                        "%s has another network or training in it: expected \"%s\" of this run; "
                        "move the file away, and run the experiment again, which trains it",
                        eex_store_path(file), n->m->rival->name);
    return eex_params_load(n->params, file, "params");
}

/* ---- training ---- */

static int train(const rivals *r, const making *m, eex_params *params)
{
    const eex__training training = {.title = m->rival->name,
                                    .checkpoint = checkpoint,
                                    .recipe = &r->recipe,
                                    .rates = "rivals.lr",
                                    .seed = seed_of(r, m),
                                    .subject = m->number,
                                    .samples = r->run->split.train.at,
                                    .count = r->run->split.train.count,
                                    .validation = &r->run->split.validation};
    eex__history history = {0};
    const network n = {r, m, params, &history};
    eex_log_info("training a rival, %s: %d epoch%s", m->rival->name, r->recipe.epochs,
                 eex_plural(r->recipe.epochs));
    int code = m->init ? eex__run_init(params, r->run) : EEX_OK;
    if (code == EEX_OK)
        code = eex__run_train(r->run, params, &training, &history);
    if (code == EEX_OK)
        code = eex__run_write(r->run, m->file, save_network, &n);
    m->rival->seconds = history.seconds;
    eex__history_free(&history);
    return code;
}

static int use_seconds(eex_store_file *file, void *context)
{
    return eex_store_get_double(context, file, "history", "seconds");
}

/* ---- figures ---- */

static int validate(const rivals *r, const making *m, eex_params *params)
{
    eex_trace *trace = NULL;
    EEX_TRY(eex__run_trace(&trace, r->run, m->graph, params, NULL, &r->run->split.validation));
    m->rival->validation_accuracy = eex_trace_accuracy(trace, 0);
    eex_trace_free(trace);
    return EEX_OK;
}

static int score(const rivals *r, const making *m, eex_params *params)
{
    eex__scored scored = {.graph = m->graph, .params = params};
    eex__tally tally;
    int code = eex__score_test(&scored, r->run);
    if (code == EEX_OK) {
        eex__scored_count(&tally, r->run, &scored);
        m->rival->accuracy = tally.accuracy;
    }
    free(scored.results);
    return code;
}

static int weigh(const rivals *r, const making *m, eex_params *params)
{
    EEX_TRY(eex__run_read(r->run, m->file, use_seconds, &m->rival->seconds));
    EEX_TRY(validate(r, m, params));
    return score(r, m, params);
}

/* One that diverges is no failure of the run, whose other networks are worth what they are. */
static int settle(const making *m, int code)
{
    eex_rival *x = m->rival;
    if (code != EEX_EDIVERGED)
        return code < 0 ? eex_fail_in(code, "rival, %s", x->name) : code;
    x->accuracy = x->validation_accuracy = NAN;
    eex_text_clip(x->failure, sizeof x->failure, eex_error());
    eex_log_warn("the run goes on without a rival, %s: %s", x->name, eex_error());
    return EEX_OK;
}

static int make(const rivals *r, const making *m)
{
    eex_params *params = NULL;
    m->rival->epochs = r->recipe.epochs;
    m->rival->macs = (double)eex_cost_cumulative(m->graph, 0, EEX_MACS);
    EEX_TRY(eex_params_new(&params, r->run->device, m->graph, r->run->e->seed));
    network n = {.r = r, .m = m, .params = params};
    int code = eex__run_has(r->run, m->file) ? eex__run_read(r->run, m->file, load_network, &n)
                                             : train(r, m, params);
    if (code == EEX_OK)
        code = weigh(r, m, params);
    eex_params_free(params);
    return settle(m, code);
}

/* ---- which they are ---- */

static int add(rivals *r, const eex_graph *graph, bool init, const char *name)
{
    const size_t number = r->found.count++;
    making m = {.rival = &r->found.at[number], .number = number, .graph = graph, .init = init};
    snprintf(m.rival->name, sizeof m.rival->name, "%s", name);
    eex_rival_file(m.file, number);
    EEX_TRY(name_subject(&m, r));
    return make(r, &m);
}

static int add_cuts(rivals *r)
{
    for (int k = 0; k + 1 < eex_graph_exits(r->chosen); k++) {
        char name[EEX_NAME_MAX];
        eex_graph *cut = NULL;
        snprintf(name, sizeof name, "cut after exit %d", k + 1);
        EEX_TRY(eex_graph_select(&cut, r->chosen, &k, 1));
        int code = add(r, cut, true, name);
        eex_graph_free(cut);
        EEX_TRY(code);
    }
    return EEX_OK;
}

static int save(eex_store_file *file, const void *context)
{
    return eex_rivals_save(context, file);
}

static int work(rivals *r)
{
    const eex_experiment *e = r->run->e;
    int genome[EEX_MAX_GENES];
    uint64_t trial = 0;
    EEX_TRY(eex__run_chosen(genome, r->run, &trial));
    EEX_TRY(eex_structures_graph(&r->chosen, r->run->structures, genome));
    r->recipe = recipe_of(e);
    r->found.at = calloc((size_t)eex_graph_exits(r->chosen) + 2, sizeof *r->found.at);
    if (!r->found.at)
        return eex_fail(EEX_ENOMEM, "out of memory for rivals");
    if (e->rivals.base)
        EEX_TRY(add(r, e->backbone, true, "base"));
    if (e->rivals.cuts)
        EEX_TRY(add_cuts(r));
    if (e->rivals.narrower)
        EEX_TRY(add(r, e->rivals.narrower, false, "narrower"));
    return eex__run_write(r->run, "rivals.h5", save, &r->found);
}

int eex__run_rivals(eex_run *run)
{
    rivals r = {.run = run};
    int code = EEX_OK;
    if (!eex__run_has(run, "rivals.h5")) {
        code = work(&r);
        eex_graph_free(r.chosen);
        eex_rivals_free(&r.found);
    }
    return code == EEX_OK ? eex__run_remove(run, checkpoint) : code;
}
