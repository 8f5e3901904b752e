#!/usr/bin/env bash
# One server and many devices on this machine: rows a second against what its part does by itself in full
# batches, the tail that devices see, alone and beside one that floods and one that stalls, and memory.
#
#   EEX=build/bin/eex benchmarks/serve_devices.sh RUN [DEVICES] [SECONDS] [ROUNDS]
#
# CUT (1) and BITS (8) say what is sent, THREADS (1) how many threads calculate; nobody leaves early behind
# the cut. Devices are one program that speaks the protocol and calculates nothing (benchmarks/serve_load.py).
# It needs processors, too, so networks whose rest is a matter of microseconds measure the sockets of both.
# Each scenario has a server of its own, and what its part does alone is measured when that starts, by one
# thread while another program keeps the other processor busy: so it is when devices are served, and two that share a
# core are slower then.
#
# Server and devices run with priority (chrt, where that is allowed), or the tail is how long a scheduler lets them wait
# for whatever else runs here. Who is hostile takes processor time too, on a machine of its own it would not: the first
# scenario of those gives it the same priority, the second what the others leave. A tail under full load is the
# kernel's: of each second it keeps 50 ms for those without priority.
set -euo pipefail
run=${1:?usage: serve_devices.sh RUN [DEVICES] [SECONDS] [ROUNDS]}
devices=${2:-64}
seconds=${3:-10}
rounds=${4:-3}
export EEX=${EEX:-build/bin/eex}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
server= busy=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; [ -z "$busy" ] || kill "$busy" 2>/dev/null; rm -rf "$work"' EXIT

first=
if chrt -f 10 true 2>/dev/null; then
    first="chrt -f 10"
else
    echo "without priority: tails depend on whatever else runs here" >&2
fi
value() { # FILE KEY: of its last line
    tail -n 1 "$1" | sed -n "s/.*\"$2\": \([0-9.e+-]*\).*/\1/p"
}
processor() { # ticks of 10 ms that the server has taken
    awk '{ print $14 + $15 }' "/proc/$server/stat"
}
memory() { # MiB: FIELD of the server
    awk -v field="$1:" '$1 == field { printf "%.1f", $2 / 1024 }' "/proc/$server/status"
}
serve() { # NAME HOW AMOUNT [ENEMY]
    local name=$1
    shift
    rm -f "$work/server"
    python3 -c 'while True: pass' &
    busy=$!
    # shellcheck disable=SC2086
    $first "$EEX" serve "$run" --port 0 --policy none --sessions $((devices + 8)) --json --every 0 --cut "${CUT:-1}" \
        --bits "${BITS:-8}" --threads "${THREADS:-1}" --patience 2 >"$work/server" 2>"$work/messages" &
    server=$!
    until grep -qs listening "$work/server"; do
        kill -0 "$server" || { cat "$work/messages"; exit 1; }
        sleep 0.1
    done
    kill "$busy"
    wait "$busy" 2>/dev/null || true
    busy=
    alone=$(value "$work/server" rows_per_second)
    most=$(awk "BEGIN { print ($most > $alone ? $most : $alone) }")
    local before ticks
    before=$(memory VmRSS)
    [ "$1" != half ] || set -- pace "$(awk "BEGIN { print $most / 2 }")" "${@:3}"
    ticks=$(processor)
    # shellcheck disable=SC2086
    $first python3 "$here/serve_load.py" "$work/server" "$run" "$devices" "$seconds" "$@" >"$work/load"
    awk -v name="$name" -v got="$(value "$work/load" rows_per_second)" -v rows="$(value "$work/load" rows)" \
        -v middle="$(value "$work/load" p50_ms)" -v tail="$(value "$work/load" p99_ms)" -v before="$before" \
        -v high="$(memory VmHWM)" -v alone="$alone" -v ticks=$(($(processor) - ticks)) 'BEGIN {
            printf "%-24s\t%.0f\t%.0f\t%.3f\t%.2f\t%.2f\t%s\t%s\n", name, alone, got, 10 * ticks / rows, middle, tail,
                before, high }' | tee -a "$work/all"
    kill -TERM "$server"
    wait "$server"
    server=
    tail -n 1 "$work/server" | sed 's/.*"sent_away"/sent away/' >"$work/$name.away"
}
printf 'scenario\tpart alone, rows/s\trows/s\tprocessor ms a row\tp50 ms\tp99 ms\tMiB\tat most\n'
most=0
for _ in $(seq "$rounds"); do
    serve "four rows under way" under 4
    serve "one row under way" under 1
    serve "half of its rate" half 0
    serve "half, two hostile" half 0 hostile
    serve "half, hostile behind" half 0 behind
done
middle() { # of numbers, one a line
    sort -g | awk '{ x[NR] = $1 } END { print (NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2) }'
}
of() { # SCENARIO EXPRESSION: of its rounds
    awk -F'\t' -v name="$1" '{ sub(/ +$/, "", $1) } $1 == name { print '"$2"' }' "$work/all"
}
tail_of() { # SCENARIO: the middle of its rounds
    of "$1" '$6' | middle
}
printf '%d devices: %.2f of the part alone, p99 %.2f ms at half of its rate, %.2f beside two hostile ones, %.2f where those run behind (middles of the rounds); at most %s MiB\n' \
    "$devices" "$(of "four rows under way" '$3 / $2' | middle)" "$(tail_of "half of its rate")" \
    "$(tail_of "half, two hostile")" "$(tail_of "half, hostile behind")" \
    "$(awk -F'\t' '{ print $8 }' "$work/all" | sort -g | tail -n 1)"
cat "$work/half, two hostile.away" "$work/half, hostile behind.away"
