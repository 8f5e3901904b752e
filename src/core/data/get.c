#include "core/data/get.h"

#include "core/data/fetch.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/md5.h"
#include "base/sha256.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

typedef struct places {
    char *downloads, *archive, *unpacked, *inner, *out;
} places;

static void places_free(places *p)
{
    free(p->downloads);
    free(p->archive);
    free(p->unpacked);
    free(p->inner);
    free(p->out);
}

static int places_make(places *p, const eex_descriptor *what, const char *folder)
{
    char name[100];
    EEX_TRY(eex_path_join(&p->downloads, folder, "downloads"));
    EEX_TRY(eex_path_join(&p->archive, p->downloads, what->file));
    snprintf(name, sizeof name, "%s.unpacked", what->name);
    EEX_TRY(eex_path_join(&p->unpacked, p->downloads, name));
    EEX_TRY(eex_path_join(&p->inner, p->unpacked, what->inner));
    snprintf(name, sizeof name, "%s.h5", what->name);
    EEX_TRY(eex_path_join(&p->out, folder, name));
    return eex_fs_make_folder(p->downloads);
}

static int download(const places *p, const eex_descriptor *what)
{
    if (eex_fs_exists(p->archive)) {
        eex_log_info("using %s", p->archive);
        return EEX_OK;
    }
    int code = eex_fetch(p->archive, what->url, what->size);
    if (code == EEX_OK || code == EEX_EINTERRUPTED)
        return code;
    char reason[1024];
    snprintf(reason, sizeof reason, "%s", eex_error());
    return eex_fail(
        code,
        "%s. By hand: download %s on a machine that can, put it at %s and run \"eex data "
        "get %s\" again; or unpack it anywhere and run \"eex data import %s FOLDER\"",
        reason, what->url, p->archive, what->name, what->name);
}

static int check_digest(const places *p, const char *kind, const char *found, const char *expected)
{
    if (!*expected || strcasecmp(found, expected) == 0)
        return EEX_OK;
    unlink(p->archive);
    return eex_fail(EEX_EFORMAT,
                    "%s: its %s is %s, expected %s: it was damaged on the way, or changed at its "
                    "source; it has been removed, try again",
                    p->archive, kind, found, expected);
}

static int check(const places *p, const eex_descriptor *what)
{
    char md5[EEX_MD5_HEX], sha256[EEX_SHA256_HEX];
    if (*what->md5) {
        EEX_TRY(eex_md5_file(md5, p->archive));
        EEX_TRY(check_digest(p, "MD5", md5, what->md5));
    }
    if (*what->sha256) {
        EEX_TRY(eex_sha256_file(sha256, p->archive));
        EEX_TRY(check_digest(p, "SHA-256", sha256, what->sha256));
    }
    return EEX_OK;
}

static int unpack(const places *p, const eex_descriptor *what)
{
    eex_log_info("unpacking %s", what->file);
    EEX_TRY(eex_fs_remove_tree(p->unpacked));
    EEX_TRY(eex_fs_make_folder(p->unpacked));
    EEX_TRY(eex_unpack(p->archive, p->unpacked));
    if (!*what->inner)
        return EEX_OK;
    char *folder = NULL;
    EEX_TRY(eex_path_folder(&folder, p->inner));
    int code = eex_unpack(p->inner, folder);
    free(folder);
    return code;
}

static int import(eex_import_result *result, const places *p, const eex_descriptor *what,
                  const eex_import_folder_options *options)
{
    if (strcmp(what->layout, "cifar10") == 0)
        return eex_import_cifar10(p->out, what->name, p->unpacked);
    if (strcmp(what->layout, "cifar100") == 0)
        return eex_import_cifar100(p->out, what->name, p->unpacked, false);
    if (strcmp(what->layout, "folder") == 0)
        return eex_import_folder(result, p->out, what->name, p->unpacked, options);
    return eex_fail(EEX_EFORMAT,
                    "data set \"%s\": layout \"%s\", expected cifar10, cifar100 or folder",
                    what->name, what->layout);
}

int eex_data_get(eex_import_result *result, const eex_descriptor *what, const char *folder,
                 const eex_import_folder_options *options)
{
    places p = {NULL, NULL, NULL, NULL, NULL};
    *result = (eex_import_result){0};
    int code = places_make(&p, what, folder);
    if (code == EEX_OK)
        code = download(&p, what);
    if (code == EEX_OK)
        code = check(&p, what);
    if (code == EEX_OK) {
        code = unpack(&p, what);
        if (code == EEX_OK)
            code = import(result, &p, what, options);
        char message[1500]; /* tidying up must not replace the reason */
        snprintf(message, sizeof message, "%s", eex_error());
        int tidy = eex_fs_remove_tree(p.unpacked);
        if (code < 0)
            eex_fail(code, "%s", message);
        else
            code = tidy;
    }
    places_free(&p);
    return code;
}
