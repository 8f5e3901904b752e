#include "cli/export_front.h"

#include "cli/out_file.h"
#include "cli/print.h"
#include "core/model/front.h"
#include "core/model/predictor.h"

#include "base/fs.h"
#include "base/status.h"
#include "base/text.h"

#include <stdlib.h>

static int written(const char *path, const char *what)
{
    char bytes[EEX_TEXT_SIZE];
    uint64_t size;
    EEX_TRY(eex_fs_size(&size, path));
    eex__print_line("%s: %s, %s", path, what, eex_text_number(bytes, (double)size, "B"));
    return EEX_OK;
}

int eex__export_front_check(const char *file, bool force)
{
    if (file && eex_fs_is_stream(file))
        return eex_fail(EEX_EINVAL, "--front %s: a file of HDF5 is no stream", file);
    return eex_check_out(file, force, NULL, NULL);
}

/* A predictor says which file its model is. */
static int export_predictor(const char *file, const eex_opened *from, eex_plan_part part)
{
    eex_model *front = NULL;
    char *path = NULL;
    EEX_TRY(eex_model_open_part(&front, file, part, from->device));
    int code = eex_exit_predictor_path(&path, front);
    if (code == EEX_OK)
        code = eex_exit_predictor_save(from->model->predictor, front, path);
    if (code == EEX_OK)
        code = written(path, "its predictor");
    free(path);
    eex_model_close(front);
    return code;
}

static int export_opened(const char *file, const eex_opened *from)
{
    char what[96];
    const eex_plan_part part = from->model->part;
    EEX_TRY(eex_front_write(from->model, file));
    snprintf(what, sizeof what, "the device's part of the network, cut behind exit %d",
             part.cut + 1);
    EEX_TRY(written(file, what));
    return from->model->predictor ? export_predictor(file, from, part) : EEX_OK;
}

int eex__export_front(const char *file, const char *model, int64_t cut, const eex_model_options *o)
{
    eex_opened opened;
    int code = eex_open_part(&opened, model, o, (eex_plan_part){EEX_PLAN_FRONT, (int)cut - 1});
    if (code == EEX_OK)
        code = export_opened(file, &opened);
    eex_opened_close(&opened);
    return code;
}
