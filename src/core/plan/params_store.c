/* Parameters in the store. */
#include "core/plan/params_impl.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH = 512 };

static int path_of(char out[PATH], const char *group, const eex_param *p)
{
    int length = snprintf(out, PATH, "%s%s%s", group, *group ? "/" : "", p->name);
    if (length >= PATH)
        return eex_fail(EEX_EINVAL, "parameter \"%s\": the group's name \"%.60s...\" is too long",
                        p->name, group);
    return EEX_OK;
}

static eex_store_shape shape_of(const eex_param *p)
{
    eex_store_shape shape = {.rank = p->rank};
    for (int i = 0; i < p->rank; i++)
        shape.extent[i] = (uint64_t)p->shape[i];
    return shape;
}

static int save_one(const eex_params *params, int i, eex_store_file *file, const char *group,
                    float *values)
{
    char path[PATH];
    const eex_param *p = eex_graph_param(params->graph, i);
    eex_store_shape shape = shape_of(p);
    EEX_TRY(path_of(path, group, p));
    EEX_TRY(eex_params_get(params, i, values));
    return eex_store_write(file, path, EEX_STORE_F32, &shape, values);
}

int eex_params_save(const eex_params *params, eex_store_file *file, const char *group)
{
    EEX_NEED(params, "parameters");
    EEX_NEED(file, "file");
    EEX_NEED(group, "group");
    float *values = NULL;
    int code = eex__params_scratch(&values, params->graph);
    for (int i = 0; i < eex_graph_params(params->graph) && code == EEX_OK; i++)
        if (eex_params_has(params, i))
            code = save_one(params, i, file, group, values);
    free(values);
    return code;
}

/* Every parameter is there with its type and shape: checked before anything is changed. */
static int check_one(const eex_params *params, int i, eex_store_file *file, const char *group)
{
    char path[PATH];
    const eex_param *p = eex_graph_param(params->graph, i);
    eex_store_shape wanted = shape_of(p), found;
    eex_store_type type;
    EEX_TRY(path_of(path, group, p));
    if (!eex_store_has(file, path))
        return eex_store_refuse(file, "\"%s\" is missing: the file holds another network", path);
    EEX_TRY(eex_store_describe(&type, &found, file, path));
    bool fits = type == EEX_STORE_F32 && found.rank == wanted.rank;
    for (int d = 0; d < wanted.rank && fits; d++)
        fits = found.extent[d] == wanted.extent[d];
    if (!fits)
        return eex_store_refuse(
            file,
            "\"%s\" does not have the type and shape of graph \"%s\": the file holds "
            "another network",
            path, eex_graph_name(params->graph));
    return EEX_OK;
}

static int load_one(eex_params *params, int i, eex_store_file *file, const char *group,
                    float *values)
{
    char path[PATH];
    const eex_param *p = eex_graph_param(params->graph, i);
    eex_store_shape shape = shape_of(p);
    EEX_TRY(path_of(path, group, p));
    EEX_TRY(eex_store_read(values, file, path, EEX_STORE_F32, &shape));
    return eex_params_set(params, i, values);
}

int eex_params_load(eex_params *params, eex_store_file *file, const char *group)
{
    EEX_NEED(params, "parameters");
    EEX_NEED(file, "file");
    EEX_NEED(group, "group");
    float *values = NULL;
    int count = eex_graph_params(params->graph);
    for (int i = 0; i < count; i++)
        if (eex_params_has(params, i))
            EEX_TRY(check_one(params, i, file, group));
    int code = eex__params_scratch(&values, params->graph);
    for (int i = 0; i < count && code == EEX_OK; i++)
        if (eex_params_has(params, i))
            code = load_one(params, i, file, group, values);
    free(values);
    return code;
}
