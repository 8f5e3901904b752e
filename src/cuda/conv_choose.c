/* Which way a convolution is calculated that can be in several: by timing, or as a run before has
 * found out. What the file says is tried before it is relied on, for the file may be older than the
 * driver, or somebody's own: a way that does not work ends a run, one that loses a trial is only
 * not chosen. */
#include "cuda/algorithms.h"
#include "cuda/conv.h"
#include "cuda/conv_dnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 12 }; /* choices of an op, and where they end */

/* ---- what there is ---- */

static bool own_applies(const eex_op *op)
{
    return eex__cuda_conv_own_applies(op) || eex__cuda_own_weights_applies(op);
}

/* Winograd's error is larger than what is promised, so somebody has to ask for it. */
static bool winograd_asked(const eex_op *op)
{
    const eex_window *w = eex__cuda_conv_window(op);
    const char *asked = getenv("EEX_CUDA_WINOGRAD");
    return asked && strcmp(asked, "1") == 0 && op->precision == EEX_F32 && w->stride == 1 &&
           w->groups == 1 && (w->kernel == 3 || w->kernel == 5);
}

/* Adds cuDNN's algorithms with channels first, in deterministic mode the one that is deterministic;
 * how many choices there are then. */
static int list_first(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op,
                      int (*choices)[MOST], int n)
{
    const int *algorithms = eex__cuda_dnn_algorithms(op->kind, true), before = n;
    const bool winograd = winograd_asked(op) && !cuda->deterministic;
    if (!s->convolution || !eex__cuda_conv_first_applies(op))
        return n;
    for (int i = 0; algorithms[i] >= 0 && (n == before || !cuda->deterministic); i++)
        if (winograd || !eex__cuda_dnn_winograd(op->kind, algorithms[i]))
            (*choices)[n++] = EEX_CHOICE_FIRST + algorithms[i];
    return n;
}

/* All but the plain way, which there always is; best guess first, -1 last. Our own kernel and other
 * orders of channels are for timing to find: what they are worth depends on the chip. */
static void list_choices(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op,
                         int (*choices)[MOST])
{
    int n = 0;
    const int *algorithms = eex__cuda_dnn_algorithms(op->kind, false);
    for (int i = 0; s->convolution && algorithms[i] >= 0; i++) {
        if (eex__cuda_fused_applies(s, op, algorithms[i]))
            (*choices)[n++] = EEX_CHOICE_FUSED + algorithms[i];
        (*choices)[n++] = EEX_CHOICE_DNN + algorithms[i];
    }
    if (own_applies(op) && !cuda->deterministic)
        (*choices)[n++] = EEX_CHOICE_OWN;
    n = list_first(cuda, s, op, choices, n);
    (*choices)[n] = -1;
}

/* Only gradients for weights take scratch memory. */
static int take_own(eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, bool *taken)
{
    *taken = true;
    if (op->kind != EEX_OP_CONV_BWD_WEIGHTS)
        return EEX_OK;
    int code = eex__cuda_reserve(cuda, eex__cuda_own_weights_scratch(cuda, op, s->max_batch));
    *taken = code == EEX_OK;
    return code == EEX_ENOMEM ? EEX_OK : code;
}

/* Makes a choice the state's; not *taken: it cannot be for this shape, or in the memory that is
 * left, and this thread's message says why. */
static int take(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, int choice, bool *taken)
{
    const bool first = choice >= EEX_CHOICE_FIRST;
    s->own = choice == EEX_CHOICE_OWN;
    s->fused = choice >= EEX_CHOICE_FUSED && choice < EEX_CHOICE_OWN;
    s->algorithm = -1;
    *taken = true;
    if (s->own)
        EEX_TRY(take_own(cuda, s, op, taken));
    s->own = s->own && *taken;
    if (choice == EEX_CHOICE_PLAIN || choice == EEX_CHOICE_OWN)
        return EEX_OK;
    const int algorithm = choice - (first      ? EEX_CHOICE_FIRST
                                    : s->fused ? EEX_CHOICE_FUSED
                                               : EEX_CHOICE_DNN);
    return eex__cuda_dnn_take(cuda, s, op, algorithm, first, taken);
}

/* ---- choosing ---- */

/* Static weights are put into cuDNN's order once, in memory of their own where there is any; else
 * before each run, like those that change. */
static int order_static(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    const eex_op_conv *c = &op->u.conv;
    if (op->kind != EEX_OP_CONV || !c->w_static || s->algorithm < 0)
        return EEX_OK;
    int code = eex__cuda_alloc(cuda, &s->weights, eex__cuda_dnn_weight_bytes(op), "weights");
    if (code < 0)
        return code == EEX_ENOMEM ? EEX_OK : code;
    return eex__cuda_dnn_order_weights(cuda, s, op, s->weights, c->w);
}

/* Whether what was taken works here: what cuDNN refuses to fuse does without, and is another
 * choice. Weights that never change are in its order before, as they will be. */
static int time_choice(eex_cuda *cuda, eex_cuda_conv *s, const eex_conv_trial *t,
                       float *microseconds, bool *works)
{
    const bool fused = s->fused;
    EEX_TRY(order_static(cuda, s, &t->op));
    *works = eex__cuda_trial_time(cuda, s, t, microseconds) == EEX_OK && s->fused == fused;
    eex__cuda_free(cuda, s->weights);
    s->weights = NULL;
    return EEX_OK;
}

/* A choice that fails here is only not chosen, and what scratch memory it has taken is given back.
 */
static int measure(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const eex_conv_trial *t,
                   int *best, float *microseconds)
{
    int choices[MOST];
    bool taken, works, any = !s->convolution; /* of cuDNN's */
    const size_t scratch = cuda->scratch_bytes;
    list_choices(cuda, s, op, &choices);
    *best = EEX_CHOICE_PLAIN;
    EEX_TRY(take(cuda, s, op, EEX_CHOICE_PLAIN, &taken));
    EEX_TRY(eex__cuda_trial_time(cuda, s, t, microseconds));
    for (int i = 0; choices[i] >= 0; i++) {
        float now;
        EEX_TRY(take(cuda, s, op, choices[i], &taken));
        if (!taken)
            continue;
        EEX_TRY(time_choice(cuda, s, t, &now, &works));
        if (!works)
            continue;
        any = any || choices[i] != EEX_CHOICE_OWN;
        if (now > *microseconds)
            continue;
        *best = choices[i];
        *microseconds = now;
    }
    if (!any)
        eex__cuda_conv_refused(cuda, op, "it goes by patches");
    EEX_TRY(eex__cuda_give_back(cuda, scratch));
    return take(cuda, s, op, *best, &taken);
}

/* Takes a choice and runs it once. */
static int attempt(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const eex_conv_trial *t,
                   int choice, bool *works)
{
    EEX_TRY(take(cuda, s, op, choice, works));
    const bool fused = s->fused;
    *works = *works && eex__cuda_trial_run(cuda, s, t) == EEX_OK && s->fused == fused;
    return EEX_OK;
}

/* One of those that there are for this op: a file may hold any number. */
static bool is_known(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, int choice)
{
    int choices[MOST];
    list_choices(cuda, s, op, &choices);
    for (int i = 0; choices[i] >= 0; i++)
        if (choices[i] == choice)
            return true;
    return choice == EEX_CHOICE_PLAIN;
}

/* What ends a forward op, for it decides what there is to choose from. */
static int epilogue_of(const eex_op *op)
{
    const eex_op_conv *c = &op->u.conv;
    return op->kind == EEX_OP_CONV ? (c->bias != NULL) + 2 * (c->residual != NULL) + 4 * (int)c->act
                                   : 0;
}

static void name_shape(const eex_cuda *cuda, const eex_cuda_conv *s, const eex_op *op, char *key,
                       size_t size)
{
    const eex_window *w = eex__cuda_conv_window(op);
    char groups[16] = "";
    if (w->groups > 1)
        snprintf(groups, sizeof groups, " g%d", w->groups);
    snprintf(key, size,
             "%.60s, cudnn %zu: op %d, precision %d, %dx%dx%d to %dx%dx%d, k%d s%d p%d%s e%d%s, %d",
             strchr(cuda->base.name, '(') ? strchr(cuda->base.name, '(') : "",
             cuda->libs->cudnnGetVersion(), (int)op->kind, (int)op->precision, w->hin, w->win,
             w->cin, w->hout, w->wout, w->cout, w->kernel, w->stride, w->pad, groups,
             epilogue_of(op), winograd_asked(op) ? " winograd" : "", s->max_batch);
}

/* What is remembered, if it still works, else what is fastest now. */
static int choose_on(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op, const eex_conv_trial *t,
                     const char *key, int remembered)
{
    bool works = false;
    int best;
    float microseconds = 0;
    if (remembered >= 0 && is_known(cuda, s, op, remembered))
        EEX_TRY(attempt(cuda, s, op, t, remembered, &works));
    if (works) {
        eex__cuda_algorithm_works(cuda, key);
        return EEX_OK;
    }
    if (remembered >= 0)
        eex__cuda_algorithm_stale(cuda, op->name ? op->name : "?");
    EEX_TRY(measure(cuda, s, op, t, &best, &microseconds));
    return eex__cuda_algorithm_keep(cuda, key, best, (double)microseconds);
}

/* The one that is taken without timing: the first of cuDNN's, where it does such ops. */
static int take_untimed(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    int choices[MOST];
    bool taken;
    if (!s->convolution)
        return EEX_OK;
    list_choices(cuda, s, op, &choices);
    EEX_TRY(take(cuda, s, op, choices[0], &taken));
    if (taken)
        return EEX_OK;
    if (eex__cuda_conv_only("library"))
        return eex_fail_in(EEX_EUNSUPPORTED, "EEX_CUDA_CONV=library");
    eex__cuda_conv_refused(cuda, op, "it goes by patches");
    return take(cuda, s, op, EEX_CHOICE_PLAIN, &taken);
}

/* For looking at what channels first comes to, where there is that: the first that cuDNN takes. */
static int take_first(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    int choices[MOST];
    bool taken = false;
    choices[list_first(cuda, s, op, &choices, 0)] = -1;
    for (int i = 0; !taken && choices[i] >= 0; i++)
        EEX_TRY(take(cuda, s, op, choices[i], &taken));
    return taken ? EEX_OK : eex_fail_in(EEX_EUNSUPPORTED, "EEX_CUDA_CONV=first");
}

/* The plain way needs no trial, nor does what this process has found out itself. */
static int choose_timed(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    char key[192];
    bool tried = false, taken = false;
    name_shape(cuda, s, op, key, sizeof key);
    int known = eex__cuda_algorithm_find(cuda, key, &tried);
    if (known > EEX_CHOICE_PLAIN && tried)
        EEX_TRY(take(cuda, s, op, known, &taken));
    if (known == EEX_CHOICE_PLAIN || taken)
        return EEX_OK;
    eex_conv_trial t;
    int code = eex__cuda_trial_open(cuda, &t, op, s->max_batch);
    if (code == EEX_OK)
        code = choose_on(cuda, s, op, &t, key, tried ? -1 : known);
    eex__cuda_trial_close(cuda, &t);
    /* Nothing to try with: the first that fits, and not for the file. */
    return code == EEX_ENOMEM ? take_untimed(cuda, s, op) : code;
}

/* ---- all of it ---- */

/* Without what cuDNN cannot describe there is less to choose from. */
static int open_library(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    if (s->way != EEX_CONV_PATCHES)
        return EEX_OK;
    int code = eex__cuda_dnn_open(cuda, s, op);
    if (code == EEX_OK)
        return EEX_OK;
    if (eex__cuda_conv_dnn_only(op))
        return eex_fail_in(code, "EEX_CUDA_CONV=%s", getenv("EEX_CUDA_CONV"));
    eex__cuda_conv_refused(cuda, op, "it goes by patches");
    eex__cuda_dnn_finish(cuda, s);
    return EEX_OK;
}

int eex__cuda_conv_choose(eex_cuda *cuda, eex_cuda_conv *s, const eex_op *op)
{
    bool taken;
    if (eex__cuda_conv_only("own") && own_applies(op)) {
        EEX_TRY(take(cuda, s, op, EEX_CHOICE_OWN, &taken));
        return taken ? EEX_OK : eex_fail_in(EEX_ENOMEM, "EEX_CUDA_CONV=own");
    }
    if (eex__cuda_conv_only("patches"))
        return EEX_OK;
    EEX_TRY(open_library(cuda, s, op));
    if (eex__cuda_conv_only("first") && s->convolution && eex__cuda_conv_first_applies(op))
        EEX_TRY(take_first(cuda, s, op));
    else if (cuda->deterministic || eex__cuda_conv_only("library"))
        EEX_TRY(take_untimed(cuda, s, op));
    else if (s->convolution || own_applies(op))
        EEX_TRY(choose_timed(cuda, s, op));
    return order_static(cuda, s, op);
}
