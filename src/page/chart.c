#include "page/chart.h"

#include "page/html.h"
#include "page/svg.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { X_LOW, X_HIGH, Y_LOW, Y_HIGH, NAME = 200 };

/* Points of a series that are drawn; fewer where the chart has so many already. */
enum { MOST_KEPT = 4000, MOST_OF_CHART = 20000, LEAST_KEPT = 100 };

typedef struct eex__chart_point {
    double at[4];
    bool interval;
    char text[NAME];
} kept_point;

/* Texts go into scripts between quotes, and gnuplot runs what stands in backquotes. */
static const char *harmless(char out[NAME], const char *text)
{
    snprintf(out, NAME, "%s", text);
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < 0x20 || strchr("`\"'\\@$", *c))
            *c = *c == '"' || *c == '`' || *c == '\'' ? ' ' : '_';
    return out;
}

/* ---- the script ---- */

/* What the series before looks like; its hover texts are points upon it. */
static void put_marks(eex_chart *c)
{
    static const char *const marks[] = {
        [EEX_MARK_POINTS] = NULL,        [EEX_MARK_DOTS] = NULL,
        [EEX_MARK_LINE] = "lines lw 2",  [EEX_MARK_DASHED] = "lines lw 2 dt (6,5)",
        [EEX_MARK_STEPS] = "steps lw 2", [EEX_MARK_BARS] = "boxes fs solid 0.75 noborder",
    };
    static const double size[] = {
        [EEX_MARK_POINTS] = 0.65, [EEX_MARK_DOTS] = 0.28, [EEX_MARK_LINE] = 0.35,
        [EEX_MARK_DASHED] = 0.3,  [EEX_MARK_STEPS] = 0.3, [EEX_MARK_BARS] = 0.35};
    const char *again = c->plots.size ? ", \\\n " : "plot ";
    eex_buffer_puts(&c->data, "EOD\n");
    if (c->ranged) {
        const bool band = c->mark == EEX_MARK_LINE || c->mark == EEX_MARK_STEPS;
        eex_buffer_printf(&c->plots, "%s$d%d using %s lc rgb '" EEX_SVG_COLOUR "' notitle", again,
                          c->series,
                          band ? "1:3:4 with filledcurves fs transparent solid 0.15 noborder"
                               : "1:2:3:4 with yerrorbars pt 0 lw 1.5",
                          (unsigned)c->colour);
        again = ", \\\n ";
    }
    if (marks[c->mark]) {
        eex_buffer_printf(&c->plots, "%s$d%d using 1:2 with %s lc rgb '" EEX_SVG_COLOUR "' notitle",
                          again, c->series, marks[c->mark], (unsigned)c->colour);
        again = ", \\\n ";
    }
    eex_buffer_printf(&c->plots,
                      "%s$d%d using 1:2:5 with labels hypertext point pt 7 ps %g lc rgb "
                      "'" EEX_SVG_COLOUR "' notitle",
                      again, c->series, size[c->mark], (unsigned)c->colour);
}

/* Room around what is shown. */
static void set_range(eex_buffer *out, char axis, double low, double high, double room)
{
    double edge = (high - low) * room;
    if (high - low <=
        1e-6 * fmax(fabs(low), fabs(high))) /* gnuplot refuses what it cannot divide */
        edge = fabs(high) > 0 ? 0.1 * fabs(high) : 1;
    eex_buffer_printf(out, "set %crange [%.9g:%.9g]\n", axis, low - edge, high + edge);
}

/* The largest of 1, 2 and 5 times a power of ten that leaves at most `most` steps. */
static double step_of(double length, int most)
{
    const double power = pow(10, floor(log10(length / most)));
    const double of[] = {1, 2, 5, 10};
    for (int i = 0; i < 4; i++)
        if (length / (of[i] * power) <= most)
            return of[i] * power;
    return 10 * power;
}

/* Names at even steps, few enough to stand side by side: "4.5 M". */
static void put_amounts(eex_buffer *out, const eex_chart *c)
{
    static const struct {
        double unit;
        const char *prefix;
    } units[] = {{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}, {1, ""}};
    const double low = c->range[X_LOW], high = c->range[X_HIGH];
    const double length = fmax(high - low, 1e-6 * fabs(high));
    double step = length > 0 ? step_of(length, 5) : 1;
    int u = 0;
    if (c->whole && fabs(high) < 1e5)
        u = 4;
    while (u < 4 && fmax(fabs(low), fabs(high)) < units[u].unit)
        u++;
    if (c->whole && step < 1)
        step = 1;
    eex_buffer_puts(out, "set xtics tc rgb 'black' (");
    for (int i = 0; i <= 8; i++) {
        const double x = (ceil(low / step - 1e-9) + i) * step;
        if (x > high + 1e-9 * step)
            break;
        eex_buffer_printf(out, "%s'%.6g%s' %.9g", i ? ", " : "", x / units[u].unit,
                          fabs(x) > 0 ? units[u].prefix : "", x);
    }
    eex_buffer_puts(out, ")\n");
}

static void put_script(eex_buffer *out, const eex_chart *c)
{
    char text[NAME];
    const double *r = c->range;
    eex_buffer_puts(out, "unset key\nset border 3 lw 1 lc rgb 'gray'\nset tics nomirror scale 0.4\n"
                         "set grid lw 1 dt 1 lc rgb 'gray'\nset boxwidth 0.8 relative\n"
                         "set ytics offset 0.4,0 tc rgb 'black'\n");
    if (!c->tics.size)
        put_amounts(out, c);
    else
        eex_buffer_printf(out, "set xtics %s(%s) tc rgb 'black'\n",
                          c->turned ? "rotate by -40 " : "", eex_buffer_text(&c->tics));
    eex_buffer_printf(out, "set xlabel '%s'\n", harmless(text, c->x));
    eex_buffer_printf(out, "set ylabel '%s' offset 1,0\n", harmless(text, c->y));
    set_range(out, 'x', r[X_LOW], r[X_HIGH], c->tics.size ? 0 : 0.04);
    if (c->tics.size)
        eex_buffer_printf(out, "set xrange [%.9g:%.9g]\n", r[X_LOW] - 0.6, r[X_HIGH] + 0.6);
    if (c->from_zero)
        eex_buffer_printf(out, "set yrange [0:%.9g]\n", r[Y_HIGH] > 0 ? 1.08 * r[Y_HIGH] : 1);
    else
        set_range(out, 'y', r[Y_LOW], r[Y_HIGH], 0.06);
    eex_buffer_append(out, c->data.data, c->data.size);
    eex_buffer_append(out, c->plots.data, c->plots.size);
    if (c->diagonal)
        eex_buffer_puts(out, ", \\\n x with lines lw 1 dt (3,4) lc rgb 'black' notitle");
    eex_buffer_putc(out, '\n');
}

/* ---- points ---- */

static void open_series(eex_chart *c)
{
    static const char *const shape[] = {"dot", "dot", "line", "dashed", "line", "box"};
    if (!c->wanted)
        return;
    c->wanted = false;
    c->ranged = false;
    c->series++;
    eex_buffer_printf(&c->data, "$d%d << EOD\n", c->series);
    if (!c->name)
        return;
    eex_buffer_printf(&c->legend, "<li><span class=\"%s k%d\"></span>", shape[c->mark],
                      c->colour + 1);
    eex_html_text(&c->legend, c->name);
    eex_buffer_puts(&c->legend, "</li>\n");
    eex_buffer_puts(&c->table, "<tr><th colspan=\"4\" scope=\"rowgroup\">");
    eex_html_text(&c->table, c->name);
    eex_buffer_puts(&c->table, "</th></tr>\n");
}

static void put_row(eex_chart *c, const double at[4], bool interval, const char *text)
{
    char x[EEX_TEXT_SIZE];
    eex_buffer_printf(&c->table, "<tr><td class=\"n\">%s</td><td class=\"n\">%.6g</td>",
                      eex_text_number(x, at[0], NULL), at[1]);
    if (interval)
        eex_buffer_printf(&c->table, "<td class=\"n\">%.6g to %.6g</td>", at[2], at[3]);
    else
        eex_buffer_puts(&c->table, "<td></td>");
    eex_html_cell(&c->table, "%s", text);
    eex_buffer_puts(&c->table, "</tr>\n");
}

static void put_point(eex_chart *c, const kept_point *p)
{
    char text[NAME];
    c->points++;
    c->ranged |= p->interval;
    c->any_range |= p->interval;
    eex_buffer_printf(&c->data, "%.9g %.9g %.9g %.9g \"%s\"\n", p->at[0], p->at[1], p->at[2],
                      p->at[3], harmless(text, p->text));
    put_row(c, p->at, p->interval, p->text);
}

static void close_series(eex_chart *c)
{
    if (c->seen > 0) {
        open_series(c);
        for (size_t i = 0; i < c->kept_count; i++)
            put_point(c, &c->kept[i]);
        put_marks(c);
    }
    c->all += c->seen;
    c->seen = c->kept_count = 0;
}

void eex_chart_series(eex_chart *c, const char *name, int colour, eex_mark mark)
{
    close_series(c);
    c->name = name;
    c->colour = colour % EEX_SVG_COLOURS;
    c->mark = mark;
    c->wanted = true;
}

/* Makes room when a series turns out to be long: every other point leaves. */
static void thin(eex_chart *c, size_t most)
{
    if (c->kept_count < most)
        return;
    for (size_t i = 0; 2 * i < c->kept_count; i++)
        c->kept[i] = c->kept[2 * i];
    c->kept_count = (c->kept_count + 1) / 2;
    c->each *= 2;
}

/* Place for the next point. The one before stays if it is an each-th. */
static kept_point *place(eex_chart *c)
{
    const size_t room = c->points < MOST_OF_CHART ? MOST_OF_CHART - c->points : 0;
    const size_t most = room > MOST_KEPT ? MOST_KEPT : room > LEAST_KEPT ? room : LEAST_KEPT;
    if (!c->kept)
        c->kept = malloc((MOST_KEPT + 1) * sizeof *c->kept);
    if (!c->kept) {
        c->no_memory = true;
        return NULL;
    }
    if (c->seen == 0)
        c->each = 1;
    else if ((c->seen - 1) % c->each != 0)
        c->kept_count--;
    else
        thin(c, most);
    c->seen++;
    return &c->kept[c->kept_count++];
}

static void keep_point(eex_chart *c, const double at[4], bool interval, const char *format,
                       va_list args)
{
    for (int i = 0; i < 4; i++)
        if (!isfinite(at[i]))
            return;
    const double new[4] = {at[0], at[0], at[2], at[3]};
    for (int i = 0; i < 4; i++)
        if (c->all + c->seen == 0 || (i % 2 ? new[i] > c->range[i] : new[i] < c->range[i]))
            c->range[i] = new[i];
    kept_point *p = place(c);
    if (!p)
        return;
    memcpy(p->at, at, sizeof p->at);
    p->interval = interval;
    vsnprintf(p->text, sizeof p->text, format, args);
}

void eex_chart_point(eex_chart *c, double x, double y, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    keep_point(c, (const double[4]){x, y, y, y}, false, format, args);
    va_end(args);
}

void eex_chart_interval(eex_chart *c, double x, double y, double low, double high,
                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    keep_point(c, (const double[4]){x, y, low, high}, true, format, args);
    va_end(args);
}

void eex_chart_tic(eex_chart *c, double x, const char *name)
{
    char text[NAME];
    eex_buffer_printf(&c->tics, "%s'%s' %.9g", c->tics.size ? ", " : "", harmless(text, name), x);
}

/* ---- in the page ---- */

static int put(eex_page *page, eex_chart *c)
{
    eex_buffer script = EEX_BUFFER_INIT, *out = &page->html;
    eex_buffer_puts(out, "<figure class=\"chart\"><figcaption>");
    eex_html_element(out, "strong", "%s", c->title);
    if (c->about)
        eex_html_element(out, "span", "%s", c->about);
    eex_buffer_printf(out, "<ul class=\"legend\">%s</ul></figcaption>\n",
                      eex_buffer_text(&c->legend));
    put_script(&script, c);
    EEX_TRY(eex_page_add_chart(page, &script, c->title));
    eex_buffer_printf(out, "<details><summary>%zu point%s", c->points,
                      eex_plural((int64_t)c->points));
    if (c->all > c->points)
        eex_buffer_printf(out, ", of %zu,", c->all);
    eex_buffer_puts(out, " as a table</summary>");
    eex_buffer_puts(out, "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th class=\"n\">");
    eex_html_text(out, c->x);
    eex_buffer_puts(out, "</th><th class=\"n\">");
    eex_html_text(out, c->y);
    eex_buffer_printf(out, "</th><th class=\"n\">%s</th><th></th></tr></thead><tbody>\n",
                      c->any_range ? "interval" : "");
    eex_buffer_append(out, c->table.data, c->table.size);
    eex_buffer_puts(out, "</tbody></table></div></details></figure>\n");
    return eex_buffer_status(out);
}

bool eex_chart_has_points(const eex_chart *c)
{
    return c->all + c->seen > 0;
}

enum { PARTS = 5 };

static void parts_of(eex_buffer *part[PARTS], eex_chart *c)
{
    eex_buffer *const all[PARTS] = {&c->tics, &c->data, &c->plots, &c->legend, &c->table};
    memcpy(part, all, sizeof all);
}

void eex_chart_free(eex_chart *c)
{
    eex_buffer *part[PARTS];
    parts_of(part, c);
    for (int i = 0; i < PARTS; i++)
        eex_buffer_free(part[i]);
    free(c->kept);
    c->kept = NULL;
}

int eex_chart_put(eex_page *page, eex_chart *c)
{
    eex_buffer *part[PARTS];
    int code = c->no_memory ? eex_fail(EEX_ENOMEM, "out of memory for a chart") : EEX_OK;
    close_series(c);
    parts_of(part, c);
    for (int i = 0; i < PARTS && code == EEX_OK; i++)
        code = eex_buffer_status(part[i]);
    if (code == EEX_OK && c->points > 0)
        code = put(page, c);
    eex_chart_free(c);
    return code;
}
