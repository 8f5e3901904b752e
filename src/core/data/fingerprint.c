#include "core/data/fingerprint.h"

#include "base/buffer.h"
#include "base/status.h"

#include <string.h>

void eex_fingerprint_begin(eex_fingerprint *f)
{
    memset(f, 0, sizeof *f);
    for (int p = 0; p < EEX_PARTS; p++) {
        eex_sha256_begin(&f->images[p]);
        eex_sha256_begin(&f->labels[p]);
    }
}

void eex_fingerprint_add(eex_fingerprint *f, eex_part part, const uint8_t *images, size_t bytes,
                         const int32_t *labels, size_t count)
{
    eex_sha256_update(&f->images[part], images, bytes);
    for (size_t i = 0; i < count; i++) {
        const uint32_t label = (uint32_t)labels[i];
        const uint8_t little[4] = {(uint8_t)label, (uint8_t)(label >> 8), (uint8_t)(label >> 16),
                                   (uint8_t)(label >> 24)};
        eex_sha256_update(&f->labels[part], little, sizeof little);
    }
    f->count[part] += count;
}

int eex_fingerprint_end(char out[EEX_FINGERPRINT], eex_fingerprint *f, int height, int width,
                        int channels, const char *const *classes, size_t class_count)
{
    eex_buffer text = EEX_BUFFER_INIT;
    char images[EEX_SHA256_HEX], labels[EEX_SHA256_HEX];
    eex_buffer_printf(&text, "eex data set 1\n%d x %d x %d\n", height, width, channels);
    for (size_t c = 0; c < class_count; c++)
        eex_buffer_printf(&text, "class %zu %s\n", strlen(classes[c]), classes[c]);
    for (int p = 0; p < EEX_PARTS; p++) {
        eex_sha256_end_hex(&f->images[p], images);
        eex_sha256_end_hex(&f->labels[p], labels);
        if (f->count[p])
            eex_buffer_printf(&text, "%s %llu %s %s\n", eex_part_name((eex_part)p),
                              (unsigned long long)f->count[p], images, labels);
    }
    const int code = eex_buffer_status(&text);
    if (code == EEX_OK)
        eex_sha256_hex(out, text.data, text.size);
    eex_buffer_free(&text);
    return code;
}
