/* A model in a file: the tiny network with two gates and a policy, for patches (patches.h). */
#ifndef EEX_TESTS_SUPPORT_STORED_MODEL_H
#define EEX_TESTS_SUPPORT_STORED_MODEL_H

#include "core/data/dataset.h"
#include "device/device.h"

/* Random weights, and a policy by which samples leave everywhere. Any failure fails the test. */
void stored_model_write(const char *path, eex_device *device, eex_dataset *data);

/* The same with another name for the data set. */
void stored_model_write_for(const char *path, eex_device *device, eex_dataset *data,
                            const char *name);

#endif
