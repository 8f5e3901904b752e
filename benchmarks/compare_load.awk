# From lines "infer|train LOAD WHO:THREADS NETWORK VALUE": for each network a table of medians, a line for
# each who and threads, a column for each load, with ratios. Latencies: to one thread of the same without
# load; throughputs: to the same without load.
function median(text, v, n, i, j, t) {
    n = split(text, v, " ")
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) {
            t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
        }
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}
{
    table = $1 " " $4
    if (!(table in tables)) { tables[table]; name[++count] = table }
    if (!((table, $3) in rows)) { rows[table, $3]; row[table, ++lines[table]] = $3 }
    if (!($2 in loads)) { loads[$2]; load[++columns] = $2 }
    values[table, $3, $2] = values[table, $3, $2] " " $5
}
END {
    for (t = 1; t <= count; t++) {
        table = name[t]
        infer = table ~ /^infer/
        printf "\n%-28s", (infer ? "ms, one image: " : "images/s: ") substr(table, 7)
        for (c = 1; c <= columns; c++) printf "  %18s", load[c] " busy"
        printf "\n"
        for (r = 1; r <= lines[table]; r++) {
            who = row[table, r]
            split(who, part, ":")
            against = infer ? part[1] ":1" : who
            base = values[table, against, 0] == "" ? 0 : median(values[table, against, 0])
            printf "%-28s", part[1] (part[2] == 0 ? "" : ", " part[2] (part[2] == 1 ? " thread" : " threads"))
            for (c = 1; c <= columns; c++) {
                value = median(values[table, who, load[c]])
                printf infer ? "  %10.3f" : "  %10.1f", value
                printf base ? sprintf(" %6.2fx", value / base) : "        "
            }
            printf "\n"
        }
    }
}
