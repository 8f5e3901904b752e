/* eex devices: what --device can name. */
#include "cli/commands.h"
#include "cli/print.h"
#include "device/backends.h"
#include "eex/gpus.h"

#include "base/json.h"
#include "base/status.h"

#include <stdio.h>
#include <string.h>

static bool has_inventory(const char *kind)
{
    return eex_gpus && strcmp(kind, "cuda") == 0;
}

/* ---- as text ---- */

static void put_gpu(eex_buffer *out, const eex_cuda_inventory *cuda, int i)
{
    const eex_cuda_gpu *gpu = &cuda->gpu[i];
    eex_buffer_printf(out, "cuda:%-3d %s, compute capability %d.%d, %d multiprocessors", i,
                      gpu->name, gpu->major, gpu->minor, gpu->processors);
    if (gpu->clock_mhz)
        eex_buffer_printf(out, " at up to %d MHz", gpu->clock_mhz);
    eex_buffer_printf(out, ", %.1f GiB", (double)gpu->bytes / (1 << 30));
    if (gpu->free_known)
        eex_buffer_printf(out, " (%.1f free)", (double)gpu->free_bytes / (1 << 30));
    if (!gpu->kernels)
        eex_buffer_printf(out, "\n%9snot available: this build has kernels for %s", "",
                          cuda->chips);
    eex_buffer_printf(out, "\n%9suses float32%s%s%s%s%s\n", "", gpu->tf32 ? ", TF32" : "",
                      gpu->bf16 ? ", bfloat16" : "", cuda->graphs ? ", graphs" : "",
                      cuda->conditional ? ", conditional graph nodes" : "",
                      gpu->energy ? ", NVML's energy counter" : "");
}

static const char *or_none(const char *version)
{
    return *version ? version : "none";
}

static void put_cuda(eex_buffer *out, const eex_cuda_inventory *cuda)
{
    for (int i = 0; i < cuda->gpus; i++)
        put_gpu(out, cuda, i);
    if (*cuda->no_gpu)
        eex_buffer_printf(out, "%-8s not available: %s\n", "cuda", cuda->no_gpu);
    if (*cuda->no_library)
        eex_buffer_printf(out, "%-8s not available: %s\n", "cuda", cuda->no_library);
    eex_buffer_printf(out, "%9sdriver %s (CUDA %s), runtime %s, cuBLAS %s, cuDNN %s, NVML %s\n", "",
                      or_none(cuda->driver), or_none(cuda->driver_cuda), cuda->runtime,
                      or_none(cuda->cublas), or_none(cuda->cudnn), or_none(cuda->nvml));
}

static void put_precisions(eex_buffer *out, const eex_device *device)
{
    eex_buffer_printf(out, "%9suses %s", "", eex_precision_name(EEX_F32));
    for (int p = EEX_F32 + 1; p < EEX_PRECISIONS; p++)
        if (device->precisions & 1u << p)
            eex_buffer_printf(out, ", %s", eex_precision_name((eex_precision)p));
    eex_buffer_printf(out, "\n");
}

static void put_kind(eex_buffer *out, const char *kind)
{
    eex_device *device = NULL;
    if (eex_device_open(&device, kind, NULL) == EEX_OK) {
        eex_buffer_printf(out, "%-8s %s\n", kind, device->name);
        put_precisions(out, device);
    } else {
        eex_buffer_printf(out, "%-8s not available: %s\n", kind, eex_error());
    }
    eex_device_close(device);
}

static int print_all(void)
{
    static eex_cuda_inventory cuda;
    eex_buffer text = EEX_BUFFER_INIT;
    const char *kind;
    for (int i = 0; (kind = eex_device_kind(i)); i++) {
        if (has_inventory(kind)) {
            eex_gpus(&cuda);
            put_cuda(&text, &cuda);
        } else {
            put_kind(&text, kind);
        }
    }
    return eex__print_report(&text, EEX_OK);
}

/* ---- as JSON ---- */

static void text_or_null(eex_json *json, const char *key, const char *text)
{
    eex_json_string(json, key, *text ? text : NULL);
}

static void json_gpu(eex_json *json, const eex_cuda_inventory *cuda, int i)
{
    const eex_cuda_gpu *gpu = &cuda->gpu[i];
    char text[32], problem[192];
    eex_json_object(json, NULL);
    snprintf(text, sizeof text, "cuda:%d", i);
    eex_json_string(json, "device", text);
    eex_json_bool(json, "available", !*cuda->no_library && gpu->kernels);
    snprintf(problem, sizeof problem, "this build has kernels for %s", cuda->chips);
    text_or_null(json, "problem", gpu->kernels ? cuda->no_library : problem);
    eex_json_string(json, "name", gpu->name);
    snprintf(text, sizeof text, "%d.%d", gpu->major, gpu->minor);
    eex_json_string(json, "capability", text);
    eex_json_int(json, "multiprocessors", gpu->processors);
    eex_json_int(json, "clock_mhz", gpu->clock_mhz);
    eex_json_uint(json, "memory_bytes", gpu->bytes);
    if (gpu->free_known)
        eex_json_uint(json, "free_bytes", gpu->free_bytes);
    else
        eex_json_null(json, "free_bytes");
    eex_json_bool(json, "tf32", gpu->tf32);
    eex_json_bool(json, "bf16", gpu->bf16);
    eex_json_bool(json, "graphs", cuda->graphs);
    eex_json_bool(json, "conditional_nodes", cuda->conditional);
    eex_json_bool(json, "energy", gpu->energy);
    eex_json_end(json);
}

static void json_missing(eex_json *json, const char *kind, const char *problem)
{
    eex_json_object(json, NULL);
    eex_json_string(json, "device", kind);
    eex_json_bool(json, "available", false);
    eex_json_string(json, "problem", problem);
    eex_json_end(json);
}

static void json_kind(eex_json *json, const char *kind)
{
    eex_device *device = NULL;
    if (eex_device_open(&device, kind, NULL) < 0) {
        json_missing(json, kind, eex_error());
        return;
    }
    eex_json_object(json, NULL);
    eex_json_string(json, "device", kind);
    eex_json_bool(json, "available", true);
    eex_json_null(json, "problem");
    eex_json_string(json, "name", device->name);
    eex_json_array(json, "precisions");
    for (int p = 0; p < EEX_PRECISIONS; p++)
        if (device->precisions & 1u << p)
            eex_json_string(json, NULL, eex_precision_name((eex_precision)p));
    eex_json_end(json);
    eex_json_end(json);
    eex_device_close(device);
}

static void json_libraries(eex_json *json, const eex_cuda_inventory *cuda)
{
    eex_json_object(json, "cuda");
    text_or_null(json, "driver", cuda->driver);
    text_or_null(json, "driver_cuda", cuda->driver_cuda);
    text_or_null(json, "runtime", cuda->runtime);
    text_or_null(json, "cublas", cuda->cublas);
    text_or_null(json, "cublas_path", cuda->cublas_path);
    text_or_null(json, "cudnn", cuda->cudnn);
    text_or_null(json, "cudnn_path", cuda->cudnn_path);
    text_or_null(json, "nvml", cuda->nvml);
    text_or_null(json, "problem", cuda->no_library);
    eex_json_end(json);
}

static void json_all(eex_json *json)
{
    static eex_cuda_inventory cuda;
    const char *kind;
    eex_json_object(json, NULL);
    eex_json_array(json, "devices");
    for (int i = 0; (kind = eex_device_kind(i)); i++) {
        if (!has_inventory(kind)) {
            json_kind(json, kind);
            continue;
        }
        eex_gpus(&cuda);
        for (int k = 0; k < cuda.gpus; k++)
            json_gpu(json, &cuda, k);
        if (cuda.gpus == 0)
            json_missing(json, kind, cuda.no_gpu);
    }
    eex_json_end(json);
    if (eex_gpus)
        json_libraries(json, &cuda);
    eex_json_end(json);
}

static int print_json(void)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_json json = EEX_JSON_INIT(&text);
    json_all(&json);
    eex_buffer_putc(&text, '\n');
    return eex__print_text(&text, EEX_OK);
}

/* ---- the command ---- */

typedef struct arguments {
    bool json;
} arguments;

static const eex_option options[] = {
    EEX_JSON(json),
    {0},
};

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    return a->json ? print_json() : print_all();
}

const eex_cmd eex_cmd_devices = {
    .name = "devices",
    .brief = "list the devices that this program can use",
    .synopsis = "[--json]",
    .summary = "Lists the devices that \"eex run --device\" can name, with what they are.",
    .takes = {sizeof(arguments), NULL, options},
    .run = run,
};
