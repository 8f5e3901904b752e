/* Networks as C: where values lie, and numbers and texts as C reads them. What the files calculate
 * tests/cli/test_export_c.sh compares with the engine. */
#include "core/exchange/c99_impl.h"
#include "support/devices.h"
#include "support/net.h"
#include "support/refused.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char path[] = "a model", set[] = "noise", odd[] = "a \"b\"\\ ?\?/ \n\xc3\xa9";

static eex_model model_of(const net *n, eex_policy *policy)
{
    static char *names[NET_CLASSES];
    const eex_node *in = eex_graph_node(n->graph, 0);
    for (int c = 0; c < NET_CLASSES; c++)
        names[c] = odd;
    return (eex_model){.path = path,
                       .graph = n->graph,
                       .params = n->params,
                       .policy = policy,
                       .input = {.dataset = set,
                                 .height = 2 * in->h,
                                 .width = 2 * in->w,
                                 .channels = in->c,
                                 .std = {1, 1, 1},
                                 .classes = {NET_CLASSES, names}}};
}

/* ---- layers ---- */

static int count_kind(const eex__layers *l, eex_node_kind kind)
{
    int count = 0;
    for (int i = 0; i < l->count; i++)
        count += l->at[i].kind == kind;
    return count;
}

static void check_layers(net_builder build, int acts, int norms)
{
    net n = net_open(build, 1, 1);
    const eex_model m = model_of(&n, NULL);
    eex__layers plain, fused;
    OK(eex__layers_make(&plain, &m, false));
    OK(eex__layers_make(&fused, &m, true));
    cr_expect_eq(count_kind(&fused, EEX_NODE_ACT), acts);
    cr_expect_eq(count_kind(&plain, EEX_NODE_BATCH_NORM), norms);
    cr_expect_eq(count_kind(&plain, EEX_NODE_DROPOUT), 0);
    for (int k = 0; k < eex_graph_exits(n.graph); k++)
        cr_expect_str_eq(plain.at[eex__layers_logits(&plain, k)].name,
                         eex_graph_node(n.graph, eex_graph_exit(n.graph, k)->logits)->name);
    eex__layers_free(&plain);
    eex__layers_free(&fused);
    net_close(&n);
}

Test(c99, batch_norms_and_activations_are_folded)
{
    check_layers(net_tiny, 0, 0);
    check_layers(net_mobilenetv2, 0, 0);
}

/* What scores just as much as a threshold says reaches it, rounded otherwise too. */
Test(c99, thresholds_are_lower_by_rounding)
{
    net n = net_open(net_tiny, 1, 1);
    eex_policy *policy;
    eex__layers l;
    OK(eex_policy_new(&policy, EEX_POLICY_ENTROPY, eex_graph_exits(n.graph), NET_CLASSES));
    policy->high[0] = 0.5f;
    policy->high[1] = -2;
    policy->high[2] = 0;
    const eex_model m = model_of(&n, policy);
    OK(eex__layers_make(&l, &m, true));
    for (int c = 0; c < 3; c++) {
        cr_expect_lt(l.high[c], nextafterf(policy->high[c], -1));
        cr_expect_gt(l.high[c], policy->high[c] - 1e-6f);
    }
    cr_expect_eq(l.high[3], INFINITY);
    cr_expect_eq(l.low[0], -INFINITY);
    eex__layers_free(&l);
    eex_policy_free(policy);
    net_close(&n);
}

/* ---- places ---- */

typedef struct region {
    size_t at, size;
} region;

static bool overlap(region a, region b)
{
    return a.size && b.size && a.at < b.at + b.size && b.at < a.at + a.size;
}

static region value_of(const eex__layers *l, const eex__c99_memory *m, int i)
{
    return (region){m->at[i], (size_t)l->at[i].h * (size_t)l->at[i].w * (size_t)l->at[i].c};
}

/* Nothing that is calculated touches a value that is still to be read. */
static void check_places(net_builder build)
{
    net n = net_open(build, 1, 1);
    eex_policy *policy;
    eex__layers l;
    eex__c99_memory memory;
    OK(eex_policy_new(&policy, EEX_POLICY_CONFIDENCE, eex_graph_exits(n.graph), NET_CLASSES));
    const eex_model m = model_of(&n, policy);
    OK(eex__layers_make(&l, &m, true));
    OK(eex__c99_place(&memory, &l));
    for (int i = 1; i < l.count; i++)
        for (int reader = i; reader < l.count; reader++)
            for (int j = 0; j < 2; j++) {
                const int in = l.at[reader].input[j];
                if (in < 0 || in >= i || l.at[i].kind == EEX_NODE_FLATTEN)
                    continue;
                cr_expect(!overlap(value_of(&l, &memory, i), value_of(&l, &memory, in)),
                          "\"%s\" is overwritten by \"%s\"", l.at[in].name, l.at[i].name);
            }
    for (int i = 0; i < l.count; i++) {
        const region r = value_of(&l, &memory, i);
        cr_expect_leq(r.at + r.size, memory.size);
    }
    cr_expect(!overlap((region){memory.image, (size_t)m.input.height * (size_t)m.input.width * 3},
                       value_of(&l, &memory, 0)));
    eex__c99_memory_free(&memory);
    eex__layers_free(&l);
    eex_policy_free(policy);
    net_close(&n);
}

Test(c99, values_do_not_overlap)
{
    check_places(net_tiny);
    check_places(net_squeezed);
    check_places(net_pooled);
    check_places(net_strided);
    check_places(net_mobilenetv2);
}

/* ---- numbers and texts ---- */

Test(c99, numbers_are_read_back)
{
    static const float values[] = {0, -0.0f, 1, -1, 0.1f, 1e-45f, 3.4028235e38f, 16777216, 1e20f};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        eex_buffer b = EEX_BUFFER_INIT;
        eex__c99_float(&b, values[i]);
        const char *text = eex_buffer_text(&b);
        cr_expect(strpbrk(text, ".e") && text[strlen(text) - 1] == 'f', "%s", text);
        cr_expect_eq(strtof(text, NULL), values[i], "%s", text);
        eex_buffer_free(&b);
    }
    eex_buffer b = EEX_BUFFER_INIT;
    eex__c99_float(&b, -INFINITY);
    cr_expect_str_eq(eex_buffer_text(&b), "-HUGE_VALF");
    eex_buffer_free(&b);
}

Test(c99, files)
{
    net n = net_open(net_tiny, 1, 1);
    eex_buffer header = EEX_BUFFER_INIT, source = EEX_BUFFER_INIT;
    eex_c99_needs needs;
    eex_policy *policy;
    char size[80];
    OK(eex_policy_new(&policy, EEX_POLICY_MARGIN, eex_graph_exits(n.graph), NET_CLASSES));
    eex_model m = model_of(&n, policy);
    OK(eex_c99_put(&header, &source, &needs, &m));
    cr_expect(
        strstr(eex_buffer_text(&source), "\"a \\042b\\042\\134 \\077\\077/ \\012\\303\\251\""));
    snprintf(size, sizeof size, "#define MODEL_MEMORY %zu ", (size_t)needs.memory / sizeof(float));
    cr_expect(strstr(eex_buffer_text(&header), size));
    REFUSED(eex_c99_put(NULL, &source, &needs, &m));
    REFUSED(eex_c99_put(&header, NULL, &needs, &m));
    REFUSED(eex_c99_put(&header, &source, NULL, &m));
    REFUSED(eex_c99_put(&header, &source, &needs, NULL));
    m.policy = NULL;
    REFUSED(eex_c99_put(&header, &source, &needs, &m));
    m.params = NULL;
    REFUSED(eex_c99_put(&header, &source, &needs, &m));
    eex_buffer_free(&header);
    eex_buffer_free(&source);
    eex_policy_free(policy);
    net_close(&n);
}
