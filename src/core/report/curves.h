/* What the epochs of a training have told, as a file of weights or a checkpoint keeps it. */
#ifndef EEX_CORE_REPORT_CURVES_H
#define EEX_CORE_REPORT_CURVES_H

typedef struct eex_curves {
    int epochs, exits;
    double *loss, *accuracy; /* (epochs, exits) of the training images as augmented */
    double *validation;      /* (epochs, exits) after the epoch; NaN where nobody looked; NULL: of a
                              * training without a validation part */
    double seconds;
} eex_curves;

/* Reads the history in FOLDER/NAME, of that kind. {0} where there is no such file, or no history in
 * it. */
int eex_curves_load(eex_curves *out, const char *folder, const char *name, const char *kind);
void eex_curves_free(eex_curves *curves); /* leaves {0} */

/* The value of an epoch, from 0, at the last exit. */
double eex_curves_end(const eex_curves *curves, const double *column, int epoch);
/* Its mean over the exits in front of the last, where they have one; NaN: there are none. */
double eex_curves_gates(const eex_curves *curves, const double *column, int epoch);

#endif
