/* What an exit says, and what the policy decides about it. */
#include "core/exchange/onnx_impl.h"

#include <math.h>
#include <stdio.h>

const char *eex__onnx_at(eex__onnx_name out, int k, const char *what)
{
    snprintf(out, EEX__ONNX_NAME, "/exit%d/%s", k + 1, what);
    return out;
}

/* An exit's nodes read and make values of its own, called by their last part; names that begin
 * with "/" are others'. */
static const char *name_of(eex__onnx_name out, int k, const char *what)
{
    if (!what || *what == '/')
        return what;
    return eex__onnx_at(out, k, what);
}

static size_t open_node(eex__onnx *o, int k, const char *op, const char *y, const char *a,
                        const char *b)
{
    eex__onnx_name names[3];
    const char *const inputs[] = {name_of(names[0], k, a), name_of(names[1], k, b), NULL};
    return eex__onnx_open(o, op, eex__onnx_at(names[2], k, y), inputs);
}

static void put(eex__onnx *o, int k, const char *op, const char *y, const char *a, const char *b)
{
    eex__onnx_close(o, open_node(o, k, op, y, a, b));
}

/* Along the classes; with `drop` their dimension is gone. */
static void put_along(eex__onnx *o, int k, const char *op, const char *y, const char *a, bool drop)
{
    const size_t node = open_node(o, k, op, y, a, NULL);
    eex__onnx_int(o, "axis", 1);
    if (drop)
        eex__onnx_int(o, "keepdims", 0);
    eex__onnx_close(o, node);
}

static void put_max(eex__onnx *o, int k, const char *y, const char *a)
{
    static const int64_t axes[1] = {1};
    const size_t node = open_node(o, k, "ReduceMax", y, a, NULL);
    eex__onnx_ints(o, "axes", axes, 1);
    eex__onnx_int(o, "keepdims", 0);
    eex__onnx_close(o, node);
}

static void put_sum(eex__onnx *o, int k, const char *y, const char *a)
{
    const size_t node = open_node(o, k, "ReduceSum", y, a, eex__onnx_shared(o, EEX__ONNX_AXIS));
    eex__onnx_int(o, "keepdims", 0);
    eex__onnx_close(o, node);
}

static void constant(eex__onnx *o, int k, const char *what, const float *values, int count)
{
    const int64_t shape[1] = {count};
    eex__onnx_name name;
    eex__onnx_floats(o, eex__onnx_at(name, k, what), values, shape, 1);
}

/* ---- scores ---- */

void eex__onnx_scores(eex__onnx *o, int k)
{
    const eex_policy *p = o->layers->model->policy;
    const float cold = 1 / (p ? p->temperature[k] : 1);
    put_along(o, k, "ArgMax", "class", "logits", true);
    constant(o, k, "cold", &cold, 1);
    put(o, k, "Mul", "cooled", "logits", "cold");
    put_along(o, k, "Softmax", "probabilities", "cooled", false);
    put_max(o, k, "confidence", "probabilities");
}

/* The first probability less the second. */
static void put_margin(eex__onnx *o, int k)
{
    eex__onnx_name name;
    const size_t node =
        open_node(o, k, "TopK", "both", "probabilities", eex__onnx_shared(o, EEX__ONNX_PAIR));
    eex__onnx_output(o, eex__onnx_at(name, k, "whose"));
    eex__onnx_int(o, "axis", 1);
    eex__onnx_close(o, node);
    put(o, k, "Mul", "opposed", "both", eex__onnx_shared(o, EEX__ONNX_DIFFERENCE));
    put_sum(o, k, "margin", "opposed");
}

/* Minus the entropy, sum p log p. */
static void put_order(eex__onnx *o, int k)
{
    put_along(o, k, "LogSoftmax", "logarithms", "cooled", false);
    put(o, k, "Mul", "parts", "probabilities", "logarithms");
    put_sum(o, k, "order", "parts");
}

/* The score that the policy compares: its name. */
static const char *put_score(eex__onnx *o, int k)
{
    switch (eex_policy_compares(o->layers->model->policy->kind)) {
    case EEX_MEASURE_MARGIN:
        put_margin(o, k);
        return "margin";
    case EEX_MEASURE_ENTROPY:
        put_order(o, k);
        return "order";
    default:
        return "confidence";
    }
}

/* ---- distances: familiar.h ---- */

/* The largest float that is not above: what is compared is a float. */
static float not_above(double x)
{
    const float f = (float)x;
    return (double)f > x ? nextafterf(f, -INFINITY) : f;
}

static void put_far(eex__onnx *o, int k)
{
    const eex_familiar *f = o->layers->model->familiar;
    const int c = f->channels[k];
    const int64_t shape[2] = {c, c};
    const float share = 1 / (float)c, far = not_above(o->layers->model->policy->far[k]);
    eex__onnx_name point, factor;
    snprintf(point, sizeof point, "%s", eex__onnx_as_map(o, eex__layers_point(o->layers, k)));
    constant(o, k, "centre", f->center[k], c);
    constant(o, k, "share", &share, 1);
    constant(o, k, "far", &far, 1);
    eex__onnx_floats(o, eex__onnx_at(factor, k, "factor"), f->factor[k], shape, 2);
    put(o, k, "GlobalAveragePool", "seen", point, NULL);
    put(o, k, "Flatten", "mean", "seen", NULL);
    put(o, k, "Sub", "off", "mean", "centre");
    put(o, k, "MatMul", "white", "off", "factor");
    put(o, k, "Mul", "squares", "white", "white");
    put_sum(o, k, "length", "squares");
    put(o, k, "Mul", "distance", "length", "share");
    put(o, k, "LessOrEqual", "near", "distance", "far");
}

static bool rejects_by_distance(const eex_model *m, int k)
{
    return m->policy->far[k] < (double)INFINITY && m->familiar && m->familiar->channels[k] > 0;
}

static bool rejects_by_score(const eex_policy *p, int k)
{
    for (int c = 0; c < p->classes; c++)
        if (p->low[k * p->classes + c] > -INFINITY)
            return true;
    return false;
}

/* ---- decisions: device/decide.h ---- */

/* A threshold of each image's class, and how the score compares with it. */
static void compare(eex__onnx *o, int k, const char *op, const char *y, const char *score,
                    const char *names[2], const float *thresholds)
{
    const int classes = o->layers->model->policy->classes;
    constant(o, k, names[0], thresholds + (size_t)k * (size_t)classes, classes);
    put(o, k, "Gather", names[1], names[0], "class");
    put(o, k, op, y, score, names[1]);
}

/* The value that says what is rejected; NULL: nothing is. `score` is there if it counts. */
static const char *put_refused(eex__onnx *o, int k, const char *score)
{
    const eex_model *m = o->layers->model;
    const bool by_score = rejects_by_score(m->policy, k), by_distance = rejects_by_distance(m, k);
    if (by_score)
        compare(o, k, "Less", "strange", score, (const char *[]){"low", "least"}, o->layers->low);
    if (!by_distance)
        return by_score ? "strange" : NULL;
    put_far(o, k);
    put(o, k, "Not", "away", "near", NULL);
    if (!by_score)
        return "away";
    put(o, k, "Or", "refused", "strange", "away");
    return "refused";
}

/* The value that says what is sure enough: at the last exit everything is. */
static const char *put_reached(eex__onnx *o, int k, const char *score)
{
    const eex_policy *p = o->layers->model->policy;
    if (k < p->exits - 1)
        compare(o, k, "GreaterOrEqual", "reached", score, (const char *[]){"high", "wanted"},
                o->layers->high);
    else
        put(o, k, "Equal", "reached", "class", "class");
    return "reached";
}

void eex__onnx_decision(eex__onnx *o, int k)
{
    const eex_policy *p = o->layers->model->policy;
    const bool last = k == p->exits - 1;
    const char *score = last && !rejects_by_score(p, k) ? NULL : put_score(o, k);
    const char *refused = put_refused(o, k, score), *reached = put_reached(o, k, score);
    if (refused) {
        put(o, k, "Not", "welcome", refused, NULL);
        put(o, k, "And", "accepted", reached, "welcome");
    } else {
        put(o, k, "Identity", "accepted", reached, NULL);
    }
    if (!last && refused)
        put(o, k, "Or", "leaves", reached, refused);
    else if (!last)
        put(o, k, "Identity", "leaves", reached, NULL);
}
