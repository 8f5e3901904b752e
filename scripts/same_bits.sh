#!/usr/bin/env bash
# Whether two runs, or two folders of runs, have the same weights, traces, trials and results, bit for
# bit: same_bits.sh A B. What may differ are times, and who made the files when and with how many
# threads. Needs h5diff (hdf5-tools).
set -u
[ $# = 2 ] && [ -d "$1" ] && [ -d "$2" ] || { echo "usage: $0 RUN RUN" >&2; exit 2; }

# Attributes and data sets that two measurements of the same differ in, and the seals of files that have some.
timed='<(seconds|created|threads|version|eex_version|device|base_ms|[a-z0-9_]*latency[a-z0-9_]*|speedup[a-z0-9_]*)( of [^>]*)?>'
timed="$timed|</?eex_seal( of [^>]*)?>|<[^>]*(_ms|seconds|/description|latency[^>]*|/script)( of [^>]*)?>"

compare() { # A's file, B's file: prints what differs
    h5diff -v "$1" "$2" 2>&1 | awk -v timed="$timed" '
        /^(dataset|attribute|group):? *</ { object = $0 }
        /^[1-9][0-9]* differences found/ && object !~ timed { print "    " object; bad = 1 }
        /is an empty dataset/ { next } # in both, or the shapes would differ
        /Not comparable|unable|error|has (no )?dimensions/ { print "    " $0; bad = 1 }
        END { exit bad }'
}

bad=0 files=0
while IFS= read -r name; do
    files=$((files + 1))
    if [ ! -f "$2/$name" ]; then
        echo "$name: only in $1" && bad=1
    elif ! found=$(compare "$1/$name" "$2/$name"); then
        printf '%s differs\n%s\n' "$name" "$found" && bad=1
    fi
done < <(cd "$1" && find . -name '*.h5' | sed 's|^\./||' | sort)
while IFS= read -r name; do
    [ -f "$1/$name" ] || { echo "$name: only in $2"; bad=1; }
done < <(cd "$2" && find . -name '*.h5' | sed 's|^\./||' | sort)
[ $files = 0 ] && { echo "$1: no .h5 file in it" >&2; exit 2; }
[ $bad = 0 ] && echo "the same bits in $files files"
exit $bad
