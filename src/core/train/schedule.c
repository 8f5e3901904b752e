#include "core/train/train.h"

#include <math.h>

static double cosine(double from, double to, double t)
{
    return to + (from - to) * 0.5 * (1 + cos(M_PI * t));
}

static double fraction(double part, double whole)
{
    if (whole <= 0)
        return 1;
    double t = part / whole;
    return t < 0 ? 0 : t > 1 ? 1 : t;
}

static double stepped(const eex_schedule *s, double lr, double at)
{
    for (int i = 0; i < s->milestones; i++)
        if (at >= s->milestone[i])
            lr *= s->gamma;
    return lr;
}

double eex_schedule_rate(const eex_schedule *s, double lr, double at, int epochs)
{
    bool cycle = s->kind == EEX_SCHEDULE_ONE_CYCLE;
    if (s->warmup > 0 && at < s->warmup) {
        double t = fraction(at, s->warmup);
        return cycle ? cosine(lr / 25, lr, t) : lr * t;
    }
    double t = fraction(at - s->warmup, epochs - s->warmup);
    switch (s->kind) {
    case EEX_SCHEDULE_COSINE:
    case EEX_SCHEDULE_ONE_CYCLE:
        return cosine(lr, lr * s->final, t);
    case EEX_SCHEDULE_STEP:
        return stepped(s, lr, at);
    default:
        return lr;
    }
}
