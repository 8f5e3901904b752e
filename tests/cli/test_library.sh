# The installed library: what a program needs to use it is there, wherever the tree is moved to, and
# the example builds against it in three ways and says what `eex infer` says.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
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
[ -z "$(find "$prefix" -name '*test_*' -o -name 'bench_*')" ] || fail "tests were installed"

# A manual page for each command, with what its help says, and the documents.
for command in run show infer prune stream profile data cost tune devices repl; do
    page=$prefix/share/man/man1/eex-$command.1
    [ -f "$page" ] || fail "there is no manual page of eex $command"
    "$EEX" $command --help | sed -n 's/^  \(-., \)*--\([a-z-]*\).*/\2/p' | while read -r option; do
        sed 's/\\-/-/g' "$page" | grep -qF -- "--$option" || echo "--$option" >>lacking
    done
    [ ! -f lacking ] || fail "$page lacks $(cat lacking)"
done
for page in eex eex-data-make; do
    grep -q '^\.SH NAME' "$prefix/share/man/man1/$page.1" || fail "there is no manual page of $page"
done
if command -v groff >/dev/null; then
    for page in "$prefix"/share/man/man1/*.1; do
        expect 0 groff -man -Tutf8 -ww -z "$page"
        [ ! -s err ] || fail "$page is no good manual page"
    done
    groff -man -Tascii "$prefix/share/man/man1/eex-tune.1" >page
    grep -q "runs/x --accuracy -0.01" page || fail "the manual page of eex tune lacks its examples"
fi
for document in README running-models store-format writing-experiments; do
    [ -f "$prefix/share/doc/eex/$document.md" ] || fail "$document.md was not installed"
done
pc=$(dirname "$(find "$prefix" -name eex.pc)")
lib=$(dirname "$pc")
if grep -rlF "/opt/eex" "$prefix" --include='*.pc' --include='*.cmake' --include='*.h'; then
    fail "the prefix of the installation is in a file"
fi

# make install builds and installs the same, and make uninstall leaves nothing.
preset=$(basename "$EEX_BUILD_DIR")
if [ "$EEX_BUILD_DIR" = "$EEX_SOURCE_DIR/build/$preset" ]; then
    expect 0 make -C "$EEX_SOURCE_DIR" PRESET="$preset" PREFIX="$work/made" PACKAGES= JOBS=2 install
    diff <(cd "$prefix" && find . -type f | sort) <(cd made && find . -type f | sort) >out ||
        fail "make install does not install what cmake --install does"
    expect 0 made/bin/eex cost "$EEX_SOURCE_DIR/experiments/quickstart.lua"
    expect 0 make -C "$EEX_SOURCE_DIR" PRESET="$preset" uninstall
    [ -z "$(find made ! -type d)" ] || fail "make uninstall leaves $(find made ! -type d)"
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
