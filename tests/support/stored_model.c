#include "support/stored_model.h"

#include "core/model/model.h"
#include "support/backbones.h"
#include "support/patches.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

void stored_model_write(const char *path, eex_device *device, eex_dataset *data)
{
    stored_model_write_for(path, device, data, eex_dataset_facts(data)->name);
}

void stored_model_write_for(const char *path, eex_device *device, eex_dataset *data,
                            const char *name)
{
    eex_graph *graph;
    eex_params *params;
    eex_policy *policy;
    eex_input input;
    eex_store_file *file;
    OK(eex_test_tiny_gated(&graph, PATCH_CLASSES));
    OK(eex_params_new(&params, device, graph, 1));
    OK(eex_policy_new(&policy, EEX_POLICY_CONFIDENCE, eex_graph_exits(graph), PATCH_CLASSES));
    policy->a[0] = 0.33;
    policy->a[1] = 0.36;
    policy->b[1] = 0.33;
    eex_policy_apply(policy);
    OK(eex_input_of_dataset(&input, data));
    free(input.dataset);
    input.dataset = strdup(name);
    cr_assert_not_null(input.dataset);
    OK(eex_store_create(&file, path, "weights", 1));
    OK(eex_model_write(file, graph, params, policy, NULL, &input, EEX_F32));
    OK(eex_store_commit(&file));
    eex_input_free(&input);
    eex_policy_free(policy);
    eex_params_free(params);
    eex_graph_free(graph);
}
