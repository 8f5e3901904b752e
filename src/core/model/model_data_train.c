/* What a model's network may be trained on further. */
#include "core/model/model_data.h"

#include "base/status.h"

#include <stdlib.h>

static void drop(eex_index *from, const eex_index *part, bool *marks)
{
    size_t kept = 0;
    for (size_t i = 0; i < part->count; i++)
        marks[part->at[i]] = true;
    for (size_t i = 0; i < from->count; i++)
        if (!marks[from->at[i]])
            from->at[kept++] = from->at[i];
    from->count = kept;
}

/* Takes the samples of a part away. */
static int leave_out(eex_index *from, const eex_model *model, eex_dataset *data, const char *name)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    eex_index part;
    EEX_TRY(eex_model_data_part(&part, model, data, name));
    bool *marks = calloc(info->samples, sizeof *marks);
    int code = EEX_OK;
    if (marks)
        drop(from, &part, marks);
    else
        code = eex_fail(EEX_ENOMEM, "out of memory for %u samples", (unsigned)info->samples);
    free(marks);
    free(part.at);
    return code;
}

int eex_model_data_train(eex_index *out, const eex_model *model, eex_dataset *data)
{
    EEX_TRY(eex_model_data_part(out, model, data, "train"));
    int code = leave_out(out, model, data, "calibration");
    if (code == EEX_OK)
        code = leave_out(out, model, data, "validation");
    if (code == EEX_OK && out->count == 0)
        code = eex_fail(EEX_EINVAL,
                        "%s: no image of data set \"%s\" is left for training: all of them are "
                        "for calibration and validation",
                        model->path, eex_dataset_facts(data)->name);
    if (code < 0) {
        free(out->at);
        *out = (eex_index){NULL, 0};
    }
    return code;
}
