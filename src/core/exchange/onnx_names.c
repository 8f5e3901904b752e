/* What the names of an ONNX file stand for. */
#include "core/exchange/onnx_import_impl.h"

#include "base/status.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static eex__onnx_entry *slot_of(const eex_onnx_network *n, eex__text name)
{
    uint64_t hash = 14695981039346656037ULL; /* FNV-1a */
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ (uint8_t)name.at[i]) * 1099511628211ULL;
    size_t at = (size_t)(hash ^ hash >> 32) & (n->entries - 1);
    while (n->entry[at].name.at && !eex__text_same(n->entry[at].name, name))
        at = (at + 1) & (n->entries - 1);
    return &n->entry[at];
}

eex__onnx_entry *eex__onnx_find(const eex_onnx_network *n, eex__text name)
{
    eex__onnx_entry *e = name.size ? slot_of(n, name) : NULL;
    return e && e->name.at ? e : NULL;
}

int eex__onnx_define(eex_onnx_network *n, const eex__onnx_entry *entry)
{
    char name[EEX__SHOWN];
    if (entry->name.size == 0)
        return EEX_OK; /* an output that nobody wants */
    eex__onnx_entry *e = slot_of(n, entry->name);
    if (e->name.at)
        return eex_fail(EEX_EFORMAT, "two values are called \"%s\"",
                        eex__text_show(name, entry->name));
    if (2 * ++n->used > n->entries)
        return eex_fail(EEX_EFORMAT, "more than %zu names", n->entries / 2);
    *e = *entry;
    return EEX_OK;
}

static int rank_read(const eex_onnx_network *n, const eex__onnx_call *call)
{
    for (int i = 0; i < call->ins; i++) {
        const eex__onnx_entry *e = eex__onnx_find(n, call->in[i]);
        if (e && e->rank > 0)
            return e->rank;
    }
    return 0;
}

int eex__onnx_is_entry(eex_onnx_network *n, const eex__onnx_call *call, eex__onnx_entry entry)
{
    if (call->outs < 1)
        return EEX_OK;
    entry.name = call->out[0];
    entry.call = call;
    if (entry.rank == 0 && entry.node >= 0)
        entry.rank = rank_read(n, call);
    return eex__onnx_define(n, &entry);
}

int eex__onnx_is_node(eex_onnx_network *n, const eex__onnx_call *call, int node)
{
    return eex__onnx_is_node_of(n, call, node, 0);
}

int eex__onnx_is_node_of(eex_onnx_network *n, const eex__onnx_call *call, int node, int rank)
{
    return eex__onnx_is_entry(n, call,
                              (eex__onnx_entry){.is = EEX__IS_VALUE, .node = node, .rank = rank});
}

/* ---- names of nodes ---- */

/* "layer1.0.conv1" of "layer1.0.conv1.weight", where that may be the name of a node. */
static bool name_of_tensor(char out[EEX_NAME_MAX], eex__text name)
{
    size_t size = name.size;
    while (size > 0 && name.at[size - 1] != '.')
        size--;
    if (size < 2 || size >= EEX_NAME_MAX - 24)
        return false;
    for (size_t i = 0; i + 1 < size; i++)
        if (!isalnum((unsigned char)name.at[i]) && !strchr("._-", name.at[i]))
            return false;
    memcpy(out, name.at, size - 1);
    out[size - 1] = '\0';
    return true;
}

int eex__onnx_node_name(char out[EEX_NAME_MAX], const eex_onnx_network *n,
                        const eex__onnx_call *call, const eex__onnx_tensor *tensor)
{
    char op[EEX__SHOWN];
    eex__text_show(op, call->op);
    if (tensor && name_of_tensor(out, tensor->name) && eex_graph_find(n->graph, out) < 0)
        return EEX_OK;
    for (int i = 0; op[i]; i++)
        op[i] = (char)tolower((unsigned char)op[i]);
    snprintf(out, EEX_NAME_MAX, "%.40s%d", op, eex_graph_nodes(n->graph));
    return eex_graph_find(n->graph, out) < 0
               ? EEX_OK
               : eex_fail(EEX_EFORMAT, "two nodes would be called \"%s\"", out);
}

int eex__onnx_refuse(const eex__onnx_call *call, const char *format, ...)
{
    char text[400], op[EEX__SHOWN], name[EEX__SHOWN];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return eex_fail(
        EEX_EUNSUPPORTED, "%s \"%s\": %s", eex__text_show(op, call->op),
        eex__text_show(name, call->name.size || !call->outs ? call->name : call->out[0]), text);
}
