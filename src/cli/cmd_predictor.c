/* eex predictor: a tiny network that says which gates are worth computing, for a model that is
 * there. */
#include "cli/commands.h"
#include "cli/open_model.h"
#include "cli/out_file.h"
#include "cli/predictor_curve.h"
#include "cli/print.h"
#include "cli/print_predictor.h"
#include "core/model/model_data.h"
#include "core/report/report_predictor.h"
#include "core/train/kept.h"

#include "base/fs.h"
#include "base/status.h"

#include <stdlib.h>

typedef struct arguments {
    eex_device_choice device;
    const char *family, *images, *lambda, *precision, *data, *filtered, *out;
    double more, lr, weight_decay;
    int64_t epochs, batch, seed;
    bool test_thresholds, curve, force, json;
    eex_exit_predictor_recipe recipe;
} arguments;

static const arguments defaults = {.device = EEX_DEVICE_CHOICE_INIT,
                                   .more = 0.02,
                                   .lr = 0.1,
                                   .weight_decay = 2e-4,
                                   .epochs = 30,
                                   .batch = 128};

static const eex_option options[] = {
    EEX_TEXT("family", "NAME", family,
             "separable (so unless given), plain, linear or lenet: what it is made of"),
    EEX_TEXT("images", "WHICH", images,
             "train (so unless given), calibration or both: what it learns from"),
    EEX_TEXT("lambda", "HOW", lambda,
             "policy (so unless given): the model's thresholds; grid: of most accuracy"),
    EEX_REAL("more", "X", 0, 1, more, "fewer than so many more images reach the end (0.02)"),
    EEX_NUMBER("epochs", "N", 1, 100000, epochs, "how often it sees each image (30)"),
    EEX_NUMBER("batch", "N", 1, 65536, batch, "images of a step (128)"),
    EEX_TRAINING_PRECISION(precision),
    EEX_REAL("lr", "X", 1e-9, 1e3, lr, "learning rate, which falls by a cosine (0.1)"),
    EEX_REAL("weight-decay", "X", 0, 1, weight_decay, "of its weights (0.0002)"),
    EEX_FLAG("test-thresholds", test_thresholds,
             "report too what thresholds chosen on the test split would give, as published"),
    EEX_FLAG("curve", curve,
             "train nothing: accuracy against computation on the device, over thresholds"),
    EEX_TEXT("filtered", "MODEL.h5", filtered,
             "with --curve: beside this network without some filters (eex prune --filters)"),
    EEX_OUT("FILE", out, "with --curve: draw it into FILE.svg or .png"),
    EEX_SEED(seed, "of its weights and images (0)"),
    EEX_FLAG("force", force, "replace a predictor that is there"),
    EEX_IMAGES_OF(data),
    EEX_JSON(json),
    EEX_DEVICE_OPTIONS(device),
    {0},
};

static int name_of(int *out, const char *given, const eex_names *names, const char *option)
{
    char hint[EEX_NAMES_SIZE];
    *out = given ? eex_name_find(names, given) : 0;
    return *out >= 0 ? EEX_OK
                     : eex_fail(EEX_EINVAL, "%s: no \"%s\": %s", option, given,
                                eex_names_hint(hint, names, given));
}

static eex__curve_wish curve_wish(const arguments *a)
{
    return (eex__curve_wish){
        .filtered = a->filtered, .out = a->out, .more = a->more, .json = a->json};
}

static int check(void *given, const eex_words *words)
{
    arguments *a = given;
    int family, images, lambda;
    EEX_TRY(name_of(&family, a->family, eex_exit_predictor_family_names(), "--family"));
    EEX_TRY(name_of(&images, a->images, eex_exit_predictor_images_names(), "--images"));
    EEX_TRY(name_of(&lambda, a->lambda, eex_exit_predictor_lambda_names(), "--lambda"));
    const eex__curve_wish wish = curve_wish(a);
    if (!a->curve && (a->filtered || a->out))
        return eex_fail(EEX_EINVAL, "%s goes with --curve", a->filtered ? "--filtered" : "-o");
    EEX_TRY(eex_model_find(words->at[0]));
    EEX_TRY(eex__curve_check(&wish, a->force));
    a->recipe = eex_exit_predictor_recipe_default();
    EEX_TRY(eex_parse_training_precision(&a->recipe.precision, a->precision));
    a->recipe.family = (eex_exit_predictor_family)family;
    a->recipe.images = (eex_exit_predictor_images)images;
    a->recipe.lambda = (eex_exit_predictor_lambda)lambda;
    a->recipe.more = a->more;
    a->recipe.published = a->test_thresholds;
    a->recipe.seed = (uint64_t)a->seed;
    a->recipe.epochs = (int)a->epochs;
    a->recipe.batch = (int)a->batch;
    a->recipe.lr = a->lr;
    a->recipe.rates = "--lr";
    a->recipe.lr_end = a->lr / 1000;
    a->recipe.weight_decay = a->weight_decay;
    return EEX_OK;
}

typedef struct work {
    const arguments *a;
    eex_device *device;
    eex_model *model;
    eex_dataset *data;
    eex_exit_predictor *predictor;
    char *path, *checkpoint;
} work;

static int print(const work *w)
{
    eex_buffer text = EEX_BUFFER_INIT;
    if (!w->a->json) {
        const int code = eex_put_predictor(&text, w->predictor, w->model);
        eex__put_line(&text, "%s", w->path);
        return eex__print_report(&text, code);
    }
    eex_json j = EEX_JSON_INIT(&text);
    eex_json_object(&j, NULL);
    eex_json_string(&j, "model", w->model->path);
    eex_json_string(&j, "file", w->path);
    eex_report_predictor_json(&j, w->predictor, w->model);
    eex_json_end(&j);
    eex_buffer_putc(&text, '\n');
    return eex__print_text(&text, EEX_OK);
}

/* What can be refused is, before it learns. */
static int make(work *w, const char *path)
{
    const arguments *a = w->a;
    eex_exit_predictor_recipe recipe = a->recipe;
    EEX_TRY(eex_open_device(&w->device, &a->device));
    EEX_TRY(eex_model_open(&w->model, path, EEX_MODEL_BEST, w->device));
    const eex__curve_wish wish = curve_wish(a);
    if (a->curve)
        return eex__curve_print(w->model, &wish);
    EEX_TRY(eex_exit_predictor_path(&w->path, w->model));
    EEX_TRY(eex_check_kind(w->path, "predictor", NULL));
    if (eex_fs_exists(w->path) && !a->force)
        return eex_fail(EEX_EINVAL,
                        "%s is there already: `eex show` says what it is worth, --force replaces "
                        "it",
                        w->path);
    EEX_TRY(eex_fs_try(w->path));
    EEX_TRY(eex_exit_predictor_check(w->model));
    EEX_TRY(eex_kept_path(&w->checkpoint, w->path));
    recipe.checkpoint = w->checkpoint;
    EEX_TRY(eex_model_data_own(&w->data, w->model, a->data));
    EEX_TRY(eex_exit_predictor_make(&w->predictor, w->model, w->data, &recipe));
    EEX_TRY(eex_exit_predictor_save(w->predictor, w->model, w->path));
    EEX_TRY(eex_fs_remove_file(w->checkpoint));
    return print(w);
}

static int run(const void *given, const eex_words *words)
{
    work w = {.a = given};
    const int code = make(&w, words->at[0]);
    free(w.path);
    free(w.checkpoint);
    eex_exit_predictor_free(w.predictor);
    eex_dataset_close(w.data);
    eex_model_close(w.model);
    eex_device_close(w.device);
    return code;
}

static const char details[] =
    "The predictor (Dong, Mao and Zhang) is a tiny network that looks at an image first. It "
    "learns\n"
    "which exits would let the image leave; where one would not, its gate is not computed. What "
    "it\n"
    "costs itself is charged for every image, so it pays where gates are dear: the report says\n"
    "whether it does, on the test split, and is no choice.\n\n"
    "A gate is computed where the predictor's score is at least gamma. Gammas are those with the\n"
    "least computation in front of the last exit, by replay on images that it has not learnt "
    "from:\n"
    "the calibration images, or the validation images with --images calibration or both.\n\n"
    "--curve shows, by replay on the validation images, what one confidence threshold for all\n"
    "gates gives, without the predictor that is there and with it (its gammas chosen anew), and\n"
    "beside a network without some filters: the paper's Fig. 7 to 9.\n\n"
    "The file lies beside the model's (final-predictor.h5 in a run). infer, stream and profile\n"
    "use it, with the thresholds that it imitates, unless --no-predictor or other thresholds are "
    "given.";

const eex_cmd eex_cmd_predictor = {
    .name = "predictor",
    .brief = "train what says which gates are worth computing",
    .synopsis = "RUN|MODEL.h5 [options]",
    .summary = "Trains an exit predictor for a network with exits and keeps it beside its file.",
    .details = details,
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .check = check,
    .run = run,
};
