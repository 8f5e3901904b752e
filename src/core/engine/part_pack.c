#include "core/engine/engine_impl.h"
#include "core/engine/part_impl.h"

#include "base/status.h"

#include <float.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "payloads are little-endian, as memory is");

/* The least and the largest of its elements, in front of its codes. */
typedef struct range {
    float low, high;
} range;

int eex__packing_of(eex__packing *out, const eex_engine *e, const eex_passing *value, int bits)
{
    const eex_node *n = eex_graph_node(e->params->graph, value->node);
    float ends[2];
    *out = (eex__packing){.elements = value->row_bytes / sizeof(float), .bits = bits};
    if (n->kind != EEX_NODE_QUANTISE || n->bits != bits)
        return EEX_OK;
    EEX_TRY(eex_device_lock(e->device));
    const int code = eex_params_get(e->params, n->first_param, ends);
    eex_device_unlock(e->device);
    EEX_TRY(code);
    out->known = true;
    out->low = ends[0];
    out->high = ends[1];
    return EEX_OK;
}

size_t eex__unpacked_bytes(const eex__packing *p)
{
    return p->elements * sizeof(float);
}

size_t eex__packed_bytes(const eex__packing *p)
{
    if (p->bits == 0)
        return p->elements * sizeof(float);
    return (p->known ? 0 : sizeof(range)) + eex_quantised_bytes(p->elements, p->bits);
}

/* What is not finite is left out: its code is that of an end. */
static range find_range(const float *x, size_t n)
{
    range r = {FLT_MAX, -FLT_MAX};
    for (size_t i = 0; i < n; i++) {
        r.low = x[i] < r.low && x[i] >= -FLT_MAX ? x[i] : r.low;
        r.high = x[i] > r.high && x[i] <= FLT_MAX ? x[i] : r.high;
    }
    return r.low <= r.high ? r : (range){0, 0};
}

void eex__pack(unsigned char *out, const eex__packing *p, const unsigned char *row)
{
    const float *x = (const float *)(const void *)row;
    range r = {p->low, p->high};
    if (p->bits == 0) {
        memcpy(out, row, p->elements * sizeof *x);
        return;
    }
    if (!p->known) {
        r = find_range(x, p->elements);
        memcpy(out, &r, sizeof r);
        out += sizeof r;
    }
    eex_quantise(out, x, p->elements, p->bits, r.low, r.high);
}

void eex__unpack(unsigned char *row, const eex__packing *p, const unsigned char *in)
{
    float *x = (float *)(void *)row;
    range r = {p->low, p->high};
    if (p->bits == 0) {
        memcpy(row, in, p->elements * sizeof *x);
        return;
    }
    if (!p->known) {
        memcpy(&r, in, sizeof r);
        in += sizeof r;
    }
    eex_dequantise(x, in, p->elements, p->bits, r.low, r.high);
}
