/* Exit predictors of models (Dong et al.): a tiny network that looks at an image first and
 * says which gates of a model are worth computing for it. It lies in a file beside the model's,
 * MODEL-predictor.h5 beside MODEL.h5 (kind "predictor", docs/store-format.md), and goes with
 * thresholds of the exits: those that it imitates. */
#ifndef EEX_CORE_MODEL_PREDICTOR_H
#define EEX_CORE_MODEL_PREDICTOR_H

#include "core/graph/predictor.h"
#include "core/model/model.h"
#include "core/policy/skip.h"
#include "core/train/train.h"

/* Which images it learns from. Thresholds of its scores come from others: the calibration images,
 * or the validation images where it has learnt from those. */
typedef enum eex_exit_predictor_images {
    EEX_PREDICTOR_TRAIN,       /* those of the network: as published */
    EEX_PREDICTOR_CALIBRATION, /* fewer, which the network has not learnt from */
    EEX_PREDICTOR_BOTH,
    EEX_PREDICTOR_IMAGES
} eex_exit_predictor_images;

/* Thresholds of the exits. */
typedef enum eex_exit_predictor_lambda {
    EEX_LAMBDA_POLICY, /* the model's own policy */
    EEX_LAMBDA_GRID,   /* eex_skip_lambda on the calibration images */
    EEX_LAMBDAS
} eex_exit_predictor_lambda;

const eex_names *eex_exit_predictor_images_names(void); /* "train", "calibration", "both" */
const char *eex_exit_predictor_images_name(eex_exit_predictor_images images);
const eex_names *eex_exit_predictor_lambda_names(void); /* "policy", "grid" */
const char *eex_exit_predictor_lambda_name(eex_exit_predictor_lambda lambda);

typedef struct eex_exit_predictor_recipe {
    eex_exit_predictor_family family;
    eex_exit_predictor_images images;
    eex_exit_predictor_lambda lambda;
    double more;    /* eex_skip_choose */
    bool published; /* also the published way, which chooses thresholds on the test split */
    uint64_t seed;
    eex_precision precision; /* of its training; what it answers is calculated as the network is */
    int epochs, batch;
    double lr, lr_end; /* a cosine from lr to lr_end, SGD with momentum 0.9 */
    double weight_decay;
    int crop; /* zero padding before a random crop; 0: none */
    bool flip;
    const char *rates;      /* how its user calls lr: eex_trainer_rates */
    const char *checkpoint; /* file that keeps the training while it goes on (train/kept.h), which
                             * the caller removes once the result is stored; NULL: none does */
} eex_exit_predictor_recipe;

/* Dong et al. V-A, but for 30 epochs instead of 220. */
eex_exit_predictor_recipe eex_exit_predictor_recipe_default(void);

/* The same images without the predictor and with it; costs are multiply-accumulates. */
typedef struct eex_exit_predictor_figures {
    int samples; /* 0: there are none */
    eex_skip_outcome without, with;
} eex_exit_predictor_figures;

/* Everything in it is its own but the device of its parameters. */
struct eex_exit_predictor {
    eex_exit_predictor_recipe recipe;
    eex_graph *graph;
    eex_params *params; /* NULL where the model was opened without a device */
    int gates;
    float gamma[EEX_MAX_EXITS]; /* (gates) a gate is computed where its score is at least this */
    eex_policy *policy;         /* thresholds of the exits that it goes with */
    eex_charges charges;
    eex_exit_predictor_figures validation, test;
    eex_exit_predictor_figures
        published;   /* on the test split, thresholds chosen there: optimistic */
    float *score[2]; /* (gates, samples) of the model's calibration and validation
                      * traces: for those who replay */
    int samples[2];
};

/* Trains one for a model with exits, on its data set, and chooses its thresholds; the test split is
 * only reported on. The model's thresholds stay what they are. EEX_EINVAL: no gates, no policy, no
 * device, or gates that share a point. EEX_EINTERRUPTED. */
int eex_exit_predictor_make(eex_exit_predictor **out, const eex_model *model, eex_dataset *data,
                            const eex_exit_predictor_recipe *recipe);
void eex_exit_predictor_free(eex_exit_predictor *predictor); /* accepts NULL */

/* Whether a model can have one: what eex_exit_predictor_make refuses before it reads any images. */
int eex_exit_predictor_check(const eex_model *model);

/* The predictor `from` for another model whose early exits decide about the same values, as those
 * in front of a bottleneck do: its network and thresholds as they are, gammas and figures by what
 * `model` says of its own images. Its traces have to be of the same images. */
int eex_exit_predictor_carry(eex_exit_predictor **out, const eex_exit_predictor *from,
                             const eex_model *model, eex_dataset *data);

/* The file beside the model's. */
int eex_exit_predictor_path(char **out, const eex_model *model);
/* The same of a model file that may not be there yet. */
int eex_exit_predictor_beside(char **out, const char *model);
int eex_exit_predictor_save(const eex_exit_predictor *predictor, const eex_model *model,
                            const char *path);
/* As eex_store_fill, for files that others make: context is an eex_exit_predictor_file. */
typedef struct eex_exit_predictor_file {
    const eex_exit_predictor *predictor;
    const eex_model *model;
} eex_exit_predictor_file;
int eex_exit_predictor_fill(eex_store_file *file, const void *context);

/* Reads the model's predictor, onto the model's device. EEX_ENOTFOUND: it has none. EEX_EINVAL: the
 * file is about another network; EEX_EFORMAT. */
int eex_exit_predictor_open(eex_exit_predictor **out, const eex_model *model);

/* The model runs with its predictor from now on, and with the thresholds that this goes with.
 * EEX_ENOTFOUND: it has none, and stays as it is. */
int eex_model_use_predictor(eex_model *model);

/* What each part of the model costs, in multiply-accumulates; predictor: its graph, or NULL. */
void eex_model_charges(eex_charges *out, const eex_graph *graph, const eex_graph *predictor);

#endif
