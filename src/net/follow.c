#include "net/follow.h"

#include "net/meter.h"

#include "base/clock.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static const double moved = 0.05, least_part = 0.1;

struct eex_follow {
    eex_adaptation *settings;
    eex_engine *engine;
    eex_bandwidths trace; /* none: measured */
    eex__meter meter;
    double began;        /* the first batch; 0: there was none */
    double bits;         /* of this batch */
    double set;          /* for which thresholds are; 0: none yet */
    eex_settled outlook; /* of this batch */
    double bits_sum, expected_sum, took_sum, expected_sent, sent; /* over images */
    eex_follow_figures figures;
};

int eex_follow_new(eex_follow **out, eex_adaptation *settings, eex_bandwidths trace,
                   eex_engine *engine)
{
    *out = NULL;
    eex_follow *f = calloc(1, sizeof *f);
    if (!f) {
        eex_adaptation_close(settings);
        eex_bandwidths_free(&trace);
        return eex_fail(EEX_ENOMEM, "out of memory for thresholds that follow the bandwidth");
    }
    f->settings = settings;
    f->engine = engine;
    f->trace = trace;
    f->figures.played = trace.count > 0;
    f->figures.required = eex_adapt_latency(settings->adapt);
    *out = f;
    return EEX_OK;
}

void eex_follow_free(eex_follow *f)
{
    if (!f)
        return;
    eex_adaptation_close(f->settings);
    eex_bandwidths_free(&f->trace);
    free(f);
}

static void begin(eex_follow *f, double now)
{
    const eex_forecast *c = &f->settings->forecast;
    f->began = now;
    eex__meter_begin(&f->meter, c->bits[0], c->bits[c->count - 1], now);
}

static double bandwidth(const eex_follow *f, double now)
{
    return f->figures.played ? eex_bandwidths_at(&f->trace, now - f->began)
                             : eex__meter_bits(&f->meter, now);
}

static int set(eex_follow *f)
{
    if (f->set > 0 && fabs(log(f->bits / f->set)) <= moved)
        return EEX_OK;
    EEX_TRY(eex_adaptation_set(f->settings, f->bits));
    EEX_TRY(eex_engine_decide(f->engine, f->settings->policy, f->settings->gamma));
    f->figures.changes += f->set > 0;
    f->set = f->bits;
    return EEX_OK;
}

int eex_follow_begin(eex_follow *f)
{
    const double now = eex_clock_seconds();
    if (f->began == 0)
        begin(f, now);
    f->bits = bandwidth(f, now);
    EEX_TRY(set(f));
    eex_forecast_at(&f->outlook, &f->settings->forecast, f->bits, f->figures.required);
    return EEX_OK;
}

/* What an exchange took beyond what settings reckon with anyway, so that a server or a way that is
 * slower than they know counts as a slower link. One that answers nothing is as slow as they know.
 */
static void measure(eex_follow *f, const eex_remote_figures *before,
                    const eex_remote_figures *behind)
{
    const double seconds = behind->seconds - before->seconds, now = eex_clock_seconds();
    const double granted = f->settings->forecast.server_ms / 1e3;
    if (behind->rows == before->rows)
        return;
    if (behind->timed == before->timed) {
        eex__meter_lose(&f->meter, now);
        return;
    }
    f->figures.measured++;
    eex__meter_add(&f->meter, f->settings->bytes * (double)(behind->timed - before->timed),
                   fmax(seconds - granted, least_part * seconds), now);
}

void eex_follow_end(eex_follow *f, int count, int sent, double seconds,
                    const eex_remote_figures *before, const eex_remote_figures *behind)
{
    eex_follow_figures *g = &f->figures;
    g->least = g->images && g->least < f->bits ? g->least : f->bits;
    g->most = g->images && g->most > f->bits ? g->most : f->bits;
    g->bits = f->bits;
    g->batches++;
    g->images += (uint64_t)count;
    f->bits_sum += count * f->bits;
    f->expected_sum += count * f->outlook.ms;
    f->expected_sent += count * f->outlook.sent;
    f->took_sum += count * 1e3 * seconds;
    f->sent += sent;
    measure(f, before, behind);
}

void eex_follow_look(eex_follow_figures *out, const eex_follow *f)
{
    const double images = f->figures.images ? (double)f->figures.images : 1;
    *out = f->figures;
    out->mean = f->bits_sum / images;
    out->expected = f->expected_sum / images;
    out->expected_sent = f->expected_sent / images;
    out->took = f->took_sum / images;
    out->sent = f->sent / images;
}
