# Building: what make asks of cmake, and a build outside of the source tree, whose program finds the
# Lua library and everything else that comes with it.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
[ -f "$EEX_SOURCE_DIR/CMakeLists.txt" ] || skip "the sources are not here"
command -v make >/dev/null || skip "there is no make"

# ---- what make asks of cmake ----

# asks TARGET [VARIABLE=VALUE]...: the option about CUDA that cmake is called with.
asks() {
    expect 0 make -n -C "$EEX_SOURCE_DIR" BUILD="$work/tree" PACKAGES= "$@"
    grep -o 'EEX_CUDA=[A-Z]*' "$work/out" | tail -1
}
# is WANTED GOT
is() {
    [ "$1" = "$2" ] || fail "cmake is asked for \"$2\", not \"$1\""
}
mkdir tree
is "EEX_CUDA=DRIVER" "$(asks run)" # a first look compiles no kernels where nothing can run them
is "EEX_CUDA=ON" "$(asks run CUDA=1)"
is "EEX_CUDA=OFF" "$(asks run CUDA=0)"
is "" "$(asks build)"
is "EEX_CUDA=ON" "$(asks install CUDA=1)"
expect 2 make -n -C "$EEX_SOURCE_DIR" BUILD="$work/tree" run CUDA=yes
err_has "CUDA=yes: 1 or 0"
for own in ON OFF AUTO; do # what was configured by hand stays
    echo "EEX_CUDA:STRING=$own" >tree/CMakeCache.txt
    is "" "$(asks run)"
    is "" "$(asks build)"
done
echo "EEX_CUDA:STRING=DRIVER" >tree/CMakeCache.txt # what make run has left out
is "" "$(asks run)"
is "EEX_CUDA=AUTO" "$(asks build)"
is "EEX_CUDA=AUTO" "$(asks test)"
is "EEX_CUDA=ON" "$(asks run CUDA=1)"
expect 0 make -n -C "$EEX_SOURCE_DIR" BUILD="$work/tree" PACKAGES= install
out_has "--target eex_installed"

# ---- a build elsewhere ----

[ -z "${EEX_FLAGS:-}" ] || skip "sanitizers: the build elsewhere is tested without"
launcher=
if command -v ccache >/dev/null; then
    launcher=-DCMAKE_C_COMPILER_LAUNCHER=ccache
    export CCACHE_NOHASHDIR=1 # what .ci/run has compiled with the same options is taken from there
fi
# A toolkit without a driver, which is said in one line.
mkdir -p toolkit/bin elsewhere
printf '#!/bin/sh\necho "Cuda compilation tools, release 12.4, V12.4.1"\n' >toolkit/bin/nvcc
chmod +x toolkit/bin/nvcc
generator=
command -v ninja >/dev/null && generator=-GNinja
CUDACXX=$work/toolkit/bin/nvcc expect 0 cmake -S "$EEX_SOURCE_DIR" -B "$work/elsewhere" $generator \
    $launcher -DCMAKE_C_COMPILER="${EEX_CC:-cc}" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DEEX_WERROR=ON -DEEX_TESTS=OFF \
    -DEEX_LIBRARY=OFF -DEEX_CUDA=DRIVER -DEEX_CUDA_DRIVER="$work/no-driver"
[ "$(grep -c CUDA out)" -eq 1 ] || fail "more than a line about CUDA"
out_has "no NVIDIA driver here"
out_has "make CUDA=1"
expect 0 nice cmake --build elsewhere -j "${EEX_JOBS:-2}" --target eex
program=$work/elsewhere/bin/eex
mkdir other
cd other || exit 1
expect 0 "$program" cost "$EEX_SOURCE_DIR/experiments/quickstart.lua"
expect 0 "$program" data list --data "$work/none" # the descriptors of known data sets
out_has "cifar10"
ln -s "$work/elsewhere" link # by another name
expect 0 link/bin/eex cost "$EEX_SOURCE_DIR/experiments/quickstart.lua"

# Taken away from there it is on its own.
mkdir bin
cp "$program" bin/eex
expect 1 bin/eex cost "$EEX_SOURCE_DIR/experiments/quickstart.lua"
err_has "EEX_LUA_DIR"
mkdir -p share/eex
cp -r "$EEX_SOURCE_DIR/lua" share/eex/
expect 0 bin/eex cost "$EEX_SOURCE_DIR/experiments/quickstart.lua"
exit 0
