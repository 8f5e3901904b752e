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
    return eex_check_out(file, force, "weights", "prints");
}

/* A predictor says which file its model is. */
static int export_predictor(const char *path, const char *file, const eex_opened *from)
{
    eex_model *front = NULL;
    EEX_TRY(eex_model_open_part(&front, file, from->model->part, from->device));
    const int code = eex_exit_predictor_save(from->model->predictor, front, path);
    eex_model_close(front);
    return code < 0 ? code : written(path, "its predictor");
}

static int export_network(const char *file, const eex_model *from)
{
    char what[96];
    EEX_TRY(eex_front_write(from, file));
    snprintf(what, sizeof what, "the device's part of the network, cut behind exit %d",
             from->part.cut + 1);
    return written(file, what);
}

/* A predictor that lies beside the device's part is used with it, whoever has put it there. */
static int check_beside(const char *path, bool wanted, bool force)
{
    if (wanted)
        return eex_check_out(path, force, "predictor", NULL);
    return eex_fs_exists(path) ? eex_fail(EEX_EINVAL,
                                          "%s is there, and would be used: remove it, or choose "
                                          "another name",
                                          path)
                               : EEX_OK;
}

static int export_opened(const char *file, const eex_opened *from, bool force)
{
    char *path = NULL;
    const bool predicts = from->model->predictor != NULL;
    EEX_TRY(eex_exit_predictor_beside(&path, file));
    int code = check_beside(path, predicts, force);
    if (code == EEX_OK)
        code = export_network(file, from->model);
    if (code == EEX_OK && predicts)
        code = export_predictor(path, file, from);
    free(path);
    return code;
}

int eex__export_front(const char *file, const char *model, int64_t cut, bool force,
                      const eex_model_options *o)
{
    eex_opened opened;
    int code = eex_open_part(&opened, model, o, (eex_plan_part){EEX_PLAN_FRONT, (int)cut - 1});
    if (code == EEX_OK)
        code = export_opened(file, &opened, force);
    eex_opened_close(&opened);
    return code;
}
