#include "cli/print_remote.h"

#include "cli/print.h"

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* ---- of a device ---- */

static const double mega = 1e6;

static void follow_json(eex_json *j, const eex_follow_figures *f)
{
    eex_json_object(j, "adapt");
    eex_json_string(j, "bandwidth", f->played ? "played" : "measured");
    eex_json_uint(j, "images", f->images);
    eex_json_double(j, "mbit", f->bits / mega);
    eex_json_double(j, "least_mbit", f->least / mega);
    eex_json_double(j, "most_mbit", f->most / mega);
    eex_json_double(j, "mean_mbit", f->mean / mega);
    eex_json_uint(j, "measured", f->measured);
    eex_json_uint(j, "changes", f->changes);
    eex_json_double(j, "latency_ms", f->required);
    eex_json_double(j, "expected_ms", f->expected);
    eex_json_bool(j, "kept", f->expected <= f->required);
    eex_json_double(j, "measured_ms", f->took);
    eex_json_double(j, "expected_sent", f->expected_sent);
    eex_json_double(j, "sent", f->sent);
    eex_json_end(j);
}

void eex__remote_json(eex_json *j, const eex_offload_figures *f, const char *address)
{
    const eex_remote_figures *r = &f->remote;
    eex_json_object(j, "remote");
    eex_json_string(j, "address", address);
    for (int by = 0; by < EEX_ANSWERERS; by++)
        eex_json_uint(j, eex_answerer_name((eex_answerer)by), f->by[by]);
    eex_json_uint(j, "rows", r->rows);
    eex_json_uint(j, "sent", r->sent);
    eex_json_uint(j, "answered", r->answered);
    eex_json_uint(j, "bytes_out", r->bytes_out);
    eex_json_uint(j, "bytes_in", r->bytes_in);
    eex_json_uint(j, "connections", r->connections);
    eex_json_uint(j, "broken", r->broken);
    eex_json_uint(j, "away", r->away);
    eex_json_uint(j, "late", r->late);
    eex_json_uint(j, "refused", r->refused);
    if (*r->why)
        eex_json_string(j, "why", r->why);
    else
        eex_json_null(j, "why");
    if (f->follows)
        follow_json(j, &f->follow);
    eex_json_end(j);
}

int eex__remote_print_json(const eex_offload_figures *figures, const char *address)
{
    eex_buffer line = EEX_BUFFER_INIT;
    eex_json json = EEX_JSON_INIT(&line);
    json.compact = true;
    eex_json_object(&json, NULL);
    eex__remote_json(&json, figures, address);
    eex_json_end(&json);
    eex_buffer_putc(&line, '\n');
    return eex__print_text(&line, EEX_OK);
}

static void put_answers(eex_buffer *out, const eex_offload_figures *f, const char *address)
{
    eex_buffer_printf(out, "answered here: %llu, by the server %s: %llu",
                      (unsigned long long)f->by[EEX_BY_DEVICE], address,
                      (unsigned long long)f->by[EEX_BY_SERVER]);
    if (f->by[EEX_BY_FALLBACK])
        eex_buffer_printf(out, ", here in its place: %llu (%s)",
                          (unsigned long long)f->by[EEX_BY_FALLBACK], f->remote.why);
}

static void put_bytes(eex_buffer *out, const eex_offload_figures *f)
{
    char sent[EEX_TEXT_SIZE], received[EEX_TEXT_SIZE];
    eex_buffer_printf(out, "on the wire: %s out, %s in, %llu row%s",
                      eex_text_number(sent, (double)f->remote.bytes_out, "B"),
                      eex_text_number(received, (double)f->remote.bytes_in, "B"),
                      (unsigned long long)f->remote.sent, eex_plural((int64_t)f->remote.sent));
}

static void put_bandwidth(eex_buffer *out, const eex_follow_figures *f)
{
    eex_buffer_printf(
        out,
        "bandwidth as %s: %.3g Mbit/s at the end, %.3g to %.3g on the way; thresholds "
        "changed %llu time%s",
        f->played ? "played" : "measured", f->bits / mega, f->least / mega, f->most / mega,
        (unsigned long long)f->changes, eex_plural((int64_t)f->changes));
}

static void put_latency(eex_buffer *out, const eex_follow_figures *f)
{
    eex_buffer_printf(out,
                      "latency: %.3g ms expected on average, %s the %g ms required; %.3g ms here; "
                      "%.1f %% expected to go on, %.1f %% did",
                      f->expected, f->expected <= f->required ? "within" : "MORE than", f->required,
                      f->took, 100 * f->expected_sent, 100 * f->sent);
}

int eex__remote_log(const eex_offload_figures *figures, const char *address)
{
    eex_buffer text = EEX_BUFFER_INIT;
    put_answers(&text, figures, address);
    eex_log_info("%s", eex_buffer_text(&text));
    eex_buffer_clear(&text);
    put_bytes(&text, figures);
    eex_log_info("%s", eex_buffer_text(&text));
    if (figures->follows && figures->follow.images) {
        eex_buffer_clear(&text);
        put_bandwidth(&text, &figures->follow);
        eex_log_info("%s", eex_buffer_text(&text));
        eex_buffer_clear(&text);
        put_latency(&text, &figures->follow);
        eex_log_info("%s", eex_buffer_text(&text));
    }
    const int code = eex_buffer_status(&text);
    eex_buffer_free(&text);
    return code;
}

void eex__remote_put(eex_buffer *out, const eex_offload_figures *figures, const char *address)
{
    eex_buffer_putc(out, '\n');
    put_answers(out, figures, address);
    eex_buffer_putc(out, '\n');
    put_bytes(out, figures);
    eex_buffer_putc(out, '\n');
    if (!figures->follows || !figures->follow.images)
        return;
    put_bandwidth(out, &figures->follow);
    eex_buffer_putc(out, '\n');
    put_latency(out, &figures->follow);
    eex_buffer_putc(out, '\n');
}

/* ---- of a server ---- */

static const char *print_hex(char out[2 * EEX_SHA256_BYTES + 1], const uint8_t *bytes)
{
    for (int i = 0; i < EEX_SHA256_BYTES; i++)
        snprintf(out + 2 * (size_t)i, 3, "%02x", bytes[i]);
    return out;
}

static void begin_json(eex_json *j, const eex__server_facts *f)
{
    char print[2 * EEX_SHA256_BYTES + 1], address[EEX_SERVER_ADDRESS];
    snprintf(address, sizeof address, "%s", eex_server_name(f->server));
    *strrchr(address, ':') = '\0';
    eex_json_object(j, NULL);
    eex_json_string(j, "event", "listening");
    eex_json_string(j, "address", address);
    eex_json_int(j, "port", eex_server_port(f->server));
    eex_json_bool(j, "tls", f->tls);
    eex_json_string(j, "model", f->model->path);
    eex_json_string(j, "fingerprint", print_hex(print, f->hello.model));
    eex_json_int(j, "cut", f->payload.exit + 1);
    eex_json_string(j, "node", eex__exit_node(f->model->graph, f->payload.exit));
    eex_json_int(j, "bits", f->payload.bits ? f->payload.bits : 32);
    eex_json_uint(j, "row_bytes", f->payload.bytes);
    eex_json_int(j, "sessions", f->sessions);
    eex_json_int(j, "window", eex_server_window(f->server));
    eex_json_double(j, "rows_per_second", f->alone);
    eex_json_end(j);
}

/* A line at once: who reads it may be waiting for it. */
static int print_line(eex_buffer *line)
{
    eex_buffer_putc(line, '\n');
    EEX_TRY(eex__print_text(line, EEX_OK));
    return fflush(stdout) == 0 ? EEX_OK : eex_fail(EEX_EIO, "cannot write to the standard output");
}

int eex__server_print_begin(const eex__server_facts *f, bool json)
{
    eex_buffer line = EEX_BUFFER_INIT;
    char print[2 * EEX_SHA256_BYTES + 1];
    eex_json j = EEX_JSON_INIT(&line);
    j.compact = true;
    if (json) {
        begin_json(&j, f);
    } else {
        eex_buffer_puts(&line, "serving ");
        eex__put_name(&line, f->model->path);
        eex_buffer_printf(&line,
                          " (%.12s) behind exit %d of %d at %s, %s, %zu bytes a sample, "
                          "up to %d devices with %d rows each, %.3g rows a second",
                          print_hex(print, f->hello.model), f->payload.exit + 1,
                          eex_graph_exits(f->model->graph), eex_server_name(f->server),
                          f->tls ? "TLS 1.3" : "this machine alone", f->payload.bytes, f->sessions,
                          eex_server_window(f->server), f->alone);
    }
    return print_line(&line);
}

static void json_figures(eex_json *j, const eex_server_figures *f, const char *event)
{
    eex_json_object(j, NULL);
    eex_json_string(j, "event", event);
    eex_json_double(j, "seconds", f->seconds);
    eex_json_int(j, "open", f->open);
    eex_json_uint(j, "connections", f->connections);
    eex_json_uint(j, "welcomed", f->welcomed);
    eex_json_uint(j, "rows", f->rows);
    eex_json_uint(j, "batches", f->batches);
    eex_json_double(j, "rows_per_second", (double)f->rows / f->seconds);
    eex_json_uint(j, "bytes_in", f->bytes_in);
    eex_json_uint(j, "bytes_out", f->bytes_out);
    eex_json_double(j, "p50_ms", eex_histogram_quantile(&f->ms, 0.5));
    eex_json_double(j, "p99_ms", eex_histogram_quantile(&f->ms, 0.99));
    eex_json_object(j, "sent_away");
    for (int why = 0; why < EEX_LOSSES; why++)
        eex_json_uint(j, eex_name_of(eex_server_loss_names(), why), f->lost[why]);
    eex_json_end(j);
    eex_json_end(j);
}

static void put_figures(eex_buffer *out, const eex_server_figures *f, const char *event)
{
    char time[EEX_TEXT_SIZE], in[EEX_TEXT_SIZE], sent[EEX_TEXT_SIZE];
    const char *separator = "; sent away: ";
    eex_buffer_printf(out, "%s%s: %d of %llu devices there, %llu rows in %llu batches",
                      strcmp(event, "ended") == 0 ? "ended after " : "",
                      eex_text_duration(time, f->seconds), f->open, (unsigned long long)f->welcomed,
                      (unsigned long long)f->rows, (unsigned long long)f->batches);
    if (f->rows)
        eex_buffer_printf(out, ", p50 %.2f ms, p99 %.2f ms", eex_histogram_quantile(&f->ms, 0.5),
                          eex_histogram_quantile(&f->ms, 0.99));
    eex_buffer_printf(out, ", %s in, %s out", eex_text_number(in, (double)f->bytes_in, "B"),
                      eex_text_number(sent, (double)f->bytes_out, "B"));
    for (int why = 0; why < EEX_LOSSES; why++) {
        if (f->lost[why] == 0)
            continue;
        eex_buffer_printf(out, "%s%llu %s", separator, (unsigned long long)f->lost[why],
                          eex_name_of(eex_server_loss_names(), why));
        separator = ", ";
    }
}

int eex__server_print(const eex_server_figures *figures, const char *event, bool json)
{
    eex_buffer line = EEX_BUFFER_INIT;
    eex_json j = EEX_JSON_INIT(&line);
    j.compact = true;
    if (json)
        json_figures(&j, figures, event);
    else
        put_figures(&line, figures, event);
    return print_line(&line);
}
