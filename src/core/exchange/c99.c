/* model.h and model.c: what is around the layers. */
#include "core/exchange/c99_impl.h"
#include "device/augment.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>

/* ---- exits ---- */

static bool rejects(const eex_policy *p, int k)
{
    for (int c = 0; c < p->classes; c++)
        if (p->low[(size_t)k * (size_t)p->classes + (size_t)c] > -INFINITY)
            return true;
    return false;
}

/* Whether the exit has thresholds above which images leave: at the last one all do. */
static bool decides(const eex_model *m, int k)
{
    return m->policy && k < m->policy->exits - 1;
}

static void put_array(eex_buffer *out, const char *what, int k, const float *values, size_t count,
                      uint64_t *total)
{
    char name[32];
    snprintf(name, sizeof name, "%s%d", what, k + 1);
    eex__c99_floats(out, name, values, count);
    *total += count;
}

void eex__c99_thresholds(eex_buffer *out, const eex__layers *layers, int k, uint64_t *count)
{
    const eex_model *m = layers->model;
    const eex_policy *p = m->policy;
    const size_t classes = (size_t)eex_graph_classes(m->graph), row = (size_t)k * classes;
    if (!p)
        return;
    eex_buffer_printf(out, "\n/* exit %d */\n", k + 1);
    if (decides(m, k))
        put_array(out, "high", k, layers->high + row, classes, count);
    if (rejects(p, k))
        put_array(out, "low", k, layers->low + row, classes, count);
    const size_t c = eex__c99_room(m, k) / 2;
    if (c == 0)
        return;
    put_array(out, "centre", k, m->familiar->center[k], c, count);
    put_array(out, "factor", k, m->familiar->factor[k], c * c, count);
}

static void put_name(eex_buffer *out, bool there, const char *what, int k)
{
    if (there)
        eex_buffer_printf(out, ", %s%d", what, k + 1);
    else
        eex_buffer_puts(out, ", NULL");
}

static void put_far(eex_buffer *out, const eex__layers *layers, const eex__c99_memory *memory,
                    int k)
{
    const eex_model *m = layers->model;
    const int point = eex__layers_point(layers, k);
    const eex__layer *l = &layers->at[point];
    if (eex__c99_room(m, k) == 0) {
        eex_buffer_puts(out, "0");
        return;
    }
    eex_buffer_printf(out, "is_far(m + %zu, %d, %d, centre%d, factor%d, %.17g, m + %zu)",
                      memory->at[point], l->h * l->w, l->c, k + 1, k + 1, m->policy->far[k],
                      memory->room[k]);
}

static const char *compared(const eex_policy *p)
{
    if (!p)
        return "SCORE_CONFIDENCE";
    const eex_measure what = eex_policy_compares(p->kind);
    return what == EEX_MEASURE_MARGIN    ? "SCORE_MARGIN"
           : what == EEX_MEASURE_ENTROPY ? "SCORE_ENTROPY"
                                         : "SCORE_CONFIDENCE";
}

void eex__c99_exit(eex_buffer *out, const eex__layers *layers, const eex__c99_memory *memory, int k)
{
    const eex_model *m = layers->model;
    const bool last = k == eex_graph_exits(m->graph) - 1;
    eex_buffer_printf(out, "    score(r, m + %zu, %d, ", memory->at[eex__layers_logits(layers, k)],
                      eex_graph_classes(m->graph));
    eex__c99_float(out, m->policy ? m->policy->temperature[k] : 1);
    eex_buffer_printf(out, ");\n    %sleaves(r, %d, %s", last ? "" : "if (", k + 1,
                      compared(m->policy));
    put_name(out, decides(m, k), "high", k);
    put_name(out, m->policy && rejects(m->policy, k), "low", k);
    eex_buffer_puts(out, ", ");
    put_far(out, layers, memory, k);
    eex_buffer_puts(out, last ? ");\n" : "))\n        return;\n");
}

/* ---- model.c ---- */

static void put_normal(eex_buffer *out, const eex_model *m, uint64_t *count)
{
    const eex_inference how = eex_model_inference(m, 1);
    float scale[3], offset[3];
    for (int c = 0; c < m->input.channels; c++)
        eex_augment_scale(&scale[c], &offset[c], &how.normalise, c);
    eex_buffer_puts(out, "\n");
    eex__c99_floats(out, "scale", scale, (size_t)m->input.channels);
    eex__c99_floats(out, "offset", offset, (size_t)m->input.channels);
    *count += 2 * (uint64_t)m->input.channels;
}

/* As a string of C: whatever is not plain ASCII as a number of three digits. */
static void put_string(eex_buffer *out, const char *text)
{
    eex_buffer_putc(out, '"');
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '?')
            eex_buffer_printf(out, "\\%03o", c);
        else
            eex_buffer_putc(out, *text);
    }
    eex_buffer_putc(out, '"');
}

static void put_classes(eex_buffer *out, const eex_input *input)
{
    eex_buffer_puts(out, "\nconst char *const model_classes[MODEL_CLASSES] = {\n");
    for (size_t i = 0; i < input->classes.count; i++) {
        eex_buffer_puts(out, "    ");
        put_string(out, input->classes.item[i]);
        eex_buffer_puts(out, ",\n");
    }
    eex_buffer_puts(out, "};\n");
}

static int put_constants(eex_buffer *out, const eex__layers *layers, uint64_t *count)
{
    put_normal(out, layers->model, count);
    for (int i = 0; i < layers->count; i++)
        EEX_TRY(eex__c99_weights(out, layers, i, count));
    for (int k = 0; k < eex_graph_exits(layers->model->graph); k++)
        eex__c99_thresholds(out, layers, k, count);
    put_classes(out, &layers->model->input);
    return eex_buffer_status(out);
}

static int put_run(eex_buffer *out, const eex__layers *layers, const eex__c99_memory *memory)
{
    eex_buffer_puts(out, "\nvoid model_run(model_result *r, const unsigned char *image, float *m)\n"
                         "{\n");
    eex__c99_image(out, layers, memory);
    for (int i = 1, k = 0; i < layers->count; i++) {
        EEX_TRY(eex__c99_call(out, layers, memory, i));
        for (; k < eex_graph_exits(layers->model->graph) && eex__layers_logits(layers, k) == i; k++)
            eex__c99_exit(out, layers, memory, k);
    }
    eex_buffer_puts(out, "}\n");
    return eex_buffer_status(out);
}

/* ---- model.h ---- */

/* The widest feature map that a layer reads. */
static int most_channels(const eex__layers *layers)
{
    int most = 1;
    for (int i = 0; i < layers->count; i++)
        most = layers->at[i].c > most ? layers->at[i].c : most;
    return most;
}

static int most_taps(const eex__layers *layers)
{
    int most = 1;
    for (int i = 0; i < layers->count; i++) {
        const int side = layers->at[i].window.kernel;
        most = side * side > most ? side * side : most;
    }
    return most;
}

static void put_header(eex_buffer *out, const eex__layers *layers, size_t memory,
                       uint64_t constants)
{
    const eex_model *m = layers->model;
    const eex_input *in = &m->input;
    eex_buffer_printf(
        out,
        "/* \"%s\", written by eex %s.\n"
        " *\n"
        " *     static float memory[MODEL_MEMORY];\n"
        " *     model_run(&result, image, memory);\n"
        " *\n"
        " * image: MODEL_HEIGHT rows of MODEL_WIDTH pixels of MODEL_CHANNELS bytes. */\n"
        "#ifndef MODEL_H\n#define MODEL_H\n\n"
        "#define MODEL_HEIGHT %d\n#define MODEL_WIDTH %d\n#define MODEL_CHANNELS %d\n"
        "#define MODEL_IMAGE (MODEL_HEIGHT * MODEL_WIDTH * MODEL_CHANNELS) /* bytes */\n"
        "#define MODEL_CLASSES %d\n#define MODEL_EXITS %d\n#define MODEL_MOST_CHANNELS %d\n"
        "#define MODEL_MOST_TAPS %d /* of a kernel */\n"
        "#define MODEL_MEMORY %zu /* floats to calculate in: %zu bytes */\n"
        "#define MODEL_CONSTANTS %llu /* bytes of weights and thresholds */\n\n",
        eex_graph_name(m->graph), EEX_VERSION, in->height, in->width, in->channels,
        eex_graph_classes(m->graph), eex_graph_exits(m->graph), most_channels(layers),
        most_taps(layers), memory, memory * sizeof(float),
        (unsigned long long)constants * sizeof(float));
    eex_buffer_puts(out, "typedef struct model_result {\n"
                         "    int top;      /* the most likely class, from 0 */\n"
                         "    int exit;     /* where the image left, from 1 */\n"
                         "    int accepted; /* 0: rejected as unlike what the network knows */\n"
                         "    float confidence, margin, entropy; /* of that exit */\n"
                         "} model_result;\n\n"
                         "extern const char *const model_classes[MODEL_CLASSES];\n\n"
                         "void model_run(model_result *result, const unsigned char *image, "
                         "float *memory);\n\n#endif\n");
}

/* ---- both ---- */

static int put_files(eex_buffer *header, eex_buffer *source, eex_c99_needs *needs,
                     const eex__layers *layers)
{
    eex__c99_memory memory;
    uint64_t constants = 0;
    EEX_TRY(eex__c99_place(&memory, layers));
    eex_buffer_puts(source, "#include \"kernels.h\"\n\n#include <math.h>\n#include <stddef.h>\n");
    int code = put_constants(source, layers, &constants);
    if (code == EEX_OK)
        code = put_run(source, layers, &memory);
    put_header(header, layers, memory.size, constants);
    *needs = (eex_c99_needs){memory.size * sizeof(float), constants * sizeof(float)};
    eex__c99_memory_free(&memory);
    return code == EEX_OK ? eex_buffer_status(header) : code;
}

int eex_c99_put(eex_buffer *header, eex_buffer *source, eex_c99_needs *needs,
                const eex_model *model)
{
    EEX_NEED(header, "place for model.h");
    EEX_NEED(source, "place for model.c");
    EEX_NEED(needs, "place for what it needs");
    EEX_NEED(model, "model");
    eex__layers layers;
    if (!model->params)
        return eex_fail(EEX_EINVAL, "%s was opened without a device", model->path);
    if (!model->policy && eex_graph_exits(model->graph) > 1)
        return eex_fail(EEX_EINVAL, "%s has no policy: nobody would leave early", model->path);
    EEX_TRY(eex__layers_make(&layers, model, true));
    int code = put_files(header, source, needs, &layers);
    eex__layers_free(&layers);
    return code;
}
