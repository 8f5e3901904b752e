/* Elastic graphs in files that were changed on purpose: what loads is a network whose genomes are
 * networks or refused, whatever the rows say. */
#include "core/graph/cost.h"
#include "core/graph/graph_store.h"
#include "support/elastic.h"
#include "support/folder.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    test_folder_remove(folder);
}

TestSuite(elastic_store, .init = setup, .fini = teardown, .timeout = 240);

enum { ARRAYS = 8, TEXTS = 6, ROUNDS = 300 };
static const struct {
    const char *name;
    eex_store_type type;
} arrays[ARRAYS] = {{"graph/nodes/inputs", EEX_STORE_I32}, {"graph/nodes/shape", EEX_STORE_I32},
                    {"graph/nodes/number", EEX_STORE_F32}, {"graph/nodes/place", EEX_STORE_I32},
                    {"graph/exits", EEX_STORE_I32},        {"graph/nodes/more", EEX_STORE_I32},
                    {"graph/genes/value", EEX_STORE_F64},  {"graph/genes/choice", EEX_STORE_I32}};
static const char *const texts[TEXTS] = {"graph/nodes/name", "graph/nodes/block",
                                         "graph/nodes/kind", "graph/nodes/act",
                                         "graph/genes/name", "graph/genes/kind"};

static void copy_facts(eex_store_file *to, eex_store_file *from, eex_rng *rng)
{
    static const char *const sides[] = {"height", "width", "channels"};
    int64_t value;
    OK(eex_store_make_group(to, "graph"));
    OK(eex_store_set_string(to, "graph", "name", "changed"));
    for (int i = 0; i < 3; i++) {
        OK(eex_store_get_int(&value, from, "graph", sides[i]));
        OK(eex_store_set_int(to, "graph", sides[i], value));
    }
    OK(eex_store_make_group(to, "graph/genes"));
    OK(eex_store_get_int(&value, from, "graph/genes", "of_size"));
    value += eex_rng_below(rng, 8) ? 0 : (int64_t)eex_rng_below(rng, 20) - 4;
    OK(eex_store_set_int(to, "graph/genes", "of_size", value));
}

static void copy_texts(eex_store_file *to, eex_store_file *from, eex_rng *rng)
{
    for (int i = 0; i < TEXTS; i++) {
        eex_store_list list = {0};
        OK(eex_store_read_strings(&list, from, texts[i], 1 << 20));
        if (i >= 4 && eex_rng_below(rng, 10) == 0) {
            free(list.item[0]);
            list.item[0] = strdup(list.item[list.count - 1]);
            cr_assert_not_null(list.item[0]);
        }
        OK(eex_store_write_strings(to, texts[i], (const char *const *)list.item, list.count));
        eex_store_list_free(&list);
    }
}

static void change(void *data, eex_store_type type, size_t count, eex_rng *rng)
{
    static const int32_t odd[] = {INT32_MIN, -2, -1, 0, 1, 2, 3, 8, 24, 300, 1 << 25, INT32_MAX};
    static const double odd_real[] = {-1, 0, 1, 3, 16, 1e300, (double)NAN, (double)INFINITY};
    const size_t at = (size_t)eex_rng_below(rng, count);
    if (type == EEX_STORE_F64)
        ((double *)data)[at] = odd_real[eex_rng_below(rng, 8)];
    else if (type == EEX_STORE_F32)
        ((float *)data)[at] = (float)odd_real[eex_rng_below(rng, 8)];
    else if (eex_rng_below(rng, 2))
        ((int32_t *)data)[at] = odd[eex_rng_below(rng, sizeof odd / sizeof *odd)];
    else
        ((int32_t *)data)[at] += (int32_t)eex_rng_below(rng, 5) - 2;
}

/* Some of them in one array, mostly one that elastic graphs alone have. */
static void copy_arrays(eex_store_file *to, eex_store_file *from, eex_rng *rng)
{
    const int changed =
        (int)eex_rng_below(rng, 4) ? 5 + (int)eex_rng_below(rng, 3) : (int)eex_rng_below(rng, 5);
    for (int i = 0; i < ARRAYS; i++) {
        void *data = NULL;
        eex_store_shape shape = {2, {EEX_STORE_ANY, EEX_STORE_ANY}};
        OK(eex_store_read_new(&data, from, arrays[i].name, arrays[i].type, &shape, 1 << 20));
        for (uint64_t n = 1 + eex_rng_below(rng, 3); n && i == changed; n--)
            change(data, arrays[i].type, (size_t)(shape.extent[0] * shape.extent[1]), rng);
        OK(eex_store_write_packed(to, arrays[i].name, arrays[i].type, &shape, data));
        free(data);
    }
}

static void write_changed(const char *path, eex_store_file *from, eex_rng *rng)
{
    eex_store_file *file;
    OK(eex_store_create(&file, path, "weights", 1));
    copy_facts(file, from, rng);
    copy_texts(file, from, rng);
    copy_arrays(file, from, rng);
    OK(eex_store_commit(&file));
}

static int load(eex_graph **out, const char *path)
{
    eex_store_file *file;
    *out = NULL;
    EEX_TRY(eex_store_open(&file, path, "weights", 1));
    int code = eex_graph_load(out, file, "graph");
    eex_store_close(file);
    return code;
}

/* A genome is a network, the same as its canonical form, or is refused. */
static void use_genome(const eex_graph *g, int *genome)
{
    eex_graph *d = NULL, *same = NULL;
    int code = eex_graph_derive(&d, NULL, g, genome);
    cr_assert(code == EEX_OK || code == EEX_EINVAL || code == EEX_EUNSUPPORTED, "%s", eex_error());
    OK(eex_genome_canonical(g, genome));
    cr_assert_eq(eex_graph_derive(&same, NULL, g, genome), code);
    if (code < 0)
        return;
    char *a = elastic_signature(d), *b = elastic_signature(same);
    cr_assert_str_eq(a, b);
    cr_assert_leq(eex_cost_total(d, EEX_MACS), eex_cost_total(g, EEX_MACS));
    for (int i = 0; i < eex_graph_params(d); i++) {
        eex_slice s;
        OK(eex_graph_slice(&s, g, d, i));
    }
    free(a);
    free(b);
    eex_graph_free(d);
    eex_graph_free(same);
}

static void use(const eex_graph *g, eex_rng *rng)
{
    int genome[EEX_GENES];
    for (int turn = 0; turn < 10; turn++) {
        for (int i = 0; i < eex_graph_genes(g); i++)
            genome[i] = (int)eex_rng_below(rng, (uint64_t)eex_graph_gene(g, i)->options);
        use_genome(g, genome);
    }
}

Test(elastic_store, any_rows_are_an_elastic_graph_or_refused)
{
    char whole[TEST_PATH_SIZE];
    eex_store_file *file, *from;
    eex_graph *g = NULL;
    eex_rng rng;
    int loaded = 0;
    snprintf(whole, sizeof whole, "%s", test_path(folder, "whole.h5"));
    OK(eex_test_elastic_gated(&g, 10));
    OK(eex_store_create(&file, whole, "weights", 1));
    OK(eex_graph_save(g, file, "graph"));
    OK(eex_store_commit(&file));
    eex_graph_free(g);
    OK(eex_store_open(&from, whole, "weights", 1));
    eex_rng_seed(&rng, 3, 0);
    for (int round = 0; round < ROUNDS; round++) {
        const char *path = test_path(folder, "changed.h5");
        write_changed(path, from, &rng);
        int code = load(&g, path);
        if (code == EEX_OK)
            use(g, &rng);
        else
            cr_assert(code == EEX_EFORMAT && strstr(eex_error(), "changed.h5"), "round %d: %d %s",
                      round, code, eex_error());
        loaded += code == EEX_OK;
        eex_graph_free(g);
    }
    cr_expect(loaded > ROUNDS / 20 && loaded < ROUNDS * 9 / 10, "%d of %d loaded", loaded, ROUNDS);
    eex_store_close(from);
}
