/* Bottlenecks at the last early exit: what they are made of, what is refused, and what is left for
 * training what lies behind. */
#include "core/graph/bottleneck.h"
#include "core/graph/cost.h"
#include "core/graph/graph_store.h"
#include "support/backbones.h"
#include "support/folder.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static int bottled(eex_graph **out, int classes)
{
    eex_graph *gated;
    EEX_TRY(eex_test_tiny_gated(&gated, classes));
    int code = eex_graph_with_bottleneck(out, gated, 8);
    eex_graph_free(gated);
    return code;
}

static const eex_node *node(const eex_graph *g, const char *name)
{
    const eex_node *n = eex_graph_node(g, eex_graph_find(g, name));
    cr_assert(n, "no node %s", name);
    return n;
}

Test(bottleneck, is_between_the_last_early_exit_and_the_rest)
{
    eex_graph *plain, *g;
    OK(eex_test_tiny_gated(&plain, 10));
    OK(bottled(&g, 10));
    const eex_exit *exit = eex_graph_exit(g, 1);
    const eex_node *value = eex_graph_node(g, exit->point);
    const eex_node *code = node(g, "bottleneck.quantise"),
                   *pixels = node(g, "bottleneck.decoder.pixels");
    cr_assert_eq(code->h, value->h / 2);
    cr_assert_eq(code->w, value->w / 2);
    cr_assert_eq(code->c, value->c / 4);
    cr_assert_eq(code->bits, 8);
    cr_assert_eq(pixels->h, value->h);
    cr_assert_eq(pixels->w, value->w);
    cr_assert_eq(pixels->c, value->c);
    cr_assert_lt(eex_graph_find(g, "bottleneck.quantise"), exit->logits);
    cr_assert_gt(eex_graph_find(g, "bottleneck.decoder.conv"), exit->logits);
    for (int k = 0; k < 2; k++) /* early exits cost what they did */
        cr_assert_eq(eex_cost_cumulative(g, k, EEX_PTFLOPS),
                     eex_cost_cumulative(plain, k, EEX_PTFLOPS));
    cr_assert_gt(eex_cost_cumulative(g, 2, EEX_MACS), eex_cost_cumulative(plain, 2, EEX_MACS));
    eex_graph_free(plain);
    eex_graph_free(g);
}

Test(bottleneck, is_kept_in_files)
{
    eex_graph *g, *again;
    eex_store_file *file;
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    const char *path = test_path(folder, "bottleneck.h5");
    OK(bottled(&g, 10));
    OK(eex_store_create(&file, path, "weights", 1));
    OK(eex_graph_save(g, file, "graph"));
    OK(eex_store_commit(&file));
    OK(eex_store_open(&file, path, "weights", 1));
    OK(eex_graph_load(&again, file, "graph"));
    eex_store_close(file);
    test_folder_remove(folder);
    cr_assert_eq(eex_graph_nodes(again), eex_graph_nodes(g));
    for (int i = 0; i < eex_graph_nodes(g); i++) {
        const eex_node *a = eex_graph_node(g, i), *b = eex_graph_node(again, i);
        cr_assert_eq(a->kind, b->kind);
        cr_assert_eq(a->bits, b->bits);
        cr_assert(a->h == b->h && a->w == b->w && a->c == b->c, "%s", a->name);
    }
    eex_graph_free(g);
    eex_graph_free(again);
}

static void refused(const eex_graph *g, int bits, const char *part)
{
    eex_graph *out = NULL;
    cr_assert_eq(eex_graph_with_bottleneck(&out, g, bits), EEX_EINVAL);
    cr_assert(strstr(eex_error(), part), "\"%s\" does not say \"%s\"", eex_error(), part);
    cr_assert_null(out);
}

Test(bottleneck, is_refused_where_it_does_not_fit)
{
    eex_graph *g, *gated;
    OK(bottled(&g, 10));
    refused(g, 8, "already");
    eex_graph_free(g);
    OK(eex_test_tiny_gated(&g, 10));
    refused(g, 9, "1 to 8");
    refused(g, -1, "1 to 8");
    eex_graph_free(g);
    OK(eex_test_tiny(&g, 10));
    refused(g, 8, "no early exit");
    /* Inside of a residual block the shortcut passes beside it. */
    const eex_gate inside = {.point = eex_graph_find(g, "blocks.0.relu1"), .blocks = 1};
    OK(eex_graph_with_gates(&gated, g, &inside, 1, EEX_ACT_RELU));
    refused(gated, 8, "a single value passes");
    eex_graph_free(gated);
    eex_graph_free(g);
}

Test(bottleneck, what_is_behind_a_node_is_trained_alone)
{
    eex_graph *g, *rest;
    OK(bottled(&g, 10));
    const int code = eex_graph_find(g, "bottleneck.quantise");
    OK(eex_graph_behind(&rest, g, code));
    cr_assert_eq(eex_graph_exits(rest), 1);
    cr_assert_eq(eex_graph_classes(rest), 10);
    cr_assert_eq(node(rest, "bottleneck.encoder.conv")->exit, EEX_TRUNK);
    cr_assert_eq(node(rest, "bottleneck.decoder.conv")->exit, 0);
    for (int i = 0; i < eex_graph_params(rest);
         i++) { /* the same parameters under the same names */
        const eex_param *p = eex_graph_param(rest, i);
        int found = 0;
        for (int j = 0; j < eex_graph_params(g); j++)
            found += strcmp(eex_graph_param(g, j)->name, p->name) == 0;
        cr_assert_eq(found, 1, "%s", p->name);
    }
    eex_graph_free(rest);
    cr_assert_eq(eex_graph_behind(&rest, g, eex_graph_exit(g, 0)->logits), EEX_EINVAL);
    eex_graph_free(g);
}
