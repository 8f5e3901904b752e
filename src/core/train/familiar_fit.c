/* Centre and covariance of what training images are like, and the factor that distances take. */
#include "core/train/familiar_impl.h"
#include "core/train/survey.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Part of the mean variance that every direction has at least: of directions that no training image
 * takes nothing is known. */
static const double RIDGE = 1e-3;

typedef struct moments {
    double *sum;     /* (channels) */
    double *product; /* (channels, channels), below and on the diagonal */
    float *mean;     /* (channels) of the sample in hand */
} moments;

typedef struct fit {
    eex_familiar *f;
    moments of[EEX_MAX_EXITS];
    float *values; /* (batch, largest value) */
} fit;

static void fit_free(fit *t)
{
    for (int k = 0; k < EEX_MAX_EXITS; k++) {
        free(t->of[k].sum);
        free(t->of[k].product);
        free(t->of[k].mean);
    }
    free(t->values);
}

static int fit_new(fit *t, const eex_graph *graph, int batch)
{
    bool enough = true;
    for (int k = 0; k < t->f->exits && enough; k++) {
        const size_t c = (size_t)t->f->channels[k];
        moments *m = &t->of[k];
        m->sum = calloc(c + 1, sizeof *m->sum);
        m->product = calloc(c * c + 1, sizeof *m->product);
        m->mean = calloc(c + 1, sizeof *m->mean);
        enough = m->sum && m->product && m->mean;
    }
    const size_t floats = eex_familiar_floats(t->f, graph);
    t->values = malloc((floats * (size_t)batch + 1) * sizeof *t->values);
    return enough && t->values
               ? EEX_OK
               : eex_fail(EEX_ENOMEM, "familiarity: out of memory for %d images", batch);
}

static void add_sample(moments *m, const float *value, int hw, int c)
{
    eex__familiar_pool(m->mean, value, hw, c);
    for (int i = 0; i < c; i++) {
        const double x = (double)m->mean[i];
        double *row = m->product + (size_t)i * (size_t)c;
        m->sum[i] += x;
        for (int j = 0; j <= i; j++)
            row[j] += x * (double)m->mean[j];
    }
}

static int add_exit(void *context, const eex_survey_place *at, int k)
{
    fit *t = context;
    const int point = eex_graph_exit(at->graph, k)->point, c = t->f->channels[k];
    if (c == 0)
        return EEX_OK;
    const eex_node *n = eex_graph_node(at->graph, point);
    const size_t floats = (size_t)n->h * (size_t)n->w * (size_t)c;
    EEX_TRY(eex_plan_download_value(at->plan, point, t->values, at->batch->count));
    for (int i = 0; i < at->batch->count; i++)
        add_sample(&t->of[k], t->values + (size_t)i * floats, n->h * n->w, c);
    return EEX_OK;
}

/* The covariance, below and on the diagonal, in place of the products. */
static void covariance(moments *m, int c, double count)
{
    double trace = 0;
    for (int i = 0; i < c; i++) {
        double *row = m->product + (size_t)i * (size_t)c;
        for (int j = 0; j <= i; j++)
            row[j] = row[j] / count - m->sum[i] / count * (m->sum[j] / count);
        trace += row[i];
    }
    const double ridge = trace > 0 ? RIDGE * trace / c : 1;
    for (int i = 0; i < c; i++)
        m->product[(size_t)i * (size_t)c + (size_t)i] += ridge;
}

/* a = L L^T, L in place. */
static void cholesky(double *a, int c)
{
    for (int i = 0; i < c; i++)
        for (int j = 0; j <= i; j++) {
            double sum = a[i * c + j];
            for (int k = 0; k < j; k++)
                sum -= a[i * c + k] * a[j * c + k];
            a[i * c + j] = i == j ? sqrt(fmax(sum, 1e-30)) : sum / a[j * c + j];
        }
}

/* The columns of the inverse of a lower triangle: forward substitution of unit vectors. */
static void invert(float *columns, const double *l, int c, double *x)
{
    for (int j = 0; j < c; j++)
        for (int i = j; i < c; i++) {
            double sum = i == j ? 1 : 0;
            for (int k = j; k < i; k++)
                sum -= l[i * c + k] * x[k];
            x[i] = sum / l[i * c + i];
            columns[(size_t)j * (size_t)c + (size_t)i] = (float)x[i];
        }
}

static int finish(fit *t, size_t count)
{
    double *x = malloc(EEX_FAMILIAR_CHANNELS * sizeof *x);
    if (!x)
        return eex_fail(EEX_ENOMEM, "familiarity: out of memory");
    for (int k = 0; k < t->f->exits; k++) {
        const int c = t->f->channels[k];
        moments *m = &t->of[k];
        for (int i = 0; i < c; i++)
            t->f->center[k][i] = (float)(m->sum[i] / (double)count);
        covariance(m, c, (double)count);
        cholesky(m->product, c);
        invert(t->f->factor[k], m->product, c, x);
    }
    free(x);
    return EEX_OK;
}

int eex_familiar_fit(eex_familiar **out, const eex_graph *graph, eex_params *params,
                     eex_dataset *data, const uint32_t *samples, size_t count,
                     const eex_inference *how)
{
    EEX_NEED(out, "place for familiarity");
    EEX_NEED(graph, "graph");
    EEX_NEED(params, "parameters");
    EEX_NEED(data, "data set");
    EEX_NEED(samples, "samples");
    EEX_NEED(how, "way to run it");
    if (count < 1)
        return eex_fail(EEX_EINVAL, "familiarity of %s: no samples to learn it from",
                        eex_graph_name(graph));
    static const eex_visitor visitor = {.segment = add_exit};
    fit t = {0};
    int channels[EEX_MAX_EXITS] = {0};
    const int exits = eex_graph_exits(graph);
    for (int k = 0; k < exits; k++)
        channels[k] = eex__familiar_channels(graph, k);
    *out = NULL;
    const eex_survey survey = {
        .title = "learning what is familiar",
        .graph = graph,
        .params = params,
        .data = data,
        .samples = samples,
        .count = count,
        .how = how,
        .exits = exits,
        .visitor = &visitor,
        .context = &t,
    };
    int code = eex__familiar_new(&t.f, exits, channels);
    if (code == EEX_OK)
        code = fit_new(&t, graph, how->batch);
    if (code == EEX_OK)
        code = eex_survey_run(&survey);
    if (code == EEX_OK)
        code = finish(&t, count);
    fit_free(&t);
    if (code < 0) {
        eex_familiar_free(t.f);
        return code;
    }
    *out = t.f;
    return EEX_OK;
}
