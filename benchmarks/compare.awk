# From lines "ours|peer NAME VALUE unit ...", a table of medians and ratios. better=more or less says
# which way the ratio goes; lines of another unit are ignored, but for the ceiling.
function median(text, v, n, i, j, t) {
    n = split(text, v, " ")
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) {
            t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
        }
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}
$2 == "ceiling" { ceilings = ceilings " " $3 }
$4 == unit {
    if (!($2 in known)) { known[$2]; order[++names] = $2 }
    values[$1, $2] = values[$1, $2] " " $3
    if ($5 != "" && $6 == "GFLOP/s") gflops[$2] = gflops[$2] " " $5
}
END {
    printf "%-18s %14s %14s %8s\n", unit, "eex", "PyTorch", "ratio"
    for (i = 1; i <= names; i++) {
        name = order[i]
        ours = median(values["ours", name]); peer = median(values["peer", name])
        ratio = better == "more" ? ours / peer : peer / ours
        printf "%-18s %14.2f %14.2f %7.2fx", name, ours, peer, ratio
        if (name in gflops)
            printf "   %.1f GFLOP/s", median(gflops[name])
        if (name in gflops && ceilings != "")
            printf ", %.0f %% of %.0f", 100 * median(gflops[name]) / median(ceilings), median(ceilings)
        printf "\n"
    }
}
