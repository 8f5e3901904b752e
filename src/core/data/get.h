/* Getting a data set that is known (descriptor.h): download, check, unpack, import. */
#ifndef EEX_CORE_DATA_GET_H
#define EEX_CORE_DATA_GET_H

#include "core/data/descriptor.h"
#include "core/data/import.h"

/* Makes FOLDER/NAME.h5. The archive is kept in FOLDER/downloads, where one that was put there by
 * hand is taken as well; what is unpacked is removed again. `options` and `result` are those of
 * eex_import_folder and unused for the CIFARs. When the download fails the message says what to do
 * by hand. */
int eex_data_get(eex_import_result *result, const eex_descriptor *what, const char *folder,
                 const eex_import_folder_options *options);

#endif
