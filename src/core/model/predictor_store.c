/* Predictors in files. */
#include "core/graph/graph_store.h"
#include "core/model/model_impl.h"
#include "core/model/predictor.h"

#include "base/fs.h"
#include "base/sha256.h"
#include "base/shell.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, MOST_SCORES = 1 << 28 };

static const char *const score_names[] = {"score/calibration", "score/validation"};

/* ---- figures: /validation, /test, /published ---- */

static int save_outcome(eex_store_file *file, const char *group, const eex_skip_outcome *o,
                        int exits)
{
    const eex_store_shape shape = {1, {(uint64_t)exits}};
    char name[64];
    EEX_TRY(eex_store_make_group(file, group));
    EEX_TRY(eex_store_set_double(file, group, "accuracy", o->accuracy));
    EEX_TRY(eex_store_set_double(file, group, "device", o->device));
    EEX_TRY(eex_store_set_double(file, group, "total", o->total));
    snprintf(name, sizeof name, "%s/share", group);
    EEX_TRY(eex_store_write(file, name, EEX_STORE_F64, &shape, o->share));
    snprintf(name, sizeof name, "%s/computed", group);
    return eex_store_write(file, name, EEX_STORE_F64, &shape, o->computed);
}

static int save_figures(eex_store_file *file, const char *group,
                        const eex_exit_predictor_figures *f, int exits)
{
    char name[32];
    if (f->samples == 0)
        return EEX_OK;
    EEX_TRY(eex_store_make_group(file, group));
    EEX_TRY(eex_store_set_int(file, group, "samples", f->samples));
    snprintf(name, sizeof name, "%s/without", group);
    EEX_TRY(save_outcome(file, name, &f->without, exits));
    snprintf(name, sizeof name, "%s/with", group);
    return save_outcome(file, name, &f->with, exits);
}

static int load_outcome(eex_skip_outcome *o, eex_store_file *file, const char *group, int exits)
{
    const eex_store_shape shape = {1, {(uint64_t)exits}};
    char name[64];
    EEX_TRY(eex_store_get_double(&o->accuracy, file, group, "accuracy"));
    EEX_TRY(eex_store_get_double(&o->device, file, group, "device"));
    EEX_TRY(eex_store_get_double(&o->total, file, group, "total"));
    snprintf(name, sizeof name, "%s/share", group);
    EEX_TRY(eex_store_read(o->share, file, name, EEX_STORE_F64, &shape));
    snprintf(name, sizeof name, "%s/computed", group);
    return eex_store_read(o->computed, file, name, EEX_STORE_F64, &shape);
}

static int load_figures(eex_exit_predictor_figures *f, eex_store_file *file, const char *group,
                        int exits)
{
    int64_t samples = 0;
    char name[32];
    if (!eex_store_has(file, group))
        return EEX_OK;
    EEX_TRY(eex_store_get_int(&samples, file, group, "samples"));
    if (samples < 1 || samples > INT32_MAX)
        return eex_store_refuse(file, "figures of %lld images", (long long)samples);
    f->samples = (int)samples;
    snprintf(name, sizeof name, "%s/without", group);
    EEX_TRY(load_outcome(&f->without, file, name, exits));
    snprintf(name, sizeof name, "%s/with", group);
    return load_outcome(&f->with, file, name, exits);
}

/* ---- writing ---- */

static int save_recipe(eex_store_file *file, const eex_exit_predictor_recipe *r)
{
    EEX_TRY(eex_store_set_string(file, "", "family", eex_exit_predictor_family_name(r->family)));
    EEX_TRY(eex_store_set_string(file, "", "images", eex_exit_predictor_images_name(r->images)));
    EEX_TRY(eex_store_set_string(file, "", "lambda", eex_exit_predictor_lambda_name(r->lambda)));
    EEX_TRY(eex_store_set_double(file, "", "more", r->more));
    EEX_TRY(eex_store_set_int(file, "", "epochs", r->epochs));
    EEX_TRY(eex_store_set_string(file, "", "convention", "macs"));
    return eex_store_set_string(file, "", "meaning",
                                "a gate is computed where sigmoid of its output is at least gamma");
}

static int save_scores(eex_store_file *file, const eex_exit_predictor *p)
{
    EEX_TRY(eex_store_make_group(file, "score"));
    for (int i = 0; i < 2; i++) {
        const eex_store_shape shape = {2, {(uint64_t)p->gates, (uint64_t)p->samples[i]}};
        EEX_TRY(eex_store_write_packed(file, score_names[i], EEX_STORE_F32, &shape, p->score[i]));
    }
    return eex_store_set_string(file, "score", "layout", "gate, sample of the model's trace");
}

/* Retrained, a network has the same exits, and others of its images leave at them: which weights it
 * was is told by the content of the model's file, wherever that lies. */
static int save_network(eex_store_file *file, const eex_model *m)
{
    char sum[EEX_SHA256_HEX];
    EEX_TRY(eex_sha256_file(sum, m->path));
    return eex_store_set_string(file, "", "network", sum);
}

int eex_exit_predictor_fill(eex_store_file *file, const void *context)
{
    const eex_exit_predictor_file *f = context;
    const eex_exit_predictor *p = f->predictor;
    const eex_store_shape gates = {1, {(uint64_t)p->gates}};
    EEX_TRY(save_recipe(file, &p->recipe));
    EEX_TRY(eex_graph_save(p->graph, file, "graph"));
    EEX_TRY(eex_params_save(p->params, file, "params"));
    EEX_TRY(eex_store_write(file, "gamma", EEX_STORE_F32, &gates, p->gamma));
    EEX_TRY(eex_policy_save(p->policy, file, "policy"));
    EEX_TRY(eex__exits_save(file, f->model->graph));
    EEX_TRY(save_network(file, f->model));
    EEX_TRY(eex_identity_save(&f->model->input.made_of, file, ""));
    EEX_TRY(save_scores(file, p));
    EEX_TRY(save_figures(file, "validation", &p->validation, p->gates + 1));
    EEX_TRY(save_figures(file, "test", &p->test, p->gates + 1));
    return save_figures(file, "published", &p->published, p->gates + 1);
}

int eex_exit_predictor_save(const eex_exit_predictor *predictor, const eex_model *model,
                            const char *path)
{
    EEX_NEED(predictor, "predictor");
    EEX_NEED(model, "model");
    EEX_NEED(path, "path");
    const eex_exit_predictor_file all = {predictor, model};
    return eex_store_write_file(path, "predictor", VERSION, eex_exit_predictor_fill, &all);
}

/* ---- reading ---- */

static int load_name(int *out, eex_store_file *file, const char *attribute, const eex_names *names)
{
    char *text = NULL, hint[EEX_NAMES_SIZE];
    EEX_TRY(eex_store_get_string(&text, file, "", attribute));
    const int found = eex_name_find(names, text);
    const int code = found >= 0 ? EEX_OK
                                : eex_store_refuse(file, "no %s \"%.60s\": %s", attribute, text,
                                                   eex_names_hint(hint, names, text));
    *out = found;
    free(text);
    return code;
}

static int load_recipe(eex_exit_predictor_recipe *r, eex_store_file *file)
{
    int family, images, lambda;
    int64_t epochs;
    EEX_TRY(load_name(&family, file, "family", eex_exit_predictor_family_names()));
    EEX_TRY(load_name(&images, file, "images", eex_exit_predictor_images_names()));
    EEX_TRY(load_name(&lambda, file, "lambda", eex_exit_predictor_lambda_names()));
    EEX_TRY(eex_store_get_double(&r->more, file, "", "more"));
    EEX_TRY(eex_store_get_int(&epochs, file, "", "epochs"));
    r->family = (eex_exit_predictor_family)family;
    r->images = (eex_exit_predictor_images)images;
    r->lambda = (eex_exit_predictor_lambda)lambda;
    r->epochs = (int)epochs;
    return EEX_OK;
}

/* Outputs are counted by the gates of the model, its input is the model's. */
static int check_graph(const eex_exit_predictor *p, const eex_model *m, const char *path)
{
    const eex_node *in = eex_graph_node(p->graph, 0);
    const eex_input *reads = &m->input;
    const int outputs = p->gates < 2 ? 2 : p->gates;
    if (eex_graph_exits(p->graph) == 1 && eex_graph_classes(p->graph) == outputs &&
        in->h == reads->height && in->w == reads->width && in->c == reads->channels)
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "%s: a predictor for %d gates and images of %dx%dx%d, %s has %d and %dx%dx%d: "
                    "it belongs to another network",
                    path, eex_graph_classes(p->graph), in->h, in->w, in->c, m->path, p->gates,
                    reads->height, reads->width, reads->channels);
}

static int check_policy(const eex_exit_predictor *p, const eex_model *m, const char *path)
{
    if (p->policy->exits != p->gates + 1 || p->policy->classes != eex_graph_classes(m->graph) ||
        (eex_policy_rejects_by_distance(p->policy) && !m->familiar))
        return eex_fail(EEX_EINVAL,
                        "%s: its thresholds do not fit %s: they belong to another "
                        "network",
                        path, m->path);
    for (int k = 0; k < p->gates; k++)
        if (isnan(p->gamma[k]))
            return eex_fail(EEX_EFORMAT, "%s: gamma of gate %d is not a number", path, k + 1);
    return EEX_OK;
}

static int check_made_of(eex_store_file *file, const eex_model *m)
{
    char word[EEX_SHELL_WORD];
    eex_identity from = {.text = NULL};
    EEX_TRY(eex_identity_load(&from, file, ""));
    const int code = eex_identity_same(&from, &m->input.made_of)
                         ? EEX_OK
                         : eex_fail(EEX_EINVAL,
                                    "%s: it was trained for a network made from other data than "
                                    "%s: eex predictor %s trains one for this network",
                                    eex_store_path(file), m->path, eex_shell_text(word, m->path));
    eex_identity_free(&from);
    return code;
}

/* Files of an earlier eex do not say it. */
static int check_network(eex_store_file *file, const eex_model *m)
{
    char sum[EEX_SHA256_HEX], word[EEX_SHELL_WORD], *was = NULL;
    const int says = eex_store_has_attribute(file, "", "network");
    EEX_TRY(says);
    if (!says)
        return EEX_OK;
    EEX_TRY(eex_sha256_file(sum, m->path));
    EEX_TRY(eex_store_get_string(&was, file, "", "network"));
    const bool same = strcmp(was, sum) == 0;
    free(was);
    return same ? EEX_OK
                : eex_fail(EEX_EINVAL,
                           "%s: it was trained for a network of other weights than %s has now: eex "
                           "predictor %s --force trains one for this network",
                           eex_store_path(file), m->path, eex_shell_text(word, m->path));
}

static int load_scores(eex_exit_predictor *p, eex_store_file *file)
{
    for (int i = 0; i < 2; i++) {
        eex_store_shape shape = {2, {(uint64_t)p->gates, EEX_STORE_ANY}};
        EEX_TRY(eex_store_read_new((void **)&p->score[i], file, score_names[i], EEX_STORE_F32,
                                   &shape, MOST_SCORES));
        if (shape.extent[1] < 1 || shape.extent[1] > INT32_MAX)
            return eex_store_refuse(file, "scores of %llu images",
                                    (unsigned long long)shape.extent[1]);
        p->samples[i] = (int)shape.extent[1];
    }
    return EEX_OK;
}

/* What the file holds bounds what is believed. */
static int load_params(eex_exit_predictor *p, eex_store_file *file, eex_device *device)
{
    uint64_t bytes = 0, held = 0;
    for (int i = 0; i < eex_graph_params(p->graph); i++)
        bytes += eex_param_count(eex_graph_param(p->graph, i)) * sizeof(float);
    EEX_TRY(eex_fs_size(&held, eex_store_path(file)));
    if (bytes > held)
        return eex_store_refuse(file, "weights of %llu bytes in a file of %llu",
                                (unsigned long long)bytes, (unsigned long long)held);
    EEX_TRY(eex_device_lock(device));
    int code = eex_params_new(&p->params, device, p->graph, 0);
    if (code == EEX_OK)
        code = eex_params_load(p->params, file, "params");
    eex_device_unlock(device);
    return code;
}

static int load(eex_exit_predictor *p, eex_store_file *file, const eex_model *m)
{
    const char *path = eex_store_path(file);
    p->gates = eex_graph_exits(m->graph) - 1;
    const eex_store_shape gates = {1, {(uint64_t)p->gates}};
    EEX_TRY(load_recipe(&p->recipe, file));
    EEX_TRY(eex__exits_check(file, m->graph));
    EEX_TRY(check_made_of(file, m));
    EEX_TRY(check_network(file, m));
    EEX_TRY(eex_graph_load(&p->graph, file, "graph"));
    EEX_TRY(check_graph(p, m, path));
    EEX_TRY(eex_store_read(p->gamma, file, "gamma", EEX_STORE_F32, &gates));
    EEX_TRY(eex_policy_load(&p->policy, file, "policy"));
    EEX_TRY(check_policy(p, m, path));
    EEX_TRY(load_scores(p, file));
    EEX_TRY(load_figures(&p->validation, file, "validation", p->gates + 1));
    EEX_TRY(load_figures(&p->test, file, "test", p->gates + 1));
    EEX_TRY(load_figures(&p->published, file, "published", p->gates + 1));
    eex_model_charges(&p->charges, m->graph, p->graph);
    return m->params ? load_params(p, file, m->params->device) : EEX_OK;
}

static int load_from(eex_exit_predictor **out, const char *path, const eex_model *model)
{
    char word[EEX_SHELL_WORD];
    eex_store_file *file = NULL;
    if (!eex_fs_exists(path))
        return eex_fail(EEX_ENOTFOUND, "%s has no predictor: eex predictor %s trains one",
                        model->path, eex_shell_text(word, model->path));
    EEX_TRY(eex_store_open(&file, path, "predictor", VERSION));
    eex_exit_predictor *p = calloc(1, sizeof *p);
    int code = p ? load(p, file, model) : eex_fail(EEX_ENOMEM, "out of memory for a predictor");
    eex_store_close(file);
    if (code == EEX_OK)
        *out = p;
    else
        eex_exit_predictor_free(p);
    return code;
}

int eex_exit_predictor_open(eex_exit_predictor **out, const eex_model *model)
{
    EEX_NEED(out, "place for the predictor");
    *out = NULL;
    EEX_NEED(model, "model");
    char *path = NULL;
    if (eex_graph_exits(model->graph) < 2)
        return eex_fail(EEX_ENOTFOUND, "%s has no gates, and no predictor", model->path);
    EEX_TRY(eex_exit_predictor_path(&path, model));
    const int code = load_from(out, path, model);
    free(path);
    return code;
}
