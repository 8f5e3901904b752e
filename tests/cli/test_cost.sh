# eex cost: the published integers, every convention, points and the mistakes that people make.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1

# says TEXT ARGUMENTS...: the command works and its output, blanks squeezed, has the text
says() {
    local text=$1
    shift
    expect 0 "$EEX" cost "$@"
    tr -s ' ' <"$work/out" | grep -qF -- "$text" || fail "cost $*: no \"$text\""
}
# refused STATUS TEXT ARGUMENTS...
refused() {
    local status=$1 text=$2
    shift 2
    expect "$status" "$EEX" cost "$@"
    err_has "$text"
}

cat >mobilenetv2.lua <<'LUA'
local eex = require "eex"
return {
  backbone = eex.backbones.mobilenetv2 { size = 32, classes = 10 },
  saliency = eex.saliency.residual_merges(),
  gates = { blocks = { 1, 2, 3, 4 } },
}
LUA
cat >resnet50.lua <<'LUA'
return { backbone = require "eex".backbones.resnet50 { size = 32, classes = 10 } }
LUA
cat >gated.lua <<'LUA'
local m = require "eex".backbones.mobilenetv2 { size = 32, classes = 10 }
return m:with_gates {
  { point = "features.3.add", blocks = 2 }, { point = "features.5.add", blocks = 2 },
  { point = "features.6.add", blocks = 2 }, { point = "features.8.add", blocks = 3 },
  { point = "features.13.add", blocks = 4 }, { point = "features.15.add", blocks = 3 },
  { point = "features.16.add", blocks = 3 },
}
LUA

# whole networks
says "total 152 2,236,682 6,124,928 " mobilenetv2.lua
says "total 152 2,236,682 6,397,504" mobilenetv2.lua --convention thop
says "total 175 23,528,522 83,431,424 " resnet50.lua
says "83,885,056" resnet50.lua --convention=thop
says '"macs": 83431424' resnet50.lua --json

# Table III of the NASEREX paper, row by row
for row in "1 features.3.add 2 1,692,672 669,936 2,362,608" \
    "2 features.5.add 2 2,269,952 297,280 3,237,168" \
    "3 features.6.add 2 2,507,520 297,280 3,772,016" \
    "4 features.8.add 3 2,887,168 444,544 4,596,208" \
    "5 features.13.add 4 4,534,016 1,331,136 7,574,192" \
    "6 features.15.add 3 5,178,624 693,760 8,912,560" \
    "7 features.16.add 3 5,498,624 693,760 9,926,320" \
    "8 classifier.1 end 6,397,504 0 10,825,200"; do
    says "$row" gated.lua --convention thop
done
says '"cumulative": 9926320' gated.lua --convention thop --json

# points and the size of the space (Fig. 3)
says "|N| = 152 layers; 10 salient points" mobilenetv2.lua --points
says "placements: 2^152 without saliency, 2^10 with it" mobilenetv2.lua --points
says "|N| = 175 layers; 16 salient points" resnet50.lua --points
says "features.3.add 8 x 8 x 24 1,692,672 335,088 669,936 1,004,784 1,339,632" \
    mobilenetv2.lua --points --convention thop
for trunk in 3,104,256 3,321,344 4,060,928; do
    says "$trunk" mobilenetv2.lua --points --convention thop
done
says '"placements_without_saliency": 152' mobilenetv2.lua --points --json

# structures of a space of gates
cat >table3.lua <<'LUA'
return {
  backbone = require "eex".backbones.mobilenetv2 { size = 32, classes = 10 },
  saliency = { "features.3.add", "features.5.add", "features.6.add", "features.8.add",
    "features.13.add", "features.15.add", "features.16.add" },
  gates = { blocks = { 1, 2, 3, 4 } },
}
LUA
says "5 features.13.add 4 4,534,016 1,331,136 7,574,192" table3.lua --genome 2,2,2,3,4,3,3 \
    --convention thop
says "genome 2,-,-,-,-,-,1" table3.lua --genome 2,-,-,-,-,-,1
says '"genome": "-,-,-,-,-,-,-"' table3.lua --extremes --json
says '"genome": "4,4,4,4,4,4,4"' table3.lua --extremes --json
refused 2 "there are 7 points for gates, not 2" table3.lua --genome 2,2
refused 2 'behind "features.5.add" has one of - 1 2 3 4 blocks, not 5' table3.lua \
    --genome 2,5,2,3,4,3,3
refused 2 'expected numbers with commas between them, got "two"' table3.lua --genome two,2,2,3,4,3,3
refused 2 'got ""' table3.lua --genome ,,,,,,
refused 2 "a network without gates expected, for --genome" gated.lua --genome 2,2
refused 2 "one of --genome, --extremes and --points" table3.lua --extremes --points
cat >probe.lua <<'LUA'
local eex = require "eex"
return {
  backbone = eex.backbones.mobilenetv2 { size = 32, classes = 10 },
  saliency = eex.saliency.ranked { metric = "probe", count = 2, from = eex.saliency.all() },
}
LUA
refused 2 "ranks the points by a probe" probe.lua --extremes

# elastic networks: EDANAS's integers
cat >family.lua <<'LUA'
return { backbone = require "eex".families.mobilenet_v3 { classes = 10 } }
LUA
cat >exits.lua <<'LUA'
local gates = {}
for i = 1, 4 do
  gates[i] = { point = "blocks." .. 4 * i .. ".add", family = "eec" }
end
return require "eex".families.mobilenet_v3 { classes = 10 }:with_gates(gates)
LUA
unit="2,3,3,3,3,3,3,3,3" deep="4,7,7,7,7,6,6,6,6"
least="$unit,$unit,$unit,$unit,$unit,40" most="$deep,$deep,$deep,$deep,$deep,104"
says "smallest: genome $least" family.lua --extremes
says "total 138 2,142,602 6,846,072" family.lua --extremes --convention torchprofile
says "total 264 6,396,570 140,345,136" family.lua --extremes --convention torchprofile
says "total 138 2,142,602 6,846,072" family.lua --genome "$least" --convention torchprofile
says "genome $least" family.lua --genome "2,3,3,7,5,3,3,6,4,$unit,$unit,$unit,$unit,40"
says "1 blocks.2.add 1 1,215,200 391,344 1,606,544" exits.lua --genome "$least" \
    --convention torchprofile
says "4 blocks.14.add 1 3,596,312 1,298,080" exits.lua --genome "$least" --convention torchprofile
says "5 classifier.linear end 140,345,136 0" exits.lua --genome "$most" --convention torchprofile
says "largest network of 46 genes, in the order of --genome" family.lua
says "unit1.layer1.kernel kernel 3, 5, 7" family.lua
says '"kind": "resolution"' family.lua --json
refused 2 'gene "unit1.depth" (depth) has no value 5: there are 2, 3 and 4' family.lua \
    --genome "5,${most#*,}"
# A message is a line, whatever the names in it.
mkdir $'l\nib'
echo 'error "in m"' >$'l\nib/m.lua'
while IFS='|' read -r script text; do
    echo "$script" >$'l\nib/s\nt.lua'
    refused 2 "$text" $'l\nib/s\nt.lua'
done <<'SCRIPTS'
error "x"|l?ib/s?t.lua:1: x
return = 5|l?ib/s?t.lua:1: unexpected symbol
require "m"|l?ib/m.lua:1: in m
require "a\nb"|no module "a?b"
SCRIPTS
echo 'return {}' >none.lua
refused 2 "--set no?such=1: no?such: no such field" none.lua --set $'no\nsuch=1'
refused 2 "--set no?such: expected FIELD=VALUE" none.lua --set $'no\nsuch'
refused 2 '--set seed=a?b: seed: an integer of 0 or more, got "a?b"' none.lua --set $'seed=a\nb'
refused 2 '--set seed={=?}: "{=?}" is no Lua value' none.lua --set $'seed={=\n}'
refused 2 "46 genes, not 3" family.lua --genome 1,2,3

# Limits that nothing can keep, as `eex run` refuses them.
for way in --points --extremes ""; do
    # shellcheck disable=SC2086
    refused 2 "table3.lua: search.limits.macs: 10, but the first way out of the smallest network" table3.lua $way \
        --set search.limits.macs=10 --set dataset=x
    refused 2 "search.limits.params: 7, but the smallest network" family.lua $way --set search.limits.params=7 \
        --set dataset=x
done
says "7 salient points" table3.lua --points --set search.limits.macs=2e6

# mistakes
echo 'return { backbone = 7 }' >wrong.lua
refused 2 "wrong.lua: backbone: a finished network" wrong.lua
echo 'return {' >wrong.lua
refused 2 "wrong.lua:2: unexpected symbol" wrong.lua
echo 'local x' >wrong.lua
refused 2 "wrong.lua: the script's value: a table, got nothing" wrong.lua
printf 'local eex = require "eex"\nreturn { backbone = eex.backbones.mobilenetv2 { width = "x" } }' \
    >wrong.lua
refused 2 'wrong.lua:2: backbone.width: a number in 0.1..4, got "x"' wrong.lua
echo 'return { backbone = require "eex".backbones.resnet50 {}, gates = { blocks = { 1, 1 } } }' \
    >wrong.lua
refused 2 "gates.blocks: each block count once" wrong.lua --points
refused 2 "--points" gated.lua --points
refused 2 'unknown cost convention "flops"' mobilenetv2.lua --convention flops
refused 2 "--json" mobilenetv2.lua --jsn
refused 1 "nowhere.lua" nowhere.lua
refused 2 'did you mean "thop"?' mobilenetv2.lua --convention thopp
refused 2 'did you mean "all"?' mobilenetv2.lua --convention al
says "usage" --help

# Fields that have nothing to do with the network are checked as `eex run` checks them.
wrong_field() {
    echo "return { dataset = 'x', backbone = require 'eex'.backbones.resnet50 {}, $1 }" >wrong.lua
    refused 2 "$2" wrong.lua
    expect 2 "$EEX" run wrong.lua
    err_has "$2"
}
wrong_field "training = { epohcs = 3 }" 'training.epohcs: no such field, did you mean "epochs"?'
wrong_field "training = { epochs = 0 }" "training.epochs: a positive integer, got 0"
wrong_field "serach = {}" 'serach: no such field, did you mean "search"?'
wrong_field "search = { sample = 9, population = 10, tau = 1 }" "search.tau: 0, or at least 2"
wrong_field "policy = { tune = 'accuracy', target = 1.5 }" "policy.target: an accuracy"
wrong_field "candidate = { augment = 7 }" "candidate.augment: a table"
wrong_field "saliency = 'residual_merge'" "saliency: one of"
echo 'return { backbone = dofile and nil, x = 1 }' >wrong.lua
refused 2 "wrong.lua" wrong.lua
cat >both.lua <<'LUA'
local m = require "eex".backbones.mobilenetv2 { size = 32, classes = 10 }
return { dataset = "x", backbone = m:with_gates { { point = "features.3.add", blocks = 2 } } }
LUA
refused 2 "backbone: a network without gates" both.lua

# --set is that of `eex run`.
says "k = 0 k = 3" mobilenetv2.lua --points --set 'gates.blocks={0, 3}' --convention thop
says "152 layers; 2 salient points" mobilenetv2.lua --points \
    --set 'saliency={"features.3.add", "features.5.add"}'
says "total 152" mobilenetv2.lua --set dataset.calibration=100 --set training.epochs=3
refused 2 'training.epohcs: no such field, did you mean "epochs"?' mobilenetv2.lua \
    --set training.epohcs=3
refused 2 'training.epochs: a positive integer, got "lots"' mobilenetv2.lua --set training.epochs=lots
refused 2 "a network, which has no fields" gated.lua --set training.epochs=3

# the library is found wherever the program is called from, and where it is told to look
cd /
expect 0 "$EEX" cost "$work/resnet50.lua"
cd "$work" || exit 1
EEX_LUA_DIR=$EEX_SOURCE_DIR/lua expect 0 "$EEX" cost resnet50.lua
EEX_LUA_DIR=/no/such/place expect 1 "$EEX" cost resnet50.lua
err_has "/no/such/place"

# an installed program finds the library beside itself, and says where it looked when it is gone
mkdir -p usr/bin usr/share/eex/lua
cp "$EEX" usr/bin/eex
cp -r "$EEX_SOURCE_DIR/lua/eex" usr/share/eex/lua/
expect 0 usr/bin/eex cost resnet50.lua
rm -r usr/share/eex/lua/eex
expect 1 usr/bin/eex cost resnet50.lua
err_has "usr/bin/../share/eex/lua"
err_has "EEX_LUA_DIR"
