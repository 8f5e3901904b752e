/* Sources of frames: what they give, and what they do with what is broken. */
#include "core/data/synthetic.h"
#include "core/frames/frames.h"
#include "support/capture.h"
#include "support/folder.h"
#include "support/frames.h"
#include "support/pictures.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { SIDE = 16, BYTES = SIDE * SIDE * 3 };
static const eex_frame_shape shape = {SIDE, SIDE, 3, EEX_FIT_CROP};

static char folder[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    test_folder_remove(folder);
}

TestSuite(frames, .init = setup, .fini = teardown, .timeout = 120);

static test_counts count_all(eex_frames *frames)
{
    const test_counts counts = test_frames_count(frames, BYTES, 10000);
    eex_frames_close(frames);
    return counts;
}

static void expect_counts(eex_frames *frames, int good, int bad)
{
    const test_counts c = count_all(frames);
    cr_expect(c.good == good && c.bad == bad, "%d good and %d bad, not %d and %d", c.good, c.bad,
              good, bad);
}

/* ---- raw ---- */

Test(frames, raw_frames_are_resized_as_images_are)
{
    enum { W = 40, H = 24, FRAME = W * H * 3 };
    uint8_t raw[3 * FRAME], got[BYTES], want[BYTES];
    eex_frames *frames;
    eex_frame frame;
    for (int i = 0; i < 3; i++)
        test_frame_draw(raw + i * FRAME, W, H, i);
    OK(eex_frames_parse_rgb(&frames, &shape, raw, sizeof raw, W, H));
    for (uint64_t i = 0; i < 3; i++) {
        const eex_image image = {W, H, 3, raw + i * FRAME};
        OK(eex_frames_next(frames, &frame, got));
        OK(eex_image_resize(want, SIDE, SIDE, 3, &image, EEX_FIT_CROP));
        cr_expect(frame.state == EEX_FRAME_GOOD && frame.number == i && frame.label == -1);
        cr_expect(memcmp(got, want, BYTES) == 0, "frame %d", (int)i);
    }
    OK(eex_frames_next(frames, &frame, got));
    cr_expect_eq(frame.state, EEX_FRAME_END);
    OK(eex_frames_next(frames, &frame, got));
    cr_expect_eq(frame.state, EEX_FRAME_END, "the end stays the end");
    eex_frames_close(frames);
}

Test(frames, an_incomplete_raw_frame_is_a_bad_one)
{
    uint8_t raw[4 * 4 * 3 * 2 + 5] = {0};
    eex_frames *frames;
    OK(eex_frames_parse_rgb(&frames, &shape, raw, sizeof raw, 4, 4));
    expect_counts(frames, 2, 1);
    OK(eex_frames_parse_rgb(&frames, &shape, raw, 0, 4, 4));
    expect_counts(frames, 0, 0);
}

Test(frames, raw_sizes_beyond_reason_are_refused)
{
    eex_frames *frames;
    cr_expect_eq(eex_frames_parse_rgb(&frames, &shape, "", 0, 0, 5), EEX_EINVAL);
    cr_expect_eq(eex_frames_parse_rgb(&frames, &shape, "", 0, 60000, 60000), EEX_EINVAL);
    cr_expect_null(frames);
}

/* ---- YUV4MPEG2 ---- */

/* Whatever the colour space, the frames look as the raw ones do, within rounding and what sharing
 * chroma loses. */
static void compare_space(const char *space, bool full, int width, int height, eex_fit fit)
{
    const test_video video = {width, height, 2, space, full};
    const eex_frame_shape to = {SIDE, SIDE, 3, fit};
    eex_buffer y4m = EEX_BUFFER_INIT;
    eex_frames *frames;
    eex_frame frame;
    uint8_t got[BYTES], want[BYTES], *rgb = malloc((size_t)(3 * width * height));
    cr_assert_not_null(rgb);
    test_video_y4m(&y4m, &video);
    OK(eex_frames_parse_y4m(&frames, &to, y4m.data, y4m.size));
    for (int f = 0; f < 2; f++) {
        int worst = 0;
        const eex_image image = {width, height, 3, rgb};
        test_frame_draw(rgb, width, height, f);
        OK(eex_image_resize(want, SIDE, SIDE, 3, &image, fit));
        OK(eex_frames_next(frames, &frame, got));
        cr_assert_eq(frame.state, EEX_FRAME_GOOD);
        for (int i = 0; i < BYTES; i++) {
            const uint8_t *p = want + i / 3 * 3;
            const bool mono = strcmp(space, "mono") == 0;
            const int luma = (int)lround(0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]);
            const int off = abs((int)got[i] - (mono ? luma : want[i]));
            worst = off > worst ? off : worst;
        }
        /* where the picture is enlarged, the edge of a chroma sample is seen */
        cr_expect_leq(worst, width < SIDE ? 16 : 5, "C%s %s %dx%d: off by %d", space,
                      full ? "full" : "limited", width, height, worst);
    }
    eex_frames_close(frames);
    eex_buffer_free(&y4m);
    free(rgb);
}

Test(frames, colours_of_every_space)
{
    static const char *const spaces[] = {"420jpeg", "420mpeg2", "420paldv", "420",
                                         "422",     "444",      "mono"};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        for (int full = 0; full < 2; full++) {
            compare_space(spaces[i], full, 48, 32, EEX_FIT_CROP);
            compare_space(spaces[i], full, 33, 47, EEX_FIT_CROP); /* odd: chroma is rounded up */
            compare_space(spaces[i], full, 33, 47, EEX_FIT_SQUASH);
            compare_space(spaces[i], full, 7, 5, EEX_FIT_CROP); /* enlarged */
        }
}

Test(frames, grey_networks_see_luma)
{
    const test_video video = {32, 32, 1, "444", true};
    const eex_frame_shape grey = {SIDE, SIDE, 1, EEX_FIT_CROP};
    eex_buffer y4m = EEX_BUFFER_INIT;
    eex_frames *frames;
    eex_frame frame;
    uint8_t got[SIDE * SIDE], want[SIDE * SIDE], rgb[32 * 32 * 3];
    const eex_image image = {32, 32, 3, rgb};
    test_video_y4m(&y4m, &video);
    test_frame_draw(rgb, 32, 32, 0);
    OK(eex_image_resize(want, SIDE, SIDE, 1, &image, EEX_FIT_CROP));
    OK(eex_frames_parse_y4m(&frames, &grey, y4m.data, y4m.size));
    OK(eex_frames_next(frames, &frame, got));
    for (int i = 0; i < SIDE * SIDE; i++)
        cr_expect_leq(abs((int)got[i] - (int)want[i]), 2);
    eex_frames_close(frames);
    eex_buffer_free(&y4m);
}

/* A video of ten frames with `cut` bytes taken out of, or put into, the middle of the fourth. */
static eex_frames *damaged(int cut)
{
    const test_video video = {20, 12, 10, "420", false};
    const size_t frame = test_video_frame_bytes(&video);
    eex_buffer y4m = EEX_BUFFER_INIT, out = EEX_BUFFER_INIT;
    eex_frames *frames;
    test_video_y4m(&y4m, &video);
    const size_t header = (size_t)(strchr(y4m.data, '\n') - y4m.data) + 1;
    const size_t at = header + 3 * (frame + 6) + 3 + 60; /* the third one's line is longer */
    eex_buffer_append(&out, y4m.data, at);
    eex_buffer_fill(&out, 'x', cut < 0 ? (size_t)-cut : 0);
    const size_t from = at + (cut > 0 ? (size_t)cut : 0);
    eex_buffer_append(&out, y4m.data + from, y4m.size - from);
    OK(eex_frames_parse_y4m(&frames, &shape, out.data, out.size));
    eex_buffer_free(&y4m);
    eex_buffer_free(&out);
    return frames;
}

Test(frames, a_frame_that_lacks_bytes_costs_that_frame_alone)
{
    expect_counts(damaged(0), 10, 0);
    for (int cut = 1; cut <= 250; cut += 17)
        expect_counts(damaged(cut), 9, 1);
}

Test(frames, bytes_between_frames_are_left_out)
{
    for (int more = 1; more <= 2000; more = 3 * more + 1)
        expect_counts(damaged(-more), 10, 1);
}

static void parse(int code, const char *text, const char *what)
{
    eex_frames *frames;
    const int got = eex_frames_parse_y4m(&frames, &shape, text, strlen(text));
    cr_expect_eq(got, code, "\"%.60s\" gives %d: %s", text, got, eex_error());
    if (got < 0)
        cr_expect(strstr(eex_error(), what), "\"%s\" says nothing of %s", eex_error(), what);
    eex_frames_close(frames);
}

Test(frames, headers_that_make_no_sense_are_refused)
{
    char endless[5000];
    parse(EEX_OK, "YUV4MPEG2 W4 H4\n", "");
    parse(EEX_EFORMAT, "", "empty");
    parse(EEX_EFORMAT, "RIFF", "YUV4MPEG2");
    parse(EEX_EFORMAT, "YUV4MPEG2", "without an end");
    parse(EEX_EFORMAT, "YUV4MPEG2 W4\n", "height");
    parse(EEX_EFORMAT, "YUV4MPEG2 H4\n", "width");
    parse(EEX_EFORMAT, "YUV4MPEG2 W-4 H4\n", "width");
    parse(EEX_EFORMAT, "YUV4MPEG2 W4 H99999999999999999999\n", "height");
    parse(EEX_EFORMAT, "YUV4MPEG2 W60000 H60000\n", "million");
    parse(EEX_EFORMAT, "YUV4MPEG2 W4x H4\n", "width");
    parse(EEX_EUNSUPPORTED, "YUV4MPEG2 W4 H4 C420p10\n", "C420p10");
    parse(EEX_EUNSUPPORTED, "YUV4MPEG2 W4 H4 C411\n", "C411");
    parse(EEX_EUNSUPPORTED, "YUV4MPEG2 W4 H4 C444alpha\n", "C444alpha");
    memset(endless, 'W', sizeof endless);
    memcpy(endless, "YUV4MPEG2 ", 10);
    endless[sizeof endless - 1] = '\0';
    parse(EEX_EFORMAT, endless, "without an end");
}

/* Streams of mjpegtools say it in a parameter of their own; C is heard first where both are there.
 */
Test(frames, another_parameter_says_the_colour_space)
{
    static const struct {
        const char *words;
        size_t bytes; /* of a frame's planes */
    } cases[] = {{"XYSCSS=444", 192},          {"XYSCSS=420JPEG", 96},
                 {"XYSCSS=422 XOTHER=1", 128}, {"", 96},
                 {"C422 XYSCSS=444", 128},     {"XYSCSS=444 Cmono", 64}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eex_buffer y4m = EEX_BUFFER_INIT;
        eex_frames *frames;
        eex_buffer_printf(&y4m, "YUV4MPEG2 W8 H8 %s\n", cases[i].words);
        for (int f = 0; f < 3; f++) {
            eex_buffer_puts(&y4m, "FRAME\n");
            eex_buffer_fill(&y4m, 'x', cases[i].bytes);
        }
        OK(eex_frames_parse_y4m(&frames, &shape, y4m.data, y4m.size));
        expect_counts(frames, 3, 0);
        eex_buffer_free(&y4m);
    }
    parse(EEX_EUNSUPPORTED, "YUV4MPEG2 W4 H4 XYSCSS=411\n", "411");
}

Test(frames, an_endless_line_of_a_frame_is_left_out)
{
    const test_video video = {8, 8, 3, "mono", true};
    eex_buffer y4m = EEX_BUFFER_INIT;
    eex_frames *frames;
    test_video_y4m(&y4m, &video);
    eex_buffer_puts(&y4m, "FRAME ");
    eex_buffer_fill(&y4m, 'I', 5000);
    eex_buffer_puts(&y4m, "FRAME\n");
    eex_buffer_fill(&y4m, 'x', 64);
    OK(eex_frames_parse_y4m(&frames, &shape, y4m.data, y4m.size));
    expect_counts(frames, 4, 2); /* the line, and what follows it */
    eex_buffer_free(&y4m);
}

/* The bytes of "FRAME\n" in a picture are a picture. */
Test(frames, a_mark_inside_a_frame_is_no_mark)
{
    eex_buffer y4m = EEX_BUFFER_INIT;
    eex_frames *frames;
    eex_buffer_puts(&y4m, "YUV4MPEG2 W8 H8 Cmono\n");
    for (int i = 0; i < 3; i++) {
        eex_buffer_puts(&y4m, "FRAME\n");
        eex_buffer_fill(&y4m, 'x', 20);
        eex_buffer_puts(&y4m, "FRAME\n");
        eex_buffer_fill(&y4m, 'x', 38);
    }
    OK(eex_frames_parse_y4m(&frames, &shape, y4m.data, y4m.size));
    expect_counts(frames, 3, 0);
    eex_buffer_free(&y4m);
}

Test(frames, a_header_that_lies_is_found_out)
{
    eex_buffer y4m = EEX_BUFFER_INIT;
    eex_frames *frames;
    eex_buffer_puts(&y4m, "YUV4MPEG2 W8000 H8000\nFRAME\n");
    eex_buffer_fill(&y4m, 'x', 1000);
    OK(eex_frames_parse_y4m(&frames, &shape, y4m.data, y4m.size));
    expect_counts(frames, 0, 1);
    eex_buffer_free(&y4m);
}

/* ---- files ---- */

static void make_pictures(void)
{
    static const char *const folders[] = {"cat", "dog/inner", "other"};
    for (size_t i = 0; i < 3; i++)
        OK(eex_fs_make_folder(test_path(folder, folders[i])));
    test_write_png(test_path(folder, "cat/b.png"), &(test_png){20, 20, 2, 8, false});
    test_write_jpeg(test_path(folder, "cat/a.jpg"), &(test_jpeg){30, 20, TEST_COLOUR, false, 90});
    test_write_png(test_path(folder, "dog/inner/c.PNG"), &(test_png){20, 20, 2, 8, false});
    test_write_png(test_path(folder, "dog/d.png"), &(test_png){20, 20, 2, 8, false});
    OK(eex_fs_write(test_path(folder, "other/broken.jpeg"), "not one", 7));
    OK(eex_fs_write(test_path(folder, "other/notes.txt"), "text", 4));
    OK(eex_fs_write(test_path(folder, "other/.hidden.png"), "text", 4));
    cr_assert_eq(symlink(folder, test_path(folder, "other/round")), 0);
}

Test(frames, a_folder_gives_its_images_in_order)
{
    static const char *const classes[] = {"dog", "cat"};
    static const struct {
        const char *name;
        int label;
        eex_frame_state state;
    } want[] = {{"cat/a.jpg", 1, EEX_FRAME_GOOD},
                {"cat/b.png", 1, EEX_FRAME_GOOD},
                {"dog/d.png", 0, EEX_FRAME_GOOD},
                {"dog/inner/c.PNG", -1, EEX_FRAME_GOOD},
                {"other/broken.jpeg", -1, EEX_FRAME_BAD}};
    const char *path = folder;
    eex_frames *frames;
    eex_frame frame;
    uint8_t pixels[BYTES];
    make_pictures();
    OK(eex_frames_open_files(&frames, &shape, &path, 1, classes, 2));
    cr_expect_eq(eex_frames_total(frames), 5);
    for (size_t i = 0; i < 5; i++) {
        OK(eex_frames_next(frames, &frame, pixels));
        cr_expect_str_eq(frame.name, test_path(folder, want[i].name));
        cr_expect_eq(frame.label, want[i].label);
        cr_expect_eq(frame.state, want[i].state);
    }
    cr_expect(strstr(frame.problem, "broken.jpeg"));
    OK(eex_frames_next(frames, &frame, pixels));
    cr_expect_eq(frame.state, EEX_FRAME_END);
    eex_frames_close(frames);
}

/* As an import follows them, so that what was imported can be classified. */
Test(frames, a_class_may_be_a_link)
{
    static const char *const classes[] = {"dog", "cat"};
    static const char *const want[] = {"set/cat/a.jpg", "set/cat/b.png", "set/part/dog/d.png",
                                       "set/part/dog/inner/c.PNG"};
    static const int labels[] = {1, 1, 0, -1};
    const char *path;
    eex_frames *frames;
    eex_frame frame;
    uint8_t pixels[BYTES];
    make_pictures();
    OK(eex_fs_make_folder(test_path(folder, "set/part")));
    cr_assert_eq(symlink("../cat", test_path(folder, "set/cat")), 0);
    cr_assert_eq(symlink("../../dog", test_path(folder, "set/part/dog")), 0);
    cr_assert_eq(symlink("../cat", test_path(folder, "dog/cat")), 0); /* inside a class */
    cr_assert_eq(symlink("../dog", test_path(folder, "cat/dog")), 0);
    cr_assert_eq(symlink("../other", test_path(folder, "set/other")), 0); /* of no class */
    path = test_path(folder, "set");
    test_capture capture;
    test_capture_file(&capture);
    OK(eex_frames_open_files(&frames, &shape, &path, 1, classes, 2));
    char *said = test_capture_end(&capture);
    cr_expect(strstr(said, "3 of the links to folders are passed over, the first "), "%s", said);
    free(said);
    cr_assert_eq(eex_frames_total(frames), 4);
    for (size_t i = 0; i < 4; i++) {
        OK(eex_frames_next(frames, &frame, pixels));
        cr_expect_str_eq(frame.name, test_path(folder, want[i]));
        cr_expect_eq(frame.label, labels[i]);
    }
    eex_frames_close(frames);
}

/* Each by its reason, in one line, as an import counts them. */
Test(frames, what_is_called_like_no_image_is_counted)
{
    static const char *const others[] = {"a.gif", "b.GIF", "c.heic", "d", "in/e.avif", ".hidden"};
    const char *path;
    eex_frames *frames;
    make_pictures();
    OK(eex_fs_make_folder(test_path(folder, "cat/in")));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char name[64];
        snprintf(name, sizeof name, "cat/%s", others[i]);
        OK(eex_fs_write(test_path(folder, name), "x", 1));
    }
    cr_assert_eq(symlink("nowhere", test_path(folder, "cat/f")), 0);
    path = test_path(folder, "cat");
    test_capture capture;
    test_capture_file(&capture);
    OK(eex_frames_open_files(&frames, &shape, &path, 1, NULL, 0));
    char *said = test_capture_end(&capture);
    cr_expect(strstr(said, "6 of the files in folders are passed over"), "%s", said);
    cr_expect(strstr(said, "2 named .gif ("), "%s", said);
    cr_expect(strstr(said, "cat/a.gif), 1 named .heic ("), "%s", said);
    cr_expect(strstr(said, "1 without an ending ("), "%s", said);
    cr_expect(strstr(said, "1 named .avif ("), "%s", said);
    cr_expect(strstr(said, "1 links that lead nowhere ("), "%s", said);
    cr_expect_eq(strchr(said, '\n') - said, (ptrdiff_t)strlen(said) - 1, "%s", said);
    free(said);
    expect_counts(frames, 2, 0);
    OK(eex_frames_open_files(&frames, &shape, (const char *[]){test_path(folder, "cat/a.jpg")}, 1,
                             NULL, 0));
    expect_counts(frames, 1, 0);
}

Test(frames, single_files_are_taken_for_what_they_hold)
{
    eex_frames *frames;
    make_pictures();
    OK(eex_fs_make_folder(test_path(folder, "empty")));
    cr_assert_eq(mkfifo(test_path(folder, "pipe.png"), 0600), 0); /* that nobody writes to */
    const char *paths[] = {test_path(folder, "cat/a.jpg"), test_path(folder, "other/notes.txt"),
                           test_path(folder, "nowhere.png"), test_path(folder, "pipe.png")};
    OK(eex_frames_open_files(&frames, &shape, paths, 4, NULL, 0));
    expect_counts(frames, 1, 3);
    paths[1] = test_path(folder, "empty");
    cr_expect_eq(eex_frames_open_files(&frames, &shape, paths, 3, NULL, 0), EEX_ENOTFOUND);
    cr_expect_null(frames);
}

Test(frames, paths_are_told_apart)
{
    const test_video video = {8, 8, 3, "420", true};
    eex_buffer y4m = EEX_BUFFER_INIT;
    eex_frames *frames;
    make_pictures();
    test_video_y4m(&y4m, &video);
    OK(eex_fs_write(test_path(folder, "v.bin"), y4m.data, y4m.size));
    OK(eex_frames_open_path(&frames, &shape, test_path(folder, "v.bin"), NULL, 0));
    expect_counts(frames, 3, 0);
    OK(eex_frames_open_path(&frames, &shape, test_path(folder, "cat"), NULL, 0));
    expect_counts(frames, 2, 0);
    OK(eex_frames_open_path(&frames, &shape, test_path(folder, "cat/a.jpg"), NULL, 0));
    expect_counts(frames, 1, 0);
    cr_expect_eq(eex_frames_open_path(&frames, &shape, test_path(folder, "none"), NULL, 0),
                 EEX_ENOTFOUND);
    eex_buffer_free(&y4m);
}

/* ---- samples and simulated video ---- */

enum { IMAGES = 40 };

static eex_dataset *open_data(void)
{
    eex_dataset *data;
    const char *path = test_path(folder, "s.h5");
    OK(eex_synthetic_make(path, "s", IMAGES, 10, 1));
    OK(eex_dataset_open(&data, path));
    return data;
}

Test(frames, samples_are_the_data_sets)
{
    const eex_frame_shape own = {32, 32, 3, EEX_FIT_CROP};
    static const uint32_t samples[] = {7, 3, 45};
    eex_dataset *data = open_data();
    eex_frames *frames;
    eex_frame frame;
    uint8_t got[3072], want[3072], small[BYTES];
    OK(eex_frames_open_samples(&frames, &own, data, samples, 3));
    for (int i = 0; i < 3; i++) {
        OK(eex_frames_next(frames, &frame, got));
        OK(eex_dataset_gather(want, data, &samples[i], 1));
        cr_expect(memcmp(got, want, sizeof got) == 0);
        cr_expect(frame.sample == samples[i] && frame.label == (int32_t)(samples[i] % 10) % 10);
    }
    eex_frames_close(frames);
    OK(eex_frames_open_samples(&frames, &shape, data, samples, 3)); /* resized */
    OK(eex_frames_next(frames, &frame, small));
    eex_frames_close(frames);
    cr_expect_eq(eex_frames_open_samples(&frames, &own, data, (uint32_t[]){50}, 1), EEX_EINVAL);
    cr_expect_eq(eex_frames_open_samples(&frames, &own, data, samples, 0), EEX_EINVAL);
    eex_dataset_close(data);
}

typedef struct video {
    int relevant, low, foreign;
    int seen[IMAGES + 10]; /* how often each sample came */
    uint64_t places;       /* hash of what came where */
} video;

static video watch(eex_dataset *data, double share, uint64_t frames, uint64_t seed)
{
    uint32_t samples[IMAGES];
    for (uint32_t i = 0; i < IMAGES; i++)
        samples[i] = i;
    const eex_simulated how = {.data = data,
                               .samples = samples,
                               .count = IMAGES,
                               .irrelevant = share,
                               .frames = frames,
                               .seed = seed};
    video v = {.places = 1};
    eex_frames *f;
    eex_frame frame;
    uint8_t pixels[BYTES];
    OK(eex_frames_open_simulated(&f, &shape, &how));
    for (;;) {
        OK(eex_frames_next(f, &frame, pixels));
        if (frame.state == EEX_FRAME_END)
            break;
        v.relevant += frame.relevance == EEX_RELEVANT;
        v.low += frame.relevance == EEX_LOW_ENTROPY;
        v.foreign += frame.relevance == EEX_FOREIGN;
        cr_expect_eq(frame.relevance == EEX_RELEVANT, frame.label >= 0);
        if (frame.sample >= 0)
            v.seen[frame.sample]++;
        for (int i = 0; i < BYTES; i++)
            v.places = v.places * 31 + pixels[i];
    }
    eex_frames_close(f);
    return v;
}

Test(frames, simulated_video_has_the_share_that_was_asked_for)
{
    static const double shares[] = {0, 0.1, 0.3, 0.5, 0.75, 1};
    eex_dataset *data = open_data();
    for (size_t i = 0; i < 6; i++) {
        const video v = watch(data, shares[i], 400, 5);
        const int irrelevant = (int)lround(400 * shares[i]);
        cr_expect_eq(v.relevant, 400 - irrelevant);
        cr_expect_eq(v.low + v.foreign, irrelevant);
        cr_expect_leq(abs(v.low - v.foreign), 1);
        for (int k = 1; k < IMAGES; k++) /* none again before all were there */
            cr_expect_leq(abs(v.seen[k] - v.seen[0]), 1);
    }
    const video once = watch(data, 0, 0, 5);
    cr_expect_eq(once.relevant, IMAGES);
    eex_dataset_close(data);
}

Test(frames, simulated_video_is_a_matter_of_its_seed)
{
    eex_dataset *data = open_data();
    const video a = watch(data, 0.5, 200, 5), b = watch(data, 0.5, 200, 5),
                c = watch(data, 0.5, 200, 6);
    cr_expect_eq(a.places, b.places);
    cr_expect_neq(a.places, c.places);
    eex_dataset_close(data);
}

Test(frames, simulated_video_may_take_foreign_frames_from_a_data_set)
{
    eex_dataset *data = open_data();
    static const uint32_t own[] = {0, 1, 2}, foreign[] = {49};
    const eex_simulated how = {.data = data,
                               .samples = own,
                               .count = 3,
                               .foreign = data,
                               .foreign_samples = foreign,
                               .foreign_count = 1,
                               .irrelevant = 1,
                               .frames = 20};
    const eex_frame_shape full = {32, 32, 3, EEX_FIT_CROP};
    eex_frames *f;
    eex_frame frame;
    uint8_t pixels[3072], want[3072];
    OK(eex_dataset_gather(want, data, foreign, 1));
    OK(eex_frames_open_simulated(&f, &full, &how));
    for (int i = 0; i < 20; i++) {
        OK(eex_frames_next(f, &frame, pixels));
        if (frame.relevance == EEX_FOREIGN)
            cr_expect(memcmp(pixels, want, sizeof want) == 0);
    }
    eex_frames_close(f);
    eex_dataset_close(data);
}

/* ---- the queue ---- */

static eex_frames *numbered(int frames)
{
    uint8_t *raw = malloc((size_t)frames * 12);
    eex_frames *source;
    cr_assert_not_null(raw);
    for (int i = 0; i < frames; i++)
        memset(raw + 12 * i, i % 251, 12);
    OK(eex_frames_parse_rgb(&source, &shape, raw, (size_t)frames * 12, 2, 2));
    free(raw);
    return source;
}

Test(frames, a_queue_changes_nothing)
{
    enum { FRAMES = 3000 };
    eex_frames *frames;
    eex_frame frame;
    uint8_t pixels[BYTES];
    OK(eex_frames_open_ahead(&frames, numbered(FRAMES), &(eex_ahead){.queue = 3}));
    for (int i = 0; i < FRAMES; i++) {
        OK(eex_frames_next(frames, &frame, pixels));
        cr_assert(frame.state == EEX_FRAME_GOOD && frame.number == (uint64_t)i);
        cr_assert(pixels[0] == i % 251 && pixels[BYTES - 1] == i % 251);
        cr_assert_gt(frame.arrived, 0);
    }
    OK(eex_frames_next(frames, &frame, pixels));
    cr_expect_eq(frame.state, EEX_FRAME_END);
    cr_expect_eq(eex_frames_dropped(frames), 0);
    eex_frames_close(frames);
}

/* Nobody takes frames until all have come: the queue holds the first ones, or the last. */
static void overflow(eex_drop drop, uint64_t first)
{
    eex_frames *frames;
    eex_frame frame;
    uint8_t pixels[BYTES];
    OK(eex_frames_open_ahead(&frames, numbered(50),
                             &(eex_ahead){.queue = 4, .drop = drop, .fps = 1e5}));
    while (eex_frames_dropped(frames) < 46)
        usleep(1000);
    for (uint64_t i = 0; i < 4; i++) {
        OK(eex_frames_next(frames, &frame, pixels));
        cr_expect_eq(frame.number, first + i);
        cr_expect_eq(pixels[0], first + i);
    }
    OK(eex_frames_next(frames, &frame, pixels));
    cr_expect_eq(frame.state, EEX_FRAME_END);
    eex_frames_close(frames);
}

Test(frames, a_full_queue_drops_what_it_is_told_to)
{
    overflow(EEX_DROP_NEWEST, 0);
    overflow(EEX_DROP_OLDEST, 46);
}

/* However many come before anybody looks, they push out no good frame, and all are told. */
Test(frames, bad_frames_take_no_place_in_a_queue)
{
    enum { GOOD = 3, ALL = 50 };
    static const eex_drop drops[] = {EEX_DROP_NONE, EEX_DROP_NEWEST, EEX_DROP_OLDEST};
    const char *paths[ALL];
    make_pictures();
    const char *good = test_path(folder, "cat/b.png"), *bad = test_path(folder, "nowhere.png");
    for (int i = 0; i < ALL; i++)
        paths[i] = i % 10 == 0 && i / 10 < GOOD ? good : bad;
    for (size_t i = 0; i < 3; i++) {
        eex_frames *frames;
        eex_frame frame;
        uint8_t pixels[BYTES];
        OK(eex_frames_open_files(&frames, &shape, paths, ALL, NULL, 0));
        OK(eex_frames_open_ahead(&frames, frames,
                                 &(eex_ahead){.queue = GOOD, .drop = drops[i], .fps = 1e5}));
        usleep(50000); /* for all to come; the test holds without, but finds less */
        cr_expect_eq(eex_frames_dropped(frames), 0);
        for (uint64_t k = 0; k < ALL; k++) {
            OK(eex_frames_next(frames, &frame, pixels));
            cr_expect_eq(frame.number, k);
            cr_expect_eq(frame.state, paths[k] == good ? EEX_FRAME_GOOD : EEX_FRAME_BAD);
        }
        OK(eex_frames_next(frames, &frame, pixels));
        cr_expect_eq(frame.state, EEX_FRAME_END);
        eex_frames_close(frames);
    }
}

Test(frames, a_queue_may_be_closed_at_any_time)
{
    eex_frames *frames;
    eex_frame frame;
    uint8_t pixels[BYTES];
    for (int i = 0; i < 20; i++) {
        OK(eex_frames_open_ahead(&frames, numbered(100), &(eex_ahead){.queue = 2}));
        for (int k = 0; k < i; k++)
            OK(eex_frames_next(frames, &frame, pixels));
        eex_frames_close(frames);
    }
    cr_expect_eq(eex_frames_open_ahead(&frames, numbered(1), &(eex_ahead){.queue = 0}), EEX_EINVAL);
}

/* A pipe that nobody writes to does not keep the queue from being closed. */
Test(frames, closing_does_not_wait_for_a_silent_pipe)
{
    int ends[2];
    char path[64];
    eex_frames *frames;
    cr_assert_eq(pipe(ends), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    OK(eex_frames_open_rgb(&frames, &shape, path, 4, 4));
    OK(eex_frames_open_ahead(&frames, frames, &(eex_ahead){.queue = 2}));
    cr_expect_not(eex_frames_ready(frames));
    eex_frames_close(frames);
    close(ends[0]);
    close(ends[1]);
}
