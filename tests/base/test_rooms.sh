#!/usr/bin/env bash
# Each room knows only what it may know: reads every include under src/ and compares with the rules.
set -u
cd "$EEX_SOURCE_DIR/src" || exit 1
failed=0

# room: the other rooms whose headers it may include. A file's room is the longest of these that its
# path begins with.
declare -A may=(
    [base]=""
    [search]="base"
    [device]="base"
    [cpu]="base device"
    [cuda]="base device"
    [core/store]="base"
    [core/data]="base core/store"
    [core/frames]="base core/store core/data"
    [core/graph]="base core/store device"
    [core/plan]="base core/store device core/graph"
    [core/policy]="base core/store device"
)
may[core/train]="${may[core/plan]} core/data core/plan core/policy"
may[core/model]="${may[core/train]} core/train"
may[core/exchange]="${may[core/model]} core/model"
may[core/engine]="${may[core/plan]} core/plan core/policy core/train core/model"
may[core/use]="${may[core/model]} core/model core/engine core/frames"
may[net]="${may[core/use]} core/use"
may[core/run]="${may[core/model]} core/model core/engine search"
may[core/report]="base core/store device core/graph core/policy core/model core/run"
may[core/sweep]="base core/store device core/graph core/run core/report"
may[eex]="${may[core/use]} search core/use core/exchange core/run core/report core/sweep cpu cuda"
may[lua]="${may[eex]}"
may[page]="${may[core/use]} search core/use core/run core/report core/sweep"
may[cli]="${may[eex]} eex lua net page"

# The room of a path below src/, in $room; "" where there is none.
room_of() {
    room=$1
    while [[ $room == */* ]]; do
        room=${room%/*}
        [[ -v may[$room] ]] && return
    done
    room=""
}

while IFS=: read -r file line include; do
    target=$(sed -E 's/.*"([^"]+)".*/\1/' <<<"$include")
    room_of "$file" && own=$room
    room_of "$target" && other=$room
    if [ -z "$own" ]; then
        echo "$file: the table has no room for it"
        failed=1
    elif [ -z "$other" ]; then
        echo "$file:$line: include \"$target\" by its room: \"$own/...\""
        failed=1
    elif [ "$own" != "$other" ] && [[ " ${may[$own]} " != *" $other "* ]]; then
        echo "$file:$line: $own may not know $other ($target)"
        failed=1
    elif [ "$own" != "$other" ] && [[ $target == *_impl.h ]]; then
        echo "$file:$line: $target is for $other alone"
        failed=1
    fi
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' . --include='*.[ch]' --include='*.cu' --include='*.cuh' | sed 's|^\./||')

# library: where its headers may be included
check() {
    local what=$1 pattern=$2 allowed=$3
    while IFS= read -r hit; do
        [[ ${hit%%:*} =~ $allowed ]] && continue
        echo "$hit: $what may be included by $allowed alone"
        failed=1
    done < <(grep -rnE "#[[:space:]]*include[[:space:]]*<($pattern)" . --include='*.[ch]' --include='*.cu' --include='*.cuh' | sed 's|^\./||')
}
check HDF5 'hdf5\.h|H5' '^core/store/'
check oneDNN '(oneapi/dnnl/)?dnnl' '^$' # benchmarks/ alone
check Lua '(lua5\.4/)?(lua|lauxlib|lualib)\.h' '^(lua|cli)/'
check CUDA 'cuda|cudnn|cublas|nvToolsExt|nvtx3' '^cuda/'
check libcurl 'curl/' '^core/data/'
check sockets '(sys/(socket|un|eventfd)|netdb|netinet/[a-z]*|arpa/[a-z]*)\.h' '^net/'
check OpenSSL 'openssl/' '^net/tls\.c'
check libedit '(editline/|histedit)' '^cli/'

# CUDA is known to the host code in one place: where backends are registered.
if grep -rnE '^[[:space:]]*#[[:space:]]*if.*CUDA' . --include='*.[ch]' --include='*.cu' --include='*.cuh' | grep -vE '^\./(cuda/|eex/eex\.c)'; then
    echo "an #if about CUDA outside the place where backends are registered"
    failed=1
fi
[ $failed = 0 ] && echo "every include is in its room"
exit $failed
