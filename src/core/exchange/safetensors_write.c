/* Writing safetensors files. */
#include "core/exchange/safetensors.h"

#include "base/json.h"
#include "base/status.h"

#include <stdlib.h>

enum { ALIGNMENT = 8 };

static void put_tensor(eex_json *j, const eex_param *p, uint64_t *at)
{
    eex_json_object(j, p->name);
    eex_json_string(j, "dtype", "F32");
    eex_json_array(j, "shape");
    for (int d = 0; d < p->rank; d++)
        eex_json_int(j, NULL, p->shape[d]);
    eex_json_end(j);
    eex_json_array(j, "data_offsets");
    eex_json_uint(j, NULL, *at);
    *at += eex_param_count(p) * sizeof(float);
    eex_json_uint(j, NULL, *at);
    eex_json_end(j);
    eex_json_end(j);
}

/* Padded with blanks, so that the values behind it are aligned. */
static void put_header(eex_buffer *out, const eex_graph *graph, const char *about)
{
    eex_json j = EEX_JSON_INIT(out);
    uint64_t at = 0;
    j.compact = true;
    eex_json_object(&j, NULL);
    eex_json_object(&j, "__metadata__");
    eex_json_string(&j, "format", "pt");
    eex_json_string(&j, "eex", about);
    eex_json_end(&j);
    for (int i = 0; i < eex_graph_params(graph); i++)
        put_tensor(&j, eex_graph_param(graph, i), &at);
    eex_json_end(&j);
    eex_buffer_fill(out, ' ', (ALIGNMENT - out->size % ALIGNMENT) % ALIGNMENT);
}

static int put_floats(eex_buffer *out, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[sizeof(float)];
        union {
            float value;
            uint32_t bits;
        } number = {values[i]};
        for (int b = 0; b < 4; b++)
            bytes[b] = (uint8_t)(number.bits >> (8 * b));
        eex_buffer_append(out, bytes, sizeof bytes);
    }
    return eex_buffer_status(out);
}

static int put_values(eex_buffer *out, const eex_params *params)
{
    int code = EEX_OK;
    for (int i = 0; i < eex_graph_params(params->graph) && code == EEX_OK; i++) {
        const size_t count = eex_param_count(eex_graph_param(params->graph, i));
        float *values = malloc(count * sizeof *values);
        if (!values)
            return eex_fail(EEX_ENOMEM, "out of memory for %zu weights", count);
        code = eex_params_get(params, i, values);
        if (code == EEX_OK)
            code = put_floats(out, values, count);
        free(values);
    }
    return code;
}

int eex_safetensors_put(eex_buffer *out, const eex_params *params, const char *about)
{
    EEX_NEED(out, "place for the file");
    EEX_NEED(params, "parameters");
    EEX_NEED(about, "text about it");
    eex_buffer header = EEX_BUFFER_INIT;
    put_header(&header, params->graph, about);
    for (int b = 0; b < ALIGNMENT; b++)
        eex_buffer_putc(out, (char)(header.size >> (8 * b)));
    eex_buffer_append(out, header.data, header.size);
    const int code = eex_buffer_status(&header);
    eex_buffer_free(&header);
    return code == EEX_OK ? put_values(out, params) : code;
}
