# eex cost: the published integers, every convention, points and the mistakes that people make.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh"

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
