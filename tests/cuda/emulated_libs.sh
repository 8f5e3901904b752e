# Which cuBLAS and cuDNN are loaded on a machine as it is, without a GPU: one that lacks a part is passed over
# and named, where cuDNN itself would end the process, and none of its functions is called without a driver.
# emulated_cudnn.sh looks at real ones.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
command -v cc >/dev/null || skip "there is no cc to make libraries with"
export EEX_EMULATE_LIBS=real EEX_EMULATE_CAPABILITY=0.0 EEX_EMULATE_DRIVER=0
cd "$work" || exit 1
export EEX_CUDNN_DIR=$work/dnn EEX_CUBLAS_DIR=$work/blas
mkdir dnn blas

# Functions with these names, each of which ends the process.
library() { # library FILE NAMES CC_OPTIONS...
    local file=$1
    for name in $2; do echo "void $name(void) { __builtin_trap(); }"; done >stub.c
    shift 2
    cc -shared -fPIC -o "$file" stub.c "$@" || fail "cc cannot make $file"
}
names() { # names OF, those of the list of libs.h
    sed -n "/define EEX_$1_FUNCTIONS/,/^\$/p" "$EEX_SOURCE_DIR/src/cuda/libs.h" | grep -oE 'X\([a-zA-Z0-9_]+\)' | tr -d 'X()'
}
blas=$(names CUBLAS | grep -v cublasGetProperty)
for major in 11 12 13; do
    for name in $blas; do echo "void $name(void) { __builtin_trap(); }"; done >blas.c
    echo "int cublasGetProperty(int what, int *out) { *out = what ? 7 : $major; return 0; }" >>blas.c
    cc -shared -fPIC -Wl,-soname,libcublas.so.$major -o blas/libcublas.so.$major blas.c || fail "cc cannot make a cuBLAS"
done
devices() { expect 0 "$EEX" devices --json; }

# The cuBLAS of this build's runtime comes first.
major=$("$EEX" devices --json | sed -n 's/.*"runtime": "\([0-9]*\).*/\1/p')
library dnn/libcudnn.so.8 "$(names CUDNN)"
library dnn/libcudnn.so.9 "$(names CUDNN)"
devices
err_has "libcudnn.so.9 cannot be used: the loader says $work/dnn/libcudnn_graph.so.9"
out_has "\"cublas\": \"$major.7.7\""

# With its parts it is taken, and its version not asked for: there is no driver.
for part in graph ops cnn heuristic engines_precompiled; do library dnn/libcudnn_$part.so.9 "part_$part"; done
devices
[ ! -s err ] || fail "something is said about libraries that are whole"
out_has "\"cudnn_path\": \"$work/dnn/libcudnn.so.9\""
out_has '"cudnn": "9"'

# A part that lacks what it was linked with, such as the cuBLAS of its time.
library libgone.so.11 gone -Wl,-soname,libgone.so.11
library dnn/libcudnn_cnn.so.9 part_cnn -Wl,--no-as-needed -L. -l:libgone.so.11
rm libgone.so.11
devices
err_has "libcudnn.so.9 cannot be used: the loader says libgone.so.11"

# The cuBLAS of its time may lie where the user says, and nowhere else.
library dnn/libcudnn_cnn.so.9 part_cnn -Wl,--no-as-needed -Lblas -l:libcublas.so.11
devices
[ ! -s err ] || fail "the cuBLAS that a part is linked with is there"
out_has "\"cudnn_path\": \"$work/dnn/libcudnn.so.9\""
mkdir newer
cp blas/libcublas.so.1[23] newer
EEX_CUBLAS_DIR=$work/newer devices
err_has "libcudnn.so.9 cannot be used: the loader says libcublas.so.11"

# None at all, unless the machine has one: said also where nothing else is, such as a GPU.
rm dnn/libcudnn*
devices
problem=null
grep -q '"cudnn": null' out && problem='".*libcudnn'
tail -n 4 out | grep -q "\"problem\": $problem" || fail "what is missing, or nothing: not said"
echo "libraries that are not whole are passed over"
