/* Surveys: samples of a data set go once, in batches, through a network that runs for its answers,
 * and a visitor looks at what stands in memory right behind each segment. Traces, features and what
 * is familiar are made so. */
#ifndef EEX_CORE_TRAIN_SURVEY_H
#define EEX_CORE_TRAIN_SURVEY_H

#include "core/data/loader.h"
#include "core/train/inference.h"

/* Where a survey stands. */
typedef struct eex_survey_place {
    eex_plan *plan;
    const eex_graph *graph;
    const eex_batch *batch; /* count, labels and sample numbers of the rows in hand */
    size_t first;           /* rows before this batch: its row i is row first + i of the survey */
} eex_survey_place;

/* Both return EEX_OK or the error that ends the survey. */
typedef struct eex_visitor {
    /* Right behind the segment of an exit: logits and values are to be read at once, for a later
     * segment may reuse their memory. */
    int (*segment)(void *context, const eex_survey_place *at, int exit);
    int (*batch)(void *context, const eex_survey_place *at); /* behind the last one; or NULL */
} eex_visitor;

typedef struct eex_survey {
    const char *title; /* of the progress that is shown; NULL: none is */
    const eex_graph *graph;
    eex_params *params;
    eex_dataset *data;
    const uint32_t *samples; /* (count) visited in this order, without augmentation */
    size_t count;
    const eex_inference *how;
    int exits; /* the segments of exits 0 .. exits - 1 are run */
    const eex_visitor *visitor;
    void *context;
} eex_survey;

/* Runs a survey. Parameters and statistics are not touched. EEX_EINTERRUPTED after SIGINT or
 * SIGTERM; EEX_EINVAL without samples; whatever plan, loader and visitor return. */
int eex_survey_run(const eex_survey *survey);

#endif
