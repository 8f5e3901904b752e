#include "core/train/familiar_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void eex_familiar_free(eex_familiar *f)
{
    if (!f)
        return;
    for (int k = 0; k < EEX_MAX_EXITS; k++) {
        free(f->center[k]);
        free(f->factor[k]);
    }
    free(f);
}

size_t eex_familiar_bytes(const eex_familiar *f)
{
    if (!f)
        return 0;
    size_t bytes = sizeof *f;
    for (int k = 0; k < f->exits; k++) {
        const size_t c = (size_t)f->channels[k];
        bytes += c * (c + 1) * sizeof **f->factor;
    }
    return bytes;
}

int eex__familiar_new(eex_familiar **out, int exits, const int *channels)
{
    eex_familiar *f = calloc(1, sizeof *f);
    *out = NULL;
    bool enough = f != NULL;
    for (int k = 0; k < exits && enough; k++) {
        const size_t c = (size_t)channels[k];
        f->exits = exits;
        f->channels[k] = channels[k];
        if (c == 0)
            continue;
        f->center[k] = calloc(c, sizeof *f->center[k]);
        f->factor[k] = calloc(c * c, sizeof *f->factor[k]);
        enough = f->center[k] && f->factor[k];
    }
    if (!enough) {
        eex_familiar_free(f);
        return eex_fail(EEX_ENOMEM, "familiarity: out of memory for %d exits", exits);
    }
    *out = f;
    return EEX_OK;
}

int eex_familiar_select(eex_familiar **out, const eex_familiar *f, const int *exits, int count)
{
    EEX_NEED(out, "place for familiarity");
    EEX_NEED(f, "familiarity");
    EEX_NEED(exits, "exits");
    if (count < 1 || count > EEX_MAX_EXITS)
        return eex_fail(EEX_EINVAL, "familiarity of %d exits: expected 1 to %d", count,
                        EEX_MAX_EXITS);
    int channels[EEX_MAX_EXITS] = {0};
    *out = NULL;
    for (int j = 0; j < count; j++) {
        if (exits[j] < 0 || exits[j] >= f->exits)
            return eex_fail(EEX_EINVAL, "familiarity: exit %d: there are 0 to %d", exits[j],
                            f->exits - 1);
        channels[j] = f->channels[exits[j]];
    }
    EEX_TRY(eex__familiar_new(out, count, channels));
    for (int j = 0; j < count; j++) {
        const size_t c = (size_t)channels[j];
        if (c == 0)
            continue;
        memcpy((*out)->center[j], f->center[exits[j]], c * sizeof(float));
        memcpy((*out)->factor[j], f->factor[exits[j]], c * c * sizeof(float));
    }
    return EEX_OK;
}

int eex__familiar_channels(const eex_graph *graph, int k)
{
    const eex_exit *exit = eex_graph_exit(graph, k);
    const int c = eex_graph_node(graph, exit->point)->c;
    return exit->blocks >= 0 && c <= EEX_FAMILIAR_CHANNELS ? c : 0;
}

/* ---- distances ---- */

void eex__familiar_pool(float *mean, const float *value, int hw, int c)
{
    memset(mean, 0, (size_t)c * sizeof *mean);
    for (int i = 0; i < hw; i++, value += c)
        for (int j = 0; j < c; j++)
            mean[j] += value[j];
    for (int j = 0; j < c; j++)
        mean[j] /= (float)hw;
}

float eex_familiar_distance(const eex_familiar *f, int k, const float *value, int hw)
{
    if (!f || !value || hw < 1 || k < 0 || k >= f->exits)
        return NAN;
    const int c = f->channels[k];
    float mean[EEX_FAMILIAR_CHANNELS], y[EEX_FAMILIAR_CHANNELS] = {0};
    if (c == 0)
        return 0;
    eex__familiar_pool(mean, value, hw, c);
    for (int j = 0; j < c; j++) {
        const float z = mean[j] - f->center[k][j];
        const float *column = f->factor[k] + (size_t)j * (size_t)c;
        for (int i = j; i < c; i++)
            y[i] += column[i] * z;
    }
    float sum = 0;
    for (int i = 0; i < c; i++)
        sum += y[i] * y[i];
    return sum / (float)c;
}

static const eex_node *point_of(const eex_graph *graph, int k)
{
    return eex_graph_node(graph, eex_graph_exit(graph, k)->point);
}

size_t eex_familiar_floats(const eex_familiar *f, const eex_graph *graph)
{
    if (!f || eex_graph_exits(graph) < f->exits)
        return 0;
    size_t most = 0;
    for (int k = 0; k < f->exits; k++) {
        const eex_node *n = point_of(graph, k);
        const size_t floats = (size_t)n->h * (size_t)n->w * (size_t)n->c;
        if (f->channels[k] > 0 && floats > most)
            most = floats;
    }
    return most;
}

int eex_familiar_measure(float *distance, const eex_familiar *f, const eex_plan *plan,
                         const eex_graph *graph, int k, float *values, int batch)
{
    EEX_NEED(distance, "place for distances");
    EEX_NEED(f, "familiarity");
    EEX_NEED(plan, "plan");
    EEX_NEED(graph, "graph");
    EEX_NEED(values, "room for values");
    if (k < 0 || k >= f->exits || f->exits > eex_graph_exits(graph) || batch < 1 ||
        batch > EEX_PLAN_MAX_BATCH)
        return eex_fail(EEX_EINVAL, "familiarity: %d inputs at exit %d: there are exits 0 to %d",
                        batch, k, f->exits - 1);
    const eex_node *n = point_of(graph, k);
    const int hw = n->h * n->w;
    if (f->channels[k] == 0) {
        memset(distance, 0, (size_t)batch * sizeof *distance);
        return EEX_OK;
    }
    EEX_TRY(eex_plan_download_value(plan, eex_graph_exit(graph, k)->point, values, batch));
    for (int i = 0; i < batch; i++)
        distance[i] =
            eex_familiar_distance(f, k, values + (size_t)i * (size_t)hw * (size_t)n->c, hw);
    return EEX_OK;
}
