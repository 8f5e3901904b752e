/* Contact sheets: a picture of what is in a data set. */
#ifndef EEX_CORE_DATA_SHEET_H
#define EEX_CORE_DATA_SHEET_H

#include "core/data/dataset.h"

/* Writes a PNG with a row for each of the first 40 classes and 20 training images in each, spread
 * over the class; from easy to hard where the data set says how hard its images are. */
int eex_dataset_sheet(const char *path, eex_dataset *data);

#endif
