# docs/store-format.md speaks of every object and attribute that eex writes, docs/profiling.md of every
# range that Nsight shows.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1

ranges=$EEX_SOURCE_DIR/docs/profiling.md
[ -f "$ranges" ] || skip "the documents are not here"
sed -n '/^## Ranges/,/^## Nsight/p' "$ranges" | grep -o '`[^`]*`' | tr -d '`' | sed 's/[0-9]\+/N/' >named
{
    grep -rho 'eex_device_range([^;]*"[^"]*"' "$EEX_SOURCE_DIR/src" | sed 's/.*"\(.*\)"/\1/' |
        grep -vx '%s' | sed 's/%s/NAME/; s/%[a-z]*/N/'
    sed -n 's/^ *\[EEX_PHASE_[A-Z]*\] = {"\([^"]*\)".*/\1/p' "$EEX_SOURCE_DIR/src/core/run/phase.c"
} >there
[ "$(wc -l <there)" -gt 15 ] || fail "only these ranges: $(cat there)"
while read -r name; do
    grep -qxF -- "$name" named || fail "docs/profiling.md says nothing of the range \"$name\""
done <there

document=$EEX_SOURCE_DIR/docs/store-format.md
[ -f "$document" ] || skip "the documents are not here"
command -v h5dump >/dev/null || skip "there is no h5dump"

make_data
write_experiment tiny.lua
run() {
    expect 0 "$EEX" run tiny.lua --threads 1 "$@"
}
run
run --out trained --set search.evaluator=train --set search.trials=4 --set search.population=2 \
    --set training.epochs=1 --set policy.kind=margin
run --out more --set search.tau=2 --set final.epochs=1 --set policy.reject=0.1 --set policy.tune=accuracy \
    --set 'saliency={rule="ranked", metric="probe", count=2, from="residual_merges"}' \
    --set search.trials=4 --set search.population=2 --set training.epochs=1
expect 0 "$EEX" run tiny.lua --threads 1 --out taken --from runs/tiny --set search.trials=10
expect 0 "$EEX" prune runs/tiny --exit 1 -o cut.h5
expect 0 "$EEX" tune runs/tiny --accuracy -0.2 -o policy.h5
expect 0 "$EEX" adapt runs/tiny --latency 1000 -o adapt.h5
expect 0 "$EEX" bottleneck runs/tiny -o bottleneck.h5 --epochs 1 --more-epochs 1 --batch 16 --threads 1
expect 0 "$EEX" tune runs/tiny --conformal 0.3 --delta 0.1 -o bound.h5
expect 0 "$EEX" tune runs/tiny --risk 0.3 --delta 0.1 -o risk.h5
expect 0 "$EEX" tune runs/tiny --risk 0.3 --delta 0.1 --each-exit -o each.h5
expect 0 "$EEX" profile --table tiny.lua --threads 1 --structures 2 -o table.h5

# What stands in code, cut into words; a member of a list, as center0, is center<k> there.
grep -o '`[^`]*`' "$document" | tr -c 'A-Za-z0-9_<>\n' '\n' | sort -u >words
undocumented=
files=$(find . -name '*.h5' | sort)
[ "$(wc -w <<<"$files")" -gt 40 ] || fail "only these files: $files"
for file in $files; do
    # Names of parameters are those of the network.
    h5dump -n 1 "$file" | sed -n 's/^ *\(group\|dataset\|attribute\) *//p' | sed 's|^/params/.*|/params|' |
        tr / '\n' | sed 's/ *$//; s/\(center\|factor\)[0-9]*$/\1<k>/' | sort -u >names
    while read -r name; do
        [ -z "$name" ] || grep -qxF -- "$name" words || undocumented="$undocumented $file:$name"
    done <names
done
[ -z "$undocumented" ] || fail "docs/store-format.md says nothing of$undocumented"
for file in runs/tiny/*.h5; do
    name=$(basename "$file")
    grep -q "\`$name\`" "$document" || fail "docs/store-format.md has no $name"
done
exit 0
