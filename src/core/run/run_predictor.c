/* final-predictor.h5: an exit predictor for the chosen network. */
#include "core/model/predictor.h"
#include "core/run/run.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <stdlib.h>

static const char checkpoint[] = "final-predictor-checkpoint.h5";

static int make(const eex_run *run, const eex_model *model)
{
    eex_exit_predictor_recipe recipe = run->e->predictor;
    eex_exit_predictor *predictor = NULL;
    char *path = NULL;
    EEX_TRY(eex_path_join(&path, run->options->folder, checkpoint));
    recipe.seed = eex__run_seed(run, EEX_STREAM_PREDICTOR, 0);
    recipe.rates = "predictor.lr";
    recipe.checkpoint = path;
    int code = eex_exit_predictor_make(&predictor, model, run->data, &recipe);
    free(path);
    EEX_TRY(code);
    const eex_exit_predictor_file file = {predictor, model};
    code = eex__run_write(run, "final-predictor.h5", eex_exit_predictor_fill, &file);
    eex_exit_predictor_free(predictor);
    return code == EEX_OK ? eex__run_remove(run, checkpoint) : code;
}

/* Whether the chosen network can have one. Which one that would be nobody knew beforehand, so a
 * warning and the run's result say why not, and the run goes on to that. */
static int is_predictable(bool *is, eex_run *run, const eex_model *model)
{
    const bool gates = eex_graph_exits(model->graph) > 1;
    int code = gates ? eex_exit_predictor_check(model)
                     : eex_fail(EEX_EINVAL,
                                "the chosen network has no gates: there is nothing to predict");
    *is = code == EEX_OK;
    if (code != EEX_EINVAL && code != EEX_EUNSUPPORTED)
        return code;
    if (gates)
        code = eex_fail_in(code, "the chosen network gets no predictor");
    eex_text_clip(run->lost[EEX_PHASE_PREDICTOR], EEX_PHASE_REASON, eex_error());
    eex_log_warn("%s", eex_error());
    return EEX_OK;
}

int eex__run_predictor(eex_run *run)
{
    eex_model *model = NULL;
    bool is = false;
    if (eex__run_has(run, "final-predictor.h5"))
        return EEX_OK;
    EEX_TRY(eex_model_open(&model, run->options->folder, EEX_MODEL_BEST, run->device));
    int code = is_predictable(&is, run, model);
    if (code == EEX_OK && is)
        code = make(run, model);
    eex_model_close(model);
    return code;
}
