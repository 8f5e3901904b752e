#include "core/policy/adapt_impl.h"
#include "core/policy/store_impl.h"

#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const eex_interval eex_adapt_published[EEX_ADAPT_PUBLISHED] = {
    {5, {0.1e6, 0.3e6, 0.5e6, 0.7e6, 1e6}},
    {5, {1e6, 3e6, 5e6, 7e6, 10e6}},
    {5, {10e6, 30e6, 50e6, 70e6, 100e6}},
};

/* ---- using ---- */

/* The regressor of a bandwidth: the first that reaches so far. */
static const eex__regressor *net_of(const eex_adapt *adapt, double bits)
{
    int i = 0;
    while (i < adapt->count - 1 && bits > adapt->net[i].last)
        i++;
    return &adapt->net[i];
}

int eex_adapt_thresholds(eex_settings *out, const eex_adapt *adapt, double bits)
{
    double y[EEX__ADAPT_OUTPUTS];
    const int gates = adapt->exits - 1;
    if (!(bits > 0))
        return eex_fail(EEX_EINVAL, "a bandwidth of %g bit/s: more than 0 expected", bits);
    const double counted = bits * adapt->counted; /* what is there may be less by then */
    const eex__regressor *net = net_of(adapt, counted);
    eex__regressor_run(y, net, counted, eex__adapt_outputs(adapt->exits));
    *out = (eex_settings){.exits = adapt->exits};
    memcpy(out->a, y, (size_t)gates * sizeof *y);
    memcpy(out->gamma, y + gates, (size_t)gates * sizeof *y);
    return EEX_OK;
}

double eex_adapt_latency(const eex_adapt *adapt)
{
    return adapt->latency;
}

double eex_adapt_counted(const eex_adapt *adapt)
{
    return adapt->counted;
}

void eex_adapt_free(eex_adapt *adapt)
{
    free(adapt);
}

/* ---- fitting ---- */

static int check_intervals(const eex_interval *intervals, int count, double latency)
{
    double before = 0;
    if (count < 1 || count > EEX_ADAPT_INTERVALS)
        return eex_fail(EEX_EINVAL, "adapting: %d intervals of bandwidths, 1 to %d expected", count,
                        EEX_ADAPT_INTERVALS);
    if (!(latency > 0 && isfinite(latency)))
        return eex_fail(EEX_EINVAL, "adapting: a latency of %g ms: more than 0 expected", latency);
    for (int i = 0; i < count; i++) {
        const eex_interval *in = &intervals[i];
        if (in->count < 2 || in->count > EEX_ADAPT_POINTS || !(in->bits[0] >= before))
            return eex_fail(EEX_EINVAL,
                            "adapting: interval %d has %d bandwidths from %g bit/s: 2 to %d "
                            "expected, behind those of the interval in front",
                            i + 1, in->count, in->bits[0], EEX_ADAPT_POINTS);
        for (int j = 0; j < in->count; j++, before = in->bits[j - 1])
            if (!(in->bits[j] > (j ? before : 0)) || !isfinite(in->bits[j]))
                return eex_fail(EEX_EINVAL,
                                "adapting: bandwidth %d of interval %d is %g bit/s: ascending ones "
                                "above 0 expected",
                                j + 1, i + 1, in->bits[j]);
    }
    return EEX_OK;
}

static int fit_interval(eex__regressor *net, eex_adapter *adapter, const eex_interval *interval,
                        eex_line line, double latency)
{
    double *target = NULL;
    eex_settings s;
    int code = EEX_OK, outputs = 0;
    for (int i = 0; i < interval->count && code == EEX_OK; i++) {
        line.bits = interval->bits[i];
        if (eex_interrupted())
            code = eex_fail(EEX_EINTERRUPTED, "interrupted while adapting thresholds");
        if (code == EEX_OK)
            code = eex_adapter_best(&s, NULL, adapter, &line, latency, false);
        if (code < 0)
            break;
        outputs = eex__adapt_outputs(s.exits);
        if (!target)
            target = calloc((size_t)(interval->count * outputs), sizeof *target);
        if (!target)
            return eex_fail(EEX_ENOMEM, "adapting: out of memory for settings");
        memcpy(target + i * outputs, s.a, (size_t)(s.exits - 1) * sizeof *target);
        memcpy(target + i * outputs + s.exits - 1, s.gamma, (size_t)(s.exits - 1) * sizeof *target);
    }
    if (code == EEX_OK)
        eex__regressor_fit(net, interval, target, outputs);
    free(target);
    return code;
}

/* Whether the requirement is kept wherever it can be, at bandwidths between those of the
 * intervals. */
static int keeps(bool *all, const eex_adapt *adapt, eex_adapter *adapter, eex_line line)
{
    enum { BETWEEN = 12 };
    *all = true;
    for (int i = 0; i < adapt->count && *all; i++)
        for (int j = 0; j <= BETWEEN && *all; j++) {
            const eex__regressor *net = &adapt->net[i];
            eex_settings s;
            eex_settled got, best;
            line.bits = net->first * pow(net->last / net->first, (double)j / BETWEEN);
            EEX_TRY(eex_adapt_thresholds(&s, adapt, line.bits));
            EEX_TRY(eex_adapter_judge(&got, adapter, &s, &line, adapt->latency));
            if (got.kept)
                continue;
            EEX_TRY(eex_adapter_best(&s, &best, adapter, &line, adapt->latency, false));
            *all = !best.kept;
        }
    return EEX_OK;
}

static int count_on(eex_adapt *adapt, eex_adapter *adapter, const eex_line *line)
{
    static const double parts[] = {1, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.35, 0.25};
    bool all = false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !all; i++) {
        adapt->counted = parts[i];
        EEX_TRY(keeps(&all, adapt, adapter, *line));
    }
    return EEX_OK;
}

int eex_adapt_fit(eex_adapt **out, eex_adapter *adapter, const eex_interval *intervals, int count,
                  const eex_line *line, double latency)
{
    eex_settings own;
    *out = NULL;
    EEX_TRY(check_intervals(intervals, count, latency));
    eex_adapt *adapt = calloc(1, sizeof *adapt);
    if (!adapt)
        return eex_fail(EEX_ENOMEM, "adapting: out of memory");
    eex_adapter_static(&own, adapter);
    adapt->exits = own.exits;
    adapt->count = count;
    adapt->latency = latency;
    int code = EEX_OK;
    for (int i = 0; i < count && code == EEX_OK; i++)
        code = fit_interval(&adapt->net[i], adapter, &intervals[i], *line, latency);
    if (code == EEX_OK)
        code = count_on(adapt, adapter, line);
    if (code < 0)
        eex_adapt_free(adapt);
    else
        *out = adapt;
    return code;
}

/* ---- files ---- */

static int rows_of(const eex_adapt *a)
{
    return 2 * EEX_ADAPT_HIDDEN + eex__adapt_outputs(a->exits) * (EEX_ADAPT_HIDDEN + 3) + 2;
}

/* A regressor's numbers in the order that a file has them in: taken from there with `read`. */
static void copy_row(double *row, eex__regressor *net, int outputs, bool read)
{
    const struct {
        double *at;
        int count;
    } members[] = {{&net->first, 1},
                   {&net->last, 1},
                   {net->weight, 2 * EEX_ADAPT_HIDDEN + outputs * (EEX_ADAPT_HIDDEN + 1)},
                   {net->low, outputs},
                   {net->high, outputs}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const size_t bytes = (size_t)members[i].count * sizeof *row;
        memcpy(read ? members[i].at : row, read ? row : members[i].at, bytes);
        row += members[i].count;
    }
}

static int save_nets(const eex_adapt *a, eex_store_file *file, const char *path)
{
    const size_t columns = (size_t)rows_of(a);
    const eex_store_shape shape = {2, {(uint64_t)a->count, columns}};
    double *rows = calloc((size_t)a->count * columns, sizeof *rows);
    if (!rows)
        return eex_fail(EEX_ENOMEM, "adapting: out of memory for a file");
    for (int i = 0; i < a->count; i++) {
        eex__regressor net = a->net[i];
        copy_row(rows + (size_t)i * columns, &net, eex__adapt_outputs(a->exits), false);
    }
    int code = eex_store_write(file, path, EEX_STORE_F64, &shape, rows);
    free(rows);
    EEX_TRY(code);
    return eex_store_set_string(
        file, path, "columns",
        "first and last bandwidth (bit/s); w, b of 8 hidden units; for each "
        "output 8 weights and a bias; lowest outputs; highest outputs");
}

int eex_adapt_save(const eex_adapt *a, eex_store_file *file, const char *group)
{
    char path[EEX__MEMBER_PATH];
    if (*group)
        EEX_TRY(eex_store_make_group(file, group));
    EEX_TRY(eex_store_set_int(file, group, "exits", a->exits));
    EEX_TRY(eex_store_set_double(file, group, "latency_ms", a->latency));
    EEX_TRY(eex_store_set_double(file, group, "counted", a->counted));
    EEX_TRY(eex_store_set_string(file, group, "outputs",
                                 "for each exit but the last the policy's a, then for each gamma"));
    EEX_TRY(eex__member_path(path, group, "regressors", "adaptation"));
    return save_nets(a, file, path);
}

static int check_net(const eex_adapt *a, int i, const double *row, const eex_store_file *file)
{
    for (int j = 0; j < rows_of(a); j++)
        if (!isfinite(row[j]))
            return eex_store_refuse(file, "number %d of regressor %d is %g", j, i, row[j]);
    const eex__regressor *net = &a->net[i];
    if (!(net->first > 0 && net->last > net->first) || (i && net->first < a->net[i - 1].last))
        return eex_store_refuse(file,
                                "regressor %d is for %g to %g bit/s: ascending bandwidths expected",
                                i, net->first, net->last);
    return EEX_OK;
}

static int read_nets(eex_adapt *a, eex_store_file *file, const char *path)
{
    const size_t columns = (size_t)rows_of(a);
    eex_store_type type;
    eex_store_shape shape;
    EEX_TRY(eex_store_describe(&type, &shape, file, path));
    if (shape.rank != 2 || shape.extent[0] < 1 || shape.extent[0] > EEX_ADAPT_INTERVALS ||
        shape.extent[1] != columns)
        return eex_store_refuse(file, "%s: expected 1 to %d regressors of %zu numbers", path,
                                EEX_ADAPT_INTERVALS, columns);
    a->count = (int)shape.extent[0];
    double *rows = calloc((size_t)a->count * columns, sizeof *rows);
    if (!rows)
        return eex_fail(EEX_ENOMEM, "adapting: out of memory for %d regressors", a->count);
    int code = eex_store_read(rows, file, path, EEX_STORE_F64, &shape);
    for (int i = 0; i < a->count && code == EEX_OK; i++) {
        copy_row(rows + (size_t)i * columns, &a->net[i], eex__adapt_outputs(a->exits), true);
        code = check_net(a, i, rows + (size_t)i * columns, file);
    }
    free(rows);
    return code;
}

static int read_all(eex_adapt *a, eex_store_file *file, const char *group)
{
    char path[EEX__MEMBER_PATH];
    int64_t exits;
    EEX_TRY(eex_store_get_int(&exits, file, group, "exits"));
    EEX_TRY(eex_store_get_double(&a->latency, file, group, "latency_ms"));
    EEX_TRY(eex_store_get_double(&a->counted, file, group, "counted"));
    if (exits < 2 || exits > EEX_MAX_EXITS || !(a->latency > 0) ||
        !(a->counted > 0 && a->counted <= 1))
        return eex_store_refuse(file,
                                "settings of %lld exits for %g ms by %g of the bandwidth: 2 to %d "
                                "exits, more than 0 ms and a part from 0 to 1 expected",
                                (long long)exits, a->latency, a->counted, EEX_MAX_EXITS);
    a->exits = (int)exits;
    EEX_TRY(eex__member_path(path, group, "regressors", "adaptation"));
    return read_nets(a, file, path);
}

int eex_adapt_load(eex_adapt **out, eex_store_file *file, const char *group)
{
    *out = NULL;
    eex_adapt *a = calloc(1, sizeof *a);
    if (!a)
        return eex_fail(EEX_ENOMEM, "adapting: out of memory");
    int code = read_all(a, file, group);
    if (code < 0)
        eex_adapt_free(a);
    else
        *out = a;
    return code;
}
