#include "core/store/store_hdf5.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    return code < 0 ? code : eex__sealing_add(&file->sealing, name, "group", NULL);
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

void eex_store_list_free(eex_store_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        free(list->item[i]);
    free(list->item);
    *list = (eex_store_list){0, NULL};
}
