/* Both ends of a network that is cut when memory runs out: each allocation fails in turn. */
#include "net/offload.h"
#include "net/server.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/memory.h"
#include "support/patches.h"
#include "support/stored_model.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE], file[TEST_PATH_SIZE + 16], key[TEST_PATH_SIZE + 16];
static eex_device *device;
static eex_model *model;
static eex_engine *engine;
static uint8_t images[4 * 8 * 8 * 3];

static void setup(void)
{
    static const char digits[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    test_folder_make(folder);
    snprintf(file, sizeof file, "%s/model.h5", folder);
    snprintf(key, sizeof key, "%s/key", folder);
    device = open_device(1);
    eex_dataset *data = patches_open(folder, 20, 20, 30);
    stored_model_write(file, device, data);
    eex_dataset_close(data);
    OK(eex_model_open(&model, file, EEX_MODEL_BEST, device));
    OK(eex_engine_open(&engine, model, 4));
    FILE *out = fopen(key, "w");
    cr_assert_not_null(out);
    fputs(digits, out);
    fclose(out);
    cr_assert_eq(chmod(key, S_IRUSR | S_IWUSR), 0);
    for (size_t i = 0; i < sizeof images; i++)
        images[i] = (uint8_t)(37 * i);
}

static void teardown(void)
{
    eex_engine_close(engine);
    eex_model_close(model);
    eex_device_close(device);
    test_folder_remove(folder);
}

TestSuite(memory_net, .init = setup, .fini = teardown, .timeout = 240);

static int scenario_server(void)
{
    eex_server_options how = {
        .address = "127.0.0.1", .key = key, .sessions = 3, .batch = 4, .patience = 1, .idle = 1};
    eex_rest *rest = NULL;
    eex_server *server = NULL;
    int code = eex_rest_new(&rest, engine, 0, 8);
    if (code == EEX_OK)
        code = eex_offload_hello(&how.hello, model, eex_rest_payload(rest));
    if (code == EEX_OK)
        code = eex_server_open(&server, &how, rest);
    eex_server_close(server);
    eex_rest_free(rest);
    return code;
}

/* Nobody listens there: every image has an answer of the device all the same. */
static int scenario_device(void)
{
    const eex_remote_options remote = {.address = "127.0.0.1:1", .key = key, .timeout = 5};
    eex_offload *offload;
    eex_result results[4];
    eex_answerer by[4];
    int code = eex_offload_open(&offload, model, engine, 4, 0, 0, &remote);
    if (code == EEX_OK)
        code = eex_offload_run(offload, results, by, images, 4);
    for (int i = 0; i < 4 && code == EEX_OK; i++)
        cr_expect(by[i] != EEX_BY_SERVER && results[i].exit == 0);
    eex_offload_close(offload);
    return code;
}

Test(memory_net, of_a_server)
{
    cr_expect_gt(test_fail_each_allocation(scenario_server), 5);
}

Test(memory_net, of_a_device)
{
    cr_expect_gt(test_fail_each_allocation(scenario_device), 5);
}
