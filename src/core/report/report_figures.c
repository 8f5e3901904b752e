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

void eex_report_put_latency(eex_report_put *put, void *to, const eex_report_latency *l)
{
    put(to, "latency_ms", l->mean);
    put(to, "latency_p50_ms", l->p50);
    put(to, "latency_p95_ms", l->p95);
    put(to, "latency_p99_ms", l->p99);
    put(to, "latency_max_ms", l->max);
}

void eex_report_put_speedup(eex_report_put *put, void *to, const eex_speedup *s)
{
    put(to, "speedup", s->ratio);
    put(to, "speedup_low", s->low);
    put(to, "speedup_high", s->high);
}

void eex_report_put_full(eex_report_put *put, void *to, const eex_report *r)
{
    put(to, "accuracy", r->full.accuracy);
    put(to, "macs", r->full.macs);
    put(to, "macs_with_gates", r->full.macs_with_gates);
    eex_report_put_latency(put, to, &r->full.latency);
    eex_report_put_speedup(put, to, &r->full.speedup);
}

void eex_report_put_best(eex_report_put *put, void *to, const eex_report *r)
{
    put(to, "accuracy", r->best.accuracy);
    put(to, "rejected", r->best.rejected);
    put(to, "validation_accuracy", r->best.validation_accuracy);
    put(to, "ada_macs", r->best.ada_macs);
    put(to, "ada_macs_cumulative", r->best.ada_macs_cumulative);
    put(to, "cut_saved", r->best.cut_saved);
    put(to, "validation_cut_saved", r->best.validation_cut_saved);
    eex_report_put_latency(put, to, &r->best.latency);
    eex_report_put_speedup(put, to, &r->best.speedup);
}

void eex_report_put_exit(eex_report_put *put, void *to, const eex_report_exit *x)
{
    put(to, "utilisation", x->utilisation);
    put(to, "accuracy", x->accuracy);
    put(to, "macs", x->macs);
    put(to, "validation_accuracy", x->validation_accuracy);
    put(to, "ece_before", x->ece_before);
    put(to, "ece_after", x->ece_after);
    put(to, "auroc", x->auroc);
    put(to, "aurc", x->aurc);
}

void eex_report_put_member(eex_report_put *put, void *to, const eex_front_member *m)
{
    put(to, "accuracy", m->accuracy);
    put(to, "rejected", m->rejected);
    put(to, "ada_macs", m->macs_taken);
    put(to, "ada_macs_cumulative", m->macs);
    put(to, "validation_accuracy", m->validation_accuracy);
    put(to, "validation_macs", m->validation_macs);
}

void eex_report_put_member_exit(eex_report_put *put, void *to, const eex_front_exit *x)
{
    put(to, "threshold", x->threshold);
    put(to, "utilisation", x->utilisation);
    put(to, "accuracy", x->exit_accuracy);
}

void eex_report_put_alone(eex_report_put *put, void *to, const eex_front_exit *x)
{
    put(to, "accuracy", x->alone_accuracy);
    put(to, "macs", x->alone_macs);
    put(to, "validation_accuracy", x->alone_validation);
}

void eex_report_put_trial(eex_report_put *put, void *to, const eex_trial *t)
{
    put(to, "accuracy", t->accuracy);
    put(to, "ada_macs_cumulative", t->macs);
    put(to, "latency_ms", t->latency);
    put(to, "cut_saved", t->cut_saved);
    put(to, "score", t->score);
}

void eex_report_put_rival(eex_report_put *put, void *to, const eex_rival *rival)
{
    put(to, "validation_accuracy", rival->validation_accuracy);
    put(to, "accuracy", rival->accuracy);
    put(to, "macs", rival->macs);
}

void eex_report_put_policy(eex_report_put *put, void *to, const eex_report *r, size_t i)
{
    put(to, "accuracy", r->policy_accuracy[i]);
    put(to, "ada_macs_cumulative", r->policy_macs[i]);
}
