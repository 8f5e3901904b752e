#include "core/policy/forecast.h"

#include "core/policy/adapt_impl.h"
#include "core/policy/store_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { COLUMNS = 4 }; /* of a file's table */

/* ---- making ---- */

static double sending_ms(const eex_forecast *f, double bits)
{
    return 8e3 * f->bytes / bits + f->server_ms;
}

static int add_point(eex_forecast *f, const eex_adapt *adapt, eex_adapter *adapter, eex_line line,
                     double bits)
{
    eex_settings settings;
    eex_settled got;
    if (f->count > 0 && bits <= f->bits[f->count - 1]) /* intervals share an end */
        return EEX_OK;
    line.bits = bits;
    EEX_TRY(eex_adapt_thresholds(&settings, adapt, bits));
    EEX_TRY(eex_adapter_judge(&got, adapter, &settings, &line, adapt->latency));
    f->bits[f->count] = bits;
    f->device_ms[f->count] = fmax(0, got.ms - got.sent * sending_ms(f, bits));
    f->sent[f->count] = got.sent;
    f->accuracy[f->count++] = got.accuracy;
    return EEX_OK;
}

int eex_forecast_make(eex_forecast *out, const eex_adapt *adapt, eex_adapter *adapter,
                      const eex_parts *parts, const eex_line *line)
{
    eex_line own = *line;
    own.bits = INFINITY;
    *out = (eex_forecast){.bytes = parts->bytes, .server_ms = eex_line_server_ms(&own, parts)};
    for (int i = 0; i < adapt->count; i++) {
        const eex__regressor *net = &adapt->net[i];
        for (int j = 0; j <= EEX_FORECAST_STEPS && out->count < EEX_FORECAST_POINTS; j++)
            EEX_TRY(add_point(out, adapt, adapter, own,
                              net->first *
                                  pow(net->last / net->first, (double)j / EEX_FORECAST_STEPS)));
    }
    return EEX_OK;
}

/* ---- asking ---- */

void eex_forecast_at(eex_settled *out, const eex_forecast *f, double bits, double latency)
{
    int i = 0;
    while (i < f->count - 2 && bits > f->bits[i + 1])
        i++;
    const double part = log(bits / f->bits[i]) / log(f->bits[i + 1] / f->bits[i]);
    const double t = fmin(fmax(part, 0), 1);
    *out = (eex_settled){.accuracy = f->accuracy[i] + t * (f->accuracy[i + 1] - f->accuracy[i]),
                         .sent = f->sent[i] + t * (f->sent[i + 1] - f->sent[i]),
                         .within = NAN};
    out->bytes = out->sent * f->bytes;
    out->ms = f->device_ms[i] + t * (f->device_ms[i + 1] - f->device_ms[i]) +
              out->sent * sending_ms(f, bits);
    out->kept = out->ms <= latency;
}

/* ---- files ---- */

int eex_forecast_save(const eex_forecast *f, eex_store_file *file, const char *group)
{
    double rows[EEX_FORECAST_POINTS * COLUMNS];
    const eex_store_shape shape = {2, {(uint64_t)f->count, COLUMNS}};
    char path[EEX__MEMBER_PATH];
    for (int i = 0; i < f->count; i++) {
        rows[COLUMNS * i] = f->bits[i];
        rows[COLUMNS * i + 1] = f->device_ms[i];
        rows[COLUMNS * i + 2] = f->sent[i];
        rows[COLUMNS * i + 3] = f->accuracy[i];
    }
    EEX_TRY(eex_store_make_group(file, group));
    EEX_TRY(eex_store_set_double(file, group, "bytes", f->bytes));
    EEX_TRY(eex_store_set_double(file, group, "server_ms", f->server_ms));
    EEX_TRY(eex__member_path(path, group, "points", "forecast"));
    EEX_TRY(eex_store_write(file, path, EEX_STORE_F64, &shape, rows));
    return eex_store_set_string(file, path, "columns",
                                "bandwidth (bit/s); ms on the device; fraction that is sent; "
                                "fraction that is right");
}

static bool is_fraction(double x)
{
    return x >= 0 && x <= 1;
}

static bool take_row(eex_forecast *f, int i, const double *row)
{
    f->bits[i] = row[0];
    f->device_ms[i] = row[1];
    f->sent[i] = row[2];
    f->accuracy[i] = row[3];
    return isfinite(row[0]) && row[0] > (i ? f->bits[i - 1] : 0) && isfinite(row[1]) &&
           row[1] >= 0 && is_fraction(row[2]) && is_fraction(row[3]);
}

int eex_forecast_load(eex_forecast *out, eex_store_file *file, const char *group)
{
    double rows[EEX_FORECAST_POINTS * COLUMNS];
    char path[EEX__MEMBER_PATH];
    eex_store_type type;
    eex_store_shape shape;
    *out = (eex_forecast){.count = 0};
    EEX_TRY(eex_store_get_double(&out->bytes, file, group, "bytes"));
    EEX_TRY(eex_store_get_double(&out->server_ms, file, group, "server_ms"));
    EEX_TRY(eex__member_path(path, group, "points", "forecast"));
    EEX_TRY(eex_store_describe(&type, &shape, file, path));
    if (!(out->bytes > 0 && isfinite(out->bytes)) ||
        !(out->server_ms >= 0 && isfinite(out->server_ms)) || shape.rank != 2 ||
        shape.extent[0] < 2 || shape.extent[0] > EEX_FORECAST_POINTS || shape.extent[1] != COLUMNS)
        return eex_store_refuse(file,
                                "%s: a forecast of 2 to %d bandwidths, of bytes above 0 and "
                                "milliseconds from 0 expected",
                                path, EEX_FORECAST_POINTS);
    EEX_TRY(eex_store_read(rows, file, path, EEX_STORE_F64, &shape));
    out->count = (int)shape.extent[0];
    for (int i = 0; i < out->count; i++)
        if (!take_row(out, i, rows + COLUMNS * (size_t)i))
            return eex_store_refuse(
                file,
                "%s: point %d has %g bit/s, %g ms, %g sent, %g right: ascending "
                "bandwidths, times from 0 and fractions expected",
                path, i, out->bits[i], out->device_ms[i], out->sent[i], out->accuracy[i]);
    return EEX_OK;
}
