# Every function of the headers that eex.h names is in test_arguments.c.
set -u
cd "$EEX_SOURCE_DIR" || exit 1
mapfile -t headers < <(sed -n 's|^#include "\(.*\)"|src/\1|p' src/eex/eex.h)
headers+=(src/eex/eex.h src/core/engine/queue.h src/core/data/dataset.h)
[ ${#headers[@]} -gt 8 ] || { echo "only these headers: ${headers[*]}"; exit 1; }
failed=0
for header in "${headers[@]}"; do
    # A declaration is a line that begins with a type; comments have a star in front.
    for name in $(grep -vE '^ ?\*|^/\*|^ \* |#define|^static' "$header" | grep -oE '\*?eex_[a-z0-9_]+\(' | tr -d '*(' | grep -v '^eex__' | sort -u); do
        grep -q "$name(" tests/eex/test_arguments.c || { echo "$header: no test calls $name"; failed=1; }
    done
done
exit $failed
