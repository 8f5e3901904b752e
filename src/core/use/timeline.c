#include "core/use/timeline.h"

static void add_row(eex_timeline_row *to, const eex_timeline_row *from)
{
    to->frames += from->frames;
    to->rejected += from->rejected;
    to->ms += from->ms;
    to->slowest = from->slowest > to->slowest ? from->slowest : to->slowest;
    for (int k = 0; k < EEX_MAX_EXITS; k++)
        to->left[k] += from->left[k];
}

static void halve(eex_timeline *t)
{
    for (int i = 0; i < EEX_TIMELINE_ROWS / 2; i++) {
        eex_timeline_row row = t->row[2 * i];
        add_row(&row, &t->row[2 * i + 1]);
        t->row[i] = row;
    }
    t->rows = EEX_TIMELINE_ROWS / 2;
    t->per_row *= 2;
}

void eex_timeline_add(eex_timeline *t, int exit, bool rejected, double ms)
{
    if (t->rows == 0)
        t->per_row = EEX_TIMELINE_FIRST;
    if (t->rows == 0 || t->row[t->rows - 1].frames == t->per_row) {
        if (t->rows == EEX_TIMELINE_ROWS)
            halve(t);
        t->row[t->rows++] = (eex_timeline_row){.frames = 0};
    }
    eex_timeline_row *row = &t->row[t->rows - 1];
    row->frames++;
    row->rejected += rejected;
    row->left[exit]++;
    row->ms += ms;
    row->slowest = ms > row->slowest ? ms : row->slowest;
}
