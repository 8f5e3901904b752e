/* An experiment as text: what tells one run from another. */
#include "core/run/experiment.h"

#include "base/buffer.h"
#include "base/sha256.h"

#include <stddef.h>

static const char *pick(const char *const *names, int count, int i)
{
    return i >= 0 && i < count ? names[i] : "?";
}

#define NAMES(function, type, ...)                                             \
    const char *function(type value)                                           \
    {                                                                          \
        static const char *const names[] = {__VA_ARGS__};                      \
        return pick(names, (int)(sizeof names / sizeof names[0]), (int)value); \
    }

NAMES(eex_evaluator_name, eex_evaluator_kind, "shared", "train")
NAMES(eex_score_name, eex_score_kind, "accuracy", "equation1", "weighted")
NAMES(eex_cost_unit_name, eex_cost_unit, "macs", "latency")
NAMES(eex_tune_name, eex_tune, "none", "accuracy", "macs", "weighted")
NAMES(eex_regime_name, eex_regime, "joint", "interleaved", "frozen", "distill", "mixed")
NAMES(eex_schedule_name, eex_schedule_kind, "constant", "cosine", "step", "one_cycle")
NAMES(eex_optimizer_name, eex_optimizer_kind, "sgd", "adamw")

static void line(eex_buffer *out, const char *where, const char *field, double value)
{
    eex_buffer_printf(out, "%s%s = %.9g\n", where, field, value);
}

static void text_graph(eex_buffer *out, const eex_graph *g)
{
    eex_buffer nodes = EEX_BUFFER_INIT;
    for (int i = 0; i < eex_graph_nodes(g); i++) {
        const eex_node *n = eex_graph_node(g, i);
        const eex_window *w = &n->window;
        eex_buffer_printf(&nodes, "%s %s %d %d %dx%dx%d %d %d %d %d %d %d %d %d %g %g %g %g\n",
                          eex_node_kind_name(n->kind), n->name, n->inputs[0], n->inputs[1], n->h,
                          n->w, n->c, w->cin, w->cout, w->kernel, w->stride, w->pad, w->groups,
                          n->bias, (int)n->act, (double)n->dropout, (double)n->init_std,
                          (double)n->bn_eps, (double)n->bn_momentum);
    }
    char digest[EEX_SHA256_HEX];
    const char *text = eex_buffer_text(&nodes);
    eex_sha256_hex(digest, text, nodes.size);
    if (nodes.failed)
        out->failed = true;
    const eex_node *input = eex_graph_node(g, 0);
    eex_buffer_printf(out, "backbone = %s for %dx%dx%d, %d classes, %d nodes, %.16s\n",
                      eex_graph_name(g), input->h, input->w, input->c, eex_graph_classes(g),
                      eex_graph_nodes(g), digest);
    eex_buffer_free(&nodes);
}

static void text_points(eex_buffer *out, const eex_experiment *e)
{
    eex_buffer_puts(out, "saliency =");
    for (int i = 0; i < e->points.count; i++)
        eex_buffer_printf(out, " %d", e->points.nodes[i]);
    if (e->probe)
        eex_buffer_printf(out, ", the %d best by probe", e->probe_count);
    eex_buffer_puts(out, "\ngates.blocks =");
    for (int i = 0; i < e->gates.choices; i++)
        eex_buffer_printf(out, " %d", e->gates.blocks[i]);
    eex_buffer_printf(out, "\ngates.act = %s\ngates.max_exits = %d\n", eex_act_name(e->gates.act),
                      e->gates.max_exits);
}

static void text_schedule(eex_buffer *out, const char *where, const eex_schedule *s)
{
    eex_buffer_printf(out, "%sschedule.kind = %s\n", where, eex_schedule_name(s->kind));
    line(out, where, "schedule.warmup", s->warmup);
    line(out, where, "schedule.final", s->final);
    line(out, where, "schedule.gamma", s->gamma);
    eex_buffer_printf(out, "%sschedule.milestones =", where);
    for (int i = 0; i < s->milestones; i++)
        eex_buffer_printf(out, " %d", s->milestone[i]);
    eex_buffer_putc(out, '\n');
}

static void text_optimizer(eex_buffer *out, const char *where, const eex_optimizer *o)
{
    eex_buffer_printf(out, "%soptimizer.kind = %s\n", where, eex_optimizer_name(o->kind));
    line(out, where, "optimizer.momentum", o->momentum);
    line(out, where, "optimizer.beta1", o->beta1);
    line(out, where, "optimizer.beta2", o->beta2);
    line(out, where, "optimizer.eps", o->eps);
    line(out, where, "optimizer.weight_decay", o->weight_decay);
    line(out, where, "optimizer.nesterov", o->nesterov);
    line(out, where, "clip", o->clip);
    line(out, where, "ema", o->ema);
}

static void text_recipe(eex_buffer *out, const char *where, const eex_recipe *r, bool from_base)
{
    eex_buffer_printf(out, "%sregime = %s\n", where, eex_regime_name(r->regime));
    eex_buffer_printf(out, "%sfrom = %s\n", where, from_base ? "base" : "scratch");
    eex_buffer_printf(out, "%sprecision = %s\n", where, eex_precision_name(r->precision));
    line(out, where, "epochs", r->epochs);
    line(out, where, "batch", r->batch);
    line(out, where, "lr", r->lr);
    text_schedule(out, where, &r->schedule);
    text_optimizer(out, where, &r->optimizer);
    line(out, where, "label_smoothing", r->smoothing);
    line(out, where, "l1", r->l1);
    line(out, where, "distill.weight", r->distill);
    line(out, where, "distill.temperature", r->distill_t);
    line(out, where, "gate_weight", r->gate_weight);
    line(out, where, "alone", r->alone);
    line(out, where, "cache_features", r->cache_features);
    line(out, where, "augment", r->augment.enabled);
    line(out, where, "augment.crop", r->augment.crop_pad);
    line(out, where, "augment.flip", r->augment.flip);
    line(out, where, "augment.cutout", r->augment.cutout);
    line(out, where, "augment.jitter", r->augment.jitter);
}

static void text_policy(eex_buffer *out, const eex_experiment *e)
{
    const eex_calibration *p = &e->policy;
    eex_buffer_printf(out, "policy.kind = %s\n", eex_policy_kind_name(p->kind));
    line(out, "policy.", "temperature", p->temperature);
    line(out, "policy.", "a", p->a);
    line(out, "policy.", "b", p->b);
    eex_buffer_printf(out, "policy.by = %s\n", p->by_label ? "label" : "prediction");
    eex_buffer_printf(out, "policy.tune = %s\n", eex_tune_name(p->tune));
    line(out, "policy.", "target", p->target);
    if (p->reject > 0) /* runs from before there was such a field stay what they are */
        line(out, "policy.", "reject", p->reject);
}

static void text_search(eex_buffer *out, const eex_experiment *e)
{
    eex_buffer_printf(out, "search.algorithm = %s\n", eex_algorithm_name(e->search.algorithm));
    eex_buffer_printf(out, "search.evaluator = %s\n", eex_evaluator_name(e->search.evaluator));
    eex_buffer_printf(out, "search.score = %s\n", eex_score_name(e->search.score));
    eex_buffer_printf(out, "search.cost = %s\n", eex_cost_unit_name(e->search.cost));
    line(out, "search.", "population", e->search.population);
    line(out, "search.", "sample", e->search.sample);
    line(out, "search.", "trials", e->search.trials);
    line(out, "search.", "weight", e->search.weight);
    line(out, "search.", "min_accuracy", e->search.min_accuracy);
    line(out, "search.", "tau", e->search.tau);
    if (*e->search.latency_table) /* runs from before there were tables have no such line */
        eex_buffer_printf(out, "search.latency_table = %s\n", e->search.latency_table);
}

int eex_experiment_text(char **out, const eex_experiment *e)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_buffer_printf(&text, "name = %s\nseed = %llu\ndataset.name = %s\n", e->name,
                      (unsigned long long)e->seed, e->data.name);
    line(&text, "", "deterministic", e->deterministic);
    if (e->precision != EEX_F32) /* runs from before there was a choice have no such line */
        eex_buffer_printf(&text, "precision = %s\n", eex_precision_name(e->precision));
    line(&text, "dataset.", "calibration", e->data.calibration);
    line(&text, "dataset.", "validation", e->data.validation);
    line(&text, "dataset.", "train", e->data.train);
    text_graph(&text, e->backbone);
    text_points(&text, e);
    text_recipe(&text, "training.", &e->training, e->training_from_base);
    text_recipe(&text, "candidate.", &e->candidate, e->candidate_from_base);
    text_recipe(&text, "final.", &e->final, true);
    text_policy(&text, e);
    text_search(&text, e);
    return eex_buffer_take(out, &text);
}
