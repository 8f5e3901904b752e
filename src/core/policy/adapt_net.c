/* The regressors: two fully connected layers, fitted to a handful of points by Adam (Kingma and Ba
 * 2015), all of them a step. */
#include "core/policy/adapt_impl.h"

#include "base/rng.h"

#include <math.h>

enum { HIDDEN = EEX_ADAPT_HIDDEN, STEPS = 3000, SEED = 1 };

static const double rate = 0.02;

static double input_of(const eex__regressor *r, double bits)
{
    const double t = log(bits / r->first) / log(r->last / r->first);
    return t < 0 ? 0 : t > 1 ? 1 : t;
}

static void forward(double *hidden, double *y, const double *weight, double t, int outputs)
{
    for (int j = 0; j < HIDDEN; j++)
        hidden[j] = tanh(weight[j] * t + weight[HIDDEN + j]);
    weight += 2 * HIDDEN;
    for (int o = 0; o < outputs; o++, weight += HIDDEN + 1) {
        y[o] = weight[HIDDEN];
        for (int j = 0; j < HIDDEN; j++)
            y[o] += weight[j] * hidden[j];
    }
}

/* Adds the gradient of half the squared error at one point. */
static void backward(double *grad, const double *weight, const double *hidden, const double *error,
                     double t, int outputs)
{
    for (int j = 0; j < HIDDEN; j++) {
        double back = 0;
        for (int o = 0; o < outputs; o++) {
            const int at = 2 * HIDDEN + o * (HIDDEN + 1);
            back += error[o] * weight[at + j];
            grad[at + j] += error[o] * hidden[j];
        }
        back *= 1 - hidden[j] * hidden[j];
        grad[j] += back * t;
        grad[HIDDEN + j] += back;
    }
    for (int o = 0; o < outputs; o++)
        grad[2 * HIDDEN + o * (HIDDEN + 1) + HIDDEN] += error[o];
}

static void step(double *weight, double *m, double *v, const double *grad, int count, int at)
{
    const double lr = rate * sqrt(1 - pow(0.999, at)) / (1 - pow(0.9, at));
    for (int i = 0; i < count; i++) {
        m[i] = 0.9 * m[i] + 0.1 * grad[i];
        v[i] = 0.999 * v[i] + 0.001 * grad[i] * grad[i];
        weight[i] -= lr * m[i] / (sqrt(v[i]) + 1e-8);
    }
}

static void start(eex__regressor *r, const eex_interval *interval, const double *target,
                  int outputs)
{
    eex_rng rng;
    eex_rng_seed(&rng, SEED, 0);
    *r = (eex__regressor){.first = interval->bits[0], .last = interval->bits[interval->count - 1]};
    for (int j = 0; j < 2 * HIDDEN; j++)
        r->weight[j] = 2 * eex_rng_normal(&rng);
    for (int o = 0; o < outputs; o++) {
        r->low[o] = INFINITY;
        r->high[o] = -INFINITY;
        for (int i = 0; i < interval->count; i++) {
            r->low[o] = fmin(r->low[o], target[i * outputs + o]);
            r->high[o] = fmax(r->high[o], target[i * outputs + o]);
        }
    }
}

void eex__regressor_fit(eex__regressor *r, const eex_interval *interval, const double *target,
                        int outputs)
{
    const int count = 2 * HIDDEN + outputs * (HIDDEN + 1);
    double m[EEX__ADAPT_WEIGHTS] = {0}, v[EEX__ADAPT_WEIGHTS] = {0};
    start(r, interval, target, outputs);
    for (int at = 1; at <= STEPS; at++) {
        double grad[EEX__ADAPT_WEIGHTS] = {0}, hidden[HIDDEN], y[EEX__ADAPT_OUTPUTS];
        for (int i = 0; i < interval->count; i++) {
            const double t = input_of(r, interval->bits[i]);
            forward(hidden, y, r->weight, t, outputs);
            for (int o = 0; o < outputs; o++) {
                const double range = r->high[o] - r->low[o];
                const double want = range > 0 ? (target[i * outputs + o] - r->low[o]) / range : 0;
                y[o] = (y[o] - want) / interval->count;
            }
            backward(grad, r->weight, hidden, y, t, outputs);
        }
        step(r->weight, m, v, grad, count, at);
    }
}

void eex__regressor_run(double *y, const eex__regressor *r, double bits, int outputs)
{
    double hidden[HIDDEN];
    forward(hidden, y, r->weight, input_of(r, bits), outputs);
    for (int o = 0; o < outputs; o++)
        y[o] = r->low[o] + (r->high[o] - r->low[o]) * fmin(fmax(y[o], 0), 1);
}
