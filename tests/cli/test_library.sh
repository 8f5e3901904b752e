# The installed library: what a program needs to use it is there, wherever the tree is moved to, and
# the example builds against it in three ways and says what `eex infer` says.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh"
[ -f "$EEX_BUILD_DIR/lib/libeex.so" ] || skip "the library was not built (EEX_LIBRARY=OFF)"
command -v pkg-config >/dev/null || skip "there is no pkg-config"
command -v make >/dev/null || skip "there is no make"
cc=${EEX_CC:-cc}
flags="-O1 -Wall -Wextra -Werror $EEX_FLAGS"

# Installed under one prefix into a stage, as packagers do, then used from another place.
expect 0 env DESTDIR="$work/stage" cmake --install "$EEX_BUILD_DIR" --prefix /opt/eex
mkdir "$work/moved"
mv "$work/stage/opt/eex" "$work/moved/prefix"
prefix=$work/moved/prefix
[ -x "$prefix/bin/eex" ] || fail "the program was not installed"
pc=$(dirname "$(find "$prefix" -name eex.pc)")
lib=$(dirname "$pc")
if grep -rlF "/opt/eex" "$prefix" --include='*.pc' --include='*.cmake' --include='*.h'; then
    fail "the prefix of the installation is in a file"
fi

# Every header can be included alone, from C and from C++, and nothing but our names is shown.
headers=$(cd "$prefix/include" && find . -name '*.h' | sed 's|^\./||')
[ "$(wc -w <<<"$headers")" -gt 10 ] || fail "only these headers: $headers"
for header in $headers; do
    echo "#include <$header>" >one.c
    expect 0 "$cc" -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$prefix/include" one.c
done
if command -v c++ >/dev/null; then
    printf '#include <eex/eex.h>\n#include <vector>\nint main() { return eex_init(); }\n' >one.cpp
    expect 0 c++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only -I"$prefix/include" one.cpp
fi
if command -v nm >/dev/null; then
    nm -D --defined-only "$lib/libeex.so" | awk '$2 != "A" {print $3}' >symbols
    grep -q '^eex_engine_submit$' symbols || fail "eex_engine_submit is not shown"
    grep -vE '^eex_[a-z]' symbols && fail "libeex.so shows what is not ours"
    grep -E '^eex_(sha256|json|run)' symbols && fail "libeex.so shows what is in no header"
fi

# The example, three ways.
cp -r "$prefix"/share/doc/eex/examples/classify example
cd example || exit 1
expect 0 make CC="$cc" CFLAGS="$flags" PKG_CONFIG_PATH="$pc"
mv classify ../with_make
expect 0 make CC="$cc" CFLAGS="$flags" PKG_CONFIG_PATH="$pc" STATIC=1
mv classify ../with_static
expect 0 cmake -S . -B build -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_FLAGS="$flags" -DCMAKE_PREFIX_PATH="$prefix"
expect 0 cmake --build build
mv build/classify ../with_cmake
cd "$work" || exit 1

# On a run, on images, and on what is neither.
make_data
write_experiment tiny.lua
expect 0 "$prefix/bin/eex" run tiny.lua --threads 1
expect 0 "$prefix/bin/eex" infer runs/tiny --split test --json
pattern='.*"sample": \([0-9]*\),.*"name": "\([^"]*\)",.*"exit": \([0-9]*\),.*"accepted": \(true\|false\).*'
sed "s/$pattern/sample \1\t\2\texit \3\t\4/; s/true$/accepted/; s/false$/rejected/" out >wanted
[ "$(wc -l <wanted)" -eq 60 ] || fail "eex infer did not answer for 60 images"
for program in with_make with_static with_cmake; do
    expect 0 "./$program" runs/tiny
    cut -f 1,2,4,5 out | cmp - wanted || fail "$program does not say what eex infer says"
    expect 1 "./$program" runs/none
    err_has "runs/none: no such run"
    expect 1 "./$program" runs/tiny/run.h5
    expect 0 "./$program" runs/tiny nothing.jpg tiny.lua
    err_has "nothing.jpg"
    err_has "neither JPEG, PNG, WebP nor TIFF"
    expect 2 "./$program"
done
exit 0
