# Files of people who know the format and mean harm: right in form, checksums and seal, wrong in what they say. Every
# command that reads them ends soon, with an answer or a message. Many more rounds, by hand and under the sanitizers:
#
#   EEX=build/asan/bin/eex EEX_SOURCE_DIR=. bash tests/cli/test_forged.sh --seed 7 --seconds 600
#
# Files that something went wrong with are left where it was called.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
called=$OLDPWD
forged=${EEX%/*}/fuzz_cli_forged
[ -x "$forged" ] || skip "fuzz_cli_forged is not built"

# What there is to forge: a run with everything, one that was stopped, models of every kind, a data set.
mkdir all
cd all || exit 1
export EEX_DATA=data
make_data
write_experiment tiny.lua
expect 0 "$EEX" data info tiny --sheet image.png
tiny="tiny.lua --threads 1 --set training.epochs=1 --set gates.required=true --set search.trials=6 --set search.front=2
    --set search.tau=2 --set predictor.epochs=1 --set partition.device_gflops=0.004 --set partition.epochs=1
    --set partition.more_epochs=1 --set partition.batch=16 --set partition.augment=false --set partition.jpeg=75
    --set partition.filters=0.3 --set partition.filter_epochs=1 --set partition.latency=200"
# shellcheck disable=SC2086
expect 0 "$EEX" run $tiny --out run
cp -r run begun
rm begun/result.h5 begun/policies.h5 begun/final-adaptation.h5
expect 0 "$EEX" prune run --exit 2 -o cut.h5 --threads 1
expect 0 "$EEX" tune run --accuracy -0.5 -o policy.h5
expect 0 "$EEX" export run/final-bottleneck.h5 --front front.h5 --threads 1

# stopped FOLDER FILE OPTION...: a run that was told to end in the training, or the search, that begins when FILE
# is there: anew, a bit sooner or later, until there is something to go on from.
stopped() {
    local folder=$1 file=$2 run pause
    shift 2
    for pause in 0.05 0.1 0.02 0.2 0 0.4 0.05 0.1 0.8 2; do
        "$EEX" run "$@" --out "$folder" >/dev/null 2>../err &
        run=$!
        until compgen -G "$folder/$file" >../out || ! kill -0 $run 2>/dev/null; do
            sleep 0.02
        done
        sleep $pause
        kill -INT $run 2>/dev/null
        wait $run
        ls "$folder" | grep -q -e checkpoint -e trials- && return
        rm -r "$folder"
    done
    fail "the run was not stopped after $file"
}
long=60
stopped at-base split.h5 $tiny --set training.base_epochs=$long
stopped at-shared base.h5 $tiny --set training.base_epochs=1 --set training.epochs=$long
stopped at-final tau.h5 $tiny --set final.epochs=$long
longer=400 # theirs are short
stopped at-predictor final-validation.h5 $tiny --set predictor.epochs=$longer
stopped at-bottleneck final-predictor.h5 $tiny --set partition.epochs=$longer
cat >family.lua <<'LUA'
local eex = require "eex"
return {
  name = "family",
  dataset = { name = "tiny", calibration = 50, validation = 50 },
  backbone = eex.families.resnet_small { size = 32, stem_stride = 2, blocks = 2, widths = { 0.5, 1 } },
  saliency = eex.saliency.stage_ends(),
  gates = { blocks = { 0, 1 } },
  training = { epochs = 1, base_epochs = 1, batch = 50, lr = 0.05, from = "base" },
  search = { algorithm = "surrogate", trials = 12, initial = 6, batch = 3, statistics = 100 },
  rivals = { base = true, cuts = true },
}
LUA
expect 0 "$EEX" run family.lua --threads 1 --out elastic
stopped at-search "trials-*.h5" family.lua --threads 1 --set search.statistics=2000
cat >../open.lua <<'LUA'
local eex = require "eex"
local m = eex.open("MODEL")
print(m:macs(1), #m.exits, #m.classes)
m:classify("image.png")
m:run("validation")
LUA
cat >play.lua <<'LUA'
local eex = require "eex"
local r = eex.run("run")
r:replay { policy = "per_class", a = 0.25 }
local p = r:policy { policy = "margin", tune = "accuracy", target = 0.1 }
p:replay()
p:cut(2)
LUA
cd .. || exit 1

# say FILE COMMAND...: a line of the list.
say() {
    local file=$1
    shift
    printf '%s\t%s\n' "$file" "$*" >>list
}
one="--threads 1"
again="run $(echo $tiny)" # on one line
models="run/final.h5 cut.h5 run/final-bottleneck.h5 run/final-filters.h5 run/front-0001.h5 run/base.h5"
for model in $models; do
    say $model show $model
    say $model show $model --json
    say $model infer $model image.png $one
    say $model infer $model --split validation $one
    say $model export $model --safetensors new.safetensors $one
done
for model in run/final.h5 cut.h5 run/base.h5; do
    say $model export $model --onnx new.onnx $one
    say $model export $model --c new $one
done
for model in run/final.h5 run/final-bottleneck.h5 cut.h5; do
    say $model prune $model --exit 1 --no-latency -o new.h5 $one
    say $model stream $model simulated --frames 20 $one
    say $model tune $model --accuracy -0.5
    name=open-${model##*/}.lua
    sed "s,MODEL,$model," open.lua >all/$name
    say $model repl $name
done
say front.h5 infer front.h5 image.png --remote 127.0.0.1:1 $one
say front-predictor.h5 infer front.h5 image.png --remote 127.0.0.1:1 $one
say run/final-bottleneck.h5 export run/final-bottleneck.h5 --front new.h5 $one
say run/final-bottleneck.h5 adapt run/final-bottleneck.h5 --latency 200 --device-gflops 0.004 $one
say run/final-filters.h5 adapt run --filtered run/final-filters.h5 --latency 200 --device-gflops 0.004 $one
for file in all/run/*.h5; do
    file=${file#all/}
    say "$file" show run
    say "$file" show run --json
    say "$file" report run -o new.html
    say "$file" "$again" --out run
    say "$file" repl play.lua
done
for file in all/elastic/*.h5; do
    file=${file#all/}
    say "$file" show elastic --json
    say "$file" report elastic -o new.html
    say "$file" run family.lua $one --out elastic
done
for folder in base shared final predictor bottleneck; do
    case $folder in
    base) option=training.base_epochs=$long ;;
    shared) option="training.base_epochs=1 --set training.epochs=$long" ;;
    final) option=final.epochs=$long ;;
    predictor) option=predictor.epochs=$longer ;;
    bottleneck) option=partition.epochs=$longer ;;
    esac
    for file in all/at-$folder/*-checkpoint.h5; do
        file=${file#all/}
        say "$file" "$again" --set "$option" --out at-$folder
        say "$file" watch at-$folder --once
    done
done
for file in all/at-search/trials-*.h5 all/at-search/run.h5; do
    file=${file#all/}
    say "$file" run family.lua $one --set search.statistics=2000 --out at-search
    say "$file" show at-search
    say "$file" watch at-search --once
done
for file in all/begun/*.h5; do
    file=${file#all/}
    say "$file" watch begun --once
    say "$file" "$again" --out begun
    say "$file" "$again" --from begun --out new
done
for split in calibration validation; do
    for command in "--accuracy -0.01" --sweep "--conformal 0.3" "--risk 0.3 --loss brier" "--risk 0.3 --each-exit" \
        "--policy margin --reject 0.01"; do
        say run/final-$split.h5 tune run "$command"
    done
    say run/final-$split.h5 adapt run --latency 200 --device-gflops 0.004 $one
done
for file in final final-predictor; do
    say run/$file.h5 infer run image.png $one
    say run/$file.h5 stream run simulated --frames 20 $one
    say run/$file.h5 profile run --images 4 --batch 4 --rounds 2 $one
    say run/$file.h5 predictor run --epochs 1 $one --force
done
say policy.h5 infer run image.png --policy policy.h5 $one
for command in "data info tiny" "data list" "infer run --split test $one" "$again --out new" "report run -o new.html" \
    "stream run simulated --frames 20 $one" "data info tiny --sheet new.png"; do
    say data/tiny.h5 "$command"
done

[ $# -gt 0 ] || set -- --rounds 300
"$forged" "$@" all list && exit 0
compgen -G "forged-*.h5" >out && cp forged-*.h5 "$called"
exit 1
