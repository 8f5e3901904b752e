/* `eex stream --json`: one object. */
#include "cli/print.h"
#include "cli/print_remote.h"
#include "cli/print_stream.h"

#include "base/status.h"

static void put_histogram(eex_json *j, const char *key, const eex_histogram *h)
{
    if (h->count == 0) {
        eex_json_null(j, key);
        return;
    }
    eex_json_object(j, key);
    eex_json_double(j, "mean", eex_histogram_mean(h));
    eex_json_double(j, "p50", eex_histogram_quantile(h, 0.5));
    eex_json_double(j, "p95", eex_histogram_quantile(h, 0.95));
    eex_json_double(j, "p99", eex_histogram_quantile(h, 0.99));
    eex_json_double(j, "max", h->largest);
    eex_json_end(j);
}

static void put_exits(eex_json *j, const eex_model *model, const eex_stream_tally *t)
{
    eex_json_array(j, "exits");
    for (int k = 0; k < t->exits; k++) {
        eex_json_object(j, NULL);
        eex_json_int(j, "exit", k + 1);
        eex_json_string(j, "node", eex__exit_node(model->graph, k));
        eex_json_uint(j, "frames", t->left[k]);
        eex_json_double(j, "share", eex__share(t->left[k], t->frames));
        eex_json_uint(j, "rejected", t->rejected_at[k]);
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void put_tally(eex_json *j, const char *key, const eex_model *model, const eex_stream *s,
                      const eex_stream_tally *t)
{
    eex_json_object(j, key);
    eex_json_string(j, "file", model->path);
    eex_json_double(j, "cumulative_s", t->seconds);
    eex_json_double(j, "expected_ms", 1e3 * t->seconds / (double)t->frames);
    put_histogram(j, "latency_ms", &t->latency);
    eex_json_double(j, "macs", eex__stream_macs(model, t));
    eex_json_double(j, "accuracy", eex__share(t->right, t->labelled));
    eex_json_uint(j, "labelled", t->labelled);
    eex_json_uint(j, "rejected", t->rejected);
    eex_json_double(j, "rejection_precision", eex__stream_precision(s, t));
    eex_json_double(j, "rejection_recall", eex__stream_recall(s, t));
    put_exits(j, model, t);
    eex_json_end(j);
}

static void put_window(eex_json *j, const char *key, const eex_stream *s, const eex_drift_window *w)
{
    eex_json_object(j, key);
    eex_json_uint(j, "last_frame", w->number * (uint64_t)s->drift.size);
    eex_json_double(j, "g", w->g);
    eex_json_int(j, "df", w->df);
    eex_json_double(j, "p", w->p);
    eex_json_double(j, "level", w->level);
    if (w->way == s->model.exits)
        eex_json_string(j, "changed", "rejected");
    else
        eex_json_int(j, "changed", w->way + 1);
    eex_json_double(j, "expected", w->expected);
    eex_json_double(j, "observed", w->observed);
    eex_json_end(j);
}

static void put_drift(eex_json *j, const eex_stream *s)
{
    const eex_drift *d = &s->drift;
    if (!s->watched) {
        eex_json_null(j, "drift");
        return;
    }
    eex_json_object(j, "drift");
    eex_json_int(j, "window", d->size);
    eex_json_double(j, "alpha", d->alpha);
    eex_json_uint(j, "windows", d->windows);
    eex_json_uint(j, "alarms", d->alarms);
    eex_json_bool(j, "drifting", d->drifting);
    if (d->alarms) {
        put_window(j, "first_alarm", s, &d->first_alarm);
        put_window(j, "last_alarm", s, &d->last_alarm);
    }
    eex_json_end(j);
}

static void put_timeline(eex_json *j, const eex_stream *s)
{
    eex_json_array(j, "intervals");
    for (int i = 0; i < s->timeline.rows; i++) {
        const eex_timeline_row *r = &s->timeline.row[i];
        eex_json_object(j, NULL);
        eex_json_uint(j, "frames", r->frames);
        eex_json_uint(j, "rejected", r->rejected);
        eex_json_double(j, "mean_ms", r->ms / (double)r->frames);
        eex_json_double(j, "max_ms", r->slowest);
        eex_json_array(j, "exits");
        for (int k = 0; k < s->model.exits; k++)
            eex_json_uint(j, NULL, r->left[k]);
        eex_json_end(j);
        eex_json_end(j);
    }
    eex_json_end(j);
}

static void put_stream(eex_json *j, const eex__stream_facts *f, const eex_stream *s, double share)
{
    eex_json_object(j, NULL);
    eex_json_double(j, "irrelevant", share);
    eex_json_uint(j, "frames", s->frames);
    eex_json_uint(j, "skipped", s->skipped);
    eex_json_uint(j, "dropped", s->dropped);
    eex_json_double(j, "seconds", s->seconds);
    eex_json_uint(j, "relevant", s->relevant);
    eex_json_uint(j, "low_entropy", s->low);
    eex_json_uint(j, "out_of_distribution", s->foreign);
    put_tally(j, "model", f->model, s, &s->model);
    if (f->base)
        put_tally(j, "base", f->base, s, &s->base);
    else
        eex_json_null(j, "base");
    if (s->full.frames)
        put_tally(j, "full", f->model, s, &s->full);
    else
        eex_json_null(j, "full");
    eex_json_double(j, "speedup", s->speedup.ratio);
    eex_json_double(j, "speedup_low", s->speedup.low);
    eex_json_double(j, "speedup_high", s->speedup.high);
    eex_json_int(j, "speedup_frames", s->raced);
    eex_json_int(j, "speedup_rounds", s->rounds);
    eex_json_bool(j, "speedup_disturbed", s->speedup.disturbed);
    if (f->fps > 0)
        put_histogram(j, "delay_ms", &s->delay);
    else
        eex_json_null(j, "delay_ms");
    put_drift(j, s);
    put_timeline(j, s);
    eex_json_end(j);
}

int eex__stream_print_json(const eex__stream_facts *f, eex_stream *const *streams,
                           const double *share, int count)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_json json = EEX_JSON_INIT(&text);
    eex_json_object(&json, NULL);
    eex_json_string(&json, "source", f->source);
    eex_json_int(&json, "batch", f->batch);
    eex_json_double(&json, "fps", f->fps > 0 ? f->fps : (double)NAN);
    eex_json_bool(&json, "rejects", f->rejects);
    if (f->offloaded)
        eex__remote_json(&json, f->offloaded, f->server);
    eex_json_array(&json, "streams");
    for (int i = 0; i < count; i++)
        put_stream(&json, f, streams[i], share[i]);
    eex_json_end(&json);
    eex_json_end(&json);
    eex_buffer_putc(&text, '\n');
    return eex__print_text(&text, EEX_OK);
}
