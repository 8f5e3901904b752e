# Pages of runs and of a sweep: well-formed, complete in themselves, and shown by a browser where there
# is one; several runs beside each other; a run that is watched.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
make_data
write_experiment tiny.lua
run() {
    expect 0 "$EEX" run tiny.lua --threads 1 "$@"
}
run --seed 0 --out r0
run --seed 1 --out r1
odd='odd "`touch pwned`" <b>$x' # what gnuplot and browsers would make something of
run --out "$odd" --set policy.reject=0.1
have() {
    command -v "$1" >/dev/null
}

# ---- a page, with what belongs to it ----

if have gnuplot; then
    expect 0 "$EEX" report r0
    err_has "report.html:"
    expect 2 "$EEX" report r0
    err_has "--force replaces it"
    expect 0 "$EEX" report r0 -o one.html --force
    expect 0 "$EEX" report r0 r1 "$odd" -o several.html
    expect 0 "$EEX" report "$odd" -o /dev/stdout
    cp out odd.html
    [ -e pwned ] && fail "gnuplot ran what a name said"
    [ "$(find . -name '*.part' -o -name '*.svg' | wc -l)" = 0 ] || fail "something is left behind"
fi
mkdir bare
expect 0 env PATH="$work/bare" "$EEX" report r0 -o bare.html
err_has "gnuplot is not installed"
grep -q "gnuplot was not installed" bare.html || fail "the page says nothing of missing charts"

# A run that is not finished has what there is of it, and a missing data set is no obstacle.
cp -r r0 half
rm half/result.h5 half/policies.h5 half/final*.h5
expect 0 "$EEX" report half -o half.html
grep -q "Not finished: the search is done" half.html || fail "it is not said how far the run is"
cp -r half $'ha\nlf'
expect 0 "$EEX" show r0 $'ha\nlf'
out_has "ha?lf is not finished: the search is done"
mv "$EEX_DATA/tiny.h5" aside.h5
expect 0 "$EEX" report r0 -o blind.html
err_has "no images in the page"
grep -q "The images are not shown" blind.html || fail "the page is silent about its images"
mv aside.h5 "$EEX_DATA/tiny.h5"

cat >sweep.lua <<'LUA'
return { experiment = "tiny.lua", grid = { ["training.lr"] = { 0.02, 0.05 } }, seeds = 2 }
LUA
expect 0 "$EEX" sweep sweep.lua --local 2 --threads 1 --out s
expect 0 "$EEX" report s -o sweep.html
grep -q "Points of the sweep" sweep.html || fail "no points of the sweep"
expect 0 "$EEX" report s/runs/0002 -o third.html
grep -q "Left out" sweep.html && fail "a small page leaves something out"
expect 2 "$EEX" report s r0 -o none.html
err_has "is a sweep"
expect 1 "$EEX" report nothing -o none.html
err_has "holds no run"
expect 2 "$EEX" report
[ -e none.html ] && fail "a page of nothing"
expect 2 "$EEX" report r0 -o r0/final.h5 --force
if [ -w /dev/full ]; then
    "$EEX" report r0 -o /dev/full 2>err
    [ $? = 1 ] || fail "a full disk is no failure"
fi

if have python3; then
    cat >check.py <<'PY'
import base64, re, sys, xml.etree.ElementTree as tree
drawn = sys.argv[1] == "drawn"
for name in sys.argv[2:]:
    text = open(name, encoding="utf-8").read()
    assert len(text) < 5e6, name
    # In a page, "//" stands in names of name spaces alone: nothing is loaded from anywhere.
    for address in re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?([^"\' >)]*)', text):
        assert address.startswith(("data:image/png;base64,", "#")), (name, address[:80])
    assert "<script" not in text and "<link" not in text and "onmouse" not in text, name
    page = tree.fromstring(text)
    svg = "{http://www.w3.org/2000/svg}"
    plots = page.findall(".//%ssvg" % svg)
    figures = [f for f in page.iter("figure") if f.get("class") == "chart"]
    assert figures and len(plots) == (len(figures) if drawn else 0), (name, len(plots))
    for figure in figures:
        assert len(figure.findall("details//tr")) > 1, (name, "a chart without its table")
    for plot in plots:
        assert plot.get("aria-label") and "rgb(" not in tree.tostring(plot, "unicode"), name
    for image in page.iter("img"):
        assert image.get("alt") and base64.b64decode(image.get("src")[22:]).startswith(b"\x89PNG")
    if name in ("one.html", "odd.html"):
        assert len(list(page.iter("img"))) > 10, name
        titles = [t.text for t in page.iter(svg + "title")]
        assert sum(t.startswith("trial ") for t in titles) >= 20, titles[:5]
        words = "".join(page.itertext())
        for heading in ("Pareto front", "How the front grew", "Latency by exit", "Where images leave",
                        "Accuracy against budget", "Thresholds by class", "Calibration error",
                        "Accuracy by epoch", "The experiment file", 'return {'):
            assert heading in words, heading
        assert ("What --set changed in it" in words) == (name == "odd.html"), name
    if name == "sweep.html": # each run has the charts of its own page
        own = [d for d in page.iter("details") if d.get("class") == "run"]
        assert len(own) == 4 and "training.lr=0.05, seed 0" in own[2].find("summary/b").text
        charts = lambda at: [f.find("figcaption/strong").text for f in at.iter("figure")
                             if f.get("class") == "chart"]
        alone = tree.fromstring(open("third.html", encoding="utf-8").read())
        assert charts(own[2]) == charts(alone) and len(charts(alone)) > 8, charts(own[2])
        assert len(list(own[2].iter("img"))) == len(list(alone.iter("img"))) > 10
    if name == "several.html":
        assert 'odd "`touch pwned`" <b>$x' in [h.text for h in page.iter("h1")]
    if name == "odd.html":
        assert "Rejected as out of distribution" in "".join(page.itertext())
PY
    python3 check.py bare bare.html || fail "the page without charts"
    if have gnuplot; then
        python3 check.py drawn one.html several.html odd.html half.html blind.html sweep.html ||
            fail "a page is not as it should be"
    fi
fi

# ---- in a browser ----

# The page as wide as a phone, with a script that looks at it and tells what it has seen to the page around.
if have chromium && have gnuplot; then
    look='<script>addEventListener("load",()=>{const d=document.documentElement,all=[...document.images];parent.postMessage(`width ${innerWidth} over ${d.scrollWidth-d.clientWidth} images ${all.length} broken ${all.filter(i=>!i.complete||!i.naturalWidth).length}`,"*")})</script>'
    for page in one several sweep; do
        sed "s#</body>#$look</body>#" $page.html >looked.html
        echo '<iframe src="looked.html" width="360" height="800" style="border:0"></iframe>' \
            '<script>addEventListener("message",e=>document.title=e.data)</script>' >phone.html
        timeout 60 chromium --headless --no-sandbox --disable-gpu --virtual-time-budget=3000 \
            --enable-logging=stderr --dump-dom "file://$work/phone.html" >dom 2>log ||
            skip "chromium does not run here"
        grep -o '<title>width [^<]*' dom | head -1 >said
        grep -q "width 360 over 0 images [0-9]* broken 0$" said || fail "$page.html: $(cat said)"
        ! grep -q CONSOLE log || fail "$page.html: $(grep CONSOLE log)"
    done
fi

# ---- several runs beside each other ----

expect 0 "$EEX" show r0 r1 "$odd"
for text in "2 seeds, mean" "what differs" policy.reject "standard deviation"; do
    out_has "$text"
done
cp -r r0 again
expect 0 "$EEX" show r0 again
out_has "2 runs, mean"
for command in show "report -o twice.html"; do # which would halve a deviation
    # shellcheck disable=SC2086
    expect 2 "$EEX" $command r0 r1 ./r0/
    err_has "./r0/ is named twice"
done
expect 0 "$EEX" show r0 r1 half --csv
[ "$(wc -l <out)" = 4 ] || fail "a line for each run"
expect 0 "$EEX" show r0 --csv
expect 2 "$EEX" show r0 r1 --csv --json
expect 2 "$EEX" show r0 r0/final.h5
err_has "r0/final.h5 is a file"
expect 1 "$EEX" show r0 nothing
if have python3; then
    expect 0 "$EEX" show r0 r1 "$odd" --json
    cp out json
    expect 0 "$EEX" show r0 r1 "$odd" --csv
    python3 - out json <<'PY' || fail "the figures disagree"
import csv, json, statistics, sys
rows = list(csv.DictReader(open(sys.argv[1])))
told = json.load(open(sys.argv[2]))
assert [r["group"] for r in rows] == ["1", "1", "2"] and rows[2]["policy.reject"] == "0.1"
two = [r["test_accuracy"] for r in told["runs"][:2]]
mean = told["groups"][0]["test_accuracy"]
assert abs(mean["mean"] - statistics.mean(two)) < 1e-12
assert abs(mean["deviation"] - statistics.stdev(two)) < 1e-12 and mean["runs"] == 2
assert abs(float(rows[0]["test_accuracy_mean"]) - mean["mean"]) < 1e-8
assert told["groups"][1]["test_accuracy"]["deviation"] is None
assert told["runs"][0]["fields"] == {"policy.reject": ""}
PY
fi

# ---- a run that is watched ----

expect 0 "$EEX" watch r0
for text in finished "done: split, base" "accuracy at its end" "Pareto front" "test: "; do
    out_has "$text"
done
expect 0 "$EEX" watch half
for text in "no process of this machine" "next: final network"; do
    out_has "$text"
done
expect 1 "$EEX" watch nothing
expect 1 "$EEX" watch "$EEX_DATA"
expect 1 "$EEX" watch tiny.lua
err_has "tiny.lua is a file"
expect 1 "$EEX" watch s
err_has "its runs are in s/runs"
COLUMNS=30 expect 0 "$EEX" watch r0
[ "$(awk 'length > 30' out)" = "" ] || fail "lines are wider than 30 columns: $(awk 'length > 30' out)"
mkdir begun
cp r0/run.h5 r0/split.h5 begun
expect 0 "$EEX" watch begun
out_has "next: base, 0 of 2 epochs"
cp r0/base.h5 begun # phases that this run does not have are not next
expect 0 "$EEX" watch begun
out_has "next: shared network, 0 of 2 epochs"
rm begun/base.h5
[ "$(ls -A begun | wc -l)" = 2 ] || fail "watching leaves something"
if have gnuplot; then
    expect 0 "$EEX" report begun -o begun.html # has nothing to draw
    ! grep -q gnuplot err || fail "gnuplot is missed where it is"
fi
exit 0
