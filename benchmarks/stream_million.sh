#!/usr/bin/env bash
# A million frames through eex stream: its memory must stay flat and no descriptor may leak.
#
#     EEX=build/release/bin/eex benchmarks/stream_million.sh [FRAMES]
#
# Trains a tiny network first (seconds). The video is YUV4MPEG2 from a pipe, noise of 32x32 pixels,
# 1,000 frames that come again and again, of which one is cut off and so is skipped each time.
# Prints resident memory and open descriptors as the stream goes on, then the stream's own figures;
# fails when memory has grown by more than 1 MiB between a tenth of the way and the end.
set -euo pipefail
EEX=$(realpath "${EEX:-build/release/bin/eex}")
frames=${1:-1000000}
work=$(mktemp -d "${TMPDIR:-/tmp}/eex-million-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
export EEX_DATA=$work/data

cat >tiny.lua <<'LUA'
local eex = require "eex"
local g = eex.graph { name = "tiny", size = 32, channels = 3 }
local function conv(x, name, options)
  options.pad = 1
  options.kernel = 3
  x = g:conv(x, name, options)
  return g:act(g:batch_norm(x, name .. ".bn"), name .. ".act", "relu")
end
local x = conv(g:input(), "stem", { out = 8, stride = 4 })
for i = 1, 3 do
  x = g:add(x, conv(x, "block" .. i, { out = 8 }), "add" .. i)
end
x = g:linear(g:flatten(g:global_pool(x, "pool"), "flatten"), "classifier", { out = 10 })
return {
  name = "tiny",
  dataset = { name = "million", calibration = 400, validation = 200 },
  backbone = g:finish(x),
  gates = { blocks = { 0, 1 } },
  training = { epochs = 3, batch = 50, lr = 0.05 },
  search = { trials = 20, population = 5, sample = 2 },
}
LUA
"$EEX" data make synthetic --train 2000 --test 100 --name million >/dev/null
"$EEX" run tiny.lua >/dev/null 2>run.err || { cat run.err; exit 1; }

head -c $((1000 * 1536)) /dev/urandom >noise
for i in $(seq 0 999); do
    printf 'FRAME\n'
    head -c $((i == 500 ? 1000 : 1536))
done <noise >thousand

video() {
    printf 'YUV4MPEG2 W32 H32 F1000:1 Ip C420\n'
    while cat thousand 2>/dev/null; do :; done
}

mkfifo pipe
video >pipe 2>/dev/null &
generator=$!
"$EEX" stream runs/tiny - --frames "$frames" <pipe >out 2>err &
pid=$!
printf '%8s %14s %12s\n' seconds "resident KiB" descriptors
begin=$SECONDS
while kill -0 $pid 2>/dev/null; do
    rss=$(awk '/^VmRSS/ {print $2}' /proc/$pid/status 2>/dev/null) || true
    open=$(find /proc/$pid/fd -mindepth 1 2>/dev/null | wc -l) || true
    [ -n "$rss" ] && [ "$open" -gt 0 ] && echo "$((SECONDS - begin)) $rss $open" >>samples
    sleep 0.25
done
wait $pid || { cat err; exit 1; }
kill $generator 2>/dev/null || true
awk '{ if ($1 != last) printf "%8d %14d %12d\n", $1, $2, $3; last = $1 }' samples
echo
cat out
echo
awk '{ rss[NR] = $2; open[NR] = $3 }
    END {
        from = int(NR / 10) + 2; most = rss[from]
        for (i = from; i <= NR; i++) { if (rss[i] > most) most = rss[i]; if (open[i] != open[from]) leak = 1 }
        printf "resident memory: %d KiB at a tenth of the way, at most %d KiB from there on; descriptors: %s\n",
            rss[from], most, leak ? "NOT CONSTANT" : "always " open[from]
        exit most - rss[from] > 1024 || leak
    }' samples
