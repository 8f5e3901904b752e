#include "net/meter.h"

#include <math.h>

static const double most_doublings = 40;

void eex__meter_begin(eex__meter *m, double least, double most, double now)
{
    *m = (eex__meter){.assumed = sqrt(least * most), .least = least, .most = most, .last = now};
}

void eex__meter_add(eex__meter *m, double bytes, double seconds, double now)
{
    const double keep = fmin(0.875, exp2(m->last - now));
    if (!(seconds > 0) || !(bytes > 0))
        return;
    m->bytes = keep * m->bytes + bytes;
    m->seconds = keep * m->seconds + seconds;
    m->last = now;
}

void eex__meter_lose(eex__meter *m, double now)
{
    m->bytes = m->seconds = 0;
    m->assumed = m->least;
    m->last = now;
}

double eex__meter_bits(const eex__meter *m, double now)
{
    const double bits = m->seconds > 0 ? 8 * m->bytes / m->seconds : m->assumed;
    const double idle = floor((now - m->last) / EEX__METER_IDLE);
    return fmax(bits, fmin(m->most, bits * exp2(fmin(fmax(idle, 0), most_doublings))));
}
