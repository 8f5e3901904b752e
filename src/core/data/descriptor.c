#include "core/data/descriptor.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/names.h"
#include "base/share.h"
#include "base/status.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 16, MAX_NAMED = 32 };

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

static int set(eex_descriptor *d, const char *key, const char *value, const char *where)
{
    const struct {
        const char *key;
        char *to;
        size_t size;
    } fields[] = {
        {"title", d->title, sizeof d->title},    {"home", d->home, sizeof d->home},
        {"url", d->url, sizeof d->url},          {"file", d->file, sizeof d->file},
        {"layout", d->layout, sizeof d->layout}, {"inner", d->inner, sizeof d->inner},
        {"md5", d->md5, sizeof d->md5},          {"sha256", d->sha256, sizeof d->sha256},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(key, fields[i].key) == 0) {
            if (strlen(value) >= fields[i].size)
                return eex_fail(EEX_EFORMAT, "%s: %s is longer than %zu bytes", where, key,
                                fields[i].size - 1);
            memcpy(fields[i].to, value, strlen(value) + 1);
            return EEX_OK;
        }
    if (strcmp(key, "size") != 0)
        return eex_fail(EEX_EFORMAT, "%s: unknown key \"%s\"", where, key);
    int64_t size;
    if (eex_text_parse_int(&size, value, 1, INT64_MAX, "size") < 0)
        return eex_fail_in(EEX_EFORMAT, "%s", where);
    d->size = (uint64_t)size;
    return EEX_OK;
}

static int parse_line(eex_descriptor *d, char *line, const char *where)
{
    char *equals = strchr(line, '=');
    line = trim(line);
    if (*line == '\0' || *line == '#')
        return EEX_OK;
    if (!equals)
        return eex_fail(EEX_EFORMAT, "%s: expected \"key = value\", got \"%.60s\"", where, line);
    *equals = '\0';
    return set(d, trim(line), trim(equals + 1), where);
}

static int check(const eex_descriptor *d, const char *path)
{
    const char *missing = !*d->url                  ? "url"
                          : !*d->file               ? "file"
                          : !*d->layout             ? "layout"
                          : !*d->md5 && !*d->sha256 ? "md5 or sha256"
                                                    : NULL;
    if (missing)
        return eex_fail(EEX_EFORMAT, "%s: has no %s", path, missing);
    if (strchr(d->file, '/') || d->file[0] == '.' || d->inner[0] == '/' || strstr(d->inner, ".."))
        return eex_fail(EEX_EFORMAT, "%s: \"file\" and \"inner\" must be plain names", path);
    return EEX_OK;
}

static int parse(eex_descriptor *d, char *text, const char *path)
{
    char where[500];
    int number = 0;
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        snprintf(where, sizeof where, "%.460s:%d", path, ++number);
        EEX_TRY(parse_line(d, line, where));
    }
    return check(d, path);
}

int eex_descriptor_read(eex_descriptor *out, const char *path)
{
    const char *base = eex_path_base(path), *dot = strrchr(base, '.');
    int length = (int)(dot ? (size_t)(dot - base) : strlen(base));
    char *text = NULL;
    memset(out, 0, sizeof *out);
    EEX_TRY(eex_fs_read(&text, NULL, path, MAX_FILE));
    snprintf(out->name, sizeof out->name, "%.*s", length, base);
    int code = parse(out, text, path);
    free(text);
    return code;
}

static bool is_descriptor(const char *name)
{
    size_t length = strlen(name);
    return name[0] != '.' && length > 4 && strcmp(name + length - 4, ".txt") == 0;
}

static int read_all(eex_descriptor *list, int *count, const eex_fs_names *names, const char *folder)
{
    for (size_t i = 0; i < names->count; i++) {
        char *path = NULL;
        if (!is_descriptor(names->names[i]))
            continue;
        EEX_TRY(eex_path_join(&path, folder, names->names[i]));
        int code = eex_descriptor_read(&list[*count], path);
        free(path);
        EEX_TRY(code);
        ++*count;
    }
    return EEX_OK;
}

int eex_descriptor_list(eex_descriptor **out, int *count)
{
    char *folder = NULL;
    eex_fs_names names = {NULL, 0};
    *out = NULL;
    *count = 0;
    EEX_TRY(eex_share_find(&folder, "datasets"));
    int code = eex_fs_list(&names, folder);
    if (code == EEX_OK && !(*out = calloc(names.count + 1, sizeof **out)))
        code = eex_fail(EEX_ENOMEM, "out of memory");
    if (code == EEX_OK)
        code = read_all(*out, count, &names, folder);
    eex_fs_names_free(&names);
    free(folder);
    if (code < 0) {
        free(*out);
        *out = NULL;
    }
    return code;
}

int eex_descriptor_find(eex_descriptor *out, const char *name)
{
    eex_descriptor *list;
    const char *known[MAX_NAMED];
    char hint[EEX_NAMES_SIZE];
    int count, code = EEX_ENOTFOUND;
    EEX_TRY(eex_descriptor_list(&list, &count));
    for (int i = 0; i < count; i++) {
        if (i < MAX_NAMED)
            known[i] = list[i].name;
        if (strcmp(list[i].name, name) == 0) {
            *out = list[i];
            code = EEX_OK;
        }
    }
    const eex_names names = {known, count < MAX_NAMED ? count : MAX_NAMED};
    if (code < 0)
        eex_fail(code, "no data set \"%s\" is known to be downloaded: %s", name,
                 eex_names_hint(hint, &names, name));
    free(list);
    return code;
}
