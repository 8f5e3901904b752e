# From lines "ENGINE NETWORK MILLISECONDS ms ...", ENGINE being eex or a peer, a table of medians and of the
# ratio of the fastest peer to eex.
function median(text, v, n, i, j, t) {
    n = split(text, v, " ")
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) {
            t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
        }
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}
$4 == "ms" {
    if (!($2 in known)) { known[$2]; order[++names] = $2 }
    if (!($1 in met)) { met[$1]; if ($1 != "eex") peer[++peers] = $1 }
    values[$1, $2] = values[$1, $2] " " $3
}
END {
    printf "%-18s %10s", "ms a batch", "eex"
    for (p = 1; p <= peers; p++) printf " %20s", peer[p]
    printf " %8s\n", "ratio"
    for (i = 1; i <= names; i++) {
        name = order[i]
        ours = median(values["eex", name])
        printf "%-18s %10.3f", name, ours
        best = 0
        for (p = 1; p <= peers; p++) {
            ms = median(values[peer[p], name])
            printf " %20.3f", ms
            if (!best || ms < best) best = ms
        }
        printf " %7.2fx\n", best / ours
    }
}
