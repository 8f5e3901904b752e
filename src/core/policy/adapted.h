/* What adapting settings to the bandwidth comes to, beside other ways to answer: figures, as they
 * are reported and as a file of kind "adaptation" has them. */
#ifndef EEX_CORE_POLICY_ADAPTED_H
#define EEX_CORE_POLICY_ADAPTED_H

#include "core/policy/adapt_ways.h"
#include "core/policy/moments.h"

enum { EEX_ADAPTED_NAME = 96 };

typedef struct eex_adapted {
    double latency;     /* the requirement, milliseconds */
    eex_line line;      /* all but its bandwidth */
    int cut, bits;      /* exit behind which is cut, from 1; 32: what passes is sent as it is */
    double bytes;       /* of what is sent of an input */
    double image, jpeg; /* bytes of an image; jpeg: 0, and there is no such way */
    int quality;        /* that the JPEG's bytes were measured at; 0: were given */
    bool measured;      /* the device's speed was */
    bool predictor;     /* settings skip gates by one */
    double counted;     /* the part of a bandwidth that settings are taken for */
    double slowest;     /* at the least bandwidth the fastest settings take so long,
                         * ms; NaN: they keep the requirement */
    char node[EEX_ADAPTED_NAME];       /* of the exit at the cut */
    char convention[EEX_ADAPTED_NAME]; /* that speeds count by */
    char split[EEX_ADAPTED_NAME];      /* whose images ways are compared on */
    int images;                        /* of it */
    bool played;                       /* bandwidths are moments of a trace */
    int count;
    double *bits_per_s;  /* (count) */
    bool have[EEX_WAYS]; /* which ways there are */
    eex_settled *rows;   /* (count, EEX_WAYS) */
} eex_adapted;

void eex_adapted_free(eex_adapted *adapted); /* leaves {0} */

/* Means over its bandwidths: (EEX_WAYS). */
void eex_adapted_mean(eex_way_mean *out, const eex_adapted *adapted);

/* Into an adaptation file: attributes of its root, and /ways. */
int eex_adapted_save(const eex_adapted *adapted, eex_store_file *file);
/* EEX_ENOTFOUND: the file has no /ways, as those of an earlier eex; EEX_EFORMAT. */
int eex_adapted_load(eex_adapted *out, eex_store_file *file);

#endif
