/* How many bytes images take as JPEG: what is sent where a server gets pictures. */
#ifndef EEX_CORE_DATA_JPEG_BYTES_H
#define EEX_CORE_DATA_JPEG_BYTES_H

#include "core/data/dataset.h"

/* The mean over count (at least 1) samples of a data set, encoded by libjpeg at a quality of 1 to
 * 100, colours at half their resolution as is usual. EEX_EINVAL: another quality, or images that
 * are neither grey nor of three channels. EEX_EINTERRUPTED. */
int eex_jpeg_bytes(double *out, eex_dataset *data, const uint32_t *samples, size_t count,
                   int quality);

#endif
