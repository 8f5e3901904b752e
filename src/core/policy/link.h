/* The latency of inference that is split between a device and a server.
 *
 * A sample that leaves at exit n of the N - 1 on the device has taken the device's part up to
 * there; one that stays is sent, and its answer is the server's. Equation 11 of the paper on early
 * exit prediction: latency = O_device / r_comp + D / r_comm, to which the server's part is added
 * where it is known (the paper takes it for negligible) and the time of a round trip.
 *
 * Everything is in milliseconds of one input, so a link's costs go wherever costs of exits go
 * (calibrate.h): replay tells a policy's mean latency, tuning meets a requirement on it. */
#ifndef EEX_CORE_POLICY_LINK_H
#define EEX_CORE_POLICY_LINK_H

#include "core/policy/calibrate.h"

/* What is done where. Amounts are operations of any kind (MACs, a convention's FLOPs), of one
 * input. The last exit's `trunk` is what the device still does for an input that it sends: an
 * encoder. */
typedef struct eex_parts {
    int exits; /* N, at least 2; the last one is the server's */
    double
        trunk[EEX_MAX_EXITS]; /* O_l: from the exit in front (or the input) to this exit's point */
    double gate[EEX_MAX_EXITS]; /* O_e: the gate; that of the last exit is unused */
    double predictor;           /* O_EP: in front of everything; 0: there is none */
    double server;              /* from what is sent to the end */
    double rest;  /* the same as the device does it, where its amounts were measured and
                   * not counted; 0: `server` */
    double bytes; /* D: that are sent of one input */
} eex_parts;

typedef struct eex_line {
    double device; /* r_comp: operations a second; 3.62e9 as published */
    double server; /* INFINITY: negligible */
    double bits;   /* r_comm: a second */
    double round_trip_ms;
} eex_line;

/* EEX_EINVAL names what is negative, not a number, or a speed of 0. */
int eex_parts_check(const eex_parts *parts);
int eex_line_check(const eex_line *link);

/* What the device does for an input that leaves at exit k and computes all gates on the way. */
double eex_parts_device(const eex_parts *parts, int k);

double eex_line_device_ms(const eex_line *link, double operations);
/* Sending, the server's part and the round trip. */
double eex_line_server_ms(const eex_line *link, const eex_parts *parts);

/* ms[k]: the latency of leaving at exit k when all gates on the way are computed, (exits) of
 * eex_exit_costs. */
int eex_line_costs(double *ms, const eex_parts *parts, const eex_line *link);

/* ---- bandwidths as they were measured ---- */

typedef struct eex_bandwidths {
    size_t count;
    double *seconds; /* (count) since the beginning, ascending: from when on */
    double *bits;    /* (count) a second, above 0 */
} eex_bandwidths;

/* From text of lines "seconds,Mbit/s"; a first line that does not begin with a number is a heading,
 * empty lines and those that begin with # are left out. EEX_EFORMAT names the line and what was
 * expected. `name` is for messages. */
int eex_bandwidths_parse(eex_bandwidths *out, const char *text, const char *name);
/* From a file of such text. EEX_ENOTFOUND, EEX_EIO; EEX_EFORMAT. */
int eex_bandwidths_read(eex_bandwidths *out, const char *path);
void eex_bandwidths_free(eex_bandwidths *trace); /* leaves {0} */

/* What holds at that time; the first one's in front of it. */
double eex_bandwidths_at(const eex_bandwidths *trace, double seconds);

#endif
