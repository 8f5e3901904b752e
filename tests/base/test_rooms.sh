#!/usr/bin/env bash
# Each room knows only what it may know: reads every include under src/ and compares with the rules.
set -u
cd "$EEX_SOURCE_DIR/src" || exit 1
failed=0

# room: the rooms whose headers it may include
declare -A may=(
    [base]="base"
    [search]="base search"
    [core]="base search core"
    [cpu]="base core cpu"
    [cuda]="base core cuda"
    [eex]="base search core cpu cuda eex"
    [lua]="base search core cpu cuda lua"
    [cli]="base search core cpu cuda eex lua cli"
)

for room in "${!may[@]}"; do
    [ -d "$room" ] || continue
    while IFS=: read -r file line include; do
        target=$(sed -E 's/.*"([^"]+)".*/\1/' <<<"$include")
        other=${target%%/*}
        if [ "$other" = "$target" ]; then
            echo "$file:$line: include \"$target\" by its room: \"$room/...\""
            failed=1
        elif [[ " ${may[$room]} " != *" $other "* ]]; then
            echo "$file:$line: $room may not know $other ($target)"
            failed=1
        fi
    done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$room" --include='*.[ch]' --include='*.cu' --include='*.cuh')
done

# library: where its headers may be included
check() {
    local what=$1 pattern=$2 allowed=$3
    while IFS= read -r hit; do
        [[ ${hit%%:*} =~ $allowed ]] && continue
        echo "$hit: $what may be included by $allowed alone"
        failed=1
    done < <(grep -rnE "#[[:space:]]*include[[:space:]]*<($pattern)" . --include='*.[ch]' --include='*.cu' --include='*.cuh' | sed 's|^\./||')
}
check HDF5 'hdf5\.h|H5' '^core/store'
check oneDNN '(oneapi/dnnl/)?dnnl' '^$' # benchmarks/ alone
check Lua '(lua5\.4/)?(lua|lauxlib|lualib)\.h' '^(lua|cli)/'
check CUDA 'cuda|cudnn|cublas|nvToolsExt|nvtx3' '^cuda/'
check libcurl 'curl/' '^core/'
check libedit '(editline/|histedit)' '^cli/'

# CUDA is known to the host code in one place: where backends are registered.
if grep -rnE '^[[:space:]]*#[[:space:]]*if.*CUDA' . --include='*.[ch]' --include='*.cu' --include='*.cuh' | grep -vE '^\./(cuda/|eex/eex\.c)'; then
    echo "an #if about CUDA outside the place where backends are registered"
    failed=1
fi
[ $failed = 0 ] && echo "every include is in its room"
exit $failed
