# What cmake/cuda.cmake asks of each toolkit: for which chips it compiles, as the table in docs/cuda.md has it, and
# that 12.8 and 12.9 are told not to warn of chips before 7.5, for warnings are errors.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
[ -f "$EEX_SOURCE_DIR/cmake/cuda.cmake" ] || skip "there is no cmake/cuda.cmake beside these tests"
command -v cmake >/dev/null || skip "there is no cmake"
cat >ask.cmake <<'END'
cmake_minimum_required(VERSION 3.25)
set(EEX_CUDA OFF CACHE STRING "")
include(${SOURCE}/cmake/cuda.cmake)
macro(enable_language) # nothing is compiled here
endmacro()
set(EEX_CUDA_ARCHITECTURES ${CHIPS})
eex_cuda_choose_architectures(chips ${VERSION})
set(EEX_NVCC nvcc)
set(eex_nvcc_version ${VERSION})
eex_cuda_enable()
message("chips: ${chips}")
message("flags:${CMAKE_CUDA_FLAGS}")
END
ask() { # ask VERSION CHIPS WANTED
    expect 0 cmake -DSOURCE="$EEX_SOURCE_DIR" -DVERSION="$1" -DCHIPS="$2" -P ask.cmake
    grep -qxF "chips: $3" err || fail "CUDA $1, \"$2\": not $3"
    grep -q "^flags:.* -Wno-deprecated-gpu-targets" err || fail "CUDA $1 is not told to be silent about old chips"
}
ask 13.0 "" "75-real;80-real;90"
ask 12.9 "" "61-real;75-real;80-real;90"
ask 12.8 "" "61-real;75-real;80-real;90"
ask 11.8 "" "61-real;75-real;80-real;90"
ask 13.0 all "75-real;80-real;86-real;89-real;90-real;100-real;120"
ask 12.9 all "61-real;70-real;75-real;80-real;86-real;89-real;90-real;100-real;120"
ask 12.8 all "61-real;70-real;75-real;80-real;86-real;89-real;90-real;100-real;120"
ask 12.7 all "61-real;70-real;75-real;80-real;86-real;89-real;90"
ask 11.8 all "61-real;70-real;75-real;80-real;86-real;89-real;90"
ask 13.0 "61-real;90" "61-real;90"

# The nvcc here takes the flag, whichever it is.
nvcc=${CUDACXX:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
if [ -x "$nvcc" ]; then
    echo '__global__ void nothing() {}' >x.cu
    expect 0 "$nvcc" -Wno-deprecated-gpu-targets -Werror=all-warnings -gencode arch=compute_75,code=sm_75 --dryrun -c x.cu
fi
echo "chips and flags of each toolkit"
