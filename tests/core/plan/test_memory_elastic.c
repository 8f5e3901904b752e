/* Every allocation of elastic graphs and of their slices fails once. */
#include "core/graph/graph_store.h"
#include "core/plan/slice.h"
#include "support/devices.h"
#include "support/elastic.h"
#include "support/folder.h"
#include "support/memory.h"

#include "base/status.h"

#include <criterion/criterion.h>

enum { CLASSES = 4 };

static const int genome[ELASTIC_GENES] = {1, 1, 0, 1, 2, 1, 0, 1, 1};
static const eex_optimizer optimizer = {.kind = EEX_SGD};
static eex_device *device;
static eex_graph *elastic, *derived;
static eex_params *whole, *part;
static eex_optimizer_state *dwhole, *dpart;
static char folder[TEST_PATH_SIZE];
static const char *path;

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static void setup(void)
{
    eex_store_file *file;
    device = open_device(1);
    OK(eex_test_elastic_gated(&elastic, CLASSES));
    OK(eex_graph_derive(&derived, NULL, elastic, genome));
    OK(eex_params_new(&whole, device, elastic, 1));
    OK(eex_params_new(&part, device, derived, 1));
    OK(eex_optimizer_state_new(&dwhole, whole, &optimizer));
    OK(eex_optimizer_state_new(&dpart, part, &optimizer));
    test_folder_make(folder);
    path = test_path(folder, "graph.h5");
    OK(eex_store_create(&file, path, "weights", 1));
    OK(eex_graph_save(elastic, file, "graph"));
    OK(eex_store_commit(&file));
}

static void teardown(void)
{
    test_folder_remove(folder);
    eex_optimizer_state_free(dpart);
    eex_optimizer_state_free(dwhole);
    eex_params_free(part);
    eex_params_free(whole);
    eex_graph_free(derived);
    eex_graph_free(elastic);
    eex_device_close(device);
}

TestSuite(memory_elastic, .init = setup, .fini = teardown);

static int build(void)
{
    eex_graph *g = NULL;
    const int code = eex_test_elastic_gated(&g, CLASSES);
    eex_graph_free(g);
    return code;
}

static int derive(void)
{
    eex_graph *g = NULL;
    const int code = eex_graph_derive(&g, NULL, elastic, genome);
    eex_graph_free(g);
    return code;
}

static int load(void)
{
    eex_store_file *file;
    eex_graph *g = NULL;
    EEX_TRY(eex_store_open(&file, path, "weights", 1));
    const int code = eex_graph_load(&g, file, "graph");
    eex_store_close(file);
    eex_graph_free(g);
    return code;
}

static int slice(void)
{
    eex_slices *s = NULL;
    int code = eex_slices_new(&s, elastic, derived);
    if (code == EEX_OK)
        code = eex_slices_gather(s, part, whole);
    if (code == EEX_OK)
        code = eex_slices_scatter(s, dwhole, dpart);
    eex_slices_free(s);
    return code;
}

Test(memory_elastic, graphs)
{
    cr_expect_gt(test_fail_each_allocation(build), 8);
    cr_expect_gt(test_fail_each_allocation(derive), 2);
}

Test(memory_elastic, files)
{
    cr_expect_gt(test_fail_each_allocation(load), 20);
}

/* As on a device whose memory the host cannot reach, and as on one where it can. */
Test(memory_elastic, slices)
{
    const int by_hand = test_fail_each_allocation(slice);
    device->host_memory = false;
    cr_expect_gt(test_fail_each_allocation(slice), by_hand + 5);
    device->host_memory = true;
}
