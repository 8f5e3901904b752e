/* Every allocation of the sources of frames fails once. */
#include "core/data/synthetic.h"
#include "core/frames/frames.h"
#include "support/folder.h"
#include "support/frames.h"
#include "support/memory.h"
#include "support/pictures.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <png.h>
#include <stdlib.h>

enum { SIDE = 16 };
static const eex_frame_shape shape = {SIDE, SIDE, 3, EEX_FIT_CROP};

static char folder[TEST_PATH_SIZE];
static eex_buffer y4m = EEX_BUFFER_INIT;
static eex_dataset *data;

static void begin(void)
{
    test_folder_make(folder);
}

static void end(void)
{
    eex_buffer_free(&y4m);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

TestSuite(memory_frames, .init = begin, .fini = end);

/* Takes all frames of a source that was opened with `code`, and closes it. */
static int drain(eex_frames *frames, int code)
{
    eex_frame frame = {.state = EEX_FRAME_GOOD};
    uint8_t pixels[SIDE * SIDE * 3];
    while (code == EEX_OK && frame.state != EEX_FRAME_END)
        code = eex_frames_next(frames, &frame, pixels);
    eex_frames_close(frames);
    return code;
}

static int video(void)
{
    eex_frames *frames;
    const int code = eex_frames_parse_y4m(&frames, &shape, y4m.data, y4m.size);
    return drain(frames, code);
}

static int video_file(void)
{
    eex_frames *frames;
    const int code = eex_frames_open_path(&frames, &shape, test_path(folder, "v"), NULL, 0);
    return drain(frames, code);
}

static int raw(void)
{
    eex_frames *frames;
    const int code = eex_frames_parse_rgb(&frames, &shape, y4m.data, y4m.size, 9, 7);
    return drain(frames, code);
}

Test(memory_frames, video)
{
    test_video_y4m(&y4m, &(test_video){20, 12, 3, "420", false});
    cr_assert_eq(eex_fs_write(test_path(folder, "v"), y4m.data, y4m.size), EEX_OK);
    cr_assert_gt(test_fail_each_allocation(video), 10);
    cr_assert_gt(test_fail_each_allocation(video_file), 10);
    cr_assert_gt(test_fail_each_allocation(raw), 5);
}

static int files(void)
{
    const char *path = folder;
    eex_frames *frames;
    const int code = eex_frames_open_files(&frames, &shape, &path, 1, NULL, 0);
    return drain(frames, code);
}

Test(memory_frames, files)
{
    cr_assert_eq(eex_fs_make_folder(test_path(folder, "in")), EEX_OK);
    test_write_jpeg(test_path(folder, "in/a.jpg"), &(test_jpeg){20, 20, TEST_COLOUR, false, 90});
    test_write_png(test_path(folder, "b.png"), &(test_png){20, 20, PNG_COLOR_TYPE_RGB, 8, false});
    cr_assert_gt(test_fail_each_allocation(files), 10);
}

static int simulated(void)
{
    static const uint32_t samples[] = {1, 5, 9};
    const eex_simulated how = {.data = data,
                               .samples = samples,
                               .count = 3,
                               .foreign = data,
                               .foreign_samples = samples,
                               .foreign_count = 3,
                               .irrelevant = 0.8,
                               .frames = 30};
    eex_frames *frames;
    const int code = eex_frames_open_simulated(&frames, &shape, &how);
    return drain(frames, code);
}

static int ahead(void)
{
    static const uint32_t samples[] = {1, 5, 9};
    eex_frames *frames;
    int code = eex_frames_open_samples(&frames, &shape, data, samples, 3);
    if (code == EEX_OK)
        code = eex_frames_open_ahead(&frames, frames, &(eex_ahead){.queue = 2});
    return drain(frames, code);
}

Test(memory_frames, data_sets)
{
    uint8_t image[3072];
    const char *path = test_path(folder, "s.h5");
    cr_assert_eq(eex_synthetic_make(path, "s", 20, 0, 1), EEX_OK);
    cr_assert_eq(eex_dataset_open(&data, path), EEX_OK);
    cr_assert_eq(eex_dataset_gather(image, data, (const uint32_t[]){3}, 1), EEX_OK);
    cr_assert_gt(test_fail_each_allocation(simulated), 10);
    cr_assert_gt(test_fail_each_allocation(ahead), 5);
}
