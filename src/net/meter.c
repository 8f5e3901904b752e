#include "net/meter.h"

#include <math.h>

static const double least_bits = 1, most_doublings = 40;

void eex__meter_begin(eex__meter *m, double assumed, double most, double now)
{
    *m = (eex__meter){.assumed = assumed, .most = most, .last = now};
}

void eex__meter_add(eex__meter *m, double bytes, double seconds, double now)
{
    const double keep = fmin(0.875, exp2(m->last - now));
    if (!(seconds > 0) || !(bytes >= 0))
        return;
    m->bytes = keep * m->bytes + bytes;
    m->seconds = keep * m->seconds + seconds;
    m->last = now;
}

double eex__meter_bits(const eex__meter *m, double now)
{
    const double there = m->seconds > 0 ? 8 * m->bytes / m->seconds : m->assumed;
    const double bits = fmax(there, least_bits);
    const double idle = floor((now - m->last) / EEX__METER_IDLE);
    return fmax(bits, fmin(m->most, bits * exp2(fmin(fmax(idle, 0), most_doublings))));
}
