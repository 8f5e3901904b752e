/* Prints what a network costs, as a table or as JSON, on stdout. */
#ifndef EEX_CLI_PRINT_COST_H
#define EEX_CLI_PRINT_COST_H

#include "core/graph/cost.h"
#include "core/graph/saliency.h"

enum { EEX_COST_CHOICES = 16 };

typedef struct eex_cost_report {
    const eex_graph *graph; /* with or without gates */
    eex_convention only;    /* EEX_CONVENTIONS: all of them */
    bool points;            /* also the candidate points of a backbone and the size of the space: */
    eex_points salient;
    bool probe; /* a run ranks them by a probe and keeps probe_count (0: log2 rule) */
    int probe_count;
    int choices, blocks[EEX_COST_CHOICES]; /* ascending */
    eex_act act;
    eex_gate_family family;
    int channels;    /* as eex_gate.channels */
    bool required;   /* each point has a gate */
    const int *each; /* block counts by point, where each has its own; or NULL */
    const char *title,
        *genome; /* which of several networks this is, by which values; may be NULL */
} eex_cost_report;

/* One report, or several with titles: in JSON an object of objects. */
int eex_print_costs(const eex_cost_report *reports, int count, bool json);

#endif
