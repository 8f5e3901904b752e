/* Gradients that are left alone, a step of the optimiser by itself, and networks that learn from
 * another one. */
#include "core/plan/plan_impl.h"
#include "core/plan/update.h"
#include "support/devices.h"
#include "support/net.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { COUNT = 6, STEPS = 3 };

static const float ones[EEX_MAX_EXITS] = {1, 1, 1};

static eex_plan_options training(const net *n, eex_optimizer_kind kind)
{
    eex_plan_options o = net_training(COUNT, ones, eex_graph_exits(n->graph));
    o.optimizer = (eex_optimizer){.kind = kind,
                                  .momentum = 0.9F,
                                  .beta1 = 0.9F,
                                  .beta2 = 0.999F,
                                  .eps = 1e-8F,
                                  .weight_decay = 1e-3F,
                                  .clip = 0.5F,
                                  .clip_value = 0.25F,
                                  .ema = 0.9F};
    OK(eex_optimizer_state_new(&o.state, n->params, &o.optimizer));
    return o;
}

static void expect_same(const float *a, const float *b, size_t count, eex_device *dev,
                        const char *what)
{
    float *x = fetch_floats(dev, a, count), *y = fetch_floats(dev, b, count);
    cr_expect_eq(memcmp(x, y, count * sizeof *x), 0, "%s", what);
    free(x);
    free(y);
}

static eex_step step_at(int i)
{
    return (eex_step){.batch = COUNT, .lr = 0.05F, .seed = 9, .epoch = 0, .step = (uint64_t)i + 1};
}

/* Two halves of a step are the step, to the bit. */
static void check_halves(eex_optimizer_kind kind)
{
    net whole = net_open(net_tiny, COUNT, 2), halves = net_open(net_tiny, COUNT, 2);
    eex_plan_options a = training(&whole, kind), b = training(&halves, kind);
    eex_plan *plan, *gradient;
    eex_update *update;
    b.gradient_only = true;
    OK(eex_plan_new(&plan, &a, whole.graph, whole.params));
    OK(eex_plan_new(&gradient, &b, halves.graph, halves.params));
    OK(eex_update_new(&update, &b.optimizer, b.state));
    for (int i = 0; i < STEPS; i++) {
        const eex_step step = step_at(i);
        double norm, same;
        net_feed(&whole, plan, 0, COUNT);
        OK(eex_plan_step(plan, &step));
        net_feed(&halves, gradient, 0, COUNT);
        OK(eex_update_clear(update));
        OK(eex_plan_step(gradient, &step));
        OK(eex_update_run(update, &step));
        OK(eex_plan_grad_norm(plan, &norm));
        OK(eex_update_norm(update, &same));
        cr_expect_eq(norm, same);
        cr_expect_gt(norm, 0.5, "nothing was clipped");
    }
    const eex_params *p = whole.params, *q = halves.params;
    expect_same(p->w, q->w, p->count, whole.dev, "weights");
    expect_same(p->state, q->state, p->state_count, whole.dev, "statistics");
    expect_same(a.state->m, b.state->m, p->count, whole.dev, "moments");
    expect_same(a.state->ema, b.state->ema, p->count, whole.dev, "averages");
    expect_same(a.state->ema_state, b.state->ema_state, p->state_count, whole.dev,
                "averages of statistics");
    eex_update_free(update);
    eex_update_free(NULL);
    eex_plan_free(plan);
    eex_plan_free(gradient);
    eex_optimizer_state_free(a.state);
    eex_optimizer_state_free(b.state);
    net_close(&whole);
    net_close(&halves);
}

Test(update, a_gradient_and_an_update_are_a_step)
{
    check_halves(EEX_SGD);
    check_halves(EEX_ADAMW);
}

/* The gradient that a plan's step leaves, and the optimiser's by itself, with elements clamped. */
static float *left(const eex_optimizer *o, bool halves)
{
    net n = net_open(net_tiny, COUNT, 2);
    eex_plan_options options = net_training(COUNT, ones, eex_graph_exits(n.graph));
    const eex_step step = step_at(0);
    eex_plan *plan;
    eex_update *update;
    options.optimizer = *o;
    options.gradient_only = halves;
    OK(eex_optimizer_state_new(&options.state, n.params, o));
    OK(eex_plan_new(&plan, &options, n.graph, n.params));
    OK(eex_update_new(&update, o, options.state));
    net_feed(&n, plan, 0, COUNT);
    OK(eex_plan_step(plan, &step));
    if (halves)
        OK(eex_update_run(update, &step));
    float *g = fetch_floats(n.dev, options.state->g, n.params->count);
    g = realloc(g, (n.params->count + 1) * sizeof *g);
    cr_assert_not_null(g);
    g[n.params->count] = NAN; /* the end */
    eex_update_free(update);
    eex_plan_free(plan);
    eex_optimizer_state_free(options.state);
    net_close(&n);
    return g;
}

Test(update, elements_are_clamped)
{
    const float most = 0.02F;
    float *free_ones = left(&(eex_optimizer){.kind = EEX_SGD}, false);
    for (int halves = 0; halves < 2; halves++) {
        float *g = left(&(eex_optimizer){.kind = EEX_SGD, .clip_value = most}, halves);
        size_t clamped = 0, kept = 0;
        for (size_t i = 0; !isnan(g[i]); i++) {
            const float want = fmaxf(-most, fminf(most, free_ones[i]));
            cr_assert_eq(g[i], want, "element %zu", i);
            *(want == free_ones[i] ? &kept : &clamped) += 1;
        }
        cr_expect_gt(clamped, 100);
        cr_expect_gt(kept, 100);
        free(g);
    }
    free(free_ones);
}

/* ---- learning from another network ---- */

/* KL of both softmaxes at a temperature, as op.h has it, summed over the batch. */
static double divergence(const float *z, const float *teacher, double t)
{
    double sum = 0;
    for (int n = 0; n < COUNT; n++, z += NET_CLASSES, teacher += NET_CLASSES) {
        double ours = 0, theirs = 0, row = 0;
        for (int j = 0; j < NET_CLASSES; j++) {
            ours += exp(z[j] / t);
            theirs += exp(teacher[j] / t);
        }
        for (int j = 0; j < NET_CLASSES; j++)
            row += exp(teacher[j] / t) / theirs *
                   (teacher[j] / t - log(theirs) - z[j] / t + log(ours));
        sum += t * t * row;
    }
    return sum;
}

static eex_plan_options teaching(const net *n)
{
    eex_plan_options o = training(n, EEX_SGD);
    o.gradient_only = o.keep_logits = true;
    memset(o.weight, 0, sizeof o.weight);
    o.weight[eex_graph_exits(n->graph) - 1] = 1;
    return o;
}

static eex_plan_options listening(const net *n, const eex_plan *teacher, float temperature)
{
    eex_plan_options o = training(n, EEX_SGD);
    o.gradient_only = true;
    o.teacher = eex_plan_kept_logits(teacher);
    o.distill = 1;
    o.distill_t = temperature;
    return o;
}

/* Who says what the teacher says has nothing to learn, whatever the labels are. */
Test(update, a_network_that_agrees_with_its_teacher_rests)
{
    net n = net_open(net_tiny, COUNT, 2);
    const int last = eex_graph_exits(n.graph) - 1;
    eex_plan_options a = teaching(&n), b;
    eex_plan *teacher, *student;
    const eex_step step = step_at(0);
    eex_totals totals;
    OK(eex_plan_new(&teacher, &a, n.graph, n.params));
    b = listening(&n, teacher, 2);
    memset(b.weight, 0, sizeof b.weight);
    b.weight[last] = 1;
    OK(eex_plan_new_beside(&student, &b, n.graph, n.params, teacher));
    cr_expect_eq(student->shared, teacher->shared, "the memory is not shared");
    net_feed(&n, teacher, 0, COUNT);
    OK(eex_plan_step(teacher, &step));
    net_feed(&n, student, 0, COUNT);
    OK(eex_plan_step(student, &step));
    OK(eex_plan_totals(student, last, &totals));
    cr_expect_float_eq(totals.loss, 0, 1e-6, "%g", totals.loss);
    float *taught = fetch_floats(n.dev, b.state->g, n.params->count);
    float *labelled = fetch_floats(n.dev, a.state->g, n.params->count);
    double quiet = 0, loud = 0;
    for (size_t i = 0; i < n.params->count; i++) {
        quiet = fmax(quiet, fabs((double)taught[i]));
        loud = fmax(loud, fabs((double)labelled[i]));
    }
    cr_expect_lt(quiet, 1e-5 * loud, "%g beside %g", quiet, loud);
    free(taught);
    free(labelled);
    eex_plan_free(student);
    eex_plan_free(teacher);
    eex_optimizer_state_free(a.state);
    eex_optimizer_state_free(b.state);
    net_close(&n);
}

/* All exits learn from the other network's end. */
Test(update, the_loss_of_a_student_is_how_far_it_is_from_its_teacher)
{
    net a = net_open(net_tiny, COUNT, 2), b = net_open(net_tiny, COUNT, 2);
    eex_plan_options first = teaching(&a), second;
    eex_plan *teacher, *student;
    const eex_step step = step_at(0);
    OK(eex_plan_new(&teacher, &first, a.graph, a.params));
    second = listening(&b, teacher, 3);
    OK(eex_plan_new(&student, &second, b.graph, b.params));
    net_feed(&a, teacher, 0, COUNT);
    OK(eex_plan_step(teacher, &step));
    float *theirs = fetch_floats(a.dev, eex_plan_kept_logits(teacher), COUNT * NET_CLASSES);
    net_feed(&b, student, 0, COUNT);
    for (int i = 0; i < student->loss_op[0]; i++)
        OK(b.dev->vtable->run(b.dev, &student->ops[i], student->states[i], &step));
    for (int k = 0; k < eex_graph_exits(b.graph); k++) {
        float *ours = net_logits(student, k, COUNT);
        eex_totals totals;
        const int i = student->loss_op[k];
        OK(eex_plan_totals_reset(student));
        OK(b.dev->vtable->run(b.dev, &student->ops[i], student->states[i], &step));
        OK(eex_plan_totals(student, k, &totals));
        const double want = divergence(ours, theirs, 3);
        cr_expect_float_eq(totals.loss, want, 1e-4 * (1 + want), "exit %d: %g, not %g", k,
                           totals.loss, want);
        free(ours);
    }
    free(theirs);
    eex_plan_free(student);
    eex_plan_free(teacher);
    eex_optimizer_state_free(first.state);
    eex_optimizer_state_free(second.state);
    net_close(&a);
    net_close(&b);
}
