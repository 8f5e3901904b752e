# Whether the CUDA backend is part of this build, and for which chips: sets EEX_HAVE_CUDA and
# enables the language.
#
#   EEX_CUDA=AUTO   with it where a toolkit (nvcc, cuBLAS' and cuDNN's headers) is found
#           =DRIVER with it where there is an NVIDIA driver, too: "make run" asks for that, so that a
#                   first look at the program on a machine that has only the toolkit does not begin
#                   with minutes of kernels that cannot run there
#           =ON     with it, or an error that says what to install
#           =OFF    without it
#   EEX_CUDA_ARCHITECTURES   empty: a few, which is quick to build; all: every one that the toolkit
#           knows from 6.1 up; else a list as of CMAKE_CUDA_ARCHITECTURES
#
# cuBLAS, cuDNN and NVML are loaded when a device opens (src/cuda/libs.c), so only headers are asked
# for, and programs start where none of it is installed.
set(EEX_CUDA AUTO CACHE STRING "The CUDA backend: AUTO, DRIVER, ON or OFF")
set_property(CACHE EEX_CUDA PROPERTY STRINGS AUTO DRIVER ON OFF)
# The driver's own device: it is there as soon as the kernel module is, in containers too once they
# were given a GPU. libcuda.so.1 comes with toolkit images that have no driver, nvidia-smi is often
# left out of those that have one.
set(EEX_CUDA_DRIVER /dev/nvidiactl CACHE FILEPATH "What EEX_CUDA=DRIVER takes for a sign of a driver")
mark_as_advanced(EEX_CUDA_DRIVER)
set(EEX_CUDA_ARCHITECTURES "" CACHE STRING "Chips to compile for: empty (a few), all, or a list")
option(EEX_CUDA_LINEINFO "Kernels know their source lines, for profilers; twice the size" ON)
set(EEX_HAVE_CUDA OFF)

function(eex_cuda_missing reason)
    if(EEX_CUDA MATCHES "^(AUTO|DRIVER)$")
        message(STATUS "CUDA: not in this build (${reason})")
    else()
        message(FATAL_ERROR "EEX_CUDA=ON, but ${reason}.\n"
            "The CUDA backend needs the CUDA toolkit, 11.8 or newer (nvcc, cudart, the headers of "
            "cuBLAS and NVTX), and the headers of cuDNN, 8.9 or newer. Where they are not in the usual "
            "places, CUDACXX names nvcc, CUDNN_INCLUDE_DIR the folder of cudnn.h. EEX_CUDA=OFF builds "
            "without.")
    endif()
endfunction()

# What "nvcc --version" says: 13.0.
function(eex_cuda_version out nvcc)
    execute_process(COMMAND ${nvcc} --version OUTPUT_VARIABLE text ERROR_QUIET)
    string(REGEX MATCH "release ([0-9]+\\.[0-9]+)" match "${text}")
    set(${out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

# The list for CMAKE_CUDA_ARCHITECTURES: code for each and, for chips to come, the newest's PTX.
# CUDA 13 has 7.5 and up; 6.1 (the P40 and its generation) needs 12 or 11.8.
function(eex_cuda_choose_architectures out version)
    if(EEX_CUDA_ARCHITECTURES AND NOT EEX_CUDA_ARCHITECTURES STREQUAL "all")
        set(${out} ${EEX_CUDA_ARCHITECTURES} PARENT_SCOPE)
        return()
    endif()
    set(few 75-real 80-real 90)
    set(all 75-real 80-real 86-real 89-real)
    if(version VERSION_LESS 13)
        list(PREPEND few 61-real)
        list(PREPEND all 61-real 70-real)
    endif()
    if(version VERSION_LESS 12.8)
        list(APPEND all 90)
    else()
        list(APPEND all 90-real 100-real 120)
    endif()
    if(EEX_CUDA_ARCHITECTURES STREQUAL "all")
        set(few ${all})
    endif()
    set(${out} ${few} PARENT_SCOPE)
endfunction()

macro(eex_cuda_enable)
    set(CMAKE_CUDA_COMPILER ${EEX_NVCC})
    eex_cuda_choose_architectures(CMAKE_CUDA_ARCHITECTURES ${eex_nvcc_version})
    find_program(EEX_CCACHE ccache)
    if(EEX_CCACHE)
        set(CMAKE_CUDA_COMPILER_LAUNCHER ${EEX_CCACHE})
    endif()
    # 12.8 and 12.9 warn about chips before 7.5, and warnings are errors.
    string(APPEND CMAKE_CUDA_FLAGS " -Wno-deprecated-gpu-targets")
    enable_language(CUDA)
    set(CMAKE_CUDA_STANDARD 17)
    set(CMAKE_CUDA_STANDARD_REQUIRED ON)
    set(CMAKE_CUDA_EXTENSIONS OFF)
    set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
    set(EEX_HAVE_CUDA ON)
    message(STATUS "CUDA ${eex_nvcc_version}: for ${CMAKE_CUDA_ARCHITECTURES}")
endmacro()

if(EEX_CUDA STREQUAL "OFF")
    message(STATUS "CUDA: not in this build (EEX_CUDA=OFF)")
elseif(EEX_CUDA STREQUAL "DRIVER" AND NOT EXISTS ${EEX_CUDA_DRIVER})
    eex_cuda_missing("no NVIDIA driver here, ${EEX_CUDA_DRIVER}; make CUDA=1 builds it all the same")
elseif(EEX_SANITIZE)
    # The runtime maps memory in ways that the sanitizers take for mistakes; the kernels are checked
    # on the CPU (tests/cuda).
    message(STATUS "CUDA: not in this build (it has sanitizers)")
else()
    find_program(EEX_NVCC nvcc HINTS ENV CUDACXX ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda
        PATH_SUFFIXES bin)
    if(EEX_NVCC)
        eex_cuda_version(eex_nvcc_version ${EEX_NVCC})
        get_filename_component(eex_cuda_root ${EEX_NVCC} DIRECTORY)
        find_path(CUBLAS_INCLUDE_DIR cublas_v2.h HINTS ${eex_cuda_root}/../include)
        find_path(CUDNN_INCLUDE_DIR cudnn.h HINTS ${eex_cuda_root}/../include)
    endif()
    if(NOT EEX_NVCC)
        eex_cuda_missing("nvcc was not found")
    elseif(NOT eex_nvcc_version OR eex_nvcc_version VERSION_LESS 11.8)
        eex_cuda_missing("${EEX_NVCC} is CUDA ${eex_nvcc_version}, older than 11.8")
    elseif(NOT CUBLAS_INCLUDE_DIR)
        eex_cuda_missing("cublas_v2.h was not found")
    elseif(NOT CUDNN_INCLUDE_DIR)
        eex_cuda_missing("cudnn.h was not found")
    else()
        eex_cuda_enable()
    endif()
endif()
