#include "cli/plot_adapt.h"

#include "cli/print_adapt.h"
#include "page/plot.h"

#include "base/status.h"

typedef struct panel {
    const char *title;
    double (*value)(const eex_settled *s);
    bool logarithmic;
} panel;

static double latency_of(const eex_settled *s)
{
    return s->ms;
}

static double right_of(const eex_settled *s)
{
    return 100 * s->accuracy;
}

/* Told apart by people who see few colours, too: Okabe and Ito's, and grey for a bound. */
static const char *const colours[] = {
    [EEX_WAY_DEVICE] = "#000000", [EEX_WAY_SERVER] = "#56b4e9",   [EEX_WAY_JPEG] = "#0072b2",
    [EEX_WAY_SPLIT] = "#cc79a7",  [EEX_WAY_STATIC] = "#e69f00",   [EEX_WAY_PREDICTED] = "#d55e00",
    [EEX_WAY_PRUNED] = "#f0e442", [EEX_WAY_FILTERED] = "#882255", [EEX_WAY_ADAPTIVE] = "#009e73",
    [EEX_WAY_ORACLE] = "#909090"};
_Static_assert(sizeof colours / sizeof *colours == EEX_WAYS, "a colour a way");

static const panel panels[] = {{"mean latency, ms", latency_of, true},
                               {"right, %", right_of, false}};
enum { PANELS = sizeof panels / sizeof *panels };

/* A block of lines "x value" a way, one behind the other. */
static void put_block(eex_buffer *out, const eex_adapted *a, int way, const panel *p, int number)
{
    eex_buffer_printf(out, "$way%d_%d << EOD\n", way, number);
    for (int i = 0; i < a->count; i++)
        eex_buffer_printf(out, "%.9g %.9g\n", a->played ? i : a->bits_per_s[i] / 1e6,
                          p->value(&a->rows[i * EEX_WAYS + way]));
    eex_buffer_puts(out, "EOD\n");
}

static void put_panel(eex_buffer *out, const eex_adapted *a, int number)
{
    const panel *p = &panels[number];
    const char *comma = "";
    eex_buffer_printf(out, "%s logscale y\nset ylabel '%s'\nplot ",
                      p->logarithmic ? "set" : "unset", p->title);
    for (int way = 0; way < EEX_WAYS; way++) {
        if (!a->have[way])
            continue;
        eex_buffer_printf(out, "%s$way%d_%d using 1:2 with %s lc rgb '%s' lw 2 title '%s'", comma,
                          way, number, a->played ? "lines" : "linespoints", colours[way],
                          eex_way_title((eex_way)way));
        comma = ", ";
    }
    if (p->logarithmic)
        eex_buffer_printf(out, "%s %.9g with lines dt 2 lc rgb 'black' title 'requirement'", comma,
                          a->latency);
    eex_buffer_puts(out, "\n");
}

int eex_plot_adapted(const char *path, const eex_adapted *a)
{
    eex_buffer script = EEX_BUFFER_INIT;
    for (int way = 0; way < EEX_WAYS; way++)
        for (int i = 0; i < PANELS && a->have[way]; i++)
            put_block(&script, a, way, &panels[i], i);
    eex_buffer_printf(
        &script,
        "set multiplot layout 1,2\nset key below horizontal\nset grid\nset xlabel '%s'\n%s",
        a->played ? "moment of the trace" : "bandwidth, Mbit/s",
        a->played ? "" : "set logscale x\n");
    for (int i = 0; i < PANELS; i++)
        put_panel(&script, a, i);
    eex_buffer_puts(&script, "unset multiplot");
    int code = eex_buffer_status(&script);
    if (code == EEX_OK)
        code = eex_plot(path, script.data);
    eex_buffer_free(&script);
    return code;
}
