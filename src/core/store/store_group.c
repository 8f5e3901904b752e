#include "core/store/store_hdf5.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The link's own type, then that of the object it leads to. */
static int find_component(H5O_type_t *type, const eex_store_file *file, const char *name)
{
    H5L_info_t link;
    H5O_info_t object;
    htri_t there = H5Lexists(file->id, name, H5P_DEFAULT);
    if (there < 0)
        return eex__store_fail(EEX_EFORMAT, file, name, "cannot look it up");
    if (there == 0)
        return eex__store_fail(EEX_ENOTFOUND, file, name, "there is no such object in the file");
    if (H5Lget_info(file->id, name, &link, H5P_DEFAULT) < 0)
        return eex__store_fail(EEX_EFORMAT, file, name, "damaged link");
    if (link.type != H5L_TYPE_HARD)
        return eex__store_fail(EEX_EFORMAT, file, name,
                               "a soft or external link, which is refused");
    if (H5Oget_info_by_name2(file->id, name, &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
        return eex__store_fail(EEX_EFORMAT, file, name, "damaged object");
    *type = object.type;
    return EEX_OK;
}

int eex__store_find(H5O_type_t *type, const eex_store_file *file, const char *name)
{
    EEX_TRY(eex__store_check_name(file, name));
    char path[EEX__STORE_MAX_NAME + 1];
    int code = EEX_OK;
    snprintf(path, sizeof path, "%s", name);
    for (char *slash = strchr(path, '/'); slash && code == EEX_OK; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        code = find_component(type, file, path);
        if (code == EEX_OK && *type != H5O_TYPE_GROUP)
            code = eex__store_fail(EEX_EFORMAT, file, path, "expected a group");
        *slash = '/';
    }
    if (code == EEX_OK)
        code = find_component(type, file, path);
    return code;
}

bool eex_store_has(eex_store_file *file, const char *name)
{
    H5O_type_t type;
    eex__store_enter();
    return eex__store_leave(eex__store_find(&type, file, name)) == EEX_OK;
}

static int make_one_group(eex_store_file *file, const char *name)
{
    if (H5Lexists(file->id, name, H5P_DEFAULT) > 0)
        return EEX_OK;
    hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(creation, false);
    hid_t group = H5Gcreate2(file->id, name, H5P_DEFAULT, creation, H5P_DEFAULT);
    int code = EEX_OK;
    if (group < 0)
        code = eex__store_fail(EEX_EIO, file, name, "cannot make the group");
    else
        H5Gclose(group);
    H5Pclose(creation);
    return code;
}

int eex__store_make_groups(eex_store_file *file, const char *name, bool parents)
{
    char path[EEX__STORE_MAX_NAME + 1];
    int code = EEX_OK;
    snprintf(path, sizeof path, "%s", name);
    for (char *slash = strchr(path, '/'); slash && code == EEX_OK; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        code = make_one_group(file, path);
        *slash = '/';
    }
    if (code == EEX_OK && !parents)
        code = make_one_group(file, path);
    return code;
}

int eex_store_make_group(eex_store_file *file, const char *name)
{
    EEX_TRY(eex__store_check_name(file, name));
    EEX_TRY(eex__store_check_writing(file, name));
    eex__store_enter();
    return eex__store_leave(eex__store_make_groups(file, name, false));
}

/* ---- listing ---- */

void eex_store_list_free(eex_store_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        free(list->item[i]);
    free(list->item);
    *list = (eex_store_list){0, NULL};
}

/* HDF5 stops at what is not 0: negative is an error, positive is handed back. */
enum { OUT_OF_MEMORY = 1 };

static herr_t names_visit(hid_t group, const char *name, const H5L_info_t *link, void *data)
{
    eex_store_list *list = data;
    if (list->count >= EEX__STORE_MAX_NAMES)
        return -1;
    if ((list->count & (list->count - 1)) == 0) { /* capacity is the next power of two */
        size_t capacity = list->count ? list->count * 2 : 1;
        char **item = realloc(list->item, capacity * sizeof *item);
        if (!item)
            return OUT_OF_MEMORY;
        list->item = item;
    }
    list->item[list->count] = strdup(name);
    if (!list->item[list->count])
        return OUT_OF_MEMORY;
    list->count++;
    return 0;
}

static int group_names(eex_store_list *out, eex_store_file *file, const char *group)
{
    H5O_type_t type = H5O_TYPE_GROUP;
    hsize_t at = 0;
    if (strcmp(group, "/") != 0)
        EEX_TRY(eex__store_find(&type, file, group));
    if (type != H5O_TYPE_GROUP)
        return eex__store_fail(EEX_EFORMAT, file, group, "expected a group");
    herr_t end = H5Literate_by_name(file->id, group, H5_INDEX_NAME, H5_ITER_INC, &at, names_visit,
                                    out, H5P_DEFAULT);
    if (end == OUT_OF_MEMORY)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", file->path);
    if (end < 0)
        return eex__store_fail(EEX_EFORMAT, file, group, "cannot list its members");
    return EEX_OK;
}

int eex_store_names(eex_store_list *out, eex_store_file *file, const char *group)
{
    *out = (eex_store_list){0, NULL};
    eex__store_enter();
    int code = eex__store_leave(group_names(out, file, eex__store_object(group)));
    if (code < 0)
        eex_store_list_free(out);
    return code;
}
