/* What `eex infer` says about each image: a line of a table, or of JSON. */
#ifndef EEX_CLI_PRINT_INFER_H
#define EEX_CLI_PRINT_INFER_H

#include "core/frames/frames.h"
#include "core/model/model.h"
#include "device/decide.h"
#include "net/offload.h"

#include <stdio.h>

typedef enum eex__infer_column {
    EEX__INFER_INPUT,
    EEX__INFER_CLASS,
    EEX__INFER_CONFIDENCE,
    EEX__INFER_EXIT,
    EEX__INFER_DECISION,
    EEX__INFER_MS,
    EEX__INFER_RIGHT,
    EEX__INFER_COLUMNS
} eex__infer_column;

typedef struct eex__infer_printer {
    const eex_model *model; /* borrowed */
    const char *split;      /* NULL: files */
    bool json, remote;      /* remote: a server answers too */
    int width[EEX__INFER_COLUMNS];
    int line[EEX__INFER_COLUMNS]; /* of a row that it stands in: more than one where it is folded */
} eex__infer_printer;

/* The table is as wide as its contents; where that is more than there is, its rows are folded into
 * several lines. widest: of the inputs' names. */
void eex__infer_begin(eex__infer_printer *out, const eex_model *model, const char *split, bool json,
                      size_t widest);

/* One image that was classified (by whom, matters where a server answers too), or one that could
 * not be read (result NULL). */
int eex__infer_row(const eex__infer_printer *p, const eex_frame *frame, const eex_result *result,
                   eex_answerer by, double ms);

/* Whether the label is known and is what was said; -1 unknown. A rejected image is not right. */
int eex__infer_right(const eex_frame *frame, const eex_result *result);

#endif
