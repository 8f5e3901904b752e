#include "core/data/fetch.h"

#include "base/status.h"

#ifdef EEX_HAVE_CURL

#include "base/fs.h"
#include "base/progress.h"
#include "base/signals.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct transfer {
    const char *url;
    char *part; /* PATH.download */
    FILE *file;
    uint64_t had, got, limit;
    int error; /* errno of a write that failed */
    char message[CURL_ERROR_SIZE];
} transfer;

static size_t on_data(char *data, size_t unit, size_t count, void *user)
{
    transfer *t = user;
    size_t size = unit * count;
    if (t->limit && t->had + t->got + size > t->limit) {
        t->error = EFBIG;
        return 0;
    }
    if (fwrite(data, 1, size, t->file) != size) {
        t->error = errno;
        return 0;
    }
    t->got += size;
    return size;
}

static int on_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up)
{
    transfer *t = user;
    eex_progress_update(t->had + t->got, NULL);
    return eex_interrupted();
}

static CURLcode perform(transfer *t)
{
    CURL *curl = curl_easy_init();
    if (!curl)
        return CURLE_OUT_OF_MEMORY;
    curl_easy_setopt(curl, CURLOPT_URL, t->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http,file");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 20L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 100L); /* bytes a second ... */
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);   /* ... for a minute: give up */
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "eex/" EEX_VERSION);
    curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)t->had);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, t->message);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    return result;
}

/* Appends to what is there, or starts over. */
static int begin(transfer *t, bool anew)
{
    struct stat facts;
    int file;
    bool made;
    EEX_TRY(eex_fs_open_own(&file, &made, t->part, anew ? O_TRUNC : O_APPEND));
    t->file = fdopen(file, "r+b");
    if (!t->file)
        close(file);
    if (!t->file || fstat(file, &facts) != 0)
        return eex_fail(EEX_EIO, "cannot write %s: %s", t->part, strerror(errno));
    t->had = (uint64_t)facts.st_size;
    t->got = 0;
    t->error = 0;
    t->message[0] = '\0';
    return EEX_OK;
}

static int end(transfer *t, CURLcode result)
{
    if (fclose(t->file) != 0 && !t->error)
        t->error = errno;
    t->file = NULL;
    if (t->error == EFBIG)
        return eex_fail(EEX_EFORMAT, "%s: the server sends more than %llu bytes", t->url,
                        (unsigned long long)t->limit);
    if (t->error)
        return eex_fail(EEX_EIO, "cannot write %s: %s", t->part, strerror(t->error));
    if (result == CURLE_ABORTED_BY_CALLBACK)
        return eex_fail(EEX_EINTERRUPTED,
                        "download interrupted at byte %llu: the same command goes on "
                        "from there",
                        (unsigned long long)(t->had + t->got));
    if (result != CURLE_OK)
        return eex_fail(EEX_EIO, "cannot download %s: %s", t->url,
                        t->message[0] ? t->message : curl_easy_strerror(result));
    return EEX_OK;
}

static int download(transfer *t)
{
    EEX_TRY(begin(t, false));
    CURLcode result = perform(t);
    /* A server that cannot continue, or has nothing behind what we have: once more from the start.
     */
    bool refused = result == CURLE_RANGE_ERROR || result == CURLE_BAD_DOWNLOAD_RESUME ||
                   (result == CURLE_HTTP_RETURNED_ERROR && strstr(t->message, "416"));
    if (t->had > 0 && refused) {
        fclose(t->file);
        EEX_TRY(begin(t, true));
        result = perform(t);
    }
    return end(t, result);
}

int eex_fetch(const char *path, const char *url, uint64_t size)
{
    size_t length = strlen(path) + sizeof ".download";
    transfer t = {.url = url, .part = malloc(length), .limit = 2 * size};
    if (!t.part)
        return eex_fail(EEX_ENOMEM, "out of memory");
    snprintf(t.part, length, "%s.download", path);
    eex_progress_begin("downloading", size, "bytes");
    int code = download(&t);
    eex_progress_end();
    if (t.file)
        fclose(t.file);
    if (code == EEX_OK)
        code = eex_fs_commit(t.part, path);
    else if (t.had + t.got == 0)
        unlink(t.part);
    free(t.part);
    return code;
}

#else

int eex_fetch(const char *path, const char *url, uint64_t size)
{
    return eex_fail(EEX_EUNSUPPORTED, "cannot download %s: this eex was built without libcurl",
                    url);
}

#endif
