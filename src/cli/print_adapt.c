#include "cli/print_adapt.h"

#include "cli/print.h"
#include "core/report/report_partition.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>

static const char *const titles[] = {
    [EEX_WAY_DEVICE] = "all on device",  [EEX_WAY_SERVER] = "all on server",
    [EEX_WAY_JPEG] = "send the JPEG",    [EEX_WAY_SPLIT] = "split, no exits",
    [EEX_WAY_STATIC] = "static",         [EEX_WAY_PREDICTED] = "static, predictor",
    [EEX_WAY_PRUNED] = "static, pruned", [EEX_WAY_FILTERED] = "static, filters",
    [EEX_WAY_ADAPTIVE] = "adaptive",     [EEX_WAY_ORACLE] = "oracle"};
_Static_assert(sizeof titles / sizeof *titles == EEX_WAYS, "a title a way");

const char *eex_way_title(eex_way way)
{
    return titles[way];
}

/* ---- for people ---- */

/* A cell of the tables by bandwidth. */
typedef struct measure {
    const char *title;
    void (*put)(eex_table *t, const eex_settled *s);
} measure;

static void put_ms(eex_table *t, const eex_settled *s)
{
    eex_table_cell(t, "%.3g", s->ms);
}

static void put_within(eex_table *t, const eex_settled *s)
{
    eex_table_percent(t, 1, s->within);
}

static void put_right(eex_table *t, const eex_settled *s)
{
    eex_table_percent(t, 2, s->accuracy);
}

static void put_bytes(eex_table *t, const eex_settled *s)
{
    eex_table_amount(t, s->bytes);
}

static const measure measures[] = {
    {"mean latency, ms:", put_ms},
    {"inputs within the requirement:", put_within},
    {"right:", put_right},
    {"bytes sent of an input:", put_bytes},
};

static int put_by_bandwidth(eex_buffer *out, const eex_adapted *r, const measure *m)
{
    eex_table *t;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "Mbit/s", EEX_ALIGN_LEFT, 0);
    for (int way = 0; way < EEX_WAYS; way++)
        if (r->have[way])
            eex_table_column(t, titles[way], EEX_ALIGN_RIGHT, way);
    for (int i = 0; i < r->count; i++) {
        eex_table_row(t);
        eex_table_cell(t, "%.3g", r->bits_per_s[i] / 1e6);
        for (int way = 0; way < EEX_WAYS; way++)
            if (r->have[way])
                m->put(t, &r->rows[i * EEX_WAYS + way]);
    }
    eex_buffer_printf(out, "%s\n", m->title);
    EEX_TRY(eex__put_table(out, t));
    eex_buffer_putc(out, '\n');
    return EEX_OK;
}

static int put_means(eex_buffer *out, const eex_adapted *r)
{
    eex_way_mean mean[EEX_WAYS];
    eex_table *t;
    eex_adapted_mean(mean, r);
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "", EEX_ALIGN_LEFT, 0);
    eex_table_column(t, "ms", EEX_ALIGN_RIGHT, 5);
    eex_table_column(t, r->played ? "moments kept" : "bandwidths kept", EEX_ALIGN_RIGHT, 3);
    eex_table_column(t, "inputs within", EEX_ALIGN_RIGHT, 2);
    eex_table_column(t, "right", EEX_ALIGN_RIGHT, 4);
    eex_table_column(t, "sent", EEX_ALIGN_RIGHT, 1);
    eex_table_column(t, "bytes", EEX_ALIGN_RIGHT, 1);
    for (int way = 0; way < EEX_WAYS; way++) {
        const eex_way_mean *m = &mean[way];
        if (!r->have[way])
            continue;
        eex_table_row(t);
        eex_table_cell(t, "%s", titles[way]);
        eex_table_cell(t, "%.3g", m->ms);
        eex_table_percent(t, 0, m->kept);
        eex_table_percent(t, 1, m->within);
        eex_table_percent(t, 2, m->accuracy);
        eex_table_percent(t, 1, m->sent);
        eex_table_amount(t, m->bytes);
    }
    return eex__put_table(out, t);
}

static void put_speeds(eex_buffer *out, const eex_adapted *r)
{
    char device[EEX_TEXT_SIZE], server[EEX_TEXT_SIZE], bytes[EEX_TEXT_SIZE];
    eex_text_number(device, r->line.device, "FLOPS");
    eex_text_number(server, r->line.server, "FLOPS");
    eex_text_number(bytes, r->bytes, "B");
    eex_buffer_printf(out,
                      "at most %g ms on average, cut behind exit %d (%s), %s sent of an input\n",
                      r->latency, r->cut, r->node, bytes);
    eex_buffer_printf(out, "device %s by the convention %s%s, server %s; a round trip of %g ms\n",
                      device, r->convention, r->measured ? " (its parts measured here)" : "",
                      isinf(r->line.server) ? "negligible" : server, r->line.round_trip_ms);
    eex_buffer_printf(out, "settings found on the calibration images; below, the %d %s images\n\n",
                      r->images, r->split);
}

static double least(const eex_adapted *r, bool most)
{
    double value = r->bits_per_s[0];
    for (int i = 1; i < r->count; i++)
        value = most ? fmax(value, r->bits_per_s[i]) : fmin(value, r->bits_per_s[i]);
    return value / 1e6;
}

static void put_jpeg(eex_buffer *out, const eex_adapted *r)
{
    eex_buffer_printf(out, "send the JPEG: %.4g bytes", r->jpeg);
    if (r->quality)
        eex_buffer_printf(out, ", the mean of these images at quality %d", r->quality);
    eex_buffer_puts(out, "; taken to be answered as the image itself is.\n");
}

static void put_notes(eex_buffer *out, const eex_adapted *r)
{
    if (!isnan(r->slowest))
        eex_buffer_printf(out,
                          "\nAt %.3g Mbit/s no settings keep %g ms on average: the fastest take "
                          "%.3g ms.\n",
                          least(r, false), r->latency, r->slowest);
    eex_buffer_puts(out, "\nkept: the mean latency is within the requirement. oracle: the best "
                         "settings for these very images, and no gate in vain: a bound, not a "
                         "choice.\n");
    eex_buffer_puts(out, "all on device, all on server, send the JPEG: of a model with a "
                         "bottleneck, through it, and with its accuracy.\n");
    if (r->have[EEX_WAY_PRUNED])
        eex_buffer_puts(out,
                        "static, pruned: the model's thresholds, and at each bandwidth as many "
                        "channels of the bottleneck as the requirement allows, those with the "
                        "largest l2 norms; not trained on.\n");
    if (r->have[EEX_WAY_FILTERED])
        eex_buffer_puts(out, "static, filters: the model's thresholds, and its device's part "
                             "without the filters that `eex prune --filters` leaves out, trained "
                             "on.\n");
    if (r->have[EEX_WAY_JPEG])
        put_jpeg(out, r);
}

static int put_overall(eex_buffer *out, const eex_adapted *r)
{
    eex_buffer_printf(out, "over %d %s of %.3g to %.3g Mbit/s:\n", r->count,
                      r->played ? "moments of the trace," : "bandwidths", least(r, false),
                      least(r, true));
    EEX_TRY(put_means(out, r));
    put_notes(out, r);
    return EEX_OK;
}

int eex_put_adapted(eex_buffer *out, const eex_adapted *r)
{
    put_speeds(out, r);
    return put_overall(out, r);
}

static int put_text(eex_buffer *out, const eex_adapted *r, const char *file)
{
    put_speeds(out, r);
    for (size_t i = 0; i < sizeof measures / sizeof *measures && !r->played; i++)
        EEX_TRY(put_by_bandwidth(out, r, &measures[i]));
    EEX_TRY(put_overall(out, r));
    if (file)
        eex__put_line(out, "%s", file);
    return EEX_OK;
}

int eex_print_adapt(const eex_adapted *r, const char *model, const char *file, bool json)
{
    eex_buffer text = EEX_BUFFER_INIT;
    if (!json)
        return eex__print_report(&text, put_text(&text, r, file));
    eex_json j = EEX_JSON_INIT(&text);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "model", model);
    eex_json_string(&j, "file", file);
    eex_report_adapted_json(&j, r);
    eex_json_end(&j);
    eex_buffer_putc(&text, '\n');
    return eex__print_text(&text, EEX_OK);
}
