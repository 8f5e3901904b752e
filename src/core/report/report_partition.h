/* What cutting a network between a device and a server is worth, as JSON. */
#ifndef EEX_CORE_REPORT_REPORT_PARTITION_H
#define EEX_CORE_REPORT_REPORT_PARTITION_H

#include "core/model/bottleneck.h"
#include "core/policy/adapted.h"
#include "core/run/unmet.h"

#include "base/json.h"

/* What the phase PARTITION of a run has left. */
typedef struct eex_report_partition {
    bool has_bottleneck;
    eex_bottled bottleneck; /* where it has one */
    eex_adapted adapted;
    char *no_filters; /* why there is no rival without filters; NULL: there is, or none is wanted */
    eex_unmet unmet;
} eex_report_partition;

/* NULL in *out: the run in that folder has none, or has not come so far. */
int eex_report_partition_load(eex_report_partition **out, const char *folder);
void eex_report_partition_free(eex_report_partition *partition); /* accepts NULL */

/* Where the settings are that say how the network at `path` (a run, or a file of one) is cut, the
 * caller's, who frees it; NULL in *out where there are none. A run's are for its bottleneck where
 * it has one. EEX_ENOMEM. */
int eex_report_partition_settings(char **out, const char *path);

/* Members of an object. */
void eex_report_bottled_json(eex_json *j, const eex_bottled *bottled);
void eex_report_adapted_json(eex_json *j, const eex_adapted *adapted);

/* A member "partition" of an object. */
void eex_report_partition_json(eex_json *j, const eex_report_partition *partition);

#endif
