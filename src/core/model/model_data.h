/* The images that a model was made with: its data set and the parts of it. */
#ifndef EEX_CORE_MODEL_MODEL_DATA_H
#define EEX_CORE_MODEL_MODEL_DATA_H

#include "core/data/split.h"
#include "core/model/model.h"

/* Compares a data set with what the model was made from. *own: it is the model's, by its content or
 * by what it is called. EEX_EINVAL when it is called like the model's and is not what the model, or
 * the run that the model lies in, was made from; the message describes both. *compared: whether
 * anything said what that was, which models of an earlier eex away from their run do not. Other
 * data sets are no business of the model's: EEX_OK. */
int eex_model_data_check(bool *own, bool *compared, const eex_model *model, eex_dataset *data);

/* Opens a data set by name or path; NULL: the one that the model was trained on. It is checked, and
 * a warning says where that cannot be done. */
int eex_model_data_open(eex_dataset **out, const eex_model *model, const char *name);

/* The same for commands that feed its images to the network as they are: EEX_EINVAL unless the
 * data set has images of the model's size and as many classes. */
int eex_model_data_own(eex_dataset **out, const eex_model *model, const char *name);

/* Whether labels of the data set are classes of the model: the same names in the same order. */
bool eex_model_data_fits(const eex_model *model, const eex_dataset *data);

/* EEX_EINVAL where they are not, with the first difference. */
int eex_model_data_classes(const eex_model *model, const eex_dataset *data);

/* The samples of a part, of a data set that eex_model_data_check accepts: "train", "calibration",
 * "validation" or "test" of the run that the model belongs to. For a model file away from its run
 * "train" and "test" are the data set's own, and "calibration" and "validation" those of the traces
 * that it keeps; for other data sets than the model's these are refused (EEX_ENOTFOUND). *out is
 * the caller's: free(out->at). */
int eex_model_data_part(eex_index *out, const eex_model *model, eex_dataset *data,
                        const char *part);

/* What may be trained on: "train" without the samples of "calibration" and "validation". In a run
 * that is its train part; a model file away from its run knows what was held back by its traces
 * alone, without which there is nothing to be had (EEX_ENOTFOUND). Test images that a run drew from
 * a data set without a test part it does not know. EEX_EINVAL: nothing is left. */
int eex_model_data_train(eex_index *out, const eex_model *model, eex_dataset *data);

#endif
