# Real cuDNN libraries, without a GPU: each is taken whole, passed over and named when a part of it is missing,
# and describes what convolutions ask of it (cudnn_probe.c). What is looked at is what this machine has, for
# nothing is downloaded: the toolkit's, those of Python packages nvidia-cudnn-*, and
#
#   EEX_CUDNN_FOLDERS="FOLDER..."   more of them; FOLDER/../../cublas/lib, as packages have it, is their cuBLAS
#
# Some have parts that want the driver's library while they are loaded; the toolkit's stub takes its place.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
toolkit=${EEX_CUDA_LIBRARIES:-/usr/local/cuda/lib64}
folders="${EEX_CUDNN_FOLDERS:-} $toolkit $(python3 -c 'import glob, site, sys
paths = site.getsitepackages() + [site.getusersitepackages()]
print(*(folder for path in paths for folder in glob.glob(path + "/nvidia/cudnn/lib")))' 2>/dev/null)"

mkdir driver
[ -e "$toolkit/stubs/libcuda.so" ] && ln -s "$toolkit/stubs/libcuda.so" driver/libcuda.so.1
export EEX_EMULATE_LIBS=real EEX_EMULATE_CAPABILITY=0.0 LD_LIBRARY_PATH=$work/driver:${LD_LIBRARY_PATH:-}
devices() { # devices FOLDER DRIVER
    EEX_CUDNN_DIR=$1 EEX_EMULATE_DRIVER=$2 expect 0 "$EEX" devices "${@:3}"
}

look_at() { # look_at FOLDER LIBRARY
    local folder=$1 library=$2 part
    [ -d "$folder/../../cublas/lib" ] && export EEX_CUBLAS_DIR=$folder/../../cublas/lib
    devices "$folder" 0 --json
    out_has "\"cudnn_path\": \"$folder/$library\""
    devices "$folder" 1 --json
    grep -oE '"cudnn": "[0-9]+\.[0-9]+\.[0-9]+"' out || fail "it does not say its version"
    if [ -e driver/libcuda.so.1 ]; then
        EEX_CUDNN_REAL=1 EEX_CUDNN_DIR=$folder expect 0 "$EEX_PROBE"
        grep -qE "Tested: 3 .*Passing: 3 " err || fail "not all was looked at"
    fi
    # The cuBLAS of its CUDA is found where packages have it, whichever of the system's is ours.
    EEX_CUBLAS_DIR='' devices "$folder" 1 --json
    if [ -d "$folder/../../cublas/lib" ] && ! grep -q '"cublas_path": null' out; then
        out_has "\"cudnn_path\": \"$folder/$library\""
    fi
    # Where the cuBLAS of its CUDA is not to be found it is passed over, before it ends the process.
    mkdir links
    ln -s "$folder"/libcudnn* links/
    EEX_CUBLAS_DIR='' devices "$work/links" 1 --json
    if ! grep -qF "\"cudnn_path\": \"$work/links/$library\"" out; then
        EEX_CUBLAS_DIR='' devices "$work/links" 1
        cat err >>out
        out_has "$work/links/$library cannot be used: the loader says libcublas"
    fi
    rm -r links
    # A folder of links lacks one part; the loader looks beside the link. Nothing else may take the place of
    # the rest of this one, so the end is that it is named, whatever is found instead.
    for part in $(cd "$folder" && ls | grep -E '^libcudnn_(ops|cnn|graph|heuristic|engines_precompiled).*so\.[89]$'); do
        mkdir links
        ln -s "$folder"/libcudnn* links/
        rm "links/$part"
        devices "$work/links" 0
        cat err >>out # an error where this was the only one, else a warning
        out_has "$work/links/$library cannot be used: the loader says $work/links/$part"
        rm -r links
    done
    seen=$((seen + 1))
}

seen=0
for folder in $folders; do
    for library in libcudnn.so.9 libcudnn.so.8; do
        [ -e "$folder/$library" ] && look_at "$(cd "$folder" && pwd)" "$library"
    done
done
[ "$seen" -gt 0 ] || skip "there is no cuDNN on this machine; EEX_CUDNN_FOLDERS names folders that have one"
echo "$seen cuDNN looked at"
