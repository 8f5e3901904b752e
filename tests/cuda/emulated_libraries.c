/* Which files of cuBLAS and cuDNN are taken where there are several: libraries of our own making,
 * as a machine with a GPU would load real ones. */
#include "cuda/cuda_register.h"
#include "cuda/fake_cuda.h"
#include "cuda/host.h"
#include "support/capture.h"
#include "support/devices.h"
#include "support/folder.h"

#include "base/fs.h"

#include <stdio.h>
#include <stdlib.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())
#define NAME(name) #name,

static const char *const cublas_functions[] = {EEX_CUBLAS_FUNCTIONS(NAME) NULL};
static const char *const cudnn_functions[] = {EEX_CUDNN_FUNCTIONS(NAME) NULL};
static const char *const dated_functions[] = {EEX_CUDNN_FUNCTIONS(NAME) "cudnnGetCudartVersion",
                                              NULL};
static const char *const nothing[] = {NULL};

/* ---- order ---- */

Test(libraries, the_major_of_this_build_comes_first)
{
    static const int majors[] = {13, 12, 11};
    static const struct {
        int built_for, wanted[3];
    } rows[] = {
        {13, {0, 1, 2}}, {12, {1, 0, 2}}, {11, {2, 0, 1}}, {14, {0, 1, 2}}, /* newer than all */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int order[3];
        eex__cuda_libs_order(order, majors, 3, rows[i].built_for);
        cr_expect_arr_eq(order, rows[i].wanted, sizeof order, "built for %d: %d %d %d",
                         rows[i].built_for, order[0], order[1], order[2]);
    }
}

/* ---- one after the other ---- */

static int try_open(void)
{
    eex_device *dev;
    const int code = eex_device_open(&dev, "cuda", &(eex_device_options){.deterministic = true});
    eex_device_close(dev);
    return code;
}

/* A library that has dropped the chip: the next one may be older. */
Test(libraries, the_next_library_is_taken_and_said)
{
    static const char *const functions[] = {"cublasCreate", "cudnnCreate"};
    static const char *const says[] = {"fake.13 cannot be opened", "fake.9 cannot be opened"};
    static const char *const goes[] = {"going on with fake.12", "going on with fake.8"};
    eex_device_close(open_device(1));
    for (int i = 0; i < 2; i++) {
        test_capture capture;
        eex_fake_cuda_two_libraries(false);
        eex_fake_cuda_fail(functions[i], 1, cudaErrorUnknown);
        cr_expect_eq(try_open(), EEX_EDEVICE, "there is no other");
        eex_fake_cuda_two_libraries(true);
        eex_fake_cuda_fail(functions[i], 1, cudaErrorUnknown);
        test_capture_file(&capture);
        cr_expect_eq(try_open(), EEX_OK, "%s", eex_error());
        char *said = test_capture_end(&capture);
        cr_expect(strstr(said, says[i]) && strstr(said, goes[i]), "%s", said);
        free(said);
    }
    eex_fake_cuda_two_libraries(false);
    cr_expect_eq(eex_fake_cuda_held(), 0);
}

/* Memory that runs out says nothing of the chip: another library would want as much. */
Test(libraries, without_memory_for_a_library_no_other_is_tried)
{
    static const char *const functions[] = {"cublasCreate", "cudnnCreate"};
    eex_device_close(open_device(1));
    for (int i = 0; i < 2; i++) {
        test_capture capture;
        eex_fake_cuda_two_libraries(true);
        eex_fake_cuda_fail(functions[i], 1, cudaErrorMemoryAllocation);
        test_capture_file(&capture);
        cr_expect_eq(try_open(), EEX_ENOMEM, "%s: %s", functions[i], eex_error());
        char *said = test_capture_end(&capture);
        cr_expect_str_empty(said, "%s", said);
        free(said);
    }
    eex_fake_cuda_two_libraries(false);
    cr_expect_eq(eex_fake_cuda_held(), 0);
}

/* ---- files ---- */

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* What a function returns: 0, but for the one that makes a handle, and that of a CUDA that nobody
 * has. */
static int returned(const char *name, int create)
{
    if (is(name, "cudnnGetCudartVersion"))
        return 77000;
    return strstr(name, "Create_v2") || is(name, "cudnnCreate") ? create : 0;
}

/* A library of such functions, and those that return a text. */
static void make_library(const char *folder, const char *file, const char *const *functions,
                         int create)
{
    char command[3 * TEST_PATH_SIZE];
    const char *source = test_path(folder, "library.c");
    FILE *out = fopen(source, "w");
    cr_assert_not_null(out);
    for (int i = 0; functions[i]; i++) {
        const char *name = functions[i];
        if (strstr(name, "String"))
            fprintf(out, "const char *%s(int s) { return s ? \"OLD_CHIP\" : \"\"; }\n", name);
        else
            fprintf(out, "int %s(void) { return %d; }\n", name, returned(name, create));
    }
    fclose(out);
    snprintf(command, sizeof command, "cc -shared -fPIC -o '%s/%s' '%s/library.c'", folder, file,
             folder);
    if (system(command) != 0)
        cr_skip_test("there is no cc to make libraries with");
}

/* The parts that a cuDNN of this major needs beside it, which have nothing in them here. */
static void make_parts(const char *folder)
{
    static const char *const parts[] = {"libcudnn_graph.so.9",
                                        "libcudnn_ops.so.9",
                                        "libcudnn_cnn.so.9",
                                        "libcudnn_heuristic.so.9",
                                        "libcudnn_engines_precompiled.so.9",
                                        "libcudnn_ops_infer.so.8",
                                        "libcudnn_ops_train.so.8",
                                        "libcudnn_cnn_infer.so.8",
                                        "libcudnn_cnn_train.so.8"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        make_library(folder, parts[i], nothing, 0);
}

/* Files are taken as on a machine with a GPU, those of a new folder first. */
static void look_into(char folder[TEST_PATH_SIZE])
{
    test_folder_make(folder);
    setenv("EEX_CUBLAS_DIR", folder, 1);
    setenv("EEX_CUDNN_DIR", folder, 1);
    eex__cuda_libs_use(NULL, 0);
}

/* The newest of both cannot make their handles: they have dropped the chip. */
Test(libraries, the_next_file_is_taken_where_a_handle_cannot_be_made)
{
    char folder[TEST_PATH_SIZE];
    test_capture capture;
    eex_device *dev = NULL;
    look_into(folder);
    make_library(folder, "libcublas.so.13", cublas_functions, 8);
    make_library(folder, "libcublas.so.12", cublas_functions, 8);
    make_library(folder, "libcublas.so.11", cublas_functions, 0);
    make_library(folder, "libcudnn.so.9", cudnn_functions, 3008);
    make_library(folder, "libcudnn.so.8", cudnn_functions, 0);
    make_parts(folder);
    OK(eex_cuda_register());
    test_capture_file(&capture);
    const int code = eex_device_open(&dev, "cuda", &(eex_device_options){.deterministic = true});
    char *said = test_capture_end(&capture);
    cr_assert_eq(code, EEX_OK, "%s", eex_error());
    const eex_cuda_libs *libs = ((eex_cuda *)dev)->libs;
    cr_expect_str_eq(libs->cublas_path, test_path(folder, "libcublas.so.11"));
    cr_expect_str_eq(libs->cudnn_path, test_path(folder, "libcudnn.so.8"));
    cr_expect_not_null(
        strstr(said, "libcublas.so.13 cannot be opened: cuBLAS says OLD_CHIP; going on with"), "%s",
        said);
    cr_expect_not_null(strstr(said, "libcublas.so.12 cannot be opened"), "%s", said);
    cr_expect_not_null(
        strstr(said, "libcudnn.so.9 cannot be opened: cuDNN says OLD_CHIP; going on with"), "%s",
        said);
    free(said);
    eex_device_close(dev);
    test_folder_remove(folder);
}

/* A cuDNN opens the cuBLAS of its own CUDA when it is used, and ends the process where there is
 * none; so it is passed over there, though it can be loaded. */
Test(libraries, a_cudnn_without_the_cublas_of_its_cuda_is_passed_over)
{
    char folder[TEST_PATH_SIZE], why[128];
    test_capture capture;
    eex_cuda_libs libs;
    look_into(folder);
    make_library(folder, "libcublas.so.13", cublas_functions, 0);
    make_library(folder, "libcudnn.so.9", dated_functions, 0);
    make_library(folder, "libcudnn.so.8", cudnn_functions, 0);
    make_parts(folder);
    for (int have = 0; have < 3; have++) { /* of the two that belong together */
        static const char *const names[] = {"libcublasLt.so.77", "libcublas.so.77"};
        if (have > 0)
            make_library(folder, names[have - 1], nothing, 0);
        test_capture_file(&capture);
        OK(eex__cuda_libs_load(&libs));
        char *said = test_capture_end(&capture);
        cr_expect_str_eq(libs.cudnn_path,
                         test_path(folder, have == 2 ? "libcudnn.so.9" : "libcudnn.so.8"));
        snprintf(why, sizeof why,
                 "libcudnn.so.9 cannot be used: the loader says %s: ", have < 2 ? names[have] : "");
        cr_expect_eq(strstr(said, why) != NULL, have < 2, "%d: %s", have, said);
        free(said);
    }
    test_folder_remove(folder);
}

/* Nor is it called where there is no driver, which may end the process too. */
Test(libraries, without_a_driver_a_cudnn_is_not_asked_for_its_cuda)
{
    char folder[TEST_PATH_SIZE];
    eex_cuda_libs libs;
    look_into(folder);
    make_library(folder, "libcublas.so.13", cublas_functions, 0);
    make_library(folder, "libcudnn.so.9", dated_functions, 0);
    make_parts(folder);
    setenv("EEX_EMULATE_DRIVER", "0", 1);
    OK(eex__cuda_libs_load(&libs));
    cr_expect_str_eq(libs.cudnn_path, test_path(folder, "libcudnn.so.9"));
    test_folder_remove(folder);
}
