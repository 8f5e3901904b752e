/* The bandwidth of a link, from the rows that were answered on it. */
#ifndef EEX_NET_METER_H
#define EEX_NET_METER_H

/* Bytes that were acknowledged over the time that this took, both summed with weights that fade: an
 * exchange counts at most 7/8 of the one behind it, and half as much with each second. */
typedef struct eex__meter {
    double bytes, seconds; /* the sums; seconds 0: nothing was measured */
    double assumed;        /* bits a second, until then */
    double least, most;    /* bits a second: of what is only assumed */
    double last;           /* when something was last measured, or the meter began */
} eex__meter;

enum { EEX__METER_IDLE = 1 }; /* seconds */

/* At first it is taken for the (geometric) middle of least and most, both above 0. */
void eex__meter_begin(eex__meter *meter, double least, double most, double now);
/* So many bytes, above 0, took so long. */
void eex__meter_add(eex__meter *meter, double bytes, double seconds, double now);
/* Nothing came through at all: it is taken for the least, whatever it was. */
void eex__meter_lose(eex__meter *meter, double now);
/* Bits a second, above 0. Where nothing is sent nothing is measured, so what has been slow would
 * stay so: with each EEX__METER_IDLE seconds without an exchange it is taken for twice as much, up
 * to the most. */
double eex__meter_bits(const eex__meter *meter, double now);

#endif
