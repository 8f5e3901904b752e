#include "core/model/predictor.h"

#include "core/graph/cost.h"

#include "base/fs.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

EEX_NAMES(eex_exit_predictor_images, eex_exit_predictor_images,
          EEX_PREDICTOR_IMAGES, [EEX_PREDICTOR_TRAIN] = "train",
          [EEX_PREDICTOR_CALIBRATION] = "calibration", [EEX_PREDICTOR_BOTH] = "both");
EEX_NAMES(eex_exit_predictor_lambda, eex_exit_predictor_lambda,
          EEX_LAMBDAS, [EEX_LAMBDA_POLICY] = "policy", [EEX_LAMBDA_GRID] = "grid");

eex_exit_predictor_recipe eex_exit_predictor_recipe_default(void)
{
    return (eex_exit_predictor_recipe){.family = EEX_PREDICTOR_SEPARABLE,
                                       .more = 0.02,
                                       .epochs = 30,
                                       .batch = 128,
                                       .lr = 0.1,
                                       .lr_end = 1e-4,
                                       .weight_decay = 2e-4,
                                       .crop = 4,
                                       .flip = true};
}

void eex_exit_predictor_free(eex_exit_predictor *p)
{
    if (!p)
        return;
    eex_device *device = p->params ? p->params->device : NULL;
    const bool locked = device && eex_device_lock(device) == EEX_OK;
    eex_params_free(p->params);
    if (locked)
        eex_device_unlock(device);
    eex_policy_free(p->policy);
    eex_graph_free(p->graph);
    free(p->score[0]);
    free(p->score[1]);
    free(p);
}

int eex_exit_predictor_beside(char **out, const char *model)
{
    EEX_NEED(out, "place for the path");
    *out = NULL;
    EEX_NEED(model, "path of a model");
    size_t stem = strlen(model);
    if (stem > 3 && strcmp(model + stem - 3, ".h5") == 0)
        stem -= 3;
    const size_t room = stem + sizeof "-predictor.h5";
    *out = malloc(room);
    if (!*out)
        return eex_fail(EEX_ENOMEM, "out of memory for the name of a file");
    snprintf(*out, room, "%.*s-predictor.h5", (int)stem, model);
    return EEX_OK;
}

int eex_exit_predictor_path(char **out, const eex_model *model)
{
    EEX_NEED(out, "place for the path");
    *out = NULL;
    EEX_NEED(model, "model");
    return eex_exit_predictor_beside(out, model->path);
}

int eex_model_use_predictor(eex_model *model)
{
    EEX_NEED(model, "model");
    eex_exit_predictor *predictor = NULL;
    eex_policy *policy = NULL;
    int all[EEX_MAX_EXITS];
    for (int k = 0; k < EEX_MAX_EXITS; k++)
        all[k] = k;
    EEX_TRY(eex_exit_predictor_open(&predictor, model));
    int code = eex_policy_select(&policy, predictor->policy, all, predictor->policy->exits);
    if (code == EEX_OK)
        code = eex_model_set_policy(model, policy);
    if (code < 0) {
        eex_exit_predictor_free(predictor);
        return code;
    }
    eex_exit_predictor_free(model->predictor);
    model->predictor = predictor;
    return EEX_OK;
}

/* Of the end the trunk behind the last gate, and the gate where the network was cut at one. */
void eex_model_charges(eex_charges *out, const eex_graph *graph, const eex_graph *predictor)
{
    double before = 0;
    *out = (eex_charges){.exits = eex_graph_exits(graph)};
    out->predictor = predictor ? (double)eex_cost_total(predictor, EEX_MACS) : 0;
    for (int k = 0; k < out->exits; k++) {
        const double here =
            (double)eex_cost_trunk(graph, eex_graph_exit(graph, k)->point, EEX_MACS);
        const double gate = (double)eex_cost_gate(graph, k, EEX_MACS);
        const bool last = k == out->exits - 1;
        out->trunk[k] = here - before + (last ? gate : 0);
        out->gate[k] = last ? 0 : gate;
        before = here;
    }
}
