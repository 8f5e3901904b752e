# From lines "eex|torchscript|onnxruntime NETWORK MILLISECONDS ms ...", a table of medians and of the
# ratio of the faster peer to eex.
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
    values[$1, $2] = values[$1, $2] " " $3
}
END {
    printf "%-18s %10s %12s %13s %8s\n", "ms a batch", "eex", "TorchScript", "ONNX Runtime", "ratio"
    for (i = 1; i <= names; i++) {
        name = order[i]
        ours = median(values["eex", name])
        torch = median(values["torchscript", name])
        best = torch
        onnx = "-"
        if (("onnxruntime", name) in values) {
            onnx = sprintf("%.3f", median(values["onnxruntime", name]))
            if (onnx + 0 < best) best = onnx + 0
        }
        printf "%-18s %10.3f %12.3f %13s %7.2fx\n", name, ours, torch, onnx, best / ours
    }
}
