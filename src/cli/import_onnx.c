#include "cli/import_onnx.h"

#include "cli/out_file.h"
#include "cli/print.h"
#include "core/exchange/onnx_import.h"
#include "core/exchange/start.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/shell.h"
#include "base/status.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct import {
    const eex_import_onnx_options *o;
    char name[EEX_NAME_MAX];
    char *script; /* path of the experiment */
    eex_onnx_network *network;
    eex_device *device;
    eex_params *params;
    eex_input input;
} import;

bool eex_is_onnx(const char *path)
{
    const size_t length = strlen(path);
    return length > 5 && strcmp(path + length - 5, ".onnx") == 0;
}

/* ---- names ---- */

/* "resnet-18" of "models/resnet 18.onnx": what may be the name of a graph and of a run. */
static void name_of(char out[EEX_NAME_MAX], const char *path)
{
    const char *base = eex_path_base(path);
    size_t size = strlen(base) - strlen(".onnx");
    size = size < EEX_NAME_MAX - 1 ? size : EEX_NAME_MAX - 1;
    for (size_t i = 0; i < size; i++)
        out[i] = (char)(isalnum((unsigned char)base[i]) || strchr("-_.", base[i]) ? base[i] : '-');
    out[size] = '\0';
    if (!isalnum((unsigned char)out[0]))
        snprintf(out, EEX_NAME_MAX, "network");
}

/* "net.lua" of "net.h5". */
static int script_of(char **out, const char *model)
{
    const size_t length = strlen(model);
    const bool ends = length > 3 && strcmp(model + length - 3, ".h5") == 0;
    eex_buffer path = EEX_BUFFER_INIT;
    eex_buffer_printf(&path, "%.*s.lua", (int)(ends ? length - 3 : length), model);
    int code = eex_buffer_take(out, &path);
    eex_buffer_free(&path);
    return code;
}

/* A data set's name goes into a script. */
static int check_dataset(const char *name)
{
    if (!name)
        return eex_fail(EEX_EINVAL, "for which data set? --dataset NAME");
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_./", *c))
            return eex_fail(EEX_EINVAL, "--dataset \"%s\": letters, digits, '-', '_', '.' and '/'",
                            name);
    return EEX_OK;
}

/* ---- mean and deviation ---- */

static int read_numbers(float out[3], const char *text, int channels, double least,
                        const char *option)
{
    char part[64];
    for (int c = 0; text && c < channels; c++) {
        double value;
        const size_t length = strcspn(text, ",");
        if (c == channels - 1 ? text[length] != '\0' : text[length] != ',')
            return eex_fail(EEX_EINVAL, "%s: expected %d numbers with commas between", option,
                            channels);
        snprintf(part, sizeof part, "%.*s", (int)(length < 60 ? length : 60), text);
        EEX_TRY(eex_text_parse_double(&value, part, least, 1e3, option));
        out[c] = (float)value;
        text += length + 1;
    }
    return EEX_OK;
}

/* ---- the work ---- */

static int load(import *m)
{
    const eex_device_options how = {.threads = 1};
    EEX_TRY(eex_onnx_open(&m->network, m->o->path, m->name, m->o->size));
    EEX_TRY(eex_device_open(&m->device, "cpu", &how));
    EEX_TRY(eex_params_new(&m->params, m->device, eex_onnx_graph(m->network), 0));
    return eex_onnx_load(m->params, m->network);
}

static int find_input(import *m)
{
    const eex_import_onnx_options *o = m->o;
    bool there;
    EEX_TRY(eex_start_input(&m->input, &there, eex_onnx_graph(m->network), o->dataset));
    EEX_TRY(read_numbers(m->input.mean, o->mean, m->input.channels, -1e3, "--mean"));
    EEX_TRY(read_numbers(m->input.std, o->std, m->input.channels, 1e-6, "--std"));
    if (!there)
        eex_log_warn("the data set \"%s\" is not here: classes are called by their numbers%s",
                     o->dataset, o->mean && o->std ? "" : ", mean and deviation are ImageNet's");
    return EEX_OK;
}

/* Before any work. */
static int check_script(const import *m)
{
    if (m->o->force || !eex_fs_exists(m->script))
        return eex_check_out(m->script, true, NULL, NULL);
    return eex_fail(EEX_EINVAL,
                    "%s is there already: --force writes the model file anew and leaves an "
                    "experiment that is not what would be written",
                    m->script);
}

/* An experiment is edited: exits, a search, a training are put into it. One that is there is work
 * unless it is what would be written. */
static int write_or_leave(const import *m, const eex_buffer *text)
{
    char *there = NULL;
    size_t size = 0;
    if (eex_fs_is_stream(m->script) || !eex_fs_exists(m->script))
        return eex_fs_write(m->script, text->data, text->size);
    const bool read = eex_fs_read(&there, &size, m->script, text->size + 1) == EEX_OK;
    const bool same = read && size == text->size && memcmp(there, text->data, size) == 0;
    free(there);
    if (!same)
        eex_log_warn("%s is there and is not what would be written, so it is left as it is: remove "
                     "or rename it, and the same command writes a new one",
                     m->script);
    return EEX_OK;
}

static int write_script(const import *m)
{
    eex_buffer text = EEX_BUFFER_INIT;
    char origin[EEX_NAME_MAX + 8];
    snprintf(origin, sizeof origin, "%s.onnx", m->name);
    int code = eex_start_script(&text, eex_onnx_graph(m->network), m->o->dataset, origin);
    if (code == EEX_OK)
        code = eex_buffer_status(&text);
    if (code == EEX_OK)
        code = write_or_leave(m, &text);
    eex_buffer_free(&text);
    return code;
}

static int print_done(const import *m)
{
    const eex_graph *g = eex_onnx_graph(m->network);
    char params[EEX_TEXT_SIZE], script[EEX_SHELL_WORD], out[EEX_SHELL_WORD];
    eex_buffer text = EEX_BUFFER_INIT;
    if (m->o->json) {
        eex_json j = EEX_JSON_INIT(&text);
        eex_json_object(&j, NULL);
        eex_json_string(&j, "network", m->name);
        eex_json_int(&j, "nodes", eex_graph_nodes(g));
        eex_json_int(&j, "parameters", eex_graph_param_total(g));
        eex_json_int(&j, "classes", eex_graph_classes(g));
        eex_json_string(&j, "file", m->o->out);
        eex_json_string(&j, "script", m->script);
        eex_json_end(&j);
        eex_buffer_putc(&text, '\n');
        return eex__print_text(&text, EEX_OK);
    }
    eex__put_line(&text, "%s: %d nodes, %s parameters, %d classes", m->name, eex_graph_nodes(g),
                  eex_text_number(params, (double)eex_graph_param_total(g), NULL),
                  eex_graph_classes(g));
    eex__put_line(&text, "%s, %s: eex run %s --set training.init=%s puts exits on it", m->o->out,
                  m->script, eex_shell_text(script, m->script), eex_shell_text(out, m->o->out));
    return eex__print_report(&text, EEX_OK);
}

static int work(import *m)
{
    const eex_import_onnx_options *o = m->o;
    EEX_TRY(check_dataset(o->dataset));
    EEX_TRY(script_of(&m->script, o->out));
    EEX_TRY(check_script(m));
    name_of(m->name, o->path);
    EEX_TRY(load(m));
    EEX_TRY(find_input(m));
    EEX_TRY(eex_start_write(o->out, m->params, &m->input, EEX_F32));
    EEX_TRY(write_script(m));
    return print_done(m);
}

int eex_import_onnx(const eex_import_onnx_options *options)
{
import m = {.o = options };
    int code = work(&m);
    eex_input_free(&m.input);
    eex_params_free(m.params);
    eex_onnx_close(m.network);
    eex_device_close(m.device);
    free(m.script);
    return code;
}
