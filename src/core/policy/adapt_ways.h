/* Ways to answer on a device with a server at hand, compared on the same images under the same
 * bandwidth (Section V of the paper on early exit prediction). */
#ifndef EEX_CORE_POLICY_ADAPT_WAYS_H
#define EEX_CORE_POLICY_ADAPT_WAYS_H

#include "core/policy/adapt.h"

#include "base/names.h"

typedef enum eex_way {
    EEX_WAY_DEVICE,    /* the backbone without gates, all of it on the device */
    EEX_WAY_SERVER,    /* all of it on the server, which gets the image as it is */
    EEX_WAY_JPEG,      /* the same from a smaller image, taken to be answered alike */
    EEX_WAY_SPLIT,     /* the backbone without gates, cut where the network is */
    EEX_WAY_STATIC,    /* early exits by the thresholds of the policy */
    EEX_WAY_PREDICTED, /* by those of a predictor, which skips gates */
    EEX_WAY_PRUNED,    /* by those of the policy, and as many channels of the bottleneck sent as the
                        * requirement allows: those whose filters have the largest l2 norms */
    EEX_WAY_FILTERED, /* by those of the policy, the network without some of the device's filters */
    EEX_WAY_ADAPTIVE, /* by those of a bandwidth's regressor */
    EEX_WAY_ORACLE,   /* the best settings for these very images, no gate in vain: a bound */
    EEX_WAYS
} eex_way;

const eex_names *eex_way_names(void);
const char *eex_way_name(eex_way way); /* "device", "server", "jpeg", ... */

/* The network with fewer channels in its bottleneck: adapters of the images that settings are found
 * on, and of those that ways are shown on. */
typedef struct eex_narrow {
    eex_adapter *find, *show;
} eex_narrow;

/* What ways are judged by. Everything is borrowed, and of the same images. */
typedef struct eex_ways {
    const eex_parts *parts;       /* predictor: that of `adaptive` */
    double end;                   /* accuracy of the last exit alone */
    double whole;                 /* what a server does that does it all; 0: what the parts say */
    double image, jpeg;           /* bytes of an image; jpeg: 0, and there is no such way */
    eex_adapter *fixed;           /* without a predictor */
    const eex_settings *own;      /* of the policy */
    eex_adapter *adaptive;        /* with the predictor, where there is one */
    const eex_settings *foretold; /* those that it goes with; NULL: there is none */
    eex_adapter *filtered;        /* without some filters; NULL: there is no such way */
    double filtered_speed;        /* operations a second that its costs count by; 0: the line's */
    const eex_narrow *narrow;     /* (narrows) from the widest on, the first being the whole */
    int narrows;                  /* 0: there is no such way */
    const eex_adapt *adapt;
    double latency; /* the requirement, milliseconds */
} eex_ways;

bool eex_ways_have(const eex_ways *ways, eex_way way);

/* out: (EEX_WAYS); ways that there are not stay zero. */
int eex_ways_judge(eex_settled *out, const eex_ways *ways, const eex_line *line);

/* Means over bandwidths. */
typedef struct eex_way_mean {
    double accuracy, ms, within, sent, bytes;
    double kept; /* the fraction of bandwidths under which the mean latency keeps the requirement */
} eex_way_mean;

/* out: (EEX_WAYS); rows: (count, EEX_WAYS), count at least 1. */
void eex_ways_mean(eex_way_mean *out, const eex_settled *rows, int count);

#endif
