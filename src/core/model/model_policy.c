/* Other policies for a model: from a file, or one threshold for all exits. */
#include "core/model/model_impl.h"
#include "core/policy/calibrate.h"

#include "base/shell.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLICY_VERSION = 1, MAX_NAMES = 1 << 16 };
static const char weights_name[] = "weights_sum";

/* ---- files ---- */

int eex__exits_save(eex_store_file *file, const eex_graph *graph)
{
    const int exits = eex_graph_exits(graph);
    const eex_store_shape shape = {1, {(uint64_t)exits}};
    const char *node[EEX_MAX_EXITS];
    int32_t blocks[EEX_MAX_EXITS];
    for (int k = 0; k < exits; k++) {
        node[k] = eex_graph_node(graph, eex_graph_exit(graph, k)->point)->name;
        blocks[k] = eex_graph_exit(graph, k)->blocks;
    }
    EEX_TRY(eex_store_write_strings(file, "exits/node", node, (size_t)exits));
    return eex_store_write(file, "exits/blocks", EEX_STORE_I32, &shape, blocks);
}

int eex_adaptation_fill(eex_store_file *file, const eex_policy *policy, const eex_model *model)
{
    EEX_NEED(file, "file");
    EEX_NEED(policy, "policy");
    EEX_NEED(model, "model");
    EEX_TRY(eex_policy_save(policy, file, "policy"));
    EEX_TRY(eex__exits_save(file, model->graph));
    return eex_identity_save(&model->input.made_of, file, "");
}

static int begin_file(eex_store_file **out, const char *path, const char *kind, int version,
                      const eex_policy *policy, const eex_model *model)
{
    EEX_NEED(out, "place for the file");
    *out = NULL;
    EEX_NEED(path, "path");
    EEX_NEED(policy, "policy");
    EEX_NEED(model, "model");
    EEX_TRY(eex_store_create(out, path, kind, version));
    const int code = eex_adaptation_fill(*out, policy, model);
    if (code < 0) {
        eex_store_close(*out);
        *out = NULL;
    }
    return code;
}

/* ---- whose weights ---- */

static int weights_use(eex_store_file *file, void *context)
{
    char *sum = context, *says = NULL;
    const int has = eex_store_has_attribute(file, "", weights_name);
    EEX_TRY(has);
    if (!has) {
        if (!eex_store_sum(sum, file, "params"))
            sum[0] = '\0';
        return EEX_OK;
    }
    EEX_TRY(eex_store_get_string(&says, file, "", weights_name));
    snprintf(sum, EEX_STORE_SUM, "%s", says);
    free(says);
    return EEX_OK;
}

/* "": the model's file has no seal, and none is known. A device's part has not all weights, and
 * says it. */
static int weights_of(char sum[EEX_STORE_SUM], const eex_model *m)
{
    return eex_store_read_file(m->path, "weights", EEX__MODEL_VERSION, weights_use, sum);
}

int eex__weights_save(eex_store_file *file, const eex_model *m)
{
    char sum[EEX_STORE_SUM];
    EEX_TRY(weights_of(sum, m));
    return sum[0] ? eex_store_set_string(file, "", weights_name, sum) : EEX_OK;
}

int eex_policy_file(eex_store_file **out, const char *path, const eex_policy *policy,
                    const eex_model *model)
{
    EEX_TRY(begin_file(out, path, "policy", POLICY_VERSION, policy, model));
    const int code = eex__weights_save(*out, model);
    if (code < 0) {
        eex_store_close(*out);
        *out = NULL;
    }
    return code;
}

int eex_adaptation_file(eex_store_file **out, const char *path, const eex_policy *policy,
                        const eex_model *model)
{
    return begin_file(out, path, "adaptation", EEX__ADAPTATION_VERSION, policy, model);
}

/* Thresholds of an exit mean nothing at another place. */
static int compare_exits(const eex_store_list *node, const int32_t *blocks, const eex_graph *graph)
{
    for (int k = 0; k < (int)node->count; k++) {
        const eex_exit *exit = eex_graph_exit(graph, k);
        const char *here = eex_graph_node(graph, exit->point)->name;
        if (strcmp(node->item[k], here) != 0 || blocks[k] != exit->blocks)
            return eex_fail(EEX_EINVAL,
                            "it is for another network: its exit %d is at %.80s with %d blocks, "
                            "here that is %s with %d",
                            k + 1, node->item[k], (int)blocks[k], here, exit->blocks);
    }
    return EEX_OK;
}

int eex__exits_check(eex_store_file *file, const eex_graph *graph)
{
    const int exits = eex_graph_exits(graph);
    const eex_store_shape shape = {1, {(uint64_t)exits}};
    int32_t blocks[EEX_MAX_EXITS];
    eex_store_list node = {0};
    if (!eex_store_has(file, "exits"))
        return EEX_OK;
    EEX_TRY(eex_store_read(blocks, file, "exits/blocks", EEX_STORE_I32, &shape));
    EEX_TRY(eex_store_read_strings(&node, file, "exits/node", MAX_NAMES));
    int code = node.count == (size_t)exits
                   ? compare_exits(&node, blocks, graph)
                   : eex_fail(EEX_EFORMAT, "exits/node: %zu names of %d exits", node.count, exits);
    eex_store_list_free(&node);
    return code;
}

/* Thresholds are quantiles of what a network says of some data. */
static int check_data(eex_store_file *file, const eex_model *m)
{
    const eex_identity *own = &m->input.made_of;
    char word[EEX_SHELL_WORD];
    eex_identity from = {.text = NULL};
    EEX_TRY(eex_identity_load(&from, file, ""));
    const int code =
        eex_identity_same(&from, own)
            ? EEX_OK
            : eex_fail(EEX_EINVAL,
                       "its thresholds were tuned for a network made from other data than %s: from "
                       "%s, that one from %s; tune some for this network: eex tune %s -o FILE",
                       m->path, from.text ? from.text : "what it does not describe",
                       own->text ? own->text : "what it does not describe",
                       eex_shell_text(word, m->path));
    eex_identity_free(&from);
    return code;
}

/* Of the same kind of network, trained otherwise, other images are sure. Files of an earlier eex do
 * not say whose weights theirs are. */
static int check_weights(eex_store_file *file, const eex_model *m)
{
    char own[EEX_STORE_SUM], word[EEX_SHELL_WORD], *says = NULL;
    const int has = eex_store_has_attribute(file, "", weights_name);
    if (has <= 0)
        return has;
    EEX_TRY(weights_of(own, m));
    EEX_TRY(eex_store_get_string(&says, file, "", weights_name));
    const bool same = !own[0] || strcmp(says, own) == 0;
    free(says);
    return same ? EEX_OK
                : eex_fail(EEX_EINVAL,
                           "its thresholds were tuned for a network of other weights than %s has; "
                           "tune some for this network: eex tune %s -o FILE",
                           m->path, eex_shell_text(word, m->path));
}

static int read_policy(eex_policy **out, eex_store_file *file, const eex_model *m)
{
    EEX_TRY(eex_policy_load(out, file, "policy"));
    if ((*out)->exits != eex_graph_exits(m->graph))
        return EEX_OK; /* eex_model_set_policy says so */
    EEX_TRY(eex__exits_check(file, m->graph));
    EEX_TRY(check_data(file, m));
    return check_weights(file, m);
}

int eex_model_load_policy(eex_model *m, const char *path)
{
    EEX_NEED(m, "model");
    EEX_NEED(path, "path");
    eex_store_file *file = NULL;
    eex_policy *policy = NULL;
    EEX_TRY(eex_store_open(&file, path, "policy", POLICY_VERSION));
    int code = read_policy(&policy, file, m);
    eex_store_close(file);
    if (code == EEX_OK)
        code = eex_model_set_policy(m, policy);
    else
        eex_policy_free(policy);
    return code < 0 ? eex_fail_in(code, "%s", path) : EEX_OK;
}

/* ---- one threshold ---- */

static void set_thresholds(eex_policy *p, eex_policy_kind kind, double t)
{
    for (int k = 0; k + 1 < p->exits; k++)
        p->a[k] = kind == EEX_POLICY_ENTROPY ? -t : t;
    p->a[p->exits - 1] = -INFINITY;
    eex_policy_apply(p);
}

int eex_model_threshold(eex_model *m, eex_policy_kind kind, double threshold)
{
    EEX_NEED(m, "model");
    if ((unsigned)kind >= EEX_POLICY_KINDS)
        return eex_fail(EEX_EINVAL, "%s: there is no policy of kind %d", m->path, (int)kind);
    const int exits = eex_graph_exits(m->graph);
    const eex_policy *own = m->policy;
    int all[EEX_MAX_EXITS];
    eex_policy *policy = NULL;
    EEX_TRY(eex_calibration_check_threshold(kind, threshold));
    for (int k = 0; k < exits; k++)
        all[k] = k;
    if (own && own->kind == kind)
        EEX_TRY(eex_policy_select(&policy, own, all, exits));
    else if (kind == EEX_POLICY_PER_CLASS)
        return eex_fail(EEX_EINVAL,
                        "%s: its policy is not per_class, so there are no means and deviations of "
                        "classes to put a threshold on: `eex tune --policy per_class` fits them",
                        m->path);
    else
        EEX_TRY(eex_policy_new(&policy, kind, exits, eex_graph_classes(m->graph)));
    policy->by_label = !own || own->by_label;
    for (int k = 0; own && k < exits; k++) {
        policy->temperature[k] = own->temperature[k];
        policy->far[k] = own->far[k];
    }
    set_thresholds(policy, kind, threshold);
    return eex_model_set_policy(m, policy);
}
