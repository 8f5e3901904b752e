/* ROC and risk-coverage curves of a score, from one sort. */
#include "core/policy/score_quality.h"

#include "base/status.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct ranked {
    float score;
    bool right;
} ranked;

static int surest_first(const void *a, const void *b)
{
    const float x = ((const ranked *)a)->score, y = ((const ranked *)b)->score;
    return (x < y) - (x > y);
}

/* Samples of one score are a group: any order of them is as likely, so its j-th has seen j parts of
 * the group's errors on average. */
static void walk(eex_score_quality *out, const ranked *row, int count)
{
    double wrong = 0, right = 0, pairs = 0, area = 0;
    for (int begin = 0, end; begin < count; begin = end) {
        int good = 0;
        for (end = begin; end < count && row[end].score == row[begin].score; end++)
            good += row[end].right;
        const int size = end - begin, bad = size - good;
        for (int j = 1; j <= size; j++)
            area += (wrong + (double)bad * j / size) / (begin + j);
        pairs += bad * (right + 0.5 * good); /* right ones above each wrong one */
        right += good;
        wrong += bad;
    }
    out->auroc = right > 0 && wrong > 0 ? pairs / (right * wrong) : NAN;
    out->aurc = area / count;
}

int eex_score_quality_of(eex_score_quality *out, const eex_trace *trace, int exit,
                         eex_measure measure)
{
    if (exit < 0 || exit >= trace->exits)
        return eex_fail(EEX_EINVAL, "the trace has %d exits, there is no exit %d", trace->exits,
                        exit + 1);
    ranked *row = malloc((size_t)trace->samples * sizeof *row);
    if (!row)
        return eex_fail(EEX_ENOMEM, "no memory for the scores of %d samples", trace->samples);
    const size_t first = (size_t)exit * (size_t)trace->samples;
    for (int i = 0; i < trace->samples; i++) {
        const size_t at = first + (size_t)i;
        row[i].score =
            eex_measure_of(measure, trace->confidence[at], trace->margin[at], trace->entropy[at]);
        row[i].right = trace->top[at] == trace->labels[i];
    }
    qsort(row, (size_t)trace->samples, sizeof *row, surest_first);
    walk(out, row, trace->samples);
    free(row);
    return EEX_OK;
}
