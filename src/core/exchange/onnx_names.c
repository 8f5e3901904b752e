/* What the names of an ONNX file stand for. */
#include "core/exchange/onnx_import_impl.h"

#include "base/status.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Shorter ones first. */
static int compare(eex__text a, eex__text b)
{
    if (a.size != b.size)
        return a.size < b.size ? -1 : 1;
    return a.size ? memcmp(a.at, b.at, a.size) : 0;
}

static int compare_entries(const void *a, const void *b)
{
    return compare(((const eex__onnx_entry *)a)->name, ((const eex__onnx_entry *)b)->name);
}

static void collect(eex_onnx_network *n, eex__text name)
{
    if (name.size)
        n->entry[n->entries++].name = name;
}

/* Sorted and searched: whoever writes a file could choose its names so that any table of hashes
 * that is known has them all in one place. */
int eex__onnx_collect(eex_onnx_network *n)
{
    const eex__onnx_graph *f = &n->file;
    const size_t most = (size_t)f->tensors + (size_t)f->calls + (size_t)f->ins;
    size_t kept = 0;
    n->entry = calloc(most + 1, sizeof *n->entry);
    if (!n->entry)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu names", most);
    for (int i = 0; i < f->tensors; i++)
        collect(n, f->tensor[i].name);
    for (int i = 0; i < f->ins; i++)
        collect(n, f->in[i].name);
    for (int i = 0; i < f->calls; i++)
        if (f->call[i].outs > 0)
            collect(n, f->call[i].out[0]);
    qsort(n->entry, n->entries, sizeof *n->entry, compare_entries);
    for (size_t i = 0; i < n->entries; i++)
        if (kept == 0 || compare_entries(&n->entry[kept - 1], &n->entry[i]) != 0)
            n->entry[kept++] = n->entry[i];
    n->entries = kept;
    return EEX_OK;
}

static eex__onnx_entry *place_of(const eex_onnx_network *n, eex__text name)
{
    const eex__onnx_entry like = {.name = name};
    return name.size ? bsearch(&like, n->entry, n->entries, sizeof like, compare_entries) : NULL;
}

eex__onnx_entry *eex__onnx_find(const eex_onnx_network *n, eex__text name)
{
    eex__onnx_entry *e = place_of(n, name);
    return e && e->defined ? e : NULL;
}

int eex__onnx_define(eex_onnx_network *n, const eex__onnx_entry *entry)
{
    char name[EEX__SHOWN];
    if (entry->name.size == 0)
        return EEX_OK; /* an output that nobody wants */
    eex__onnx_entry *e = place_of(n, entry->name);
    if (!e || e->defined)
        return eex_fail(EEX_EFORMAT, "%s \"%s\"",
                        e ? "two values are called" : "there is no place for the value",
                        eex__text_show(name, entry->name));
    *e = *entry;
    e->defined = true;
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
