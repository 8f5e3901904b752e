# The CUDA backend's tests. The sources of src/cuda are compiled by the host's compiler and run on the
# CPU (emulate.h, fake_runtime.h), so they need no GPU and no nvcc, only the toolkit's headers:
#
#   tests/cuda/test_<what>.c       on the emulated device, as emulated/cuda/test_<what>, and, where
#                                  the backend is part of the build, on a GPU, as cuda/test_<what>
#   tests/cuda/emulated_<what>.c*  of the emulator itself
#   tests/cpu and tests/core       those that know only the device interface, on both
include(CheckLanguage)
check_language(CXX)
find_package(CUDAToolkit QUIET)
find_path(EEX_CUDNN_HEADERS cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS} ENV CUDNN_INCLUDE_DIR)

file(GLOB own_tests RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS cpu/test_*.c
    cuda/test_*.c)
list(REMOVE_ITEM own_tests cpu/test_choice.c cpu/test_crowd.c cpu/test_device.c cpu/test_pool.c
    cpu/test_slab.c cpu/test_threads.c) # of the CPU alone
set(device_tests core/plan/test_arena core/plan/test_binding core/plan/test_params
    core/plan/test_passing core/plan/test_plan core/plan/test_plan_gradient
    core/plan/test_resize core/plan/test_training_step core/train/test_batches
    core/train/test_supernet core/train/test_train core/engine/test_engine
    core/engine/test_predict core/engine/test_queue core/engine/test_walk
    core/use/test_frame_batches)
foreach(test ${own_tests})
    string(REGEX REPLACE "\\.c$" "" test ${test})
    list(APPEND device_tests ${test})
endforeach()

# One program a test, linked with `library`; registered as <prefix>/<test>.
function(eex_cuda_test program prefix test source library)
    add_executable(${program} ${source} cuda/devices.c)
    target_link_libraries(${program} PRIVATE eex_test_support ${library} eex_core)
    target_compile_definitions(${program} PRIVATE
        EEX_SOURCE_DIR="${EEX_TEST_ROOT}" EEX_FIXTURES="${EEX_TEST_ROOT}/tests/fixtures")
    set_target_properties(${program} PROPERTIES LINKER_LANGUAGE CXX)
    add_test(NAME ${prefix}/${test} COMMAND ${program} ${ARGN})
    set_tests_properties(${prefix}/${test} PROPERTIES TIMEOUT 600
        ENVIRONMENT "EEX_CACHE_DIR=${CMAKE_BINARY_DIR}/cache;${ARGN}")
endfunction()

if(NOT CMAKE_CXX_COMPILER OR NOT CUDAToolkit_FOUND OR NOT EEX_CUDNN_HEADERS)
    message(STATUS "CUDA: its kernels are not tested on the CPU (no C++ compiler, or no headers)")
else()
    enable_language(CXX)
    file(GLOB host_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/cuda/*.c)
    file(GLOB kernel_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/cuda/*.cu)
    set_source_files_properties(${kernel_sources} PROPERTIES LANGUAGE CXX)
    # Their warnings are nvcc's business; some of the host compiler's do not understand templates.
    file(GLOB emulator_tests RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS
        cuda/emulated_*.c cuda/emulated_*.cpp)
    set_source_files_properties(${kernel_sources} ${emulator_tests} PROPERTIES
        COMPILE_OPTIONS "-Wno-unknown-pragmas;-Wno-maybe-uninitialized;-Wno-shadow;-Wno-cast-qual")
    add_library(eex_cuda_emulated OBJECT ${host_sources} ${kernel_sources} cuda/emulate.cpp
        cuda/emulate_matrix.cpp cuda/fake_blas.cpp cuda/fake_dnn.cpp cuda/fake_graph.cpp cuda/fake_libs.c
        cuda/fake_runtime.cpp cuda/fake_stream.cpp)
    target_link_libraries(eex_cuda_emulated PUBLIC eex_device ${CMAKE_DL_LIBS})
    target_include_directories(eex_cuda_emulated PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
    target_include_directories(eex_cuda_emulated SYSTEM PUBLIC ${CUDAToolkit_INCLUDE_DIRS}
        ${EEX_CUDNN_HEADERS})
    target_compile_definitions(eex_cuda_emulated PUBLIC EEX_CUDA_EMULATED)
    # What "eex devices" compares chips with: those of toolkits before 13.
    set_source_files_properties(${CMAKE_SOURCE_DIR}/src/cuda/chips.c PROPERTIES
        COMPILE_DEFINITIONS "EEX_CUDA_CHIPS=\"61-real 75-real 80-real 90\"")
    target_compile_features(eex_cuda_emulated PUBLIC cxx_std_17)
    set(quick 1)
    if(EEX_SANITIZE)
        set(quick 2)
    endif()
    if(EEX_SANITIZE MATCHES address AND CMAKE_CXX_COMPILER_ID STREQUAL GNU) # shared memory's variables too
        target_compile_options(eex_cuda_emulated PUBLIC
            $<$<COMPILE_LANGUAGE:CXX>:-fsanitize-sections=eex_shared*>)
    endif()

    foreach(test ${device_tests})
        string(REPLACE / _ name ${test})
        eex_cuda_test(emulated_${name} emulated ${test} ${test}.c eex_cuda_emulated
            EEX_TESTS_QUICK=${quick})
        if(NOT test MATCHES "^core/") # those know only the device, and its kernels have tests of their own
            eex_test_sanitized(emulated/${test} emulated_${name})
        endif()
    endforeach()
    # The other ways of a convolution.
    foreach(way patches own first)
        add_test(NAME emulated/cpu/test_conv_${way} COMMAND emulated_cpu_test_conv)
        set_tests_properties(emulated/cpu/test_conv_${way} PROPERTIES TIMEOUT 600
            ENVIRONMENT "EEX_CUDA_CONV=${way}")
        eex_test_sanitized(emulated/cpu/test_conv_${way} emulated_cpu_test_conv)
    endforeach()
    # The program itself, with this device as its "cuda"; the fakes come before the libraries.
    add_executable(eex_emulated ${cli_sources} ${CMAKE_SOURCE_DIR}/src/eex/eex.c)
    target_link_libraries(eex_emulated PRIVATE eex_cuda_emulated eex_lua eex_net eex_page)
    target_compile_definitions(eex_emulated PRIVATE EEX_HAVE_CUDA=1)
    set_target_properties(eex_emulated PROPERTIES LINKER_LANGUAGE CXX)
    add_test(NAME emulated/cuda/emulated_run.sh
        COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cuda/emulated_run.sh)
    set_tests_properties(emulated/cuda/emulated_run.sh PROPERTIES TIMEOUT 900
        ENVIRONMENT "EEX=$<TARGET_FILE:eex_emulated>;EEX_SOURCE_DIR=${CMAKE_SOURCE_DIR}")

    eex_test_sanitized(emulated/cuda/emulated_run.sh eex_emulated)

    # emulated_cudnn.sh looks at real libraries, where there are some, with a program that is run for each.
    add_executable(cudnn_probe cuda/cudnn_probe.c cuda/devices.c)
    target_link_libraries(cudnn_probe PRIVATE eex_test_support eex_cuda_emulated eex_core)
    set_target_properties(cudnn_probe PROPERTIES LINKER_LANGUAGE CXX)
    foreach(script libs devices cudnn)
        add_test(NAME emulated/cuda/emulated_${script}.sh
            COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cuda/emulated_${script}.sh)
        set_tests_properties(emulated/cuda/emulated_${script}.sh PROPERTIES TIMEOUT 120
            SKIP_RETURN_CODE 77 ENVIRONMENT
            "EEX=$<TARGET_FILE:eex_emulated>;EEX_SOURCE_DIR=${CMAKE_SOURCE_DIR};EEX_PROBE=$<TARGET_FILE:cudnn_probe>;EEX_CUDA_LIBRARIES=${CUDAToolkit_LIBRARY_DIR}")
        if(NOT script STREQUAL cudnn) # libraries of others
            eex_test_sanitized(emulated/cuda/emulated_${script}.sh eex_emulated)
        endif()
    endforeach()

    foreach(source ${emulator_tests})
        get_filename_component(what ${source} NAME_WE)
        eex_cuda_test(${what} emulated cuda/${what} ${source} eex_cuda_emulated)
        target_sources(${what} PRIVATE cuda/ones.c)
        eex_test_sanitized(emulated/cuda/${what} ${what})
    endforeach()
endif()

# The same on a GPU; they skip where there is none.
if(EEX_HAVE_CUDA)
    foreach(test ${device_tests})
        string(REPLACE / _ name ${test})
        eex_cuda_test(gpu_${name} gpu ${test} ${test}.c eex_cuda --verbose=1)
        set_tests_properties(gpu/${test} PROPERTIES RESOURCE_LOCK gpu
            SKIP_REGULAR_EXPRESSION
            "there is no NVIDIA driver here;the NVIDIA driver here is for;no GPU is visible")
    endforeach()
endif()
