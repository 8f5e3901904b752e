/* Networks that have every operation of an elastic one between them. */
#include "core/run/elastic_cover.h"
#include "support/devices.h"
#include "support/elastic.h"

#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { DRAWS = 300 };

static const eex_inference how = {
    .batch = 1, .normalise = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.25f, 0.25f, 0.25f}}};
static eex_device *device;

static void setup(void)
{
    device = open_device(1);
}

static void teardown(void)
{
    eex_device_close(device);
}

TestSuite(elastic_cover, .init = setup, .fini = teardown, .timeout = 60);

/* Into a table, or how many of them it has not. */
static int operations(eex_latency_table *t, const eex_graph *g, const int *genome, bool add)
{
    char key[EEX_LATENCY_KEY];
    int lacking = 0;
    eex__lowered l;
    OK(eex__lower(&l, g, genome, device, &how));
    for (int i = 0; i < eex_plan_ops(l.plan); i++) {
        OK(eex_latency_key(key, eex_plan_op(l.plan, i)));
        lacking += !eex__latency_has(t, key);
        if (add)
            OK(eex__latency_put(t, key, 1, 1));
    }
    eex__lowered_free(&l);
    return lacking;
}

Test(elastic_cover, every_network_is_made_of_what_few_have)
{
    eex_graph *g;
    eex__cover *c;
    eex_latency_table *t;
    eex_rng rng;
    int genome[ELASTIC_GENES], fresh = 0;
    OK(eex_test_elastic(&g, 5));
    OK(eex__cover_new(&c, g, device, &how));
    OK(eex_latency_table_new(&t, device));
    for (int i = 0; i < c->count; i++) {
        const int lacking = operations(t, g, c->genome + (size_t)i * ELASTIC_GENES, c->fresh[i]);
        cr_assert_eq(lacking > 0, c->fresh[i], "network %d", i);
        fresh += c->fresh[i];
    }
    cr_assert(fresh > 1 && fresh < 60, "%d networks", fresh);
    eex_rng_seed(&rng, 1, 1);
    for (int i = 0; i < DRAWS; i++) {
        for (int k = 0; k < ELASTIC_GENES; k++)
            genome[k] = (int)eex_rng_below(&rng, (uint64_t)eex_graph_gene(g, k)->options);
        cr_assert_eq(operations(t, g, genome, false), 0, "draw %d", i);
    }
    eex_latency_table_free(t);
    eex__cover_free(c);
    eex_graph_free(g);
}

Test(elastic_cover, cells_are_of_different_combinations)
{
    eex_graph *g;
    eex__cover *c;
    OK(eex_test_elastic(&g, 5));
    OK(eex__cover_new(&c, g, device, &how));
    const int node = eex_graph_find(g, "layer2.depth.conv");
    cr_assert_geq(node, 0);
    const struct eex__local *local = &c->cells.node[node];
    cr_assert(local->genes >= 3 && local->count > 8, "%d genes", local->genes);
    int genome[ELASTIC_GENES] = {0};
    for (int i = 0; i < local->genes; i++) {
        const size_t before = eex__cell_of(&c->cells, node, genome);
        genome[local->gene[i]] = 1;
        cr_assert_gt(eex__cell_of(&c->cells, node, genome), before);
    }
    cr_assert_lt(eex__cell_of(&c->cells, node, genome), local->first + local->count);
    for (int k = 0; k < ELASTIC_GENES; k++) /* of genes that are not its own it knows nothing */
        genome[k] = 0;
    for (int k = 0; k < ELASTIC_GENES; k++) {
        bool own = false;
        for (int i = 0; i < local->genes; i++)
            own = own || local->gene[i] == k;
        genome[k] = own ? 0 : eex_graph_gene(g, k)->options - 1;
    }
    cr_assert_eq(eex__cell_of(&c->cells, node, genome), local->first);
    eex__cover_free(c);
    eex_graph_free(g);
}

Test(elastic_cover, what_is_too_much_to_measure_is_said)
{
    eex_graph *g;
    eex__cover *c = NULL;
    OK(eex_test_elastic_large(&g, 10));
    cr_assert_eq(eex__cover_new(&c, g, device, &how), EEX_EUNSUPPORTED);
    cr_assert_null(c);
    cr_assert(strstr(eex_error(), "\"conv1\" of \"large\" takes depends on more genes"), "%s",
              eex_error());
    eex_graph_free(g);
}

Test(elastic_cover, an_interruption_ends_it)
{
    eex_graph *g;
    eex__cover *c = NULL;
    OK(eex_test_elastic(&g, 5));
    OK(eex_signals_install());
    raise(SIGINT);
    cr_assert_eq(eex__cover_new(&c, g, device, &how), EEX_EINTERRUPTED);
    cr_assert_null(c);
    eex_graph_free(g);
}
