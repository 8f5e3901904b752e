/* Which data something was made from. Numbers of samples mean something for one content alone, so
 * runs, models and policies keep what theirs was, and whoever uses such numbers compares it with
 * the data set that is there: one function, eex_identity_check. */
#ifndef EEX_CORE_DATA_IDENTITY_H
#define EEX_CORE_DATA_IDENTITY_H

#include "core/data/dataset.h"
#include "core/store/store.h"

#include "base/buffer.h"

typedef struct eex_identity {
    char fingerprint[EEX_FINGERPRINT]; /* "": not known */
    char *text;                        /* for people; NULL: not known */
} eex_identity;

/* What a data set is now; looks at its images where it has no fingerprint. The text has the number
 * of images of each part, their size, the classes and the source, and never more than 600 bytes. */
int eex_identity_of(eex_identity *out, eex_dataset *data);
int eex_identity_copy(eex_identity *out, const eex_identity *from);
void eex_identity_free(eex_identity *identity); /* leaves {0} */

bool eex_identity_known(const eex_identity *identity);

/* Attributes `fingerprint` and `data` of an object; what is not known is left out. Loading gives
 * {0} where they are absent, as in files of an earlier eex. */
int eex_identity_save(const eex_identity *identity, eex_store_file *file, const char *object);
int eex_identity_load(eex_identity *out, eex_store_file *file, const char *object);

/* EEX_EINVAL when the data set is not what `was` says: the message names `whose` it was, describes
 * both and ends with the remedy. What is not known is not compared. */
int eex_identity_check(const eex_identity *was, eex_dataset *data, const char *whose,
                       const char *remedy);

/* The same for two things made from data; one that is not known is like any. */
bool eex_identity_same(const eex_identity *a, const eex_identity *b);

/* The entry "data = ..." of a run's description, with a newline behind: all that runs of an earlier
 * eex say of their data. */
void eex_identity_entry(eex_buffer *out, const eex_dataset_info *data);

#endif
