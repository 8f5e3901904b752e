/* Reports of model files: what `eex show MODEL.h5` prints. */
#ifndef EEX_CORE_REPORT_REPORT_MODEL_H
#define EEX_CORE_REPORT_REPORT_MODEL_H

#include "core/model/model.h"
#include "core/policy/replay.h"

#include "base/buffer.h"

typedef struct eex_model_report {
    const eex_model *model; /* borrowed; a device is not needed */
    char *origin;           /* model that it was cut from; NULL */
    int origin_exits;
    int32_t kept[EEX_MAX_EXITS]; /* exits of that model, from 1 */
    int kept_count;
    int samples;                 /* of the validation split; 0: the model keeps no trace of it */
    eex_outcome outcome;         /* of the policy on it */
    double alone[EEX_MAX_EXITS]; /* accuracy of each exit by itself */
    double macs[EEX_MAX_EXITS];  /* of an input that leaves there, everything executed */
    int64_t params, bytes;       /* trained ones; of all weights in the file */
} eex_model_report;

int eex_model_report_load(eex_model_report **out, const eex_model *model);
void eex_model_report_free(eex_model_report *report); /* accepts NULL */

/* For people, at most `width` columns wide; 0: any. */
int eex_model_report_table(eex_buffer *out, const eex_model_report *report, size_t width);
int eex_model_report_json(eex_buffer *out, const eex_model_report *report);

#endif
