# benchmarks/first_hour.sh with programs that only pretend: what it runs, in which order, and what it says of
# those that fail, skip and are not there.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
script=$EEX_SOURCE_DIR/benchmarks/first_hour.sh
[ -f "$script" ] || skip "there is no benchmarks/first_hour.sh beside these tests"
mkdir -p build/bin path
program() { # program NAME: it does what comes from stdin
    { echo '#!/bin/sh'; cat; } >"$1"
    chmod +x "$1"
}
export PATH=$work/path:$PATH PYTHON=false
program path/nvidia-smi <<<'exit 0'
program path/compute-sanitizer <<<'echo "sanitized $*"'
program build/bin/eex <<<'case $1 in devices) echo "{\"device\": \"cuda:0\"}" ;; run) echo "run $*" ;; esac'
program build/bin/gpu_core_plan_test_params <<<'exit 0'
program build/bin/gpu_cuda_test_head <<<'echo "head.c:3: Assertion failed: 1 is not 2"; exit 1'
program build/bin/gpu_cpu_test_conv <<<'echo "by ${EEX_CUDA_CONV:-itself}" >&2; exit 0'
program build/bin/gpu_core_engine_test_walk <<<'printf "[SKIP] walk: not here\n[====] Tested: 0 | Passing: 0\n"'
program build/bin/gpu_cpu_test_fill <<<'exit 0'
program build/bin/bench_cuda <<'END'
mkdir -p "$EEX_CACHE_DIR"
printf 'eex convolutions 4\na\t0\t1.0\nb\t2\t1.0\nc\t201\t1.0\nd\t102\t1.0\ne\t201\t1.0\nf\t302\t1.0\n' >"$EEX_CACHE_DIR/convolutions.txt"
echo "copy 4000.0 GB/s  read and written"
echo "upload 50.0 GB/s  from pinned memory"
echo "head/10 1.0 us"
END

expect 1 bash "$script" --log logs build
out_has "passed   runtime core_plan_test_params"
out_has "FAILED   kernels cuda_test_head (status 1; "
out_has "A kernel of eex is wrong on this chip"
out_has "| head.c:3: Assertion failed: 1 is not 2"
out_has "skipped  engine core_engine_test_walk: walk: not here"
out_has "passed   rest cpu_test_fill"
out_has "skipped  beside PyTorch"
out_has "head/10 1.0 us"
out_has "copy 4000.0 GB/s"
out_has "upload 50.0 GB/s"
out_has "2 shapes of convolutions go by our own kernel"
out_has "1 shapes of convolutions go by cuDNN with its epilogue"
out_has "1 shapes of convolutions go by cuDNN with channels first"
out_has " 1 failed; the logs are in $work/logs"
grep -q "by patches" logs/*-patches-*.log || fail "patches are not forced"
grep -q "by library" logs/*-library-*.log || fail "cuDNN is not forced"
grep -q "by first" logs/*-channels-first-*.log || fail "channels first is not forced"
grep -q "by own" logs/*-own-*.log || fail "the kernel of our own is not forced"
grep -q "sanitized --tool racecheck" logs/*.log || fail "no sanitizer was run"
[ "$(grep -n 'runtime' out | cut -d: -f1)" -lt "$(grep -n 'kernels' out | head -1 | cut -d: -f1)" ] ||
    fail "not in the order in which one failure explains the next"
[ "$(grep -c cpu_test_fill out)" = 1 ] || fail "something ran twice"
cmp -s <(grep -v '^{' out) <(grep -v '^{' logs/summary.txt) || fail "the summary is not what was said"

# No step runs longer than what is left, nor longer than its own limit.
program path/timeout <<'END'
echo "$3 $4" >>"$EEX_LIMITS"
shift 3
exec "$@"
END
export EEX_LIMITS=$work/limits
expect 1 bash "$script" --minutes 1 --log bounded build
awk '$1 > 60 { print; bad = 1 } END { exit bad || NR < 10 }' limits >out || fail "longer than a minute"
rm limits
expect 1 bash "$script" --minutes 60 --log hour build
awk '$1 > 3600 || $1 < 5 { print; bad = 1 } $1 == 300 { long = 1 } END { exit bad || !long }' limits >out ||
    fail "its own limit is not what a step has"
rm path/timeout

program build/bin/eex <<'END'
printf '"problem": "there is no NVIDIA driver here"\n  "cuda": {\n    "problem": "libcudnn cannot be found"\n'
END
expect 77 bash "$script" --log none build
out_has "there is no GPU here: there is no NVIDIA driver here"
expect 2 bash "$script" --log none nowhere
err_has "no folder nowhere"
expect 2 bash "$script" --hours 2 build
err_has "there are --minutes and --log"
echo "the first hour: steps, verdicts, what they mean"
