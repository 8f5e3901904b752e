#include "cuda/cudnn_parts.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

/* ISO C has no cast from an object pointer to a function's; POSIX promises that this works. */
bool eex__cuda_libs_find(void *handle, const char *name, void *field)
{
    void *symbol = dlsym(handle, name);
    memcpy(field, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* The folder that a loaded library lies in, with its slash; "": unknown. */
static void folder_of(void *handle, char *out, size_t size)
{
    struct link_map *map = NULL;
    const char *slash;
    *out = '\0';
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || !map || !(slash = strrchr(map->l_name, '/')))
        return;
    if ((size_t)(slash - map->l_name) + 2 <= size)
        snprintf(out, size, "%.*s", (int)(slash - map->l_name) + 1, map->l_name);
}

/* The parts of some are linked with the cuBLAS of their own time, which may lie where the user
 * says. */
static void load_cublas_of_old(const char *folder)
{
    char path[512];
    for (int major = 13; folder && *folder && major >= 11; major--) {
        snprintf(path, sizeof path, "%s/libcublasLt.so.%d", folder, major);
        (void)dlopen(path, RTLD_NOW | RTLD_LOCAL);
        snprintf(path, sizeof path, "%s/libcublas.so.%d", folder, major);
        (void)dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
}

/* The CUDA that a cuDNN was made for, 12; 0: it is not asked, for there is no driver. */
static int cuda_of(void *handle)
{
    size_t (*version)(void);
    int driver = 0;
    if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0 ||
        !eex__cuda_libs_find(handle, "cudnnGetCudartVersion", &version))
        return 0;
    return (int)(version() / 1000);
}

/* One that is loaded already, or of these folders, or else of the system's. */
static bool load_from(const char *const *folders, int count, const char *file)
{
    char path[768];
    if (dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD))
        return true;
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folders[i], file);
        if (*folders[i] && dlopen(path, RTLD_NOW | RTLD_LOCAL))
            return true;
    }
    return dlopen(file, RTLD_NOW | RTLD_LOCAL) != NULL;
}

/* Later ones are not linked with the cuBLAS of their CUDA but open it when they are used, and end
 * the process where there is none: it is loaded first, from where they would find it or from where
 * the user says. */
static bool load_cublas_of(int major, const char *folder, const char *own)
{
    static const char *const names[] = {"libcublasLt.so", "libcublas.so"};
    char packages[512] = "", file[32];
    const char *folders[] = {own ? own : "", folder, packages};
    if (*folder) /* else it would be looked for from where the program was started */
        snprintf(packages, sizeof packages, "%s../../cublas/lib", folder);
    for (int i = 0; i < 2 && major > 0; i++) {
        snprintf(file, sizeof file, "%s.%d", names[i], major);
        if (!load_from(folders, 3, file))
            return false;
    }
    return true;
}

bool eex__cudnn_load_parts(void *handle, const char *const *parts, const char *cublas_folder)
{
    char folder[256], path[512];
    folder_of(handle, folder, sizeof folder);
    for (int i = 0; parts[i]; i++) {
        snprintf(path, sizeof path, "%s%s", folder, parts[i]);
        if (dlopen(path, RTLD_NOW | RTLD_LOCAL))
            continue;
        load_cublas_of_old(cublas_folder);
        if (!dlopen(path, RTLD_NOW | RTLD_LOCAL))
            return false;
    }
    return !parts[0] || load_cublas_of(cuda_of(handle), folder, cublas_folder);
}
