#!/usr/bin/env bash
# The first look at a machine with a GPU: everything that this backend believes, in the order in which
# one failure explains the next, each step bounded in time, the log of each in one folder, and in the end
# what each failure means.
#
#   benchmarks/first_hour.sh [--minutes N] [--log FOLDER] [BUILD_FOLDER | BUNDLE]
#
# --minutes N: no step begins later, and none runs longer (60). With 8 it gets as far as the training step
# and the heads on a large GPU. BUILD_FOLDER has bin/gpu_* (a build with CUDA; build/release), BUNDLE is an
# unpacked bundle with its tests (BUNDLE_TESTS=1 make bundle). Needs nothing else: what there is of
# compute-sanitizer, nvidia-smi and PyTorch (PYTHON) is used. Ends with 1 where something failed, with 77
# where there is no GPU.
set -u
minutes=60 logs=first-hour
while [[ ${1:-} == --* ]]; do
    case $1 in
    --minutes) minutes=$2 ;;
    --log) logs=$2 ;;
    *)
        echo "first_hour.sh: $1: there are --minutes and --log" >&2
        exit 2
        ;;
    esac
    shift 2
done
root=${1:-build/release}
[ -d "$root" ] || { echo "first_hour.sh: there is no folder $root: a build with CUDA, or a bundle" >&2; exit 2; }
root=$(cd "$root" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
programs=$root/bin source=$(cd "$here/.." && pwd)
if [ -d "$root/tests/bin" ]; then # a bundle: its tests look for what they read where they are started
    programs=$root/tests/bin source=$root/tests
    export LD_LIBRARY_PATH="$root/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
mkdir -p "$logs" && logs=$(cd "$logs" && pwd) || exit 2
export EEX_CACHE_DIR=$logs/cache EEX_DATA=$logs/data
cd "$source" || exit 2
end=$((SECONDS + minutes * 60)) failures=0 passed=0 number=0
: >"$logs/summary.txt"
declare -A done_before

say() { echo "$*" | tee -a "$logs/summary.txt"; }

# step NAME SECONDS MEANING COMMAND...: runs the command and says how it went.
step() {
    local name=$1 limit=$2 meaning=$3 left=$((end - SECONDS)) begin=$SECONDS status log
    shift 3
    number=$((number + 1))
    log=$(printf '%s/%02d-%s.log' "$logs" "$number" "${name//[ \/]/-}")
    if [ "$left" -lt 5 ]; then
        say "no time  $name"
        return 0
    fi
    [ "$left" -ge "$limit" ] || limit=$left
    timeout -k 5 "$limit" "$@" >"$log" 2>&1 </dev/null
    status=$?
    if [ $status = 0 ] && grep -q "Tested: 0 " "$log"; then
        say "skipped  $name: $(sed -n 's/^\[SKIP\] //p' "$log" | head -1)"
    elif [ $status = 0 ]; then
        passed=$((passed + 1))
        say "passed   $name ($((SECONDS - begin)) s)"
    elif [ $status = 77 ]; then
        say "skipped  $name: $(tail -1 "$log")"
    else
        failures=$((failures + 1))
        [ $status != 124 ] && [ $status != 137 ] || status="$status, after $limit s"
        say "FAILED   $name (status $status; ${log##*/})"
        say "         $meaning"
        grep -hiE 'error|assert|says|\[FAIL\]' "$log" | head -3 | sed 's/^/         | /' | tee -a "$logs/summary.txt"
    fi
}

# tests NAME SECONDS MEANING PROGRAM...: those of the programs that are there.
tests() {
    local name=$1 limit=$2 meaning=$3 program
    shift 3
    for program; do
        done_before[$program]=1
        [ -x "$programs/$program" ] || continue
        step "$name ${program#gpu_}" "$limit" "$meaning" "$programs/$program" --verbose=1
    done
}

step devices 60 "The program does not start, or cannot ask the driver: nothing below can work. What it lacks is in the log." \
    "$root/bin/eex" devices --json
if ! grep -q '"device": "cuda:' "$logs/01-devices.log"; then
    say "there is no GPU here: $(sed '/"cuda": {/,$d' "$logs/01-devices.log" | grep -o '"problem": "[^"]*' | tail -1 | cut -c13-)"
    exit 77
fi
"$root/bin/eex" devices | tee -a "$logs/summary.txt"
if command -v nvidia-smi >/dev/null; then
    step nvidia-smi 20 "The driver's own tool fails: the machine, not eex." nvidia-smi -q
fi

tests runtime 60 "Memory, streams or graphs of the runtime do not do what the emulator does: read src/cuda/host.c and graph.c first." \
    gpu_core_plan_test_params gpu_core_plan_test_arena
tests ahead 30 "Images that go up beside what runs are not those of the batch: the events between the two streams (src/cuda/ahead.c)." \
    gpu_core_train_test_batches gpu_core_use_test_frame_batches
tests kernels 90 "A kernel of eex is wrong on this chip, though right on the emulator: the compiler's arithmetic, or a race. compute-sanitizer below tells which." \
    gpu_cuda_test_pointwise gpu_cuda_test_head gpu_cuda_test_loss gpu_cuda_test_bn gpu_cuda_test_depthwise
EEX_CUDA_CONV=patches tests patches 60 "Patches and cuBLAS: what cuBLAS is asked for (src/cuda/conv_plain.c, multiply) is not what it takes here." \
    gpu_cpu_test_conv
EEX_CUDA_CONV=library tests library 60 "cuDNN refuses a shape that is believed to be supported, or is less exact than promised: its own words are in the log. Runs go by patches there, slower." \
    gpu_cpu_test_conv gpu_cuda_test_conv_weights
EEX_CUDA_CONV=own tests own 60 "The kernels for 1x1 and 3x3 on small images (src/cuda/conv_own.cu; conv_own_weights.cu where test_own_weights fails) are wrong on this chip; EEX_CUDA_CONV=patches goes without." \
    gpu_cpu_test_conv gpu_cuda_test_own_weights
EEX_CUDA_CONV=first tests "channels first" 60 "cuDNN on copies with channels first (src/cuda/conv_copies.c): what it refuses or does less exactly there; its own words are in the log. Runs go another way." \
    gpu_cpu_test_conv
tests epilogues 60 "What a convolution ends with, by all three ways in turn: by_cudnn fails where cuDNN's own pass with bias and activation is not what it documents (src/cuda/conv_fused.c)." \
    gpu_cuda_test_conv_epilogue
tests plan 90 "Ops are right alone and wrong together: fusion, memory plan or a graph that is replayed with old pointers." \
    gpu_core_plan_test_plan gpu_core_plan_test_plan_gradient
tests engine 120 "Leaving, compaction or the conditional nodes of a single image: look whether EEX_CUDA_CONV=patches passes." \
    gpu_core_engine_test_engine gpu_core_engine_test_walk
tests "training step" 120 "A step differs from the reference, or from itself when it is replayed." \
    gpu_core_plan_test_training_step gpu_core_train_test_train

bench() { # bench NAME SECONDS
    step "bench $1" "$2" "Figures are missing, not wrong: the tests above say what works." \
        "$root/bin/bench_cuda" --windows 3 --seconds 0.3 "$1"
}
if [ -x "$root/bin/bench_cuda" ]; then
    bench head 60
    bench adaptive 60
    bench single 60
    bench train/mobilenetv2 120
fi
step quickstart 300 "Everything works alone and a whole run does not: its message names the phase, and the same command goes on." \
    "$root/bin/eex" run "$source/experiments/quickstart.lua" --device cuda --out "$logs/run"

if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck; do
        for program in gpu_cuda_test_head gpu_cpu_test_conv; do
            [ -x "$programs/$program" ] || continue
            step "$tool ${program#gpu_}" 300 "Memory is touched that is not a kernel's own, or two threads race: a defect, whatever the tests say." \
                env EEX_TESTS_QUICK=2 compute-sanitizer --tool "$tool" --error-exitcode 99 \
                --target-processes all "$programs/$program" --verbose=1
        done
    done
else
    say "skipped  sanitizers: compute-sanitizer is not in the path (it comes with the CUDA toolkit)"
fi
compare=$here/compare_cuda.sh
if "${PYTHON:-python3}" -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    step "beside PyTorch" 900 "The comparison did not finish; what it has is in the log." \
        env COMPILE=0 bash "$compare" "$root" 1
else
    say "skipped  beside PyTorch: ${PYTHON:-python3} has no PyTorch that sees a GPU"
fi
for program in "$programs"/gpu_*; do
    name=${program##*/}
    [ -n "${done_before[$name]:-}" ] || tests rest 180 "See the log; what it tests is in its name." "$name"
done

grep -h '^# of\|^[a-z]*/\|^copy \|^upload ' "$logs"/*-bench-*.log 2>/dev/null | tee -a "$logs/summary.txt"
if [ -s "$logs/cache/convolutions.txt" ]; then
    awk -F'\t' 'NF == 3 { way = $2 == 0 ? "patches or a product" : $2 < 101 ? "cuDNN" : $2 < 201 ? "cuDNN with its epilogue" : \
                $2 < 301 ? "our own kernel" : "cuDNN with channels first"
            ways[way]++ }
        END { for (way in ways) printf "%d shapes of convolutions go by %s\n", ways[way], way }' \
        "$logs/cache/convolutions.txt" | sort -rn | tee -a "$logs/summary.txt"
fi
say "$passed passed, $failures failed; the logs are in $logs"
[ "$failures" = 0 ]
