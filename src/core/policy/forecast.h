/* What settings that follow the bandwidth (adapt.h) come to, as a table by bandwidth: so that a
 * device that has no trace knows what to expect. */
#ifndef EEX_CORE_POLICY_FORECAST_H
#define EEX_CORE_POLICY_FORECAST_H

#include "core/policy/adapt.h"

enum {
    EEX_FORECAST_STEPS = 16, /* between the ends of an interval */
    EEX_FORECAST_POINTS = EEX_ADAPT_INTERVALS * EEX_FORECAST_STEPS + 1
};

typedef struct eex_forecast {
    double bytes;     /* that are sent of an input that goes on */
    double server_ms; /* what such an input takes beside sending: the server's part, a round trip */
    int count;        /* 2 to EEX_FORECAST_POINTS */
    double bits[EEX_FORECAST_POINTS];      /* a second, ascending */
    double device_ms[EEX_FORECAST_POINTS]; /* of an input on average, whether it is sent or not */
    double sent[EEX_FORECAST_POINTS];      /* the fraction of inputs */
    double accuracy[EEX_FORECAST_POINTS];
} eex_forecast;

/* From the trace of an adapter: at even distances of the logarithm within each regressor's
 * interval. `line` lends all but the bandwidth. */
int eex_forecast_make(eex_forecast *out, const eex_adapt *adapt, eex_adapter *adapter,
                      const eex_parts *parts, const eex_line *line);

/* What to expect of an input under a bandwidth, bits a second (above 0): on the device as between
 * the points beside it, sending as the bandwidth says. `within` is NAN. */
void eex_forecast_at(eex_settled *out, const eex_forecast *forecast, double bits, double latency);

int eex_forecast_save(const eex_forecast *forecast, eex_store_file *file, const char *group);
/* EEX_EFORMAT for what cannot be. */
int eex_forecast_load(eex_forecast *out, eex_store_file *file, const char *group);

#endif
