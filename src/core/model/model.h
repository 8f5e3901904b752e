/* Models: a network that can be run, from its file alone.
 *
 * A model file (kind "weights") says what the network is (/graph), what it was trained to read
 * (/input), its weights (/params), in which precision it was calibrated and, where it has exits,
 * when samples leave (/policy). A run's
 * folder holds two, final.h5 and base.h5; `eex prune` writes others. docs/store-format.md has the
 * layout. */
#ifndef EEX_CORE_MODEL_MODEL_H
#define EEX_CORE_MODEL_MODEL_H

#include "core/data/identity.h"
#include "core/plan/params.h"
#include "core/plan/plan.h"
#include "core/policy/policy.h"
#include "core/policy/trace.h"
#include "core/train/familiar.h"

/* What a network was trained to read, and what its outputs are called. */
typedef struct eex_input {
    char *dataset;               /* its name */
    int height, width, channels; /* of the data's images; a network of another size resizes them */
    float mean[3], std[3];       /* of values in 0..1, for each channel */
    eex_store_list classes;      /* names, in the order of the outputs */
    eex_identity made_of;        /* the data set as it was; unknown in files of an earlier eex */
} eex_input;

typedef struct eex_exit_predictor eex_exit_predictor; /* predictor.h */

/* Everything in it belongs to the model, but for the device. */
typedef struct eex_model {
    char *path; /* of its file */
    eex_graph *graph;
    eex_params *params;            /* NULL when it was opened without a device */
    eex_policy *policy;            /* NULL: nobody leaves before the end */
    bool other_policy;             /* that was put in the place of the file's own */
    eex_familiar *familiar;        /* NULL: it does not know what is familiar to it */
    eex_exit_predictor *predictor; /* says which gates are computed; NULL: all are */
    eex_input input;
    eex_precision precision; /* of the scores that its thresholds and traces are made from */
    eex_precision runs_in;   /* what it calculates in: that, unless it was changed */
    eex_plan_part part;      /* of the network, whose weights are there; {0}: all are */
    uint8_t *prints;         /* (EEX_PRECISIONS, 32) of the whole, in a file that has a part alone
                              * (front.h): what model_print.h says in each precision; else NULL */
} eex_model;

typedef enum eex_model_part {
    EEX_MODEL_BEST, /* the network with exits that a run has chosen */
    EEX_MODEL_BASE  /* the backbone alone, trained by the same recipe */
} eex_model_part;

/* Whether there is a run in that folder, or a file of that name, which only opening looks into.
 * EEX_ENOTFOUND says what was expected. */
int eex_model_find(const char *path);

/* Opens a run's folder or a model file. A file is only what it is: EEX_MODEL_BASE is refused with
 * EEX_ENOTFOUND unless it has no policy. `device` is borrowed and outlives the model; NULL leaves
 * the weights where they are, for work on the structure and on traces alone.
 *
 * EEX_ENOTFOUND: no such run, or it has not come that far. EEX_EFORMAT: graph, weights and policy
 * do not fit each other; the message names what. */
int eex_model_open(eex_model **out, const char *path, eex_model_part part, eex_device *device);

/* The network that a run has chosen, or a file's, with the weights of a part alone, as
 * core/engine/part.h runs them: no others are read into memory. cut -1: behind the last early exit,
 * or as a file has it that keeps a device's part (front.h). EEX_EINVAL: it cannot be cut there, or
 * the file does not have that part. */
int eex_model_open_part(eex_model **out, const char *path, eex_plan_part part, eex_device *device);
void eex_model_close(eex_model *model); /* accepts NULL */

/* Memory of the host that it takes beside its weights, which its device counts as held. */
size_t eex_model_bytes(const eex_model *model);

/* Puts a policy in the place of the model's own and takes it over, also on failure: EEX_EINVAL when
 * it is for another number of exits or classes. NULL: nobody leaves early. */
int eex_model_set_policy(eex_model *model, eex_policy *policy);

/* The same from a file of kind "policy", as `eex tune` writes them. A file that says which exits it
 * is for is refused by a network whose exits are elsewhere, one that says from which data its
 * thresholds come by a network that was made from others, and one that says for which weights by a
 * network of other ones. */
int eex_model_load_policy(eex_model *model, const char *path);

/* One threshold for all exits but the last, at the temperatures of the model's own policy: a
 * probability for confidence and margin, at most so many nats for entropy, deviations for per_class
 * (which needs a model whose policy is per_class). Nobody is rejected by score unless the model's
 * own policy is of this kind and rejects so; by distance those that it rejects. */
int eex_model_threshold(eex_model *model, eex_policy_kind kind, double threshold);

/* Lets it calculate in another precision than the one that its thresholds are made from: decisions
 * near a threshold may differ. EEX_EINVAL: no precision to decide in; EEX_EUNSUPPORTED: its device
 * does not have it. */
int eex_model_set_precision(eex_model *model, eex_precision precision);

/* How it is run: its mean, deviation and size of images, in the precision that it runs in. */
eex_inference eex_model_inference(const eex_model *model, int batch);

/* Whether it is the network that the run in the same folder has chosen: its traces and tables lie
 * in files beside it. */
bool eex__model_in_run(const eex_model *model);

/* What every exit said about a split, "calibration" or "validation", scored at the temperatures of
 * the policy that came with the model. EEX_ENOTFOUND where it was not kept, EEX_EFORMAT where it is
 * of another network or scored otherwise. */
int eex_model_trace(eex_trace **out, const eex_model *model, const char *split);

/* ---- writing ---- */

/* Adds /graph, /input and /params, and /policy and /familiar unless these are NULL, to a file that
 * is being made. `precision` is what the scores behind the policy were calculated in. */
int eex_model_write(eex_store_file *file, const eex_graph *graph, const eex_params *params,
                    const eex_policy *policy, const eex_familiar *familiar, const eex_input *input,
                    eex_precision precision);

/* Begins a policy file: the policy, which exits of the model's network it is for, and which data
 * the model was made from. The caller adds what else there is to say and commits. */
int eex_policy_file(eex_store_file **out, const char *path, const eex_policy *policy,
                    const eex_model *model);
/* The same of a file with settings by bandwidth (adapt.h) that go into that policy. */
int eex_adaptation_file(eex_store_file **out, const char *path, const eex_policy *policy,
                        const eex_model *model);
/* What both begin with, into a file that somebody else makes. */
int eex_adaptation_fill(eex_store_file *file, const eex_policy *policy, const eex_model *model);

/* What a network reads that is trained on this data set; looks at the images of one that has no
 * fingerprint. */
int eex_input_of_dataset(eex_input *out, eex_dataset *data);
int eex_input_copy(eex_input *out, const eex_input *from);
/* An input's members, under `group`. */
int eex_input_save(const eex_input *input, eex_store_file *file, const char *group);
int eex_input_load(eex_input *out, eex_store_file *file, const char *group);
void eex_input_free(eex_input *input); /* leaves {0} */

#endif
