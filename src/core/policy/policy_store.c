/* Policies in files: one dataset a member of eex_policy. */
#include "core/policy/policy.h"
#include "core/policy/store_impl.h"
#include "device/decide.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

typedef struct member {
    const char *name;
    eex_store_type type;
    int rank; /* 1: (exits), 2: (exits, classes) */
    void *data;
} member;

enum { MEMBERS = 8 };

/* A file of a few bytes can claim any extents; beyond this many they are not believed. */
enum { MAX_THRESHOLDS = 1 << 22 };

static void policy_members(member m[MEMBERS], const eex_policy *p)
{
    m[0] = (member){"temperature", EEX_STORE_F32, 1, p->temperature};
    m[1] = (member){"high", EEX_STORE_F32, 2, p->high};
    m[2] = (member){"low", EEX_STORE_F32, 2, p->low};
    m[3] = (member){"mean", EEX_STORE_F64, 2, p->mean};
    m[4] = (member){"dev", EEX_STORE_F64, 2, p->dev};
    m[5] = (member){"a", EEX_STORE_F64, 1, p->a};
    m[6] = (member){"b", EEX_STORE_F64, 1, p->b};
    m[7] = (member){"count", EEX_STORE_I64, 2, p->count};
}

static eex_store_shape member_shape(const member *m, const eex_policy *p)
{
    return (eex_store_shape){m->rank, {(uint64_t)p->exits, (uint64_t)p->classes}};
}

/* Only where it is used: an eex that knows nothing of it would not reject. */
static int save_far(const eex_policy *p, eex_store_file *file, const char *group)
{
    const eex_store_shape shape = {1, {(uint64_t)p->exits}};
    char path[EEX__MEMBER_PATH];
    if (!eex_policy_rejects_by_distance(p))
        return EEX_OK;
    EEX_TRY(eex__member_path(path, group, "far", "policy"));
    EEX_TRY(eex_store_write(file, path, EEX_STORE_F64, &shape, p->far));
    return eex_store_set_string(file, path, "meaning",
                                "exit k rejects what is farther from the familiar than far[k]");
}

static int read_far(eex_policy *p, eex_store_file *file, const char *group)
{
    const eex_store_shape shape = {1, {(uint64_t)p->exits}};
    char path[EEX__MEMBER_PATH];
    EEX_TRY(eex__member_path(path, group, "far", "policy"));
    return eex_store_has(file, path) ? eex_store_read(p->far, file, path, EEX_STORE_F64, &shape)
                                     : EEX_OK;
}

/* Files of before do not say it. Their counts do: all exits see the same labels, and hardly ever
 * predict alike. */
static bool counts_of_labels(const eex_policy *p)
{
    for (int i = p->classes; i < p->exits * p->classes; i++)
        if (p->count[i] != p->count[i % p->classes])
            return false;
    return true;
}

static int read_by(eex_policy *p, eex_store_file *file, const char *group)
{
    char *name = NULL, known[EEX_NAMES_SIZE];
    const int there = eex_store_has_attribute(file, group, "by");
    EEX_TRY(there);
    if (!there) {
        p->by_label = counts_of_labels(p);
        return EEX_OK;
    }
    EEX_TRY(eex_store_get_string(&name, file, group, "by"));
    const int by = eex_name_find(eex_policy_by_names(), name);
    const int code =
        by >= 0 ? EEX_OK
                : eex_store_refuse(file, "%s: means of classes by \"%.40s\": %s", group, name,
                                   eex_names_hint(known, eex_policy_by_names(), name));
    p->by_label = by == EEX_POLICY_BY_LABEL;
    free(name);
    return code;
}

int eex_policy_save(const eex_policy *policy, eex_store_file *file, const char *group)
{
    EEX_NEED(policy, "policy");
    EEX_NEED(file, "file");
    EEX_NEED(group, "group");
    char path[EEX__MEMBER_PATH];
    member m[MEMBERS];
    policy_members(m, policy);
    if (*group)
        EEX_TRY(eex_store_make_group(file, group));
    EEX_TRY(eex_store_set_string(file, group, "kind", eex_policy_kind_name(policy->kind)));
    EEX_TRY(eex_store_set_string(file, group, "by", eex_policy_by_name(policy->by_label)));
    EEX_TRY(eex_store_set_int(file, group, "exits", policy->exits));
    EEX_TRY(eex_store_set_int(file, group, "classes", policy->classes));
    EEX_TRY(eex_store_set_string(file, group, "rule",
                                 "exit k accepts class c when score >= high[k][c], rejects when "
                                 "score < low[k][c]; the last exit accepts unless it rejects"));
    for (int i = 0; i < MEMBERS; i++) {
        eex_store_shape shape = member_shape(&m[i], policy);
        EEX_TRY(eex__member_path(path, group, m[i].name, "policy"));
        EEX_TRY(eex_store_write(file, path, m[i].type, &shape, m[i].data));
    }
    return save_far(policy, file, group);
}

static int policy_read_kind(eex_policy_kind *out, eex_store_file *file, const char *group)
{
    char *name = NULL;
    EEX_TRY(eex_store_get_string(&name, file, group, "kind"));
    int status = eex_policy_kind_parse(out, name);
    free(name);
    return status == EEX_OK ? EEX_OK : eex_store_refuse(file, "%s: %s", group, eex_error());
}

static int policy_check(const eex_policy *p, eex_store_file *file, const char *group)
{
    for (int k = 0; k < p->exits; k++)
        if (!(p->temperature[k] > 0) || isnan(p->a[k]) || isnan(p->b[k]) || !(p->far[k] >= 0))
            return eex_store_refuse(
                file,
                "%s: exit %d has temperature %g, a %g, b %g, far %g: a positive "
                "temperature and numbers expected, no distance below 0",
                group, k, (double)p->temperature[k], p->a[k], p->b[k], p->far[k]);
    for (size_t i = 0; i < (size_t)p->exits * (size_t)p->classes; i++)
        if (isnan(p->high[i]) || isnan(p->low[i]))
            return eex_store_refuse(file, "%s: a threshold of exit %zu is not a number", group,
                                    i / (size_t)p->classes);
    return EEX_OK;
}

static int policy_read(eex_policy *p, eex_store_file *file, const char *group)
{
    char path[EEX__MEMBER_PATH];
    member m[MEMBERS];
    policy_members(m, p);
    for (int i = 0; i < MEMBERS; i++) {
        eex_store_shape shape = member_shape(&m[i], p);
        EEX_TRY(eex__member_path(path, group, m[i].name, "policy"));
        EEX_TRY(eex_store_read(m[i].data, file, path, m[i].type, &shape));
    }
    EEX_TRY(read_far(p, file, group));
    EEX_TRY(read_by(p, file, group));
    return policy_check(p, file, group);
}

int eex_policy_load(eex_policy **out, eex_store_file *file, const char *group)
{
    EEX_NEED(out, "place for the policy");
    EEX_NEED(file, "file");
    EEX_NEED(group, "group");
    *out = NULL;
    char path[EEX__MEMBER_PATH];
    eex_policy_kind kind;
    eex_store_type type;
    eex_store_shape shape;
    EEX_TRY(policy_read_kind(&kind, file, group));
    EEX_TRY(eex__member_path(path, group, "high", "policy"));
    EEX_TRY(eex_store_describe(&type, &shape, file, path));
    if (shape.rank != 2 || shape.extent[0] < 1 || shape.extent[0] > EEX_MAX_EXITS ||
        shape.extent[1] < 1 || shape.extent[1] > 1 << 20)
        return eex_store_refuse(file, "%s: expected thresholds of (exits, classes)", path);
    if (shape.extent[0] * shape.extent[1] > MAX_THRESHOLDS)
        return eex_store_refuse(file, "%s: thresholds of %d exits and %d classes, more than %d",
                                path, (int)shape.extent[0], (int)shape.extent[1], MAX_THRESHOLDS);
    EEX_TRY(eex_policy_new(out, kind, (int)shape.extent[0], (int)shape.extent[1]));
    int status = policy_read(*out, file, group);
    if (status != EEX_OK) {
        eex_policy_free(*out);
        *out = NULL;
    }
    return status;
}
