# From lines "ours|eager|compile NAME VALUE UNIT note", one table: medians, ratios, and what was aimed
# at. Lines that begin with # describe the machine and are printed once each.
function median(text, v, n, i, j, t) {
    n = split(text, v, " ")
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) {
            t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
        }
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}
function ratio(who, name, ours, peer) {
    if (!((who, name) in values) || !(("ours", name) in values)) return ""
    ours = median(values["ours", name]); peer = median(values[who, name])
    return sprintf("%.2fx", unit[name] ~ /\/s$/ ? ours / peer : peer / ours)
}
function cell(who, name) {
    return (who, name) in values ? sprintf("%.2f", median(values[who, name])) : "not measured"
}
function goal(name) {
    if (name ~ /^train.*bf16/) return "3x eager, 1.2x compiled"
    if (name ~ /^train/) return "none set"
    if (name ~ /^(head|stats)/) return "5x eager, 70 % of copying"
    if (name ~ /^adaptive/) return "0.8 of the speed-up in MACs"
    if (name ~ /^single/) return "2x eager"
    return ""
}
/^#/ { if (!($0 in said)) { said[$0]; print }; next }
NF >= 4 {
    if (!($2 in known)) { known[$2]; order[++names] = $2; unit[$2] = $4 }
    values[$1, $2] = values[$1, $2] " " $3
    if ($1 == "ours") { note[$2] = ""; for (i = 5; i <= NF; i++) note[$2] = note[$2] " " $i }
}
END {
    printf "%-26s %-9s %13s %13s %8s %13s %8s  %-27s%s\n", "", "", "eex", "eager", "ratio",
        "compiled", "ratio", "goal", " in eex's last round"
    for (i = 1; i <= names; i++) {
        name = order[i]
        printf "%-26s %-9s %13s %13s %8s %13s %8s  %-27s%s\n", name, unit[name], cell("ours", name),
            cell("eager", name), ratio("eager", name),
            name ~ /^train/ ? cell("compile", name) : "", ratio("compile", name), goal(name), note[name]
    }
}
