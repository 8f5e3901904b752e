/* Cutting a network after one of its exits (NASEREX, III-C): what that leaves, and model files
 * of it.
 *
 * "Cut after exit k" has two readings. The gates in front of k stay, and samples may leave there
 * as before; or exit k is alone and every sample runs to it. Either way exit k decides about
 * everybody that reaches it. */
#ifndef EEX_CORE_MODEL_CUT_H
#define EEX_CORE_MODEL_CUT_H

#include "core/model/model.h"

typedef struct eex_cut {
    int exit; /* of the whole network, from 0: the new end */
    bool alone;
    int count, exits[EEX_MAX_EXITS]; /* those that are kept, ascending; the last one is `exit` */
} eex_cut;

eex_cut eex_cut_at(int exit, bool alone);

/* What a cut network is, without running it. */
typedef struct eex_cut_facts {
    int64_t params;            /* trained */
    int64_t bytes;             /* of all weights in a file, running statistics too */
    double macs;               /* expected of one input of the trace */
    double most_macs;          /* of one that goes to the end: what the network alone costs */
    double accuracy, rejected; /* on the trace: fractions; rejected ones are not right */
} eex_cut_facts;

/* The model's trace of a split, scored at the temperatures of the policy that the model has now
 * (which needs a model with a device where that is not the one it was stored with). */
int eex_cut_trace(eex_trace **out, const eex_model *model, const char *split);

/* Judges a cut by replaying a trace of all of the model's exits. */
int eex_cut_judge(eex_cut_facts *out, const eex_model *model, const eex_trace *trace,
                  const eex_cut *cut);

/* The cut network on the model's device, with the weights and thresholds of the whole one. Its path
 * is the model's. It belongs to the caller and shares nothing with the model but the device. */
int eex_cut_make(eex_model **out, const eex_model *model, const eex_cut *cut);

/* Which of its run's exit points each exit is at, from 1: (exits) of the model, as its file has
 * them; in order where it does not say. */
int eex_model_positions(int32_t *out, const eex_model *model);

/* Adds /exits to a model file that is being made: (exits) positions, and what the graph says. */
int eex_model_write_exits(eex_store_file *file, const eex_graph *graph, const int32_t *position);

/* Adds /origin: the model that it was made of, and which of its exits are in it. */
int eex_model_write_origin(eex_store_file *file, const eex_model *model, const eex_cut *cut);

/* Writes the cut network as a model file, with the calibration and validation traces of its exits
 * where the model has them. `cut_model` is what eex_cut_make made of `model`. PATH is complete or
 * as it was. The same cut of the same model gives the same bytes. */
int eex_cut_write(const char *path, const eex_model *cut_model, const eex_model *model,
                  const eex_cut *cut);

/* The number of an exit as people name it: "3" for the third of the network, "end" for the last,
 * or the name of the node that it reads ("features.5.add"). EEX_EINVAL names what there is. */
int eex_exit_parse(int *out, const eex_graph *graph, const char *name);

#endif
