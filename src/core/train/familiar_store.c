/* Familiarity in files: a centre and a factor an exit. */
#include "core/train/familiar_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>

enum { NAME_SIZE = 256 };

static int member(char *out, const char *group, const char *what, int k)
{
    const int length = k < 0 ? snprintf(out, NAME_SIZE, "%s/%s", group, what)
                             : snprintf(out, NAME_SIZE, "%s/%s%d", group, what, k);
    return length > 0 && length < NAME_SIZE
               ? EEX_OK
               : eex_fail(EEX_EINVAL, "familiarity: the group's name \"%.60s...\" is too long",
                          group);
}

int eex_familiar_save(const eex_familiar *f, eex_store_file *file, const char *group)
{
    EEX_NEED(f, "familiarity");
    EEX_NEED(file, "file");
    EEX_NEED(group, "group");
    const eex_store_shape by_exit = {1, {(uint64_t)f->exits}};
    char path[NAME_SIZE];
    EEX_TRY(eex_store_make_group(file, group));
    EEX_TRY(eex_store_set_string(file, group, "meaning",
                                 "distance at exit k = |factor_k^T (m - center_k)|^2 / channels, m "
                                 "the mean over the pixels of what the exit reads; factors are "
                                 "stored column after column"));
    EEX_TRY(member(path, group, "channels", -1));
    EEX_TRY(eex_store_write(file, path, EEX_STORE_I32, &by_exit, f->channels));
    for (int k = 0; k < f->exits; k++) {
        const uint64_t c = (uint64_t)f->channels[k];
        const eex_store_shape center = {1, {c}}, factor = {2, {c, c}};
        if (c == 0)
            continue;
        EEX_TRY(member(path, group, "center", k));
        EEX_TRY(eex_store_write(file, path, EEX_STORE_F32, &center, f->center[k]));
        EEX_TRY(member(path, group, "factor", k));
        EEX_TRY(eex_store_write(file, path, EEX_STORE_F32, &factor, f->factor[k]));
    }
    return EEX_OK;
}

static int check(const eex_familiar *f, int k, eex_store_file *file, const char *group)
{
    const size_t c = (size_t)f->channels[k];
    bool finite = true;
    for (size_t i = 0; i < c; i++)
        finite = finite && isfinite(f->center[k][i]);
    for (size_t i = 0; i < c * c; i++)
        finite = finite && isfinite(f->factor[k][i]);
    return finite ? EEX_OK
                  : eex_store_refuse(file, "%s: exit %d has numbers that are not finite", group, k);
}

static int read_exit(eex_familiar *f, int k, eex_store_file *file, const char *group)
{
    const uint64_t c = (uint64_t)f->channels[k];
    const eex_store_shape center = {1, {c}}, factor = {2, {c, c}};
    char path[NAME_SIZE];
    if (c == 0)
        return EEX_OK;
    EEX_TRY(member(path, group, "center", k));
    EEX_TRY(eex_store_read(f->center[k], file, path, EEX_STORE_F32, &center));
    EEX_TRY(member(path, group, "factor", k));
    EEX_TRY(eex_store_read(f->factor[k], file, path, EEX_STORE_F32, &factor));
    return check(f, k, file, group);
}

static int check_channels(const int32_t *channels, eex_store_file *file, const char *group,
                          const eex_graph *graph)
{
    const int exits = eex_graph_exits(graph);
    for (int k = 0; k < exits; k++) {
        const int c = eex__familiar_channels(graph, k);
        if (channels[k] != 0 && channels[k] != c)
            return eex_store_refuse(file, "%s: %d channels at exit %d, expected 0 or %d", group,
                                    (int)channels[k], k, c);
    }
    return EEX_OK;
}

int eex_familiar_load(eex_familiar **out, eex_store_file *file, const char *group,
                      const eex_graph *graph)
{
    EEX_NEED(out, "place for familiarity");
    EEX_NEED(file, "file");
    EEX_NEED(group, "group");
    EEX_NEED(graph, "graph");
    const int exits = eex_graph_exits(graph);
    const eex_store_shape by_exit = {1, {(uint64_t)exits}};
    int32_t channels[EEX_MAX_EXITS];
    char path[NAME_SIZE];
    *out = NULL;
    EEX_TRY(member(path, group, "channels", -1));
    EEX_TRY(eex_store_read(channels, file, path, EEX_STORE_I32, &by_exit));
    EEX_TRY(check_channels(channels, file, group, graph));
    EEX_TRY(eex__familiar_new(out, exits, channels));
    int code = EEX_OK;
    for (int k = 0; k < exits && code == EEX_OK; k++)
        code = read_exit(*out, k, file, group);
    if (code < 0) {
        eex_familiar_free(*out);
        *out = NULL;
    }
    return code;
}
