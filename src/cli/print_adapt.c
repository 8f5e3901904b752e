#include "cli/print_adapt.h"

#include "cli/print.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>

static const char *const titles[] = {
    [EEX_WAY_DEVICE] = "all on device", [EEX_WAY_SERVER] = "all on server",
    [EEX_WAY_JPEG] = "send the JPEG",   [EEX_WAY_SPLIT] = "split, no exits",
    [EEX_WAY_STATIC] = "static",        [EEX_WAY_PREDICTED] = "static, predictor",
    [EEX_WAY_ADAPTIVE] = "adaptive",    [EEX_WAY_ORACLE] = "oracle"};
_Static_assert(sizeof titles / sizeof *titles == EEX_WAYS, "a title a way");

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

static int put_by_bandwidth(eex_buffer *out, const eex_adapt_report *r, const measure *m)
{
    eex_table *t;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "Mbit/s", EEX_ALIGN_LEFT, 0);
    for (int way = 0; way < EEX_WAYS; way++)
        if (eex_ways_have(r->ways, way))
            eex_table_column(t, titles[way], EEX_ALIGN_RIGHT, way);
    for (int i = 0; i < r->moments->count; i++) {
        eex_table_row(t);
        eex_table_cell(t, "%.3g", r->moments->bits[i] / 1e6);
        for (int way = 0; way < EEX_WAYS; way++)
            if (eex_ways_have(r->ways, way))
                m->put(t, &r->rows[i * EEX_WAYS + way]);
    }
    eex_buffer_printf(out, "%s\n", m->title);
    EEX_TRY(eex__put_table(out, t));
    eex_buffer_putc(out, '\n');
    return EEX_OK;
}

static int put_means(eex_buffer *out, const eex_adapt_report *r)
{
    eex_table *t;
    EEX_TRY(eex_table_new(&t));
    eex_table_column(t, "", EEX_ALIGN_LEFT, 0);
    eex_table_column(t, "ms", EEX_ALIGN_RIGHT, 5);
    eex_table_column(t, r->moments->played ? "moments kept" : "bandwidths kept", EEX_ALIGN_RIGHT,
                     3);
    eex_table_column(t, "inputs within", EEX_ALIGN_RIGHT, 2);
    eex_table_column(t, "right", EEX_ALIGN_RIGHT, 4);
    eex_table_column(t, "sent", EEX_ALIGN_RIGHT, 1);
    eex_table_column(t, "bytes", EEX_ALIGN_RIGHT, 1);
    for (int way = 0; way < EEX_WAYS; way++) {
        const eex_way_mean *m = &r->mean[way];
        if (!eex_ways_have(r->ways, way))
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

static void put_speeds(eex_buffer *out, const eex_adapt_report *r)
{
    const eex_parts *parts = r->ways->parts;
    char device[EEX_TEXT_SIZE], server[EEX_TEXT_SIZE], bytes[EEX_TEXT_SIZE];
    eex_text_number(device, r->line->device, "FLOPS");
    eex_text_number(server, r->line->server, "FLOPS");
    eex_text_number(bytes, parts->bytes, "B");
    eex_buffer_printf(out,
                      "at most %g ms on average, cut behind exit %d (%s), %s sent of an input\n",
                      r->ways->latency, parts->exits - 1,
                      eex__exit_node(r->model->graph, parts->exits - 2), bytes);
    eex_buffer_printf(out, "device %s by the convention %s, server %s; a round trip of %g ms\n",
                      device, eex_convention_name(r->convention),
                      isinf(r->line->server) ? "negligible" : server, r->line->round_trip_ms);
    eex_buffer_printf(out, "settings found on the calibration images; below, the %d %s images\n\n",
                      r->images, r->split);
}

static void put_notes(eex_buffer *out, const eex_adapt_report *r)
{
    if (!isnan(r->slowest))
        eex_buffer_printf(out,
                          "\nAt %.3g Mbit/s no settings keep %g ms on average: the fastest take "
                          "%.3g ms.\n",
                          r->moments->least / 1e6, r->ways->latency, r->slowest);
    eex_buffer_puts(out, "\nkept: the mean latency is within the requirement. oracle: the best "
                         "settings for these very images, and no gate in vain: a bound, not a "
                         "choice.\n");
    if (eex_ways_have(r->ways, EEX_WAY_JPEG))
        eex_buffer_puts(out, "send the JPEG: taken to be answered as the image itself is.\n");
    if (r->file)
        eex_buffer_printf(out, "%s\n", r->file);
}

static int put_text(eex_buffer *out, const eex_adapt_report *r)
{
    put_speeds(out, r);
    for (size_t i = 0; i < sizeof measures / sizeof *measures && !r->moments->played; i++)
        EEX_TRY(put_by_bandwidth(out, r, &measures[i]));
    eex_buffer_printf(out, "over %d %s of %.3g to %.3g Mbit/s:\n", r->moments->count,
                      r->moments->played ? "moments of the trace," : "bandwidths",
                      r->moments->least / 1e6, r->moments->most / 1e6);
    EEX_TRY(put_means(out, r));
    put_notes(out, r);
    return EEX_OK;
}

/* ---- for programs ---- */

static void put_way(eex_json *j, eex_way way, const eex_settled *s)
{
    eex_json_object(j, eex_way_name(way));
    eex_json_double(j, "latency_ms", s->ms);
    eex_json_bool(j, "kept", s->kept);
    eex_json_double(j, "within", s->within);
    eex_json_double(j, "accuracy", s->accuracy);
    eex_json_double(j, "sent", s->sent);
    eex_json_double(j, "bytes", s->bytes);
    eex_json_end(j);
}

static void put_way_mean(eex_json *j, eex_way way, const eex_way_mean *m)
{
    eex_json_object(j, eex_way_name(way));
    eex_json_double(j, "latency_ms", m->ms);
    eex_json_double(j, "kept", m->kept);
    eex_json_double(j, "within", m->within);
    eex_json_double(j, "accuracy", m->accuracy);
    eex_json_double(j, "sent", m->sent);
    eex_json_double(j, "bytes", m->bytes);
    eex_json_end(j);
}

static void put_conditions(eex_json *j, const eex_adapt_report *r)
{
    eex_json_string(j, "model", r->model->path);
    eex_json_string(j, "file", r->file);
    eex_json_string(j, "split", r->split);
    eex_json_int(j, "images", r->images);
    eex_json_double(j, "latency_ms", r->ways->latency);
    eex_json_string(j, "convention", eex_convention_name(r->convention));
    eex_json_double(j, "device_flops", r->line->device);
    eex_json_double(j, "server_flops", r->line->server);
    eex_json_double(j, "round_trip_ms", r->line->round_trip_ms);
    eex_json_int(j, "cut", r->ways->parts->exits - 1);
    eex_json_int(j, "bits", r->bits ? r->bits : 32);
    eex_json_double(j, "payload_bytes", r->ways->parts->bytes);
    eex_json_double(j, "image_bytes", r->ways->image);
    eex_json_bool(j, "predictor", r->ways->foretold != NULL);
    eex_json_double(j, "counted", eex_adapt_counted(r->ways->adapt));
    eex_json_double(j, "slowest_ms", r->slowest);
}

static void put_json(eex_buffer *out, const eex_adapt_report *r)
{
    eex_json j = EEX_JSON_INIT(out);
    eex_json_object(&j, NULL);
    put_conditions(&j, r);
    eex_json_array(&j, r->moments->played ? "moments" : "bandwidths");
    for (int i = 0; i < r->moments->count; i++) {
        eex_json_object(&j, NULL);
        eex_json_double(&j, "mbit", r->moments->bits[i] / 1e6);
        for (int way = 0; way < EEX_WAYS; way++)
            if (eex_ways_have(r->ways, way))
                put_way(&j, way, &r->rows[i * EEX_WAYS + way]);
        eex_json_end(&j);
    }
    eex_json_end(&j);
    eex_json_object(&j, "overall");
    for (int way = 0; way < EEX_WAYS; way++)
        if (eex_ways_have(r->ways, way))
            put_way_mean(&j, way, &r->mean[way]);
    eex_json_end(&j);
    eex_json_end(&j);
    eex_buffer_putc(out, '\n');
}

int eex_print_adapt(const eex_adapt_report *report, bool json)
{
    eex_buffer text = EEX_BUFFER_INIT;
    if (!json)
        return eex__print_report(&text, put_text(&text, report));
    put_json(&text, report);
    return eex__print_text(&text, EEX_OK);
}
