#include "core/policy/adapt_ways.h"

#include "base/status.h"

EEX_NAMES(
    eex_way, eex_way, EEX_WAYS, [EEX_WAY_DEVICE] = "device", [EEX_WAY_SERVER] = "server",
    [EEX_WAY_JPEG] = "jpeg", [EEX_WAY_SPLIT] = "split", [EEX_WAY_STATIC] = "static",
    [EEX_WAY_PREDICTED] = "predicted", [EEX_WAY_PRUNED] = "pruned", [EEX_WAY_FILTERED] = "filtered",
    [EEX_WAY_ADAPTIVE] = "adaptive", [EEX_WAY_ORACLE] = "oracle");

bool eex_ways_have(const eex_ways *w, eex_way way)
{
    return (way != EEX_WAY_JPEG || w->jpeg > 0) && (way != EEX_WAY_PREDICTED || w->foretold) &&
           (way != EEX_WAY_PRUNED || w->narrows > 0) && (way != EEX_WAY_FILTERED || w->filtered);
}

/* ---- without exits: every input takes the same time ---- */

static eex_settled everybody(const eex_ways *w, double ms, double bytes)
{
    const bool kept = ms <= w->latency;
    return (eex_settled){.accuracy = w->end,
                         .ms = ms,
                         .within = kept,
                         .sent = bytes > 0,
                         .bytes = bytes,
                         .kept = kept};
}

static eex_settled at_server(const eex_ways *w, const eex_line *line, double operations,
                             double bytes)
{
    const eex_parts whole = {.server = operations, .bytes = bytes};
    return everybody(w, eex_line_server_ms(line, &whole), bytes);
}

static void judge_whole(eex_settled *out, const eex_ways *w, const eex_line *line)
{
    double front = 0;
    for (int k = 0; k < w->parts->exits; k++)
        front += w->parts->trunk[k];
    const double rest = w->parts->rest > 0 ? w->parts->rest : w->parts->server;
    const double all = w->whole > 0 ? w->whole : front + w->parts->server;
    const double front_ms = eex_line_device_ms(line, front);
    out[EEX_WAY_DEVICE] = everybody(w, eex_line_device_ms(line, front + rest), 0);
    out[EEX_WAY_SERVER] = at_server(w, line, all, w->image);
    if (eex_ways_have(w, EEX_WAY_JPEG))
        out[EEX_WAY_JPEG] = at_server(w, line, all, w->jpeg);
    out[EEX_WAY_SPLIT] =
        everybody(w, front_ms + eex_line_server_ms(line, w->parts), w->parts->bytes);
}

/* ---- with exits ---- */

/* The widest that keeps the requirement on the images that settings are found on, else the
 * narrowest. */
static int judge_pruned(eex_settled *out, const eex_ways *w, const eex_line *line)
{
    eex_settled found = {.kept = false};
    int i = 0;
    for (; i < w->narrows; i++) {
        EEX_TRY(eex_adapter_judge(&found, w->narrow[i].find, w->own, line, w->latency));
        if (found.kept || i == w->narrows - 1)
            break;
    }
    return eex_adapter_judge(out, w->narrow[i].show, w->own, line, w->latency);
}

static int judge_filtered(eex_settled *out, const eex_ways *w, const eex_line *line)
{
    eex_line own = *line;
    if (w->filtered_speed > 0)
        own.device = w->filtered_speed;
    return eex_adapter_judge(out, w->filtered, w->own, &own, w->latency);
}

int eex_ways_judge(eex_settled *out, const eex_ways *w, const eex_line *line)
{
    eex_settings s;
    EEX_TRY(eex_line_check(line));
    for (int i = 0; i < EEX_WAYS; i++)
        out[i] = (eex_settled){.kept = false};
    judge_whole(out, w, line);
    EEX_TRY(eex_adapter_judge(&out[EEX_WAY_STATIC], w->fixed, w->own, line, w->latency));
    if (eex_ways_have(w, EEX_WAY_PREDICTED))
        EEX_TRY(
            eex_adapter_judge(&out[EEX_WAY_PREDICTED], w->adaptive, w->foretold, line, w->latency));
    if (eex_ways_have(w, EEX_WAY_PRUNED))
        EEX_TRY(judge_pruned(&out[EEX_WAY_PRUNED], w, line));
    if (eex_ways_have(w, EEX_WAY_FILTERED))
        EEX_TRY(judge_filtered(&out[EEX_WAY_FILTERED], w, line));
    EEX_TRY(eex_adapt_thresholds(&s, w->adapt, line->bits));
    EEX_TRY(eex_adapter_judge(&out[EEX_WAY_ADAPTIVE], w->adaptive, &s, line, w->latency));
    return eex_adapter_best(&s, &out[EEX_WAY_ORACLE], w->adaptive, line, w->latency, true);
}

void eex_ways_mean(eex_way_mean *out, const eex_settled *rows, int count)
{
    for (int way = 0; way < EEX_WAYS; way++) {
        eex_way_mean sum = {.kept = 0};
        for (int i = 0; i < count; i++) {
            const eex_settled *row = &rows[i * EEX_WAYS + way];
            sum.accuracy += row->accuracy;
            sum.ms += row->ms;
            sum.within += row->within;
            sum.sent += row->sent;
            sum.bytes += row->bytes;
            sum.kept += row->kept;
        }
        out[way] = (eex_way_mean){.accuracy = sum.accuracy / count,
                                  .ms = sum.ms / count,
                                  .within = sum.within / count,
                                  .sent = sum.sent / count,
                                  .bytes = sum.bytes / count,
                                  .kept = sum.kept / count};
    }
}
