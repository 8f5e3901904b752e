#include "core/policy/link.h"

#include "base/status.h"

#include <math.h>

static int check(const char *what, double value, double least)
{
    if (value >= least)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "%s of %g: %s expected", what, value,
                    least > 0 ? "more than 0" : "a number that is not below 0");
}

enum { LEAST_SPEED = 1 }; /* operations or bits a second: what is slower never answers */

int eex_parts_check(const eex_parts *s)
{
    if (s->exits < 2 || s->exits > EEX_MAX_EXITS)
        return eex_fail(EEX_EINVAL,
                        "a network of %d exits cannot be split: 2 to %d expected, the "
                        "last of them the server's",
                        s->exits, EEX_MAX_EXITS);
    for (int k = 0; k < s->exits; k++) {
        EEX_TRY(check("a trunk", s->trunk[k], 0));
        EEX_TRY(check("a gate", s->gate[k], 0));
    }
    EEX_TRY(check("a predictor", s->predictor, 0));
    EEX_TRY(check("a server's part", s->server, 0));
    return check("a message's size", s->bytes, 0);
}

int eex_line_check(const eex_line *link)
{
    EEX_TRY(check("a device's speed", link->device, LEAST_SPEED));
    EEX_TRY(check("a server's speed", link->server, LEAST_SPEED));
    EEX_TRY(check("a bandwidth", link->bits, LEAST_SPEED));
    return check("a round trip", link->round_trip_ms, 0);
}

double eex_parts_device(const eex_parts *s, int k)
{
    double sum = s->predictor;
    for (int i = 0; i <= k; i++)
        sum += s->trunk[i] + (i < s->exits - 1 ? s->gate[i] : 0);
    return sum;
}

double eex_line_device_ms(const eex_line *link, double operations)
{
    return 1000 * operations / link->device;
}

double eex_line_server_ms(const eex_line *link, const eex_parts *s)
{
    return 1000 * (8 * s->bytes / link->bits + s->server / link->server) + link->round_trip_ms;
}

int eex_line_costs(double *ms, const eex_parts *s, const eex_line *link)
{
    EEX_TRY(eex_parts_check(s));
    EEX_TRY(eex_line_check(link));
    for (int k = 0; k < s->exits; k++)
        ms[k] = eex_line_device_ms(link, eex_parts_device(s, k));
    ms[s->exits - 1] += eex_line_server_ms(link, s);
    return EEX_OK;
}
