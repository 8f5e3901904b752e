#include "cuda/libs.h"

#include "cuda/cudnn_parts.h"

#include "base/log.h"
#include "base/status.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 3, PARTS = 6 };

static const eex_cuda_libs *replacement;
static int replacements;

typedef struct library_name {
    int major;
    const char *file;
    const char *parts[PARTS]; /* loaded with it, in this order; ends with NULL */
} library_name;

typedef struct library {
    const char *title, *variable, *remedy;
    int built_for; /* the major of the headers here */
    int count;
    library_name names[NAMES]; /* newest first */
} library;

static const library cublas = {
    .title = "cuBLAS",
    .variable = "EEX_CUBLAS_DIR",
    .remedy = "it comes with the CUDA toolkit, or as the Python package nvidia-cublas",
    .built_for = CUDART_VERSION / 1000,
    .count = 3,
    .names = {{13, "libcublas.so.13", {NULL}},
              {12, "libcublas.so.12", {NULL}},
              {11, "libcublas.so.11", {NULL}}},
};
static const library cudnn = {
    .title = "cuDNN",
    .variable = "EEX_CUDNN_DIR",
    .remedy = "NVIDIA's site has it, or the Python package nvidia-cudnn-cu13",
    .built_for = CUDNN_MAJOR,
    .count = 2,
    .names = {{9,
               "libcudnn.so.9",
               {"libcudnn_graph.so.9", "libcudnn_ops.so.9", "libcudnn_cnn.so.9",
                "libcudnn_heuristic.so.9", "libcudnn_engines_precompiled.so.9", NULL}},
              {8,
               "libcudnn.so.8",
               {"libcudnn_ops_infer.so.8", "libcudnn_ops_train.so.8", "libcudnn_cnn_infer.so.8",
                "libcudnn_cnn_train.so.8", NULL}}},
};

/* A library that was found, or why those that are there cannot be used (the first of them). */
typedef struct found {
    void *handle;
    int at;
    char path[256];
    char problem[512];
} found;

void eex__cuda_libs_order(int *order, const int *majors, int count, int built_for)
{
    int n = 0;
    for (int own = 1; own >= 0; own--)
        for (int i = 0; i < count; i++)
            if ((majors[i] == built_for) == own)
                order[n++] = i;
}

/* The n-th name to look for. */
static const library_name *name_at(const library *of, int n)
{
    int order[NAMES], majors[NAMES];
    for (int i = 0; i < of->count; i++)
        majors[i] = of->names[i].major;
    eex__cuda_libs_order(order, majors, of->count, of->built_for);
    return &of->names[order[n]];
}

/* That a file is not there is nothing to tell; what it lacks is. */
static void note_problem(found *f, const char *path)
{
    const char *says = dlerror();
    const size_t length = strlen(path);
    if (!says || *f->problem ||
        (strncmp(says, path, length) == 0 && strstr(says, ": No such file or directory")))
        return;
    snprintf(f->problem, sizeof f->problem, "%s cannot be used: the loader says %.300s", path,
             says);
}

/* One place: the folder that the variable names comes first, with all names, then the system's. */
static bool look_at(found *f, const library *of, int at)
{
    const char *folder = getenv(of->variable);
    const library_name *name = name_at(of, at % of->count);
    const bool own = at < of->count;
    if (own && (!folder || !*folder))
        return false;
    snprintf(f->path, sizeof f->path, "%s%s%s", own ? folder : "", own ? "/" : "", name->file);
    f->handle = dlopen(f->path, RTLD_NOW | RTLD_LOCAL);
    f->at = at;
    if (!f->handle)
        note_problem(f, f->path);
    if (f->handle && !eex__cudnn_load_parts(f->handle, name->parts, getenv(cublas.variable))) {
        note_problem(f, f->path);
        return false;
    }
    return f->handle;
}

/* What was passed over is said, for it may be what the user means. */
static bool look_from(found *f, const library *of, int at)
{
    for (; at < 2 * of->count; at++)
        if (look_at(f, of, at)) {
            if (*f->problem)
                eex_log_warn("%s; going on with %s", f->problem, f->path);
            return true;
        }
    return false;
}

static int missing_library(const library *of, const found *f)
{
    const char *folder = getenv(of->variable);
    if (*f->problem)
        return eex_fail(
            EEX_ENOTFOUND,
            "device \"cuda\" needs %s, and %s; install what is missing beside it, or set "
            "%s to the folder of a complete one",
            of->title, f->problem, of->variable);
    return eex_fail(
        EEX_ENOTFOUND,
        "device \"cuda\" needs %s, and %s is neither in the system's library path nor in "
        "%s (%s): %s; then set %s to the folder that holds %s",
        of->title, name_at(of, 0)->file, of->variable,
        folder && *folder ? folder : "which is not set", of->remedy, of->variable,
        name_at(of, 0)->file);
}

static int missing_function(const char *path, const char *function)
{
    return eex_fail(
        EEX_EUNSUPPORTED,
        "%s has no function %s: too old or too new for this eex, which knows cuBLAS 11.8 "
        "to 13 and cuDNN 8.9 to 9",
        path, function);
}

static int load_cublas(eex_cuda_libs *libs, int from)
{
    found f = {.handle = NULL};
    if (!look_from(&f, &cublas, from))
        return missing_library(&cublas, &f);
#define FIND(name)                                          \
    if (!eex__cuda_libs_find(f.handle, #name, &libs->name)) \
        return missing_function(f.path, #name);
    EEX_CUBLAS_FUNCTIONS(FIND)
#undef FIND
    memcpy(libs->cublas_path, f.path, sizeof libs->cublas_path);
    libs->cublas_at = f.at;
    return EEX_OK;
}

static int load_cudnn(eex_cuda_libs *libs, int from)
{
    found f = {.handle = NULL};
    if (!look_from(&f, &cudnn, from))
        return missing_library(&cudnn, &f);
#define FIND(name)                                          \
    if (!eex__cuda_libs_find(f.handle, #name, &libs->name)) \
        return missing_function(f.path, #name);
    EEX_CUDNN_FUNCTIONS(FIND)
#undef FIND
    memcpy(libs->cudnn_path, f.path, sizeof libs->cudnn_path);
    libs->cudnn_at = f.at;
    return EEX_OK;
}

static void load_nvml(eex_cuda_libs *libs)
{
    int (*init)(void);
    void *handle = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!handle || !eex__cuda_libs_find(handle, "nvmlInit_v2", &init) || init() != 0)
        return;
    eex__cuda_libs_find(handle, "nvmlDeviceGetHandleByPciBusId_v2",
                        &libs->nvmlDeviceGetHandleByPciBusId_v2);
    eex__cuda_libs_find(handle, "nvmlDeviceGetTotalEnergyConsumption",
                        &libs->nvmlDeviceGetTotalEnergyConsumption);
    eex__cuda_libs_find(handle, "nvmlSystemGetDriverVersion", &libs->nvmlSystemGetDriverVersion);
}

int eex__cuda_libs_load(eex_cuda_libs *out)
{
    *out = replacement ? replacement[0] : (eex_cuda_libs){.cublas_at = 0};
    if (replacement)
        return EEX_OK;
    EEX_TRY(load_cublas(out, 0));
    EEX_TRY(load_cudnn(out, 0));
    load_nvml(out);
    return EEX_OK;
}

static int no_replacement(const char *title)
{
    return eex_fail(EEX_ENOTFOUND, "there is no other %s", title);
}

/* Into a copy, so that a library that is half there leaves nothing behind. */
int eex__cuda_libs_next_cublas(eex_cuda_libs *libs)
{
    eex_cuda_libs next = *libs;
    if (replacement) {
        if (libs->cublas_at + 1 >= replacements)
            return no_replacement("cuBLAS");
        next.cublas_at++;
#define COPY(name) next.name = replacement[next.cublas_at].name;
        EEX_CUBLAS_FUNCTIONS(COPY)
        memcpy(next.cublas_path, replacement[next.cublas_at].cublas_path, sizeof next.cublas_path);
    } else {
        EEX_TRY(load_cublas(&next, libs->cublas_at + 1));
    }
    *libs = next;
    return EEX_OK;
}

int eex__cuda_libs_next_cudnn(eex_cuda_libs *libs)
{
    eex_cuda_libs next = *libs;
    if (replacement) {
        if (libs->cudnn_at + 1 >= replacements)
            return no_replacement("cuDNN");
        next.cudnn_at++;
        EEX_CUDNN_FUNCTIONS(COPY)
#undef COPY
        memcpy(next.cudnn_path, replacement[next.cudnn_at].cudnn_path, sizeof next.cudnn_path);
    } else {
        EEX_TRY(load_cudnn(&next, libs->cudnn_at + 1));
    }
    *libs = next;
    return EEX_OK;
}

void eex__cuda_libs_use(const eex_cuda_libs *tables, int count)
{
    replacement = tables;
    replacements = count;
}

void eex__cuda_libs_versions(const eex_cuda_libs *libs, char *blas, char *dnn, size_t size,
                             bool driver)
{
    int part[3] = {0};
    for (int i = 0; i < 3; i++)
        libs->cublasGetProperty((libraryPropertyType)i, &part[i]);
    snprintf(blas, size, "%d.%d.%d", part[0], part[1], part[2]);
    const char *dot = strrchr(libs->cudnn_path, '.');
    if (!driver) {
        snprintf(dnn, size, "%s", dot ? dot + 1 : "?");
        return;
    }
    size_t v = libs->cudnnGetVersion(); /* 8907 is 8.9.7, 91900 is 9.19.0 */
    if (v >= 90000)
        snprintf(dnn, size, "%zu.%zu.%zu", v / 10000, v / 100 % 100, v % 100);
    else
        snprintf(dnn, size, "%zu.%zu.%zu", v / 1000, v / 100 % 10, v % 100);
}
