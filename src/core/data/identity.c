#include "core/data/identity.h"

#include "base/clock.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    SHOWN = 12,  /* digits of a fingerprint */
    NAMES = 200, /* bytes of names of classes */
    SOURCE = 200 /* bytes of where it came from */
};

/* ---- in words ---- */

static void put_parts(eex_buffer *out, const eex_dataset_info *d)
{
    const uint32_t counts[] = {d->train, d->validation, d->test};
    const char *join = "";
    for (int p = 0; p < EEX_PARTS; p++) {
        if (counts[p] == 0)
            continue;
        eex_buffer_printf(out, "%s%u %s", join, (unsigned)counts[p], eex_part_name((eex_part)p));
        join = " + ";
    }
    eex_buffer_printf(out, " images of %dx%dx%d", d->height, d->width, d->channels);
}

/* As many names as there is room for. */
static void put_classes(eex_buffer *out, const eex_dataset_info *d)
{
    size_t room = NAMES;
    eex_buffer_printf(out, ", %d classes (", d->classes);
    for (int c = 0; c < d->classes; c++) {
        const size_t length = strlen(d->class_names[c]) + 2;
        if (length > room) {
            eex_buffer_puts(out, c ? ", ..." : "...");
            break;
        }
        eex_buffer_printf(out, "%s%s", c ? ", " : "", d->class_names[c]);
        room -= length;
    }
    eex_buffer_puts(out, ")");
}

/* The first line of what it was made from. */
static void put_source(eex_buffer *out, const eex_dataset_info *d)
{
    const size_t length = strcspn(d->source, "\n");
    if (length > 0)
        eex_buffer_printf(out, ", from: %.*s", (int)(length < SOURCE ? length : SOURCE), d->source);
}

static int describe(char **out, const eex_dataset_info *d)
{
    eex_buffer text = EEX_BUFFER_INIT;
    put_parts(&text, d);
    put_classes(&text, d);
    put_source(&text, d);
    return eex_buffer_take(out, &text);
}

void eex_identity_entry(eex_buffer *out, const eex_dataset_info *d)
{
    if (!out || !d)
        return;
    eex_buffer_printf(out, "data = %u + %u images of %dx%dx%d, %d classes, %s\n",
                      (unsigned)d->train, (unsigned)d->test, d->height, d->width, d->channels,
                      d->classes, d->source);
}

/* ---- objects ---- */

int eex_identity_of(eex_identity *out, eex_dataset *data)
{
    EEX_NEED(out, "place for the identity");
    EEX_NEED(data, "data set");
    *out = (eex_identity){.text = NULL};
    EEX_TRY(eex_dataset_fingerprint(out->fingerprint, data));
    return describe(&out->text, eex_dataset_facts(data));
}

int eex_identity_copy(eex_identity *out, const eex_identity *from)
{
    EEX_NEED(out, "place for the identity");
    EEX_NEED(from, "identity");
    *out = *from;
    if (!from->text)
        return EEX_OK;
    out->text = strdup(from->text);
    return out->text ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for what a data set is");
}

void eex_identity_free(eex_identity *identity)
{
    if (!identity)
        return;
    free(identity->text);
    *identity = (eex_identity){.text = NULL};
}

bool eex_identity_known(const eex_identity *identity)
{
    return identity && *identity->fingerprint;
}

bool eex_identity_same(const eex_identity *a, const eex_identity *b)
{
    return !eex_identity_known(a) || !eex_identity_known(b) ||
           strcmp(a->fingerprint, b->fingerprint) == 0;
}

/* ---- files ---- */

int eex_identity_save(const eex_identity *identity, eex_store_file *file, const char *object)
{
    EEX_NEED(identity, "identity");
    EEX_NEED(file, "file");
    if (eex_identity_known(identity))
        EEX_TRY(eex_store_set_string(file, object, "fingerprint", identity->fingerprint));
    return identity->text ? eex_store_set_string(file, object, "data", identity->text) : EEX_OK;
}

/* NULL where there is none. */
static int load_text(char **out, eex_store_file *file, const char *object, const char *name)
{
    const int there = eex_store_has_attribute(file, object, name);
    *out = NULL;
    return there > 0 ? eex_store_get_string(out, file, object, name) : there;
}

static int load_fingerprint(eex_identity *out, eex_store_file *file, const char *object)
{
    char *text = NULL;
    EEX_TRY(load_text(&text, file, object, "fingerprint"));
    if (!text)
        return EEX_OK;
    const bool right = strspn(text, "0123456789abcdef") == EEX_FINGERPRINT - 1 &&
                       strlen(text) == EEX_FINGERPRINT - 1;
    if (right)
        memcpy(out->fingerprint, text, EEX_FINGERPRINT);
    free(text);
    return right ? EEX_OK : eex_store_refuse(file, "the fingerprint of its data is no SHA-256");
}

int eex_identity_load(eex_identity *out, eex_store_file *file, const char *object)
{
    EEX_NEED(out, "place for the identity");
    EEX_NEED(file, "file");
    *out = (eex_identity){.text = NULL};
    int code = load_fingerprint(out, file, object);
    if (code == EEX_OK)
        code = load_text(&out->text, file, object, "data");
    if (code < 0)
        eex_identity_free(out);
    return code;
}

/* ---- comparing ---- */

/* When the file was written, which is when it was imported; "" where nobody can tell. */
static void date_of(char out[EEX_DATE_SIZE], const char *path)
{
    struct stat facts;
    *out = '\0';
    if (stat(path, &facts) == 0)
        eex_clock_date_of(out, facts.st_mtime);
}

static int refuse(const eex_identity *was, const eex_identity *now, const eex_dataset_info *d,
                  const char *whose, const char *remedy)
{
    char date[EEX_DATE_SIZE];
    date_of(date, d->path);
    return eex_fail(EEX_EINVAL,
                    "%s was made from other data than data set \"%s\" has now: from %s, "
                    "fingerprint %.*s...; %s%s%s has %s, fingerprint %.*s...: its samples are not "
                    "those that the numbers mean; %s",
                    whose, d->name, was->text ? was->text : "data that it does not describe", SHOWN,
                    was->fingerprint, d->path, *date ? ", written " : "", date, now->text, SHOWN,
                    now->fingerprint, remedy);
}

int eex_identity_check(const eex_identity *was, eex_dataset *data, const char *whose,
                       const char *remedy)
{
    EEX_NEED(was, "identity");
    EEX_NEED(data, "data set");
    EEX_NEED(whose, "words for what was made");
    EEX_NEED(remedy, "words for the remedy");
    eex_identity now = {.text = NULL};
    if (!eex_identity_known(was))
        return EEX_OK;
    int code = eex_identity_of(&now, data);
    if (code == EEX_OK && !eex_identity_same(was, &now))
        code = refuse(was, &now, eex_dataset_facts(data), whose, remedy);
    eex_identity_free(&now);
    return code;
}
