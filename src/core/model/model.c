/* Models: opening what a run or `eex prune` has left. */
#include "core/model/model.h"

#include "core/graph/graph_store.h"
#include "core/model/model_impl.h"
#include "core/model/predictor.h"

#include "base/fs.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which file ---- */

int eex_model_find(const char *path)
{
    char *run = NULL;
    if (!path)
        return eex_fail(EEX_EINVAL, "a run or a model: expected a path, got NULL");
    if (!eex_fs_exists(path))
        return eex_fail(EEX_ENOTFOUND,
                        "%s: no such run or model: expected a folder that `eex run` has "
                        "made or a file of `eex prune`",
                        path);
    if (!eex_fs_is_folder(path))
        return EEX_OK;
    EEX_TRY(eex_path_join(&run, path, "run.h5"));
    const bool is_run = eex_fs_exists(run);
    free(run);
    return is_run ? EEX_OK : eex_fail(EEX_ENOTFOUND, "%s holds no run", path);
}

/* The file of a run's part, or the model file itself. */
static int find_file(char **out, const char *path, eex_model_part part)
{
    const bool base = part == EEX_MODEL_BASE;
    *out = NULL;
    EEX_TRY(eex_model_find(path));
    if (!eex_fs_is_folder(path)) {
        *out = strdup(path);
        return *out ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for the name of a file");
    }
    EEX_TRY(eex_path_join(out, path, base ? "base.h5" : "final.h5"));
    if (eex_fs_exists(*out))
        return EEX_OK;
    free(*out);
    *out = NULL;
    return eex_fail(EEX_ENOTFOUND, "%s has no %s yet: run its experiment to the end", path,
                    base ? "base network" : "network with exits");
}

/* ---- reading ---- */

static int check_policy(const eex_policy *p, const eex_model *m)
{
    const eex_graph *g = m->graph;
    const char *path = m->path;
    if (eex_policy_rejects_by_distance(p) && !m->familiar)
        return eex_fail(EEX_EINVAL,
                        "%s: the policy rejects by distance from what is familiar, which this "
                        "network does not know: it belongs to another network",
                        path);
    if (p->exits == eex_graph_exits(g) && p->classes == eex_graph_classes(g))
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "%s: the policy is for %d exits and %d classes, the network has %d and %d: it "
                    "belongs to another network",
                    path, p->exits, p->classes, eex_graph_exits(g), eex_graph_classes(g));
}

static int check_input(const eex_model *m)
{
    const eex_node *n = eex_graph_node(m->graph, 0);
    const eex_input *in = &m->input;
    if (n->c != in->channels)
        return eex_fail(EEX_EFORMAT, "%s: the network takes images of %dx%dx%d, not %dx%dx%d",
                        m->path, n->h, n->w, n->c, in->height, in->width, in->channels);
    if (eex_plan_reads(m->graph, in->height, in->width) < 0)
        return eex_fail_in(EEX_EFORMAT, "%s", m->path);
    if (in->classes.count != (size_t)eex_graph_classes(m->graph))
        return eex_fail(EEX_EFORMAT, "%s: %zu names of classes for a network of %d", m->path,
                        in->classes.count, eex_graph_classes(m->graph));
    return EEX_OK;
}

/* Files from before there was a choice say nothing: float32. */
static int read_precision(eex_model *m, eex_store_file *file)
{
    char *name = NULL;
    if (!eex_store_has_attribute(file, "", "precision"))
        return EEX_OK;
    EEX_TRY(eex_store_get_string(&name, file, "", "precision"));
    int code = eex_precision_parse(&m->precision, name);
    m->runs_in = m->precision;
    free(name);
    return code < 0 ? eex_fail_in(EEX_EFORMAT, "%s", m->path) : EEX_OK;
}

static int read_model(eex_model *m, eex_store_file *file, eex_plan_part part, eex_device *device)
{
    if (!eex_store_has(file, "graph"))
        return eex_fail(EEX_EFORMAT,
                        "%s does not say what its network is: an earlier eex wrote it. Remove the "
                        "file and run the experiment again, what is finished is not done anew",
                        m->path);
    EEX_TRY(eex_graph_load(&m->graph, file, "graph"));
    EEX_TRY(eex_input_load(&m->input, file, "input"));
    EEX_TRY(check_input(m));
    EEX_TRY(read_precision(m, file));
    EEX_TRY(eex__model_part_load(m, file, part, device));
    if (eex_store_has(file, "familiar"))
        EEX_TRY(eex_familiar_load(&m->familiar, file, "familiar", m->graph));
    if (eex_store_has(file, "policy")) {
        EEX_TRY(eex_policy_load(&m->policy, file, "policy"));
        int code = check_policy(m->policy, m);
        if (code < 0)
            return EEX_EFORMAT;
    }
    if (!device)
        return EEX_OK;
    return eex__model_weights_load(m, file, device);
}

static int read_file(eex_model *m, const char *path, eex_model_part which, eex_plan_part part,
                     eex_device *device)
{
    eex_store_file *file = NULL;
    EEX_TRY(find_file(&m->path, path, which));
    EEX_TRY(eex_store_open(&file, m->path, "weights", EEX__MODEL_VERSION));
    int code = read_model(m, file, part, device);
    eex_store_close(file);
    if (code == EEX_OK && which == EEX_MODEL_BASE && eex_graph_exits(m->graph) > 1)
        code = eex_fail(EEX_ENOTFOUND, "%s is a network with exits; its base is not in it", path);
    return code;
}

static int open_model(eex_model **out, const char *path, eex_model_part which, eex_plan_part part,
                      eex_device *device)
{
    EEX_NEED(out, "place for the model");
    *out = NULL;
    EEX_NEED(path, "path");
    if (which != EEX_MODEL_BEST && which != EEX_MODEL_BASE)
        return eex_fail(EEX_EINVAL, "%s: a model has no part %d", path, (int)which);
    eex_model *m = calloc(1, sizeof *m);
    if (!m)
        return eex_fail(EEX_ENOMEM, "out of memory for a model");
    int code = read_file(m, path, which, part, device);
    if (code < 0) {
        eex_model_close(m);
        return code;
    }
    *out = m;
    return EEX_OK;
}

int eex_model_open(eex_model **out, const char *path, eex_model_part part, eex_device *device)
{
    return open_model(out, path, part, (eex_plan_part){EEX_PLAN_WHOLE, 0}, device);
}

int eex_model_open_part(eex_model **out, const char *path, eex_plan_part part, eex_device *device)
{
    EEX_NEED(device, "device");
    return open_model(out, path, EEX_MODEL_BEST, part, device);
}

static void free_params(eex_params *params)
{
    if (!params)
        return;
    eex_device *device = params->device;
    const bool locked = eex_device_lock(device) == EEX_OK;
    eex_params_free(params);
    if (locked)
        eex_device_unlock(device);
}

void eex_model_close(eex_model *m)
{
    if (!m)
        return;
    eex_exit_predictor_free(m->predictor);
    eex_policy_free(m->policy);
    eex_familiar_free(m->familiar);
    free_params(m->params);
    eex_graph_free(m->graph);
    eex_input_free(&m->input);
    free(m->prints);
    free(m->path);
    free(m);
}

size_t eex_model_bytes(const eex_model *m)
{
    if (!m)
        return 0;
    size_t bytes = sizeof *m + eex_graph_bytes(m->graph) + eex_policy_bytes(m->policy) +
                   eex_familiar_bytes(m->familiar);
    for (size_t i = 0; i < m->input.classes.count; i++)
        bytes += sizeof *m->input.classes.item + strlen(m->input.classes.item[i]) + 1;
    return bytes;
}

int eex_model_set_policy(eex_model *m, eex_policy *policy)
{
    int code = !m       ? eex_fail(EEX_EINVAL, "%s: no model (NULL)", __func__)
               : policy ? check_policy(policy, m)
                        : EEX_OK;
    if (code < 0) {
        eex_policy_free(policy);
        return code;
    }
    eex_policy_free(m->policy);
    m->policy = policy;
    m->other_policy = true;
    return EEX_OK;
}

int eex_model_set_precision(eex_model *m, eex_precision precision)
{
    EEX_NEED(m, "model");
    if ((unsigned)precision >= EEX_PRECISIONS)
        return eex_fail(EEX_EINVAL, "%s: there is no precision %d", m->path, (int)precision);
    if (!eex_precision_infers(precision))
        return eex_fail(EEX_EINVAL, "%s: %s is for training", m->path,
                        eex_precision_name(precision));
    int code = m->params ? eex_device_calculates(m->params->device, precision) : EEX_OK;
    if (code < 0)
        return eex_fail_in(code, "%s", m->path);
    m->runs_in = precision;
    return EEX_OK;
}

eex_inference eex_model_inference(const eex_model *m, int batch)
{
    if (!m)
        return (eex_inference){.batch = 0};
    eex_inference how = {
        .batch = batch, .precision = m->runs_in, .familiar = m->familiar, .part = m->part};
    memcpy(how.normalise.mean, m->input.mean, sizeof how.normalise.mean);
    memcpy(how.normalise.std, m->input.std, sizeof how.normalise.std);
    how.normalise.height = m->input.height;
    how.normalise.width = m->input.width;
    return how;
}

/* ---- traces ---- */

bool eex__model_in_run(const eex_model *m)
{
    char *folder = NULL, *run = NULL;
    bool in = strcmp(eex_path_base(m->path), "final.h5") == 0 &&
              eex_path_folder(&folder, m->path) == EEX_OK &&
              eex_path_join(&run, folder, "run.h5") == EEX_OK && eex_fs_exists(run);
    free(run);
    free(folder);
    return in;
}

/* The file beside the network of a run. */
static int open_beside(eex_store_file **out, const eex_model *m, const char *split)
{
    char name[64], *folder = NULL, *path = NULL;
    snprintf(name, sizeof name, "final-%s.h5", split);
    EEX_TRY(eex_path_folder(&folder, m->path));
    int code = eex_path_join(&path, folder, name);
    if (code == EEX_OK)
        code = eex_store_open(out, path, "trace", EEX__MODEL_VERSION);
    if (code == EEX_ENOTFOUND)
        code = eex_fail(code,
                        "%s is not there: move result.h5 away and run the experiment again, which "
                        "makes both",
                        path);
    free(path);
    free(folder);
    return code;
}

/* A group of the model file itself, or the file beside a run's final.h5. */
static int open_trace(eex_store_file **out, const char **group, const eex_model *m,
                      const char *split)
{
    char logits[64]; /* a run's final.h5 has other things in a group of that name */
    *group = split;
    snprintf(logits, sizeof logits, "%s/logits", split);
    EEX_TRY(eex_store_open(out, m->path, "weights", EEX__MODEL_VERSION));
    if (eex_store_has(*out, logits) || strcmp(eex_path_base(m->path), "final.h5") != 0)
        return EEX_OK;
    eex_store_close(*out);
    *out = NULL;
    *group = "trace";
    return open_beside(out, m, split);
}

/* Whether it is of this network, scored as its own policy wants it. */
static int check_trace(const eex_store_file *file, const eex_trace *t, const eex_model *m,
                       const char *split)
{
    const int exits = eex_graph_exits(m->graph), classes = eex_graph_classes(m->graph);
    if (t->exits != exits || t->classes != classes)
        return eex_store_refuse(
            file, "the %s trace has %d exits and %d classes, the network in %s %d and %d", split,
            t->exits, t->classes, m->path, exits, classes);
    for (int k = 0; k < exits && m->policy && !m->other_policy; k++)
        if (t->temperature[k] != m->policy->temperature[k])
            return eex_store_refuse(
                file, "the %s trace is scored at temperature %g at exit %d, the policy in %s at %g",
                split, (double)t->temperature[k], k + 1, m->path,
                (double)m->policy->temperature[k]);
    return EEX_OK;
}

int eex_model_trace(eex_trace **out, const eex_model *m, const char *split)
{
    EEX_NEED(out, "place for the trace");
    *out = NULL;
    EEX_NEED(m, "model");
    EEX_NEED(split, "name of a split");
    eex_store_file *file = NULL;
    const char *group;
    EEX_TRY(open_trace(&file, &group, m, split));
    int code = eex_store_has(file, group) ? eex_trace_load(out, file, group)
               : strcmp(group, split) == 0
                   ? eex_fail(EEX_ENOTFOUND, "%s keeps no %s trace", m->path, split)
                   : eex_store_refuse(file, "it has no trace");
    if (code == EEX_OK)
        code = check_trace(file, *out, m, split);
    eex_store_close(file);
    if (code < 0) {
        eex_trace_free(*out);
        *out = NULL;
    }
    return code;
}

/* ---- writing ---- */

int eex_model_write(eex_store_file *file, const eex_graph *graph, const eex_params *params,
                    const eex_policy *policy, const eex_familiar *familiar, const eex_input *input,
                    eex_precision precision)
{
    EEX_NEED(file, "file");
    EEX_NEED(graph, "graph");
    EEX_NEED(params, "parameters");
    EEX_NEED(input, "input");
    if ((unsigned)precision >= EEX_PRECISIONS)
        return eex_fail(EEX_EINVAL, "%s: there is no precision %d", eex_store_path(file),
                        (int)precision);
    EEX_TRY(eex_store_set_string(file, "", "precision", eex_precision_name(precision)));
    EEX_TRY(eex_graph_save(graph, file, "graph"));
    EEX_TRY(eex_input_save(input, file, "input"));
    EEX_TRY(eex_params_save(params, file, "params"));
    if (familiar)
        EEX_TRY(eex_familiar_save(familiar, file, "familiar"));
    return policy ? eex_policy_save(policy, file, "policy") : EEX_OK;
}
