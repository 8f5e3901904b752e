#include "core/use/frame_batches.h"

#include "device/announced.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

enum { PLACES = 2 }; /* one is run, the other filled */

struct eex_frame_batches {
    eex_frame_batches_options how;
    eex_announced announced;
    eex_frame_batch place[PLACES]; /* filled by turns */
    int places, hand;              /* the one that was handed out last */
    uint64_t good;                 /* frames taken so far */
    bool over;                     /* the source has ended, or failed: */
    int code;
    char message[1024];
};

/* Nothing will be added any more. */
static bool is_complete(const eex_frame_batches *b, const eex_frame_batch *to)
{
    return to->all == b->how.batch || b->over || (b->how.most && b->good == b->how.most);
}

static void end(eex_frame_batches *b, int code)
{
    b->over = true;
    b->code = code;
    if (code < 0)
        snprintf(b->message, sizeof b->message, "%s", eex_error());
}

static void take_frame(eex_frame_batches *b, eex_frame_batch *to)
{
    eex_frame *frame = &to->frame[to->all];
    const int code =
        eex_frames_next(b->how.frames, frame, to->pixels + (size_t)to->good * b->how.image_bytes);
    if (code < 0 || frame->state == EEX_FRAME_END) {
        end(b, code);
        return;
    }
    to->all++;
    to->good += frame->state == EEX_FRAME_GOOD;
    b->good += frame->state == EEX_FRAME_GOOD;
}

/* As far as it is worth a wait. */
static void fill(eex_frame_batches *b, eex_frame_batch *to)
{
    while (!is_complete(b, to) &&
           (!(b->how.live && to->all > 0) || eex_frames_ready(b->how.frames)))
        take_frame(b, to);
}

/* What is there of the batch behind the one in hand; what is not complete is not announced, for it
 * goes on being written. */
static int look_ahead(eex_frame_batches *b)
{
    if (b->places < PLACES)
        return EEX_OK;
    eex_frame_batch *next = &b->place[(b->hand + 1) % PLACES];
    while (!is_complete(b, next) && eex_frames_ready(b->how.frames))
        take_frame(b, next);
    if (!is_complete(b, next) || next->good == 0)
        return EEX_OK;
    return eex_announced_next(&b->announced, next->pixels, (size_t)next->good * b->how.image_bytes);
}

int eex_frame_batches_next(eex_frame_batch **out, eex_frame_batches *b)
{
    eex_frame_batch *before = &b->place[b->hand];
    *out = NULL;
    EEX_TRY(eex_announced_turn(&b->announced));
    before->all = before->good = 0;
    b->hand = (b->hand + 1) % b->places;
    fill(b, &b->place[b->hand]);
    if (b->place[b->hand].all == 0)
        return b->code < 0 ? eex_fail(b->code, "%s", b->message) : EEX_OK;
    *out = &b->place[b->hand];
    return look_ahead(b);
}

/* ---- opening and closing ---- */

void eex_frame_batches_close(eex_frame_batches *b)
{
    if (!b)
        return;
    eex_announced_end(&b->announced);
    for (int i = 0; i < PLACES; i++) {
        free(b->place[i].frame);
        eex_announced_release(&b->announced, b->place[i].pixels);
    }
    free(b);
}

static int allocate(eex_frame_batches *b)
{
    const size_t batch = (size_t)b->how.batch;
    for (int i = 0; i < b->places; i++) {
        eex_frame_batch *to = &b->place[i];
        void *pixels;
        const int code = eex_announced_allocate(&b->announced, &pixels, batch * b->how.image_bytes);
        if (code < 0)
            return eex_fail_in(code, "a batch of %zu images", batch);
        to->pixels = pixels;
        to->frame = malloc(batch * sizeof *to->frame);
        if (!to->frame)
            return eex_fail(EEX_ENOMEM, "out of memory for a batch of %zu frames", batch);
    }
    return EEX_OK;
}

int eex_frame_batches_open(eex_frame_batches **out, const eex_frame_batches_options *options)
{
    *out = NULL;
    eex_frame_batches *b = calloc(1, sizeof *b);
    if (!b)
        return eex_fail(EEX_ENOMEM, "out of memory for batches of frames");
    b->how = *options;
    b->announced = eex_announced_to(eex_frames_drops(options->frames) ? NULL : options->device);
    b->places = b->announced.device ? PLACES : 1;
    const int code = allocate(b);
    if (code < 0) {
        eex_frame_batches_close(b);
        return code;
    }
    *out = b;
    return EEX_OK;
}
