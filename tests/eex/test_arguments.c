/* What programs can do wrong: every function of the headers that eex.h names is called without what
 * it needs, with extreme numbers, and after a fork. It says what is wrong and goes on.
 * test_arguments.sh makes sure that none is left out. */
#include "eex/eex.h"
#include "support/folder.h"
#include "support/patches.h"
#include "support/refused.h"
#include "support/stored_model.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { IMAGE = 8 * 8 * 3, BATCH = 4 };

static char folder[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
static eex_dataset *data;
static eex_device *device;
static eex_model *model;
static eex_engine *engine;
static uint8_t images[BATCH * IMAGE];
static eex_result results[BATCH];
static const eex_frame_shape shape = {8, 8, 3, EEX_FIT_CROP};

static void setup(void)
{
    const eex_device_options two = {.threads = 2};
    test_folder_make(folder);
    data = patches_open(folder, 20, 8, 40);
    OK(eex_init());
    OK(eex_device_open(&device, "cpu", &two));
    snprintf(path, sizeof path, "%s", test_path(folder, "model.h5"));
    stored_model_write(path, device, data);
    OK(eex_model_open(&model, path, EEX_MODEL_BEST, device));
    OK(eex_engine_open(&engine, model, BATCH));
}

static void teardown(void)
{
    eex_engine_close(engine);
    eex_model_close(model);
    eex_device_close(device);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

TestSuite(arguments, .init = setup, .fini = teardown, .timeout = 120);

Test(arguments, of_engines)
{
    eex_engine *e = engine;
    eex_inference how = eex_model_inference(model, 1);
    eex_engine_result done;
    eex_latency latency;
    double ms[16];
    int count = 7;
    const eex_graph *g = model->graph;
    REFUSED(eex_engine_new(NULL, g, model->params, NULL, &how));
    REFUSED(eex_engine_new(&e, NULL, model->params, NULL, &how));
    REFUSED(eex_engine_new(&e, g, NULL, NULL, &how));
    REFUSED(eex_engine_new(&e, g, model->params, NULL, NULL));
    cr_expect_null(e);
    static const int batches[] = {INT_MIN, -1, 0, EEX_ENGINE_MAX_BATCH + 1, INT_MAX - 1, INT_MAX};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        how.batch = batches[i];
        REFUSED(eex_engine_new(&e, g, model->params, NULL, &how));
        REFUSED(eex_engine_open(&e, model, batches[i]));
        REFUSED(eex_engine_run(engine, results, images, batches[i]));
    }
    REFUSED(eex_engine_open(NULL, model, 1));
    REFUSED(eex_engine_open(&e, NULL, 1));
    REFUSED(eex_engine_decide(NULL, model->policy, NULL));
    REFUSED(eex_engine_decide(engine, NULL, NULL));
    REFUSED(eex_engine_run(NULL, results, images, 1));
    REFUSED(eex_engine_run(engine, NULL, images, 1));
    REFUSED(eex_engine_run(engine, results, NULL, 1));
    REFUSED(eex_engine_queue(NULL, NULL));
    REFUSED(eex_engine_queue(engine, &(eex_engine_options){.queue = INT_MAX}));
    REFUSED(eex_engine_queue(engine, &(eex_engine_options){.batch = INT_MIN}));
    REFUSED(eex_engine_queue(engine, &(eex_engine_options){.linger_ms = NAN}));
    REFUSED(eex_engine_submit(NULL, 0, images));
    REFUSED(eex_engine_submit(engine, 0, NULL));
    REFUSED(eex_engine_poll(NULL, &done, 1, 0, &count));
    REFUSED(eex_engine_poll(engine, NULL, 1, 0, &count));
    REFUSED(eex_engine_poll(engine, &done, 1, 0, NULL));
    REFUSED(eex_engine_poll(engine, &done, INT_MIN, 0, &count));
    REFUSED(eex_engine_wait(NULL, -1));
    REFUSED(eex_engine_settle(NULL, images));
    REFUSED(eex_engine_settle(engine, NULL));
    REFUSED(eex_engine_latency(NULL, ms, images, 1));
    REFUSED(eex_engine_latency(engine, NULL, images, 1));
    REFUSED(eex_engine_latency(engine, ms, NULL, 1));
    REFUSED(eex_engine_latency(engine, ms, images, 0));
    REFUSED(eex_engine_latency(engine, ms, images, INT_MIN));
    REFUSED(eex_engine_force(NULL, results, images, 0));
    REFUSED(eex_engine_force(engine, NULL, images, 0));
    REFUSED(eex_engine_force(engine, results, NULL, 0));
    REFUSED(eex_engine_force(engine, results, images, INT_MAX));
    REFUSED(eex_engine_force(engine, results, images, INT_MIN));
    REFUSED(eex_engine_measure(NULL, &latency, images, 1));
    REFUSED(eex_engine_measure(engine, NULL, images, 1));
    REFUSED(eex_engine_measure(engine, &latency, NULL, 1));
    REFUSED(eex_engine_measure(engine, &latency, images, INT_MIN));
    cr_expect(eex_engine_image_bytes(NULL) == 0 && eex_engine_rows(NULL) == 0);
    eex_engine_close(NULL);
    OK(eex_engine_run(engine, results, images, BATCH)); /* and nothing is broken */
}

Test(arguments, of_races)
{
    eex_racer racer = {.engine = engine}, nobody = {.engine = NULL};
    const eex_race fine = {
        .images = images, .image_bytes = IMAGE, .count = BATCH, .batch = 1, .rounds = 2};
    eex_race r = fine;
    REFUSED(eex_race_run(NULL, 1, &r));
    REFUSED(eex_race_run(&racer, 1, NULL));
    REFUSED(eex_race_run(&racer, 0, &r));
    REFUSED(eex_race_run(&racer, INT_MIN, &r));
    REFUSED(eex_race_run(&nobody, 1, &r));
    r.images = NULL;
    REFUSED(eex_race_run(&racer, 1, &r));
    r = fine;
    r.count = INT_MIN;
    REFUSED(eex_race_run(&racer, 1, &r));
    r = fine;
    r.batch = INT_MAX;
    REFUSED(eex_race_run(&racer, 1, &r));
    r = fine;
    r.rounds = INT_MIN;
    REFUSED(eex_race_run(&racer, 1, &r));
    r = fine;
    for (size_t bytes = 0; bytes < 2 * (size_t)IMAGE; bytes++) {
        r.image_bytes = bytes;
        if (bytes != IMAGE)
            REFUSED(eex_race_run(&racer, 1, &r));
    }
    r.image_bytes = SIZE_MAX;
    REFUSED(eex_race_run(&racer, 1, &r));
    r = fine;
    r.rounds = INT_MAX;
    REFUSED(eex_race_run(&racer, 1, &r));
    r = fine;
    OK(eex_race_run(&racer, 1, &r));
    cr_expect_eq(eex_race_speedup(&racer, &racer).ratio, 1);
    cr_expect_eq(eex_speedup_of(&racer.times, &racer.times).ratio, 1);
    cr_expect(!eex_dataset_is_path(NULL));
}

/* The largest batch is one that works. */
Test(arguments, of_engines_at_their_limit)
{
    eex_engine *e = NULL;
    const int code = eex_engine_open(&e, model, EEX_ENGINE_MAX_BATCH);
    cr_expect(code == EEX_OK || code == EEX_ENOMEM, "%s", eex_error());
    if (code == EEX_OK)
        OK(eex_engine_run(e, results, images, BATCH));
    eex_engine_close(e);
}

Test(arguments, of_models)
{
    eex_model *m = model;
    eex_policy *policy;
    eex_trace *trace;
    eex_input input;
    eex_store_file *file;
    eex_model other = *model;
    REFUSED(eex_model_open(NULL, path, EEX_MODEL_BEST, device));
    REFUSED(eex_model_open(&m, NULL, EEX_MODEL_BEST, device));
    cr_expect_null(m);
    REFUSED(eex_model_open(&m, path, (eex_model_part)99, device));
    REFUSED(eex_model_find(NULL));
    REFUSED(eex_model_open_part(NULL, path, (eex_plan_part){EEX_PLAN_FRONT, 0}, device));
    REFUSED(eex_model_open_part(&m, NULL, (eex_plan_part){EEX_PLAN_FRONT, 0}, device));
    REFUSED(eex_model_open_part(&m, path, (eex_plan_part){EEX_PLAN_FRONT, 99}, device));
    REFUSED(eex_model_open_part(&m, path, (eex_plan_part){EEX_PLAN_FRONT, 0}, NULL));
    OK(eex_policy_new(&policy, EEX_POLICY_MARGIN, 3, PATCH_CLASSES));
    REFUSED(eex_model_set_policy(NULL, policy)); /* which is gone */
    REFUSED(eex_model_set_policy(NULL, NULL));
    REFUSED(eex_model_load_policy(NULL, path));
    REFUSED(eex_model_load_policy(model, NULL));
    REFUSED(eex_model_threshold(NULL, EEX_POLICY_MARGIN, 0.5));
    REFUSED(eex_model_threshold(model, (eex_policy_kind)-1, 0.5));
    REFUSED(eex_model_threshold(model, EEX_POLICY_KINDS, 0.5));
    REFUSED(eex_model_threshold(model, EEX_POLICY_MARGIN, NAN));
    REFUSED(eex_model_threshold(model, EEX_POLICY_CONFIDENCE, INFINITY));
    REFUSED(eex_model_set_precision(NULL, EEX_F32));
    REFUSED(eex_model_set_precision(model, EEX_PRECISIONS));
    REFUSED(eex_model_set_precision(model, (eex_precision)-1));
    cr_expect_eq(eex_model_inference(NULL, 3).batch, 0);
    REFUSED(eex_model_trace(NULL, model, "validation"));
    REFUSED(eex_model_trace(&trace, NULL, "validation"));
    REFUSED(eex_model_trace(&trace, model, NULL));
    OK(eex_store_create(&file, test_path(folder, "new.h5"), "weights", 1));
    REFUSED(eex_model_write(NULL, model->graph, model->params, NULL, NULL, &model->input, EEX_F32));
    REFUSED(eex_model_write(file, NULL, model->params, NULL, NULL, &model->input, EEX_F32));
    REFUSED(eex_model_write(file, model->graph, NULL, NULL, NULL, &model->input, EEX_F32));
    REFUSED(eex_model_write(file, model->graph, model->params, NULL, NULL, NULL, EEX_F32));
    REFUSED(eex_model_write(file, model->graph, model->params, NULL, NULL, &model->input,
                            EEX_PRECISIONS));
    REFUSED(eex_input_of_dataset(NULL, data));
    REFUSED(eex_input_of_dataset(&input, NULL));
    REFUSED(eex_input_copy(NULL, &model->input));
    REFUSED(eex_input_copy(&input, NULL));
    REFUSED(eex_input_save(NULL, file, "input"));
    REFUSED(eex_input_save(&model->input, NULL, "input"));
    REFUSED(eex_input_save(&model->input, file, NULL));
    REFUSED(eex_input_load(NULL, file, "input"));
    REFUSED(eex_input_load(&input, NULL, "input"));
    REFUSED(eex_input_load(&input, file, NULL));
    REFUSED(eex_adaptation_fill(NULL, model->policy, model));
    REFUSED(eex_adaptation_fill(file, NULL, model));
    REFUSED(eex_adaptation_fill(file, model->policy, NULL));
    eex_store_close(file);
    REFUSED(eex_policy_file(NULL, path, model->policy, model));
    REFUSED(eex_policy_file(&file, NULL, model->policy, model));
    REFUSED(eex_policy_file(&file, path, NULL, model));
    REFUSED(eex_policy_file(&file, path, model->policy, NULL));
    REFUSED(eex_adaptation_file(NULL, path, model->policy, model));
    REFUSED(eex_adaptation_file(&file, NULL, model->policy, model));
    REFUSED(eex_adaptation_file(&file, path, NULL, model));
    REFUSED(eex_adaptation_file(&file, path, model->policy, NULL));
    eex_input_free(NULL);
    eex_model_close(NULL);
    other.params = NULL;
    eex_engine *e;
    REFUSED(eex_engine_open(&e, &other, 1));
}

Test(arguments, of_data)
{
    eex_dataset *d;
    eex_index index;
    bool own, compared;
    uint32_t first, count, sample = 0;
    const char *text;
    char print[EEX_FINGERPRINT];
    REFUSED(eex_model_data_check(NULL, &compared, model, data));
    REFUSED(eex_model_data_check(&own, NULL, model, data));
    REFUSED(eex_model_data_check(&own, &compared, NULL, data));
    REFUSED(eex_model_data_check(&own, &compared, model, NULL));
    REFUSED(eex_model_data_open(NULL, model, NULL));
    REFUSED(eex_model_data_open(&d, NULL, NULL));
    REFUSED(eex_model_data_own(NULL, model, NULL));
    REFUSED(eex_model_data_own(&d, NULL, NULL));
    REFUSED(eex_model_data_train(NULL, model, data));
    REFUSED(eex_model_data_train(&index, NULL, data));
    REFUSED(eex_model_data_train(&index, model, NULL));
    REFUSED(eex_model_data_part(NULL, model, data, "test"));
    REFUSED(eex_model_data_part(&index, NULL, data, "test"));
    REFUSED(eex_model_data_part(&index, model, NULL, "test"));
    REFUSED(eex_model_data_part(&index, model, data, NULL));
    REFUSED(eex_model_data_classes(NULL, data));
    REFUSED(eex_model_data_classes(model, NULL));
    cr_expect(!eex_model_data_fits(NULL, data) && !eex_model_data_fits(model, NULL));
    REFUSED(eex_data_directory(NULL));
    REFUSED(eex_dataset_open(NULL, "patches"));
    REFUSED(eex_dataset_open(&d, NULL));
    REFUSED(eex_dataset_gather(NULL, data, &sample, 1));
    REFUSED(eex_dataset_gather(images, NULL, &sample, 1));
    REFUSED(eex_dataset_gather(images, data, NULL, 1));
    REFUSED(eex_dataset_fingerprint(NULL, data));
    REFUSED(eex_dataset_fingerprint(print, NULL));
    eex_dataset_part(&first, &count, data, (eex_part)77);
    cr_expect_eq(count, 0);
    eex_dataset_part(&first, &count, NULL, EEX_PART_TRAIN);
    cr_expect_eq(count, 0);
    text = eex_part_name((eex_part)-1);
    cr_expect_str_eq(text, "?");
    cr_expect(!eex_dataset_facts(NULL) && !eex_dataset_labels(NULL) &&
              !eex_dataset_difficulty(NULL));
    eex_dataset_set_resident(NULL, 0);
    eex_dataset_close(NULL);
}

/* ---- frames ---- */

static void opens_nothing(const eex_frame_shape *s)
{
    const char *const paths[] = {path};
    const uint32_t sample = 0;
    const eex_simulated video = {.data = data, .samples = &sample, .count = 1};
    eex_frames *f = NULL;
    REFUSED(eex_frames_open_files(&f, s, paths, 1, NULL, 0));
    REFUSED(eex_frames_open_input(&f, s, NULL, 0));
    REFUSED(eex_frames_open_path(&f, s, path, NULL, 0));
    REFUSED(eex_frames_open_samples(&f, s, data, &sample, 1));
    REFUSED(eex_frames_open_rgb(&f, s, path, 4, 4));
    REFUSED(eex_frames_open_y4m(&f, s, path));
    REFUSED(eex_frames_parse_rgb(&f, s, images, IMAGE, 4, 4));
    REFUSED(eex_frames_parse_y4m(&f, s, images, IMAGE));
    REFUSED(eex_frames_open_simulated(&f, s, &video));
    cr_expect_null(f);
}

Test(arguments, of_frames_sizes)
{
    const eex_frame_shape wrong[] = {
        {0, 0, 3, EEX_FIT_CROP},       {0, 8, 3, EEX_FIT_CROP},
        {8, 0, 3, EEX_FIT_CROP},       {8, 8, 0, EEX_FIT_CROP},
        {8, 8, 4, EEX_FIT_CROP},       {-8, 8, 3, EEX_FIT_CROP},
        {INT_MAX, 8, 3, EEX_FIT_CROP}, {INT_MAX, INT_MAX, INT_MAX, EEX_FIT_CROP},
        {INT_MIN, 8, 3, EEX_FIT_CROP}, {60000, 60000, 3, EEX_FIT_CROP},
        {8, 8, 3, (eex_fit)9}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        opens_nothing(&wrong[i]);
    opens_nothing(NULL);
}

Test(arguments, of_frames)
{
    const char *const nothing[] = {NULL};
    const uint32_t sample = 0;
    eex_simulated video = {.data = data, .samples = &sample, .count = 1};
    eex_frames *f;
    eex_frame frame;
    REFUSED(eex_frames_open_files(NULL, &shape, nothing, 0, NULL, 0));
    REFUSED(eex_frames_open_files(&f, &shape, NULL, 1, NULL, 0));
    REFUSED(eex_frames_open_files(&f, &shape, nothing, 1, NULL, 0));
    REFUSED(eex_frames_open_files(&f, &shape, nothing, 0, nothing, 1));
    REFUSED(eex_frames_open_input(NULL, &shape, NULL, 0));
    REFUSED(eex_frames_open_input(&f, &shape, NULL, 1));
    REFUSED(eex_frames_open_input(&f, &shape, nothing, 1));
    REFUSED(eex_frames_open_path(NULL, &shape, path, NULL, 0));
    REFUSED(eex_frames_open_path(&f, &shape, NULL, NULL, 0));
    REFUSED(eex_frames_open_samples(NULL, &shape, data, &sample, 1));
    REFUSED(eex_frames_open_samples(&f, &shape, NULL, &sample, 1));
    REFUSED(eex_frames_open_samples(&f, &shape, data, NULL, 1));
    REFUSED(eex_frames_open_samples(&f, &shape, data, &sample, 0));
    REFUSED(eex_frames_open_samples(&f, &shape, data, &sample, SIZE_MAX));
    REFUSED(eex_frames_open_rgb(NULL, &shape, path, 4, 4));
    REFUSED(eex_frames_open_rgb(&f, &shape, NULL, 4, 4));
    REFUSED(eex_frames_open_rgb(&f, &shape, path, 0, 4));
    REFUSED(eex_frames_open_rgb(&f, &shape, path, INT_MAX, INT_MAX));
    REFUSED(eex_frames_open_y4m(NULL, &shape, path));
    REFUSED(eex_frames_open_y4m(&f, &shape, NULL));
    REFUSED(eex_frames_parse_rgb(NULL, &shape, images, IMAGE, 4, 4));
    REFUSED(eex_frames_parse_rgb(&f, &shape, NULL, IMAGE, 4, 4));
    REFUSED(eex_frames_parse_y4m(NULL, &shape, images, IMAGE));
    REFUSED(eex_frames_parse_y4m(&f, &shape, NULL, IMAGE));
    REFUSED(eex_frames_open_simulated(NULL, &shape, &video));
    REFUSED(eex_frames_open_simulated(&f, &shape, NULL));
    video.irrelevant = NAN;
    REFUSED(eex_frames_open_simulated(&f, &shape, &video));
    video.irrelevant = 0.5;
    video.frames = UINT64_MAX;
    REFUSED(eex_frames_open_simulated(&f, &shape, &video));
    video.frames = 1;
    video.foreign = data;
    REFUSED(eex_frames_open_simulated(&f, &shape, &video));
    video.data = NULL;
    REFUSED(eex_frames_open_simulated(&f, &shape, &video));
    REFUSED(eex_frames_next(NULL, &frame, images));
    OK(eex_frames_open_samples(&f, &shape, data, &sample, 1));
    REFUSED(eex_frames_next(f, NULL, images));
    REFUSED(eex_frames_next(f, &frame, NULL));
    cr_expect(!eex_frames_reads(f, NULL) && !eex_frames_reads(f, "x"));
    eex_frames_close(f);
    cr_expect(eex_frames_total(NULL) == 0 && eex_frames_dropped(NULL) == 0 &&
              !eex_frames_ready(NULL) && !eex_frames_drops(NULL) &&
              eex_frames_widest_name(NULL) == 0 && !eex_frames_reads(NULL, "x"));
    eex_frames_close(NULL);
}

static eex_frames *one_frame(void)
{
    const uint32_t sample = 0;
    eex_frames *f;
    OK(eex_frames_open_samples(&f, &shape, data, &sample, 1));
    return f;
}

Test(arguments, of_frames_read_ahead)
{
    const eex_ahead right = {.queue = 1};
    const eex_ahead wrong[] = {{.queue = 0},
                               {.queue = INT_MAX},
                               {.queue = INT_MIN},
                               {.queue = 1, .fps = NAN},
                               {.queue = 1, .fps = -1},
                               {.queue = 1, .fps = INFINITY},
                               {.queue = 1, .drop = (eex_drop)9}};
    eex_frames *f;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        REFUSED(eex_frames_open_ahead(&f, one_frame(), &wrong[i]));
    REFUSED(eex_frames_open_ahead(NULL, one_frame(), &right));
    REFUSED(eex_frames_open_ahead(&f, one_frame(), NULL));
    REFUSED(eex_frames_open_ahead(&f, NULL, &right));
}

/* ---- devices, queues, costs ---- */

static int run_nothing(void *context, eex_result *out, const uint8_t *in, int count)
{
    return EEX_OK;
}

Test(arguments, of_queues)
{
    const eex_queue_runner wrong[] = {
        {.name = NULL, .image_bytes = 1, .batch = 1, .run = run_nothing},
        {.name = "q", .image_bytes = 0, .batch = 1, .run = run_nothing},
        {.name = "q", .image_bytes = 1, .batch = 0, .run = run_nothing},
        {.name = "q", .image_bytes = 1, .batch = INT_MAX, .run = run_nothing},
        {.name = "q", .image_bytes = 1, .batch = 1, .run = NULL}};
    const eex_queue_runner right = {.name = "q", .image_bytes = 1, .batch = 1, .run = run_nothing};
    eex_queue_result done;
    eex_queue *q;
    int count;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        REFUSED(eex_queue_new(&q, &wrong[i]));
    REFUSED(eex_queue_new(NULL, &right));
    REFUSED(eex_queue_new(&q, NULL));
    REFUSED(eex_queue_open(NULL, NULL));
    REFUSED(eex_queue_submit(NULL, 0, images));
    REFUSED(eex_queue_submit_in(NULL, 0, 0, images));
    REFUSED(eex_queue_drop(NULL, 0));
    REFUSED(eex_queue_poll(NULL, &done, 1, 0, &count));
    REFUSED(eex_queue_wait(NULL, 0));
    OK(eex_queue_new(&q, &right));
    REFUSED(eex_queue_submit(q, 0, NULL));
    REFUSED(eex_queue_poll(q, NULL, 1, 0, &count));
    REFUSED(eex_queue_poll(q, &done, 1, 0, NULL));
    REFUSED(eex_queue_poll(q, &done, -1, 0, &count));
    eex_queue_free(q);
    eex_queue_free(NULL);
}

Test(arguments, of_devices)
{
    eex_device *d = device, none = {.process = 0};
    void *memory;
    REFUSED(eex_device_open(NULL, "cpu", NULL));
    REFUSED(eex_device_open(&d, NULL, NULL));
    cr_expect_null(d);
    REFUSED(eex_device_open(&d, "cpu", &(eex_device_options){.threads = INT_MAX}));
    REFUSED(eex_device_open(&d, "cpu", &(eex_device_options){.threads = -1}));
    REFUSED(eex_device_calculates(NULL, EEX_F32));
    cr_expect_eq(eex_device_calculates(device, (eex_precision)-1), EEX_EUNSUPPORTED);
    REFUSED(eex_device_lock(NULL));
    REFUSED(eex_device_ahead(NULL, images, 1));
    REFUSED(eex_device_ahead(device, NULL, 1));
    REFUSED(eex_device_withdraw(NULL, images));
    REFUSED(eex_device_withdraw(device, NULL));
    REFUSED(eex_device_host_allocate(device, NULL, 1));
    REFUSED(eex_device_host_allocate(NULL, &memory, 1));
    eex_device_host_release(NULL, NULL);
    eex_device_host_release(device, NULL);
    REFUSED(eex_device_hold(NULL, 1));
    REFUSED(eex_device_init(NULL, device->vtable));
    REFUSED(eex_device_init(&none, NULL));
    eex_device_unlock(NULL);
    eex_device_destroy(NULL);
    eex_device_range(NULL, "%s", "nothing");
    eex_device_range_end(NULL);
    eex_device_close(NULL);
}

Test(arguments, of_costs)
{
    const eex_graph *g = model->graph;
    const double share[3] = {0.2, 0.3, 0.5};
    const eex_convention strange = (eex_convention)1000;
    eex_convention c;
    REFUSED(eex_convention_parse(NULL, "macs"));
    REFUSED(eex_convention_parse(&c, NULL));
    cr_expect_str_eq(eex_convention_name(strange), "?");
    cr_expect_not_null(eex_convention_names());
    cr_expect_eq(eex_cost_node(NULL, 1, EEX_MACS), 0);
    cr_expect_eq(eex_cost_node(g, INT_MAX, EEX_MACS), 0);
    cr_expect_eq(eex_cost_node(g, 1, strange), 0);
    cr_expect_eq(eex_cost_trunk(NULL, 1, EEX_MACS), 0);
    cr_expect_eq(eex_cost_trunk(g, -1, EEX_MACS), 0);
    cr_expect_eq(eex_cost_gate(NULL, 0, EEX_MACS), 0);
    cr_expect_eq(eex_cost_alone(NULL, 0, EEX_MACS), 0);
    cr_expect_eq(eex_cost_alone(g, INT_MAX, EEX_MACS), 0);
    cr_expect_eq(eex_cost_gate(g, INT_MIN, EEX_MACS), 0);
    cr_expect_eq(eex_cost_cumulative(NULL, 0, EEX_MACS), 0);
    cr_expect_eq(eex_cost_cumulative(g, INT_MAX, EEX_MACS), 0);
    cr_expect_eq(eex_cost_total(NULL, EEX_MACS), 0);
    cr_expect_eq(eex_cost_total(g, strange), 0);
    cr_expect(eex_cost_ada_cumulative(NULL, share, EEX_MACS) == 0 &&
              eex_cost_ada_cumulative(g, NULL, EEX_MACS) == 0);
    cr_expect(eex_cost_ada(NULL, share, EEX_MACS) == 0 && eex_cost_ada(g, NULL, EEX_MACS) == 0);
}

Test(arguments, of_messages)
{
    cr_expect_eq(eex_fail(EEX_EIO, "%s", ""), EEX_EIO);
    cr_expect_eq(eex_fail_in(EEX_EIO, "context"), EEX_EIO);
    cr_expect_not_null(eex_error());
    for (int code = -100; code < 100; code++)
        cr_expect_not_null(eex_status_name(code));
    cr_expect_not_null(eex_status_name(INT_MIN));
    cr_expect_not_null(eex_version());
}

/* ---- after a fork ---- */

/* What the child was refused by. */
static int refused_here(int code)
{
    return code == EEX_EDEVICE && strstr(eex_error(), "forked");
}

static int in_child(eex_frames *ahead)
{
    eex_engine *e = NULL;
    eex_model *m = NULL;
    eex_engine_result done;
    eex_latency latency;
    eex_frame frame;
    double ms[16];
    int count;
    const bool all =
        refused_here(eex_device_lock(device)) &&
        refused_here(eex_engine_run(engine, results, images, 1)) &&
        refused_here(eex_engine_submit(engine, 2, images)) &&
        refused_here(eex_engine_poll(engine, &done, 1, -1, &count)) &&
        refused_here(eex_engine_wait(engine, -1)) && refused_here(eex_engine_queue(engine, NULL)) &&
        refused_here(eex_engine_settle(engine, images)) &&
        refused_here(eex_engine_latency(engine, ms, images, 2)) &&
        refused_here(eex_engine_force(engine, results, images, 0)) &&
        refused_here(eex_engine_measure(engine, &latency, images, 1)) &&
        refused_here(eex_engine_open(&e, model, 1)) &&
        refused_here(eex_model_open(&m, path, EEX_MODEL_BEST, device)) && !e && !m &&
        eex_frames_next(ahead, &frame, images) == EEX_EIO && strstr(eex_error(), "forked") &&
        eex_frames_dropped(ahead) == 0 && eex_frames_ready(ahead);
    eex_frames_close(ahead);
    eex_engine_close(engine);
    eex_model_close(model);
    eex_device_close(device);
    return all ? 0 : 1;
}

/* A device of its own is as good in a child as anywhere. */
static int anew_in_child(void)
{
    eex_result own;
    OK(eex_device_open(&device, "cpu", &(eex_device_options){.threads = 2}));
    OK(eex_model_open(&model, path, EEX_MODEL_BEST, device));
    OK(eex_engine_open(&engine, model, 1));
    OK(eex_engine_run(engine, &own, images, 1));
    eex_engine_close(engine);
    eex_model_close(model);
    eex_device_close(device);
    return own.top == results[0].top ? 0 : 2;
}

Test(arguments, after_a_fork_nothing_hangs)
{
    eex_frames *ahead;
    eex_engine_result done;
    int status = -1, count = 0;
    OK(eex_engine_run(engine, results, images, 1));
    OK(eex_engine_submit(engine, 1, images));
    OK(eex_frames_open_ahead(&ahead, one_frame(), &(eex_ahead){.queue = 1}));
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        alarm(60);
        const int code = in_child(ahead);
        _exit(code ? code : anew_in_child());
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
    OK(eex_engine_poll(engine, &done, 1, -1, &count)); /* here all goes on */
    cr_expect_eq(count, 1);
    OK(eex_engine_run(engine, results, images, 1));
    eex_frames_close(ahead);
}
