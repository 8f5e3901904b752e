/* Traces in files: one dataset a member of eex_trace. */
#include "core/policy/store_impl.h"
#include "core/policy/trace.h"
#include "device/decide.h"

#include "base/status.h"

#include <math.h>

enum { MEMBERS = 9, ALWAYS = 8 }; /* distances are not always there */

/* A file of a few bytes can claim any extents; beyond 4 GiB of logits it is not believed. */
#define MAX_LOGITS (INT64_C(1) << 30)

typedef struct member {
    const char *name;
    eex_store_type type;
    eex_store_shape shape;
    void *data;
    const char *unit;
} member;

static void trace_members(member m[MEMBERS], const eex_trace *t)
{
    uint64_t n = (uint64_t)t->samples, k = (uint64_t)t->exits, c = (uint64_t)t->classes;
    const eex_store_shape by_sample = {1, {n}}, by_exit = {1, {k}}, both = {2, {k, n}};
    m[0] = (member){"labels", EEX_STORE_I32, by_sample, t->labels, "class"};
    m[1] = (member){"sample", EEX_STORE_U32, by_sample, t->sample, "number in the data set"};
    m[2] = (member){"logits", EEX_STORE_F32, {3, {k, n, c}}, t->logits, "logit"};
    m[3] = (member){"temperature", EEX_STORE_F32, by_exit, t->temperature, "softmax temperature"};
    m[4] = (member){"top", EEX_STORE_I32, both, t->top, "class"};
    m[5] = (member){"confidence", EEX_STORE_F32, both, t->confidence, "probability"};
    m[6] = (member){"margin", EEX_STORE_F32, both, t->margin, "probability"};
    m[7] = (member){"entropy", EEX_STORE_F32, both, t->entropy, "nat"};
    m[8] = (member){"distance", EEX_STORE_F32, both, t->distance,
                    "squared Mahalanobis distance a channel, from training images"};
}

int eex_trace_save(const eex_trace *trace, eex_store_file *file, const char *group)
{
    EEX_NEED(trace, "trace");
    EEX_NEED(file, "file");
    EEX_NEED(group, "group");
    char path[EEX__MEMBER_PATH];
    member m[MEMBERS];
    trace_members(m, trace);
    if (*group)
        EEX_TRY(eex_store_make_group(file, group));
    EEX_TRY(eex_store_set_string(file, group, "layout", "exit, sample, class"));
    for (int i = 0; i < (trace->distance ? MEMBERS : ALWAYS); i++) {
        EEX_TRY(eex__member_path(path, group, m[i].name, "trace"));
        EEX_TRY(eex_store_write_packed(file, path, m[i].type, &m[i].shape, m[i].data));
        EEX_TRY(eex_store_set_string(file, path, "unit", m[i].unit));
    }
    return EEX_OK;
}

/* Classes index tables later on: what a file says about them is not believed. */
static int trace_check_classes(const eex_trace *t, eex_store_file *file, const char *group)
{
    size_t n = (size_t)t->samples;
    for (size_t i = 0; i < n; i++)
        if (t->labels[i] < 0 || t->labels[i] >= t->classes)
            return eex_store_refuse(file, "%s: label %d of sample %zu, expected 0 to %d", group,
                                    (int)t->labels[i], i, t->classes - 1);
    for (size_t i = 0; i < n * (size_t)t->exits; i++)
        if (t->top[i] < 0 || t->top[i] >= t->classes)
            return eex_store_refuse(file,
                                    "%s: class %d of sample %zu at exit %zu, expected 0 to %d",
                                    group, (int)t->top[i], i % n, i / n, t->classes - 1);
    return EEX_OK;
}

/* What a softmax can say, give or take what floats round away: who sorts scores or divides by them
 * relies on it. */
static int trace_check_scores(const eex_trace *t, eex_store_file *file, const char *group)
{
    const float slack = 0.001F, chaos = (1 + slack) * (logf((float)t->classes) + slack);
    const struct {
        const char *name;
        const float *value;
        float most;
    } scores[] = {{"confidence", t->confidence, 1 + slack},
                  {"margin", t->margin, 1 + slack},
                  {"entropy", t->entropy, chaos}};
    const size_t n = (size_t)t->samples, all = n * (size_t)t->exits;
    for (size_t s = 0; s < sizeof scores / sizeof *scores; s++)
        for (size_t i = 0; i < all; i++)
            if (!(scores[s].value[i] >= -slack && scores[s].value[i] <= scores[s].most))
                return eex_store_refuse(file,
                                        "%s: %s %g of sample %zu at exit %zu, expected 0 to %g",
                                        group, scores[s].name, (double)scores[s].value[i], i % n,
                                        i / n, (double)(scores[s].most - slack));
    return EEX_OK;
}

static int trace_check_logits(const eex_trace *t, eex_store_file *file, const char *group)
{
    const size_t n = (size_t)t->samples, classes = (size_t)t->classes;
    for (int k = 0; k < t->exits; k++)
        if (!(t->temperature[k] > 0) || isinf(t->temperature[k]))
            return eex_store_refuse(file, "%s: temperature %g of exit %d, expected above 0", group,
                                    (double)t->temperature[k], k);
    for (size_t i = 0; i < n * (size_t)t->exits * classes; i++)
        if (!isfinite(t->logits[i]))
            return eex_store_refuse(file, "%s: logit %g of sample %zu at exit %zu", group,
                                    (double)t->logits[i], i / classes % n, i / classes / n);
    return EEX_OK;
}

static int trace_check_distances(const eex_trace *t, eex_store_file *file, const char *group)
{
    const size_t n = (size_t)t->samples;
    for (size_t i = 0; t->distance && i < n * (size_t)t->exits; i++)
        if (!(t->distance[i] >= 0) || isinf(t->distance[i]))
            return eex_store_refuse(file, "%s: sample %zu is at a distance of %g at exit %zu",
                                    group, i % n, (double)t->distance[i], i / n);
    return EEX_OK;
}

static int trace_read(eex_trace *t, eex_store_file *file, const char *group)
{
    char path[EEX__MEMBER_PATH];
    member m[MEMBERS];
    EEX_TRY(eex__member_path(path, group, "distance", "trace"));
    if (eex_store_has(file, path))
        EEX_TRY(eex_trace_add_distance(t));
    trace_members(m, t);
    for (int i = 0; i < (t->distance ? MEMBERS : ALWAYS); i++) {
        EEX_TRY(eex__member_path(path, group, m[i].name, "trace"));
        EEX_TRY(eex_store_read(m[i].data, file, path, m[i].type, &m[i].shape));
    }
    EEX_TRY(trace_check_logits(t, file, group));
    EEX_TRY(trace_check_scores(t, file, group));
    EEX_TRY(trace_check_distances(t, file, group));
    return trace_check_classes(t, file, group);
}

static int trace_shape(eex_store_shape *s, eex_store_file *file, const char *group)
{
    char path[EEX__MEMBER_PATH];
    eex_store_type type;
    EEX_TRY(eex__member_path(path, group, "logits", "trace"));
    EEX_TRY(eex_store_describe(&type, s, file, path));
    if (type != EEX_STORE_F32 || s->rank != 3 || s->extent[0] < 1 || s->extent[0] > EEX_MAX_EXITS ||
        s->extent[1] < 1 || s->extent[1] > INT32_MAX || s->extent[2] < 1 || s->extent[2] > 1 << 20)
        return eex_store_refuse(file, "%s: expected float32 logits of (exits, samples, classes)",
                                path);
    if (s->extent[0] * s->extent[1] > (uint64_t)MAX_LOGITS / s->extent[2])
        return eex_store_refuse(file, "%s: more than %lld logits", path, (long long)MAX_LOGITS);
    return EEX_OK;
}

int eex_trace_size(size_t *bytes, eex_store_file *file, const char *group)
{
    EEX_NEED(bytes, "place for the size");
    EEX_NEED(file, "file");
    EEX_NEED(group, "group");
    char path[EEX__MEMBER_PATH];
    eex_store_shape s;
    EEX_TRY(trace_shape(&s, file, group));
    EEX_TRY(eex__member_path(path, group, "distance", "trace"));
    const int has_distance = eex_store_has(file, path);
    const eex_trace like = {
        .samples = (int)s.extent[1], .exits = (int)s.extent[0], .classes = (int)s.extent[2]};
    member m[MEMBERS];
    trace_members(m, &like);
    *bytes = sizeof like;
    for (int i = 0; i < (has_distance ? MEMBERS : ALWAYS); i++) {
        size_t member_bytes = eex_store_type_size(m[i].type);
        for (int axis = 0; axis < m[i].shape.rank; axis++)
            member_bytes *= (size_t)m[i].shape.extent[axis];
        *bytes += member_bytes;
    }
    return EEX_OK;
}

int eex_trace_load(eex_trace **out, eex_store_file *file, const char *group)
{
    EEX_NEED(out, "place for the trace");
    EEX_NEED(file, "file");
    EEX_NEED(group, "group");
    eex_store_shape s;
    *out = NULL;
    EEX_TRY(trace_shape(&s, file, group));
    EEX_TRY(eex_trace_new(out, (int)s.extent[1], (int)s.extent[0], (int)s.extent[2]));
    int status = trace_read(*out, file, group);
    if (status != EEX_OK) {
        eex_trace_free(*out);
        *out = NULL;
    }
    return status;
}
