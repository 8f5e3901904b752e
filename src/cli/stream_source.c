#include "cli/stream_source.h"

#include "cli/frame_options.h"
#include "cli/options.h"
#include "core/frames/video.h"
#include "core/model/model_data.h"

#include "base/fs.h"
#include "base/status.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- options ---- */

static int parse_share(eex__source *s, const char *text)
{
    double percent;
    if (s->shares == EEX__MAX_SHARES)
        return eex_fail(EEX_EINVAL, "--irrelevant: at most %d shares", EEX__MAX_SHARES);
    EEX_TRY(eex_text_parse_double(&percent, text, 0, 100, "--irrelevant"));
    s->share[s->shares++] = percent / 100;
    return EEX_OK;
}

/* "0,10,30": percent. */
static int parse_shares(eex__source *s, const char *list)
{
    char *copy = strdup(list ? list : "0"), *rest = NULL;
    int code = copy ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory");
    for (char *word = copy ? strtok_r(copy, ",", &rest) : NULL; word && code == EEX_OK;
         word = strtok_r(NULL, ",", &rest))
        code = parse_share(s, word);
    free(copy);
    if (code == EEX_OK && s->shares == 0)
        code = eex_fail(EEX_EINVAL, "--irrelevant: percent expected, as in 0,10,30,50,75");
    return code;
}

static int parse_size(eex__source *s, const char *text)
{
    char *end;
    const long width = strtol(text, &end, 10);
    const long height = *end == 'x' ? strtol(end + 1, &end, 10) : 0;
    if (width < 1 || height < 1 || *end || width > EEX_IMAGE_MAX_SIDE ||
        height > EEX_IMAGE_MAX_SIDE)
        return eex_fail(EEX_EINVAL, "--size: WIDTHxHEIGHT expected, as in 640x480, got \"%s\"",
                        text);
    s->width = (int)width;
    s->height = (int)height;
    return EEX_OK;
}

static int parse_drop(eex__source *s)
{
    static const char *const names[] = {
        [EEX_DROP_NONE] = "none", [EEX_DROP_NEWEST] = "newest", [EEX_DROP_OLDEST] = "oldest"};
    const char *drop = s->o->drop;
    const bool arrives = s->o->fps > 0 || s->input;
    int which;
    s->drop = s->o->fps > 0 ? EEX_DROP_OLDEST : EEX_DROP_NONE;
    if (!drop)
        return EEX_OK;
    EEX_TRY(eex_options_choice(&which, "drop policy", drop, names, 3));
    s->drop = (eex_drop)which;
    if (s->drop != EEX_DROP_NONE && !arrives)
        return eex_fail(EEX_EINVAL,
                        "--drop %s: frames that wait until they are wanted are never dropped; it "
                        "goes with --fps",
                        drop);
    return EEX_OK;
}

static int check_format(eex__source *s)
{
    static const char *const formats[] = {"y4m", "rgb"};
    const eex__source_options *o = s->o;
    int raw = 0;
    if (o->format)
        EEX_TRY(eex_options_choice(&raw, "format", o->format, formats, 2));
    if (o->format && s->simulated)
        return eex_fail(EEX_EINVAL, "--format goes with a file or the standard input");
    if (raw && !o->size)
        return eex_fail(EEX_EINVAL, "--format rgb needs --size WIDTHxHEIGHT");
    if (!raw && o->size)
        return eex_fail(EEX_EINVAL, "--size goes with --format rgb");
    return raw ? parse_size(s, o->size) : EEX_OK;
}

static int check_simulated(const eex__source *s)
{
    const eex__source_options *o = s->o;
    const char *given = o->irrelevant ? "irrelevant"
                        : o->ood      ? "ood"
                        : o->data     ? "data"
                        : o->split    ? "split"
                                      : NULL;
    if (given && !s->simulated)
        return eex_fail(EEX_EINVAL, "--%s goes with the source \"simulated\"", given);
    return EEX_OK;
}

/* ---- simulated video ---- */

/* Frames of classes that the model knows are not unlike all that it knows. */
static int open_foreign(eex__source *s, const eex_model *model)
{
    EEX_TRY(eex_dataset_open(&s->foreign, s->o->ood));
    const eex_dataset_info *facts = eex_dataset_facts(s->foreign);
    if (strcmp(facts->name, model->input.dataset) == 0 || eex_model_data_fits(model, s->foreign))
        return eex_fail(
            EEX_EINVAL,
            "--ood %s: its classes are those that the model knows (%s's); unlike frames "
            "come from a data set with others, or are drawn without --ood",
            s->o->ood, model->input.dataset);
    return eex_model_data_part(&s->foreign_part, model, s->foreign, facts->test ? "test" : "train");
}

static int open_data(eex__source *s, const eex_model *model)
{
    EEX_TRY(eex_model_data_open(&s->data, model, s->o->data));
    EEX_TRY(eex_model_data_classes(model, s->data));
    EEX_TRY(eex_model_data_part(&s->part, model, s->data, s->o->split ? s->o->split : "test"));
    if (s->part.count == 0)
        return eex_fail(EEX_ENOTFOUND, "the %s split is empty", s->o->split ? s->o->split : "test");
    return s->o->ood ? open_foreign(s, model) : EEX_OK;
}

/* ---- both ---- */

static bool is_simulated(const char *path)
{
    return strcmp(path, "simulated") == 0;
}

static bool is_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

int eex__source_find(const char *path)
{
    return is_simulated(path) || is_input(path) || eex_fs_exists(path)
               ? EEX_OK
               : eex_fail(EEX_ENOTFOUND,
                          "there is no file or folder \"%s\": frames come from one, from \"-\", "
                          "the standard input, or are \"simulated\"",
                          path);
}

/* A film by a path: how it is streamed. */
static int refuse_video(const eex__source *s)
{
    const char *kind = s->simulated || s->input ? NULL : eex_video_file(s->path);
    return kind && !eex_video_is_read(kind) ? eex_video_refuse(s->path, kind, s->run) : EEX_OK;
}

int eex__source_open(eex__source *out, const char *run, const char *path, const eex_model *model,
                     const eex__source_options *o)
{
    *out = (eex__source){.o = o, .model = model, .run = run, .path = path};
    out->simulated = is_simulated(path);
    out->input = is_input(path);
    EEX_TRY(eex_model_frame_shape(&out->shape, model, o->fit));
    EEX_TRY(check_format(out));
    EEX_TRY(check_simulated(out));
    EEX_TRY(parse_shares(out, o->irrelevant));
    EEX_TRY(parse_drop(out));
    if (out->simulated)
        return open_data(out, model);
    return out->width ? EEX_OK : refuse_video(out);
}

void eex__source_close(eex__source *s)
{
    free(s->part.at);
    free(s->foreign_part.at);
    eex_dataset_close(s->data);
    eex_dataset_close(s->foreign);
}

static int open_plain(eex_frames **out, const eex__source *s, int i)
{
    const eex_simulated how = {.data = s->data,
                               .samples = s->part.at,
                               .count = s->part.count,
                               .foreign = s->foreign,
                               .foreign_samples = s->foreign_part.at,
                               .foreign_count = s->foreign_part.count,
                               .irrelevant = s->share[i],
                               .frames = (uint64_t)s->o->frames,
                               .seed = (uint64_t)s->o->seed};
    if (s->simulated)
        return eex_frames_open_simulated(out, &s->shape, &how);
    if (s->width)
        return eex_frames_open_rgb(out, &s->shape, s->path, s->width, s->height);
    if (s->o->format)
        return eex_frames_open_y4m(out, &s->shape, s->path);
    return eex_frames_open_path(out, &s->shape, s->path,
                                (const char *const *)s->model->input.classes.item,
                                s->model->input.classes.count);
}

/* A folder's images are not all named, as what stands on the command line is. */
static int check_written(const eex_frames *frames, const eex__source *s)
{
    if (!eex_frames_reads(frames, s->o->written))
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "%s is an image of %s, which --decisions would replace: give that another name",
                    s->o->written, s->path);
}

int eex__source_frames(eex_frames **out, const eex__source *s, int i, bool alone)
{
    const eex_ahead ahead = {.queue = (int)s->o->queue, .drop = s->drop, .fps = s->o->fps};
    const bool direct = alone || (s->simulated && !(s->o->fps > 0));
    EEX_TRY(open_plain(out, s, i));
    const int code = check_written(*out, s);
    if (code < 0) {
        eex_frames_close(*out);
        *out = NULL;
        return code;
    }
    return direct ? EEX_OK : eex_frames_open_ahead(out, *out, &ahead);
}
