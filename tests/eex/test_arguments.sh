# Every function of eex.h and of the headers that are installed with it is in test_arguments*.c.
set -u
cd "$EEX_SOURCE_DIR" || exit 1
headers=(src/eex/eex.h)
for ((i = 0; i < ${#headers[@]}; i++)); do
    mapfile -t included < <(sed -n 's|^#include "\(.*\)"|src/\1|p' "${headers[i]}")
    for header in "${included[@]}"; do
        [[ " ${headers[*]} " == *" $header "* ]] || headers+=("$header")
    done
done
[ ${#headers[@]} -gt 20 ] || { echo "only these headers: ${headers[*]}"; exit 1; }
failed=0
for header in "${headers[@]}"; do
    # A declaration begins with a type, where the line begins.
    for name in $(grep -E '^[a-z]' "$header" | grep -v '^static' | sed 's|/\*.*||' |
        grep -oE '\*?eex_[a-z0-9_]+\(' | tr -d '*(' | grep -v '^eex__' | sort -u); do
        grep -q "$name(" tests/eex/test_arguments*.c || { echo "$header: no test calls $name"; failed=1; }
    done
done
exit $failed
