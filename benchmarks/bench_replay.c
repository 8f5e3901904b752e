/* How many candidate structures a second the shared evaluator's parts judge, in seconds of one
 * core.
 *
 *     bench_replay [SAMPLES [EXITS]]
 *
 * The trace is synthetic: exits that get better, samples of graded difficulty. Scores are made up
 * from the logits here; the time of scoring them on a device is not part of this. */
#include "core/graph/graph.h"
#include "core/run/evaluate.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CLASSES = 10, STRUCTURES = 4096 };

/* One sample at one exit: class and softmax scores of random logits. */
static void fake_sample(eex_trace *t, size_t at, int label, int decoy, double strength,
                        eex_rng *rng)
{
    double z[CLASSES], sum = 0, top = -1, next = -1;
    for (int c = 0; c < CLASSES; c++) {
        double signal = c == label ? strength : c == decoy ? 1.2 : 0;
        z[c] = exp((signal + eex_rng_normal(rng)) / t->temperature[at / (size_t)t->samples]);
        sum += z[c];
    }
    for (int c = 0; c < CLASSES; c++) {
        double p = z[c] / sum;
        t->entropy[at] -= (float)(p * log(p));
        if (p > top) {
            next = top;
            top = p;
            t->top[at] = c;
        } else if (p > next) {
            next = p;
        }
    }
    t->confidence[at] = (float)top;
    t->margin[at] = (float)(top - next);
}

static int fake_trace(eex_trace **out, int samples, int exits, uint64_t seed)
{
    eex_rng rng;
    EEX_TRY(eex_trace_new(out, samples, exits, CLASSES));
    eex_rng_seed(&rng, seed, 0);
    for (int i = 0; i < samples; i++) {
        int label = (int)eex_rng_below(&rng, CLASSES), decoy = (int)eex_rng_below(&rng, CLASSES);
        double ease = 3 + 2 * eex_rng_normal(&rng);
        (*out)->labels[i] = label;
        for (int k = 0; k < exits; k++) {
            double strength = ease * (0.6 + 0.8 * (k + 1) / exits) + 0.7 * eex_rng_normal(&rng);
            fake_sample(*out, (size_t)k * (size_t)samples + (size_t)i, label, decoy, strength,
                        &rng);
        }
    }
    return EEX_OK;
}

/* A per-class policy of that trace as published: thresholds at half a deviation. */
static int fake_policy(eex_policy **out, const eex_trace *t)
{
    EEX_TRY(eex_policy_new(out, EEX_POLICY_PER_CLASS, t->exits, t->classes));
    for (int k = 0; k < t->exits; k++) {
        for (int c = 0; c < t->classes; c++) {
            double n = 0, sum = 0, squares = 0;
            for (int i = 0; i < t->samples; i++) {
                size_t at = (size_t)k * (size_t)t->samples + (size_t)i;
                double x = t->top[at] == c ? t->confidence[at] : 0;
                n += t->top[at] == c;
                sum += x;
                squares += x * x;
            }
            double mean = n > 0 ? sum / n : 0;
            (*out)->mean[k * t->classes + c] = mean;
            (*out)->dev[k * t->classes + c] = n > 0 ? sqrt(fmax(squares / n - mean * mean, 0)) : 0;
        }
        (*out)->a[k] = 0.5;
    }
    eex_policy_apply(*out);
    return EEX_OK;
}

typedef struct structure {
    int count, columns[EEX_MAX_EXITS];
    double cost[EEX_MAX_EXITS];
} structure;

static void structures_draw(structure *s, int exits)
{
    eex_rng rng;
    eex_rng_seed(&rng, 3, 0);
    for (int i = 0; i < STRUCTURES; i++) {
        double gates = 0;
        s[i].count = 0;
        for (int k = 0; k < exits; k++)
            if (k == exits - 1 || eex_rng_below(&rng, 2)) {
                gates += k == exits - 1 ? 0 : 3;
                s[i].cost[s[i].count] = 100.0 * (k + 1) / exits + gates;
                s[i].columns[s[i].count++] = k;
            }
    }
}

/* Of this process: other work on the machine does not count. */
static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void report(const char *what, int count, double time, double accuracy, double cost)
{
    printf("%-34s %10.0f candidates/s   mean accuracy %.4f   mean cost %.2f\n", what, count / time,
           accuracy / count, cost / count);
}

static int bench_fixed(const eex_trace *t, const eex_policy *p, const structure *s)
{
    eex_replayer *r = NULL;
    eex_outcome o;
    double accuracy = 0, cost = 0;
    EEX_TRY(eex_replayer_new(&r, t, p));
    double start = cpu_seconds();
    for (int i = 0; i < STRUCTURES; i++) {
        eex_replayer_run(&o, r, s[i].columns, s[i].count, s[i].cost);
        accuracy += o.accuracy;
        cost += o.cost;
    }
    report("fixed thresholds", STRUCTURES, cpu_seconds() - start, accuracy, cost);
    eex_replayer_free(r);
    return EEX_OK;
}

static int bench_tuned(const eex_trace *t, const eex_trace *validation, const eex_policy *p,
                       const structure *s, eex_goal goal, eex_effort effort, int count,
                       const char *what)
{
    eex_tuner *tuner = NULL;
    eex_replayer *r = NULL;
    eex_operating_point point;
    eex_outcome o;
    double accuracy = 0, cost = 0;
    EEX_TRY(eex_tuner_new(&tuner, t, p, NULL));
    int status = eex_replayer_new_tuned(&r, validation, p, tuner);
    double start = cpu_seconds();
    for (int i = 0; i < count && status == EEX_OK; i++) {
        eex_tuner_run(&point, tuner, s[i].columns, s[i].count, s[i].cost, &goal, effort);
        eex_replayer_run_point(&o, r, s[i].columns, &point, s[i].cost);
        accuracy += o.accuracy;
        cost += o.cost;
    }
    if (status == EEX_OK)
        report(what, count, cpu_seconds() - start, accuracy, cost);
    eex_replayer_free(r);
    eex_tuner_free(tuner);
    return status;
}

static int bench(int samples, int exits)
{
    static structure s[STRUCTURES];
    eex_trace *t = NULL, *v = NULL;
    eex_policy *p = NULL;
    const eex_goal weighted = {EEX_TUNE_WEIGHTED, 0.1, 100}, accurate = {EEX_TUNE_ACCURACY, 0, 100},
                   cheap = {EEX_TUNE_MACS, 50, 100};
    structures_draw(s, exits);
    int status = fake_trace(&t, samples, exits, 1);
    if (status == EEX_OK)
        status = fake_trace(&v, samples, exits, 2);
    if (status == EEX_OK)
        status = fake_policy(&p, t);
    printf("%d samples, %d exits, half of them in a structure\n", samples, exits);
    if (status == EEX_OK)
        status = bench_fixed(v, p, s);
    if (status == EEX_OK)
        status = bench_tuned(t, v, p, s, weighted, EEX_EFFORT_QUICK, STRUCTURES / 16,
                             "tuned quickly, weighted");
    if (status == EEX_OK)
        status = bench_tuned(t, v, p, s, accurate, EEX_EFFORT_QUICK, STRUCTURES / 16,
                             "tuned quickly, accuracy of the end");
    if (status == EEX_OK)
        status = bench_tuned(t, v, p, s, accurate, EEX_EFFORT_THOROUGH, STRUCTURES / 16,
                             "tuned thoroughly, the same");
    if (status == EEX_OK)
        status = bench_tuned(t, v, p, s, cheap, EEX_EFFORT_QUICK, STRUCTURES / 16,
                             "tuned quickly, half of the cost");
    if (status == EEX_OK)
        status = bench_tuned(t, v, p, s, cheap, EEX_EFFORT_THOROUGH, STRUCTURES / 16,
                             "tuned thoroughly, the same");
    eex_policy_free(p);
    eex_trace_free(t);
    eex_trace_free(v);
    return status;
}

int main(int argc, char **argv)
{
    int samples = argc > 1 ? atoi(argv[1]) : 5000, exits = argc > 2 ? atoi(argv[2]) : 10;
    int status = bench(samples, exits);
    if (status != EEX_OK)
        fprintf(stderr, "bench_replay: %s\n", eex_error());
    return status == EEX_OK ? 0 : 1;
}
