#include "core/report/report.h"

#include <math.h>

const char *eex_report_gates(char out[EEX_REPORT_GATES], const eex_report *r, size_t trial)
{
    eex_structure_part part[EEX_MAX_EXITS];
    const int *genome = eex_trials_genome(&r->trials, trial);
    const int count =
        r->space ? eex_described_parts(part, EEX_MAX_EXITS, r->space, genome, r->trials.genes) : 0;
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < count && used < EEX_REPORT_GATES - 32; i++) {
        used += (size_t)snprintf(out + used, EEX_REPORT_GATES - used, "%s%d:%d", used ? " " : "",
                                 part[i].position, part[i].size);
        if (!isnan(part[i].threshold))
            used += (size_t)snprintf(out + used, EEX_REPORT_GATES - used, "@%g", part[i].threshold);
    }
    return used ? out : "none";
}

typedef struct figure {
    const char *name;
    double value;
} figure;

static void put_all(eex_report_put *put, void *to, const figure *figures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(to, figures[i].name, figures[i].value);
}

/* Figures as {name, value}, one behind the other. */
#define PUT(...)                                    \
    put_all(put, to, (const figure[]){__VA_ARGS__}, \
            sizeof((const figure[]){__VA_ARGS__}) / sizeof(figure))

void eex_report_put_latency(eex_report_put *put, void *to, const eex_report_latency *l)
{
    PUT({"latency_ms", l->mean}, {"latency_p50_ms", l->p50}, {"latency_p95_ms", l->p95},
        {"latency_p99_ms", l->p99}, {"latency_max_ms", l->max});
}

void eex_report_put_speedup(eex_report_put *put, void *to, const eex_speedup *s)
{
    PUT({"speedup", s->ratio}, {"speedup_low", s->low}, {"speedup_high", s->high});
}

void eex_report_put_full(eex_report_put *put, void *to, const eex_report *r)
{
    PUT({"accuracy", r->full.accuracy}, {"macs", r->full.macs},
        {"macs_with_gates", r->full.macs_with_gates});
    eex_report_put_latency(put, to, &r->full.latency);
    eex_report_put_speedup(put, to, &r->full.speedup);
}

void eex_report_put_best(eex_report_put *put, void *to, const eex_report *r)
{
    PUT({"accuracy", r->best.accuracy}, {"rejected", r->best.rejected},
        {"validation_accuracy", r->best.validation_accuracy}, {"ada_macs", r->best.ada_macs},
        {"ada_macs_cumulative", r->best.ada_macs_cumulative}, {"cut_saved", r->best.cut_saved},
        {"validation_cut_saved", r->best.validation_cut_saved});
    eex_report_put_latency(put, to, &r->best.latency);
    eex_report_put_speedup(put, to, &r->best.speedup);
}

void eex_report_put_exit(eex_report_put *put, void *to, const eex_report_exit *x)
{
    PUT({"utilisation", x->utilisation}, {"accuracy", x->accuracy}, {"macs", x->macs},
        {"validation_accuracy", x->validation_accuracy}, {"ece_before", x->ece_before},
        {"ece_after", x->ece_after}, {"auroc", x->auroc}, {"aurc", x->aurc});
}

void eex_report_put_member(eex_report_put *put, void *to, const eex_front_member *m)
{
    PUT({"accuracy", m->accuracy}, {"rejected", m->rejected}, {"ada_macs", m->macs_taken},
        {"ada_macs_cumulative", m->macs}, {"validation_accuracy", m->validation_accuracy},
        {"validation_macs", m->validation_macs});
}

void eex_report_put_member_exit(eex_report_put *put, void *to, const eex_front_exit *x)
{
    PUT({"threshold", x->threshold}, {"utilisation", x->utilisation},
        {"accuracy", x->exit_accuracy});
}

void eex_report_put_alone(eex_report_put *put, void *to, const eex_front_exit *x)
{
    PUT({"accuracy", x->alone_accuracy}, {"macs", x->alone_macs},
        {"validation_accuracy", x->alone_validation});
}

void eex_report_put_trial(eex_report_put *put, void *to, const eex_trial *t)
{
    PUT({"accuracy", t->accuracy}, {"ada_macs_cumulative", t->macs}, {"latency_ms", t->latency},
        {"cut_saved", t->cut_saved}, {"score", t->score});
}

void eex_report_put_rival(eex_report_put *put, void *to, const eex_rival *rival)
{
    PUT({"validation_accuracy", rival->validation_accuracy}, {"accuracy", rival->accuracy},
        {"macs", rival->macs});
}

void eex_report_put_policy(eex_report_put *put, void *to, const eex_report *r, size_t i)
{
    PUT({"accuracy", r->policy_accuracy[i]}, {"ada_macs_cumulative", r->policy_macs[i]});
}
