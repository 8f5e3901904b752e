/* classify MODEL [IMAGE|FOLDER]...
 *
 * Says what a trained early-exit network takes images for, and where each of them left it. MODEL is
 * a folder that `eex run` has made, or a model file of `eex prune`. Without images it takes the
 * test split of the data set that the model was trained on.
 *
 * An early-exit network has classifiers along the way ("exits"). At each one an image that is
 * recognised surely enough leaves, so easy images cost less than hard ones; one that looks like
 * nothing the network knows may be rejected there. */
#include <eex/eex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 32,       /* images that are run at once, at most */
    QUEUE = 128,      /* images that may be on their way */
    NAMES = QUEUE + 1 /* theirs, and that of the one that waits to be submitted */
};

/* What is opened here is closed in main, in the opposite order, whether or not all went well. */
typedef struct job {
    eex_device *device;   /* what calculates: the CPU or a GPU */
    eex_model *model;     /* network, weights, thresholds, names of classes */
    eex_engine *engine;   /* runs it */
    eex_dataset *data;    /* only without images on the command line */
    eex_frames *frames;   /* where images come from, at the size that the network reads */
    uint8_t *pixels;      /* one of them: (height, width, channels) bytes */
    char name[NAMES][64]; /* of image number id at id % NAMES */
    uint64_t submitted;
} job;

/* ---- opening ---- */

static int open_test_split(job *j, const eex_frame_shape *shape)
{
    eex_index part;
    EEX_TRY(eex_model_data_open(&j->data, j->model, NULL));
    EEX_TRY(eex_model_data_part(&part, j->model, j->data, "test"));
    int code = eex_frames_open_samples(&j->frames, shape, j->data, part.at, part.count);
    free(part.at);
    return code;
}

static int open_all(job *j, const char *model, const char *const *paths, size_t count)
{
    EEX_TRY(eex_init());
    EEX_TRY(eex_device_open(&j->device, "cpu", NULL));
    EEX_TRY(eex_model_open(&j->model, model, EEX_MODEL_BEST, j->device));
    EEX_TRY(eex_engine_open(&j->engine, j->model, BATCH));
    EEX_TRY(eex_engine_queue(j->engine, &(eex_engine_options){.queue = QUEUE}));

    const eex_input *input = &j->model->input;
    const eex_frame_shape shape = {.height = input->height,
                                   .width = input->width,
                                   .channels = input->channels,
                                   .fit = EEX_FIT_CROP};
    j->pixels = malloc(eex_engine_image_bytes(j->engine));
    if (!j->pixels)
        return eex_fail(EEX_ENOMEM, "out of memory for an image");
    if (count == 0)
        return open_test_split(j, &shape);
    return eex_frames_open_files(&j->frames, &shape, paths, count,
                                 (const char *const *)input->classes.item, input->classes.count);
}

static void close_all(job *j)
{
    eex_frames_close(j->frames); /* every close accepts NULL */
    eex_dataset_close(j->data);
    free(j->pixels);
    eex_engine_close(j->engine);
    eex_model_close(j->model);
    eex_device_close(j->device);
}

/* ---- running ---- */

/* Prints the results that are there; waits for the first one when there is none yet. *count is 0
 * only when the queue is empty. */
static int print_results(const job *j, int *count)
{
    eex_engine_result done[BATCH];
    const int until_there_is_one = -1;
    EEX_TRY(eex_engine_poll(j->engine, done, BATCH, until_there_is_one, count));
    for (int i = 0; i < *count; i++) {
        const eex_result *r = &done[i].result;
        printf("%s\t%s\t%.4f\texit %d\t%s\n", j->name[done[i].id % NAMES],
               j->model->input.classes.item[r->top], (double)r->confidence, r->exit + 1,
               r->decision == EEX_REJECT ? "rejected" : "accepted");
    }
    return EEX_OK;
}

/* The engine copies the image, so `pixels` may be used again at once. The id comes back with the
 * result. A full queue is no failure: results are taken out, and there is room again. */
static int submit(job *j)
{
    int code, count;
    while ((code = eex_engine_submit(j->engine, j->submitted, j->pixels)) == EEX_EBUSY)
        EEX_TRY(print_results(j, &count));
    if (code == EEX_OK)
        j->submitted++;
    return code;
}

static int classify(job *j)
{
    eex_frame frame;
    int count;
    for (;;) {
        EEX_TRY(eex_frames_next(j->frames, &frame, j->pixels));
        if (frame.state == EEX_FRAME_END)
            break;
        if (frame.state == EEX_FRAME_BAD) { /* a damaged file, say; the others go on */
            fprintf(stderr, "classify: %s\n", frame.problem);
            continue;
        }
        char *name = j->name[j->submitted % NAMES];
        if (frame.name)
            snprintf(name, sizeof j->name[0], "%s", frame.name);
        else
            snprintf(name, sizeof j->name[0], "sample %lld", (long long)frame.sample);
        EEX_TRY(submit(j));
    }
    do
        EEX_TRY(print_results(j, &count));
    while (count > 0);
    return EEX_OK;
}

int main(int argc, char **argv)
{
    static job j; /* all NULL */
    if (argc < 2) {
        fprintf(stderr, "usage: classify MODEL [IMAGE|FOLDER]...\n");
        return 2;
    }
    int code = open_all(&j, argv[1], (const char *const *)argv + 2, (size_t)argc - 2);
    if (code == EEX_OK)
        code = classify(&j);
    if (code < 0)
        fprintf(stderr, "classify: %s\n", eex_error());
    close_all(&j);
    return code < 0 ? 1 : 0;
}
